//! The error of the S3 sources and its classification.
//!
//! Messages name keys and remedies; they hold no record contents and no secrets.

use lakeward_api::{ConnectError, ErrorClass};
use thiserror::Error;

/// What can go wrong in an S3 source.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum S3SourceError {
    /// The store refused the credentials (class `Config`).
    #[error(
        "The store refused access to bucket '{bucket}': check the access key, the secret and the permissions \
         of that identity (s3:ListBucket, s3:GetObject)"
    )]
    AccessDenied {
        /// The bucket.
        bucket: String,
        /// What the store said.
        #[source]
        source: object_store::Error,
    },
    /// The bucket does not exist (class `Config`).
    #[error("Non-existent S3 bucket: {bucket}. Create it, or correct its name, the region or the endpoint")]
    BucketMissing {
        /// The bucket.
        bucket: String,
        /// What the store said.
        #[source]
        source: object_store::Error,
    },
    /// An object that cannot be read (class `Fatal`: the task must not go on without it).
    #[error("The object {name} of bucket '{bucket}' cannot be read: {problem}")]
    Object {
        /// The bucket.
        bucket: String,
        /// The object.
        name: String,
        /// Why.
        problem: String,
    },
    /// The store answered with a refusal that trying again does not heal (class `Fatal`).
    #[error("The store refused to read from bucket '{bucket}': correct what the cause names")]
    Refused {
        /// The bucket.
        bucket: String,
        /// What the store said.
        #[source]
        source: object_store::Error,
    },
    /// A setting cannot be used (class `Config`).
    #[error("{message}")]
    Setting {
        /// Key, problem and remedy.
        message: String,
    },
    /// The store did not answer, or answered that it is busy (class `Retriable`).
    #[error("The store at {endpoint} is unreachable or busy; reading goes on when it answers")]
    Unreachable {
        /// Its address or region, without credentials.
        endpoint: String,
        /// What the client said.
        #[source]
        source: object_store::Error,
    },
}

impl S3SourceError {
    /// The class that decides what the runtime does.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::AccessDenied { .. } | Self::BucketMissing { .. } | Self::Setting { .. } => {
                ErrorClass::Config
            }
            Self::Object { .. } | Self::Refused { .. } => ErrorClass::Fatal,
            Self::Unreachable { .. } => ErrorClass::Retriable,
        }
    }

    fn java_class(&self) -> &'static str {
        match self {
            Self::Setting { .. } => "org.apache.kafka.common.config.ConfigException",
            Self::Unreachable { .. } => "org.apache.kafka.connect.errors.RetriableException",
            _ => "org.apache.kafka.connect.errors.ConnectException",
        }
    }
}

impl From<lakeward_objectstore::SettingError> for S3SourceError {
    fn from(err: lakeward_objectstore::SettingError) -> Self {
        Self::Setting { message: err.message }
    }
}

impl From<S3SourceError> for ConnectError {
    fn from(err: S3SourceError) -> Self {
        let connect = ConnectError::new(err.class(), err.java_class(), err.to_string());
        match err {
            S3SourceError::AccessDenied { source, .. }
            | S3SourceError::BucketMissing { source, .. }
            | S3SourceError::Refused { source, .. }
            | S3SourceError::Unreachable { source, .. } => connect.with_source(source),
            S3SourceError::Object { .. } | S3SourceError::Setting { .. } => connect,
        }
    }
}
