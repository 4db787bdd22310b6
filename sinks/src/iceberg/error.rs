//! What goes wrong with a catalog and its tables.

use std::fmt;

use lakeward_api::{ConnectError, ErrorClass};
use object_store::client::HttpError;
use thiserror::Error;

/// A failure of the catalog or of the files of a table.
#[derive(Debug, Error)]
pub(super) enum CatalogError {
    /// The requirements of a commit do not hold: somebody else changed the table.
    #[error("Somebody else changed the table: {message}")]
    Conflict {
        /// The catalog's words.
        message: String,
    },
    /// The database of a SQL catalog.
    #[error("The database of the catalog {fault} (iceberg.catalog.uri, iceberg.catalog.jdbc.*): {message}")]
    Database {
        /// What it means.
        fault: DatabaseFault,
        /// The database's words.
        message: String,
        /// The client's error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no such table.
    #[error("{message}")]
    Missing {
        /// Which one.
        message: String,
    },
    /// Another task stored positions that this one counts on.
    #[error("{message}")]
    Overtaken {
        /// Where.
        message: String,
    },
    /// Any other answer that is no success.
    #[error("The catalog answered {status}: {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The catalog's words.
        message: String,
    },
    /// A property that cannot be used.
    #[error("{message}")]
    Setting {
        /// Key, problem and remedy.
        message: String,
    },
    /// A data file could not be stored.
    #[error("A data file could not be stored: {source}")]
    Store {
        /// The store's words.
        source: std::io::Error,
    },
    /// Metadata could not be read or written, or makes no sense.
    #[error("The metadata of the table could not be read or written")]
    Table {
        /// The library's words.
        source: iceberg::Error,
    },
    /// A commit whose answer was lost.
    #[error("Whether the commit took place is not known")]
    Unknown {
        /// What came instead of the answer.
        source: Box<CatalogError>,
    },
    /// Nobody answered.
    #[error("The catalog could not be reached (iceberg.catalog.uri)")]
    Unreachable {
        /// Why.
        source: HttpError,
    },
    /// An answer that is no JSON of the expected form.
    #[error("The answer of the catalog could not be read")]
    Unreadable {
        /// Where.
        source: serde_json::Error,
    },
}

/// What a failure of a database means for the statement that met it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DatabaseFault {
    /// It did not happen, as others were there.
    Busy,
    /// It did not happen, and will not until a person changes something.
    Denied,
    /// It did not happen.
    Failed,
    /// It did not happen, as there is one of that name.
    Taken,
    /// It may have happened.
    Unanswered,
}

impl fmt::Display for DatabaseFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "is busy",
            Self::Denied => "refuses",
            Self::Failed => "failed",
            Self::Taken => "has it already",
            Self::Unanswered => "did not answer",
        })
    }
}

impl CatalogError {
    /// What the answer to a commit means. As the definition says, 409 is a conflict, and server errors but
    /// 503 leave open whether it took place.
    pub(super) fn of_commit(self) -> Self {
        match self {
            Self::Refused { status: 409, message } => Self::Conflict { message },
            Self::Database { fault: DatabaseFault::Busy | DatabaseFault::Taken, message, .. } => {
                Self::Conflict { message }
            }
            Self::Database { fault: DatabaseFault::Unanswered, .. }
            | Self::Refused { status: 500 | 502 | 504, .. }
            | Self::Unreachable { .. }
            | Self::Unreadable { .. } => Self::Unknown { source: Box::new(self) },
            other => other,
        }
    }

    /// Whether there is no such table, or no such namespace.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::Refused { status: 404, .. })
    }

    fn class(&self) -> (ErrorClass, &'static str) {
        const RETRIABLE: (ErrorClass, &str) =
            (ErrorClass::Retriable, "org.apache.kafka.connect.errors.RetriableException");
        match self {
            Self::Missing { .. } | Self::Refused { status: 404, .. } => {
                (ErrorClass::Config, "org.apache.iceberg.exceptions.NoSuchTableException")
            }
            Self::Refused { status: 401, .. } => {
                (ErrorClass::Config, "org.apache.iceberg.exceptions.NotAuthorizedException")
            }
            Self::Refused { status: 403, .. } => {
                (ErrorClass::Config, "org.apache.iceberg.exceptions.ForbiddenException")
            }
            Self::Database { fault: DatabaseFault::Denied, .. }
            | Self::Refused { status: 400 | 405 | 406, .. }
            | Self::Setting { .. } => (ErrorClass::Config, "org.apache.kafka.common.config.ConfigException"),
            Self::Table { source } if source.kind() == iceberg::ErrorKind::FeatureUnsupported => {
                (ErrorClass::Config, "org.apache.kafka.common.config.ConfigException")
            }
            _ => RETRIABLE,
        }
    }
}

impl From<iceberg::Error> for CatalogError {
    fn from(source: iceberg::Error) -> Self {
        Self::Table { source }
    }
}

impl From<CatalogError> for ConnectError {
    fn from(err: CatalogError) -> Self {
        let (class, java_class) = err.class();
        let connect = Self::new(class, java_class, err.to_string());
        match err {
            CatalogError::Database { source, .. } => connect.with_source(source),
            CatalogError::Store { source } => connect.with_source(source),
            CatalogError::Table { source } => connect.with_source(source),
            CatalogError::Unknown { source } => connect.with_source(source),
            CatalogError::Unreachable { source } => connect.with_source(source),
            CatalogError::Unreadable { source } => connect.with_source(source),
            _ => connect,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_commit(status: u16) -> CatalogError {
        CatalogError::Refused { status, message: "m".to_owned() }.of_commit()
    }

    #[test]
    fn an_answer_to_a_commit_says_whether_it_may_have_happened() {
        assert!(matches!(of_commit(409), CatalogError::Conflict { .. }));
        for status in [500, 502, 504] {
            assert!(matches!(of_commit(status), CatalogError::Unknown { .. }), "{status}");
        }
        for status in [400, 401, 404, 503] {
            assert!(matches!(of_commit(status), CatalogError::Refused { .. }), "{status}");
        }
    }

    #[test]
    fn a_database_says_so_too() {
        let of_commit = |fault| {
            let message = "m".to_owned();
            CatalogError::Database { fault, message, source: "s".into() }.of_commit()
        };
        for fault in [DatabaseFault::Busy, DatabaseFault::Taken] {
            assert!(matches!(of_commit(fault), CatalogError::Conflict { .. }), "{fault}");
        }
        assert!(matches!(of_commit(DatabaseFault::Unanswered), CatalogError::Unknown { .. }));
        for fault in [DatabaseFault::Denied, DatabaseFault::Failed] {
            assert!(matches!(of_commit(fault), CatalogError::Database { .. }), "{fault}");
        }
    }

    #[test]
    fn only_what_a_person_must_change_fails_for_good() {
        let class =
            |status| ConnectError::from(CatalogError::Refused { status, message: "m".to_owned() }).class();
        for status in [400, 401, 403, 404] {
            assert_eq!(class(status), ErrorClass::Config, "{status}");
        }
        for status in [409, 419, 429, 500, 503] {
            assert_eq!(class(status), ErrorClass::Retriable, "{status}");
        }
    }
}
