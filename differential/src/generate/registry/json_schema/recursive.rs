//! Schemas that contain themselves, of a small pool, and their payloads.

use std::sync::Arc;

use crate::generate::{schema, value as values_of};
use crate::model::{Kind, Typed};
use crate::random::Random;

/// The schemas.
pub(super) const TEXTS: [&str; 7] = [
    r##"{"$ref":"#/definitions/L","definitions":{"L":{"type":"object","title":"List","properties":{
        "v":{"type":"integer"},"next":{"oneOf":[{"type":"null"},{"$ref":"#/definitions/L"}]}}}}}"##,
    r##"{"$ref":"#/definitions/Node","definitions":{"Node":{"type":"object","title":"org.example.Node",
        "description":"a tree","connect.version":2,"connect.parameters":{"p":"1"},"properties":{
        "value":{"type":"integer","connect.type":"int32"},
        "left":{"oneOf":[{"$ref":"#/definitions/Node"},{"type":"null"}]},
        "children":{"type":"array","items":{"$ref":"#/definitions/Node"},"default":[]}}}}}"##,
    r##"{"$ref":"#/definitions/A","definitions":{
        "A":{"type":"object","properties":{"b":{"oneOf":[{"$ref":"#/definitions/B"},{"type":"null"}]}}},
        "B":{"type":"object","properties":{"a":{"oneOf":[{"$ref":"#/definitions/A"},{"type":"null"}]}}}}}"##,
    r##"{"$ref":"#/definitions/M","definitions":{"M":{"type":"object","properties":{"m":{"type":"object",
        "connect.type":"map","additionalProperties":{"$ref":"#/definitions/M"}}}}}}"##,
    r##"{"$ref":"#/definitions/U","definitions":{"U":{"type":"object","title":"U","properties":{
        "u":{"oneOf":[{"type":"string"},{"type":"integer"},{"$ref":"#/definitions/U"}]}}}}}"##,
    r##"{"$ref":"#/definitions/A","definitions":{"A":{"allOf":[{"type":"object","properties":{
        "a":{"oneOf":[{"type":"null"},{"$ref":"#/definitions/A"}]}}},
        {"type":"object","minProperties":0}]}}}"##,
    r##"{"type":"object","properties":{"a":{"$ref":"#/definitions/N"},"b":{"$ref":"#/definitions/N"}},
        "definitions":{"N":{"type":"object","title":"N","properties":{"n":{"type":"number"},
        "self":{"oneOf":[{"type":"null"},{"$ref":"#/definitions/N"}]}}}}}"##,
];

/// A payload of schema `at`, with up to `depth` levels.
pub(super) fn value(random: &mut Random, at: usize, depth: usize) -> String {
    let is_end = depth == 0 || random.once_in(4);
    let inner = |random: &mut Random| if is_end { null() } else { value(random, at, depth - 1) };
    match at {
        0 => format!("{{\"v\":{},\"next\":{}}}", number(random), inner(random)),
        1 => {
            let left = inner(random);
            let count = if is_end { 0 } else { random.below(3) };
            let children: Vec<String> = (0..count).map(|_| inner(random)).collect();
            let number = number(random);
            format!("{{\"value\":{number},\"left\":{left},\"children\":[{}]}}", children.join(","))
        }
        2 if is_end => random.pick(&["{\"b\":null}", "{\"b\":{\"a\":null}}"]).to_owned(),
        2 => format!("{{\"b\":{{\"a\":{}}}}}", inner(random)),
        3 if is_end => "{\"m\":{}}".to_owned(),
        3 => format!("{{\"m\":{{\"k\":{},\"\u{e9}\":{}}}}}", inner(random), inner(random)),
        4 if is_end => format!("{{\"u\":{}}}", random.pick(&["\"text\"", "7", "null", "true", "{}"])),
        4 => format!("{{\"u\":{}}}", inner(random)),
        5 => format!("{{\"a\":{}}}", inner(random)),
        _ => format!("{{\"a\":{},\"b\":{}}}", node(random, depth), node(random, depth)),
    }
}

/// Values of a STRUCT that contains itself; most have a number, by which a reference names them.
pub(super) fn values(random: &mut Random) -> Vec<Typed> {
    let mut schema = schema::recursive(random);
    if !random.once_in(4) {
        number_all(&mut schema, &mut 0);
    }
    let schema = Arc::new(schema);
    let one = |_| Typed { schema: Some(Arc::clone(&schema)), value: values_of::value(random, &schema) };
    (0..6).map(one).collect()
}

fn number_all(schema: &mut crate::model::Schema, numbers: &mut usize) {
    let Kind::Struct(fields) = &mut schema.kind else { return };
    *numbers += 1;
    let parameter = ("io.confluent.connect.json.Id".to_owned(), format!("#id{numbers}"));
    schema.parameters.push(parameter);
    fields.iter_mut().for_each(|field| number_all(Arc::make_mut(&mut field.schema), numbers));
}

fn node(random: &mut Random, depth: usize) -> String {
    let inner = if depth == 0 || random.once_in(4) { null() } else { node(random, depth - 1) };
    format!("{{\"n\":{},\"self\":{inner}}}", number(random))
}

fn number(random: &mut Random) -> i64 {
    random.integer() >> 48
}

fn null() -> String {
    "null".to_owned()
}
