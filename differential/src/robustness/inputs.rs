//! Hostile inputs from seeds.

use super::{FAMILIES, recursive, registered};
use crate::random::Random;
use crate::target::TARGETS;
use crate::{case, generate};

/// A hostile input: a payload of the differential test, one that contains its own type, a schema, a member
/// of a family, a repeated piece, or noise, damaged now and then.
pub fn hostile(random: &mut Random) -> Vec<u8> {
    let mut input = match random.below(11) {
        0 => noise(random),
        4 => random.pick(&registered::SCHEMAS).2.as_bytes().to_vec(),
        5 | 6 => {
            let family = &FAMILIES[random.below(FAMILIES.len())];
            let bytes = 1 << random.below(12);
            family.of_size(bytes)
        }
        1 => repeated(random),
        2 => framed(random),
        3 if random.once_in(2) => claim(random),
        7 => recursive::payload(random),
        _ => sound(random),
    };
    if random.once_in(3) {
        input = generate::damage(random, input);
    }
    if random.once_in(3) {
        input = registered::with_magic(input);
    }
    input
}

/// A payload as the differential test makes them.
fn sound(random: &mut Random) -> Vec<u8> {
    let decoding: Vec<_> = TARGETS.iter().filter(|target| target.name.contains("decode")).collect();
    let case = (random.pick(&decoding).make)(random);
    match case.items {
        case::Items::Decode(payloads) => random.pick(&payloads).unwrap_or_default(),
        case::Items::DecodeHeader(headers) => random.pick(&headers).1.unwrap_or_default(),
        _ => Vec::new(),
    }
}

fn noise(random: &mut Random) -> Vec<u8> {
    (0..random.below(64)).map(|_| random.bits().to_be_bytes()[0]).collect()
}

/// Deep nesting, long runs, huge numbers.
fn repeated(random: &mut Random) -> Vec<u8> {
    const PIECES: [&str; 14] =
        ["[", "{", "{\"a\":", "[[],", "(", "(?:a", "a*", "(a+)+", "9", "-", "\\", "1e9999999,", "\"", "y"];
    let piece = random.pick(&PIECES);
    let head = random.pick(&["", "", "1e", "{\"schema\":", "[1,", "0."]);
    format!("{head}{}", piece.repeat(1 << random.below(13))).into_bytes()
}

/// Few bytes that ask for many.
fn claim(random: &mut Random) -> Vec<u8> {
    let number = random.pick(&["1e9999999", "1e-9999999", "-1E+2147483647", "1", "\"AQ==\"", "[1]"]);
    let scale = random.pick(&["0", "2000000000", "-2000000000", "100000", "x"]);
    let name = "org.apache.kafka.connect.data.Decimal";
    let decimal = format!(r#"{{"type":"bytes","name":"{name}","parameters":{{"scale":"{scale}"}}}}"#);
    let (schema, payload) = match random.below(3) {
        0 => (decimal, number.to_owned()),
        1 => (format!(r#"{{"type":"array","items":{decimal}}}"#), format!("[{number},{number}]")),
        _ => (decimal.replace("}}", &format!(r#"}},"default":{number}}}"#)), "null".to_owned()),
    };
    format!(r#"{{"schema":{schema},"payload":{payload}}}"#).into_bytes()
}

/// What Avro's counts and lengths can claim.
fn framed(random: &mut Random) -> Vec<u8> {
    let mut bytes = noise(random);
    for _ in 0..=random.below(3) {
        let claim: &[u8] = random.pick(&[
            &[0xff, 0xff, 0xff, 0xff, 0x0f][..],
            &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            &[0x80, 0x80, 0x80, 0x80, 0x80, 0x40],
            &[0x01],
        ]);
        let at = random.below(bytes.len() + 1);
        bytes.splice(at..at, claim.iter().copied()).for_each(drop);
    }
    bytes
}
