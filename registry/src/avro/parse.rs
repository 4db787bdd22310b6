//! Reading of Avro schema texts.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{AvroSchema, Field, Name, Node, Primitive, full_name};

/// Nesting beyond which a schema is refused; the JSON parser has its own limit of 128.
const MAX_DEPTH: usize = 100;

impl AvroSchema {
    /// Parses `text`, which may use the named types of `dependencies` (`(name, text)`, a schema after those
    /// it needs). The error is a sentence for the registry's user.
    pub(crate) fn parse(text: &str, dependencies: &[(String, std::sync::Arc<str>)]) -> Result<Self, String> {
        let mut schema = Self::default();
        for (name, text) in dependencies {
            schema.read_text(text).map_err(|problem| format!("in the referenced {name}: {problem}"))?;
        }
        schema.root = schema.read_text(text)?;
        Ok(schema)
    }

    fn read_text(&mut self, text: &str) -> Result<usize, String> {
        let trimmed = text.trim();
        if !trimmed.is_empty() && trimmed.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            // A bare type name is taken as a schema, as by Java's parser.
            return self.named(trimmed, "");
        }
        let value: Value = serde_json::from_str(text).map_err(|err| format!("not JSON: {err}"))?;
        self.read(&value, "", 0)
    }

    fn read(&mut self, value: &Value, namespace: &str, depth: usize) -> Result<usize, String> {
        if depth > MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH} levels"));
        }
        match value {
            Value::String(name) => self.named(name, namespace),
            Value::Array(branches) => self.union(branches, namespace, depth),
            Value::Object(members) => self.object(members, namespace, depth),
            other => Err(format!("{other} is no schema")),
        }
    }

    fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn named(&mut self, name: &str, namespace: &str) -> Result<usize, String> {
        if let Some(primitive) = Primitive::from_name(name) {
            return Ok(self.add(Node::Primitive(primitive)));
        }
        let qualified = full_name(name, namespace);
        let found = self.names.get(&qualified).or_else(|| self.names.get(name));
        found.copied().ok_or_else(|| format!("\"{name}\" is not a defined name"))
    }

    fn union(&mut self, branches: &[Value], namespace: &str, depth: usize) -> Result<usize, String> {
        let mut nodes = Vec::with_capacity(branches.len());
        let mut kinds = HashSet::with_capacity(branches.len());
        for branch in branches {
            let node = self.read(branch, namespace, depth + 1)?;
            let kind = self.branch_kind(node)?;
            if kinds.contains(&kind) {
                return Err(format!("duplicate in union: {kind}"));
            }
            kinds.insert(kind);
            nodes.push(node);
        }
        Ok(self.add(Node::Union(nodes)))
    }

    /// What makes a union branch unique.
    fn branch_kind(&self, node: usize) -> Result<String, String> {
        Ok(match &self.nodes[node] {
            Node::Primitive(primitive) => format!("{primitive:?}").to_lowercase(),
            Node::Array(_) => "array".to_owned(),
            Node::Map(_) => "map".to_owned(),
            Node::Union(_) => return Err("a union directly inside a union".to_owned()),
            Node::Fixed { name, .. } | Node::Enum { name, .. } | Node::Record { name, .. } => {
                name.full.clone()
            }
            Node::Open(name) => name.clone(),
        })
    }

    fn object(
        &mut self,
        members: &Map<String, Value>,
        namespace: &str,
        depth: usize,
    ) -> Result<usize, String> {
        let kind = members.get("type").ok_or("no \"type\"")?;
        let Value::String(kind) = kind else { return self.read(kind, namespace, depth + 1) };
        let part = |name: &str| members.get(name).ok_or_else(|| format!("\"{kind}\" without \"{name}\""));
        match kind.as_str() {
            "array" => {
                let items = self.read(part("items")?, namespace, depth + 1)?;
                Ok(self.add(Node::Array(items)))
            }
            "map" => {
                let values = self.read(part("values")?, namespace, depth + 1)?;
                Ok(self.add(Node::Map(values)))
            }
            "fixed" => {
                let size = part("size")?.as_i64().filter(|size| *size >= 0);
                let size = size.ok_or("the size of a fixed is no number of bytes")?;
                let (name, node) = self.define(members, namespace)?;
                self.nodes[node] = Node::Fixed { name, size };
                Ok(node)
            }
            "enum" => self.enumeration(members, namespace),
            "record" | "error" => self.record(members, namespace, depth),
            name => self.named(name, namespace),
        }
    }

    /// Takes the name of a definition and its place in the arena.
    fn define(&mut self, members: &Map<String, Value>, namespace: &str) -> Result<(Name, usize), String> {
        let given = members.get("name").and_then(Value::as_str).ok_or("a definition without \"name\"")?;
        let namespace = members.get("namespace").and_then(Value::as_str).unwrap_or(namespace);
        let full = full_name(given, namespace).trim_start_matches('.').to_owned();
        if !full.split('.').all(is_name) {
            return Err(format!("illegal name: {full}"));
        }
        let simple = full.rsplit('.').next().unwrap_or(&full);
        if Primitive::from_name(simple).is_some() {
            return Err(format!("a primitive's name cannot be defined: {simple}"));
        }
        let own = full.rsplit_once('.').map_or("", |(space, _)| space);
        let aliases = texts(members.get("aliases"))?;
        let aliases = aliases.iter().map(|alias| full_name(alias, own)).collect();
        let node = self.add(Node::Open(full.clone()));
        if self.names.insert(full.clone(), node).is_some() {
            return Err(format!("Can't redefine: {full}"));
        }
        Ok((Name { full, aliases }, node))
    }

    fn enumeration(&mut self, members: &Map<String, Value>, namespace: &str) -> Result<usize, String> {
        let (name, node) = self.define(members, namespace)?;
        if !members.contains_key("symbols") {
            return Err(format!("enum {} without \"symbols\"", name.full));
        }
        let symbols = texts(members.get("symbols"))?;
        let mut seen = HashSet::new();
        for symbol in &symbols {
            if !is_name(symbol) || !seen.insert(symbol) {
                return Err(format!("enum {}: illegal or repeated symbol {symbol}", name.full));
            }
        }
        let default = members.get("default").and_then(Value::as_str).map(str::to_owned);
        if let Some(default) = &default
            && !symbols.contains(default)
        {
            return Err(format!("enum {}: the default {default} is no symbol", name.full));
        }
        self.nodes[node] = Node::Enum { name, symbols, default };
        Ok(node)
    }

    fn record(
        &mut self,
        members: &Map<String, Value>,
        namespace: &str,
        depth: usize,
    ) -> Result<usize, String> {
        let (name, node) = self.define(members, namespace)?;
        let own = name.full.rsplit_once('.').map_or(String::new(), |(space, _)| space.to_owned());
        let Some(Value::Array(listed)) = members.get("fields") else {
            return Err(format!("record {} without \"fields\"", name.full));
        };
        let mut fields = Vec::with_capacity(listed.len());
        let mut seen = HashSet::new();
        for field in listed {
            let field_name = field.get("name").and_then(Value::as_str).unwrap_or_default();
            if !is_name(field_name) || !seen.insert(field_name) {
                return Err(format!("record {}: illegal or repeated field {field_name}", name.full));
            }
            let kind = field.get("type").ok_or_else(|| format!("field {field_name} without \"type\""))?;
            fields.push(Field {
                name: field_name.to_owned(),
                aliases: texts(field.get("aliases"))?,
                schema: self.read(kind, &own, depth + 1)?,
                has_default: field.get("default").is_some(),
            });
        }
        self.nodes[node] = Node::Record { name, fields };
        Ok(node)
    }
}

fn texts(value: Option<&Value>) -> Result<Vec<String>, String> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let listed = value.as_array().ok_or_else(|| format!("{value} is no list of names"))?;
    let texts = listed.iter().map(|item| item.as_str().map(str::to_owned));
    texts.collect::<Option<_>>().ok_or_else(|| format!("{value} is no list of names"))
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_schemas_are_refused() {
        for text in [
            "{",
            "7",
            "unknown",
            r#"{"type":"record","name":"a"}"#,
            r#"{"type":"record","name":"1a","fields":[]}"#,
            r#"{"type":"record","name":"a","fields":[{"name":"x","type":"int"},{"name":"x","type":"int"}]}"#,
            r#"["int","int"]"#,
            r#"["int",["long"]]"#,
            r#"{"type":"enum","name":"e","symbols":["A","A"]}"#,
            r#"{"type":"fixed","name":"f","size":"4"}"#,
            r#"[{"type":"fixed","name":"f","size":4},{"type":"enum","name":"f","symbols":[]}]"#,
        ] {
            assert!(AvroSchema::parse(text, &[]).is_err(), "{text}");
        }
        let deep = format!("{}\"int\"{}", r#"{"type":"array","items":"#.repeat(120), "}".repeat(120));
        assert!(AvroSchema::parse(&deep, &[]).is_err());
    }

    #[test]
    fn names_resolve_within_their_namespace_and_over_dependencies() {
        let text = r#"{"type":"record","name":"x.A","fields":[
            {"name":"next","type":["null","A"]},{"name":"b","type":"y.B"}]}"#;
        assert!(AvroSchema::parse(text, &[]).is_err());
        let b = (String::from("y.B"), r#"{"type":"fixed","name":"B","namespace":"y","size":2}"#.into());
        assert!(AvroSchema::parse(text, &[b]).is_ok());
    }
}
