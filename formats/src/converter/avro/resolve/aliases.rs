//! The names that the latest schema gives to what older schemas called otherwise.
//!
//! Source: `Schema.applyAliases`.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value as Json};

use super::super::fault::{Converted, malformed};
use super::super::schema::{AvroSchema, FullName, Shape, TypeId};
use super::Parsed;

/// The aliases of a schema.
#[derive(Default)]
struct Aliases {
    /// The name of each type by its alias.
    types: HashMap<String, FullName>,
    /// The name of each field by its alias, by the name of the record.
    fields: HashMap<String, HashMap<String, String>>,
}

/// `written` with the names that `latest` has for its types and fields.
///
/// # Errors
/// When that makes two fields of a record one.
pub(super) fn apply(written: &AvroSchema, latest: &Parsed<'_>) -> Converted<AvroSchema> {
    let mut aliases = Aliases::default();
    for text in latest.texts {
        // Schemas that are no JSON were refused when they were parsed.
        if let Ok(json) = serde_json::from_str(text) {
            aliases.collect(&json, "");
        }
    }
    let mut renamed = written.clone();
    if !aliases.types.is_empty() || !aliases.fields.is_empty() {
        rename(&mut renamed, &aliases)?;
    }
    Ok(renamed)
}

impl Aliases {
    /// Adds those of the types in `json`. Recursion is bounded as the parser of the schema bounds it.
    fn collect(&mut self, json: &Json, namespace: &str) {
        match json {
            Json::Array(branches) => branches.iter().for_each(|branch| self.collect(branch, namespace)),
            Json::Object(object) => match object.get("type") {
                Some(Json::String(word)) => match word.as_str() {
                    "record" | "error" | "enum" | "fixed" => self.named(object, namespace),
                    "array" => self.member(object, "items", namespace),
                    "map" => self.member(object, "values", namespace),
                    _ => {}
                },
                Some(nested) => self.collect(nested, namespace),
                None => {}
            },
            _ => {}
        }
    }

    fn member(&mut self, object: &Map<String, Json>, name: &str, namespace: &str) {
        if let Some(json) = object.get(name) {
            self.collect(json, namespace);
        }
    }

    fn named(&mut self, object: &Map<String, Json>, enclosing: &str) {
        let Some(name) = object.get("name").and_then(Json::as_str) else { return };
        let name = FullName::new(name, object.get("namespace").and_then(Json::as_str), enclosing);
        let full = name.full();
        let others: Vec<String> =
            texts(object).map(|alias| FullName::new(alias, None, &name.namespace).full()).collect();
        for alias in &others {
            self.types.insert(alias.clone(), name.clone());
        }
        for field in object.get("fields").and_then(Json::as_array).into_iter().flatten() {
            let Some(field) = field.as_object() else { continue };
            if let Some(field_name) = field.get("name").and_then(Json::as_str) {
                for alias in texts(field) {
                    let of_record = self.fields.entry(full.clone()).or_default();
                    of_record.insert(alias.to_owned(), field_name.to_owned());
                }
            }
            self.member(field, "type", &name.namespace);
        }
        if let Some(fields) = self.fields.get(&full).cloned() {
            self.fields.extend(others.into_iter().map(|alias| (alias, fields.clone())));
        }
    }
}

/// The aliases of a type or field.
fn texts(object: &Map<String, Json>) -> impl Iterator<Item = &str> {
    object.get("aliases").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str)
}

fn rename(schema: &mut AvroSchema, aliases: &Aliases) -> Converted<()> {
    let mut seen = HashSet::new();
    let mut open = vec![schema.root];
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        if let Some(name) = schema.get(id).name.as_ref().and_then(|name| aliases.types.get(&name.full())) {
            schema.get_mut(id).name = Some(name.clone());
        }
        match &schema.get(id).shape {
            Shape::Array(item) | Shape::Map(item) => open.push(*item),
            Shape::Union(branches) => open.extend(branches),
            Shape::Record(fields) => open.extend(fields.iter().map(|field| field.kind)),
            _ => {}
        }
        rename_fields(schema, id, aliases)?;
    }
    Ok(())
}

fn rename_fields(schema: &mut AvroSchema, id: TypeId, aliases: &Aliases) -> Converted<()> {
    let full = schema.get(id).full_name();
    let Some(names) = aliases.fields.get(&full) else { return Ok(()) };
    let Shape::Record(fields) = &mut schema.get_mut(id).shape else { return Ok(()) };
    for field in &mut *fields {
        if let Some(name) = names.get(&field.name) {
            field.name.clone_from(name);
        }
    }
    let mut known = HashSet::new();
    match fields.iter().find(|field| !known.insert(&field.name)) {
        Some(field) => Err(malformed(format!("Duplicate field {} in record {full}", field.name))),
        None => Ok(()),
    }
}
