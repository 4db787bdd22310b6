//! One record of the config topic applied to the state.
//!
//! Source: `KafkaConfigBackingStore.ConsumeCallback`, Kafka 4.1.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    ClusterState, ConfigChange, Configured, Entry, RestartRequest, SessionKey, SkipReason, TargetState,
    TaskSet,
};
use crate::Properties;

/// The value of a record.
enum Body {
    Object(Map<String, Value>),
    Tombstone,
}

type Outcome = Result<ConfigChange, SkipReason>;

impl ClusterState {
    /// Applies the record at `offset`. Every record moves the offset, understood or not.
    pub fn apply(&mut self, offset: i64, key: Option<&[u8]>, value: Option<&[u8]>) -> ConfigChange {
        self.next_offset = self.next_offset.max(offset + 1);
        match self.try_apply(offset, key, value) {
            Ok(change) => change,
            Err(reason) => {
                *self.skipped.entry(reason).or_default() += 1;
                ConfigChange::Skipped(reason)
            }
        }
    }

    /// The order of the prefixes is Java's: the first that matches decides.
    fn try_apply(&mut self, offset: i64, key: Option<&[u8]>, value: Option<&[u8]>) -> Outcome {
        let key = key.and_then(|key| std::str::from_utf8(key).ok()).ok_or(SkipReason::NoKey)?;
        let body = match value.map(serde_json::from_slice::<Value>) {
            None => Body::Tombstone,
            Some(Ok(Value::Null)) => Body::Tombstone,
            Some(Ok(Value::Object(members))) => Body::Object(members),
            Some(_) => return Err(SkipReason::BadValue),
        };
        if let Some(name) = key.strip_prefix("target-state-") {
            return self.apply_target_state(name, body);
        }
        if let Some(name) = key.strip_prefix("connector-") {
            return self.apply_connector(offset, name, body);
        }
        if let Some(task) = key.strip_prefix("task-") {
            return self.apply_task(task, body);
        }
        if let Some(name) = key.strip_prefix("commit-") {
            return self.apply_commit(offset, name, body);
        }
        if let Some(name) = key.strip_prefix("restart-connector-") {
            return self.apply_restart(name, body);
        }
        if let Some(name) = key.strip_prefix("tasks-fencing-") {
            return self.apply_fencing(name, body);
        }
        if key == "session-key" {
            return self.apply_session_key(body);
        }
        if let Some(logger) = key.strip_prefix("logger-cluster-") {
            return apply_log_level(logger, body);
        }
        Err(SkipReason::UnknownKind)
    }

    fn entry(&mut self, name: &str) -> (Arc<str>, &mut Entry) {
        if !self.entries.contains_key(name) {
            self.entries.insert(name.into(), Entry::default());
        }
        let key = self.entries.get_key_value(name).map(|(key, _)| Arc::clone(key));
        let entry = self.entries.get_mut(name).expect("inserted above");
        (key.expect("inserted above"), entry)
    }

    fn forget_if_empty(&mut self, name: &str) {
        if self.entries.get(name).is_some_and(|entry| {
            let is_empty = entry.config.is_none() && entry.target.is_none() && entry.deferred.is_empty();
            is_empty && entry.fencing_count.is_none() && entry.generation == 0
        }) {
            self.entries.remove(name);
        }
    }

    fn apply_target_state(&mut self, name: &str, body: Body) -> Outcome {
        let members = match body {
            Body::Object(members) => members,
            Body::Tombstone => {
                if let Some(entry) = self.entries.get_mut(name) {
                    entry.target = None;
                }
                self.forget_if_empty(name);
                return Ok(ConfigChange::Nothing);
            }
        };
        let text = match members.get("state.v2") {
            Some(Value::String(text)) => Some(text.as_str()),
            _ => members.get("state").and_then(Value::as_str),
        };
        let state = text.and_then(TargetState::parse).ok_or(SkipReason::BadValue)?;
        let (name, entry) = self.entry(name);
        let before = entry.target.replace(state).unwrap_or_default();
        let notable = entry.config.is_some() && before != state;
        Ok(if notable { ConfigChange::TargetState(name) } else { ConfigChange::Nothing })
    }

    fn apply_connector(&mut self, offset: i64, name: &str, body: Body) -> Outcome {
        let members = match body {
            Body::Object(members) => members,
            Body::Tombstone => return Ok(self.remove_connector(name)),
        };
        let properties = properties_of(&members)?;
        let (name, entry) = self.entry(name);
        entry.config = Some(Configured { properties, revision: offset });
        entry.target.get_or_insert_default();
        Ok(ConfigChange::ConnectorUpdated(name))
    }

    fn remove_connector(&mut self, name: &str) -> ConfigChange {
        let Some(entry) = self.entries.get_mut(name) else { return ConfigChange::Nothing };
        let existed = entry.config.is_some();
        // The target state lives until its own tombstone. How many tasks may still be alive must be known
        // when a connector of this name comes back, and generations never repeat.
        *entry = Entry {
            target: entry.target,
            fencing_count: entry.fencing_count,
            pending_fencing: entry.pending_fencing,
            generation: entry.generation,
            ..Entry::default()
        };
        self.forget_if_empty(name);
        if existed { ConfigChange::ConnectorRemoved(name.into()) } else { ConfigChange::Nothing }
    }

    fn apply_task(&mut self, task: &str, body: Body) -> Outcome {
        let (name, number) = task.rsplit_once('-').ok_or(SkipReason::UnknownKind)?;
        let number: u32 = number.parse().map_err(|_| SkipReason::UnknownKind)?;
        let Body::Object(members) = body else { return Err(SkipReason::BadValue) };
        let properties = properties_of(&members)?;
        let (_, entry) = self.entry(name);
        entry.deferred.insert(number, properties);
        Ok(ConfigChange::Nothing)
    }

    fn apply_commit(&mut self, offset: i64, name: &str, body: Body) -> Outcome {
        let configured = self.entries.get(name).is_some_and(|entry| entry.config.is_some());
        if !configured {
            // Leftovers of a deleted connector whose records compaction has not reached yet.
            if let Some(entry) = self.entries.get_mut(name) {
                entry.deferred.clear();
            }
            self.forget_if_empty(name);
            return Ok(ConfigChange::Nothing);
        }
        let Body::Object(members) = body else { return Err(SkipReason::BadValue) };
        let count = integer(&members, "tasks").and_then(|count| u32::try_from(count).ok());
        let count = count.ok_or(SkipReason::BadValue)?;
        let (name, entry) = self.entry(name);
        let mut deferred = std::mem::take(&mut entry.deferred);
        let had_records = !deferred.is_empty();
        deferred.split_off(&count);
        entry.pending_fencing = true;
        // Keys are below `count`, so an equal number of them means there is no gap.
        entry.inconsistent = deferred.len() as u64 != u64::from(count);
        if !entry.inconsistent {
            entry.generation += i64::from(had_records);
            entry.applied = entry.config.as_ref().map(|configured| configured.properties.clone());
            share(&mut deferred, entry.applied.as_ref());
            entry.task_set = Some(TaskSet { tasks: deferred, revision: offset });
        }
        Ok(ConfigChange::Tasks(name))
    }

    fn apply_restart(&mut self, name: &str, body: Body) -> Outcome {
        let Body::Object(members) = body else { return Err(SkipReason::BadValue) };
        let flag = |member: &str| members.get(member).and_then(Value::as_bool).unwrap_or(false);
        let request =
            RestartRequest { include_tasks: flag("include-tasks"), only_failed: flag("only-failed") };
        let name: Arc<str> = name.into();
        let known = self.restarts.entry(Arc::clone(&name)).or_insert(request);
        if request.impact() > known.impact() {
            *known = request;
        }
        Ok(ConfigChange::Restart(name))
    }

    fn apply_fencing(&mut self, name: &str, body: Body) -> Outcome {
        let Body::Object(members) = body else { return Err(SkipReason::BadValue) };
        let count = integer(&members, "task-count").ok_or(SkipReason::BadValue)?;
        // Compaction may leave this record before that of its connector.
        let (_, entry) = self.entry(name);
        entry.fencing_count = Some(count);
        entry.pending_fencing = false;
        Ok(ConfigChange::Nothing)
    }

    fn apply_session_key(&mut self, body: Body) -> Outcome {
        let Body::Object(members) = body else { return Err(SkipReason::BadValue) };
        let text = |member: &str| members.get(member).and_then(Value::as_str).map(str::to_owned);
        let parts = (text("key"), text("algorithm"), integer(&members, "creation-timestamp"));
        let (Some(key), Some(algorithm), Some(created_ms)) = parts else { return Err(SkipReason::BadValue) };
        self.session_key = Some(SessionKey { key, algorithm, created_ms });
        Ok(ConfigChange::Nothing)
    }
}

/// Tasks mostly repeat the configuration of their connector and that of the first task.
fn share(tasks: &mut BTreeMap<u32, Properties>, connector: Option<&Properties>) {
    let mut first: Option<Properties> = None;
    for task in tasks.values_mut() {
        for known in connector.into_iter().chain(&first) {
            task.share(known);
        }
        first.get_or_insert_with(|| task.clone());
    }
}

/// Levels are for the moment: they are not part of the state.
fn apply_log_level(logger: &str, body: Body) -> Outcome {
    let Body::Object(members) = body else { return Ok(ConfigChange::Nothing) };
    let level = members.get("level").and_then(Value::as_str).ok_or(SkipReason::BadValue)?;
    Ok(ConfigChange::LogLevel { logger: logger.into(), level: level.to_owned() })
}

fn properties_of(members: &Map<String, Value>) -> Result<Properties, SkipReason> {
    members.get("properties").and_then(Properties::from_json).ok_or(SkipReason::BadValue)
}

/// Any JSON integer.
fn integer(members: &Map<String, Value>, member: &str) -> Option<i64> {
    members.get(member).and_then(Value::as_i64)
}
