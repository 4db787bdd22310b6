//! Validation of connector configurations and the answers about it.
//!
//! Owns the common checks (names, classes, topics, transforms, client overrides, converters) around the
//! connector's own. What this milestone cannot do (dead letter queues) is an error here, never ignored.
//!
//! Source: `AbstractHerder#validateConnectorConfig`, `SinkConnectorConfig#validate`, Kafka 4.1.

mod answer;
mod chains;
mod classes;
mod client_classes;
mod client_overrides;
mod common_keys;
mod converters;
mod source;
#[cfg(test)]
mod tests;
mod version;

use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, ConfigValue, parse_list};
use lakeward_api::plugin::{PluginKind, PluginRegistry};
use lakeward_controlplane_core::Properties;
use lakeward_transforms::JavaRegex;

pub(crate) use answer::{config_key_json, plugin_keys};
pub(crate) use classes::{all as all_plugins, check_version};
pub(crate) use source::topic_creation_problem;

use crate::config_providers::Resolved;
use crate::connector_class::ConnectorClass;
use crate::herder::RequestError;
use crate::java_text;
use crate::worker_config::{WorkerConfig, WorkerMode, healing};

/// One key of an answer: its definition, if any, and its outcome.
#[derive(Clone, Debug)]
pub(crate) struct ConfigInfo {
    definition: Option<ConfigKey>,
    value: ConfigValue,
}

/// The outcome of a validation.
#[derive(Clone, Debug)]
pub(crate) struct ConfigInfos {
    name: String,
    error_count: usize,
    groups: Vec<String>,
    configs: Vec<ConfigInfo>,
}

/// What validation knows besides the configuration itself.
pub(crate) struct Validator<'a> {
    /// Plugins of this binary.
    pub(crate) registry: &'a PluginRegistry,
    /// The worker's settings.
    pub(crate) worker: &'a WorkerConfig,
}

impl Validator<'_> {
    /// Validates a connector configuration whose variables were replaced; the answer shows the variables.
    ///
    /// # Errors
    /// As [`Validator::validate`].
    pub(crate) fn validate_resolved(&self, resolved: &Resolved) -> Result<ConfigInfos, RequestError> {
        match self.validate(resolved.properties()) {
            Ok(infos) => Ok(infos.hiding(resolved)),
            Err(err) => Err(err.map(|text| resolved.hide(&text))),
        }
    }

    /// Validates a connector configuration, with all problems of all keys.
    ///
    /// # Errors
    /// 400 when there is no class, or none of that name; 500 for a client override that cannot be parsed.
    fn validate(&self, props: &Properties) -> Result<ConfigInfos, RequestError> {
        let class = props.get("connector.class").ok_or_else(|| {
            let mut entries: Vec<_> = props.iter().collect();
            java_text::copy_order(&mut entries, |(name, _)| name);
            let owned = |(name, value): (&str, Option<&str>)| (name.to_owned(), value.map(str::to_owned));
            let text = entries.into_iter().map(owned).collect::<Properties>().to_java_text();
            RequestError::BadRequest(format!("Connector config {text} contains no connector type"))
        })?;
        let connector =
            ConnectorClass::find(self.registry, class).ok_or_else(|| self.unknown_class(class))?;
        let version =
            classes::check_version(self.registry, connector.class(), props.get("connector.plugin.version"));
        let version = version.map_err(RequestError::BadRequest)?;
        let map = props.to_config_map();
        let mut definition = match connector {
            ConnectorClass::Sink(_) => common_keys::sink_definition(),
            ConnectorClass::Source(_) => source::source_definition(),
        };
        self.add_worker_defaults(connector.version(), props, &mut definition);
        let chains = chains::enrich(self.registry, props, &mut definition);
        let mut values = definition.validate(&map);
        show_nulls(props, &definition, &mut values);
        for name in ["connector.class", "connector.plugin.version"] {
            entry(&mut values, name).errors.extend(version.clone().err());
        }
        self.check_converters(props, &mut values);
        chains.apply(&map, &mut values);
        match &connector {
            ConnectorClass::Sink(_) => {
                check_topics(&map, &mut values);
                self.check_groups(&map, &mut values);
            }
            ConnectorClass::Source(source) => self.check_exactly_once(&**source, &map, &mut values),
        }
        let own = connector.config_def();
        add_connector_part(&connector, &map, &mut values);
        show_own_nulls(props, &definition, &own, &mut values);
        definition.extend_missing(&own);
        for (name, problem) in healing::connector_problems(&map) {
            add_error(&mut values, &name, &map, problem);
        }
        add_null_errors(props, &own, &mut values);

        let mut infos = arrange(class, &definition, values);
        infos.add_part(match connector {
            ConnectorClass::Sink(_) => self.sink_overrides(props)?,
            ConnectorClass::Source(_) => self.source_overrides(props)?,
        });
        infos.add_part(self.converters(props));
        Ok(infos)
    }

    fn unknown_class(&self, class: &str) -> RequestError {
        let known = |(class, kind, version): (&str, PluginKind, &str)| {
            let kind = kind.as_str();
            format!(
                "PluginDesc{{klass=class {class}, name='{class}', version='{version}', \
                 encodedVersion={version}, type={kind}, typeName='{kind}', location='classpath'}}"
            )
        };
        let is_connector = |kind: &PluginKind| matches!(kind, PluginKind::Sink | PluginKind::Source);
        let connectors = classes::all(self.registry).filter(|(_, kind, _)| is_connector(kind));
        let known: Vec<String> = connectors.map(known).collect();
        RequestError::BadRequest(format!(
            "Failed to find any class that implements Connector and which name matches {class}, available \
             connectors are: {}",
            known.join(", ")
        ))
    }

    /// A sink must not share the worker's group.
    fn check_groups(&self, map: &ConfigMap, values: &mut Vec<ConfigValue>) {
        if self.worker.mode() == WorkerMode::Standalone {
            return;
        }
        let worker_group = self.worker.required("group.id");
        let name = map.get("name").map(String::as_str).unwrap_or_default();
        let (key, group) = match map.get("consumer.override.group.id") {
            Some(group) => {
                // Java shows an override of the group among the keys without definition, too.
                let name = "consumer.override.group.id";
                values.push(shown(name, Some(group)));
                (name, group.clone())
            }
            None => ("name", format!("connect-{name}")),
        };
        if group == worker_group {
            add_error(
                values,
                key,
                map,
                format!("Consumer group {group} conflicts with Connect worker group {group}"),
            );
        }
    }
}

impl ConfigInfos {
    /// The same answer with variables in place of what came from a provider. Java shows the values.
    fn hiding(mut self, resolved: &Resolved) -> Self {
        if resolved.secrets().is_empty() {
            return self;
        }
        for info in &mut self.configs {
            let is_password = info.definition.as_ref().is_some_and(|key| key.kind == ConfigType::Password);
            let value = &mut info.value;
            value.value = match (value.value.take(), resolved.raw(&value.name)) {
                (Some(_), Some(raw)) if !is_password => Some(raw.to_owned()),
                (value, None) => value.map(|value| resolved.hide(&value)),
                (value, Some(_)) => value,
            };
            for text in value.errors.iter_mut().chain(&mut value.recommended_values) {
                *text = resolved.hide(text);
            }
        }
        self
    }

    /// Parts besides the connector's own count keys with errors, not errors.
    fn add_part(&mut self, part: Vec<ConfigInfo>) {
        self.error_count += part.iter().filter(|info| !info.value.errors.is_empty()).count();
        for group in part.iter().filter_map(|info| info.definition.as_ref()?.group.as_ref()) {
            if !self.groups.contains(group) {
                self.groups.push(group.clone());
            }
        }
        self.configs.extend(part);
    }
}

/// The outcomes of the connector's own keys and checks.
fn add_connector_part(connector: &ConnectorClass, map: &ConfigMap, values: &mut Vec<ConfigValue>) {
    for own in connector.validate(map) {
        match values.iter_mut().find(|value| value.name == own.name) {
            // A key both define keeps its value; what the connector has against it is added.
            Some(known) => {
                let news: Vec<String> =
                    own.errors.into_iter().filter(|error| !known.errors.contains(error)).collect();
                known.errors.extend(news);
                if !own.recommended_values.is_empty() {
                    known.recommended_values = own.recommended_values;
                }
            }
            None => values.push(own),
        }
    }
}

fn check_topics(map: &ConfigMap, values: &mut Vec<ConfigValue>) {
    let filled = |name: &str| map.get(name).is_some_and(|text| !text.trim().is_empty());
    let problem = match (filled("topics"), filled("topics.regex")) {
        (true, true) => "topics and topics.regex are mutually exclusive options, but both are set.",
        (false, false) => "Must configure one of topics or topics.regex",
        _ => "",
    };
    if !problem.is_empty() {
        add_error(values, "topics", map, problem.to_owned());
        add_error(values, "topics.regex", map, problem.to_owned());
    }
    let dlq = map.get("errors.deadletterqueue.topic.name").map(|name| name.trim()).unwrap_or_default();
    if dlq.is_empty() {
        return;
    }
    let topics = parse_list(map.get("topics").map(String::as_str).unwrap_or_default());
    if topics.iter().any(|topic| topic == dlq) {
        let problem = format!(
            "The DLQ topic '{dlq}' may not be included in the list of topics ('topics=[{}]') consumed by the \
             connector",
            topics.join(", ")
        );
        add_error(values, "topics", map, problem);
    }
    let regex = map.get("topics.regex").map(String::as_str).unwrap_or_default();
    // A pattern that cannot be read is an error of its own.
    let is_matched = || JavaRegex::new(regex).is_ok_and(|regex| regex.matches(dlq).unwrap_or(false));
    if !regex.is_empty() && is_matched() {
        let problem = format!(
            "The DLQ topic '{dlq}' may not be matched by the regex for the topics ('topics.regex={regex}') \
             consumed by the connector"
        );
        add_error(values, "topics.regex", map, problem);
    }
}

/// Null is refused, except for the connector's `own` keys: what it says of them is all there is, as in Java.
fn add_null_errors(props: &Properties, own: &ConfigDef, values: &mut Vec<ConfigValue>) {
    let mut entries: Vec<_> = props.iter().collect();
    java_text::copy_order(&mut entries, |(name, _)| name);
    let is_refused = |(name, value): &(&str, Option<&str>)| value.is_none() && own.key(name).is_none();
    for (name, _) in entries.into_iter().filter(is_refused) {
        let problem = "Null value can not be supplied as the configuration value.".to_owned();
        add_error(values, name, &ConfigMap::new(), problem);
    }
}

/// A key that is given as null has no value, not its default; some checks of values are against that.
fn show_nulls(props: &Properties, definition: &ConfigDef, values: &mut [ConfigValue]) {
    for (name, _) in props.iter().filter(|(_, value)| value.is_none()) {
        let Some(key) = definition.key(name) else { continue };
        let value = entry(values, name);
        value.value = None;
        value.errors = key.null_problem().into_iter().collect();
    }
}

/// As [`show_nulls`] for keys that only the connector defines; what else it has against them stays.
fn show_own_nulls(props: &Properties, common: &ConfigDef, own: &ConfigDef, values: &mut [ConfigValue]) {
    for key in own.keys().iter().filter(|key| common.key(&key.name).is_none()) {
        let is_null = props.contains(&key.name) && props.get(&key.name).is_none();
        let shown = values.iter_mut().find(|value| value.name == key.name).filter(|_| is_null);
        let Some(value) = shown else { continue };
        let of_absent = key.validate(None).errors;
        value.value = None;
        value.errors.retain(|error| !of_absent.contains(error));
        value.errors.splice(0..0, key.null_problem());
    }
}

fn add_error(values: &mut Vec<ConfigValue>, name: &str, map: &ConfigMap, problem: String) {
    if !values.iter().any(|value| value.name == name) {
        values.push(shown(name, map.get(name).map(String::as_str)));
    }
    entry(values, name).errors.push(problem);
}

fn entry<'a>(values: &'a mut [ConfigValue], name: &str) -> &'a mut ConfigValue {
    values.iter_mut().find(|value| value.name == name).expect("the key is defined or was added")
}

fn shown(name: &str, value: Option<&str>) -> ConfigValue {
    ConfigValue {
        name: name.to_owned(),
        value: value.map(str::to_owned),
        recommended_values: Vec::new(),
        errors: Vec::new(),
        visible: true,
    }
}

/// Keys without definition first, then the definition's order.
fn arrange(class: &str, definition: &ConfigDef, values: Vec<ConfigValue>) -> ConfigInfos {
    let (known, unknown): (Vec<_>, Vec<_>) =
        values.into_iter().partition(|value| definition.key(&value.name).is_some());
    let error_count = known.iter().chain(&unknown).map(|value| value.errors.len()).sum();
    let mut configs: Vec<ConfigInfo> =
        unknown.into_iter().map(|value| ConfigInfo { definition: None, value }).collect();
    for key in definition.keys() {
        if let Some(value) = known.iter().find(|value| value.name == key.name) {
            configs.push(ConfigInfo { definition: Some(key.clone()), value: value.clone() });
        }
    }
    let mut groups: Vec<String> =
        ["Common", "Transforms", "Predicates", "Error Handling"].map(str::to_owned).to_vec();
    for group in definition.keys().iter().filter_map(|key| key.group.as_ref()) {
        if !groups.contains(group) {
            groups.push(group.clone());
        }
    }
    ConfigInfos { name: class.to_owned(), error_count, groups, configs }
}
