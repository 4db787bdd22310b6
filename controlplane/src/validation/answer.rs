//! Validation outcomes as REST answers and error texts.
//!
//! Source: `ConfigKeyInfo`, `ConfigInfos`, `AbstractHerder#maybeAddConfigErrors`, Kafka 4.1.

use lakeward_api::config::{ConfigDef, ConfigKey, DefaultValue};
use lakeward_api::plugin::{PluginKind, PluginRegistry};
use serde_json::{Value, json};

use super::{ConfigInfos, classes, common_keys, converters, source};

impl ConfigInfos {
    /// The ConfigInfos answer.
    pub(crate) fn to_json(&self) -> Value {
        let configs: Vec<Value> = self
            .configs
            .iter()
            .map(|info| {
                json!({
                    "definition": info.definition.as_ref().map(config_key_json),
                    "value": {
                        "name": info.value.name,
                        "value": info.value.value,
                        "recommended_values": info.value.recommended_values,
                        "errors": info.value.errors,
                        "visible": info.value.visible,
                    },
                })
            })
            .collect();
        let (name, error_count, groups) = (&self.name, self.error_count, &self.groups);
        json!({ "name": name, "error_count": error_count, "groups": groups, "configs": configs })
    }

    /// The message that refuses a creation; `None` when there is nothing against it.
    pub(crate) fn refusal(&self) -> Option<String> {
        if self.error_count == 0 {
            return None;
        }
        let mut text = format!(
            "Connector configuration is invalid and contains the following {} error(s):",
            self.error_count
        );
        for error in self.configs.iter().flat_map(|info| &info.value.errors) {
            text.push('\n');
            text.push_str(error);
        }
        text.push_str(
            "\nYou can also find the above list of errors at the endpoint \
             `/connector-plugins/{connectorType}/config/validate`",
        );
        Some(text)
    }
}

/// A ConfigKey, members in Java's order.
pub(crate) fn config_key_json(key: &ConfigKey) -> Value {
    let default = match &key.default {
        DefaultValue::Required | DefaultValue::Null => None,
        DefaultValue::Text(text) => Some(match key.kind {
            lakeward_api::config::ConfigType::Password => "[hidden]".to_owned(),
            _ => text.clone(),
        }),
    };
    json!({
        "name": key.name,
        "type": key.kind.as_str(),
        "required": key.default == DefaultValue::Required,
        "default_value": default,
        "importance": key.importance.as_str(),
        "documentation": key.documentation,
        "group": key.group,
        "width": key.width.as_str(),
        "display_name": key.display_name,
        "dependents": key.dependents,
        "order": key.order,
    })
}

/// The class that `name` stands for, and its keys: its own first, then for connectors the common ones it does
/// not define. The default version of a connector is its own.
pub(crate) fn plugin_keys(registry: &PluginRegistry, name: &str) -> Option<(&'static str, ConfigDef)> {
    let plugin = classes::plugin(registry, name)?;
    let with_common = |mut keys: ConfigDef, common: &ConfigDef| {
        keys.extend_missing(common);
        if let Some(key) = keys.key("connector.plugin.version").cloned() {
            keys.define(ConfigKey { default: DefaultValue::Text(plugin.version.to_owned()), ..key });
        }
        keys
    };
    let keys = match plugin.kind {
        PluginKind::Sink => with_common(plugin.keys.clone(), &common_keys::sink_definition()),
        PluginKind::Source => with_common(plugin.keys.clone(), &source::source_definition()),
        PluginKind::Converter | PluginKind::HeaderConverter => converters::converter_keys(&plugin),
        PluginKind::Transformation | PluginKind::Predicate => plugin.keys.clone(),
    };
    Some((plugin.class, keys))
}
