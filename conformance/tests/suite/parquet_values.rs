//! Values with schemas arrive in Parquet as they were sent: names, types and values, read by pyarrow.

use lakeward_conformance::envelope::{decimal, enveloped, field, logical, numbered, optional};
use lakeward_conformance::scenario::Scenario;
use serde_json::{Value, json};

fn every_type() -> Vec<Value> {
    vec![
        field("i8", "int8"),
        field("i16", "int16"),
        field("i32", "int32"),
        field("i64", "int64"),
        field("f32", "float"),
        field("f64", "double"),
        field("flag", "boolean"),
        field("text", "string"),
        field("raw", "bytes"),
        decimal("price", 2),
        logical("day", "int32", "Date"),
        logical("clock", "int32", "Time"),
        logical("moment", "int64", "Timestamp"),
        json!({"field": "tags", "type": "array", "optional": false,
               "items": {"type": "string", "optional": false}}),
        json!({"field": "counts", "type": "map", "optional": false,
               "keys": {"type": "string", "optional": false},
               "values": {"type": "int32", "optional": false}}),
        json!({"field": "inner", "type": "struct", "optional": true,
               "fields": [optional("a", "int32"), field("b", "string")]}),
        optional("missing", "string"),
    ]
}

#[test]
fn every_connect_type_is_read_back_as_it_was_sent() {
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(2));
    let full = json!({
        "i8": -128, "i16": 32767, "i32": -2_147_483_648_i64, "i64": 9_223_372_036_854_775_807_i64,
        "f32": 1.5, "f64": -2.25, "flag": true, "text": "Zürich 東京 \u{1F600} \"quoted\"\n", "raw": "AAEC/w==",
        "price": "MDk=", "day": 19000, "clock": 3_723_004, "moment": 1_700_000_000_123_i64,
        "tags": ["a", "", "ü"], "counts": {"x": 1, "y": -2}, "inner": {"a": 7, "b": "deep"},
        "missing": "here",
    });
    let sparse = json!({
        "i8": 127, "i16": -32768, "i32": 0, "i64": -9_223_372_036_854_775_808_i64,
        "f32": -0.5, "f64": 1e300, "flag": false, "text": "", "raw": "", "price": "/w==", "day": -1,
        "clock": 0,
        "moment": -1, "tags": [], "counts": {}, "inner": {"a": null, "b": ""}, "missing": null,
    });
    scenario.produce_json(&[enveloped(&every_type(), &full), enveloped(&every_type(), &sparse)]);

    let names = scenario.wait_for_objects(1);
    assert_eq!(names, [scenario.object("partition=0", 0, 0, "snappy.parquet")]);
    let file = scenario.parquet(&names[0]);
    let expected_full = json!({
        "i8": -128, "i16": 32767, "i32": -2_147_483_648_i64, "i64": 9_223_372_036_854_775_807_i64,
        "f32": 1.5, "f64": -2.25, "flag": true, "text": "Zürich 東京 \u{1F600} \"quoted\"\n", "raw": "000102ff",
        "price": "123.45", "day": "2022-01-08", "clock": "01:02:03.004000",
        "moment": "2023-11-14T22:13:20.123000+00:00", "tags": ["a", "", "ü"], "counts": [["x", 1], ["y", -2]],
        "inner": {"a": 7, "b": "deep"}, "missing": "here",
    });
    let expected_sparse = json!({
        "i8": 127, "i16": -32768, "i32": 0, "i64": -9_223_372_036_854_775_808_i64, "f32": -0.5, "f64": 1e300,
        "flag": false, "text": "", "raw": "", "price": "-0.01", "day": "1969-12-31", "clock": "00:00:00",
        "moment": "1969-12-31T23:59:59.999000+00:00", "tags": [], "counts": [], "inner": {"a": null, "b": ""},
        "missing": null,
    });
    assert_same_values(&file.rows, &[expected_full, expected_sparse]);
    assert_eq!(file.codec, "SNAPPY");
    scenario.wait_for_commit(0, 2);
}

/// Compares member by member: a failure names the column. Numbers are compared as numbers: `-2.0` is `-2`.
fn assert_same_values(found: &[Value], expected: &[Value]) {
    assert_eq!(found.len(), expected.len(), "row count");
    for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
        for (name, value) in expected.as_object().expect("rows are objects") {
            let same = match (found[name].as_f64(), value.as_f64()) {
                (Some(left), Some(right)) => left.to_bits() == right.to_bits(),
                _ => found[name] == *value,
            };
            assert!(same, "row {row}, column {name}: {} is not {value}", found[name]);
        }
    }
}

#[test]
fn columns_have_the_types_of_the_java_sink() {
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(1));
    let payload = json!({
        "i8": 1, "i16": 1, "i32": 1, "i64": 1, "f32": 1.0, "f64": 1.0, "flag": true, "text": "", "raw": "",
        "price": null, "day": 0, "clock": 0, "moment": 0, "tags": ["t"], "counts": {"k": 1}, "inner": null,
        "missing": null,
    });
    scenario.produce_json(&[enveloped(&every_type(), &payload)]);
    let names = scenario.wait_for_objects(1);
    let file = scenario.parquet(&names[0]);
    let expected = [
        ("i8", "int32"),
        ("i16", "int32"),
        ("i32", "int32"),
        ("i64", "int64"),
        ("f32", "float"),
        ("f64", "double"),
        ("flag", "bool"),
        ("text", "string"),
        ("raw", "binary"),
        ("price", "decimal256(64, 2)"),
        ("day", "date32[day]"),
        ("clock", "time32[ms]"),
        ("moment", "timestamp[ms, tz=UTC]"),
        ("tags", "list<"),
        ("counts", "map<string, int32"),
        ("inner", "struct<a: int32, b: string"),
        ("missing", "string"),
    ];
    assert_eq!(file.columns.len(), expected.len(), "{:?}", file.columns);
    for ((name, kind), (expected_name, expected_kind)) in file.columns.iter().zip(expected) {
        assert_eq!(name, expected_name);
        assert!(kind.starts_with(expected_kind), "{name}: {kind} is not {expected_kind}");
    }
    assert_eq!(file.rows[0]["inner"], Value::Null);
}

#[test]
fn files_are_named_by_topic_partition_and_start_offset() {
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(3));
    let values: Vec<Value> = (0..7).map(numbered).collect();
    scenario.produce_json(&values);
    scenario.wait_for_commit(0, 6);
    // The seventh record waits in an open part: not visible, not committed.
    let expected: Vec<String> =
        [0, 3].map(|start| scenario.object("partition=0", 0, start, "snappy.parquet")).into();
    assert_eq!(scenario.objects.names().unwrap(), expected);
    for (index, name) in expected.iter().enumerate() {
        let ids: Vec<u64> =
            scenario.parquet(name).rows.iter().map(|row| row["id"].as_u64().unwrap()).collect();
        let first = 3 * u64::try_from(index).unwrap();
        assert_eq!(ids, [first, first + 1, first + 2], "{name}");
    }
}

#[test]
fn codecs_show_in_names_and_in_files() {
    for (codec, ending, inside) in [
        ("none", "parquet", "UNCOMPRESSED"),
        ("gzip", "gz.parquet", "GZIP"),
        ("zstd", "zstd.parquet", "ZSTD"),
    ] {
        let scenario = Scenario::start(1);
        let config = scenario.config(1).with(&[("parquet.codec", codec), ("topics.dir", "lake/raw")]);
        scenario.create(&config);
        scenario.produce_json(&[numbered(0)]);
        let names = scenario.wait_for_objects(1);
        let topic = &scenario.topic;
        assert_eq!(names, [format!("lake/raw/{topic}/partition=0/{topic}+0+0000000000.{ending}")]);
        assert_eq!(scenario.parquet(&names[0]).codec, inside);
    }
}

#[test]
fn a_schema_change_rotates() {
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(2));
    let wider = |id: u64| {
        enveloped(&[field("id", "int64"), optional("note", "string")], &json!({"id": id, "note": "n"}))
    };
    scenario.produce_json(&[numbered(0), wider(1), wider(2)]);
    let names = scenario.wait_for_objects(2);
    assert_eq!(names, [0, 1].map(|start| scenario.object("partition=0", 0, start, "snappy.parquet")));
    assert_eq!(scenario.parquet(&names[0]).rows, [json!({"id": 0})]);
    assert_eq!(
        scenario.parquet(&names[1]).rows,
        [json!({"id": 1, "note": "n"}), json!({"id": 2, "note": "n"})]
    );
}
