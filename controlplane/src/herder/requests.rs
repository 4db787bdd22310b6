//! Requests that change something.
//!
//! Source: `DistributedHerder#putConnectorConfig`, `#deleteConnectorConfig`, `#stopConnector`, Kafka 4.1.

use std::sync::Arc;

use lakeward_controlplane_core::Properties;
use lakeward_controlplane_core::config_log::{TargetState, records};
use lakeward_controlplane_core::status::topic_tombstone;

use super::actor::Actor;
use super::{Answer, Command, Existing, Expected, PutConnector, RequestError, SharedWrite, answers};
use crate::store::{Barrier, Store};

impl Actor {
    /// Carries out one command.
    pub(super) async fn execute(&mut self, command: Command) -> Result<Answer, RequestError> {
        match command {
            // Those that take long are answered apart: see `fence_for_others` and `modify_offsets`.
            Command::Ping | Command::Fence { .. } | Command::ModifyOffsets { .. } => Ok(Answer::Done),
            Command::Shared(write) => write.perform(&*self.store).await,
            _ if !self.leads() => Err(RequestError::NotLeader),
            Command::Delete { name, expected } => {
                self.require_existing(&name)?;
                self.require(&name, &expected)?;
                self.write(records::connector_deletion(&name).to_vec()).await?;
                Ok(Answer::Done)
            }
            Command::Patch { name, patch, expected } => self.patch(&name, &patch, &expected).await,
            Command::Put(put) => self.put(put).await,
            Command::PutTasks { name, tasks } => self.put_tasks(&name, &tasks).await,
            Command::RestartConnector { name } => self.restart_connector(&name).await,
            Command::RestartPlan { name, request } => self.request_restart(&name, request).await,
            Command::RestartTask { id } => self.restart_task(&id).await,
            Command::Stop { name } => self.stop(&name).await,
        }
    }

    pub(super) fn exists(&self, name: &str) -> bool {
        self.view().config(|state| state.config(name).is_some())
    }

    pub(super) fn require_connector(&self, name: &str, prefix: &str) -> Result<(), RequestError> {
        if self.exists(name) { Ok(()) } else { Err(RequestError::NotFound(format!("{prefix}{name}"))) }
    }

    fn require_existing(&self, name: &str) -> Result<(), RequestError> {
        if self.exists(name) {
            Ok(())
        } else {
            Err(RequestError::NotFound(format!("Connector {name} not found")))
        }
    }

    async fn put(&mut self, put: PutConnector) -> Result<Answer, RequestError> {
        let PutConnector { name, config, initial_state, existing } = put;
        let existed = self.exists(&name);
        match existing {
            Existing::Refuse if existed => {
                return Err(RequestError::Conflict(format!("Connector {name} already exists")));
            }
            Existing::Refuse => {}
            Existing::Replace(expected) => self.require(&name, &expected)?,
        }
        let tasks = self.view().config(|state| answers::task_ids(state, &name));
        let mut batch: Vec<_> =
            initial_state.map(|state| records::target_state(&name, state)).into_iter().collect();
        batch.push(records::connector(&name, &config));
        self.write(batch).await?;
        let info = answers::connector_info_of(&self.parts.registry, &name, &config, tasks);
        Ok(if existed { Answer::Updated(info) } else { Answer::Created(info) })
    }

    /// Between this check and the write no other request is carried out.
    fn require(&self, name: &str, expected: &Expected) -> Result<(), RequestError> {
        self.view().config(|state| expected.check(name, state.config(name)))
    }

    async fn patch(
        &mut self,
        name: &str,
        patch: &Properties,
        expected: &Expected,
    ) -> Result<Answer, RequestError> {
        self.require_existing(name)?;
        self.require(name, expected)?;
        let config = self.view().config(|state| state.config(name).map(|config| config.patched(patch)));
        let config = config.expect("its existence was checked and only this actor's writes are read between");
        if let Some(refusal) = self.parts.validate(config.clone()).await?.refusal() {
            return Err(RequestError::BadRequest(refusal));
        }
        let existing = Existing::Replace(Expected::Anything);
        let put = PutConnector { name: name.to_owned(), config, initial_state: None, existing };
        self.put(put).await
    }

    /// A task set that the worker of the connector generated.
    async fn put_tasks(&mut self, name: &str, tasks: &[Properties]) -> Result<Answer, RequestError> {
        self.require_existing(name)?;
        let target = self.view().config(|state| state.target_state(name));
        if target == Some(TargetState::Stopped) && !tasks.is_empty() {
            return Err(RequestError::BadRequest(format!(
                "Cannot submit non-empty set of task configs for stopped connector {name}"
            )));
        }
        self.write_task_set(&Arc::from(name), tasks).await?;
        Ok(Answer::Done)
    }

    /// No tasks first, then the target state, so that no worker starts tasks of a stopped connector.
    async fn stop(&mut self, name: &str) -> Result<Answer, RequestError> {
        self.require_connector(name, "Unknown connector ")?;
        self.write_task_set(&Arc::from(name), &[]).await?;
        let record = records::target_state(name, TargetState::Stopped);
        self.write(vec![record]).await?;
        Ok(Answer::Done)
    }
}

impl SharedWrite {
    /// Carries it out.
    ///
    /// # Errors
    /// 404 without the connector; 500 when it was not stored in time.
    pub(super) async fn perform(self, store: &dyn Store) -> Result<Answer, RequestError> {
        match self {
            Self::ResetTopics { name } => {
                let topics: Vec<_> = store.view().status(|board| board.topics(&name).cloned().collect());
                for topic in topics {
                    store.write_status(topic_tombstone(&topic, &name));
                }
            }
            Self::SetLogLevel { name, level } => {
                let record = records::log_level(&name, level.as_str());
                store.write_config(vec![record], Barrier::ReadBack).await?;
            }
            Self::SetTarget { name, target } => {
                if !store.view().config(|state| state.config(&name).is_some()) {
                    return Err(RequestError::NotFound(format!("Unknown connector {name}")));
                }
                let record = records::target_state(&name, target);
                store.write_config(vec![record], Barrier::Acknowledged).await?;
            }
        }
        Ok(Answer::Done)
    }
}
