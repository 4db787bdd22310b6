//! JSON Schemas as Connect schemas.
//!
//! Source: `JsonSchemaData#toConnectSchema`.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use lakeward_api::schema::{Field, Kind, Schema};
use serde_json::Value as Json;

use super::super::json::registered_constant;
use super::config::Mapping;
use super::document::{Criterion, Document, Node, NodeId, Object, Shape};
use super::enums::enum_schema;
use super::fault::{Converted, builder, data, unsupported};
use super::members::{GENERAL_UNION, INDEX, ONE_OF, PARAMETERS, TYPE, VERSION};
use super::structs::Structs;

/// Maps the types of one document.
pub(super) struct ToConnect<'d> {
    pub(super) document: &'d Document<'d>,
    pub(super) mapping: Mapping,
    pub(super) structs: Structs,
    unions: u32,
    pub(super) left: usize,
    depth: usize,
}

impl<'d> ToConnect<'d> {
    /// `key` is all that decides what comes out.
    pub(super) fn new(document: &'d Document<'d>, mapping: Mapping, key: &str) -> Self {
        Self { document, mapping, structs: Structs::new(key), unions: 0, left: PARTS_MAX, depth: 0 }
    }

    /// The schema of the whole document, which is version `version` of its subject.
    ///
    /// # Errors
    /// Those of Java for schemas without a Connect form; a `DataException` for those that are too large.
    pub(super) fn root(mut self, version: Option<i32>) -> Converted<Schema> {
        let mut schema = self.schema(self.document.root, version, false)?;
        self.structs.finish(&mut schema);
        Ok(schema)
    }

    /// The schema of `node`. Recursion is bounded by [`DEPTH_MAX`].
    pub(super) fn schema(
        &mut self,
        node: NodeId,
        version: Option<i32>,
        force_optional: bool,
    ) -> Converted<Schema> {
        if self.depth == DEPTH_MAX {
            return Err(too_large());
        }
        self.take(1)?;
        self.depth += 1;
        let schema = self.unbounded(node, version, force_optional);
        self.depth -= 1;
        schema
    }

    /// Counts `parts` of the Connect schema.
    pub(super) fn take(&mut self, parts: usize) -> Converted<()> {
        self.left = self.left.checked_sub(parts).ok_or_else(too_large)?;
        Ok(())
    }

    fn unbounded(&mut self, id: NodeId, version: Option<i32>, force_optional: bool) -> Converted<Schema> {
        let document = self.document;
        let node = &document.nodes[id];
        let mut schema = match &node.shape {
            Shape::Array { items } => self.array(node, *items)?,
            Shape::Boolean => Schema::new(Kind::Boolean),
            Shape::Combined { criterion: Criterion::All, parts } if !self.is_flat(parts) => {
                return self.all_of(id, parts, version, force_optional);
            }
            Shape::Combined { parts, .. } => {
                if self.is_flat(parts) {
                    return self.schema(parts[0], None, false);
                }
                if let Some(value) = self.nullable(parts)? {
                    return self.schema(value, version, true);
                }
                self.union(parts)?
            }
            Shape::Conditional => return Err(unmapped("ConditionalSchema")),
            Shape::Const(Json::Null) => return Err(unmapped("ConstSchema of null")),
            Shape::Const(value) => enum_schema(std::slice::from_ref(*value), self.mapping.generalized_sums),
            Shape::Empty => return Err(unmapped("EmptySchema")),
            Shape::Enum(values) => enum_schema(values, self.mapping.generalized_sums),
            Shape::False => return Err(unmapped("FalseSchema")),
            Shape::Not => return Err(unmapped("NotSchema")),
            Shape::Null => return Err(unmapped("NullSchema")),
            Shape::Number { integer } => Schema::new(number(node, *integer)?),
            Shape::Object(object) => self.object(id, node, object, version)?,
            Shape::Reference(target) => {
                return self.reference(document.referred(*target), version, force_optional);
            }
            Shape::String => {
                let is_bytes = connect_type(node)? == Some("bytes");
                Schema::new(if is_bytes { Kind::Bytes } else { Kind::String })
            }
        };
        describe(&mut schema, node, version)?;
        set_default(&mut schema, node)?;
        schema.optional |= force_optional;
        self.done(id, &mut schema);
        Ok(schema)
    }

    /// Whether a combination of `parts` is its only part.
    fn is_flat(&self, parts: &[NodeId]) -> bool {
        parts.len() == 1 && self.mapping.flatten_singletons
    }

    /// The other part of a combination of two parts of which one is null.
    fn nullable(&self, parts: &[NodeId]) -> Converted<Option<NodeId>> {
        let is_null = |part: &NodeId| matches!(self.document.nodes[*part].shape, Shape::Null);
        match parts {
            [first, second] if is_null(first) && is_null(second) => Err(unmapped("NullSchema")),
            [first, second] if is_null(first) => Ok(Some(*second)),
            [first, second] if is_null(second) => Ok(Some(*first)),
            _ => Ok(None),
        }
    }

    fn union(&mut self, parts: &[NodeId]) -> Converted<Schema> {
        let generalized = self.mapping.generalized_sums;
        let name = if generalized { format!("connect_union_{}", self.unions) } else { ONE_OF.to_owned() };
        self.unions += 1;
        let mut fields = Vec::new();
        let mut optional = false;
        for part in parts {
            if matches!(self.document.nodes[*part].shape, Shape::Null) {
                optional = true;
                continue;
            }
            let at = fields.len();
            let field_name =
                if generalized { format!("connect_union_field_{at}") } else { format!("{name}.field.{at}") };
            // The other fields of a row are null.
            let schema = Schema { optional: true, ..self.schema(*part, None, true)? };
            fields.push(Field { name: field_name.into(), schema: Arc::new(schema) });
        }
        let mut schema = Schema::new(Kind::Struct(fields)).named(&name);
        schema.optional = optional;
        if generalized {
            schema.parameters.insert(GENERAL_UNION.to_owned(), name);
        }
        Ok(schema)
    }

    fn array(&mut self, node: &Node<'_>, items: Option<NodeId>) -> Converted<Schema> {
        let items = items.ok_or_else(|| data("Array schema did not specify the items type"))?;
        if connect_type(node)? == Some("map")
            && let Shape::Object(entry) = &self.document.nodes[items].shape
        {
            let key = self.property(entry, "key")?.ok_or_else(|| builder("keySchema cannot be null."))?;
            let value =
                self.property(entry, "value")?.ok_or_else(|| builder("valueSchema cannot be null."))?;
            return Ok(Schema::new(Kind::Map { key: Arc::new(key), value: Arc::new(value) }));
        }
        Ok(Schema::new(Kind::Array(Arc::new(self.schema(items, None, false)?))))
    }

    fn property(&mut self, object: &Object, name: &str) -> Converted<Option<Schema>> {
        let found = object.properties.iter().find(|(known, _)| known == name);
        found.map(|(_, property)| self.schema(*property, None, false)).transpose()
    }

    fn object(
        &mut self,
        id: NodeId,
        node: &Node<'_>,
        object: &Object,
        version: Option<i32>,
    ) -> Converted<Schema> {
        if connect_type(node)? == Some("map") {
            let values = object.additional.ok_or_else(|| builder("valueSchema cannot be null."))?;
            let value = Arc::new(self.schema(values, None, false)?);
            return Ok(Schema::new(Kind::Map { key: Arc::new(Schema::new(Kind::String)), value }));
        }
        let mut face = Schema::new(Kind::Struct(Vec::new()));
        describe(&mut face, node, version)?;
        self.open(id, face);
        // Of properties with one index the last counts.
        let mut sorted = BTreeMap::new();
        for (name, property) in &object.properties {
            let index = match self.document.nodes[*property].member(INDEX) {
                None => i64::try_from(sorted.len()).unwrap_or(i64::MAX),
                Some(index) => i64::from(int32(index, INDEX)?),
            };
            sorted.insert(index, (name, *property));
        }
        let required: HashSet<&String> = object.required.iter().collect();
        let mut fields = Vec::with_capacity(sorted.len());
        for (name, property) in sorted.into_values() {
            let optional = self.mapping.optional_nonrequired && !required.contains(name);
            fields.push(self.field(name, property, optional)?);
        }
        Ok(Schema::new(Kind::Struct(fields)))
    }

    pub(super) fn field(&mut self, name: &str, property: NodeId, optional: bool) -> Converted<Field> {
        if name.is_empty() {
            return Err(builder("fieldName cannot be null."));
        }
        Ok(Field { name: name.into(), schema: Arc::new(self.schema(property, None, optional)?) })
    }
}

/// Sets name, version, documentation and parameters.
fn describe(schema: &mut Schema, node: &Node<'_>, version: Option<i32>) -> Converted<()> {
    if let Some(title) = node.text("title")
        && schema.name.is_none()
    {
        schema.name = Some(title.into());
    }
    schema.version = match node.member(VERSION) {
        Some(own) => Some(int32(own, VERSION)?),
        None => version,
    };
    schema.doc = node.text("description").map(Into::into);
    schema.parameters.extend(parameters(node)?);
    Ok(())
}

fn set_default(schema: &mut Schema, node: &Node<'_>) -> Converted<()> {
    let Some(default) = node.member("default") else { return Ok(()) };
    if default.is_null() && schema.optional {
        return Ok(());
    }
    let is_empty = matches!(default, Json::Array(items) if items.is_empty())
        || matches!(default, Json::Object(members) if members.is_empty());
    // What a place of recursion stands for is not known yet.
    let is_unknown = || !is_empty && !default.is_null() && contains_recursion(schema);
    if matches!(schema.kind, Kind::Struct(_)) && !default.is_null() || is_unknown() {
        return Err(builder("Invalid default value"));
    }
    let value = registered_constant(schema, &default.to_string())?;
    schema.default = Some(value.ok_or_else(|| builder("Invalid default value"))?);
    Ok(())
}

/// Whether there is a place of recursion in `schema`. Recursion is bounded by [`DEPTH_MAX`].
fn contains_recursion(schema: &Schema) -> bool {
    match &schema.kind {
        Kind::Array(item) => contains_recursion(item),
        Kind::Map { key, value } => contains_recursion(key) || contains_recursion(value),
        Kind::Recursive(_) => true,
        Kind::Struct(fields) => fields.iter().any(|field| contains_recursion(&field.schema)),
        _ => false,
    }
}

fn parameters(node: &Node<'_>) -> Converted<Vec<(String, String)>> {
    let Some(listed) = node.member(PARAMETERS) else { return Ok(Vec::new()) };
    let listed = listed.as_object().ok_or_else(|| cast("map", PARAMETERS))?;
    let text = |json: &Json| json.as_str().map_or_else(|| json.to_string(), str::to_owned);
    let entries = listed.iter().map(|(name, json)| (name.clone(), text(json))).collect();
    Ok(super::members::in_hash_order(entries))
}

fn number(node: &Node<'_>, integer: bool) -> Converted<Kind> {
    Ok(match connect_type(node)? {
        None if integer => Kind::Int64,
        None => Kind::Float64,
        Some("bytes") => Kind::Bytes,
        Some("float32") => Kind::Float32,
        Some("float64") => Kind::Float64,
        Some("int16") => Kind::Int16,
        Some("int32") => Kind::Int32,
        Some("int64") => Kind::Int64,
        Some("int8") => Kind::Int8,
        Some(unknown) => return Err(unsupported(format!("Unsupported type {unknown}"))),
    })
}

fn connect_type<'a>(node: &Node<'a>) -> Converted<Option<&'a str>> {
    node.member(TYPE).map(|json| json.as_str().ok_or_else(|| cast("text", TYPE))).transpose()
}

fn int32(json: &Json, name: &str) -> Converted<i32> {
    let number = json.as_i64().and_then(|number| i32::try_from(number).ok());
    number.ok_or_else(|| cast("32-bit integer", name))
}

#[cold]
pub(super) fn too_large() -> Box<super::fault::Fault> {
    data("The JSON Schema stands for more parts than are supported")
}

#[cold]
fn cast(expected: &str, name: &str) -> Box<super::fault::Fault> {
    Box::new(super::fault::Fault::Bare {
        class: "java.lang.ClassCastException",
        message: format!("{name} is no {expected}"),
    })
}

#[cold]
fn unmapped(class: &str) -> Box<super::fault::Fault> {
    data(format!("Unsupported schema type org.everit.json.schema.{class}"))
}

/// Names that are collected for an `allOf`.
pub(super) type Visited = HashSet<NodeId>;

/// Parts of a Connect schema: types that references repeat count each time.
const PARTS_MAX: usize = 50_000;

/// Schemas within schemas, references followed.
const DEPTH_MAX: usize = 200;
