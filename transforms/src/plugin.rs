//! How the transforms and predicates of this crate become plugins.

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigMap};
use lakeward_api::plugin::{PredicatePlugin, TransformPlugin};
use lakeward_api::transform::{Predicate, Transform};

/// The version that Kafka's own transforms report.
pub(crate) const KAFKA_VERSION: &str = "4.1.0";

/// A transform class: its name, its keys and its constructor.
pub(crate) struct TransformClass {
    pub(crate) class: &'static str,
    pub(crate) version: &'static str,
    pub(crate) config_def: fn() -> ConfigDef,
    pub(crate) new: fn(&ConfigMap) -> Result<Box<dyn Transform>, ConnectError>,
}

impl TransformPlugin for TransformClass {
    fn class(&self) -> &'static str {
        self.class
    }

    fn version(&self) -> &str {
        self.version
    }

    fn config_def(&self) -> ConfigDef {
        (self.config_def)()
    }

    fn new_transform(&self, settings: &ConfigMap) -> Result<Box<dyn Transform>, ConnectError> {
        (self.new)(settings)
    }
}

/// A predicate class.
pub(crate) struct PredicateClass {
    pub(crate) class: &'static str,
    pub(crate) config_def: fn() -> ConfigDef,
    pub(crate) new: fn(&ConfigMap) -> Result<Box<dyn Predicate>, ConnectError>,
}

impl PredicatePlugin for PredicateClass {
    fn class(&self) -> &'static str {
        self.class
    }

    fn version(&self) -> &str {
        KAFKA_VERSION
    }

    fn config_def(&self) -> ConfigDef {
        (self.config_def)()
    }

    fn new_predicate(&self, settings: &ConfigMap) -> Result<Box<dyn Predicate>, ConnectError> {
        (self.new)(settings)
    }
}
