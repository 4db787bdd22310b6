//! The schema member of an envelope.
//!
//! Source: `JsonConverter#asConnectSchema`, Kafka 4.1.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use lakeward_api::schema::{Field, Kind, Logical, Schema};
use lakeward_api::value::Value;
use serde_json::Value as Json;

use super::column::kind_name;
use super::cursor::Cursor;
use super::fault::{Parsed, data, syntax};
use super::number;

/// Reads a schema text; `None` for JSON null.
pub(super) fn read_schema(text: &[u8]) -> Parsed<Option<Schema>> {
    // The text was passed by the cursor before; what is left to fail are limits of the tree reader.
    let json: Json = serde_json::from_slice(text).map_err(|_| syntax("schema that cannot be read", 0))?;
    if json.is_null() { Ok(None) } else { schema_of(&json).map(Some) }
}

fn schema_of(json: &Json) -> Parsed<Schema> {
    let Some(kind) = json.get("type").and_then(Json::as_str) else {
        return Err(data("Schema must contain 'type' field"));
    };
    let mut schema = Schema::new(kind_of(kind, json)?);
    schema.optional = json.get("optional").and_then(Json::as_bool).unwrap_or(false);
    schema.name = json.get("name").and_then(Json::as_str).map(Into::into);
    schema.doc = json.get("doc").and_then(Json::as_str).map(Into::into);
    schema.version = json.get("version").and_then(Json::as_i64).map(|version| version as i32);
    if let Some(parameters) = json.get("parameters").and_then(Json::as_object) {
        let texts = parameters.iter().map(|(name, value)| match value.as_str() {
            Some(text) => Ok((name.clone(), text.to_owned())),
            None => Err(data("Schema parameters must have string values.")),
        });
        schema.parameters = texts.collect::<Parsed<BTreeMap<_, _>>>()?;
    }
    if let Some(default) = json.get("default") {
        let value = constant(&schema, default)?;
        schema.default = (!value.is_null()).then_some(value);
    }
    Ok(schema)
}

fn kind_of(kind: &str, json: &Json) -> Parsed<Kind> {
    let part = |name: &str, problem: &str| match json.get(name) {
        None | Some(Json::Null) => Err(data(problem)),
        Some(part) => schema_of(part).map(Arc::new),
    };
    Ok(match kind {
        "array" => Kind::Array(part("items", "Array schema did not specify the element type")?),
        "boolean" => Kind::Boolean,
        "bytes" => Kind::Bytes,
        "double" => Kind::Float64,
        "float" => Kind::Float32,
        "int16" => Kind::Int16,
        "int32" => Kind::Int32,
        "int64" => Kind::Int64,
        "int8" => Kind::Int8,
        "map" => Kind::Map {
            key: part("keys", "Map schema did not specify the key type")?,
            value: part("values", "Map schema did not specify the value type")?,
        },
        "string" => Kind::String,
        "struct" => Kind::Struct(fields_of(json)?),
        unknown => return Err(data(format!("Unknown schema type: {unknown}"))),
    })
}

fn fields_of(json: &Json) -> Parsed<Vec<Field>> {
    let Some(list) = json.get("fields").and_then(Json::as_array) else {
        return Err(data("Struct schema's \"fields\" argument is not an array."));
    };
    let mut names = std::collections::HashSet::new();
    let field = |field: &Json| {
        let Some(name) = field.get("field").and_then(Json::as_str) else {
            return Err(data("Struct schema's field name not specified properly"));
        };
        if !names.insert(name.to_owned()) {
            return Err(data(format!("Cannot create field because of field name duplication {name}")));
        }
        Ok(Field { name: name.into(), schema: Arc::new(schema_of(field)?) })
    };
    list.iter().map(field).collect()
}

/// A default in payload form. Source: `JsonConverter#convertToConnect`.
pub(super) fn constant(schema: &Schema, json: &Json) -> Parsed<Value> {
    if json.is_null() {
        return if schema.optional {
            Ok(Value::Null)
        } else {
            Err(data(format!("Invalid null value for required {} field", kind_name(&schema.kind))))
        };
    }
    let text = match json {
        Json::Number(number) => number.to_string(),
        _ => "0".to_owned(),
    };
    let number = Cursor::new(text.as_bytes()).number()?;
    if let Some(Logical::Decimal { scale }) = schema.logical()
        && json.is_number()
    {
        let unscaled = number::unscaled(number, scale).ok_or_else(|| wrong_default(schema))?;
        return Ok(Value::Bytes(unscaled.into()));
    }
    Ok(match &schema.kind {
        Kind::Boolean => Value::Boolean(json.as_bool().unwrap_or(false)),
        Kind::Float32 => Value::Float32(number.to_f32()),
        Kind::Float64 => Value::Float64(number.to_f64()),
        Kind::Int16 => Value::Int16(number.low_bits() as i16),
        Kind::Int32 => Value::Int32(number.low_bits() as i32),
        Kind::Int64 => Value::Int64(number.low_bits()),
        Kind::Int8 => Value::Int8(number.low_bits() as i8),
        Kind::String => Value::String(json.as_str().ok_or_else(|| wrong_default(schema))?.into()),
        Kind::Bytes => {
            let bytes = json.as_str().and_then(|text| STANDARD.decode(text).ok());
            Value::Bytes(Bytes::from(bytes.ok_or_else(|| data("Invalid bytes field"))?))
        }
        Kind::Array(_) | Kind::Map { .. } | Kind::Struct(_) => return container(schema, json),
    })
}

fn container(schema: &Schema, json: &Json) -> Parsed<Value> {
    match (&schema.kind, json) {
        (Kind::Array(item), Json::Array(items)) => {
            items.iter().map(|value| constant(item, value)).collect::<Parsed<_>>().map(Value::Array)
        }
        (Kind::Map { key, value }, Json::Object(members)) if matches!(key.kind, Kind::String) => {
            let entry = |(name, member): (&String, &Json)| {
                Ok((Value::String(name.as_str().into()), constant(value, member)?))
            };
            members.iter().map(entry).collect::<Parsed<_>>().map(Value::Map)
        }
        (Kind::Map { key, value }, Json::Array(pairs)) => {
            let pair = |pair: &Json| match pair.as_array().map(Vec::as_slice) {
                Some([first, second]) => Ok((constant(key, first)?, constant(value, second)?)),
                _ => Err(wrong_default(schema)),
            };
            pairs.iter().map(pair).collect::<Parsed<_>>().map(Value::Map)
        }
        (Kind::Struct(fields), Json::Object(members)) => {
            let missing = Json::Null;
            let value = |field: &Field| match members.get(&*field.name).unwrap_or(&missing) {
                Json::Null => match &field.schema.default {
                    Some(default) => Ok(default.clone()),
                    None => constant(&field.schema, &missing),
                },
                member => constant(&field.schema, member),
            };
            fields.iter().map(value).collect::<Parsed<_>>().map(Value::Struct)
        }
        _ => Err(wrong_default(schema)),
    }
}

fn wrong_default(schema: &Schema) -> Box<super::fault::Fault> {
    data(format!("Invalid default value for {} schema", kind_name(&schema.kind)))
}
