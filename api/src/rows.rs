//! Rows in and out of typed columns: for values that columns cannot be computed from (headers, defaults,
//! keys built from single fields) and for tests. Hot paths work on whole columns instead.

use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType,
    TimestampMillisecondType,
};
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanArray, ListArray, MapArray, PrimitiveArray, StructArray,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field as ArrowField, Fields};
use bytes::Bytes;

use crate::ConnectError;
use crate::decimal::Decimal;
use crate::packed;
use crate::recursion::{self, Recursive};
use crate::schema::{Kind, Logical, Schema};
use crate::value::Value;

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;

/// The value of row `row` of a column of `schema.arrow_type()`.
///
/// # Panics
/// When the column is not of that type: columns and schemas are made together.
pub fn value_at(schema: &Schema, array: &dyn Array, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match schema.logical() {
        Some(Logical::Date) => {
            return Value::Date(i64::from(array.as_primitive::<Date32Type>().value(row)) * DAY_MS);
        }
        Some(Logical::Time) => {
            let time = array.as_primitive::<Time32MillisecondType>().value(row);
            return Value::Date(i64::from(time));
        }
        Some(Logical::Timestamp) => {
            return Value::Date(array.as_primitive::<TimestampMillisecondType>().value(row));
        }
        Some(Logical::Decimal { scale }) => {
            let unscaled = Bytes::copy_from_slice(array.as_binary::<i32>().value(row));
            return Value::Decimal(Decimal { unscaled, scale });
        }
        None => {}
    }
    match &schema.kind {
        Kind::Array(item) => {
            let items = array.as_list::<i32>().value(row);
            Value::Array((0..items.len()).map(|row| value_at(item, &items, row)).collect())
        }
        Kind::Boolean => Value::Boolean(array.as_boolean().value(row)),
        Kind::Bytes => Value::Bytes(Bytes::copy_from_slice(array.as_binary::<i32>().value(row))),
        Kind::Float32 => Value::Float32(array.as_primitive::<Float32Type>().value(row)),
        Kind::Float64 => Value::Float64(array.as_primitive::<Float64Type>().value(row)),
        Kind::Int16 => Value::Int16(array.as_primitive::<Int16Type>().value(row)),
        Kind::Int32 => Value::Int32(array.as_primitive::<Int32Type>().value(row)),
        Kind::Int64 => Value::Int64(array.as_primitive::<Int64Type>().value(row)),
        Kind::Int8 => Value::Int8(array.as_primitive::<Int8Type>().value(row)),
        Kind::Map { key, value } => {
            let entries = array.as_map().value(row);
            let entry =
                |row| (value_at(key, entries.column(0), row), value_at(value, entries.column(1), row));
            Value::Map((0..entries.len()).map(entry).collect())
        }
        Kind::Recursive(_) => packed::unpack(array.as_binary::<i32>().value(row)),
        Kind::String => Value::String(array.as_string::<i32>().value(row).into()),
        Kind::Struct(fields) => {
            let columns = array.as_struct().columns();
            let value =
                |(field, column): (&crate::schema::Field, &ArrayRef)| value_at(&field.schema, column, row);
            Value::Struct(fields.iter().zip(columns).map(value).collect())
        }
    }
}

/// Builds a column of `schema.arrow_type()` from values.
pub struct ColumnWriter {
    cells: Cells,
    nulls: Vec<bool>,
}

enum Cells {
    Boolean(Vec<bool>),
    Bytes(BinaryBuilder),
    Date(Vec<i32>),
    Decimal { unscaled: BinaryBuilder, scale: i32 },
    Float32(Vec<f32>),
    Float64(Vec<f64>),
    Int16(Vec<i16>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Int8(Vec<i8>),
    List { ends: Vec<i32>, item: Box<ColumnWriter>, field: Arc<ArrowField> },
    Map { ends: Vec<i32>, key: Box<ColumnWriter>, value: Box<ColumnWriter>, entries: Arc<ArrowField> },
    Recursive { cells: BinaryBuilder, recursive: Recursive, cell: Vec<u8> },
    String(StringBuilder),
    Struct { columns: Vec<ColumnWriter>, fields: Fields },
    Time(Vec<i32>),
    Timestamp(Vec<i64>),
}

impl ColumnWriter {
    /// An empty column for `schema`.
    pub fn new(schema: &Schema) -> Self {
        let cells = match (schema.logical(), &schema.kind) {
            (Some(Logical::Date), _) => Cells::Date(Vec::new()),
            (Some(Logical::Time), _) => Cells::Time(Vec::new()),
            (Some(Logical::Timestamp), _) => Cells::Timestamp(Vec::new()),
            (Some(Logical::Decimal { scale }), _) => Cells::Decimal { unscaled: BinaryBuilder::new(), scale },
            (None, Kind::Array(item)) => Cells::List {
                ends: vec![0],
                item: Box::new(Self::new(item)),
                field: Arc::new(item.arrow_field("item")),
            },
            (None, Kind::Boolean) => Cells::Boolean(Vec::new()),
            (None, Kind::Bytes) => Cells::Bytes(BinaryBuilder::new()),
            (None, Kind::Float32) => Cells::Float32(Vec::new()),
            (None, Kind::Float64) => Cells::Float64(Vec::new()),
            (None, Kind::Int16) => Cells::Int16(Vec::new()),
            (None, Kind::Int32) => Cells::Int32(Vec::new()),
            (None, Kind::Int64) => Cells::Int64(Vec::new()),
            (None, Kind::Int8) => Cells::Int8(Vec::new()),
            (None, Kind::Map { key, value }) => {
                let DataType::Map(entries, _) = schema.arrow_type() else { unreachable!("a MAP is a Map") };
                Cells::Map {
                    ends: vec![0],
                    key: Box::new(Self::new(key)),
                    value: Box::new(Self::new(value)),
                    entries,
                }
            }
            (None, Kind::Recursive(recursive)) => {
                Cells::Recursive { cells: BinaryBuilder::new(), recursive: *recursive, cell: Vec::new() }
            }
            (None, Kind::String) => Cells::String(StringBuilder::new()),
            (None, Kind::Struct(fields)) => Cells::Struct {
                columns: fields.iter().map(|field| Self::new(&field.schema)).collect(),
                fields: schema.arrow_fields(),
            },
        };
        Self { cells, nulls: Vec::new() }
    }

    /// Rows so far.
    pub fn rows(&self) -> usize {
        self.nulls.len()
    }

    /// Appends null; in a required field it stands for a hidden value under a null parent.
    pub fn append_null(&mut self) {
        match &mut self.cells {
            Cells::Boolean(cells) => cells.push(false),
            Cells::Bytes(cells) | Cells::Decimal { unscaled: cells, .. } | Cells::Recursive { cells, .. } => {
                cells.append_value(b"");
            }
            Cells::Date(cells) | Cells::Int32(cells) | Cells::Time(cells) => cells.push(0),
            Cells::Float32(cells) => cells.push(0.0),
            Cells::Float64(cells) => cells.push(0.0),
            Cells::Int16(cells) => cells.push(0),
            Cells::Int64(cells) | Cells::Timestamp(cells) => cells.push(0),
            Cells::Int8(cells) => cells.push(0),
            Cells::List { ends, .. } | Cells::Map { ends, .. } => {
                ends.push(*ends.last().expect("starts at 0"))
            }
            Cells::String(cells) => cells.append_value(""),
            Cells::Struct { columns, .. } => columns.iter_mut().for_each(Self::append_null),
        }
        self.nulls.push(true);
    }

    /// Appends a value of the column's schema. A logical value may be given in its logical form
    /// ([`Value::Date`], [`Value::Decimal`]) or as its base type.
    ///
    /// # Errors
    /// `Record` (`DataException`) when the value is of another type. The column is unusable then.
    pub fn append(&mut self, value: &Value) -> Result<(), ConnectError> {
        if value.is_null() {
            self.append_null();
            return Ok(());
        }
        match (&mut self.cells, value) {
            (Cells::Boolean(cells), Value::Boolean(value)) => cells.push(*value),
            (Cells::Bytes(cells), Value::Bytes(value)) => cells.append_value(value),
            (Cells::Date(cells), Value::Date(ms)) => cells.push(days(*ms)?),
            (Cells::Date(cells) | Cells::Int32(cells) | Cells::Time(cells), Value::Int32(value)) => {
                cells.push(*value);
            }
            (Cells::Decimal { unscaled, .. }, Value::Bytes(value)) => unscaled.append_value(value),
            (Cells::Decimal { unscaled, scale }, Value::Decimal(value)) if value.scale == *scale => {
                unscaled.append_value(&value.unscaled);
            }
            (Cells::Float32(cells), Value::Float32(value)) => cells.push(*value),
            (Cells::Float64(cells), Value::Float64(value)) => cells.push(*value),
            (Cells::Int16(cells), Value::Int16(value)) => cells.push(*value),
            (Cells::Int64(cells) | Cells::Timestamp(cells), Value::Int64(value)) => cells.push(*value),
            (Cells::Int8(cells), Value::Int8(value)) => cells.push(*value),
            (Cells::List { ends, item, .. }, Value::Array(values)) => {
                for value in values {
                    item.append(value)?;
                }
                ends.push(end(item)?);
            }
            (Cells::Map { ends, key, value, .. }, Value::Map(entries)) => {
                for (name, member) in entries {
                    key.append(name)?;
                    value.append(member)?;
                }
                ends.push(end(key)?);
            }
            (Cells::Recursive { cells, recursive, cell }, _) => {
                cell.clear();
                packed::pack(value, cell)?;
                if !recursion::fits(&recursive.resolve(), value) {
                    return Err(misfit());
                }
                cells.append_value(cell);
            }
            (Cells::String(cells), Value::String(value)) => cells.append_value(value),
            (Cells::Struct { columns, .. }, Value::Struct(values)) if values.len() == columns.len() => {
                for (column, value) in columns.iter_mut().zip(values) {
                    column.append(value)?;
                }
            }
            (Cells::Time(cells), Value::Date(ms)) => cells.push(time(*ms)?),
            (Cells::Timestamp(cells), Value::Date(ms)) => cells.push(*ms),
            _ => return Err(misfit()),
        }
        self.nulls.push(false);
        Ok(())
    }

    /// The column.
    ///
    /// # Errors
    /// `Fatal` when it exceeds Arrow's limits.
    pub fn finish(self) -> Result<ArrayRef, ConnectError> {
        let rows = self.nulls.len();
        let is_null = self.nulls.iter().any(|null| *null);
        let nulls = is_null.then(|| self.nulls.iter().map(|null| !null).collect::<NullBuffer>());
        let failed = |err| ConnectError::fatal("a column could not be built").with_source(err);
        Ok(match self.cells {
            Cells::Boolean(cells) => Arc::new(BooleanArray::new(cells.into(), nulls)),
            Cells::Bytes(mut cells)
            | Cells::Decimal { unscaled: mut cells, .. }
            | Cells::Recursive { mut cells, .. } => {
                let (offsets, data, _) = cells.finish().into_parts();
                Arc::new(arrow_array::BinaryArray::try_new(offsets, data, nulls).map_err(failed)?)
            }
            Cells::Date(cells) => primitive::<Date32Type>(cells, nulls),
            Cells::Float32(cells) => primitive::<Float32Type>(cells, nulls),
            Cells::Float64(cells) => primitive::<Float64Type>(cells, nulls),
            Cells::Int16(cells) => primitive::<Int16Type>(cells, nulls),
            Cells::Int32(cells) => primitive::<Int32Type>(cells, nulls),
            Cells::Int64(cells) => primitive::<Int64Type>(cells, nulls),
            Cells::Int8(cells) => primitive::<Int8Type>(cells, nulls),
            Cells::List { ends, item, field } => {
                let offsets = OffsetBuffer::new(ends.into());
                Arc::new(ListArray::try_new(field, offsets, item.finish()?, nulls).map_err(failed)?)
            }
            Cells::Map { ends, key, value, entries } => {
                let DataType::Struct(fields) = entries.data_type() else { unreachable!("Map entries") };
                let (key, value) = (key.finish()?, value.finish()?);
                let columns = StructArray::try_new(fields.clone(), vec![key, value], None).map_err(failed)?;
                let offsets = OffsetBuffer::new(ends.into());
                Arc::new(MapArray::try_new(entries, offsets, columns, nulls, false).map_err(failed)?)
            }
            Cells::String(mut cells) => {
                let (offsets, data, _) = cells.finish().into_parts();
                Arc::new(arrow_array::StringArray::try_new(offsets, data, nulls).map_err(failed)?)
            }
            Cells::Struct { columns, fields } => {
                let columns = columns.into_iter().map(Self::finish).collect::<Result<Vec<_>, _>>()?;
                if columns.is_empty() {
                    Arc::new(StructArray::new_empty_fields(rows, nulls))
                } else {
                    Arc::new(StructArray::try_new(fields, columns, nulls).map_err(failed)?)
                }
            }
            Cells::Time(cells) => primitive::<Time32MillisecondType>(cells, nulls),
            Cells::Timestamp(cells) => {
                let cells = PrimitiveArray::<TimestampMillisecondType>::new(cells.into(), nulls);
                Arc::new(cells.with_timezone("UTC"))
            }
        })
    }
}

/// A column of `rows` times the same value.
///
/// # Errors
/// As [`ColumnWriter::append`] and [`ColumnWriter::finish`].
pub fn constant(schema: &Schema, value: &Value, rows: usize) -> Result<ArrayRef, ConnectError> {
    let mut column = ColumnWriter::new(schema);
    for _ in 0..rows {
        column.append(value)?;
    }
    column.finish()
}

fn primitive<T: ArrowPrimitiveType>(cells: Vec<T::Native>, nulls: Option<NullBuffer>) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(cells.into(), nulls))
}

fn misfit() -> ConnectError {
    ConnectError::data("Value does not have the type of its schema")
}

fn end(cells: &ColumnWriter) -> Result<i32, ConnectError> {
    i32::try_from(cells.rows()).map_err(|_| ConnectError::fatal("a batch holds more than 2^31 elements"))
}

/// Source: `org.apache.kafka.connect.data.Date#fromLogical`.
fn days(ms: i64) -> Result<i32, ConnectError> {
    if ms.rem_euclid(DAY_MS) != 0 {
        return Err(ConnectError::data(
            "Kafka Connect Date type should not have any time fields set to non-zero values.",
        ));
    }
    i32::try_from(ms.div_euclid(DAY_MS)).map_err(|_| ConnectError::data("Date is out of range"))
}

/// Source: `org.apache.kafka.connect.data.Time#fromLogical`.
fn time(ms: i64) -> Result<i32, ConnectError> {
    i32::try_from(ms).ok().filter(|time| (0..=86_400_000).contains(time)).ok_or_else(|| {
        ConnectError::data("Kafka Connect Time type should not have any date fields set to non-zero values.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Field;

    #[test]
    fn values_come_back_from_their_columns() {
        let field = |name: &str, schema: Schema| Field { name: name.into(), schema: Arc::new(schema) };
        let text = || Arc::new(Schema::new(Kind::String));
        let mut schema = Schema::new(Kind::Struct(vec![
            field("id", Schema::new(Kind::Int64)),
            field("tags", Schema::optional(Kind::Array(text()))),
            field(
                "by",
                Schema::new(Kind::Map { key: text(), value: Arc::new(Schema::optional(Kind::Int8)) }),
            ),
            field("day", Schema::logical_of(Logical::Date)),
            field("price", Schema::logical_of(Logical::Decimal { scale: 2 })),
            field("at", Schema::logical_of(Logical::Timestamp)),
        ]));
        schema.optional = true;
        let price = Decimal { unscaled: Bytes::from_static(&[0, 156]), scale: 2 };
        let row = Value::Struct(vec![
            Value::Int64(7),
            Value::Array(vec![Value::String("a".into())]),
            Value::Map(vec![(Value::String("k".into()), Value::Null)]),
            Value::Date(DAY_MS * 3),
            Value::Decimal(price),
            Value::Date(-5),
        ]);
        let mut column = ColumnWriter::new(&schema);
        column.append(&row).unwrap();
        column.append(&Value::Null).unwrap();
        let array = column.finish().unwrap();
        assert_eq!(array.data_type(), &schema.arrow_type());
        assert_eq!(value_at(&schema, &array, 0), row);
        assert_eq!(value_at(&schema, &array, 1), Value::Null);
    }

    #[test]
    fn dates_with_a_time_of_day_are_refused() {
        let mut column = ColumnWriter::new(&Schema::logical_of(Logical::Date));
        assert!(column.append(&Value::Date(1)).is_err());
        let mut column = ColumnWriter::new(&Schema::logical_of(Logical::Time));
        assert!(column.append(&Value::Date(-1)).is_err());
    }
}
