//! Why a record cannot be converted, and the exceptions Java shows for it.

use lakeward_api::{ConnectError, ErrorClass};

use super::super::registry_framing::{Words, serialization};

/// The result of conversions; the error is boxed so that the usual path moves one word.
pub(super) type Converted<T> = Result<T, Box<Fault>>;

/// Why a record cannot be converted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// An exception that Java shows without a wrapper.
    Bare {
        /// Full Java class name.
        class: &'static str,
        /// Its message.
        message: String,
    },
    /// A `DataException` of the mapping, shown without a wrapper.
    Data(String),
    /// The bytes or the schema text are broken: an exception inside a `SerializationException`.
    Inner {
        /// Full Java class name.
        class: &'static str,
        /// Its message.
        message: String,
    },
    /// A `SerializationException` of the wire format.
    Serialization(String),
}

/// The words of reading.
pub(super) const READING: Words = Words {
    failed: |topic| format!("Failed to deserialize data for topic {topic} to Protobuf:"),
    retry_ends: "",
    during: "deserializing data for",
    format: "Protobuf",
};

/// The words of writing.
pub(super) const WRITING: Words = Words {
    failed: |topic| format!("Failed to serialize Protobuf data from topic {topic}:"),
    retry_ends: "",
    during: "serializing Protobuf data for",
    format: "Protobuf",
};

impl Fault {
    /// The error of a record of `topic` with schema `id` that cannot be read.
    pub(super) fn while_reading(&self, topic: &str, id: Option<i32>) -> ConnectError {
        let id = id.map_or_else(|| "unknown".to_owned(), |id| id.to_string());
        self.wrapped((READING.failed)(topic), &format!("Error deserializing Protobuf message for id {id}"))
    }

    /// The error of a record of `topic` that cannot be written.
    pub(super) fn while_writing(&self, topic: &str) -> ConnectError {
        self.wrapped((WRITING.failed)(topic), "Error serializing Protobuf message")
    }

    /// Whether the bytes are a message, but not one that has a value.
    pub(super) fn is_of_a_value(&self) -> bool {
        match self {
            Self::Bare { .. } | Self::Data(_) => true,
            Self::Inner { message, .. } => message.starts_with(MISSING),
            Self::Serialization(_) => false,
        }
    }

    fn wrapped(&self, outer: String, middle: &str) -> ConnectError {
        match self {
            Self::Bare { class, message } => ConnectError::new(ErrorClass::Record, class, message.clone()),
            Self::Data(message) => ConnectError::data(message.clone()),
            Self::Inner { class, message } => {
                let cause = ConnectError::new(ErrorClass::Record, class, message.clone());
                ConnectError::data(outer).with_source(serialization(middle).with_source(cause))
            }
            Self::Serialization(message) => ConnectError::data(outer).with_source(serialization(message)),
        }
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

/// A `SerializationException` of what surrounds a value.
#[cold]
pub(super) fn framing(message: String) -> Box<Fault> {
    Box::new(Fault::Serialization(message))
}
