//! Providers of a worker file, replacement, and the way back. Expected values are those of Kafka 4.1.

use super::*;

fn map(entries: &[(&str, &str)]) -> ConfigMap {
    entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn properties(entries: &[(&str, &str)]) -> Properties {
    entries.iter().map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned()))).collect()
}

/// Answers from memory, so that values are known.
struct Fixed;

impl ConfigProvider for Fixed {
    fn get(&self, path: &str, keys: &[&str]) -> Result<Found, ConnectError> {
        if path == "broken" {
            return Err(ConnectError::config("Could not read properties from file broken"));
        }
        let known = [("password", "hunter2secret"), ("n", "3"), ("nested", "${f:password}"), ("empty", "")];
        let found = known.iter().filter(|(key, _)| keys.contains(key));
        Ok(found.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }
}

fn fixed() -> Providers {
    Providers([("f".to_owned(), Box::new(Fixed) as Box<dyn ConfigProvider>)].into())
}

fn worker(entries: &[(&str, &str)]) -> Result<Providers, Vec<String>> {
    Providers::from_worker(&map(entries))
}

#[test]
fn every_provider_needs_its_class_and_its_allow_list() {
    let problems = worker(&[
        ("config.providers", "a, b,c,d,e"),
        ("config.providers.b.class", "org.apache.kafka.common.config.provider.FileConfigProvider"),
        ("config.providers.c.class", "org.apache.kafka.common.config.provider.EnvVarConfigProvider"),
        ("config.providers.c.param.allowlist.pattern", "("),
        ("config.providers.d.class", "com.example.VaultConfigProvider"),
        ("config.providers.e.class", "org.apache.kafka.common.config.provider.DirectoryConfigProvider"),
        ("config.providers.e.param.allowed.paths", "relative"),
    ])
    .unwrap_err();
    for (problem, parts) in problems.iter().zip([
        ["config.providers.a.class", "which has no default value"],
        ["config.providers.b.param.allowed.paths", "/ allows everything"],
        ["config.providers.c.param.allowlist.pattern", "Unclosed group"],
        ["com.example.VaultConfigProvider for configuration config.providers.d.class", "FileConfigProvider"],
        ["config.providers.e.param.allowed.paths", "Path relative is not absolute"],
    ]) {
        assert!(parts.iter().all(|part| problem.contains(part)), "{problem}");
    }
    assert_eq!(problems.len(), 5);
    let empty = worker(&[
        ("config.providers", "x"),
        ("config.providers.x.class", "org.apache.kafka.common.config.provider.EnvVarConfigProvider"),
        ("config.providers.x.param.allowlist.pattern", ""),
    ]);
    assert!(empty.unwrap_err()[0].contains(".* allows everything"));
}

#[test]
fn variables_are_replaced_once_and_what_is_unknown_stays() {
    let raw = properties(&[
        ("a", "x-${f:p:password}-${f:n}"),
        ("b", "${f:none}${g:password}"),
        ("c", "${f:nested}"),
        ("d", "[${f:empty}]"),
        ("e", "plain"),
    ]);
    let resolved = fixed().resolve(&raw).unwrap();
    let expected = properties(&[
        ("a", "x-hunter2secret-3"),
        ("b", "${f:none}${g:password}"),
        ("c", "${f:password}"),
        ("d", "[]"),
        ("e", "plain"),
    ]);
    assert_eq!(resolved.properties(), &expected);
    assert_eq!(resolved.raw("a"), Some("x-${f:p:password}-${f:n}"));
    assert_eq!(resolved.raw("e"), None);
}

#[test]
fn only_what_a_provider_could_answer_needs_asking() {
    let providers = fixed();
    assert!(providers.concern(&properties(&[("a", "${f:x}")])));
    assert!(!providers.concern(&properties(&[("a", "${g:x} ${f}")])));
    assert!(!Providers::default().concern(&properties(&[("a", "${f:x}")])));
}

#[test]
fn a_provider_that_fails_fails_the_configuration() {
    let err = fixed().resolve(&properties(&[("a", "${f:broken:k}")])).unwrap_err();
    assert_eq!(err.to_string(), "Could not read properties from file broken");
}

#[test]
fn worker_definitions_of_providers_and_the_plugin_path_stay_literal() {
    let literal = ["plugin.path", "config.providers", "config.providers.f.param.x"];
    let mut props = map(&[("group.id", "${f:password}")]);
    props.extend(literal.map(|name| (name.to_owned(), "${f:password}".to_owned())));
    let resolved = fixed().resolve_worker(&props).unwrap().properties().to_config_map();
    assert_eq!(resolved["group.id"], "hunter2secret");
    assert!(literal.iter().all(|name| resolved[*name] == "${f:password}"));
}

#[test]
fn texts_show_variables_instead_of_values() {
    let resolved = fixed().resolve(&properties(&[("a", "user:${f:p:password}"), ("n", "${f:n}")])).unwrap();
    assert_eq!(resolved.hide("login user:hunter2secret failed"), "login user:${f:p:password} failed");
    assert_eq!(resolved.hide("Invalid value 3 for n"), "Invalid value ${f:n} for n");
    assert!(!format!("{resolved:?}").contains("hunter2secret"));
}

#[test]
fn task_configurations_get_their_variables_back() {
    let raw = properties(&[("password", "${f:p:password}"), ("n", "${f:n}"), ("topics", "t")]);
    let resolved = fixed().resolve(&raw).unwrap();
    let task = properties(&[
        ("password", "hunter2secret"),
        ("copied", "hunter2secret"),
        ("n", "other"),
        ("task.id", "3"),
        ("topics", "t"),
    ]);
    let expected = properties(&[
        ("password", "${f:p:password}"),
        ("copied", "${f:p:password}"),
        ("n", "${f:n}"),
        ("task.id", "3"),
        ("topics", "t"),
    ]);
    assert_eq!(resolved.reversed(task), expected);
}
