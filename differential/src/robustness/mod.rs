//! Everything that reads outside bytes, under one rule: whatever comes in, no panic, one answer per record,
//! and an output that is bounded by the input.
//!
//! [`Decoder::feed`] panics when the rule is broken: the fuzz targets and the seeded test of this crate call
//! it. What is fed are payloads, header texts, and the two small languages of settings, date patterns and
//! regular expressions.

mod converters;
mod languages;
mod size;

use crate::random::Random;
use crate::target::TARGETS;
use crate::{case, generate};

/// Bytes that an answer may take for every byte of its input: a dynamic value of some fifty bytes stands for
/// at least one byte, and a list or map doubles while it grows.
pub const BYTES_PER_BYTE: usize = 192;
/// Bytes that an answer may take for the shortest input.
pub const BYTES_BASE: usize = 64 * 1024;

/// Reads one input.
type Feed = dyn FnMut(&[u8]);

/// A reader of outside bytes.
pub struct Decoder {
    /// Name of the class, and of its settings where several are tried.
    pub name: String,
    feed: Box<Feed>,
}

impl Decoder {
    fn new(name: impl Into<String>, feed: impl FnMut(&[u8]) + 'static) -> Self {
        Self { name: name.into(), feed: Box::new(feed) }
    }

    /// Reads `input`.
    ///
    /// # Panics
    /// When the decoder panics, loses count of its records, or answers with more than [`BYTES_BASE`] and
    /// [`BYTES_PER_BYTE`] for every byte of `input`.
    pub fn feed(&mut self, input: &[u8]) {
        (self.feed)(input);
    }
}

/// Every decoder: each registered converter and header converter, Avro under a few schemas, date patterns,
/// regular expressions, literals.
///
/// # Panics
/// When a registered converter cannot be made.
pub fn decoders() -> Vec<Decoder> {
    let mut all = converters::decoders();
    all.extend(languages::decoders());
    all
}

/// The decoders whose name starts with `start`.
///
/// # Panics
/// When there is none.
pub fn decoders_named(start: &str) -> Vec<Decoder> {
    let mut all = decoders();
    all.retain(|decoder| decoder.name.starts_with(start));
    assert!(!all.is_empty(), "no decoder is called {start}");
    all
}

/// A hostile input: a payload of the differential test, a repeated piece, or noise, damaged now and then.
pub fn hostile(random: &mut Random) -> Vec<u8> {
    let mut input = match random.below(8) {
        0 => noise(random),
        1 => repeated(random),
        2 => framed(random),
        3 if random.once_in(2) => claim(random),
        _ => sound(random),
    };
    if random.once_in(3) {
        input = generate::damage(random, input);
    }
    if random.once_in(3) {
        input = converters::with_magic(input);
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

fn assert_bounded(input: &[u8], output_bytes: usize) {
    let limit = BYTES_BASE + input.len() * BYTES_PER_BYTE;
    assert!(output_bytes <= limit, "{} bytes became {output_bytes}, more than {limit}", input.len());
}
