//! Why a record cannot be converted, and the exceptions Java shows for it.

use lakeward_api::{ConnectError, ErrorClass};

use super::super::registry_framing::{Words, serialization};
use crate::FormatError;

/// The result of conversions; the error is boxed so that the usual path moves one word.
pub(super) type Converted<T> = Result<T, Box<Fault>>;

/// Why a record cannot be converted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// An exception that Java shows without a wrapper: the schema cannot be mapped.
    Bare {
        /// Full Java class name.
        class: &'static str,
        /// Its message.
        message: String,
    },
    /// A `DataException` of the mapping, shown without a wrapper.
    Data(String),
    /// A `SerializationException`: framing, or text that is not JSON.
    Serialization(String),
}

impl Fault {
    /// The error of a record of `topic` with schema `id` that cannot be read.
    pub(super) fn while_reading(&self, topic: &str, id: Option<i32>) -> ConnectError {
        let id = id.map_or_else(|| "unknown".to_owned(), |id| id.to_string());
        self.wrapped((READING.failed)(topic), &format!("Error deserializing JSON message for id {id}"))
    }

    /// The error of a record of `topic` that cannot be written.
    pub(super) fn while_writing(&self, topic: &str) -> ConnectError {
        self.wrapped((WRITING.failed)(topic), "Error serializing JSON message")
    }

    fn wrapped(&self, outer: String, middle: &str) -> ConnectError {
        match self {
            Self::Bare { class, message } => ConnectError::new(ErrorClass::Record, class, message.clone()),
            Self::Data(message) => ConnectError::data(message.clone()),
            Self::Serialization(message) => {
                let cause = serialization(middle).with_source(serialization(message));
                ConnectError::data(outer).with_source(cause)
            }
        }
    }
}

impl From<FormatError> for Box<Fault> {
    #[cold]
    fn from(error: FormatError) -> Self {
        let message = error.to_string();
        Self::new(match error {
            FormatError::SchemaBuilder { .. } => Fault::Bare { class: BUILDER, message },
            FormatError::Syntax { .. } => Fault::Serialization(message),
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

/// A `SerializationException` of what surrounds a value.
#[cold]
pub(super) fn framing(message: String) -> Box<Fault> {
    Box::new(Fault::Serialization(message))
}
