//! Parquet files of Arrow columns in a schema that the caller made, with what table formats want to know of
//! a file: counts, sizes and bounds per column.
//!
//! Columns are known by the number that their Arrow field names under [`FIELD_ID`].

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use parquet::file::statistics::Statistics;

use super::{Compressors, ParquetOptions, ReadyBytes, WRITER_BYTES, encode};
use crate::FormatError;

/// What the footer will say of one column of a row group, roughly.
const CHUNK_BYTES: usize = 1024;

/// Where an Arrow field says the number of its column.
pub const FIELD_ID: &str = parquet::arrow::PARQUET_FIELD_ID_META_KEY;

/// One file being written.
///
/// # Memory
/// As a part of [`ParquetFormat`](super::ParquetFormat).
pub struct ColumnarFile {
    writer: ArrowWriter<ReadyBytes>,
    compressors: Compressors,
    schema: SchemaRef,
    row_group_bytes_max: u64,
}

/// A file that is complete.
pub struct FinishedFile {
    /// Its last bytes, in file order.
    pub rest: Vec<Bytes>,
    /// Rows.
    pub rows: u64,
    /// Where row groups begin, ascending.
    pub row_groups: Vec<i64>,
    /// Columns that hold values, one per leaf of the schema that has a number.
    pub columns: Vec<ColumnFacts>,
}

/// What a file says of one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnFacts {
    /// Its number.
    pub field_id: i32,
    /// Bytes in the file.
    pub bytes: u64,
    /// Values, nulls among them.
    pub values: u64,
    /// Nulls, when they were counted.
    pub nulls: Option<u64>,
    /// No value is smaller, none is larger: numbers of a fixed width with the least significant byte first,
    /// texts and bytes as they are. `None` below lists and maps, and when there is no value.
    pub bounds: Option<(Bytes, Bytes)>,
}

impl ColumnarFile {
    /// A file of rows of `schema`.
    ///
    /// # Errors
    /// `Fatal` when Parquet has no such type.
    pub fn new(schema: SchemaRef, options: &ParquetOptions) -> Result<Self, FormatError> {
        let writer_options = ArrowWriterOptions::new()
            .with_properties(options.properties(&[], Vec::new()))
            .with_skip_arrow_metadata(true);
        let writer =
            ArrowWriter::try_new_with_options(ReadyBytes::default(), Arc::clone(&schema), writer_options);
        Ok(Self {
            writer: writer.map_err(encode)?,
            compressors: Compressors::new(options),
            schema,
            row_group_bytes_max: options.row_group_bytes_max,
        })
    }

    /// Appends rows.
    ///
    /// # Errors
    /// `Fatal` when the encoder broke, or the rows have another schema.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<(), FormatError> {
        self.writer.write(rows).map_err(encode)?;
        self.compressors.took(rows);
        if self.writer.memory_size() as u64 >= self.row_group_bytes_max {
            self.close_row_group()?;
        }
        Ok(())
    }

    /// Finished bytes, in file order.
    pub fn take_ready(&mut self) -> Vec<Bytes> {
        self.writer.inner_mut().take()
    }

    /// Memory held, in bytes.
    pub fn buffered_bytes(&self) -> u64 {
        let closed = self.writer.flushed_row_groups();
        let chunks: usize = closed.iter().map(RowGroupMetaData::num_columns).sum();
        let held = WRITER_BYTES + self.writer.inner().held_bytes() + chunks * CHUNK_BYTES;
        self.row_group_bytes() + held as u64
    }

    /// Memory that the open row group holds, in bytes.
    pub fn row_group_bytes(&self) -> u64 {
        let types = self.schema.fields().iter().map(|field| field.data_type());
        (self.writer.memory_size() + self.compressors.bytes(types)) as u64
    }

    /// Closes the open row group, so that most of the memory can be given back.
    ///
    /// # Errors
    /// `Fatal` when the encoder broke.
    pub fn flush_early(&mut self) -> Result<(), FormatError> {
        self.close_row_group()?;
        self.writer.sync().map_err(|err| encode(err.into()))
    }

    fn close_row_group(&mut self) -> Result<(), FormatError> {
        self.compressors.closed();
        self.writer.flush().map_err(encode)
    }

    /// Closes the file.
    ///
    /// # Errors
    /// `Fatal` when the encoder broke.
    pub fn finish(mut self) -> Result<FinishedFile, FormatError> {
        let metadata = self.writer.finish().map_err(encode)?;
        let row_groups = metadata.row_groups().iter().filter_map(|group| {
            let first = group.columns().first()?;
            Some(first.dictionary_page_offset().unwrap_or_else(|| first.data_page_offset()))
        });
        Ok(FinishedFile {
            rest: self.writer.inner_mut().take(),
            rows: u64::try_from(metadata.file_metadata().num_rows()).unwrap_or_default(),
            row_groups: row_groups.collect(),
            columns: facts(&metadata),
        })
    }
}

fn facts(metadata: &ParquetMetaData) -> Vec<ColumnFacts> {
    let leaves = metadata.file_metadata().schema_descr().num_columns();
    (0..leaves).filter_map(|leaf| leaf_facts(metadata, leaf)).collect()
}

fn leaf_facts(metadata: &ParquetMetaData, leaf: usize) -> Option<ColumnFacts> {
    let column = metadata.file_metadata().schema_descr().column(leaf);
    let info = column.self_type().get_basic_info();
    let chunks: Vec<&ColumnChunkMetaData> =
        metadata.row_groups().iter().map(|group| group.column(leaf)).collect();
    let sum = |of: fn(&ColumnChunkMetaData) -> i64| {
        chunks.iter().map(|chunk| u64::try_from(of(chunk)).unwrap_or_default()).sum()
    };
    let nulls = chunks.iter().map(|chunk| chunk.statistics()?.null_count_opt()).sum();
    let is_repeated = column.max_rep_level() > 0;
    info.has_id().then(|| ColumnFacts {
        field_id: info.id(),
        bytes: sum(ColumnChunkMetaData::compressed_size),
        values: sum(ColumnChunkMetaData::num_values),
        nulls,
        bounds: if is_repeated { None } else { bounds(&chunks) },
    })
}

/// The bounds of all row groups that hold values.
fn bounds(chunks: &[&ColumnChunkMetaData]) -> Option<(Bytes, Bytes)> {
    let with_values = chunks.iter().filter(|chunk| {
        let nulls = chunk.statistics().and_then(Statistics::null_count_opt);
        nulls != u64::try_from(chunk.num_values()).ok()
    });
    let statistics: Option<Vec<&Statistics>> = with_values.map(|chunk| chunk.statistics()).collect();
    let statistics = statistics?;
    macro_rules! of {
        ($kind:ident, $bytes:expr) => {{
            let all: Option<Vec<_>> = statistics
                .iter()
                .map(|one| match one {
                    Statistics::$kind(values) => Some((values.min_opt()?, values.max_opt()?)),
                    _ => None,
                })
                .collect();
            let all = all?;
            let least = all.iter().map(|(min, _)| *min).reduce(|a, b| if b < a { b } else { a })?;
            let most = all.iter().map(|(_, max)| *max).reduce(|a, b| if b > a { b } else { a })?;
            Some(($bytes(least), $bytes(most)))
        }};
    }
    match statistics.first()? {
        Statistics::Boolean(_) => of!(Boolean, |value: &bool| Bytes::from(vec![u8::from(*value)])),
        Statistics::Int32(_) => of!(Int32, |value: &i32| Bytes::copy_from_slice(&value.to_le_bytes())),
        Statistics::Int64(_) => of!(Int64, |value: &i64| Bytes::copy_from_slice(&value.to_le_bytes())),
        Statistics::Float(_) => of!(Float, |value: &f32| Bytes::copy_from_slice(&value.to_le_bytes())),
        Statistics::Double(_) => of!(Double, |value: &f64| Bytes::copy_from_slice(&value.to_le_bytes())),
        Statistics::ByteArray(_) => {
            of!(ByteArray, |value: &parquet::data_type::ByteArray| Bytes::copy_from_slice(value.data()))
        }
        // Decimals among them are compared as numbers, which a comparison of their bytes is not.
        Statistics::FixedLenByteArray(_) if statistics.len() == 1 => {
            of!(FixedLenByteArray, |value: &parquet::data_type::FixedLenByteArray| {
                Bytes::copy_from_slice(value.data())
            })
        }
        Statistics::FixedLenByteArray(_) | Statistics::Int96(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int64Array, StringArray};
    use arrow_schema::{DataType, Field, Schema};

    use super::*;

    fn field(name: &str, id: &str, data_type: DataType) -> Field {
        let metadata = HashMap::from([(FIELD_ID.to_owned(), id.to_owned())]);
        Field::new(name, data_type, true).with_metadata(metadata)
    }

    #[test]
    fn a_file_tells_the_counts_and_bounds_of_all_its_row_groups() {
        let schema =
            Arc::new(Schema::new(vec![field("n", "7", DataType::Int64), field("text", "9", DataType::Utf8)]));
        let mut file = ColumnarFile::new(Arc::clone(&schema), &ParquetOptions::default()).unwrap();
        let mut bytes = 0;
        for (numbers, texts) in [
            (vec![Some(5), None], vec![Some("b"), Some("zz")]),
            (vec![None, None], vec![None, None]),
            (vec![Some(-3), Some(4)], vec![None, Some("a")]),
        ] {
            let columns: Vec<ArrayRef> =
                vec![Arc::new(Int64Array::from(numbers)), Arc::new(StringArray::from(texts))];
            file.write(&RecordBatch::try_new(Arc::clone(&schema), columns).unwrap()).unwrap();
            file.flush_early().unwrap();
            bytes += file.take_ready().iter().map(Bytes::len).sum::<usize>();
        }
        let finished = file.finish().unwrap();
        assert!(bytes > 0 && !finished.rest.is_empty());
        assert_eq!((finished.rows, finished.row_groups.len(), finished.row_groups[0]), (6, 3, 4));
        let [numbers, texts] = &finished.columns[..] else { panic!("two columns") };
        assert_eq!((numbers.field_id, numbers.values, numbers.nulls), (7, 6, Some(3)));
        let number = |bytes: &Bytes| i64::from_le_bytes(bytes.as_ref().try_into().unwrap());
        let (least, most) = numbers.bounds.as_ref().unwrap();
        assert_eq!((number(least), number(most)), (-3, 5));
        assert_eq!((texts.field_id, texts.nulls), (9, Some(3)));
        assert_eq!(texts.bounds, Some((Bytes::from("a"), Bytes::from("zz"))));
    }
}
