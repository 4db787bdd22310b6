//! Schemas and values in the JSON of Kafka's `JsonConverter`.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use bytes::Bytes;
use lakeward_api::decimal::Decimal;
use lakeward_api::rows::DAY_MS;
use lakeward_api::schema::{Field, Kind, Logical, Schema};
use lakeward_api::value::Value;
use serde_json::Value as Json;

use super::{Cell, Outcome, Row, array};

/// Schemas by number.
#[derive(Default)]
pub(super) struct Schemas(HashMap<u64, Arc<Schema>>);

impl Schemas {
    pub(super) fn add(&mut self, line: &Json) {
        self.0.insert(line["id"].as_u64().expect("a number"), Arc::new(schema(&line["schema"])));
    }

    fn cell(&self, json: &Json) -> Cell {
        if json.is_null() {
            return (None, Value::Null);
        }
        let cell = match json["s"].as_u64() {
            None => (None, dynamic(&json["p"])),
            Some(id) => {
                let schema = Arc::clone(&self.0[&id]);
                let value = typed(&schema, &json["p"]);
                (Some(schema), value)
            }
        };
        sorted(cell)
    }

    pub(super) fn row(&self, json: &Json) -> Row {
        let header = |json: &Json| (json[0].as_str().expect("a name").to_owned(), self.cell(&json[1]));
        Row {
            topic: json["topic"].as_str().expect("a topic").to_owned(),
            key: self.cell(&json["key"]),
            value: self.cell(&json["value"]),
            timestamp_ms: json["ts"].as_i64(),
            headers: array(&json["headers"]).map(header).collect(),
        }
    }

    pub(super) fn outcome(&self, json: &Json) -> Outcome {
        if json.is_null() {
            return Outcome::Dropped;
        }
        if json.get("unreadable").is_some() {
            return Outcome::Unreadable;
        }
        match json["error"].as_str() {
            Some(class) => Outcome::Failed(class.to_owned()),
            None => Outcome::Row(self.row(json)),
        }
    }
}

/// Members of schemaless maps in one order.
pub(super) fn sorted((schema, mut value): Cell) -> Cell {
    if schema.is_none() {
        sort(&mut value);
    }
    (schema, value)
}

fn sort(value: &mut Value) {
    match value {
        Value::Map(members) => {
            members.iter_mut().for_each(|(_, value)| sort(value));
            members.sort_by_key(|(key, _)| format!("{key:?}"));
        }
        Value::Array(items) => items.iter_mut().for_each(sort),
        _ => {}
    }
}

fn schema(json: &Json) -> Schema {
    let inner = |key: &str| Arc::new(schema(&json[key]));
    let kind = match json["type"].as_str().expect("a type") {
        "array" => Kind::Array(inner("items")),
        "boolean" => Kind::Boolean,
        "bytes" => Kind::Bytes,
        "double" => Kind::Float64,
        "float" => Kind::Float32,
        "int16" => Kind::Int16,
        "int32" => Kind::Int32,
        "int64" => Kind::Int64,
        "int8" => Kind::Int8,
        "map" => Kind::Map { key: inner("keys"), value: inner("values") },
        "string" => Kind::String,
        "struct" => Kind::Struct(array(&json["fields"]).map(field).collect()),
        other => panic!("unknown type {other}"),
    };
    let text = |key: &str| json[key].as_str().map(Into::into);
    let parameter =
        |(key, value): (&String, &Json)| (key.clone(), value.as_str().expect("a text").to_owned());
    let mut schema = Schema {
        optional: json["optional"].as_bool().unwrap_or(false),
        name: text("name"),
        version: json["version"].as_i64().map(|version| i32::try_from(version).expect("32 bits")),
        doc: text("doc"),
        parameters: json["parameters"].as_object().into_iter().flatten().map(parameter).collect(),
        ..Schema::new(kind)
    };
    schema.default = json.get("default").map(|default| typed(&schema, default));
    schema
}

fn field(json: &Json) -> Field {
    Field { name: json["field"].as_str().expect("a name").into(), schema: Arc::new(schema(json)) }
}

fn typed(schema: &Schema, json: &Json) -> Value {
    if json.is_null() {
        return Value::Null;
    }
    let whole = || json.as_i64().expect("an integer");
    let bytes = || {
        let text = json.as_str().expect("a text");
        Bytes::from(base64::engine::general_purpose::STANDARD.decode(text).expect("base64"))
    };
    match schema.logical() {
        Some(Logical::Date) => return Value::Date(whole() * DAY_MS),
        Some(Logical::Time | Logical::Timestamp) => return Value::Date(whole()),
        Some(Logical::Decimal { scale }) => return Value::Decimal(Decimal { unscaled: bytes(), scale }),
        None => {}
    }
    match &schema.kind {
        Kind::Array(item) => Value::Array(array(json).map(|json| typed(item, json)).collect()),
        Kind::Boolean => Value::Boolean(json.as_bool().expect("a boolean")),
        Kind::Bytes => Value::Bytes(bytes()),
        Kind::Float32 => Value::Float32(float(json).to_string().parse().expect("a number")),
        Kind::Float64 => Value::Float64(float(json)),
        Kind::Int16 => Value::Int16(whole().try_into().expect("16 bits")),
        Kind::Int32 => Value::Int32(whole().try_into().expect("32 bits")),
        Kind::Int64 => Value::Int64(whole()),
        Kind::Int8 => Value::Int8(whole().try_into().expect("8 bits")),
        Kind::Map { value, .. } => {
            let members = json.as_object().expect("an object").iter();
            Value::Map(
                members.map(|(key, json)| (Value::String(key.as_str().into()), typed(value, json))).collect(),
            )
        }
        Kind::Recursive(recursive) => typed(&recursive.resolve(), json),
        Kind::String => Value::String(json.as_str().expect("a text").into()),
        Kind::Struct(fields) => {
            Value::Struct(fields.iter().map(|field| typed(&field.schema, &json[&*field.name])).collect())
        }
    }
}

/// Jackson writes what JSON cannot say as a text.
fn float(json: &Json) -> f64 {
    match json {
        Json::String(text) => text.replace("Infinity", "inf").parse().expect("a number"),
        json => json.to_string().parse().expect("a number"),
    }
}

pub(crate) fn dynamic(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Boolean(*value),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int64(whole),
            None => Value::Float64(float(json)),
        },
        Json::String(text) => Value::String(text.as_str().into()),
        Json::Array(items) => Value::Array(items.iter().map(dynamic).collect()),
        Json::Object(members) => {
            let member = |(key, json): (&String, &Json)| (Value::String(key.as_str().into()), dynamic(json));
            Value::Map(members.iter().map(member).collect())
        }
    }
}
