//! Objects with a canned ACL or encryption: what makes an object says so, what only continues it does not.
//!
//! Owns which client of one bucket is asked. Headers must be signed, and S3 refuses those that a request does
//! not know. Source: Amazon S3, `CreateMultipartUpload`, `UploadPart`, `CompleteMultipartUpload`,
//! `AbortMultipartUpload`: the ACL and the bucket's kinds of encryption go with what begins an object; a
//! customer's key goes with parts and reads, too; nothing goes with what ends an upload or gives it up.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::aws::AmazonS3;
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartId, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
};

use super::parts::Parts;

/// The clients.
#[derive(Debug)]
pub(super) struct ControlledObjects {
    /// Sends the ACL and the encryption with everything.
    pub(super) maker: Arc<AmazonS3>,
    /// Sends a customer's key where S3 wants it.
    pub(super) plain: Arc<AmazonS3>,
    /// Sends nothing of both.
    pub(super) bare: Arc<AmazonS3>,
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
        Ok(Box::new(Upload {
            store: Arc::clone(&self.plain),
            bare: Arc::clone(&self.bare),
            name: name.clone(),
            id,
            parts: Parts::default(),
        }))
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
    /// Gives it up.
    bare: Arc<AmazonS3>,
    name: Path,
    id: MultipartId,
    parts: Parts,
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let store = Arc::clone(&self.store);
        let (name, id) = (self.name.clone(), self.id.clone());
        let (index, parts) = self.parts.begin();
        Box::pin(async move {
            let part = store.put_part(&name, &id, index, data).await?;
            parts.stored(index, part);
            Ok(())
        })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let parts = self.parts.take()?;
        self.store.complete_multipart(&self.name, &self.id, parts).await
    }

    async fn abort(&mut self) -> Result<()> {
        self.bare.abort_multipart(&self.name, &self.id).await
    }
}
