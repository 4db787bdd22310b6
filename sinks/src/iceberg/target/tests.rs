//! Files of many partitions, without a catalog.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::Int64Array;
use lakeward_api::bridge::{Bridge, BridgeFuture, Waker};
use lakeward_api::budget::Budget;
use serde_json::json;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::super::files::PIECE_BYTES;
use super::*;

struct OnRuntime(Handle);

impl Bridge for OnRuntime {
    fn spawn(&self, future: BridgeFuture) {
        drop(self.0.spawn(future));
    }
}

struct Rig {
    target: Target,
    names: FileNames,
    uploads: Uploads,
    folder: tempfile::TempDir,
}

impl Rig {
    /// A table of `id` and `n`, partitioned by `id`.
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut target = Target::new("db.t", None).unwrap();
        target.renew(Self::table(&folder, 2)).unwrap();
        let uploads = Uploads {
            bridge: Arc::new(OnRuntime(Handle::current())),
            waker: Waker::new(|| {}),
            in_flight: Budget::new(1 << 30),
            slots: Arc::new(Semaphore::new(4)),
        };
        Self { target, names: FileNames::new(), uploads, folder }
    }

    /// The table with so many columns.
    fn table(folder: &tempfile::TempDir, columns: usize) -> TargetTable {
        let fields = [
            json!({"id": 1, "name": "id", "required": true, "type": "long"}),
            json!({"id": 2, "name": "n", "required": true, "type": "long"}),
            json!({"id": 3, "name": "new", "required": false, "type": "long"}),
        ];
        let metadata = json!({
            "format-version": 2, "table-uuid": "9c12d441-03fe-4693-9a96-a0705ddf69c1",
            "location": format!("file://{}", folder.path().display()), "last-sequence-number": 0,
            "last-updated-ms": 1_700_000_000_000_u64 + columns as u64, "last-column-id": columns,
            "current-schema-id": columns,
            "schemas": [{"type": "struct", "schema-id": columns, "fields": fields[..columns]}],
            "partition-specs": [{"spec-id": 3, "fields": [
                {"source-id": 1, "field-id": 1000, "name": "id", "transform": "identity"}]}],
            "default-spec-id": 3, "last-partition-id": 1000,
            "sort-orders": [{"order-id": 0, "fields": []}], "default-sort-order-id": 0,
        });
        let loaded = serde_json::from_value(json!({"metadata": metadata})).unwrap();
        let ident = TableIdent::from_strs(["db", "t"]).unwrap();
        TargetTable::new(&BTreeMap::new(), &ident, loaded).unwrap()
    }

    /// `rows` rows of the partition `id`, no two of them equal.
    fn write(&mut self, id: i64, rows: i64) {
        let column = |value: fn(i64, i64) -> i64| -> ArrayRef {
            Arc::new((0..rows).map(|row| value(id, row)).collect::<Int64Array>())
        };
        let columns = vec![
            column(|id, _| id),
            column(|id, row| (row + id).wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed())),
        ];
        let partitioning = &self.target.loaded.as_ref().unwrap().partitioning;
        for (partition, columns) in partitioning.split(columns).unwrap() {
            self.target.write(partition, columns, &mut self.names, &self.uploads).unwrap();
        }
    }
}

#[tokio::test]
async fn the_larger_half_of_too_many_files_ends_and_no_row_is_lost() {
    let mut rig = Rig::start();
    let partitions = i64::try_from(OPEN_FILES_MAX).unwrap() + 10;
    rig.write(0, 5000);
    for id in 1..partitions {
        rig.write(id, 1);
        assert!(rig.target.open.len() <= OPEN_FILES_MAX);
    }
    assert_eq!(rig.target.finished_files(), OPEN_FILES_MAX / 2);
    let (files, _) = rig.target.take_files().unwrap();
    assert_eq!(files.len(), OPEN_FILES_MAX + 10);
    assert_eq!(files[0].record_count(), 5000, "the largest ends first");
    let rows: u64 = files.iter().map(DataFile::record_count).sum();
    assert_eq!(rows, 5000 + OPEN_FILES_MAX as u64 + 9);
    assert_eq!((rig.target.finished_files(), rig.target.buffered_bytes()), (0, 0));
}

#[tokio::test]
async fn short_memory_ends_the_largest_files_first_and_no_more_than_needed() {
    let mut rig = Rig::start();
    for (id, rows) in [(1, 40_000), (2, 80_000), (3, 10)] {
        rig.write(id, rows);
    }
    let before = rig.target.buffered_bytes();
    let given_back = rig.target.end_large(usize::MAX, 64 << 10, 1).unwrap();
    let described = rig.target.described_bytes(1);
    assert_eq!(rig.target.finished_files(), 1);
    assert_eq!(rig.target.buffered_bytes(), before - given_back + described);
    rig.target.end_large(usize::MAX, 64 << 10, u64::MAX).unwrap();
    assert!(rig.target.open.values().all(|open| open.buffered_bytes() < 64 << 10));
    let rows: Vec<u64> = rig.target.finished.iter().map(|(file, _)| file.record_count()).collect();
    assert_eq!(rows[..2], [80_000, 40_000]);
}

#[tokio::test]
async fn what_is_encoded_is_counted_until_it_makes_a_piece() {
    let mut rig = Rig::start();
    rig.write(1, 200_000);
    rig.target.flush_large(0, u64::MAX).unwrap();
    let encoded = rig.target.open.values().next().unwrap().bytes();
    assert!(encoded > 1 << 20, "{encoded}");
    assert!(rig.target.buffered_bytes() >= encoded);
    assert_eq!(rig.uploads.in_flight.used_bytes(), 0);
    let (files, _) = rig.target.take_files().unwrap();
    assert!(rig.uploads.in_flight.used_bytes() >= files[0].file_size_in_bytes());
}

#[tokio::test]
async fn row_groups_close_idle_ones_first_the_largest_first_and_no_more_than_needed() {
    let mut rig = Rig::start();
    for (batch, id, rows) in [(1, 1, 4000), (1, 2, 8000), (2, 3, 9000), (2, 4, 100)] {
        rig.target.used = batch;
        rig.write(id, rows);
    }
    let rows_of = |rig: &Rig, id: i64| {
        let mut files = rig.target.open.values();
        files.find(|open| open.is_of(id)).map(OpenFile::row_bytes).unwrap()
    };
    for (closed, bytes_min) in [(2, 0), (1, 0), (3, 16 << 10)] {
        assert!(rows_of(&rig, closed) > 0);
        assert!(rig.target.flush_large(bytes_min, 1).unwrap() > 0);
        assert_eq!(rows_of(&rig, closed), 0, "{closed}");
    }
    assert_eq!(rig.target.flush_large(16 << 10, u64::MAX).unwrap(), 0);
    assert!(rows_of(&rig, 4) > 0, "it is not worth it");
    let (files, _) = rig.target.take_files().unwrap();
    let rows: u64 = files.iter().map(DataFile::record_count).sum();
    assert_eq!(rows, 21_100);
}

#[tokio::test]
async fn a_file_of_several_pieces_is_stored_whole_and_one_without_end_not_at_all() {
    let mut rig = Rig::start();
    for _ in 0..12 {
        rig.write(1, 200_000);
        rig.target.flush_large(0, u64::MAX).unwrap();
    }
    let (files, stored) = rig.target.take_files().unwrap();
    assert!(files[0].file_size_in_bytes() > 2 * PIECE_BYTES as u64, "{}", files[0].file_size_in_bytes());
    for file in stored {
        file.recv_async().await.unwrap().unwrap();
    }
    let path = files[0].file_path().strip_prefix("file://").unwrap();
    assert_eq!(std::fs::metadata(path).unwrap().len(), files[0].file_size_in_bytes());
    let bytes = std::fs::read(path).unwrap();
    assert_eq!((&bytes[..4], &bytes[bytes.len() - 4..]), (&b"PAR1"[..], &b"PAR1"[..]));
    assert_eq!(rig.uploads.in_flight.used_bytes(), 0);
    rig.write(2, 1_000_000);
    rig.target.flush_large(0, u64::MAX).unwrap();
    let open = rig.target.open.drain().next().unwrap().1;
    let given_up = open.give_up();
    drop(given_up.recv_async().await.unwrap());
    let folder = rig.folder.path().join("data/id=2");
    let left = std::fs::read_dir(folder).map_or(0, Iterator::count);
    assert_eq!((left, rig.uploads.in_flight.used_bytes()), (0, 0));
}

#[tokio::test]
async fn files_end_when_the_columns_change_and_an_older_answer_changes_nothing() {
    let mut rig = Rig::start();
    rig.write(1, 10);
    rig.target.renew(Rig::table(&rig.folder, 2)).unwrap();
    assert_eq!(rig.target.finished_files(), 0, "the columns are the same");
    rig.target.renew(Rig::table(&rig.folder, 3)).unwrap();
    assert_eq!((rig.target.finished_files(), rig.target.open.len()), (1, 0));
    rig.target.renew(Rig::table(&rig.folder, 2)).unwrap();
    let columns = rig.target.loaded.as_ref().unwrap().fields().len();
    assert_eq!(columns, 3, "the answer of a commit came late");
}
