//! Avro container files (`io.confluent.connect.s3.format.avro.AvroFormat`).
//!
//! Owns the container: header, blocks, codecs. Schemas and values are the Avro converter's. The same records
//! make the same bytes: the marker between blocks, which Java draws at random, comes from the first block.
//!
//! Source: Avro 1.12 specification, "Object Container Files"; `DataFileWriter`; section "Avro container" of
//! the Confluent S3 sink.

mod codec;
mod container;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use lakeward_api::batch::Values;
use lakeward_api::schema::Schema;

pub use codec::AvroCodec;

use super::{FileFormat, PartEncoder};
use crate::FormatError;
use crate::converter::avro::{DatumOptions, DatumWriter};
use container::Container;

/// Settings of [`AvroFormat`].
#[derive(Clone, Copy, Debug)]
pub struct AvroOptions {
    /// `avro.codec`.
    pub codec: AvroCodec,
    /// `enhanced.avro.schema.support`: enums and namespaces are kept.
    pub enhanced: bool,
    /// `connect.meta.data`: schemas say what Connect knows.
    pub meta_data: bool,
    /// `allow.optional.map.keys`.
    pub optional_map_keys: bool,
}

impl Default for AvroOptions {
    fn default() -> Self {
        Self { codec: AvroCodec::Null, enhanced: true, meta_data: true, optional_map_keys: false }
    }
}

impl AvroOptions {
    fn datum(self) -> DatumOptions {
        let Self { enhanced, meta_data, optional_map_keys, .. } = self;
        DatumOptions { enhanced, meta_data, optional_map_keys }
    }
}

/// Makes Avro container files.
#[derive(Clone, Copy, Debug)]
pub struct AvroFormat {
    options: AvroOptions,
}

impl AvroFormat {
    /// A format with `options`.
    pub fn new(options: AvroOptions) -> Self {
        Self { options }
    }
}

impl FileFormat for AvroFormat {
    fn extension(&self) -> String {
        ".avro".to_owned()
    }

    fn new_part(&self, schema: Option<&Arc<Schema>>) -> Result<Box<dyn PartEncoder>, FormatError> {
        let writer = DatumWriter::new(schema, self.options.datum()).map_err(refused)?;
        let container = Container::new(writer.text(), self.options.codec);
        Ok(Box::new(AvroPart { writer, container, rows: Vec::new(), ends: Vec::new() }))
    }
}

struct AvroPart {
    writer: DatumWriter,
    container: Container,
    /// The rows of one batch, and where each ends.
    rows: Vec<u8>,
    ends: Vec<usize>,
}

impl PartEncoder for AvroPart {
    fn write(&mut self, values: &Values) -> Result<(), FormatError> {
        self.rows.clear();
        self.ends.clear();
        self.writer.write(values, &mut self.rows, &mut self.ends).map_err(refused)?;
        let mut start = 0;
        for end in &self.ends {
            self.container.append(&self.rows[start..*end])?;
            start = *end;
        }
        if self.rows.capacity() > SCRATCH_BYTES_MAX {
            (self.rows, self.ends) = (Vec::new(), Vec::new());
        }
        Ok(())
    }

    fn take_ready(&mut self) -> Vec<Bytes> {
        self.container.take_ready()
    }

    fn buffered_bytes(&self) -> u64 {
        let batch = self.rows.capacity() + self.ends.capacity() * size_of::<usize>();
        batch as u64 + self.container.buffered_bytes()
    }

    fn flush_early(&mut self) -> Result<(), FormatError> {
        (self.rows, self.ends) = (Vec::new(), Vec::new());
        self.container.end_block()
    }

    fn finish(self: Box<Self>) -> Result<Vec<Bytes>, FormatError> {
        self.container.finish()
    }
}

/// What a part keeps of its scratch space between batches: many parts may be open.
const SCRATCH_BYTES_MAX: usize = 16 * 1024;

fn refused(error: lakeward_api::ConnectError) -> FormatError {
    FormatError::Converter { source: error }
}
