//! The lossless form of a Connect schema in Arrow: what Arrow's types cannot say stands in field metadata.
//!
//! Batches inside the process carry their [`Schema`] beside plain columns ([`Schema::arrow_type`]). This form
//! is for Arrow that leaves the process: from it the same Connect schema comes back.
//!
//! | Connect | Arrow field |
//! |---|---|
//! | type | data type, as [`Schema::arrow_type`] |
//! | optional | nullable |
//! | name, doc | metadata `connect.name`, `connect.doc` |
//! | version | metadata `connect.version`, a number |
//! | parameters | metadata `connect.parameters`, a JSON object of texts |
//! | default | metadata `connect.default`, JSON (see below) |
//! | a schema within itself | metadata `connect.recursive`, its number in the process that wrote it |
//! | fields, items, keys, values | child fields, each with its own metadata |
//!
//! A default is JSON in schema order: numbers and booleans plain, floats as text that reads back the same,
//! texts as they are, bytes and unscaled decimals in hexadecimal, dates in ms since the epoch, lists and
//! structs as arrays, maps as arrays of pairs.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow_schema::{DataType, Field as ArrowField, Fields};
use bytes::Bytes;
use serde_json::{Value as Json, json};

use crate::ConnectError;
use crate::decimal::Decimal;
use crate::recursion::Recursive;
use crate::schema::{Field, Kind, Logical, Schema};
use crate::value::Value;

const NAME: &str = "connect.name";
const VERSION: &str = "connect.version";
const DOC: &str = "connect.doc";
const PARAMETERS: &str = "connect.parameters";
const DEFAULT: &str = "connect.default";
const RECURSIVE: &str = "connect.recursive";

/// The Arrow field `name` of `schema` with everything the schema says.
pub fn annotated_field(name: &str, schema: &Schema) -> ArrowField {
    let data_type = match &schema.kind {
        Kind::Array(item) => DataType::List(Arc::new(annotated_field("item", item))),
        Kind::Map { key, value } => {
            let key = annotated_field("key", key).with_nullable(false);
            let entries = Fields::from(vec![key, annotated_field("value", value)]);
            DataType::Map(Arc::new(ArrowField::new("key_value", DataType::Struct(entries), false)), false)
        }
        Kind::Struct(fields) => {
            let fields = fields.iter().map(|field| annotated_field(&field.name, &field.schema));
            DataType::Struct(fields.collect())
        }
        _ => schema.arrow_type(),
    };
    ArrowField::new(name, data_type, schema.optional).with_metadata(metadata(schema))
}

fn metadata(schema: &Schema) -> HashMap<String, String> {
    let mut metadata = HashMap::new();
    let mut put = |key: &str, text: String| metadata.insert(key.to_owned(), text);
    if let Some(name) = &schema.name {
        put(NAME, name.to_string());
    }
    if let Some(version) = schema.version {
        put(VERSION, version.to_string());
    }
    if let Some(doc) = &schema.doc {
        put(DOC, doc.to_string());
    }
    if !schema.parameters.is_empty() {
        put(PARAMETERS, json!(schema.parameters).to_string());
    }
    if let Kind::Recursive(recursive) = &schema.kind {
        put(RECURSIVE, recursive.number().to_string());
    }
    if let Some(default) = &schema.default {
        put(DEFAULT, to_json(default).to_string());
    }
    metadata
}

/// The Connect schema of an Arrow field. Fields without metadata get the schema that their type stands for.
///
/// # Errors
/// `Config` when Connect has no such type or the metadata cannot be read.
pub fn schema_of(field: &ArrowField) -> Result<Schema, ConnectError> {
    let (kind, logical) = kind_of(field)?;
    let mut schema = Schema::new(kind);
    schema.optional = field.is_nullable();
    let metadata = field.metadata();
    let text = |key: &str| metadata.get(key).map(String::as_str);
    let unreadable =
        |key: &str| ConnectError::config(format!("the metadata {key} of {} cannot be read", field.name()));
    schema.name = text(NAME).map(Into::into);
    schema.doc = text(DOC).map(Into::into);
    schema.version = text(VERSION).map(|text| text.parse().map_err(|_| unreadable(VERSION))).transpose()?;
    if let Some(parameters) = text(PARAMETERS) {
        let texts: BTreeMap<String, String> =
            serde_json::from_str(parameters).map_err(|err| unreadable(PARAMETERS).with_source(err))?;
        schema.parameters = texts.into();
    }
    if schema.name.is_none()
        && let Some(logical) = logical
    {
        let known = Schema::logical_of(logical);
        (schema.name, schema.version) = (known.name, known.version);
    }
    if let Some(default) = text(DEFAULT) {
        let json: Json = serde_json::from_str(default).map_err(|err| unreadable(DEFAULT).with_source(err))?;
        schema.default = Some(from_json(&schema, &json).ok_or_else(|| unreadable(DEFAULT))?);
    }
    Ok(schema)
}

fn kind_of(field: &ArrowField) -> Result<(Kind, Option<Logical>), ConnectError> {
    let child = |field: &ArrowField| schema_of(field).map(Arc::new);
    let plain = |kind| Ok((kind, None));
    match field.data_type() {
        DataType::Binary => match field.metadata().get(RECURSIVE) {
            None => plain(Kind::Bytes),
            Some(number) => plain(Kind::Recursive(recursive(field, number)?)),
        },
        DataType::Boolean => plain(Kind::Boolean),
        DataType::Date32 => Ok((Kind::Int32, Some(Logical::Date))),
        DataType::Float32 => plain(Kind::Float32),
        DataType::Float64 => plain(Kind::Float64),
        DataType::Int16 => plain(Kind::Int16),
        DataType::Int32 => plain(Kind::Int32),
        DataType::Int64 => plain(Kind::Int64),
        DataType::Int8 => plain(Kind::Int8),
        DataType::List(item) => plain(Kind::Array(child(item)?)),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                plain(Kind::Map { key: child(&fields[0])?, value: child(&fields[1])? })
            }
            _ => Err(unknown_type(field)),
        },
        DataType::Struct(fields) => {
            let fields = fields
                .iter()
                .map(|field| Ok(Field { name: field.name().as_str().into(), schema: child(field)? }));
            plain(Kind::Struct(fields.collect::<Result<_, ConnectError>>()?))
        }
        DataType::Time32(arrow_schema::TimeUnit::Millisecond) => Ok((Kind::Int32, Some(Logical::Time))),
        DataType::Timestamp(arrow_schema::TimeUnit::Millisecond, _) => {
            Ok((Kind::Int64, Some(Logical::Timestamp)))
        }
        DataType::Utf8 => plain(Kind::String),
        _ => Err(unknown_type(field)),
    }
}

/// Cells of such a place are read by the program that wrote them alone, which knows its number.
fn recursive(field: &ArrowField, number: &str) -> Result<Recursive, ConnectError> {
    let known = number.parse().ok().and_then(Recursive::numbered);
    known.ok_or_else(|| {
        let name = field.name();
        ConnectError::config(format!("the recursive schema {number} of {name} is not of this process"))
    })
}

fn unknown_type(field: &ArrowField) -> ConnectError {
    ConnectError::config(format!("Connect has no type for {} of {}", field.data_type(), field.name()))
}

fn to_json(value: &Value) -> Json {
    match value {
        Value::Array(items) | Value::Struct(items) => items.iter().map(to_json).collect(),
        Value::Boolean(flag) => json!(flag),
        Value::Bytes(bytes) => json!(to_hex(bytes)),
        Value::Date(ms) => json!(ms),
        Value::Decimal(decimal) => json!(to_hex(&decimal.unscaled)),
        Value::Float32(number) => json!(format!("{number:?}")),
        Value::Float64(number) => json!(format!("{number:?}")),
        Value::Int16(number) => json!(number),
        Value::Int32(number) => json!(number),
        Value::Int64(number) => json!(number),
        Value::Int8(number) => json!(number),
        Value::Map(entries) => {
            entries.iter().map(|(key, value)| json!([to_json(key), to_json(value)])).collect()
        }
        Value::Null => Json::Null,
        Value::String(text) => json!(&**text),
    }
}

fn from_json(schema: &Schema, json: &Json) -> Option<Value> {
    if json.is_null() {
        return Some(Value::Null);
    }
    match schema.logical() {
        Some(Logical::Decimal { scale }) => {
            let unscaled = from_hex(json.as_str()?)?;
            return Some(Value::Decimal(Decimal { unscaled, scale }));
        }
        Some(Logical::Date | Logical::Time | Logical::Timestamp) => return json.as_i64().map(Value::Date),
        None => {}
    }
    Some(match &schema.kind {
        Kind::Array(item) => {
            Value::Array(json.as_array()?.iter().map(|json| from_json(item, json)).collect::<Option<_>>()?)
        }
        Kind::Boolean => Value::Boolean(json.as_bool()?),
        Kind::Bytes => Value::Bytes(from_hex(json.as_str()?)?),
        Kind::Float32 => Value::Float32(json.as_str()?.parse().ok()?),
        Kind::Float64 => Value::Float64(json.as_str()?.parse().ok()?),
        Kind::Int16 => Value::Int16(json.as_i64()?.try_into().ok()?),
        Kind::Int32 => Value::Int32(json.as_i64()?.try_into().ok()?),
        Kind::Int64 => Value::Int64(json.as_i64()?),
        Kind::Int8 => Value::Int8(json.as_i64()?.try_into().ok()?),
        Kind::Map { key, value } => {
            let entry = |pair: &Json| match pair.as_array()?.as_slice() {
                [first, second] => Some((from_json(key, first)?, from_json(value, second)?)),
                _ => None,
            };
            Value::Map(json.as_array()?.iter().map(entry).collect::<Option<_>>()?)
        }
        Kind::Recursive(recursive) => from_json(&recursive.resolve(), json)?,
        Kind::String => Value::String(json.as_str()?.into()),
        Kind::Struct(fields) => {
            let values = json.as_array().filter(|values| values.len() == fields.len())?;
            let value = |(field, json): (&Field, &Json)| from_json(&field.schema, json);
            Value::Struct(fields.iter().zip(values).map(value).collect::<Option<_>>()?)
        }
    })
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Bytes> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(mut schema: Schema, change: impl FnOnce(&mut Schema)) -> Arc<Schema> {
        change(&mut schema);
        Arc::new(schema)
    }

    fn every_attribute() -> Schema {
        let text = || Arc::new(Schema::new(Kind::String));
        let fields: [(&str, Arc<Schema>); 9] = [
            ("a", with(Schema::optional(Kind::Int8), |s| s.default = Some(Value::Int8(-7)))),
            ("b", with(Schema::new(Kind::Float64), |s| s.default = Some(Value::Float64(f64::NEG_INFINITY)))),
            (
                "c",
                with(Schema::new(Kind::Bytes), |s| {
                    s.default = Some(Value::Bytes(Bytes::from_static(b"\0\xff")))
                }),
            ),
            (
                "d",
                with(Schema::logical_of(Logical::Decimal { scale: -2 }), |s| {
                    s.default =
                        Some(Value::Decimal(Decimal { unscaled: Bytes::from_static(&[0x80]), scale: -2 }));
                }),
            ),
            ("e", with(Schema::logical_of(Logical::Date), |s| s.default = Some(Value::Date(86_400_000)))),
            (
                "f",
                with(Schema::optional(Kind::Array(text())), |s| {
                    s.default = Some(Value::Array(vec![Value::String("x".into())]));
                }),
            ),
            (
                "g",
                with(
                    Schema::new(Kind::Map { key: text(), value: Arc::new(Schema::optional(Kind::Int64)) }),
                    |s| {
                        s.default = Some(Value::Map(vec![(Value::String("k".into()), Value::Null)]));
                    },
                ),
            ),
            (
                "h",
                with(Schema::new(Kind::Int32).named("my.Weekday"), |s| {
                    s.version = Some(3);
                    s.doc = Some("a \"day\"".into());
                    s.parameters.insert("first".into(), "monday".into());
                }),
            ),
            ("i", Arc::new(Schema::logical_of(Logical::Timestamp))),
        ];
        let field = |(name, schema): (&str, Arc<Schema>)| Field { name: name.into(), schema };
        Schema::optional(Kind::Struct(fields.into_iter().map(field).collect())).named("all")
    }

    #[test]
    fn schemas_come_back_with_every_attribute() {
        let schema = every_attribute();
        let field = annotated_field("value", &schema);
        assert_eq!(schema_of(&field).unwrap(), schema);
        assert!(field.data_type().equals_datatype(&schema.arrow_type()), "metadata aside, the same type");
    }

    #[test]
    fn plain_arrow_gets_the_schema_it_stands_for() {
        let day = ArrowField::new("day", DataType::Date32, true);
        let expected = Schema { optional: true, ..Schema::logical_of(Logical::Date) };
        assert_eq!(schema_of(&day).unwrap(), expected);
        assert!(schema_of(&ArrowField::new("x", DataType::UInt64, true)).is_err());
    }

    #[test]
    fn damaged_metadata_is_refused() {
        for (key, text) in [(VERSION, "x"), (PARAMETERS, "[1]"), (DEFAULT, "\"zz\""), (DEFAULT, "{")] {
            let metadata = HashMap::from([(key.to_owned(), text.to_owned())]);
            let field = ArrowField::new("x", DataType::Binary, true).with_metadata(metadata);
            assert!(schema_of(&field).is_err(), "{key}={text}");
        }
    }
}
