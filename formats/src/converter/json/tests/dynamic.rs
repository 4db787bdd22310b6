//! Plain JSON without schema.

use super::*;

fn read(record: &str) -> Result<Value, String> {
    let mut converter = converter(&[("schemas.enable", "false")], "");
    let decoded = decode(converter.as_mut(), &[record]);
    match decoded.errors.first() {
        Some((_, err)) => Err(err.trace()),
        None => Ok(values(&decoded, 1)[0].clone().unwrap()),
    }
}

#[test]
fn schemaless_values_are_javas() {
    let cases = [
        ("12", Value::Int64(12)),
        ("007", Value::Int64(7)),
        ("1 2", Value::Int64(1)),
        ("12345678901234567890", Value::Int64(-6101065172474983726)),
        ("1.0", Value::Float64(1.0)),
        ("1e400", Value::Float64(f64::INFINITY)),
        ("\"x\"", text("x")),
        ("true", Value::Boolean(true)),
        ("null", Value::Null),
        ("  ", Value::Null),
        ("", Value::Null),
        ("[1,null,[]]", Value::Array(vec![Value::Int64(1), Value::Null, Value::Array(vec![])])),
        (r#"{"a":1,"b":2,"a":3}"#, map(vec![("a", Value::Int64(3)), ("b", Value::Int64(2))])),
        ("{} trailing", map(vec![])),
    ];
    for (record, expected) in cases {
        assert_eq!(read(record).unwrap(), expected, "{record}");
    }
}

#[test]
fn broken_texts_are_serialization_errors() {
    for record in
        ["{", "{'a':1}", "NaN", "[1,]", "{\"a\" 1}", "tru", "truex", "1x", "\"a", "{\"a\":1,}", "\u{1}"]
    {
        let trace = read(record).unwrap_err();
        assert!(
            trace.starts_with(
                "org.apache.kafka.connect.errors.DataException: Converting byte[] to Kafka Connect data \
                failed \
                 due to serialization error: "
            ),
            "{record}: {trace}"
        );
    }
    let mut converter = converter(&[("schemas.enable", "false")], "");
    let decoded = converter.decode("t", &[Some(b"\"\xff\"")]).unwrap();
    assert_eq!(decoded.errors.len(), 1);
}

#[test]
fn many_members_with_duplicates_keep_the_last_value() {
    let members: Vec<String> = (0..100).map(|at| format!("\"k{}\":{at}", at % 40)).collect();
    let Value::Map(entries) = read(&format!("{{{}}}", members.join(","))).unwrap() else { panic!("no map") };
    assert_eq!(entries.len(), 40);
    assert_eq!(entries[0], (text("k0"), Value::Int64(80)));
    assert_eq!(entries[39], (text("k39"), Value::Int64(79)));
}

#[test]
fn nesting_is_bounded() {
    assert!(read(&format!("{}{}", "[".repeat(256), "]".repeat(256))).is_ok());
    assert!(read(&"[".repeat(100_000)).is_err());
}

#[test]
fn nulls_cut_runs_in_order() {
    let mut converter = converter(&[("schemas.enable", "false")], "");
    let decoded = converter.decode("t", &[Some(b"1"), None, Some(b"null"), Some(b"?"), Some(b"2")]).unwrap();
    let rows: Vec<Vec<u32>> = decoded.runs.iter().map(|run| run.rows.clone()).collect();
    assert_eq!(rows, [vec![0], vec![1, 2], vec![4]]);
    assert_eq!(decoded.errors[0].0, 3);
}
