//! Keys and values of the offsets topic of source connectors. The bytes are the identity of a source
//! partition.
//!
//! Owns the shapes only. Source: `OffsetUtils#processPartitionKey`, `OffsetStorageWriter`, Kafka 4.1.

use serde_json::{Map, Value};

use crate::java_json;

/// A source partition or source offset: primitives by name, `None` for null.
pub type OffsetMap = Option<Map<String, Value>>;

/// Why offsets cannot be stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OffsetError {
    /// A value is an array or an object. Class `Record`.
    #[error("Offsets may only contain primitive types as values, but field {field} contains a nested value")]
    NotPrimitive {
        /// The name of the value.
        field: String,
    },
}

impl OffsetError {
    /// What the runtime should do about it.
    pub fn class(&self) -> lakeward_api::ErrorClass {
        match self {
            Self::NotPrimitive { .. } => lakeward_api::ErrorClass::Record,
        }
    }
}

/// The key text `["connector",{partition}]`.
pub fn key_text(connector: &str, partition: &OffsetMap) -> Result<String, OffsetError> {
    check_primitive(partition)?;
    Ok(java_json::to_text(&(connector, partition)))
}

/// The value text `{offset}`; `None` is the tombstone.
pub fn value_text(offset: &OffsetMap) -> Result<Option<String>, OffsetError> {
    check_primitive(offset)?;
    Ok(offset.as_ref().map(java_json::to_text))
}

/// Reads a key: connector name and partition. `None` for a key that is not understood; it stays in the log
/// and is not listed.
pub fn parse_key(key: Option<&[u8]>) -> Option<(String, OffsetMap)> {
    let parsed: Value = serde_json::from_slice(key?).ok()?;
    match parsed.as_array()?.as_slice() {
        [Value::String(connector), Value::Object(partition)] => {
            Some((connector.clone(), Some(partition.clone())))
        }
        [Value::String(connector), Value::Null] => Some((connector.clone(), None)),
        _ => None,
    }
}

fn check_primitive(map: &OffsetMap) -> Result<(), OffsetError> {
    let nested = map.iter().flatten().find(|(_, value)| value.is_array() || value.is_object());
    match nested {
        Some((field, _)) => Err(OffsetError::NotPrimitive { field: field.clone() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(text: &str) -> OffsetMap {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn keys_and_values_are_javas_bytes() {
        let partition = map(r#"{"filename":"/data/a.txt"}"#);
        assert_eq!(key_text("src", &partition).unwrap(), r#"["src",{"filename":"/data/a.txt"}]"#);
        assert_eq!(key_text("src", &None).unwrap(), r#"["src",null]"#);
        assert_eq!(value_text(&map(r#"{"position":6}"#)).unwrap().unwrap(), r#"{"position":6}"#);
        assert_eq!(value_text(&None).unwrap(), None);
    }

    #[test]
    fn keys_that_are_not_understood_are_not_listed() {
        let parse = |text: &str| parse_key(Some(text.as_bytes()));
        assert_eq!(parse(r#"["src",{"a":1}]"#), Some(("src".to_owned(), map(r#"{"a":1}"#))));
        for junk in ["", "{}", "[1,{}]", r#"["a",[]]"#, r#"["a",{},1]"#, "\u{0}"] {
            assert_eq!(parse(junk), None, "{junk}");
        }
        assert_eq!(parse_key(None), None);
    }

    #[test]
    fn nested_values_are_refused_by_name() {
        let nested = map(r#"{"x":[]}"#);
        assert!(key_text("a", &nested).unwrap_err().to_string().contains("field x"));
    }
}
