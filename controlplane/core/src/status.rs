//! The status topic: states of connectors and tasks and the topics they use; its records in and out.
//!
//! Owns who may overwrite whose status. State is only what was read back from the topic.
//!
//! Source: `KafkaStatusBackingStore`, Kafka 4.1.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lakeward_api::runtime::TaskId;
use serde_json::{Value, json};

use crate::config_log::LogRecord;

/// The state of a connector or task, as REST answers show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// It gave up; the trace says why.
    Failed,
    /// It keeps its assignment and moves no records.
    Paused,
    /// It is about to be started again.
    Restarting,
    /// It runs.
    Running,
    /// Connectors only: it has no tasks until it is resumed.
    Stopped,
    /// Nobody runs it.
    Unassigned,
}

impl RunState {
    /// The text of the status topic and of REST answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "FAILED",
            Self::Paused => "PAUSED",
            Self::Restarting => "RESTARTING",
            Self::Running => "RUNNING",
            Self::Stopped => "STOPPED",
            Self::Unassigned => "UNASSIGNED",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let all =
            [Self::Failed, Self::Paused, Self::Restarting, Self::Running, Self::Stopped, Self::Unassigned];
        all.into_iter().find(|state| state.as_str() == text)
    }
}

/// One status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The state.
    pub state: RunState,
    /// Text of the failure; with FAILED only.
    pub trace: Option<String>,
    /// `host:port` of the worker that wrote it.
    pub worker_id: String,
    /// Group generation of the writer; 0 in standalone mode.
    pub generation: i64,
    /// Plugin version; `None` when the instance is gone.
    pub version: Option<String>,
}

/// Whose status.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A connector.
    Connector(Arc<str>),
    /// A task.
    Task(TaskId),
}

impl Subject {
    /// The record key.
    pub fn key(&self) -> String {
        match self {
            Self::Connector(name) => format!("status-connector-{name}"),
            Self::Task(id) => format!("status-task-{id}"),
        }
    }
}

/// That a connector used a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicUse {
    /// Topic name.
    pub topic: Arc<str>,
    /// The task that saw it first.
    pub task: TaskId,
    /// When, ms since the epoch.
    pub discovered_ms: i64,
}

/// The record of a status.
pub fn status_record(subject: &Subject, status: &Status) -> LogRecord {
    let value = json!({
        "state": status.state.as_str(),
        "trace": status.trace,
        "worker_id": status.worker_id,
        "generation": status.generation,
        "version": status.version,
    });
    LogRecord::new(subject.key(), &value)
}

/// The record of a topic's first use.
pub fn topic_record(used: &TopicUse) -> LogRecord {
    let value = json!({ "topic": {
        "name": &*used.topic,
        "connector": &*used.task.connector,
        "task": used.task.task,
        "discoverTimestamp": used.discovered_ms,
    }});
    LogRecord::new(topic_key(&used.topic, &used.task.connector), &value)
}

/// The tombstone of a topic's use.
pub fn topic_tombstone(topic: &str, connector: &str) -> LogRecord {
    LogRecord::tombstone(topic_key(topic, connector))
}

fn topic_key(topic: &str, connector: &str) -> String {
    format!("status-topic-{topic}:connector-{connector}")
}

/// How a status may replace the one that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteRule {
    /// RUNNING, PAUSED, STOPPED, RESTARTING and tombstones: always.
    Always,
    /// FAILED, UNASSIGNED: only if nothing newer of another worker is known.
    Safe,
}

impl WriteRule {
    /// The rule of a state.
    pub fn of(state: RunState) -> Self {
        match state {
            RunState::Failed | RunState::Unassigned => Self::Safe,
            RunState::Paused | RunState::Restarting | RunState::Running | RunState::Stopped => Self::Always,
        }
    }
}

/// All statuses, as far as the status topic was read.
#[derive(Clone, Debug, Default)]
pub struct StatusBoard {
    work: BTreeMap<Arc<str>, Work>,
    topics: BTreeMap<Arc<str>, BTreeMap<Arc<str>, TopicUse>>,
    topic_resets: Arc<AtomicU64>,
    overtaken: BTreeSet<Subject>,
    skipped: u64,
    changes: u64,
}

/// A connector and its tasks.
#[derive(Clone, Debug, Default)]
struct Work {
    connector: Option<Status>,
    tasks: BTreeMap<u32, Status>,
    /// [`StatusBoard::revision`].
    revision: u64,
}

impl StatusBoard {
    /// A connector's status.
    pub fn connector(&self, name: &str) -> Option<&Status> {
        self.work.get(name)?.connector.as_ref()
    }

    /// Names of all connectors that have a status.
    pub fn connectors(&self) -> impl Iterator<Item = &Arc<str>> {
        self.work.iter().filter(|(_, work)| work.connector.is_some()).map(|(name, _)| name)
    }

    /// A task's status.
    pub fn task(&self, id: &TaskId) -> Option<&Status> {
        self.work.get(&*id.connector)?.tasks.get(&id.task)
    }

    /// The statuses of a connector's tasks, by number.
    pub fn tasks<'a>(&'a self, connector: &str) -> impl Iterator<Item = (u32, &'a Status)> + use<'a> {
        let tasks = self.work.get(connector).into_iter().flat_map(|work| &work.tasks);
        tasks.map(|(number, status)| (*number, status))
    }

    /// All tasks that have a status.
    pub fn all_tasks(&self) -> impl Iterator<Item = TaskId> {
        let id = |name: &Arc<str>, task: &u32| TaskId { connector: Arc::clone(name), task: *task };
        self.work.iter().flat_map(move |(name, work)| work.tasks.keys().map(move |task| id(name, task)))
    }

    /// Changes with every status of the connector and its tasks, and never repeats; `None` while there is
    /// none.
    pub fn revision(&self, connector: &str) -> Option<u64> {
        Some(self.work.get(connector)?.revision)
    }

    /// Grows whenever a topic is forgotten. Shared with the tasks, which then tell their topics again.
    pub fn topic_resets(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.topic_resets)
    }

    /// The topics a connector used, sorted.
    pub fn topics<'a>(&'a self, connector: &str) -> impl Iterator<Item = &'a Arc<str>> + use<'a> {
        self.topics.get(connector).into_iter().flat_map(BTreeMap::keys)
    }

    /// Whose statuses were replaced by an earlier generation's of another worker since the last call.
    pub fn take_overtaken(&mut self) -> BTreeSet<Subject> {
        std::mem::take(&mut self.overtaken)
    }

    /// Whether [`StatusBoard::take_overtaken`] has an answer.
    pub fn has_overtaken(&self) -> bool {
        !self.overtaken.is_empty()
    }

    /// `status` is about to replace what is known of `subject`.
    fn note_overtaken(&mut self, subject: Subject, status: &Status) {
        let known = match &subject {
            Subject::Connector(name) => self.connector(name),
            Subject::Task(id) => self.task(id),
        };
        if known
            .is_some_and(|known| known.generation > status.generation && known.worker_id != status.worker_id)
        {
            self.overtaken.insert(subject);
        }
    }

    /// Records that were not understood.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Whether `status` may be written over what is known about `subject`.
    pub fn allows(&self, subject: &Subject, status: &Status) -> bool {
        if WriteRule::of(status.state) == WriteRule::Always {
            return true;
        }
        let known = match subject {
            Subject::Connector(name) => self.connector(name),
            Subject::Task(id) => self.task(id),
        };
        known.is_none_or(|known| known.worker_id == status.worker_id || known.generation <= status.generation)
    }

    /// Applies one record of the status topic; unknown members are ignored, junk is counted.
    pub fn apply(&mut self, key: Option<&[u8]>, value: Option<&[u8]>) {
        if self.try_apply(key, value).is_none() {
            self.skipped += 1;
        }
    }

    fn try_apply(&mut self, key: Option<&[u8]>, value: Option<&[u8]>) -> Option<()> {
        let key = std::str::from_utf8(key?).ok()?;
        let value = match value {
            Some(bytes) => Some(serde_json::from_slice::<Value>(bytes).ok()?),
            None => None,
        };
        if let Some(name) = key.strip_prefix("status-connector-") {
            let status = value.map(|value| parse_status(&value).ok_or(())).transpose().ok()?;
            if let Some(status) = &status {
                self.note_overtaken(Subject::Connector(name.into()), status);
            }
            self.change(name, |work| work.connector = status);
        } else if let Some(task) = key.strip_prefix("status-task-") {
            let (name, number) = task.rsplit_once('-')?;
            self.apply_task(name, number.parse().ok()?, value)?;
        } else {
            let (topic, name) = key.strip_prefix("status-topic-")?.split_once(":connector-")?;
            self.apply_topic(topic, name, value)?;
        }
        Some(())
    }

    fn apply_task(&mut self, connector: &str, number: u32, value: Option<Value>) -> Option<()> {
        let Some(value) = value else {
            self.change(connector, |work| drop(work.tasks.remove(&number)));
            return Some(());
        };
        let status = parse_status(&value)?;
        // A late UNASSIGNED of an earlier owner must not hide that the new owner already runs the task.
        let known = self.work.get(connector).and_then(|work| work.tasks.get(&number));
        let stale = status.state == RunState::Unassigned
            && known.is_some_and(|known| {
                known.state == RunState::Running && known.generation >= status.generation
            });
        if !stale {
            let id = TaskId { connector: connector.into(), task: number };
            self.note_overtaken(Subject::Task(id), &status);
            self.change(connector, |work| drop(work.tasks.insert(number, status)));
        }
        Some(())
    }

    /// Changes what is known about a connector; without any status left it is forgotten.
    fn change(&mut self, connector: &str, change: impl FnOnce(&mut Work)) {
        self.changes += 1;
        if !self.work.contains_key(connector) {
            self.work.insert(connector.into(), Work::default());
        }
        let Some(work) = self.work.get_mut(connector) else { return };
        work.revision = self.changes;
        change(work);
        if work.connector.is_none() && work.tasks.is_empty() {
            self.work.remove(connector);
        }
    }

    fn apply_topic(&mut self, topic: &str, connector: &str, value: Option<Value>) -> Option<()> {
        let Some(value) = value else {
            let known = self.topics.get_mut(connector).and_then(|topics| topics.remove(topic));
            if known.is_some() {
                self.topic_resets.fetch_add(1, Ordering::Relaxed);
            }
            return Some(());
        };
        let used = value.get("topic")?;
        let task =
            TaskId { connector: connector.into(), task: u32::try_from(used.get("task")?.as_u64()?).ok()? };
        let discovered_ms = used.get("discoverTimestamp")?.as_i64()?;
        let topic: Arc<str> = topic.into();
        let used = TopicUse { topic: Arc::clone(&topic), task, discovered_ms };
        self.topics.entry(connector.into()).or_default().insert(topic, used);
        Some(())
    }
}

fn parse_status(value: &Value) -> Option<Status> {
    let text = |member: &str| value.get(member).and_then(Value::as_str).map(str::to_owned);
    Some(Status {
        state: RunState::parse(value.get("state")?.as_str()?)?,
        trace: text("trace"),
        worker_id: text("worker_id")?,
        generation: value.get("generation")?.as_i64()?,
        version: text("version"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(state: RunState, worker_id: &str, generation: i64) -> Status {
        Status { state, trace: None, worker_id: worker_id.into(), generation, version: Some("1.0".into()) }
    }

    fn task(number: u32) -> Subject {
        Subject::Task(TaskId { connector: "a-b".into(), task: number })
    }

    fn put(board: &mut StatusBoard, subject: &Subject, status: &Status) {
        let record = status_record(subject, status);
        board.apply(Some(record.key.as_bytes()), record.value.as_deref().map(str::as_bytes));
    }

    fn known(board: &StatusBoard, number: u32) -> Option<&Status> {
        board.task(&TaskId { connector: "a-b".into(), task: number })
    }

    #[test]
    fn records_are_javas_text() {
        let record = status_record(&Subject::Connector("a".into()), &status(RunState::Running, "h:8083", 7));
        assert_eq!(record.key, "status-connector-a");
        assert_eq!(
            record.value.unwrap(),
            r#"{"state":"RUNNING","trace":null,"worker_id":"h:8083","generation":7,"version":"1.0"}"#
        );
        let used = TopicUse {
            topic: "t".into(),
            task: TaskId { connector: "a".into(), task: 0 },
            discovered_ms: 1_700_000_000_000,
        };
        let record = topic_record(&used);
        assert_eq!(record.key, "status-topic-t:connector-a");
        assert_eq!(
            record.value.unwrap(),
            r#"{"topic":{"name":"t","connector":"a","task":0,"discoverTimestamp":1700000000000}}"#
        );
    }

    #[test]
    fn statuses_read_back_and_go_with_their_tombstone() {
        let mut board = StatusBoard::default();
        put(&mut board, &task(0), &status(RunState::Running, "h:1", 1));
        assert_eq!(known(&board, 0), Some(&status(RunState::Running, "h:1", 1)));
        board.apply(Some(b"status-task-a-b-0"), None);
        assert_eq!(known(&board, 0), None);
        board.apply(
            Some(b"status-topic-t:connector-a"),
            Some(br#"{"topic":{"task":0,"discoverTimestamp":1}}"#),
        );
        assert_eq!(board.topics("a").map(|topic| &**topic).collect::<Vec<_>>(), ["t"]);
    }

    #[test]
    fn a_topic_that_is_forgotten_counts_as_one_reset() {
        let mut board = StatusBoard::default();
        let resets = board.topic_resets();
        let (key, used) = (b"status-topic-t:connector-a", br#"{"topic":{"task":0,"discoverTimestamp":1}}"#);
        board.apply(Some(key), Some(used));
        board.apply(Some(key), None);
        board.apply(Some(key), None);
        assert_eq!((board.topics("a").count(), resets.load(Ordering::Relaxed)), (0, 1));
    }

    #[test]
    fn a_stale_unassigned_does_not_hide_a_running_task() {
        let mut board = StatusBoard::default();
        put(&mut board, &task(0), &status(RunState::Running, "h:2", 5));
        put(&mut board, &task(0), &status(RunState::Unassigned, "h:1", 4));
        assert_eq!(known(&board, 0).unwrap().state, RunState::Running);
        // Java ignores it in the same term, too, so a worker that stops leaves RUNNING until the next term.
        put(&mut board, &task(0), &status(RunState::Unassigned, "h:2", 5));
        assert_eq!(known(&board, 0).unwrap().state, RunState::Running);
        put(&mut board, &task(0), &status(RunState::Unassigned, "h:1", 6));
        assert_eq!(known(&board, 0).unwrap().state, RunState::Unassigned);
    }

    #[test]
    fn what_a_worker_of_an_earlier_term_replaced_is_told_once() {
        let mut board = StatusBoard::default();
        let connector = Subject::Connector("a-b".into());
        for subject in [&task(0), &task(1), &task(2), &connector] {
            put(&mut board, subject, &status(RunState::Running, "new:1", 5));
        }
        put(&mut board, &task(0), &status(RunState::Restarting, "old:1", 4));
        put(&mut board, &task(1), &status(RunState::Unassigned, "old:1", 4));
        put(&mut board, &task(2), &status(RunState::Running, "newer:1", 6));
        put(&mut board, &task(2), &status(RunState::Running, "newer:1", 1));
        put(&mut board, &connector, &status(RunState::Running, "old:1", 4));
        assert_eq!(board.take_overtaken(), [task(0), connector].into());
        assert!(board.take_overtaken().is_empty());
    }

    #[test]
    fn safe_writes_never_hide_a_newer_owner() {
        let mut board = StatusBoard::default();
        put(&mut board, &task(0), &status(RunState::Running, "new:1", 5));
        assert!(!board.allows(&task(0), &status(RunState::Failed, "old:1", 4)));
        assert!(board.allows(&task(0), &status(RunState::Running, "old:1", 4)), "plain writes always pass");
        assert!(board.allows(&task(0), &status(RunState::Failed, "old:1", 5)));
        assert!(board.allows(&task(0), &status(RunState::Failed, "new:1", 1)));
        assert!(board.allows(&task(1), &status(RunState::Failed, "old:1", 0)));
    }

    #[test]
    fn java_3_9_statuses_have_no_version() {
        let mut board = StatusBoard::default();
        let value = br#"{"state":"FAILED","trace":"x","worker_id":"h:1","generation":2}"#;
        board.apply(Some(b"status-connector-a"), Some(value));
        assert_eq!(board.connector("a").unwrap().version, None);
        assert_eq!(board.connector("a").unwrap().trace.as_deref(), Some("x"));
    }

    #[test]
    fn every_status_is_a_new_revision_of_its_connector_alone() {
        let mut board = StatusBoard::default();
        let other = Subject::Connector("b".into());
        put(&mut board, &other, &status(RunState::Running, "h:1", 1));
        let (before, mut last) = (board.revision("b"), board.revision("a-b"));
        assert_eq!(last, None);
        let running = status(RunState::Running, "h:1", 1);
        put(&mut board, &Subject::Connector("a-b".into()), &running);
        put(&mut board, &task(0), &running);
        board.apply(Some(b"status-task-a-b-0"), None);
        put(&mut board, &task(0), &running);
        for state in [RunState::Paused, RunState::Running] {
            put(&mut board, &task(0), &status(state, "h:1", 1));
            assert!(board.revision("a-b") > last);
            last = board.revision("a-b");
        }
        assert_eq!(board.revision("b"), before);
        board.apply(Some(b"status-task-a-b-0"), None);
        board.apply(Some(b"status-connector-a-b"), None);
        assert_eq!(board.revision("a-b"), None);
        put(&mut board, &task(0), &running);
        assert!(board.revision("a-b") > last, "a name that comes back has no old revision");
        assert_eq!(board.connectors().map(|name| &**name).collect::<Vec<_>>(), ["b"]);
        assert_eq!(board.all_tasks().count(), 1);
    }

    #[test]
    fn junk_is_counted() {
        let mut board = StatusBoard::default();
        board.apply(None, None);
        board.apply(Some(b"\xff"), Some(b"{}"));
        board.apply(Some(b"status-connector-a"), Some(b"{"));
        board.apply(Some(b"status-connector-a"), Some(br#"{"state":"LOST","worker_id":"h","generation":1}"#));
        board.apply(Some(b"status-task-a"), Some(b"{}"));
        board.apply(Some(b"status-topic-t"), Some(b"{}"));
        assert_eq!(board.skipped(), 6);
    }
}
