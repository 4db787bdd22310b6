//! Casts of whole columns.
//!
//! Source: `Cast#castValueToType`, Kafka 4.1.

use std::sync::{Arc, LazyLock};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType,
    TimestampMillisecondType,
};
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, PrimitiveArray, StringArray,
};
use arrow_buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use arrow_schema::DataType;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lakeward_api::ConnectError;
use lakeward_api::java_text::{NUMBER_BYTES, write_f32, write_f64, write_i64};
use lakeward_api::rows::DAY_MS;
use lakeward_api::schema::{Kind, Logical, Schema};

use crate::cast_number::{parse_double, parse_float, parse_integer};
use crate::null_rows::Failures;
use crate::shape_fields::sample;
use crate::simple_date_format::SimpleDateFormat;
use crate::{cast_decimal, cast_value};

/// Types that values can be cast to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Boolean,
    Float32,
    Float64,
    Int16,
    Int32,
    Int64,
    Int8,
    String,
}

impl Target {
    /// The Connect type.
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Boolean => Kind::Boolean,
            Self::Float32 => Kind::Float32,
            Self::Float64 => Kind::Float64,
            Self::Int16 => Kind::Int16,
            Self::Int32 => Kind::Int32,
            Self::Int64 => Kind::Int64,
            Self::Int8 => Kind::Int8,
            Self::String => Kind::String,
        }
    }
}

/// Numbers with Java's narrowing: integers wrap, floats saturate on their way to INT32 and INT64.
trait Number: Copy {
    fn to_i32(self) -> i32;
    fn to_i64(self) -> i64;
    fn to_f32(self) -> f32;
    fn to_f64(self) -> f64;
    fn append(self, out: &mut Vec<u8>);
}

macro_rules! number {
    ($write:expr, $($number:ty),*) => {$(
        impl Number for $number {
            fn to_i32(self) -> i32 {
                self as i32
            }
            fn to_i64(self) -> i64 {
                self as i64
            }
            fn to_f32(self) -> f32 {
                self as f32
            }
            fn to_f64(self) -> f64 {
                self as f64
            }
            fn append(self, out: &mut Vec<u8>) {
                let mut text = [0; NUMBER_BYTES];
                let end = out.len() + $write(&mut text, self.into());
                // A copy of fixed length is a few stores.
                out.extend_from_slice(&text);
                out.truncate(end);
            }
        }
    )*};
}
number!(write_i64, i8, i16, i32, i64);
number!(write_f32, f32);
number!(write_f64, f64);

/// `array`, a column of `schema`, as a column of the target's plain type. Null stays null; rows that cannot
/// be cast are added to `failures` and hold any value.
///
/// # Errors
/// `Fatal` when the column exceeds Arrow's limits.
pub(crate) fn cast(
    schema: &Schema,
    array: &ArrayRef,
    target: Target,
    failures: &mut Failures,
) -> Result<ArrayRef, ConnectError> {
    match (schema.logical(), &schema.kind) {
        (Some(Logical::Decimal { scale }), _) => decimals(array.as_binary(), scale, target),
        (Some(Logical::Date), _) => {
            let days = array.as_primitive::<Date32Type>();
            if target == Target::String {
                return dates(days, |day| i64::from(day) * DAY_MS);
            }
            numbers(&same_bits::<_, Int32Type>(days), target)
        }
        (Some(Logical::Time), _) => {
            let times = array.as_primitive::<Time32MillisecondType>();
            if target == Target::String {
                return dates(times, i64::from);
            }
            numbers(&same_bits::<_, Int32Type>(times), target)
        }
        (Some(Logical::Timestamp), _) => {
            let instants = array.as_primitive::<TimestampMillisecondType>();
            if target == Target::String {
                return dates(instants, |ms| ms);
            }
            numbers(&same_bits::<_, Int64Type>(instants), target)
        }
        (None, Kind::Array(_) | Kind::Map { .. } | Kind::Recursive(_) | Kind::Struct(_)) => {
            failures.add_valid(array, || cast_value::unsupported(schema.kind.name()));
            Ok(any_value(array, target))
        }
        (None, _) => plain(array, target, failures),
    }
}

/// As [`cast`], of a shaped column. What has no type stays as it is.
pub(crate) fn cast_shaped(
    array: &ArrayRef,
    target: Target,
    failures: &mut Failures,
) -> Result<ArrayRef, ConnectError> {
    match array.data_type() {
        DataType::Null => Ok(Arc::clone(array)),
        shape @ (DataType::List(_) | DataType::Struct(_) | DataType::Timestamp(..)) => {
            let value = sample(shape);
            failures.add_valid(array, || cast_value::uncastable(&value));
            Ok(any_value(array, target))
        }
        _ => plain(array, target, failures),
    }
}

fn plain(array: &ArrayRef, target: Target, failures: &mut Failures) -> Result<ArrayRef, ConnectError> {
    match array.data_type() {
        DataType::Boolean => booleans(array.as_boolean(), target),
        DataType::Float32 => numbers(array.as_primitive::<Float32Type>(), target),
        DataType::Float64 => numbers(array.as_primitive::<Float64Type>(), target),
        DataType::Int16 => numbers(array.as_primitive::<Int16Type>(), target),
        DataType::Int32 => numbers(array.as_primitive::<Int32Type>(), target),
        DataType::Int64 => numbers(array.as_primitive::<Int64Type>(), target),
        DataType::Int8 => numbers(array.as_primitive::<Int8Type>(), target),
        DataType::Utf8 => texts(array, target, failures),
        DataType::Binary => bytes(array.as_binary(), target, failures),
        other => unreachable!("a column of plain values is no {other}"),
    }
}

fn same_bits<A, B>(array: &PrimitiveArray<A>) -> PrimitiveArray<B>
where
    A: ArrowPrimitiveType,
    B: ArrowPrimitiveType<Native = A::Native>,
{
    PrimitiveArray::new(array.values().clone(), array.nulls().cloned())
}

/// A column of plain INT32 or INT64 under the logical type that `schema`'s name says, if it does.
pub(crate) fn under_name(schema: &Schema, array: ArrayRef) -> ArrayRef {
    match schema.logical() {
        Some(Logical::Date) => Arc::new(same_bits::<_, Date32Type>(array.as_primitive::<Int32Type>())),
        Some(Logical::Time) => {
            Arc::new(same_bits::<_, Time32MillisecondType>(array.as_primitive::<Int32Type>()))
        }
        Some(Logical::Timestamp) => {
            let instants = same_bits::<_, TimestampMillisecondType>(array.as_primitive::<Int64Type>());
            Arc::new(instants.with_timezone("UTC"))
        }
        Some(Logical::Decimal { .. }) | None => array,
    }
}

fn numbers<T>(array: &PrimitiveArray<T>, target: Target) -> Result<ArrayRef, ConnectError>
where
    T: ArrowPrimitiveType<Native: Number>,
{
    Ok(match target {
        Target::Boolean => {
            let values = array.values();
            let cells = BooleanBuffer::collect_bool(values.len(), |row| values[row].to_i64() != 0);
            Arc::new(BooleanArray::new(cells, array.nulls().cloned()))
        }
        Target::Float32 => Arc::new(array.unary::<_, Float32Type>(Number::to_f32)),
        Target::Float64 => Arc::new(array.unary::<_, Float64Type>(Number::to_f64)),
        Target::Int16 => Arc::new(array.unary::<_, Int16Type>(|number| number.to_i32() as i16)),
        Target::Int32 => Arc::new(array.unary::<_, Int32Type>(Number::to_i32)),
        Target::Int64 => Arc::new(array.unary::<_, Int64Type>(Number::to_i64)),
        Target::Int8 => Arc::new(array.unary::<_, Int8Type>(|number| number.to_i32() as i8)),
        Target::String => {
            let values = array.values();
            return text_column(array, 16, |row, out| values[row].append(out));
        }
    })
}

fn booleans(array: &BooleanArray, target: Target) -> Result<ArrayRef, ConnectError> {
    match target {
        Target::Boolean => Ok(Arc::new(array.clone())),
        Target::String => text_column(array, 5, |row, out| {
            out.extend_from_slice(if array.value(row) { b"true" } else { b"false" });
        }),
        _ => {
            let cells: Vec<i8> = array.values().iter().map(i8::from).collect();
            numbers(&PrimitiveArray::<Int8Type>::new(cells.into(), array.nulls().cloned()), target)
        }
    }
}

fn dates<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    ms: impl Fn(T::Native) -> i64,
) -> Result<ArrayRef, ConnectError> {
    let mut writers = DATE_FORMATS.each_ref().map(SimpleDateFormat::writer);
    text_column(array, 24, |row, out| {
        let ms = ms(array.value(row));
        writers[date_format(ms)].append(out, ms);
    })
}

static DATE_FORMATS: LazyLock<[SimpleDateFormat; 3]> = LazyLock::new(|| {
    ["HH:mm:ss.SSS'Z'", "yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"]
        .map(|pattern| SimpleDateFormat::compile(pattern).expect("a valid pattern"))
});

/// Which of the formats a date has: its time of day on the first day and before, else its day, else both.
///
/// Source: `Values#dateFormatFor`.
fn date_format(ms: i64) -> usize {
    match ms {
        _ if ms < DAY_MS => 0,
        _ if ms % DAY_MS == 0 => 1,
        _ => 2,
    }
}

/// Appends the text of a date.
pub(crate) fn append_date(out: &mut Vec<u8>, ms: i64) {
    DATE_FORMATS[date_format(ms)].append(out, ms);
}

fn decimals(array: &BinaryArray, scale: i32, target: Target) -> Result<ArrayRef, ConnectError> {
    match target {
        Target::Float32 => cells::<Float32Type>(array, |row| cast_decimal::to_f32(array.value(row), scale)),
        Target::Float64 => cells::<Float64Type>(array, |row| cast_decimal::to_f64(array.value(row), scale)),
        Target::String => {
            text_column(array, 16, |row, out| cast_decimal::append(out, array.value(row), scale))
        }
        _ => {
            let cell = |row| cast_decimal::to_i64(array.value(row), scale);
            let whole = cells::<Int64Type>(array, cell)?;
            numbers(whole.as_primitive::<Int64Type>(), target)
        }
    }
}

fn texts(array: &ArrayRef, target: Target, failures: &mut Failures) -> Result<ArrayRef, ConnectError> {
    let texts = array.as_string::<i32>();
    let mut failed = |row: usize| {
        failures.add(row, || cast_value::out_of_range(texts.value(row)));
    };
    match target {
        Target::Boolean => {
            let cell = |row| texts.value(row).eq_ignore_ascii_case("true");
            let cells = BooleanBuffer::collect_bool(texts.len(), cell);
            Ok(Arc::new(BooleanArray::new(cells, texts.nulls().cloned())))
        }
        Target::Float32 => cells::<Float32Type>(texts, |row| {
            parse_float(texts.value(row)).unwrap_or_else(|| {
                failed(row);
                0.0
            })
        }),
        Target::Float64 => cells::<Float64Type>(texts, |row| {
            parse_double(texts.value(row)).unwrap_or_else(|| {
                failed(row);
                0.0
            })
        }),
        Target::String => Ok(Arc::clone(array)),
        _ => {
            let (min, max) = match target {
                Target::Int8 => (i64::from(i8::MIN), i64::from(i8::MAX)),
                Target::Int16 => (i64::from(i16::MIN), i64::from(i16::MAX)),
                Target::Int32 => (i64::from(i32::MIN), i64::from(i32::MAX)),
                _ => (i64::MIN, i64::MAX),
            };
            let whole = cells::<Int64Type>(texts, |row| {
                parse_integer(texts.value(row), min, max).unwrap_or_else(|| {
                    failed(row);
                    0
                })
            })?;
            numbers(whole.as_primitive::<Int64Type>(), target)
        }
    }
}

fn bytes(array: &BinaryArray, target: Target, failures: &mut Failures) -> Result<ArrayRef, ConnectError> {
    if target != Target::String {
        failures.add_valid(array, || cast_value::unexpected("[B"));
        return Ok(any_value(array, target));
    }
    text_column(array, 16, |row, out| append_base64(out, array.value(row)))
}

/// Appends the base64 text of `bytes`, padded.
pub(crate) fn append_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    STANDARD.encode_slice(bytes, &mut out[start..]).expect("the space was computed from the same length");
}

/// A column with the nulls of `array`; `cell` is asked for the others.
fn cells<T: ArrowPrimitiveType>(
    array: &dyn Array,
    mut cell: impl FnMut(usize) -> T::Native,
) -> Result<ArrayRef, ConnectError> {
    let cells: Vec<T::Native> = (0..array.len())
        .map(|row| if array.is_null(row) { T::Native::default() } else { cell(row) })
        .collect();
    Ok(Arc::new(PrimitiveArray::<T>::new(cells.into(), array.nulls().cloned())))
}

/// A column of texts with the nulls of `array`; `append` is asked for the others.
pub(crate) fn text_column(
    array: &dyn Array,
    width: usize,
    mut append: impl FnMut(usize, &mut Vec<u8>),
) -> Result<ArrayRef, ConnectError> {
    let mut data = Vec::with_capacity(array.len() * width);
    let mut ends = Vec::with_capacity(array.len() + 1);
    ends.push(0_i32);
    let nulls: Option<NullBuffer> = array.nulls().cloned();
    for row in 0..array.len() {
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            append(row, &mut data);
        }
        let end = i32::try_from(data.len())
            .map_err(|_| ConnectError::fatal("the texts of a batch exceed 2 GiB"))?;
        ends.push(end);
    }
    let column = StringArray::try_new(OffsetBuffer::new(ends.into()), data.into(), nulls)
        .map_err(|err| ConnectError::fatal("a column could not be built").with_source(err))?;
    Ok(Arc::new(column))
}

/// Stands in for rows that failed.
fn any_value(array: &dyn Array, target: Target) -> ArrayRef {
    let zeros = PrimitiveArray::<Int8Type>::new(vec![0; array.len()].into(), array.nulls().cloned());
    numbers(&zeros, target).expect("short texts")
}
