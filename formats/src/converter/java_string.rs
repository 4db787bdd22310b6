//! `Object#toString` of the Java objects behind Connect values.
//!
//! Source: `java.util.AbstractMap`, `AbstractCollection`, `java.util.Date` (in UTC), `java.math.BigDecimal`
//! and `org.apache.kafka.connect.data.Struct`, Kafka 4.1.

use std::io::Write;

use lakeward_api::java_text;
use lakeward_api::recursion;
use lakeward_api::rows::DAY_MS;
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::value::Value;

use crate::json_text::hash;

/// Appends the text of `value`. STRUCTs need their schema; bytes have only the text of an array's identity,
/// as in Java, here made of their content.
pub(crate) fn append(out: &mut Vec<u8>, schema: Option<&Schema>, value: &Value) {
    let resolved = schema.and_then(recursion::resolved);
    let schema = resolved.as_deref().or(schema);
    match value {
        Value::Array(items) => {
            let item = match schema.map(|schema| &schema.kind) {
                Some(Kind::Array(item)) => Some(&**item),
                _ => None,
            };
            out.push(b'[');
            for (at, value) in items.iter().enumerate() {
                if at > 0 {
                    out.extend_from_slice(b", ");
                }
                append(out, item, value);
            }
            out.push(b']');
        }
        Value::Boolean(flag) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Value::Bytes(bytes) => {
            let hash = bytes
                .iter()
                .fold(1u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(i32::from(*byte as i8) as u32));
            write!(out, "[B@{hash:x}").expect("writing to memory cannot fail");
        }
        Value::Date(ms) => append_date(out, *ms),
        Value::Decimal(decimal) => out.extend_from_slice(decimal.to_java_text().as_bytes()),
        Value::Float32(number) => java_text::append_f32(out, *number),
        Value::Float64(number) => java_text::append_f64(out, *number),
        Value::Int16(number) => append_integer(out, i64::from(*number)),
        Value::Int32(number) => append_integer(out, i64::from(*number)),
        Value::Int64(number) => append_integer(out, *number),
        Value::Int8(number) => append_integer(out, i64::from(*number)),
        Value::Map(entries) => append_map(out, schema, entries),
        Value::Null => out.extend_from_slice(b"null"),
        Value::String(text) => out.extend_from_slice(text.as_bytes()),
        Value::Struct(values) => append_struct(out, schema, values),
    }
}

pub(super) fn append_integer(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// `{a=1, b=x}` in the order of a `HashMap`.
fn append_map(out: &mut Vec<u8>, schema: Option<&Schema>, entries: &[(Value, Value)]) {
    let (key, member) = match schema.map(|schema| &schema.kind) {
        Some(Kind::Map { key, value }) => (Some(&**key), Some(&**value)),
        _ => (None, None),
    };
    out.push(b'{');
    let each = |position: usize, index: usize| -> Result<(), std::convert::Infallible> {
        if position > 0 {
            out.extend_from_slice(b", ");
        }
        append(out, key, &entries[index].0);
        out.push(b'=');
        append(out, member, &entries[index].1);
        Ok(())
    };
    let Ok(()) = hash::in_order(entries.len(), |index| hash::of_value(&entries[index].0), each);
    out.push(b'}');
}

/// `Struct{a=1,b=x}`; fields that are null are left out.
fn append_struct(out: &mut Vec<u8>, schema: Option<&Schema>, values: &[Value]) {
    out.extend_from_slice(b"Struct{");
    let fields = schema.map(Schema::fields).unwrap_or_default();
    let mut first = true;
    for (field, value) in fields.iter().zip(values).filter(|(_, value)| !value.is_null()) {
        if !first {
            out.push(b',');
        }
        first = false;
        out.extend_from_slice(field.name.as_bytes());
        out.push(b'=');
        append(out, Some(&field.schema), value);
    }
    out.push(b'}');
}

/// `Thu Jan 01 00:00:00 UTC 1970`. Years before 1 count upwards without their era.
fn append_date(out: &mut Vec<u8>, ms: i64) {
    let days = ms.div_euclid(DAY_MS);
    let seconds = ms.rem_euclid(DAY_MS) / 1000;
    let weekday = DAYS[(days + 4).rem_euclid(7) as usize];
    let (year, month, day) = if days >= CUTOVER_DAYS { gregorian(days) } else { julian(days) };
    let year = if year > 0 { year } else { 1 - year };
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let month = MONTHS[month];
    write!(out, "{weekday} {month} {day:02} {hour:02}:{minute:02}:{second:02} UTC {year:04}")
        .expect("writing to memory cannot fail");
}

/// Year, month (from 0) and day of a day since the epoch.
fn gregorian(days: i64) -> (i64, usize, i64) {
    let days = days + MARCH_OF_YEAR_0;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    from_march(era * 400 + year, of_era - (365 * year + year / 4 - year / 100))
}

/// The same in the Julian calendar, which Java uses before 15 October 1582.
fn julian(days: i64) -> (i64, usize, i64) {
    let days = days + MARCH_OF_YEAR_0 + 2;
    let (era, of_era) = (days.div_euclid(1461), days.rem_euclid(1461));
    let year = (of_era - of_era / 1460) / 365;
    from_march(era * 4 + year, of_era - 365 * year)
}

/// Turns a day of a year that begins in March into year, month (from 0) and day.
fn from_march(year: i64, of_year: i64) -> (i64, usize, i64) {
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = (shifted + 2) % 12;
    (if month < 2 { year + 1 } else { year }, month as usize, day)
}

/// Days from 1 March of year 0 to the epoch.
const MARCH_OF_YEAR_0: i64 = 719_468;
/// 15 October 1582.
const CUTOVER_DAYS: i64 = -141_427;

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
