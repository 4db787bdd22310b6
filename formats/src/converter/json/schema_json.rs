//! The schema member of an envelope, as it is written.
//!
//! Source: `JsonConverter#asJsonSchema`, Kafka 4.1.

use lakeward_api::schema::{Kind, Schema};

use crate::FormatError;
use crate::json_text::{Form, append_integer, append_quoted, append_typed};

/// Java's stack overflows here.
const ENDLESS: &str = "A schema that contains itself has no JSON text: set schemas.enable to false";

/// Appends the JSON text of `schema`, members in Kafka Connect's order, without white space.
///
/// # Errors
/// Class `Record` when a default does not have the type of its schema.
pub(super) fn append_schema(out: &mut Vec<u8>, schema: &Schema, form: Form) -> Result<(), FormatError> {
    append_members(out, schema, form)?;
    out.push(b'}');
    Ok(())
}

/// Everything but the closing brace.
fn append_members(out: &mut Vec<u8>, schema: &Schema, form: Form) -> Result<(), FormatError> {
    out.extend_from_slice(b"{\"type\":\"");
    out.extend_from_slice(type_text(&schema.kind).as_bytes());
    out.push(b'"');
    match &schema.kind {
        Kind::Array(item) => {
            out.extend_from_slice(b",\"items\":");
            append_schema(out, item, form)?;
        }
        Kind::Map { key, value } => {
            out.extend_from_slice(b",\"keys\":");
            append_schema(out, key, form)?;
            out.extend_from_slice(b",\"values\":");
            append_schema(out, value, form)?;
        }
        Kind::Struct(fields) => {
            out.extend_from_slice(b",\"fields\":[");
            for (at, field) in fields.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                append_members(out, &field.schema, form)?;
                out.extend_from_slice(b",\"field\":");
                append_quoted(out, &field.name);
                out.push(b'}');
            }
            out.push(b']');
        }
        Kind::Recursive(_) => return Err(FormatError::data(ENDLESS)),
        _ => {}
    }
    out.extend_from_slice(if schema.optional { b",\"optional\":true" } else { b",\"optional\":false" });
    if let Some(name) = &schema.name {
        out.extend_from_slice(b",\"name\":");
        append_quoted(out, name);
    }
    if let Some(version) = schema.version {
        out.extend_from_slice(b",\"version\":");
        append_integer(out, i64::from(version));
    }
    if let Some(doc) = &schema.doc {
        out.extend_from_slice(b",\"doc\":");
        append_quoted(out, doc);
    }
    if !schema.parameters.is_empty() {
        out.extend_from_slice(b",\"parameters\":");
        for (at, (name, value)) in schema.parameters.iter().enumerate() {
            out.push(if at > 0 { b',' } else { b'{' });
            append_quoted(out, name);
            out.push(b':');
            append_quoted(out, value);
        }
        out.push(b'}');
    }
    if let Some(default) = &schema.default {
        out.extend_from_slice(b",\"default\":");
        append_typed(out, schema, default, form)?;
    }
    Ok(())
}

fn type_text(kind: &Kind) -> &'static str {
    match kind {
        Kind::Array(_) => "array",
        Kind::Boolean => "boolean",
        Kind::Bytes => "bytes",
        Kind::Float32 => "float",
        Kind::Float64 => "double",
        Kind::Int16 => "int16",
        Kind::Int32 => "int32",
        Kind::Int64 => "int64",
        Kind::Int8 => "int8",
        Kind::Map { .. } => "map",
        Kind::String => "string",
        Kind::Recursive(_) | Kind::Struct(_) => "struct",
    }
}
