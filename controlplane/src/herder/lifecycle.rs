//! Starting, stopping and retargeting connectors and tasks, and publishing task sets.
//!
//! Source: `Worker#startConnector`, `#connectorTaskConfigs`, `DistributedHerder#publishConnectorTaskConfigs`,
//! Kafka 4.1.

use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::config::ConfigMap;
use lakeward_api::metrics::TaskKind;
use lakeward_api::plugin::PluginKind;
use lakeward_api::runtime::{StillWanted, TaskEvent, TaskId, TaskListener, TaskSpec};
use lakeward_controlplane_core::Properties;
use lakeward_controlplane_core::config_log::{TargetState, records};
use lakeward_controlplane_core::reconcile::{
    InstanceHealth, Plan, RunningConnector, RunningTask, task_target,
};
use lakeward_controlplane_core::status::{RunState, Subject};
use tokio::time::Instant;

use super::WorkerParts;
use super::actor::{Actor, Retry};
use super::fencing::Waiter;
use super::resolve::hiding;
use crate::config_providers::Resolved;
use crate::connector_class::ConnectorClass;
use crate::metrics::texts::{self, AliasedPlugin};

/// A task that is ready to start.
pub(super) struct Launch {
    pub(super) spec: TaskSpec,
    pub(super) listener: TaskListener,
    class: Option<ConnectorClass>,
    plugins: Vec<AliasedPlugin>,
}

impl Actor {
    /// Does what the plan says, in its order.
    pub(super) async fn carry_out(&mut self, plan: &Plan) {
        for name in &plan.stop_connectors {
            self.healing.forget(&Subject::Connector(Arc::clone(name)));
            self.stop_connector(name);
        }
        for id in &plan.stop_tasks {
            self.healing.forget(&Subject::Task(id.clone()));
        }
        self.stop_tasks(&plan.stop_tasks).await;
        for name in &plan.start_connectors {
            self.start_connector(name).await;
        }
        for (name, target) in &plan.retarget_connectors {
            self.retarget_connector(name, *target).await;
        }
        for id in &plan.start_tasks {
            self.start_task(id).await;
        }
        for (id, target) in &plan.retarget_tasks {
            self.parts.runtime.set_target(id, *target);
            if let Some(task) = self.running.tasks.get_mut(id) {
                task.target = *target;
            }
        }
    }

    fn connector_of(&self, name: &str) -> Option<ConnectorClass> {
        ConnectorClass::find(&self.parts.registry, &self.class_of(name)?)
    }

    /// The class of a connector, variables replaced once it was started.
    fn class_of(&self, name: &str) -> Option<String> {
        let class = |config: &Properties| config.get("connector.class").map(str::to_owned);
        match self.resolved.get(name) {
            Some(resolved) => class(resolved.properties()),
            None => self.view().config(|state| state.config(name).and_then(class)),
        }
    }

    /// The version of a connector's plugin.
    pub(super) fn connector_version(&self, name: &str) -> Option<String> {
        self.connector_of(name).map(|connector| connector.version().to_owned())
    }

    /// Forgets the instance: connectors have no state besides.
    pub(super) fn stop_connector(&mut self, name: &Arc<str>) {
        self.retries.remove(name);
        self.raised.forget(name);
        self.failures.remove(name);
        self.resolved.remove(name);
        self.task_base.remove(name);
        if !self.exists(name) {
            self.applied.remove(name);
        }
        self.parts.metrics.connector_ended(name);
        if self.running.connectors.remove(name).is_some() {
            self.write_status(&Subject::Connector(Arc::clone(name)), RunState::Unassigned, None, None);
        }
    }

    /// Drains tasks in parallel. A task that gave up before keeps its FAILED status.
    pub(super) async fn stop_tasks(&mut self, ids: &[TaskId]) {
        let runtime = Arc::clone(&self.parts.runtime);
        futures::future::join_all(ids.iter().map(|id| runtime.stop(id))).await;
        for id in ids {
            self.inbox.forget(id);
            self.fencings.forget(id);
            self.healing.unwatch(id);
            self.parts.metrics.task_ended(id);
            self.running.tasks.remove(id);
            if !self.failed_tasks.remove(id) {
                self.write_status(&Subject::Task(id.clone()), RunState::Unassigned, None, None);
            }
        }
    }

    /// Makes an instance, brings it to its target state and publishes its tasks.
    pub(super) async fn start_connector(&mut self, name: &Arc<str>) {
        let Some((config_revision, target, raw)) = self.view().config(|state| {
            let target = state.target_state(name).unwrap_or_default();
            Some((state.config_revision(name)?, target, state.config(name)?.clone()))
        }) else {
            return;
        };
        let instance = RunningConnector { config_revision, target, health: InstanceHealth::Good };
        self.running.connectors.insert(Arc::clone(name), instance);
        self.parts.metrics.connector_begins(name);
        match self.parts.resolve(raw).await {
            Ok(resolved) => {
                self.resolved.insert(Arc::clone(name), resolved);
            }
            Err(err) => return self.fail_connector(name, &err),
        }
        let Some(connector) = self.connector_of(name) else {
            let class = self.class_of(name);
            let message = format!(
                "Failed to find any class that implements Connector and which name matches {}; install the \
                 plugin or correct connector.class",
                class.unwrap_or_default()
            );
            return self.fail_connector(name, &ConnectError::fatal(message));
        };
        if let Err(err) = self.check_source(name, &connector) {
            return self.fail_connector(name, &err);
        }
        if target == TargetState::Started
            && let Err(err) = self.call_start(name, &connector)
        {
            return self.fail_connector(name, &err);
        }
        self.parts.metrics.connector_started(name, texts::of_connector(&connector));
        self.enter(name, target).await;
    }

    async fn retarget_connector(&mut self, name: &Arc<str>, target: TargetState) {
        if let Some(instance) = self.running.connectors.get_mut(name) {
            instance.target = target;
            instance.health = InstanceHealth::Good;
        }
        self.retries.remove(name);
        self.raised.forget(name);
        self.failures.remove(name);
        if target == TargetState::Started
            && let Some(connector) = self.connector_of(name)
            && let Err(err) = self.call_start(name, &connector)
        {
            return self.fail_connector(name, &err);
        }
        self.enter(name, target).await;
    }

    /// Only a started connector makes tasks; a paused one keeps those it has.
    async fn enter(&mut self, name: &Arc<str>, target: TargetState) {
        let state = match target {
            TargetState::Paused => RunState::Paused,
            TargetState::Started => RunState::Running,
            TargetState::Stopped => RunState::Stopped,
        };
        let version = self.connector_version(name);
        self.write_status(&Subject::Connector(Arc::clone(name)), state, None, version);
        if target == TargetState::Started {
            self.publish_tasks(name).await;
        }
    }

    pub(super) fn fail_connector(&mut self, name: &Arc<str>, err: &ConnectError) {
        let hide = |text: String| match self.resolved.get(name) {
            Some(resolved) => resolved.hide(&text),
            None => text,
        };
        let (message, trace) = (hide(err.to_string()), hide(err.trace()));
        tracing::error!(connector = %name, error = message, "a connector failed; correct or restart it");
        self.parts.metrics.connector_failed(name);
        if let Some(instance) = self.running.connectors.get_mut(name) {
            instance.health = InstanceHealth::Failed;
        }
        self.retries.remove(name);
        self.failures.insert(Arc::clone(name), message);
        let version = self.connector_version(name);
        let subject = Subject::Connector(Arc::clone(name));
        self.write_status(&subject, RunState::Failed, Some(trace), version);
        self.plan_restart(subject);
    }

    /// Generates the task set of a started connector and writes it if it is another one, or if a value behind
    /// a variable changed; write failures are tried again for ever.
    pub(super) async fn publish_tasks(&mut self, name: &Arc<str>) {
        let before = self.retries.remove(name);
        let raw = self.view().config(|state| {
            let started = state.target_state(name) == Some(TargetState::Started);
            state.config(name).filter(|_| started).cloned()
        });
        let Some(raw) = raw else { return };
        let resolved = match self.parts.resolve(raw).await {
            Ok(resolved) => resolved,
            Err(err) => return self.fail_connector(name, &err),
        };
        self.resolved.insert(Arc::clone(name), resolved.clone());
        let Some(connector) = self.connector_of(name) else { return };
        let tasks = match generate_tasks(name, &connector, &resolved.properties().to_config_map()) {
            Ok(tasks) => tasks.into_iter().map(|task| resolved.reversed(task)).collect::<Vec<_>>(),
            Err(err) => return self.fail_connector(name, &err),
        };
        if !self.has_other_values(name, &resolved)
            && !self.view().config(|state| state.needs_new_task_set(name, &tasks))
        {
            return self.remember_values(name, resolved);
        }
        let problem = match self.write_task_set(name, &tasks).await {
            Ok(()) if self.view().config(|state| state.task_set(name).is_some()) => {
                return self.remember_values(name, resolved);
            }
            Ok(()) => "it was written but is not complete".to_owned(),
            Err(err) => err.to_string(),
        };
        let retry = Retry::after(before);
        let pause_ms = retry.pause.as_millis() as u64;
        tracing::warn!(connector = %name, problem, pause_ms, "a task set was not written; trying again");
        self.retries.insert(Arc::clone(name), retry);
    }

    /// Whether the same texts led to other values when the tasks were published last: the tasks must start
    /// again with the new ones. Source: `AppliedConnectorConfig#transformedConfig`, Kafka 4.1.
    fn has_other_values(&self, name: &str, resolved: &Resolved) -> bool {
        self.applied.get(name).is_some_and(|applied| {
            applied.is_same_text(resolved) && !applied.properties().same_entries(resolved.properties())
        })
    }

    fn remember_values(&mut self, name: &Arc<str>, resolved: Resolved) {
        if resolved.has_variables() {
            self.applied.insert(Arc::clone(name), resolved);
        } else {
            self.applied.remove(name);
        }
    }

    /// Tasks, read back, commit, read back: nobody sees half a set.
    ///
    /// Java reads to the end before, too. Here the leader did so when it took its role and has read back each
    /// write since; asking the broker once more could only keep a set from being written.
    pub(super) async fn write_task_set(
        &self,
        name: &Arc<str>,
        tasks: &[Properties],
    ) -> Result<(), crate::store::StoreError> {
        let id = |task| TaskId { connector: Arc::clone(name), task };
        if !tasks.is_empty() {
            let records = (0..).zip(tasks).map(|(number, task)| records::task(&id(number), task)).collect();
            self.write(records).await?;
        }
        self.write(vec![records::commit(name, tasks.len() as u32)]).await
    }

    /// Tries due task sets again.
    pub(super) async fn retry_task_sets(&mut self) {
        let now = Instant::now();
        let due: Vec<Arc<str>> = self
            .retries
            .iter()
            .filter(|(_, retry)| retry.due <= now)
            .map(|(name, _)| Arc::clone(name))
            .collect();
        for name in due {
            self.publish_tasks(&name).await;
        }
    }

    /// One copy for all tasks of a connector that are started with the same configurations.
    fn shared_configs(
        &mut self,
        name: &Arc<str>,
        connector: ConfigMap,
        task: ConfigMap,
    ) -> (Arc<ConfigMap>, Arc<ConfigMap>) {
        let share = |known: Option<&Arc<ConfigMap>>, config: ConfigMap| match known {
            Some(known) if **known == config => Arc::clone(known),
            _ => Arc::new(config),
        };
        let known = self.task_base.get(name);
        let connector = share(known.map(|(connector, _)| connector), connector);
        let task = share(known.map(|(_, task)| task), task);
        self.task_base.insert(Arc::clone(name), (Arc::clone(&connector), Arc::clone(&task)));
        (connector, task)
    }

    /// Hands a task to the data plane; its events write its status.
    pub(super) async fn start_task(&mut self, id: &TaskId) {
        let Some((revision, target, connector_config, task_config)) = self.view().config(|state| {
            let set = state.task_set(&id.connector)?;
            let config = state.config(&id.connector)?.clone();
            let target = task_target(state.target_state(&id.connector).unwrap_or_default());
            Some((set.revision, target, config, set.tasks.get(&id.task)?.clone()))
        }) else {
            return;
        };
        self.failed_tasks.remove(id);
        self.running.tasks.insert(id.clone(), RunningTask { set_revision: revision, target });
        let class = self.connector_of(&id.connector);
        let kind = class.as_ref().map_or(PluginKind::Sink, ConnectorClass::kind);
        let (metrics, listener) = self.parts.metrics.task_begins(task_kind(kind), self.inbox.listener(id));
        let plugins = texts::plugins(&self.parts.registry, &connector_config);
        let (connector, task) =
            match (self.parts.resolve(connector_config).await, self.parts.resolve(task_config).await) {
                (Ok(connector), Ok(task)) => (connector, task),
                (Err(err), _) | (_, Err(err)) => {
                    return listener(TaskEvent::Failed { id: id.clone(), trace: err.trace() });
                }
            };
        let secrets = connector.secrets().with(task.secrets());
        let listener = hiding(listener, secrets.clone());
        let connector_config = connector.properties().to_config_map();
        let is_exactly_once = self.is_exactly_once(&connector_config);
        let still_wanted =
            if is_exactly_once { self.still_wanted(id, revision) } else { StillWanted::default() };
        let task_config = task.properties().to_config_map();
        let (connector_config, task_config) =
            self.shared_configs(&id.connector, connector_config, task_config);
        let spec = TaskSpec {
            id: id.clone(),
            connector_config: Arc::clone(&connector_config),
            task_config,
            target,
            secrets,
            pulse: Arc::default(),
            metrics,
            still_wanted,
            topic_resets: self.view().status(|board| board.topic_resets()),
        };
        let launch = Launch { spec, listener, class, plugins };
        if is_exactly_once {
            return self.fence(&id.connector, &connector_config, Waiter::Task(Box::new(launch))).await;
        }
        self.launch(launch);
    }

    /// The last step of a start.
    pub(super) fn launch(&mut self, launch: Launch) {
        let Launch { spec, listener, class, plugins } = launch;
        self.healing.watch(&spec.id, Arc::clone(&spec.pulse));
        self.show_metrics(&spec, class.as_ref(), plugins);
        // The target may have changed while earlier tasks were fenced.
        let target = self.running.tasks.get(&spec.id).map_or(spec.target, |task| task.target);
        self.parts.runtime.start(TaskSpec { target, ..spec }, listener);
    }

    fn show_metrics(&self, spec: &TaskSpec, class: Option<&ConnectorClass>, plugins: Vec<AliasedPlugin>) {
        let WorkerParts { registry, config, metrics, .. } = &self.parts;
        let texts = class.map(|class| {
            texts::of_task(registry, config, class, task_class(class.class()), &spec.connector_config)
        });
        metrics.task_made(&spec.id, Arc::clone(&spec.metrics), texts.unwrap_or_default(), plugins);
    }
}

/// The task configurations of a connector, with what the worker adds to each.
fn generate_tasks(
    name: &str,
    connector: &ConnectorClass,
    config: &ConfigMap,
) -> Result<Vec<Properties>, ConnectError> {
    let tasks_max = config.get("tasks.max").and_then(|text| text.trim().parse().ok()).unwrap_or(1_u32);
    let generated = connector.task_configs(config, tasks_max)?;
    if generated.len() > tasks_max as usize {
        let message = format!(
            "The connector {name} has generated {} tasks, which is greater than {tasks_max}, the maximum \
             number of tasks it is configured to create. ",
            generated.len()
        );
        let enforced =
            config.get("tasks.max.enforce").is_none_or(|text| !text.trim().eq_ignore_ascii_case("false"));
        if enforced {
            return Err(ConnectError::fatal(message));
        }
        tracing::warn!(connector = name, "{message}");
    }
    let with_additions = |mut task: ConfigMap| {
        task.insert("task.class".to_owned(), task_class(connector.class()));
        let copied: &[&str] = match connector.kind() {
            PluginKind::Sink => &["topics", "topics.regex"],
            _ => &[],
        };
        for key in copied {
            if let Some(value) = config.get(*key).filter(|value| !value.trim().is_empty()) {
                task.insert((*key).to_owned(), value.clone());
            }
        }
        Properties::from(task)
    };
    Ok(generated.into_iter().map(with_additions).collect())
}

fn task_kind(kind: PluginKind) -> TaskKind {
    if kind == PluginKind::Source { TaskKind::Source } else { TaskKind::Sink }
}

/// Java's task classes are named after their connectors.
fn task_class(connector_class: &str) -> String {
    match connector_class.strip_suffix("Connector") {
        Some(stem) => format!("{stem}Task"),
        None => connector_class.to_owned(),
    }
}
