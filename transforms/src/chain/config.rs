//! Builds the chain from a connector's configuration, with the errors of Kafka Connect.

use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, Validator, parse_list};
use lakeward_api::plugin::{PluginRegistry, PredicatePlugin};
use lakeward_api::transform::{Predicate, Transform};
use lakeward_api::{ConnectError, ErrorClass};

use super::{Chain, Stage, Test};

/// Keys of `transforms.<alias>.` that do not belong to the transform.
const RESERVED: [&str; 4] = ["type", "predicate", "negate", "plugin.version"];

impl Chain {
    /// The chain that `connector` configures, with the classes of `registry`.
    ///
    /// # Errors
    /// `Config`: an unknown class or predicate, wrong or missing settings, duplicate aliases. Problems that
    /// only constructors find are wrapped in a `ConnectException`, as Kafka Connect does.
    pub fn from_config(connector: &ConfigMap, registry: &PluginRegistry) -> Result<Self, ConnectError> {
        let transforms = aliases(connector, "transforms")?;
        let predicates = aliases(connector, "predicates")?;
        for alias in &transforms {
            check_transform(connector, alias, registry)?;
        }
        for alias in &predicates {
            check_predicate(connector, alias, registry)?;
        }
        let stages = transforms
            .iter()
            .map(|alias| stage(connector, alias, &predicates, registry))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { stages })
    }
}

fn aliases(connector: &ConfigMap, key: &str) -> Result<Vec<String>, ConnectError> {
    let aliases = connector.get(key).map(|text| parse_list(text)).unwrap_or_default();
    let is_repeated = (1..aliases.len()).any(|at| aliases[..at].contains(&aliases[at]));
    if is_repeated {
        let shown = aliases.join(", ");
        return Err(ConnectError::config(format!(
            "Invalid value [{shown}] for configuration {key}: Duplicate alias provided."
        )));
    }
    Ok(aliases)
}

fn check_transform(
    connector: &ConfigMap,
    alias: &str,
    registry: &PluginRegistry,
) -> Result<(), ConnectError> {
    let prefix = format!("transforms.{alias}.");
    let type_key = format!("{prefix}type");
    let name = class_name(connector, &type_key, "Transformation")?;
    let Some(plugin) = registry.transform(name).filter(|plugin| is_known_as(plugin.class(), name)) else {
        return Err(unknown_transform(&type_key, name, registry));
    };
    check_version(connector, &prefix, plugin.class(), plugin.version())?;
    check_settings(connector, &prefix, &plugin.config_def())?;
    check_negate(connector, &prefix)
}

/// `negate` is a BOOLEAN and needs a predicate.
fn check_negate(connector: &ConfigMap, prefix: &str) -> Result<(), ConnectError> {
    let name = format!("{prefix}negate");
    let Some(text) = connector.get(&name).map(|text| text.trim()) else { return Ok(()) };
    if !connector.contains_key(&format!("{prefix}predicate")) {
        return Err(ConnectError::config(format!(
            "Config '{name}' was provided but there is no config '{prefix}predicate' defining a predicate to \
             be negated."
        )));
    }
    if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
        return Ok(());
    }
    Err(ConnectError::config(format!(
        "Invalid value {text} for configuration {name}: Expected value to be either true or false"
    )))
}

fn check_predicate(
    connector: &ConfigMap,
    alias: &str,
    registry: &PluginRegistry,
) -> Result<(), ConnectError> {
    let prefix = format!("predicates.{alias}.");
    let type_key = format!("{prefix}type");
    let name = class_name(connector, &type_key, "Predicate")?;
    let Some(plugin) = registry.predicate(name) else {
        if let Some(other) = registry.transform(name) {
            return Err(wrong_interface(other.class(), "Predicate"));
        }
        return Err(unknown_class(&type_key, name));
    };
    check_version(connector, &prefix, plugin.class(), plugin.version())?;
    check_settings(connector, &prefix, &plugin.config_def())
}

fn class_name<'a>(connector: &'a ConfigMap, key: &str, what: &str) -> Result<&'a str, ConnectError> {
    connector.get(key).map(|text| text.trim()).ok_or_else(|| {
        ConnectError::config(format!("Invalid value null for configuration {key}: Not a {what}"))
    })
}

/// Nested classes (`…$Key`) have no short names.
fn is_known_as(class: &str, name: &str) -> bool {
    class == name || !class.contains('$')
}

fn unknown_transform(key: &str, name: &str, registry: &PluginRegistry) -> ConnectError {
    if let Some(predicate) = registry.predicate(name) {
        return wrong_interface(predicate.class(), "Transformation");
    }
    let nested = |plugin: &&str| plugin.strip_prefix(name).is_some_and(|rest| rest.starts_with('$'));
    let nested: Vec<_> = registry.transforms().iter().map(|plugin| plugin.class()).filter(nested).collect();
    if nested.is_empty() || !name.contains('.') {
        return unknown_class(key, name);
    }
    let nested = nested.join(", ");
    ConnectError::config(format!("This class is abstract and cannot be created. Did you mean {nested}?"))
}

fn unknown_class(key: &str, name: &str) -> ConnectError {
    ConnectError::config(format!(
        "Invalid value {name} for configuration {key}: Class {name} could not be found."
    ))
}

fn wrong_interface(class: &str, what: &str) -> ConnectError {
    ConnectError::config(format!("Class class {class} does not implement the {what} interface"))
}

/// A plain version is a hard requirement; what a range allows is left to the validation of the connector.
fn check_version(
    connector: &ConfigMap,
    prefix: &str,
    class: &str,
    available: &str,
) -> Result<(), ConnectError> {
    let Some(wanted) = connector.get(&format!("{prefix}plugin.version")).map(|text| text.trim()) else {
        return Ok(());
    };
    let is_plain = !wanted.is_empty() && !wanted.contains(['[', '(', ',', ')', ']']) && wanted != "latest";
    if !is_plain || wanted == available {
        return Ok(());
    }
    Err(ConnectError::new(
        ErrorClass::Config,
        "org.apache.kafka.connect.runtime.isolation.VersionedPluginLoadingException",
        format!(
            "Plugin {class} not found that matches the version range [{wanted},{wanted}], available \
             versions: [{available}]"
        ),
    ))
}

/// Checks a plugin's settings. Problems of type and presence name the whole key, those of validators the
/// plugin's own name of it: that is how Kafka embeds definitions.
fn check_settings(connector: &ConfigMap, prefix: &str, def: &ConfigDef) -> Result<(), ConnectError> {
    for key in def.keys() {
        let name = format!("{prefix}{}", key.name);
        let given = connector.get(&name).map(String::as_str);
        let typed = ConfigKey { name, validator: Validator::Any, ..key.clone() };
        for key in [&typed, key] {
            if let Some(problem) = key.validate(given).errors.into_iter().next() {
                return Err(ConnectError::config(problem));
            }
        }
    }
    Ok(())
}

fn stage(
    connector: &ConfigMap,
    alias: &str,
    predicates: &[String],
    registry: &PluginRegistry,
) -> Result<Stage, ConnectError> {
    let prefix = format!("transforms.{alias}.");
    let type_key = format!("{prefix}type");
    let name = class_name(connector, &type_key, "Transformation")?;
    let plugin = registry.transform(name).ok_or_else(|| unknown_class(&type_key, name))?;
    let transform: Box<dyn Transform> =
        plugin.new_transform(&settings(connector, &prefix)).map_err(|err| wrapped(err, 1))?;
    let predicate = match connector.get(&format!("{prefix}predicate")) {
        None => None,
        Some(predicate) => {
            let negate = connector.get(&format!("{prefix}negate"));
            let negate = negate.is_some_and(|text| text.trim().eq_ignore_ascii_case("true"));
            let predicate = self::predicate(connector, predicate, predicates, registry)?;
            Some(Test { predicate, negate })
        }
    };
    Ok(Stage { class: plugin.class(), transform, predicate })
}

fn predicate(
    connector: &ConfigMap,
    alias: &str,
    predicates: &[String],
    registry: &PluginRegistry,
) -> Result<Box<dyn Predicate>, ConnectError> {
    let prefix = format!("predicates.{alias}.");
    let plugin: Option<&dyn PredicatePlugin> = predicates
        .iter()
        .any(|known| known == alias)
        .then(|| connector.get(&format!("{prefix}type")))
        .flatten()
        .and_then(|name| registry.predicate(name.trim()))
        .map(AsRef::as_ref);
    let Some(plugin) = plugin else {
        let err = ConnectError::config(format!("Unknown configuration '{prefix}plugin.version'"));
        return Err(wrapped(err, 2));
    };
    plugin.new_predicate(&settings(connector, &prefix)).map_err(|err| wrapped(err, 1))
}

/// The settings of one plugin, prefix cut off.
fn settings(connector: &ConfigMap, prefix: &str) -> ConfigMap {
    connector
        .iter()
        .filter_map(|(key, text)| Some((key.strip_prefix(prefix)?.to_owned(), text.clone())))
        .filter(|(key, _)| !RESERVED.contains(&key.as_str()))
        .collect()
}

/// `err` as the cause of `times` nested `ConnectException`s.
fn wrapped(err: ConnectError, times: usize) -> ConnectError {
    let mut outer = err;
    for _ in 0..times {
        let text = format!("{}: {outer}", outer.java_class());
        let class = "org.apache.kafka.connect.errors.ConnectException";
        outer = ConnectError::new(ErrorClass::Config, class, text).with_source(outer);
    }
    outer
}
