//! `JsonConverter`.

use num_bigint::BigInt;

use super::{Finding, Known, accepted, cause, class, message, open};
use crate::case::Answer;
use crate::compare::{Kind, contains};
use crate::model::{Show, Typed, Value};

pub(super) const KNOWN: &[Known] = &[
    accepted(
        "not-utf-8",
        "Java decodes JSON only as far as it reads, and takes UTF-16 and encoded surrogates; a record that \
         is not UTF-8 from end to end is refused",
        |finding| is_json(finding) && finding.payload().is_some_and(|bytes| !is_utf8(bytes)),
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
            (Answer::Bytes(Some(java)), Answer::Bytes(Some(ours))) => same_floats(java, ours),
            (Answer::Record(_), Answer::Record(_)) => {
                same_floats(finding.java.shown().as_bytes(), finding.ours.shown().as_bytes())
            }
            _ => false,
        },
    ),
    accepted(
        "lone-surrogate",
        "texts are Unicode: half a surrogate pair in an escape becomes U+FFFD",
        |finding| match finding.ours {
            Answer::Bytes(Some(ours)) => {
                let escape = |bytes: &[u8]| find(bytes, b"\\ud") || find(bytes, b"\\uD");
                find(ours, "\u{fffd}".as_bytes()) && finding.payload().is_some_and(escape)
            }
            _ => false,
        },
    ),
];

/// What payloads can be refused for.
const FAULTS: [&str; 10] = [
    "Decimal value has mismatching scale",
    "Found invalid map entry",
    "Invalid bytes",
    "Invalid null value for required",
    "Invalid type for",
    "Invalid value: null used for required",
    "Maps with non-string fields",
    "Maps with string fields",
    "Structs should be encoded",
    "Array",
];

fn is_json(finding: &Finding<'_>) -> bool {
    finding.is_class(".JsonConverter")
}

fn is_utf8(bytes: &[u8]) -> bool {
    // A zero byte is how UTF-16 and UTF-32 are recognised.
    std::str::from_utf8(bytes).is_ok() && !bytes.iter().take(4).any(|byte| *byte == 0)
}

fn find(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// The value with every negative zero made positive.
fn positive(value: &Value) -> Value {
    match value {
        Value::Float32(number) if *number == 0.0 => Value::Float32(0.0),
        Value::Float64(number) if *number == 0.0 => Value::Float64(0.0),
        Value::List(items) => Value::List(items.iter().map(positive).collect()),
        Value::Struct(items) => Value::Struct(items.iter().map(positive).collect()),
        Value::Map(entries) => {
            Value::Map(entries.iter().map(|(key, value)| (positive(key), positive(value))).collect())
        }
        other => other.clone(),
    }
}

/// Whether two texts differ only in the digits of numbers that are the same float.
fn same_floats(java: &[u8], ours: &[u8]) -> bool {
    let (Ok(java), Ok(ours)) = (std::str::from_utf8(java), std::str::from_utf8(ours)) else { return false };
    let marks = |c: char| !c.is_ascii_alphanumeric() && !".-+".contains(c);
    let (java, ours): (Vec<&str>, Vec<&str>) = (java.split(marks).collect(), ours.split(marks).collect());
    let same = |(one, two): (&&str, &&str)| {
        one == two
            || matches!((one.parse::<f32>(), two.parse::<f32>()), (Ok(one), Ok(two)) if one == two)
            || matches!((one.parse::<f64>(), two.parse::<f64>()), (Ok(one), Ok(two)) if one == two)
    };
    java.len() == ours.len() && java.iter().zip(&ours).all(same)
}

/// Whether two texts are of the same words and numbers, in whatever order.
fn same_words(java: &[u8], ours: &[u8]) -> bool {
    let words = |text: &[u8]| {
        let text = String::from_utf8_lossy(text).into_owned();
        let marks = |c: char| !c.is_ascii_alphanumeric() && !".-+".contains(c);
        let canonical =
            |word: &str| word.parse::<f32>().map_or_else(|_| word.to_owned(), |one| one.to_string());
        let mut words: Vec<String> = text.split(marks).map(canonical).collect();
        words.sort();
        words
    };
    words(java) == words(ours)
}

/// A null at the top or in a list or map.
fn holds_null(typed: &Typed) -> bool {
    contains(&typed.value, &|value| match value {
        Value::List(items) => items.contains(&Value::Null),
        Value::Map(entries) => entries.iter().any(|(key, value)| [key, value].contains(&&Value::Null)),
        _ => false,
    }) || typed.value == Value::Null
}

/// Whether both values are the same but for the scale of decimals, in schemas, too.
fn same_numbers(java: &Typed, ours: &Typed) -> bool {
    let same_schemas = crate::model::same_schemas(java.schema.as_ref(), ours.schema.as_ref());
    same_schemas && same_but_scale(&java.value, &ours.value)
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
