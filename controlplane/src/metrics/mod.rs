//! What this worker counts about itself, by connector and task: the groups of `GET /metrics`.
//!
//! Owns which groups there are: a connector's from its start, a task's from its creation, both to their ends.
//! Must not hold a value of a configuration: classes and versions are those of plugins.
//!
//! Source: `Worker.WorkerMetricsGroup`, `DistributedHerder.HerderMetrics`, `WorkerConnector`, KIP-196, Kafka
//! 4.1.
//! Unlike Java 4.1, whose task start counters stay 0 for tasks that start well, these count every start.

mod attributes;
pub(crate) mod clients;
mod conditions;
mod files;
mod group;
mod memory;
pub(crate) mod page;
pub(crate) mod paper;
mod render;
mod starts;
mod stores;
#[cfg(test)]
mod tests;
pub(crate) mod texts;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lakeward_api::metrics::{
    Conditions, StoreConditions, TaskKind, TaskMetrics, TaskState, Window, Windowed, ms_of,
};
use lakeward_api::runtime::{TaskEvent, TaskId, TaskListener};
use lakeward_kafka::client_metrics::collect_every;
use lakeward_kafka::membership::Role;

use page::Labels;
use paper::Paper;
#[cfg(test)]
pub(crate) use render::PAGE_BYTES_MAX;
pub(crate) use render::render;
use starts::Starts;
use texts::AliasedPlugin;

use crate::herder::now_ms;
use crate::worker_config::WorkerConfig;

/// Name and value of a text attribute; the value is never part of a configuration.
pub(crate) type Texts = Vec<(&'static str, String)>;

/// A transform or predicate of a task.
struct PluginTexts {
    group: PluginGroup,
    labels: Labels,
    texts: Texts,
}

/// Groups of plugins with an alias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PluginGroup {
    Predicate,
    Transform,
}

/// A connector of this worker.
struct ConnectorGroup {
    texts: Texts,
    /// Counted as an attempt and neither as success nor as failure yet.
    is_starting: bool,
}

/// A task of this worker.
struct TaskGroup {
    id: TaskId,
    labels: Labels,
    metrics: Arc<TaskMetrics>,
    texts: Arc<Texts>,
    plugins: Vec<PluginTexts>,
}

/// What a task of this worker guarantees.
pub(crate) struct TaskDelivery {
    pub(crate) number: u32,
    /// In words; `None` for tasks that say nothing, or nothing yet.
    pub(crate) delivery: Option<String>,
    /// What its store does; `None` without one.
    pub(crate) store: Option<Arc<StoreConditions>>,
}

/// The work of the group as this worker sees it.
struct Rebalances {
    /// Since when the role is open; `None` when it is settled.
    began: Option<Instant>,
    ended: Option<Instant>,
    completed: u64,
    epoch: i64,
    leads: bool,
    times: Windowed,
}

/// All groups of one worker.
pub(crate) struct Metrics {
    window: Window,
    pub(super) started_ms: i64,
    connector_starts: Starts,
    task_starts: Starts,
    connectors: Mutex<BTreeMap<Arc<str>, ConnectorGroup>>,
    tasks: Mutex<BTreeMap<TaskId, Arc<TaskGroup>>>,
    rebalances: Mutex<Rebalances>,
    group: group::Group,
    turn: Arc<tokio::sync::Mutex<Paper>>,
}

impl TaskGroup {
    /// What is known of the store that the task writes to.
    fn conditions(&self) -> Option<Conditions> {
        Some(self.metrics.sink.as_ref()?.conditions.get()?.get())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Metrics {
    /// Empty groups over the window that the worker file asks for.
    pub(crate) fn new(config: &WorkerConfig) -> Self {
        let number = |name: &str, default| {
            config.number(name).and_then(|number| u64::try_from(number).ok()).unwrap_or(default)
        };
        collect_every(Duration::from_millis(number(clients::INTERVAL, 10_000)));
        Self::over(Window::new(number("metrics.num.samples", 2), number("metrics.sample.window.ms", 30_000)))
    }

    fn over(window: Window) -> Self {
        let rebalances = Rebalances {
            began: Some(Instant::now()),
            ended: None,
            completed: 0,
            epoch: 0,
            leads: false,
            times: Windowed::new(window),
        };
        Self {
            window,
            started_ms: now_ms(),
            connector_starts: Starts::new(window),
            task_starts: Starts::new(window),
            connectors: Mutex::default(),
            tasks: Mutex::default(),
            rebalances: Mutex::new(rebalances),
            group: group::Group::default(),
            turn: Arc::default(),
        }
    }

    /// Held by whoever makes a page, on this paper.
    pub(crate) async fn turn(&self) -> tokio::sync::OwnedMutexGuard<Paper> {
        Arc::clone(&self.turn).lock_owned().await
    }

    /// A connector is being started.
    pub(crate) fn connector_begins(&self, name: &Arc<str>) {
        self.connector_starts.attempt();
        let group = ConnectorGroup { texts: Vec::new(), is_starting: true };
        lock(&self.connectors).insert(Arc::clone(name), group);
    }

    /// It runs, is paused or stopped.
    pub(crate) fn connector_started(&self, name: &str, texts: Texts) {
        if let Some(group) = lock(&self.connectors).get_mut(name) {
            group.texts = texts;
            if std::mem::take(&mut group.is_starting) {
                self.connector_starts.success();
            }
        }
    }

    /// It gave up, perhaps before it ran.
    pub(crate) fn connector_failed(&self, name: &str) {
        if let Some(group) = lock(&self.connectors).get_mut(name)
            && std::mem::take(&mut group.is_starting)
        {
            self.connector_starts.failure();
        }
    }

    /// It was stopped.
    pub(crate) fn connector_ended(&self, name: &str) {
        lock(&self.connectors).remove(name);
    }

    /// A task is being made; its events must come to the listener that is returned.
    pub(crate) fn task_begins(
        self: &Arc<Self>,
        kind: TaskKind,
        listener: TaskListener,
    ) -> (Arc<TaskMetrics>, TaskListener) {
        self.task_starts.attempt();
        let metrics = Arc::new(TaskMetrics::new(kind, self.window));
        let (worker, task) = (Arc::clone(self), Arc::clone(&metrics));
        let listener: TaskListener = Arc::new(move |event| {
            let state = match &event {
                TaskEvent::Failed { .. } => Some(TaskState::Failed),
                TaskEvent::Paused { .. } => Some(TaskState::Paused),
                TaskEvent::Running { .. } => Some(TaskState::Running),
                TaskEvent::TopicUsed { .. } => None,
            };
            if let Some(state) = state {
                match (task.states.state(), state) {
                    (TaskState::Unassigned, TaskState::Failed) => worker.task_starts.failure(),
                    (TaskState::Unassigned, _) => worker.task_starts.success(),
                    _ => {}
                }
                task.states.enter(state, ms_of(Instant::now()));
            }
            listener(event);
        });
        (metrics, listener)
    }

    /// A task was made: its groups show from now on.
    pub(crate) fn task_made(
        &self,
        id: &TaskId,
        metrics: Arc<TaskMetrics>,
        texts: Texts,
        plugins: Vec<AliasedPlugin>,
    ) {
        let number = id.task.to_string();
        let own = [("connector", &*id.connector), ("task", number.as_str())];
        let plugin = |(group, alias, texts): AliasedPlugin| {
            let kind = match group {
                PluginGroup::Predicate => "predicate",
                PluginGroup::Transform => "transform",
            };
            PluginTexts { group, labels: Labels::new(&[own[0], own[1], (kind, &alias)]), texts }
        };
        let plugins = plugins.into_iter().map(plugin).collect();
        let mut tasks = lock(&self.tasks);
        // Tasks of a connector say the same, and there may be ten thousand of them.
        let neighbour = tasks.range(..id).next_back().map(|(_, task)| Arc::clone(&task.texts));
        let texts = neighbour.filter(|known| **known == texts).unwrap_or_else(|| Arc::new(texts));
        let group = TaskGroup { id: id.clone(), labels: Labels::new(&own), metrics, texts, plugins };
        tasks.insert(id.clone(), Arc::new(group));
    }

    /// A task was stopped.
    pub(crate) fn task_ended(&self, id: &TaskId) {
        lock(&self.tasks).remove(id);
    }

    /// What the tasks of `connector` guarantee, by their numbers.
    pub(crate) fn deliveries(&self, connector: &str) -> Vec<TaskDelivery> {
        let tasks = lock(&self.tasks);
        let of_connector = tasks.values().filter(|task| &*task.id.connector == connector);
        let delivery = |task: &Arc<TaskGroup>| TaskDelivery {
            number: task.id.task,
            delivery: task.metrics.sink.as_ref().and_then(|sink| sink.delivery.get().cloned()),
            store: task.metrics.sink.as_ref().and_then(|sink| sink.conditions.get().cloned()),
        };
        of_connector.map(delivery).collect()
    }

    /// Whether this worker has the work of the group.
    pub(crate) fn leads(&self) -> bool {
        lock(&self.rebalances).leads
    }

    /// All work was given up.
    pub(crate) fn clear(&self) {
        lock(&self.connectors).clear();
        lock(&self.tasks).clear();
    }

    /// The group gave this worker a role, or took it.
    pub(crate) fn role(&self, role: Role) {
        let mut rebalances = lock(&self.rebalances);
        let now = Instant::now();
        rebalances.leads = matches!(role, Role::Leader { .. });
        match role {
            Role::Undecided => {
                rebalances.began.get_or_insert(now);
                return;
            }
            Role::Leader { generation } => rebalances.epoch = generation,
            Role::Follower => {}
        }
        let began = rebalances.began.take().unwrap_or(now);
        rebalances.times.record((now - began).as_millis() as f64, ms_of(now));
        rebalances.ended = Some(now);
        rebalances.completed += 1;
    }
}
