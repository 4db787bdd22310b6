//! Columns that records bring along: added, widened and freed, while rows are on their way.

use lakeward_testkit::iceberg::LostAnswers;
use lakeward_testkit::records::{Record, produce};
use serde_json::{Value, json};

use super::{IDS, Rig};

const EVOLVES: (&str, &str) = ("iceberg.tables.evolve-schema-enabled", "true");

/// A struct schema of fields `(name, type, optional)`.
fn schema(fields: &[(&str, Value, bool)]) -> Value {
    let field = |(name, of, optional): &(&str, Value, bool)| {
        let mut field = if of.is_string() { json!({"type": of}) } else { of.clone() };
        field["field"] = json!(name);
        field["optional"] = json!(optional);
        field
    };
    json!({"type": "struct", "fields": fields.iter().map(field).collect::<Vec<_>>()})
}

fn list_of(item: Value) -> Value {
    json!({"type": "array", "items": item})
}

fn map_to(value: Value) -> Value {
    json!({"type": "map", "keys": {"type": "string"}, "values": value})
}

const OLD_TABLE: &str = "Schema(NestedField(1, 'id', IntegerType(), required=True), \
         NestedField(2, 'ratio', FloatType(), required=True), \
         NestedField(3, 'place', StructType(NestedField(4, 'name', StringType(), required=True))), \
         NestedField(5, 'tags', ListType(6, StructType(NestedField(7, 'k', StringType())), False)), \
         NestedField(8, 'more', MapType(9, StringType(), 10, \
         StructType(NestedField(11, 'a', IntegerType())), False)))";

#[test]
fn a_newer_schema_changes_the_table_and_rows_of_both_are_whole() {
    let rig = Rig::start(1, OLD_TABLE);
    let inner = |fields: &[(&str, Value, bool)]| schema(fields);
    let old = schema(&[
        ("id", json!("int32"), false),
        ("ratio", json!("float"), false),
        ("place", inner(&[("name", json!("string"), false)]), true),
        ("tags", list_of(inner(&[("k", json!("string"), true)])), true),
        ("more", map_to(inner(&[("a", json!("int32"), true)])), true),
    ]);
    let new = schema(&[
        ("id", json!("int64"), false),
        ("ratio", json!("double"), true),
        ("place", inner(&[("name", json!("string"), true), ("lat", json!("double"), true)]), true),
        ("tags", list_of(inner(&[("k", json!("string"), true), ("v", json!("int32"), false)])), true),
        ("more", map_to(inner(&[("a", json!("int64"), true), ("b", json!("boolean"), true)])), true),
        ("note", json!("string"), false),
    ]);
    let old_row = |id: i64| {
        json!({"id": id, "ratio": 0.5, "place": {"name": "x"}, "tags": [{"k": "t"}],
               "more": {"m": {"a": 1}}})
    };
    let big = i64::from(i32::MAX) + 7;
    let new_row = |id: i64| {
        json!({"id": id, "ratio": null, "place": {"name": null, "lat": 2.5}, "tags": [{"k": null, "v": 3}],
               "more": {"m": {"a": big, "b": true}}, "note": "n"})
    };
    let config = rig.config().with(&[
        EVOLVES,
        ("tasks.max", "1"),
        ("value.converter.schemas.enable", "true"),
        ("iceberg.control.commit.interval-ms", "2000"),
    ]);
    rig.scenario.create(&config);
    // Both in turns, in one commit.
    for round in 0..3 {
        rig.produce_typed(&old, &[old_row(round * 2)]);
        rig.produce_typed(&new, &[new_row(if round == 2 { big } else { round * 2 + 1 })]);
    }
    rig.scenario.wait_for_commit(0, 6);
    let columns = rig.columns();
    assert_eq!(columns[0], "1: id: required long");
    assert_eq!(columns[1], "2: ratio: optional double");
    for (column, inner) in
        columns[2..5].iter().zip(["name: optional string", "v: optional int", "a: optional long"])
    {
        assert!(column.contains(inner), "{column}");
    }
    assert!(columns[5].ends_with("note: optional string"), "what is new is optional: {}", columns[5]);
    let rows = rig.rows();
    assert_eq!(
        rows.iter().map(|row| row["id"].clone()).collect::<Vec<_>>(),
        [0, 1, 2, 3, 4, big].map(Value::from)
    );
    assert_eq!(
        rows[0],
        json!({"id": 0, "ratio": 0.5, "place": {"name": "x", "lat": null}, "tags": [{"k": "t", "v": null}],
               "more": [["m", {"a": 1, "b": null}]], "note": null})
    );
    assert_eq!(
        rows[5],
        json!({"id": big, "ratio": null, "place": {"name": null, "lat": 2.5}, "tags": [{"k": null, "v": 3}],
               "more": [["m", {"a": big, "b": true}]], "note": "n"})
    );
    assert!(!rig.scenario.worker.log().contains("refused a batch"), "waiting for a table is no failure");
}

#[test]
fn schemaless_records_add_columns_and_what_fits_no_column_is_a_dead_letter() {
    let rig = Rig::start(1, IDS);
    let mut config = rig.config().with(&[EVOLVES, ("tasks.max", "1")]);
    for (key, value) in &rig.dead_letters() {
        config = config.with(&[(key, value)]);
    }
    rig.scenario.create(&config);
    let bad = [json!({"id": 3, "n": "no number"}), json!({"id": 4, "in": 5}), json!({"id": 5, "in.x": 1})];
    rig.scenario.produce_json(&[
        json!({"id": 0}),
        json!({"id": 1, "n": 7, "in": {"x": 1}, "none": null}),
        json!({"id": 2, "n": null, "in": {"y": "z"}, "l": [{"a": 1}, {}, {"b": [2]}]}),
        bad[0].clone(),
        bad[1].clone(),
        bad[2].clone(),
        json!({"id": 6, "l": [{"a": 2, "c": true}]}),
    ]);
    rig.scenario.wait_for_commit(0, 7);
    let dead = rig.dead();
    assert_eq!(dead, bad);
    let rows = rig.rows();
    // pyiceberg makes empty lists of structs of those that are null.
    let cells = |row: &Value| [row["id"].clone(), row["n"].clone(), row["in"].clone()];
    let (none, some) = (json!(null), json!({"x": 1, "y": null}));
    assert_eq!(cells(&rows[0]), [json!(0), none.clone(), none.clone()]);
    assert_eq!(cells(&rows[1]), [json!(1), json!(7), some]);
    let nothing = json!({"a": null, "b": null, "c": null});
    let list = json!([{"a": 1, "b": null, "c": null}, nothing, {"a": null, "b": [2], "c": null}]);
    assert_eq!(rows[2], json!({"id": 2, "n": none, "in": {"x": null, "y": "z"}, "l": list}));
    assert_eq!(rows[3]["l"], json!([{"a": 2, "b": null, "c": true}]));
    assert_eq!(rows.len(), 4);
}

#[test]
fn tasks_that_change_one_table_at_once_add_every_column_whatever_gets_lost() {
    for lost in [LostAnswers::ToDone, LostAnswers::ToUndone] {
        let rig = Rig::start(4, IDS);
        rig.scenario.create(&rig.config().with(&[EVOLVES, ("tasks.max", "4")]));
        let mut end = 0;
        for round in 0..3 {
            rig.catalog.lose_answers(&rig.table, lost, 1).expect("the catalog loses answers");
            let record = |id: i32| {
                let partition = id % 4;
                Record::json(&json!({"id": id, format!("c{round}_{partition}"): id})).in_partition(partition)
            };
            let records: Vec<Record> = (end..end + 40).map(record).collect();
            produce(rig.scenario.broker, &rig.scenario.topic, &records).expect("the broker takes records");
            end += 40;
            rig.wait_for_rows(usize::try_from(end).expect("it is small"));
        }
        for partition in 0..4 {
            rig.scenario.wait_for_commit(partition, 30);
        }
        let rows = rig.rows();
        assert_eq!(rows.len(), 120);
        for (id, row) in rows.iter().enumerate() {
            let values: Vec<&Value> =
                row.as_object().expect("a row").values().filter(|it| !it.is_null()).collect();
            assert_eq!((row["id"].as_u64(), values.len()), (Some(id as u64), 2), "{row}");
        }
        assert_eq!(rig.columns().len(), 13);
        let log = rig.scenario.worker.log();
        assert!(
            log.contains("starts over") && !log.contains("RetriableException"),
            "nothing was lost, or a task"
        );
    }
}

#[test]
fn a_column_that_partitions_the_table_is_widened_and_each_row_stored_once() {
    let rig = Rig::start(
        1,
        "Schema(NestedField(1, 'id', IntegerType(), required=True)), \
         partition_spec=PartitionSpec(PartitionField(1, 1000, TruncateTransform(10), 'ten'))",
    );
    let config = rig.config().with(&[
        EVOLVES,
        ("tasks.max", "1"),
        ("value.converter.schemas.enable", "true"),
        ("iceberg.control.commit.interval-ms", "2000"),
    ]);
    rig.scenario.create(&config);
    let rows = |ids: std::ops::Range<i64>| ids.map(|id| json!({"id": id})).collect::<Vec<_>>();
    rig.produce_typed(&schema(&[("id", json!("int32"), false)]), &rows(0..30));
    rig.produce_typed(&schema(&[("id", json!("int64"), false)]), &rows(30..60));
    rig.wait_for_rows(60);
    rig.produce_typed(&schema(&[("id", json!("int32"), false)]), &rows(60..90));
    rig.scenario.wait_for_commit(0, 90);
    assert_eq!(rig.ids(), (0..90).collect::<Vec<i64>>());
    let found =
        rig.python("answer(catalog.load_table(args[0]).scan(row_filter='id = 35').to_arrow().num_rows)");
    assert_eq!(found, json!(1));
}

#[test]
fn a_storm_of_new_columns_is_stored_with_few_changes_of_the_table() {
    let rig = Rig::start(1, IDS);
    let storm =
        |id: i64| json!({"id": id, format!("c{}", id % 300): id, "in": {format!("k{}", id % 50): "x"}});
    rig.scenario.produce_json(&(0..600).map(storm).collect::<Vec<_>>());
    rig.scenario.create(&rig.config().with(&[EVOLVES, ("tasks.max", "1")]));
    rig.scenario.wait_for_commit(0, 600);
    assert_eq!(rig.ids(), (0..600).collect::<Vec<i64>>());
    let found = rig.python(
        "table = catalog.load_table(args[0])\n\
         answer([len(table.schema().fields), len(table.schema().find_field('in').field_type.fields), \
         len(table.schemas())])",
    );
    assert_eq!((&found[0], &found[1]), (&json!(302), &json!(50)));
    assert!(found[2].as_u64() < Some(20), "a change per batch, not per record: {found}");
}
