//! Class names in configurations: what they stand for, and what is wrong with them.
//!
//! A name is looked up among the plugins of every kind, so that a class of another kind is refused for what
//! it is. Nested classes (`…$Key`) have no short names.
//!
//! Source: `DelegatingClassLoader`, `Plugins#pluginVersion`, `CachedConnectors`, Kafka 4.1.

use lakeward_api::config::ConfigDef;
use lakeward_api::plugin::{PluginKind, PluginRegistry};

use super::version::Requirement;

/// A plugin as validation sees it.
pub(crate) struct Found<'a> {
    /// Full class name.
    pub(crate) class: &'static str,
    /// Kind; a class that is a converter and a header converter comes once as each.
    pub(crate) kind: PluginKind,
    /// Version.
    pub(crate) version: &'a str,
    /// Its own keys.
    pub(crate) keys: ConfigDef,
}

/// Every plugin, in the order in which `GET /connector-plugins` lists them.
pub(crate) fn all(registry: &PluginRegistry) -> impl Iterator<Item = (&'static str, PluginKind, &str)> {
    let sinks = registry.sinks().iter().map(|one| (one.class(), PluginKind::Sink, one.version()));
    let sources = registry.sources().iter().map(|one| (one.class(), PluginKind::Source, one.version()));
    let transforms =
        registry.transforms().iter().map(|one| (one.class(), PluginKind::Transformation, one.version()));
    let predicates =
        registry.predicates().iter().map(|one| (one.class(), PluginKind::Predicate, one.version()));
    let converters =
        registry.converters().iter().map(|one| (one.class(), PluginKind::Converter, one.version()));
    let headers = registry.header_converters().iter();
    let headers = headers.map(|one| (one.class(), PluginKind::HeaderConverter, one.version()));
    sinks.chain(sources).chain(transforms).chain(predicates).chain(converters).chain(headers)
}

/// The full name of the class that `name` stands for, of whatever kind.
pub(super) fn class(registry: &PluginRegistry, name: &str) -> Option<&'static str> {
    let found = [
        registry.sink(name).map(|one| one.class()),
        registry.source(name).map(|one| one.class()),
        registry.transform(name).map(|one| one.class()),
        registry.predicate(name).map(|one| one.class()),
        registry.converter(name).map(|one| one.class()),
        registry.header_converter(name).map(|one| one.class()),
    ];
    found.into_iter().flatten().find(|class| *class == name || !class.contains('$'))
}

/// The plugin that `name` stands for, looked for as each kind in turn.
pub(crate) fn plugin<'a>(registry: &'a PluginRegistry, name: &str) -> Option<Found<'a>> {
    let class = class(registry, name)?;
    let (_, kind, _) = all(registry).find(|(known, ..)| *known == class)?;
    of_kind(registry, class, kind)
}

/// The plugin with the full name `class`, if there is one of this kind.
pub(super) fn of_kind<'a>(registry: &'a PluginRegistry, class: &str, kind: PluginKind) -> Option<Found<'a>> {
    let (class, _, version) = all(registry).find(|(known, of, _)| (*known, *of) == (class, kind))?;
    let keys = match kind {
        PluginKind::Sink => registry.sink(class)?.config_def(),
        PluginKind::Source => registry.source(class)?.config_def(),
        PluginKind::Transformation => registry.transform(class)?.config_def(),
        PluginKind::Predicate => registry.predicate(class)?.config_def(),
        PluginKind::Converter => registry.converter(class)?.config_def(),
        PluginKind::HeaderConverter => registry.header_converter(class)?.config_def(),
    };
    Some(Found { class, kind, version, keys })
}

/// All classes of one kind, sorted.
pub(super) fn names(registry: &PluginRegistry, wanted: PluginKind) -> Vec<String> {
    all(registry).filter(|(_, kind, _)| *kind == wanted).map(|(class, ..)| class.to_owned()).collect()
}

/// The classes nested in `class`.
pub(super) fn nested(registry: &PluginRegistry, class: &str, wanted: PluginKind) -> Vec<&'static str> {
    let is_nested = |name: &str| name.strip_prefix(class).is_some_and(|rest| rest.starts_with('$'));
    all(registry)
        .filter(|(name, kind, _)| *kind == wanted && class.contains('.') && is_nested(name))
        .map(|(name, ..)| name)
        .collect()
}

/// Why no plugin of `class` meets the requirement `wanted`.
///
/// # Errors
/// The outer one: the requirement itself is wrong. The inner one: no version of the class meets it.
pub(crate) fn check_version(
    registry: &PluginRegistry,
    class: &str,
    wanted: Option<&str>,
) -> Result<Result<(), String>, String> {
    let Some(requirement) = wanted.map(Requirement::parse).transpose()?.flatten() else { return Ok(Ok(())) };
    let versions: Vec<&str> =
        all(registry).filter(|(known, ..)| *known == class).map(|(.., version)| version).collect();
    if versions.iter().any(|version| requirement.allows(version)) {
        return Ok(Ok(()));
    }
    Ok(Err(format!(
        "Plugin {class} not found that matches the version range {requirement}, available versions: [{}]",
        versions.join(", ")
    )))
}

/// The words of a class that does not exist.
pub(super) fn not_found(name: &str, key: &str) -> String {
    format!("Invalid value {name} for configuration {key}: Class {name} could not be found.")
}

/// The words of a class of the wrong kind.
pub(super) fn wrong_kind(class: &str, interface: &str) -> String {
    format!("Class class {class} does not implement the {interface} interface")
}
