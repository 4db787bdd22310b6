//! Avro schema texts to types. Comments are allowed, as in Java.
//!
//! Source: Avro 1.12 specification; `AvroData#toConnectSchema`.

use std::collections::HashMap;
use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::schema::{Field, Kind, Logical, Schema};
use lakeward_api::value::Value;
use serde_json::{Map, Value as Json};

use super::avro_types::{Shape, Type};

/// A schema text may have so many types and be nested so deep.
const TYPES_MAX: usize = 10_000;
const DEPTH_MAX: usize = 64;
const NAMESPACE: &str = "io.confluent.connect.avro";
const PRECISION_DEFAULT: i64 = 64;

/// Reads a schema.
///
/// # Errors
/// `Config`: the text is no Avro schema, or one that cannot be generated.
pub(super) fn parse(text: &str) -> Result<Type, ConnectError> {
    let json: Json = serde_json::from_str(&without_comments(text))
        .map_err(|err| problem("it is no JSON").with_source(err))?;
    Reader { named: HashMap::new(), types_left: TYPES_MAX, depth: 0 }.read(&json, "")
}

fn problem(text: &str) -> ConnectError {
    ConnectError::config(format!("Unable to parse the provided schema: {text}"))
}

#[derive(Debug)]
struct Reader {
    /// By full name. A type is there before its fields are, so that it is found inside itself.
    named: HashMap<String, Option<Type>>,
    types_left: usize,
    depth: usize,
}

impl Reader {
    fn read(&mut self, json: &Json, namespace: &str) -> Result<Type, ConnectError> {
        self.types_left = self.types_left.checked_sub(1).ok_or_else(|| problem("it has too many types"))?;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(problem("it is nested too deep"));
        }
        let kind = match json {
            Json::String(name) => self.by_name(name, namespace)?,
            Json::Array(branches) => self.union(branches, namespace)?,
            Json::Object(object) => self.object(object, namespace)?,
            _ => return Err(problem("a type is a text, a list or an object")),
        };
        self.depth -= 1;
        Ok(kind)
    }

    fn by_name(&mut self, name: &str, namespace: &str) -> Result<Type, ConnectError> {
        if let Some((shape, kind)) = primitive(name) {
            return Ok(Type { shape, schema: Schema::new(kind), args: Map::new() });
        }
        match self.named.get(&full_name(name, None, namespace)).or_else(|| self.named.get(name)) {
            Some(Some(known)) => {
                let size = count(known);
                self.types_left =
                    self.types_left.checked_sub(size).ok_or_else(|| problem("it has too many types"))?;
                Ok(known.clone())
            }
            Some(None) => Err(problem(&format!("the type {name} contains itself"))),
            None => Err(problem(&format!("there is no type {name}"))),
        }
    }

    fn union(&mut self, branches: &[Json], namespace: &str) -> Result<Type, ConnectError> {
        let (nulls, others): (Vec<&Json>, Vec<&Json>) =
            branches.iter().partition(|branch| branch.as_str() == Some("null"));
        let ([branch], 0..=1) = (others.as_slice(), nulls.len()) else {
            return Err(problem("a union may have null and one other type"));
        };
        let mut inner = self.read(branch, namespace)?;
        if nulls.is_empty() {
            return Ok(inner);
        }
        inner.schema.optional = true;
        let schema = inner.schema.clone();
        Ok(Type { shape: Shape::Optional(Box::new(inner)), schema, args: Map::new() })
    }

    fn object(&mut self, object: &Map<String, Json>, namespace: &str) -> Result<Type, ConnectError> {
        let args = match object.get("arg.properties") {
            Some(Json::Object(args)) => args.clone(),
            None => Map::new(),
            Some(_) => return Err(problem("arg.properties is no object")),
        };
        let kind = object.get("type").ok_or_else(|| problem("a type has no attribute `type`"))?;
        let Json::String(kind) = kind else {
            let mut inner = self.read(kind, namespace)?;
            inner.args.extend(args);
            return Ok(inner);
        };
        let mut made = match kind.as_str() {
            "array" => {
                let item = self.member(object, "items", namespace)?;
                let schema = Schema::new(Kind::Array(Arc::new(item.schema.clone())));
                Type { shape: Shape::Array(Box::new(item)), schema, args }
            }
            "map" => {
                let value = self.member(object, "values", namespace)?;
                let key = Arc::new(Schema::new(Kind::String));
                let schema = Schema::new(Kind::Map { key, value: Arc::new(value.schema.clone()) });
                Type { shape: Shape::Map(Box::new(value)), schema, args }
            }
            "record" | "error" | "enum" | "fixed" => self.named(kind, object, args, namespace)?,
            name => {
                let mut known = self.by_name(name, namespace)?;
                known.args.extend(args);
                known
            }
        };
        if let Some(logical) = object.get("logicalType").and_then(Json::as_str) {
            set_logical(&mut made, logical, object);
        }
        Ok(made)
    }

    fn member(
        &mut self,
        object: &Map<String, Json>,
        name: &str,
        namespace: &str,
    ) -> Result<Type, ConnectError> {
        let member = object.get(name).ok_or_else(|| problem(&format!("a type has no attribute `{name}`")))?;
        self.read(member, namespace)
    }

    fn named(
        &mut self,
        kind: &str,
        object: &Map<String, Json>,
        args: Map<String, Json>,
        namespace: &str,
    ) -> Result<Type, ConnectError> {
        let text = |key: &str| object.get(key).and_then(Json::as_str);
        let simple = text("name").ok_or_else(|| problem("a named type has no name"))?;
        let name = full_name(simple, text("namespace"), namespace);
        if self.named.insert(name.clone(), None).is_some() {
            return Err(problem(&format!("the type {name} is there twice")));
        }
        let inner = name.rsplit_once('.').map_or("", |(namespace, _)| namespace).to_owned();
        let (shape, mut schema) = match kind {
            "enum" => enumeration(object, &name)?,
            "fixed" => {
                let size = object.get("size").and_then(Json::as_u64).filter(|size| *size <= 1 << 20);
                let size = size.ok_or_else(|| problem("a fixed type has no size up to 1 MiB"))?;
                let mut schema = Schema::new(Kind::Bytes);
                schema.parameters.insert("connect.fixed.size".to_owned(), size.to_string());
                (Shape::Fixed(usize::try_from(size).unwrap_or(0)), schema)
            }
            _ => self.record(object, &inner)?,
        };
        if let Some(doc) = text("doc") {
            let param = match kind {
                "enum" => format!("{NAMESPACE}.enum.doc.{}", simple.rsplit('.').next().unwrap_or(simple)),
                _ => format!("{NAMESPACE}.record.doc"),
            };
            if kind != "fixed" {
                schema.parameters.insert(param, doc.to_owned());
            }
        }
        schema.name = Some(name.as_str().into());
        let made = Type { shape, schema, args };
        self.named.insert(name, Some(made.clone()));
        Ok(made)
    }

    fn record(
        &mut self,
        object: &Map<String, Json>,
        namespace: &str,
    ) -> Result<(Shape, Schema), ConnectError> {
        let fields = object.get("fields").and_then(Json::as_array);
        let fields = fields.ok_or_else(|| problem("a record has no fields"))?;
        let mut schema = Schema::new(Kind::Struct(Vec::new()));
        let (mut members, mut made) = (Vec::new(), Vec::new());
        for field in fields {
            let name = field.get("name").and_then(Json::as_str);
            let name = name.ok_or_else(|| problem("a field has no name"))?;
            let Some(kind) = field.get("type") else { return Err(problem("a field has no type")) };
            let mut member = self.read(kind, namespace)?;
            if let Some(doc) = field.get("doc").and_then(Json::as_str) {
                schema.parameters.insert(format!("{NAMESPACE}.field.doc.{name}"), doc.to_owned());
            }
            if let Some(default) = field.get("default") {
                member.schema.default = plain_default(&member.schema, default);
                let param = format!("{NAMESPACE}.field.default");
                member.schema.parameters.insert(param, "true".to_owned());
            }
            if made.iter().any(|(known, _)| known == name) {
                return Err(problem(&format!("the field {name} is there twice")));
            }
            members.push(Field { name: name.into(), schema: Arc::new(member.schema.clone()) });
            made.push((name.to_owned(), member));
        }
        schema.kind = Kind::Struct(members);
        Ok((Shape::Record(made), schema))
    }
}

fn primitive(name: &str) -> Option<(Shape, Kind)> {
    Some(match name {
        "boolean" => (Shape::Boolean, Kind::Boolean),
        "bytes" => (Shape::Bytes, Kind::Bytes),
        "double" => (Shape::Double, Kind::Float64),
        "float" => (Shape::Float, Kind::Float32),
        "int" => (Shape::Int, Kind::Int32),
        "long" => (Shape::Long, Kind::Int64),
        "string" => (Shape::String, Kind::String),
        _ => return None,
    })
}

fn enumeration(object: &Map<String, Json>, name: &str) -> Result<(Shape, Schema), ConnectError> {
    let symbols = object.get("symbols").and_then(Json::as_array).filter(|symbols| !symbols.is_empty());
    let symbols: Option<Vec<String>> =
        symbols.and_then(|symbols| symbols.iter().map(|symbol| symbol.as_str().map(str::to_owned)).collect());
    let symbols = symbols.ok_or_else(|| problem("an enum has no symbols"))?;
    let mut schema = Schema::new(Kind::String);
    schema.parameters.insert(format!("{NAMESPACE}.Enum"), name.to_owned());
    for symbol in &symbols {
        schema.parameters.insert(format!("{NAMESPACE}.Enum.{symbol}"), symbol.clone());
    }
    Ok((Shape::Enum(symbols), schema))
}

/// Logical types that do not fit their base are ignored, as the specification asks.
fn set_logical(made: &mut Type, name: &str, object: &Map<String, Json>) {
    let number = |key: &str| object.get(key).and_then(Json::as_i64);
    let logical = match (name, &made.shape) {
        ("date", Shape::Int) => Logical::Date,
        ("time-millis", Shape::Int) => Logical::Time,
        ("timestamp-millis", Shape::Long) => Logical::Timestamp,
        ("decimal", Shape::Bytes | Shape::Fixed(_)) => {
            let scale = number("scale").unwrap_or(0);
            let Ok(scale) = i32::try_from(scale) else { return };
            Logical::Decimal { scale }
        }
        _ => return,
    };
    let mut schema = Schema::logical_of(logical);
    if matches!(logical, Logical::Decimal { .. }) {
        let precision = number("precision").unwrap_or(PRECISION_DEFAULT);
        if precision != PRECISION_DEFAULT {
            schema.parameters.insert("connect.decimal.precision".to_owned(), precision.to_string());
        }
    }
    schema.parameters.extend(made.schema.parameters.iter().map(|(key, text)| (key.clone(), text.clone())));
    made.schema = schema;
}

/// Defaults of plain types; others have no effect on generated data.
fn plain_default(schema: &Schema, json: &Json) -> Option<Value> {
    let whole = || json.as_i64();
    Some(match &schema.kind {
        _ if schema.logical().is_some() => return None,
        Kind::Boolean => Value::Boolean(json.as_bool()?),
        Kind::Float32 => Value::Float32(json.as_f64()? as f32),
        Kind::Float64 => Value::Float64(json.as_f64()?),
        Kind::Int32 => Value::Int32(i32::try_from(whole()?).ok()?),
        Kind::Int64 => Value::Int64(whole()?),
        Kind::String => Value::String(json.as_str()?.into()),
        _ => return None,
    })
}

fn full_name(name: &str, namespace: Option<&str>, enclosing: &str) -> String {
    match namespace.unwrap_or(enclosing) {
        namespace if !name.contains('.') && !namespace.is_empty() => format!("{namespace}.{name}"),
        _ => name.to_owned(),
    }
}

fn count(kind: &Type) -> usize {
    1 + match &kind.shape {
        Shape::Array(inner) | Shape::Map(inner) | Shape::Optional(inner) => count(inner),
        Shape::Record(fields) => fields.iter().map(|(_, field)| count(field)).sum(),
        _ => 0,
    }
}

/// The text with `//` and `/* */` outside of strings as blanks.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let mut in_string = false;
    while let Some(letter) = letters.next() {
        match (letter, letters.peek()) {
            ('\\', _) if in_string => {
                out.push(letter);
                out.extend(letters.next());
                continue;
            }
            ('"', _) => in_string = !in_string,
            ('/', Some('/')) if !in_string => {
                letters.by_ref().find(|letter| *letter == '\n');
                out.push('\n');
                continue;
            }
            ('/', Some('*')) if !in_string => {
                letters.next();
                let mut last = ' ';
                letters
                    .by_ref()
                    .find(|letter| std::mem::replace(&mut last, *letter) == '*' && *letter == '/');
                out.push(' ');
                continue;
            }
            _ => {}
        }
        out.push(letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_left_out_but_not_in_texts() {
        let text = "{\"a//b\": 1, // c \"\n \"d\\\"//\": /* e */ 2}";
        let json: Json = serde_json::from_str(&without_comments(text)).unwrap();
        assert_eq!(json, serde_json::json!({"a//b": 1, "d\"//": 2}));
    }

    #[test]
    fn names_are_found_in_their_namespace_and_recursion_is_refused() {
        let text = r#"{"type":"record","name":"r","namespace":"n","fields":[
            {"name":"a","type":{"type":"fixed","name":"f","size":2}},
            {"name":"b","type":["null","f"]},{"name":"c","type":"n.f"}]}"#;
        let made = parse(text).unwrap();
        assert_eq!(made.schema.name.as_deref(), Some("n.r"));
        assert_eq!(made.schema.fields()[2].schema.name.as_deref(), Some("n.f"));
        assert!(made.schema.fields()[1].schema.optional);
        let text = r#"{"type":"record","name":"r","fields":[{"name":"a","type":["null","r"]}]}"#;
        assert!(parse(text).unwrap_err().to_string().contains("contains itself"));
    }

    #[test]
    fn schemas_that_would_fill_the_memory_are_refused() {
        let deep = "[\"null\",".repeat(70) + "\"int\"" + &"]".repeat(70);
        assert!(parse(&deep).is_err());
        let fields: Vec<String> = (0..40)
            .map(|level| {
                let kind = match level {
                    0 => "\"int\"".to_owned(),
                    _ => format!("\"r{}\"", level - 1),
                };
                format!(
                    "{{\"name\":\"f{level}\",\"type\":{{\"type\":\"record\",\"name\":\"r{level}\",\
                     \"fields\":[\
                     {{\"name\":\"a\",\"type\":{kind}}},{{\"name\":\"b\",\"type\":{kind}}}]}}}}"
                )
            })
            .collect();
        let wide = format!("{{\"type\":\"record\",\"name\":\"top\",\"fields\":[{}]}}", fields.join(","));
        assert!(parse(&wide).unwrap_err().to_string().contains("too many types"));
    }
}
