//! The worker's limit of memory holds, whatever is open: every record is there once, and the process is no
//! larger than the limit and what is allowed beside it.

use std::time::Duration;

use lakeward_conformance::scenario::Scenario;
use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::ids::stored_ids;
use lakeward_testkit::oracle::{Guarantee, Oracle};
use lakeward_testkit::records::Record;
use lakeward_testkit::store::Versitygw;
use lakeward_testkit::wait::wait_for;
use serde_json::{Value, json};

const MIB: u64 = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(600);

const SCHEMA: &str = r#"{"type":"record","name":"Row","fields":[{"name":"id","type":"long"},
    {"name":"place","type":"long"},{"name":"text","type":"string"}]}"#;

/// A worker with a limit, and what it is to store.
struct Load {
    scenario: Scenario,
    oracle: Oracle,
}

impl Load {
    fn start(limit_bytes: u64, partitions: i32, engine: &str) -> Self {
        let limit = limit_bytes.to_string();
        let settings = [("lakeward.memory.limit", &*limit), ("lakeward.engine", engine)];
        let scenario = Scenario::start_on(KafkaBroker::shared(), Versitygw::shared(), partitions, &settings);
        Self { scenario, oracle: Oracle::new() }
    }

    /// Sends rows of about `bytes` each, round the topic-partitions and then round `places`.
    fn produce(&mut self, rows: u64, places: u64, partitions: u64, bytes: usize) {
        let mut slice = Vec::new();
        for _ in 0..rows {
            let id = self.oracle.next_id();
            let text = format!("{id:09} ").repeat(bytes / 10);
            let row = json!({"id": id, "place": id / partitions % places, "text": text});
            slice.push(Record::json(&row).in_partition(i32::try_from(id % partitions).expect("few")));
            if slice.len() == 10_000 {
                self.scenario.produce(&slice);
                slice.clear();
            }
        }
        self.scenario.produce(&slice);
    }

    /// Creates the connector: a directory per place, files that end after all rows of a topic-partition.
    fn create(&self, flush_size: usize, more: &[(&str, &str)]) {
        let config = self.scenario.config(flush_size).schemaless().with(&[
            ("partitioner.class", "io.confluent.connect.storage.partitioner.FieldPartitioner"),
            ("partition.field.name", "place"),
            ("lakeward.schema", SCHEMA),
        ]);
        self.scenario.create(&config.with(more));
    }

    /// Waits until everything is committed, then asks oracle and kernel. Answers how much went to disk.
    fn judge(&self, partitions: i32, end: i64, files: usize) -> u64 {
        let Scenario { broker, topic, connector, .. } = &self.scenario;
        let group = format!("connect-{connector}");
        for partition in 0..partitions {
            wait_for(&format!("the end of partition {partition}"), PATIENCE, || {
                match broker.committed_offset(&group, topic, partition) {
                    Ok(Some(found)) if found == end => Ok(()),
                    other => Err(format!("{other:?}")),
                }
            });
        }
        let names = self.scenario.objects.names().expect("the store lists objects");
        assert_eq!(names.len(), files);
        let ids = stored_ids(&self.scenario.objects, topic).expect("the files are readable");
        self.oracle.assert(Guarantee::ExactlyOnce, ids);
        self.scenario.assert_memory();
        self.metric("lakeward_memory_spilled_bytes_total")
    }

    fn metric(&self, name: &str) -> u64 {
        let page = self.scenario.worker.rest.get("/metrics").expect("the worker answers").text;
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.parse::<f64>().ok()).expect("the metric is there") as u64
    }
}

#[test]
fn ten_thousand_open_output_partitions_fit_into_512_mib() {
    let mut load = Load::start(448 * MIB, 1, "auto");
    load.produce(300_000, 10_000, 1, 1500);
    load.create(300_000, &[]);
    let spilled_bytes = load.judge(1, 300_000, 10_000);
    assert!(spilled_bytes > 100 * MIB, "{spilled_bytes}: rows were larger than the limit");
    assert_eq!(load.metric("lakeward_memory_spilled_bytes"), 0, "disk space is given back");
}

#[test]
fn encoded_files_of_many_topic_partitions_fit_where_there_is_no_ring() {
    // 8 topic-partitions of 25 places with late rows: JSON lines of 800 KB each, too small for pieces.
    let mut load = Load::start(160 * MIB, 8, "epoll");
    load.produce(160_000, 25, 8, 1000);
    load.create(20_000, &[("format.class", lakeward_conformance::sink_config::JSON)]);
    let spilled_bytes = load.judge(8, 20_000, 200);
    assert!(spilled_bytes > 10 * MIB, "{spilled_bytes}");
}

/// What is on disk, or open while memory is short, is handed to no other task: its records are read again.
#[test]
fn tasks_that_start_over_while_rows_are_on_disk_store_every_record_once() {
    let mut load = Load::start(160 * MIB, 2, "auto");
    load.produce(160_000, 25, 2, 1000);
    let settings = [
        ("format.class", lakeward_conformance::sink_config::JSON),
        ("tasks.max", "2"),
        ("lakeward.handover.ms", "60000"),
    ];
    load.create(80_000, &settings);
    for round in 1..=2 {
        wait_for("rows on disk", PATIENCE, || match load.metric("lakeward_memory_spilled_bytes") {
            0 => Err("nothing".to_owned()),
            _ => Ok(()),
        });
        let path = format!("/connectors/{}/tasks/{}/restart", load.scenario.connector, round % 2);
        load.scenario.worker.rest.post_empty(&path).expect("the worker answers").expect_status(204);
        load.scenario.worker.wait_for_state(&load.scenario.connector, "RUNNING", 2);
    }
    let spilled_bytes = load.judge(2, 80_000, 50);
    assert!(spilled_bytes > 10 * MIB, "{spilled_bytes}");
    assert_eq!(load.metric("lakeward_memory_spilled_bytes"), 0, "disk space is given back");
}

/// A row in `JsonConverter`'s envelope; every third one has a version of the schema with a field more.
fn versioned(id: u64, place: u64, bytes: usize) -> Value {
    let field = |name: &str, kind: &str| json!({"field": name, "type": kind});
    let mut fields = vec![field("id", "int64"), field("place", "int64"), field("text", "string")];
    let mut payload = json!({"id": id, "place": place, "text": format!("{id:09} ").repeat(bytes / 10)});
    if id.is_multiple_of(3) {
        fields.push(field("more", "string"));
        payload["more"] = json!("x");
    }
    json!({"schema": {"type": "struct", "name": "demo.Row", "fields": fields}, "payload": payload})
}

/// Their rows wait for the end of their file: in memory as long as there is some, then on disk. No file ends
/// for that.
#[test]
fn files_of_merged_schemas_larger_than_the_limit_fit() {
    const ROWS: u64 = 150_000;
    let mut load = Load::start(160 * MIB, 1, "auto");
    for _ in 0..ROWS / 5000 {
        let ids = (0..5000).map(|_| load.oracle.next_id());
        let rows: Vec<Record> = ids.map(|id| Record::json(&versioned(id, id % 30, 1500))).collect();
        load.scenario.produce(&rows);
    }
    load.scenario.create(&load.scenario.config(150_000).with(&[
        ("partitioner.class", "io.confluent.connect.storage.partitioner.FieldPartitioner"),
        ("partition.field.name", "place"),
        ("lakeward.schema.evolution", "merge"),
    ]));
    let spilled_bytes = load.judge(1, 150_000, 30);
    assert!(spilled_bytes > 100 * MIB, "{spilled_bytes}: rows were larger than the limit");
    assert_eq!(load.metric("lakeward_memory_spilled_bytes"), 0, "disk space is given back");
}
