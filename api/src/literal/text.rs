//! Values as text. Source: `Values#append`, Kafka 4.1.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::temporal;
use crate::ConnectError;
use crate::java_text;
use crate::recursion;
use crate::schema::{Kind, Schema};
use crate::value::Value;

pub(super) fn to_text(schema: Option<&Schema>, value: &Value) -> Result<String, ConnectError> {
    let mut out = String::new();
    match value {
        Value::String(text) => out.push_str(text),
        Value::Bytes(bytes) => STANDARD.encode_string(bytes, &mut out),
        _ => append(&mut out, schema, value)?,
    }
    Ok(out)
}

/// Appends a value as it looks inside of a collection.
fn append(out: &mut String, schema: Option<&Schema>, value: &Value) -> Result<(), ConnectError> {
    let resolved = schema.and_then(recursion::resolved);
    let schema = resolved.as_deref().or(schema);
    match value {
        Value::Array(items) => {
            let item = match schema.map(|schema| &schema.kind) {
                Some(Kind::Array(item)) => Some(&**item),
                _ => None,
            };
            append_separated(out, ['[', ']'], items, |out, value| append(out, item, value))?;
        }
        Value::Boolean(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Bytes(bytes) => {
            out.push('"');
            STANDARD.encode_string(bytes, out);
            out.push('"');
        }
        Value::Date(ms) => out.push_str(&temporal::to_text(*ms)),
        Value::Decimal(decimal) => out.push_str(&decimal.to_java_text()),
        Value::Float32(number) => out.push_str(&java_text::f32_text(*number)),
        Value::Float64(number) => out.push_str(&java_text::f64_text(*number)),
        Value::Int16(number) => append_integer(out, i64::from(*number)),
        Value::Int32(number) => append_integer(out, i64::from(*number)),
        Value::Int64(number) => append_integer(out, *number),
        Value::Int8(number) => append_integer(out, i64::from(*number)),
        Value::Map(entries) => {
            let (key, member) = match schema.map(|schema| &schema.kind) {
                Some(Kind::Map { key, value }) => (Some(&**key), Some(&**value)),
                _ => (None, None),
            };
            append_separated(out, ['{', '}'], entries, |out, (name, value)| {
                append(out, key, name)?;
                out.push(':');
                append(out, member, value)
            })?;
        }
        Value::Null => out.push_str("null"),
        Value::String(text) => append_quoted(out, text),
        Value::Struct(values) => append_struct(out, schema, values)?,
    }
    Ok(())
}

/// Fields that are null and have a default show the default.
fn append_struct(out: &mut String, schema: Option<&Schema>, values: &[Value]) -> Result<(), ConnectError> {
    let fields = schema.map(Schema::fields).unwrap_or_default();
    if fields.len() != values.len() {
        return Err(ConnectError::data("A STRUCT cannot be written as text without its schema"));
    }
    let members: Vec<_> = fields.iter().zip(values).collect();
    append_separated(out, ['{', '}'], &members, |out, (field, value)| {
        append_quoted(out, &field.name);
        out.push(':');
        let default = field.schema.default.as_ref().filter(|_| value.is_null());
        append(out, Some(&field.schema), default.unwrap_or(value))
    })
}

fn append_separated<T>(
    out: &mut String,
    brackets: [char; 2],
    items: &[T],
    append_item: impl Fn(&mut String, &T) -> Result<(), ConnectError>,
) -> Result<(), ConnectError> {
    out.push(brackets[0]);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        append_item(out, item)?;
    }
    out.push(brackets[1]);
    Ok(())
}

fn append_integer(out: &mut String, number: i64) {
    out.push_str(itoa::Buffer::new().format(number));
}

fn append_quoted(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        if matches!(letter, '"' | '\\') {
            out.push('\\');
        }
        out.push(letter);
    }
    out.push('"');
}
