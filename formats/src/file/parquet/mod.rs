//! Parquet parts (`io.confluent.connect.s3.format.parquet.ParquetFormat`).
//!
//! Owns the memory of open row groups; the file schema is built in `schema`, columns that it wants otherwise
//! than Connect in `columns`, settings are in `options`. It must not decide when a part ends.

mod codec;
mod columnar;
mod columns;
mod compressors;
mod options;
mod schema;
mod sorter;
#[cfg(test)]
mod tests;

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{Array, RecordBatch};
use arrow_schema::{Schema as ArrowSchema, SchemaRef};
use bytes::Bytes;
use lakeward_api::batch::Values;
use lakeward_api::schema::{Kind, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;

pub use codec::ParquetCodec;
pub use columnar::{ColumnFacts, ColumnarFile, FIELD_ID, FinishedFile};
pub use options::{ParquetOptions, ParquetSorting, ParquetStatistics};

use super::{FileFormat, PartEncoder};
use crate::FormatError;
use crate::converter::avro::{AvroOnly, schema_text};
use columns::Stored;
use compressors::Compressors;
use sorter::{Order, Sorter};

/// Makes Parquet parts.
#[derive(Clone, Debug)]
pub struct ParquetFormat {
    options: ParquetOptions,
    /// What parts of the same schema share, the latest last. A part that moved to another shard may begin
    /// others of its format there: rarely two at a time.
    designs: Arc<Mutex<Vec<Arc<Design>>>>,
}

/// What all parts of one schema share: there may be ten thousand of them.
#[derive(Debug)]
struct Design {
    schema: Arc<Schema>,
    stored: Vec<Stored>,
    arrow_schema: SchemaRef,
    order: Order,
    options: ArrowWriterOptions,
    /// Those of a part without rows.
    compressors: Compressors,
    row_group_bytes_max: usize,
    /// What the tables of an open row group grow to, more or less, whatever the size of its rows.
    tables_bytes: u64,
}

/// More schemas at a time share nothing.
const DESIGNS_MAX: usize = 16;

impl ParquetFormat {
    /// A format with `options`.
    pub fn new(options: ParquetOptions) -> Self {
        Self { options, designs: Arc::default() }
    }

    /// What parts of `schema` share.
    fn design(&self, schema: &Arc<Schema>) -> Result<Arc<Design>, FormatError> {
        let mut designs = self.designs.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = |design: &Arc<Design>| Arc::ptr_eq(&design.schema, schema) || design.schema == *schema;
        if let Some(known) = designs.iter().rev().find(|design| is_known(design)) {
            return Ok(Arc::clone(known));
        }
        let is_union = AvroOnly::of(schema, self.options.datum()) == Some(AvroOnly::Union);
        if is_union || !matches!(schema.kind, Kind::Struct(_)) {
            return Err(FormatError::NotAStruct { message: "Avro schema must be a record.".to_owned() });
        }
        let design = Arc::new(Design::new(schema, &self.footer(schema), &self.options)?);
        if designs.len() == DESIGNS_MAX {
            designs.remove(0);
        }
        designs.push(Arc::clone(&design));
        Ok(design)
    }

    /// What parquet-avro says in the footer. Without it, Java's readers would derive another Avro schema from
    /// that of the file. A schema that has no Avro form is left to them.
    fn footer(&self, schema: &Arc<Schema>) -> Vec<(&'static str, String)> {
        // Rows are never null, whatever the schema says; a union with null would be no record to readers.
        let record = match schema.optional {
            true => Arc::new(Schema { optional: false, ..Schema::clone(schema) }),
            false => Arc::clone(schema),
        };
        match schema_text(Some(&record), self.options.datum()) {
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
        Ok(Box::new(ParquetPart::new(self.design(schema)?)))
    }

    fn takes_all(&self, schema: &Arc<Schema>) -> bool {
        self.design(schema).is_ok_and(|design| design.stored.iter().all(Stored::takes_all))
    }
}

/// One Parquet file being written.
///
/// # Memory
/// Next to nothing before the first rows. The open row group holds one page per column (64 KiB plus a
/// dictionary of at most 64 KiB and its table, unless configured otherwise), the compressed pages before it,
/// and a compressor per column; without the compressors it closes at `row_group_bytes_max`. Rows that are to
/// be sorted wait as plain columns instead, up to the same limit.
/// Closed row groups wait as finished bytes for [`PartEncoder::take_ready`]. The footer grows by about 100
/// bytes per column and row group.
struct ParquetPart {
    design: Arc<Design>,
    /// Made for the first rows: before them a part holds next to nothing.
    writer: Option<ArrowWriter<ReadyBytes>>,
    compressors: Compressors,
    sorter: Option<Sorter>,
}

impl Design {
    fn new(
        schema: &Arc<Schema>,
        footer: &[(&str, String)],
        options: &ParquetOptions,
    ) -> Result<Self, FormatError> {
        let parquet_schema = schema::parquet_schema(schema, options)?;
        let datum = options.datum();
        let fields = schema.fields().iter();
        let stored: Vec<_> = fields.map(|field| Stored::of_field(&field.schema, datum)).collect();
        let arrow_fields = columns::struct_fields(&stored, &schema.arrow_fields());
        let arrow_schema = Arc::new(ArrowSchema::new(arrow_fields));
        let order = Order::of(schema, &options.sorting);
        // Rows that are to be sorted wait in the part anyway.
        let has_tables = options.dictionary_bytes_max.is_some() && order.is_none();
        let tables_bytes = if has_tables { parquet_schema.num_columns() as u64 * TABLE_BYTES } else { 0 };
        let writer_options = ArrowWriterOptions::new()
            .with_properties(options.properties(footer, order.columns(&parquet_schema)))
            .with_skip_arrow_metadata(true)
            .with_parquet_schema(parquet_schema);
        let row_group_bytes_max = usize::try_from(options.row_group_bytes_max).unwrap_or(usize::MAX);
        Ok(Self {
            schema: Arc::clone(schema),
            stored,
            arrow_schema,
            order,
            options: writer_options,
            compressors: Compressors::new(options),
            row_group_bytes_max,
            tables_bytes,
        })
    }

    fn writer(&self) -> Result<ArrowWriter<ReadyBytes>, FormatError> {
        let (schema, options) = (Arc::clone(&self.arrow_schema), self.options.clone());
        ArrowWriter::try_new_with_options(ReadyBytes::default(), schema, options).map_err(encode)
    }
}

impl ParquetPart {
    fn new(design: Arc<Design>) -> Self {
        let sorter = (!design.order.is_none()).then(|| Sorter::new(design.order.clone()));
        let compressors = design.compressors.clone();
        Self { design, writer: None, compressors, sorter }
    }

    fn writer(&mut self) -> Result<&mut ArrowWriter<ReadyBytes>, FormatError> {
        if self.writer.is_none() {
            self.writer = Some(self.design.writer()?);
        }
        Ok(self.writer.as_mut().expect("it was just made"))
    }

    /// Closes the open row group.
    fn end_row_group(&mut self) -> Result<(), FormatError> {
        if let Some(sorter) = &mut self.sorter
            && let Some(rows) = sorter.take(&self.design.arrow_schema)?
        {
            self.writer()?.write(&rows).map_err(encode)?;
        }
        self.compressors.closed();
        match &mut self.writer {
            Some(writer) => writer.flush().map_err(encode),
            None => Ok(()),
        }
    }

    /// Rows and pages of the open row group.
    fn row_group_bytes(&self) -> usize {
        let open = self.writer.as_ref().map_or(0, ArrowWriter::memory_size);
        open + self.sorter.as_ref().map_or(0, Sorter::bytes)
    }

    fn compressor_bytes(&self) -> usize {
        let types = self.design.arrow_schema.fields().iter().map(|field| field.data_type());
        self.compressors.bytes(types)
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
        let design = Arc::clone(&self.design);
        let columns =
            design.stored.iter().zip(records.columns()).map(|(stored, column)| stored.column(column));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let batch = RecordBatch::try_new(Arc::clone(&design.arrow_schema), columns)
            .map_err(|err| encode(err.into()))?;
        match &mut self.sorter {
            Some(sorter) => sorter.push(&batch)?,
            None => {
                self.writer()?.write(&batch).map_err(encode)?;
                self.compressors.took(&batch);
            }
        }
        if self.row_group_bytes() >= design.row_group_bytes_max {
            self.end_row_group()?;
        }
        Ok(())
    }

    fn take_ready(&mut self) -> Vec<Bytes> {
        // The writer keeps up to 8 KiB to itself; they come with the next call or with `finish`.
        self.writer.as_mut().map_or_else(Vec::new, |writer| writer.inner_mut().take())
    }

    fn buffered_bytes(&self) -> u64 {
        let writer = self.writer.as_ref().map_or(0, |writer| WRITER_BYTES + writer.inner().held_bytes());
        (self.row_group_bytes() + self.compressor_bytes() + writer) as u64
    }

    fn worth_bytes(&self) -> u64 {
        self.design.tables_bytes
    }

    fn flush_early(&mut self) -> Result<(), FormatError> {
        self.end_row_group()?;
        match &mut self.writer {
            Some(writer) => writer.sync().map_err(|err| encode(err.into())),
            None => Ok(()),
        }
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<Bytes>, FormatError> {
        self.end_row_group()?;
        let writer = match self.writer {
            Some(writer) => writer,
            None => self.design.writer()?,
        };
        Ok(writer.into_inner().map_err(encode)?.take())
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

fn encode(source: parquet::errors::ParquetError) -> FormatError {
    FormatError::Encode { source }
}

/// What a writer holds beside columns and bytes: settings, and a buffer of 8 KiB before the finished bytes.
const WRITER_BYTES: usize = 12 * 1024;

/// The table by which a column finds values in its dictionary: 8,192 places. Numbers have all of them from
/// the first value on, texts when they differ.
const TABLE_BYTES: u64 = 72 * 1024;

/// Allocation unit of finished bytes; most uploads take several of them at once.
const BLOCK_BYTES: usize = 256 * 1024;

const SCHEMALESS: &str = "Parquet needs a schema, but these values have none. Set lakeward.schema to \
    infer (types are \
    taken from the data) or to an Avro or JSON schema, or use a converter that provides schemas.";
