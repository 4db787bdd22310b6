//! Defaults that depend on the worker and its plugins: converters of the worker file, plugin versions.
//!
//! Source: `ConnectorConfig#enrich`, `CachedConnectors`, Kafka 4.1, and answers of a live worker.

use lakeward_api::config::{ConfigDef, ConfigMap, DefaultValue};
use lakeward_api::plugin::SinkConnector;

use super::{SIMPLE_HEADER_CONVERTER, Validator};

impl Validator<'_> {
    /// Fills in what only this worker knows.
    pub(super) fn add_worker_defaults(
        &self,
        sink: &dyn SinkConnector,
        map: &ConfigMap,
        definition: &mut ConfigDef,
    ) {
        set(definition, "connector.plugin.version", Some(sink.version()), vec![sink.version().to_owned()]);
        let mut classes: Vec<String> =
            self.registry.converters().iter().map(|plugin| plugin.class().to_owned()).collect();
        for side in ["key", "value", "header"] {
            let name = format!("{side}.converter");
            if side == "header" {
                classes.push(SIMPLE_HEADER_CONVERTER.to_owned());
                classes.sort();
            }
            let default = self.worker.text(&name).map(|class| self.full_class(class));
            let class = map.get(&name).map(|class| self.full_class(class.trim())).or_else(|| default.clone());
            let version = class.as_deref().and_then(|class| self.converter_version(class));
            set(definition, &name, default.as_deref(), classes.clone());
            let versions = version.iter().map(|version| (*version).to_owned()).collect();
            set(definition, &format!("{name}.plugin.version"), version, versions);
        }
    }

    /// The class that an alias stands for; the text itself when it is none.
    fn full_class(&self, class: &str) -> String {
        self.registry.converter(class).map_or(class, |plugin| plugin.class()).to_owned()
    }

    fn converter_version(&self, class: &str) -> Option<&str> {
        if class == SIMPLE_HEADER_CONVERTER {
            // It comes with the runtime, as the other built-in converters do.
            return self.registry.converters().first().map(|plugin| plugin.version());
        }
        self.registry.converter(class).map(|plugin| plugin.version())
    }
}

fn set(definition: &mut ConfigDef, name: &str, default: Option<&str>, recommended: Vec<String>) {
    let Some(mut key) = definition.key(name).cloned() else { return };
    key.default = default.map_or(DefaultValue::Null, |text| DefaultValue::Text(text.to_owned()));
    key.recommended_values = recommended;
    definition.define(key);
}
