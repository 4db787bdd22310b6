//! The one error type of this crate and its classification.
//!
//! Messages never hold record contents: they name types, fields, schema texts and byte positions only.

use lakeward_api::{ConnectError, ErrorClass};
use thiserror::Error;

/// What can go wrong while converting records or encoding parts.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The compressor of a text part failed (class `Fatal`).
    #[error("the part could not be compressed")]
    Compress {
        /// What the compressor said.
        #[source]
        source: std::io::Error,
    },
    /// A converter refused a schema or a record (the class of its error).
    #[error("{source}")]
    Converter {
        /// What it said.
        source: ConnectError,
    },
    /// A record does not fit its schema, or has no form in the output format (class `Record`).
    #[error("{message}")]
    Data {
        /// Kafka Connect's words where it has some.
        message: String,
    },
    /// The Parquet encoder failed (class `Fatal`): its input was checked before, so this is a broken
    /// invariant.
    #[error("the Parquet part could not be encoded")]
    Encode {
        /// What the encoder said.
        #[source]
        source: parquet::errors::ParquetError,
    },
    /// Values that are not a STRUCT cannot be stored in this format (class `Config`).
    #[error("{message}")]
    NotAStruct {
        /// What was found and what to change.
        message: String,
    },
    /// A record brings a schema that cannot be (class `Record`).
    #[error("{message}")]
    SchemaBuilder {
        /// The words of Kafka Connect's `SchemaBuilder`.
        message: String,
    },
    /// A setting cannot be used (class `Config`).
    #[error("{message}")]
    Setting {
        /// Key, problem and remedy.
        message: String,
    },
    /// A record is not JSON (class `Record`).
    #[error("{what} at byte {at}")]
    Syntax {
        /// What the reader did not expect.
        what: &'static str,
        /// Position in the record.
        at: usize,
    },
}

impl FormatError {
    /// A record that does not fit, in Kafka Connect's words where it has some.
    pub fn data(message: impl Into<String>) -> Self {
        Self::Data { message: message.into() }
    }

    /// The class that decides what the runtime does.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Compress { .. } | Self::Encode { .. } => ErrorClass::Fatal,
            Self::Converter { source } => source.class(),
            Self::Data { .. } | Self::SchemaBuilder { .. } | Self::Syntax { .. } => ErrorClass::Record,
            Self::NotAStruct { .. } | Self::Setting { .. } => ErrorClass::Config,
        }
    }
}

impl From<FormatError> for ConnectError {
    fn from(err: FormatError) -> Self {
        let class = err.class();
        match err {
            FormatError::Converter { source } => source,
            FormatError::Data { message } => ConnectError::data(message),
            FormatError::SchemaBuilder { message } => {
                ConnectError::new(class, "org.apache.kafka.connect.errors.SchemaBuilderException", message)
            }
            FormatError::Setting { message } => ConnectError::config(message),
            FormatError::NotAStruct { message } => {
                ConnectError::new(class, "org.apache.kafka.connect.errors.ConnectException", message)
            }
            FormatError::Syntax { .. } => {
                let cause = ConnectError::new(
                    class,
                    "org.apache.kafka.common.errors.SerializationException",
                    err.to_string(),
                );
                ConnectError::data(SERIALIZATION_PREFIX).with_source(cause)
            }
            FormatError::Compress { .. } | FormatError::Encode { .. } => {
                ConnectError::fatal(err.to_string()).with_source(err)
            }
        }
    }
}

/// What `JsonConverter` says before the cause; the blank at its end is Kafka's.
const SERIALIZATION_PREFIX: &str =
    "Converting byte[] to Kafka Connect data failed due to serialization error: ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_json_is_a_data_exception_caused_by_a_serialization_exception() {
        let err = ConnectError::from(FormatError::Syntax { what: "unexpected character", at: 3 });
        assert_eq!(err.class(), ErrorClass::Record);
        assert!(err.trace().contains("SerializationException: unexpected character at byte 3"));
    }
}
