//! The records of the config topic as we write them: Java's keys, member order and text.
//!
//! Source: `KafkaConfigBackingStore`, Kafka 4.1.

use std::fmt;

use lakeward_api::runtime::TaskId;
use serde_json::json;

use super::{RestartRequest, SessionKey, TargetState};
use crate::Properties;
use crate::java_json;

const SESSION_KEY: &str = "session-key";

/// One record of an internal topic. A value of `None` is a tombstone. `Debug` hides a session key.
#[derive(Clone, PartialEq, Eq)]
pub struct LogRecord {
    /// Key text.
    pub key: String,
    /// Value text.
    pub value: Option<String>,
}

impl fmt::Debug for LogRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = Some("[hidden]".to_owned());
        let value = if self.key == SESSION_KEY { &hidden } else { &self.value };
        f.debug_struct("LogRecord").field("key", &self.key).field("value", value).finish()
    }
}

impl LogRecord {
    pub(crate) fn new(key: String, value: &impl serde::Serialize) -> Self {
        Self { key, value: Some(java_json::to_text(value)) }
    }

    /// A tombstone for `key`.
    pub fn tombstone(key: impl Into<String>) -> Self {
        Self { key: key.into(), value: None }
    }
}

#[derive(serde::Serialize)]
struct PropertiesRecord<'a> {
    properties: &'a Properties,
}

/// A connector's configuration.
pub fn connector(name: &str, properties: &Properties) -> LogRecord {
    LogRecord::new(format!("connector-{name}"), &PropertiesRecord { properties })
}

/// The deletion of a connector: its configuration, then its target state. Task and commit records stay.
pub fn connector_deletion(name: &str) -> [LogRecord; 2] {
    [LogRecord::tombstone(format!("connector-{name}")), LogRecord::tombstone(format!("target-state-{name}"))]
}

/// One task's configuration; it counts only once the commit record follows.
pub fn task(id: &TaskId, properties: &Properties) -> LogRecord {
    LogRecord::new(format!("task-{id}"), &PropertiesRecord { properties })
}

/// The commit record of a task set.
pub fn commit(connector: &str, task_count: u32) -> LogRecord {
    LogRecord::new(format!("commit-{connector}"), &json!({ "tasks": task_count }))
}

/// A target state. Workers before 3.5 do not know STOPPED, so they read PAUSED.
pub fn target_state(connector: &str, state: TargetState) -> LogRecord {
    let old = if state == TargetState::Stopped { TargetState::Paused } else { state };
    LogRecord::new(
        format!("target-state-{connector}"),
        &json!({ "state": old.as_str(), "state.v2": state.as_str() }),
    )
}

/// How many tasks of a source connector were made sure of before the present ones started.
pub fn task_count(connector: &str, count: usize) -> LogRecord {
    LogRecord::new(format!("tasks-fencing-{connector}"), &json!({ "task-count": count }))
}

/// A log level for every worker.
pub fn log_level(logger: &str, level: &str) -> LogRecord {
    LogRecord::new(format!("logger-cluster-{logger}"), &json!({ "level": level }))
}

/// A request to restart a connector and its tasks.
pub fn restart(connector: &str, request: RestartRequest) -> LogRecord {
    LogRecord::new(
        format!("restart-connector-{connector}"),
        &json!({ "include-tasks": request.include_tasks, "only-failed": request.only_failed }),
    )
}

#[derive(serde::Serialize)]
struct SessionKeyRecord<'a> {
    key: &'a str,
    algorithm: &'a str,
    #[serde(rename = "creation-timestamp")]
    created_ms: i64,
}

/// The key with which workers sign requests to each other from now on.
pub fn session_key(made: &SessionKey) -> LogRecord {
    let SessionKey { key, algorithm, created_ms } = made;
    LogRecord::new(SESSION_KEY.to_owned(), &SessionKeyRecord { key, algorithm, created_ms: *created_ms })
}
