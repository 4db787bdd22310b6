//! Producer settings that Java's producer refuses, in its words: what it says decides whether a task starts.
//!
//! Owns the checks of values that are read here or that the library would refuse in other words, or not at
//! all. Source: `ProducerConfig`, `ConfigDef`, `KafkaProducer`, Kafka 4.1.

use lakeward_api::config::ConfigMap;

use crate::KafkaError;

const INTEGERS: &[(&str, Range)] = &[
    ("batch.size", Range::Int { least: 0 }),
    ("delivery.timeout.ms", Range::Int { least: 0 }),
    ("max.in.flight.requests.per.connection", Range::Int { least: 1 }),
    ("max.request.size", Range::Int { least: 0 }),
    ("receive.buffer.bytes", Range::Int { least: -1 }),
    ("request.timeout.ms", Range::Int { least: 0 }),
    ("retries", Range::Int { least: 0 }),
    ("send.buffer.bytes", Range::Int { least: -1 }),
    ("transaction.timeout.ms", Range::Int { least: i64::MIN }),
    ("buffer.memory", Range::Long { least: 0 }),
    ("connections.max.idle.ms", Range::Long { least: i64::MIN }),
    ("linger.ms", Range::Long { least: 0 }),
    ("max.block.ms", Range::Long { least: 0 }),
    ("metadata.max.age.ms", Range::Long { least: 0 }),
    ("reconnect.backoff.max.ms", Range::Long { least: 0 }),
    ("reconnect.backoff.ms", Range::Long { least: 0 }),
    ("retry.backoff.ms", Range::Long { least: 0 }),
];

/// Java's defaults, in ms.
const LINGER_MS: i64 = 5;
const REQUEST_TIMEOUT_MS: i64 = 30_000;

#[derive(Clone, Copy)]
enum Range {
    Int { least: i64 },
    Long { least: i64 },
}

/// Checks the settings of a producer.
///
/// # Errors
/// Class `Config`, for the first one that Java refuses.
pub(super) fn check(props: &ConfigMap) -> Result<(), KafkaError> {
    for (name, range) in INTEGERS {
        if let Some(text) = text(props, name) {
            integer(name, text, *range)?;
        }
    }
    one_of(props, "acks", &["all", "-1", "0", "1"], "String must be one of: ")?;
    one_of(props, "compression.type", &["none", "gzip", "snappy", "lz4", "zstd"], "String must be one of: ")?;
    let protocol = text(props, "security.protocol").map(str::to_ascii_uppercase);
    let protocols = ["SASL_SSL", "PLAINTEXT", "SSL", "SASL_PLAINTEXT"];
    if let (Some(found), Some(given)) = (protocol, text(props, "security.protocol"))
        && !protocols.contains(&found.as_str())
    {
        let list = protocols.join(", ");
        let problem = format!("String must be one of (case insensitive): {list}");
        return Err(invalid("security.protocol", given, &problem));
    }
    idempotence(props)?;
    let has_brokers = |list: &str| list.split(',').any(|broker| !broker.trim().is_empty());
    if !text(props, "bootstrap.servers").is_some_and(has_brokers) {
        let problem = "No resolvable bootstrap urls given in bootstrap.servers".to_owned();
        return Err(KafkaError::Construct { problem });
    }
    let linger = number(props, "linger.ms").unwrap_or(LINGER_MS);
    let least = linger.saturating_add(number(props, "request.timeout.ms").unwrap_or(REQUEST_TIMEOUT_MS));
    if number(props, "delivery.timeout.ms").is_some_and(|delivery| delivery < least) {
        let problem =
            "delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms".to_owned();
        return Err(KafkaError::Construct { problem });
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

/// The number under `name`, if there is one.
pub(super) fn number(props: &ConfigMap, name: &str) -> Option<i64> {
    text(props, name)?.parse().ok()
}

fn text<'a>(props: &'a ConfigMap, name: &str) -> Option<&'a str> {
    props.get(name).map(|text| text.trim())
}

fn integer(name: &str, text: &str, range: Range) -> Result<(), KafkaError> {
    let (number, kind, least) = match range {
        Range::Int { least } => (text.parse::<i32>().ok().map(i64::from), "INT", least),
        Range::Long { least } => (text.parse::<i64>().ok(), "LONG", least),
    };
    match number {
        None => Err(invalid(name, text, &format!("Not a number of type {kind}"))),
        Some(number) if number < least => {
            Err(invalid(name, text, &format!("Value must be at least {least}")))
        }
        Some(_) => Ok(()),
    }
}

fn one_of(props: &ConfigMap, name: &str, known: &[&str], problem: &str) -> Result<(), KafkaError> {
    match text(props, name) {
        Some(given) if !known.contains(&given) => {
            Err(invalid(name, given, &format!("{problem}{}", known.join(", "))))
        }
        _ => Ok(()),
    }
}

fn invalid(name: &str, value: &str, problem: &str) -> KafkaError {
    KafkaError::Config { message: format!("Invalid value {value} for configuration {name}: {problem}") }
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
