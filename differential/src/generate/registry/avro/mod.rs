//! Cases of `AvroConverter`.

mod data;
mod defaults;
mod recursive;
mod schema;

use self::schema::Singles;
use super::connect;
use super::{flags, payloads, registered};
use crate::case::{Case, Items, Setup};
use crate::model::{Kind, Schema};
use crate::random::Random;

const CLASS: &str = "io.confluent.connect.avro.AvroConverter";
/// Settings that are on or off. `flatten.singleton.unions` is not among them: for Java it is off.
const FLAGS: [&str; 7] = [
    "generalized.sum.type.support",
    "ignore.default.for.nullables",
    "enhanced.avro.schema.support",
    "scrub.invalid.names",
    "connect.meta.data",
    "discard.type.doc.default",
    "allow.optional.map.keys",
];

/// Cases of types that contain themselves.
const RECURSIVE_ONE_IN: usize = 25;

fn incoming(random: &mut Random) -> (Setup, Vec<Option<Vec<u8>>>) {
    if random.once_in(RECURSIVE_ONE_IN) {
        let (text, made) = recursive::schema(random);
        let payloads = payloads(random, |random| (0, data::body(random, &made)));
        let mut setup = registered(random, CLASS, vec![text]);
        // Every setting makes another schema of a type, and a process knows so many only.
        if random.once_in(4) {
            setup.settings.push(("enhanced.avro.schema.support".to_owned(), "true".to_owned()));
        }
        return (setup, payloads);
    }
    let singles = random.pick(&[Singles::None, Singles::Some]);
    let mut types = Vec::new();
    let mut texts = Vec::new();
    for _ in 0..1 + random.below(3) {
        let (text, made) = schema::schema(random, singles);
        if !texts.contains(&text) {
            texts.push(text);
            types.push(made);
        }
    }
    let payloads = payloads(random, |random| {
        let at = random.below(types.len());
        (at, data::body(random, &types[at]))
    });
    let mut setup = registered(random, CLASS, texts);
    flags(random, &mut setup, &FLAGS);
    // Unions are numbered, again when they were forgotten.
    if setup.settings.iter().any(|(name, _)| name == "generalized.sum.type.support") {
        setup.settings.retain(|(name, _)| name != "schemas.cache.config");
    }
    if singles == Singles::Some {
        setup.settings.push(("flatten.singleton.unions".to_owned(), "false".to_owned()));
    }
    (setup, payloads)
}

/// Avro to values.
pub(crate) fn decode(random: &mut Random) -> Case {
    let (setup, payloads) = incoming(random);
    Case { setup, items: Items::Decode(payloads) }
}

/// Avro to values and back.
pub(crate) fn recode(random: &mut Random) -> Case {
    let (setup, payloads) = incoming(random);
    Case { setup, items: Items::Recode(payloads) }
}

/// Values of every kind to Avro.
pub(crate) fn encode(random: &mut Random) -> Case {
    let mut setup = registered(random, CLASS, Vec::new());
    flags(random, &mut setup, &FLAGS);
    let values = if random.once_in(RECURSIVE_ONE_IN) {
        recursive::values(random)
    } else {
        connect::values(random, attributes)
    };
    Case { setup, items: Items::Encode(values) }
}

/// How many types contain themselves.
pub(crate) const RECURSIVE: usize = recursive::COUNT;

/// The text of type number `at` that contains itself, and the body of a payload.
pub(crate) fn recursive(random: &mut Random, at: usize) -> (String, Vec<u8>) {
    let (text, made) = recursive::of_number(at);
    (text, data::body(random, &made))
}

/// What Avro makes of a schema is changed by parameters, too.
fn attributes(random: &mut Random, schema: &mut Schema) {
    let mut add = |name: &str, value: &str| schema.parameters.push((name.to_owned(), value.to_owned()));
    let symbols = |add: &mut dyn FnMut(&str, &str), prefix: &str| {
        for (at, symbol) in ["A", "B", "C"].iter().enumerate() {
            add(
                &format!("{prefix}.{symbol}"),
                &if prefix.contains("apache") { at.to_string() } else { (*symbol).to_owned() },
            );
        }
    };
    match &schema.kind {
        Kind::String if random.once_in(6) => {
            let prefix =
                random.pick(&["io.confluent.connect.avro.Enum", "org.apache.kafka.connect.data.Enum"]);
            add(prefix, random.pick(&["org.example.Color", "Color", "org.example.Other"]));
            symbols(&mut add, prefix);
            if random.once_in(4) {
                add("io.confluent.connect.avro.enum.default.f", random.pick(&["A", "Z"]));
            }
        }
        Kind::Bytes if schema.name.is_none() && random.once_in(6) => {
            add("connect.fixed.size", random.pick(&["0", "3", "8", "x"]));
        }
        Kind::Bytes if random.once_in(4) => {
            add("connect.decimal.precision", random.pick(&["1", "10", "64", "0", "x"]));
        }
        Kind::Struct(_) if random.once_in(10) => add("io.confluent.connect.avro.record.doc", "documentation"),
        _ if random.once_in(30) => add("io.confluent.connect.avro.field.doc.a", "a field"),
        _ => {}
    }
}
