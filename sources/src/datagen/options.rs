//! Values that a schema lists (`options`), as a column to pick from.

use arrow_array::ArrayRef;
use bytes::Bytes;
use lakeward_api::ConnectError;
use lakeward_api::rows::ColumnWriter;
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::value::Value;
use serde_json::Value as Json;

/// The values of `json` as a column of `schema`.
///
/// # Errors
/// `Config` when it is no list, empty, or a value does not fit.
pub(super) fn column(schema: &Schema, json: &Json) -> Result<ArrayRef, ConnectError> {
    let wrong =
        |text: &str| ConnectError::config(format!("The options property of the schema is wrong: {text}"));
    let options = match json {
        Json::Array(options) if !options.is_empty() => options,
        Json::Array(_) => return Err(wrong("it is empty")),
        Json::Object(_) => {
            return Err(wrong("options from a file are not supported; list them in the schema"));
        }
        _ => return Err(wrong("it is no list")),
    };
    let mut column = ColumnWriter::new(schema);
    for option in options {
        let value = value(schema, option).ok_or_else(|| wrong("an option does not fit its type"))?;
        column.append(&value)?;
    }
    column.finish()
}

/// The value that `json` writes down; members of a record may be left out when they can be null.
fn value(schema: &Schema, json: &Json) -> Option<Value> {
    if json.is_null() {
        return schema.optional.then_some(Value::Null);
    }
    if schema.logical().is_some() {
        return temporal(schema, json);
    }
    Some(match &schema.kind {
        Kind::Array(item) => {
            Value::Array(json.as_array()?.iter().map(|json| value(item, json)).collect::<Option<_>>()?)
        }
        Kind::Boolean => Value::Boolean(json.as_bool()?),
        Kind::Bytes => Value::Bytes(Bytes::copy_from_slice(json.as_str()?.as_bytes())),
        Kind::Float32 => Value::Float32(json.as_f64()? as f32),
        Kind::Float64 => Value::Float64(json.as_f64()?),
        Kind::Int16 => Value::Int16(i16::try_from(json.as_i64()?).ok()?),
        Kind::Int32 => Value::Int32(i32::try_from(json.as_i64()?).ok()?),
        Kind::Int64 => Value::Int64(json.as_i64()?),
        Kind::Int8 => Value::Int8(i8::try_from(json.as_i64()?).ok()?),
        Kind::Map { value: member, .. } => {
            let entry = |(key, json): (&String, &Json)| {
                Some((Value::String(key.as_str().into()), value(member, json)?))
            };
            Value::Map(json.as_object()?.iter().map(entry).collect::<Option<_>>()?)
        }
        // Schemas of generators do not contain themselves.
        Kind::Recursive(_) => return None,
        Kind::String => Value::String(json.as_str()?.into()),
        Kind::Struct(fields) => {
            let object = json.as_object()?;
            let field = |field: &lakeward_api::schema::Field| match object.get(&*field.name) {
                Some(json) => value(&field.schema, json),
                None => field.schema.default.clone().or(field.schema.optional.then_some(Value::Null)),
            };
            Value::Struct(fields.iter().map(field).collect::<Option<_>>()?)
        }
    })
}

/// Instants as their numbers.
fn temporal(schema: &Schema, json: &Json) -> Option<Value> {
    use lakeward_api::rows::DAY_MS;
    use lakeward_api::schema::Logical;
    match schema.logical()? {
        Logical::Date => Some(Value::Date(json.as_i64()?.checked_mul(DAY_MS)?)),
        Logical::Time | Logical::Timestamp => Some(Value::Date(json.as_i64()?)),
        Logical::Decimal { .. } => None,
    }
}
