//! What a registry refused, as the exceptions Java's converter makes of it.
//!
//! Source: `AvroConverter#toConnectData`, `AbstractKafkaSchemaSerDe#toKafkaException`.

use std::sync::Arc;

use lakeward_api::{ConnectError, ErrorClass};

use super::fault::serialization;

/// What was being done.
#[derive(Clone, Copy)]
pub(super) enum Doing<'a> {
    /// Reading a schema: `key` or `value`, and the id.
    Reading { side: &'a str, id: i32 },
    /// Writing with a schema.
    Writing,
}

/// The error of every record of `topic` that needs the schema.
pub(super) fn refused(cause: &Arc<ConnectError>, topic: &str, doing: Doing<'_>) -> ConnectError {
    let (during, failed, middle) = match doing {
        Doing::Reading { side, id } => (
            "deserializing data for",
            format!("Failed to deserialize data for topic {topic} to Avro:"),
            format!("Error retrieving Avro {side} schema for id {id}"),
        ),
        Doing::Writing => (
            "serializing Avro data for",
            format!("Failed to serialize Avro data from topic {topic}:"),
            "Error registering or retrieving the Avro schema".to_owned(),
        ),
    };
    let class = cause.java_class();
    let rest = || ConnectError::new(cause.class(), REST_CLIENT, cause.to_string());
    match cause.class() {
        ErrorClass::Retriable => {
            let middle = ConnectError::new(ErrorClass::Retriable, TIMEOUT, middle).with_source(rest());
            ConnectError::retriable(format!("{} ", failed.trim_end())).with_source(middle)
        }
        ErrorClass::Config => {
            ConnectError::config(format!("Failed to access Avro data from topic {topic} : {cause}"))
        }
        ErrorClass::Record if class == NETWORK => {
            let message = format!("Network connection error while {during} topic {topic}: {cause}");
            ConnectError::new(ErrorClass::Record, NETWORK, message)
        }
        // Not a serialization error for Java, so it passes the converter as it is.
        ErrorClass::Record if class.starts_with("org.apache.kafka.common.errors.") => {
            ConnectError::new(ErrorClass::Record, class, middle).with_source(rest())
        }
        ErrorClass::Record => {
            let inner = ConnectError::new(ErrorClass::Record, class, cause.to_string());
            ConnectError::data(failed).with_source(serialization(&middle).with_source(inner))
        }
        other => ConnectError::new(other, class, cause.to_string()),
    }
}

const NETWORK: &str = "org.apache.kafka.common.errors.NetworkException";
const REST_CLIENT: &str = "io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException";
const TIMEOUT: &str = "org.apache.kafka.common.errors.TimeoutException";
