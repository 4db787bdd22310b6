//! The config topic: its records folded into the state of the cluster, and the records we write to it.
//!
//! Owns the rules of reading: deferred tasks and their commit, inconsistent connectors, unknown kinds. Junk
//! is skipped and counted; nothing here panics on input.
//!
//! Source: `KafkaConfigBackingStore`, `ClusterConfigState`, Kafka 4.1.

mod apply;
pub mod records;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Properties;
pub use records::LogRecord;

/// What a user wants a connector to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TargetState {
    /// Keep everything assigned, move no records.
    Paused,
    /// Run.
    #[default]
    Started,
    /// No tasks at all.
    Stopped,
}

impl TargetState {
    /// The text of the config topic.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Paused => "PAUSED",
            Self::Started => "STARTED",
            Self::Stopped => "STOPPED",
        }
    }

    /// Reads the text of the config topic.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "PAUSED" => Some(Self::Paused),
            "STARTED" => Some(Self::Started),
            "STOPPED" => Some(Self::Stopped),
            _ => None,
        }
    }
}

/// A request to restart a connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartRequest {
    /// Restart tasks, too.
    pub include_tasks: bool,
    /// Only what is FAILED.
    pub only_failed: bool,
}

impl RestartRequest {
    /// Rank among concurrent requests: the highest is kept.
    pub fn impact(self) -> u8 {
        match (self.only_failed, self.include_tasks) {
            (true, false) => 0,
            (true, true) => 1,
            (false, false) => 2,
            (false, true) => 3,
        }
    }
}

/// What one record changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigChange {
    /// A connector's configuration is gone.
    ConnectorRemoved(Arc<str>),
    /// A connector has a new configuration.
    ConnectorUpdated(Arc<str>),
    /// A log level for every worker that runs now.
    LogLevel {
        /// Java logger name.
        logger: Arc<str>,
        /// Java's name of the level.
        level: String,
    },
    /// Nothing that anyone acts on.
    Nothing,
    /// A restart was requested; see [`ClusterState::take_restarts`].
    Restart(Arc<str>),
    /// The record was not understood.
    Skipped(SkipReason),
    /// A connector's target state changed.
    TargetState(Arc<str>),
    /// A connector's task set was committed (or found incomplete).
    Tasks(Arc<str>),
}

/// Why a record was not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SkipReason {
    /// The value does not have the shape of its kind, or is a tombstone where none is meant.
    BadValue,
    /// No key, or not UTF-8.
    NoKey,
    /// The key is of no kind we know.
    UnknownKind,
}

/// The committed task set of a connector.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskSet {
    /// Task configurations by number, without gaps.
    pub tasks: BTreeMap<u32, Properties>,
    /// Offset of the commit record: changes whenever the set was written again.
    pub revision: i64,
}

/// What the config topic says about one name. Parts arrive in any order.
#[derive(Clone, Debug, Default)]
struct Entry {
    config: Option<Configured>,
    target: Option<TargetState>,
    deferred: BTreeMap<u32, Properties>,
    task_set: Option<TaskSet>,
    inconsistent: bool,
    /// Connector configuration at the moment of the last commit.
    applied: Option<Properties>,
    generation: i64,
    fencing_count: Option<i64>,
    pending_fencing: bool,
}

impl Entry {
    fn committed(&self) -> Option<&TaskSet> {
        self.task_set.as_ref().filter(|_| !self.inconsistent)
    }
}

/// A configured connector.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Its name.
    pub name: &'a Arc<str>,
    /// [`ClusterState::config_revision`].
    pub config_revision: i64,
    /// [`ClusterState::target_state`].
    pub target: TargetState,
    /// [`ClusterState::task_set`].
    pub task_set: Option<&'a TaskSet>,
}

#[derive(Clone, Debug)]
struct Configured {
    properties: Properties,
    revision: i64,
}

/// The session key of signed internal requests. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionKey {
    /// Base64 of the raw key.
    pub key: String,
    /// Key algorithm.
    pub algorithm: String,
    /// When it was made, ms since the epoch.
    pub created_ms: i64,
}

impl std::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionKey([hidden])")
    }
}

/// The state of the cluster, as far as the config topic was read.
#[derive(Clone, Debug, Default)]
pub struct ClusterState {
    entries: BTreeMap<Arc<str>, Entry>,
    restarts: BTreeMap<Arc<str>, RestartRequest>,
    session_key: Option<SessionKey>,
    skipped: BTreeMap<SkipReason, u64>,
    next_offset: i64,
}

impl ClusterState {
    /// Offset of the next record.
    pub fn next_offset(&self) -> i64 {
        self.next_offset
    }

    /// Names of all configured connectors, sorted.
    pub fn connectors(&self) -> impl Iterator<Item = &Arc<str>> {
        self.entries.iter().filter(|(_, entry)| entry.config.is_some()).map(|(name, _)| name)
    }

    /// All configured connectors, sorted by name, with what is wanted of each: for those who look at all of
    /// them.
    pub fn wanted(&self) -> impl Iterator<Item = Wanted<'_>> {
        self.entries.iter().filter_map(|(name, entry)| {
            Some(Wanted {
                name,
                config_revision: entry.config.as_ref()?.revision,
                target: entry.target.unwrap_or_default(),
                task_set: entry.committed(),
            })
        })
    }

    /// A connector's raw configuration.
    pub fn config(&self, connector: &str) -> Option<&Properties> {
        Some(&self.configured(connector)?.properties)
    }

    /// Offset of a connector's configuration record: changes with every write.
    pub fn config_revision(&self, connector: &str) -> Option<i64> {
        Some(self.configured(connector)?.revision)
    }

    fn configured(&self, connector: &str) -> Option<&Configured> {
        self.entries.get(connector)?.config.as_ref()
    }

    /// A configured connector's target state.
    pub fn target_state(&self, connector: &str) -> Option<TargetState> {
        let entry = self.entries.get(connector)?;
        entry.config.as_ref()?;
        Some(entry.target.unwrap_or_default())
    }

    /// A configured connector's tasks; `None` when none were committed or the set is inconsistent.
    pub fn task_set(&self, connector: &str) -> Option<&TaskSet> {
        let entry = self.entries.get(connector)?;
        entry.config.as_ref()?;
        entry.committed()
    }

    /// True when the last commit did not find all its tasks: the connector must produce a new full set.
    pub fn is_inconsistent(&self, connector: &str) -> bool {
        self.entries.get(connector).is_some_and(|entry| entry.inconsistent)
    }

    /// True when `tasks` must be written: another count, another configuration, or the connector's
    /// configuration differs from the one at the last commit. Source: `ConnectUtils`,
    /// `AbstractHerder#taskConfigsChanged`.
    pub fn needs_new_task_set(&self, connector: &str, tasks: &[Properties]) -> bool {
        let Some(set) = self.task_set(connector) else { return true };
        let entry = &self.entries[connector];
        let config = entry.config.as_ref().map(|configured| &configured.properties);
        let same_config = match (&entry.applied, config) {
            (Some(applied), Some(config)) => applied.same_entries(config),
            (applied, config) => applied.is_none() && config.is_none(),
        };
        let same_tasks = set.tasks.len() == tasks.len()
            && set.tasks.values().zip(tasks).all(|(old, new)| old.same_entries(new));
        !(same_config && same_tasks)
    }

    /// Restart requests read since the last call; of several for one connector the one with the highest
    /// impact.
    pub fn take_restarts(&mut self) -> BTreeMap<Arc<str>, RestartRequest> {
        std::mem::take(&mut self.restarts)
    }

    /// Whether [`ClusterState::take_restarts`] has something.
    pub fn has_restarts(&self) -> bool {
        !self.restarts.is_empty()
    }

    /// The newest session key.
    pub fn session_key(&self) -> Option<&SessionKey> {
        self.session_key.as_ref()
    }

    /// Whether a source connector's old tasks still have to be fenced, and how many there were.
    pub fn pending_fencing(&self, connector: &str) -> Option<(bool, Option<i64>)> {
        self.entries.get(connector).map(|entry| (entry.pending_fencing, entry.fencing_count))
    }

    /// How often a connector's task set changed.
    pub fn task_generation(&self, connector: &str) -> Option<i64> {
        self.entries.get(connector).map(|entry| entry.generation)
    }

    /// Records that were not used, by reason.
    pub fn skipped(&self) -> &BTreeMap<SkipReason, u64> {
        &self.skipped
    }
}
