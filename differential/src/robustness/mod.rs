//! Everything that reads outside bytes, under one rule: whatever comes in, no panic, one answer per record,
//! and an output that is bounded by the input.
//!
//! [`Decoder::feed`] panics when the rule is broken: the fuzz targets and the seeded test of this crate call
//! it. What is fed are payloads, header texts, texts of schemas, and the small languages of settings.
//! `tests/growth.rs` also measures the memory and the time that inputs of growing size take.

mod converters;
mod growth;
mod inputs;
mod languages;
mod pairs;
mod recursive;
mod registered;
mod schemas;
mod seeds;
mod settings;
mod size;
mod targets;

pub use growth::{FAMILIES, Family};
pub use inputs::hostile;
pub use seeds::seeds;
pub use targets::{FUZZ_TARGETS, decoders_of};

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

/// Every decoder: each registered converter and header converter, those of a schema registry under a few
/// schemas, texts of schemas, what reads the payloads of one schema as those of another or checks them,
/// literals, date patterns, regular expressions, JSON paths, lists of fields, JSON in outbox events.
///
/// # Panics
/// When a registered converter cannot be made.
pub fn decoders() -> Vec<Decoder> {
    [
        converters::decoders(),
        registered::decoders(),
        recursive::decoders(),
        schemas::decoders(),
        pairs::decoders(),
        languages::decoders(),
        settings::decoders(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// CPU time that this thread used so far, in ns.
pub fn thread_time() -> u64 {
    crate::bench::thread_ns()
}

fn assert_bounded(input_bytes: usize, output_bytes: usize) {
    let limit = BYTES_BASE + input_bytes * BYTES_PER_BYTE;
    assert!(output_bytes <= limit, "{input_bytes} bytes became {output_bytes}, more than {limit}");
}
