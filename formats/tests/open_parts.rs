//! What open Parquet parts say they hold is what the kernel sees: the limit of a worker counts on it.
//!
//! Beside `open_files.rs` in a process of its own: what the allocator keeps of others would hide what is
//! held.

use std::fs;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, Int64Array, StringArray, StructArray};
use lakeward_api::batch::Values;
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_formats::file::{
    FileFormat as _, ParquetCodec, ParquetFormat, ParquetOptions, ParquetSorting, PartEncoder,
};

const PARTS: usize = 150;
const ROUNDS: i64 = 12;
const ROWS: i64 = 10;

/// Resident memory of this process.
fn resident_bytes() -> u64 {
    let text = fs::read_to_string("/proc/self/statm").expect("the kernel says it");
    text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("pages are numbers") * 4096
}

fn schema() -> Arc<Schema> {
    let field = |name: &str, kind| Field { name: name.into(), schema: Arc::new(Schema::new(kind)) };
    let fields = vec![field("id", Kind::Int64), field("place", Kind::Int32), field("text", Kind::String)];
    Arc::new(Schema::new(Kind::Struct(fields)))
}

/// Rows of 6 KB: a page and a dictionary are full after some ten of them.
fn rows(schema: &Arc<Schema>, round: i64) -> Values {
    let texts = (0..ROWS).map(|row| format!("{:09} ", round * ROWS + row).repeat(600));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(0..ROWS)),
        Arc::new(Int32Array::from_iter_values((0..10).map(|_| 7))),
        Arc::new(StringArray::from_iter_values(texts)),
    ];
    let array = Arc::new(StructArray::new(schema.arrow_fields(), columns, None));
    Values::Typed { schema: Arc::clone(schema), array }
}

/// What the allocator keeps beside what is held.
const BESIDE_BYTES: u64 = 16 << 20;

#[test]
fn open_parts_hold_what_they_say() {
    let schema = schema();
    let by_id = ParquetSorting { column: "id".to_owned(), descending: false };
    for (codec, sorting) in
        [(ParquetCodec::Snappy, vec![]), (ParquetCodec::Zstd, vec![by_id]), (ParquetCodec::Zstd, vec![])]
    {
        let format = ParquetFormat::new(ParquetOptions { codec, sorting, ..ParquetOptions::default() });
        let before = resident_bytes();
        let part = || format.new_part(Some(&schema)).expect("a part");
        let mut parts: Vec<Box<dyn PartEncoder>> = (0..PARTS).map(|_| part()).collect();
        for round in 0..ROUNDS {
            let rows = rows(&schema, round);
            parts.iter_mut().for_each(|part| part.write(&rows).expect("rows are taken"));
            assert_counted(&parts, before, &format!("{codec:?}, round {round}"));
        }
        // What is left is counted, too, and that is not the compressors.
        parts.iter_mut().for_each(|part| part.flush_early().expect("row groups close"));
        parts.iter_mut().for_each(|part| drop(part.take_ready()));
        let said: u64 = parts.iter().map(|part| part.buffered_bytes()).sum();
        assert!(said < PARTS as u64 * (64 << 10), "{codec:?}: {said} bytes are counted");
    }
}

fn assert_counted(parts: &[Box<dyn PartEncoder>], before: u64, when: &str) {
    let held = resident_bytes().saturating_sub(before);
    let said: u64 = parts.iter().map(|part| part.buffered_bytes()).sum();
    let most = said / 4 * 5 + BESIDE_BYTES;
    assert!(held <= most, "{when}: {held} bytes are held, {said} are counted");
}
