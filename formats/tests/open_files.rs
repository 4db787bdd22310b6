//! What open files say they hold is what the kernel sees: the limit of a worker counts on it.

use std::collections::HashMap;
use std::fs;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use lakeward_formats::file::parquet::{ColumnarFile, FIELD_ID};
use lakeward_formats::file::{ParquetCodec, ParquetOptions};

const FILES: usize = 200;
const ROUNDS: i64 = 6;
const ROWS: i64 = 10;

/// Resident memory of this process.
fn resident_bytes() -> u64 {
    let text = fs::read_to_string("/proc/self/statm").expect("the kernel says it");
    text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("pages are numbers") * 4096
}

fn schema() -> Arc<Schema> {
    let field = |name: &str, id: &str, of: DataType| {
        Field::new(name, of, true).with_metadata(HashMap::from([(FIELD_ID.to_owned(), id.to_owned())]))
    };
    Arc::new(Schema::new(vec![
        field("id", "1", DataType::Int64),
        field("place", "2", DataType::Int32),
        field("text", "3", DataType::Utf8),
    ]))
}

/// Rows of 6 KB: a page and a dictionary are full after some ten of them.
fn rows(schema: &Arc<Schema>, round: i64) -> RecordBatch {
    let texts = (0..ROWS).map(|row| format!("{:09} ", round * ROWS + row).repeat(600));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(0..ROWS)),
        Arc::new(Int32Array::from_iter_values((0..10).map(|_| 7))),
        Arc::new(StringArray::from_iter_values(texts)),
    ];
    RecordBatch::try_new(Arc::clone(schema), columns).expect("columns of the schema")
}

/// What the allocator keeps beside what is held.
const BESIDE_BYTES: u64 = 16 << 20;

#[test]
fn open_files_hold_what_they_say() {
    let schema = schema();
    for codec in [ParquetCodec::Snappy, ParquetCodec::Zstd] {
        let options = ParquetOptions { codec, ..ParquetOptions::default() };
        let before = resident_bytes();
        let file = || ColumnarFile::new(Arc::clone(&schema), &options).expect("a file");
        let mut files: Vec<ColumnarFile> = (0..FILES).map(|_| file()).collect();
        for round in 0..ROUNDS {
            let rows = rows(&schema, round);
            files.iter_mut().for_each(|file| file.write(&rows).expect("rows are taken"));
            let held = resident_bytes().saturating_sub(before);
            let said: u64 = files.iter().map(ColumnarFile::buffered_bytes).sum();
            let most = said / 4 * 5 + BESIDE_BYTES;
            assert!(held <= most, "{codec:?}, round {round}: {held} bytes are held, {said} are counted");
        }
    }
}
