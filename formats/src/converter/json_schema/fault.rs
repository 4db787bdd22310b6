//! The words of failures, and the exceptions of JSON Schema.

pub(super) use super::super::registry_framing::{Converted, Fault};

use super::super::registry_framing::{SERIALIZATION, Words};
use crate::FormatError;

impl From<FormatError> for Box<Fault> {
    #[cold]
    fn from(error: FormatError) -> Self {
        let message = error.to_string();
        Self::new(match error {
            FormatError::SchemaBuilder { .. } => Fault::Bare { class: BUILDER, message },
            FormatError::Syntax { .. } => Fault::Inner { class: SERIALIZATION, message },
            _ => Fault::Data(message),
        })
    }
}

/// What is said when reading fails.
pub(super) const READING: Words = Words {
    failed: |topic| {
        format!(
            "Converting byte[] to Kafka Connect data failed due to serialization error of topic {topic}: "
        )
    },
    retry_ends: "",
    one: "Error deserializing JSON message",
    during: "deserializing data for",
    format: "JSON Schema",
};

/// What is said when writing fails.
pub(super) const WRITING: Words = Words {
    failed: |topic| {
        format!(
            "Converting Kafka Connect data to byte[] failed due to serialization error of topic {topic}: "
        )
    },
    retry_ends: "",
    one: "Error serializing JSON message",
    during: "serializing Json data for",
    format: "JSON Schema",
};

/// A `DataException`.
#[cold]
pub(super) fn data(message: impl Into<String>) -> Box<Fault> {
    Box::new(Fault::Data(message.into()))
}

/// A schema that Connect's `SchemaBuilder` refuses.
#[cold]
pub(super) fn builder(message: impl Into<String>) -> Box<Fault> {
    Box::new(Fault::Bare { class: BUILDER, message: message.into() })
}

/// A schema that has no Connect form, in the words of an `IllegalArgumentException`.
#[cold]
pub(super) fn unsupported(message: impl Into<String>) -> Box<Fault> {
    Box::new(Fault::Bare { class: "java.lang.IllegalArgumentException", message: message.into() })
}

/// A text that is no JSON Schema.
#[cold]
pub(super) fn invalid(what: impl std::fmt::Display) -> Box<Fault> {
    unsupported(format!("Invalid JSON Schema: {what}"))
}

const BUILDER: &str = "org.apache.kafka.connect.errors.SchemaBuilderException";

/// What is wrong with the bytes around a value: Java wraps its own `SerializationException` here.
#[cold]
pub(super) fn framing(message: String) -> Box<Fault> {
    Box::new(Fault::Inner { class: SERIALIZATION, message })
}
