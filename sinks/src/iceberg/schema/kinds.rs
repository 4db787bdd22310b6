//! What a new column holds: from the schema of a record, or from a value where there is none.
//!
//! Source: `SchemaUtils.SchemaGenerator`, iceberg-kafka-connect 1.10. A schemaless decimal gets the digits
//! that it has, as in later releases, where 1.10 fails for numbers below 1.

use iceberg::spec::PrimitiveType;
use lakeward_api::ConnectError;
use lakeward_api::decimal::Decimal;
use lakeward_api::schema::{Kind, Logical, Schema};
use lakeward_api::value::Value;

use super::{Column, Node};

/// The digits that a decimal column may have; those from schemas have as many.
const DIGITS_MAX: u32 = 38;

/// A column for values of `schema`; with `force_optional` nothing inside it is required.
///
/// # Errors
/// Class `Record` where there is no such column.
pub(super) fn of_schema(schema: &Schema, force_optional: bool) -> Result<Node, ConnectError> {
    let inner = |name: &str, schema: &Schema| {
        let required = !(force_optional || schema.optional);
        Ok::<_, ConnectError>(Box::new(Column::new(name, required, of_schema(schema, force_optional)?)))
    };
    let primitive = match schema.logical() {
        Some(Logical::Date) => Some(PrimitiveType::Date),
        Some(Logical::Decimal { scale }) => Some(decimal(DIGITS_MAX, scale)?),
        Some(Logical::Time) => Some(PrimitiveType::Time),
        Some(Logical::Timestamp) => Some(PrimitiveType::Timestamptz),
        None => None,
    };
    if let Some(of) = primitive {
        return Ok(Node::Primitive(of));
    }
    Ok(match &schema.kind {
        Kind::Array(item) => Node::List(inner("element", item)?),
        Kind::Boolean => Node::Primitive(PrimitiveType::Boolean),
        Kind::Bytes => Node::Primitive(PrimitiveType::Binary),
        Kind::Float32 => Node::Primitive(PrimitiveType::Float),
        Kind::Float64 => Node::Primitive(PrimitiveType::Double),
        Kind::Int8 | Kind::Int16 | Kind::Int32 => Node::Primitive(PrimitiveType::Int),
        Kind::Int64 => Node::Primitive(PrimitiveType::Long),
        Kind::Map { key, value } => {
            let mut key = inner("key", key)?;
            key.required = true;
            Node::Map(key, inner("value", value)?)
        }
        Kind::Recursive(_) => {
            return Err(ConnectError::data("A schema that contains itself has no form in a table"));
        }
        Kind::String => Node::Primitive(PrimitiveType::String),
        Kind::Struct(fields) => {
            let column = |field: &lakeward_api::schema::Field| {
                let required = !(force_optional || field.schema.optional);
                let of = of_schema(&field.schema, force_optional)?;
                Ok::<_, ConnectError>(Column::new(&field.name, required, of))
            };
            Node::Struct(fields.iter().map(column).collect::<Result<_, _>>()?)
        }
    })
}

fn decimal(precision: u32, scale: i32) -> Result<PrimitiveType, ConnectError> {
    let scale = u32::try_from(scale).ok().filter(|scale| *scale <= precision);
    let scale = scale.ok_or_else(|| ConnectError::data("A decimal of this scale has no form in a table"))?;
    Ok(PrimitiveType::Decimal { precision, scale })
}

/// A column for `value`; `None` where nothing can be told from it: nulls, bytes, empty lists and maps.
/// Small integers are not of Java's JSON, and say nothing there, either.
pub(super) fn of_value(value: &Value) -> Option<Node> {
    Some(Node::Primitive(match value {
        Value::Boolean(_) => PrimitiveType::Boolean,
        Value::Date(_) => PrimitiveType::Timestamptz,
        Value::Decimal(decimal) => digits(decimal)?,
        Value::Float32(_) | Value::Float64(_) => PrimitiveType::Double,
        Value::Int32(_) | Value::Int64(_) => PrimitiveType::Long,
        Value::String(_) => PrimitiveType::String,
        Value::Array(items) => {
            let element = of_value(items.first()?)?;
            return Some(Node::List(Box::new(Column::new("element", false, element))));
        }
        Value::Map(entries) => {
            let column =
                |(key, value): &(Value, Value)| Some(Column::new(key.as_str()?, false, of_value(value)?));
            let columns: Vec<Column> = entries.iter().filter_map(column).collect();
            return (!columns.is_empty()).then_some(Node::Struct(columns));
        }
        Value::Bytes(_) | Value::Int8(_) | Value::Int16(_) | Value::Null | Value::Struct(_) => return None,
    }))
}

/// The narrowest decimal that holds the number.
fn digits(number: &Decimal) -> Option<PrimitiveType> {
    let unscaled = number.unscaled().to_string();
    let own = i64::try_from(unscaled.trim_start_matches('-').len()).ok()?;
    let scale = i64::from(number.scale);
    let (precision, scale) = if scale < 0 { (own - scale, 0) } else { (own.max(scale), scale) };
    let precision = u32::try_from(precision).ok().filter(|digits| *digits <= DIGITS_MAX)?;
    Some(PrimitiveType::Decimal { precision, scale: u32::try_from(scale).ok()? })
}
