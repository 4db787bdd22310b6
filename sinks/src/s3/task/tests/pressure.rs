//! Too little memory: files are the same as with enough of it, and what is held stays bounded.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::memory::Memory;
use lakeward_api::sink::{Room, SinkTask as _};
use lakeward_api::value::Value;
use lakeward_api::{ConnectError, ErrorClass};
use object_store::memory::InMemory;
use parquet::file::reader::{FileReader as _, SerializedFileReader};

use super::disk::TestDisk;
use super::fixture::{Fixture, batch, now, orders, structs};

const PARTITIONER: &str = "io.confluent.connect.storage.partitioner.FieldPartitioner";
pub(super) const PARQUET: &str = "io.confluent.connect.s3.format.parquet.ParquetFormat";

/// A quarter of what the rows of a run take as columns.
const LITTLE: u64 = 100_000;

/// A task with a limit of memory, and its disk.
pub(super) struct Pressed {
    pub(super) fixture: Fixture,
    pub(super) disk: Rc<TestDisk>,
    pub(super) memory: Memory,
}

impl Pressed {
    pub(super) fn new(limit_bytes: u64, extra: &[(&str, &str)]) -> Self {
        let (disk, memory) = (Rc::new(TestDisk::default()), Memory::new(limit_bytes));
        let room = Room { memory: memory.clone(), disk: Some(Rc::clone(&disk) as _) };
        let base = [("partitioner.class", PARTITIONER), ("partition.field.name", "text")];
        let extra: Vec<_> = base.iter().chain(extra).copied().collect();
        let fixture = Fixture::in_room(Arc::new(InMemory::new()), &extra, room).opened();
        Self { fixture, disk, memory }
    }

    /// Polls, lets loads come back, and turns the bridge, until all files of the partition are stored.
    pub(super) fn settle(&mut self) {
        while !self.fixture.task.is_settled(&[orders()]) {
            self.fixture.task.poll(now(0)).unwrap();
            self.disk.answer();
            self.fixture.task.poll(now(0)).unwrap();
            for _ in 0..50 {
                self.fixture.run(tokio::task::yield_now());
            }
        }
    }

    /// Rows of all files by name: ids in their order, and how many row groups a Parquet file has.
    pub(super) fn files(&self) -> BTreeMap<String, String> {
        let names = self.fixture.names();
        names.into_iter().map(|name| (name.clone(), contents(&name, self.fixture.bytes(&name)))).collect()
    }
}

fn contents(name: &str, bytes: Vec<u8>) -> String {
    if !name.ends_with(".parquet") {
        let mut text = String::new();
        match name.ends_with(".gz") {
            true => {
                let mut lines = flate2::read::MultiGzDecoder::new(&*bytes);
                std::io::Read::read_to_string(&mut lines, &mut text).unwrap();
            }
            false => text = String::from_utf8(bytes).unwrap(),
        }
        return text;
    }
    let file = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
    file.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string() + "\n").collect()
}

/// Batch `number` of 300 rows for up to 40 files, skewed.
fn rows(number: i64) -> SinkBatch {
    let first = number * 300;
    let ids: Vec<i64> = (first..first + 300).collect();
    let texts: Vec<String> = ids.iter().map(|id| format!("d{}", (id * id / 7) % 40)).collect();
    batch(ids.clone(), structs(&ids, &texts.iter().map(String::as_str).collect::<Vec<_>>()))
}

fn run(limit_bytes: u64, extra: &[(&str, &str)]) -> (Pressed, u64) {
    let mut pressed = Pressed::new(limit_bytes, extra);
    let mut most = 0;
    for number in 0..60 {
        pressed.fixture.task.put(rows(number), now(0)).unwrap();
        most = most.max(pressed.fixture.task.buffered_bytes());
        if number % 3 == 0 {
            pressed.disk.answer();
            pressed.fixture.task.poll(now(0)).unwrap();
        }
    }
    pressed.settle();
    (pressed, most)
}

#[test]
fn files_have_the_same_names_and_rows_in_the_same_order_in_every_format() {
    for format in [
        &[("format.class", PARQUET)][..],
        &[("format.class", PARQUET), ("lakeward.parquet.sorting.columns", "id:desc")],
        &[("format.class", "io.confluent.connect.s3.format.json.JsonFormat")],
        &[("format.class", "JsonFormat"), ("s3.compression.type", "gzip")],
    ] {
        let settings: Vec<_> = [("flush.size", "18000")].iter().chain(format).copied().collect();
        let (easy, _) = run(u64::MAX, &settings);
        assert_eq!(easy.disk.counts().0, 0, "nothing goes to disk without need");
        let (pressed, most) = run(LITTLE, &settings);
        let stores = pressed.disk.counts();
        assert!(stores.0 > 3, "{stores:?}: the limit must be felt, or nothing was tested");
        assert_eq!(stores.0, stores.1, "disk space is given back");
        assert!(most < LITTLE, "{most}");
        assert_eq!(pressed.files(), easy.files(), "{format:?}");
        assert_eq!(pressed.files().len(), easy.fixture.names().len());
        assert_eq!((pressed.memory.used_bytes(), pressed.fixture.task.buffered_bytes()), (0, 0));
    }
}

#[test]
fn files_that_end_before_an_encoder_is_worth_its_memory_have_none_beside_others() {
    const FILES: i64 = 8;
    let mut pressed = Pressed::new(u64::MAX, &[("format.class", PARQUET), ("flush.size", "1600000")]);
    let mut held = |ids: std::ops::Range<i64>| {
        let ids: Vec<i64> = ids.collect();
        let places: Vec<String> = ids.iter().map(|id| format!("d{}", id % FILES)).collect();
        let places: Vec<&str> = places.iter().map(String::as_str).collect();
        pressed.fixture.task.put(batch(ids.clone(), structs(&ids, &places)), now(0)).unwrap();
        pressed.fixture.task.buffered_bytes()
    };
    let few: Vec<u64> = (0..8).map(|number| held(number * 2_000..(number + 1) * 2_000)).collect();
    let tables = FILES.unsigned_abs() * 2 * (72 << 10);
    assert!(few.iter().all(|bytes| *bytes < tables / 2), "{few:?}");
    let many = (8..80).map(|number| held(number * 2_000..(number + 1) * 2_000));
    assert!(many.max() > Some(tables / 2), "they are encoded all the same");
}

#[test]
fn schemaless_rows_go_to_disk_as_they_are_encoded() {
    let by_time = [
        ("partitioner.class", "io.confluent.connect.storage.partitioner.TimeBasedPartitioner"),
        ("path.format", "'m'=mm"),
        ("partition.duration.ms", "60000"),
        ("locale", "en"),
        ("timezone", "UTC"),
        ("timestamp.extractor", "Record"),
        ("flush.size", "6000"),
    ];
    let run = |limit_bytes| {
        let mut pressed = Pressed::new(limit_bytes, &by_time);
        for number in 0..20 {
            let offsets: Vec<i64> = (number * 300..(number + 1) * 300).collect();
            let text = |offset: &i64| Value::String(format!("{offset} {}", "x".repeat(200)).into());
            let values = Values::Dynamic(offsets.iter().map(text).collect());
            pressed.fixture.task.put(batch(offsets, values), now(0)).unwrap();
        }
        pressed.settle();
        pressed
    };
    let pressed = run(500_000);
    let stores = pressed.disk.counts();
    assert!(stores.0 > 1 && stores.0 == stores.1, "{stores:?}");
    assert_eq!(pressed.files(), run(u64::MAX).files());
}

#[test]
fn rows_of_a_busy_file_come_back_while_it_is_open() {
    // Everything to one file, and just enough elsewhere that rows wait.
    let mut pressed = Pressed::new(300_000, &[("format.class", PARQUET), ("flush.size", "1000000")]);
    let long = "y".repeat(900);
    let mut came_back = 0;
    for number in 0..60 {
        let ids: Vec<i64> = (number * 200..(number + 1) * 200).collect();
        let texts: Vec<&str> = ids.iter().map(|id| if id % 50 == 0 { "rare" } else { &*long }).collect();
        pressed.fixture.task.put(batch(ids.clone(), structs(&ids, &texts)), now(0)).unwrap();
        for _ in 0..40 {
            came_back += pressed.disk.answer();
            pressed.fixture.task.poll(now(0)).unwrap();
        }
    }
    assert!(came_back > 0, "10 MB of rows went through 300 KB");
    pressed.fixture.task.close(&[orders()]);
    assert_eq!((pressed.memory.used_bytes(), pressed.fixture.task.buffered_bytes()), (0, 0));
    let (stores, gone) = pressed.disk.counts();
    assert_eq!(stores, gone, "what was dropped holds no disk space");
}

/// 20 rows of each wait; behind them one place gets few rows, and the other so many that none waits.
fn few_or_many(id: i64) -> &'static str {
    let is_few = if id < 40 { id % 2 == 0 } else { id % 14 == 0 };
    if is_few { "few" } else { "many" }
}

#[test]
fn many_rows_of_a_batch_go_behind_few_that_wait_or_are_on_disk() {
    for limit_bytes in [u64::MAX, 1] {
        let mut pressed = Pressed::new(limit_bytes, &[("flush.size", "1440"), ("format.class", PARQUET)]);
        for ids in [0..40, 40..1440] {
            let ids: Vec<i64> = ids.collect();
            let places: Vec<&str> = ids.iter().map(|id| few_or_many(*id)).collect();
            pressed.fixture.task.put(batch(ids.clone(), structs(&ids, &places)), now(0)).unwrap();
        }
        pressed.settle();
        assert_eq!(pressed.disk.counts().0 > 0, limit_bytes == 1);
        for (file, rows) in pressed.files() {
            let place = if file.contains("text=few") { "few" } else { "many" };
            let expected = (0..1440).filter(|id| few_or_many(*id) == place);
            let expected: String = expected.map(|id| format!("{{id: {id}, text: \"{place}\"}}\n")).collect();
            assert_eq!(rows, expected);
        }
        assert_eq!(pressed.fixture.durable(), [1440]);
    }
}

#[test]
fn a_full_disk_ends_the_run_and_nothing_becomes_durable() {
    let mut pressed = Pressed::new(300_000, &[("flush.size", "18000")]);
    for number in 0..30 {
        pressed.fixture.task.put(rows(number), now(0)).unwrap();
    }
    *pressed.disk.failure.borrow_mut() = Some(ConnectError::retriable("no space left"));
    let error = pressed.fixture.task.poll(now(0)).unwrap_err();
    assert_eq!(error.class(), ErrorClass::Retriable);
    assert!(pressed.fixture.durable().is_empty() && pressed.fixture.names().is_empty());
}

#[test]
fn files_of_a_closed_partition_are_finished_from_disk() {
    let mut pressed = Pressed::new(LITTLE, &[("format.class", PARQUET), ("flush.size", "9000")]);
    for number in 0..30 {
        pressed.fixture.task.put(rows(number), now(0)).unwrap();
    }
    assert!(pressed.disk.counts().0 > 0);
    pressed.fixture.task.close(&[orders()]);
    assert!(!pressed.fixture.task.is_settled(&[orders()]), "complete files are not dropped");
    pressed.settle();
    assert_eq!(pressed.fixture.durable(), [9000]);
    let rows: usize = pressed.files().values().map(|text| text.lines().count()).sum();
    assert_eq!(rows, 9000);
}

#[test]
fn what_is_on_disk_goes_to_no_other_owner_and_is_read_again() {
    let settings =
        [("flush.size", "18000"), ("format.class", "JsonFormat"), ("lakeward.handover.ms", "60000")];
    let (easy, _) = run(u64::MAX, &settings);
    let mut pressed = Pressed::new(LITTLE, &settings);
    for number in 0..30 {
        pressed.fixture.task.put(rows(number), now(0)).unwrap();
        pressed.fixture.task.poll(now(0)).unwrap();
    }
    let (stored, given_back) = pressed.disk.counts();
    assert!(stored > given_back, "{stored} {given_back}: nothing is on disk");
    assert!(pressed.fixture.task.part_with(&orders()).is_none());
    pressed.fixture.task.close(&[orders()]);
    let (stored, given_back) = pressed.disk.counts();
    assert_eq!(
        (pressed.fixture.task.buffered_bytes(), stored),
        (0, given_back),
        "nothing is held for nobody"
    );
    assert!(pressed.fixture.durable().is_empty(), "files do not end for a rebalance");
    // The next owner reads from the committed offset.
    pressed.fixture.task.open(&[orders()]).unwrap();
    for number in 0..60 {
        pressed.fixture.task.put(rows(number), now(0)).unwrap();
    }
    pressed.settle();
    assert_eq!(pressed.files(), easy.files());
}
