//! JSON without any schema: dynamic values.
//!
//! Source: `JsonConverter` with `schemas.enable=false`: integers become INT64 (low 64 bits), numbers with a
//! fraction or exponent FLOAT64, objects maps in document order with the last duplicate winning.

use std::collections::HashMap;
use std::sync::Arc;

use lakeward_api::value::Value;

use super::checked;
use super::cursor::{Cursor, RawText};
use super::fault::{Parsed, syntax};
use super::number::Number;

/// Reads JSON values one by one.
#[derive(Debug, Default)]
pub(super) struct DynamicReader {
    names: Names,
}

impl DynamicReader {
    /// The value of a whole record.
    pub(super) fn read(&mut self, payload: &[u8]) -> Parsed<Value> {
        let mut cursor = checked(payload)?;
        let value = self.value(&mut cursor)?;
        cursor.end_of_record()?;
        Ok(value)
    }

    /// The value at the cursor.
    pub(super) fn value(&mut self, cursor: &mut Cursor<'_>) -> Parsed<Value> {
        self.nested_value(cursor, DEPTH_MAX)
    }

    fn nested_value(&mut self, cursor: &mut Cursor<'_>, depth_left: usize) -> Parsed<Value> {
        match cursor.token() {
            b'"' => Ok(Value::String(text(cursor.string()?))),
            b'-' | b'0'..=b'9' => Ok(match cursor.number()? {
                Number::Integer(number) => Value::Int64(number),
                big @ Number::Big(_) => Value::Int64(big.low_bits()),
                fraction @ Number::Fraction(_) => Value::Float64(fraction.as_java().to_f64()),
            }),
            b't' => cursor.word(b"true").map(|()| Value::Boolean(true)),
            b'f' => cursor.word(b"false").map(|()| Value::Boolean(false)),
            b'n' => cursor.word(b"null").map(|()| Value::Null),
            b'{' | b'[' if depth_left == 0 => {
                Err(syntax("more nested containers than are supported", cursor.pos))
            }
            b'{' => self.object(cursor, depth_left - 1),
            b'[' => {
                let mut items = Vec::new();
                let mut more = cursor.enter(b']');
                while more {
                    items.push(self.nested_value(cursor, depth_left - 1)?);
                    more = cursor.has_more(b']')?;
                }
                Ok(Value::Array(items))
            }
            _ => Err(syntax("unexpected character or end of text", cursor.pos)),
        }
    }

    fn object(&mut self, cursor: &mut Cursor<'_>, depth_left: usize) -> Parsed<Value> {
        let mut entries: Vec<(Value, Value)> = Vec::with_capacity(8);
        let mut places: HashMap<Arc<str>, usize> = HashMap::new();
        let mut more = cursor.enter(b'}');
        while more {
            let name = self.names.shared(cursor.member_name()?);
            let value = self.nested_value(cursor, depth_left)?;
            let count = entries.len();
            // Few members are compared one by one; many need an index to stay linear.
            let known = if count < INDEX_FROM {
                entries.iter().position(|(key, _)| key.as_str() == Some(&name))
            } else {
                if places.is_empty() {
                    let named = entries.iter().enumerate();
                    places.extend(named.filter_map(|(at, (key, _))| Some((key.as_str()?.into(), at))));
                }
                places.get(&name).copied()
            };
            match known {
                Some(at) => entries[at].1 = value,
                None => {
                    if count >= INDEX_FROM {
                        places.insert(Arc::clone(&name), count);
                    }
                    entries.push((Value::String(name), value));
                }
            }
            more = cursor.has_more(b'}')?;
        }
        Ok(Value::Map(entries))
    }
}

/// Member names seen before, so that records share them. Bounded: a new name takes the slot of an old one.
#[derive(Debug)]
struct Names {
    slots: Vec<Option<Arc<str>>>,
}

impl Default for Names {
    fn default() -> Self {
        Self { slots: vec![None; NAME_SLOTS] }
    }
}

impl Names {
    fn shared(&mut self, raw: RawText<'_>) -> Arc<str> {
        if raw.bytes.len() > NAME_BYTES_MAX {
            return text(raw);
        }
        let hash = raw.bytes.iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let slot = &mut self.slots[(hash >> 32) as usize % NAME_SLOTS];
        match slot {
            Some(name) if name.as_bytes() == &*raw.resolved() => Arc::clone(name),
            _ => {
                let name = text(raw);
                *slot = Some(Arc::clone(&name));
                name
            }
        }
    }
}

fn text(raw: RawText<'_>) -> Arc<str> {
    String::from_utf8_lossy(&raw.resolved()).into()
}

const NAME_SLOTS: usize = 1024;

/// Longer names are not worth keeping.
const NAME_BYTES_MAX: usize = 128;

const INDEX_FROM: usize = 16;

/// Java allows 1000; values this deep would exhaust the stack of everything that walks them.
const DEPTH_MAX: usize = 256;
