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

/// A STRUCT that contains itself. There are few of them: our side keeps every such type for good.
pub(crate) fn recursive(random: &mut Random) -> Schema {
    let place = |levels, optional| Schema { optional, ..Schema::new(Kind::Recursive(levels)) };
    let list = |item| Schema::new(Kind::Array(Some(Arc::new(item))));
    let map =
        |value| Schema::new(Kind::Map(Some(Arc::new(Schema::new(Kind::String))), Some(Arc::new(value))));
    let structure = |name: &str, fields: Vec<(&str, Schema)>| {
        let field =
            |(name, schema): (&str, Schema)| Field { name: name.to_owned(), schema: Arc::new(schema) };
        let name = Some(name.to_owned());
        Schema { name, ..Schema::new(Kind::Struct(fields.into_iter().map(field).collect())) }
    };
    let optional = |kind| Schema { optional: true, ..Schema::new(kind) };
    let mut schema = match random.below(6) {
        0 => structure(
            "demo.Node",
            vec![
                ("id", Schema::new(Kind::Int32)),
                ("name", optional(Kind::String)),
                ("next", place(1, true)),
            ],
        ),
        1 => structure(
            "demo.Tree",
            vec![
                ("v", Schema::new(Kind::Int64)),
                ("children", list(place(1, false))),
                ("by", map(place(1, false))),
            ],
        ),
        2 => structure(
            "demo.Holes",
            vec![("x", optional(Kind::Float64)), ("a", Schema { optional: true, ..list(place(1, true)) })],
        ),
        3 => {
            let named = |simple: &str, kind| Schema {
                name: Some(format!("{LOGICAL}{simple}")),
                version: Some(1),
                ..optional(kind)
            };
            let inner = structure(
                "demo.Inner",
                vec![
                    ("up", place(2, true)),
                    ("at", named("Timestamp", Kind::Int64)),
                    ("day", named("Date", Kind::Int32)),
                ],
            );
            structure("demo.Outer", vec![("inner", inner), ("tags", list(Schema::new(Kind::String)))])
        }
        4 => {
            let keyed = |key| Kind::Map(Some(Arc::new(key)), Some(Arc::new(optional(Kind::String))));
            let by = Schema { optional: true, ..Schema::new(keyed(place(1, false))) };
            structure("demo.Keyed", vec![("id", Schema::new(Kind::Int64)), ("by", by)])
        }
        _ => {
            let fields = vec![("up", place(2, true)), ("same", place(1, true)), ("b", optional(Kind::Bytes))];
            let two = Schema { optional: true, ..structure("demo.Two", fields) };
            structure("demo.One", vec![("two", two), ("flag", Schema::new(Kind::Boolean))])
        }
    };
    schema.optional = random.once_in(3);
    schema
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
