//! Schemas of every type with every attribute.

use std::sync::Arc;

use super::{text, value};
use crate::model::{Field, Kind, LOGICAL, Schema};
use crate::random::Random;

const PRIMITIVES: [Kind; 9] = [
    Kind::Int8,
    Kind::Int16,
    Kind::Int32,
    Kind::Int64,
    Kind::Float32,
    Kind::Float64,
    Kind::Boolean,
    Kind::String,
    Kind::Bytes,
];

/// A schema nested at most `depth` deep.
pub(crate) fn schema(random: &mut Random, depth: usize) -> Schema {
    let containers = if depth == 0 { 0 } else { 5 };
    let mut schema = match random.below(12 + containers) {
        0 => logical(random),
        1..12 => Schema::new(random.pick(&PRIMITIVES)),
        12 => Schema::new(Kind::Array(Some(Arc::new(self::schema(random, depth - 1))))),
        13 => {
            let key =
                if random.once_in(3) { self::schema(random, depth - 1) } else { Schema::new(Kind::String) };
            let value = self::schema(random, depth - 1);
            // A null key fits no column.
            let key = Schema { optional: false, ..key };
            Schema::new(Kind::Map(Some(Arc::new(key)), Some(Arc::new(value))))
        }
        _ => structure(random, depth - 1),
    };
    attributes(random, &mut schema);
    schema
}

/// A STRUCT with fields nested at most `depth` deep.
pub(crate) fn structure(random: &mut Random, depth: usize) -> Schema {
    let count = random.below(6);
    let field = |name, random: &mut Random| Field { name, schema: Arc::new(schema(random, depth)) };
    let names = text::names(random, count);
    Schema::new(Kind::Struct(names.into_iter().map(|name| field(name, random)).collect()))
}

/// `Date`, `Decimal`, `Time` or `Timestamp`.
pub(crate) fn logical(random: &mut Random) -> Schema {
    let (kind, simple) = random.pick(&[
        (Kind::Int32, "Date"),
        (Kind::Bytes, "Decimal"),
        (Kind::Int32, "Time"),
        (Kind::Int64, "Timestamp"),
    ]);
    let mut schema = Schema::new(kind);
    schema.name = Some(format!("{LOGICAL}{simple}"));
    schema.version = Some(1);
    if simple == "Decimal" {
        let scale = random.pick(&[0, 1, 2, 2, 5, 10, 38, -3]);
        schema.parameters.push(("scale".to_owned(), scale.to_string()));
    }
    schema
}

fn attributes(random: &mut Random, schema: &mut Schema) {
    schema.optional = random.once_in(2);
    if schema.name.is_none() {
        if random.once_in(6) {
            schema.name = Some(random.pick(&["org.example.Name", "n", "", "é"]).to_string());
        }
        if random.once_in(8) {
            schema.version = Some(random.pick(&[0, 1, 7, -1, i32::MAX]));
        }
    }
    if random.once_in(10) {
        schema.doc = Some(text::text(random));
    }
    if random.once_in(10) {
        schema.parameters.push(("p".to_owned(), text::text(random)));
        if random.once_in(2) {
            schema.parameters.push(("another".to_owned(), text::text(random)));
        }
    }
    if random.once_in(6) && !has_struct(schema) {
        let required = Schema { optional: false, ..schema.clone() };
        schema.default = Some(value::value(random, &required));
    }
}

/// Java compares the schema of a struct with the one it is a default of, which has that default: it never
/// holds.
fn has_struct(schema: &Schema) -> bool {
    match &schema.kind {
        Kind::Struct(_) => true,
        Kind::Array(item) => item.as_ref().is_some_and(|item| has_struct(item)),
        Kind::Map(key, value) => [key, value].into_iter().flatten().any(|schema| has_struct(schema)),
        _ => false,
    }
}
