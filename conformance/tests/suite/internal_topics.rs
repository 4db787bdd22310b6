//! The internal topics hold what a Java worker would have written, so that either can take over.
//!
//! Source: records dumped from a cluster of Apache Kafka Connect 4.1.0.

use lakeward_conformance::envelope::numbered;
use lakeward_conformance::scenario::Scenario;
use lakeward_testkit::records::{Record, read_topic};
use lakeward_testkit::worker::property;
use serde_json::{Value, json};

fn topic_records(scenario: &Scenario, topic_key: &str) -> Vec<Record> {
    read_topic(scenario.broker, property(&scenario.properties, topic_key)).expect("the topic is readable")
}

/// `(key, value)` of the records about the connector, without the session keys of the cluster.
fn about_connector(records: &[Record], connector: &str) -> Vec<(String, Option<Value>)> {
    let pairs = records.iter().map(|record| (record.key_text(), record.value_json()));
    pairs.filter(|(key, _)| key.contains(connector)).collect()
}

#[test]
fn the_config_topic_tells_the_life_of_a_connector() {
    let scenario = Scenario::start(1);
    let name = &scenario.connector;
    let created = scenario.create(&scenario.config(1));
    scenario.worker.wait_for_state(name, "RUNNING", 1);
    let rest = &scenario.worker.rest;
    rest.put_empty(&format!("/connectors/{name}/stop")).unwrap().expect_status(204);
    rest.delete(&format!("/connectors/{name}")).unwrap().expect_status(204);

    let found = about_connector(&topic_records(&scenario, "config.storage.topic"), name);
    let keys: Vec<&str> = found.iter().map(|(key, _)| key.as_str()).collect();
    let connector_key = format!("connector-{name}");
    let task_key = format!("task-{name}-0");
    let commit_key = format!("commit-{name}");
    let target_key = format!("target-state-{name}");
    assert_eq!(
        keys,
        [&connector_key, &task_key, &commit_key, &commit_key, &target_key, &connector_key, &target_key]
    );
    let value = |index: usize| found[index].1.clone().unwrap_or(Value::Null);
    assert_eq!(value(0), json!({"properties": created["config"]}));
    assert!(value(1)["properties"]["task.class"].is_string(), "{}", value(1));
    assert_eq!(value(2), json!({"tasks": 1}));
    assert_eq!(value(3), json!({"tasks": 0}));
    assert_eq!(value(4), json!({"state": "PAUSED", "state.v2": "STOPPED"}));
    assert_eq!((found[5].1.as_ref(), found[6].1.as_ref()), (None, None), "deleted by null values");
}

#[test]
fn the_status_topic_tells_states_and_topics_in_javas_shape() {
    let scenario = Scenario::start(1);
    let name = &scenario.connector;
    scenario.create(&scenario.config(1));
    scenario.produce_json(&[numbered(0)]);
    scenario.wait_for_commit(0, 1);
    scenario.worker.wait_for_state(name, "RUNNING", 1);

    let found = about_connector(&topic_records(&scenario, "status.storage.topic"), name);
    let of = |key: &str| -> Value {
        let record = found.iter().rfind(|(known, _)| known == key);
        record.and_then(|(_, value)| value.clone()).unwrap_or_else(|| panic!("no {key} in {found:?}"))
    };
    for key in [format!("status-connector-{name}"), format!("status-task-{name}-0")] {
        let status = of(&key);
        let members: Vec<&String> = status.as_object().unwrap().keys().collect();
        assert_eq!(members, ["state", "trace", "worker_id", "generation", "version"], "{key}");
        assert_eq!((&status["state"], &status["trace"]), (&json!("RUNNING"), &Value::Null));
        assert_eq!(status["worker_id"], json!(scenario.worker.rest.authority()));
        assert!(status["generation"].is_i64(), "{status}");
    }
    let topic = &scenario.topic;
    let used = of(&format!("status-topic-{topic}:connector-{name}"));
    assert_eq!((&used["topic"]["name"], &used["topic"]["connector"]), (&json!(topic), &json!(name)));
    assert!(used["topic"]["discoverTimestamp"].is_i64(), "{used}");

    let listed = scenario.worker.rest.get(&format!("/connectors/{name}/topics")).unwrap().json();
    assert_eq!(listed[name], json!({"topics": [topic]}));
}
