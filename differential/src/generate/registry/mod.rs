//! Cases of converters that ask a schema registry. What is here is the same for all languages; a folder per
//! language makes its schemas, bodies and settings.

pub(crate) mod avro;
mod connect;
pub(crate) mod json_schema;
pub(crate) mod protobuf;

use super::converters::{ITEMS_MAX, setup};
use super::damage::damage;
use crate::case::Setup;
use crate::random::Random;

/// A converter whose registry holds `schemas`, which are all different.
fn registered(random: &mut Random, class: &str, schemas: Vec<String>) -> Setup {
    Setup { schemas, ..setup(random, class, &[]) }
}

/// Sets each of `flags` to `true` or `false` once in a while.
fn flags(random: &mut Random, setup: &mut Setup, flags: &[&str]) {
    if random.once_in(3) {
        return;
    }
    for name in flags {
        if random.once_in(4) {
            let value = random.pick(&["true", "true", "true", "false", "TRUE"]);
            setup.settings.push(((*name).to_owned(), value.to_owned()));
        }
    }
    if random.once_in(300) {
        let name = random.pick(flags);
        setup.settings.push((name.to_owned(), "yes".to_owned()));
    }
    if random.once_in(6) {
        let size = random.pick(&["1", "2", "1000"]);
        setup.settings.push(("schemas.cache.config".to_owned(), size.to_owned()));
    }
}

/// Payloads, and now and then null, a damaged one, or one whose head is wrong; `one` makes the number of a
/// schema, counted from 0, and a body of it.
fn payloads(
    random: &mut Random,
    mut one: impl FnMut(&mut Random) -> (usize, Vec<u8>),
) -> Vec<Option<Vec<u8>>> {
    let count = 1 + random.below(ITEMS_MAX);
    let payload = |random: &mut Random| {
        let (schema, body) = one(random);
        let id = u32::try_from(schema + 1).expect("few schemas");
        let framed = |id: u32, body: Vec<u8>| [vec![0], id.to_be_bytes().to_vec(), body].concat();
        match random.below(120) {
            0 => None,
            1 => Some(framed(random.pick(&[0, 99, u32::MAX]), body)),
            2 => Some(damage(random, framed(id, body))),
            3 => Some(framed(id, body)[..random.below(6)].to_vec()),
            4..10 => Some(framed(id, damage(random, body))),
            _ => Some(framed(id, body)),
        }
    };
    let mut payload = payload;
    (0..count).map(|_| payload(random)).collect()
}
