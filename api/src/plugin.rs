//! Plugins as the worker knows them: class names, versions, definitions and constructors.

use std::sync::Arc;

use crate::ConnectError;
use crate::config::{ConfigDef, ConfigMap, ConfigValue};
use crate::converter::Converter;
use crate::sink::{SinkTask, SinkTaskContext};

/// Kinds of plugins, in the order in which `GET /connector-plugins` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PluginKind {
    /// `sink`.
    Sink,
    /// `source`.
    Source,
    /// `transformation`.
    Transformation,
    /// `predicate`.
    Predicate,
    /// `converter`.
    Converter,
    /// `header_converter`.
    HeaderConverter,
}

impl PluginKind {
    /// The `type` member of REST answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sink => "sink",
            Self::Source => "source",
            Self::Transformation => "transformation",
            Self::Predicate => "predicate",
            Self::Converter => "converter",
            Self::HeaderConverter => "header_converter",
        }
    }
}

/// A sink connector: stateless; one value serves every connector of its class.
pub trait SinkConnector: Send + Sync {
    /// Java class name.
    fn class(&self) -> &'static str;

    /// Version, as REST answers show it.
    fn version(&self) -> &str;

    /// The connector's own keys.
    fn config_def(&self) -> ConfigDef;

    /// Validates the connector's own keys, with checks that span several of them. Reports all problems.
    fn validate(&self, props: &ConfigMap) -> Vec<ConfigValue> {
        self.config_def().validate(props)
    }

    /// One configuration per task, at most `tasks_max`. An error leaves the connector FAILED without tasks.
    fn task_configs(&self, props: &ConfigMap, tasks_max: u32) -> Result<Vec<ConfigMap>, ConnectError>;

    /// Creates a task. Called on the shard the task will live on; must not block.
    fn new_task(&self, context: SinkTaskContext) -> Result<Box<dyn SinkTask>, ConnectError>;
}

/// What a converter is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConverterRole {
    /// Record keys.
    Key,
    /// Record values.
    Value,
}

/// A converter class.
pub trait ConverterPlugin: Send + Sync {
    /// Java class name.
    fn class(&self) -> &'static str;

    /// Version, as REST answers show it.
    fn version(&self) -> &str;

    /// The converter's own keys, without prefix.
    fn config_def(&self) -> ConfigDef;

    /// Creates an instance from its settings (prefix cut off). `connector` is the whole connector
    /// configuration, for `lakeward.*` keys that describe the data.
    fn new_converter(
        &self,
        role: ConverterRole,
        settings: &ConfigMap,
        connector: &ConfigMap,
    ) -> Result<Box<dyn Converter>, ConnectError>;
}

/// Every plugin of this binary. Built once by the worker.
#[derive(Clone, Default)]
pub struct PluginRegistry {
    sinks: Vec<Arc<dyn SinkConnector>>,
    converters: Vec<Arc<dyn ConverterPlugin>>,
}

impl PluginRegistry {
    /// Adds a sink connector.
    pub fn add_sink(&mut self, sink: Arc<dyn SinkConnector>) {
        self.sinks.push(sink);
        self.sinks.sort_by_key(|sink| sink.class());
    }

    /// Adds a converter.
    pub fn add_converter(&mut self, converter: Arc<dyn ConverterPlugin>) {
        self.converters.push(converter);
        self.converters.sort_by_key(|converter| converter.class());
    }

    /// All sink connectors, by class name.
    pub fn sinks(&self) -> &[Arc<dyn SinkConnector>] {
        &self.sinks
    }

    /// All converters, by class name.
    pub fn converters(&self) -> &[Arc<dyn ConverterPlugin>] {
        &self.converters
    }

    /// The sink connector that `name` stands for: full class name, simple name, or simple name without
    /// `Connector`.
    pub fn sink(&self, name: &str) -> Option<&Arc<dyn SinkConnector>> {
        self.sinks.iter().find(|sink| names_class(sink.class(), name, "Connector"))
    }

    /// The converter that `name` stands for: full class name, simple name, or simple name without
    /// `Converter`.
    pub fn converter(&self, name: &str) -> Option<&Arc<dyn ConverterPlugin>> {
        self.converters.iter().find(|converter| names_class(converter.class(), name, "Converter"))
    }
}

/// True when `name` is `class`, its simple name, or its simple name cut at the kind word.
/// Source: `PluginUtils#prunedName`.
fn names_class(class: &str, name: &str, kind_word: &str) -> bool {
    let simple = class.rsplit('.').next().unwrap_or(class);
    name == class || name == simple || simple.rfind(kind_word).is_some_and(|end| name == &simple[..end])
}

#[cfg(test)]
mod tests {
    use super::names_class;

    #[test]
    fn aliases_are_simple_and_pruned_names() {
        let class = "io.confluent.connect.s3.S3SinkConnector";
        for name in [class, "S3SinkConnector", "S3Sink"] {
            assert!(names_class(class, name, "Connector"), "{name}");
        }
        assert!(!names_class(class, "S3", "Connector"));
    }
}
