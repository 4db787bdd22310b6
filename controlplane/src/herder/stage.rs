//! What the worker is doing, for health answers and time-outs.
//!
//! Source: `TemporaryStage`, `HealthCheck`, `DistributedHerder`, Kafka 4.1.

use std::time::{SystemTime, UNIX_EPOCH};

use lakeward_controlplane_core::config_log::LogRecord;
use serde_json::Value;

use super::actor::Actor;
use crate::calendar::iso_instant;
use crate::store::{Barrier, StoreError};

/// Where the worker is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Started, and its herder does something that may take long; the text completes "the worker is currently
    /// …".
    Busy {
        /// What it does.
        doing: String,
        /// Since when, ms since the epoch.
        since_ms: i64,
    },
    /// Requests are answered.
    Ready,
    /// Not yet; the text completes "the worker is currently …".
    Starting {
        /// What it does.
        doing: &'static str,
        /// Since when, ms since the epoch.
        since_ms: i64,
    },
    /// It is shutting down.
    Stopping,
    /// Started, but it waits for others; the text completes "the worker is currently …".
    Waiting {
        /// What it does.
        doing: &'static str,
        /// Since when, ms since the epoch.
        since_ms: i64,
    },
}

impl Stage {
    /// A start-up stage that begins now.
    pub(crate) fn starting(doing: &'static str) -> Self {
        Self::Starting { doing, since_ms: now_ms() }
    }

    /// A started worker that waits for its group, from now on.
    pub(crate) fn outside_its_group() -> Self {
        Self::Waiting { doing: "ensuring membership in the cluster", since_ms: now_ms() }
    }

    /// The sentence about what goes on; empty when ready.
    pub(crate) fn summary(&self) -> String {
        match self {
            Self::Ready => String::new(),
            Self::Busy { doing, since_ms } => current(doing, *since_ms),
            Self::Starting { doing, since_ms } | Self::Waiting { doing, since_ms } => {
                current(doing, *since_ms)
            }
            Self::Stopping => "The worker is currently shutting down.".to_owned(),
        }
    }
}

impl Actor {
    /// Writes what only the leader may write; meanwhile health checks and time-outs say so.
    pub(super) async fn write(&self, records: Vec<LogRecord>) -> Result<(), StoreError> {
        let busy = Stage::Busy { doing: writing(&records), since_ms: now_ms() };
        self.turn_to(&Stage::Ready, busy.clone());
        let written = self.store.write_config(records, Barrier::ReadBack).await;
        self.turn_to(&busy, Stage::Ready);
        written
    }

    /// Changes the stage unless it became another one meanwhile.
    fn turn_to(&self, from: &Stage, to: Stage) {
        self.stage.send_if_modified(|stage| {
            let is_from = stage == from;
            if is_from {
                *stage = to;
            }
            is_from
        });
    }
}

fn current(doing: &str, since_ms: i64) -> String {
    format!("The worker is currently {doing}, which began at {}.", iso_instant(since_ms))
}

/// What a leader does while it writes `records`.
pub(super) fn writing(records: &[LogRecord]) -> String {
    // A target state comes with a configuration, or stops a connector.
    let is_about = |record: &&LogRecord| !record.key.starts_with("target-state-");
    let Some(record) = records.iter().find(is_about).or(records.first()) else { return String::new() };
    let kinds = [
        ("target-state-", "writing the STOPPED target stage"),
        ("connector-", if record.value.is_some() { "writing a config" } else { "removing the config" }),
        ("tasks-fencing-", "writing a task count record"),
        ("restart-connector-", "writing restart request"),
    ];
    let kind = kinds.iter().find_map(|(key, doing)| Some((record.key.strip_prefix(key)?, *doing)));
    match kind {
        Some((name, doing)) if doing.starts_with("removing") => {
            format!("{doing} for connector {name} from the config topic")
        }
        Some((name, doing)) => format!("{doing} for connector {name} to the config topic"),
        None if record.key == "session-key" => "writing a new session key to the config topic".to_owned(),
        None => {
            let name = match record.key.strip_prefix("task-").and_then(|task| task.rsplit_once('-')) {
                Some((name, _)) => name,
                None => record.key.strip_prefix("commit-").unwrap_or_default(),
            };
            format!("writing {} task configs for connector {name} to the config topic", task_count(records))
        }
    }
}

/// How many tasks a set has: by its commit, which comes alone, or by its records.
fn task_count(records: &[LogRecord]) -> u64 {
    let commit = records.iter().find(|record| record.key.starts_with("commit-"));
    let commit: Option<Value> = commit.and_then(|commit| serde_json::from_str(commit.value.as_deref()?).ok());
    commit.and_then(|commit| commit["tasks"].as_u64()).unwrap_or(records.len() as u64)
}

/// Wall clock, ms since the epoch.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
