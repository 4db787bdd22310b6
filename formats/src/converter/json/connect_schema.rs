//! The schema member of an envelope.
//!
//! Source: `JsonConverter#asConnectSchema`, Kafka 4.1.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use lakeward_api::rows::value_at;
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::value::Value;

use super::column::{Column, NullRule, Reading, Strictness};
use super::cursor::Cursor;
use super::fault::{Fault, Parsed, data};
use super::tree::Node;

/// Reads a schema text; `None` for JSON null.
pub(super) fn read_schema(text: &[u8], nulls: NullRule) -> Parsed<Option<Schema>> {
    let node = Node::read(&mut Cursor { bytes: text, pos: 0 })?;
    if node.is_null() { Ok(None) } else { schema_of(&node, nulls).map(Some) }
}

fn schema_of(node: &Node<'_>, nulls: NullRule) -> Parsed<Schema> {
    let Some(kind) = node.get("type").and_then(Node::text) else {
        return Err(data("Schema must contain 'type' field"));
    };
    let mut schema = Schema::new(kind_of(kind, node, nulls)?);
    schema.optional = node.get("optional").is_some_and(Node::is_true);
    schema.name = node.get("name").and_then(Node::text).map(Into::into);
    schema.doc = node.get("doc").and_then(Node::text).map(Into::into);
    schema.version = node.get("version").and_then(Node::integer).map(|version| version as i32);
    let parameters = node.get("parameters").and_then(Node::members).unwrap_or_default();
    // Of members of one name the last counts.
    let parameters: BTreeMap<&str, &Node<'_>> =
        parameters.iter().map(|(name, value)| (&**name, value)).collect();
    for (name, value) in parameters {
        let Some(text) = value.text() else {
            return Err(data("Schema parameters must have string values."));
        };
        schema.parameters.insert(name.to_owned(), text.to_owned());
    }
    if let Some(default) = node.get("default") {
        let reading = Reading { strictness: Strictness::Envelope, nulls };
        let value = constant(&schema, default.raw, reading).map_err(|fault| match *fault {
            Fault::Null { .. } => builder("Invalid default value"),
            _ => fault,
        })?;
        schema.default = (!value.is_null()).then_some(value);
    }
    Ok(schema)
}

fn kind_of(kind: &str, node: &Node<'_>, nulls: NullRule) -> Parsed<Kind> {
    let part = |name: &str| node.get(name).filter(|part| !part.is_null());
    Ok(match kind {
        "array" => match part("items") {
            None => return Err(data("Array schema did not specify the element type")),
            Some(items) => Kind::Array(Arc::new(schema_of(items, nulls)?)),
        },
        "boolean" => Kind::Boolean,
        "bytes" => Kind::Bytes,
        "double" => Kind::Float64,
        "float" => Kind::Float32,
        "int16" => Kind::Int16,
        "int32" => Kind::Int32,
        "int64" => Kind::Int64,
        "int8" => Kind::Int8,
        "map" => {
            for (name, word) in [("keys", "key"), ("values", "value")] {
                if node.get(name).is_none() {
                    return Err(data(format!("Map schema did not specify the {word} type")));
                }
            }
            let key = part("keys").map(|part| schema_of(part, nulls)).transpose()?;
            let value = part("values").map(|part| schema_of(part, nulls)).transpose()?;
            let key = key.ok_or_else(|| builder("keySchema cannot be null."))?;
            let value = value.ok_or_else(|| builder("valueSchema cannot be null."))?;
            Kind::Map { key: Arc::new(key), value: Arc::new(value) }
        }
        "string" => Kind::String,
        "struct" => Kind::Struct(fields_of(node, nulls)?),
        unknown => return Err(data(format!("Unknown schema type: {unknown}"))),
    })
}

fn fields_of(node: &Node<'_>, nulls: NullRule) -> Parsed<Vec<Field>> {
    let Some(list) = node.get("fields").and_then(Node::items) else {
        return Err(data("Struct schema's \"fields\" argument is not an array."));
    };
    let mut names = HashSet::new();
    let field = |field: &Node<'_>| {
        let Some(name) = field.get("field").and_then(Node::text) else {
            return Err(data("Struct schema's field name not specified properly"));
        };
        let schema = Arc::new(schema_of(field, nulls)?);
        if name.is_empty() {
            return Err(builder("fieldName cannot be null."));
        }
        if !names.insert(name.to_owned()) {
            return Err(builder(format!("Cannot create field because of field name duplication {name}")));
        }
        Ok(Field { name: name.into(), schema })
    };
    list.iter().map(field).collect()
}

/// A value in payload form, in its logical form.
pub(super) fn constant(schema: &Schema, text: &[u8], reading: Reading) -> Parsed<Value> {
    let mut column = Column::new(schema);
    column.append_value(&mut Cursor { bytes: text, pos: 0 }, reading)?;
    Ok(value_at(schema, &column.finish(), 0))
}

fn builder(message: impl Into<String>) -> Box<Fault> {
    Box::new(Fault::Builder(message.into()))
}
