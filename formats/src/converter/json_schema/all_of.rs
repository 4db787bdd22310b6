//! `allOf`: the properties of all parts together, or the part that says most about a scalar.
//!
//! A schema with several kinds of keywords (`type` and `enum`) is such a combination, too.
//!
//! Source: `JsonSchemaData#allOfToConnectSchema`.

use std::collections::{HashMap, HashSet};

use lakeward_api::schema::{Kind, Schema};

use super::document::{Criterion, NodeId, Shape};
use super::fault::{Converted, unsupported};
use super::to_connect::{ToConnect, Visited};

/// A property, and whether it is required.
type Property = (String, NodeId, bool);

/// The last part of each kind.
#[derive(Default)]
struct Parts {
    combined: Option<NodeId>,
    constant: Option<NodeId>,
    listed: Option<NodeId>,
    number: Option<NodeId>,
    /// What the last reference points to.
    referred: Option<NodeId>,
    string: Option<NodeId>,
}

impl ToConnect<'_> {
    pub(super) fn all_of(
        &mut self,
        id: NodeId,
        parts: &[NodeId],
        version: Option<i32>,
        force_optional: bool,
    ) -> Converted<Schema> {
        let mut found = Parts::default();
        let mut properties = Properties::default();
        for &part in parts {
            match &self.document.nodes[part].shape {
                Shape::Combined { .. } => found.combined = Some(part),
                Shape::Const(_) => found.constant = Some(part),
                Shape::Enum(_) => found.listed = Some(part),
                Shape::Number { .. } => found.number = Some(part),
                Shape::Reference(target) => found.referred = Some(self.document.referred(*target)),
                Shape::String => found.string = Some(part),
                _ => {}
            }
            self.collect(part, &mut properties)?;
        }
        if !properties.listed.is_empty() {
            return self.merged(id, properties.listed, force_optional);
        }
        if let Some(combined) = found.combined {
            return self.schema(combined, version, force_optional);
        }
        let scalar = match found {
            Parts { constant: Some(_), string, number, .. } => string.or(number),
            Parts { listed: Some(listed), string: Some(_), .. } => Some(listed),
            Parts { listed: Some(_), number, .. } => number,
            Parts { string: Some(string), number, .. } => number.or(Some(string)),
            Parts { referred: Some(referred), .. } => {
                return self.reference(referred, version, force_optional);
            }
            _ => None,
        };
        match scalar {
            Some(scalar) => self.schema(scalar, version, force_optional),
            None => Err(unsupported("Unsupported criterion allOf: its parts are no type together")),
        }
    }

    /// The STRUCT of the properties of all parts; it has no name.
    fn merged(&mut self, id: NodeId, properties: Vec<Property>, force_optional: bool) -> Converted<Schema> {
        self.open(id, Schema::new(Kind::Struct(Vec::new())));
        let mut fields = Vec::with_capacity(properties.len());
        for (name, property, required) in properties {
            let optional = self.mapping.optional_nonrequired && !required;
            fields.push(self.field(&name, property, optional)?);
        }
        let mut schema = Schema::new(Kind::Struct(fields));
        schema.optional = force_optional;
        self.done(id, &mut schema);
        Ok(schema)
    }

    /// Adds the properties of `node`: a property of a name that is known keeps the place of the first and
    /// takes the schema of the last. Every node is visited once, and counts.
    fn collect(&mut self, node: NodeId, properties: &mut Properties) -> Converted<()> {
        let document = self.document;
        let mut visited = Visited::new();
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            if !visited.insert(node) {
                continue;
            }
            self.take(1)?;
            match &document.nodes[node].shape {
                Shape::Combined { criterion: Criterion::All, parts } => {
                    open.extend(parts.iter().rev());
                }
                Shape::Reference(target) => open.push(document.referred(*target)),
                Shape::Object(object) => {
                    let required: HashSet<&str> = object.required.iter().map(String::as_str).collect();
                    self.take(object.properties.len())?;
                    for (name, property) in &object.properties {
                        properties.add((name.clone(), *property, required.contains(name.as_str())));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Properties in the order in which their names appeared.
#[derive(Default)]
struct Properties {
    listed: Vec<Property>,
    places: HashMap<String, usize>,
}

impl Properties {
    fn add(&mut self, property: Property) {
        match self.places.get(&property.0) {
            Some(&at) => self.listed[at] = property,
            None => {
                self.places.insert(property.0.clone(), self.listed.len());
                self.listed.push(property);
            }
        }
    }
}
