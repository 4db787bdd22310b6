//! Configurations with their variables replaced, away from the async threads: files may be slow.
//!
//! Owns the limit on that. Source: `WorkerConfigTransformer`, `AbstractHerder#validateConnectorConfig`, Kafka
//! 4.1.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use lakeward_api::runtime::{TaskEvent, TaskListener};
use lakeward_api::secrets::Secrets;
use lakeward_api::{ConnectError, ErrorClass};
use lakeward_controlplane_core::Properties;

use super::{RequestError, WorkerParts};
use crate::config_providers::Resolved;
use crate::validation::{ConfigInfos, Validator};

/// The herder does nothing else meanwhile; a network file system may hang for ever.
const RESOLVE_LIMIT: Duration = Duration::from_secs(30);

impl WorkerParts {
    /// `raw` with its variables replaced.
    ///
    /// # Errors
    /// Class `Config` when a provider cannot read its source; `Retriable` when it takes too long.
    pub(crate) async fn resolve(&self, raw: Properties) -> Result<Resolved, ConnectError> {
        let providers = Arc::clone(self.config.providers());
        if !providers.concern(&raw) {
            return Ok(Resolved::literal(raw));
        }
        let resolving = tokio::task::spawn_blocking(move || providers.resolve(&raw));
        match tokio::time::timeout(RESOLVE_LIMIT, resolving).await {
            Ok(Ok(resolved)) => resolved,
            Ok(Err(_)) => Err(ConnectError::fatal("The configuration provider panicked")),
            Err(_) => Err(ConnectError::retriable(format!(
                "The configuration providers did not answer within {} s; check the file systems they read",
                RESOLVE_LIMIT.as_secs()
            ))),
        }
    }

    /// Validates a configuration as it was given.
    ///
    /// # Errors
    /// 400 without a known class; 500 when a provider fails or a connector panics.
    pub(crate) async fn validate(&self, raw: Properties) -> Result<ConfigInfos, RequestError> {
        let resolved = self.resolve(raw).await.map_err(|err| match err.class() {
            ErrorClass::Config => RequestError::Config(err.to_string()),
            _ => RequestError::Internal(err.to_string()),
        })?;
        let parts = self.clone();
        let validated = tokio::task::spawn_blocking(move || {
            Validator { registry: &parts.registry, worker: &parts.config }.validate_resolved(&resolved)
        });
        validated
            .await
            .map_err(|_| RequestError::Internal("The validation of the connector panicked.".to_owned()))?
    }
}

/// `listener` with the traces of failures shown as `secrets` allows.
pub(super) fn hiding(listener: TaskListener, secrets: Secrets) -> TaskListener {
    if secrets.is_empty() {
        return listener;
    }
    Arc::new(move |event| {
        listener(match event {
            TaskEvent::Failed { id, trace } => {
                TaskEvent::Failed { id, trace: secrets.hide(&trace).into_owned() }
            }
            event => event,
        });
    })
}
