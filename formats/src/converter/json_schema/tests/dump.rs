//! Schemas and values as the texts of the golden files.

use lakeward_api::java_text;
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::value::Value;

pub(super) fn schema(schema: &Schema) -> String {
    let mut text = schema.kind.name().to_owned();
    if schema.optional {
        text.push('?');
    }
    if let Some(name) = &schema.name {
        text.push_str(&format!(" n={name}"));
    }
    if let Some(version) = schema.version {
        text.push_str(&format!(" v={version}"));
    }
    if let Some(doc) = &schema.doc {
        text.push_str(&format!(" d={doc}"));
    }
    if !schema.parameters.is_empty() {
        let mut all: Vec<_> = schema.parameters.iter().collect();
        all.sort();
        let all: Vec<String> = all.into_iter().map(|(name, text)| format!("{name}={text}")).collect();
        text.push_str(&format!(" p={{{}}}", all.join(", ")));
    }
    if let Some(default) = &schema.default {
        text.push_str(&format!(" def={}", value(schema, default)));
    }
    match &schema.kind {
        Kind::Array(item) => text.push_str(&format!("[{}]", self::schema(item))),
        Kind::Map { key, value } => {
            text.push_str(&format!("({}->{})", self::schema(key), self::schema(value)));
        }
        Kind::Struct(fields) => {
            let fields =
                fields.iter().map(|field| format!("{}:{};", field.name, self::schema(&field.schema)));
            text.push_str(&format!("{{{}}}", fields.collect::<String>()));
        }
        _ => {}
    }
    text
}

pub(super) fn value(schema: &Schema, value: &Value) -> String {
    let nested = self::value;
    let mut number = Vec::new();
    match (value, &schema.kind) {
        (Value::Null, _) => return "null".to_owned(),
        (Value::Bytes(bytes), _) => {
            return format!("0x{}", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        }
        (Value::Date(ms), _) => return format!("@{ms}"),
        (Value::Decimal(decimal), _) => return decimal.to_java_text(),
        (Value::String(text), _) => return format!("\"{text}\""),
        (Value::Boolean(flag), _) => return flag.to_string(),
        (Value::Float32(float), _) => java_text::append_f32(&mut number, *float),
        (Value::Float64(double), _) => java_text::append_f64(&mut number, *double),
        (Value::Int8(integer), _) => return integer.to_string(),
        (Value::Int16(integer), _) => return integer.to_string(),
        (Value::Int32(integer), _) => return integer.to_string(),
        (Value::Int64(integer), _) => return integer.to_string(),
        (Value::Array(items), Kind::Array(item)) => {
            let items: Vec<String> = items.iter().map(|value| nested(item, value)).collect();
            return format!("[{}]", items.join(", "));
        }
        (Value::Map(entries), Kind::Map { key, value }) => {
            let entry = |(k, v): &(Value, Value)| format!("{}={}", nested(key, k), nested(value, v));
            let mut entries: Vec<String> = entries.iter().map(entry).collect();
            entries.sort();
            return format!("{{{}}}", entries.join(", "));
        }
        (Value::Struct(values), Kind::Struct(fields)) => {
            let fields = fields.iter().zip(values);
            let texts =
                fields.map(|(field, value)| format!("{}={}", field.name, nested(&field.schema, value)));
            return format!("({})", texts.collect::<Vec<_>>().join(", "));
        }
        _ => panic!("a value does not fit its schema"),
    }
    String::from_utf8(number).unwrap()
}
