//! Why a record cannot be converted, and the exceptions Java shows for it.

use lakeward_api::{ConnectError, ErrorClass};

use super::super::registry_framing::{Words, serialization};

/// The result of conversions; the error is boxed so that the usual path moves one word.
pub(super) type Converted<T> = Result<T, Box<Fault>>;

/// Why a record cannot be converted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The bytes do not follow the schema, or a value cannot be written with it: an exception of Avro itself.
    Avro {
        /// Full Java class name.
        class: &'static str,
        /// Its message.
        message: String,
    },
    /// An exception of Avro that Java shows without a wrapper: the schema cannot be made.
    Bare {
        /// Full Java class name.
        class: &'static str,
        /// Its message.
        message: String,
    },
    /// A `DataException` of the schema mapping, shown without a wrapper.
    Data(String),
    /// A `SerializationException` of the wire format.
    Serialization(String),
}

/// The words of reading.
pub(super) const READING: Words = Words {
    failed: |topic| format!("Failed to deserialize data for topic {topic} to Avro:"),
    retry_ends: " ",
    during: "deserializing data for",
    format: "Avro",
};

/// The words of writing.
pub(super) const WRITING: Words = Words {
    failed: |topic| format!("Failed to serialize Avro data from topic {topic}:"),
    retry_ends: " ",
    during: "serializing Avro data for",
    format: "Avro",
};

impl Fault {
    /// The error of a record of `topic` with schema `id` that cannot be read.
    pub(super) fn while_reading(&self, topic: &str, id: Option<i32>) -> ConnectError {
        let id = id.map_or_else(|| "unknown".to_owned(), |id| id.to_string());
        self.wrapped((READING.failed)(topic), &format!("Error deserializing Avro message for id {id}"))
    }

    /// The error of a record of `topic` that cannot be written.
    pub(super) fn while_writing(&self, topic: &str) -> ConnectError {
        self.wrapped((WRITING.failed)(topic), "Error serializing Avro message")
    }

    fn wrapped(&self, outer: String, middle: &str) -> ConnectError {
        match self {
            Self::Bare { class, message } => ConnectError::new(ErrorClass::Record, class, message.clone()),
            Self::Data(message) => ConnectError::data(message.clone()),
            Self::Serialization(message) => ConnectError::data(outer).with_source(serialization(message)),
            Self::Avro { class, message } => {
                let cause = ConnectError::new(ErrorClass::Record, class, message.clone());
                ConnectError::data(outer).with_source(serialization(middle).with_source(cause))
            }
        }
    }
}

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
    Box::new(Fault::Avro { class: "org.apache.avro.AvroRuntimeException", message: message.into() })
}

/// The payload ends too early.
#[cold]
pub(super) fn ended() -> Box<Fault> {
    Box::new(Fault::Avro { class: "java.io.EOFException", message: "the payload ends within a value".into() })
}

/// A value or schema that Avro's type rules refuse.
#[cold]
pub(super) fn mistyped(message: impl Into<String>) -> Box<Fault> {
    Box::new(Fault::Avro { class: "org.apache.avro.AvroTypeException", message: message.into() })
}

/// A schema text that is no Avro schema.
#[cold]
pub(super) fn unparsable(message: impl Into<String>) -> Box<Fault> {
    Box::new(Fault::Avro { class: "org.apache.avro.SchemaParseException", message: message.into() })
}

/// A `SerializationException` of what surrounds a value.
#[cold]
pub(super) fn framing(message: String) -> Box<Fault> {
    Box::new(Fault::Serialization(message))
}
