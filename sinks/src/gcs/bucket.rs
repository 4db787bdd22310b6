//! A bucket as a sink uses it: what every configuration comes to.

use lakeward_api::config::Password;
use lakeward_objectstore::http::Patience;
use std::time::Duration;

use crate::s3::error::StoreWords;

/// A bucket, and how it is used.
#[derive(Debug)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    /// `None`: where Google is.
    pub(crate) url: Option<String>,
    pub(crate) credentials: Credentials,
    pub(crate) patience: Patience,
    pub(crate) try_time: Duration,
    /// `None`: Lakeward's own.
    pub(crate) user_agent: Option<String>,
    /// What objects say about their `Content-Encoding`.
    pub(crate) content_encoding: Option<String>,
    pub(crate) is_conditional: bool,
    pub(crate) words: &'static StoreWords,
}

/// Who writes.
#[derive(Debug)]
pub(crate) enum Credentials {
    /// Whom `GOOGLE_APPLICATION_CREDENTIALS`, gcloud or the machine name.
    Default,
    /// Whom a file names.
    File(String),
    /// Whoever has this key of a service account.
    Json(Password),
    /// Nobody: requests are not signed.
    None,
}

pub(super) const WORDS: StoreWords = StoreWords {
    place: "GCS bucket",
    identity: "gcs.credentials.json, gcs.credentials.path or GOOGLE_APPLICATION_CREDENTIALS, and the \
               permissions of that identity (storage.objects.create, storage.objects.delete, \
               storage.objects.list)",
    bucket_keys: "gcs.bucket.name or store.url",
    server_keys: "store.url",
};
