//! What the compressors of an open row group hold, which the encoder does not count: one per column, kept
//! from its first page until the row group closes.

use arrow_array::{Array as _, RecordBatch};
use arrow_schema::DataType;

use super::{ParquetCodec, ParquetOptions};

/// The compressors of one file.
///
/// Which columns have made a page is known from the bytes that came for them: dictionaries and runs of equal
/// values make pages later than that, so it is rather too much that is counted.
#[derive(Clone, Debug)]
pub(super) struct Compressors {
    each: Compressor,
    page_bytes: usize,
    column_bytes: Vec<usize>,
}

/// What one column holds beside its pages.
#[derive(Clone, Copy, Debug)]
struct Compressor {
    /// From the first row on.
    idle_bytes: usize,
    /// From the first page on, the room for the next one to grow among it.
    busy_bytes: usize,
}

impl Compressors {
    /// Of a file without rows.
    pub(super) fn new(options: &ParquetOptions) -> Self {
        let codecs = options.column_codecs.iter().map(|(_, codec)| *codec);
        let each = codecs.map(Compressor::of).fold(Compressor::of(options.codec), |one, other| {
            if other.busy_bytes > one.busy_bytes { other } else { one }
        });
        Self { each, page_bytes: options.page_bytes_max, column_bytes: Vec::new() }
    }

    /// The open row group took `rows`.
    pub(super) fn took(&mut self, rows: &RecordBatch) {
        self.column_bytes.resize(rows.num_columns(), 0);
        for (bytes, column) in self.column_bytes.iter_mut().zip(rows.columns()) {
            // An array whose size cannot be told is one that the encoder refuses.
            *bytes += column.to_data().get_slice_memory_size().unwrap_or_default();
        }
    }

    /// The row group is closed.
    pub(super) fn closed(&mut self) {
        self.column_bytes.clear();
    }

    /// Memory held; the columns are those of `types`.
    pub(super) fn bytes<'a>(&self, types: impl Iterator<Item = &'a DataType>) -> usize {
        let held = |(bytes, of): (&usize, &DataType)| {
            let each = if *bytes < self.page_bytes {
                self.each.idle_bytes
            } else {
                self.each.busy_bytes + self.page_bytes
            };
            leaves(of) * each
        };
        self.column_bytes.iter().zip(types).map(held).sum()
    }
}

impl Compressor {
    /// What was allocated for 100 files with pages of 64 to 120 KiB.
    fn of(codec: ParquetCodec) -> Self {
        let (idle_bytes, busy_bytes) = match codec {
            ParquetCodec::Snappy => (0, 36 << 10),
            // What would read pages is made with what writes them.
            ParquetCodec::Zstd => (100 << 10, 720 << 10),
            ParquetCodec::Brotli
            | ParquetCodec::Gzip
            | ParquetCodec::Lz4
            | ParquetCodec::Lz4Raw
            | ParquetCodec::None => (0, 0),
        };
        Self { idle_bytes, busy_bytes }
    }
}

/// Columns of Parquet in a column of Arrow.
fn leaves(of: &DataType) -> usize {
    match of {
        DataType::List(item) | DataType::Map(item, _) => leaves(item.data_type()),
        DataType::Struct(fields) => fields.iter().map(|field| leaves(field.data_type())).sum(),
        _ => 1,
    }
}
