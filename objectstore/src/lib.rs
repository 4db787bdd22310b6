//! What connectors of object stores share below their own rules: credentials, addresses, the HTTP transport
//! with its pace and repetitions, and what failures of the client mean.
//!
//! Must not know object names, files, offsets or settings of one connector: those are the connectors'.

pub mod address;
pub mod credentials;
pub mod fault;
pub mod http;

use thiserror::Error;

/// A setting that cannot be used; connectors answer it as class `Config`.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{message}")]
pub struct SettingError {
    /// Key, problem and remedy.
    pub message: String,
}

impl SettingError {
    /// An error with these words.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}
