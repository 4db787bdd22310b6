//! What can go wrong between a converter and a registry, and what it is at the plugin boundary.
//!
//! Source: Confluent's REST interface (status, `error_code`, message) and the exceptions its converters map
//! them to.

use lakeward_api::ConnectError;
use lakeward_api::error::ErrorClass;
use thiserror::Error;

/// A question that a registry did not answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The registry answered with an error. The text is that of Java's `RestClientException`.
    #[error("{message}; error code: {code}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// `error_code` of the body, or the status when the body has none.
        code: i32,
        /// `message` of the body.
        message: String,
    },
    /// No registry could be reached.
    #[error("no schema registry could be reached; check schema.registry.url of the converter: {message}")]
    Unreachable {
        /// What the last attempt met.
        message: String,
    },
    /// The registry answered something that cannot be used.
    #[error("the schema registry's answer cannot be used: {message}")]
    Answer {
        /// What is wrong with it.
        message: String,
    },
    /// The data cannot be written with the schema that the settings choose.
    #[error("{message}")]
    Incompatible {
        /// Both schemas and the setting that turns the check off.
        message: String,
    },
    /// No token could be fetched.
    #[error("Failed to Retrieve OAuth Token for Schema Registry: {message}")]
    Token {
        /// What is wrong, without the token.
        message: String,
        /// Whether the issuer may answer better later.
        heals: bool,
    },
    /// A setting is wrong.
    #[error("{message}")]
    Setting {
        /// Key, value and remedy.
        message: String,
    },
}

/// What Java raises for the classes of an answer.
const RETRIABLE: &str = "org.apache.kafka.connect.errors.RetriableException";
const NETWORK: &str = "org.apache.kafka.common.errors.NetworkException";
const REST_CLIENT: &str = "io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException";

const TOKEN: &str = "io.confluent.kafka.schemaregistry.client.security.bearerauth.oauth.exceptions\
                     .SchemaRegistryOauthTokenRetrieverException";

impl RegistryError {
    /// An error answer with Confluent's code; the status is the code's first three digits.
    pub(crate) fn refused(code: i32, message: impl Into<String>) -> Self {
        let status = if code >= 1000 { code / 100 } else { code };
        Self::Refused { status: u16::try_from(status).unwrap_or(500), code, message: message.into() }
    }

    /// What the runtime does with it. Answers of the time-out kind are `Retriable`; everything else is a
    /// property of the record at hand, as for Java, whose worker tolerates it like any conversion error.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Refused { status: 408 | 500 | 503 | 504, .. } => ErrorClass::Retriable,
            Self::Refused { .. }
            | Self::Unreachable { .. }
            | Self::Answer { .. }
            | Self::Incompatible { .. }
            | Self::Token { .. } => ErrorClass::Record,
            Self::Setting { .. } => ErrorClass::Config,
        }
    }

    /// The Java exception a user of Connect would find in the trace.
    pub fn java_class(&self) -> &'static str {
        match self {
            Self::Refused { status, .. } => match status {
                408 | 500 | 503 | 504 => RETRIABLE,
                401 => "org.apache.kafka.common.errors.AuthenticationException",
                403 => "org.apache.kafka.common.errors.AuthorizationException",
                429 => "org.apache.kafka.common.errors.ThrottlingQuotaExceededException",
                502 => "org.apache.kafka.common.errors.DisconnectException",
                _ => REST_CLIENT,
            },
            Self::Unreachable { .. } => NETWORK,
            Self::Answer { .. } | Self::Incompatible { .. } => "java.io.IOException",
            Self::Token { .. } => TOKEN,
            Self::Setting { .. } => "org.apache.kafka.common.config.ConfigException",
        }
    }
}

impl From<RegistryError> for ConnectError {
    fn from(error: RegistryError) -> Self {
        Self::new(error.class(), error.java_class(), error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_classed_as_java_does() {
        let class = |status| RegistryError::Refused { status, code: 1, message: String::new() }.class();
        for status in [408, 500, 503, 504] {
            assert_eq!(class(status), ErrorClass::Retriable, "{status}");
        }
        for status in [401, 403, 404, 409, 422, 429, 502] {
            assert_eq!(class(status), ErrorClass::Record, "{status}");
        }
        let error = RegistryError::refused(40401, "Subject 'a' not found.");
        assert_eq!(error.to_string(), "Subject 'a' not found.; error code: 40401");
        assert!(matches!(error, RegistryError::Refused { status: 404, .. }));
    }
}
