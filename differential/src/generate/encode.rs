//! Cases of converters from values to bytes, and of header converters.

use std::sync::Arc;

use super::converters::{ITEMS_MAX, JSON, NUMBERS, json_setup, setup};
use super::records::{HEADERS, header};
use super::transforms::literal;
use super::{json, schema, text, value};
use crate::case::{Case, Items};
use crate::model::{Kind, Schema, Typed, Value};
use crate::random::Random;

/// Neighbours share a schema, as records of a topic do; some have none, some are null.
fn values(random: &mut Random, mut make: impl FnMut(&mut Random) -> Option<Schema>) -> Vec<Typed> {
    let mut values = Vec::new();
    let count = 1 + random.below(ITEMS_MAX);
    while values.len() < count {
        let schema = make(random).map(Arc::new);
        for _ in 0..1 + random.below(8) {
            let value = match &schema {
                _ if random.once_in(12) => Value::Null,
                Some(schema) => value::value(random, schema),
                None => value::dynamic(random, 3),
            };
            // A required column holds no null; without a schema it is a tombstone.
            let schema = schema.clone().filter(|schema| value != Value::Null || schema.optional);
            values.push(Typed { schema, value });
        }
    }
    values
}

/// Values of every kind to JSON.
pub(crate) fn json_encode(random: &mut Random) -> Case {
    let envelopes = random.once_in(2);
    let setup = json_setup(random, envelopes);
    let values = values(random, |random| encoded(random, 3));
    Case { setup, items: Items::Encode(values) }
}

/// Values of every kind to texts.
pub(crate) fn string_encode(random: &mut Random) -> Case {
    let mut setup = setup(random, "org.apache.kafka.connect.storage.StringConverter", &[]);
    if random.once_in(6) {
        let encoding = random.pick(&["UTF-8", "utf8", "ISO-8859-1", "US-ASCII", "UTF-16", "windows-1252"]);
        setup.settings.push(("converter.encoding".to_owned(), encoding.to_owned()));
    }
    let values = values(random, |random| encoded(random, 2));
    Case { setup, items: Items::Encode(values) }
}

/// A schema nested at most `depth` deep unless it contains itself, or none.
fn encoded(random: &mut Random, depth: usize) -> Option<Schema> {
    match random.below(36) {
        0..12 => None,
        12 => Some(schema::recursive(random)),
        _ => Some(schema::schema(random, depth)),
    }
}

/// Bytes, and what is none, to bytes.
pub(crate) fn bytes_encode(random: &mut Random) -> Case {
    let setup = setup(random, "org.apache.kafka.connect.converters.ByteArrayConverter", &[]);
    let values = values(random, |random| match random.below(4) {
        0 => None,
        1 => Some(schema::schema(random, 1)),
        _ => Some(Schema { optional: random.once_in(2), ..Schema::new(Kind::Bytes) }),
    });
    Case { setup, items: Items::Encode(values) }
}

/// Numbers and truths, fitting or not, to bytes.
pub(crate) fn number_encode(random: &mut Random) -> Case {
    let (class, _) = random.pick(&NUMBERS);
    let setup = setup(random, &format!("org.apache.kafka.connect.converters.{class}"), &[]);
    let kinds = [Kind::Boolean, Kind::Float64, Kind::Float32, Kind::Int32, Kind::Int64, Kind::Int16];
    let fitting = NUMBERS.iter().zip(kinds).find(|((name, _), _)| *name == class);
    let values = values(random, |random| match (random.below(4), &fitting) {
        (0, _) => None,
        (2.., Some((_, kind))) => Some(Schema { optional: random.once_in(2), ..Schema::new(kind.clone()) }),
        _ => Some(schema::schema(random, 1)),
    });
    Case { setup, items: Items::Encode(values) }
}

const HEADER_CLASSES: [&str; 4] = [
    "org.apache.kafka.connect.storage.SimpleHeaderConverter",
    "org.apache.kafka.connect.storage.StringConverter",
    "org.apache.kafka.connect.converters.ByteArrayConverter",
    JSON,
];

fn header_class(random: &mut Random) -> &'static str {
    if random.once_in(2) { HEADER_CLASSES[0] } else { random.pick(&HEADER_CLASSES) }
}

/// Bytes to headers.
pub(crate) fn header_decode(random: &mut Random) -> Case {
    let class = header_class(random);
    let mut setup = setup(random, class, &[]);
    setup.is_key = false;
    if class == JSON {
        setup.settings.push(("schemas.enable".to_owned(), random.pick(&["true", "false"]).to_owned()));
    }
    let payload = |random: &mut Random| match random.below(12) {
        0 => None,
        1 => Some((0..random.below(6)).map(|_| random.bits().to_be_bytes()[0]).collect()),
        2 => Some(json::object(random, 1).into_bytes()),
        3 => Some(text::text(random).into_bytes()),
        _ => Some(literal(random).into_bytes()),
    };
    let one = |random: &mut Random| (random.pick(&HEADERS).to_owned(), payload(random));
    let headers = (0..1 + random.below(ITEMS_MAX)).map(|_| one(random)).collect();
    Case { setup, items: Items::DecodeHeader(headers) }
}

/// Headers to bytes.
pub(crate) fn header_encode(random: &mut Random) -> Case {
    let class = header_class(random);
    let mut setup = setup(random, class, &[]);
    setup.is_key = false;
    if class == JSON {
        setup.settings.push(("schemas.enable".to_owned(), random.pick(&["true", "false"]).to_owned()));
    }
    let headers = (0..1 + random.below(ITEMS_MAX)).map(|_| header(random)).collect();
    Case { setup, items: Items::EncodeHeader(headers) }
}
