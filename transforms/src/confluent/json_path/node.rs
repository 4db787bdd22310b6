//! Values that paths walk through: schemaless ones and cells of columns, neither copied.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType,
    TimestampMillisecondType,
};
use lakeward_api::batch::Values;
use lakeward_api::recursion::is_recursive;
use lakeward_api::rows::{DAY_MS, value_at};
use lakeward_api::schema::{Field, Kind, Logical, Schema};
use lakeward_api::value::Value;

/// A value.
#[derive(Clone, Copy)]
pub(in crate::confluent) enum Node<'a> {
    /// A row of a column.
    Cell(&'a Schema, &'a dyn Array, usize),
    /// A schemaless value.
    Dynamic(&'a Value),
}

/// A value that has no parts.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar<'a> {
    Boolean(bool),
    Float(f64),
    Null,
    /// Bytes, and values with parts.
    Other,
    Text(Cow<'a, str>),
    /// Not there.
    Undefined,
    Whole(i64),
}

/// Values whose rows are nodes: as they are, or taken apart where they are shaped or contain themselves.
pub(in crate::confluent) fn readable(values: &Values) -> Cow<'_, Values> {
    match values {
        Values::Typed { schema, array } if is_recursive(schema) => {
            let named = |row| named(schema, value_at(schema, array, row));
            Cow::Owned(Values::Dynamic((0..array.len()).map(named).collect()))
        }
        other => other.apart(),
    }
}

/// `value` with its STRUCTs as maps. Recursion is bounded by the depth of the value.
fn named(schema: &Schema, value: Value) -> Value {
    match (&schema.kind, value) {
        (Kind::Array(item), Value::Array(items)) => {
            Value::Array(items.into_iter().map(|value| named(item, value)).collect())
        }
        (Kind::Map { key, value }, Value::Map(entries)) => {
            let entry = |(name, member)| (named(key, name), named(value, member));
            Value::Map(entries.into_iter().map(entry).collect())
        }
        (Kind::Recursive(recursive), value) => named(&recursive.resolve(), value),
        (Kind::Struct(fields), Value::Struct(values)) => {
            let member = |(field, value): (&Field, Value)| {
                (Value::String(Arc::clone(&field.name)), named(&field.schema, value))
            };
            Value::Map(fields.iter().zip(values).map(member).collect())
        }
        (_, value) => value,
    }
}

impl<'a> Node<'a> {
    /// Whether the value is null.
    pub(in crate::confluent) fn is_null(self) -> bool {
        match self {
            Self::Cell(_, array, row) => array.is_null(row),
            Self::Dynamic(value) => value.is_null(),
        }
    }

    /// The value on its own.
    pub(in crate::confluent) fn value(self) -> Value {
        match self {
            Self::Cell(schema, array, row) => value_at(schema, array, row),
            Self::Dynamic(value) => value.clone(),
        }
    }

    /// Whether the value has members.
    pub(in crate::confluent) fn is_object(self) -> bool {
        match self {
            Self::Cell(schema, array, row) => {
                matches!(schema.kind, Kind::Struct(_) | Kind::Map { .. }) && array.is_valid(row)
            }
            Self::Dynamic(value) => matches!(value, Value::Map(_)),
        }
    }

    /// The number of items of an array.
    pub(super) fn items(self) -> Option<usize> {
        match self {
            Self::Cell(schema, array, row) => match schema.kind {
                Kind::Array(_) if array.is_valid(row) => {
                    Some(array.as_list::<i32>().value_length(row) as usize)
                }
                _ => None,
            },
            Self::Dynamic(Value::Array(items)) => Some(items.len()),
            Self::Dynamic(_) => None,
        }
    }

    /// The item at `at`, which is less than [`Node::items`].
    pub(super) fn item(self, at: usize) -> Option<Node<'a>> {
        match self {
            Self::Cell(schema, array, row) => {
                let Kind::Array(item) = &schema.kind else { return None };
                let list = array.as_list::<i32>();
                Some(Self::Cell(item, list.values(), list.value_offsets()[row] as usize + at))
            }
            Self::Dynamic(Value::Array(items)) => items.get(at).map(Self::Dynamic),
            Self::Dynamic(_) => None,
        }
    }

    /// The member `name` of an object.
    pub(in crate::confluent) fn member(self, name: &str) -> Option<Node<'a>> {
        match self {
            Self::Dynamic(value) => value.get(name).map(Self::Dynamic),
            Self::Cell(schema, array, row) => match &schema.kind {
                Kind::Struct(_) => {
                    let (index, field) = schema.field(name)?;
                    Some(Self::Cell(&field.schema, array.as_struct().column(index), row))
                }
                Kind::Map { key, value } => {
                    let Kind::String = key.kind else { return None };
                    let map = array.as_map();
                    let entries = map.value_offsets()[row] as usize..map.value_offsets()[row + 1] as usize;
                    let keys = map.keys().as_string::<i32>();
                    let mut entries = entries.filter(|at| keys.value(*at) == name);
                    entries.next().map(|at| Self::Cell(value, map.values(), at))
                }
                _ => None,
            },
        }
    }

    /// The members of an object or the items of an array.
    pub(super) fn children(self) -> Vec<Node<'a>> {
        if let Some(items) = self.items() {
            return (0..items).filter_map(|at| self.item(at)).collect();
        }
        if !self.is_object() {
            return Vec::new();
        }
        match self {
            Self::Dynamic(Value::Map(members)) => {
                members.iter().map(|(_, value)| Self::Dynamic(value)).collect()
            }
            Self::Dynamic(_) => Vec::new(),
            Self::Cell(schema, array, row) => match &schema.kind {
                Kind::Struct(fields) => {
                    let columns = array.as_struct().columns();
                    let cell = |(field, column): (&'a Field, &'a arrow_array::ArrayRef)| {
                        Self::Cell(&field.schema, column, row)
                    };
                    fields.iter().zip(columns).map(cell).collect()
                }
                Kind::Map { value, .. } => {
                    let map = array.as_map();
                    let entries = map.value_offsets()[row] as usize..map.value_offsets()[row + 1] as usize;
                    entries.map(|at| Self::Cell(value, map.values(), at)).collect()
                }
                _ => Vec::new(),
            },
        }
    }

    /// The value as conditions compare it.
    pub(super) fn scalar(self) -> Scalar<'a> {
        match self {
            _ if self.is_null() => Scalar::Null,
            Self::Cell(schema, array, row) => cell_scalar(schema, array, row),
            Self::Dynamic(value) => match value {
                Value::Boolean(value) => Scalar::Boolean(*value),
                Value::Date(ms) => Scalar::Whole(*ms),
                Value::Decimal(value) => decimal(&value.to_java_text()),
                Value::Float32(value) => Scalar::Float(f64::from(*value)),
                Value::Float64(value) => Scalar::Float(*value),
                Value::Int16(value) => Scalar::Whole(i64::from(*value)),
                Value::Int32(value) => Scalar::Whole(i64::from(*value)),
                Value::Int64(value) => Scalar::Whole(*value),
                Value::Int8(value) => Scalar::Whole(i64::from(*value)),
                Value::String(text) => Scalar::Text((&**text).into()),
                Value::Array(_) | Value::Bytes(_) | Value::Map(_) | Value::Null | Value::Struct(_) => {
                    Scalar::Other
                }
            },
        }
    }
}

fn cell_scalar<'a>(schema: &Schema, array: &'a dyn Array, row: usize) -> Scalar<'a> {
    match schema.logical() {
        Some(Logical::Date) => {
            return Scalar::Whole(i64::from(array.as_primitive::<Date32Type>().value(row)) * DAY_MS);
        }
        Some(Logical::Time) => {
            return Scalar::Whole(i64::from(array.as_primitive::<Time32MillisecondType>().value(row)));
        }
        Some(Logical::Timestamp) => {
            return Scalar::Whole(array.as_primitive::<TimestampMillisecondType>().value(row));
        }
        Some(Logical::Decimal { .. }) => {
            return match value_at(schema, array, row) {
                Value::Decimal(value) => decimal(&value.to_java_text()),
                _ => Scalar::Other,
            };
        }
        None => {}
    }
    match schema.kind {
        Kind::Boolean => Scalar::Boolean(array.as_boolean().value(row)),
        Kind::Float32 => Scalar::Float(f64::from(array.as_primitive::<Float32Type>().value(row))),
        Kind::Float64 => Scalar::Float(array.as_primitive::<Float64Type>().value(row)),
        Kind::Int16 => Scalar::Whole(i64::from(array.as_primitive::<Int16Type>().value(row))),
        Kind::Int32 => Scalar::Whole(i64::from(array.as_primitive::<Int32Type>().value(row))),
        Kind::Int64 => Scalar::Whole(array.as_primitive::<Int64Type>().value(row)),
        Kind::Int8 => Scalar::Whole(i64::from(array.as_primitive::<Int8Type>().value(row))),
        Kind::String => Scalar::Text(array.as_string::<i32>().value(row).into()),
        Kind::Array(_) | Kind::Bytes | Kind::Map { .. } | Kind::Recursive(_) | Kind::Struct(_) => {
            Scalar::Other
        }
    }
}

fn decimal(text: &str) -> Scalar<'static> {
    match text.parse::<i64>() {
        Ok(whole) => Scalar::Whole(whole),
        Err(_) => text.parse().map_or(Scalar::Other, Scalar::Float),
    }
}
