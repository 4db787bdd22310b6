//! Columns of Connect as columns of a table.
//!
//! Fields are found by name; what the table does not have is left out, what the record does not have is null.
//! Numbers are widened; where Java would cut one to fit, the record is refused. Milliseconds become
//! microseconds, decimals get the scale of the column if nothing is lost by it.
//!
//! Source: `RecordConverter`, iceberg-kafka-connect 1.10, for typed records.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType,
    Time64MicrosecondType, TimestampMicrosecondType, TimestampMillisecondType,
};
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, Decimal128Array, ListArray, MapArray, PrimitiveArray, StructArray,
    new_null_array,
};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, FieldRef, Fields, TimeUnit};
use iceberg::spec::{NestedField, NestedFieldRef, PrimitiveType, Type};
use lakeward_api::ConnectError;
use lakeward_api::schema::{Kind, Logical, Schema};
use lakeward_formats::file::parquet::FIELD_ID;

/// The Arrow fields of a table's columns, numbered as in the table.
pub(super) fn arrow_fields(fields: &[NestedFieldRef]) -> Fields {
    fields.iter().map(|field| arrow_field(field, &field.name)).collect()
}

fn arrow_field(field: &NestedField, name: &str) -> FieldRef {
    let metadata = HashMap::from([(FIELD_ID.to_owned(), field.id.to_string())]);
    Arc::new(Field::new(name, arrow_type(&field.field_type), !field.required).with_metadata(metadata))
}

pub(super) fn arrow_type(of: &Type) -> DataType {
    match of {
        Type::List(list) => DataType::List(arrow_field(&list.element_field, "element")),
        Type::Map(map) => {
            let entries = [arrow_field(&map.key_field, "key"), arrow_field(&map.value_field, "value")];
            let entries = DataType::Struct(Fields::from_iter(entries));
            DataType::Map(Arc::new(Field::new("key_value", entries, false)), false)
        }
        Type::Primitive(primitive) => primitive_type(primitive),
        Type::Struct(of) => DataType::Struct(arrow_fields(of.fields())),
    }
}

pub(super) fn primitive_type(of: &PrimitiveType) -> DataType {
    let utc = || Some("UTC".into());
    match of {
        PrimitiveType::Binary => DataType::Binary,
        PrimitiveType::Boolean => DataType::Boolean,
        PrimitiveType::Date => DataType::Date32,
        PrimitiveType::Decimal { precision, scale } => {
            let narrow = |number: &u32| u8::try_from(*number).unwrap_or(u8::MAX);
            DataType::Decimal128(narrow(precision), narrow(scale).cast_signed())
        }
        PrimitiveType::Double => DataType::Float64,
        PrimitiveType::Fixed(size) => DataType::FixedSizeBinary(i32::try_from(*size).unwrap_or(i32::MAX)),
        PrimitiveType::Float => DataType::Float32,
        PrimitiveType::Int => DataType::Int32,
        PrimitiveType::Long => DataType::Int64,
        PrimitiveType::String => DataType::Utf8,
        PrimitiveType::Time => DataType::Time64(TimeUnit::Microsecond),
        PrimitiveType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        PrimitiveType::TimestampNs => DataType::Timestamp(TimeUnit::Nanosecond, None),
        PrimitiveType::Timestamptz => DataType::Timestamp(TimeUnit::Microsecond, utc()),
        PrimitiveType::TimestamptzNs => DataType::Timestamp(TimeUnit::Nanosecond, utc()),
        PrimitiveType::Uuid => DataType::FixedSizeBinary(16),
    }
}

/// How names are compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    /// Whatever their case.
    pub(super) ignore_case: bool,
}

impl Names {
    pub(super) fn are_equal(self, one: &str, other: &str) -> bool {
        if self.ignore_case { one.to_lowercase() == other.to_lowercase() } else { one == other }
    }
}

/// The columns `fields` of the records `record`; where one is null, so are its columns.
///
/// # Errors
/// Class `Record`.
pub(super) fn of_records(
    fields: &[NestedFieldRef],
    schema: &Schema,
    record: &StructArray,
    names: Names,
) -> Result<Vec<ArrayRef>, ConnectError> {
    let nulls = record.nulls();
    let is_void = record.null_count() == record.len();
    let column = |field: &NestedFieldRef| {
        let found = schema.fields().iter().position(|from| names.are_equal(&from.name, &field.name));
        match found {
            Some(index) => {
                of_column(field, &schema.fields()[index].schema, record.column(index), nulls, names)
            }
            None if field.required && !is_void => Err(missing(field)),
            None => Ok(new_null_array(&arrow_type(&field.field_type), record.len())),
        }
    };
    fields.iter().map(column).collect()
}

/// A column that must hold a value in each record.
pub(super) fn missing(field: &NestedField) -> ConnectError {
    ConnectError::data(format!(
        "The column {} of the table is required, and the record has no value",
        field.name
    ))
}

/// A value that the column cannot take.
pub(super) fn unfit(field: &NestedField, what: &str) -> ConnectError {
    ConnectError::data(format!(
        "Cannot convert {what} to the type {} of the column {}",
        field.field_type, field.name
    ))
}

fn of_column(
    field: &NestedField,
    schema: &Schema,
    array: &ArrayRef,
    within: Option<&NullBuffer>,
    names: Names,
) -> Result<ArrayRef, ConnectError> {
    let has_value = |row: usize| within.is_none_or(|nulls| nulls.is_valid(row));
    if field.required && (0..array.len()).any(|row| array.is_null(row) && has_value(row)) {
        return Err(missing(field));
    }
    let name = kind_name(schema);
    match (&*field.field_type, &schema.kind) {
        (Type::Struct(of), Kind::Struct(_)) => {
            let record = array.as_struct();
            let columns = of_records(of.fields(), schema, record, names)?;
            let (fields, nulls) = (arrow_fields(of.fields()), record.nulls().cloned());
            let made = StructArray::try_new_with_length(fields, columns, nulls, record.len());
            made.map(|made| Arc::new(made) as ArrayRef).map_err(broken)
        }
        (Type::List(of), Kind::Array(item)) => {
            let list = array.as_list::<i32>();
            let items = of_column(&of.element_field, item, list.values(), None, names)?;
            let DataType::List(element) = arrow_type(&field.field_type) else { unreachable!("a list") };
            let made = ListArray::try_new(element, list.offsets().clone(), items, list.nulls().cloned());
            made.map(|made| Arc::new(made) as ArrayRef).map_err(broken)
        }
        (Type::Map(of), Kind::Map { key, value }) => {
            let map = array.as_map();
            let keys = of_column(&of.key_field, key, map.keys(), None, names)?;
            let values = of_column(&of.value_field, value, map.values(), None, names)?;
            map_of(&field.field_type, keys, values, map)
        }
        (Type::Primitive(to), _) => primitive(to, schema, array).unwrap_or_else(|| Err(unfit(field, name))),
        _ => Err(unfit(field, name)),
    }
}

fn map_of(of: &Type, keys: ArrayRef, values: ArrayRef, like: &MapArray) -> Result<ArrayRef, ConnectError> {
    let DataType::Map(field, _) = arrow_type(of) else { unreachable!("a map") };
    let DataType::Struct(fields) = field.data_type() else { unreachable!("entries are structs") };
    let entries = StructArray::try_new(fields.clone(), vec![keys, values], None).map_err(broken)?;
    let made = MapArray::try_new(field, like.offsets().clone(), entries, like.nulls().cloned(), false);
    made.map(|made| Arc::new(made) as ArrayRef).map_err(broken)
}

/// `None` when values of `schema` are never of the type `to`.
fn primitive(
    to: &PrimitiveType,
    schema: &Schema,
    array: &ArrayRef,
) -> Option<Result<ArrayRef, ConnectError>> {
    let target = primitive_type(to);
    if *array.data_type() == target && !matches!(schema.logical(), Some(Logical::Decimal { .. })) {
        return Some(Ok(Arc::clone(array)));
    }
    match (to, schema.logical()) {
        (PrimitiveType::Decimal { precision, scale }, Some(Logical::Decimal { scale: from })) => {
            Some(decimals(array, from, *precision, *scale))
        }
        (PrimitiveType::Time, Some(Logical::Time)) => {
            let times = array.as_primitive::<Time32MillisecondType>();
            Some(Ok(Arc::new(times.unary::<_, Time64MicrosecondType>(|ms| i64::from(ms) * 1000))))
        }
        (PrimitiveType::Timestamp | PrimitiveType::Timestamptz, _) => {
            let zone = matches!(to, PrimitiveType::Timestamptz).then_some("UTC");
            let ms = match array.data_type() {
                DataType::Timestamp(TimeUnit::Millisecond, _) => {
                    array.as_primitive::<TimestampMillisecondType>().reinterpret_cast::<Int64Type>()
                }
                DataType::Int64 => array.as_primitive::<Int64Type>().clone(),
                _ => return None,
            };
            let late = || ConnectError::data("A timestamp is out of the range of microseconds");
            let micros =
                ms.try_unary::<_, TimestampMicrosecondType, _>(|ms| ms.checked_mul(1000).ok_or_else(late));
            Some(micros.map(|micros| Arc::new(micros.with_timezone_opt(zone)) as ArrayRef))
        }
        (_, None) => numeric(to, array),
        _ => None,
    }
}

fn numeric(to: &PrimitiveType, array: &ArrayRef) -> Option<Result<ArrayRef, ConnectError>> {
    let wide: PrimitiveArray<Int64Type> = match array.data_type() {
        DataType::Int8 => array.as_primitive::<Int8Type>().unary(i64::from),
        DataType::Int16 => array.as_primitive::<Int16Type>().unary(i64::from),
        DataType::Int32 => array.as_primitive::<Int32Type>().unary(i64::from),
        DataType::Int64 => array.as_primitive::<Int64Type>().clone(),
        DataType::Float32 if *to == PrimitiveType::Double => {
            let doubles = array.as_primitive::<Float32Type>().unary::<_, Float64Type>(f64::from);
            return Some(Ok(Arc::new(doubles)));
        }
        _ => return None,
    };
    #[expect(clippy::cast_precision_loss, reason = "as Java converts numbers")]
    match to {
        PrimitiveType::Date | PrimitiveType::Int => {
            let narrow = wide.try_unary::<_, Int32Type, _>(|number| {
                i32::try_from(number).map_err(|_| ConnectError::data("A number is too large for the column"))
            });
            Some(narrow.map(|narrow| retyped(narrow, primitive_type(to))))
        }
        PrimitiveType::Double => Some(Ok(Arc::new(wide.unary::<_, Float64Type>(|number| number as f64)))),
        PrimitiveType::Float => Some(Ok(Arc::new(wide.unary::<_, Float32Type>(|number| number as f32)))),
        PrimitiveType::Long => Some(Ok(Arc::new(wide))),
        _ => None,
    }
}

/// The same bits under another type of the same width.
pub(super) fn retyped<T: ArrowPrimitiveType>(array: PrimitiveArray<T>, to: DataType) -> ArrayRef {
    let data = array.into_data().into_builder().data_type(to);
    arrow_array::make_array(data.build().expect("types of one width share their buffers"))
}

fn decimals(array: &ArrayRef, from: i32, precision: u32, scale: u32) -> Result<ArrayRef, ConnectError> {
    let values = array
        .as_binary::<i32>()
        .iter()
        .map(|bytes| bytes.map(|bytes| rescaled(bytes, from, scale.cast_signed(), precision)).transpose());
    let numbers = values.collect::<Result<Decimal128Array, _>>()?;
    let narrow = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
    let typed = numbers.with_precision_and_scale(narrow(precision), narrow(scale).cast_signed());
    typed.map(|typed| Arc::new(typed) as ArrayRef).map_err(broken)
}

/// An unscaled big-endian number of scale `from` in the scale `to`.
pub(super) fn rescaled(bytes: &[u8], from: i32, to: i32, precision: u32) -> Result<i128, ConnectError> {
    let unfit =
        || ConnectError::data(format!("A decimal does not fit decimal({precision}, {to}) of the column"));
    let sign = if bytes.first().is_some_and(|first| *first >= 0x80) { 0xff } else { 0 };
    let surplus = bytes.len().saturating_sub(16);
    if bytes[..surplus].iter().any(|byte| *byte != sign) {
        return Err(unfit());
    }
    let mut wide = [sign; 16];
    wide[16 - (bytes.len() - surplus)..].copy_from_slice(&bytes[surplus..]);
    let mut number = i128::from_be_bytes(wide);
    if surplus > 0 && (number < 0) != (sign == 0xff) {
        return Err(unfit());
    }
    let power = 10_i128.checked_pow(from.abs_diff(to)).ok_or_else(unfit)?;
    if to >= from {
        number = number.checked_mul(power).ok_or_else(unfit)?;
    } else if number % power == 0 {
        number /= power;
    } else {
        return Err(unfit());
    }
    let limit = 10_u128.checked_pow(precision).ok_or_else(unfit)?;
    if number.unsigned_abs() < limit { Ok(number) } else { Err(unfit()) }
}

fn kind_name(schema: &Schema) -> &str {
    match schema.name.as_deref() {
        Some(name) => name,
        None => schema.kind.name(),
    }
}

pub(super) fn broken(err: arrow_schema::ArrowError) -> ConnectError {
    ConnectError::fatal("Columns could not be made").with_source(err)
}
