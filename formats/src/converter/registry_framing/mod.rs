//! What the converters of a schema registry share: the bytes in front of a value, subjects, what is
//! known about schemas, and what a refusal of the registry is for Kafka Connect.
//!
//! Source: `PrefixSchemaIdSerializer`, `DualSchemaIdDeserializer`,
//! `AbstractKafkaSchemaSerDe#toKafkaException`.

#[cfg(test)]
pub(super) mod dump;
mod readers;
mod subjects;
mod writers;

use std::sync::Arc;

use lakeward_api::batch::Values;
use lakeward_api::converter::{Converter, Decoded, Encoded};
use lakeward_api::{ConnectError, ErrorClass};

pub(super) use readers::{Readers, Slot, poll_schema};
pub(super) use subjects::{Rules, Subjects};
pub(super) use writers::{Known, Made, State, Writers};

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
    /// What `failed` ends with when a retry may help.
    pub(super) retry_ends: &'static str,
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

/// A `SerializationException`.
pub(super) fn serialization(message: &str) -> ConnectError {
    ConnectError::new(ErrorClass::Record, "org.apache.kafka.common.errors.SerializationException", message)
}

/// A converter whose settings are right, made where there is no network: it converts nothing.
pub(super) struct Unconnected {
    /// `Protobuf`.
    pub(super) format: &'static str,
}

impl Unconnected {
    fn error(&self) -> ConnectError {
        ConnectError::fatal(format!("The {} converter was made without a network", self.format))
    }
}

impl Converter for Unconnected {
    fn decode(&mut self, _topic: &str, _payloads: &[Option<&[u8]>]) -> Result<Decoded, ConnectError> {
        Err(self.error())
    }

    fn encode(&mut self, _topic: &str, _values: &Values) -> Result<Encoded, ConnectError> {
        Err(self.error())
    }
}

const MAGIC_ID: u8 = 0;
const MAGIC_GUID: u8 = 1;
const NETWORK: &str = "org.apache.kafka.common.errors.NetworkException";
const REST_CLIENT: &str = "io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException";
const TIMEOUT: &str = "org.apache.kafka.common.errors.TimeoutException";
