//! Cases of `ProtobufConverter`: files with payloads, Connect schemas with values, and settings.

mod connect;
mod file;
mod payload;
mod recursive;

use std::sync::Arc;

use super::super::converters::ITEMS_MAX;
use super::super::{schema, value};
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
    if random.once_in(20) {
        return decode_recursive(random);
    }
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

/// Messages that contain themselves. Files and settings are few: our side keeps every such type for good.
fn decode_recursive(random: &mut Random) -> Case {
    let file = recursive::file(random);
    let mut setup = registered(random, CLASS, vec![file.text.clone()]);
    let setting = random.pick(&recursive::SETTINGS);
    if !setting.is_empty() {
        setup.settings.push((setting.to_owned(), "true".to_owned()));
    }
    let root = file.messages.len() - 1;
    let items = payloads(random, |random| {
        let body = if random.once_in(12) {
            let levels = random.pick(&[60, 99, 100, 101, 130]);
            payload::chain(&file.messages[root].path, recursive::CHAIN, levels)
        } else {
            payload::payload(random, &file, root)
        };
        (0, if random.once_in(30) { payload::damage(random, body) } else { body })
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
        let is_recursive = random.once_in(60);
        let schema = Arc::new(if is_recursive { schema::recursive(random) } else { namer.root(random) });
        for _ in 0..1 + random.below(8) {
            values.push(typed(random, &schema));
        }
    }
    Case { setup, items: Items::Encode(values) }
}

/// How many files have messages that contain themselves.
pub(crate) const RECURSIVE: usize = recursive::COUNT;

/// The text of file number `at` with messages that contain themselves, and the body of a payload.
pub(crate) fn recursive(random: &mut Random, at: usize) -> (String, Vec<u8>) {
    let file = recursive::of_number(at);
    let body = payload::payload(random, &file, file.messages.len() - 1);
    (file.text, body)
}

fn typed(random: &mut Random, schema: &Arc<crate::model::Schema>) -> Typed {
    if random.once_in(40) {
        return Typed::null();
    }
    let is_recursive = schema.name.as_deref().is_some_and(|name| name.starts_with("demo."));
    let value = if is_recursive { value::value(random, schema) } else { connect::value(random, schema) };
    // A required column holds no null; without a schema it is a tombstone.
    let schema = Some(Arc::clone(schema)).filter(|schema| value != Value::Null || schema.optional);
    Typed { schema, value }
}

fn setup(random: &mut Random, schemas: Vec<String>) -> Setup {
    let mut setup = registered(random, CLASS, schemas);
    flags(random, &mut setup, &FLAGS);
    setup
}
