//! Schemaless rows as columns: what Connect holds as one map per record, held as one column per key.
//!
//! Records without a schema mostly look alike. When every row of a batch has the same keys in the same order
//! and each key has values of one kind, the rows have one *shape*, and the Arrow type of the column is that
//! shape:
//!
//! | Arrow type | value |
//! |---|---|
//! | `Null` | [`Value::Null`] |
//! | `Boolean`, `Int8` … `Int64`, `Float32`, `Float64`, `Utf8`, `Binary` | the value of that name |
//! | `Timestamp(ms)` | [`Value::Date`] |
//! | `List` | [`Value::Array`] |
//! | `Struct` | [`Value::Map`] with STRING keys: the fields in order |
//!
//! A null at any level is [`Value::Null`]: the key is there and its value is null. Rows that do not fit (a
//! key that some rows lack, a whole and a broken number under one key, decimals, keys that are no text) stay
//! [`Values::Dynamic`](crate::batch::Values::Dynamic). Whether a batch is shaped never changes what a record
//! is.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMillisecondType,
};
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanArray, ListArray, NullArray, PrimitiveArray, StructArray,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, TimeUnit};
use bytes::Bytes;

use crate::value::Value;

/// Levels of maps and lists that a shape may have; deeper rows stay dynamic.
const MAX_DEPTH: usize = 64;

/// The value of row `row`.
///
/// # Panics
/// When the type of `array` is no shape: shaped columns are made by this project alone.
pub fn value_at(array: &dyn Array, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => Value::Boolean(array.as_boolean().value(row)),
        DataType::Int8 => Value::Int8(array.as_primitive::<Int8Type>().value(row)),
        DataType::Int16 => Value::Int16(array.as_primitive::<Int16Type>().value(row)),
        DataType::Int32 => Value::Int32(array.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => Value::Int64(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float32 => Value::Float32(array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => Value::Float64(array.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => Value::String(array.as_string::<i32>().value(row).into()),
        DataType::Binary => Value::Bytes(Bytes::copy_from_slice(array.as_binary::<i32>().value(row))),
        DataType::Timestamp(..) => Value::Date(array.as_primitive::<TimestampMillisecondType>().value(row)),
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            Value::Array((0..items.len()).map(|row| value_at(&items, row)).collect())
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns();
            let entry = |(field, column): (&Arc<Field>, &ArrayRef)| {
                (Value::String(field.name().as_str().into()), value_at(column, row))
            };
            Value::Map(fields.iter().zip(columns).map(entry).collect())
        }
        other => unreachable!("{other} is no shape"),
    }
}

/// Every row as a value. Keys are shared between the rows.
pub fn values(array: &dyn Array) -> Vec<Value> {
    let rows = array.len();
    match array.data_type() {
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns();
            let keys: Vec<Value> =
                fields.iter().map(|field| Value::String(field.name().as_str().into())).collect();
            let mut cells: Vec<_> = columns.iter().map(|column| values(column).into_iter()).collect();
            let mut row = |row: usize| {
                let entries = keys.iter().zip(&mut cells);
                let entries: Vec<_> = entries
                    .map(|(key, cells)| (key.clone(), cells.next().expect("columns have one length")))
                    .collect();
                if array.is_null(row) { Value::Null } else { Value::Map(entries) }
            };
            (0..rows).map(&mut row).collect()
        }
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            let offsets = list.value_offsets();
            let (first, last) = (offsets[0] as usize, offsets[rows] as usize);
            let mut items = values(&list.values().slice(first, last - first)).into_iter();
            let mut row = |row: usize| {
                let count = (offsets[row + 1] - offsets[row]) as usize;
                let items: Vec<Value> = items.by_ref().take(count).collect();
                if array.is_null(row) { Value::Null } else { Value::Array(items) }
            };
            (0..rows).map(&mut row).collect()
        }
        _ => (0..rows).map(|row| value_at(array, row)).collect(),
    }
}

/// The rows as a column; `None` when they do not have one shape.
pub fn from_values(rows: &[Value]) -> Option<ArrayRef> {
    let rows: Vec<&Value> = rows.iter().collect();
    column(&rows, 0)
}

/// The type of a List shape with items of `item`.
pub fn list_type(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", item, true)))
}

fn column(rows: &[&Value], depth: usize) -> Option<ArrayRef> {
    let Some(first) = rows.iter().find(|value| !value.is_null()) else {
        return Some(Arc::new(NullArray::new(rows.len())));
    };
    match first {
        Value::Array(_) => lists(rows, depth),
        Value::Map(entries) => maps(rows, entries, depth),
        Value::Decimal(_) | Value::Struct(_) | Value::Null => None,
        Value::Boolean(_) => {
            let cells: Option<Vec<Option<bool>>> = rows
                .iter()
                .map(|value| match value {
                    Value::Null => Some(None),
                    Value::Boolean(value) => Some(Some(*value)),
                    _ => None,
                })
                .collect();
            Some(Arc::new(BooleanArray::from(cells?)))
        }
        Value::String(_) => {
            let mut cells = StringBuilder::new();
            for value in rows {
                match value {
                    Value::Null => cells.append_null(),
                    Value::String(text) => cells.append_value(text),
                    _ => return None,
                }
            }
            Some(Arc::new(cells.finish()))
        }
        Value::Bytes(_) => {
            let mut cells = BinaryBuilder::new();
            for value in rows {
                match value {
                    Value::Null => cells.append_null(),
                    Value::Bytes(bytes) => cells.append_value(bytes),
                    _ => return None,
                }
            }
            Some(Arc::new(cells.finish()))
        }
        Value::Date(_) => numbers::<TimestampMillisecondType>(rows, |value| match value {
            Value::Date(value) => Some(*value),
            _ => None,
        }),
        Value::Int8(_) => numbers::<Int8Type>(rows, |value| match value {
            Value::Int8(value) => Some(*value),
            _ => None,
        }),
        Value::Int16(_) => numbers::<Int16Type>(rows, |value| match value {
            Value::Int16(value) => Some(*value),
            _ => None,
        }),
        _ => wide_numbers(rows, first),
    }
}

fn wide_numbers(rows: &[&Value], first: &Value) -> Option<ArrayRef> {
    match first {
        Value::Int32(_) => numbers::<Int32Type>(rows, |value| match value {
            Value::Int32(value) => Some(*value),
            _ => None,
        }),
        Value::Int64(_) => numbers::<Int64Type>(rows, |value| match value {
            Value::Int64(value) => Some(*value),
            _ => None,
        }),
        Value::Float32(_) => numbers::<Float32Type>(rows, |value| match value {
            Value::Float32(value) => Some(*value),
            _ => None,
        }),
        Value::Float64(_) => numbers::<Float64Type>(rows, |value| match value {
            Value::Float64(value) => Some(*value),
            _ => None,
        }),
        _ => None,
    }
}

fn numbers<T: ArrowPrimitiveType>(
    rows: &[&Value],
    read: impl Fn(&Value) -> Option<T::Native>,
) -> Option<ArrayRef> {
    let cell = |value: &&Value| if value.is_null() { Some(None) } else { read(value).map(Some) };
    let cells: Option<Vec<Option<T::Native>>> = rows.iter().map(cell).collect();
    Some(Arc::new(cells?.into_iter().collect::<PrimitiveArray<T>>()))
}

fn lists(rows: &[&Value], depth: usize) -> Option<ArrayRef> {
    let mut items = Vec::new();
    let mut lengths = Vec::with_capacity(rows.len());
    for value in rows {
        match value {
            Value::Null => lengths.push(0),
            Value::Array(all) => {
                items.extend(all);
                lengths.push(all.len());
            }
            _ => return None,
        }
    }
    let items = (depth < MAX_DEPTH).then(|| column(&items, depth + 1))??;
    i32::try_from(items.len()).ok()?;
    let field = Arc::new(Field::new("item", items.data_type().clone(), true));
    Some(Arc::new(ListArray::new(field, OffsetBuffer::from_lengths(lengths), items, nulls(rows))))
}

fn maps(rows: &[&Value], first: &[(Value, Value)], depth: usize) -> Option<ArrayRef> {
    let keys: Vec<&str> = first.iter().map(|(key, _)| key.as_str()).collect::<Option<_>>()?;
    let mut seen = HashSet::with_capacity(keys.len());
    if depth >= MAX_DEPTH || !keys.iter().all(|key| seen.insert(*key)) {
        return None;
    }
    let mut cells: Vec<Vec<&Value>> = vec![Vec::with_capacity(rows.len()); keys.len()];
    for value in rows {
        match value {
            Value::Null => cells.iter_mut().for_each(|cells| cells.push(&Value::Null)),
            Value::Map(entries) if entries.len() == keys.len() => {
                for ((key, cells), entry) in keys.iter().zip(&mut cells).zip(entries) {
                    if entry.0.as_str() != Some(key) {
                        return None;
                    }
                    cells.push(&entry.1);
                }
            }
            _ => return None,
        }
    }
    let columns: Vec<ArrayRef> = cells.iter().map(|cells| column(cells, depth + 1)).collect::<Option<_>>()?;
    Some(Arc::new(struct_of(&keys, columns, rows.len(), nulls(rows))))
}

/// A Struct column of `rows` rows: `keys` and their columns.
pub fn struct_of(
    keys: &[&str],
    columns: Vec<ArrayRef>,
    rows: usize,
    nulls: Option<NullBuffer>,
) -> StructArray {
    if columns.is_empty() {
        return StructArray::new_empty_fields(rows, nulls);
    }
    let field = |(key, column): (&&str, &ArrayRef)| Field::new(*key, column.data_type().clone(), true);
    StructArray::new(keys.iter().zip(&columns).map(field).collect(), columns, nulls)
}

fn nulls(rows: &[&Value]) -> Option<NullBuffer> {
    let is_valid: Vec<bool> = rows.iter().map(|value| !value.is_null()).collect();
    is_valid.contains(&false).then(|| NullBuffer::from(is_valid))
}

/// The type of a Date shape.
pub const DATE: DataType = DataType::Timestamp(TimeUnit::Millisecond, None);

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, Value)]) -> Value {
        Value::Map(entries.iter().map(|(key, value)| (Value::String((*key).into()), value.clone())).collect())
    }

    fn back(rows: &[Value]) {
        let array = from_values(rows).unwrap();
        assert_eq!(values(&array), rows);
        let single: Vec<Value> = (0..array.len()).map(|row| value_at(&array, row)).collect();
        assert_eq!(single, rows);
        let slice = array.slice(1, rows.len() - 1);
        assert_eq!(values(&slice), rows[1..]);
    }

    #[test]
    fn rows_of_one_shape_come_back_from_columns() {
        let text = |text: &str| Value::String(text.into());
        let list = |items: &[Value]| Value::Array(items.to_vec());
        back(&[
            map(&[("a", Value::Int64(1)), ("b", map(&[("c", text("x"))])), ("d", list(&[text("y")]))]),
            map(&[("a", Value::Null), ("b", Value::Null), ("d", list(&[]))]),
            Value::Null,
            map(&[("a", Value::Int64(3)), ("b", map(&[("c", Value::Null)])), ("d", Value::Null)]),
        ]);
        back(&[map(&[]), Value::Null, map(&[])]);
        back(&[Value::Null, Value::Null]);
        back(&[list(&[]), list(&[Value::Null]), list(&[Value::Date(5), Value::Null])]);
        for value in [
            Value::Boolean(true),
            Value::Int8(1),
            Value::Int16(1),
            Value::Int32(1),
            Value::Float32(-0.0),
            Value::Float64(0.5),
            Value::Bytes(Bytes::from_static(b"\xff")),
        ] {
            back(&[value.clone(), Value::Null, value]);
        }
    }

    #[test]
    fn rows_of_different_shapes_stay_dynamic() {
        let different = [
            [map(&[("a", Value::Null)]), map(&[("b", Value::Null)])],
            [map(&[("a", Value::Null)]), map(&[])],
            [map(&[("a", Value::Int64(1))]), map(&[("a", Value::Float64(1.0))])],
            [Value::Int32(1), Value::Int64(1)],
            [map(&[]), Value::Array(Vec::new())],
            [Value::Map(vec![(Value::Int8(1), Value::Null)]), Value::Null],
            [Value::Decimal(crate::decimal::Decimal { unscaled: Bytes::new(), scale: 0 }), Value::Null],
        ];
        for rows in different {
            assert!(from_values(&rows).is_none(), "{rows:?}");
        }
    }

    #[test]
    fn a_deep_value_stays_dynamic() {
        let mut value = Value::Int8(1);
        for _ in 0..=MAX_DEPTH {
            value = Value::Array(vec![value]);
        }
        assert!(from_values(&[value]).is_none());
    }
}
