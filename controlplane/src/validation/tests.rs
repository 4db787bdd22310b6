//! Checks that span several keys.

use super::*;
use crate::rest::tests::rig::{registry, worker};

fn errors(props: &[(&str, &str)]) -> Vec<(String, String)> {
    let base = [("connector.class", "ProbeSink"), ("name", "a"), ("flush.size", "1")];
    let props: Properties = base
        .iter()
        .chain(props)
        .map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned())))
        .collect();
    let worker = worker(WorkerMode::Distributed, &[("group.id", "connect-a")]);
    let registry = registry();
    let infos = Validator { registry: &registry, worker: &worker }.validate(&props).unwrap();
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
        name == "errors.deadletterqueue.topic.name"
            && error
                .contains("The DLQ topic 'dlq' may not be included in the list of topics ('topics=[a, dlq]')")
    }));
}
