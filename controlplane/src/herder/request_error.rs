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
    /// Only the leader can do this: the request goes on to it.
    #[error(
        "Cannot complete request momentarily due to no known leader URL, likely because a rebalance was \
         underway."
    )]
    NotLeader,
    /// The client expected another configuration: 412.
    #[error("{0}")]
    Precondition(String),
    /// Not yet: 503.
    #[error("{0}")]
    Unavailable(String),
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
            Self::Conflict(_) | Self::NotLeader => 409,
            Self::Precondition(_) => 412,
            Self::Config(_) | Self::Internal(_) => 500,
            Self::Unavailable(_) => 503,
        }
    }

    /// The same refusal with another text.
    #[must_use]
    pub(crate) fn map(self, change: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::BadRequest(text) => Self::BadRequest(change(text)),
            Self::Config(text) => Self::Config(change(text)),
            Self::Conflict(text) => Self::Conflict(change(text)),
            Self::Forbidden(text) => Self::Forbidden(change(text)),
            Self::Internal(text) => Self::Internal(change(text)),
            Self::NotFound(text) => Self::NotFound(change(text)),
            Self::NotLeader => Self::NotLeader,
            Self::Precondition(text) => Self::Precondition(change(text)),
            Self::Unavailable(text) => Self::Unavailable(change(text)),
        }
    }
}

impl From<StoreError> for RequestError {
    fn from(err: StoreError) -> Self {
        Self::Internal(err.message)
    }
}
