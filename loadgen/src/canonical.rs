//! Canonical records: two JSON values that mean the same have the same fingerprint.
//!
//! Owns: the rules of equality. Keys are sorted; null members and objects without any other member are
//! dropped (a column cannot tell absent from null); numbers are compared by value, not by spelling. Must not:
//! know about Arrow.

use std::hash::{DefaultHasher, Hasher};

use serde_json::{Number, Value};

/// A 128-bit fingerprint of a canonical record.
pub type Fingerprint = u128;

/// The fingerprint of `value`; an empty object or null at the top is one and the same record.
pub fn fingerprint(value: &Value) -> Fingerprint {
    let mut text = Vec::with_capacity(512);
    if !write(value, &mut text) {
        text.push(b'0');
    }
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(salt);
        hasher.write(&text);
        hasher.finish()
    };
    u128::from(half(1)) << 64 | u128::from(half(2))
}

/// Appends the canonical form; false (and nothing appended) when the value is as good as absent.
fn write(value: &Value, out: &mut Vec<u8>) -> bool {
    match value {
        Value::Null => return false,
        Value::Bool(flag) => out.extend_from_slice(if *flag { b"t" } else { b"f" }),
        Value::Number(number) => write_number(number, out),
        Value::String(text) => write_text(b's', text, out),
        Value::Array(items) => {
            out.push(b'[');
            for item in items {
                if !write(item, out) {
                    out.push(b'0');
                }
            }
            out.push(b']');
        }
        Value::Object(members) => {
            let start = out.len();
            out.push(b'{');
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_unstable_by_key(|(name, _)| *name);
            for (name, member) in sorted {
                let before = out.len();
                write_text(b'k', name, out);
                if !write(member, out) {
                    out.truncate(before);
                }
            }
            if out.len() == start + 1 {
                out.truncate(start);
                return false;
            }
            out.push(b'}');
        }
    }
    true
}

/// Length first, so that no text can imitate structure.
fn write_text(tag: u8, text: &str, out: &mut Vec<u8>) {
    out.push(tag);
    out.extend_from_slice(&(text.len() as u64).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn write_number(number: &Number, out: &mut Vec<u8>) {
    if let Some(whole) = number.as_i64() {
        out.push(b'i');
        out.extend_from_slice(&i128::from(whole).to_le_bytes());
        return;
    }
    if let Some(whole) = number.as_u64() {
        out.push(b'i');
        out.extend_from_slice(&i128::from(whole).to_le_bytes());
        return;
    }
    match number.as_f64() {
        // Whole floats are the integers they stand for: 1.0 and 1 are one JSON number.
        Some(float) if float.fract() == 0.0 && float.abs() < 9.0e15 => {
            out.push(b'i');
            out.extend_from_slice(&(float as i128).to_le_bytes());
        }
        Some(float) => {
            out.push(b'd');
            out.extend_from_slice(&float.to_bits().to_le_bytes());
        }
        None => write_text(b'n', &number.to_string(), out),
    }
}

/// Extends `place` by a member name.
pub(crate) fn enter(place: &mut String, name: &str) {
    if !place.is_empty() {
        place.push('.');
    }
    place.push_str(name);
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn print(text: &str) -> Fingerprint {
        fingerprint(&serde_json::from_str(text).expect("valid JSON"))
    }

    #[test]
    fn order_nulls_and_number_spelling_do_not_matter() {
        let reference = print(r#"{"a":1,"b":{"c":"x"}}"#);
        assert_eq!(reference, print(r#"{"b":{"c":"x","d":null},"a":1.0,"e":null,"f":{},"g":{"h":null}}"#));
        assert_eq!(reference, print(r#"{"a":1e0,"b":{"c":"x"}}"#));
    }

    #[test]
    fn different_records_differ() {
        let texts = [
            r#"{"a":1}"#,
            r#"{"a":"1"}"#,
            r#"{"a":[1]}"#,
            r#"{"a":[]}"#,
            r#"{"a":[null]}"#,
            r#"{"a":[1,null]}"#,
            r#"{"a":true}"#,
            r#"{"a":0.1}"#,
            r#"{"a":18446744073709551615}"#,
            r#"{"b":1}"#,
            r#"{"a":{"b":1}}"#,
            "{}",
        ];
        let distinct: HashSet<_> = texts.iter().map(|text| print(text)).collect();
        assert_eq!(distinct.len(), texts.len());
    }
}
