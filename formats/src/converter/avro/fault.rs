//! The words of failures, and the exceptions of Avro.

pub(super) use super::super::registry_framing::{Converted, Fault};

use super::super::registry_framing::Words;

/// The words of reading.
pub(super) const READING: Words = Words {
    failed: |topic| format!("Failed to deserialize data for topic {topic} to Avro:"),
    retry_ends: " ",
    one: "Error deserializing Avro message",
    during: "deserializing data for",
    format: "Avro",
};

/// The words of writing.
pub(super) const WRITING: Words = Words {
    failed: |topic| format!("Failed to serialize Avro data from topic {topic}:"),
    retry_ends: " ",
    one: "Error serializing Avro message",
    during: "serializing Avro data for",
    format: "Avro",
};

#[cold]
pub(super) fn data(message: impl Into<String>) -> Box<Fault> {
    Box::new(Fault::Data(message.into()))
}

/// A schema that Avro refuses.
#[cold]
pub(super) fn bare(class: &'static str, message: String) -> Box<Fault> {
    Box::new(Fault::Bare { class, message })
}

/// Bytes that do not follow the schema, as `AvroRuntimeException`.
#[cold]
pub(super) fn malformed(message: impl Into<String>) -> Box<Fault> {
    Box::new(Fault::Inner { class: "org.apache.avro.AvroRuntimeException", message: message.into() })
}

/// The payload ends too early.
#[cold]
pub(super) fn ended() -> Box<Fault> {
    Box::new(Fault::Inner {
        class: "java.io.EOFException",
        message: "the payload ends within a value".into(),
    })
}

/// A value or schema that Avro's type rules refuse.
#[cold]
pub(super) fn mistyped(message: impl Into<String>) -> Box<Fault> {
    Box::new(Fault::Inner { class: "org.apache.avro.AvroTypeException", message: message.into() })
}

/// A schema text that is no Avro schema.
#[cold]
pub(super) fn unparsable(message: impl Into<String>) -> Box<Fault> {
    Box::new(Fault::Inner { class: "org.apache.avro.SchemaParseException", message: message.into() })
}
