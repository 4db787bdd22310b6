//! Single values as JSON text: schemaless data, and the defaults of schemas.

use chrono::DateTime;
use lakeward_api::decimal::Decimal;
use lakeward_api::rows::DAY_MS;
use lakeward_api::schema::{Field, Kind, Logical, Schema};
use lakeward_api::value::Value;

use super::{DecimalFormat, Form, MapForm, NULL_FOR_REQUIRED, NullForm, decimal, hash, text};
use crate::FormatError;
use crate::converter::java_string;

/// What becomes of schemaless objects that Connect has no type for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Untyped {
    /// As `JsonConverter` does.
    Refuse,
    /// As Jackson writes the Java object.
    Write,
}

/// Appends a schemaless value as `JsonConverter` does.
///
/// # Errors
/// Class `Record` for dates and decimals, which have no type without a schema.
pub(crate) fn append_schemaless(out: &mut Vec<u8>, value: &Value) -> Result<(), FormatError> {
    append(out, value, Untyped::Refuse)
}

/// Appends a value as Jackson writes the Java object.
pub(crate) fn append_object(out: &mut Vec<u8>, value: &Value) -> Result<(), FormatError> {
    append(out, value, Untyped::Write)
}

fn append(out: &mut Vec<u8>, value: &Value, untyped: Untyped) -> Result<(), FormatError> {
    match value {
        Value::Date(_) | Value::Decimal(_) if untyped == Untyped::Refuse => {
            return Err(untyped_object(value.java_class()));
        }
        Value::Array(items) | Value::Struct(items) => {
            append_list(out, items, |out, item| append(out, item, untyped))?;
        }
        Value::Boolean(flag) => append_boolean(out, *flag),
        Value::Bytes(bytes) => text::append_base64(out, bytes),
        Value::Date(ms) => text::append_integer(out, *ms),
        Value::Decimal(decimal) => decimal::append(out, &decimal.unscaled, decimal.scale)?,
        Value::Float32(number) => text::append_float(out, *number),
        Value::Float64(number) => text::append_double(out, *number),
        Value::Int16(number) => text::append_integer(out, i64::from(*number)),
        Value::Int32(number) => text::append_integer(out, i64::from(*number)),
        Value::Int64(number) => text::append_integer(out, *number),
        Value::Int8(number) => text::append_integer(out, i64::from(*number)),
        Value::Map(entries) if untyped == Untyped::Write => {
            let each = |out: &mut Vec<u8>, value: &Value| append(out, value, untyped);
            append_map(out, entries, MapForm::Object, append_name, each)?;
        }
        Value::Map(entries) => {
            let names = entries.iter().all(|(key, _)| key.as_str().is_some());
            let form = if names { MapForm::Object } else { MapForm::Pairs };
            let each = |out: &mut Vec<u8>, value: &Value| append(out, value, untyped);
            append_map(out, entries, form, each, each)?;
        }
        Value::Null => out.extend_from_slice(b"null"),
        Value::String(string) => text::append_quoted(out, string),
    }
    Ok(())
}

/// Appends the key of a map as the name that Jackson gives it.
fn append_name(out: &mut Vec<u8>, key: &Value) -> Result<(), FormatError> {
    let mut name = Vec::new();
    match key {
        Value::Bytes(bytes) => {
            text::append_base64(out, bytes);
            return Ok(());
        }
        Value::Date(ms) => {
            let time =
                DateTime::from_timestamp_millis(*ms).ok_or_else(|| FormatError::data(BEYOND_CALENDAR))?;
            name.extend_from_slice(time.format("%Y-%m-%dT%H:%M:%S%.3f+00:00").to_string().as_bytes());
        }
        Value::Null => return Err(FormatError::data(NULL_KEY)),
        key => java_string::append(&mut name, None, key),
    }
    text::append_quoted(out, &String::from_utf8_lossy(&name));
    Ok(())
}

/// The words of `JsonConverter`.
pub(super) fn untyped_object(class: &str) -> FormatError {
    FormatError::data(format!("Java class class {class} does not have corresponding schema type."))
}

/// Appends a value of `schema` as `JsonConverter` does; logical values in logical or base form.
///
/// # Errors
/// Class `Record` when the value does not have the type of the schema.
pub(crate) fn append_typed(
    out: &mut Vec<u8>,
    schema: &Schema,
    value: &Value,
    form: Form,
) -> Result<(), FormatError> {
    if value.is_null() {
        return match &schema.default {
            Some(default) if form.nulls == NullForm::Default => append_typed(out, schema, default, form),
            _ if schema.optional => {
                out.extend_from_slice(b"null");
                Ok(())
            }
            _ => Err(FormatError::data(NULL_FOR_REQUIRED)),
        };
    }
    if let Some(logical) = schema.logical() {
        return append_logical(out, logical, value, form);
    }
    match (&schema.kind, value) {
        (Kind::Array(item), Value::Array(items)) => {
            append_list(out, items, |out, value| append_typed(out, item, value, form))?;
        }
        (Kind::Map { key, value }, Value::Map(entries)) => {
            append_map(
                out,
                entries,
                form.dialect.map_form(key),
                |out, name| append_typed(out, key, name, form),
                |out, member| append_typed(out, value, member, form),
            )?;
        }
        (Kind::Recursive(recursive), value) => append_typed(out, &recursive.resolve(), value, form)?,
        (Kind::Struct(fields), Value::Struct(values))
            if fields.len() == values.len() && form.dialect.is_union(schema) =>
        {
            match chosen(fields, values, form) {
                Some((field, value)) => append_typed(out, &field.schema, value, form)?,
                None => out.extend_from_slice(b"null"),
            }
        }
        (Kind::Struct(fields), Value::Struct(values)) if fields.len() == values.len() => {
            append_fields(out, fields, values, form)?;
        }
        (Kind::Boolean, Value::Boolean(_))
        | (Kind::Bytes, Value::Bytes(_))
        | (Kind::Float32, Value::Float32(_))
        | (Kind::Float64, Value::Float64(_))
        | (Kind::Int16, Value::Int16(_))
        | (Kind::Int32, Value::Int32(_))
        | (Kind::Int64, Value::Int64(_))
        | (Kind::Int8, Value::Int8(_))
        | (Kind::String, Value::String(_)) => append(out, value, Untyped::Refuse)?,
        (kind, value) => {
            let (kind, class) = (kind.name(), value.java_class());
            return Err(FormatError::data(format!("Invalid type for {kind}: class {class}")));
        }
    }
    Ok(())
}

/// Appends a STRUCT that is no union, without the fields that have no text.
fn append_fields(
    out: &mut Vec<u8>,
    fields: &[Field],
    values: &[Value],
    form: Form,
) -> Result<(), FormatError> {
    out.push(b'{');
    let start = out.len();
    for (field, value) in fields.iter().zip(values) {
        if is_absent(&field.schema, value, form) {
            continue;
        }
        if out.len() > start {
            out.push(b',');
        }
        text::append_quoted(out, &field.name);
        out.push(b':');
        append_typed(out, &field.schema, value, form)?;
    }
    out.push(b'}');
    Ok(())
}

/// The field of a union that is written: the first that is not null, or has a default.
fn chosen<'v>(fields: &'v [Field], values: &'v [Value], form: Form) -> Option<(&'v Field, &'v Value)> {
    let has_default = |field: &Field| field.schema.default.is_some() && form.nulls == NullForm::Default;
    fields.iter().zip(values).find(|(field, value)| !value.is_null() || has_default(field))
}

/// Whether a value has no text at all, not even a null, so that an object leaves it out: it is a union that
/// may not be null and holds nothing, or the field that it holds is one. Recursion is bounded by the depth
/// of the value.
fn is_absent(schema: &Schema, value: &Value, form: Form) -> bool {
    match &schema.kind {
        Kind::Recursive(recursive) => holds_nothing(&recursive.resolve(), schema.optional, value, form),
        _ => holds_nothing(schema, schema.optional, value, form),
    }
}

/// The same for a value of `schema` at a place that may be null or not.
pub(super) fn holds_nothing(schema: &Schema, is_optional: bool, value: &Value, form: Form) -> bool {
    match (&schema.kind, value) {
        (Kind::Struct(fields), Value::Struct(values)) if form.dialect.is_union(schema) => {
            let chosen = chosen(fields, values, form);
            chosen.map_or(!is_optional, |(field, value)| is_absent(&field.schema, value, form))
        }
        _ => false,
    }
}

fn append_logical(out: &mut Vec<u8>, logical: Logical, value: &Value, form: Form) -> Result<(), FormatError> {
    let (name, expected) = match (logical, value) {
        (Logical::Decimal { scale }, Value::Decimal(Decimal { unscaled, scale: own })) if scale == *own => {
            return append_decimal(out, unscaled, scale, form);
        }
        (Logical::Decimal { scale }, Value::Bytes(unscaled)) => {
            return append_decimal(out, unscaled, scale, form);
        }
        (Logical::Decimal { scale }, Value::Decimal(Decimal { scale: own, .. })) => {
            return Err(FormatError::data(format!(
                "Decimal value has mismatching scale for given Decimal schema. Schema has scale {scale}, \
                 value has scale {own}."
            )));
        }
        (Logical::Date, Value::Date(ms)) => {
            text::append_integer(out, ms.div_euclid(DAY_MS));
            return Ok(());
        }
        (Logical::Time | Logical::Timestamp, Value::Date(ms) | Value::Int64(ms)) => {
            text::append_integer(out, *ms);
            return Ok(());
        }
        (Logical::Date | Logical::Time, Value::Int32(number)) => {
            text::append_integer(out, i64::from(*number));
            return Ok(());
        }
        (Logical::Date, _) => ("Date", "Date"),
        (Logical::Time, _) => ("Time", "Date"),
        (Logical::Timestamp, _) => ("Timestamp", "Date"),
        (Logical::Decimal { .. }, _) => ("Decimal", "BigDecimal"),
    };
    let class = value.java_class();
    Err(FormatError::data(format!("Invalid type for {name}, expected {expected} but was class {class}")))
}

fn append_decimal(out: &mut Vec<u8>, unscaled: &[u8], scale: i32, form: Form) -> Result<(), FormatError> {
    match form.decimals {
        DecimalFormat::Base64 => text::append_base64(out, decimal::shortest(unscaled)),
        DecimalFormat::Numeric => decimal::append(out, unscaled, scale)?,
    }
    Ok(())
}

fn append_boolean(out: &mut Vec<u8>, flag: bool) {
    out.extend_from_slice(if flag { b"true" } else { b"false" });
}

fn append_list(
    out: &mut Vec<u8>,
    items: &[Value],
    append_item: impl Fn(&mut Vec<u8>, &Value) -> Result<(), FormatError>,
) -> Result<(), FormatError> {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        append_item(out, item)?;
    }
    out.push(b']');
    Ok(())
}

/// The words of Jackson.
const NULL_KEY: &str = "Null key for a Map not allowed in JSON (use a converting NullKeySerializer?)";

const BEYOND_CALENDAR: &str = "A date that is a key of a map is beyond the calendar.";

fn append_map(
    out: &mut Vec<u8>,
    entries: &[(Value, Value)],
    form: MapForm,
    append_key: impl Fn(&mut Vec<u8>, &Value) -> Result<(), FormatError>,
    append_value: impl Fn(&mut Vec<u8>, &Value) -> Result<(), FormatError>,
) -> Result<(), FormatError> {
    let [open, before_key, between, after, close] = form.marks();
    out.extend_from_slice(open);
    hash::in_order(
        entries.len(),
        |index| hash::of_value(&entries[index].0),
        |position, index| {
            let (key, value) = &entries[index];
            if position > 0 {
                out.push(b',');
            }
            out.extend_from_slice(before_key);
            append_key(out, key)?;
            out.extend_from_slice(between);
            append_value(out, value)?;
            out.extend_from_slice(after);
            Ok::<(), FormatError>(())
        },
    )?;
    out.extend_from_slice(close);
    Ok(())
}
