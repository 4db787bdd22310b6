//! Records that cannot be processed: retries, dead letters, log lines, and what they do to offsets.

pub(crate) mod failing_registry;

use std::collections::BTreeSet;
use std::time::Duration;

use lakeward_conformance::scenario::Scenario;
use lakeward_conformance::sink_config::{JSON_CONVERTER, SinkConfig};
use lakeward_testkit::java::JavaConnect;
use lakeward_testkit::records::{Record, read_topic};
use lakeward_testkit::registry::framed;
use lakeward_testkit::unique;
use lakeward_testkit::wait::wait_for;
use lakeward_testkit::worker::distributed_properties;
use serde_json::{Value, json};

use failing_registry::FailingRegistry;

const PATIENCE: Duration = Duration::from_secs(90);
const STACK_TRACE: &str = "__connect.errors.exception.stacktrace";

/// JSON lines of schemaless values; bad records go to `dead_letters` with headers.
fn with_dead_letters(scenario: &Scenario, flush_size: usize, dead_letters: &str) -> SinkConfig {
    scenario.config(flush_size).json_lines().with(&[
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", dead_letters),
        ("errors.deadletterqueue.topic.replication.factor", "1"),
        ("errors.deadletterqueue.context.headers.enable", "true"),
    ])
}

/// Waits until `topic` holds `count` records at least, and returns all.
fn wait_for_letters(scenario: &Scenario, topic: &str, count: usize) -> Vec<Record> {
    wait_for(&format!("{count} dead letters"), PATIENCE, || {
        let records = read_topic(scenario.broker, topic).map_err(|err| format!("{err:#}"))?;
        if records.len() >= count { Ok(records) } else { Err(format!("{} letters", records.len())) }
    })
}

fn header(record: &Record, name: &str) -> String {
    let found = record.headers.iter().find(|(known, _)| known == name);
    let (_, value) = found.unwrap_or_else(|| panic!("no header {name} in {:?}", record.headers));
    String::from_utf8(value.clone()).expect("context headers are text")
}

/// A letter without the frames of its stack trace, which are Java's own, and without its place.
fn comparable(record: &Record) -> Record {
    let first_line = |value: &[u8]| value.split(|byte| *byte == b'\n').next().unwrap_or_default().to_vec();
    let headers = record.headers.iter().map(|(name, value)| {
        (name.clone(), if name == STACK_TRACE { first_line(value) } else { value.clone() })
    });
    Record { partition: 0, offset: 0, headers: headers.collect(), ..record.clone() }
}

#[test]
fn dead_letters_are_those_of_java_connect() {
    let scenario = Scenario::start(1);
    let (ours, javas) = (unique("dlq-ours"), unique("dlq-java"));
    let common = [
        ("key.converter", JSON_CONVERTER),
        ("key.converter.schemas.enable", "false"),
        ("header.converter", JSON_CONVERTER),
        ("header.converter.schemas.enable", "false"),
        ("transforms", "x"),
        ("transforms.x.type", "org.apache.kafka.connect.transforms.InsertField$Value"),
        ("transforms.x.static.field", "f"),
        ("transforms.x.static.value", "v"),
        ("errors.log.enable", "true"),
        ("errors.log.include.messages", "true"),
    ];
    scenario.produce(&[
        Record { key: Some(b"\"k\"".to_vec()), ..Record::of("{broken") }.at(1_700_000_000_001),
        Record { key: Some(b"{".to_vec()), ..Record::of("{}") }.at(1_700_000_000_002),
        Record::of("{}").at(1_700_000_000_003).with_header("h", "1").with_header("bad", "]"),
        Record::of("\"text\"").at(1_700_000_000_004).with_header("h", "\"é\"").with_header("h", "2"),
        Record::of(vec![0xff, 0x00]).at(1_700_000_000_005),
        Record::of("{\"id\": 1}").at(1_700_000_000_006),
    ]);
    scenario.create(&with_dead_letters(&scenario, 1, &ours).with(&common));

    let mut java = JavaConnect::start(&distributed_properties(scenario.broker)).unwrap();
    let group = unique("java-group");
    let config = SinkConfig::of(&[
        ("connector.class", "org.apache.kafka.connect.file.FileStreamSinkConnector"),
        ("topics", &scenario.topic),
        ("tasks.max", "1"),
        // The same connector name on the same brokers, so that the letters can be equal.
        ("consumer.override.group.id", &group),
        ("value.converter", JSON_CONVERTER),
        ("value.converter.schemas.enable", "false"),
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", &javas),
        ("errors.deadletterqueue.topic.replication.factor", "1"),
        ("errors.deadletterqueue.context.headers.enable", "true"),
    ]);
    let body = json!({"name": scenario.connector, "config": config.with(&common).json()});
    java.rest.post("/connectors", &body).unwrap().expect_status(201);

    let theirs = wait_for_letters(&scenario, &javas, 5);
    let found = wait_for_letters(&scenario, &ours, 5);
    let stages: Vec<String> = found.iter().map(|letter| header(letter, "__connect.errors.stage")).collect();
    assert_eq!(
        stages,
        ["VALUE_CONVERTER", "KEY_CONVERTER", "HEADER_CONVERTER", "TRANSFORMATION", "VALUE_CONVERTER"]
    );
    for (letter, javas) in found.iter().zip(&theirs) {
        assert_eq!(comparable(letter), comparable(javas));
    }
    assert_eq!((found.len(), theirs.len()), (5, 5));
    java.stop().unwrap();
    scenario.wait_for_commit(0, 6);
    let line = format!(
        "Error encountered in task {}-0. Executing stage 'VALUE_CONVERTER' with class '{JSON_CONVERTER}', \
         where consumed record is {{topic='{}', partition=0, offset=0, timestamp=1700000000001, \
         timestampType=CreateTime}}.",
        scenario.connector, scenario.topic
    );
    assert!(scenario.worker.log().contains(&line), "{line:?} is not in {}", scenario.worker.log());
}

#[test]
fn what_is_not_tolerated_is_reported_and_fails_the_task_as_in_java() {
    let scenario = Scenario::start(1);
    let letters = unique("dlq");
    scenario.create(&with_dead_letters(&scenario, 1, &letters).with(&[("errors.tolerance", "none")]));
    scenario.produce(&[Record::of("{broken")]);
    let trace = scenario.worker.wait_for_failure(&scenario.connector);
    let start = "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler";
    assert!(trace.starts_with(start), "{trace}");
    assert!(trace.contains("Caused by: org.apache.kafka.connect.errors.DataException: "), "{trace}");
    let found = wait_for_letters(&scenario, &letters, 1);
    assert_eq!(found[0].value.as_deref(), Some(&b"{broken"[..]));
}

#[test]
fn a_queue_that_cannot_be_made_fails_the_task_and_names_the_setting() {
    let scenario = Scenario::start(1);
    let config = with_dead_letters(&scenario, 1, &unique("dlq"));
    scenario.create(&config.with(&[("errors.deadletterqueue.topic.replication.factor", "3")]));
    let trace = scenario.worker.wait_for_failure(&scenario.connector);
    assert!(
        trace.contains("ConnectException: Could not initialize dead letter queue with topic="),
        "{trace}"
    );
    assert!(trace.contains("errors.deadletterqueue.topic.replication.factor (3)"), "{trace}");
}

#[test]
fn records_that_the_sink_rejects_go_to_the_queue_and_the_rest_is_stored() {
    let scenario = Scenario::start(1);
    let letters = unique("dlq");
    let config = with_dead_letters(&scenario, 2, &letters).with(&[
        ("value.converter.schemas.enable", "true"),
        ("partitioner.class", "io.confluent.connect.storage.partitioner.FieldPartitioner"),
        ("partition.field.name", "city"),
        ("behavior.on.null.values", "ignore"),
    ]);
    scenario.create(&config);
    let city = |name: &str| {
        let fields = json!([{"field": "city", "type": "string"}]);
        json!({"schema": {"type": "struct", "fields": fields}, "payload": {"city": name}})
    };
    let other = json!({"schema": {"type": "struct", "fields": [{"field": "n", "type": "int32"}]},
                       "payload": {"n": 1}});
    scenario.produce(&[
        Record::json(&city("Oslo")),
        Record::json(&other).with_header("h", "x"),
        Record::default(),
        Record::json(&city("Oslo")),
    ]);
    let names = scenario.wait_for_objects(1);
    assert_eq!(names, [scenario.object("city=Oslo", 0, 0, "json")]);
    scenario.wait_for_commit(0, 4);
    let found = wait_for_letters(&scenario, &letters, 2);
    let told: Vec<(String, String, String)> = found
        .iter()
        .map(|letter| {
            let of = |name| header(letter, &format!("__connect.errors.{name}"));
            (of("offset"), of("stage"), of("exception.class.name"))
        })
        .collect();
    let row = |offset: &str, class: &str| (offset.to_owned(), "TASK_PUT".to_owned(), class.to_owned());
    assert_eq!(
        told,
        [
            row("1", "io.confluent.connect.storage.errors.PartitionException"),
            row("2", "org.apache.kafka.connect.errors.DataException"),
        ]
    );
    assert_eq!(header(&found[0], "__connect.errors.class.name"), "org.apache.kafka.connect.sink.SinkTask");
    assert_eq!(header(&found[0], "h"), "x");
    assert_eq!((found[0].value.clone(), found[1].value.clone()), (Some(other.to_string().into()), None));
}

#[test]
fn nothing_is_committed_before_its_report_is_acknowledged() {
    let mut scenario = Scenario::start(1);
    let letters = unique("dlq");
    let config = with_dead_letters(&scenario, 1, &letters);
    let unreachable = [("producer.override.bootstrap.servers", "127.0.0.1:1")];
    scenario.create(&config.clone().with(&unreachable));
    scenario.produce(&[Record::of("{}")]);
    scenario.wait_for_commit(0, 1);
    scenario.produce(&[Record::of("{broken"), Record::of("{}")]);
    scenario.wait_for_objects(2);
    assert_eq!(scenario.worker.terminate().unwrap().code(), Some(0));
    let group = format!("connect-{}", scenario.connector);
    let committed = scenario.broker.committed_offset(&group, &scenario.topic, 0).unwrap();
    assert_eq!(committed, Some(1), "the drain committed beyond a report that nobody acknowledged");
    assert_eq!(read_topic(scenario.broker, &letters).unwrap(), []);

    scenario.worker.restart().unwrap();
    let path = format!("/connectors/{}/config", scenario.connector);
    scenario.worker.rest.put(&path, &config.json()).unwrap().expect_status(200);
    assert_eq!(wait_for_letters(&scenario, &letters, 1)[0].value.as_deref(), Some(&b"{broken"[..]));
    scenario.wait_for_commit(0, 3);
}

#[test]
fn a_kill_among_reports_loses_neither_records_nor_letters() {
    let mut scenario = Scenario::start(1);
    let letters = unique("dlq");
    scenario.create(&with_dead_letters(&scenario, 10, &letters));
    let bad = |id: usize| id % 7 == 3;
    let record = |id: usize| {
        let good = Record::json(&json!({ "id": id }));
        if bad(id) { Record::of(format!("{{{id}")) } else { good }
    };
    // The last ones are good, so that the last position is committed.
    let (first, count) = (3_000, 6_001);
    let records: Vec<Record> = (0..count).map(record).collect();
    scenario.produce(&records[..first]);
    wait_for_letters(&scenario, &letters, 100);
    scenario.worker.kill();
    scenario.worker.restart().unwrap();
    scenario.produce(&records[first..]);
    // The end of the topic leaves an open file.
    let wanted: BTreeSet<Vec<u8>> =
        (0..count).filter(|id| bad(*id)).map(|id| format!("{{{id}").into()).collect();
    wait_for("every dead letter", PATIENCE, || {
        let found = read_topic(scenario.broker, &letters).map_err(|err| format!("{err:#}"))?;
        let found: BTreeSet<Vec<u8>> = found.into_iter().filter_map(|letter| letter.value).collect();
        if found == wanted { Ok(()) } else { Err(format!("{} of {}", found.len(), wanted.len())) }
    });
    let good = (0..count).filter(|id| !bad(*id)).count();
    let stored = scenario.wait_for_objects(good / 10);
    assert_eq!(stored.len(), good / 10);
}

#[test]
fn a_registry_that_fails_is_asked_again_until_it_answers() {
    let registry = FailingRegistry::start(3);
    let scenario = Scenario::start(1);
    let id = registry.register(&scenario.topic);
    let config = scenario.config(1).json_lines().without("value.converter.schemas.enable").with(&[
        ("value.converter", "io.confluent.connect.avro.AvroConverter"),
        ("value.converter.schema.registry.url", &registry.url()),
        ("value.converter.max.retries", "0"),
        ("errors.retry.timeout", "60000"),
        ("errors.retry.delay.max.ms", "1000"),
    ]);
    scenario.create(&config);
    scenario.produce(&[Record::of(framed(id, b"\x02"))]);
    let names = scenario.wait_for_objects(1);
    assert_eq!(names, [scenario.object("partition=0", 0, 0, "json")]);
    scenario.wait_for_commit(0, 1);
    assert_eq!(registry.refused(), 3);
}

#[test]
fn without_a_retry_timeout_the_first_failure_of_the_registry_is_final() {
    let registry = FailingRegistry::start(usize::MAX);
    let scenario = Scenario::start(1);
    let id = registry.register(&scenario.topic);
    let config = scenario.config(1).json_lines().without("value.converter.schemas.enable").with(&[
        ("value.converter", "io.confluent.connect.avro.AvroConverter"),
        ("value.converter.schema.registry.url", &registry.url()),
        ("value.converter.max.retries", "0"),
    ]);
    scenario.create(&config);
    scenario.produce(&[Record::of(framed(id, b"\x02"))]);
    let trace = scenario.worker.wait_for_failure(&scenario.connector);
    for part in
        ["Tolerance exceeded in error handler", "org.apache.kafka.connect.errors.RetriableException: "]
    {
        assert!(trace.contains(part), "{part:?} is not in {trace}");
    }
    let status: Value =
        scenario.worker.rest.get(&format!("/connectors/{}/status", scenario.connector)).unwrap().json();
    assert_eq!(status["connector"]["state"], "RUNNING");
}
