//! Schema texts to types.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::super::fault::{Converted, unparsable};
use super::{AvroSchema, FullName, RecordField, Shape, Type, TypeId};

/// Reads `text`, which may use the types that `dependencies` (texts, a schema after those it needs) define.
///
/// # Errors
/// A `SchemaParseException`.
pub(in super::super) fn parse<'a>(
    text: &str,
    dependencies: impl Iterator<Item = &'a str>,
) -> Converted<AvroSchema> {
    let mut parser = Parser { schema: AvroSchema::default(), named: HashMap::new() };
    for dependency in dependencies {
        parser.text(dependency)?;
    }
    let root = parser.text(text)?;
    parser.schema.root = root;
    Ok(parser.schema)
}

struct Parser {
    schema: AvroSchema,
    /// Types defined so far, by full name.
    named: HashMap<String, TypeId>,
}

impl Parser {
    fn text(&mut self, text: &str) -> Converted<TypeId> {
        let json = serde_json::from_str(text).map_err(|err| unparsable(err.to_string()))?;
        self.kind(&json, "", DEPTH_MAX)
    }

    fn kind(&mut self, json: &Json, namespace: &str, depth_left: usize) -> Converted<TypeId> {
        let Some(depth_left) = depth_left.checked_sub(1) else {
            return Err(unparsable(format!("types are nested more than {DEPTH_MAX} levels deep")));
        };
        match json {
            Json::String(name) => self.by_name(name, namespace),
            Json::Array(branches) => self.union(branches, namespace, depth_left),
            Json::Object(object) => self.object(object, namespace, depth_left),
            _ => Err(unparsable("a type is neither a name, an object nor a union")),
        }
    }

    fn by_name(&mut self, name: &str, namespace: &str) -> Converted<TypeId> {
        if let Some(shape) = primitive(name) {
            return Ok(self.schema.add(Type::new(shape)));
        }
        let full = FullName::new(name, None, namespace).full();
        let found = self.named.get(&full).or_else(|| self.named.get(name));
        found.copied().ok_or_else(|| unparsable(format!("Undefined name: \"{full}\"")))
    }

    fn union(&mut self, branches: &[Json], namespace: &str, depth_left: usize) -> Converted<TypeId> {
        let mut ids = Vec::with_capacity(branches.len());
        let mut keys = Vec::with_capacity(branches.len());
        for branch in branches {
            let id = self.kind(branch, namespace, depth_left)?;
            if matches!(self.schema.get(id).shape, Shape::Union(_)) {
                return Err(unparsable("Nested union"));
            }
            keys.push(self.schema.get(id).branch_key());
            ids.push(id);
        }
        keys.sort_unstable();
        if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(unparsable(format!("Duplicate in union:{}", pair[0])));
        }
        Ok(self.schema.add(Type::new(Shape::Union(ids))))
    }

    fn object(
        &mut self,
        object: &Map<String, Json>,
        namespace: &str,
        depth_left: usize,
    ) -> Converted<TypeId> {
        let word = match object.get("type") {
            Some(Json::String(word)) => word.as_str(),
            Some(nested @ (Json::Object(_) | Json::Array(_))) => {
                return self.kind(nested, namespace, depth_left);
            }
            _ => return Err(unparsable("No type")),
        };
        let child = |name: &str| object.get(name).ok_or_else(|| unparsable(format!("{word} has no {name}")));
        let shape = match word {
            "record" | "error" | "enum" | "fixed" => return self.define(object, word, namespace, depth_left),
            "array" => Shape::Array(self.kind(child("items")?, namespace, depth_left)?),
            "map" => Shape::Map(self.kind(child("values")?, namespace, depth_left)?),
            _ => match primitive(word) {
                Some(shape) => shape,
                None => return self.by_name(word, namespace),
            },
        };
        let props = others(object, &["type", "items", "values", "doc", "name", "namespace", "aliases"]);
        let doc = text(object, "doc");
        Ok(self.schema.add(Type { shape, name: None, doc, props }))
    }

    fn define(
        &mut self,
        object: &Map<String, Json>,
        word: &str,
        enclosing: &str,
        depth_left: usize,
    ) -> Converted<TypeId> {
        let Some(name) = object.get("name").and_then(Json::as_str).filter(|name| !name.is_empty()) else {
            return Err(unparsable("No name in schema"));
        };
        let name = FullName::new(name, object.get("namespace").and_then(Json::as_str), enclosing);
        let (full, namespace) = (name.full(), name.namespace.clone());
        let reserved: &[&str] = match word {
            "enum" => &["type", "name", "namespace", "aliases", "doc", "symbols", "default"],
            "fixed" => &["type", "name", "namespace", "aliases", "doc", "size"],
            _ => &["type", "name", "namespace", "aliases", "doc", "fields"],
        };
        // A record may refer to itself, so it has a place in the table before its fields are known.
        let id = self.schema.add(Type {
            shape: Shape::Record(Vec::new()),
            name: Some(name),
            doc: text(object, "doc"),
            props: others(object, reserved),
        });
        if self.named.insert(full.clone(), id).is_some() {
            return Err(unparsable(format!("Can't redefine: {full}")));
        }
        self.schema.get_mut(id).shape = match word {
            "enum" => enumeration(object, &full)?,
            "fixed" => {
                let size = object.get("size").and_then(Json::as_u64);
                let size = size.and_then(|size| usize::try_from(size).ok()).filter(|size| *size <= FIXED_MAX);
                Shape::Fixed(size.ok_or_else(|| unparsable(format!("Invalid or no size: {full}")))?)
            }
            _ => Shape::Record(self.fields(object, &full, &namespace, depth_left)?),
        };
        Ok(id)
    }

    fn fields(
        &mut self,
        object: &Map<String, Json>,
        full: &str,
        namespace: &str,
        depth_left: usize,
    ) -> Converted<Vec<RecordField>> {
        let Some(list) = object.get("fields").and_then(Json::as_array) else {
            return Err(unparsable(format!("Record has no fields: {full}")));
        };
        let mut fields = Vec::with_capacity(list.len());
        for field in list {
            let (Some(field), Some(name)) = (field.as_object(), field["name"].as_str()) else {
                return Err(unparsable(format!("No field name in record {full}")));
            };
            let Some(kind) = field.get("type") else {
                return Err(unparsable(format!("No field type: {name}")));
            };
            fields.push(RecordField {
                name: name.to_owned(),
                kind: self.kind(kind, namespace, depth_left)?,
                doc: text(field, "doc"),
                default: field.get("default").cloned(),
                props: others(field, &["name", "type", "doc", "default", "aliases"]),
            });
        }
        let mut names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(unparsable(format!("Duplicate field {} in record {full}", pair[0]))),
            None => Ok(fields),
        }
    }
}

fn enumeration(object: &Map<String, Json>, full: &str) -> Converted<Shape> {
    let list = object.get("symbols").and_then(Json::as_array);
    let symbols: Option<Vec<String>> =
        list.and_then(|list| list.iter().map(|symbol| symbol.as_str().map(str::to_owned)).collect());
    let symbols = symbols.ok_or_else(|| unparsable(format!("Enum has no symbols: {full}")))?;
    let mut sorted: Vec<&String> = symbols.iter().collect();
    sorted.sort_unstable();
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(unparsable(format!("Duplicate enum symbol: {}", pair[0])));
    }
    Ok(Shape::Enum { symbols, default: text(object, "default") })
}

fn text(object: &Map<String, Json>, key: &str) -> Option<String> {
    object.get(key)?.as_str().map(str::to_owned)
}

/// The members that are not `reserved`.
fn others(object: &Map<String, Json>, reserved: &[&str]) -> Map<String, Json> {
    let others = object.iter().filter(|(key, _)| !reserved.contains(&key.as_str()));
    others.map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn primitive(word: &str) -> Option<Shape> {
    Some(match word {
        "boolean" => Shape::Boolean,
        "bytes" => Shape::Bytes,
        "double" => Shape::Double,
        "float" => Shape::Float,
        "int" => Shape::Int,
        "long" => Shape::Long,
        "null" => Shape::Null,
        "string" => Shape::String,
        _ => return None,
    })
}

/// Types inside types. The JSON reader itself stops at 128 levels, of which a field takes three.
const DEPTH_MAX: usize = 100;

/// Bytes of a fixed.
const FIXED_MAX: usize = i32::MAX as usize;
