//! Random histories of the config topic against the laws of reading it, and of reconciling with it.
//!
//! Writers are leaders as they are: they write all tasks of a set, then the commit, and may die anywhere.
//! Source of the laws: `KafkaConfigBackingStore`, Kafka 4.1.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lakeward_api::runtime::{TaskId, TaskTarget};

use crate::Properties;
use crate::config_log::{ClusterState, LogRecord, RestartRequest, TargetState, records};
use crate::reconcile::{InstanceHealth, Running, RunningConnector, RunningTask, reconcile, task_target};
use crate::seeds::{self, Random};

/// Names that share prefixes and contain dashes and numbers.
const NAMES: [&str; 4] = ["a", "a-1", "task-a", "connector-a"];
const TARGETS: [TargetState; 3] = [TargetState::Paused, TargetState::Started, TargetState::Stopped];

type Record = (Option<Vec<u8>>, Option<Vec<u8>>);

fn raw(record: LogRecord) -> Record {
    (Some(record.key.into_bytes()), record.value.map(String::into_bytes))
}

fn config(random: &mut Random) -> Properties {
    [("version".to_owned(), Some(random.next().to_string()))].into_iter().collect()
}

/// What the history says, written down independently of how it is read.
#[derive(Default)]
struct Model {
    configs: BTreeMap<&'static str, Properties>,
    targets: BTreeMap<&'static str, TargetState>,
    sets: BTreeMap<&'static str, Vec<Properties>>,
    log: Vec<Record>,
}

impl Model {
    fn push(&mut self, record: LogRecord) {
        self.log.push(raw(record));
    }

    /// One action of a leader or of whoever else has access to the topic.
    fn act(&mut self, random: &mut Random) {
        let name = NAMES[random.below(NAMES.len())];
        match random.below(10) {
            0..3 => {
                let config = config(random);
                self.push(records::connector(name, &config));
                self.configs.insert(name, config);
            }
            3 => self.delete(name, random),
            4 => {
                let target = TARGETS[random.below(3)];
                self.push(records::target_state(name, target));
                self.targets.insert(name, target);
            }
            5..8 => self.write_tasks(name, random),
            8 => {
                let request = RestartRequest { include_tasks: true, only_failed: random.once_in(2) };
                self.push(records::restart(name, request));
            }
            _ => self.log.push(junk(random)),
        }
    }

    /// A leader may die between the two tombstones.
    fn delete(&mut self, name: &'static str, random: &mut Random) {
        let [connector, target] = records::connector_deletion(name);
        self.push(connector);
        self.configs.remove(name);
        self.sets.remove(name);
        if !random.once_in(4) {
            self.push(target);
            self.targets.remove(name);
        }
    }

    /// A leader may die after any task record; it writes sets of existing connectors only.
    fn write_tasks(&mut self, name: &'static str, random: &mut Random) {
        if !self.configs.contains_key(name) {
            return;
        }
        let set: Vec<Properties> = (0..random.below(4)).map(|_| config(random)).collect();
        let dies = random.once_in(4);
        let written = if dies { random.below(set.len() + 1) } else { set.len() };
        for (task, config) in (0..).zip(&set[..written]) {
            self.push(records::task(&TaskId { connector: name.into(), task }, config));
        }
        if !dies {
            self.push(records::commit(name, set.len() as u32));
            self.sets.insert(name, set);
        }
    }
}

fn junk(random: &mut Random) -> Record {
    let keys: [&[u8]; 9] = [
        b"session-key",
        b"what-ever",
        b"task-",
        b"task-a-x",
        b"\xff\xfe",
        b"logger-cluster-x",
        b"commit-none",
        b"tasks-fencing-a",
        b"",
    ];
    let values: [&[u8]; 6] = [b"", b"[1]", b"{}", b"{\"tasks\":-1}", b"\xff", b"{\"properties\":[]}"];
    let key = (!random.once_in(10)).then(|| keys[random.below(keys.len())].to_vec());
    let value = (!random.once_in(5)).then(|| values[random.below(values.len())].to_vec());
    (key, value)
}

fn read<'a>(log: impl IntoIterator<Item = (usize, &'a Record)>) -> ClusterState {
    let mut state = ClusterState::default();
    for (offset, (key, value)) in log {
        state.apply(offset as i64, key.as_deref(), value.as_deref());
    }
    state
}

/// What compaction may leave: of the records before `cleaned` only the last one of each key in the whole log.
fn compacted(log: &[Record], cleaned: usize) -> Vec<(usize, &Record)> {
    let mut last = BTreeMap::new();
    for (offset, (key, _)) in log.iter().enumerate() {
        last.insert(key.clone(), offset);
    }
    let stays = |(offset, (key, _)): &(usize, &Record)| *offset >= cleaned || last[key] == *offset;
    log.iter().enumerate().filter(stays).collect()
}

fn tasks(state: &ClusterState, name: &str) -> Option<Vec<Properties>> {
    let set = state.task_set(name)?;
    assert!(set.tasks.keys().copied().eq(0..set.tasks.len() as u32), "a set without gaps");
    Some(set.tasks.values().cloned().collect())
}

#[test]
fn a_history_reads_as_it_was_written() {
    seeds::each(|random| {
        let mut model = Model::default();
        for _ in 0..60 {
            model.act(random);
        }
        let state = read(model.log.iter().enumerate());
        assert_eq!(state.next_offset(), model.log.len() as i64);
        assert!(state.connectors().map(|name| &**name).eq(model.configs.keys().copied()));
        for name in NAMES {
            assert_eq!(state.config(name), model.configs.get(name));
            let target =
                model.configs.get(name).map(|_| model.targets.get(name).copied().unwrap_or_default());
            assert_eq!(state.target_state(name), target);
            assert_eq!(tasks(&state, name), model.sets.get(name).cloned());
            assert!(!state.is_inconsistent(name), "every commit had its tasks");
        }
    });
}

/// Compaction takes records away below a reader. It never sees a task set that nobody wrote: the right one,
/// or none, and then the connector must write a new one.
#[test]
fn a_compacted_history_reads_the_same_or_asks_for_a_new_task_set() {
    seeds::each(|random| {
        let mut model = Model::default();
        for _ in 0..60 {
            model.act(random);
        }
        let state = read(compacted(&model.log, random.below(model.log.len() + 1)));
        for name in NAMES {
            assert_eq!(state.config(name), model.configs.get(name));
            match (tasks(&state, name), model.sets.get(name)) {
                (Some(read), Some(written)) => assert_eq!(&read, written),
                (None, Some(written)) => assert!(state.needs_new_task_set(name, written)),
                (None, None) => {}
                // The records of a deleted connector stay in the topic; those of a commit are no use without
                // the tombstone between, which compaction may take away only with all before it.
                (Some(read), None) => panic!("{name} has {} tasks that were deleted", read.len()),
            }
        }
    });
}

/// Carries out a plan as the herder does, at once.
fn carry_out(state: &ClusterState, running: &mut Running) {
    let plan = reconcile(state, running);
    for name in &plan.stop_connectors {
        running.connectors.remove(name);
    }
    for id in &plan.stop_tasks {
        assert!(running.tasks.remove(id).is_some(), "only what runs is stopped");
    }
    for name in &plan.start_connectors {
        let config_revision = state.config_revision(name).expect("only what exists is started");
        let target = state.target_state(name).unwrap_or_default();
        let instance = RunningConnector { config_revision, target, health: InstanceHealth::Good };
        assert!(running.connectors.insert(Arc::clone(name), instance).is_none(), "started twice");
    }
    for (name, target) in &plan.retarget_connectors {
        running.connectors.get_mut(name).unwrap().target = *target;
    }
    for id in &plan.start_tasks {
        let set_revision = state.task_set(&id.connector).unwrap().revision;
        let target = task_target(state.target_state(&id.connector).unwrap_or_default());
        assert!(running.tasks.insert(id.clone(), RunningTask { set_revision, target }).is_none());
    }
    for (id, target) in &plan.retarget_tasks {
        running.tasks.get_mut(id).unwrap().target = *target;
    }
}

#[test]
fn one_plan_reaches_the_wanted_state_from_anywhere() {
    seeds::each(|random| {
        let mut model = Model::default();
        let mut running = Running::default();
        let mut state = ClusterState::default();
        let mut done = 0;
        for _ in 0..60 {
            model.act(random);
            if random.once_in(3) {
                for (offset, (key, value)) in model.log.iter().enumerate().skip(done) {
                    state.apply(offset as i64, key.as_deref(), value.as_deref());
                }
                done = model.log.len();
                carry_out(&state, &mut running);
                assert!(reconcile(&state, &running).is_empty(), "one plan is enough");
                check_running(&state, &running);
            }
        }
    });
}

fn check_running(state: &ClusterState, running: &Running) {
    assert!(running.connectors.keys().eq(state.connectors()));
    let mut wanted = BTreeSet::new();
    for name in state.connectors() {
        let target = state.target_state(name).unwrap();
        assert_eq!(running.connectors[name].target, target);
        for task in state.task_set(name).into_iter().flat_map(|set| set.tasks.keys()) {
            let id = TaskId { connector: Arc::clone(name), task: *task };
            if target != TargetState::Stopped {
                let paused = running.tasks[&id].target == TaskTarget::Paused;
                assert_eq!(paused, target == TargetState::Paused);
                wanted.insert(id);
            }
        }
    }
    assert!(running.tasks.keys().eq(&wanted));
}
