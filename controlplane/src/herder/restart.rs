//! Restarts of connectors and tasks.
//!
//! Source: `RestartPlan`, `DistributedHerder#doRestartConnectorAndTasks`, Kafka 4.1.

use std::sync::Arc;

use lakeward_api::runtime::TaskId;
use lakeward_controlplane_core::config_log::{RestartRequest, TargetState, records};
use lakeward_controlplane_core::status::{RunState, Status, Subject};
use serde_json::{Value, json};

use super::actor::Actor;
use super::{Answer, RequestError, answers};

/// What a restart request selects.
struct Selection {
    connector: bool,
    tasks: Vec<TaskId>,
}

fn selects(request: RestartRequest, status: Option<&Status>) -> bool {
    !request.only_failed || status.is_some_and(|status| status.state == RunState::Failed)
}

impl Actor {
    fn select(&self, name: &str, request: RestartRequest) -> Selection {
        let connector: Arc<str> = name.into();
        self.view().status(|board| Selection {
            connector: selects(request, board.connector(name)),
            tasks: board
                .tasks(name)
                .filter(|(_, status)| request.include_tasks && selects(request, Some(status)))
                .map(|(task, _)| TaskId { connector: Arc::clone(&connector), task })
                .collect(),
        })
    }

    /// Stops the instance, makes a new one, generates its tasks again. Failed tasks are not touched.
    pub(super) async fn restart_connector(&mut self, name: &str) -> Result<Answer, RequestError> {
        self.require_connector(name, "Unknown connector: ")?;
        let name: Arc<str> = name.into();
        self.healing.forget(&Subject::Connector(Arc::clone(&name)));
        self.stop_connector(&name);
        self.start_connector(&name).await;
        match self.failures.get(&name) {
            Some(failure) => Err(RequestError::Internal(failure.clone())),
            None => Ok(Answer::Done),
        }
    }

    pub(super) async fn restart_task(&mut self, id: &TaskId) -> Result<Answer, RequestError> {
        self.require_connector(&id.connector, "Unknown connector: ")?;
        let exists = self.view().config(|state| {
            state.task_set(&id.connector).is_some_and(|set| set.tasks.contains_key(&id.task))
        });
        if !exists {
            return Err(RequestError::NotFound(format!("Unknown task: {id}")));
        }
        self.healing.forget(&Subject::Task(id.clone()));
        if self.running.tasks.contains_key(id) {
            self.stop_tasks(std::slice::from_ref(id)).await;
        }
        self.start_task(id).await;
        Ok(Answer::Done)
    }

    /// Writes the request; the restart itself follows when the record was read back.
    pub(super) async fn request_restart(
        &mut self,
        name: &str,
        request: RestartRequest,
    ) -> Result<Answer, RequestError> {
        self.require_connector(name, "Unknown connector: ")?;
        let state = self
            .restart_answer(name, request)
            .ok_or_else(|| RequestError::NotFound(format!("Status for connector {name} not found")))?;
        self.write(vec![records::restart(name, request)]).await?;
        Ok(Answer::State(state))
    }

    /// The present statuses, with RESTARTING where the restart will come by. Traces are kept.
    fn restart_answer(&self, name: &str, request: RestartRequest) -> Option<Value> {
        let selection = self.select(name, request);
        let registry = &self.parts.registry;
        let mut state = self.view().config(|state| {
            self.store.view().status(|board| answers::state_info(registry, state, board, name))
        })?;
        let restarting = json!(RunState::Restarting.as_str());
        if selection.connector {
            state["connector"]["state"] = restarting.clone();
        }
        for task in state["tasks"].as_array_mut().into_iter().flatten() {
            if selection.tasks.iter().any(|id| task["id"] == json!(id.task)) {
                task["state"] = restarting.clone();
            }
        }
        Some(state)
    }

    /// Carries out the restart requests that were read.
    pub(super) async fn process_restarts(&mut self) {
        for (name, request) in self.view().config(|state| state.take_restarts()) {
            if self.exists(&name) {
                self.restart_selected(&name, request).await;
            }
        }
    }

    async fn restart_selected(&mut self, name: &Arc<str>, request: RestartRequest) {
        let Selection { connector, mut tasks } = self.select(name, request);
        tasks.retain(|id| self.running.tasks.contains_key(id));
        tracing::info!(connector = %name, instance = connector, task_count = tasks.len(), "restarting");
        if connector {
            let subject = Subject::Connector(Arc::clone(name));
            self.healing.forget(&subject);
            self.stop_connector(name);
            self.write_status(&subject, RunState::Restarting, None, None);
        }
        self.stop_tasks(&tasks).await;
        for id in &tasks {
            self.healing.forget(&Subject::Task(id.clone()));
            self.write_status(&Subject::Task(id.clone()), RunState::Restarting, None, None);
        }
        if connector {
            self.start_connector(name).await;
        }
        let stopped = self.view().config(|state| state.target_state(name)) == Some(TargetState::Stopped);
        for id in tasks.iter().filter(|_| !stopped) {
            // A new task set may have started it already, or may not have it any more.
            if !self.running.tasks.contains_key(id) {
                self.start_task(id).await;
            }
        }
    }
}
