//! A connector class of either kind, as far as the control plane asks both the same.

use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigValue};
use lakeward_api::plugin::{LaterFailure, PluginKind, PluginRegistry, SinkConnector};
use lakeward_api::source::SourceConnector;

/// A sink or a source connector.
#[derive(Clone)]
pub(crate) enum ConnectorClass {
    /// Takes records out of topics.
    Sink(Arc<dyn SinkConnector>),
    /// Puts records into topics.
    Source(Arc<dyn SourceConnector>),
}

impl ConnectorClass {
    /// The connector that `name` stands for.
    pub(crate) fn find(registry: &PluginRegistry, name: &str) -> Option<Self> {
        let name = name.trim();
        let sink = registry.sink(name).map(|sink| Self::Sink(Arc::clone(sink)));
        sink.or_else(|| registry.source(name).map(|source| Self::Source(Arc::clone(source))))
    }

    /// Its kind.
    pub(crate) fn kind(&self) -> PluginKind {
        match self {
            Self::Sink(_) => PluginKind::Sink,
            Self::Source(_) => PluginKind::Source,
        }
    }

    /// Full class name.
    pub(crate) fn class(&self) -> &'static str {
        match self {
            Self::Sink(sink) => sink.class(),
            Self::Source(source) => source.class(),
        }
    }

    /// Version.
    pub(crate) fn version(&self) -> &str {
        match self {
            Self::Sink(sink) => sink.version(),
            Self::Source(source) => source.version(),
        }
    }

    /// Its own keys.
    pub(crate) fn config_def(&self) -> ConfigDef {
        match self {
            Self::Sink(sink) => sink.config_def(),
            Self::Source(source) => source.config_def(),
        }
    }

    /// Its own checks.
    pub(crate) fn validate(&self, props: &ConfigMap) -> Vec<ConfigValue> {
        match self {
            Self::Sink(sink) => sink.validate(props),
            Self::Source(source) => source.validate(props),
        }
    }

    /// Starts it: see [`SinkConnector::start`].
    ///
    /// # Errors
    /// What the connector fails with.
    pub(crate) fn start(&self, props: &ConfigMap) -> Result<Option<LaterFailure>, ConnectError> {
        match self {
            Self::Sink(sink) => sink.start(props),
            Self::Source(source) => source.start(props),
        }
    }

    /// Its task configurations.
    ///
    /// # Errors
    /// What the connector fails with.
    pub(crate) fn task_configs(
        &self,
        props: &ConfigMap,
        tasks_max: u32,
    ) -> Result<Vec<ConfigMap>, ConnectError> {
        match self {
            Self::Sink(sink) => sink.task_configs(props, tasks_max),
            Self::Source(source) => source.task_configs(props, tasks_max),
        }
    }
}
