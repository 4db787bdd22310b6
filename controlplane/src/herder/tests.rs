//! The herder over a store that refuses, hangs or lags. Time is virtual.

mod fencing;
mod session_keys;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use lakeward_api::runtime::{RuntimeFuture, TaskId, TaskListener, TaskRuntime, TaskSpec, TaskTarget};
use lakeward_controlplane_core::Properties;
use lakeward_controlplane_core::config_log::{LogRecord, RestartRequest, TargetState, records};
use lakeward_controlplane_core::status::{RunState, Status, Subject, status_record};
use lakeward_kafka::membership::Role;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::recorder::Recorder;
use super::stage::writing;
use super::{
    Answer, Command, Existing, Expected, FenceProducers, Herder, PutConnector, RequestError, SharedWrite,
    Stage, WorkerParts,
};
use crate::metrics::Metrics;
use crate::rest::tests::rig::{registry, worker};
use crate::store::{Barrier, ClusterView, MemoryStore, Store, StoreError};
use crate::worker_config::WorkerMode;

struct NoTasks;

impl TaskRuntime for NoTasks {
    fn start(&self, _: TaskSpec, _: TaskListener) {}

    fn set_target(&self, _: &TaskId, _: TaskTarget) {}

    fn stop<'a>(&'a self, _: &'a TaskId) -> RuntimeFuture<'a> {
        Box::pin(std::future::ready(()))
    }

    fn stop_all(&self) -> RuntimeFuture<'_> {
        Box::pin(std::future::ready(()))
    }
}

/// What a call to the store leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Done,
    Hangs,
    Refused,
}

/// Memory behind a script; an exhausted script lets everything pass.
#[derive(Default)]
struct ScriptedStore {
    inner: MemoryStore,
    refreshes: Mutex<VecDeque<Fate>>,
    task_writes: Mutex<VecDeque<Fate>>,
    key_writes: Mutex<VecDeque<Fate>>,
    /// When task records were to be written.
    attempts: Mutex<Vec<Instant>>,
    statuses: Mutex<Vec<LogRecord>>,
}

fn next(script: &Mutex<VecDeque<Fate>>) -> Fate {
    script.lock().unwrap().pop_front().unwrap_or(Fate::Done)
}

fn outcome(fate: Fate) -> BoxFuture<'static, Result<(), StoreError>> {
    match fate {
        Fate::Done => Box::pin(std::future::ready(Ok(()))),
        Fate::Hangs => Box::pin(std::future::pending()),
        Fate::Refused => Box::pin(std::future::ready(Err(StoreError { message: "no broker".to_owned() }))),
    }
}

impl Store for ScriptedStore {
    fn view(&self) -> &Arc<ClusterView> {
        self.inner.view()
    }

    fn write_config(
        &self,
        records: Vec<LogRecord>,
        barrier: Barrier,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        if records[0].key == "session-key" {
            return match next(&self.key_writes) {
                Fate::Done => self.inner.write_config(records, barrier),
                fate => outcome(fate),
            };
        }
        if !records[0].key.starts_with("task-") {
            return self.inner.write_config(records, barrier);
        }
        self.attempts.lock().unwrap().push(Instant::now());
        match next(&self.task_writes) {
            Fate::Done => self.inner.write_config(records, barrier),
            fate => outcome(fate),
        }
    }

    fn refresh(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        outcome(next(&self.refreshes))
    }

    fn write_status(&self, record: LogRecord) {
        self.statuses.lock().unwrap().push(record.clone());
        self.inner.write_status(record);
    }

    fn flush_status(&self) -> BoxFuture<'_, ()> {
        self.inner.flush_status()
    }
}

pub(super) struct Bench {
    store: Arc<ScriptedStore>,
    pub(super) herder: Herder,
    role: watch::Sender<Role>,
    stage: Arc<watch::Sender<Stage>>,
    stop: watch::Sender<bool>,
    actor: JoinHandle<()>,
}

impl Bench {
    fn new(role: Role, refreshes: &[Fate], task_writes: &[Fate]) -> Self {
        Self::with(role, refreshes, task_writes, &[], Arc::new(NoTasks))
    }

    /// A worker with further settings over a runtime.
    pub(super) fn over(role: Role, settings: &[(&str, &str)], runtime: &Arc<Recorder>) -> Self {
        let runtime = Arc::clone(runtime) as Arc<dyn TaskRuntime>;
        Self::with(role, &[], &[], settings, runtime)
    }

    fn with(
        role: Role,
        refreshes: &[Fate],
        task_writes: &[Fate],
        settings: &[(&str, &str)],
        runtime: Arc<dyn TaskRuntime>,
    ) -> Self {
        let fence: FenceProducers = Arc::new(|_, _| Box::pin(std::future::ready(Ok(()))));
        let store = Arc::new(ScriptedStore {
            refreshes: Mutex::new(refreshes.iter().copied().collect()),
            task_writes: Mutex::new(task_writes.iter().copied().collect()),
            ..ScriptedStore::default()
        });
        Self::of(role, settings, runtime, fence, store)
    }

    fn of(
        role: Role,
        settings: &[(&str, &str)],
        runtime: Arc<dyn TaskRuntime>,
        fence: FenceProducers,
        store: Arc<ScriptedStore>,
    ) -> Self {
        let mut registry = registry();
        registry.add_source(Arc::new(fencing::ProbeSource));
        let config = worker(WorkerMode::Distributed, settings);
        let parts = WorkerParts {
            url: "http://w:8083/".to_owned(),
            worker_id: "w:8083".to_owned(),
            metrics: Arc::new(Metrics::new(&config)),
            config: Arc::new(config),
            registry: Arc::new(registry),
            offsets: crate::store::unopened_offsets(),
            fence,
            runtime,
        };
        let (role, role_seen) = watch::channel(role);
        let stage = Arc::new(watch::Sender::new(Stage::Ready));
        let (stop, stop_seen) = watch::channel(false);
        let (herder, actor) =
            Herder::new(parts, Arc::clone(&store) as Arc<dyn Store>, role_seen, Arc::clone(&stage));
        let actor = tokio::spawn(actor.run(stop_seen));
        Self { store, herder, role, stage, stop, actor }
    }

    async fn create(&self) -> Result<Answer, RequestError> {
        self.create_with(&[]).await
    }

    /// The usual configuration with further entries.
    pub(super) fn config(&self, extra: &[(&str, &str)]) -> Properties {
        let mut config = Properties::default();
        let usual = [("name", "a"), ("connector.class", "ProbeSink"), ("topics", "t"), ("flush.size", "3")];
        for (key, value) in usual.iter().chain(extra) {
            config.set(*key, Some((*value).to_owned()));
        }
        config
    }

    pub(super) async fn create_with(&self, extra: &[(&str, &str)]) -> Result<Answer, RequestError> {
        let (name, config) = ("a".to_owned(), self.config(extra));
        let put = PutConnector { name, config, initial_state: None, existing: Existing::Refuse };
        self.request(Command::Put(put)).await
    }

    pub(super) async fn request(&self, command: Command) -> Result<Answer, RequestError> {
        self.herder.request(command).await
    }

    pub(super) fn task(&self) -> TaskId {
        TaskId { connector: "a".into(), task: 0 }
    }

    /// The state of task 0, as REST would show it.
    pub(super) fn task_state(&self) -> &'static str {
        let state = self.store.view().status(|board| board.task(&self.task()).map(|status| status.state));
        state.map_or("none", |state| state.as_str())
    }

    /// All statuses ever written under `key`.
    pub(super) fn statuses_of(&self, key: &str) -> Vec<String> {
        let statuses = self.store.statuses.lock().unwrap();
        statuses.iter().filter(|record| record.key == key).filter_map(|record| record.value.clone()).collect()
    }

    /// Lets the herder work until `fits`. Each turn of it answers a request.
    async fn until(&self, what: &str, fits: impl Fn() -> bool) {
        for _ in 0..10_000 {
            if fits() {
                return;
            }
            self.request(Command::Ping).await.unwrap();
        }
        panic!("{what}: {:?}", self.store.statuses.lock().unwrap());
    }

    pub(super) async fn wait_for_task(&self, state: &str) {
        self.until(state, || self.task_state() == state).await;
    }

    pub(super) async fn wait_for_status(&self, key: &str, part: &str) {
        self.until(part, || self.statuses_of(key).iter().any(|status| status.contains(part))).await;
    }

    /// The connector and all its tasks, as stored.
    pub(super) fn config_text(&self) -> String {
        self.store.view().config(|state| {
            let tasks = state.task_set("a").into_iter().flat_map(|set| set.tasks.values());
            let all = state.config("a").into_iter().chain(tasks);
            all.map(Properties::to_java_text).collect::<Vec<_>>().join("\n")
        })
    }

    /// What is stored for task 0.
    pub(super) fn stored_task(&self, key: &str) -> Option<String> {
        self.store.view().config(|state| state.task_set("a")?.tasks.get(&0)?.get(key).map(str::to_owned))
    }

    fn task_count(&self) -> Option<usize> {
        self.store.view().config(|state| state.task_set("a").map(|set| set.tasks.len()))
    }

    fn pauses_ms(&self) -> Vec<u128> {
        let attempts = self.store.attempts.lock().unwrap();
        attempts.windows(2).map(|pair| (pair[1] - pair[0]).as_millis()).collect()
    }

    /// Lets the herder work for a span of virtual time.
    pub(super) async fn within(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }
}

pub(super) const LEADER: Role = Role::Leader { generation: 7 };

#[tokio::test(start_paused = true)]
async fn a_leader_that_read_to_the_end_once_needs_no_other_answer_to_write_a_task_set() {
    let bench = Bench::new(LEADER, &[Fate::Done, Fate::Hangs], &[]);
    bench.create().await.unwrap();
    bench.within(Duration::from_secs(60)).await;
    assert_eq!(bench.task_count(), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_refused_task_set_is_tried_again_after_pauses_that_double_up_to_a_minute() {
    let bench = Bench::new(LEADER, &[], &[Fate::Refused; 10]);
    bench.create().await.unwrap();
    bench.within(Duration::from_secs(300)).await;
    let expected = [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000];
    assert_eq!(bench.pauses_ms(), expected);
    assert_eq!(bench.task_count(), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_stopped_connector_gets_no_tasks_from_an_earlier_attempt() {
    let bench = Bench::new(LEADER, &[], &[Fate::Refused]);
    bench.create().await.unwrap();
    let stop = Command::Stop { name: "a".to_owned() };
    bench.herder.request(stop).await.unwrap();
    bench.within(Duration::from_secs(60)).await;
    assert_eq!((bench.task_count(), bench.store.attempts.lock().unwrap().len()), (Some(0), 1));
}

#[tokio::test(start_paused = true)]
async fn commands_wait_until_the_new_leader_is_at_the_end_of_the_topic() {
    let bench = Bench::new(LEADER, &[Fate::Refused, Fate::Refused], &[]);
    let began = Instant::now();
    assert!(matches!(bench.create().await, Ok(Answer::Created(_))));
    assert_eq!(began.elapsed().as_millis(), 750);
}

#[tokio::test(start_paused = true)]
async fn a_request_without_a_role_ends_after_ninety_seconds_and_reads_do_not_wait() {
    let bench = Bench::new(Role::Undecided, &[], &[]);
    let began = Instant::now();
    assert_eq!(bench.create().await.unwrap_err(), RequestError::Internal("Request timed out".to_owned()));
    assert_eq!(began.elapsed().as_secs(), 90);
    assert!(matches!(bench.herder.request(Command::Ping).await, Ok(Answer::Done)));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_lost_its_group_answers_nothing_but_writes_what_any_worker_may() {
    let bench = Bench::new(LEADER, &[], &[]);
    bench.create().await.unwrap();
    bench.stage.send_replace(Stage::Waiting { doing: "ensuring membership in the cluster", since_ms: 0 });
    let began = Instant::now();
    let delete = || Command::Delete { name: "a".to_owned(), expected: Expected::Anything };
    let text = "Request timed out. The worker is currently ensuring membership in the cluster, which began \
                at 1970-01-01T00:00:00.000Z.";
    assert_eq!(bench.request(delete()).await.unwrap_err(), RequestError::Internal(text.to_owned()));
    assert_eq!(began.elapsed().as_secs(), 90);
    let pause = |name: &str| SharedWrite::SetTarget { name: name.to_owned(), target: TargetState::Paused };
    bench.herder.write(pause("a")).await.unwrap();
    let unknown = RequestError::NotFound("Unknown connector b".to_owned());
    assert_eq!(bench.herder.write(pause("b")).await.unwrap_err(), unknown);
    assert!(bench.store.view().config(|state| state.config("a").is_some()));
    // Back in the group, it carries out what its client does not wait for any more, as Java does.
    bench.stage.send_replace(Stage::Ready);
    bench.until("deleted", || bench.store.view().config(|state| state.config("a").is_none())).await;
    assert_eq!(began.elapsed().as_secs(), 90);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_takes_long_is_what_time_outs_are_about() {
    let bench = Bench::new(LEADER, &[], &[Fate::Hangs]);
    bench.create().await.unwrap();
    bench.within(Duration::from_secs(1)).await;
    let RequestError::Internal(text) = bench.request(Command::Ping).await.unwrap_err() else {
        panic!("the herder answers while it writes")
    };
    let start = "Request timed out. The worker is currently writing 1 task configs for connector a to the \
                 config topic, which began at ";
    assert!(text.starts_with(start), "{text}");
}

#[test]
fn every_write_of_a_leader_is_called_as_java_calls_it() {
    let config = records::connector("a-1", &Properties::default());
    let (paused, stopped) = (TargetState::Paused, TargetState::Stopped);
    let request = RestartRequest { include_tasks: true, only_failed: false };
    for (batch, expected) in [
        (
            vec![records::target_state("a-1", paused), config],
            "writing a config for connector a-1 to the config topic",
        ),
        (
            records::connector_deletion("a-1").to_vec(),
            "removing the config for connector a-1 from the config topic",
        ),
        (
            vec![records::target_state("a-1", stopped)],
            "writing the STOPPED target stage for connector a-1 to the config topic",
        ),
        (
            vec![records::task_count("a-1", 2)],
            "writing a task count record for connector a-1 to the config topic",
        ),
        (
            vec![records::restart("a-1", request)],
            "writing restart request for connector a-1 to the config topic",
        ),
        (vec![records::commit("a-1", 3)], "writing 3 task configs for connector a-1 to the config topic"),
        (
            vec![
                records::task(&TaskId { connector: "a-1".into(), task: 0 }, &Properties::default()),
                records::task(&TaskId { connector: "a-1".into(), task: 1 }, &Properties::default()),
            ],
            "writing 2 task configs for connector a-1 to the config topic",
        ),
    ] {
        assert_eq!(writing(&batch), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_clean_stop_unassigns_connector_and_tasks_in_the_term_they_ran_in() {
    let bench = Bench::new(LEADER, &[], &[]);
    bench.create().await.unwrap();
    bench.within(Duration::from_secs(1)).await;
    bench.stop.send_replace(true);
    bench.actor.await.unwrap();
    let statuses = bench.store.statuses.lock().unwrap();
    let last = |key: &str| statuses.iter().rfind(|record| record.key == key).unwrap().value.clone().unwrap();
    let unassigned =
        r#"{"state":"UNASSIGNED","trace":null,"worker_id":"w:8083","generation":7,"version":null}"#;
    assert_eq!(last("status-connector-a"), unassigned);
    assert_eq!(last("status-task-a-0"), unassigned);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_could_not_be_taken_and_went_away_leaves_nothing_behind() {
    let bench = Bench::new(Role::Follower, &[Fate::Refused], &[]);
    bench.request(Command::Ping).await.unwrap();
    bench.role.send_replace(LEADER);
    bench.within(Duration::from_millis(1)).await;
    bench.role.send_replace(Role::Follower);
    // Time passes only while the herder rests: it must not ask again and again for what is over.
    bench.within(Duration::from_secs(60)).await;
    let began = Instant::now();
    assert!(bench.create().await.is_err(), "a follower does not write");
    assert_eq!(began.elapsed().as_secs(), 0);
}

/// A worker that was frozen says what it wanted to say before it learns that another leads.
#[tokio::test(start_paused = true)]
async fn what_a_thawed_worker_said_of_our_tasks_is_said_again() {
    let bench = Bench::over(Role::Leader { generation: 5 }, &[], &Arc::new(Recorder::default()));
    bench.create().await.unwrap();
    bench.wait_for_task("RUNNING").await;
    let say = |worker_id: &str, generation| {
        let worker_id = worker_id.to_owned();
        let status =
            Status { state: RunState::Restarting, trace: None, worker_id, generation, version: None };
        bench.store.write_status(status_record(&Subject::Task(bench.task()), &status));
    };
    say("thawed:8083", 4);
    assert_eq!(bench.task_state(), "RESTARTING");
    bench.wait_for_task("RUNNING").await;
    // A later leader's word stands.
    say("later:8083", 6);
    for _ in 0..100 {
        bench.request(Command::Ping).await.unwrap();
    }
    assert_eq!(bench.task_state(), "RESTARTING");
}
