//! `MockSourceConnector`: no records; its task or the connector itself fails when it is told to.

use std::time::{Duration, Instant};

use lakeward_api::config::{ConfigDef, ConfigMap};
use lakeward_api::plugin::LaterFailure;
use lakeward_api::sink::Now;
use lakeward_api::source::{Polled, SourceConnector, SourceTask, SourceTaskContext};
use lakeward_api::{ConnectError, ErrorClass};

use super::number;
use crate::KAFKA_VERSION;

const DEFAULT_DELAY_MS: u64 = 15_000;

/// `org.apache.kafka.connect.tools.MockSourceConnector`.
#[derive(Clone, Copy, Debug, Default)]
pub struct MockSourceConnector;

impl SourceConnector for MockSourceConnector {
    fn class(&self) -> &'static str {
        "org.apache.kafka.connect.tools.MockSourceConnector"
    }

    fn version(&self) -> &str {
        KAFKA_VERSION
    }

    fn config_def(&self) -> ConfigDef {
        ConfigDef::default()
    }

    fn start(&self, props: &ConfigMap) -> Result<Option<LaterFailure>, ConnectError> {
        if props.get("mock_mode").is_none_or(|mode| mode != "connector-failure") {
            return Ok(None);
        }
        let delay = match props.get("delay_ms") {
            Some(text) => text.strip_prefix('+').unwrap_or(text).parse::<i64>().map_err(|_| {
                let message = format!("For input string: \"{text}\"");
                ConnectError::new(ErrorClass::Config, "java.lang.NumberFormatException", message)
            })?,
            None => i64::try_from(DEFAULT_DELAY_MS).unwrap_or(i64::MAX),
        };
        let message = "mock_mode=connector-failure: the connector fails because it was told to";
        Ok(Some(LaterFailure {
            // A time that has passed is now.
            after: Duration::from_millis(u64::try_from(delay).unwrap_or(0)),
            error: ConnectError::new(ErrorClass::Fatal, "java.lang.RuntimeException", message),
        }))
    }

    fn task_configs(&self, props: &ConfigMap, _tasks_max: u32) -> Result<Vec<ConfigMap>, ConnectError> {
        Ok(vec![props.clone()])
    }

    fn new_task(&self, context: SourceTaskContext) -> Result<Box<dyn SourceTask>, ConnectError> {
        let fails = context.config.get("mock_mode").is_some_and(|mode| mode == "task-failure");
        let delay = match context.config.contains_key("delay_ms") {
            true if fails => number(&context.config, "delay_ms", "MockSourceTask")?,
            _ => DEFAULT_DELAY_MS,
        };
        Ok(Box::new(MockSourceTask { delay: fails.then(|| Duration::from_millis(delay)), start: None }))
    }
}

struct MockSourceTask {
    /// When to fail, from the first poll on.
    delay: Option<Duration>,
    start: Option<Instant>,
}

impl SourceTask for MockSourceTask {
    fn poll(&mut self, now: Now) -> Result<Polled, ConnectError> {
        let start = *self.start.get_or_insert(now.monotonic);
        let Some(delay) = self.delay else { return Ok(Polled::Idle { until: None }) };
        if now.monotonic.saturating_duration_since(start) > delay {
            let message = "mock_mode=task-failure: the task fails because it was told to";
            return Err(ConnectError::new(ErrorClass::Fatal, "java.lang.RuntimeException", message));
        }
        Ok(Polled::Idle { until: start.checked_add(delay + Duration::from_millis(1)) })
    }

    fn stop(&mut self) {}
}
