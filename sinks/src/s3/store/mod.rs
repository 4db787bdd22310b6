//! The object store of a configuration, and what its failures mean; other stores bring clients of their own.
//!
//! `store.url` decides: null is AWS, `http(s)://` another S3 service, `file:///` a local directory in which
//! the bucket is a sub-directory (objects appear by rename, after fsync).

mod begin;
mod conditional;
pub(crate) mod create;
mod in_parts;
mod objects;
mod orphans;
pub(crate) mod parts;
pub(crate) mod s3;
pub(crate) mod signed;
mod tags;
#[cfg(test)]
pub(crate) mod tests;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt as _;
use lakeward_api::metrics::StoreRequests;
use lakeward_objectstore::fault::{is_bad_identity, is_missing_bucket, is_missing_upload, is_transient};
use lakeward_objectstore::http;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;

use super::config::S3Config;
use super::config::validators::parse_store_url;
use super::error::{S3SinkError, StoreWords};

use s3::S3Side;
use tags::Tagging;

pub(crate) use conditional::{InParts, Place, Probe};
pub(crate) use orphans::Sweeper;
pub(crate) use tags::Contents;

/// A store and the names that its errors mention. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(crate) client: Arc<dyn ObjectStore>,
    bucket: Arc<str>,
    endpoint: Arc<str>,
    words: &'static StoreWords,
    /// What only S3 has; `None` for a local directory.
    s3: Option<S3Side>,
    tagging: Option<Arc<Tagging>>,
    /// `None`: it is no object store.
    place: Option<Place>,
    prepare: Option<Arc<dyn Prepare>>,
}

/// What happens to a store before its first use.
#[async_trait]
pub(crate) trait Prepare: fmt::Debug + Send + Sync {
    /// Makes it ready. Done once per task, and again when a task starts over.
    async fn prepare(&self) -> object_store::Result<()>;
}

/// Those of S3.
const WORDS: StoreWords = StoreWords {
    place: "S3 bucket",
    identity: "aws.access.key.id, aws.secret.access.key and the permissions of that identity (s3:PutObject, \
               s3:ListBucket, s3:AbortMultipartUpload)",
    bucket_keys: "s3.bucket.name, s3.region or store.url",
    server_keys: "store.url, s3.region",
};

impl Store {
    /// A store that is all in its client. `endpoint` is shown in errors.
    pub(crate) fn of(
        client: Arc<dyn ObjectStore>,
        bucket: &str,
        endpoint: &str,
        words: &'static StoreWords,
    ) -> Self {
        let (bucket, endpoint) = (bucket.into(), endpoint.into());
        Self { client, bucket, endpoint, words, s3: None, tagging: None, place: None, prepare: None }
    }

    /// The same, which can be asked about conditions.
    pub(crate) fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// The same, made ready before its first use.
    pub(crate) fn prepared_by(mut self, prepare: Arc<dyn Prepare>) -> Self {
        self.prepare = Some(prepare);
        self
    }

    /// Opens the store of `config` for a task of `connector`; makes no request. A local directory is created.
    ///
    /// # Errors
    /// Class `Config` when the client or the directory cannot be set up.
    pub(crate) fn open(config: &S3Config, connector: &str) -> Result<Self, S3SinkError> {
        let bucket = config.bucket.bucket.clone();
        let setting = |message: String| S3SinkError::Setting { message };
        let url = config
            .store_url
            .as_deref()
            .map(parse_store_url)
            .transpose()
            .map_err(|problem| setting(format!("store.url: {problem}")))?;
        let endpoint = match &url {
            Some(url) => format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default()),
            None => format!("region {}", config.bucket.region),
        };
        if let Some(url) = url.as_ref().filter(|url| url.scheme() == "file") {
            let client = Arc::new(local(url, &bucket)?);
            return Ok(Self::of(client, &bucket, &endpoint, &WORDS));
        }
        let s3 = S3Side::open(config, url.as_ref(), StoreRequests::of(connector))?;
        let client = Arc::clone(&s3.objects);
        Ok(Self {
            place: Some(Place::of(config).with_parts(Arc::new(s3.clone()))),
            s3: Some(s3),
            tagging: Tagging::new(config).map(Arc::new),
            ..Self::of(client, &bucket, &endpoint, &WORDS)
        })
    }

    /// A store over any client, for tests.
    #[cfg(test)]
    pub(crate) fn over(client: Arc<dyn ObjectStore>) -> Self {
        Self::of(client, "bucket", "test", &WORDS)
    }

    /// Asks whether the bucket exists. An identity that may write but not list is fine, as with the Java
    /// sink.
    ///
    /// # Errors
    /// Class `Config` for a missing bucket or wrong credentials, `Retriable` when nobody answers.
    pub(crate) async fn check_bucket(&self) -> Result<(), S3SinkError> {
        if let Some(prepare) = &self.prepare {
            prepare.prepare().await.map_err(|err| self.explain(err))?;
        }
        match self.client.list(None).next().await {
            // Another one's object, whose name the client has no form for (`a//b`): the bucket is there.
            None | Some(Ok(_) | Err(object_store::Error::InvalidPath { .. })) => {}
            Some(Err(err)) => match self.explain(err) {
                S3SinkError::AccessDenied { source, .. } if !is_bad_identity(&source) => {}
                err => return Err(err),
            },
        }
        Ok(())
    }

    /// What a failure of the client means to the user.
    pub(crate) fn explain(&self, err: object_store::Error) -> S3SinkError {
        let (bucket, words) = (self.bucket.to_string(), self.words);
        match &err {
            _ if is_missing_upload(&err) => S3SinkError::UploadRemoved { bucket, source: err },
            _ if err.to_string().contains("ExpiredToken") => {
                S3SinkError::CredentialsExpired { bucket, source: err }
            }
            object_store::Error::NotFound { .. } => S3SinkError::BucketMissing { words, bucket, source: err },
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                S3SinkError::AccessDenied { bucket, words, source: err }
            }
            object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. } => {
                S3SinkError::Conflict { bucket, source: err }
            }
            // Listing answers a missing bucket with a generic error.
            _ if is_missing_bucket(&err) => S3SinkError::BucketMissing { words, bucket, source: err },
            object_store::Error::Generic { .. } if is_transient(&err) => {
                S3SinkError::Unreachable { endpoint: self.endpoint.to_string(), words, source: err }
            }
            _ if is_bad_identity(&err) => S3SinkError::AccessDenied { bucket, words, source: err },
            _ => S3SinkError::Refused { bucket, words, source: err },
        }
    }
}

/// The directory `bucket` of `url`; created when missing. Objects appear by rename after their bytes are on
/// disk, and so is the rename.
fn local(url: &url::Url, bucket: &str) -> Result<LocalFileSystem, S3SinkError> {
    let setting = |message: String| S3SinkError::Setting { message };
    let root = url.to_file_path().map_err(|()| setting("store.url is not a path".to_owned()))?;
    let dir = root.join(bucket);
    create_durably(&dir)
        .map_err(|err| setting(format!("store.url: the directory of the bucket cannot be created: {err}")))?;
    let local = LocalFileSystem::new_with_prefix(&dir)
        .map_err(|err| setting(format!("store.url: the directory cannot be opened: {err}")))?;
    Ok(local.with_fsync(true))
}

/// Creates a directory so that it is still there after a crash: what is stored in it is durable only then.
fn create_durably(dir: &std::path::Path) -> std::io::Result<()> {
    let missing: Vec<&std::path::Path> = dir.ancestors().take_while(|one| !one.is_dir()).collect();
    std::fs::create_dir_all(dir)?;
    for parent in missing.into_iter().filter_map(std::path::Path::parent) {
        std::fs::File::open(parent)?.sync_all()?;
    }
    Ok(())
}
