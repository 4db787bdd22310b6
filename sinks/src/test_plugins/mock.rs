//! `MockSinkConnector`: takes every record and forgets it; fails when it is told to.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use lakeward_api::batch::SinkBatch;
use lakeward_api::config::{ConfigDef, ConfigMap};
use lakeward_api::plugin::{LaterFailure, SinkConnector};
use lakeward_api::record::{Position, TopicPartition};
use lakeward_api::sink::{Now, SinkTask, SinkTaskContext};
use lakeward_api::{ConnectError, ErrorClass};

use super::number;
use crate::KAFKA_VERSION;

const DEFAULT_DELAY_MS: u64 = 15_000;

/// `org.apache.kafka.connect.tools.MockSinkConnector`.
#[derive(Clone, Copy, Debug, Default)]
pub struct MockSinkConnector;

impl SinkConnector for MockSinkConnector {
    fn class(&self) -> &'static str {
        "org.apache.kafka.connect.tools.MockSinkConnector"
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

    fn new_task(&self, context: SinkTaskContext) -> Result<Box<dyn SinkTask>, ConnectError> {
        let fails = context.config.get("mock_mode").is_some_and(|mode| mode == "task-failure");
        let delay = match context.config.contains_key("delay_ms") {
            true if fails => number(&context.config, "delay_ms", "Invalid MockSinkTask configuration")?,
            _ => DEFAULT_DELAY_MS,
        };
        let delay = fails.then(|| Duration::from_millis(delay));
        Ok(Box::new(MockSinkTask { delay, start: None, durable: BTreeMap::new() }))
    }
}

struct MockSinkTask {
    /// When to fail, from the first call on. The pipeline calls at least once a second.
    delay: Option<Duration>,
    start: Option<Instant>,
    durable: BTreeMap<TopicPartition, i64>,
}

impl MockSinkTask {
    fn check(&mut self, now: Now) -> Result<(), ConnectError> {
        let start = *self.start.get_or_insert(now.monotonic);
        let passed = now.monotonic.saturating_duration_since(start);
        if self.delay.is_some_and(|delay| passed > delay) {
            let message = "mock_mode=task-failure: the task fails because it was told to";
            return Err(ConnectError::new(ErrorClass::Fatal, "java.lang.RuntimeException", message));
        }
        Ok(())
    }
}

impl SinkTask for MockSinkTask {
    fn open(&mut self, _partitions: &[TopicPartition]) -> Result<(), ConnectError> {
        Ok(())
    }

    fn put(&mut self, batch: SinkBatch, now: Now) -> Result<(), ConnectError> {
        self.check(now)?;
        if let Some(last) = batch.offsets.last() {
            self.durable.insert(batch.partition, last + 1);
        }
        Ok(())
    }

    fn passed(&mut self, position: &Position) {
        self.durable.insert(position.partition.clone(), position.next_offset);
    }

    fn poll(&mut self, now: Now) -> Result<(), ConnectError> {
        self.check(now)
    }

    fn take_durable(&mut self, out: &mut Vec<Position>) {
        let durable = std::mem::take(&mut self.durable);
        out.extend(durable.into_iter().map(|(partition, next_offset)| Position { partition, next_offset }));
    }

    fn close(&mut self, _partitions: &[TopicPartition]) {}

    fn is_settled(&self, _partitions: &[TopicPartition]) -> bool {
        true
    }

    fn buffered_bytes(&self) -> u64 {
        0
    }

    fn stop(&mut self) {}
}
