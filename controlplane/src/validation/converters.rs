//! The converters of a connector: their classes, versions and own keys.
//!
//! Source: `ConnectorConfig`, `AbstractHerder#validateConverterConfig`, Kafka 4.1.

use lakeward_api::config::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, ConfigValue, DefaultValue, Importance, Validator as Check,
};
use lakeward_api::plugin::PluginKind;
use lakeward_controlplane_core::Properties;

use super::classes::{self, Found};
use super::{ConfigInfo, Validator, entry};
use crate::java_text;

/// What a converter converts, and which interface that takes.
struct Side {
    name: &'static str,
    kind: PluginKind,
    interface: &'static str,
}

const KEY: Side = Side { name: "key", kind: PluginKind::Converter, interface: "Converter" };
const VALUE: Side = Side { name: "value", kind: PluginKind::Converter, interface: "Converter" };
const HEADER: Side = Side { name: "header", kind: PluginKind::HeaderConverter, interface: "HeaderConverter" };

impl Side {
    fn key(&self) -> String {
        format!("{}.converter", self.name)
    }

    fn version_key(&self) -> String {
        format!("{}.converter.plugin.version", self.name)
    }
}

impl Validator<'_> {
    /// Fills in what only this worker knows: its converters, versions.
    pub(super) fn add_worker_defaults(
        &self,
        plugin_version: &str,
        props: &Properties,
        definition: &mut ConfigDef,
    ) {
        set(definition, "connector.plugin.version", Some(plugin_version), vec![plugin_version.to_owned()]);
        for side in [KEY, VALUE, HEADER] {
            let default = self.worker_class(&side);
            set(definition, &side.key(), default.as_deref(), classes::names(self.registry, side.kind));
            let is_null = props.contains(&side.key()) && props.get(&side.key()).is_none();
            // The name in use as given, and the plugin that the trimmed name stands for.
            let name = props.get(&side.key()).or(default.as_deref());
            let found = name.and_then(|name| self.found(name, &side));
            let version = found.as_ref().map(|found| found.version);
            let default = version.filter(|_| name.is_some_and(|name| name.trim() == name));
            let offered = version.filter(|_| !is_null).map(str::to_owned).into_iter().collect();
            set(definition, &side.version_key(), default, offered);
        }
    }

    /// Converter classes must be there and fit; an absent one shows the worker's.
    pub(super) fn check_converters(&self, props: &Properties, values: &mut [ConfigValue]) {
        for side in [KEY, VALUE, HEADER] {
            let key = side.key();
            let value = entry(values, &key);
            if !props.contains(&key) {
                value.value = self.worker_class(&side);
            } else if let Some(name) = props.get(&key) {
                let class = classes::class(self.registry, name.trim());
                value.value = class.map(str::to_owned);
                value.errors.extend(self.class_problem(&side, name, class));
            }
            let has_class = value.value.is_some();
            let wanted = props.get(&side.version_key());
            let plugin = props.get(&key).and_then(|name| self.found(name, &side));
            let class = plugin.as_ref().map_or("", |plugin| plugin.class);
            let version = classes::check_version(self.registry, class, wanted);
            if let (Some(_), Ok(Err(problem))) = (&plugin, &version) {
                entry(values, &key).errors.push(problem.clone());
            }
            let value = entry(values, &side.version_key());
            value.visible = has_class;
            match version {
                Err(problem) => value.errors.push(problem),
                Ok(Err(problem)) if plugin.is_some() => value.errors.push(problem),
                Ok(_) => {}
            }
        }
    }

    /// The keys of converters the connector sets itself and that can be made.
    pub(super) fn converters(&self, props: &Properties) -> Vec<ConfigInfo> {
        let mut infos = Vec::new();
        for side in [HEADER, KEY, VALUE] {
            let Some(name) = props.get(&side.key()).filter(|name| name.trim() == *name) else { continue };
            let Some(plugin) = self.found(name, &side) else { continue };
            let wanted = props.get(&side.version_key());
            let is_null = wanted.is_none() && props.contains(&side.version_key());
            if is_null || classes::check_version(self.registry, plugin.class, wanted) != Ok(Ok(())) {
                continue;
            }
            let prefix = format!("{}.", side.key());
            let mut settings = settings(props, &prefix);
            settings.entry(TYPE.to_owned()).or_insert_with(|| side.name.to_owned());
            let definition = converter_keys(&plugin);
            let mut keys: Vec<&ConfigKey> = definition.keys().iter().collect();
            java_text::hash_order(&mut keys, |key| &key.name);
            for key in keys {
                let name = format!("{prefix}{}", key.name);
                let mut value = key.validate(settings.get(&key.name).map(String::as_str));
                if key.name != TYPE && props.contains(&name) && props.get(&name).is_none() {
                    value.value = None;
                    value.errors = key.null_problem().into_iter().collect();
                }
                value.name = name;
                let definition = ConfigKey { name: value.name.clone(), ..key.clone() };
                infos.push(ConfigInfo { definition: Some(definition), value });
            }
        }
        infos
    }

    fn class_problem(&self, side: &Side, name: &str, class: Option<&str>) -> Option<String> {
        let Some(class) = class else { return Some(classes::not_found(name, &side.key())) };
        if classes::of_kind(self.registry, class, side.kind).is_none() {
            return Some(classes::wrong_kind(class, side.interface));
        }
        (name.trim() != name).then(|| format!("Failed to load class {name}: {name}"))
    }

    fn found(&self, name: &str, side: &Side) -> Option<Found<'_>> {
        let class = classes::class(self.registry, name.trim())?;
        classes::of_kind(self.registry, class, side.kind)
    }

    /// The full name of the worker's own class; the text itself when it stands for none.
    fn worker_class(&self, side: &Side) -> Option<String> {
        let name = self.worker.text(&side.key())?;
        Some(classes::class(self.registry, name).unwrap_or(name).to_owned())
    }
}

const TYPE: &str = "converter.type";

/// The keys of a converter, with the one that says what it converts.
pub(super) fn converter_keys(plugin: &Found<'_>) -> ConfigDef {
    const PACKAGES: [&str; 3] = [
        "org.apache.kafka.connect.converters.",
        "org.apache.kafka.connect.json.",
        "org.apache.kafka.connect.storage.StringConverter",
    ];
    // A matter of each class in Java; all converters of Kafka but `SimpleHeaderConverter` have it.
    if !PACKAGES.iter().any(|package| plugin.class.starts_with(package)) {
        return plugin.keys.clone();
    }
    let mut keys = ConfigDef::new(vec![ConfigKey {
        documentation: "How this converter will be used.".to_owned(),
        validator: Check::OneOf(&["key", "value", "header"]),
        ..ConfigKey::new(TYPE, ConfigType::String, DefaultValue::Required, Importance::Low)
    }]);
    keys.extend_missing(&plugin.keys);
    keys
}

fn settings(props: &Properties, prefix: &str) -> ConfigMap {
    props
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix(prefix)?.to_owned(), value?.to_owned())))
        .collect()
}

fn set(definition: &mut ConfigDef, name: &str, default: Option<&str>, recommended: Vec<String>) {
    let Some(mut key) = definition.key(name).cloned() else { return };
    key.default = default.map_or(DefaultValue::Null, |text| DefaultValue::Text(text.to_owned()));
    key.recommended_values = recommended;
    definition.define(key);
}
