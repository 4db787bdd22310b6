//! The seam between the control plane and the data plane. `worker` joins them; they do not know each other.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::config::ConfigMap;
use crate::metrics::TaskMetrics;
use crate::pulse::TaskPulse;
use crate::secrets::Secrets;

/// A task of a connector.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId {
    /// Connector name.
    pub connector: Arc<str>,
    /// Task number, from 0.
    pub task: u32,
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.connector, self.task)
    }
}

/// Everything the data plane needs to run a task.
#[derive(Clone, Debug)]
pub struct TaskSpec {
    /// Which task.
    pub id: TaskId,
    /// Connector configuration, variables resolved.
    pub connector_config: Arc<ConfigMap>,
    /// Task configuration, variables resolved.
    pub task_config: Arc<ConfigMap>,
    /// Whether the task starts running or paused.
    pub target: TaskTarget,
    /// What log lines about the task must not show.
    pub secrets: Secrets,
    /// Where the pipeline shows that it is alive.
    pub pulse: Arc<TaskPulse>,
    /// Where the pipeline counts what it does.
    pub metrics: Arc<TaskMetrics>,
    /// Asked by a source task with transactions once it has fenced its predecessors.
    pub still_wanted: StillWanted,
    /// Grows whenever topics that connectors used were forgotten: see [`TaskEvent::TopicUsed`].
    pub topic_resets: Arc<AtomicU64>,
}

/// Says whether a task that is being started is still to be started: between the decision and the moment in
/// which it fences its predecessors, another worker may have taken it over.
#[derive(Clone)]
pub struct StillWanted(Arc<dyn Fn() -> bool + Send + Sync>);

impl StillWanted {
    /// Wraps the question; it must not block.
    pub fn new(ask: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }

    /// Whether to go on.
    pub fn ask(&self) -> bool {
        (self.0)()
    }
}

impl Default for StillWanted {
    /// Always.
    fn default() -> Self {
        Self::new(|| true)
    }
}

impl fmt::Debug for StillWanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StillWanted")
    }
}

/// What a task is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskTarget {
    /// Keep the assignment, take no records.
    Paused,
    /// Move records.
    Running,
}

/// What a task reports. Events of one task arrive in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskEvent {
    /// The task gave up; the text is its trace.
    Failed {
        /// Which task.
        id: TaskId,
        /// Trace text for the status.
        trace: String,
    },
    /// The task is paused.
    Paused {
        /// Which task.
        id: TaskId,
    },
    /// The task moves records.
    Running {
        /// Which task.
        id: TaskId,
    },
    /// A record of this topic reached a sink task, or a source task wrote one. Told with the first record of
    /// a topic, and again with the next one after [`TaskSpec::topic_resets`] grew.
    TopicUsed {
        /// Which task.
        id: TaskId,
        /// Topic name.
        topic: Arc<str>,
    },
}

/// Receives task events, from any thread; must not block.
pub type TaskListener = Arc<dyn Fn(TaskEvent) + Send + Sync>;

/// A future that the control plane awaits.
pub type RuntimeFuture<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Runs tasks. Implemented by the data plane, used by the control plane.
pub trait TaskRuntime: Send + Sync {
    /// Starts a task and returns at once; the outcome arrives as events at `listener`.
    fn start(&self, spec: TaskSpec, listener: TaskListener);

    /// Asks a running task to pause or resume; ignored when it does not run.
    fn set_target(&self, id: &TaskId, target: TaskTarget);

    /// Drains a task: no new records, finish what is complete, commit what is durable, leave the group.
    /// Resolves when the task is gone or its `task.shutdown.graceful.timeout.ms` has passed. No event
    /// follows.
    fn stop<'a>(&'a self, id: &'a TaskId) -> RuntimeFuture<'a>;

    /// Drains every task, in parallel.
    fn stop_all(&self) -> RuntimeFuture<'_>;
}
