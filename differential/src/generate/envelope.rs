//! JSON envelopes: the text form of schemas and of values under them, right and wrong.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::json::{list, members_text, number, quoted, value as any_json};
use super::text;
use crate::model::{Kind, Schema, Value};
use crate::random::Random;

/// How often something is wrong on purpose: once in so many places.
const WRONG: usize = 60;

/// The text of a schema.
pub(super) fn schema_text(random: &mut Random, schema: &Schema, field: Option<&str>) -> String {
    if random.once_in(WRONG * 2) {
        return any_json(random, 1);
    }
    let mut members: Vec<(&str, String)> = Vec::new();
    let name = type_name(schema);
    members
        .push(("type", if random.once_in(WRONG * 2) { any_json(random, 0) } else { format!("\"{name}\"") }));
    match &schema.kind {
        Kind::Array(item) => members.push(("items", inner(random, item.as_deref()))),
        Kind::Map(key, value) => {
            members.push(("keys", inner(random, key.as_deref())));
            members.push(("values", inner(random, value.as_deref())));
        }
        Kind::Struct(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|field| schema_text(random, &field.schema, Some(&field.name))).collect();
            members.push(("fields", list(random, '[', ']', &fields)));
        }
        _ => {}
    }
    if schema.optional || random.once_in(2) {
        members.push(("optional", schema.optional.to_string()));
    }
    attributes(random, schema, &mut members);
    if let Some(default) = &schema.default {
        members.push(("default", payload_text(random, schema, default, Mistakes::None)));
    }
    if let Some(field) = field {
        members.push(("field", quoted(random, field)));
    }
    if random.once_in(WRONG) {
        members.swap_remove(random.below(members.len()));
    }
    if random.once_in(WRONG) && !members.is_empty() {
        let at = random.below(members.len());
        members[at].1 = any_json(random, 1);
    }
    if random.once_in(10) && !members.is_empty() {
        let at = random.below(members.len());
        members.rotate_left(at);
    }
    let members: Vec<(String, String)> =
        members.into_iter().map(|(name, value)| (format!("\"{name}\""), value)).collect();
    members_text(random, &members)
}

fn attributes(random: &mut Random, schema: &Schema, members: &mut Vec<(&str, String)>) {
    if let Some(name) = &schema.name {
        members.push(("name", quoted(random, name)));
    }
    if let Some(version) = schema.version {
        members.push(("version", version.to_string()));
    }
    if let Some(doc) = &schema.doc {
        members.push(("doc", quoted(random, doc)));
    }
    if !schema.parameters.is_empty() {
        let parameters: Vec<(String, String)> = schema
            .parameters
            .iter()
            .map(|(name, value)| (quoted(random, name), quoted(random, value)))
            .collect();
        members.push(("parameters", members_text(random, &parameters)));
    }
}

fn inner(random: &mut Random, schema: Option<&Schema>) -> String {
    schema.map_or_else(|| "null".to_owned(), |schema| schema_text(random, schema, None))
}

fn type_name(schema: &Schema) -> &'static str {
    match schema.kind {
        Kind::Int8 => "int8",
        Kind::Int16 => "int16",
        Kind::Int32 => "int32",
        Kind::Int64 => "int64",
        Kind::Float32 => "float",
        Kind::Float64 => "double",
        Kind::Boolean => "boolean",
        Kind::String => "string",
        Kind::Bytes => "bytes",
        Kind::Array(_) => "array",
        Kind::Map(..) => "map",
        Kind::Recursive(_) | Kind::Struct(_) => "struct",
    }
}

/// Whether a payload may be wrong in places.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mistakes {
    /// Everything fits.
    None,
    /// Something may not fit.
    Some,
}

/// The text of a value under `schema`.
pub(super) fn payload_text(
    random: &mut Random,
    schema: &Schema,
    value: &Value,
    mistakes: Mistakes,
) -> String {
    if mistakes == Mistakes::Some && random.once_in(WRONG) {
        return if random.once_in(3) { number(random) } else { any_json(random, 1) };
    }
    match value {
        Value::Null | Value::Other(_) => "null".to_owned(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Int8(number) => number.to_string(),
        Value::Int16(number) => number.to_string(),
        Value::Int32(number) => number.to_string(),
        Value::Int64(number) => number.to_string(),
        Value::Float32(number) if number.is_finite() => format!("{number:?}"),
        Value::Float64(number) if number.is_finite() => format!("{number:?}"),
        Value::Float32(_) | Value::Float64(_) => "\"NaN\"".to_owned(),
        Value::String(text) => quoted(random, text),
        Value::Bytes(bytes) => format!("\"{}\"", STANDARD.encode(bytes)),
        Value::Decimal { .. } if random.once_in(4) => number(random),
        Value::Decimal { unscaled, .. } => format!("\"{}\"", STANDARD.encode(unscaled)),
        Value::Date(ms) if schema.logical() == Some("Date") => (ms / 86_400_000).to_string(),
        Value::Date(ms) => ms.to_string(),
        Value::List(items) => {
            let Kind::Array(Some(item)) = &schema.kind else { return "[]".to_owned() };
            let items: Vec<String> =
                items.iter().map(|value| payload_text(random, item, value, mistakes)).collect();
            list(random, '[', ']', &items)
        }
        Value::Map(entries) => map_text(random, schema, entries, mistakes),
        Value::Struct(values) => {
            let mut members: Vec<(String, String)> = Vec::new();
            for (field, value) in schema.fields().iter().zip(values) {
                if *value == Value::Null && random.once_in(2) {
                    continue;
                }
                let text = payload_text(random, &field.schema, value, mistakes);
                members.push((quoted(random, &field.name), text));
            }
            if mistakes == Mistakes::Some && random.once_in(WRONG / 4) && !members.is_empty() {
                members.swap_remove(random.below(members.len()));
            }
            if mistakes == Mistakes::Some && random.once_in(WRONG / 4) {
                let name = text::name(random);
                let name = quoted(random, &name);
                if !members.iter().any(|(known, _)| *known == name) {
                    let value = any_json(random, 1);
                    members.push((name, value));
                }
            }
            members_text(random, &members)
        }
    }
}

fn map_text(random: &mut Random, schema: &Schema, entries: &[(Value, Value)], mistakes: Mistakes) -> String {
    let Kind::Map(Some(key), Some(member)) = &schema.kind else { return "{}".to_owned() };
    if key.kind == Kind::String {
        let mut members: Vec<(String, String)> = Vec::new();
        for (name, value) in entries {
            let Value::String(name) = name else { continue };
            members.push((quoted(random, name), payload_text(random, member, value, mistakes)));
        }
        return members_text(random, &members);
    }
    let mut pairs: Vec<String> = Vec::new();
    for (name, value) in entries {
        let pair = [payload_text(random, key, name, mistakes), payload_text(random, member, value, mistakes)];
        pairs.push(list(random, '[', ']', &pair));
    }
    list(random, '[', ']', &pairs)
}
