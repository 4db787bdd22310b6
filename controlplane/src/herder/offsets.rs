//! Requests about offsets: what the herder checks before brokers are asked, away from its loop.
//!
//! Source: `DistributedHerder#modifyConnectorOffsets`, `AbstractHerder#connectorOffsets`, Kafka 4.1.

use std::sync::Arc;

use lakeward_api::config::ConfigMap;
use lakeward_api::secrets::Secrets;
use lakeward_controlplane_core::Properties;
use lakeward_controlplane_core::config_log::TargetState;
use serde_json::Value;

use super::actor::Actor;
use super::fencing::Waiter;
use super::{Answer, Herder, REQUEST_LIMIT, Reply, RequestError, WorkerParts};
use crate::offsets::{OffsetChange, OffsetsOf};

impl Herder {
    /// ConnectorOffsets. Any worker answers.
    ///
    /// # Errors
    /// 404 for an unknown connector; 500 when a broker does not answer.
    pub(crate) async fn offsets(&self, name: &str) -> Result<Value, RequestError> {
        let raw = self.view().config(|state| state.config(name).cloned());
        let (config, secrets) = resolved(&self.parts, raw.ok_or_else(|| not_found(name))?).await?;
        let listed = OffsetsOf { parts: &self.parts, name, config: &config }.list().await;
        listed.map_err(|err| err.map(|text| secrets.hide(&text).into_owned()))
    }
}

/// A change of offsets that was checked.
pub(super) struct OffsetJob {
    pub(super) name: String,
    config: Arc<ConfigMap>,
    secrets: Secrets,
    change: OffsetChange,
    pub(super) reply: Reply,
}

impl OffsetJob {
    /// Makes the change and answers.
    pub(super) fn spawn(self, parts: WorkerParts) {
        let Self { name, config, secrets, change, reply } = self;
        tokio::spawn(async move {
            let of = OffsetsOf { parts: &parts, name: &name, config: &config };
            let outcome = match tokio::time::timeout(REQUEST_LIMIT, of.change(change)).await {
                Ok(changed) => changed.map_err(|err| err.map(|text| secrets.hide(&text).into_owned())),
                Err(_) => Err(RequestError::Internal(format!(
                    "Timed out while modifying offsets for connector {name}"
                ))),
            };
            drop(reply.send(outcome.map(Answer::Message)));
        });
    }
}

impl Actor {
    /// Checks at once, changes in the background: brokers may take their time, and others wait for the
    /// herder. Tasks that may still write in transactions are fenced before.
    pub(super) async fn modify_offsets(&mut self, name: String, change: OffsetChange, reply: Reply) {
        let found = match self.stopped_connector(&name).await {
            Ok(raw) => resolved(&self.parts, raw).await,
            Err(err) => Err(err),
        };
        let (config, secrets) = match found {
            Ok(found) => found,
            // The client may have gone.
            Err(err) => return drop(reply.send(Err(err))),
        };
        let job = OffsetJob { name, config: Arc::new(config), secrets, change, reply };
        if !self.is_exactly_once(&job.config) {
            return job.spawn(self.parts.clone());
        }
        let (name, config) = (Arc::from(job.name.as_str()), Arc::clone(&job.config));
        self.fence(&name, &config, Waiter::Offsets(job)).await;
    }

    /// The configuration of a connector whose offsets may be changed now.
    async fn stopped_connector(&mut self, name: &str) -> Result<Properties, RequestError> {
        if !self.leads() {
            return Err(RequestError::NotLeader);
        }
        self.store.refresh().await?;
        self.view().config(|state| {
            let config = state.config(name).ok_or_else(|| not_found(name))?;
            let has_tasks = state.task_set(name).is_some_and(|set| !set.tasks.is_empty());
            if state.target_state(name) == Some(TargetState::Stopped) && !has_tasks {
                return Ok(config.clone());
            }
            Err(RequestError::BadRequest(format!(
                "Connectors must be in the STOPPED state before their offsets can be modified. This can be \
                 done for the specified connector by issuing a 'PUT' request to the \
                 '/connectors/{name}/stop' endpoint"
            )))
        })
    }
}

/// The configuration in use, and what texts about it must not show.
pub(super) async fn resolved(
    parts: &WorkerParts,
    raw: Properties,
) -> Result<(ConfigMap, Secrets), RequestError> {
    let resolved = parts.resolve(raw).await.map_err(|err| RequestError::Internal(err.to_string()))?;
    Ok((resolved.properties().to_config_map(), resolved.secrets().clone()))
}

pub(super) fn not_found(name: &str) -> RequestError {
    RequestError::NotFound(format!("Connector {name} not found"))
}
