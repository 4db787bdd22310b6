//! The sink connectors of Kafka's system tests, under their Java names. They have no keys of their own.
//!
//! | connector | does |
//! |---|---|
//! | `VerifiableSinkConnector` | tells each record as JSON, and again before its position is committed |
//! | `MockSinkConnector` | takes everything; fails after `delay_ms` where `mock_mode` says |
//!
//! `mock_mode` is `task-failure` (its task fails) or `connector-failure` (the connector does, its task goes
//! on).
//!
//! Source: `org.apache.kafka.connect.tools`, Kafka 4.1.

mod mock;
#[cfg(test)]
mod tests;
mod verifiable;

use std::str::FromStr;

use lakeward_api::config::ConfigMap;
use lakeward_api::{ConnectError, ErrorClass};

pub use mock::MockSinkConnector;
pub use verifiable::VerifiableSinkConnector;

/// The whole number under `key`.
///
/// # Errors
/// `Config`, with Java's cause. Java names the source task in the message of the sink, too.
fn number<T: FromStr>(props: &ConfigMap, key: &str, message: &str) -> Result<T, ConnectError> {
    let text = props.get(key);
    text.and_then(|text| text.strip_prefix('+').unwrap_or(text).parse().ok()).ok_or_else(|| {
        let cause = match text {
            Some(text) => format!("For input string: \"{text}\" ({key})"),
            None => format!("Cannot parse null string: {key} is not set"),
        };
        let cause = ConnectError::new(ErrorClass::Config, "java.lang.NumberFormatException", cause);
        let class = "org.apache.kafka.connect.errors.ConnectException";
        ConnectError::new(ErrorClass::Config, class, message).with_source(cause)
    })
}
