//! Cases of `JsonSchemaConverter`: schemas with payloads, Connect schemas with values, and settings.

mod document;
mod recursive;

use super::{connect, flags, payloads, registered};
use crate::case::{Case, Items, Setup};
use crate::model::{Kind, Schema};
use crate::random::Random;

const CLASS: &str = "io.confluent.connect.json.JsonSchemaConverter";
const FLAGS: [&str; 5] = [
    "generalized.sum.type.support",
    "ignore.default.for.nullables",
    "object.additional.properties",
    "use.optional.for.nonrequired",
    "flatten.singleton.unions",
];

/// JSON texts of one to three schemas to values.
pub(crate) fn decode(random: &mut Random) -> Case {
    if random.once_in(12) {
        let at = random.below(recursive::TEXTS.len());
        let setup = setup(random, vec![recursive::TEXTS[at].to_owned()]);
        let items = payloads(random, |random| (0, recursive::value(random, at, 4).into_bytes()));
        return Case { setup, items: Items::Decode(items) };
    }
    let mut documents: Vec<document::Document> = Vec::new();
    for _ in 0..1 + random.below(3) {
        let document = document::document(random);
        if documents.iter().all(|known| known.text != document.text) {
            documents.push(document);
        }
    }
    let setup = setup(random, documents.iter().map(|document| document.text.clone()).collect());
    let items = payloads(random, |random| {
        let at = random.below(documents.len());
        let document = &documents[at];
        (at, document::value(random, &document.root.shape, &document.definitions).into_bytes())
    });
    Case { setup, items: Items::Decode(items) }
}

/// Values of one to three schemas to JSON texts.
pub(crate) fn encode(random: &mut Random) -> Case {
    let setup = setup(random, Vec::new());
    if random.once_in(30) {
        return Case { setup, items: Items::Encode(recursive::values(random)) };
    }
    Case { setup, items: Items::Encode(connect::values(random, attributes)) }
}

/// How many types contain themselves.
pub(crate) const RECURSIVE: usize = recursive::TEXTS.len();

/// The text of type number `at` that contains itself, and the body of a payload.
pub(crate) fn recursive(random: &mut Random, at: usize) -> (String, Vec<u8>) {
    (recursive::TEXTS[at].to_owned(), recursive::value(random, at, 4).into_bytes())
}

/// Enums, unions, and STRUCTs that stand in several places.
fn attributes(random: &mut Random, schema: &mut Schema) {
    let json = "io.confluent.connect.json";
    let general = "org.apache.kafka.connect.data";
    let mut set = |name: String, value: &str| schema.parameters.push((name, value.to_owned()));
    match &schema.kind {
        Kind::String if schema.name.is_none() && random.once_in(6) => {
            let parameter = format!("{}.Enum", random.pick(&[json, general]));
            for (at, symbol) in ["A", "B", "x y", "<NULL>", "é", "Aa", "BB"].iter().enumerate() {
                if random.once_in(2) {
                    set(format!("{parameter}.{symbol}"), &at.to_string());
                }
            }
            set(parameter, "");
        }
        Kind::Struct(fields) if !fields.is_empty() && random.once_in(8) => {
            if random.once_in(2) {
                schema.name = Some(format!("{json}.OneOf"));
            } else {
                set(format!("{general}.Union"), "connect_union_0");
            }
        }
        Kind::Struct(_) if random.once_in(8) => {
            let id = random.pick(&["#id1", "#id2"]);
            set(format!("{json}.Id"), id);
        }
        _ => {}
    }
}

fn setup(random: &mut Random, schemas: Vec<String>) -> Setup {
    let mut setup = registered(random, CLASS, schemas);
    flags(random, &mut setup, &FLAGS);
    if random.once_in(4) {
        let format = random.pick(&["NUMERIC", "NUMERIC", "numeric", "BASE64", "HEX"]);
        if format != "HEX" || random.once_in(20) {
            setup.settings.push(("decimal.format".to_owned(), format.to_owned()));
        }
    }
    setup
}
