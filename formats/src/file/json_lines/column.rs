//! Arrow columns as JSON text, row by row.
//!
//! A [`ColumnText`] is made once per batch, so that the loop over rows does no downcasts and no schema
//! look-ups.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType, TimestampMillisecondType,
};
use arrow_array::{Array, ArrayRef, BinaryArray, BooleanArray, StringArray};
use arrow_buffer::NullBuffer;
use lakeward_api::schema::{Kind, Logical, Schema};
use lakeward_api::value::Value;

use super::{DecimalFormat, decimal, dynamic, text};
use crate::FormatError;

/// One column, ready to be written.
pub(super) struct ColumnText<'a> {
    nulls: Option<&'a NullBuffer>,
    default: Option<&'a Value>,
    cells: Cells<'a>,
}

enum Cells<'a> {
    Boolean(&'a BooleanArray),
    Bytes(&'a BinaryArray),
    Decimal { unscaled: &'a BinaryArray, scale: i32 },
    Float32(&'a [f32]),
    Float64(&'a [f64]),
    Int16(&'a [i16]),
    Int32(&'a [i32]),
    Int64(&'a [i64]),
    Int8(&'a [i8]),
    List { offsets: &'a [i32], item: Box<ColumnText<'a>> },
    Map { offsets: &'a [i32], keys: Box<ColumnText<'a>>, values: Box<ColumnText<'a>> },
    String(&'a StringArray),
    Struct(Vec<(Vec<u8>, ColumnText<'a>)>),
}

impl<'a> ColumnText<'a> {
    /// Prepares `array`, whose values have `schema`.
    ///
    /// # Errors
    /// Class `Record` when the array does not have the type of the schema.
    pub(super) fn new(
        schema: &'a Schema,
        array: &'a ArrayRef,
        decimals: DecimalFormat,
    ) -> Result<Self, FormatError> {
        let cells = cells(schema, array, decimals)?;
        Ok(Self { nulls: array.nulls(), default: schema.default.as_ref(), cells })
    }

    /// Appends the value of `row`.
    pub(super) fn append(&self, out: &mut Vec<u8>, row: usize) -> Result<(), FormatError> {
        if self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            match self.default {
                Some(default) => self.append_default(out, default)?,
                None => out.extend_from_slice(b"null"),
            }
            return Ok(());
        }
        match &self.cells {
            Cells::Boolean(flags) => {
                out.extend_from_slice(if flags.value(row) { b"true" } else { b"false" });
            }
            Cells::Bytes(bytes) => text::append_base64(out, bytes.value(row)),
            Cells::Decimal { unscaled, scale } => decimal::append(out, unscaled.value(row), *scale)?,
            Cells::Float32(numbers) => text::append_float(out, numbers[row]),
            Cells::Float64(numbers) => text::append_double(out, numbers[row]),
            Cells::Int16(numbers) => text::append_integer(out, i64::from(numbers[row])),
            Cells::Int32(numbers) => text::append_integer(out, i64::from(numbers[row])),
            Cells::Int64(numbers) => text::append_integer(out, numbers[row]),
            Cells::Int8(numbers) => text::append_integer(out, i64::from(numbers[row])),
            Cells::List { offsets, item } => {
                append_separated(out, b"[]", range(offsets, row), |out, at| item.append(out, at))?;
            }
            Cells::Map { offsets, keys, values } => append_map(out, range(offsets, row), keys, values)?,
            Cells::String(texts) => text::append_quoted(out, texts.value(row)),
            Cells::Struct(fields) => append_separated(out, b"{}", fields.iter(), |out, (name, field)| {
                out.extend_from_slice(name);
                field.append(out, row)
            })?,
        }
        Ok(())
    }

    fn append_default(&self, out: &mut Vec<u8>, default: &Value) -> Result<(), FormatError> {
        match (&self.cells, default) {
            (Cells::Decimal { scale, .. }, Value::Bytes(unscaled)) => decimal::append(out, unscaled, *scale),
            (Cells::Struct(fields), Value::Struct(values)) => {
                append_separated(out, b"{}", fields.iter().zip(values), |out, ((name, field), value)| {
                    out.extend_from_slice(name);
                    field.append_default(out, value)
                })
            }
            _ => {
                dynamic::append(out, default);
                Ok(())
            }
        }
    }
}

fn cells<'a>(
    schema: &'a Schema,
    array: &'a ArrayRef,
    decimals: DecimalFormat,
) -> Result<Cells<'a>, FormatError> {
    let wrong = || FormatError::data(format!("A column of {} does not fit its schema.", array.data_type()));
    let column =
        |schema: &'a Schema, array: &'a ArrayRef| ColumnText::new(schema, array, decimals).map(Box::new);
    Ok(match (schema.logical(), &schema.kind) {
        (Some(Logical::Date), _) => Cells::Int32(numbers::<Date32Type>(array)?),
        (Some(Logical::Time), _) => Cells::Int32(numbers::<Time32MillisecondType>(array)?),
        (Some(Logical::Timestamp), _) => Cells::Int64(numbers::<TimestampMillisecondType>(array)?),
        (Some(Logical::Decimal { scale }), _) if decimals == DecimalFormat::Numeric => {
            Cells::Decimal { unscaled: array.as_binary_opt().ok_or_else(wrong)?, scale }
        }
        (_, Kind::Array(item)) => {
            let list = array.as_list_opt::<i32>().ok_or_else(wrong)?;
            Cells::List { offsets: list.value_offsets(), item: column(item, list.values())? }
        }
        (_, Kind::Boolean) => Cells::Boolean(array.as_boolean_opt().ok_or_else(wrong)?),
        (_, Kind::Bytes) => Cells::Bytes(array.as_binary_opt().ok_or_else(wrong)?),
        (_, Kind::Float32) => Cells::Float32(numbers::<Float32Type>(array)?),
        (_, Kind::Float64) => Cells::Float64(numbers::<Float64Type>(array)?),
        (_, Kind::Int16) => Cells::Int16(numbers::<Int16Type>(array)?),
        (_, Kind::Int32) => Cells::Int32(numbers::<Int32Type>(array)?),
        (_, Kind::Int64) => Cells::Int64(numbers::<Int64Type>(array)?),
        (_, Kind::Int8) => Cells::Int8(numbers::<Int8Type>(array)?),
        (_, Kind::Map { key, value }) => {
            let map = array.as_map_opt().ok_or_else(wrong)?;
            let (keys, values) = (column(key, map.keys())?, column(value, map.values())?);
            Cells::Map { offsets: map.value_offsets(), keys, values }
        }
        (_, Kind::String) => Cells::String(array.as_string_opt().ok_or_else(wrong)?),
        (_, Kind::Struct(fields)) => {
            let columns = array.as_struct_opt().ok_or_else(wrong)?.columns();
            let named = fields.iter().zip(columns).map(|(field, column)| {
                let mut name = Vec::new();
                text::append_quoted(&mut name, &field.name);
                name.push(b':');
                Ok((name, ColumnText::new(&field.schema, column, decimals)?))
            });
            Cells::Struct(named.collect::<Result<_, FormatError>>()?)
        }
    })
}

fn numbers<T: ArrowPrimitiveType>(array: &ArrayRef) -> Result<&[T::Native], FormatError> {
    let numbers = array.as_primitive_opt::<T>().ok_or_else(|| {
        FormatError::data(format!("A column of {} does not fit its schema.", array.data_type()))
    })?;
    Ok(numbers.values())
}

/// String keys make an object in the order of Java's `HashMap`; other keys an array of pairs.
fn append_map(
    out: &mut Vec<u8>,
    entries: std::ops::Range<usize>,
    keys: &ColumnText<'_>,
    values: &ColumnText<'_>,
) -> Result<(), FormatError> {
    let Cells::String(names) = keys.cells else {
        return append_separated(out, b"[]", entries, |out, at| {
            out.push(b'[');
            keys.append(out, at)?;
            out.push(b',');
            values.append(out, at)?;
            out.push(b']');
            Ok(())
        });
    };
    let start = entries.start;
    let order = dynamic::hash_order(entries.len(), |index| names.value(start + index));
    append_separated(out, b"{}", order.into_iter(), |out, index| {
        text::append_quoted(out, names.value(start + index));
        out.push(b':');
        values.append(out, start + index)
    })
}

fn append_separated<T>(
    out: &mut Vec<u8>,
    brackets: &[u8; 2],
    items: impl Iterator<Item = T>,
    append_item: impl Fn(&mut Vec<u8>, T) -> Result<(), FormatError>,
) -> Result<(), FormatError> {
    out.push(brackets[0]);
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        append_item(out, item)?;
    }
    out.push(brackets[1]);
    Ok(())
}

fn range(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    offsets[row] as usize..offsets[row + 1] as usize
}
