//! JSON Schemas: what a schema says, and its text.

use super::super::super::{json, text};
use crate::random::Random;

/// A schema with the keywords that every type may have.
pub(super) struct Node {
    pub(super) shape: Shape,
    /// More members, as text.
    extras: Vec<String>,
}

/// What values of a schema are.
pub(super) enum Shape {
    /// The members of all parts, which are objects or definitions.
    All(Vec<Node>),
    Array(Box<Node>),
    Boolean,
    Bytes,
    Constant(String),
    Enum(Vec<String>),
    /// An enum that names its type, too.
    TypedEnum(Vec<String>),
    Integer(&'static str),
    /// Members of any name.
    Map(Box<Node>),
    /// A list of keys and values.
    MapEntries(Box<Node>, Box<Node>),
    /// A value or null, null first or last.
    Nullable(Box<Node>, bool),
    Number(&'static str),
    Object(Vec<(String, Node)>),
    Text,
    /// A definition.
    Reference(usize),
    /// A value of one type or another, by their names.
    Types(Vec<(&'static str, Node)>),
    /// One of several, of any keyword of such choices.
    Union(&'static str, Vec<Node>),
}

/// A schema with definitions; a definition refers to those before it.
pub(super) struct Document {
    pub(super) text: String,
    pub(super) root: Node,
    pub(super) definitions: Vec<Node>,
}

const NAMES: [&str; 10] = ["a", "b", "c", "id", "ts", "name", "x y", "é", "key", "value"];
const SYMBOLS: [&str; 9] = ["\"A\"", "\"B\"", "\"x y\"", "1", "1.5", "true", "null", "\"\"", "\"1\""];

/// A document of a STRUCT mostly.
pub(super) fn document(random: &mut Random) -> Document {
    let mut definitions = Vec::new();
    for _ in 0..random.below(3) {
        let definition =
            if random.once_in(3) { node(random, 1, &definitions) } else { object(random, 1, &definitions) };
        definitions.push(definition);
    }
    let root =
        if random.once_in(4) { node(random, 3, &definitions) } else { object(random, 3, &definitions) };
    let mut members = root.members();
    if !definitions.is_empty() {
        let listed: Vec<String> =
            definitions.iter().enumerate().map(|(at, node)| format!("\"D{at}\":{}", node.text())).collect();
        members.push(format!("\"definitions\":{{{}}}", listed.join(",")));
    }
    if random.once_in(4) {
        members.push("\"$schema\":\"http://json-schema.org/draft-07/schema#\"".to_owned());
    }
    Document { text: format!("{{{}}}", members.join(",")), root, definitions }
}

fn node(random: &mut Random, depth: usize, known: &[Node]) -> Node {
    let shape = match random.below(if depth == 0 { 9 } else { 18 }) {
        0 => Shape::Boolean,
        1 | 2 => Shape::Integer(random.pick(&["", "", "int8", "int16", "int32", "int64"])),
        3 => Shape::Number(random.pick(&["", "", "float32", "float64"])),
        4 | 5 => Shape::Text,
        6 => Shape::Bytes,
        7 => return logical(random),
        8 => choices(random),
        9 => Shape::Array(Box::new(node(random, depth - 1, known))),
        10 => Shape::Map(Box::new(node(random, depth - 1, known))),
        11 => {
            let key = node(random, 0, known);
            Shape::MapEntries(Box::new(key), Box::new(node(random, depth - 1, known)))
        }
        12 => return object(random, depth - 1, known),
        13 => Shape::Nullable(Box::new(node(random, depth - 1, known)), random.once_in(3)),
        14 => {
            let mut parts: Vec<Node> =
                (0..1 + random.below(2)).map(|_| object(random, depth - 1, known)).collect();
            if !known.is_empty() && random.once_in(2) {
                let at = random.below(known.len());
                parts.push(Node { shape: Shape::Reference(at), extras: Vec::new() });
            }
            Shape::All(parts)
        }
        15 => {
            let of = |shape: Shape| Node { shape, extras: Vec::new() };
            let all = [
                ("string", Shape::Text),
                ("integer", Shape::Integer("")),
                ("number", Shape::Number("")),
                ("boolean", Shape::Boolean),
            ];
            let mut types: Vec<(&'static str, Node)> = all
                .into_iter()
                .filter(|_| random.once_in(2))
                .map(|(name, shape)| (name, of(shape)))
                .collect();
            if types.is_empty() || random.once_in(2) {
                types.push(("null", of(Shape::Enum(vec!["null".to_owned()]))));
            }
            Shape::Types(types)
        }
        16 if !known.is_empty() => Shape::Reference(random.below(known.len())),
        _ => {
            let keyword = random.pick(&["oneOf", "anyOf"]);
            let count = 1 + random.below(3);
            Shape::Union(keyword, (0..count).map(|_| node(random, depth - 1, known)).collect())
        }
    };
    described(random, shape)
}

fn object(random: &mut Random, depth: usize, known: &[Node]) -> Node {
    let mut left = NAMES.to_vec();
    let mut properties = Vec::new();
    let indexed = random.once_in(2);
    for at in 0..random.below(6) {
        let name = left.swap_remove(random.below(left.len())).to_owned();
        let mut property = node(random, depth, known);
        if indexed && !matches!(property.shape, Shape::Reference(_)) {
            property.extras.push(format!("\"connect.index\":{}", 5 - at));
        }
        properties.push((name, property));
    }
    let required: Vec<String> =
        properties.iter().filter(|_| random.once_in(2)).map(|(name, _)| format!("\"{name}\"")).collect();
    let mut node = described(random, Shape::Object(properties));
    if !required.is_empty() {
        node.extras.push(format!("\"required\":[{}]", required.join(",")));
    }
    if random.once_in(6) {
        node.extras.push("\"additionalProperties\":false".to_owned());
    }
    node
}

fn choices(random: &mut Random) -> Shape {
    let mut left = SYMBOLS.to_vec();
    let count = 1 + random.below(4);
    let symbols: Vec<String> =
        (0..count).map(|_| left.swap_remove(random.below(left.len())).to_owned()).collect();
    match symbols.iter().find(|symbol| *symbol != "null") {
        Some(symbol) if random.once_in(4) => Shape::Constant(symbol.clone()),
        _ if symbols.iter().all(|symbol| symbol.starts_with('"')) && random.once_in(2) => {
            Shape::TypedEnum(symbols)
        }
        _ => Shape::Enum(symbols),
    }
}

fn logical(random: &mut Random) -> Node {
    let (shape, name, more) = match random.below(5) {
        0 => (Shape::Integer("int32"), "Date", ""),
        1 => (Shape::Integer("int32"), "Time", ""),
        2 => (Shape::Integer("int64"), "Timestamp", ""),
        3 => (Shape::Bytes, "Decimal", "\"scale\":\"2\""),
        _ => (Shape::Number("bytes"), "Decimal", "\"scale\":\"2\""),
    };
    let mut extras = vec![format!("\"title\":\"org.apache.kafka.connect.data.{name}\"")];
    extras.push("\"connect.version\":1".to_owned());
    if !more.is_empty() {
        extras.push(format!("\"connect.parameters\":{{{more}}}"));
    }
    Node { shape, extras }
}

fn described(random: &mut Random, shape: Shape) -> Node {
    let mut extras = Vec::new();
    let is_reference = matches!(shape, Shape::Reference(_));
    if !is_reference {
        if random.once_in(6) {
            extras.push(format!("\"title\":\"{}\"", random.pick(&["Order", "org.example.Item", "", "é"])));
        }
        if random.once_in(10) {
            extras.push(format!("\"description\":{}", serde_json::Value::from(text::text(random))));
        }
        if random.once_in(12) {
            extras.push(format!("\"connect.version\":{}", random.pick(&["0", "3", "-1"])));
        }
        if random.once_in(10) {
            extras.push("\"connect.parameters\":{\"p\":\"1\",\"another\":\"é\"}".to_owned());
        }
    }
    let has_default = match &shape {
        Shape::Object(_) | Shape::Union(..) | Shape::Nullable(..) | Shape::Reference(_) => false,
        Shape::All(_) | Shape::Types(_) => false,
        Shape::MapEntries(..) | Shape::Map(_) | Shape::Array(_) => false,
        _ => random.once_in(10),
    };
    if has_default {
        let default = value(random, &shape, &[]);
        // A schema is JSON, whatever payloads are.
        if serde_json::from_str::<serde_json::Value>(&default).is_ok() {
            extras.push(format!("\"default\":{default}"));
        }
    }
    if matches!(shape, Shape::Text | Shape::Integer(_) | Shape::Number(_)) && random.once_in(12) {
        let limit = if matches!(shape, Shape::Text) { "\"minLength\":1" } else { "\"minimum\":0" };
        extras.push(limit.to_owned());
    }
    Node { shape, extras }
}

impl Node {
    fn text(&self) -> String {
        format!("{{{}}}", self.members().join(","))
    }

    fn members(&self) -> Vec<String> {
        let mut members = match &self.shape {
            Shape::All(parts) => {
                let listed: Vec<String> = parts.iter().map(Self::text).collect();
                vec![format!("\"allOf\":[{}]", listed.join(","))]
            }
            Shape::Types(types) => {
                let listed: Vec<String> = types.iter().map(|(name, _)| format!("\"{name}\"")).collect();
                vec![format!("\"type\":[{}]", listed.join(","))]
            }
            Shape::TypedEnum(values) => {
                vec![typed("string"), format!("\"enum\":[{}]", values.join(","))]
            }
            Shape::Array(items) => vec![typed("array"), format!("\"items\":{}", items.text())],
            Shape::Boolean => vec![typed("boolean")],
            Shape::Bytes => vec![typed("string"), connect("bytes")],
            Shape::Constant(value) => vec![format!("\"const\":{value}")],
            Shape::Enum(values) => vec![format!("\"enum\":[{}]", values.join(","))],
            Shape::Integer("") => vec![typed("integer")],
            Shape::Integer(name) => vec![typed("integer"), connect(name)],
            Shape::Map(values) => {
                vec![typed("object"), connect("map"), format!("\"additionalProperties\":{}", values.text())]
            }
            Shape::MapEntries(key, value) => {
                let (key, value) = (key.text(), value.text());
                let entry =
                    format!("{{\"type\":\"object\",\"properties\":{{\"key\":{key},\"value\":{value}}}}}");
                vec![typed("array"), connect("map"), format!("\"items\":{entry}")]
            }
            Shape::Nullable(value, is_last) => {
                let (value, null) = (value.text(), "{\"type\":\"null\"}");
                vec![if *is_last {
                    format!("\"oneOf\":[{value},{null}]")
                } else {
                    format!("\"oneOf\":[{null},{value}]")
                }]
            }
            Shape::Number("") => vec![typed("number")],
            Shape::Number(name) => vec![typed("number"), connect(name)],
            Shape::Object(properties) => {
                let listed: Vec<String> =
                    properties.iter().map(|(name, node)| format!("\"{name}\":{}", node.text())).collect();
                vec![typed("object"), format!("\"properties\":{{{}}}", listed.join(","))]
            }
            Shape::Reference(at) => vec![format!("\"$ref\":\"#/definitions/D{at}\"")],
            Shape::Text => vec![typed("string")],
            Shape::Union(keyword, nodes) => {
                let listed: Vec<String> = nodes.iter().map(Self::text).collect();
                vec![format!("\"{keyword}\":[{}]", listed.join(","))]
            }
        };
        members.extend(self.extras.iter().cloned());
        members
    }
}

fn typed(name: &str) -> String {
    format!("\"type\":\"{name}\"")
}

fn connect(name: &str) -> String {
    format!("\"connect.type\":\"{name}\"")
}

/// A value of a schema, or now and then of none.
pub(super) fn value(random: &mut Random, shape: &Shape, definitions: &[Node]) -> String {
    if random.once_in(120) {
        return json::value(random, 2);
    }
    match shape {
        Shape::Array(items) => {
            let items: Vec<String> =
                (0..random.below(4)).map(|_| value(random, &items.shape, definitions)).collect();
            format!("[{}]", items.join(","))
        }
        Shape::Boolean => random.pick(&["true", "false"]).to_owned(),
        Shape::Bytes => random.pick(&["\"\"", "\"AJw=\"", "\"AQ==\"", "\"AAAB\"", "\"/+8=\""]).to_owned(),
        Shape::Constant(value) => value.clone(),
        Shape::Enum(values) | Shape::TypedEnum(values) => random.pick(values),
        Shape::All(parts) => {
            let members = parts.iter().map(|part| value(random, &part.shape, definitions));
            let members = members.map(|text| text.trim_matches(['{', '}']).to_owned());
            let members: Vec<String> = members.filter(|text| !text.is_empty()).collect();
            format!("{{{}}}", members.join(","))
        }
        Shape::Types(types) => {
            let chosen = random.below(types.len());
            value(random, &types[chosen].1.shape, definitions)
        }
        Shape::Integer(_) => integer(random),
        Shape::Map(values) => {
            let count = random.below(4);
            let names = text::names(random, count);
            let members = names.iter().map(|name| {
                format!(
                    "{}:{}",
                    serde_json::Value::from(name.as_str()),
                    value(random, &values.shape, definitions)
                )
            });
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Shape::MapEntries(key, member) => {
            let mut entry = || {
                let key = value(random, &key.shape, definitions);
                format!("{{\"key\":{key},\"value\":{}}}", value(random, &member.shape, definitions))
            };
            let entries: Vec<String> = (0..2).map(|_| entry()).collect();
            format!("[{}]", entries[..random.below(3)].join(","))
        }
        Shape::Nullable(value_node, _) => {
            if random.once_in(3) {
                "null".to_owned()
            } else {
                value(random, &value_node.shape, definitions)
            }
        }
        Shape::Number(_) => match random.below(4) {
            0 => integer(random),
            1 => random.pick(&["0.25", "-0.0", "1e3", "12.50", "0.10", "1E-2", "123456789.125"]).to_owned(),
            _ => format!("{}.{}", random.integer() >> 40, random.below(100)),
        },
        Shape::Object(properties) => members_of(random, properties, definitions),
        Shape::Reference(at) => match definitions.get(*at) {
            Some(definition) => value(random, &definition.shape, definitions),
            None => "null".to_owned(),
        },
        Shape::Text => serde_json::Value::from(text::text(random)).to_string(),
        Shape::Union(_, nodes) => {
            let chosen = random.below(nodes.len());
            value(random, &nodes[chosen].shape, definitions)
        }
    }
}

/// Most of the properties, now and then one more, now and then in another order.
fn members_of(random: &mut Random, properties: &[(String, Node)], definitions: &[Node]) -> String {
    let mut members = Vec::new();
    for (name, node) in properties {
        if !random.once_in(50) {
            members.push(format!("\"{name}\":{}", value(random, &node.shape, definitions)));
        }
    }
    if random.once_in(10) {
        members.push(format!("\"unknown\":{}", json::value(random, 1)));
    }
    if random.once_in(6) {
        members.reverse();
    }
    format!("{{{}}}", members.join(","))
}

fn integer(random: &mut Random) -> String {
    match random.below(12) {
        0 => random.pick(&["1.0", "1.9", "-2.5e0", "3e2", "123456789012345678901234567890"]).to_owned(),
        1 => random.pick(&["127", "128", "-129", "32768", "2147483648", "9223372036854775807"]).to_owned(),
        2 => random.integer().to_string(),
        // Times of day are not negative.
        3 => (random.integer() >> 48).to_string(),
        _ => (random.integer() >> 48).abs().to_string(),
    }
}
