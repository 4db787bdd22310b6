//! Values as bytes: the cells of places where a schema contains itself (see [`crate::recursion`]).
//!
//! A value is a tag and its content: numbers as zigzag varints, floats little-endian, texts and bytes after
//! their length, containers after the number of their members. The form stays inside the process and may
//! change with any version.

use bytes::Bytes;

use crate::ConnectError;
use crate::decimal::Decimal;
use crate::value::Value;

/// Containers in containers that a cell may have; more would exhaust the stack of what walks them.
pub const DEPTH_MAX: usize = 256;

const ARRAY: u8 = 1;
const FALSE: u8 = 2;
const TRUE: u8 = 3;
const BYTES: u8 = 4;
const DATE: u8 = 5;
const DECIMAL: u8 = 6;
const FLOAT32: u8 = 7;
const FLOAT64: u8 = 8;
const INT16: u8 = 9;
const INT32: u8 = 10;
const INT64: u8 = 11;
const INT8: u8 = 12;
const MAP: u8 = 13;
const NULL: u8 = 14;
const STRING: u8 = 15;
const STRUCT: u8 = 16;

/// Appends `value`.
///
/// # Errors
/// `Record` (`DataException`) for more than [`DEPTH_MAX`] containers in containers; `out` is then as before.
pub fn pack(value: &Value, out: &mut Vec<u8>) -> Result<(), ConnectError> {
    let before = out.len();
    let packed = nested(value, out, DEPTH_MAX);
    if packed.is_err() {
        out.truncate(before);
    }
    packed
}

/// Recursion is bounded by `depth_left`.
fn nested(value: &Value, out: &mut Vec<u8>, depth_left: usize) -> Result<(), ConnectError> {
    let deeper = || {
        depth_left.checked_sub(1).ok_or_else(|| {
            ConnectError::data(format!("A recursive value is nested more than {DEPTH_MAX} levels deep"))
        })
    };
    let mut number = |tag: u8, number: i64| {
        out.push(tag);
        push_varint(out, zigzag(number));
    };
    match value {
        Value::Array(items) | Value::Struct(items) => {
            let depth_left = deeper()?;
            out.push(if matches!(value, Value::Array(_)) { ARRAY } else { STRUCT });
            push_varint(out, items.len() as u64);
            return items.iter().try_for_each(|item| nested(item, out, depth_left));
        }
        Value::Map(entries) => {
            let depth_left = deeper()?;
            out.push(MAP);
            push_varint(out, entries.len() as u64);
            for (key, value) in entries {
                nested(key, out, depth_left)?;
                nested(value, out, depth_left)?;
            }
        }
        Value::Boolean(flag) => out.push(if *flag { TRUE } else { FALSE }),
        Value::Bytes(bytes) => push_bytes(out, BYTES, bytes),
        Value::Date(ms) => number(DATE, *ms),
        Value::Decimal(decimal) => {
            number(DECIMAL, decimal.scale.into());
            push_varint(out, decimal.unscaled.len() as u64);
            out.extend_from_slice(&decimal.unscaled);
        }
        Value::Float32(value) => {
            out.push(FLOAT32);
            out.extend_from_slice(&value.to_le_bytes());
        }
        Value::Float64(value) => {
            out.push(FLOAT64);
            out.extend_from_slice(&value.to_le_bytes());
        }
        Value::Int16(value) => number(INT16, (*value).into()),
        Value::Int32(value) => number(INT32, (*value).into()),
        Value::Int64(value) => number(INT64, *value),
        Value::Int8(value) => number(INT8, (*value).into()),
        Value::Null => out.push(NULL),
        Value::String(text) => push_bytes(out, STRING, text.as_bytes()),
    }
    Ok(())
}

/// The value that was packed; null for no bytes, as a cell under a null parent has.
///
/// # Panics
/// When `bytes` were not made by [`pack`].
pub fn unpack(bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    let mut reader = Reader { bytes };
    let value = reader.value();
    assert!(reader.bytes.is_empty(), "a packed value ends with its cell");
    value
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Recursion is bounded by [`DEPTH_MAX`], which [`pack`] keeps.
    fn value(&mut self) -> Value {
        let tag = self.take(1)[0];
        match tag {
            ARRAY => Value::Array(self.values()),
            BYTES => Value::Bytes(Bytes::copy_from_slice(self.prefixed())),
            DATE => Value::Date(self.number()),
            DECIMAL => {
                let scale = self.number();
                let unscaled = Bytes::copy_from_slice(self.prefixed());
                Value::Decimal(Decimal { unscaled, scale: scale.try_into().expect("a packed scale") })
            }
            FALSE | TRUE => Value::Boolean(tag == TRUE),
            FLOAT32 => Value::Float32(f32::from_le_bytes(self.array())),
            FLOAT64 => Value::Float64(f64::from_le_bytes(self.array())),
            INT16 => Value::Int16(self.number().try_into().expect("a packed INT16")),
            INT32 => Value::Int32(self.number().try_into().expect("a packed INT32")),
            INT64 => Value::Int64(self.number()),
            INT8 => Value::Int8(self.number().try_into().expect("a packed INT8")),
            MAP => {
                let entries = self.count();
                Value::Map((0..entries).map(|_| (self.value(), self.value())).collect())
            }
            NULL => Value::Null,
            STRING => Value::String(std::str::from_utf8(self.prefixed()).expect("a packed text").into()),
            STRUCT => Value::Struct(self.values()),
            other => unreachable!("{other} is no tag of a packed value"),
        }
    }

    fn values(&mut self) -> Vec<Value> {
        let items = self.count();
        (0..items).map(|_| self.value()).collect()
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.bytes.split_at(count);
        self.bytes = rest;
        taken
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        self.take(N).try_into().expect("as long as asked for")
    }

    fn prefixed(&mut self) -> &'a [u8] {
        let count = self.count();
        self.take(count)
    }

    fn count(&mut self) -> usize {
        usize::try_from(self.varint()).expect("a packed length")
    }

    fn number(&mut self) -> i64 {
        let zigzag = self.varint();
        (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed()
    }

    fn varint(&mut self) -> u64 {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return number;
            }
        }
        unreachable!("a packed number has at most ten bytes")
    }
}

fn push_bytes(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    push_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

fn push_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(value: &Value) {
        let mut bytes = b"before".to_vec();
        pack(value, &mut bytes).unwrap();
        assert_eq!(&unpack(&bytes[6..]), value);
    }

    #[test]
    fn every_value_comes_back() {
        let text = |text: &str| Value::String(text.into());
        let all = vec![
            Value::Null,
            Value::Boolean(true),
            Value::Boolean(false),
            Value::Bytes(Bytes::from_static(b"\0\xff")),
            Value::Date(-5),
            Value::Decimal(Decimal { unscaled: Bytes::from_static(&[0x80]), scale: -2 }),
            Value::Float32(-0.5),
            Value::Float64(f64::INFINITY),
            Value::Int8(i8::MIN),
            Value::Int16(i16::MAX),
            Value::Int32(i32::MIN),
            Value::Int64(i64::MIN),
            Value::Int64(i64::MAX),
            text(""),
            text(&"é".repeat(100)),
            Value::Map(vec![(text("k"), Value::Null), (Value::Int8(0), Value::Array(Vec::new()))]),
        ];
        all.iter().for_each(back);
        back(&Value::Array(all.clone()));
        back(&Value::Struct(all));
        assert_eq!(unpack(b""), Value::Null);
    }

    #[test]
    fn deeper_values_than_the_limit_are_refused_and_leave_nothing() {
        let nested = |levels: usize| (0..levels).fold(Value::Int8(1), |value, _| Value::Struct(vec![value]));
        back(&nested(DEPTH_MAX));
        let mut out = b"x".to_vec();
        let refused = pack(&nested(DEPTH_MAX + 1), &mut out).unwrap_err();
        assert_eq!(refused.to_string(), "A recursive value is nested more than 256 levels deep");
        assert_eq!(refused.class(), crate::ErrorClass::Record);
        assert_eq!(out, b"x");
    }
}
