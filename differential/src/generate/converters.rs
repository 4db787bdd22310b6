//! Cases of converters.

use super::damage::{damage, odd_payload};
use super::envelope::{Mistakes, payload_text, schema_text};
use super::{json, schema, text, value};
use crate::case::{Case, Items, Setup};
use crate::model::Schema;
use crate::random::Random;

/// `org.apache.kafka.connect.json.JsonConverter`.
pub(crate) const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";
/// The converters of single numbers, with the bytes of a payload.
pub(super) const NUMBERS: [(&str, usize); 6] = [
    ("BooleanConverter", 1),
    ("DoubleConverter", 8),
    ("FloatConverter", 4),
    ("IntegerConverter", 4),
    ("LongConverter", 8),
    ("ShortConverter", 2),
];
/// Records per case: enough for batches that change their schema in the middle.
pub(super) const ITEMS_MAX: usize = 24;

pub(super) fn setup(random: &mut Random, class: &str, settings: &[(&str, &str)]) -> Setup {
    Setup {
        class: class.to_owned(),
        settings: settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        is_key: random.once_in(4),
        topic: "topic".to_owned(),
        schemas: Vec::new(),
    }
}

pub(super) fn json_setup(random: &mut Random, envelopes: bool) -> Setup {
    let mut setup = setup(random, JSON, &[]);
    let mut set = |name: &str, value: &str| setup.settings.push((name.to_owned(), value.to_owned()));
    if !envelopes || random.once_in(2) {
        set("schemas.enable", if envelopes { "true" } else { "false" });
    }
    if random.once_in(4) {
        set("replace.null.with.default", random.pick(&["true", "false", "FALSE"]));
    }
    if random.once_in(6) {
        set("schemas.cache.size", random.pick(&["0", "1", "2", "1000"]));
    }
    if random.once_in(6) {
        set("decimal.format", random.pick(&["BASE64", "NUMERIC", "numeric"]));
    }
    if random.once_in(200) {
        let wrong = [("schemas.enable", "yes"), ("schemas.cache.size", "-1"), ("schemas.cache.size", "x")];
        let (name, value) = random.pick(&wrong);
        set(name, value);
    }
    if random.once_in(200) {
        set("decimal.format", random.pick(&["HEX", "", " base64"]));
    }
    setup
}

fn payloads(random: &mut Random, mut one: impl FnMut(&mut Random) -> Vec<u8>) -> Vec<Option<Vec<u8>>> {
    let count = 1 + random.below(ITEMS_MAX);
    let payload = |random: &mut Random| match random.below(40) {
        0 => None,
        1 => Some(odd_payload(random)),
        2..4 => {
            let payload = one(random);
            Some(damage(random, payload))
        }
        _ => Some(one(random)),
    };
    let mut payload = payload;
    (0..count).map(|_| payload(random)).collect()
}

/// Plain JSON texts.
fn plain_texts(random: &mut Random) -> Vec<Option<Vec<u8>>> {
    payloads(random, |random| match random.below(3) {
        0 => json::value(random, 3).into_bytes(),
        _ => json::object(random, 2).into_bytes(),
    })
}

/// Envelopes of one to three schemas.
fn envelopes(random: &mut Random) -> Vec<Option<Vec<u8>>> {
    let count = 1 + random.below(3);
    let schemas: Vec<Schema> = (0..count)
        .map(|_| if random.once_in(4) { schema::schema(random, 2) } else { schema::structure(random, 2) })
        .collect();
    // The same text again and again, as producers write it, and sometimes another text of the same schema.
    let texts: Vec<String> = schemas.iter().map(|schema| schema_text(random, schema, None)).collect();
    payloads(random, |random| {
        let at = random.below(schemas.len());
        let fresh = random.once_in(8);
        let text = if fresh { schema_text(random, &schemas[at], None) } else { texts[at].clone() };
        let text = if random.once_in(30) { "null".to_owned() } else { text };
        let value = value::value(random, &schemas[at]);
        let payload = if random.once_in(40) {
            json::value(random, 2)
        } else {
            payload_text(random, &schemas[at], &value, Mistakes::Some)
        };
        let mut members = vec![("\"schema\"".to_owned(), text), ("\"payload\"".to_owned(), payload)];
        if random.once_in(20) {
            members.reverse();
        }
        match random.below(120) {
            0 => members.truncate(1),
            1 => members.push(("\"more\"".to_owned(), "1".to_owned())),
            2 => members.push(members[1].clone()),
            _ => {}
        }
        json::members_text(random, &members).into_bytes()
    })
}

/// JSON without envelopes to values.
pub(crate) fn json_decode_plain(random: &mut Random) -> Case {
    Case { setup: json_setup(random, false), items: Items::Decode(plain_texts(random)) }
}

/// JSON envelopes to values.
pub(crate) fn json_decode_envelope(random: &mut Random) -> Case {
    Case { setup: json_setup(random, true), items: Items::Decode(envelopes(random)) }
}

/// JSON without envelopes to values and back: what becomes of the order of members.
pub(crate) fn json_recode_plain(random: &mut Random) -> Case {
    Case { setup: json_setup(random, false), items: Items::Recode(plain_texts(random)) }
}

/// JSON envelopes to values and back.
pub(crate) fn json_recode_envelope(random: &mut Random) -> Case {
    Case { setup: json_setup(random, true), items: Items::Recode(envelopes(random)) }
}

/// Bytes that may be a number or a truth.
pub(crate) fn number_decode(random: &mut Random) -> Case {
    let (class, width) = random.pick(&NUMBERS);
    let setup = setup(random, &format!("org.apache.kafka.connect.converters.{class}"), &[]);
    let payloads = payloads(random, |random| {
        let width = if random.once_in(10) { random.below(10) } else { width };
        let bits = if random.once_in(3) { random.pick(&[0, 1, u64::MAX, 1 << 63]) } else { random.bits() };
        let bytes = if random.once_in(2) { bits.to_be_bytes() } else { bits.to_le_bytes() };
        bytes.into_iter().cycle().take(width).collect()
    });
    Case { setup, items: Items::Decode(payloads) }
}

/// Bytes that may be text to texts.
pub(crate) fn string_decode(random: &mut Random) -> Case {
    let mut setup = setup(random, "org.apache.kafka.connect.storage.StringConverter", &[]);
    if random.once_in(4) {
        let name = random.pick(&["converter.encoding", "value.converter.encoding"]);
        let encodings =
            ["UTF-8", "UTF8", "utf-8", "ISO-8859-1", "US-ASCII", "UTF-16", "windows-1252", "no-such"];
        setup.settings.push((name.to_owned(), random.pick(&encodings).to_owned()));
    }
    let payloads = payloads(random, |random| text::text(random).into_bytes());
    Case { setup, items: Items::Decode(payloads) }
}

/// Bytes to bytes.
pub(crate) fn bytes_decode(random: &mut Random) -> Case {
    let setup = setup(random, "org.apache.kafka.connect.converters.ByteArrayConverter", &[]);
    let payloads = payloads(random, |random| text::text(random).into_bytes());
    Case { setup, items: Items::Decode(payloads) }
}
