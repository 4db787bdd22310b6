//! Envelopes: every row of the reading tables.

use super::*;

const LOGICAL: &str = "org.apache.kafka.connect.data.";

fn read(schema: &str, payload: &str) -> Result<Value, String> {
    let mut converter = converter(&[], "");
    let record = format!("{{\"schema\":{schema},\"payload\":{payload}}}");
    // The second record takes the predicted way.
    let decoded = decode(converter.as_mut(), &[&record, &record]);
    let all = values(&decoded, 2);
    assert_eq!(all[0], all[1], "{record}");
    match decoded.errors.first() {
        Some((_, err)) => Err(err.to_string()),
        None => Ok(all[0].clone().unwrap()),
    }
}

fn logical(base: &str, name: &str) -> String {
    format!(r#"{{"type":"{base}","name":"{LOGICAL}{name}","version":1,"parameters":{{"scale":"2"}}}}"#)
}

#[test]
fn payloads_convert_as_in_java() {
    let simple = |kind: &str| format!(r#"{{"type":"{kind}","optional":true}}"#);
    let cases = [
        (simple("int32"), "1.9", Value::Int32(1)),
        (simple("int8"), "300", Value::Int8(44)),
        (simple("int16"), "70000", Value::Int16(4464)),
        (simple("int64"), "12345678901234567890", Value::Int64(-6101065172474983726)),
        (simple("int32"), "\"7\"", Value::Int32(0)),
        (simple("int32"), "[7]", Value::Int32(0)),
        (simple("boolean"), "1", Value::Boolean(false)),
        (simple("boolean"), "true", Value::Boolean(true)),
        (simple("string"), "5", Value::Null),
        (simple("string"), "\"x\"", text("x")),
        (simple("double"), "\"1\"", Value::Float64(0.0)),
        (simple("double"), "3", Value::Float64(3.0)),
        (simple("float"), "0.1", Value::Float32(0.1)),
        (simple("bytes"), "\"AQI=\"", Value::Bytes(vec![1, 2].into())),
        (simple("bytes"), "{}", Value::Null),
        (simple("string"), "null", Value::Null),
        (logical("bytes", "Decimal"), "\"AJw=\"", Value::Bytes(vec![0, 0x9c].into())),
        (logical("bytes", "Decimal"), "1.56", Value::Bytes(vec![0, 0x9c].into())),
        (logical("int32", "Date"), "3", Value::Int32(3)),
        (logical("int32", "Time"), "14400000", Value::Int32(14400000)),
        (logical("int64", "Timestamp"), "4000000000", Value::Int64(4000000000)),
        (r#"{"type":"int32","default":5}"#.to_owned(), "null", Value::Int32(5)),
        (r#"{"type":"array","items":{"type":"int32"}}"#.to_owned(), "7", Value::Array(vec![])),
        (
            r#"{"type":"array","items":{"type":"int32"}}"#.to_owned(),
            r#"{"a":1,"b":2}"#,
            Value::Array(vec![Value::Int32(1), Value::Int32(2)]),
        ),
        (
            r#"{"type":"map","keys":{"type":"string"},"values":{"type":"int32"}}"#.to_owned(),
            r#"{"a":1,"b":2,"a":3}"#,
            map(vec![("a", Value::Int32(3)), ("b", Value::Int32(2))]),
        ),
        (
            r#"{"type":"map","keys":{"type":"int32"},"values":{"type":"string"}}"#.to_owned(),
            r#"[[1,"x"]]"#,
            Value::Map(vec![(Value::Int32(1), text("x"))]),
        ),
        (
            r#"{"type":"struct","fields":[{"type":"string","optional":true,"field":"s"},
                {"type":"int32","field":"i","default":9}]}"#
                .to_owned(),
            r#"{"other":[{}],"i":1}"#,
            map(vec![("s", Value::Null), ("i", Value::Int32(1))]),
        ),
        ("null".to_owned(), r#"{"a":1}"#, map(vec![("a", Value::Int64(1))])),
        ("null".to_owned(), "null", Value::Null),
    ];
    for (schema, payload, expected) in cases {
        assert_eq!(read(&schema, payload), Ok(expected), "{schema} {payload}");
    }
}

#[test]
fn payloads_that_java_refuses_are_errors() {
    let field = r#"{"type":"struct","fields":[{"type":"string","field":"s"}]}"#;
    let pairs = r#"{"type":"map","keys":{"type":"int32"},"values":{"type":"string"}}"#;
    let cases = [
        (field, "{}", "Invalid null value for required STRING field"),
        (field, r#"{"s":5}"#, "null used for required"),
        (field, "[]", "Structs should be encoded as JSON objects, but found ARRAY"),
        (r#"{"type":"bytes"}"#, "\"?\"", "Invalid bytes field"),
        (pairs, "{}", "Maps with non-string fields should be encoded as JSON array of tuples"),
        (pairs, "[[1]]", "expected length 2"),
        (pairs, "[[1,\"a\",2]]", "expected length 2"),
        (r#"{"type":"map","keys":{"type":"string"},"values":{"type":"int8"}}"#, "[]", "JSON objects"),
        (&logical("int32", "Date"), "2147483648", "Invalid type for Date"),
        (&logical("int32", "Time"), "86400001", "Time values"),
        (&logical("int64", "Timestamp"), "1.5", "should be integral"),
        (&logical("bytes", "Decimal"), "1.567", "mismatching scale"),
        (r#"{"type":"weird"}"#, "1", "Unknown schema type: weird"),
        (r#"{"optional":true}"#, "1", "Schema must contain 'type' field"),
        (r#"{"type":"array"}"#, "[]", "Array schema did not specify the element type"),
        (r#"{"type":"int8","parameters":{"a":1}}"#, "1", "Schema parameters must have string values."),
        (r#"{"type":"struct"}"#, "{}", "Struct schema's \"fields\" argument is not an array."),
    ];
    for (schema, payload, expected) in cases {
        let problem = read(schema, payload).unwrap_err();
        assert!(problem.contains(expected), "{schema} {payload}: {problem}");
    }
}

#[test]
fn of_parameters_of_one_name_the_last_counts() {
    assert!(read(r#"{"type":"int8","parameters":{"a":0,"a":"b"}}"#, "1").is_ok());
    assert!(read(r#"{"type":"int8","parameters":{"a":"b","a":0}}"#, "1").is_err());
}

#[test]
fn anything_but_the_two_members_is_no_envelope() {
    let mut converter = converter(&[], "");
    let good = r#"{"schema":{"type":"int8"},"payload":1}"#;
    let bad = [
        "null",
        "1",
        "",
        "{}",
        r#"{"schema":null}"#,
        r#"{"a":1}"#,
        r#"{"schema":{"type":"int8"},"payload":1,"x":1}"#,
    ];
    let mut records = vec![good];
    records.extend(bad);
    let decoded = decode(converter.as_mut(), &records);
    assert_eq!(decoded.errors.len(), bad.len());
    for (row, err) in &decoded.errors {
        assert!(err.to_string().starts_with("JsonConverter with schemas.enable requires"), "{row}: {err}");
    }
}

#[test]
fn members_may_come_in_any_order_and_the_last_duplicate_counts() {
    let records = [
        r#"{"payload":1,"schema":{"type":"int8"}}"#,
        r#"{"schema":{"type":"int8"},"payload":2}"#,
        r#" { "schema" : {"type":"int8"} , "payload" : 3 } "#,
        r#"{"schema":{"type":"int8"},"payload":4,"payload":5}"#,
        r#"{"schema":null,"schema":{"type":"int8"},"payload":6}"#,
    ];
    let mut converter = converter(&[], "");
    let decoded = decode(converter.as_mut(), &records);
    let expected: Vec<_> = [1, 2, 3, 5, 6].map(|number| Some(Value::Int8(number))).into();
    assert_eq!(values(&decoded, 5), expected);
    assert_eq!(decoded.runs.len(), 1, "one schema, one run");
}

#[test]
fn a_new_schema_or_a_tombstone_starts_a_new_run() {
    let mut converter = converter(&[], "");
    let one = br#"{"schema":{"type":"int8"},"payload":1}"#.as_slice();
    let two = br#"{"schema":{"type":"int16"},"payload":2}"#.as_slice();
    let bad = br#"{"schema":{"type":"int16"},"payload":null}"#.as_slice();
    let batch = [Some(one), Some(one), Some(two), None, Some(two), Some(bad), Some(two)];
    let decoded = converter.decode("t", &batch).unwrap();
    let rows: Vec<Vec<u32>> = decoded.runs.iter().map(|run| run.rows.clone()).collect();
    assert_eq!(rows, [vec![0, 1], vec![2], vec![3], vec![4, 6]]);
    assert_eq!(decoded.errors[0].1.to_string(), "Invalid null value for required INT16 field");
}

#[test]
fn the_schema_cache_is_bounded() {
    let mut converter = converter(&[("schemas.cache.size", "2")], "");
    for round in 0..20 {
        let record = format!(r#"{{"schema":{{"type":"int32","version":{}}},"payload":{round}}}"#, round % 5);
        let decoded = decode(converter.as_mut(), &[&record]);
        assert_eq!(values(&decoded, 1), [Some(Value::Int32(round))]);
    }
}

#[test]
fn defaults_stay_out_when_switched_off() {
    let record = r#"{"schema":{"type":"int32","optional":true,"default":5},"payload":null}"#;
    let mut keep = converter(&[("replace.null.with.default", "false")], "");
    assert_eq!(values(&decode(keep.as_mut(), &[record]), 1), [Some(Value::Null)]);
}
