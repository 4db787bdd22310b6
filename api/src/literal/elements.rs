//! What the elements of a collection have in common.
//!
//! Source: `Values$SchemaMerger`, `Values#align*`, `Values#convertTo`, Kafka 4.1.

use std::collections::HashMap;
use std::sync::Arc;

use super::temporal;
use crate::rows::DAY_MS;
use crate::schema::{Kind, Logical, Schema};
use crate::value::Value;

/// The schema of a parsed value. Java knows collections whose elements have no schema; [`Schema`] does not.
#[derive(Clone)]
pub(super) enum Found {
    /// An ARRAY without element schema, or one that contains such a schema.
    LooseArray,
    /// A MAP without key or value schema.
    LooseMap,
    /// A complete schema.
    Complete(Arc<Schema>),
}

impl Found {
    pub(super) fn complete(self) -> Option<Arc<Schema>> {
        match self {
            Self::Complete(schema) => Some(schema),
            Self::LooseArray | Self::LooseMap => None,
        }
    }

    fn rank(&self) -> Rank {
        match self {
            Self::LooseArray => Rank::Array,
            Self::LooseMap => Rank::Map,
            Self::Complete(schema) => match schema.kind {
                Kind::Array(_) => Rank::Array,
                Kind::Boolean => Rank::Boolean,
                Kind::Bytes => Rank::Bytes,
                Kind::Float32 => Rank::Number(4),
                Kind::Float64 => Rank::Number(5),
                Kind::Int16 => Rank::Number(1),
                Kind::Int32 => Rank::Number(2),
                Kind::Int64 => Rank::Number(3),
                Kind::Int8 => Rank::Number(0),
                Kind::Map { .. } => Rank::Map,
                Kind::String => Rank::String,
                // Schemas of texts do not contain themselves.
                Kind::Recursive(_) | Kind::Struct(_) => Rank::Struct,
            },
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Rank {
    Array,
    Boolean,
    Bytes,
    Map,
    /// By width: the wider type holds the narrower.
    Number(u8),
    String,
    Struct,
}

/// The common schema of the elements seen so far.
#[derive(Default)]
pub(super) struct Merger {
    common: Option<Found>,
    incompatible: bool,
}

impl Merger {
    /// Takes the schema of the next element into account; nulls have none.
    pub(super) fn merge(&mut self, next: Option<&Found>) {
        let Some(next) = next.filter(|_| !self.incompatible) else { return };
        self.common = match self.common.take() {
            None => Some(next.clone()),
            Some(common) => match (common.rank(), next.rank()) {
                // Of the same type the later one wins, whatever is inside.
                (left, right) if left == right => Some(next.clone()),
                (Rank::Number(left), Rank::Number(right)) => {
                    Some(if left < right { next.clone() } else { common })
                }
                _ => None,
            },
        };
        self.incompatible = self.common.is_none();
    }

    pub(super) fn common(&self) -> Option<&Found> {
        self.common.as_ref()
    }
}

/// A collection could not be read; the text is something else.
#[derive(Debug)]
pub(super) struct Misfit;

/// Converts an element to the common schema of its collection.
pub(super) fn align(to: &Found, value: Value) -> Result<Value, Misfit> {
    if value.is_null() {
        return Err(Misfit);
    }
    let Found::Complete(schema) = to else { return Ok(value) };
    match (schema.logical(), &schema.kind, value) {
        (Some(Logical::Date | Logical::Time | Logical::Timestamp), _, value @ Value::Date(_)) => Ok(value),
        (Some(Logical::Date), _, value) => Ok(Value::Date(i64::from(as_i64(&value)? as i32) * DAY_MS)),
        (Some(Logical::Time), _, value) => {
            let ms = i64::from(as_i64(&value)? as i32);
            if (0..=DAY_MS).contains(&ms) { Ok(Value::Date(ms)) } else { Err(Misfit) }
        }
        (Some(Logical::Timestamp), _, value) => Ok(Value::Date(as_i64(&value)?)),
        (None, Kind::Float32, value @ Value::Float32(_)) => Ok(value),
        (None, Kind::Float32, value) => Ok(Value::Float32(as_i64(&value)? as f64 as f32)),
        (None, Kind::Float64, value @ Value::Float64(_)) => Ok(value),
        (None, Kind::Float64, Value::Float32(number)) => Ok(Value::Float64(f64::from(number))),
        (None, Kind::Float64, value) => Ok(Value::Float64(as_i64(&value)? as f64)),
        (None, Kind::Int16, value) => Ok(Value::Int16(as_i64(&value)? as i16)),
        (None, Kind::Int32, value) => Ok(Value::Int32(as_i64(&value)? as i32)),
        (None, Kind::Int64, value) => Ok(Value::Int64(as_i64(&value)?)),
        // Other types only merge with themselves and are kept as they are.
        (_, _, value) => Ok(value),
    }
}

fn as_i64(value: &Value) -> Result<i64, Misfit> {
    match value {
        Value::Int8(number) => Ok(i64::from(*number)),
        Value::Int16(number) => Ok(i64::from(*number)),
        Value::Int32(number) => Ok(i64::from(*number)),
        Value::Int64(number) => Ok(*number),
        _ => Err(Misfit),
    }
}

/// A MAP that keeps the order of first insertion, as `LinkedHashMap`.
#[derive(Default)]
pub(super) struct LinkedMap {
    entries: Vec<(Value, Value)>,
    index: HashMap<Vec<u8>, usize>,
}

impl LinkedMap {
    pub(super) fn put(&mut self, key: Value, value: Value) {
        let mut identity = Vec::new();
        append_identity(&mut identity, &key);
        match self.index.get(&identity) {
            Some(at) => self.entries[*at].1 = value,
            None => {
                self.index.insert(identity, self.entries.len());
                self.entries.push((key, value));
            }
        }
    }

    pub(super) fn into_entries(self) -> Vec<(Value, Value)> {
        self.entries
    }
}

/// Bytes that are equal exactly when the Java objects are.
fn append_identity(out: &mut Vec<u8>, value: &Value) {
    let sized = |out: &mut Vec<u8>, tag: u8, bytes: &[u8]| {
        out.push(tag);
        out.extend_from_slice(&bytes.len().to_le_bytes());
        out.extend_from_slice(bytes);
    };
    match value {
        Value::Array(items) | Value::Struct(items) => {
            sized(out, b'a', &[]);
            items.iter().for_each(|item| append_identity(out, item));
            out.push(b'.');
        }
        Value::Boolean(flag) => sized(out, b'b', &[u8::from(*flag)]),
        Value::Bytes(bytes) => sized(out, b'y', bytes),
        Value::Date(ms) => sized(out, b't', &ms.to_le_bytes()),
        Value::Decimal(decimal) => {
            sized(out, b'D', &decimal.unscaled);
            out.extend_from_slice(&decimal.scale.to_le_bytes());
        }
        Value::Float32(number) => sized(out, b'f', &number.to_bits().to_le_bytes()),
        Value::Float64(number) => sized(out, b'd', &number.to_bits().to_le_bytes()),
        Value::Int16(number) => sized(out, b'2', &number.to_le_bytes()),
        Value::Int32(number) => sized(out, b'4', &number.to_le_bytes()),
        Value::Int64(number) => sized(out, b'8', &number.to_le_bytes()),
        Value::Int8(number) => sized(out, b'1', &number.to_le_bytes()),
        Value::Map(entries) => {
            let entry = |(key, value): &(Value, Value)| {
                let mut bytes = Vec::new();
                append_identity(&mut bytes, key);
                append_identity(&mut bytes, value);
                bytes
            };
            let mut members: Vec<Vec<u8>> = entries.iter().map(entry).collect();
            members.sort_unstable();
            sized(out, b'm', &members.concat());
        }
        Value::Null => out.push(b'n'),
        Value::String(text) => sized(out, b's', text.as_bytes()),
    }
}

/// Text in quotes inside of a collection, or the token of a number: a date, a time or a timestamp, found by
/// its length in UTF-16 units.
pub(super) fn temporal(text: &str) -> Option<(Found, Value)> {
    let logical = |logical| Found::Complete(Arc::new(Schema::logical_of(logical)));
    if text.len() > 3 * 2 * TIMESTAMP_UNITS {
        return None;
    }
    let text = super::number::ascii_digits(&text.replace("\\:", ":")).into_owned();
    match text.encode_utf16().count() {
        10 => Some((logical(Logical::Date), Value::Date(temporal::date(&text)?))),
        13 => Some((logical(Logical::Time), Value::Date(temporal::time(&text)?))),
        TIMESTAMP_UNITS => Some((logical(Logical::Timestamp), Value::Date(temporal::timestamp(&text)?))),
        _ => None,
    }
}

/// Length of `yyyy-MM-ddTHH:mm:ss.SSSZ`.
const TIMESTAMP_UNITS: usize = 24;
