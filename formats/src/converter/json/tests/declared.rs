//! Plain JSON under a declared schema, and what a failed row leaves behind.

use super::*;

const SCHEMA: &str = r#"{"type":"record","name":"R","fields":[
    {"name":"id","type":"int"},
    {"name":"name","type":["null","string"]},
    {"name":"tags","type":{"type":"array","items":"string"},"default":[]},
    {"name":"inner","type":["null",{"type":"record","name":"I","fields":[
        {"name":"x","type":"double"},{"name":"b","type":"boolean","default":true}]}]},
    {"name":"counts","type":["null",{"type":"map","values":"long"}]},
    {"name":"price","type":["null",{"type":"bytes","logicalType":"decimal","scale":2}]}]}"#;

fn declared() -> Box<dyn Converter> {
    converter(&[("schemas.enable", "false")], SCHEMA)
}

fn row(id: i32) -> Value {
    map(vec![
        ("id", Value::Int32(id)),
        ("name", Value::Null),
        ("tags", Value::Array(vec![])),
        ("inner", Value::Null),
        ("counts", Value::Null),
        ("price", Value::Null),
    ])
}

#[test]
fn members_fill_columns_in_any_order() {
    let full = r#"{"counts":{"k":1,"k":2},"unknown":{"deep":[1,{"x":"y\n"}]},"inner":{"x":3},
        "id":7.0,"tags":["é","\u0041"],"name":"n\"q","price":1.5}"#;
    let expected = map(vec![
        ("id", Value::Int32(7)),
        ("name", text("n\"q")),
        ("tags", Value::Array(vec![text("é"), text("A")])),
        ("inner", map(vec![("x", Value::Float64(3.0)), ("b", Value::Boolean(true))])),
        ("counts", map(vec![("k", Value::Int64(2))])),
        ("price", Value::Bytes(vec![0, 0x96].into())),
    ]);
    let decoded = decode(declared().as_mut(), &[full, r#"{"id":1}"#, r#"{"id":1,"id":2}"#]);
    assert_eq!(values(&decoded, 3), [Some(expected), Some(row(1)), Some(row(2))]);
}

#[test]
fn a_failed_row_leaves_every_column_aligned() {
    let bad = [
        (
            r#"{"id":5,"tags":["a","b"],"inner":{"x":1,"b":false},"counts":{"a":1},"name":5}"#,
            "Field name: expected STRING",
        ),
        (r#"{"name":"n"}"#, "Field id: is required"),
        (r#"{"id":5,"tags":["a",null]}"#, "Field tags.[]: is required"),
        (r#"{"id":5,"inner":{"x":"1"}}"#, "Field inner.x: expected FLOAT64 but found a JSON STRING"),
        (r#"{"id":5,"counts":{"a":1,"b":true}}"#, "Field counts.{}: expected INT64"),
        (r#"{"id":3000000000}"#, "Field id: the number does not fit INT32"),
        (r#"{"id":1.5}"#, "does not fit INT32"),
        (r#"{"id":5,"name":"half"#, "Converting byte[]"),
        (r#"[1]"#, "expected STRUCT but found a JSON ARRAY"),
        (r#"{"id":5,"tags":["a"],"inner":{"x":1}}}"#, ""),
    ];
    let mut records = Vec::new();
    for (record, _) in bad {
        records.extend([r#"{"id":1}"#, record]);
    }
    records.push(r#"{"id":1}"#);
    let decoded = decode(declared().as_mut(), &records);
    let problems: Vec<String> = decoded.errors.iter().map(|(_, err)| err.to_string()).collect();
    assert_eq!(problems.len(), bad.len() - 1, "what follows the value is not read");
    for (problem, (record, expected)) in problems.iter().zip(bad) {
        assert!(problem.contains(expected), "{record}: {problem}");
        assert!(!problem.contains("half"), "contents must not leak");
    }
    let all = values(&decoded, records.len());
    for (at, value) in all.iter().enumerate().step_by(2) {
        assert_eq!(*value, Some(row(1)), "row {at}");
    }
}

#[test]
fn columns_survive_many_batches() {
    let mut converter = declared();
    for _ in 0..3 {
        let decoded = decode(converter.as_mut(), &[r#"{"id":1}"#, "null", "", r#"{"id":2}"#]);
        assert_eq!(values(&decoded, 4), [Some(row(1)), Some(Value::Null), Some(Value::Null), Some(row(2))]);
    }
}

#[test]
fn a_bad_schema_text_is_a_config_error_with_a_remedy() {
    let new = |settings: &[(&str, &str)], schema: &str, role| {
        let settings: ConfigMap =
            settings.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        let connector = ConfigMap::from([("lakeward.schema".to_owned(), schema.to_owned())]);
        let context = ConverterContext { role, settings: &settings, connector: &connector, network: None };
        JsonConverterPlugin.new_converter(&context).err().map(|err| err.to_string())
    };
    let plain = [("schemas.enable", "false")];
    let problem = new(&plain, "{\"type\":\"nope\"}", ConverterRole::Value).unwrap();
    assert!(problem.contains("lakeward.schema") && problem.contains("Set it to infer"), "{problem}");
    let problem = new(&[], "infer", ConverterRole::Value).unwrap();
    assert!(problem.contains("value.converter.schemas.enable=false"), "{problem}");
    assert_eq!(new(&plain, "nonsense", ConverterRole::Key), None, "keys have no declared schema");
    assert!(new(&[("decimal.format", "x")], "", ConverterRole::Key).is_some());
}
