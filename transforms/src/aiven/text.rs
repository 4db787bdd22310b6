//! Values as Java's `toString` prints them.
//!
//! Two texts differ: bytes, where Java prints a random number, and dates, which are in UTC whatever the time
//! zone of the worker is.

use std::sync::LazyLock;

use lakeward_api::java_text;
use lakeward_api::recursion;
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::value::Value;

use crate::simple_date_format::SimpleDateFormat;

static DATE: LazyLock<SimpleDateFormat> = LazyLock::new(|| {
    SimpleDateFormat::compile("EEE MMM dd HH:mm:ss zzz y").expect("the pattern of Date#toString")
});

/// Appends `value`, which is of `schema` when there is one.
pub(super) fn append(out: &mut String, schema: Option<&Schema>, value: &Value) {
    let resolved = schema.and_then(recursion::resolved);
    let schema = resolved.as_deref().or(schema);
    match value {
        Value::Array(items) => {
            let item = schema.and_then(|schema| match &schema.kind {
                Kind::Array(item) => Some(&**item),
                _ => None,
            });
            append_all(out, "[]", items.iter().map(|value| (None, item, value)));
        }
        Value::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Bytes(_) => out.push_str("[B@0"),
        Value::Date(ms) => out.push_str(&DATE.text(*ms)),
        Value::Decimal(value) => out.push_str(&value.to_java_text()),
        Value::Float32(value) => out.push_str(&java_text::f32_text(*value)),
        Value::Float64(value) => out.push_str(&java_text::f64_text(*value)),
        Value::Int16(value) => append_whole(out, i64::from(*value)),
        Value::Int32(value) => append_whole(out, i64::from(*value)),
        Value::Int64(value) => append_whole(out, *value),
        Value::Int8(value) => append_whole(out, i64::from(*value)),
        Value::Map(members) => {
            let inner = schema.and_then(|schema| match &schema.kind {
                Kind::Map { key, value } => Some((&**key, &**value)),
                _ => None,
            });
            let member = |(key, value)| (Some((inner.map(|of| of.0), key)), inner.map(|of| of.1), value);
            append_all(out, "{}", members.iter().map(|(key, value)| member((key, value))));
        }
        Value::Null => out.push_str("null"),
        Value::String(text) => out.push_str(text),
        Value::Struct(values) => {
            out.push_str("Struct{");
            let fields = schema.map(Schema::fields).unwrap_or_default();
            let mut is_first = true;
            for (field, value) in fields.iter().zip(values).filter(|(_, value)| !value.is_null()) {
                if !std::mem::take(&mut is_first) {
                    out.push(',');
                }
                out.push_str(&field.name);
                out.push('=');
                append(out, Some(&field.schema), value);
            }
            out.push('}');
        }
    }
}

type Named<'a> = (Option<(Option<&'a Schema>, &'a Value)>, Option<&'a Schema>, &'a Value);

fn append_all<'a>(out: &mut String, brackets: &str, all: impl Iterator<Item = Named<'a>>) {
    out.push_str(&brackets[..1]);
    for (at, (key, schema, value)) in all.enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        if let Some((schema, key)) = key {
            append(out, schema, key);
            out.push('=');
        }
        append(out, schema, value);
    }
    out.push_str(&brackets[1..]);
}

fn append_whole(out: &mut String, number: i64) {
    use std::fmt::Write as _;
    write!(out, "{number}").expect("writing to a String cannot fail");
}
