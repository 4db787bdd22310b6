//! Schemaless values as columns of a table, one value at a time.
//!
//! Texts are parsed where a column holds numbers or times, as Java does; numbers, booleans, lists and maps
//! have a text form where a column holds texts.
//!
//! Source: `RecordConverter`, iceberg-kafka-connect 1.10, for maps.

use std::sync::Arc;

use arrow_array::builder::FixedSizeBinaryBuilder;
use arrow_array::types::{ArrowPrimitiveType, Float32Type, Float64Type, Int32Type, Int64Type};
use arrow_array::{
    Array as _, ArrayRef, BinaryArray, BooleanArray, Decimal128Array, ListArray, MapArray, PrimitiveArray,
    StringArray, StructArray,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::DataType;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Timelike as _};
use iceberg::spec::{ListType, MapType, NestedField, NestedFieldRef, PrimitiveType, StructType, Type};
use lakeward_api::ConnectError;
use lakeward_api::decimal::Decimal;
use lakeward_api::java_text::{f32_text, f64_text};
use lakeward_api::value::Value;

use super::columns::{
    Names, arrow_fields, arrow_type, broken, missing, primitive_type, rescaled, retyped, unfit,
};

/// The columns `fields` of `records`; where one is null, so are its columns.
///
/// # Errors
/// Class `Record`.
pub(super) fn of_records(
    fields: &[NestedFieldRef],
    records: &[&Value],
    names: Names,
) -> Result<Vec<ArrayRef>, ConnectError> {
    let column = |field: &NestedFieldRef| {
        let cells: Vec<&Value> = records.iter().map(|record| member(record, &field.name, names)).collect();
        let is_missing = |(cell, record): (&&Value, &&Value)| cell.is_null() && !record.is_null();
        if field.required && cells.iter().zip(records).any(is_missing) {
            return Err(missing(field));
        }
        of_column(field, &cells, names)
    };
    fields.iter().map(column).collect()
}

fn member<'a>(record: &'a Value, name: &str, names: Names) -> &'a Value {
    let Value::Map(entries) = record else { return &Value::Null };
    let is_it = |key: &Value| key.as_str().is_some_and(|key| names.are_equal(key, name));
    entries.iter().find(|(key, _)| is_it(key)).map_or(&Value::Null, |(_, value)| value)
}

fn of_column(field: &NestedField, cells: &[&Value], names: Names) -> Result<ArrayRef, ConnectError> {
    let refused = |cell: &Value| unfit(field, cell.java_class());
    match &*field.field_type {
        Type::Struct(of) => structs(of, cells, names, refused),
        Type::List(of) => lists(&field.field_type, of, cells, names, refused),
        Type::Map(of) => maps(&field.field_type, of, cells, names, refused),
        Type::Primitive(to) => primitives(to, cells, refused),
    }
}

fn nulls(cells: &[&Value]) -> Option<NullBuffer> {
    Some(cells.iter().map(|cell| !cell.is_null()).collect())
}

fn structs(
    of: &StructType,
    cells: &[&Value],
    names: Names,
    refused: impl Fn(&Value) -> ConnectError,
) -> Result<ArrayRef, ConnectError> {
    if let Some(other) = cells.iter().find(|cell| !matches!(cell, Value::Map(_) | Value::Null)) {
        return Err(refused(other));
    }
    let columns = of_records(of.fields(), cells, names)?;
    let fields = arrow_fields(of.fields());
    let made = StructArray::try_new_with_length(fields, columns, nulls(cells), cells.len());
    made.map(|made| Arc::new(made) as ArrayRef).map_err(broken)
}

fn lists(
    of: &Type,
    list: &ListType,
    cells: &[&Value],
    names: Names,
    refused: impl Fn(&Value) -> ConnectError,
) -> Result<ArrayRef, ConnectError> {
    let mut items: Vec<&Value> = Vec::new();
    let mut lengths = Vec::with_capacity(cells.len());
    for cell in cells {
        let before = items.len();
        match cell {
            Value::Array(some) => items.extend(some),
            Value::Null => {}
            other => return Err(refused(other)),
        }
        lengths.push(items.len() - before);
    }
    if list.element_field.required && items.iter().any(|item| item.is_null()) {
        return Err(missing(&list.element_field));
    }
    let values = of_column(&list.element_field, &items, names)?;
    let DataType::List(element) = arrow_type(of) else { unreachable!("a list") };
    let offsets = OffsetBuffer::from_lengths(lengths);
    let made = ListArray::try_new(element, offsets, values, nulls(cells));
    made.map(|made| Arc::new(made) as ArrayRef).map_err(broken)
}

fn maps(
    of: &Type,
    map: &MapType,
    cells: &[&Value],
    names: Names,
    refused: impl Fn(&Value) -> ConnectError,
) -> Result<ArrayRef, ConnectError> {
    let (mut keys, mut values): (Vec<&Value>, Vec<&Value>) = (Vec::new(), Vec::new());
    let mut lengths = Vec::with_capacity(cells.len());
    for cell in cells {
        match cell {
            Value::Map(entries) => {
                keys.extend(entries.iter().map(|(key, _)| key));
                values.extend(entries.iter().map(|(_, value)| value));
                lengths.push(entries.len());
            }
            Value::Null => lengths.push(0),
            other => return Err(refused(other)),
        }
    }
    if map.value_field.required && values.iter().any(|value| value.is_null()) {
        return Err(missing(&map.value_field));
    }
    let columns =
        vec![of_column(&map.key_field, &keys, names)?, of_column(&map.value_field, &values, names)?];
    let DataType::Map(field, _) = arrow_type(of) else { unreachable!("a map") };
    let DataType::Struct(fields) = field.data_type() else { unreachable!("entries are structs") };
    let entries = StructArray::try_new(fields.clone(), columns, None).map_err(broken)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    let made = MapArray::try_new(Arc::clone(&field), offsets, entries, nulls(cells), false);
    made.map(|made| Arc::new(made) as ArrayRef).map_err(broken)
}

fn primitives(
    to: &PrimitiveType,
    cells: &[&Value],
    refused: impl Fn(&Value) -> ConnectError,
) -> Result<ArrayRef, ConnectError> {
    let target = primitive_type(to);
    Ok(match to {
        PrimitiveType::Boolean => {
            Arc::new(each(cells, boolean, refused)?.into_iter().collect::<BooleanArray>())
        }
        PrimitiveType::Int => numbers::<Int32Type>(cells, |cell| narrow(whole(cell)?), target, refused)?,
        PrimitiveType::Date => numbers::<Int32Type>(cells, date, target, refused)?,
        PrimitiveType::Long => numbers::<Int64Type>(cells, whole, target, refused)?,
        PrimitiveType::Time => numbers::<Int64Type>(cells, time, target, refused)?,
        PrimitiveType::Timestamp | PrimitiveType::Timestamptz => {
            numbers::<Int64Type>(cells, micros, target, refused)?
        }
        #[expect(clippy::cast_possible_truncation, reason = "as Java converts numbers")]
        PrimitiveType::Float => {
            numbers::<Float32Type>(cells, |cell| Some(double(cell)? as f32), target, refused)?
        }
        PrimitiveType::Double => numbers::<Float64Type>(cells, double, target, refused)?,
        PrimitiveType::Decimal { precision, scale } => {
            let made = each(cells, |cell| decimal(cell, *precision, scale.cast_signed()), refused)?;
            let typed =
                made.into_iter().collect::<Decimal128Array>().into_data().into_builder().data_type(target);
            arrow_array::make_array(typed.build().map_err(broken)?)
        }
        PrimitiveType::String => Arc::new(each(cells, text, refused)?.into_iter().collect::<StringArray>()),
        PrimitiveType::Binary => {
            let made = each(cells, bytes, refused)?;
            Arc::new(made.iter().map(|cell| cell.as_deref()).collect::<BinaryArray>())
        }
        PrimitiveType::Uuid => fixed(
            cells,
            16,
            |cell| Some(cell.as_str()?.parse::<uuid::Uuid>().ok()?.into_bytes().to_vec()),
            refused,
        )?,
        PrimitiveType::Fixed(size) => {
            let size = i32::try_from(*size).unwrap_or(i32::MAX);
            fixed(
                cells,
                size,
                |cell| bytes(cell).filter(|bytes| i32::try_from(bytes.len()) == Ok(size)),
                refused,
            )?
        }
        PrimitiveType::TimestampNs | PrimitiveType::TimestamptzNs => {
            numbers::<Int64Type>(cells, |cell| micros(cell)?.checked_mul(1000), target, refused)?
        }
    })
}

/// Each cell converted; nulls stay.
fn each<T>(
    cells: &[&Value],
    convert: impl Fn(&Value) -> Option<T>,
    refused: impl Fn(&Value) -> ConnectError,
) -> Result<Vec<Option<T>>, ConnectError> {
    let one = |cell: &&Value| match cell {
        Value::Null => Ok(None),
        cell => convert(cell).map(Some).ok_or_else(|| refused(cell)),
    };
    cells.iter().map(one).collect()
}

fn numbers<T: ArrowPrimitiveType>(
    cells: &[&Value],
    convert: impl Fn(&Value) -> Option<T::Native>,
    target: DataType,
    refused: impl Fn(&Value) -> ConnectError,
) -> Result<ArrayRef, ConnectError> {
    let made: PrimitiveArray<T> = each(cells, convert, refused)?.into_iter().collect();
    Ok(retyped(made, target))
}

fn fixed(
    cells: &[&Value],
    size: i32,
    convert: impl Fn(&Value) -> Option<Vec<u8>>,
    refused: impl Fn(&Value) -> ConnectError,
) -> Result<ArrayRef, ConnectError> {
    let mut builder = FixedSizeBinaryBuilder::with_capacity(cells.len(), size);
    for cell in each(cells, convert, refused)? {
        match cell {
            Some(bytes) => builder.append_value(bytes).map_err(broken)?,
            None => builder.append_null(),
        }
    }
    Ok(Arc::new(builder.finish()))
}

fn boolean(cell: &Value) -> Option<bool> {
    match cell {
        Value::Boolean(is) => Some(*is),
        Value::String(text) => Some(text.eq_ignore_ascii_case("true")),
        _ => None,
    }
}

fn whole(cell: &Value) -> Option<i64> {
    match cell {
        Value::Int8(number) => Some(i64::from(*number)),
        Value::Int16(number) => Some(i64::from(*number)),
        Value::Int32(number) => Some(i64::from(*number)),
        Value::Int64(number) => Some(*number),
        Value::String(text) => text.parse().ok(),
        // Whole numbers up to 2^53 have one form as a double.
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and small")]
        Value::Float32(_) | Value::Float64(_) => double(cell)
            .filter(|number| number.fract() == 0.0 && number.abs() < 9e15)
            .map(|number| number as i64),
        _ => None,
    }
}

fn narrow(number: i64) -> Option<i32> {
    i32::try_from(number).ok()
}

fn double(cell: &Value) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "as Java converts numbers")]
    match cell {
        Value::Float32(number) => Some(f64::from(*number)),
        Value::Float64(number) => Some(*number),
        Value::Int64(number) => Some(*number as f64),
        Value::Int8(_) | Value::Int16(_) | Value::Int32(_) => whole(cell).map(|number| number as f64),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn decimal(cell: &Value, precision: u32, scale: i32) -> Option<i128> {
    let parsed = match cell {
        Value::Decimal(decimal) => Some(decimal.clone()),
        other => Decimal::parse(&text(other)?),
    }?;
    rescaled(&parsed.unscaled, parsed.scale, scale, precision).ok()
}

fn text(cell: &Value) -> Option<String> {
    match cell {
        Value::String(text) => Some(text.to_string()),
        Value::Boolean(is) => Some(is.to_string()),
        Value::Int8(_) | Value::Int16(_) | Value::Int32(_) | Value::Int64(_) => {
            Some(whole(cell)?.to_string())
        }
        Value::Decimal(decimal) => Some(decimal.to_java_text()),
        Value::Float32(number) => Some(f32_text(*number)),
        Value::Float64(number) => Some(f64_text(*number)),
        _ => None,
    }
}

fn bytes(cell: &Value) -> Option<Vec<u8>> {
    use base64::Engine as _;
    match cell {
        Value::Bytes(bytes) => Some(bytes.to_vec()),
        Value::String(text) => base64::prelude::BASE64_STANDARD.decode(text.as_bytes()).ok(),
        _ => None,
    }
}

fn date(cell: &Value) -> Option<i32> {
    const DAY_MS: i64 = 86_400_000;
    match cell {
        Value::Date(ms) => narrow(ms.div_euclid(DAY_MS)),
        Value::String(text) => {
            let days = text.parse::<NaiveDate>().ok()?.signed_duration_since(NaiveDate::default()).num_days();
            narrow(days)
        }
        other => narrow(whole(other)?),
    }
}

fn time(cell: &Value) -> Option<i64> {
    match cell {
        Value::Date(ms) => ms.checked_mul(1000),
        Value::String(text) => {
            let time = text.parse::<NaiveTime>().ok()?;
            let seconds = i64::from(time.num_seconds_from_midnight());
            Some(seconds * 1_000_000 + i64::from(time.nanosecond() / 1000))
        }
        other => whole(other)?.checked_mul(1000),
    }
}

fn micros(cell: &Value) -> Option<i64> {
    match cell {
        Value::Date(ms) => ms.checked_mul(1000),
        Value::String(text) => {
            let text = text.replacen(' ', "T", 1);
            let zoned = DateTime::parse_from_rfc3339(&text).map(|time| time.timestamp_micros());
            let plain = || text.parse::<NaiveDateTime>().map(|time| time.and_utc().timestamp_micros());
            zoned.or_else(|_| plain()).ok()
        }
        other => whole(other)?.checked_mul(1000),
    }
}
