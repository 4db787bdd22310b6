//! The words of failures, and the exceptions of Protobuf.

pub(super) use super::super::registry_framing::{Converted, Fault};

use super::super::registry_framing::Words;

/// The words of reading.
pub(super) const READING: Words = Words {
    failed: |topic| format!("Failed to deserialize data for topic {topic} to Protobuf:"),
    retry_ends: "",
    one: "Error deserializing Protobuf message",
    during: "deserializing data for",
    format: "Protobuf",
};

/// The words of writing.
pub(super) const WRITING: Words = Words {
    failed: |topic| format!("Failed to serialize Protobuf data from topic {topic}:"),
    retry_ends: "",
    one: "Error serializing Protobuf message",
    during: "serializing Protobuf data for",
    format: "Protobuf",
};

/// Whether the bytes are a message, but not one that has a value.
pub(super) fn is_of_a_value(fault: &Fault) -> bool {
    match fault {
        Fault::Bare { .. } | Fault::Data(_) => true,
        Fault::Inner { message, .. } => message.starts_with(MISSING),
        Fault::Caused { .. } | Fault::Fatal { .. } | Fault::Serialization(_) => false,
    }
}

/// What the message of a missing required field starts with.
pub(super) const MISSING: &str = "Message missing required fields: ";

/// A `DataException`.
#[cold]
pub(super) fn data(message: impl Into<String>) -> Box<Fault> {
    Box::new(Fault::Data(message.into()))
}

/// An `IllegalArgumentException` that Java shows without a wrapper.
#[cold]
pub(super) fn argument(message: impl Into<String>) -> Box<Fault> {
    Box::new(Fault::Bare { class: "java.lang.IllegalArgumentException", message: message.into() })
}

/// A schema text that is no usable Protobuf file.
#[cold]
pub(super) fn unusable(message: impl Into<String>) -> Box<Fault> {
    Box::new(Fault::Inner { class: "java.lang.IllegalArgumentException", message: message.into() })
}

/// Bytes that are no Protobuf message.
#[cold]
pub(super) fn malformed(message: impl Into<String>) -> Box<Fault> {
    Box::new(Fault::Inner {
        class: "com.google.protobuf.InvalidProtocolBufferException",
        message: message.into(),
    })
}

/// The payload ends too early.
#[cold]
pub(super) fn truncated() -> Box<Fault> {
    malformed(
        "While parsing a protocol message, the input ended unexpectedly in the middle of a field.  This \
         could mean either that the input has been truncated or that an embedded message misreported its own \
         length.",
    )
}
