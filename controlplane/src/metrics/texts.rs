//! Texts of the groups of connectors and tasks: classes and versions of their plugins.
//!
//! Takes them from the plugins themselves, so that no value of a configuration gets into a label. A plugin
//! that this binary does not have is left out.

use lakeward_api::config::ConfigMap;
use lakeward_api::plugin::PluginRegistry;
use lakeward_controlplane_core::Properties;

use super::{PluginGroup, Texts};
use crate::connector_class::ConnectorClass;
use crate::worker_config::WorkerConfig;

/// A plugin with an alias: the group, the alias, its texts.
pub(crate) type AliasedPlugin = (PluginGroup, String, Texts);

/// `connector-metrics` of a connector.
pub(crate) fn of_connector(connector: &ConnectorClass) -> Texts {
    vec![
        ("connector-class", connector.class().to_owned()),
        ("connector-type", connector.kind().as_str().to_owned()),
        ("connector-version", connector.version().to_owned()),
    ]
}

/// `connector-task-metrics` of a task.
pub(crate) fn of_task(
    registry: &PluginRegistry,
    worker: &WorkerConfig,
    connector: &ConnectorClass,
    task_class: String,
    config: &ConfigMap,
) -> Texts {
    let mut texts = of_connector(connector);
    texts.push(("task-class", task_class));
    texts.push(("task-version", connector.version().to_owned()));
    let class = |key: &str| {
        config.get(key).map(String::as_str).or_else(|| worker.text(key)).unwrap_or_default().trim()
    };
    let converters = [
        ("key.converter", "key-converter-class", "key-converter-version"),
        ("value.converter", "value-converter-class", "value-converter-version"),
    ];
    for (key, class_name, version_name) in converters {
        if let Some(converter) = registry.converter(class(key)) {
            texts.push((class_name, converter.class().to_owned()));
            texts.push((version_name, converter.version().to_owned()));
        }
    }
    if let Some(converter) = registry.header_converter(class("header.converter")) {
        texts.push(("header-converter-class", converter.class().to_owned()));
        texts.push(("header-converter-version", converter.version().to_owned()));
    }
    texts
}

/// The transforms and predicates of a configuration as it was written, before variables are replaced.
pub(crate) fn plugins(registry: &PluginRegistry, raw: &Properties) -> Vec<AliasedPlugin> {
    let aliases = |key: &str| {
        let text = raw.get(key).unwrap_or_default().to_owned();
        lakeward_api::config::parse_list(&text)
    };
    let class = |prefix: &str, alias: &str| raw.get(&format!("{prefix}.{alias}.type")).map(str::trim);
    let mut plugins = Vec::new();
    for alias in aliases("transforms") {
        if let Some(transform) = class("transforms", &alias).and_then(|class| registry.transform(class)) {
            let texts = vec![
                ("transform-class", transform.class().to_owned()),
                ("transform-version", transform.version().to_owned()),
            ];
            plugins.push((PluginGroup::Transform, alias, texts));
        }
    }
    for alias in aliases("predicates") {
        if let Some(predicate) = class("predicates", &alias).and_then(|class| registry.predicate(class)) {
            let texts = vec![
                ("predicate-class", predicate.class().to_owned()),
                ("predicate-version", predicate.version().to_owned()),
            ];
            plugins.push((PluginGroup::Predicate, alias, texts));
        }
    }
    plugins
}
