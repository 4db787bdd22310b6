//! Why a record cannot be converted, and the exceptions Java shows for it.
//!
//! Source: the three converters' `catch` blocks, `AbstractKafkaSchemaSerDe#toKafkaException`.

use std::sync::Arc;

use lakeward_api::{ConnectError, ErrorClass};

/// The result of conversions; the error is boxed so that the usual path moves one word.
pub(in super::super) type Converted<T> = Result<T, Box<Fault>>;

/// Why a record cannot be converted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Fault {
    /// An exception that Java shows without a wrapper.
    Bare {
        /// Full Java class name.
        class: &'static str,
        /// Its message.
        message: String,
    },
    /// A `SerializationException` with a cause, inside another one: a value that is not what its schema
    /// allows.
    Caused {
        /// The message of the inner `SerializationException`.
        message: String,
        /// Full Java class name of its cause.
        cause: &'static str,
        /// The message of the cause.
        why: String,
    },
    /// A `DataException` of the mapping, shown without a wrapper.
    Data(String),
    /// An exception that ends the task whatever it tolerates.
    Fatal {
        /// Full Java class name.
        class: &'static str,
        /// Its message.
        message: String,
    },
    /// An exception inside a `SerializationException`: bytes or a schema text that are broken.
    Inner {
        /// Full Java class name.
        class: &'static str,
        /// Its message.
        message: String,
    },
    /// A `SerializationException` of the wire format.
    Serialization(String),
}

/// How a converter words its failures in one direction.
#[derive(Clone, Copy)]
pub(in super::super) struct Words {
    /// `Failed to … topic t …:`
    pub(in super::super) failed: fn(&str) -> String,
    /// What `failed` ends with when a retry may help.
    pub(in super::super) retry_ends: &'static str,
    /// `Error serializing Protobuf message`.
    pub(in super::super) one: &'static str,
    /// `serializing Protobuf data for`, before `topic t`.
    pub(in super::super) during: &'static str,
    /// `Protobuf`.
    pub(in super::super) format: &'static str,
}

impl Fault {
    /// The error of a record of `topic` with schema `id` that cannot be read.
    pub(in super::super) fn while_reading(
        &self,
        words: Words,
        topic: &str,
        id: Option<&str>,
    ) -> ConnectError {
        self.wrapped((words.failed)(topic), || format!("{} for id {}", words.one, id.unwrap_or("unknown")))
    }

    /// The error of a record of `topic` that cannot be written.
    pub(in super::super) fn while_writing(&self, words: Words, topic: &str) -> ConnectError {
        self.wrapped((words.failed)(topic), || words.one.to_owned())
    }

    fn wrapped(&self, outer: String, middle: impl FnOnce() -> String) -> ConnectError {
        match self {
            Self::Bare { class, message } => ConnectError::new(ErrorClass::Record, class, message.clone()),
            Self::Caused { message, cause, why } => {
                let cause = ConnectError::new(ErrorClass::Record, cause, why.clone());
                let inner = serialization(message).with_source(cause);
                ConnectError::data(outer).with_source(serialization(&middle()).with_source(inner))
            }
            Self::Data(message) => ConnectError::data(message.clone()),
            Self::Fatal { class, message } => ConnectError::new(ErrorClass::Fatal, class, message.clone()),
            Self::Inner { class, message } => {
                let cause = ConnectError::new(ErrorClass::Record, class, message.clone());
                ConnectError::data(outer).with_source(serialization(&middle()).with_source(cause))
            }
            Self::Serialization(message) => ConnectError::data(outer).with_source(serialization(message)),
        }
    }
}

/// The error of every record of `topic` that needs a schema which the registry refused with `cause`; `middle`
/// is the message of the `SerializationException` in between.
pub(super) fn refused(cause: &Arc<ConnectError>, topic: &str, words: Words, middle: &str) -> ConnectError {
    let failed = (words.failed)(topic);
    let class = cause.java_class();
    let rest = || ConnectError::new(cause.class(), REST_CLIENT, cause.to_string());
    match cause.class() {
        ErrorClass::Retriable => {
            let middle = ConnectError::new(ErrorClass::Retriable, TIMEOUT, middle).with_source(rest());
            ConnectError::retriable(failed + words.retry_ends).with_source(middle)
        }
        ErrorClass::Config => {
            let format = words.format;
            ConnectError::config(format!("Failed to access {format} data from topic {topic} : {cause}"))
        }
        ErrorClass::Record if class == NETWORK => {
            let during = words.during;
            let message = format!("Network connection error while {during} topic {topic}: {cause}");
            ConnectError::new(ErrorClass::Record, NETWORK, message)
        }
        // Not a serialization error for Java, so it passes the converter as it is.
        ErrorClass::Record if class.starts_with("org.apache.kafka.common.errors.") => {
            ConnectError::new(ErrorClass::Record, class, middle).with_source(rest())
        }
        ErrorClass::Record => {
            let inner = ConnectError::new(ErrorClass::Record, class, cause.to_string());
            ConnectError::data(failed).with_source(serialization(middle).with_source(inner))
        }
        other => ConnectError::new(other, class, cause.to_string()),
    }
}

/// The same error once more: rows that share a cause each have their own.
pub(super) fn again(error: &ConnectError) -> ConnectError {
    let copy = ConnectError::new(error.class(), error.java_class(), error.to_string());
    match std::error::Error::source(error).and_then(|source| source.downcast_ref::<ConnectError>()) {
        Some(source) => copy.with_source(again(source)),
        None => copy,
    }
}

fn serialization(message: &str) -> ConnectError {
    ConnectError::new(ErrorClass::Record, SERIALIZATION, message)
}

/// What an answer that cannot be used is in Java, and a schema that does not fit.
pub(super) const NOT_REST: &str = "java.io.IOException";
/// What Java raises when there is no token for the registry.
pub(super) const TOKEN: &str = "io.confluent.kafka.schemaregistry.client.security.bearerauth.oauth.exceptions\
                                .SchemaRegistryOauthTokenRetrieverException";
/// What Java raises for broken framing.
pub(in super::super) const SERIALIZATION: &str = "org.apache.kafka.common.errors.SerializationException";
const NETWORK: &str = "org.apache.kafka.common.errors.NetworkException";
const REST_CLIENT: &str = "io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException";
const TIMEOUT: &str = "org.apache.kafka.common.errors.TimeoutException";
