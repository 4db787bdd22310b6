//! Smaller values, with their schemas, and smaller records.

use std::sync::Arc;

use crate::model::{Header, Kind, Record, Schema, Typed, Value};

/// Smaller forms of a value and its schema.
pub(super) fn smaller_typed(typed: &Typed) -> Vec<Typed> {
    let mut smaller = Vec::new();
    match &typed.schema {
        None => {
            let plain = |value| Typed { schema: None, value };
            smaller.extend(smaller_values(&typed.value).into_iter().map(plain));
        }
        Some(schema) => {
            if *typed != Typed::null() {
                smaller.push(Typed::null());
            }
            smaller.extend(
                parts(schema, &typed.value)
                    .into_iter()
                    .map(|(schema, value)| Typed { schema: Some(schema), value }),
            );
        }
    }
    smaller
}

/// Smaller forms of a header's value.
pub(super) fn smaller_header(header: &Header) -> Vec<Header> {
    let one = |value| Header { name: header.name.clone(), value };
    smaller_typed(&header.value).into_iter().map(one).collect()
}

/// Records with less in them.
pub(super) fn smaller_record(record: &Record) -> Vec<Record> {
    let mut smaller = Vec::new();
    if !record.headers.is_empty() {
        smaller.push(Record { headers: Vec::new(), ..record.clone() });
    }
    for at in 0..record.headers.len() {
        let mut one = record.clone();
        one.headers.remove(at);
        smaller.push(one);
        for header in smaller_header(&record.headers[at]) {
            let mut one = record.clone();
            one.headers[at] = header;
            smaller.push(one);
        }
    }
    smaller.extend(smaller_typed(&record.key).into_iter().map(|key| Record { key, ..record.clone() }));
    smaller.extend(smaller_typed(&record.value).into_iter().map(|value| Record { value, ..record.clone() }));
    smaller
}

fn contains_itself(schema: &Schema) -> bool {
    let inside = |schema: &Option<Arc<Schema>>| schema.as_ref().is_some_and(|schema| contains_itself(schema));
    match &schema.kind {
        Kind::Array(item) => inside(item),
        Kind::Map(key, member) => inside(key) || inside(member),
        Kind::Recursive(_) => true,
        Kind::Struct(fields) => fields.iter().any(|field| contains_itself(&field.schema)),
        _ => false,
    }
}

/// Schemas with less in them, with the value that is left.
fn parts(schema: &Arc<Schema>, value: &Value) -> Vec<(Arc<Schema>, Value)> {
    let mut smaller = Vec::new();
    let mut attribute = |change: fn(&mut Schema)| {
        let mut one = (**schema).clone();
        change(&mut one);
        if one != **schema {
            smaller.push((Arc::new(one), value.clone()));
        }
    };
    attribute(|schema| schema.default = None);
    attribute(|schema| schema.doc = None);
    if schema.logical().is_none() {
        attribute(|schema| schema.name = None);
        attribute(|schema| schema.version = None);
        attribute(|schema| schema.parameters.clear());
    }
    if *value == Value::Null {
        return smaller;
    }
    attribute(|schema| schema.optional = false);
    if contains_itself(schema) {
        // What is left out above is missing below, too.
        return smaller;
    }
    match (&schema.kind, value) {
        (Kind::Struct(fields), Value::Struct(values)) => {
            for at in 0..fields.len() {
                let (mut fewer, mut left) = (fields.clone(), values.clone());
                fewer.remove(at);
                left.remove(at);
                smaller.push((with(schema, Kind::Struct(fewer)), Value::Struct(left)));
            }
            for (at, field) in fields.iter().enumerate() {
                for (inner, value) in parts(&field.schema, &values[at]) {
                    let (mut same, mut other) = (fields.clone(), values.clone());
                    same[at].schema = inner;
                    other[at] = value;
                    smaller.push((with(schema, Kind::Struct(same)), Value::Struct(other)));
                }
            }
        }
        (Kind::Array(Some(item)), Value::List(values)) => {
            smaller
                .extend(without_each(values).into_iter().map(|left| (Arc::clone(schema), Value::List(left))));
            if let [only] = values.as_slice() {
                for (inner, value) in parts(item, only) {
                    smaller.push((with(schema, Kind::Array(Some(inner))), Value::List(vec![value])));
                }
            }
        }
        (Kind::Map(key, Some(member)), Value::Map(entries)) => {
            smaller
                .extend(without_each(entries).into_iter().map(|left| (Arc::clone(schema), Value::Map(left))));
            if let [(name, only)] = entries.as_slice() {
                for (inner, value) in parts(member, only) {
                    let kind = Kind::Map(key.clone(), Some(inner));
                    smaller.push((with(schema, kind), Value::Map(vec![(name.clone(), value)])));
                }
            }
        }
        _ => {
            let same = |value| (Arc::clone(schema), value);
            smaller.extend(smaller_values(value).into_iter().map(same));
        }
    }
    smaller
}

fn with(schema: &Schema, kind: Kind) -> Arc<Schema> {
    // A default would no longer fit.
    Arc::new(Schema { kind, default: None, ..schema.clone() })
}

fn without_each<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    let without = |at: usize| {
        let mut left = items.to_vec();
        left.remove(at);
        left
    };
    (0..items.len()).map(without).collect()
}

/// Smaller values of the same type; of schemaless containers also what they hold.
fn smaller_values(value: &Value) -> Vec<Value> {
    let mut smaller = match value {
        Value::Int8(number) if *number != 0 => vec![Value::Int8(0), Value::Int8(1), Value::Int8(number / 2)],
        Value::Int16(number) if *number != 0 => {
            vec![Value::Int16(0), Value::Int16(1), Value::Int16(number / 2)]
        }
        Value::Int32(number) if *number != 0 => {
            vec![Value::Int32(0), Value::Int32(1), Value::Int32(number / 2)]
        }
        Value::Int64(number) if *number != 0 => {
            vec![Value::Int64(0), Value::Int64(1), Value::Int64(number / 2)]
        }
        Value::Float32(_) => vec![Value::Float32(0.0), Value::Float32(1.5)],
        Value::Float64(_) => vec![Value::Float64(0.0), Value::Float64(1.5)],
        Value::String(text) => {
            let characters: Vec<char> = text.chars().collect();
            let mut texts: Vec<Value> = without_each(&characters)
                .into_iter()
                .map(|left| Value::String(left.iter().collect()))
                .collect();
            texts.insert(0, Value::text(""));
            texts
        }
        Value::Bytes(bytes) => without_each(bytes).into_iter().map(Value::Bytes).collect(),
        Value::List(items) => {
            let mut lists: Vec<Value> = items.to_vec();
            lists.extend(without_each(items).into_iter().map(Value::List));
            for (at, item) in items.iter().enumerate() {
                for inner in smaller_values(item) {
                    let mut items = items.clone();
                    items[at] = inner;
                    lists.push(Value::List(items));
                }
            }
            lists
        }
        Value::Map(entries) => {
            let mut maps: Vec<Value> = entries.iter().map(|(_, value)| value.clone()).collect();
            maps.extend(without_each(entries).into_iter().map(Value::Map));
            for (at, (_, member)) in entries.iter().enumerate() {
                for inner in smaller_values(member) {
                    let mut entries = entries.clone();
                    entries[at].1 = inner;
                    maps.push(Value::Map(entries));
                }
            }
            maps
        }
        Value::Date(ms) if *ms != 0 => vec![Value::Date(0), Value::Date(86_400_000)],
        Value::Decimal { unscaled, scale } if unscaled.len() > 1 => {
            vec![Value::Decimal { unscaled: vec![5], scale: *scale }]
        }
        _ => Vec::new(),
    };
    smaller.retain(|one| one != value);
    smaller
}
