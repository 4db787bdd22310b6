//! The keys of `transforms` and `predicates`: one group per alias, with the class's own keys embedded.
//!
//! Only what definitions say is checked here. What the constructor of a transform has against its settings,
//! and a predicate that is named but not defined, fail the task, as in Java.
//!
//! Source: `ConnectorConfig#enrich`, `EnrichablePlugin`, `ConfigDef#embed`, Kafka 4.1.

use lakeward_api::config::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, ConfigValue, DefaultValue, Importance, Validator as Check,
    Width, parse_list,
};
use lakeward_api::plugin::{PluginKind, PluginRegistry};
use lakeward_controlplane_core::Properties;

use super::classes::{self, Found};
use super::entry;

/// What differs between the two lists of aliases.
struct List {
    key: &'static str,
    group: &'static str,
    interface: &'static str,
    kind: PluginKind,
}

const LISTS: [List; 2] = [
    List {
        key: "transforms",
        group: "Transforms",
        interface: "Transformation",
        kind: PluginKind::Transformation,
    },
    List { key: "predicates", group: "Predicates", interface: "Predicate", kind: PluginKind::Predicate },
];

/// Each alias adds keys to the answer; Java has no limit.
const MAX_ALIASES: usize = 256;

/// What has to be said about values once they are parsed.
#[derive(Default)]
pub(super) struct ChainChecks {
    /// Problems by key.
    problems: Vec<(String, String)>,
    /// Values of class keys: full names.
    classes: Vec<(String, Option<String>)>,
    /// Embedded keys: prefix, and the key as its plugin defines it.
    embedded: Vec<(String, ConfigKey)>,
}

/// Adds the keys of every alias to `definition`.
pub(super) fn enrich(
    registry: &PluginRegistry,
    props: &Properties,
    definition: &mut ConfigDef,
) -> ChainChecks {
    let mut checks = ChainChecks::default();
    for list in &LISTS {
        let aliases = parse_list(props.get(list.key).unwrap_or_default());
        if aliases.len() > MAX_ALIASES {
            let problem = format!("The configuration {} has more than {MAX_ALIASES} aliases.", list.key);
            checks.problems.push((list.key.to_owned(), problem));
            continue;
        }
        let mut known: Vec<&String> = Vec::new();
        for alias in &aliases {
            if known.contains(&alias) {
                continue;
            }
            known.push(alias);
            checks.add(registry, props, list, alias, definition);
        }
        if known.len() < aliases.len() {
            let problem = format!(
                "Invalid value [{}] for configuration {}: Duplicate alias provided.",
                aliases.join(", "),
                list.key
            );
            checks.problems.push((list.key.to_owned(), problem));
        }
    }
    checks
}

impl ChainChecks {
    fn add(
        &mut self,
        registry: &PluginRegistry,
        props: &Properties,
        list: &List,
        alias: &str,
        definition: &mut ConfigDef,
    ) {
        let prefix = format!("{}.{alias}.", list.key);
        let group = format!("{}: {alias}", list.group);
        let type_key = format!("{prefix}type");
        let given = props.get(&type_key);
        let class = given.and_then(|name| classes::class(registry, name.trim()));
        let found = class.and_then(|class| classes::of_kind(registry, class, list.kind));
        let wanted = props.get(&format!("{prefix}plugin.version"));
        let is_usable = self.check_class(registry, props, list, &prefix, wanted);

        definition.define(type_key_of(registry, list, alias, &group));
        // The keys of a class are embedded only when its name stands without blanks around it.
        let exact = found.as_ref().filter(|_| given.is_some_and(|name| name.trim() == name));
        definition.define(version_key_of(list, alias, &group, found.as_ref(), exact));
        let Some(plugin) = exact.filter(|_| is_usable) else { return };
        let mut keys: Vec<ConfigKey> = plugin.keys.keys().to_vec();
        if list.kind == PluginKind::Transformation {
            keys.retain(|key| !["predicate", "negate"].contains(&key.name.as_str()));
            keys.extend(implicit_keys());
        }
        sort_for_embedding(&mut keys);
        for (order, key) in (2..).zip(keys) {
            definition.define(embedded(&prefix, &group, order, &key));
            self.embedded.push((prefix.clone(), key));
        }
    }

    /// Checks the class of an alias; whether its keys can be shown.
    fn check_class(
        &mut self,
        registry: &PluginRegistry,
        props: &Properties,
        list: &List,
        prefix: &str,
        wanted: Option<&str>,
    ) -> bool {
        let (type_key, version_key) = (format!("{prefix}type"), format!("{prefix}plugin.version"));
        let name = props.get(&type_key);
        let class = name.and_then(|name| classes::class(registry, name.trim()));
        let nested = name.map_or_else(Vec::new, |name| {
            let transforms = PluginKind::Transformation;
            classes::nested(registry, name.trim(), transforms)
        });
        let shown = class.or_else(|| name.map(str::trim).filter(|_| !nested.is_empty()));
        self.classes.push((type_key.clone(), shown.map(str::to_owned)));
        if let Some(name) = name.filter(|_| shown.is_none()) {
            self.problems.push((type_key.clone(), classes::not_found(name, &type_key)));
        }
        let version = shown.map_or(Ok(Ok(())), |class| classes::check_version(registry, class, wanted));
        let is_kind = class.is_some_and(|class| classes::of_kind(registry, class, list.kind).is_some());
        let (negate, predicate) = (format!("{prefix}negate"), format!("{prefix}predicate"));
        let has_lone_negate =
            list.kind == PluginKind::Transformation && props.contains(&negate) && !props.contains(&predicate);
        let problem = match (shown, &version) {
            _ if has_lone_negate => Some(format!(
                "Config '{negate}' was provided but there is no config '{predicate}' defining a predicate to \
                 be negated."
            )),
            (None, _) => None,
            (Some(_), _) if !nested.is_empty() && list.kind == PluginKind::Transformation => Some(format!(
                "This class is abstract and cannot be created. Did you mean {}?",
                nested.join(", ")
            )),
            (Some(class), _) if !is_kind => Some(classes::wrong_kind(class, list.interface)),
            (Some(_), Err(problem) | Ok(Err(problem))) => Some(problem.clone()),
            (Some(_), Ok(Ok(()))) => None,
        };
        let is_usable = is_kind && version == Ok(Ok(()));
        self.problems.extend(problem.map(|problem| (type_key, problem)));
        match version {
            Err(problem) => self.problems.push((version_key, problem)),
            Ok(Err(problem)) if is_kind => self.problems.push((version_key, problem)),
            Ok(_) => {}
        }
        is_usable
    }

    /// Adds what was found to the parsed values.
    pub(super) fn apply(self, map: &ConfigMap, values: &mut [ConfigValue]) {
        for (name, class) in self.classes {
            entry(values, &name).value = class;
        }
        for (prefix, key) in self.embedded {
            let name = format!("{prefix}{}", key.name);
            let value = entry(values, &name);
            value.errors.extend(own_problem(&key, value, map.get(&name).map(String::as_str)));
        }
        for (name, problem) in self.problems {
            entry(values, &name).errors.push(problem);
        }
    }
}

/// What the validator of an embedded key says: it sees the key without its prefix.
fn own_problem(key: &ConfigKey, parsed: &ConfigValue, given: Option<&str>) -> Option<String> {
    let text = match (&parsed.value, given, &key.default) {
        (None, ..) => return key.null_problem(),
        (Some(_), Some(given), _) => given,
        (Some(_), None, DefaultValue::Text(default)) => default,
        (Some(_), None, _) => return None,
    };
    key.validate(Some(text)).errors.into_iter().next()
}

fn type_key_of(registry: &PluginRegistry, list: &List, alias: &str, group: &str) -> ConfigKey {
    let what = list.interface.to_lowercase();
    ConfigKey {
        documentation: format!("Class for the '{alias}' {what}."),
        group: Some(group.to_owned()),
        order: 0,
        width: Width::Long,
        display_name: format!("{} type for {alias}", list.interface),
        recommended_values: classes::names(registry, list.kind),
        ..ConfigKey::new(
            format!("{}.{alias}.type", list.key),
            ConfigType::Class,
            DefaultValue::Required,
            Importance::High,
        )
    }
}

fn version_key_of(
    list: &List,
    alias: &str,
    group: &str,
    found: Option<&Found<'_>>,
    exact: Option<&Found<'_>>,
) -> ConfigKey {
    let what = list.interface.to_lowercase();
    let default = exact.map_or(DefaultValue::Null, |found| DefaultValue::Text(found.version.to_owned()));
    ConfigKey {
        documentation: format!("Version of the '{alias}' {what}."),
        group: Some(group.to_owned()),
        order: 1,
        width: Width::Long,
        display_name: format!("{} version for {alias}", list.interface),
        recommended_values: found.iter().map(|found| found.version.to_owned()).collect(),
        ..ConfigKey::new(
            format!("{}.{alias}.plugin.version", list.key),
            ConfigType::String,
            default,
            Importance::High,
        )
    }
}

/// The keys that every transform has.
fn implicit_keys() -> [ConfigKey; 2] {
    [
        ConfigKey {
            documentation: "The alias of a predicate used to determine whether to apply this transformation."
                .to_owned(),
            ..ConfigKey::new("predicate", ConfigType::String, DefaultValue::Null, Importance::Medium)
        },
        ConfigKey {
            documentation: "Whether the configured predicate should be negated.".to_owned(),
            ..ConfigKey::new(
                "negate",
                ConfigType::Boolean,
                DefaultValue::Text("false".to_owned()),
                Importance::Medium,
            )
        },
    ]
}

/// By group, place in it, required before optional, importance, name.
fn sort_for_embedding(keys: &mut [ConfigKey]) {
    let groups: Vec<Option<String>> = keys.iter().map(|key| key.group.clone()).collect();
    keys.sort_by_cached_key(|key| {
        let group = key.group.as_ref().and_then(|_| groups.iter().position(|known| *known == key.group));
        let importance = match key.importance {
            Importance::High => 0,
            Importance::Medium => 1,
            Importance::Low => 2,
        };
        (group, key.order, key.default != DefaultValue::Required, importance, key.name.clone())
    });
}

fn embedded(prefix: &str, group: &str, order: i32, key: &ConfigKey) -> ConfigKey {
    let group = key.group.as_ref().map_or_else(|| group.to_owned(), |own| format!("{group}: {own}"));
    ConfigKey {
        name: format!("{prefix}{}", key.name),
        group: Some(group),
        order,
        validator: Check::Any,
        dependents: key.dependents.iter().map(|name| format!("{prefix}{name}")).collect(),
        ..key.clone()
    }
}
