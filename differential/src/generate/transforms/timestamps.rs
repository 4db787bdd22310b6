//! `TimestampConverter`.

use super::super::records::{Shape, field_where};
use super::super::{text, value};
use super::{on_part, usual};
use crate::case::{Case, Items};
use crate::model::{Kind, Record, Schema, Value};
use crate::random::Random;

/// Patterns of `SimpleDateFormat`.
pub(super) const PATTERNS: [&str; 29] = [
    "yyyy-MM-dd",
    "yyyyMMdd",
    "yyyy-MM-dd HH:mm:ss",
    "yyyy-MM-dd'T'HH:mm:ss.SSSX",
    "yyyy-MM-dd'T'HH:mm:ssXXX",
    "HH:mm:ss",
    "dd/MM/yy",
    "EEE, d MMM yyyy HH:mm:ss Z",
    "EEEE MMMM",
    "h:mm a",
    "K k H",
    "D F w W u",
    "Y-'W'ww",
    "G y",
    "z",
    "S",
    "SSS",
    "SSSSSS",
    "yyyyy",
    "yy",
    "M",
    "MMM",
    "'quoted ''text'''",
    "''",
    "yyyyMMddHHmmssSSS",
    "",
    "XX",
    "d.M.y",
    "zzzz",
];

/// Texts that are no pattern, or one that its Java has beyond the usual.
const WRONG_PATTERNS: [&str; 3] = ["b", "'open", "LLLL"];
/// Texts that some of the patterns read.
const TEXTS: [&str; 26] = [
    "2024-01-02",
    "20240102",
    "2024-01-02 03:04:05",
    "2024-01-02T03:04:05.678Z",
    "2024-01-02T03:04:05+02:00",
    "03:04:05",
    "02/01/24",
    "02/01/95",
    "Tue, 2 Jan 2024 03:04:05 +0000",
    "Tuesday January",
    "3:04 PM",
    "12:30 am",
    "2024-13-45",
    "2024-1-2",
    "24-1-2",
    "2024-01-02 trailing",
    " 2024-01-02",
    "-1",
    "678",
    "1700000000000",
    "AD 2024",
    "UTC",
    "PST",
    "20240102030405678",
    "jan",
    "0",
];

fn is_time(schema: &Schema) -> bool {
    matches!(schema.kind, Kind::String | Kind::Int64)
        || schema.logical().is_some_and(|name| name != "Decimal")
}

/// `TimestampConverter`, of fields and of whole values.
pub(crate) fn timestamp_converter(random: &mut Random) -> Case {
    let mut named = String::new();
    let mut case = on_part(random, "TimestampConverter", |random, shape: &Shape, settings| {
        let whole = shape.schema.as_ref().is_none_or(|schema| is_time(schema));
        if !random.once_in(if whole { 3 } else { 12 }) {
            named = field_where(random, shape, is_time);
            settings.set("field", named.clone());
        }
        let types = ["string", "unix", "Date", "Time", "Timestamp"];
        let target = usual(random, &types, &["date", "", "TIMESTAMP"]);
        settings.set("target.type", target);
        if !random.once_in(if target == "string" { 40 } else { 5 }) {
            settings.set("format", usual(random, &PATTERNS, &WRONG_PATTERNS));
        }
        if random.once_in(3) {
            let units = ["milliseconds", "seconds", "microseconds", "nanoseconds"];
            settings.set("unix.precision", usual(random, &units, &["Seconds", "days"]));
        }
        settings.null_rule(random);
    });
    if let Items::Transform(records) = &mut case.items {
        records.iter_mut().for_each(|record| sensible(random, record, &named));
    }
    case
}

/// Puts texts and objects that can be times where the transform looks.
fn sensible(random: &mut Random, record: &mut Record, named: &str) {
    for typed in [&mut record.key, &mut record.value] {
        let schema = typed.schema.clone();
        match (&mut typed.value, schema) {
            (Value::Map(entries), None) => {
                for (name, member) in entries {
                    if *name == Value::text(named) {
                        *member = time(random);
                    }
                }
            }
            (Value::Struct(values), Some(schema)) => {
                for (field, member) in schema.fields().iter().zip(values) {
                    text_instead(random, member, field.name == named);
                }
            }
            (member, None) if random.once_in(2) && !matches!(member, Value::Null) => *member = time(random),
            (member, _) => text_instead(random, member, true),
        }
    }
}

fn text_instead(random: &mut Random, member: &mut Value, wanted: bool) {
    if let Value::String(text) = member
        && wanted
        && !random.once_in(6)
    {
        random.pick(&TEXTS).clone_into(text);
    }
}

fn time(random: &mut Random) -> Value {
    match random.below(6) {
        0 => Value::Date(value::instant(random)),
        1 => Value::Int64(value::int64(random)),
        2 => Value::Int64(value::instant(random)),
        3 => Value::text(text::text(random)),
        _ => Value::text(random.pick(&TEXTS)),
    }
}
