//! Checks that span several keys.

use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigType, DefaultValue, Importance, Validator as Check};
use lakeward_api::plugin::TransformPlugin;
use lakeward_api::transform::Transform;

use super::*;
use crate::rest::tests::rig::{registry, worker};

/// A nested transform class with a number that must be positive.
struct ProbeTransform;

impl TransformPlugin for ProbeTransform {
    fn class(&self) -> &'static str {
        "com.example.Probe$Value"
    }

    fn version(&self) -> &str {
        "1.5"
    }

    fn config_def(&self) -> ConfigDef {
        let count = ConfigKey::new("count", ConfigType::Int, DefaultValue::Required, Importance::Low);
        let depth = ConfigKey::new("depth", ConfigType::Int, DefaultValue::Null, Importance::High);
        ConfigDef::new(vec![depth, ConfigKey { validator: Check::AtLeast(1), ..count }])
    }

    fn new_transform(&self, _: &ConfigMap) -> Result<Box<dyn Transform>, ConnectError> {
        Err(ConnectError::fatal("the probe transforms nothing"))
    }
}

fn validated(props: &[(&str, Option<&str>)]) -> ConfigInfos {
    let base = [("connector.class", "ProbeSink"), ("name", "a"), ("flush.size", "1")]
        .map(|(key, text)| (key, Some(text)));
    let props: Properties = base
        .iter()
        .chain(props)
        .map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned)))
        .collect();
    let worker = worker(WorkerMode::Distributed, &[("group.id", "connect-a")]);
    let mut registry = registry();
    registry.add_transform(Arc::new(ProbeTransform));
    Validator { registry: &registry, worker: &worker }.validate(&props).unwrap()
}

fn errors(props: &[(&str, &str)]) -> Vec<(String, String)> {
    let props: Vec<_> = props.iter().map(|(name, value)| (*name, Some(*value))).collect();
    named_errors(validated(&props))
}

fn named_errors(infos: ConfigInfos) -> Vec<(String, String)> {
    let all = infos.configs.into_iter().flat_map(|info| {
        let name = info.value.name;
        info.value.errors.into_iter().map(move |error| (name.clone(), error))
    });
    all.filter(|(name, _)| name != "name").collect()
}

#[test]
fn exactly_one_of_topics_and_their_pattern_is_needed() {
    assert_eq!(errors(&[("topics", "t")]), []);
    assert_eq!(errors(&[("topics.regex", "t.*")]), []);
    let both = errors(&[("topics", "t"), ("topics.regex", "t.*")]);
    let names: Vec<&str> = both.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["topics", "topics.regex"]);
    assert!(both[0].1.contains("mutually exclusive"));
    let unreadable = errors(&[("topics.regex", "["), ("errors.deadletterqueue.topic.name", "dlq")]);
    let words = "Invalid value [ for configuration topics.regex: Invalid regex: Unclosed character class \
                 near index 0\n[\n^";
    assert_eq!(unreadable, [("topics.regex".to_owned(), words.to_owned())]);
}

#[test]
fn control_characters_in_names_are_listed() {
    let registry = registry();
    let worker = worker(WorkerMode::Distributed, &[]);
    let props: Properties =
        [("connector.class", "ProbeSink"), ("name", "a\u{1}b\nc"), ("topics", "t"), ("flush.size", "1")]
            .map(|(name, value)| (name.to_owned(), Some(value.to_owned())))
            .into_iter()
            .collect();
    let infos = Validator { registry: &registry, worker: &worker }.validate(&props).unwrap();
    assert!(infos.refusal().unwrap().contains("had the following ASCII chars: 1, 10"));
}

#[test]
fn the_workers_group_is_not_for_sinks() {
    let registry = registry();
    let worker = worker(WorkerMode::Distributed, &[("group.id", "connect-a")]);
    let props: Properties =
        [("connector.class", "ProbeSink"), ("name", "a"), ("topics", "t"), ("flush.size", "1")]
            .map(|(name, value)| (name.to_owned(), Some(value.to_owned())))
            .into_iter()
            .collect();
    let refusal =
        Validator { registry: &registry, worker: &worker }.validate(&props).unwrap().refusal().unwrap();
    assert!(
        refusal.contains("Consumer group connect-a conflicts with Connect worker group connect-a"),
        "{refusal}"
    );
}

#[test]
fn dead_letter_topics_must_not_be_read() {
    let listed = errors(&[("topics", "a,dlq"), ("errors.deadletterqueue.topic.name", "dlq")]);
    assert!(listed.iter().any(|(name, error)| {
        name == "topics"
            && error
                .contains("The DLQ topic 'dlq' may not be included in the list of topics ('topics=[a, dlq]')")
    }));
    let dead_letters = ("errors.deadletterqueue.topic.name", "dlq");
    let matched = errors(&[("topics.regex", "a|d.q"), dead_letters]);
    assert!(matched.iter().any(|(name, error)| {
        let text =
            "The DLQ topic 'dlq' may not be matched by the regex for the topics ('topics.regex=a|d.q')";
        name == "topics.regex" && error.contains(text)
    }));
    assert_eq!(errors(&[("topics.regex", "a|d"), dead_letters]), []);
}

#[test]
fn keys_of_a_transform_are_a_group_required_ones_first() {
    let infos = validated(&[
        ("topics", Some("t")),
        ("transforms", Some("x")),
        ("transforms.x.type", Some("com.example.Probe$Value")),
        ("transforms.x.count", Some("3")),
    ]);
    assert_eq!(infos.error_count, 1, "the name, as groups conflict");
    assert_eq!(infos.groups[4], "Transforms: x");
    let own = infos.configs.iter().filter(|info| info.value.name.starts_with("transforms.x."));
    let own: Vec<(&str, i32)> = own
        .map(|info| (&info.value.name["transforms.x.".len()..], info.definition.as_ref().unwrap().order))
        .collect();
    assert_eq!(
        own,
        [("type", 0), ("plugin.version", 1), ("count", 2), ("depth", 3), ("negate", 4), ("predicate", 5)]
    );
}

/// Keys without prefix, and texts.
type Texts<'a> = &'a [(&'a str, &'a str)];

#[test]
fn what_is_wrong_with_a_transform_is_said_on_its_keys() {
    let probe = "com.example.Probe$Value";
    let cases: [(Texts<'_>, Texts<'_>); 5] = [
        (
            &[("type", probe), ("count", "0")],
            &[("count", "Invalid value 0 for configuration count: Value must be at least 1")],
        ),
        (
            &[("type", probe), ("count", "1"), ("plugin.version", "2")],
            &[
                (
                    "type",
                    "Plugin com.example.Probe$Value not found that matches the version range [2,2], \
                     available versions: [1.5]",
                ),
                (
                    "plugin.version",
                    "Plugin com.example.Probe$Value not found that matches the version range [2,2], \
                     available versions: [1.5]",
                ),
            ],
        ),
        (
            &[("type", "com.example.Probe"), ("negate", "true"), ("predicate", "p")],
            &[(
                "type",
                "This class is abstract and cannot be created. Did you mean com.example.Probe$Value?",
            )],
        ),
        (
            &[("type", "Probe$Value")],
            &[(
                "type",
                "Invalid value Probe$Value for configuration transforms.x.type: Class Probe$Value could not \
                 be found.",
            )],
        ),
        (
            &[("type", "ProbeSinkConnector")],
            &[(
                "type",
                "Class class com.example.ProbeSinkConnector does not implement the Transformation interface",
            )],
        ),
    ];
    for (settings, expected) in cases {
        let named = |(key, text): &(&str, &str)| (format!("transforms.x.{key}"), (*text).to_owned());
        let settings: Vec<(String, String)> = settings.iter().map(named).collect();
        let mut props = vec![("topics", "t"), ("transforms", "x")];
        props.extend(settings.iter().map(|(key, text)| (key.as_str(), text.as_str())));
        assert_eq!(errors(&props), expected.iter().map(named).collect::<Vec<_>>());
    }
}

#[test]
fn required_versions_of_the_connector_are_kept() {
    let wrong = errors(&[("topics", "t"), ("connector.plugin.version", "[2,3)")]);
    let names: Vec<&str> = wrong.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["connector.class", "connector.plugin.version"]);
    assert_eq!(errors(&[("topics", "t"), ("connector.plugin.version", "[1,2)")]), []);
}

#[test]
fn keys_given_as_null_have_neither_value_nor_default() {
    let infos = validated(&[
        ("topics", Some("t")),
        ("transforms", Some("x")),
        ("transforms.x.type", Some("com.example.Probe$Value")),
        ("transforms.x.count", None),
        ("key.converter", None),
        ("predicates", None),
    ]);
    let null = "Null value can not be supplied as the configuration value.";
    let listed = named_errors(infos);
    let expected = [
        ("key.converter", null),
        ("predicates", "Invalid value null for configuration predicates: entry must be non null"),
        ("predicates", null),
        ("transforms.x.count", "Invalid value null for configuration count: Value must be non-null"),
        ("transforms.x.count", null),
    ];
    assert_eq!(listed, expected.map(|(name, error)| (name.to_owned(), error.to_owned())));
}

#[test]
fn the_connectors_own_keys_may_be_null_when_it_accepts_that() {
    let given = [("topics", Some("t")), ("flush.size", None), ("unknown", None)];
    let null = "Null value can not be supplied as the configuration value.";
    let expected = [
        ("unknown", null),
        ("flush.size", "Invalid value null for configuration flush.size: Value must be non-null"),
    ];
    let listed = named_errors(validated(&given));
    assert_eq!(listed, expected.map(|(name, error)| (name.to_owned(), error.to_owned())));
}

#[test]
fn values_that_cannot_be_parsed_are_null_to_their_validator() {
    let listed = errors(&[("topics", "t"), ("tasks.max", "3000000000"), ("errors.retry.timeout", "x")]);
    let expected = [
        ("tasks.max", "Invalid value 3000000000 for configuration tasks.max: Not a number of type INT"),
        ("tasks.max", "Invalid value null for configuration tasks.max: Value must be non-null"),
        (
            "errors.retry.timeout",
            "Invalid value x for configuration errors.retry.timeout: Not a number of type LONG",
        ),
    ];
    assert_eq!(listed, expected.map(|(name, error)| (name.to_owned(), error.to_owned())));
}

#[test]
fn endless_chains_are_refused() {
    let aliases = (0..300).map(|at| format!("a{at}")).collect::<Vec<_>>().join(",");
    let listed = errors(&[("topics", "t"), ("transforms", &aliases)]);
    let expected = "The configuration transforms has more than 256 aliases.";
    assert_eq!(listed, [("transforms".to_owned(), expected.to_owned())]);
}
