//! Types to schema texts, member by member as Java's `Schema#toString` writes them: registries compare texts.
//!
//! Source: `org.apache.avro.Schema#toJson`, Avro 1.12.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::{AvroSchema, FullName, RecordField, Shape, TypeId};

/// The schema text of `schema`.
pub(in super::super) fn print(schema: &AvroSchema) -> String {
    Printer { schema, written: HashMap::new() }.kind(schema.root, "").to_string()
}

struct Printer<'a> {
    schema: &'a AvroSchema,
    /// Named types written so far. A name may come back with other contents: then it is written in full.
    written: HashMap<String, TypeId>,
}

impl Printer<'_> {
    fn kind(&mut self, id: TypeId, space: &str) -> Json {
        let schema = self.schema;
        let kind = schema.get(id);
        let mut json = Map::new();
        let word = kind.word();
        if let Some(name) = &kind.name {
            let full = name.full();
            if self.written.get(&full).is_some_and(|known| schema.same(*known, id, SAME_DEPTH)) {
                return name.within(space).into();
            }
            self.written.entry(full).or_insert(id);
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

impl AvroSchema {
    /// Whether two types are equal, as Java's `Schema#equals`: docs do not count.
    fn same(&self, left: TypeId, right: TypeId, depth_left: usize) -> bool {
        let Some(depth_left) = depth_left.checked_sub(1) else { return false };
        if left == right {
            return true;
        }
        let (left, right) = (self.get(left), self.get(right));
        if left.name != right.name || left.props != right.props {
            return false;
        }
        match (&left.shape, &right.shape) {
            (Shape::Array(left), Shape::Array(right)) | (Shape::Map(left), Shape::Map(right)) => {
                self.same(*left, *right, depth_left)
            }
            (Shape::Union(left), Shape::Union(right)) => {
                let pairs = || left.iter().zip(right);
                left.len() == right.len() && pairs().all(|(left, right)| self.same(*left, *right, depth_left))
            }
            (Shape::Record(left), Shape::Record(right)) => {
                let same = |(left, right): (&RecordField, &RecordField)| {
                    left.name == right.name
                        && left.default == right.default
                        && left.props == right.props
                        && self.same(left.kind, right.kind, depth_left)
                };
                left.len() == right.len() && left.iter().zip(right).all(same)
            }
            (left, right) => left == right,
        }
    }
}

impl FullName {
    /// How a type inside the namespace `space` refers to this name.
    fn within(&self, space: &str) -> String {
        if self.namespace == space { self.simple.clone() } else { self.full() }
    }
}

/// Types that differ further inside than this are not told apart by walking them.
const SAME_DEPTH: usize = 24;
