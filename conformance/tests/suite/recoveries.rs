//! Internal topics in a bad state: healed where they can be, refused with the remedy where they cannot.
//!
//! Source: `KafkaConfigBackingStore`, `KafkaTopicBasedBackingStore`, Kafka 4.1.

use std::time::Duration;

use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::records::{Record, produce, read_topic};
use lakeward_testkit::worker::{LakewardWorker, Properties, distributed_properties, property};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(90);

/// Properties whose config topic exists with the given shape.
fn with_config_topic(partitions: i32, policy: &str) -> Properties {
    let broker = KafkaBroker::shared();
    let topic = lakeward_testkit::unique("configs");
    let settings = [("cleanup.policy", policy)];
    broker.create_topic_with(&topic, partitions, &settings).expect("the broker creates topics");
    let mut properties = distributed_properties(broker);
    properties.push(("config.storage.topic".to_owned(), topic));
    properties
}

fn record(key: &str, value: Option<&str>) -> Record {
    Record {
        key: Some(key.as_bytes().to_vec()),
        value: value.map(|text| text.as_bytes().to_vec()),
        ..Record::default()
    }
}

fn sink(name: &str) -> Value {
    json!({"properties": {
        "name": name, "connector.class": "FileStreamSink", "topics": "absent-topic", "tasks.max": "2",
    }})
}

fn task() -> String {
    json!({"properties": {
        "task.class": "org.apache.kafka.connect.file.FileStreamSinkTask", "topics": "absent-topic",
    }})
    .to_string()
}

#[test]
fn a_config_topic_with_holes_and_junk_is_healed() {
    let broker = KafkaBroker::shared();
    let properties = with_config_topic(1, "compact");
    let topic = property(&properties, "config.storage.topic");
    let (holes, stopped) = (lakeward_testkit::unique("holes"), lakeward_testkit::unique("dead"));
    let (config, dead) = (sink(&holes).to_string(), sink(&stopped).to_string());
    let task = task();
    produce(
        broker,
        topic,
        &[
            record(&format!("task-{stopped}-0"), Some(&task)),
            record(&format!("commit-{stopped}"), Some(r#"{"tasks":1}"#)),
            record(&format!("connector-{stopped}"), Some(&dead)),
            record(&format!("connector-{stopped}"), None),
            record("what-ever", Some("{}")),
            record("task-", Some("{")),
            record(&format!("connector-{holes}"), Some("[1]")),
            record(&format!("connector-{holes}"), Some(&config)),
            // Compaction took task 0.
            record(&format!("task-{holes}-1"), Some(&task)),
            record(&format!("commit-{holes}"), Some(r#"{"tasks":2}"#)),
            record(&format!("task-{holes}-7"), Some(&task)),
            record("session-key", Some(r#"{"key":"AAAA","algorithm":"HmacSHA256","creation-timestamp":1}"#)),
        ],
    )
    .expect("the broker takes records");
    let worker = LakewardWorker::start_distributed(&properties).expect("the worker starts");
    worker.wait_for_state(&holes, "RUNNING", 2);
    assert_eq!(worker.rest.get("/connectors").expect("an answer").json(), json!([holes]));
    let written = read_topic(broker, topic).expect("the topic is read");
    let keys: Vec<String> = written.iter().skip(12).map(Record::key_text).collect();
    let tasks = [format!("task-{holes}-0"), format!("task-{holes}-1"), format!("commit-{holes}")];
    // The key that was there is too short and too old.
    let expected: Vec<String> = std::iter::once("session-key".to_owned()).chain(tasks).collect();
    assert_eq!(keys, expected);
}

#[test]
fn a_config_topic_of_several_partitions_is_refused_with_the_remedy() {
    let properties = with_config_topic(2, "compact");
    let (status, log) = LakewardWorker::run_to_end(&properties, PATIENCE).expect("the worker ends");
    assert_eq!(status.code(), Some(2), "{log}");
    assert!(log.contains("required to have a single partition"), "{log}");
    assert!(log.contains("Name another topic"), "{log}");
}

#[test]
fn a_config_topic_that_also_deletes_is_refused_with_the_remedy() {
    let properties = with_config_topic(1, "compact,delete");
    let (status, log) = LakewardWorker::run_to_end(&properties, PATIENCE).expect("the worker ends");
    assert_eq!(status.code(), Some(2), "{log}");
    assert!(log.contains("config.storage.topic") && log.contains("kafka-configs.sh"), "{log}");
}

#[test]
fn a_deleted_connector_leaves_tombstones_only() {
    let broker = KafkaBroker::shared();
    let properties = distributed_properties(broker);
    let worker = LakewardWorker::start_distributed(&properties).expect("the worker starts");
    let (name, topic) = (lakeward_testkit::unique("gone"), broker.create_topic("in", 1).expect("a topic"));
    let mut config = sink(&name)["properties"].clone();
    config["topics"] = json!(topic);
    config["key.converter"] = json!("org.apache.kafka.connect.storage.StringConverter");
    config["value.converter"] = json!("org.apache.kafka.connect.storage.StringConverter");
    worker.create(&name, &config);
    worker.wait_for_state(&name, "RUNNING", 2);
    produce(broker, &topic, &[Record::of("x")]).expect("the broker takes records");
    let topics = format!("/connectors/{name}/topics");
    lakeward_testkit::wait::wait_for("the topic is used", PATIENCE, || {
        let text = worker.rest.get(&topics).map_err(|err| format!("{err:#}"))?.text;
        if text.contains(&topic) { Ok(()) } else { Err(text) }
    });
    worker.rest.delete(&format!("/connectors/{name}")).expect("an answer").expect_status(204);
    for (setting, keys) in [
        ("config.storage.topic", vec![format!("connector-{name}"), format!("target-state-{name}")]),
        (
            "status.storage.topic",
            vec![
                format!("status-connector-{name}"),
                format!("status-task-{name}-0"),
                format!("status-task-{name}-1"),
                format!("status-topic-{topic}:connector-{name}"),
            ],
        ),
    ] {
        let stored = property(&properties, setting);
        lakeward_testkit::wait::wait_for("tombstones", PATIENCE, || {
            let records = read_topic(broker, stored).map_err(|err| format!("{err:#}"))?;
            let last = |key: &String| records.iter().rfind(|record| record.key_text() == *key);
            let kept: Vec<_> =
                keys.iter().filter(|key| last(key).is_none_or(|last| last.value.is_some())).collect();
            if kept.is_empty() { Ok(()) } else { Err(format!("{kept:?}")) }
        });
    }
}
