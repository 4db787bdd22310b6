//! Types that contain themselves: a few texts, because a process knows so many of them only.

use std::sync::Arc;

use super::schema::Type;
use crate::generate::{schema as schemas, value};
use crate::model::{Schema, Typed, Value};
use crate::random::Random;

/// How many there are.
pub(in crate::generate) const COUNT: usize = 6;

/// The text of a schema that contains itself, and what its data are made of.
pub(super) fn schema(random: &mut Random) -> (String, Type) {
    of_number(random.below(COUNT))
}

/// Number `at` of them.
pub(super) fn of_number(at: usize) -> (String, Type) {
    let (text, made) = match at {
        0 => (LIST, record(vec![Type::Int, maybe(Type::Enclosing(0))])),
        1 => {
            let many = Type::Array(Box::new(Type::Enclosing(0)));
            let named = Type::Map(Box::new(maybe(Type::Enclosing(0))));
            (TREE, record(vec![Type::String, many, maybe(named)]))
        }
        2 => {
            let inner = record(vec![maybe(Type::Enclosing(1)), Type::Boolean]);
            (MUTUAL, record(vec![maybe(inner), Type::Long]))
        }
        3 => {
            let branches = vec![Type::Null, Type::String, Type::Enclosing(0)];
            (UNION, record(vec![Type::Union(branches), Type::Double]))
        }
        4 => {
            let node = || record(vec![Type::Bytes, maybe(Type::Enclosing(0))]);
            (TWICE, record(vec![node(), maybe(node()), Type::Array(Box::new(node()))]))
        }
        _ => {
            let entry = record(vec![Type::Int, maybe(Type::Enclosing(1))]);
            (ENTRIES, record(vec![Type::Array(Box::new(entry)), Type::Int]))
        }
    };
    (text.to_owned(), made)
}

/// Values of STRUCTs that contain themselves, now and then one without a name.
pub(super) fn values(random: &mut Random) -> Vec<Typed> {
    let mut all = Vec::new();
    for _ in 0..1 + random.below(3) {
        let mut schema = schemas::recursive(random);
        if random.once_in(10) {
            schema.name = None;
        }
        let schema = Arc::new(schema);
        let one = |_| typed(&schema, value::value(random, &schema));
        all.extend((0..6).map(one));
    }
    all
}

/// A required column holds no null; without a schema it is a tombstone.
fn typed(schema: &Arc<Schema>, value: Value) -> Typed {
    Typed { schema: Some(Arc::clone(schema)).filter(|schema| value != Value::Null || schema.optional), value }
}

fn record(types: Vec<Type>) -> Type {
    Type::Record(types.into_iter().enumerate().map(|(at, made)| (format!("f{at}"), made)).collect())
}

fn maybe(made: Type) -> Type {
    Type::Union(vec![Type::Null, made])
}

const LIST: &str = r#"{"type":"record","name":"a.List","fields":[{"name":"f0","type":"int"},
    {"name":"f1","type":["null","List"],"default":null}]}"#;

const TREE: &str = r#"{"type":"record","name":"Tree","doc":"a tree","fields":[{"name":"f0","type":"string"},
    {"name":"f1","type":{"type":"array","items":"Tree"}},
    {"name":"f2","type":["null",{"type":"map","values":["null","Tree"]}]}]}"#;

const MUTUAL: &str = r#"{"type":"record","name":"a.A","fields":[{"name":"f0","type":["null",
    {"type":"record","name":"B","fields":[{"name":"f0","type":["null","A"]},
    {"name":"f1","type":"boolean"}]}]},
    {"name":"f1","type":{"type":"long","logicalType":"timestamp-millis"}}]}"#;

const UNION: &str = r#"{"type":"record","name":"U","fields":[{"name":"f0","type":["null","string","U"]},
    {"name":"f1","type":"double"}]}"#;

const TWICE: &str = r#"{"type":"record","name":"Top","fields":[{"name":"f0","type":{"type":"record",
    "name":"Node","connect.version":3,"fields":[{"name":"f0","type":"bytes"},
    {"name":"f1","type":["null","Node"],"default":null}]}},
    {"name":"f1","type":["null","Node"],"default":null},
    {"name":"f2","type":{"type":"array","items":"Node"}}]}"#;

const ENTRIES: &str = r#"{"type":"record","name":"n.M","fields":[{"name":"f0","type":{"type":"array","items":
    {"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro","fields":[
    {"name":"key","type":"int"},{"name":"value","type":["null","n.M"]}]}}},{"name":"f1","type":"int"}]}"#;
