//! Plugins as the worker knows them: class names, versions, definitions and constructors.

use std::sync::Arc;
use std::time::Duration;

use crate::ConnectError;
use crate::bridge::{Bridge, Waker};
use crate::config::{ConfigDef, ConfigMap, ConfigValue};
use crate::converter::{Converter, HeaderConverter};
use crate::record::TopicPartition;
use crate::sink::{SinkTask, SinkTaskContext};
use crate::source::{OffsetsAltered, SourceConnector};
use crate::transform::{Predicate, Transform};

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

/// A failure that a running connector raises by itself: `ConnectorContext#raiseError`.
#[derive(Debug)]
pub struct LaterFailure {
    /// Time from the start on.
    pub after: Duration,
    /// What the status shows.
    pub error: ConnectError,
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

    /// Called when the connector starts or is resumed, before its task configurations are asked for. An
    /// answer is a failure that the connector raises later, as if out of a thread of its own; its tasks go
    /// on.
    ///
    /// # Errors
    /// Leave the connector FAILED without new tasks.
    fn start(&self, _props: &ConfigMap) -> Result<Option<LaterFailure>, ConnectError> {
        Ok(None)
    }

    /// One configuration per task, at most `tasks_max`. An error leaves the connector FAILED without tasks.
    fn task_configs(&self, props: &ConfigMap, tasks_max: u32) -> Result<Vec<ConfigMap>, ConnectError>;

    /// Whether tasks with these properties look at the headers of records. Headers that nobody looks at are
    /// not converted.
    fn uses_headers(&self, _props: &ConfigMap) -> bool {
        false
    }

    /// Creates a task. Called on the shard the task will live on; must not block.
    fn new_task(&self, context: SinkTaskContext) -> Result<Box<dyn SinkTask>, ConnectError>;

    /// Checks offsets that a person wants to commit for the stopped connector (`None` to forget).
    ///
    /// # Errors
    /// What the REST answer says, when the offsets make no sense for this connector.
    fn alter_offsets(
        &self,
        _props: &ConfigMap,
        _offsets: &[(TopicPartition, Option<i64>)],
    ) -> Result<OffsetsAltered, ConnectError> {
        Ok(OffsetsAltered::NotSupported)
    }
}

/// What a converter is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConverterRole {
    /// Record headers.
    Header,
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

    /// Creates an instance.
    ///
    /// # Errors
    /// `Config` when the settings are wrong.
    fn new_converter(&self, context: &ConverterContext<'_>) -> Result<Box<dyn Converter>, ConnectError>;
}

/// What a converter is created from.
#[derive(Clone, Copy)]
pub struct ConverterContext<'a> {
    /// Keys, values or headers.
    pub role: ConverterRole,
    /// The converter's settings, prefix cut off.
    pub settings: &'a ConfigMap,
    /// The whole connector configuration, for `lakeward.*` keys that describe the data.
    pub connector: &'a ConfigMap,
    /// Where requests to a schema registry run; `None` when only settings are checked.
    pub network: Option<&'a Network>,
}

/// Where a plugin's network work runs and how its task learns that it is done.
#[derive(Clone)]
pub struct Network {
    /// Runs the requests.
    pub bridge: Arc<dyn Bridge>,
    /// Wakes the task.
    pub waker: Waker,
}

/// A header converter class.
pub trait HeaderConverterPlugin: Send + Sync {
    /// Java class name.
    fn class(&self) -> &'static str;

    /// Version, as REST answers show it.
    fn version(&self) -> &str;

    /// The converter's own keys, without prefix.
    fn config_def(&self) -> ConfigDef;

    /// Creates an instance.
    ///
    /// # Errors
    /// `Config` when the settings are wrong.
    fn new_converter(&self, context: &ConverterContext<'_>)
    -> Result<Box<dyn HeaderConverter>, ConnectError>;
}

/// A transform class.
pub trait TransformPlugin: Send + Sync {
    /// Java class name (`…$Key` and `…$Value` are classes of their own).
    fn class(&self) -> &'static str;

    /// Version, as REST answers show it.
    fn version(&self) -> &str;

    /// The transform's own keys, without prefix.
    fn config_def(&self) -> ConfigDef;

    /// Creates an instance from its settings, prefix cut off.
    ///
    /// # Errors
    /// `Config` when the settings are wrong, also when they contradict each other.
    fn new_transform(&self, settings: &ConfigMap) -> Result<Box<dyn Transform>, ConnectError>;
}

/// A predicate class.
pub trait PredicatePlugin: Send + Sync {
    /// Java class name.
    fn class(&self) -> &'static str;

    /// Version, as REST answers show it.
    fn version(&self) -> &str;

    /// The predicate's own keys, without prefix.
    fn config_def(&self) -> ConfigDef;

    /// Creates an instance from its settings, prefix cut off.
    ///
    /// # Errors
    /// `Config` when the settings are wrong.
    fn new_predicate(&self, settings: &ConfigMap) -> Result<Box<dyn Predicate>, ConnectError>;
}

/// Every plugin of this binary. Built once by the worker.
#[derive(Clone, Default)]
pub struct PluginRegistry {
    sinks: Vec<Arc<dyn SinkConnector>>,
    sources: Vec<Arc<dyn SourceConnector>>,
    converters: Vec<Arc<dyn ConverterPlugin>>,
    header_converters: Vec<Arc<dyn HeaderConverterPlugin>>,
    transforms: Vec<Arc<dyn TransformPlugin>>,
    predicates: Vec<Arc<dyn PredicatePlugin>>,
}

/// Adds, lists and finds the plugins of one kind. Lists are sorted by class name; a plugin is found by its
/// full class name, its simple name, or its simple name cut at the kind word.
macro_rules! plugin_kind {
    ($list:ident, $trait:ident, $add:ident, $find:ident, $word:literal, $what:literal) => {
        #[doc = concat!("Adds a ", $what, ".")]
        pub fn $add(&mut self, plugin: Arc<dyn $trait>) {
            self.$list.push(plugin);
            self.$list.sort_by_key(|plugin| plugin.class());
        }

        #[doc = concat!("Every ", $what, ", by class name.")]
        pub fn $list(&self) -> &[Arc<dyn $trait>] {
            &self.$list
        }

        #[doc = concat!("The ", $what, " that `name` stands for.")]
        pub fn $find(&self, name: &str) -> Option<&Arc<dyn $trait>> {
            self.$list.iter().find(|plugin| names_class(plugin.class(), name, $word))
        }
    };
}

impl PluginRegistry {
    plugin_kind!(sinks, SinkConnector, add_sink, sink, "Connector", "sink connector");
    plugin_kind!(sources, SourceConnector, add_source, source, "Connector", "source connector");
    plugin_kind!(converters, ConverterPlugin, add_converter, converter, "Converter", "converter");
    plugin_kind!(
        header_converters,
        HeaderConverterPlugin,
        add_header_converter,
        header_converter,
        "HeaderConverter",
        "header converter"
    );
    plugin_kind!(transforms, TransformPlugin, add_transform, transform, "Transformation", "transform");
    plugin_kind!(predicates, PredicatePlugin, add_predicate, predicate, "Predicate", "predicate");
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
