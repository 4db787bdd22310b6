//! Source records that fail, and where transforms send them: retries, log lines, partitions.

use std::time::Duration;

use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::records::{self, Record};
use lakeward_testkit::unique;
use lakeward_testkit::wait::wait_for;
use lakeward_testkit::worker::{LakewardWorker, distributed_properties};
use serde_json::json;

use crate::sink_errors::failing_registry::FailingRegistry;
use crate::source_rig::{PATIENCE, SourceRig};

const AVRO: (&str, &str) = ("value.converter", "io.confluent.connect.avro.AvroConverter");

/// The texts of a topic whose values are framed Avro strings.
fn avro_texts(topic: &str) -> Vec<String> {
    let records = records::read_topic(KafkaBroker::shared(), topic).expect("topics are readable");
    // A zero, four bytes of the schema id, the length (short), the text.
    let text = |record: Record| record.value.map(|value| String::from_utf8_lossy(&value[6..]).into_owned());
    records.into_iter().filter_map(text).collect()
}

#[test]
fn a_registry_that_fails_is_asked_again_and_no_line_overtakes_another() {
    let registry = FailingRegistry::start(3);
    let mut rig = SourceRig::start(&[]);
    rig.append(3);
    rig.create(&[
        AVRO,
        ("value.converter.schema.registry.url", &registry.url()),
        ("value.converter.max.retries", "0"),
        ("errors.retry.timeout", "60000"),
        ("errors.retry.delay.max.ms", "1000"),
    ]);
    let expected = ["line-00000000", "line-00000001", "line-00000002"];
    wait_for("the lines", PATIENCE, || {
        let found = avro_texts(&rig.topic);
        if found == expected { Ok(()) } else { Err(format!("{found:?}")) }
    });
    assert_eq!(registry.refused(), 3);
    rig.wait_for_offset();
    let page = rig.worker.rest.get("/metrics").unwrap().text;
    let retries = "kafka_connect_task_error_metrics_total_retries{";
    let line = page.lines().find(|line| line.starts_with(retries)).expect("the task counts retries");
    assert!(line.ends_with(" 3"), "{line}");
}

#[test]
fn without_a_retry_timeout_the_first_failure_of_the_registry_is_final() {
    let registry = FailingRegistry::start(usize::MAX);
    let mut rig = SourceRig::start(&[]);
    rig.append(1);
    let more = [
        AVRO,
        ("value.converter.schema.registry.url", &*registry.url()),
        ("value.converter.max.retries", "0"),
    ];
    rig.worker.create(&rig.connector, &rig.config(&more));
    let trace = rig.worker.wait_for_failure(&rig.connector);
    for part in
        ["Tolerance exceeded in error handler", "org.apache.kafka.connect.errors.RetriableException: "]
    {
        assert!(trace.contains(part), "{part:?} is not in {trace}");
    }
}

#[test]
fn a_task_that_waits_for_a_retry_stops_when_it_is_told_to() {
    let registry = FailingRegistry::start(usize::MAX);
    let mut rig = SourceRig::start(&[("task.shutdown.graceful.timeout.ms", "60000")]);
    rig.append(1);
    rig.create(&[
        AVRO,
        ("value.converter.schema.registry.url", &registry.url()),
        ("value.converter.max.retries", "0"),
        ("errors.retry.timeout", "-1"),
        ("errors.retry.delay.max.ms", "60000"),
    ]);
    wait_for("a refusal", PATIENCE, || if registry.refused() > 0 { Ok(()) } else { Err("none") });
    let began = std::time::Instant::now();
    assert_eq!(rig.worker.terminate().unwrap().code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(30), "the drain waited for the retry");
}

/// The line is Java's but for the frames of the trace.
#[test]
fn the_log_shows_a_record_that_the_producer_gave_up() {
    let mut rig = SourceRig::start(&[]);
    rig.append(1);
    rig.create(&[
        ("producer.override.max.request.size", "64"),
        ("errors.tolerance", "all"),
        ("errors.log.enable", "true"),
        ("errors.log.include.messages", "true"),
    ]);
    rig.wait_for_offset();
    let (file, topic) = (rig.file.display(), &rig.topic);
    let line = format!(
        "Error encountered in task {}-0. Executing stage 'KAFKA_PRODUCE' with class \
         'org.apache.kafka.connect.runtime.WorkerSourceTask', where source record is = \
         SourceRecord{{sourcePartition={{filename={file}}}, sourceOffset={{position=14}}}} \
         ConnectRecord{{topic='{topic}', kafkaPartition=null, key=null, keySchema=null, \
         value=line-00000000, valueSchema=Schema{{STRING}}, timestamp=",
        rig.connector
    );
    let log = rig.worker.log();
    assert!(log.contains(&line), "{line:?} is not in {log}");
    assert!(log.contains("RecordTooLargeException: The message is 98 bytes when serialized"), "{log}");
}

/// Rows of an outbox table, each with the partition its event goes to.
const OUTBOX: &str = r#"{
  "type": "record", "name": "Envelope", "namespace": "outbox", "fields": [
    {"name": "after", "type": {"type": "record", "name": "Row", "fields": [
      {"name": "id", "type": {"type": "string", "arg.properties": {"regex": "e[0-9]{8}"}}},
      {"name": "aggregatetype", "type": {"type": "string", "arg.properties": {"options": ["order"]}}},
      {"name": "aggregateid", "type": {"type": "string", "arg.properties": {"regex": "[0-9]{8}"}}},
      {"name": "payload", "type": {"type": "string", "arg.properties": {"options": ["p"]}}},
      {"name": "part", "type": {"type": "int", "arg.properties": {"options": [2]}}}]}},
    {"name": "op", "type": {"type": "string", "arg.properties": {"options": ["c"]}}},
    {"name": "ts_ms", "type": {"type": "long", "arg.properties": {"options": [5]}}}]}"#;

#[test]
fn a_partition_that_a_transform_sets_is_where_the_record_goes() {
    let broker = KafkaBroker::shared();
    let worker = LakewardWorker::start_distributed(&distributed_properties(broker)).unwrap();
    let events = unique("events");
    broker.create_topic_with(&events, 4, &[]).unwrap();
    let config = json!({
        "connector.class": "io.confluent.kafka.connect.datagen.DatagenConnector",
        "kafka.topic": unique("outbox"),
        "schema.string": OUTBOX,
        "iterations": "200",
        "max.interval": "1",
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        "transforms": "outbox",
        "transforms.outbox.type": "io.debezium.transforms.outbox.EventRouter",
        "transforms.outbox.route.topic.replacement": events,
        "transforms.outbox.table.fields.additional.placement": "part:partition",
    });
    worker.create(&unique("outbox-source"), &config);
    wait_for("all events", PATIENCE, || {
        let records = records::read_topic(broker, &events).map_err(|err| format!("{err:#}"))?;
        if records.len() >= 200 { Ok(records) } else { Err(records.len().to_string()) }
    })
    .iter()
    .for_each(|record| assert_eq!(record.partition, 2, "{record:?}"));
}
