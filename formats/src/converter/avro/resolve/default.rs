//! Defaults as Avro writes them.
//!
//! Source: `ResolvingGrammarGenerator#encode`.

use serde_json::Value as Json;

use super::super::fault::{Converted, mistyped};
use super::super::schema::{AvroSchema, Shape, TypeId};
use super::super::write::{write_bytes, write_long};

/// The bytes of the default `json` of a field of type `id`.
///
/// # Errors
/// `AvroTypeException` when it is no value of that type.
pub(super) fn encode(schema: &AvroSchema, id: TypeId, json: &Json) -> Converted<Vec<u8>> {
    let mut out = Vec::new();
    write(schema, id, json, &mut out, DEPTH_MAX)?;
    Ok(out)
}

fn write(
    schema: &AvroSchema,
    id: TypeId,
    json: &Json,
    out: &mut Vec<u8>,
    depth_left: usize,
) -> Converted<()> {
    let wrong = || mistyped(format!("Default {json} is no {}", schema.get(id).word()));
    let depth_left = depth_left.checked_sub(1).ok_or_else(wrong)?;
    let text = || json.as_str().ok_or_else(wrong);
    match &schema.get(id).shape {
        Shape::Null => {}
        Shape::Boolean => out.push(u8::from(json.as_bool().ok_or_else(wrong)?)),
        Shape::Int => write_long(out, i64::from(integer(json).ok_or_else(wrong)? as i32)),
        Shape::Long => write_long(out, integer(json).ok_or_else(wrong)?),
        Shape::Float => out.extend_from_slice(&(number(json).ok_or_else(wrong)? as f32).to_le_bytes()),
        Shape::Double => out.extend_from_slice(&number(json).ok_or_else(wrong)?.to_le_bytes()),
        Shape::String => write_bytes(out, text()?.as_bytes()),
        Shape::Bytes => write_bytes(out, &latin1(text()?)),
        Shape::Fixed(size) => {
            let mut bytes = latin1(text()?);
            bytes.resize(*size, 0);
            out.extend_from_slice(&bytes);
        }
        Shape::Enum { symbols, .. } => {
            let symbol = text()?;
            let index = symbols.iter().zip(0..).find(|(known, _)| *known == symbol).ok_or_else(wrong)?.1;
            write_long(out, index);
        }
        Shape::Array(item) => {
            let items = json.as_array().ok_or_else(wrong)?;
            write_count(items.len(), out);
            for json in items {
                write(schema, *item, json, out, depth_left)?;
            }
            write_end(items.len(), out);
        }
        Shape::Map(value) => {
            let entries = json.as_object().ok_or_else(wrong)?;
            write_count(entries.len(), out);
            for (key, json) in entries {
                write_bytes(out, key.as_bytes());
                write(schema, *value, json, out, depth_left)?;
            }
            write_end(entries.len(), out);
        }
        Shape::Union(branches) => {
            let fits = |branch: &TypeId| is_like(&schema.get(*branch).shape, json);
            let (index, branch) = (0..).zip(branches).find(|(_, branch)| fits(branch)).ok_or_else(wrong)?;
            write_long(out, index);
            write(schema, *branch, json, out, depth_left)?;
        }
        Shape::Record(fields) => {
            let members = json.as_object().ok_or_else(wrong)?;
            for field in fields {
                let json = members.get(&field.name).or(field.default.as_ref());
                let missing = || mistyped(format!("No default value for: {}", field.name));
                write(schema, field.kind, json.ok_or_else(missing)?, out, depth_left)?;
            }
        }
    }
    Ok(())
}

/// Whether `json` looks like a value of a branch.
fn is_like(shape: &Shape, json: &Json) -> bool {
    match shape {
        Shape::Null => json.is_null(),
        Shape::Boolean => json.is_boolean(),
        Shape::Int | Shape::Long => json.is_i64(),
        Shape::Float | Shape::Double => json.is_number(),
        Shape::String | Shape::Enum { .. } | Shape::Bytes | Shape::Fixed(_) => json.is_string(),
        Shape::Array(_) | Shape::Union(_) => json.is_array(),
        Shape::Map(_) | Shape::Record(_) => json.is_object(),
    }
}

fn write_count(count: usize, out: &mut Vec<u8>) {
    write_long(out, i64::try_from(count).unwrap_or(i64::MAX));
}

/// An empty block ends what has items; what has none ended with their count.
fn write_end(count: usize, out: &mut Vec<u8>) {
    if count > 0 {
        out.push(0);
    }
}

fn integer(json: &Json) -> Option<i64> {
    json.as_i64().or_else(|| json.as_f64().map(|number| number as i64))
}

/// Java takes texts for numbers here, so that there can be `NaN`.
fn number(json: &Json) -> Option<f64> {
    json.as_f64().or_else(|| json.as_str()?.trim().parse().ok())
}

/// One byte per character; those beyond are question marks, as in Java.
fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?')).collect()
}

const DEPTH_MAX: usize = 100;
