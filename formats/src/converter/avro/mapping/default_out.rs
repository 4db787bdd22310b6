//! Defaults of Connect schemas in Avro's JSON form.
//!
//! Source: `AvroData#defaultValueFromConnect`.

use lakeward_api::rows::DAY_MS;
use lakeward_api::schema::{Kind, Logical, Schema};
use lakeward_api::value::Value;
use serde_json::{Map, Number, Value as Json};

use super::{Mapping, is_union, scrub_field};

/// `value` as JSON, `None` when it is not of `schema`.
pub(super) fn default_json(schema: &Schema, value: &Value, mapping: Mapping) -> Option<Json> {
    let inner = |schema: &Schema, value: &Value| default_json(schema, value, mapping);
    Some(match (&schema.kind, value) {
        (_, Value::Null) => Json::Null,
        (_, Value::Date(ms)) => match schema.logical()? {
            Logical::Date => ms.div_euclid(DAY_MS).into(),
            Logical::Time | Logical::Timestamp => (*ms).into(),
            Logical::Decimal { .. } => return None,
        },
        (Kind::Bytes, Value::Decimal(decimal)) => latin1(&decimal.unscaled),
        (Kind::Bytes, Value::Bytes(bytes)) => latin1(bytes),
        (Kind::Boolean, Value::Boolean(flag)) => (*flag).into(),
        (Kind::Int8, Value::Int8(number)) => (*number).into(),
        (Kind::Int16, Value::Int16(number)) => (*number).into(),
        (Kind::Int32, Value::Int32(number)) => (*number).into(),
        (Kind::Int64, Value::Int64(number)) => (*number).into(),
        (Kind::Float32, Value::Float32(number)) if number.is_finite() => {
            // The shortest digits of the float, not those of the double it widens to.
            Json::Number(ryu_text(*number).parse::<Number>().ok()?)
        }
        (Kind::Float32, Value::Float32(number)) => not_finite(f64::from(*number)),
        (Kind::Float64, Value::Float64(number)) => {
            Number::from_f64(*number).map_or_else(|| not_finite(*number), Json::Number)
        }
        (Kind::String, Value::String(text)) => text.to_string().into(),
        (Kind::Array(item), Value::Array(values)) => {
            Json::Array(values.iter().map(|value| inner(item, value)).collect::<Option<_>>()?)
        }
        (Kind::Map { key, value }, Value::Map(entries)) if mapping.is_avro_map(key) => {
            let entry =
                |(name, member): &(Value, Value)| Some((name.as_str()?.to_owned(), inner(value, member)?));
            Json::Object(entries.iter().map(entry).collect::<Option<Map<_, _>>>()?)
        }
        (Kind::Map { key, value }, Value::Map(entries)) => {
            let pair = |(name, member): &(Value, Value)| {
                Some(Json::Array(vec![inner(key, name)?, inner(value, member)?]))
            };
            Json::Array(entries.iter().map(pair).collect::<Option<_>>()?)
        }
        (Kind::Struct(fields), Value::Struct(values)) => {
            // Java reads members with their defaults.
            let member = |(field, value): (&lakeward_api::schema::Field, &Value)| {
                let value = field.schema.default.as_ref().filter(|_| value.is_null()).unwrap_or(value);
                Some((scrub_field(&field.name, mapping.scrub), inner(&field.schema, value)?))
            };
            let mut members = fields.iter().zip(values).map(member);
            if is_union(schema) {
                return members.next()?.map(|(_, json)| json);
            }
            Json::Object(members.collect::<Option<Map<_, _>>>()?)
        }
        _ => return None,
    })
}

/// What stands for a number that JSON does not have.
fn not_finite(number: f64) -> Json {
    let text = if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    };
    text.into()
}

fn ryu_text(number: f32) -> String {
    ryu::Buffer::new().format_finite(number).to_owned()
}

/// Avro's form of bytes in JSON: one character per byte.
fn latin1(bytes: &[u8]) -> Json {
    bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into()
}
