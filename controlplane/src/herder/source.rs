//! What source connectors need besides: settings that only their start checks, and the fencing of tasks that
//! may still be alive.
//!
//! Source: `Worker#startConnector`, `SourceConnectorConfig`, `DistributedHerder#fenceZombieSourceTasks`,
//! KIP-618, Kafka 4.1.

use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::config::ConfigMap;
use lakeward_api::plugin::PluginKind;
use lakeward_api::runtime::{StillWanted, TaskId};
use lakeward_controlplane_core::config_log::records;
use lakeward_kafka::settings::connector_admin;
use lakeward_kafka::transactions::fence_producers;

use super::actor::Actor;
use crate::connector_class::ConnectorClass;
use crate::store::Barrier;
use crate::validation::topic_creation_problem;

impl Actor {
    /// Settings that validation accepts, as Java's does, and that fail the connector when it starts.
    pub(super) fn check_source(&self, name: &str, connector: &ConnectorClass) -> Result<(), ConnectError> {
        if connector.kind() != PluginKind::Source || !self.parts.config.flag("topic.creation.enable") {
            return Ok(());
        }
        let config = self.resolved.get(name).map(|resolved| resolved.properties().to_config_map());
        let config: ConfigMap = config.unwrap_or_default();
        topic_creation_problem(&config).map_or(Ok(()), |problem| Err(ConnectError::config(problem)))
    }

    /// Whether tasks of this connector write in transactions.
    pub(super) fn is_exactly_once(&self, connector: &ConfigMap) -> bool {
        let support = self.parts.config.text("exactly.once.source.support").unwrap_or_default();
        let class = connector.get("connector.class").map(String::as_str).unwrap_or_default();
        let class = ConnectorClass::find(&self.parts.registry, class);
        !self.is_standalone()
            && support.trim().eq_ignore_ascii_case("enabled")
            && class.is_some_and(|class| class.kind() == PluginKind::Source)
    }

    /// Makes sure that no task of an earlier task set writes any more, if that was not done since the set was
    /// written. `connector` is the resolved configuration.
    ///
    /// # Errors
    /// `Retriable` when the brokers do not answer, `Fatal` when another task set was written meanwhile.
    pub(super) async fn fence(&self, name: &str, connector: &ConfigMap) -> Result<(), ConnectError> {
        let store_failed = |err: crate::store::StoreError| ConnectError::retriable(err.to_string());
        self.store.refresh().await.map_err(store_failed)?;
        let known = |state: &mut lakeward_controlplane_core::config_log::ClusterState| {
            let present = state.task_set(name).map_or(0, |set| set.tasks.len());
            (state.pending_fencing(name), present, state.task_generation(name))
        };
        let (pending, present, generation) = self.view().config(known);
        let Some((true, recorded)) = pending else { return Ok(()) };
        // One task fences its only predecessor by taking its transactional id.
        let before = recorded.filter(|before| !(*before == 1 && present == 1));
        if let Some(before) = before {
            let group = self.parts.config.required("group.id");
            let ids: Vec<String> = (0..before).map(|task| format!("{group}-{name}-{task}")).collect();
            tracing::info!(connector = name, count = before, "fencing earlier tasks");
            let admin = connector_admin(self.parts.config.props(), connector);
            fence_producers(&admin, &ids).await?;
            self.store.refresh().await.map_err(store_failed)?;
            if self.view().config(known).2 != generation {
                return Err(ConnectError::fatal(format!(
                    "Fencing failed because new task configurations were generated for the connector {name}"
                )));
            }
        }
        let record = records::task_count(name, present);
        self.store.write_config(vec![record], Barrier::ReadBack).await.map_err(store_failed)
    }

    /// Whether the task set is still the present one, and this worker still leads.
    pub(super) fn still_wanted(&self, id: &TaskId, revision: i64) -> StillWanted {
        let (view, id, role) = (Arc::clone(self.store.view()), id.clone(), self.role);
        let roles = self.roles();
        StillWanted::new(move || {
            let present = view.config(|state| state.task_set(&id.connector).map(|set| set.revision));
            present == Some(revision) && *roles.borrow() == role
        })
    }
}
