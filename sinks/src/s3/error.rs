//! The error of the S3 sink, and of the sinks of other stores that share its task, and its classification.
//!
//! Messages name keys and remedies; they hold no record contents and no secrets.

use lakeward_api::{ConnectError, ErrorClass};
use thiserror::Error;

/// What errors call things.
#[derive(Debug)]
pub struct StoreWords {
    /// A bucket.
    pub place: &'static str,
    /// The keys of the identity, and what it must be allowed.
    pub identity: &'static str,
    /// The keys that name bucket and server.
    pub bucket_keys: &'static str,
    /// The keys that name the server.
    pub server_keys: &'static str,
}

/// What can go wrong in the sink of an object store.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum S3SinkError {
    /// The store refused the credentials (class `Config`).
    #[error("The store refused access to bucket '{bucket}': check {}", .words.identity)]
    AccessDenied {
        /// The bucket.
        bucket: String,
        /// What to call things.
        words: &'static StoreWords,
        /// What the store said.
        #[source]
        source: object_store::Error,
    },
    /// The bucket does not exist (class `Config`).
    #[error("Non-existent {}: {bucket}. Create it, or correct {}", .words.place, .words.bucket_keys)]
    BucketMissing {
        /// What to call things.
        words: &'static StoreWords,
        /// The bucket.
        bucket: String,
        /// What the store said.
        #[source]
        source: object_store::Error,
    },
    /// Another writer was at work on the same object (class `Retriable`: what is there then is looked at).
    #[error(
        "Another writer changed an object of bucket '{bucket}' while it was written; unfinished files are \
         written again from the committed offsets. If this repeats, see to it that only one connector writes \
         below topics.dir"
    )]
    Conflict {
        /// The bucket.
        bucket: String,
        /// What the store said.
        #[source]
        source: object_store::Error,
    },
    /// The store says that temporary credentials have expired (class `Retriable`: whoever gives them out
    /// renews them, and a task that starts over asks for new ones).
    #[error(
        "The credentials for bucket '{bucket}' have expired; unfinished files are written again from the \
         committed offsets. If this repeats, renew the session token (AWS_SESSION_TOKEN, or what the \
         credentials provider asks)"
    )]
    CredentialsExpired {
        /// The bucket.
        bucket: String,
        /// What the store said.
        #[source]
        source: object_store::Error,
    },
    /// An invariant of this sink or of the pipeline broke (class `Fatal`).
    #[error("{message}")]
    Invariant {
        /// Which one.
        message: String,
    },
    /// An object name that the store cannot hold (class `Record`: it comes from a record's values).
    #[error("{message}")]
    Name {
        /// Why.
        message: String,
    },
    /// A record with a null value (class `Record`).
    #[error("Null valued records are not writeable with current behavior.on.null.values 'settings.")]
    NullValue,
    /// A record that has no encoded partition (class `Record`).
    #[error("{message}")]
    Partition {
        /// Why.
        message: String,
    },
    /// The store answered a request with a refusal that trying again does not heal (class `Fatal`).
    #[error(
        "The store refused to write to bucket '{bucket}': correct what the cause names ({}), then restart \
         the task",
        .words.bucket_keys
    )]
    Refused {
        /// The bucket.
        bucket: String,
        /// What to call things.
        words: &'static StoreWords,
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
    /// An object is stored and could not be tagged (class `Fatal`, as Java fails the task).
    #[error("Unable to tag S3 object {name}")]
    Tagging {
        /// The object.
        name: String,
        /// What the store said.
        #[source]
        source: object_store::Error,
    },
    /// A record whose time cannot be extracted (class `Fatal`, as Java fails the task).
    #[error("{message}")]
    Time {
        /// Why.
        message: String,
    },
    /// The store did not answer, or answered that it is busy (class `Retriable`).
    #[error(
        "The store at {endpoint} is unreachable or busy ({}); \
         unfinished files are written again from the committed offsets",
        .words.server_keys
    )]
    Unreachable {
        /// What `store.url` or its like name, without credentials.
        endpoint: String,
        /// What to call things.
        words: &'static StoreWords,
        /// What the client said.
        #[source]
        source: object_store::Error,
    },
    /// The store no longer knows an upload that was begun (class `Retriable`: it is begun again).
    #[error(
        "The store removed an unfinished upload to bucket '{bucket}'; its files are written again from the \
         committed offsets. If this repeats, check the bucket's lifecycle rule for incomplete multipart \
         uploads"
    )]
    UploadRemoved {
        /// The bucket.
        bucket: String,
        /// What the store said.
        #[source]
        source: object_store::Error,
    },
}

impl S3SinkError {
    /// The class that decides what the runtime does.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::AccessDenied { .. } | Self::BucketMissing { .. } | Self::Setting { .. } => {
                ErrorClass::Config
            }
            Self::Invariant { .. } | Self::Refused { .. } | Self::Tagging { .. } | Self::Time { .. } => {
                ErrorClass::Fatal
            }
            Self::Name { .. } | Self::NullValue | Self::Partition { .. } => ErrorClass::Record,
            Self::Conflict { .. }
            | Self::CredentialsExpired { .. }
            | Self::Unreachable { .. }
            | Self::UploadRemoved { .. } => ErrorClass::Retriable,
        }
    }

    fn java_class(&self) -> &'static str {
        match self {
            Self::Setting { .. } => "org.apache.kafka.common.config.ConfigException",
            Self::Conflict { .. }
            | Self::CredentialsExpired { .. }
            | Self::Unreachable { .. }
            | Self::UploadRemoved { .. } => "org.apache.kafka.connect.errors.RetriableException",
            Self::Partition { .. } | Self::Time { .. } => {
                "io.confluent.connect.storage.errors.PartitionException"
            }
            _ => "org.apache.kafka.connect.errors.ConnectException",
        }
    }
}

impl From<lakeward_objectstore::SettingError> for S3SinkError {
    fn from(err: lakeward_objectstore::SettingError) -> Self {
        Self::Setting { message: err.message }
    }
}

impl From<S3SinkError> for ConnectError {
    fn from(err: S3SinkError) -> Self {
        let connect = ConnectError::new(err.class(), err.java_class(), err.to_string());
        match err {
            S3SinkError::AccessDenied { source, .. }
            | S3SinkError::BucketMissing { source, .. }
            | S3SinkError::Conflict { source, .. }
            | S3SinkError::CredentialsExpired { source, .. }
            | S3SinkError::Refused { source, .. }
            | S3SinkError::Tagging { source, .. }
            | S3SinkError::Unreachable { source, .. }
            | S3SinkError::UploadRemoved { source, .. } => connect.with_source(source),
            _ => connect,
        }
    }
}
