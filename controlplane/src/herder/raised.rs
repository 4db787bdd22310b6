//! Failures that connectors raise by themselves some time after their start.
//!
//! Owns when; an instance that is stopped, paused or started again raises nothing any more. Source:
//! `ConnectorContext#raiseError`, `WorkerConnector`, Kafka 4.1.

use std::collections::BTreeMap;
use std::sync::Arc;

use lakeward_api::ConnectError;
use tokio::time::Instant;

use super::actor::Actor;
use crate::connector_class::ConnectorClass;

/// What running connectors will raise, and when.
#[derive(Default)]
pub(super) struct Raised(BTreeMap<Arc<str>, (Instant, ConnectError)>);

impl Raised {
    /// When the next one is raised.
    pub(super) fn due(&self) -> Option<Instant> {
        self.0.values().map(|(due, _)| *due).min()
    }

    /// The instance ended or was paused.
    pub(super) fn forget(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// All instances ended.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    fn take_due(&mut self, now: Instant) -> Vec<(Arc<str>, ConnectError)> {
        let taken = self.0.extract_if(.., |_, (due, _)| *due <= now);
        taken.map(|(name, (_, error))| (name, error)).collect()
    }
}

impl Actor {
    /// Starts a connector that is to run.
    ///
    /// # Errors
    /// What the connector fails with.
    pub(super) fn call_start(&mut self, name: &Arc<str>, class: &ConnectorClass) -> Result<(), ConnectError> {
        self.raised.forget(name);
        let Some(resolved) = self.resolved.get(name) else { return Ok(()) };
        let later = class.start(&resolved.properties().to_config_map())?;
        if let Some((later, due)) = later.and_then(|later| {
            // What the clock cannot name never comes.
            let due = Instant::now().checked_add(later.after)?;
            Some((later, due))
        }) {
            self.raised.0.insert(Arc::clone(name), (due, later.error));
        }
        Ok(())
    }

    /// Fails the connectors whose time has come.
    pub(super) fn fail_raised(&mut self) {
        for (name, error) in self.raised.take_due(Instant::now()) {
            self.fail_connector(&name, &error);
        }
    }
}
