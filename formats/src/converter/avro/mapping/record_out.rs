//! Records: of STRUCT schemas, and the entries of maps whose keys are not texts.

use std::collections::HashSet;

use lakeward_api::schema::Schema;
use serde_json::{Map, Value as Json};

use super::super::fault::{Converted, bare};
use super::super::schema::{FullName, RecordField, Shape, Type, TypeId};
use super::default_out::default_json;
use super::from_connect::{FromConnect, check_name, checked};
use super::*;

impl<'a> FromConnect<'a> {
    /// The record of a STRUCT that is not null.
    pub(super) fn record(&mut self, schema: &'a Schema) -> Converted<TypeId> {
        let mut kind = Type::new(Shape::Record(Vec::new()));
        kind.name = Some(checked(self.name_or_default(schema.name.as_deref()))?);
        let doc = if self.mapping.discard_docs { CONNECT_RECORD_DOC } else { RECORD_DOC };
        kind.doc = schema.parameters.get(doc).cloned();
        let id = self.avro.add(kind.clone());
        if let Some(name) = schema.name.as_deref() {
            self.records.retain(|(known, _)| *known != name);
            self.records.push((name, id));
        }
        let mut fields: Vec<RecordField> = Vec::with_capacity(schema.fields().len());
        for field in schema.fields() {
            let doc = format!("{FIELD_DOC}{}", field.name);
            let doc = schema.parameters.get(&doc).filter(|_| !self.mapping.discard_docs).cloned();
            let name = scrub_field(&field.name, self.mapping.scrub);
            fields.push(self.field(name, &field.schema, doc)?);
        }
        // Different names may be the same once they are scrubbed.
        let mut names = HashSet::with_capacity(fields.len());
        if let Some(twice) = fields.iter().find(|field| !names.insert(field.name.as_str())) {
            let message = format!("Duplicate field {} in record {}.", twice.name, kind.full_name());
            return Err(bare("org.apache.avro.AvroRuntimeException", message));
        }
        kind.shape = Shape::Record(fields);
        self.annotate(schema, &mut kind);
        *self.avro.get_mut(id) = kind;
        Ok(id)
    }

    /// The entries of a map as records.
    pub(super) fn entries(&mut self, map: &Schema, key: &'a Schema, value: &'a Schema) -> Converted<TypeId> {
        let mut kind = Type::new(Shape::Record(Vec::new()));
        kind.name = Some(match map.name.as_deref() {
            Some(name) => {
                kind.props.insert(INTERNAL_TYPE.to_owned(), MAP_ENTRY.into());
                checked(self.name_or_default(Some(name)))?
            }
            None => FullName { namespace: NAMESPACE.to_owned(), simple: MAP_ENTRY.to_owned() },
        });
        let key = self.field("key".to_owned(), key, None)?;
        let value = self.field("value".to_owned(), value, None)?;
        kind.shape = Shape::Record(vec![key, value]);
        Ok(self.avro.add(kind))
    }

    fn field(&mut self, name: String, schema: &'a Schema, doc: Option<String>) -> Converted<RecordField> {
        let type_name = schema.name.as_deref().map(|name| scrub_full(name, self.mapping.scrub));
        let seen_before = type_name.is_some_and(|name| !self.seen.insert(name));
        let kind = self.convert(schema, false)?;
        // The library of Java looks at the name when the field is complete.
        check_name(&name)?;
        let default = match &schema.default {
            Some(default) => default_json(schema, default, self.mapping)
                .filter(|json| fits(schema, json, self.mapping.scrub)),
            None => schema.optional.then_some(Json::Null),
        };
        let mut props = Map::new();
        // A type is written once, but every field has parameters of its own.
        if self.mapping.meta_data
            && seen_before
            && self.has_name(kind)
            && let Some(params) = self.parameters(schema)
        {
            props.insert(CONNECT_PARAMETERS.to_owned(), params);
        }
        let doc = if self.mapping.discard_docs { schema.doc.as_deref().map(str::to_owned) } else { doc };
        Ok(RecordField { name, kind, doc, default, props })
    }

    /// Whether the type, or a branch of it, has a name.
    fn has_name(&self, id: TypeId) -> bool {
        match &self.avro.get(id).shape {
            Shape::Union(branches) => branches.iter().any(|branch| self.avro.get(*branch).name.is_some()),
            _ => self.avro.get(id).name.is_some(),
        }
    }
}

/// Whether Avro accepts `json` as the default of a field: pairs are no entries of a map, and a union may do
/// without null, which stands for defaults of all branches but the first.
fn fits(schema: &Schema, json: &Json, scrub: bool) -> bool {
    if json.is_null() {
        return schema.optional || !is_union(schema);
    }
    match &schema.kind {
        Kind::Map { value, .. } => match json {
            Json::Object(members) => members.values().all(|json| fits(value, json, scrub)),
            json => json.as_array().is_some_and(Vec::is_empty),
        },
        Kind::Array(item) => {
            json.as_array().is_some_and(|list| list.iter().all(|json| fits(item, json, scrub)))
        }
        Kind::Struct(fields) if is_union(schema) => {
            fields.first().is_some_and(|field| fits(&field.schema, json, scrub))
        }
        Kind::Struct(fields) => fields.iter().all(|field| {
            json.get(scrub_field(&field.name, scrub)).is_none_or(|json| fits(&field.schema, json, scrub))
        }),
        _ => true,
    }
}
