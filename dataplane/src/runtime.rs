//! The data plane as the control plane sees it: start, steer and stop tasks.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lakeward_api::bridge::Bridge;
use lakeward_api::config::ConfigMap;
use lakeward_api::memory::Memory;
use lakeward_api::offset_store::OffsetStores;
use lakeward_api::plugin::PluginRegistry;
use lakeward_api::runtime::{
    RuntimeFuture, TaskEvent, TaskId, TaskListener, TaskRuntime, TaskSpec, TaskTarget,
};

use crate::bridge::TokioBridge;
use crate::executor::{Shard, ShardCommand, ShardSettings};
use crate::memory::Process;
use crate::source;
use crate::sys;
use crate::task::handover::Lot;
use crate::task::{self, TaskControl, TaskStart};

/// How the data plane is set up.
#[derive(Clone)]
pub struct DataplaneSettings {
    /// Shards and their engine.
    pub shards: ShardSettings,
    /// The worker's configuration, variables resolved.
    pub worker_config: Arc<ConfigMap>,
    /// All plugins.
    pub plugins: PluginRegistry,
    /// Where network clients run.
    pub bridge: TokioBridge,
    /// Bytes per task that may be on their way to the store.
    pub in_flight_bytes_max: u64,
    /// All bytes of this worker.
    pub memory: Memory,
    /// Where tasks keep what memory does not hold.
    pub spill_directory: PathBuf,
    /// `offset.flush.interval.ms`.
    pub offset_flush_interval: Duration,
    /// `offset.flush.timeout.ms`.
    pub offset_flush_timeout: Duration,
    /// `task.shutdown.graceful.timeout.ms`.
    pub graceful_timeout: Duration,
    /// Where source offsets are kept.
    pub offsets: Arc<dyn OffsetStores>,
}

/// What every task of this worker shares.
pub(crate) struct Environment {
    pub(crate) worker_config: Arc<ConfigMap>,
    pub(crate) plugins: PluginRegistry,
    pub(crate) bridge: Arc<TokioBridge>,
    pub(crate) in_flight_bytes_max: u64,
    pub(crate) memory: Memory,
    pub(crate) spill_directory: PathBuf,
    pub(crate) offset_flush_interval: Duration,
    pub(crate) offset_flush_timeout: Duration,
    pub(crate) graceful_timeout: Duration,
    pub(crate) offsets: Arc<dyn OffsetStores>,
    /// What tasks have open of topic-partitions that nobody owns.
    pub(crate) lot: Arc<Lot>,
}

struct RunningTask {
    control: Arc<TaskControl>,
    done: flume::Receiver<()>,
}

/// The running data plane. Dropping it ends the shards; stop the tasks first.
pub struct Dataplane {
    shards: Vec<Shard>,
    environment: Arc<Environment>,
    tasks: Mutex<HashMap<TaskId, RunningTask>>,
    _process: Arc<Process>,
}

impl Dataplane {
    /// Starts the shards.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(settings: DataplaneSettings) -> Result<Self, std::io::Error> {
        let count = settings.shards.count.max(1);
        let shards: Result<Vec<Shard>, _> =
            (0..count).map(|index| Shard::start(index, settings.shards.engine)).collect();
        let bridge = Arc::new(settings.bridge);
        let environment = Environment {
            lot: Lot::new(settings.memory.clone(), Arc::clone(&bridge) as Arc<dyn Bridge>),
            worker_config: settings.worker_config,
            plugins: settings.plugins,
            bridge,
            in_flight_bytes_max: settings.in_flight_bytes_max,
            memory: settings.memory,
            spill_directory: settings.spill_directory,
            offset_flush_interval: settings.offset_flush_interval,
            offset_flush_timeout: settings.offset_flush_timeout,
            graceful_timeout: settings.graceful_timeout,
            offsets: settings.offsets,
        };
        lakeward_kafka::set_housekeeping(sys::give_freed_memory_back);
        let process = Process::count(&environment.memory, &*environment.bridge);
        let environment = Arc::new(environment);
        Ok(Self { shards: shards?, environment, tasks: Mutex::default(), _process: process })
    }

    fn tasks(&self) -> MutexGuard<'_, HashMap<TaskId, RunningTask>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn least_loaded(&self) -> &Shard {
        self.shards.iter().min_by_key(|shard| shard.load()).expect("there is always a shard")
    }

    async fn drain(&self, id: &TaskId, running: RunningTask) {
        running.control.stop();
        let graceful = self.environment.graceful_timeout;
        if tokio::time::timeout(graceful, running.done.recv_async()).await.is_ok() {
            return;
        }
        tracing::warn!(task = %id, timeout_ms = graceful.as_millis(), "graceful stop of task timed out");
        running.control.abandon();
        // A shard that does not answer now is stuck in one record. Either way nothing more is committed.
        let grace = tokio::time::timeout(ABANDON_WAIT, running.done.recv_async()).await;
        if grace.is_err() {
            tracing::error!(task = %id, "task does not react; its shard is blocked");
        }
    }
}

/// How long an abandoned task has to notice.
const ABANDON_WAIT: Duration = Duration::from_secs(2);

impl TaskRuntime for Dataplane {
    fn start(&self, spec: TaskSpec, listener: TaskListener) {
        let id = spec.id.clone();
        let (control, wakes) = TaskControl::new(spec.target, Arc::clone(&spec.metrics.errors));
        // Nothing is sent: the channel closes when the task is over.
        let (over, done) = flume::bounded::<()>(0);
        let running = RunningTask { control: Arc::clone(&control), done };
        let before = self.tasks().insert(id.clone(), running);
        assert!(before.is_none_or(|task| task.done.is_disconnected()), "task {id} was started twice");
        let shard = self.least_loaded();
        let placed = shard.place();
        let environment = Arc::clone(&self.environment);
        let start = TaskStart { spec, listener: Arc::clone(&listener), control, wakes, environment };
        let class = start.spec.connector_config.get("connector.class").map(|class| class.trim());
        let is_source = class.is_some_and(|class| self.environment.plugins.source(class).is_some());
        let command = ShardCommand::new(move || {
            let done = move || {
                drop(placed);
                drop(over);
            };
            if is_source { source::spawn(start, done) } else { task::spawn(start, done) }
        });
        if !shard.send(command) {
            self.tasks().remove(&id);
            let trace = "org.apache.kafka.connect.errors.ConnectException: the shard takes no more tasks\n";
            listener(TaskEvent::Failed { id, trace: trace.to_owned() });
        }
    }

    fn set_target(&self, id: &TaskId, target: TaskTarget) {
        if let Some(running) = self.tasks().get(id) {
            running.control.set_target(target);
        }
    }

    fn stop<'a>(&'a self, id: &'a TaskId) -> RuntimeFuture<'a> {
        Box::pin(async move {
            let running = self.tasks().remove(id);
            if let Some(running) = running {
                self.drain(id, running).await;
            }
        })
    }

    fn stop_all(&self) -> RuntimeFuture<'_> {
        Box::pin(async move {
            let all: Vec<(TaskId, RunningTask)> = self.tasks().drain().collect();
            let drains = all.into_iter().map(|(id, running)| async move { self.drain(&id, running).await });
            // The next owner is another process: uploads that wait for one are aborted before this one ends.
            let lot = &self.environment.lot;
            let given_up = tokio::time::timeout(self.environment.graceful_timeout, lot.close());
            futures::future::join(futures::future::join_all(drains), given_up).await.1.ok();
            lot.open();
        })
    }
}
