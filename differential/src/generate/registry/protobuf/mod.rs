//! Cases of `ProtobufConverter`: files with payloads, Connect schemas with values, and settings.

mod connect;
mod file;
mod payload;

use std::sync::Arc;

use super::super::converters::ITEMS_MAX;
use super::{flags, payloads, registered};
use crate::case::{Case, Items, Setup};
use crate::model::{Typed, Value};
use crate::random::Random;

const CLASS: &str = "io.confluent.connect.protobuf.ProtobufConverter";
const FLAGS: [&str; 12] = [
    "generalized.sum.type.support",
    "ignore.default.for.nullables",
    "enhanced.protobuf.schema.support",
    "scrub.invalid.names",
    "int.for.enums",
    "optional.for.nullables",
    "optional.for.proto2",
    "wrapper.for.nullables",
    "wrapper.for.raw.primitives",
    "generate.struct.for.nulls",
    "generate.index.for.unions",
    "flatten.unions",
];

/// Messages of one to three files to values.
pub(crate) fn decode(random: &mut Random) -> Case {
    let files: Vec<file::File> = (0..1 + random.below(3)).map(|_| file::file(random)).collect();
    let setup = setup(random, files.iter().map(|file| file.text.clone()).collect());
    let items = payloads(random, |random| {
        let at = random.below(files.len());
        let file = &files[at];
        // The last message is the richest.
        let last = file.messages.len() - 1;
        let message = if random.once_in(3) { random.below(file.messages.len()) } else { last };
        let body = payload::payload(random, file, message);
        (at, if random.once_in(30) { payload::damage(random, body) } else { body })
    });
    Case { setup, items: Items::Decode(items) }
}

/// Values of one to three schemas to messages.
pub(crate) fn encode(random: &mut Random) -> Case {
    let setup = setup(random, Vec::new());
    let is_set = |name: &str| {
        setup.settings.iter().any(|(key, value)| key == name && value.eq_ignore_ascii_case("true"))
    };
    let mut namer = connect::Namer::default();
    namer.odd = is_set("scrub.invalid.names") || random.once_in(40);
    namer.generalized = is_set("generalized.sum.type.support");
    namer.mixes_enums = random.once_in(40);
    let count = 1 + random.below(ITEMS_MAX);
    let mut values = Vec::new();
    while values.len() < count {
        let schema = Arc::new(namer.root(random));
        for _ in 0..1 + random.below(8) {
            values.push(typed(random, &schema));
        }
    }
    Case { setup, items: Items::Encode(values) }
}

fn typed(random: &mut Random, schema: &Arc<crate::model::Schema>) -> Typed {
    if random.once_in(40) {
        return Typed::null();
    }
    let value = connect::value(random, schema);
    // A required column holds no null; without a schema it is a tombstone.
    let schema = Some(Arc::clone(schema)).filter(|schema| value != Value::Null || schema.optional);
    Typed { schema, value }
}

fn setup(random: &mut Random, schemas: Vec<String>) -> Setup {
    let mut setup = registered(random, CLASS, schemas);
    flags(random, &mut setup, &FLAGS);
    setup
}
