//! Names of objects that records have a part in: whatever they hold, objects stay below the directory of
//! their topic, and what cannot be named is reported record by record.

use lakeward_conformance::envelope::{enveloped, field};
use lakeward_conformance::scenario::Scenario;
use lakeward_conformance::sink_config::{JSON, SinkConfig};
use lakeward_testkit::records::{Record, read_topic};
use lakeward_testkit::unique;
use serde_json::{Value, json};

/// JSON lines in a directory per value of `city`.
fn by_city(scenario: &Scenario, flush_size: usize) -> SinkConfig {
    scenario.config(flush_size).with(&[
        ("format.class", JSON),
        ("partitioner.class", "io.confluent.connect.storage.partitioner.FieldPartitioner"),
        ("partition.field.name", "city"),
    ])
}

fn city(name: &str) -> Value {
    enveloped(&[field("city", "string")], &json!({"city": name}))
}

#[test]
fn values_cannot_leave_their_directory_and_never_share_one() {
    // A value and its directory.
    const CITIES: [(&str, &str); 9] = [
        ("..", "city=.."),
        ("../../etc", "city=../%2E%2E/etc"),
        ("/etc/passwd", "city=/etc/passwd"),
        ("a/../../../b", "city=a/%2E%2E/%2E%2E/%2E%2E/b"),
        ("a/%2E%2E/b", "city=a/%252E%252E/b"),
        ("a//b", "city=a%2F/b"),
        ("a/", "city=a%2F"),
        ("a\0b", "city=a%00b"),
        ("a%00b", "city=a%2500b"),
    ];
    let scenario = Scenario::start(1);
    scenario.create(&by_city(&scenario, CITIES.len()));
    let values: Vec<Value> = CITIES.iter().map(|(value, _)| city(value)).collect();
    scenario.produce_json(&values);
    scenario.wait_for_commit(0, CITIES.len() as i64);
    let mut expected: Vec<String> = (0..)
        .zip(CITIES)
        .map(|(offset, (_, directory))| scenario.object(directory, 0, offset, "json"))
        .collect();
    for (name, (value, _)) in expected.iter().zip(CITIES) {
        assert_eq!(scenario.objects.json_rows(name).expect(name), [json!({"city": value})]);
    }
    expected.sort();
    assert_eq!(scenario.objects.names().expect("the store lists"), expected);
}

#[test]
fn a_topic_that_a_transform_makes_cannot_leave_the_top_directory() {
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(1).json_lines().with(&[
        ("transforms", "up"),
        ("transforms.up.type", "org.apache.kafka.connect.transforms.RegexRouter"),
        ("transforms.up.regex", ".*"),
        ("transforms.up.replacement", "../../etc"),
    ]));
    scenario.produce_json(&[json!({"id": 1})]);
    scenario.wait_for_commit(0, 1);
    let topic = "%2E%2E/%2E%2E/etc";
    let name = format!("topics/{topic}/partition=0/{topic}+0+0000000000.json");
    assert_eq!(scenario.objects.names().expect("the store lists"), [name]);
}

#[test]
fn records_that_no_name_can_hold_go_to_the_queue_one_by_one() {
    let scenario = Scenario::start(1);
    let letters = unique("dlq");
    scenario.create(&by_city(&scenario, 2).with(&[
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", &letters),
        ("errors.deadletterqueue.topic.replication.factor", "1"),
        ("errors.deadletterqueue.context.headers.enable", "true"),
    ]));
    let long = "x".repeat(5 << 10);
    let records: Vec<Record> =
        ["Oslo", &long, "Rome", &long].iter().map(|name| Record::json(&city(name))).collect();
    scenario.produce(&records);
    scenario.wait_for_commit(0, 4);
    let expected = [("Oslo", 0), ("Rome", 2)]
        .map(|(name, offset)| scenario.object(&format!("city={name}"), 0, offset, "json"));
    assert_eq!(scenario.objects.names().expect("the store lists"), expected);
    // They were acknowledged before the commit.
    let found = read_topic(scenario.broker, &letters).expect("the queue is readable");
    let told = |letter: &Record, name: &str| {
        let (_, value) = letter.headers.iter().find(|(known, _)| known == name).expect("a context header");
        String::from_utf8(value.clone()).expect("context headers are text")
    };
    let offsets: Vec<String> = found.iter().map(|letter| told(letter, "__connect.errors.offset")).collect();
    assert_eq!(offsets, ["1", "3"]);
    assert_eq!(told(&found[0], "__connect.errors.stage"), "TASK_PUT");
    assert!(told(&found[0], "__connect.errors.exception.message").contains("longer than the 1024"));
}

#[test]
fn without_a_queue_such_a_record_fails_the_task_and_the_setting_is_named() {
    let scenario = Scenario::start(1);
    scenario.create(&by_city(&scenario, 1));
    scenario.produce_json(&[city(&"x".repeat(5 << 10))]);
    let trace = scenario.worker.wait_for_failure(&scenario.connector);
    assert!(trace.contains("check partition.field.name"), "{trace}");
    assert!(!trace.contains("xxxx"), "the trace shows the value");
}

#[test]
fn settings_that_climb_are_refused() {
    let time = [
        ("partitioner.class", "io.confluent.connect.storage.partitioner.TimeBasedPartitioner"),
        ("path.format", "'..'/'..'/YYYY"),
        ("partition.duration.ms", "3600000"),
        ("locale", "en"),
        ("timezone", "UTC"),
    ];
    let scenario = Scenario::start(1);
    let (name, directory) = ("no object can have such a name", "topics.dir must not begin or end with /");
    let cases: [(&[(&str, &str)], &str); 4] = [
        (&time, name),
        (&[("topics.dir", "../up")], directory),
        (&[("topics.dir", "/up")], directory),
        (&[("topics.dir", "a\0b")], name),
    ];
    for (settings, problem) in cases {
        let config = scenario.config(1).json_lines().with(settings);
        let body = json!({"name": unique("refused"), "config": config.json()});
        let answer = scenario.worker.rest.post("/connectors", &body).expect("the worker answers");
        let message = answer.expect_status(400).message();
        assert!(message.contains(problem), "{settings:?}: {message}");
    }
}
