//! File formats the other way: the bytes of an object to Connect values, a batch at a time.
//!
//! Readers do no IO: they say which bytes they need ([`Step::Need`]) and are given them. What they hold is
//! bounded whatever the bytes say, so that a damaged object costs an error and not the memory. They must not
//! know names, offsets or what becomes of a failure.
//!
//! Source: `AvroFormat`, `ParquetFormat`, `JsonFormat` and `ByteArrayFormat` of the Confluent S3 source, as
//! far as its documentation tells.

mod adopt;
mod avro;
mod csv;
mod derived;
mod input;
mod lines;
mod parquet;
mod sequence;
mod snappy;
#[cfg(test)]
mod tests;

use std::ops::Range;

use bytes::Bytes;
use lakeward_api::batch::Values;

use crate::FormatError;

pub use csv::{CsvEscapes, CsvNulls, CsvOptions};
pub use input::Packing;

/// What a reader does next.
#[derive(Debug)]
pub enum Step {
    /// Everything was read.
    End,
    /// These bytes of the object, which are never empty ranges; then call [`FileReader::feed`].
    Need(Vec<Range<u64>>),
    /// Rows in the order of the file; each part has one schema. Never empty.
    Rows(Vec<Values>),
}

/// Reads one object. Lives on one shard. After an error it is unusable: drop it.
pub trait FileReader {
    /// The next rows, at most `rows_max` (at least 1).
    ///
    /// # Errors
    /// Class `Record` when the object is damaged, or larger in one piece than what is held.
    fn next(&mut self, rows_max: usize) -> Result<Step, FormatError>;

    /// The bytes that [`Step::Need`] asked for, in its order.
    ///
    /// # Errors
    /// Class `Record` when they are not of the lengths that were asked for.
    fn feed(&mut self, pieces: Vec<Bytes>) -> Result<(), FormatError>;
}

/// What an object holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// An Avro container.
    Avro,
    /// Pieces of at most this many bytes, whatever they are.
    Chunks(usize),
    /// Rows of CSV.
    Csv(CsvOptions),
    /// JSON texts, one a line; with `envelope` each says its schema.
    Json {
        /// Objects of `schema` and `payload`.
        envelope: bool,
    },
    /// Parquet, whose own compression is the only one.
    Parquet,
    /// Bytes with this text behind each record.
    Records {
        /// Not empty.
        separator: Vec<u8>,
    },
}

/// How an object is read.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadOptions {
    /// What it holds.
    pub content: Content,
    /// How the whole object is packed.
    pub packing: Packing,
}

/// A reader of an object of `bytes`, which leaves out its first `skip` rows.
///
/// # Errors
/// Class `Config` when there is no such reader.
pub fn open(options: &ReadOptions, bytes: u64, skip: u64) -> Result<Box<dyn FileReader>, FormatError> {
    let decoder: Box<dyn sequence::Decoder> = match &options.content {
        Content::Parquet => return Ok(Box::new(parquet::ParquetReader::new(bytes, skip)?)),
        Content::Avro => Box::new(avro::AvroDecoder::default()),
        Content::Chunks(size) => Box::new(lines::ChunkDecoder::new(*size)),
        Content::Csv(options) => Box::new(csv::CsvDecoder::new(options.clone())),
        Content::Json { envelope } => Box::new(lines::JsonDecoder::new(*envelope)?),
        Content::Records { separator } => Box::new(lines::BytesDecoder::new(separator)),
    };
    Ok(Box::new(sequence::Sequence::new(decoder, options.packing, bytes, skip)))
}
