//! Parquet objects: the footer, then one row group after the other by ranged reads.
//!
//! The reader library may panic over damaged files; it runs where that becomes an error.
//!
//! Source: `AvroParquetReader` with `AvroReadSupport`: the Avro schema of the footer counts; without one the
//! types of the file do.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::{RecordBatch, StructArray};
use bytes::Bytes;
use lakeward_api::batch::Values;
use lakeward_api::schema::{Kind, Schema};
use parquet::DecodeResult;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::push_decoder::{ParquetPushDecoder, ParquetPushDecoderBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataPushDecoder};

use super::{FileReader, Step, adopt, derived};
use crate::FormatError;
use crate::converter::avro::{DatumOptions, connect_schema};

/// A Parquet object being read.
///
/// # Memory
/// The footer, the stored column chunks of one row group, and one page of each column unpacked.
pub(super) struct ParquetReader {
    state: State,
    skip: u64,
    wanted: Vec<Range<u64>>,
}

enum State {
    Footer(Box<ParquetMetaDataPushDecoder>),
    Rows(Box<Rows>),
    Over,
}

struct Rows {
    decoder: ParquetPushDecoder,
    schema: Arc<Schema>,
}

impl ParquetReader {
    pub(super) fn new(bytes: u64, skip: u64) -> Result<Self, FormatError> {
        let state = match bytes {
            0 => State::Over,
            _ => {
                let footer = guarded(|| ParquetMetaDataPushDecoder::try_new(bytes))?;
                State::Footer(Box::new(footer.with_page_index_policy(PageIndexPolicy::Skip)))
            }
        };
        Ok(Self { state, skip, wanted: Vec::new() })
    }

    /// Asks for ranges that are together at most `bytes_max` long.
    fn want(&mut self, ranges: Vec<Range<u64>>, bytes_max: u64, what: &str) -> Result<Step, FormatError> {
        let bytes =
            ranges.iter().fold(0_u64, |sum, range| sum.saturating_add(range.end.saturating_sub(range.start)));
        if bytes > bytes_max {
            return Err(damaged(format!(
                "{what} takes {bytes} bytes, more than the {bytes_max} that are held"
            )));
        }
        self.wanted.clone_from(&ranges);
        Ok(Step::Need(ranges))
    }

    fn open(&mut self, footer: ParquetMetaData, rows_max: usize) -> Result<(), FormatError> {
        let rows: u64 =
            footer.row_groups().iter().map(|group| u64::try_from(group.num_rows()).unwrap_or(0)).sum();
        if rows <= self.skip {
            self.state = State::Over;
            return Ok(());
        }
        let skip = usize::try_from(self.skip).unwrap_or(usize::MAX);
        let declared = declared(&footer)?;
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let (decoder, arrow) = guarded(|| {
            let builder = ParquetPushDecoderBuilder::try_new_decoder_with_options(Arc::new(footer), options)?;
            let arrow = Arc::clone(builder.schema());
            let builder = builder.with_batch_size(rows_max);
            // An offset is also kept where there is nothing to leave out.
            let builder = if skip > 0 { builder.with_offset(skip) } else { builder };
            Ok((builder.build()?, arrow))
        })?;
        let schema = match declared {
            Some(schema) => schema,
            None => Arc::new(derived::schema(arrow.fields())?),
        };
        self.state = State::Rows(Box::new(Rows { decoder, schema }));
        Ok(())
    }
}

impl FileReader for ParquetReader {
    fn next(&mut self, rows_max: usize) -> Result<Step, FormatError> {
        loop {
            match &mut self.state {
                State::Over => return Ok(Step::End),
                State::Footer(footer) => match guarded(|| footer.try_decode())? {
                    DecodeResult::NeedsData(ranges) => {
                        return self.want(ranges, FOOTER_BYTES_MAX, "the footer");
                    }
                    DecodeResult::Data(footer) => self.open(footer, rows_max)?,
                    DecodeResult::Finished => return Err(damaged("it has no footer")),
                },
                State::Rows(rows) => match guarded(|| rows.decoder.try_decode())? {
                    DecodeResult::NeedsData(ranges) => {
                        return self.want(ranges, ROW_GROUP_BYTES_MAX, "a row group");
                    }
                    DecodeResult::Data(batch) if batch.num_rows() == 0 => {}
                    DecodeResult::Data(batch) => {
                        let values = values(&rows.schema, batch)?;
                        let part = |start| values.slice(start, (values.rows() - start).min(rows_max));
                        let parts = (0..values.rows()).step_by(rows_max);
                        return Ok(Step::Rows(parts.map(part).collect()));
                    }
                    DecodeResult::Finished => self.state = State::Over,
                },
            }
        }
    }

    fn feed(&mut self, pieces: Vec<Bytes>) -> Result<(), FormatError> {
        let ranges = std::mem::take(&mut self.wanted);
        let fits = |(range, piece): (&Range<u64>, &Bytes)| range.end - range.start == piece.len() as u64;
        if ranges.len() != pieces.len() || !ranges.iter().zip(&pieces).all(fits) {
            return Err(damaged("the object is shorter than the store said"));
        }
        match &mut self.state {
            State::Footer(footer) => guarded(|| footer.push_ranges(ranges, pieces)),
            State::Rows(rows) => guarded(|| rows.decoder.push_ranges(ranges, pieces)),
            State::Over => Ok(()),
        }
    }
}

/// The Connect schema that the footer declares as an Avro schema.
fn declared(footer: &ParquetMetaData) -> Result<Option<Arc<Schema>>, FormatError> {
    let pairs = footer.file_metadata().key_value_metadata().map_or(&[][..], Vec::as_slice);
    let text =
        SCHEMA_KEYS.iter().find_map(|key| pairs.iter().find(|pair| pair.key == *key)?.value.as_deref());
    let Some(text) = text else { return Ok(None) };
    let options = DatumOptions { enhanced: true, meta_data: true, optional_map_keys: false };
    match connect_schema(text, options).map_err(|source| FormatError::Converter { source })? {
        Some(schema) if matches!(schema.kind, Kind::Struct(_)) => Ok(Some(schema)),
        _ => Err(damaged("its Avro schema is not that of a record")),
    }
}

fn values(schema: &Arc<Schema>, batch: RecordBatch) -> Result<Values, FormatError> {
    let array = adopt::column(&StructArray::from(batch), schema)?;
    Ok(Values::Typed { schema: Arc::clone(schema), array })
}

/// Runs the library; a panic is damage like any other.
fn guarded<T>(work: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, FormatError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(err)) => Err(damaged(err)),
        Err(_) => Err(damaged("its reader gave up over it")),
    }
}

fn damaged(problem: impl std::fmt::Display) -> FormatError {
    FormatError::data(format!("The Parquet file cannot be read: {problem}"))
}

/// Where writers keep the Avro schema; the second one is that of old ones.
const SCHEMA_KEYS: [&str; 2] = ["parquet.avro.schema", "avro.schema"];

/// Footers of sinks have some hundred bytes per column and row group.
const FOOTER_BYTES_MAX: u64 = 64 << 20;

/// Java's writers end a row group after 128 MiB of plain data.
const ROW_GROUP_BYTES_MAX: u64 = 256 << 20;
