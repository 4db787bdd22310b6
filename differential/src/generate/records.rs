//! Sink records: runs of one schema, schemaless ones, tombstones, headers.

use std::sync::Arc;

use super::{schema, text, value};
use crate::model::{Header, Kind, Record, Schema, Side, TimestampType, Typed, Value};
use crate::random::Random;

/// Records per case.
const ITEMS_MAX: usize = 12;
/// Topics of records.
pub(super) const TOPICS: [&str; 6] = ["topic", "orders-eu", "a.b.c", "T_1", "x", "2024-logs"];
/// Names of headers.
pub(super) const HEADERS: [&str; 6] = ["h", "a", "trace", "id", "é", ""];

/// What the keys or the values of a case look like.
#[derive(Clone)]
pub(super) struct Shape {
    /// `None` when schemaless.
    pub(super) schema: Option<Arc<Schema>>,
    /// Whether schemaless values are objects.
    objects: bool,
    /// What schemaless values look like, when they all look alike.
    alike: Option<Value>,
}

/// A value of the shape of `value`.
fn like(random: &mut Random, value: &Value) -> Value {
    if random.once_in(7) {
        return Value::Null;
    }
    match value {
        Value::Map(entries) => {
            Value::Map(entries.iter().map(|(key, value)| (key.clone(), like(random, value))).collect())
        }
        Value::Int64(_) => Value::Int64(random.integer()),
        other => other.clone(),
    }
}

impl Shape {
    /// Mostly STRUCTs and objects.
    pub(super) fn random(random: &mut Random) -> Self {
        let schema = match random.below(24) {
            0..7 => {
                let mut schema = schema::structure(random, 2);
                schema.optional = random.once_in(3);
                schema.name = random.once_in(3).then(|| "org.example.Record".to_owned());
                schema.version = random.once_in(5).then_some(3);
                schema.doc = random.once_in(8).then(|| "doc".to_owned());
                Some(schema)
            }
            7 => Some(schema::schema(random, 2)),
            23 => Some(schema::recursive(random)),
            _ => None,
        };
        let objects = !random.once_in(5);
        let alike = (schema.is_none() && !random.once_in(4)).then(|| match objects {
            true => value::object(random, 2),
            false => value::dynamic(random, 2),
        });
        Self { schema: schema.map(Arc::new), objects, alike }
    }

    /// Short texts or nothing, as keys mostly are.
    fn plain(random: &mut Random) -> Self {
        let schema = random.once_in(2).then(|| {
            let mut schema = Schema::new(random.pick(&[Kind::String, Kind::Int64, Kind::Bytes]));
            schema.optional = random.once_in(2);
            Arc::new(schema)
        });
        Self { schema, objects: false, alike: None }
    }

    fn typed(&self, random: &mut Random) -> Typed {
        if random.once_in(12) {
            let nullable = self.schema.clone().filter(|schema| schema.optional && random.once_in(2));
            return Typed { schema: nullable, value: Value::Null };
        }
        if let Some(alike) = &self.alike {
            return Typed { schema: None, value: like(random, alike) };
        }
        let value = match &self.schema {
            Some(schema) => value::value(random, schema),
            None if self.objects => value::object(random, 2),
            None => value::dynamic(random, 2),
        };
        Typed { schema: self.schema.clone(), value }
    }

    /// The names of fields, nested ones as paths. Those of schemaless objects are any of the usual ones.
    pub(super) fn names(&self) -> Vec<(String, Arc<Schema>)> {
        let mut names = Vec::new();
        if let Some(schema) = &self.schema {
            collect(schema, "", &mut Vec::new(), &mut names);
        }
        names
    }
}

/// Names inside of the STRUCTs `around`, and once more where one of them contains itself.
fn collect<'a>(
    schema: &'a Schema,
    prefix: &str,
    around: &mut Vec<&'a Schema>,
    names: &mut Vec<(String, Arc<Schema>)>,
) {
    let schema = match &schema.kind {
        Kind::Recursive(levels) if prefix.len() < PREFIX_MAX => around[around.len() - levels],
        _ => schema,
    };
    around.push(schema);
    for field in schema.fields() {
        let path = format!("{prefix}{}", field.name);
        collect(&field.schema, &format!("{path}."), around, names);
        names.push((path, Arc::clone(&field.schema)));
    }
    around.pop();
}

/// Longer paths are not followed into recursions.
const PREFIX_MAX: usize = 12;

/// The side of the record a transform works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The key.
    Key,
    /// The value.
    Value,
}

/// Records whose `part` has the shape `main`.
pub(super) fn records(random: &mut Random, part: Part, main: &Shape) -> Vec<Record> {
    let count = 1 + random.below(ITEMS_MAX);
    let other =
        if part == Part::Key || random.once_in(3) { Shape::random(random) } else { Shape::plain(random) };
    let second = random.once_in(6).then(|| Shape::random(random));
    let topic = random.pick(&TOPICS).to_owned();
    let mut offset = 100;
    let same_headers = random.once_in(2).then(|| headers(random));
    let mut one = |random: &mut Random| {
        offset += 1 + i64::from(random.once_in(4));
        let shape = second.as_ref().filter(|_| random.once_in(3)).unwrap_or(main);
        let (key, value) = match part {
            Part::Key => (shape.typed(random), other.typed(random)),
            Part::Value => (other.typed(random), shape.typed(random)),
        };
        let timestamp_ms = (!random.once_in(10)).then(|| value::instant(random));
        let from = random.pick(&[TimestampType::Create, TimestampType::LogAppend]);
        Record {
            side: Side::Sink,
            topic: Some(topic.clone()),
            partition: Some(3),
            key,
            value,
            timestamp_ms,
            timestamp_type: if timestamp_ms.is_some() { from } else { TimestampType::None },
            offset,
            headers: same_headers.clone().unwrap_or_else(|| headers(random)),
        }
    };
    (0..count).map(|_| one(random)).collect()
}

fn headers(random: &mut Random) -> Vec<Header> {
    if !random.once_in(3) {
        return Vec::new();
    }
    (0..random.below(4)).map(|_| header(random)).collect()
}

/// A header with or without a schema.
pub(super) fn header(random: &mut Random) -> Header {
    let value = if random.once_in(3) {
        Typed { schema: None, value: value::dynamic(random, 1) }
    } else {
        let schema = schema::schema(random, 2);
        let value = value::value(random, &schema);
        Typed { schema: Some(Arc::new(schema)), value }
    };
    Header { name: random.pick(&HEADERS).to_owned(), value }
}

/// The name of a field of `shape`, or of none.
pub(super) fn field(random: &mut Random, shape: &Shape) -> String {
    field_where(random, shape, |_| true)
}

/// The name of a field whose schema fulfils `test`; sometimes of another one, or of none.
pub(super) fn field_where(random: &mut Random, shape: &Shape, test: impl Fn(&Schema) -> bool) -> String {
    let names = shape.names();
    let fitting: Vec<&String> =
        names.iter().filter(|(_, schema)| test(schema)).map(|(name, _)| name).collect();
    match random.below(8) {
        0 => text::name(random),
        1 if !names.is_empty() => random.pick(&names).0,
        _ if !fitting.is_empty() => random.pick(&fitting).clone(),
        _ => text::name(random),
    }
}
