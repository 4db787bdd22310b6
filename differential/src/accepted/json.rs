//! `JsonConverter`.

use std::sync::Arc;

use num_bigint::BigInt;

use super::{Finding, Known, accepted, cause, message};
use crate::case::{Answer, Items};
use crate::compare::{Kind, contains};
use crate::model::{Field, Kind as SchemaKind, Schema, Show, Typed, Value};

pub(super) const KNOWN: &[Known] = &[
    accepted(
        "not-utf-8",
        "Java decodes JSON only as far as it reads, and takes UTF-16 and encoded surrogates; a record that \
         is not UTF-8 from end to end is refused",
        |finding| {
            let is_refused = matches!(finding.ours, Answer::Failed(_));
            is_json(finding) && is_refused && finding.payload().is_some_and(|bytes| !is_utf8(bytes))
        },
    ),
    accepted(
        "nesting",
        "values nest at most 256 deep, in Java 1000: deeper ones would exhaust the stack of their readers",
        |finding| {
            cause(finding.ours).contains("nested containers")
                || cause(finding.java).contains("StreamConstraintsException")
        },
    ),
    accepted(
        "decimal-scale",
        "a column of decimals has one scale, that of its schema: a number is brought to it, or refused when \
         digits would be lost; in Java it stays as it is, and fails when it is written",
        |finding| match (finding.java, finding.ours) {
            (Answer::Typed(java), Answer::Typed(ours)) => same_numbers(java, ours),
            (Answer::Failed(_), _)
                if message(finding.java).starts_with("Decimal value has mismatching scale") =>
            {
                true
            }
            (_, ours) => {
                let is_default = message(ours).starts_with("Invalid default value for BYTES schema");
                message(ours).contains("Decimal value has mismatching scale")
                    || (is_default && finding.java.shown().contains("~Decimal"))
            }
        },
    ),
    accepted(
        "null-in-required",
        "a node of the wrong type is null in Java even under a required schema, unless it is in a struct; \
         a column of a required schema holds no null, so the record is refused at once",
        |finding| {
            message(finding.ours).starts_with("Invalid value: null used for required")
                && match finding.java {
                    Answer::Typed(typed) => holds_null(typed),
                    // Written as the default, or unchecked in lists and maps.
                    Answer::Bytes(_) => true,
                    java => {
                        message(java).starts_with("Conversion error: null value for field that is required")
                    }
                }
        },
    ),
    accepted(
        "first-fault",
        "of several faults in one record Java names the first in the order of its schema, ours the first in \
         the order of its text",
        |finding| {
            let kind = |answer| FAULTS.iter().position(|fault| message(answer).starts_with(fault));
            let (java, ours) = (kind(finding.java), kind(finding.ours));
            finding.kind == Kind::Message && java.is_some() && ours.is_some()
        },
    ),
    accepted(
        "float-text",
        "a JDK before 19 writes some floats with more digits than it takes to read them back; ours are those \
         of later ones",
        |finding| match (finding.java, finding.ours) {
            (Answer::Bytes(Some(java)), Answer::Bytes(Some(ours))) => {
                let text = |bytes| String::from_utf8_lossy(bytes);
                same_floats(java, ours)
                    || has_unordered_pairs(finding) && same_unordered_floats(&text(java), &text(ours))
            }
            (Answer::Record(_), Answer::Record(_)) => {
                let (java, ours) = (finding.java.shown(), finding.ours.shown());
                same_floats(java.as_bytes(), ours.as_bytes()) || same_unordered_floats(&java, &ours)
            }
            _ => false,
        },
    ),
    accepted(
        "decimal-without-scale",
        "a Decimal schema without its scale is broken: Java reads numbers under it and fails on anything \
         else with a NullPointerException",
        |finding| {
            let text = finding.case.items.shown(finding.item);
            is_json(finding) && text.contains("connect.data.Decimal") && !text.contains("\"scale\"")
        },
    ),
    accepted(
        "equal-composite-keys",
        "entries of a map whose keys are equal structs, lists or maps are one in Java, the last; here they \
         stay apart",
        |finding| {
            is_json(finding)
                && [Kind::Value, Kind::Bytes].contains(&finding.kind)
                && finding.payload().is_some_and(has_composite_keys)
        },
    ),
    accepted(
        "exponent",
        "an exponent of more than 31 bits makes a number infinite or zero; Java's BigDecimal refuses it",
        |finding| {
            (is_json(finding) || finding.is_class(".JsonSchemaConverter"))
                && cause(finding.java).contains("Exponent overflow")
        },
    ),
    accepted(
        "letter-after-word",
        "after null, true and false Java decodes a letter beyond ASCII from its second byte, and fails",
        |finding| {
            let words = [&b"null"[..], b"true", b"false"];
            let follows = |bytes: &[u8]| {
                let start = bytes.trim_ascii_start();
                words.iter().any(|word| {
                    start
                        .strip_prefix(*word)
                        .is_some_and(|rest| rest.first().is_some_and(|byte| *byte > 0x7f))
                })
            };
            cause(finding.java).contains("Invalid UTF-8") && finding.payload().is_some_and(follows)
        },
    ),
    accepted(
        "lone-surrogate",
        "texts are Unicode: half a surrogate pair in an escape becomes U+FFFD",
        |finding| match (finding.java, finding.ours) {
            (Answer::Bytes(Some(java)), Answer::Bytes(Some(ours))) => {
                let mut java = with_replacements(java);
                let mut ours = ours.clone();
                // Names that differ have other places in a hash table.
                java.sort_unstable();
                ours.sort_unstable();
                is_json(finding) && java == ours
            }
            _ => false,
        },
    ),
    accepted(
        "repeated-member",
        "of members of one name Java looks only at the last; ours checks all of them, and an object in the \
         place of a list has an item for each",
        |finding| {
            let kinds = [Kind::Bytes, Kind::Outcome, Kind::Value];
            is_json(finding)
                && kinds.contains(&finding.kind)
                && finding.payload().is_some_and(repeats_a_member)
        },
    ),
];

/// What payloads can be refused for.
const FAULTS: [&str; 11] = [
    "Decimal value has mismatching scale",
    "Found invalid map entry",
    "Invalid bytes",
    "Invalid null value for required",
    "Invalid type for",
    "Invalid value: null used for required",
    "Maps with non-string fields",
    "Maps with string fields",
    "Structs should be encoded",
    "Time values must use number of milliseconds",
    "Array",
];

fn is_json(finding: &Finding<'_>) -> bool {
    finding.is_class(".JsonConverter")
}

pub(super) fn is_utf8(bytes: &[u8]) -> bool {
    // A zero byte is how UTF-16 and UTF-32 are recognised.
    std::str::from_utf8(bytes).is_ok() && !bytes.iter().take(4).any(|byte| *byte == 0)
}

/// What Java wrote with U+FFFD in the place of every escape of half a surrogate pair.
fn with_replacements(java: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(java.len());
    let mut rest = java;
    while let Some(first) = rest.first() {
        let (kept, behind) = match rest {
            [b'\\', b'u', b'D', b'8'..=b'B', _, _, b'\\', b'u', b'D', b'C'..=b'F', ..] => rest.split_at(12),
            [b'\\', b'u', b'D', b'8'..=b'9' | b'A'..=b'F', _, _, behind @ ..] => {
                ("\u{fffd}".as_bytes(), behind)
            }
            _ => rest.split_at(if *first == b'\\' { 2.min(rest.len()) } else { 1 }),
        };
        out.extend(kept);
        rest = behind;
    }
    out
}

/// Whether two texts differ only in the digits of numbers that are the same float.
pub(super) fn same_floats(java: &[u8], ours: &[u8]) -> bool {
    let (Ok(java), Ok(ours)) = (std::str::from_utf8(java), std::str::from_utf8(ours)) else { return false };
    let (java, ours) = (words(java), words(ours));
    java.len() == ours.len() && java.iter().zip(&ours).all(|(one, two)| same_word(one, two))
}

/// Whether what is written has maps that are lists of pairs: their keys are no required texts.
fn has_unordered_pairs(finding: &Finding<'_>) -> bool {
    let Items::Encode(values) = &finding.case.items else { return false };
    values[finding.item].schema.as_ref().is_some_and(|schema| has_pairs(schema))
}

fn has_pairs(schema: &Schema) -> bool {
    match &schema.kind {
        SchemaKind::Array(Some(item)) => has_pairs(item),
        SchemaKind::Map(Some(key), Some(value)) => {
            key.kind != SchemaKind::String || key.optional || has_pairs(value)
        }
        SchemaKind::Struct(fields) => fields.iter().any(|field| has_pairs(&field.schema)),
        _ => false,
    }
}

/// The same where maps may stand in another order: what is left after equal words must pair up.
fn same_unordered_floats(java: &str, ours: &str) -> bool {
    let (java, mut left) = (words(java), words(ours));
    java.iter().all(|word| {
        let equal = left.iter().position(|one| one == word);
        let found = equal.or_else(|| left.iter().position(|one| same_word(one, word)));
        found.map(|at| left.swap_remove(at)).is_some()
    }) && left.is_empty()
}

fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && !".-+".contains(c)).collect()
}

fn same_word(one: &str, two: &str) -> bool {
    one == two
        || matches!((one.parse::<f32>(), two.parse::<f32>()), (Ok(one), Ok(two)) if one == two)
        || matches!((one.parse::<f64>(), two.parse::<f64>()), (Ok(one), Ok(two)) if one == two)
}

/// Whether the schema of an envelope has maps whose keys are structs, lists or maps.
fn has_composite_keys(payload: &[u8]) -> bool {
    let text = String::from_utf8_lossy(payload);
    let is_composite = |schema: &str| {
        let start: String = schema.chars().take(60).collect();
        ["\"struct\"", "\"array\"", "\"map\""].iter().any(|kind| start.contains(kind))
    };
    text.split("\"keys\"").skip(1).any(is_composite)
}

/// Whether an object has two members of one name.
pub(super) fn repeats_a_member(payload: &[u8]) -> bool {
    let mut open: Vec<Vec<&[u8]>> = Vec::new();
    let mut at = 0;
    while at < payload.len() {
        match payload[at] {
            b'{' | b'[' => open.push(Vec::new()),
            b'}' | b']' => drop(open.pop()),
            b'"' => {
                let start = at + 1;
                at = start;
                while at < payload.len() && payload[at] != b'"' {
                    at += if payload[at] == b'\\' { 2 } else { 1 };
                }
                let name = payload.get(start..at).unwrap_or_default();
                let is_name = payload.get(at + 1..).unwrap_or_default().trim_ascii_start().starts_with(b":");
                if let (true, Some(names)) = (is_name, open.last_mut()) {
                    if names.contains(&name) {
                        return true;
                    }
                    names.push(name);
                }
            }
            _ => {}
        }
        at += 1;
    }
    false
}

/// A null at the top or in a list or map.
pub(super) fn holds_null(typed: &Typed) -> bool {
    contains(&typed.value, &|value| match value {
        Value::List(items) => items.contains(&Value::Null),
        Value::Map(entries) => entries.iter().any(|(key, value)| [key, value].contains(&&Value::Null)),
        _ => false,
    }) || typed.value == Value::Null
}

/// Whether both values are the same but for the scale of decimals, in schemas, too.
fn same_numbers(java: &Typed, ours: &Typed) -> bool {
    let same_schemas = match (&java.schema, &ours.schema) {
        (Some(java), Some(ours)) => shortened(java).same(&shortened(ours)),
        (java, ours) => java.is_none() && ours.is_none(),
    };
    same_schemas && same_but_scale(&java.value, &ours.value)
}

/// The schema with the defaults of its decimals in their shortest form.
fn shortened(schema: &Schema) -> Schema {
    let inner = |schema: &Option<Arc<Schema>>| schema.as_ref().map(|schema| Arc::new(shortened(schema)));
    let kind = match &schema.kind {
        SchemaKind::Array(item) => SchemaKind::Array(inner(item)),
        SchemaKind::Map(key, value) => SchemaKind::Map(inner(key), inner(value)),
        SchemaKind::Struct(fields) => {
            let field = |field: &Field| Field { schema: Arc::new(shortened(&field.schema)), ..field.clone() };
            SchemaKind::Struct(fields.iter().map(field).collect())
        }
        plain => plain.clone(),
    };
    Schema { kind, default: schema.default.as_ref().map(shortened_value), ..schema.clone() }
}

fn shortened_value(value: &Value) -> Value {
    match value {
        Value::Decimal { unscaled, scale } => {
            let (mut number, mut scale) = (BigInt::from_signed_bytes_be(unscaled), *scale);
            while number != BigInt::ZERO && &number % 10 == BigInt::ZERO {
                number /= 10;
                scale -= 1;
            }
            let scale = if number == BigInt::ZERO { 0 } else { scale };
            Value::Decimal { unscaled: number.to_signed_bytes_be(), scale }
        }
        Value::List(items) => Value::List(items.iter().map(shortened_value).collect()),
        Value::Struct(items) => Value::Struct(items.iter().map(shortened_value).collect()),
        Value::Map(entries) => {
            let entry = |(key, value): &(Value, Value)| (shortened_value(key), shortened_value(value));
            Value::Map(entries.iter().map(entry).collect())
        }
        plain => plain.clone(),
    }
}

fn same_but_scale(java: &Value, ours: &Value) -> bool {
    match (java, ours) {
        (Value::Decimal { unscaled: one, scale }, Value::Decimal { unscaled: two, scale: other }) => {
            let digits = |up: &i32, down: &i32| up.checked_sub(*down).filter(|by| (0..2000).contains(by));
            let power = |by: i32| BigInt::from(10).pow(by.unsigned_abs());
            let (one, two) = (BigInt::from_signed_bytes_be(one), BigInt::from_signed_bytes_be(two));
            match (digits(other, scale), digits(scale, other)) {
                (Some(by), _) => one * power(by) == two,
                (_, Some(by)) => two * power(by) == one,
                _ => false,
            }
        }
        (Value::List(one), Value::List(two)) | (Value::Struct(one), Value::Struct(two)) => {
            one.len() == two.len() && one.iter().zip(two).all(|(one, two)| same_but_scale(one, two))
        }
        (Value::Map(one), Value::Map(two)) => {
            let has = |(key, value): &(Value, Value)| {
                two.iter()
                    .any(|(other, candidate)| same_but_scale(key, other) && same_but_scale(value, candidate))
            };
            one.len() == two.len() && one.iter().all(has)
        }
        _ => java.same(ours),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_halves_of_pairs_are_replaced() {
        let java = br#"["\uD83D\uDE00","\uD800x","\uDC00\uD83D","\\uD800","\u00E9"]"#;
        let expected = "[\"\\uD83D\\uDE00\",\"\u{fffd}x\",\"\u{fffd}\u{fffd}\",\"\\\\uD800\",\"\\u00E9\"]";
        assert_eq!(with_replacements(java), expected.as_bytes());
    }
}
