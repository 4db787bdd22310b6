//! Parquet parts (`io.confluent.connect.s3.format.parquet.ParquetFormat`).
//!
//! Owns the writer settings and the memory of open row groups; the file schema is built in `schema`. It
//! must not decide when a part ends.
//!
//! Source: the settings parquet-avro uses in that class (data page v1, dictionaries, pages of 64 KiB and at
//! most 20 000 rows, statistics). Row groups are far smaller than its 128 MiB, because many parts are open
//! at once; dictionaries are smaller, because that measured better in every respect.

mod schema;
#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::{Array, RecordBatch};
use arrow_schema::{Schema as ArrowSchema, SchemaRef};
use bytes::Bytes;
use lakeward_api::batch::Values;
use lakeward_api::schema::{Kind, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};

use super::{FileFormat, PartEncoder};
use crate::FormatError;
use crate::converter::avro::{DatumOptions, schema_text};

/// Page compression, by the names of `parquet.codec`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParquetCodec {
    /// `gzip`, level 6.
    Gzip,
    /// `lz4`, in Hadoop's framing.
    Lz4,
    /// `lz4_raw`.
    Lz4Raw,
    /// `none`.
    None,
    /// `snappy`.
    Snappy,
    /// `zstd`, level 3.
    Zstd,
}

impl ParquetCodec {
    /// The codec called `name` in `parquet.codec`.
    ///
    /// # Errors
    /// Class `Config` for unknown codecs and for the two that are not built in.
    pub fn from_name(name: &str) -> Result<Self, FormatError> {
        match name {
            "gzip" => Ok(Self::Gzip),
            "lz4" => Ok(Self::Lz4),
            "lz4_raw" => Ok(Self::Lz4Raw),
            "none" => Ok(Self::None),
            "snappy" => Ok(Self::Snappy),
            "zstd" => Ok(Self::Zstd),
            _ => Err(FormatError::Setting {
                message: format!(
                    "Invalid value {name} for configuration parquet.codec: \
                     use none, snappy, gzip, lz4, lz4_raw or zstd"
                ),
            }),
        }
    }

    /// What the codec adds to the object name before `.parquet`. Source: `CompressionCodecName#getExtension`.
    fn extension(self) -> &'static str {
        match self {
            Self::Gzip => ".gz",
            Self::Lz4 => ".lz4hadoop",
            Self::Lz4Raw => ".lz4raw",
            Self::None => "",
            Self::Snappy => ".snappy",
            Self::Zstd => ".zstd",
        }
    }

    fn compression(self) -> Compression {
        match self {
            Self::Gzip => Compression::GZIP(GzipLevel::default()),
            Self::Lz4 => Compression::LZ4,
            Self::Lz4Raw => Compression::LZ4_RAW,
            Self::None => Compression::UNCOMPRESSED,
            Self::Snappy => Compression::SNAPPY,
            Self::Zstd => Compression::ZSTD(ZstdLevel::try_new(3).expect("3 is between 1 and 22")),
        }
    }
}

/// Settings of [`ParquetFormat`].
#[derive(Clone, Copy, Debug)]
pub struct ParquetOptions {
    /// Page compression.
    pub codec: ParquetCodec,
    /// A row group closes when its memory (open columns and finished pages) reaches this many bytes; it may
    /// be exceeded by one batch.
    pub row_group_bytes_max: u64,
    /// `enhanced.avro.schema.support`: the Avro schema of the footer keeps enums and namespaces.
    pub enhanced: bool,
    /// `connect.meta.data`: it says what Connect knows.
    pub meta_data: bool,
}

impl Default for ParquetOptions {
    /// Snappy, as the Java sink, and row groups of 16 MiB.
    fn default() -> Self {
        Self { codec: ParquetCodec::Snappy, row_group_bytes_max: 16 << 20, enhanced: true, meta_data: true }
    }
}

/// Makes Parquet parts.
#[derive(Clone, Copy, Debug)]
pub struct ParquetFormat {
    options: ParquetOptions,
}

impl ParquetFormat {
    /// A format with `options`.
    pub fn new(options: ParquetOptions) -> Self {
        Self { options }
    }

    /// What parquet-avro says in the footer. Without it, Java's readers would derive another Avro schema from
    /// that of the file. A schema that has no Avro form is left to them.
    fn footer(&self, schema: &Arc<Schema>) -> Vec<(&'static str, String)> {
        let ParquetOptions { enhanced, meta_data, .. } = self.options;
        let options = DatumOptions { enhanced, meta_data, optional_map_keys: false };
        match schema_text(Some(schema), options) {
            Ok(text) => {
                vec![("parquet.avro.schema", text.to_string()), ("writer.model.name", "avro".to_owned())]
            }
            Err(_) => Vec::new(),
        }
    }
}

impl FileFormat for ParquetFormat {
    fn extension(&self) -> String {
        format!("{}.parquet", self.options.codec.extension())
    }

    fn new_part(&self, schema: Option<&Arc<Schema>>) -> Result<Box<dyn PartEncoder>, FormatError> {
        let Some(schema) = schema else {
            return Err(FormatError::NotAStruct { message: SCHEMALESS.to_owned() });
        };
        if !matches!(schema.kind, Kind::Struct(_)) {
            return Err(FormatError::NotAStruct { message: "Avro schema must be a record.".to_owned() });
        }
        Ok(Box::new(ParquetPart::new(schema, &self.footer(schema), self.options)?))
    }
}

/// One Parquet file being written.
///
/// # Memory
/// The open row group holds one page per column (64 KiB plus a dictionary of at most
/// [`DICTIONARY_BYTES_MAX`] each) and the compressed pages before it; it closes at `row_group_bytes_max`.
/// Closed row groups wait as finished bytes for [`PartEncoder::take_ready`]. The footer grows by about 100
/// bytes per column and row group.
struct ParquetPart {
    writer: ArrowWriter<ReadyBytes>,
    arrow_schema: SchemaRef,
    row_group_bytes_max: usize,
}

impl ParquetPart {
    fn new(schema: &Schema, footer: &[(&str, String)], options: ParquetOptions) -> Result<Self, FormatError> {
        let parquet_schema = schema::parquet_schema(schema)?;
        let arrow_schema = Arc::new(ArrowSchema::new(schema.arrow_fields()));
        let writer_options = ArrowWriterOptions::new()
            .with_properties(writer_properties(options.codec, footer))
            .with_skip_arrow_metadata(true)
            .with_parquet_schema(parquet_schema);
        let writer = ArrowWriter::try_new_with_options(
            ReadyBytes::default(),
            Arc::clone(&arrow_schema),
            writer_options,
        )
        .map_err(encode)?;
        let row_group_bytes_max = usize::try_from(options.row_group_bytes_max).unwrap_or(usize::MAX);
        Ok(Self { writer, arrow_schema, row_group_bytes_max })
    }
}

impl PartEncoder for ParquetPart {
    fn write(&mut self, values: &Values) -> Result<(), FormatError> {
        let Some((_, records)) = values.as_struct() else {
            return Err(FormatError::data("A Parquet part holds STRUCT values only."));
        };
        if records.null_count() > 0 {
            return Err(FormatError::data("A null record cannot be written to a Parquet part."));
        }
        let batch = RecordBatch::try_new(Arc::clone(&self.arrow_schema), records.columns().to_vec())
            .map_err(|err| encode(err.into()))?;
        self.writer.write(&batch).map_err(encode)?;
        if self.writer.memory_size() >= self.row_group_bytes_max {
            self.writer.flush().map_err(encode)?;
        }
        Ok(())
    }

    fn take_ready(&mut self) -> Vec<Bytes> {
        // The writer keeps up to 8 KiB to itself; they come with the next call or with `finish`.
        self.writer.inner_mut().take()
    }

    fn buffered_bytes(&self) -> u64 {
        (self.writer.memory_size() + self.writer.inner().held_bytes()) as u64
    }

    fn flush_early(&mut self) -> Result<(), FormatError> {
        self.writer.flush().map_err(encode)?;
        self.writer.sync().map_err(|err| encode(err.into()))
    }

    fn finish(self: Box<Self>) -> Result<Vec<Bytes>, FormatError> {
        let mut ready = self.writer.into_inner().map_err(encode)?;
        Ok(ready.take())
    }
}

/// Finished file bytes in blocks, so that growing never moves what is already there.
#[derive(Debug, Default)]
struct ReadyBytes {
    full: Vec<Bytes>,
    full_bytes: usize,
    open: Vec<u8>,
}

impl ReadyBytes {
    fn held_bytes(&self) -> usize {
        self.full_bytes + self.open.capacity()
    }

    fn take(&mut self) -> Vec<Bytes> {
        let mut ready = std::mem::take(&mut self.full);
        self.full_bytes = 0;
        if !self.open.is_empty() {
            ready.push(Bytes::from(std::mem::take(&mut self.open)));
        }
        ready
    }
}

impl Write for ReadyBytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.open.len() + bytes.len() > self.open.capacity() && !self.open.is_empty() {
            let full = Bytes::from(std::mem::take(&mut self.open));
            self.full_bytes += full.len();
            self.full.push(full);
        }
        if self.open.is_empty() {
            self.open.reserve_exact(bytes.len().max(BLOCK_BYTES));
        }
        self.open.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn writer_properties(codec: ParquetCodec, footer: &[(&str, String)]) -> WriterProperties {
    let footer = footer.iter().map(|(key, value)| KeyValue::new((*key).to_owned(), value.clone()));
    WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(concat!("lakeward version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(footer.collect()))
        .set_compression(codec.compression())
        .set_dictionary_enabled(true)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES_MAX)
        .set_data_page_size_limit(64 * 1024)
        .set_data_page_row_count_limit(20_000)
        .set_max_row_group_row_count(None)
        .set_max_row_group_bytes(None)
        .set_statistics_enabled(EnabledStatistics::Page)
        .build()
}

fn encode(source: parquet::errors::ParquetError) -> FormatError {
    FormatError::Encode { source }
}

/// A column falls back to plain pages when its dictionary grows beyond this.
///
/// parquet-avro allows 1 MiB. In the bench `encode_parquet`, 64 KiB made both samples faster (1.3 and 1.9
/// times), their files 6 and 7 % smaller and their memory a half and a third: columns of mostly distinct
/// values give up early, and those with few values fit anyway.
const DICTIONARY_BYTES_MAX: usize = 64 * 1024;

/// Allocation unit of finished bytes; most uploads take several of them at once.
const BLOCK_BYTES: usize = 256 * 1024;

const SCHEMALESS: &str = "Parquet needs a schema, but these values have none. Set lakeward.schema to \
    infer (types are \
    taken from the data) or to an Avro or JSON schema, or use a converter that provides schemas.";
