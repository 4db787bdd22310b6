//! The client of GCS: its JSON interface, as Google's own clients use it.
//!
//! Objects of one piece are stored by one request, larger ones by a resumable upload. What only reads or
//! copies is the object-store client's business.
//!
//! Source: Google Cloud Storage, "JSON API" (objects: insert, get, list; "Request preconditions").

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use lakeward_api::metrics::StoreRequests;
use lakeward_objectstore::fault::{failed, generic, is_transient};
use lakeward_objectstore::http::{BodyDigest, OverTransport, Transport, TransportSettings};
use object_store::client::{HttpRequest, HttpRequestBody, HttpService as _};
use object_store::gcp::{GcpCredentialProvider, GoogleCloudStorage, GoogleCloudStorageBuilder};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, RetryConfig,
};
use serde::Deserialize;
use url::Url;

use super::bucket::Bucket;
use super::credentials;
use super::resumable::ResumableUpload;
use crate::s3::config::validators::parse_store_url;
use crate::s3::error::S3SinkError;
use crate::s3::store::create::{self, Condition, Look, Plan, Seen, digest_of, stored};
use crate::s3::store::s3::{client_options, sent_by};
use crate::s3::store::{InParts, Place, Store};

/// The store of `bucket` for a task of `connector`; makes no request.
///
/// # Errors
/// Class `Config`.
pub(crate) fn open(bucket: &Bucket, connector: &str) -> std::result::Result<Store, S3SinkError> {
    let setting = |message: String| S3SinkError::Setting { message };
    let Bucket { name, words, .. } = bucket;
    let url = bucket
        .url
        .as_deref()
        .map_or_else(|| Url::parse(GOOGLE).map_err(|err| err.to_string()), parse_store_url);
    let url = url.map_err(|problem| setting(format!("{}: {problem}", words.server_keys)))?;
    let credentials = credentials::open(&bucket.credentials)?;
    let transport = transport(bucket, &url, connector)?;
    let base = url.as_str().trim_end_matches('/').to_owned();
    let reader = GoogleCloudStorageBuilder::new()
        .with_bucket_name(name)
        .with_base_url(&base)
        .with_http_connector(OverTransport(transport.clone()))
        // The transport repeats requests.
        .with_retry(RetryConfig { max_retries: 0, ..RetryConfig::default() });
    let reader = match &credentials {
        Some(credentials) => reader.with_credentials(Arc::clone(credentials)),
        None => reader.with_skip_signature(true),
    };
    let reader = reader
        .build()
        .map_err(|err| setting(format!("the GCS client cannot be set up ({}): {err}", words.server_keys)))?;
    let content_encoding = bucket.content_encoding.as_deref().map(encoded);
    let client =
        Client { transport, credentials, base: base.clone(), bucket: encoded(name), content_encoding };
    let in_parts = Arc::new(client.clone());
    let objects = GcsObjects { client, reader, is_conditional: bucket.is_conditional };
    let endpoint = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
    let place = Place::seen_by(format!("{base} {name}"), bucket.is_conditional).with_parts(in_parts);
    Ok(Store::of(Arc::new(objects), name, &endpoint, words).at(place))
}

fn transport(bucket: &Bucket, url: &Url, connector: &str) -> std::result::Result<Transport, S3SinkError> {
    let allows_http = url.scheme() == "http";
    let agent = bucket.user_agent.as_deref();
    Ok(Transport::new(TransportSettings {
        name: format!("{url} {}", bucket.name),
        options: sent_by(client_options(allows_http), agent)?,
        options_text: format!("{allows_http} {}", agent.unwrap_or_default()),
        try_time: bucket.try_time,
        patience: bucket.patience,
        digest: BodyDigest::None,
        counters: StoreRequests::of(connector),
    }))
}

/// Sends requests about one bucket. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Client {
    transport: Transport,
    /// `None`: requests are not signed.
    credentials: Option<GcpCredentialProvider>,
    base: String,
    /// Percent-encoded.
    bucket: String,
    /// The same, of new objects.
    content_encoding: Option<String>,
}

/// An answer, read whole.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Client {
    /// Sends one request with the identity's token, whatever the answer.
    pub(super) async fn send(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: HttpRequestBody,
    ) -> Result<Answer> {
        let length = body.content_length();
        let mut request = HttpRequest::new(body);
        let method_has_body = method == Method::POST || method == Method::PUT;
        *request.method_mut() = method;
        *request.uri_mut() = url.parse().map_err(|err| generic(Box::new(err)))?;
        *request.headers_mut() = headers;
        if method_has_body {
            // Uploads are not taken without it.
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        if let Some(token) = self.token().await? {
            request.headers_mut().insert(AUTHORIZATION, token);
        }
        let response = self.transport.call(request).await.map_err(|err| generic(Box::new(err)))?;
        let (parts, body) = response.into_parts();
        let body = body.bytes().await.map_err(|err| generic(Box::new(err)))?;
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }

    /// The same; `what` names a request that was refused.
    pub(super) async fn ask(
        &self,
        what: &str,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: HttpRequestBody,
    ) -> Result<Answer> {
        let answer = self.send(method, url, headers, body).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(failed(what, answer.status, &answer.body)) }
    }

    pub(super) fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Where an object is created, under a condition.
    pub(super) fn upload_url(&self, kind: &str, name: &Path, condition: &Condition) -> String {
        let generation = match condition {
            Condition::Absent => "&ifGenerationMatch=0".to_owned(),
            Condition::None => String::new(),
            Condition::Unchanged(generation) => format!("&ifGenerationMatch={}", encoded(generation)),
        };
        let encoding = self.content_encoding.as_ref().map(|text| format!("&contentEncoding={text}"));
        let encoding = encoding.unwrap_or_default();
        let (base, bucket, name) = (&self.base, &self.bucket, encoded(name.as_ref()));
        format!("{base}/upload/storage/v1/b/{bucket}/o?uploadType={kind}&name={name}{generation}{encoding}")
    }

    async fn token(&self) -> Result<Option<HeaderValue>> {
        let Some(credentials) = &self.credentials else { return Ok(None) };
        let bearer = match credentials.get_credential().await {
            Ok(credential) => credential.bearer.clone(),
            Err(err) if is_transient(&err) => return Err(err),
            Err(err) => return Err(denied(Box::new(err))),
        };
        let token = HeaderValue::try_from(format!("Bearer {bearer}"));
        let mut token = token.map_err(|_| denied("the token is not one".into()))?;
        token.set_sensitive(true);
        Ok(Some(token))
    }

    /// Deletes an object.
    async fn delete(&self, name: Path) -> Result<Path> {
        let url = self.object_url(&name);
        let nothing = Bytes::new().into();
        self.ask("deleting an object", Method::DELETE, &url, HeaderMap::new(), nothing).await?;
        Ok(name)
    }

    fn object_url(&self, name: &Path) -> String {
        let (base, bucket, name) = (&self.base, &self.bucket, encoded(name.as_ref()));
        format!("{base}/storage/v1/b/{bucket}/o/{name}")
    }

    async fn page(&self, prefix: &str, token: &str) -> Result<Page> {
        let (base, bucket) = (&self.base, &self.bucket);
        let (prefix, token) = (encoded(prefix), encoded(token));
        let token = if token.is_empty() { token } else { format!("&pageToken={token}") };
        let url = format!("{base}/storage/v1/b/{bucket}/o?maxResults=1000&prefix={prefix}{token}");
        let answer =
            self.ask("listing the bucket", Method::GET, &url, HeaderMap::new(), Bytes::new().into()).await?;
        serde_json::from_slice(&answer.body).map_err(|err| generic(Box::new(err)))
    }
}

#[async_trait]
impl InParts for Client {
    async fn create(&self, name: &Path) -> Result<()> {
        ResumableUpload::begin(self.clone(), name.clone(), Condition::Absent).await?.end_empty().await
    }
}

#[async_trait]
impl Look for Client {
    async fn look(&self, name: &Path) -> Result<Option<Seen>> {
        let url = format!("{}?fields=generation,md5Hash", self.object_url(name));
        let answer = self.send(Method::GET, &url, HeaderMap::new(), Bytes::new().into()).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        if !answer.status.is_success() {
            return Err(failed("looking at an object", answer.status, &answer.body));
        }
        let found: Found = serde_json::from_slice(&answer.body).map_err(|err| generic(Box::new(err)))?;
        let digest = found.md5.and_then(|text| BASE64_STANDARD.decode(text).ok()?.try_into().ok());
        Ok(Some(Seen { tag: found.generation, digest }))
    }
}

#[derive(Deserialize)]
struct Found {
    generation: String,
    #[serde(rename = "md5Hash")]
    md5: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    items: Vec<Item>,
    #[serde(rename = "nextPageToken", default)]
    next: String,
}

#[derive(Deserialize)]
struct Item {
    name: String,
    size: String,
    updated: chrono::DateTime<chrono::Utc>,
    etag: Option<String>,
    generation: Option<String>,
}

impl Item {
    fn meta(self) -> Result<ObjectMeta> {
        Ok(ObjectMeta {
            location: Path::parse(&self.name)?,
            last_modified: self.updated,
            size: self.size.parse().map_err(|err| generic(Box::new(err)))?,
            e_tag: self.etag,
            version: self.generation,
        })
    }
}

/// The objects of a bucket.
#[derive(Debug)]
struct GcsObjects {
    client: Client,
    reader: GoogleCloudStorage,
    is_conditional: bool,
}

impl GcsObjects {
    async fn put(&self, name: &Path, payload: PutPayload, condition: &Condition) -> Result<PutResult> {
        let url = self.client.upload_url("media", name, condition);
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, OCTETS)]);
        self.client.ask("storing an object", Method::POST, &url, headers, payload.into()).await?;
        Ok(stored())
    }
}

impl fmt::Display for GcsObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reader.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for GcsObjects {
    async fn put_opts(&self, name: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        match options.mode {
            PutMode::Create => return self.put(name, payload, &Condition::Absent).await,
            PutMode::Overwrite if self.is_conditional => {}
            PutMode::Overwrite => return self.put(name, payload, &Condition::None).await,
            PutMode::Update(_) => return Err(create::no_update()),
        }
        let digest = digest_of(&payload);
        let Plan::Write(condition) = create::plan(&self.client, name, Some(&digest)).await? else {
            return Ok(stored());
        };
        let written = self.put(name, payload, &condition).await;
        create::settle(&self.client, name, &condition, Some(&digest), written).await
    }

    async fn put_multipart_opts(
        &self,
        name: &Path,
        _options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let condition = match self.is_conditional {
            false => Condition::None,
            true => match create::plan(&self.client, name, None).await? {
                Plan::Write(condition) => condition,
                Plan::Adopt => unreachable!("nothing is adopted whose content is not known"),
            },
        };
        Ok(Box::new(ResumableUpload::begin(self.client.clone(), name.clone(), condition).await?))
    }

    async fn get_opts(&self, name: &Path, options: GetOptions) -> Result<GetResult> {
        self.reader.get_opts(name, options).await
    }

    fn delete_stream(&self, names: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        // The reader's XML interface is one that not every server has.
        let client = self.client.clone();
        let delete = move |name: Result<Path>| {
            let client = client.clone();
            async move { client.delete(name?).await }
        };
        names.then(delete).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let prefix = prefix.map(|prefix| format!("{prefix}/")).unwrap_or_default();
        // What is left of a page, and the token of the next one.
        let begin = (VecDeque::new(), Some(String::new()));
        stream::try_unfold((self.client.clone(), prefix, begin), async |(client, prefix, mut state)| {
            loop {
                if let Some(item) = state.0.pop_front() {
                    let item: Item = item;
                    return Ok(Some((item.meta()?, (client, prefix, state))));
                }
                let Some(token) = state.1.take() else { return Ok(None) };
                let page = client.page(&prefix, &token).await?;
                state = (page.items.into(), Some(page.next).filter(|next| !next.is_empty()));
            }
        })
        .into_stream()
        .boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.reader.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.reader.copy_opts(from, to, options).await
    }
}

/// A part of an address.
pub(super) fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// Nobody gives out a token: the identity is not one.
fn denied(source: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::Unauthenticated { path: String::new(), source }
}

const GOOGLE: &str = "https://storage.googleapis.com";

pub(super) const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");
