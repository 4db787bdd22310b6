//! Columns and dynamic values to payloads. Source: `NumberConverter#fromConnectData`,
//! `BooleanConverter#fromConnectData`, Kafka 4.1.
//!
//! Numbers are checked by their value only: a null is null whatever its schema, and an INT32 is fine under
//! every schema. Booleans check the schema first.

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, BinaryArray};
use arrow_buffer::OffsetBuffer;
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::converter::Encoded;
use lakeward_api::schema::Schema;
use lakeward_api::shaped;
use lakeward_api::value::Value;

use super::Primitive;

/// The ends of payloads that all have the same size: those of the largest batch so far, as all begin alike.
#[derive(Debug)]
pub(super) struct Ends(OffsetBuffer<i32>);

impl Ends {
    pub(super) fn new() -> Self {
        Self(OffsetBuffer::new_empty())
    }

    fn of(&mut self, size: usize, rows: usize) -> OffsetBuffer<i32> {
        if self.0.len() <= rows {
            self.0 = OffsetBuffer::from_repeated_length(size, rows);
        }
        self.0.slice(0, rows)
    }
}

pub(super) fn encode(primitive: Primitive, ends: &mut Ends, values: &Values) -> Encoded {
    if let Some(column) = regular(primitive, ends, values) {
        return Encoded::of_column(column);
    }
    let mut encoded = Encoded::with_capacity(values.rows(), 8);
    match values {
        Values::Null { rows } => (0..*rows).for_each(|_| encoded.push_null()),
        Values::Dynamic(values) => {
            values.iter().for_each(|value| push_value(&mut encoded, primitive, value));
        }
        Values::Shaped(array) => return encode(primitive, ends, &Values::Dynamic(shaped::values(array))),
        Values::Typed { schema, array } => push_column(&mut encoded, primitive, schema, array),
    }
    encoded
}

/// The payloads of numbers without nulls: one pass over their column. `None` for everything else.
fn regular(primitive: Primitive, ends: &mut Ends, values: &Values) -> Option<BinaryArray> {
    let Values::Typed { schema, array } = values else { return None };
    if schema.kind != primitive.kind() || schema.logical().is_some() || array.null_count() > 0 {
        return None;
    }
    let data = match primitive {
        Primitive::Boolean => flags(array),
        Primitive::Double => swapped::<Float64Type, 8>(array, double),
        Primitive::Float => swapped::<Float32Type, 4>(array, f32::to_be_bytes),
        Primitive::Integer => swapped::<Int32Type, 4>(array, i32::to_be_bytes),
        Primitive::Long => swapped::<Int64Type, 8>(array, i64::to_be_bytes),
        Primitive::Short => swapped::<Int16Type, 2>(array, i16::to_be_bytes),
    };
    let ends = ends.of(primitive.bytes(), array.len());
    Some(BinaryArray::new(ends, data.into(), None))
}

fn swapped<T: ArrowPrimitiveType, const SIZE: usize>(
    array: &ArrayRef,
    bytes: fn(T::Native) -> [u8; SIZE],
) -> Vec<u8> {
    let numbers = array.as_primitive::<T>();
    let data: Vec<[u8; SIZE]> = numbers.values().iter().map(|number| bytes(*number)).collect();
    data.into_flattened()
}

fn flags(array: &ArrayRef) -> Vec<u8> {
    /// One byte for each bit of a byte.
    static SPREAD: [[u8; 8]; 256] = spread();
    let flags = array.as_boolean().values();
    let mut data: Vec<[u8; 8]> = Vec::with_capacity(flags.len() / 8 + 8);
    let chunks = flags.bit_chunks();
    for chunk in chunks.iter_padded() {
        data.extend(chunk.to_le_bytes().map(|bits| SPREAD[usize::from(bits)]));
    }
    let mut data = data.into_flattened();
    data.truncate(flags.len());
    data
}

const fn spread() -> [[u8; 8]; 256] {
    let mut all = [[0; 8]; 256];
    let mut at = 0;
    while at < 256 * 8 {
        all[at / 8][at % 8] = ((at / 8) >> (at % 8) & 1) as u8;
        at += 1;
    }
    all
}

fn push_value(encoded: &mut Encoded, primitive: Primitive, value: &Value) {
    match (primitive, value) {
        (_, Value::Null) => encoded.push_null(),
        (Primitive::Boolean, Value::Boolean(flag)) => push(encoded, &[u8::from(*flag)]),
        (Primitive::Double, Value::Float64(number)) => push(encoded, &double(*number)),
        (Primitive::Float, Value::Float32(number)) => push(encoded, &number.to_be_bytes()),
        (Primitive::Integer, Value::Int32(number)) => push(encoded, &number.to_be_bytes()),
        (Primitive::Long, Value::Int64(number)) => push(encoded, &number.to_be_bytes()),
        (Primitive::Short, Value::Int16(number)) => push(encoded, &number.to_be_bytes()),
        (_, other) => encoded.push(|_| Err(wrong_class(primitive, other.java_class()))),
    }
}

fn push_column(encoded: &mut Encoded, primitive: Primitive, schema: &Schema, array: &ArrayRef) {
    if primitive == Primitive::Boolean && schema.kind != primitive.kind() {
        let kind = schema.kind.name();
        for _ in 0..array.len() {
            let message = format!("Invalid schema type for BooleanConverter: {kind}");
            encoded.push(|_| Err(ConnectError::data(message)));
        }
        return;
    }
    if schema.kind != primitive.kind() || schema.logical().is_some() {
        for row in 0..array.len() {
            if array.is_null(row) {
                encoded.push_null();
            } else {
                encoded.push(|_| Err(wrong_class(primitive, schema.java_class())));
            }
        }
        return;
    }
    match primitive {
        Primitive::Boolean => {
            for flag in array.as_boolean() {
                match flag {
                    Some(flag) => push(encoded, &[u8::from(flag)]),
                    None => encoded.push_null(),
                }
            }
        }
        Primitive::Double => push_numbers::<Float64Type, 8>(encoded, array, double),
        Primitive::Float => push_numbers::<Float32Type, 4>(encoded, array, f32::to_be_bytes),
        Primitive::Integer => push_numbers::<Int32Type, 4>(encoded, array, i32::to_be_bytes),
        Primitive::Long => push_numbers::<Int64Type, 8>(encoded, array, i64::to_be_bytes),
        Primitive::Short => push_numbers::<Int16Type, 2>(encoded, array, i16::to_be_bytes),
    }
}

fn push_numbers<T: ArrowPrimitiveType, const SIZE: usize>(
    encoded: &mut Encoded,
    array: &ArrayRef,
    bytes: fn(T::Native) -> [u8; SIZE],
) {
    let numbers = array.as_primitive::<T>();
    match numbers.nulls() {
        None => numbers.values().iter().for_each(|number| push(encoded, &bytes(*number))),
        Some(nulls) => {
            for (number, valid) in numbers.values().iter().zip(nulls) {
                if valid { push(encoded, &bytes(*number)) } else { encoded.push_null() }
            }
        }
    }
}

/// All NaNs are one in Java's doubles; floats keep their bits.
fn double(number: f64) -> [u8; 8] {
    let is_nan = number.is_nan();
    if is_nan { 0x7ff8_0000_0000_0000_u64.to_be_bytes() } else { number.to_be_bytes() }
}

#[inline]
fn push(encoded: &mut Encoded, bytes: &[u8]) {
    encoded.push(|out| {
        out.extend_from_slice(bytes);
        Ok(())
    });
}

fn wrong_class(primitive: Primitive, class: &str) -> ConnectError {
    ConnectError::data(match primitive {
        Primitive::Boolean => {
            format!("BooleanConverter is not compatible with objects of type class {class}")
        }
        _ => format!("Failed to serialize to {} (was class {class}): ", primitive.word()),
    })
}
