//! The source connectors of Kafka's system tests, under their Java names. They have no keys of their own: a
//! wrong setting fails the task.
//!
//! | connector | does |
//! |---|---|
//! | `VerifiableSourceConnector` | counts at `throughput` records per second, tells each as JSON |
//! | `SchemaSourceConnector` | `num.messages` structs of fixed content, of one or two schema versions |
//! | `MockSourceConnector` | fails after `delay_ms` where `mock_mode` says |
//!
//! `mock_mode` is `task-failure` (its task fails) or `connector-failure` (the connector does, its task goes
//! on).
//!
//! Source: `org.apache.kafka.connect.tools`, Kafka 4.1.

mod mock;
mod schema;
#[cfg(test)]
mod tests;
mod throttle;
mod verifiable;

use lakeward_api::config::ConfigMap;
use lakeward_api::value::Value;
use lakeward_api::{ConnectError, ErrorClass};

pub use mock::MockSourceConnector;
pub use schema::SchemaSourceConnector;
pub use verifiable::VerifiableSourceConnector;

use crate::position;

/// Records of one poll at most.
const ROWS_MAX: usize = 500;

/// `props` for each of `tasks_max` tasks, numbered under `id`.
fn numbered(props: &ConfigMap, tasks_max: u32) -> Vec<ConfigMap> {
    let numbered = |task: u32| {
        let mut props = props.clone();
        props.insert("id".to_owned(), task.to_string());
        props
    };
    (0..tasks_max).map(numbered).collect()
}

/// The whole number under `key`.
///
/// # Errors
/// `Config`, in the words of Java's `Invalid … configuration`.
fn number<T: std::str::FromStr>(props: &ConfigMap, key: &str, task: &str) -> Result<T, ConnectError> {
    let text = props.get(key);
    text.and_then(|text| text.strip_prefix('+').unwrap_or(text).parse().ok()).ok_or_else(|| {
        let cause = match text {
            Some(text) => format!("For input string: \"{text}\" ({key})"),
            None => format!("Cannot parse null string: {key} is not set"),
        };
        let cause = ConnectError::new(ErrorClass::Config, "java.lang.NumberFormatException", cause);
        let class = "org.apache.kafka.connect.errors.ConnectException";
        ConnectError::new(ErrorClass::Config, class, format!("Invalid {task} configuration"))
            .with_source(cause)
    })
}

/// The number of the first record after those of earlier runs.
fn next_number(stored: Option<&Value>) -> Result<i64, ConnectError> {
    let Some(stored) = stored else { return Ok(0) };
    position::long(stored, "seqno")
        .and_then(|last| last.checked_add(1))
        .ok_or_else(|| ConnectError::fatal("The stored offset has no whole number under 'seqno'; reset it"))
}
