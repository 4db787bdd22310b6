//! The client of Azure Blob Storage: what the object-store client does, and requests under conditions that it
//! has no function for.
//!
//! Objects of one piece are stored by one request, larger ones in blocks that a list makes an object.
//!
//! Source: Azure Storage, "Put Blob", "Put Block List", "Get Blob Properties", "Create Container".

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt as _};
use http::header::{CONTENT_LENGTH, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use http::{Method, StatusCode};
use lakeward_objectstore::fault::{failed, generic};
use lakeward_objectstore::http::Transport;
use md5::{Digest as _, Md5};
use object_store::azure::{AzureAuthorizer, AzureCredential, MicrosoftAzure};
use object_store::client::{HttpRequest, HttpService as _};
use object_store::multipart::{MultipartStore as _, PartId};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UpdateVersion, UploadPart,
};
use url::Url;

use super::account::Account;
use crate::s3::error::S3SinkError;
use crate::s3::store::create::{self, Condition, Look, Plan, Seen, digest_of, stored};
use crate::s3::store::parts::Parts;
use crate::s3::store::{InParts, Place, Prepare, Store};

/// The store of `account` for a task of `connector`; makes no request.
///
/// # Errors
/// Class `Config`.
pub(crate) fn open(account: &Account, connector: &str) -> std::result::Result<Store, S3SinkError> {
    let address = account.address()?;
    let transport = account.transport(&address, connector)?;
    let base = address.as_str().trim_end_matches('/').to_owned();
    let inner = Arc::new(account.client(&base, &transport)?);
    let requests = Requests {
        inner: Arc::clone(&inner),
        transport,
        account: account.name.clone(),
        container: format!("{base}/{}", account.container),
    };
    let endpoint = format!("{}://{}", address.scheme(), address.host_str().unwrap_or_default());
    let words = account.words;
    let is_conditional = account.is_conditional;
    let client = Arc::new(BlobObjects { inner, requests: requests.clone(), is_conditional });
    let place = Place::seen_by(requests.container.clone(), account.is_conditional)
        .with_parts(Arc::new(requests.clone()));
    let store = Store::of(client, &account.container, &endpoint, words).at(place);
    Ok(if account.creates_container { store.prepared_by(Arc::new(requests)) } else { store })
}

/// Sends requests of its own about one container. Cheap to clone.
#[derive(Clone, Debug)]
struct Requests {
    /// Has the credentials.
    inner: Arc<MicrosoftAzure>,
    transport: Transport,
    account: String,
    /// Address of the container.
    container: String,
}

/// An answer, its body read.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Requests {
    async fn send(&self, method: Method, url: &str, headers: HeaderMap, body: String) -> Result<Answer> {
        let length = body.len();
        let mut request = HttpRequest::new(body.into());
        *request.method_mut() = method;
        *request.uri_mut() = url.parse().map_err(|err| generic(Box::new(err)))?;
        *request.headers_mut() = headers;
        // Signed with the rest.
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        let credential: Arc<AzureCredential> = self.inner.credentials().get_credential().await?;
        AzureAuthorizer::new(&credential, &self.account).try_authorize(&mut request)?;
        let response = self.transport.call(request).await.map_err(|err| generic(Box::new(err)))?;
        let (parts, body) = response.into_parts();
        let body = body.bytes().await.map_err(|err| generic(Box::new(err)))?;
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }

    /// The address of a blob.
    fn url(&self, name: &Path) -> Result<Url> {
        let mut url = Url::parse(&self.container).map_err(|err| generic(Box::new(err)))?;
        let mut path = url.path_segments_mut().map_err(|()| generic("store.url has no path".into()))?;
        path.extend(name.parts().map(|part| part.as_ref().to_owned()));
        drop(path);
        Ok(url)
    }

    /// Deletes a blob.
    async fn delete(&self, name: Path) -> Result<Path> {
        let url = self.url(&name)?;
        let answer = self.send(Method::DELETE, url.as_str(), HeaderMap::new(), String::new()).await?;
        if answer.status.is_success() {
            return Ok(name);
        }
        Err(failed("deleting an object", answer.status, &answer.body))
    }

    /// Makes an object of blocks.
    async fn list_blocks(
        &self,
        name: &Path,
        blocks: &[PartId],
        condition: &Condition,
        digest: Option<&create::ContentDigest>,
    ) -> Result<PutResult> {
        let mut url = self.url(name)?;
        url.set_query(Some("comp=blocklist"));
        let mut headers = HeaderMap::new();
        let value = |text: &str| HeaderValue::from_str(text).map_err(|err| generic(Box::new(err)));
        match condition {
            Condition::Absent => drop(headers.insert(IF_NONE_MATCH, HeaderValue::from_static("*"))),
            Condition::None => {}
            Condition::Unchanged(tag) => drop(headers.insert(IF_MATCH, value(tag)?)),
        }
        if let Some(digest) = digest {
            headers.insert(BLOB_MD5, value(&BASE64_STANDARD.encode(digest))?);
        }
        let ids = blocks.iter().map(|block| BASE64_STANDARD.encode(&block.content_id));
        let ids: String = ids.map(|id| format!("<Uncommitted>{id}</Uncommitted>")).collect();
        let body = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>{ids}</BlockList>");
        let answer = self.send(Method::PUT, url.as_str(), headers, body).await?;
        if answer.status.is_success() {
            return Ok(stored());
        }
        Err(failed("making an object of its blocks", answer.status, &answer.body))
    }
}

#[async_trait]
impl InParts for Requests {
    async fn create(&self, name: &Path) -> Result<()> {
        // A list of no blocks makes an object, too, and leaves no block behind.
        self.list_blocks(name, &[], &Condition::Absent, None).await.map(drop)
    }
}

#[async_trait]
impl Look for Requests {
    async fn look(&self, name: &Path) -> Result<Option<Seen>> {
        let url = self.url(name)?;
        let answer = self.send(Method::HEAD, url.as_str(), HeaderMap::new(), String::new()).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        if !answer.status.is_success() {
            return Err(failed("looking at an object", answer.status, &answer.body));
        }
        let header = |name: HeaderName| answer.headers.get(name).and_then(|value| value.to_str().ok());
        let tag = header(ETAG).ok_or_else(|| generic("the store shows an object without an ETag".into()))?;
        let digest = header(CONTENT_MD5).and_then(|text| BASE64_STANDARD.decode(text).ok()?.try_into().ok());
        Ok(Some(Seen { tag: tag.to_owned(), digest }))
    }
}

#[async_trait]
impl Prepare for Requests {
    /// Creates the container when it is missing. An identity that may not is fine: it may be there.
    async fn prepare(&self) -> Result<()> {
        let url = format!("{}?restype=container", self.container);
        let answer = self.send(Method::PUT, &url, HeaderMap::new(), String::new()).await?;
        match answer.status {
            StatusCode::CREATED => {
                tracing::info!(container = %self.container, "created");
                Ok(())
            }
            StatusCode::CONFLICT | StatusCode::FORBIDDEN => Ok(()),
            status => Err(failed("creating the container", status, &answer.body)),
        }
    }
}

/// The objects of a container.
#[derive(Debug)]
struct BlobObjects {
    inner: Arc<MicrosoftAzure>,
    requests: Requests,
    /// They are written under conditions.
    is_conditional: bool,
}

impl fmt::Display for BlobObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for BlobObjects {
    async fn put_opts(&self, name: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        match options.mode {
            PutMode::Overwrite if self.is_conditional => {}
            PutMode::Create | PutMode::Overwrite => {
                return self.inner.put_opts(name, payload, options).await;
            }
            PutMode::Update(_) => return Err(create::no_update()),
        }
        let digest = digest_of(&payload);
        let Plan::Write(condition) = create::plan(&self.requests, name, Some(&digest)).await? else {
            return Ok(stored());
        };
        let mode = match &condition {
            Condition::Absent => PutMode::Create,
            Condition::None => PutMode::Overwrite,
            Condition::Unchanged(tag) => {
                PutMode::Update(UpdateVersion { e_tag: Some(tag.clone()), version: None })
            }
        };
        let written = self.inner.put_opts(name, payload, PutOptions { mode, ..options }).await;
        create::settle(&self.requests, name, &condition, Some(&digest), written).await
    }

    async fn put_multipart_opts(
        &self,
        name: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        if !self.is_conditional {
            return self.inner.put_multipart_opts(name, options).await;
        }
        let (requests, name) = (self.requests.clone(), name.clone());
        Ok(Box::new(Upload { requests, name, parts: Parts::default(), digest: Md5::new() }))
    }

    async fn get_opts(&self, name: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(name, options).await
    }

    fn delete_stream(&self, names: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        // One by one: requests of many need rights of their own, and not every server knows them.
        let requests = self.requests.clone();
        let delete = move |name: Result<Path>| {
            let requests = requests.clone();
            async move { requests.delete(name?).await }
        };
        names.then(delete).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

/// An upload in blocks. Blocks of one that is given up go away by themselves after a week.
#[derive(Debug)]
struct Upload {
    requests: Requests,
    name: Path,
    parts: Parts,
    digest: Md5,
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        data.iter().for_each(|bytes| self.digest.update(bytes));
        let (store, name) = (Arc::clone(&self.requests.inner), self.name.clone());
        let (index, parts) = self.parts.begin();
        Box::pin(async move {
            // Blocks have names of their own instead of an upload's.
            let part = store.put_part(&name, &String::new(), index, data).await?;
            parts.stored(index, part);
            Ok(())
        })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let blocks = self.parts.take()?;
        let digest = self.digest.finalize_reset().into();
        let Plan::Write(condition) = create::plan(&self.requests, &self.name, Some(&digest)).await? else {
            return Ok(stored());
        };
        let written = self.requests.list_blocks(&self.name, &blocks, &condition, Some(&digest)).await;
        create::settle(&self.requests, &self.name, &condition, Some(&digest), written).await
    }

    async fn abort(&mut self) -> Result<()> {
        Ok(())
    }
}

const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");

/// The digest that the object is shown with.
const BLOB_MD5: HeaderName = HeaderName::from_static("x-ms-blob-content-md5");
