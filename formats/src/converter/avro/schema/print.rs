//! Types to schema texts, member by member as Java's `Schema#toString` writes them: registries compare texts.
//!
//! Source: `org.apache.avro.Schema#toJson`, Avro 1.12.

use std::collections::HashSet;

use serde_json::{Map, Value as Json};

use super::{AvroSchema, FullName, RecordField, Shape, TypeId};

/// The schema text of `schema`.
pub(in super::super) fn print(schema: &AvroSchema) -> String {
    Printer { schema, written: HashSet::new() }.kind(schema.root, "").to_string()
}

struct Printer<'a> {
    schema: &'a AvroSchema,
    /// Full names written so far. A name that comes back is a reference, whatever type it has.
    written: HashSet<String>,
}

impl Printer<'_> {
    fn kind(&mut self, id: TypeId, space: &str) -> Json {
        let schema = self.schema;
        let kind = schema.get(id);
        let mut json = Map::new();
        let word = kind.word();
        if let Some(name) = &kind.name {
            if !self.written.insert(name.full()) {
                return name.within(space).into();
            }
            json.insert("type".into(), word.into());
            json.insert("name".into(), name.simple.clone().into());
            if name.namespace != space {
                json.insert("namespace".into(), name.namespace.clone().into());
            }
            if let Some(doc) = &kind.doc {
                json.insert("doc".into(), doc.clone().into());
            }
        }
        match &kind.shape {
            Shape::Union(branches) => {
                return branches.iter().map(|branch| self.kind(*branch, space)).collect();
            }
            Shape::Array(item) => {
                json.insert("type".into(), word.into());
                json.insert("items".into(), self.kind(*item, space));
            }
            Shape::Map(value) => {
                json.insert("type".into(), word.into());
                json.insert("values".into(), self.kind(*value, space));
            }
            Shape::Enum { symbols, default } => {
                json.insert("symbols".into(), symbols.clone().into());
                if let Some(default) = default {
                    json.insert("default".into(), default.clone().into());
                }
            }
            Shape::Fixed(size) => {
                json.insert("size".into(), (*size).into());
            }
            Shape::Record(fields) => {
                let space = kind.name.as_ref().map(|name| name.namespace.clone()).unwrap_or_default();
                let fields = fields.iter().map(|field| self.field(field, &space)).collect();
                json.insert("fields".into(), fields);
            }
            _ if kind.props.is_empty() => return word.into(),
            _ => {
                json.insert("type".into(), word.into());
            }
        }
        json.extend(kind.props.clone());
        Json::Object(json)
    }

    fn field(&mut self, field: &RecordField, space: &str) -> Json {
        let mut json = Map::new();
        json.insert("name".into(), field.name.clone().into());
        json.insert("type".into(), self.kind(field.kind, space));
        if let Some(doc) = &field.doc {
            json.insert("doc".into(), doc.clone().into());
        }
        if let Some(default) = &field.default {
            json.insert("default".into(), default.clone());
        }
        json.extend(field.props.clone());
        Json::Object(json)
    }
}

impl FullName {
    /// How a type inside the namespace `space` refers to this name.
    fn within(&self, space: &str) -> String {
        if self.namespace == space { self.simple.clone() } else { self.full() }
    }
}
