//! The Iceberg sink: rows, types and positions in tables of a real catalog, each record once. Tables are made
//! and read by pyiceberg.

mod branches;
mod catalog;
mod creation;
mod dynamic;
mod evolution;
mod memory;
mod partitions;
mod routing;
mod sql;

use std::sync::Arc;
use std::time::Duration;

use lakeward_conformance::scenario::Scenario;
use lakeward_conformance::sink_config::{JSON_CONVERTER, SinkConfig};
use lakeward_testkit::iceberg::IcebergCatalog;
use lakeward_testkit::records::{Record, produce, read_topic};
use lakeward_testkit::store::{ACCESS_KEY, REGION, SECRET_KEY};
use lakeward_testkit::unique;
use lakeward_testkit::wait::wait_for;
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(120);

/// A worker, a topic and a table.
struct Rig {
    scenario: Scenario,
    catalog: Arc<IcebergCatalog>,
    table: String,
}

impl Rig {
    /// `schema` is a Python expression of pyiceberg; named arguments of `create_table` may follow.
    fn start(partitions: i32, schema: &str) -> Self {
        Self::on(Scenario::start(partitions), schema)
    }

    /// The same on a worker that runs.
    fn on(scenario: Scenario, schema: &str) -> Self {
        let rig = Self::without_table(scenario);
        let location = format!("s3://{}/t", rig.scenario.objects.bucket());
        let script = format!(
            "catalog.create_namespace(args[0].split('.')[0])\n\
             catalog.create_table(args[0], {schema}, location=args[1])\n\
             answer(None)"
        );
        rig.catalog.python(&script, &[&rig.table, &location]).expect("pyiceberg makes the table");
        rig
    }

    /// The same without a table, and without its namespace.
    fn without_table(scenario: Scenario) -> Self {
        let table = format!("{}.events", unique("db").replace('-', "_"));
        Self { scenario, catalog: IcebergCatalog::shared(), table }
    }

    fn namespace(&self) -> &str {
        self.table.split('.').next().expect("there is a first part")
    }

    /// A dead letter queue; what it got.
    fn dead_letters(&self) -> [(&'static str, String); 3] {
        [
            ("errors.tolerance", "all".to_owned()),
            ("errors.deadletterqueue.topic.name", format!("dead-{}", self.scenario.connector)),
            ("errors.deadletterqueue.topic.replication.factor", "1".to_owned()),
        ]
    }

    /// The values of the records in the dead letter queue.
    fn dead(&self) -> Vec<Value> {
        let topic = format!("dead-{}", self.scenario.connector);
        let records = read_topic(self.scenario.broker, &topic).expect("the topic is read");
        records.iter().filter_map(Record::value_json).collect()
    }

    /// Sends values with their schema.
    fn produce_typed(&self, schema: &Value, payloads: &[Value]) {
        let envelope = |payload: &Value| json!({"schema": schema, "payload": payload});
        self.scenario.produce_json(&payloads.iter().map(envelope).collect::<Vec<_>>());
    }

    /// The columns as pyiceberg prints them: id, name, requirement and type.
    fn columns(&self) -> Vec<String> {
        let found =
            self.python("answer([str(field) for field in catalog.load_table(args[0]).schema().fields])");
        found
            .as_array()
            .expect("a list")
            .iter()
            .map(|text| text.as_str().expect("texts").to_owned())
            .collect()
    }

    fn config(&self) -> SinkConfig {
        SinkConfig::of(&[
            ("connector.class", "org.apache.iceberg.connect.IcebergSinkConnector"),
            ("tasks.max", "2"),
            ("topics", &self.scenario.topic),
            ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
            ("value.converter", JSON_CONVERTER),
            ("value.converter.schemas.enable", "false"),
            ("consumer.override.auto.offset.reset", "earliest"),
            ("consumer.override.session.timeout.ms", "6000"),
            ("consumer.override.heartbeat.interval.ms", "2000"),
            ("iceberg.tables", &self.table),
            ("iceberg.control.commit.interval-ms", "300"),
            ("iceberg.catalog.type", "rest"),
            ("iceberg.catalog.uri", &self.catalog.endpoint()),
            ("iceberg.catalog.s3.endpoint", &self.scenario.store.endpoint()),
            ("iceberg.catalog.s3.path-style-access", "true"),
            ("iceberg.catalog.s3.access-key-id", ACCESS_KEY),
            ("iceberg.catalog.s3.secret-access-key", SECRET_KEY),
            ("iceberg.catalog.client.region", REGION),
        ])
    }

    fn produce_ids(&self, ids: std::ops::Range<i32>, partitions: i32) {
        let record = |id| Record::json(&json!({"id": id, "left out": "x"})).in_partition(id % partitions);
        let records: Vec<Record> = ids.map(record).collect();
        produce(self.scenario.broker, &self.scenario.topic, &records).expect("the broker takes records");
    }

    fn python(&self, script: &str) -> Value {
        self.catalog.python(script, &[&self.table]).expect("pyiceberg reads the table")
    }

    /// The rows, sorted by `id`.
    fn rows(&self) -> Vec<Value> {
        let rows = self.python(
            "rows = catalog.load_table(args[0]).scan().to_arrow().to_pylist()\n\
             answer(sorted(rows, key=lambda row: row['id']))",
        );
        rows.as_array().expect("a list").clone()
    }

    fn ids(&self) -> Vec<i64> {
        self.rows().iter().map(|row| row["id"].as_i64().expect("ids are numbers")).collect()
    }

    /// The summary of the last snapshot.
    fn summary(&self) -> Value {
        self.python("answer(catalog.load_table(args[0]).current_snapshot().summary.additional_properties)")
    }

    /// Waits until the table holds `count` rows.
    fn wait_for_rows(&self, count: usize) {
        wait_for(&format!("{count} rows"), PATIENCE, || {
            let script = "snapshot = None\n\
                          if catalog.table_exists(args[0]):\n\
                          \x20   snapshot = catalog.load_table(args[0]).current_snapshot()\n\
                          answer(int(snapshot.summary['total-records']) if snapshot else 0)";
            let found = self.python(script);
            if found.as_u64() >= Some(count as u64) { Ok(()) } else { Err(format!("{found}")) }
        });
    }
}

const IDS: &str = "Schema(NestedField(1, 'id', LongType(), required=True))";

#[test]
fn typed_records_become_rows_and_their_positions_properties_of_snapshots() {
    let rig = Rig::start(
        1,
        "Schema(NestedField(1, 'id', LongType(), required=True), NestedField(2, 'text', StringType()), \
         NestedField(3, 'price', DecimalType(12, 2)), NestedField(4, 'at', TimestamptzType()), \
         NestedField(5, 'day', DateType()), NestedField(6, 'tags', ListType(7, StringType(), False)), \
         NestedField(8, 'place', StructType(NestedField(9, 'lat', DoubleType()))), \
         NestedField(10, 'none', IntegerType()))",
    );
    let field = |name: &str, of: Value| {
        let mut of = of;
        of["field"] = json!(name);
        of["optional"] = json!(true);
        of
    };
    let schema = json!({"type": "struct", "fields": [
        field("id", json!({"type": "int32"})),
        field("text", json!({"type": "string"})),
        field("price", json!({"type": "bytes", "name": "org.apache.kafka.connect.data.Decimal", "version": 1,
                              "parameters": {"scale": "1"}})),
        field("at", json!({"type": "int64", "name": "org.apache.kafka.connect.data.Timestamp"})),
        field("day", json!({"type": "int32", "name": "org.apache.kafka.connect.data.Date", "version": 1})),
        field("tags", json!({"type": "array", "items": {"type": "string"}})),
        field("place", json!({"type": "struct", "fields": [{"field": "lat", "type": "float"}]})),
        field("unknown", json!({"type": "string"})),
    ]});
    let full = json!({"id": 1, "text": "é", "price": "/3s=", "at": 1_700_000_000_123_i64, "day": 19_000,
                      "tags": ["a", "b"], "place": {"lat": 1.5}, "unknown": "x"});
    let empty = json!({"id": 2, "text": null, "price": null, "at": null, "day": null, "tags": null,
                       "place": null, "unknown": null});
    let config = rig.config().with(&[("value.converter.schemas.enable", "true"), ("tasks.max", "1")]);
    rig.scenario.create(&config);
    rig.scenario.produce_json(&[full, empty].map(|payload| json!({"schema": schema, "payload": payload})));
    rig.scenario.wait_for_commit(0, 2);
    let expected = [
        json!({"id": 1, "text": "é", "price": "-1.33e1", "at": "2023-11-14 22:13:20.123000+00:00",
               "day": "2022-01-08", "tags": ["a", "b"], "place": {"lat": 1.5}, "none": null}),
        json!({"id": 2, "text": null, "price": null, "at": null, "day": null, "tags": null, "place": null,
               "none": null}),
    ];
    let mut rows = rig.rows();
    assert_eq!(rows[0]["price"], json!("-13.30"));
    rows[0]["price"] = expected[0]["price"].clone();
    assert_eq!(rows, expected);
    let summary = rig.summary();
    let (topic, connector) = (&rig.scenario.topic, &rig.scenario.connector);
    let positions = &summary[format!("kafka.connect.offsets.{topic}.connect-{connector}")];
    assert_eq!(positions, &json!("{\"0\":2}"));
    assert_eq!(summary["kafka.connect.task-id"], json!(format!("{connector}-0")));
    assert_eq!(summary["kafka.connect.commit-id"].as_str().map(str::len), Some(36));
    // Bounds and counts are what readers skip files by.
    let found = rig.python(
        "table = catalog.load_table(args[0])\n\
         answer([table.scan(row_filter=f).to_arrow().num_rows for f in ('id > 1', 'id > 2', \"text = 'é'\", \
         'price < 0', 'price > 0', 'text is null')])",
    );
    assert_eq!(found, json!([1, 0, 1, 1, 0, 1]));
}

#[test]
fn rows_that_a_table_holds_are_not_appended_again() {
    let rig = Rig::start(2, IDS);
    rig.produce_ids(0..20, 2);
    rig.scenario.create(&rig.config());
    rig.wait_for_rows(20);
    rig.scenario
        .worker
        .rest
        .delete(&format!("/connectors/{}", rig.scenario.connector))
        .expect("it is deleted");
    // A consumer group without positions, as after a death between a snapshot and its commit.
    let group = format!("connect-{}", rig.scenario.connector);
    let again = Rig { scenario: Scenario { connector: unique("again"), ..rig.scenario }, ..rig };
    again.scenario.create(&again.config().with(&[("iceberg.connect.group-id", &group)]));
    again.produce_ids(20..30, 2);
    again.wait_for_rows(30);
    for partition in 0..2 {
        again.scenario.wait_for_commit(partition, 15);
    }
    assert_eq!(again.ids(), (0..30).collect::<Vec<i64>>());
}

#[test]
fn a_worker_that_dies_again_and_again_loses_nothing_and_stores_nothing_twice() {
    let mut rig = Rig::start(2, IDS);
    rig.scenario.create(&rig.config());
    for round in 0..4 {
        rig.produce_ids(round * 50..round * 50 + 25, 2);
        rig.wait_for_rows(usize::try_from(round * 50 + 1).expect("it is small"));
        rig.produce_ids(round * 50 + 25..round * 50 + 50, 2);
        rig.scenario.worker.kill();
        rig.scenario.worker.restart().expect("the worker starts again");
        rig.wait_for_rows(usize::try_from(round * 50 + 50).expect("it is small"));
    }
    for partition in 0..2 {
        rig.scenario.wait_for_commit(partition, 100);
    }
    assert_eq!(rig.ids(), (0..200).collect::<Vec<i64>>());
}

#[test]
fn somebody_else_may_append_to_the_table_meanwhile() {
    let rig = Rig::start(2, IDS);
    rig.scenario.create(&rig.config());
    for id in 0..10 {
        rig.produce_ids(id * 10..id * 10 + 10, 2);
        let script = format!(
            "import pyarrow\n\
             from pyiceberg.exceptions import CommitFailedException\n\
             rows = pyarrow.table({{'id': [{}]}}, schema=pyarrow.schema([('id', pyarrow.int64(), False)]))\n\
             while True:\n\
             \x20   try:\n\
             \x20       catalog.load_table(args[0]).append(rows)\n\
             \x20       break\n\
             \x20   except CommitFailedException:\n\
             \x20       pass\n\
             answer(None)",
            1000 + id
        );
        rig.python(&script);
    }
    rig.wait_for_rows(110);
    assert_eq!(rig.ids(), (0..100).chain(1000..1010).collect::<Vec<i64>>());
}

#[test]
fn a_table_that_is_not_there_fails_the_tasks_by_its_name() {
    let rig = Rig::start(1, IDS);
    rig.scenario.create(&rig.config().with(&[("iceberg.tables", "no.table"), ("tasks.max", "1")]));
    let trace = rig.scenario.worker.wait_for_failure(&rig.scenario.connector);
    assert!(trace.contains("NoSuchTableException") && trace.contains("no.table"), "{trace}");
}
