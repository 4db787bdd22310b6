//! Failures of requests, as REST answers them.
//!
//! Source: `ConnectExceptionMapper`, `DistributedHerder`, Kafka 4.1.

use crate::store::StoreError;

/// Why a request was refused. The text is for the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum RequestError {
    /// The request itself is wrong: 400.
    #[error("{0}")]
    BadRequest(String),
    /// A configuration value cannot be parsed where Java does not catch that: 500.
    #[error("{0}")]
    Config(String),
    /// The state of the cluster is against it, or nobody leads: 409.
    #[error("{0}")]
    Conflict(String),
    /// Switched off by the worker's settings: 403.
    #[error("{0}")]
    Forbidden(String),
    /// Our side failed: 500.
    #[error("{0}")]
    Internal(String),
    /// There is no such thing: 404.
    #[error("{0}")]
    NotFound(String),
}

impl RequestError {
    /// HTTP status and `error_code`.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::BadRequest(_) => 400,
            Self::Forbidden(_) => 403,
            Self::NotFound(_) => 404,
            Self::Conflict(_) => 409,
            Self::Config(_) | Self::Internal(_) => 500,
        }
    }

    /// Nobody leads, or somebody whose address is unknown.
    pub(crate) fn no_leader() -> Self {
        Self::Conflict(
            "Cannot complete request momentarily due to no known leader URL, likely because a \
             rebalance was underway."
                .to_owned(),
        )
    }
}

impl From<StoreError> for RequestError {
    fn from(err: StoreError) -> Self {
        Self::Internal(err.message)
    }
}
