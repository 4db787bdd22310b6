//! File formats: Connect values to the bytes of a part, a batch at a time, and back (`read`).
//!
//! A format knows nothing of names, offsets, rotation or uploads; the sink decides when a part begins and
//! ends. Source of the formats' behaviour: `AvroFormat`, `ParquetFormat`, `JsonFormat` and
//! `ByteArrayFormat` of the Confluent S3 sink.

pub mod avro;
pub mod byte_lines;
pub mod compressed;
pub mod joined;
pub mod json_lines;
mod lines;
pub mod parquet;
pub mod read;
pub mod records;

use std::sync::Arc;

use bytes::Bytes;
use lakeward_api::batch::Values;
use lakeward_api::schema::Schema;

use crate::FormatError;

pub use avro::{AvroCodec, AvroFormat, AvroOptions};
pub use byte_lines::{ByteLinesFormat, ByteLinesOptions};
pub use compressed::{CompressedFormat, FileCompression};
pub use joined::JoinedFormat;
pub use json_lines::{DecimalFormat, JsonLinesFormat, JsonLinesOptions};
pub use lines::LineCompression;
pub use parquet::{ParquetCodec, ParquetFormat, ParquetOptions, ParquetSorting, ParquetStatistics};
pub use records::{RecordField, RecordText, ValueEncoding};

/// A file format with its settings; makes parts.
pub trait FileFormat: Send + Sync {
    /// End of the object name, with its leading dot (`.snappy.parquet`).
    fn extension(&self) -> String;

    /// Begins a part whose values all have `schema` (`None`: dynamic values or null).
    ///
    /// # Errors
    /// Class `Config` when the format cannot store such values at all, `Record` when it cannot store this
    /// schema.
    fn new_part(&self, schema: Option<&Arc<Schema>>) -> Result<Box<dyn PartEncoder>, FormatError>;

    /// Whether every value of `schema` that is not null can be written to a part of that schema, so that
    /// nobody has to know at once which record was refused.
    fn takes_all(&self, _schema: &Arc<Schema>) -> bool {
        false
    }
}

/// One part being written. Lives on one shard, and may move to another between two calls.
///
/// # Memory
/// Everything a part holds is counted by [`PartEncoder::buffered_bytes`]: open columns and pages, and
/// finished bytes that [`PartEncoder::take_ready`] has not handed out yet. After an error the part is
/// unusable: drop it.
pub trait PartEncoder: Send {
    /// Appends `values`, one record per row. They share the schema that was given to
    /// [`FileFormat::new_part`].
    ///
    /// # Errors
    /// Class `Record` when a value has no form in this format (nothing of `values` was appended), `Fatal`
    /// when the encoder broke.
    fn write(&mut self, values: &Values) -> Result<(), FormatError>;

    /// Hands out finished bytes, in file order; ownership moves to the caller, nothing is copied.
    fn take_ready(&mut self) -> Vec<Bytes>;

    /// Memory held by this part, in bytes.
    fn buffered_bytes(&self) -> u64;

    /// Rows are best written when they are this large together, in bytes: what an open part holds whatever
    /// the size of its rows, and has to come into the caches of the processor each time.
    fn worth_bytes(&self) -> u64 {
        0
    }

    /// Finishes what can be finished without closing the part (the open row group of a Parquet file), so that
    /// [`PartEncoder::take_ready`] can give most of the memory back. The part stays one file with the same
    /// rows.
    ///
    /// # Errors
    /// Class `Fatal` when the encoder broke.
    fn flush_early(&mut self) -> Result<(), FormatError>;

    /// Closes the part and returns the rest of its bytes, in file order.
    ///
    /// # Errors
    /// Class `Fatal` when the encoder broke.
    fn finish(self: Box<Self>) -> Result<Vec<Bytes>, FormatError>;
}
