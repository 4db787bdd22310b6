//! Types that contain themselves, of the pools that the differential test draws from.

use lakeward_registry::SchemaType;

use super::Decoder;
use super::registered::{decoder, with_magic};
use crate::generate::registry::{avro, json_schema, protobuf};
use crate::random::Random;

/// A language: how many types there are, and what makes the text of one and the body of a payload.
type Language = (SchemaType, usize, fn(&mut Random, usize) -> (String, Vec<u8>));

const LANGUAGES: [Language; 3] = [
    (SchemaType::Avro, avro::RECURSIVE, avro::recursive),
    (SchemaType::Json, json_schema::RECURSIVE, json_schema::recursive),
    (SchemaType::Protobuf, protobuf::RECURSIVE, protobuf::recursive),
];

/// One decoder per type.
pub(super) fn decoders() -> Vec<Decoder> {
    let mut all = Vec::new();
    for (kind, count, make) in LANGUAGES {
        for at in 0..count {
            // The text is the same whatever the seed.
            let (text, _) = make(&mut Random::new(0), at);
            all.push(decoder(kind, &format!("within itself {at}"), &text));
        }
    }
    all
}

/// The texts of a language, each with the body of a payload.
pub(super) fn examples(random: &mut Random, kind: SchemaType) -> Vec<(String, Vec<u8>)> {
    let of_kind = LANGUAGES.into_iter().filter(|(known, ..)| *known == kind);
    of_kind
        .flat_map(|(_, count, make)| (0..count).map(move |at| (make, at)))
        .map(|(make, at)| make(random, at))
        .collect()
}

/// A payload of any type behind the head of a registry's payload.
pub(super) fn payload(random: &mut Random) -> Vec<u8> {
    let (_, count, make) = random.pick(&LANGUAGES);
    let at = random.below(count);
    with_magic(make(random, at).1)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use lakeward_registry::Store;

    use super::super::registered::{over, written};
    use super::*;

    #[test]
    fn every_type_has_payloads_that_are_read() {
        for (kind, count, make) in LANGUAGES {
            for at in 0..count {
                let (text, _) = make(&mut Random::new(0), at);
                let store = Arc::new(Mutex::new(Store::default()));
                let mut converter = over(kind, Arc::clone(&store)).unwrap();
                store.lock().unwrap().register("t-value", written(kind, &text).into(), false, None).unwrap();
                let random = &mut Random::part(1, kind.as_str(), at as u64);
                let payloads: Vec<Vec<u8>> = (0..20).map(|_| with_magic(make(random, at).1)).collect();
                let payloads: Vec<Option<&[u8]>> = payloads.iter().map(|one| Some(&one[..])).collect();
                assert!(converter.poll_decode_ready("t", &payloads).unwrap().is_ready());
                let decoded = converter.decode("t", &payloads).unwrap();
                assert!(decoded.errors.len() < 15, "{text}: {:?}", decoded.errors.first());
            }
        }
    }
}
