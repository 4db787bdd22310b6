//! Source partitions and offsets as the JSON text of the offsets topic, and back.
//!
//! Owns the text only: compact, members in the connector's order, numbers as Java prints them. The bytes of a
//! key are the identity of a source partition. Source: `OffsetStorageWriter`, `OffsetUtils`, `JsonConverter`
//! with `schemas.enable=false`, Kafka 4.1.

use std::sync::Arc;

use base64::Engine;
use lakeward_api::java_text::{append_f32, append_f64};
use lakeward_api::value::Value;
use lakeward_api::{ConnectError, ErrorClass};

/// The key `["connector",{partition}]`.
///
/// # Errors
/// Class `Record` when the partition is no map of plain values by name.
pub fn key_text(connector: &str, partition: &Value) -> Result<String, ConnectError> {
    let mut text = String::from("[");
    append_string(&mut text, connector);
    text.push(',');
    append_map(&mut text, partition)?;
    text.push(']');
    Ok(text)
}

/// The value `{offset}`; `None` is the tombstone that forgets the partition.
///
/// # Errors
/// Class `Record` when the offset is no map of plain values by name.
pub fn value_text(offset: &Value) -> Result<Option<String>, ConnectError> {
    if offset.is_null() {
        return Ok(None);
    }
    let mut text = String::new();
    append_map(&mut text, offset)?;
    Ok(Some(text))
}

/// Reads a value of the offsets topic: whole numbers become INT64, others FLOAT64, as Java reads them.
///
/// # Errors
/// Class `Record` for what is no JSON object of plain values.
pub fn parse_value(text: &[u8]) -> Result<Value, ConnectError> {
    let broken = |problem: &str| ConnectError::data(format!("Offsets must be specified as a Map: {problem}"));
    let parsed: serde_json::Value = serde_json::from_slice(text)
        .map_err(|err| broken("the stored offset is no JSON").with_source(err))?;
    let members = match parsed {
        serde_json::Value::Null => return Ok(Value::Null),
        serde_json::Value::Object(members) => members,
        _ => return Err(broken("the stored offset is no object")),
    };
    let member = |(name, value): (String, serde_json::Value)| {
        let value = match value {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(flag) => Value::Boolean(flag),
            serde_json::Value::String(text) => Value::String(text.into()),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(whole) => Value::Int64(whole),
                None => Value::Float64(number.as_f64().ok_or_else(|| broken("a number is out of range"))?),
            },
            serde_json::Value::Array(_) | serde_json::Value::Object(_) => {
                return Err(broken("a value is nested"));
            }
        };
        Ok((Value::String(Arc::from(name)), value))
    };
    Ok(Value::Map(members.into_iter().map(member).collect::<Result<_, ConnectError>>()?))
}

fn append_map(text: &mut String, map: &Value) -> Result<(), ConnectError> {
    let entries = match map {
        Value::Null => {
            text.push_str("null");
            return Ok(());
        }
        Value::Map(entries) => entries,
        _ => return Err(refused("Offsets must be specified as a Map")),
    };
    text.push('{');
    for (index, (name, value)) in entries.iter().enumerate() {
        let Value::String(name) = name else { return Err(refused("Offsets may only use String keys")) };
        if index > 0 {
            text.push(',');
        }
        append_string(text, name);
        text.push(':');
        append_plain(text, name, value)?;
    }
    text.push('}');
    Ok(())
}

fn append_plain(text: &mut String, name: &str, value: &Value) -> Result<(), ConnectError> {
    let mut number = Vec::new();
    match value {
        Value::Null => text.push_str("null"),
        Value::Boolean(flag) => text.push_str(if *flag { "true" } else { "false" }),
        Value::Int8(whole) => text.push_str(&whole.to_string()),
        Value::Int16(whole) => text.push_str(&whole.to_string()),
        Value::Int32(whole) => text.push_str(&whole.to_string()),
        Value::Int64(whole) => text.push_str(&whole.to_string()),
        Value::Float32(float) => append_f32(&mut number, *float),
        Value::Float64(float) => append_f64(&mut number, *float),
        Value::String(content) => append_string(text, content),
        Value::Bytes(bytes) => {
            text.push('"');
            base64::engine::general_purpose::STANDARD.encode_string(bytes, text);
            text.push('"');
        }
        Value::Array(_) => return Err(nested(name, "ARRAY")),
        Value::Map(_) => return Err(nested(name, "MAP")),
        Value::Struct(_) => return Err(nested(name, "STRUCT")),
        Value::Date(_) | Value::Decimal(_) => return Err(nested(name, "a logical type")),
    }
    let number = String::from_utf8(number).expect("numbers are ASCII");
    // Jackson quotes what JSON has no number for.
    let is_number = number.bytes().next_back().is_none_or(|last| last.is_ascii_digit());
    if is_number {
        text.push_str(&number)
    } else {
        append_string(text, &number)
    }
    Ok(())
}

fn refused(message: impl Into<String>) -> ConnectError {
    ConnectError::new(ErrorClass::Record, "org.apache.kafka.connect.errors.DataException", message)
}

fn nested(field: &str, kind: &str) -> ConnectError {
    refused(format!("Offsets may only contain primitive types as values, but field {field} contains {kind}"))
}

/// A JSON string as Jackson writes it: control characters as upper-case escapes, characters beyond U+FFFF as
/// two escapes, everything else raw.
fn append_string(text: &mut String, content: &str) {
    text.push('"');
    for c in content.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            c if !(' '..='\u{ffff}').contains(&c) => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    text.push_str(&format!("\\u{unit:04X}"));
                }
            }
            c => text.push(c),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, Value)]) -> Value {
        let entry = |(name, value): &(&str, Value)| (Value::String((*name).into()), value.clone());
        Value::Map(entries.iter().map(entry).collect())
    }

    #[test]
    fn keys_and_values_are_javas_bytes() {
        let file = map(&[("filename", Value::String("/data/a.txt".into()))]);
        assert_eq!(key_text("src", &file).unwrap(), r#"["src",{"filename":"/data/a.txt"}]"#);
        assert_eq!(key_text("é\"😀", &Value::Null).unwrap(), r#"["é\"\uD83D\uDE00",null]"#);
        let offset = map(&[
            ("position", Value::Int64(6)),
            ("ratio", Value::Float64(1e10)),
            ("nan", Value::Float32(f32::NAN)),
            ("raw", Value::Bytes("hi".into())),
            ("none", Value::Null),
            ("on", Value::Boolean(true)),
            ("c", Value::String("\u{1f}\n".into())),
        ]);
        let text = value_text(&offset).unwrap().unwrap();
        assert_eq!(
            text,
            r#"{"position":6,"ratio":1.0E10,"nan":"NaN","raw":"aGk=","none":null,"on":true,"c":"\u001F\n"}"#
        );
        assert_eq!(value_text(&Value::Null).unwrap(), None);
    }

    #[test]
    fn stored_offsets_are_read_as_java_reads_them() {
        let read = parse_value(br#"{"position":6,"part":0.5,"name":"x","none":null,"on":false}"#).unwrap();
        let expected = map(&[
            ("position", Value::Int64(6)),
            ("part", Value::Float64(0.5)),
            ("name", Value::String("x".into())),
            ("none", Value::Null),
            ("on", Value::Boolean(false)),
        ]);
        assert_eq!(read, expected);
        for junk in [&b""[..], b"[]", b"6", b"{\"a\":[]}", b"\xff"] {
            assert!(parse_value(junk).is_err(), "{junk:?}");
        }
    }

    #[test]
    fn only_plain_values_by_name_can_be_stored() {
        let list = map(&[("x", Value::Array(Vec::new()))]);
        assert!(key_text("a", &list).unwrap_err().to_string().contains("field x contains ARRAY"));
        assert!(value_text(&Value::Int64(1)).is_err());
        assert!(value_text(&Value::Map(vec![(Value::Int64(1), Value::Null)])).is_err());
    }
}
