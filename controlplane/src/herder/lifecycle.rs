//! Starting, stopping and retargeting connectors and tasks, and publishing task sets.
//!
//! Source: `Worker#startConnector`, `#connectorTaskConfigs`, `DistributedHerder#publishConnectorTaskConfigs`,
//! Kafka 4.1.

use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::config::ConfigMap;
use lakeward_api::plugin::SinkConnector;
use lakeward_api::runtime::{TaskId, TaskSpec};
use lakeward_controlplane_core::Properties;
use lakeward_controlplane_core::config_log::{TargetState, records};
use lakeward_controlplane_core::reconcile::{
    InstanceHealth, Plan, RunningConnector, RunningTask, task_target,
};
use lakeward_controlplane_core::status::{RunState, Subject};
use tokio::time::Instant;

use super::actor::{Actor, Retry};
use crate::store::Barrier;

impl Actor {
    /// Does what the plan says, in its order.
    pub(super) async fn carry_out(&mut self, plan: &Plan) {
        for name in &plan.stop_connectors {
            self.stop_connector(name);
        }
        self.stop_tasks(&plan.stop_tasks).await;
        for name in &plan.start_connectors {
            self.start_connector(name).await;
        }
        for (name, target) in &plan.retarget_connectors {
            self.retarget_connector(name, *target).await;
        }
        for id in &plan.start_tasks {
            self.start_task(id);
        }
        for (id, target) in &plan.retarget_tasks {
            self.parts.runtime.set_target(id, *target);
            if let Some(task) = self.running.tasks.get_mut(id) {
                task.target = *target;
            }
        }
    }

    fn sink_of(&self, name: &str) -> Option<Arc<dyn SinkConnector>> {
        let class =
            self.view().config(|state| state.config(name)?.get("connector.class").map(str::to_owned))?;
        self.parts.registry.sink(class.trim()).map(Arc::clone)
    }

    /// The version of a connector's plugin.
    pub(super) fn connector_version(&self, name: &str) -> Option<String> {
        self.sink_of(name).map(|sink| sink.version().to_owned())
    }

    /// Forgets the instance: sink connectors have no state besides.
    pub(super) fn stop_connector(&mut self, name: &Arc<str>) {
        self.retries.remove(name);
        self.failures.remove(name);
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
            self.running.tasks.remove(id);
            if !self.failed_tasks.remove(id) {
                self.write_status(&Subject::Task(id.clone()), RunState::Unassigned, None, None);
            }
        }
    }

    /// Makes an instance, brings it to its target state and publishes its tasks.
    pub(super) async fn start_connector(&mut self, name: &Arc<str>) {
        let Some((config_revision, target)) = self.view().config(|state| {
            Some((state.config_revision(name)?, state.target_state(name).unwrap_or_default()))
        }) else {
            return;
        };
        let instance = RunningConnector { config_revision, target, health: InstanceHealth::Good };
        self.running.connectors.insert(Arc::clone(name), instance);
        if self.sink_of(name).is_none() {
            let class = self.view().config(|state| {
                state.config(name).and_then(|config| config.get("connector.class").map(str::to_owned))
            });
            let message = format!(
                "Failed to find any class that implements Connector and which name matches {}; install the \
                 plugin or correct connector.class",
                class.unwrap_or_default()
            );
            self.fail_connector(name, &ConnectError::fatal(message));
            return;
        }
        self.enter(name, target).await;
    }

    async fn retarget_connector(&mut self, name: &Arc<str>, target: TargetState) {
        if let Some(instance) = self.running.connectors.get_mut(name) {
            instance.target = target;
            instance.health = InstanceHealth::Good;
        }
        self.retries.remove(name);
        self.failures.remove(name);
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

    fn fail_connector(&mut self, name: &Arc<str>, err: &ConnectError) {
        tracing::error!(connector = %name, error = %err, "a connector failed; correct or restart it");
        if let Some(instance) = self.running.connectors.get_mut(name) {
            instance.health = InstanceHealth::Failed;
        }
        self.retries.remove(name);
        self.failures.insert(Arc::clone(name), err.to_string());
        let version = self.connector_version(name);
        let subject = Subject::Connector(Arc::clone(name));
        self.write_status(&subject, RunState::Failed, Some(err.trace()), version);
    }

    /// Generates the task set of a started connector and writes it if it is another one; write failures are
    /// tried again for ever.
    pub(super) async fn publish_tasks(&mut self, name: &Arc<str>) {
        let before = self.retries.remove(name);
        let config = self.view().config(|state| {
            let started = state.target_state(name) == Some(TargetState::Started);
            state.config(name).filter(|_| started).map(Properties::to_config_map)
        });
        let (Some(config), Some(sink)) = (config, self.sink_of(name)) else { return };
        let tasks = match generate_tasks(name, sink.as_ref(), &config) {
            Ok(tasks) => tasks,
            Err(err) => return self.fail_connector(name, &err),
        };
        if !self.view().config(|state| state.needs_new_task_set(name, &tasks)) {
            return;
        }
        let problem = match self.write_task_set(name, &tasks).await {
            Ok(()) if self.view().config(|state| state.task_set(name).is_some()) => return,
            Ok(()) => "it was written but is not complete".to_owned(),
            Err(err) => err.to_string(),
        };
        let retry = Retry::after(before);
        let pause_ms = retry.pause.as_millis() as u64;
        tracing::warn!(connector = %name, problem, pause_ms, "a task set was not written; trying again");
        self.retries.insert(Arc::clone(name), retry);
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
            self.store.write_config(records, Barrier::ReadBack).await?;
        }
        self.store.write_config(vec![records::commit(name, tasks.len() as u32)], Barrier::ReadBack).await
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

    /// Hands a task to the data plane; its events write its status.
    pub(super) fn start_task(&mut self, id: &TaskId) {
        let Some((revision, target, connector_config, task_config)) = self.view().config(|state| {
            let set = state.task_set(&id.connector)?;
            let config = state.config(&id.connector)?.to_config_map();
            let target = task_target(state.target_state(&id.connector).unwrap_or_default());
            Some((set.revision, target, config, set.tasks.get(&id.task)?.to_config_map()))
        }) else {
            return;
        };
        let spec = TaskSpec {
            id: id.clone(),
            connector_config: Arc::new(connector_config),
            task_config: Arc::new(task_config),
            target,
        };
        self.failed_tasks.remove(id);
        self.running.tasks.insert(id.clone(), RunningTask { set_revision: revision, target });
        self.parts.runtime.start(spec, self.inbox.listener(id));
    }
}

/// The task configurations of a connector, with what the worker adds to each.
fn generate_tasks(
    name: &str,
    sink: &dyn SinkConnector,
    config: &ConfigMap,
) -> Result<Vec<Properties>, ConnectError> {
    let tasks_max = config.get("tasks.max").and_then(|text| text.trim().parse().ok()).unwrap_or(1_u32);
    let generated = sink.task_configs(config, tasks_max)?;
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
        task.insert("task.class".to_owned(), task_class(sink.class()));
        for key in ["topics", "topics.regex"] {
            if let Some(value) = config.get(key).filter(|value| !value.trim().is_empty()) {
                task.insert(key.to_owned(), value.clone());
            }
        }
        Properties::from(task)
    };
    Ok(generated.into_iter().map(with_additions).collect())
}

/// Java's task classes are named after their connectors.
fn task_class(connector_class: &str) -> String {
    match connector_class.strip_suffix("Connector") {
        Some(stem) => format!("{stem}Task"),
        None => connector_class.to_owned(),
    }
}
