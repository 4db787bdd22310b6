//! Producer settings that Java's producer refuses, in its words: what it says decides whether a task starts.
//!
//! Owns the checks of values that are read here or that the library would refuse in other words, or not at
//! all. Source: `ProducerConfig`, `ConfigDef`, `KafkaProducer`, Kafka 4.1.

use lakeward_api::config::ConfigMap;

use crate::KafkaError;
use crate::client_check::{self, ANY, Law, number, servers, text};

const LAWS: &[(&str, Law)] = &[
    ("batch.size", Law::Int(0)),
    ("delivery.timeout.ms", Law::Int(0)),
    ("max.in.flight.requests.per.connection", Law::Int(1)),
    ("max.request.size", Law::Int(0)),
    ("receive.buffer.bytes", Law::Int(-1)),
    ("request.timeout.ms", Law::Int(0)),
    ("retries", Law::Int(0)),
    ("send.buffer.bytes", Law::Int(-1)),
    ("transaction.timeout.ms", Law::Int(ANY)),
    ("buffer.memory", Law::Long(0)),
    ("connections.max.idle.ms", Law::Long(ANY)),
    ("linger.ms", Law::Long(0)),
    ("max.block.ms", Law::Long(0)),
    ("metadata.max.age.ms", Law::Long(0)),
    ("reconnect.backoff.max.ms", Law::Long(0)),
    ("reconnect.backoff.ms", Law::Long(0)),
    ("retry.backoff.ms", Law::Long(0)),
    ("acks", Law::OneOf(&["all", "-1", "0", "1"])),
    ("compression.type", Law::OneOf(&["none", "gzip", "snappy", "lz4", "zstd"])),
    ("security.protocol", Law::OneOfInAnyCase(client_check::PROTOCOLS)),
];

/// Java's defaults, in ms.
const LINGER_MS: i64 = 5;
const REQUEST_TIMEOUT_MS: i64 = 30_000;

/// Checks the settings of a producer.
///
/// # Errors
/// Class `Config`, for the first one that Java refuses.
pub(super) fn check(props: &ConfigMap) -> Result<(), KafkaError> {
    for (name, law) in LAWS.iter().chain(client_check::SASL) {
        law.check(props, name)?;
    }
    idempotence(props)?;
    servers(props, "producer")?;
    let linger = number(props, "linger.ms").unwrap_or(LINGER_MS);
    let least = linger.saturating_add(number(props, "request.timeout.ms").unwrap_or(REQUEST_TIMEOUT_MS));
    if number(props, "delivery.timeout.ms").is_some_and(|delivery| delivery < least) {
        let problem = "delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms";
        return Err(KafkaError::construct("producer", problem));
    }
    Ok(())
}

fn idempotence(props: &ConfigMap) -> Result<(), KafkaError> {
    let is_on = text(props, "enable.idempotence").is_some_and(|flag| flag.eq_ignore_ascii_case("true"));
    if !is_on {
        return Ok(());
    }
    let problem = if number(props, "retries") == Some(0) {
        "Must set retries to non-zero when using the idempotent producer."
    } else if text(props, "acks").is_some_and(|acks| !["all", "-1"].contains(&acks)) {
        "Must set acks to all in order to use the idempotent producer. Otherwise we cannot guarantee \
         idempotence."
    } else if number(props, "max.in.flight.requests.per.connection").is_some_and(|count| count > 5) {
        "Must set max.in.flight.requests.per.connection to at most 5 to use the idempotent producer."
    } else {
        return Ok(());
    };
    Err(KafkaError::Config { message: problem.to_owned() })
}

#[cfg(test)]
mod tests {
    use lakeward_api::{ConnectError, ErrorClass};

    use super::*;

    /// The failure of a producer with these settings beside the usual ones.
    fn refused(more: &[(&str, &str)]) -> Option<String> {
        let base = [("bootstrap.servers", "b:9092"), ("acks", "all"), ("delivery.timeout.ms", "2147483647")];
        let pairs = base.iter().chain(more);
        let props = pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let error: ConnectError = check(&props).err()?.into();
        assert_eq!(error.class(), ErrorClass::Config);
        Some(error.trace().trim_end().to_owned())
    }

    #[test]
    fn the_usual_settings_pass() {
        assert_eq!(refused(&[]), None);
        let tuned = [("linger.ms", " 100 "), ("compression.type", "zstd"), ("enable.idempotence", "true")];
        assert_eq!(refused(&tuned), None);
    }

    /// Texts of Kafka 4.1.
    #[test]
    fn what_java_refuses_is_refused_in_its_words() {
        let config = "org.apache.kafka.common.config.ConfigException: ";
        let construct = "org.apache.kafka.common.KafkaException: Failed to construct kafka producer\nCaused \
                         by: org.apache.kafka.common.config.ConfigException: ";
        for (name, value, start, text) in [
            (
                "acks",
                "5",
                config,
                "Invalid value 5 for configuration acks: String must be one of: all, -1, 0, 1",
            ),
            (
                "batch.size",
                "abc",
                config,
                "Invalid value abc for configuration batch.size: Not a number of type INT",
            ),
            (
                "compression.type",
                "foo",
                config,
                "Invalid value foo for configuration compression.type: String must be one of: none, gzip, \
                 snappy, lz4, zstd",
            ),
            (
                "max.in.flight.requests.per.connection",
                "0",
                config,
                "Invalid value 0 for configuration max.in.flight.requests.per.connection: Value must be at \
                 least 1",
            ),
            (
                "security.protocol",
                "FOO",
                config,
                "Invalid value FOO for configuration security.protocol: String must be one of (case \
                 insensitive): SASL_SSL, PLAINTEXT, SSL, SASL_PLAINTEXT",
            ),
            ("bootstrap.servers", "", construct, "No resolvable bootstrap urls given in bootstrap.servers"),
            (
                "delivery.timeout.ms",
                "1000",
                construct,
                "delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms",
            ),
        ] {
            assert_eq!(refused(&[(name, value)]), Some(format!("{start}{text}")));
        }
        let weak = refused(&[("enable.idempotence", "true"), ("acks", "1")]).unwrap();
        assert!(weak.contains("Must set acks to all in order to use the idempotent producer."), "{weak}");
    }
}
