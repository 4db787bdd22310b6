//! What the converters of a schema registry share: the bytes in front of a value, subjects, and what a
//! refusal of the registry is for Kafka Connect.
//!
//! Source: `PrefixSchemaIdSerializer`, `DualSchemaIdDeserializer`,
//! `AbstractKafkaSchemaSerDe#toKafkaException`.

use std::sync::Arc;

use lakeward_api::{ConnectError, ErrorClass};

/// The schema id of a payload and what follows it.
///
/// # Errors
/// The message of Java's `SerializationException`.
#[inline]
pub(super) fn split(payload: &[u8]) -> Result<(i32, &[u8]), String> {
    match payload.split_first_chunk::<5>() {
        Some(([MAGIC_ID, a, b, c, d], value)) => Ok((i32::from_be_bytes([*a, *b, *c, *d]), value)),
        _ => Err(unsplit(payload)),
    }
}

#[cold]
fn unsplit(payload: &[u8]) -> String {
    match payload.first() {
        Some(&MAGIC_ID) => "The payload is shorter than a schema id".to_owned(),
        Some(&MAGIC_GUID) => "Schemas are found by id only: the payload names its schema by GUID".to_owned(),
        _ => "Unknown magic byte!".to_owned(),
    }
}

/// Appends the prefix of a value of schema `id`.
#[inline]
pub(super) fn write(id: i32, out: &mut Vec<u8>) {
    out.push(MAGIC_ID);
    out.extend_from_slice(&id.to_be_bytes());
}

/// How a converter words its failures.
#[derive(Clone, Copy)]
pub(super) struct Words {
    /// `Failed to … topic t …:`
    pub(super) failed: fn(&str) -> String,
    /// `serializing Protobuf data for`, before `topic t`.
    pub(super) during: &'static str,
    /// `Protobuf`.
    pub(super) format: &'static str,
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
            ConnectError::retriable(failed).with_source(middle)
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

/// A `SerializationException`.
pub(super) fn serialization(message: &str) -> ConnectError {
    ConnectError::new(ErrorClass::Record, "org.apache.kafka.common.errors.SerializationException", message)
}

const MAGIC_ID: u8 = 0;
const MAGIC_GUID: u8 = 1;
const NETWORK: &str = "org.apache.kafka.common.errors.NetworkException";
const REST_CLIENT: &str = "io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException";
const TIMEOUT: &str = "org.apache.kafka.common.errors.TimeoutException";
