//! Arrow columns as JSON text, row by row.
//!
//! A [`ColumnText`] is made once per batch, so that the loop over rows does no downcasts, no schema look-ups
//! and no quoting of field names.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType, TimestampMillisecondType,
};
use arrow_array::{Array, ArrayRef, BinaryArray, BooleanArray, StringArray};
use arrow_buffer::NullBuffer;
use lakeward_api::decimal::Decimal;
use lakeward_api::rows::DAY_MS;
use lakeward_api::schema::{Kind, Logical, Schema};
use lakeward_api::value::Value;

use super::{DecimalFormat, Form, MapForm, NULL_FOR_REQUIRED, NullForm, decimal, hash, text, value};
use crate::FormatError;

/// One column, ready to be written.
pub(crate) struct ColumnText<'a> {
    nulls: Option<&'a NullBuffer>,
    /// What is written for a null.
    null: NullText,
    cells: Cells<'a>,
}

enum NullText {
    Default(Vec<u8>),
    Null,
    Refuse,
}

enum Cells<'a> {
    Boolean(&'a BooleanArray),
    Bytes(&'a BinaryArray),
    Date(&'a [i32]),
    Decimal {
        unscaled: &'a BinaryArray,
        scale: i32,
        format: DecimalFormat,
    },
    Float32(&'a [f32]),
    Float64(&'a [f64]),
    Int16(&'a [i16]),
    Int32(&'a [i32]),
    Int64(&'a [i64]),
    Int8(&'a [i8]),
    List {
        offsets: &'a [i32],
        item: Box<ColumnText<'a>>,
    },
    Map {
        form: MapForm,
        offsets: &'a [i32],
        keys: Box<ColumnText<'a>>,
        values: Box<ColumnText<'a>>,
    },
    String(&'a StringArray),
    Time(&'a [i32]),
    /// Each field with what stands before its value: brace or comma, name and colon.
    Struct(Vec<(Vec<u8>, ColumnText<'a>)>),
    /// Fields of which one is written; a null when all are null.
    Union(Vec<ColumnText<'a>>),
}

impl<'a> ColumnText<'a> {
    /// Prepares `array`, whose values have `schema`.
    ///
    /// # Errors
    /// Class `Record` when the array does not have the type of the schema.
    pub(crate) fn new(schema: &'a Schema, array: &'a ArrayRef, form: Form) -> Result<Self, FormatError> {
        let null = match &schema.default {
            Some(default) if form.nulls == NullForm::Default && array.null_count() > 0 => {
                let mut text = Vec::new();
                value::append_typed(&mut text, schema, default, form)?;
                NullText::Default(text)
            }
            _ if schema.optional => NullText::Null,
            _ => NullText::Refuse,
        };
        Ok(Self { nulls: array.nulls(), null, cells: cells(schema, array, form)? })
    }

    /// Appends the value of `row`.
    ///
    /// # Errors
    /// Class `Record` for a null that may not be written, or a number that is too long.
    pub(crate) fn append(&self, out: &mut Vec<u8>, row: usize) -> Result<(), FormatError> {
        if self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            match &self.null {
                NullText::Default(text) => out.extend_from_slice(text),
                NullText::Null => out.extend_from_slice(b"null"),
                NullText::Refuse => return Err(FormatError::data(NULL_FOR_REQUIRED)),
            }
            return Ok(());
        }
        match &self.cells {
            Cells::Boolean(flags) => {
                out.extend_from_slice(if flags.value(row) { b"true" } else { b"false" });
            }
            Cells::Bytes(bytes) => text::append_base64(out, bytes.value(row)),
            Cells::Decimal { unscaled, scale, format: DecimalFormat::Numeric } => {
                decimal::append(out, unscaled.value(row), *scale)?;
            }
            Cells::Decimal { unscaled, .. } => {
                text::append_base64(out, decimal::shortest(unscaled.value(row)));
            }
            Cells::Float32(numbers) => text::append_float(out, numbers[row]),
            Cells::Float64(numbers) => text::append_double(out, numbers[row]),
            Cells::Int16(numbers) => text::append_integer(out, i64::from(numbers[row])),
            Cells::Date(numbers) | Cells::Int32(numbers) | Cells::Time(numbers) => {
                text::append_integer(out, i64::from(numbers[row]));
            }
            Cells::Int64(numbers) => text::append_integer(out, numbers[row]),
            Cells::Int8(numbers) => text::append_integer(out, i64::from(numbers[row])),
            Cells::List { offsets, item } => {
                out.push(b'[');
                for (position, at) in range(offsets, row).enumerate() {
                    if position > 0 {
                        out.push(b',');
                    }
                    item.append(out, at)?;
                }
                out.push(b']');
            }
            Cells::Map { form, offsets, keys, values } => {
                append_map(out, *form, range(offsets, row), keys, values)?;
            }
            Cells::String(texts) => text::append_quoted(out, texts.value(row)),
            Cells::Struct(fields) if fields.is_empty() => out.extend_from_slice(b"{}"),
            Cells::Struct(fields) => {
                for (name, field) in fields {
                    out.extend_from_slice(name);
                    field.append(out, row)?;
                }
                out.push(b'}');
            }
            Cells::Union(fields) => match fields.iter().find(|field| field.has_value(row)) {
                Some(field) => field.append(out, row)?,
                None => out.extend_from_slice(b"null"),
            },
        }
        Ok(())
    }

    /// Whether something else than `null` is written for `row`.
    fn has_value(&self, row: usize) -> bool {
        let is_null = self.nulls.is_some_and(|nulls| nulls.is_null(row));
        !is_null || matches!(self.null, NullText::Default(_))
    }

    /// `hashCode` of the key at `row`; 0, which keeps the order of insertion, for objects without one.
    fn hash(&self, row: usize) -> u32 {
        match &self.cells {
            Cells::Boolean(flags) => hash::of_boolean(flags.value(row)),
            Cells::Decimal { unscaled, scale, .. } => {
                let unscaled = bytes::Bytes::copy_from_slice(decimal::shortest(unscaled.value(row)));
                hash::of_value(&Value::Decimal(Decimal { unscaled, scale: *scale }))
            }
            Cells::Date(days) => hash::of_long(i64::from(days[row]) * DAY_MS),
            Cells::Float32(numbers) => hash::of_float(numbers[row]),
            Cells::Float64(numbers) => hash::of_double(numbers[row]),
            Cells::Int16(numbers) => i32::from(numbers[row]) as u32,
            Cells::Int32(numbers) | Cells::Time(numbers) => numbers[row] as u32,
            Cells::Int64(numbers) => hash::of_long(numbers[row]),
            Cells::Int8(numbers) => i32::from(numbers[row]) as u32,
            Cells::List { offsets, item } => range(offsets, row)
                .fold(1, |hash: u32, at| hash.wrapping_mul(31).wrapping_add(item.hash_or_null(at))),
            Cells::Map { offsets, keys, values, .. } => range(offsets, row)
                .fold(0, |hash: u32, at| hash.wrapping_add(keys.hash(at) ^ values.hash_or_null(at))),
            Cells::String(texts) => hash::of_text(texts.value(row)),
            Cells::Bytes(_) | Cells::Struct(_) | Cells::Union(_) => 0,
        }
    }

    fn hash_or_null(&self, row: usize) -> u32 {
        if self.nulls.is_some_and(|nulls| nulls.is_null(row)) { 0 } else { self.hash(row) }
    }
}

fn cells<'a>(schema: &'a Schema, array: &'a ArrayRef, form: Form) -> Result<Cells<'a>, FormatError> {
    let wrong = || FormatError::data(format!("A column of {} does not fit its schema.", array.data_type()));
    let column = |schema: &'a Schema, array: &'a ArrayRef| ColumnText::new(schema, array, form).map(Box::new);
    Ok(match (schema.logical(), &schema.kind) {
        (Some(Logical::Date), _) => Cells::Date(numbers::<Date32Type>(array)?),
        (Some(Logical::Time), _) => Cells::Time(numbers::<Time32MillisecondType>(array)?),
        (Some(Logical::Timestamp), _) => Cells::Int64(numbers::<TimestampMillisecondType>(array)?),
        (Some(Logical::Decimal { scale }), _) => {
            let unscaled = array.as_binary_opt().ok_or_else(wrong)?;
            Cells::Decimal { unscaled, scale, format: form.decimals }
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
            let form = form.dialect.map_form(key);
            Cells::Map { form, offsets: map.value_offsets(), keys, values }
        }
        (_, Kind::String) => Cells::String(array.as_string_opt().ok_or_else(wrong)?),
        (_, Kind::Struct(fields)) => {
            let columns = array.as_struct_opt().ok_or_else(wrong)?.columns();
            if form.dialect.is_union(schema) {
                let fields = fields.iter().zip(columns);
                let fields = fields.map(|(field, column)| ColumnText::new(&field.schema, column, form));
                return Ok(Cells::Union(fields.collect::<Result<_, FormatError>>()?));
            }
            let named = fields.iter().zip(columns).enumerate().map(|(at, (field, column))| {
                let mut name = vec![if at == 0 { b'{' } else { b',' }];
                text::append_quoted(&mut name, &field.name);
                name.push(b':');
                Ok((name, ColumnText::new(&field.schema, column, form)?))
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

/// The entries are in the order of Java's `HashMap`.
fn append_map(
    out: &mut Vec<u8>,
    form: MapForm,
    entries: std::ops::Range<usize>,
    keys: &ColumnText<'_>,
    values: &ColumnText<'_>,
) -> Result<(), FormatError> {
    let start = entries.start;
    let [open, before_key, between, after, close] = form.marks();
    out.extend_from_slice(open);
    hash::in_order(
        entries.len(),
        |index| keys.hash(start + index),
        |position, index| {
            if position > 0 {
                out.push(b',');
            }
            out.extend_from_slice(before_key);
            keys.append(out, start + index)?;
            out.extend_from_slice(between);
            values.append(out, start + index)?;
            out.extend_from_slice(after);
            Ok::<(), FormatError>(())
        },
    )?;
    out.extend_from_slice(close);
    Ok(())
}

fn range(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    offsets[row] as usize..offsets[row + 1] as usize
}
