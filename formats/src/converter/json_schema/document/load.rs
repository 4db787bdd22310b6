//! Loading: which keywords make which types.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::super::fault::{Converted, invalid, unsupported};
use super::super::members::in_hash_order;
use super::reference::Texts;
use super::{Criterion, Document, Node, NodeId, Object, Shape};

/// Loads the root of `texts`.
///
/// # Errors
/// `IllegalArgumentException` for what is no JSON Schema, refers to something that is not there, or is larger
/// than [`NODES_MAX`] or nested deeper than [`DEPTH_MAX`].
pub(in super::super) fn load<'a>(texts: &Texts<'a>) -> Converted<Document<'a>> {
    let mut loader =
        Loader { texts, nodes: Vec::new(), targets: Vec::new(), known: HashMap::new(), depth: 0 };
    let root = loader.schema(0, texts.root())?;
    Ok(Document { nodes: loader.nodes, root, targets: loader.targets })
}

struct Loader<'l, 'a> {
    texts: &'l Texts<'a>,
    nodes: Vec<Node<'a>>,
    targets: Vec<Option<NodeId>>,
    /// Targets by the address of the schema they point to.
    known: HashMap<usize, usize>,
    depth: usize,
}

type Members<'a> = &'a Map<String, Json>;

impl<'a> Loader<'_, 'a> {
    fn add(&mut self, shape: Shape<'a>, members: Option<Members<'a>>) -> Converted<NodeId> {
        if self.nodes.len() == NODES_MAX {
            return Err(invalid(format!("more than {NODES_MAX} parts")));
        }
        self.nodes.push(Node { shape, members });
        Ok(self.nodes.len() - 1)
    }

    /// Loads `json`, which stands in document `text`. Recursion is bounded by [`DEPTH_MAX`].
    fn schema(&mut self, text: usize, json: &'a Json) -> Converted<NodeId> {
        let members = match json {
            Json::Bool(true) => return self.add(Shape::Empty, None),
            Json::Bool(false) => return self.add(Shape::False, None),
            Json::Object(members) => members,
            _ => return Err(invalid("a schema is neither an object nor a boolean")),
        };
        if self.depth == DEPTH_MAX {
            return Err(invalid(format!("nested more than {DEPTH_MAX} deep")));
        }
        self.depth += 1;
        let loaded = self.object_schema(text, members);
        self.depth -= 1;
        loaded
    }

    fn object_schema(&mut self, text: usize, members: Members<'a>) -> Converted<NodeId> {
        for name in ["title", "description"] {
            if members.get(name).is_some_and(|member| !member.is_string()) {
                return Err(invalid(format!("{name} is no text")));
            }
        }
        if let Some(reference) = members.get("$ref") {
            let name = reference.as_str().ok_or_else(|| invalid("$ref is no text"))?;
            let shape = self.reference(text, name)?;
            return self.add(shape, Some(members));
        }
        let mut parts = self.parts(text, members)?;
        match parts.len() {
            0 => self.add(Shape::Empty, Some(members)),
            1 => {
                let only = parts.remove(0);
                self.add(only, Some(members))
            }
            _ => {
                let parts = parts.into_iter().map(|part| self.add(part, None));
                let parts = parts.collect::<Converted<Vec<_>>>()?;
                self.add(Shape::Combined { criterion: Criterion::All, parts }, Some(members))
            }
        }
    }

    fn reference(&mut self, text: usize, name: &str) -> Converted<Shape<'a>> {
        let (text, json) = self.texts.find(text, name)?;
        let address = std::ptr::from_ref(json) as usize;
        if let Some(&target) = self.known.get(&address) {
            return Ok(Shape::Reference(target));
        }
        let target = self.targets.len();
        self.targets.push(None);
        self.known.insert(address, target);
        let loaded = self.schema(text, json)?;
        self.targets[target] = Some(loaded);
        Ok(Shape::Reference(target))
    }

    /// Everything that a schema says, in the order in which Java extracts it.
    fn parts(&mut self, text: usize, members: Members<'a>) -> Converted<Vec<Shape<'a>>> {
        let mut parts = Vec::new();
        if let Some(values) = members.get("enum") {
            let values = values.as_array().ok_or_else(|| invalid("enum is no list"))?;
            parts.push(Shape::Enum(values));
        }
        // The order of a Java HashMap with these names.
        let combinations = [("allOf", Criterion::All), ("oneOf", Criterion::One), ("anyOf", Criterion::Any)];
        for (name, criterion) in combinations {
            let Some(listed) = members.get(name) else { continue };
            let listed = listed.as_array().ok_or_else(|| invalid(format!("{name} is no list")))?;
            let listed = listed.iter().map(|part| self.schema(text, part));
            parts.push(Shape::Combined { criterion, parts: listed.collect::<Converted<_>>()? });
        }
        if members.contains_key("not") {
            parts.push(Shape::Not);
        }
        if let Some(value) = members.get("const") {
            parts.push(Shape::Const(value));
        }
        let mut spoken = Families::default();
        match members.get("type") {
            None => {}
            Some(Json::String(name)) => parts.push(self.of_type(text, name, members, &mut spoken)?),
            Some(Json::Array(names)) => {
                let mut types = Vec::with_capacity(names.len());
                for name in names {
                    let name = name.as_str().ok_or_else(|| invalid("type is no list of names"))?;
                    let shape = self.of_type(text, name, members, &mut spoken)?;
                    types.push(self.add(shape, None)?);
                }
                parts.push(Shape::Combined { criterion: Criterion::Any, parts: types });
            }
            Some(_) => return Err(invalid("type is neither a name nor a list of names")),
        }
        self.untyped(text, members, spoken, &mut parts)?;
        Ok(parts)
    }

    /// What keywords say that do not belong to the type that is named.
    fn untyped(
        &mut self,
        text: usize,
        members: Members<'a>,
        spoken: Families,
        parts: &mut Vec<Shape<'a>>,
    ) -> Converted<()> {
        let has = |names: &[&str]| names.iter().any(|name| members.contains_key(*name));
        if !spoken.array && has(&ARRAY) {
            parts.push(self.array(text, members)?);
        }
        if !spoken.object && has(&OBJECT) {
            parts.push(self.object(text, members)?);
        }
        if !spoken.number && has(&NUMBER) {
            parts.push(Shape::Number { integer: false });
        }
        if !spoken.string && has(&STRING) {
            parts.push(Shape::String);
        }
        if has(&["if", "then", "else"]) {
            parts.push(Shape::Conditional);
        }
        Ok(())
    }

    fn of_type(
        &mut self,
        text: usize,
        name: &str,
        members: Members<'a>,
        spoken: &mut Families,
    ) -> Converted<Shape<'a>> {
        Ok(match name {
            "array" => {
                spoken.array = true;
                self.array(text, members)?
            }
            "boolean" => Shape::Boolean,
            "integer" | "number" => {
                spoken.number = true;
                Shape::Number { integer: name == "integer" }
            }
            "null" => Shape::Null,
            "object" => {
                spoken.object = true;
                self.object(text, members)?
            }
            "string" => {
                spoken.string = true;
                Shape::String
            }
            unknown => return Err(unsupported(format!("Invalid JSON Schema: unknown type: [{unknown}]"))),
        })
    }

    fn array(&mut self, text: usize, members: Members<'a>) -> Converted<Shape<'a>> {
        let items = match members.get("items") {
            None | Some(Json::Array(_)) => None,
            Some(items) => Some(self.schema(text, items)?),
        };
        Ok(Shape::Array { items })
    }

    fn object(&mut self, text: usize, members: Members<'a>) -> Converted<Shape<'a>> {
        let mut properties = Vec::new();
        if let Some(listed) = members.get("properties") {
            let listed = listed.as_object().ok_or_else(|| invalid("properties is no object"))?;
            let listed = listed.iter().map(|(name, json)| (name.clone(), json)).collect();
            for (name, json) in in_hash_order(listed) {
                properties.push((name, self.schema(text, json)?));
            }
        }
        let required = members.get("required").and_then(Json::as_array).into_iter().flatten();
        let required = required.filter_map(Json::as_str).map(str::to_owned).collect();
        let additional = match members.get("additionalProperties") {
            Some(json @ Json::Object(_)) => Some(self.schema(text, json)?),
            _ => None,
        };
        Ok(Shape::Object(Object { properties, required, additional }))
    }
}

/// Which keywords belong to a type that is named.
#[derive(Clone, Copy, Default)]
struct Families {
    array: bool,
    number: bool,
    object: bool,
    string: bool,
}

const ARRAY: [&str; 6] = ["items", "additionalItems", "minItems", "maxItems", "uniqueItems", "contains"];
const NUMBER: [&str; 5] = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
const OBJECT: [&str; 8] = [
    "properties",
    "required",
    "minProperties",
    "maxProperties",
    "dependencies",
    "patternProperties",
    "additionalProperties",
    "propertyNames",
];
const STRING: [&str; 4] = ["minLength", "maxLength", "pattern", "format"];

/// Parts of a schema, references loaded once.
const NODES_MAX: usize = 100_000;

/// Schemas within schemas, also through references.
const DEPTH_MAX: usize = 200;
