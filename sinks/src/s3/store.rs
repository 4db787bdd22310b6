//! The object store of a configuration, and what its failures mean.
//!
//! `store.url` decides: null is AWS, `http(s)://` another S3 service, `file:///` a local directory in which
//! the bucket is a sub-directory (objects appear by rename, after fsync).

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::{HttpError, HttpErrorKind};
use object_store::local::LocalFileSystem;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

use super::config::S3Config;
use super::config::validators::parse_store_url;
use super::error::S3SinkError;

/// A store and the names that its errors mention. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(crate) client: Arc<dyn ObjectStore>,
    bucket: Arc<str>,
    endpoint: Arc<str>,
}

impl Store {
    /// Opens the store of `config`; makes no request. A local directory is created.
    ///
    /// # Errors
    /// Class `Config` when the client or the directory cannot be set up.
    pub(crate) fn open(config: &S3Config) -> Result<Self, S3SinkError> {
        let bucket = config.bucket.bucket.clone();
        let setting = |message: String| S3SinkError::Setting { message };
        let url = config
            .storage
            .store_url
            .as_deref()
            .map(parse_store_url)
            .transpose()
            .map_err(|problem| setting(format!("store.url: {problem}")))?;
        let endpoint = match &url {
            Some(url) => format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default()),
            None => format!("region {}", config.bucket.region),
        };
        let client: Arc<dyn ObjectStore> = match url {
            Some(url) if url.scheme() == "file" => {
                let root = url.to_file_path().map_err(|()| setting("store.url is not a path".to_owned()))?;
                let dir = root.join(&bucket);
                std::fs::create_dir_all(&dir).map_err(|err| {
                    setting(format!("store.url: the directory of the bucket cannot be created: {err}"))
                })?;
                let local = LocalFileSystem::new_with_prefix(&dir)
                    .map_err(|err| setting(format!("store.url: the directory cannot be opened: {err}")))?;
                Arc::new(local.with_fsync(true))
            }
            url => Arc::new(s3_builder(config, url).build().map_err(|err| {
                setting(format!("the S3 client cannot be set up (store.url, s3.region): {err}"))
            })?),
        };
        Ok(Self { client, bucket: bucket.into(), endpoint: endpoint.into() })
    }

    /// A store over any client, for tests.
    #[cfg(test)]
    pub(crate) fn over(client: Arc<dyn ObjectStore>) -> Self {
        Self { client, bucket: "bucket".into(), endpoint: "test".into() }
    }

    /// Asks whether the bucket exists. An identity that may write but not list is fine, as with the Java
    /// sink.
    ///
    /// # Errors
    /// Class `Config` for a missing bucket or wrong credentials, `Retriable` when nobody answers.
    pub(crate) async fn check_bucket(&self) -> Result<(), S3SinkError> {
        match self.client.list(None).next().await {
            None | Some(Ok(_)) => Ok(()),
            Some(Err(err)) => match self.explain(err) {
                S3SinkError::AccessDenied { source, .. } if !is_bad_identity(&source) => Ok(()),
                err => Err(err),
            },
        }
    }

    /// What a failure of the client means to the user.
    pub(crate) fn explain(&self, err: object_store::Error) -> S3SinkError {
        let bucket = self.bucket.to_string();
        match &err {
            _ if err.to_string().contains("NoSuchUpload") => {
                S3SinkError::UploadRemoved { bucket, source: err }
            }
            object_store::Error::NotFound { .. } => S3SinkError::BucketMissing { bucket, source: err },
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                S3SinkError::AccessDenied { bucket, source: err }
            }
            // Listing answers a missing bucket with a generic error.
            _ if err.to_string().contains("NoSuchBucket") => {
                S3SinkError::BucketMissing { bucket, source: err }
            }
            object_store::Error::Generic { .. } if is_transient(&err) => {
                S3SinkError::Unreachable { endpoint: self.endpoint.to_string(), source: err }
            }
            _ if is_bad_identity(&err) => S3SinkError::AccessDenied { bucket, source: err },
            _ => S3SinkError::Refused { bucket, source: err },
        }
    }
}

fn s3_builder(config: &S3Config, url: Option<url::Url>) -> AmazonS3Builder {
    let keys = &config.bucket;
    let mut builder = match &keys.secret_access_key {
        Some(secret) if !keys.access_key_id.is_empty() => AmazonS3Builder::new()
            .with_access_key_id(&keys.access_key_id)
            .with_secret_access_key(secret.expose()),
        // Environment, web identity, container and instance metadata, in that order.
        _ => AmazonS3Builder::from_env(),
    };
    let mut client = ClientOptions::new().with_timeout(REQUEST_TIMEOUT);
    if !config.request.proxy_url.is_empty() {
        client = client.with_proxy_url(&config.request.proxy_url);
    }
    if let Some(url) = url {
        client = client.with_allow_http(url.scheme() == "http");
        builder = builder.with_endpoint(url.as_str().trim_end_matches('/'));
    }
    if !keys.sse_name.is_empty() {
        let name: AmazonS3ConfigKey =
            "aws_server_side_encryption".parse().expect("the client documents this key");
        builder = builder.with_config(name, &keys.sse_name);
    }
    if keys.sse_name == "aws:kms" && !keys.sse_kms_key_id.is_empty() {
        builder = builder.with_sse_kms_encryption(&keys.sse_kms_key_id);
    }
    builder
        .with_bucket_name(&keys.bucket)
        .with_region(&keys.region)
        .with_virtual_hosted_style_request(!config.companion.path_style)
        .with_client_options(client)
        .with_retry(RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(config.request.retry_backoff_ms.max(1)),
                max_backoff: BACKOFF_MAX.max(Duration::from_millis(config.request.retry_backoff_ms)),
                base: 2.0,
            },
            // The Java key counts tries, the client counts retries.
            max_retries: config.request.part_retries.saturating_sub(1),
            retry_timeout: RETRY_TIMEOUT,
        })
}

/// True when the same request may succeed later. The client keeps the status of a failed request private, so
/// it is read from the error's text (`RequestError` of object_store 0.14).
fn is_transient(err: &object_store::Error) -> bool {
    let mut cause = err.source();
    while let Some(inner) = cause {
        if let Some(http) = inner.downcast_ref::<HttpError>() {
            return !matches!(http.kind(), HttpErrorKind::Decode);
        }
        if inner.downcast_ref::<std::io::Error>().is_some_and(is_transient_io) {
            return true;
        }
        cause = inner.source();
    }
    let text = err.to_string();
    let status = text.split_once("status code: ").map(|(_, rest)| rest);
    status.is_some_and(|status| {
        status.starts_with('5') || status.starts_with("429") || status.starts_with("408")
    }) || text.contains("SlowDown")
        || text.contains("InternalError")
}

fn is_transient_io(err: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(
        err.kind(),
        ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::Interrupted
            | ErrorKind::StorageFull
            | ErrorKind::TimedOut
            | ErrorKind::UnexpectedEof
    )
}

/// True when the store does not know the identity, or its signature is wrong.
fn is_bad_identity(err: &object_store::Error) -> bool {
    let text = err.to_string();
    ["InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"]
        .iter()
        .any(|code| text.contains(code))
}

/// One part of 25 MiB at 2 Mbit/s.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);

/// Requests are signed and their payload kept while they are retried; the client asks to stay below five
/// minutes.
const RETRY_TIMEOUT: Duration = Duration::from_secs(180);

const BACKOFF_MAX: Duration = Duration::from_secs(20);
