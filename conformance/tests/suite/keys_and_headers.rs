//! Keys and headers in objects beside those of values, and tombstones, which are nothing but keys.

use std::time::Duration;

use lakeward_conformance::scenario::Scenario;
use lakeward_testkit::records::{Record, read_topic};
use lakeward_testkit::unique;
use lakeward_testkit::wait::wait_for;
use serde_json::{Value, json};

const JSON: &str = "io.confluent.connect.s3.format.json.JsonFormat";
const PATIENCE: Duration = Duration::from_secs(90);

/// A record with a key and a header `n`.
fn record(number: i64, value: Option<Value>) -> Record {
    let value = value.map(|value| value.to_string().into_bytes());
    let record = Record { key: Some(format!("k{number}").into()), value, ..Record::default() };
    record.with_header("n", &number.to_string())
}

#[test]
fn one_cut_stores_values_keys_headers_and_tombstones() {
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(4).json_lines().with(&[
        ("store.kafka.keys", "true"),
        ("store.kafka.headers", "true"),
        ("headers.format.class", JSON),
        ("behavior.on.null.values", "write"),
        ("tombstone.encoded.partition", "deleted"),
    ]));
    let value = |number: i64| Some(json!({"id": number}));
    scenario.produce(&[record(0, value(0)), record(1, None), record(2, value(2)), record(3, None)]);
    let names = scenario.wait_for_objects(5);
    let [values, keys, headers] =
        ["json", "keys.avro", "headers.json"].map(|ending| scenario.object("partition=0", 0, 0, ending));
    let [gone_keys, gone_headers] =
        ["keys.avro", "headers.json"].map(|ending| scenario.object("deleted", 0, 1, ending));
    let mut expected = [&values, &keys, &headers, &gone_keys, &gone_headers].map(String::clone);
    expected.sort();
    assert_eq!(names, expected);

    let rows = |name: &str| scenario.objects.json_rows(name).unwrap();
    let header = |number: &str| json!({"headers": [{"key": "n", "value": number}]});
    assert_eq!(rows(&values), [json!({"id": 0}), json!({"id": 2})]);
    assert_eq!(rows(&headers), [header("0"), header("2")]);
    assert_eq!(rows(&gone_headers), [header("1"), header("3")]);
    let keys = scenario.objects.avro_files(&[keys, gone_keys]).unwrap();
    assert_eq!(keys[0]["rows"], json!(["k0", "k2"]));
    assert_eq!(keys[1]["rows"], json!(["k1", "k3"]));
    scenario.wait_for_commit(0, 4);
}

#[test]
fn records_without_a_key_are_dead_letters_and_leave_no_value() {
    let scenario = Scenario::start(1);
    let letters = unique("dlq");
    scenario.create(&scenario.config(2).json_lines().with(&[
        ("store.kafka.keys", "true"),
        ("keys.format.class", JSON),
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", &letters),
        ("errors.deadletterqueue.topic.replication.factor", "1"),
        ("errors.deadletterqueue.context.headers.enable", "true"),
    ]));
    let value = |number: i64| Some(json!({"id": number}));
    let keyless = Record { key: None, ..record(1, value(1)) };
    scenario.produce(&[record(0, value(0)), keyless, record(2, value(2))]);
    let names = scenario.wait_for_objects(2);
    let expected = ["json", "keys.json"].map(|ending| scenario.object("partition=0", 0, 0, ending));
    assert_eq!(names, expected);
    assert_eq!(scenario.objects.json_rows(&names[0]).unwrap(), [json!({"id": 0}), json!({"id": 2})]);
    assert_eq!(scenario.objects.json_rows(&names[1]).unwrap(), [json!("k0"), json!("k2")]);
    scenario.wait_for_commit(0, 3);
    let letter = wait_for("the dead letter", PATIENCE, || {
        let records = read_topic(scenario.broker, &letters).map_err(|err| format!("{err:#}"))?;
        records.first().cloned().ok_or_else(|| "no letter".to_owned())
    });
    let words = letter.headers.iter().find(|(name, _)| name == "__connect.errors.exception.message").unwrap();
    let topic = &scenario.topic;
    assert_eq!(
        String::from_utf8_lossy(&words.1),
        format!(
            "Key cannot be null for SinkRecord: SinkRecord{{kafkaOffset=1, topic='{topic}', \
             kafkaPartition=0}} "
        )
    );
}
