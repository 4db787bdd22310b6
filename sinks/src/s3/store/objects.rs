//! Objects with a canned ACL: what makes an object says so, what only continues it does not.
//!
//! Owns which of two clients of one bucket is asked. The ACL is a header that must be signed, and only
//! `PutObject` and `CreateMultipartUpload` know it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::aws::AmazonS3;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartId, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
};

/// The two clients.
#[derive(Debug)]
pub(super) struct ControlledObjects {
    /// Sends the ACL with everything.
    maker: AmazonS3,
    plain: Arc<AmazonS3>,
}

impl ControlledObjects {
    /// Over two clients of one bucket.
    pub(super) fn new(maker: AmazonS3, plain: Arc<AmazonS3>) -> Self {
        Self { maker, plain }
    }
}

impl fmt::Display for ControlledObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.plain.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for ControlledObjects {
    async fn put_opts(&self, name: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.maker.put_opts(name, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        name: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let id = self.maker.create_multipart_opts(name, options).await?;
        let upload = Upload { store: Arc::clone(&self.plain), name: name.clone(), id, parts: Arc::default() };
        Ok(Box::new(upload))
    }

    async fn get_opts(&self, name: &Path, options: GetOptions) -> Result<GetResult> {
        self.plain.get_opts(name, options).await
    }

    fn delete_stream(&self, names: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.plain.delete_stream(names)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.plain.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.plain.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.plain.copy_opts(from, to, options).await
    }
}

/// An upload that was begun.
#[derive(Debug)]
struct Upload {
    store: Arc<AmazonS3>,
    name: Path,
    id: MultipartId,
    /// One place per part that was asked for; filled when it is stored.
    parts: Arc<Mutex<Vec<Option<PartId>>>>,
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (store, parts) = (Arc::clone(&self.store), Arc::clone(&self.parts));
        let (name, id) = (self.name.clone(), self.id.clone());
        let index = {
            let mut places = parts.lock().unwrap_or_else(PoisonError::into_inner);
            places.push(None);
            places.len() - 1
        };
        Box::pin(async move {
            let part = store.put_part(&name, &id, index, data).await?;
            parts.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(part);
            Ok(())
        })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let parts: Option<Vec<PartId>> =
            std::mem::take(&mut *self.parts.lock().unwrap_or_else(PoisonError::into_inner))
                .into_iter()
                .collect();
        let parts = parts.ok_or_else(|| object_store::Error::Generic {
            store: "S3",
            source: "an upload was completed before all of its parts were stored".into(),
        })?;
        self.store.complete_multipart(&self.name, &self.id, parts).await
    }

    async fn abort(&mut self) -> Result<()> {
        self.store.abort_multipart(&self.name, &self.id).await
    }
}
