//! Dynamic values: what Connect holds when a record has no schema, and what schemas use for defaults.

use std::sync::Arc;

use bytes::Bytes;

use crate::decimal::Decimal;

/// One Connect value. Numbers keep their exact width, as Connect does.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// ARRAY.
    Array(Vec<Value>),
    /// BOOLEAN.
    Boolean(bool),
    /// BYTES.
    Bytes(Bytes),
    /// An instant in ms since the epoch: the value of Date (midnight UTC), Time (on the first day) and
    /// Timestamp schemas, and Java's `java.util.Date` in schemaless data.
    Date(i64),
    /// The value of a Decimal schema, and Java's `BigDecimal` in schemaless data.
    Decimal(Decimal),
    /// FLOAT32.
    Float32(f32),
    /// FLOAT64.
    Float64(f64),
    /// INT16.
    Int16(i16),
    /// INT32.
    Int32(i32),
    /// INT64.
    Int64(i64),
    /// INT8.
    Int8(i8),
    /// MAP (or a schemaless JSON object): entries in document order, keys unique.
    Map(Vec<(Value, Value)>),
    /// Null.
    Null,
    /// STRING.
    String(Arc<str>),
    /// STRUCT: one value per field, in schema order. Only exists together with a schema.
    Struct(Vec<Value>),
}

impl Value {
    /// True for [`Value::Null`].
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text of a STRING value.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Looks up a string key in a MAP.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Self::Map(entries) => {
                entries.iter().find(|(name, _)| name.as_str() == Some(key)).map(|(_, value)| value)
            }
            _ => None,
        }
    }
}
