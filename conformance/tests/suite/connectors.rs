//! File, generator and test connectors: data that passes through them, beside Java's where Java has them.
//!
//! Source: `FileStreamSource…`, `FileStreamSink…`, `org.apache.kafka.connect.tools`, Kafka 4.1.

use std::fs;
use std::path::Path;
use std::time::Duration;

use lakeward_conformance::envelope::{enveloped, field, optional};
use lakeward_conformance::scenario::Scenario;
use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::records::{self, Record};
use lakeward_testkit::rest::RestClient;
use lakeward_testkit::unique;
use lakeward_testkit::wait::wait_for;
use lakeward_testkit::worker::property;
use serde_json::{Value, json};

use crate::differential::both;

const PATIENCE: Duration = Duration::from_secs(90);
const STRING: &str = "org.apache.kafka.connect.storage.StringConverter";
const TOOLS: &str = "org.apache.kafka.connect.tools";
/// Every end of line, letters beyond ASCII, an empty line, no end of the last line.
const LINES: &str = "one\ntwo\r\n\nvier \u{e4}\u{1F600}\rfive,\"5\"\nnot complete";

fn create(rest: &RestClient, name: &str, config: &Value) {
    let request = json!({"name": name, "config": config});
    rest.post("/connectors", &request).expect("the worker answers").expect_status(201);
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("temporary folders can be made")
}

fn path(folder: &tempfile::TempDir, name: &str) -> String {
    folder.path().join(name).display().to_string()
}

fn wait_for_records(topic: &str, count: usize) -> Vec<Record> {
    wait_for(&format!("{count} records in {topic}"), PATIENCE, || {
        let found = records::read_topic(KafkaBroker::shared(), topic).map_err(|err| format!("{err:#}"))?;
        if found.len() >= count { Ok(found) } else { Err(format!("{} records", found.len())) }
    })
}

fn wait_for_lines(file: &Path, count: usize) -> String {
    wait_for(&format!("{count} lines in {}", file.display()), PATIENCE, || {
        let text = fs::read_to_string(file).map_err(|err| err.to_string())?;
        if text.lines().count() >= count { Ok(text) } else { Err(text) }
    })
}

fn file_source(file: &str, topic: &str) -> Value {
    json!({"connector.class": "FileStreamSource", "file": file, "topic": topic, "tasks.max": "3"})
}

#[test]
fn lines_pass_from_a_file_over_a_topic_to_a_file() {
    let scenario = Scenario::start(1);
    let folder = folder();
    let (from, to) = (path(&folder, "in.txt"), path(&folder, "out.txt"));
    fs::write(&from, LINES).unwrap();
    let mut source = file_source(&from, &scenario.topic);
    source["value.converter"] = json!(STRING);
    create(&scenario.worker.rest, &unique("from"), &source);
    let sink = json!({
        "connector.class": "FileStreamSink", "file": to, "topics": scenario.topic, "tasks.max": "1",
        "key.converter": STRING, "value.converter": STRING,
    });
    let name = unique("to");
    create(&scenario.worker.rest, &name, &sink);
    let text = wait_for_lines(Path::new(&to), 5);
    assert_eq!(text, "one\ntwo\n\nvier \u{e4}\u{1F600}\nfive,\"5\"\n");
    let broker = KafkaBroker::shared();
    wait_for("the sink's commit", PATIENCE, || {
        match broker.committed_offset(&format!("connect-{name}"), &scenario.topic, 0) {
            Ok(Some(5)) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
}

/// The values of the offsets topic by connector and partition.
fn offsets(rest: &RestClient, connector: &str, is_there: impl Fn(&Value) -> bool) -> Value {
    wait_for("stored offsets", PATIENCE, || {
        let answer =
            rest.get(&format!("/connectors/{connector}/offsets")).map_err(|err| format!("{err:#}"))?;
        if answer.status == 200 && is_there(&answer.json()["offsets"]) {
            return Ok(answer.json()["offsets"].clone());
        }
        Err(answer.text)
    })
}

#[test]
fn java_and_we_make_the_same_records_offsets_and_files() {
    let (mut java, scenario) = both(&[("offset.flush.interval.ms", "500")]);
    let folder = folder();
    let file = path(&folder, "in.txt");
    // Java counts letters where the offset is in bytes: ASCII only.
    let ascii = LINES.replace(['\u{e4}', '\u{1F600}'], "?");
    fs::write(&file, &ascii).unwrap();
    let workers = [("java", &java.rest), ("ours", &scenario.worker.rest)];
    let mut seen = Vec::new();
    for (who, rest) in workers {
        let topic = KafkaBroker::shared().create_topic(who, 1).unwrap();
        let name = unique("file-source");
        create(rest, &name, &file_source(&file, &topic));
        let records: Vec<_> = wait_for_records(&topic, 5)
            .into_iter()
            .map(|record| (record.key, record.value.map(String::from_utf8), record.headers))
            .collect();
        let offsets = offsets(rest, &name, |offsets| {
            offsets[0]["offset"]["position"] == json!(ascii.len() - "not complete".len())
        });
        seen.push((format!("{records:?}"), offsets));
    }
    assert_eq!(seen[0], seen[1]);

    let fields = [field("id", "int64"), optional("name", "string"), optional("price", "double")];
    let values = [
        enveloped(&fields, &json!({"id": 1, "name": "a b", "price": 1e10})),
        enveloped(&fields, &json!({"id": 2, "name": null, "price": 0.1})),
        json!({"schema": {"type": "string", "optional": true}, "payload": null}),
        json!({"schema": null, "payload": {"list": [1, 2.5, null], "flag": true}}),
        json!({"schema": {"type": "boolean", "optional": false}, "payload": false}),
    ];
    scenario.produce_json(&values);
    let written: Vec<String> = workers
        .iter()
        .map(|(who, rest)| {
            let file = path(&folder, who);
            let sink = json!({
                "connector.class": "FileStreamSink", "file": file, "topics": scenario.topic, "tasks.max": "1",
                "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            });
            create(rest, &unique("file-sink"), &sink);
            wait_for_lines(Path::new(&file), values.len())
        })
        .collect();
    assert_eq!(written[0], written[1]);
    java.stop().unwrap();
}

#[test]
fn file_connectors_are_described_and_validated_as_javas() {
    let (mut java, scenario) = both(&[]);
    let rests = [&java.rest, &scenario.worker.rest];
    let get = |rest: &RestClient, path: &str| rest.get(path).unwrap().expect_status(200).json();
    for class in ["FileStreamSinkConnector", "FileStreamSourceConnector"] {
        let listed = rests.map(|rest| {
            let all = get(rest, "/connector-plugins");
            let is_it = |plugin: &&Value| plugin["class"].as_str().is_some_and(|name| name.ends_with(class));
            all.as_array().unwrap().iter().find(is_it).cloned().unwrap_or_default()
        });
        assert_eq!(listed[0], listed[1]);
        let keys = rests.map(|rest| get(rest, &format!("/connector-plugins/{class}/config")));
        assert_eq!(keys[0], keys[1]);
    }
    let configs = [
        json!({"file": "f", "topic": "t"}),
        json!({"topic": " "}),
        json!({"file": "", "batch.size": "x"}),
        json!({"topic": "t", "batch.size": "0"}),
    ];
    for config in configs {
        let outcomes = rests.map(|rest| {
            let mut config = config.clone();
            config["connector.class"] = json!("FileStreamSource");
            config["name"] = json!("x");
            let path = "/connector-plugins/FileStreamSource/config/validate";
            let answer = rest.put(path, &config).unwrap().expect_status(200).json();
            let entry = |entry: &Value| {
                let name = entry["value"]["name"].as_str().unwrap_or_default();
                ["file", "topic", "batch.size"].contains(&name).then(|| entry["value"].clone())
            };
            let entries: Vec<Value> =
                answer["configs"].as_array().unwrap().iter().filter_map(entry).collect();
            (answer["error_count"].clone(), entries)
        });
        assert_eq!(outcomes[0], outcomes[1], "{config}");
    }
    java.stop().unwrap();
}

#[test]
fn the_verifiable_connectors_tell_every_record() {
    let scenario = Scenario::start(1);
    let source = json!({
        "connector.class": format!("{TOOLS}.VerifiableSourceConnector"), "tasks.max": "1",
        "topic": scenario.topic, "throughput": "100",
    });
    let sink = json!({
        "connector.class": format!("{TOOLS}.VerifiableSinkConnector"), "tasks.max": "1",
        "topics": scenario.topic,
    });
    create(&scenario.worker.rest, &unique("source"), &source);
    create(&scenario.worker.rest, &unique("sink"), &sink);
    let records = wait_for_records(&scenario.topic, 50);
    assert_eq!(records[7].value_json(), Some(json!(7)));
    let told = wait_for("records that were told", PATIENCE, || {
        let log = scenario.worker.log();
        let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let flushed = |line: &&Value| line["flushed"] == true && line["seqno"] == 49;
        if lines.iter().any(|line| flushed(&line)) { Ok(lines) } else { Err(lines.len()) }
    });
    let numbers = |what: fn(&Value) -> bool| -> Vec<i64> {
        told.iter().filter(|line| what(line)).filter_map(|line| line["seqno"].as_i64()).take(50).collect()
    };
    let expected: Vec<i64> = (0..50).collect();
    assert_eq!(numbers(|line| line["committed"] == true), expected);
    assert_eq!(numbers(|line| line["flushed"] == true), expected);
    assert_eq!(numbers(|line| line["sinkTask"] == 0 && line["flushed"].is_null()), expected);
}

#[test]
fn a_generator_makes_its_records_and_ends_as_javas() {
    let scenario = Scenario::start(1);
    let config = json!({
        "connector.class": "io.confluent.kafka.connect.datagen.DatagenConnector", "tasks.max": "1",
        "kafka.topic": scenario.topic, "quickstart": "users", "iterations": "20", "max.interval": "10",
        "key.converter": STRING, "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
    });
    let name = unique("datagen");
    create(&scenario.worker.rest, &name, &config);
    let trace = scenario.worker.wait_for_failure(&name);
    assert!(trace.contains("Stopping connector: generated the configured 20 number of messages"), "{trace}");
    let records = wait_for_records(&scenario.topic, 20);
    assert_eq!(records.len(), 20);
    for record in &records {
        let value = record.value_json().unwrap();
        assert_eq!(value["userid"], record.key_text());
        assert!(value["registertime"].is_i64() && value["gender"].is_string());
        let names: Vec<&str> = record.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["task.generation", "task.id", "current.iteration"]);
    }
    let topic = property(&scenario.properties, "offset.storage.topic");
    let newest = wait_for("the last offset", PATIENCE, || {
        let stored = records::read_topic(KafkaBroker::shared(), topic).map_err(|err| format!("{err:#}"))?;
        stored.into_iter().max_by_key(|record| record.offset).ok_or_else(String::new)
    });
    assert_eq!(newest.key_text(), format!("[\"{name}\",{{\"task.id\":0}}]"));
}

#[test]
fn mock_tasks_fail_when_they_are_told_to() {
    let scenario = Scenario::start(1);
    for class in ["MockSinkConnector", "MockSourceConnector"] {
        let mut config = json!({
            "connector.class": format!("{TOOLS}.{class}"), "mock_mode": "task-failure", "delay_ms": "100",
            "tasks.max": "1",
        });
        if class == "MockSinkConnector" {
            config["topics"] = json!(scenario.topic);
        }
        let name = unique("mock");
        create(&scenario.worker.rest, &name, &config);
        let trace = scenario.worker.wait_for_failure(&name);
        assert!(trace.contains("java.lang.RuntimeException"), "{trace}");
    }
}

#[test]
fn mock_connectors_fail_when_they_are_told_to_and_their_tasks_go_on() {
    let scenario = Scenario::start(1);
    for class in ["MockSinkConnector", "MockSourceConnector"] {
        let mut config = json!({
            "connector.class": format!("{TOOLS}.{class}"), "mock_mode": "connector-failure",
            "delay_ms": "500", "tasks.max": "1",
        });
        if class == "MockSinkConnector" {
            config["topics"] = json!(scenario.topic);
        }
        let name = unique("mock");
        create(&scenario.worker.rest, &name, &config);
        let status = scenario.worker.wait_for_status(&name, "FAILED", |status| {
            status["connector"]["state"] == "FAILED" && status["tasks"][0]["state"] == "RUNNING"
        });
        let trace = status["connector"]["trace"].as_str().unwrap_or_default();
        assert!(trace.starts_with("java.lang.RuntimeException"), "{trace}");
    }
}
