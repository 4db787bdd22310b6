//! Plain JSON under an inferred schema: widening, and that no information is lost.

use serde_json::Value as Json;

use super::*;

fn infer() -> Box<dyn Converter> {
    converter(&[("schemas.enable", "false")], "infer")
}

fn kinds(decoded: &Decoded) -> Vec<(String, String)> {
    let schema = decoded.runs.last().unwrap().values.schema().unwrap();
    let kind = |field: &lakeward_api::schema::Field| {
        assert!(field.schema.optional);
        (field.name.to_string(), field.schema.kind.name().to_owned())
    };
    schema.fields().iter().map(kind).collect()
}

fn kind_of(records: &[&str]) -> String {
    let records: Vec<String> = records.iter().map(|value| format!("{{\"z\":1,\"v\":{value}}}")).collect();
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    let decoded = decode(infer().as_mut(), &records);
    assert!(decoded.errors.is_empty());
    assert_eq!(decoded.runs.len(), 1, "one call, one schema");
    kinds(&decoded).iter().find(|(name, _)| name == "v").map_or_else(String::new, |(_, kind)| kind.clone())
}

#[test]
fn types_widen_without_loss() {
    let cases: [(&[&str], &str); 16] = [
        (&["1", "null"], "INT64"),
        (&["1", "2.5"], "FLOAT64"),
        (&["9007199254740993", "3"], "INT64"),
        (&["9007199254740993", "2.5"], "STRING"),
        (&["2.5", "9007199254740992"], "FLOAT64"),
        (&["12345678901234567890"], "STRING"),
        (&["1e999"], "STRING"),
        (&["1", "\"x\""], "STRING"),
        (&["true", "0"], "STRING"),
        (&["{\"a\":1}", "[1]"], "STRING"),
        (&["{\"a\":1}", "{\"b\":2}"], "STRUCT"),
        (&["[1]", "[2.5,null]"], "ARRAY"),
        (&["{}", "[]"], "STRING"),
        (&["{}", "{\"a\":1}"], "STRUCT"),
        (&["null"], ""),
        (&["[[]]", "[[1]]"], "ARRAY"),
    ];
    for (values, expected) in cases {
        assert_eq!(kind_of(values), expected, "{values:?}");
    }
}

#[test]
fn new_columns_are_appended_and_kept() {
    let mut converter = infer();
    let first = decode(converter.as_mut(), &[r#"{"n":null,"b":1}"#, r#"{"a":"x"}"#]);
    assert_eq!(kinds(&first), [("b".into(), "INT64".into()), ("a".into(), "STRING".into())]);
    let second = decode(converter.as_mut(), &[r#"{"n":true}"#]);
    let expected = [("b", "INT64"), ("a", "STRING"), ("n", "BOOLEAN")];
    assert_eq!(kinds(&second), expected.map(|(name, kind)| (name.to_owned(), kind.to_owned())));
    let third = decode(converter.as_mut(), &[r#"{"b":2}"#]);
    assert!(std::sync::Arc::ptr_eq(
        second.runs[0].values.schema().unwrap(),
        third.runs[0].values.schema().unwrap()
    ));
}

#[test]
fn conflicts_become_json_text_and_are_reported() {
    let mut converter = infer();
    let records = [r#"{"a":{"b": [1, {"c" : 2}]},"d":"s","e":[]}"#, r#"{"a":{"b":"\u0041"},"d":5}"#];
    let decoded = decode(converter.as_mut(), &records);
    let all = values(&decoded, 2);
    let expected = |b: &str, d: &str, e: Value| {
        Some(map(vec![("a", map(vec![("b", text(b))])), ("d", text(d)), ("e", e)]))
    };
    assert_eq!(all[0], expected("[1, {\"c\" : 2}]", "\"s\"", text("[]")));
    assert_eq!(all[1], expected("\"\\u0041\"", "5", Value::Null));
    assert_eq!(converter.json_text_columns(), ["a.b", "d", "e"]);
    decode(converter.as_mut(), &[r#"{"e":[1]}"#]);
    assert_eq!(converter.json_text_columns(), ["a.b", "d"], "a scalar settles the type of e");
}

#[test]
fn records_that_are_no_objects_are_errors_of_their_own() {
    let decoded = decode(infer().as_mut(), &["[1]", r#"{"a":1}"#, "5", "{\"a\":", "null", "{}"]);
    let rows: Vec<usize> = decoded.errors.iter().map(|(row, _)| *row).collect();
    assert_eq!(rows, [0, 2, 3]);
    assert_eq!(values(&decoded, 6)[5], Some(map(vec![("a", Value::Null)])));
}

#[test]
fn hostile_records_cost_bounded_columns() {
    let mut converter = infer();
    let wide: Vec<String> = (0..10_000).map(|at| format!("\"k{at}\":1")).collect();
    let nested = format!("{{\"o\":{{{}}}}}", wide.join(","));
    let flat = format!("{{{}}}", wide.join(","));
    let decoded = decode(converter.as_mut(), &[r#"{"ok":1}"#, &nested]);
    assert!(decoded.errors.is_empty());
    assert_eq!(converter.json_text_columns(), ["o"]);
    let decoded = decode(converter.as_mut(), &[r#"{"ok":2}"#, &flat]);
    assert_eq!(decoded.errors.len(), 1);
    assert!(decoded.errors[0].1.to_string().contains("lakeward.schema"));
    let deep = format!("{{\"ok\":3,\"o\":{}{}}}", "[".repeat(500), "]".repeat(500));
    assert!(decode(converter.as_mut(), &[&deep]).errors.is_empty());
}

/// Brings a value back from its column: JSON text is parsed, nulls of structs are left out.
fn restore(schema: &Schema, value: &Value, path: &str, texts: &[String]) -> Json {
    match (&schema.kind, value) {
        (_, Value::Null) => Json::Null,
        (Kind::String, Value::String(source)) if texts.iter().any(|text| text == path) => {
            without_nulls(serde_json::from_str(source).unwrap())
        }
        (_, Value::String(text)) => Json::String(text.to_string()),
        (_, Value::Boolean(flag)) => Json::Bool(*flag),
        (_, Value::Int64(number)) => serde_json::from_str(&format!("{number}")).unwrap(),
        (_, Value::Float64(number)) => serde_json::json!(*number),
        (Kind::Array(item), Value::Array(items)) => {
            items.iter().map(|value| restore(item, value, &format!("{path}[]"), texts)).collect()
        }
        (Kind::Struct(fields), Value::Map(members)) => {
            let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            let member = |(field, (_, value)): (&lakeward_api::schema::Field, &(Value, Value))| {
                (field.name.to_string(), restore(&field.schema, value, &join(&field.name), texts))
            };
            let members = fields.iter().zip(members).map(member);
            Json::Object(members.filter(|(_, value)| !value.is_null()).collect())
        }
        _ => panic!("{schema:?} does not hold {value:?}"),
    }
}

fn without_nulls(json: Json) -> Json {
    match json {
        Json::Array(items) => items.into_iter().map(without_nulls).collect(),
        Json::Object(members) => {
            let members = members.into_iter().filter(|(_, value)| !value.is_null());
            Json::Object(members.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        other => other,
    }
}

/// Equal up to member order and the spelling of numbers.
fn same(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Number(left), Json::Number(right)) => {
            left.to_string() == right.to_string()
                || (left.as_f64().is_some()
                    && left.as_f64() == right.as_f64()
                    && left.as_i64() == right.as_i64())
                || left
                    .as_f64()
                    .is_some_and(|double| Some(double) == right.as_f64() && double.abs() <= 2f64.powi(53))
        }
        (Json::Array(left), Json::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Json::Object(left), Json::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, value)| right.get(name).is_some_and(|other| same(value, other)))
        }
        _ => left == right,
    }
}

#[test]
fn every_value_can_be_read_back() {
    for seed in 0..300 {
        let mut random = Random(seed);
        let mut converter = infer();
        for _ in 0..3 {
            let records: Vec<String> = (0..random.below(6) + 1).map(|_| random.object(3)).collect();
            let borrowed: Vec<&str> = records.iter().map(String::as_str).collect();
            let decoded = decode(converter.as_mut(), &borrowed);
            assert!(decoded.errors.is_empty(), "seed {seed}: {:?}", decoded.errors);
            assert_eq!(decoded.runs.len(), 1);
            let schema = decoded.runs[0].values.schema().unwrap();
            let texts = converter.json_text_columns();
            for (record, value) in records.iter().zip(values(&decoded, records.len())) {
                let restored = restore(schema, &value.unwrap(), "", &texts);
                let expected = without_nulls(serde_json::from_str(record).unwrap());
                assert!(same(&restored, &expected), "seed {seed}: {record} came back as {restored}");
            }
        }
    }
}
