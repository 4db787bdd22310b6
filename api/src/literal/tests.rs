//! Literals of a list made by Java, and what the list cannot hold.

use super::*;
use crate::schema::{Field, Kind, Logical};

fn schema_text(schema: Option<&Schema>) -> String {
    let Some(schema) = schema else { return "none".to_owned() };
    let kind = match &schema.kind {
        Kind::Array(item) => format!("A<{}>", schema_text(Some(item))),
        Kind::Map { key, value } => format!("M<{},{}>", schema_text(Some(key)), schema_text(Some(value))),
        other => format!("{other:?}").to_uppercase(),
    };
    let name = schema.name.as_deref().and_then(|name| name.rsplit('.').next()).unwrap_or_default();
    format!("{kind}:{name}{}", schema.parameters.get("scale").map_or("", |scale| scale))
}

fn escaped(text: &str) -> String {
    let unit = |unit: u16| match u8::try_from(unit) {
        Ok(byte @ 0x20..0x7f) if byte != b'\\' => char::from(byte).to_string(),
        _ => format!("\\u{unit:04x}"),
    };
    text.encode_utf16().map(unit).collect()
}

fn value_text(value: &Value) -> String {
    let joined = |texts: Vec<String>| texts.join(",");
    match value {
        Value::Array(items) => format!("[{}]", joined(items.iter().map(value_text).collect())),
        Value::Boolean(flag) => flag.to_string(),
        Value::Date(ms) => format!("t{ms}"),
        Value::Decimal(decimal) => format!("D{}/{}", decimal.unscaled(), decimal.scale),
        Value::Float32(number) => format!("f{:08x}", number.to_bits()),
        Value::Float64(number) => format!("d{:016x}", number.to_bits()),
        Value::Int16(number) => format!("s{number}"),
        Value::Int32(number) => format!("i{number}"),
        Value::Int64(number) => format!("l{number}"),
        Value::Int8(number) => format!("b{number}"),
        Value::Map(entries) => {
            let entry = |(key, value): &(Value, Value)| format!("{}={}", value_text(key), value_text(value));
            format!("{{{}}}", joined(entries.iter().map(entry).collect()))
        }
        Value::Null => "null".to_owned(),
        Value::String(text) => format!("\"{}\"", escaped(text)),
        Value::Bytes(_) | Value::Struct(_) => unreachable!("no literal is one"),
    }
}

#[test]
fn literals_are_read_and_written_as_in_java() {
    let mut count = 0;
    for line in include_str!("golden.txt").lines().filter(|line| !line.starts_with('#')) {
        let (json, expected) = line.split_once('\t').unwrap();
        let text: String = serde_json::from_str(json).unwrap();
        let (schema, value) = parse(&text).unwrap();
        let schema = schema.as_deref();
        let written = escaped(&to_text(schema, &value).unwrap());
        assert_eq!(format!("{} {} {written}", schema_text(schema), value_text(&value)), expected, "{json}");
        count += 1;
    }
    assert!(count > 80);
}

#[test]
fn nesting_has_a_limit_and_failures_are_texts() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(matches!(parse(&nested(DEPTH_MAX)).unwrap(), (None, Value::Array(_))));
    assert!(parse(&nested(DEPTH_MAX + 1)).is_err());
    let open = "[".repeat(DEPTH_MAX);
    assert_eq!(parse(&open).unwrap().1, Value::String(open.as_str().into()));
}

#[test]
fn structs_show_defaults_and_bytes_are_base64() {
    let day = Schema { default: Some(Value::Date(86_400_000 * 19_724)), ..Schema::logical_of(Logical::Date) };
    let fields = [("d\"", day), ("y", Schema::new(Kind::Bytes)), ("f", Schema::new(Kind::Float64))];
    let fields = fields.map(|(name, schema)| Field { name: name.into(), schema: Arc::new(schema) });
    let schema = Schema::new(Kind::Struct(fields.into()));
    let bytes = Value::Bytes(vec![1, 2].into());
    let row = Value::Struct(vec![Value::Null, bytes.clone(), Value::Float64(1e10)]);
    let text = to_text(Some(&schema), &row).unwrap();
    assert_eq!(text, r#"{"d\"":2024-01-02,"y":"AQI=","f":1.0E10}"#);
    assert_eq!(to_text(None, &bytes).unwrap(), "AQI=");
    assert!(to_text(None, &row).is_err());
}
