//! What source connectors need besides: settings that only their start checks, and the question whether a
//! task is still to be started.
//!
//! Source: `Worker#startConnector`, `SourceConnectorConfig`, KIP-618, Kafka 4.1.

use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::config::ConfigMap;
use lakeward_api::plugin::PluginKind;
use lakeward_api::runtime::{StillWanted, TaskId};

use super::actor::Actor;
use crate::connector_class::ConnectorClass;
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
