//! Tables that are missing: made for the first record, once, whoever asks, whatever gets lost and wherever
//! the worker dies.

use lakeward_conformance::scenario::Scenario;
use lakeward_conformance::sink_config::SinkConfig;
use lakeward_testkit::iceberg::LostAnswers;
use lakeward_testkit::unique;
use lakeward_testkit::wait::wait_for;
use lakeward_testkit::worker::LakewardWorker;
use serde_json::json;

use super::{IDS, PATIENCE, Rig};

pub(super) const CREATES: (&str, &str) = ("iceberg.tables.auto-create-enabled", "true");

#[test]
fn a_table_is_made_for_the_schema_of_its_first_record() {
    assert_made_for_the_first_record(Rig::without_table(Scenario::start(1)), Rig::config);
}

/// Whatever the catalog is.
pub(super) fn assert_made_for_the_first_record(mut rig: Rig, config: impl Fn(&Rig) -> SinkConfig) {
    // Every level of the namespace is made.
    rig.table = format!("{}.a.b.events", rig.namespace());
    let schema = json!({"type": "struct", "optional": false, "fields": [
        {"field": "id", "type": "int32", "optional": false},
        {"field": "big", "type": "int64", "optional": true},
        {"field": "at", "type": "int64", "name": "org.apache.kafka.connect.data.Timestamp", "version": 1},
        {"field": "day", "type": "int32", "name": "org.apache.kafka.connect.data.Date", "version": 1},
        {"field": "price", "type": "bytes", "name": "org.apache.kafka.connect.data.Decimal", "version": 1,
         "parameters": {"scale": "2"}, "optional": true},
        {"field": "tags", "type": "array", "items": {"type": "string", "optional": true}},
        {"field": "more", "type": "map", "keys": {"type": "string"}, "values": {"type": "double"}},
        {"field": "place", "type": "struct", "optional": true, "fields": [
            {"field": "name", "type": "string"}, {"field": "lat", "type": "float"}]},
    ]});
    rig.produce_typed(&schema, &[
        json!({"id": 1, "big": 7, "at": 1_700_000_000_123_i64, "day": 19_000, "price": "BNI=", "tags": ["a"],
               "more": {"k": 0.5}, "place": {"name": "x", "lat": 1.5}}),
        json!({"id": 2, "big": null, "at": 0, "day": -1, "price": null, "tags": [], "more": {},
               "place": null}),
    ]);
    let partition_by = format!("iceberg.table.{}.partition-by", rig.table);
    rig.scenario.create(&config(&rig).with(&[
        CREATES,
        ("tasks.max", "1"),
        ("value.converter.schemas.enable", "true"),
        ("iceberg.tables.default-partition-by", "id"),
        (&partition_by, "hours(at), months(day), bucket(id, 4), truncate(place.name, 2), big"),
        ("iceberg.tables.auto-create-props.write.parquet.compression-codec", "gzip"),
        ("iceberg.tables.auto-create-props.format-version", "2"),
        ("iceberg.tables.default-id-columns", "id"),
    ]));
    rig.scenario.wait_for_commit(0, 2);
    assert_eq!(
        rig.columns(),
        [
            "1: id: required int",
            "2: big: optional long",
            "3: at: required timestamptz",
            "4: day: required date",
            "5: price: optional decimal(38, 2)",
            "6: tags: required list<string>",
            "7: more: required map<string, double>",
            "8: place: optional struct<12: name: required string, 13: lat: required float>"
        ]
    );
    assert_made_as_told(&rig);
    let rows = rig.rows();
    assert_eq!(
        rows[0],
        json!({"id": 1, "big": 7, "at": "2023-11-14 22:13:20.123000+00:00", "day": "2022-01-08",
               "price": "12.34", "tags": ["a"], "more": [["k", 0.5]], "place": {"name": "x", "lat": 1.5}})
    );
    assert_eq!(rows[1]["place"], json!(null));
    assert_eq!(rows.len(), 2);
}

/// Transforms, names and columns of the partition fields, and properties.
fn assert_made_as_told(rig: &Rig) {
    let made = rig.python(
        "table = catalog.load_table(args[0])\n\
         answer([[str(field.transform), field.name, table.schema().find_column_name(field.source_id)] \
         for field in table.spec().fields] + [table.properties.get('write.parquet.compression-codec'), \
         table.format_version, catalog.namespace_exists(args[0].rsplit('.', 1)[0]), \
         'format-version' in table.properties])",
    );
    let expected = json!([
        ["hour", "at_hour", "at"],
        ["month", "day_month", "day"],
        ["bucket[4]", "id_bucket", "id"],
        ["truncate[2]", "place_name_trunc", "place.name"],
        ["identity", "big", "big"],
        "gzip",
        2,
        true,
        false
    ]);
    assert_eq!(made, expected);
}

#[test]
fn a_schemaless_record_says_its_columns_and_nulls_say_none() {
    let rig = Rig::without_table(Scenario::start(1));
    rig.scenario.create(&rig.config().with(&[
        CREATES,
        ("tasks.max", "1"),
        ("iceberg.tables.default-partition-by", "no_such_column"),
    ]));
    rig.scenario.produce_json(&[
        json!({"id": 1, "d": 1.5, "b": true, "s": "x", "n": null, "e": [], "o": {}, "on": {"x": null},
               "l": [{"a": 1}], "in": {"x": null, "y": "z"}}),
        json!({"id": 2, "later": "is left out: columns are those of the first", "s": null, "l": []}),
    ]);
    rig.scenario.wait_for_commit(0, 2);
    assert_eq!(
        rig.columns(),
        [
            "1: id: optional long",
            "2: d: optional double",
            "3: b: optional boolean",
            "4: s: optional string",
            "5: l: optional list<struct<8: a: optional long>>",
            "6: in: optional struct<9: y: optional string>"
        ]
    );
    assert_eq!(
        rig.rows(),
        [
            json!({"id": 1, "d": 1.5, "b": true, "s": "x", "l": [{"a": 1}], "in": {"y": "z"}}),
            json!({"id": 2, "d": null, "b": null, "s": null, "l": [], "in": null}),
        ]
    );
    // As in Java, partitions that cannot be are left out; that is an error in the log.
    assert_eq!(rig.python("answer(len(catalog.load_table(args[0]).spec().fields))"), json!(0));
    assert!(rig.scenario.worker.log().contains("made without partitions"));
}

#[test]
fn a_record_without_any_value_makes_no_table() {
    let rig = Rig::without_table(Scenario::start(1));
    let config = rig.config().with(&[CREATES, ("tasks.max", "1")]);
    rig.scenario.produce_json(&[json!({"id": null, "e": {}}), json!({"id": 1})]);
    rig.scenario.create(&config);
    let trace = rig.scenario.worker.wait_for_failure(&rig.scenario.connector);
    assert!(trace.contains("DataException: Unable to create table from empty object"), "{trace}");
    let rig = Rig { scenario: Scenario { connector: unique("tolerant"), ..rig.scenario }, ..rig };
    let letters = rig.dead_letters();
    let mut config = config;
    for (key, value) in &letters {
        config = config.with(&[(key, value)]);
    }
    rig.scenario.create(&config);
    rig.scenario.wait_for_commit(0, 2);
    assert_eq!(rig.ids(), [1]);
    assert_eq!(rig.dead(), [json!({"id": null, "e": {}})]);
}

#[test]
fn tasks_that_race_and_answers_that_get_lost_make_one_table() {
    for lost in [LostAnswers::ToDone, LostAnswers::ToUndone] {
        let rig = Rig::without_table(Scenario::start(4));
        let creations = format!("{}.*", rig.namespace());
        rig.catalog.lose_answers(&creations, lost, 2).expect("the catalog loses answers");
        assert_made_once(&rig, rig.config());
        let left = rig.catalog.answers_to_lose(&creations).expect("the catalog counts");
        assert!(left < 2, "no answer was lost");
    }
}

/// Four tasks want the table, and answers get lost.
pub(super) fn assert_made_once(rig: &Rig, config: SinkConfig) {
    rig.produce_ids(0..40, 4);
    rig.scenario.create(&config.with(&[CREATES, ("tasks.max", "4")]));
    for partition in 0..4 {
        rig.scenario.wait_for_commit(partition, 10);
    }
    assert_eq!(rig.ids(), (0..40).collect::<Vec<i64>>());
    let log = rig.scenario.worker.log();
    assert!(log.contains("a change of a table starts over"), "nobody was in the way");
    assert!(!log.contains("RetriableException"), "a lost answer failed the task");
}

/// In the order in which a creation passes them.
const PLACES: [&str; 6] = [
    "table.create.before_namespace",
    "table.create.after_namespace",
    "table.metadata.before_write",
    "table.metadata.after_write",
    "table.create.before_send",
    "table.create.after_answer",
];

#[test]
fn a_worker_that_dies_while_it_makes_a_table_fills_it_once() {
    assert_made_after_deaths(Rig::without_table(Scenario::start(2)), Rig::config);
}

/// A worker dies at each place, with a table of its own, and the next one goes on.
pub(super) fn assert_made_after_deaths(mut rig: Rig, config: impl Fn(&Rig) -> SinkConfig) {
    for place in PLACES {
        rig.table = format!("{}.events", unique("db").replace('-', "_"));
        rig.scenario.topic = rig.scenario.broker.create_topic("events", 2).expect("a topic");
        rig.scenario.connector = unique("sink");
        rig.produce_ids(0..20, 2);
        rig.scenario.worker.kill();
        let environment = [("LAKEWARD_FAILPOINT", &*format!("{place}:1"))];
        rig.scenario.worker = LakewardWorker::spawn_with_failpoints(&rig.scenario.properties, &environment)
            .expect("the worker with failpoints starts");
        rig.scenario.worker.wait_until_ready().expect("the worker is ready");
        rig.scenario.create(&config(&rig).with(&[CREATES]));
        let end = wait_for(place, PATIENCE, || rig.scenario.worker.ended().ok().flatten().ok_or("it runs"));
        assert_eq!(end.code(), None, "a signal ended it");
        rig.scenario.worker =
            LakewardWorker::start_distributed(&rig.scenario.properties).expect("the worker starts again");
        rig.wait_for_rows(20);
        for partition in 0..2 {
            rig.scenario.wait_for_commit(partition, 10);
        }
        assert_eq!(rig.ids(), (0..20).collect::<Vec<i64>>(), "{place}");
        let path = format!("/connectors/{}", rig.scenario.connector);
        rig.scenario.worker.rest.delete(&path).expect("it is deleted");
    }
}

#[test]
fn a_worker_that_dies_when_a_table_was_made_fills_it_once() {
    let mut rig = Rig::without_table(Scenario::start(2));
    rig.produce_ids(0..20, 2);
    rig.scenario.create(&rig.config().with(&[CREATES, ("iceberg.control.commit.interval-ms", "4000")]));
    wait_for("the table", PATIENCE, || {
        let is_there = rig.python("answer(catalog.table_exists(args[0]))");
        if is_there == json!(true) { Ok(()) } else { Err("it is not there".to_owned()) }
    });
    rig.scenario.worker.kill();
    rig.scenario.worker.restart().expect("the worker starts again");
    rig.wait_for_rows(20);
    for partition in 0..2 {
        rig.scenario.wait_for_commit(partition, 10);
    }
    assert_eq!(rig.ids(), (0..20).collect::<Vec<i64>>());
}

#[test]
fn a_table_that_is_made_later_gets_what_another_one_holds_already() {
    let rig = Rig::start(2, IDS);
    rig.produce_ids(0..20, 2);
    rig.scenario.create(&rig.config());
    rig.wait_for_rows(20);
    rig.scenario
        .worker
        .rest
        .delete(&format!("/connectors/{}", rig.scenario.connector))
        .expect("it is deleted");
    // As after a death between the snapshots of two tables: the second is missing, the first is ahead.
    let group = format!("connect-{}", rig.scenario.connector);
    let again = Rig { scenario: Scenario { connector: unique("again"), ..rig.scenario }, ..rig };
    let tables = format!("{0},{0}_later", again.table);
    again.scenario.create(&again.config().with(&[
        CREATES,
        ("iceberg.tables", &tables),
        ("iceberg.connect.group-id", &group),
    ]));
    for partition in 0..2 {
        again.scenario.wait_for_commit(partition, 10);
    }
    assert_eq!(again.ids(), (0..20).collect::<Vec<i64>>());
    let later = Rig { table: format!("{}_later", again.table), ..again };
    assert_eq!(later.ids(), (0..20).collect::<Vec<i64>>());
}

#[test]
fn an_id_column_that_a_table_does_not_have_fails_the_tasks() {
    let rig = Rig::start(1, IDS);
    let key = format!("iceberg.table.{}.id-columns", rig.table);
    rig.scenario.create(&rig.config().with(&[(&key, "id, nope"), ("tasks.max", "1")]));
    let trace = rig.scenario.worker.wait_for_failure(&rig.scenario.connector);
    assert!(trace.contains("ID column not found: nope") && trace.contains(&key), "{trace}");
}

#[test]
fn a_table_that_was_dropped_is_made_again_and_gets_no_file_of_the_former_one() {
    let rig = Rig::without_table(Scenario::start(1));
    rig.scenario.create(&rig.config().with(&[CREATES, ("tasks.max", "1")]));
    rig.produce_ids(0..10, 1);
    rig.scenario.wait_for_commit(0, 10);
    // The task counts on the table that it knows until it commits.
    rig.python("catalog.drop_table(args[0])\nanswer(None)");
    rig.produce_ids(10..20, 1);
    rig.scenario.wait_for_commit(0, 20);
    assert_eq!(rig.ids(), (10..20).collect::<Vec<i64>>(), "its rows are gone with it");
    // The next one has other numbers for its columns: a file of the former one would be read wrongly.
    rig.python(
        "catalog.drop_table(args[0])\n\
         catalog.create_table(args[0], Schema(NestedField(1, 'other', StringType()), \
         NestedField(2, 'id', LongType())))\n\
         answer(None)",
    );
    rig.produce_ids(20..30, 1);
    rig.scenario.wait_for_commit(0, 30);
    let expected: Vec<_> = (20..30).map(|id| json!({"other": null, "id": id})).collect();
    assert_eq!(rig.rows(), expected);
}
