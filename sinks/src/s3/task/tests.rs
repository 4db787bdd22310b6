//! The task as the pipeline drives it.

mod companions;
mod conservation;
mod contents;
mod decided;
mod disk;
mod evolution;
mod failures;
mod faulty_store;
mod fixture;
mod handover;
mod independent;
mod large_files;
mod matrix;
mod merged_pressure;
mod positions;
mod pressure;
mod rejections;
mod rig;
mod store_failures;
mod tombstones;

use std::sync::Arc;

use lakeward_api::ErrorClass;
use lakeward_api::sink::{NoRoom, SinkTask as _};
use lakeward_api::value::Value;
use tokio::sync::Semaphore;

use rig::{Mood, Rig, cities, dynamic, texts, topic_partitions};

#[test]
fn files_are_complete_before_positions_are_durable() {
    let mut rig = Rig::new(&[]);
    rig.open(&[0, 1]);
    rig.put(0, 0..7);
    rig.put(1, 40..42);
    assert!(rig.durable().is_empty(), "nothing was stored yet");
    rig.turn().unwrap();
    assert_eq!(
        rig.objects(),
        [
            ("topics/t/partition=0/t+0+0000000000.json".to_owned(), "\"0\"\n\"1\"\n\"2\"\n".to_owned()),
            ("topics/t/partition=0/t+0+0000000003.json".to_owned(), "\"3\"\n\"4\"\n\"5\"\n".to_owned()),
        ]
    );
    assert_eq!(rig.durable(), [(0, 6)]);
    assert!(rig.durable().is_empty(), "a position is reported once");
    assert_eq!(rig.in_flight.used_bytes(), 0);
    assert!(rig.task.buffered_bytes() > 0, "three rows are open");
}

#[test]
fn cuts_become_durable_in_order() {
    let mut rig = Rig::new(&[]);
    let gate = Arc::new(Semaphore::new(0));
    rig.set_mood(Mood::Holding("0000000000", Arc::clone(&gate)));
    rig.open(&[0]);
    rig.put(0, 0..6);
    rig.turn().unwrap();
    assert_eq!(rig.objects().len(), 1, "the second file finished first");
    assert!(rig.durable().is_empty());
    assert!(!rig.task.is_settled(&topic_partitions(&[0])));
    gate.add_permits(1);
    rig.turn().unwrap();
    assert_eq!(rig.durable(), [(0, 6)]);
    assert!(rig.task.is_settled(&topic_partitions(&[0])));
}

#[test]
fn files_that_wait_for_the_store_leave_as_little_room_as_those_with_it() {
    let mut rig = Rig::with_budget(&[("flush.size", "1")], 1000);
    let gate = Arc::new(Semaphore::new(0));
    rig.set_mood(Mood::Holding("t", Arc::clone(&gate)));
    rig.open(&[0]);
    let long = Value::String("x".repeat(600).into());
    rig.task.put(dynamic(0, (0..4).collect(), vec![long; 4]), rig.now).unwrap();
    assert!(rig.in_flight.is_exhausted(), "two files are with the store");
    gate.add_permits(2);
    rig.run_bridge();
    // A pipeline that looks now must not take more: the other two come first.
    assert_eq!((rig.in_flight.used_bytes(), rig.task.no_room()), (0, Some(NoRoom::Store)));
    rig.work().unwrap();
    assert!(rig.in_flight.is_exhausted() && rig.task.no_room().is_none());
    gate.add_permits(2);
    rig.work().unwrap();
    assert_eq!((rig.durable(), rig.in_flight.used_bytes(), rig.task.no_room()), (vec![(0, 4)], 0, None));
}

#[test]
fn close_drops_open_parts_and_lets_complete_files_finish() {
    let mut rig = Rig::new(&[]);
    rig.open(&[0]);
    rig.put(0, 0..5);
    rig.task.close(&topic_partitions(&[0]));
    assert_eq!(rig.task.buffered_bytes(), 0);
    rig.turn().unwrap();
    assert!(rig.task.is_settled(&topic_partitions(&[0])));
    assert_eq!(rig.durable(), [(0, 3)]);
    assert_eq!(rig.objects().len(), 1);
    // The dropped rows are read again, and the file they end up in has the name it would have had.
    rig.open(&[0]);
    rig.put(0, 3..6);
    rig.turn().unwrap();
    assert_eq!(rig.objects()[1].0, "topics/t/partition=0/t+0+0000000003.json");
    assert_eq!(rig.durable(), [(0, 6)]);
}

#[test]
fn positions_of_an_earlier_assignment_are_not_reported_after_reopening() {
    let mut rig = Rig::new(&[]);
    let gate = Arc::new(Semaphore::new(0));
    rig.set_mood(Mood::Holding("t+0", Arc::clone(&gate)));
    rig.open(&[0]);
    rig.put(0, 0..3);
    rig.task.close(&topic_partitions(&[0]));
    rig.open(&[0]);
    gate.add_permits(1);
    rig.turn().unwrap();
    assert!(rig.durable().is_empty());
}

#[test]
fn large_files_become_multipart_uploads_and_the_budget_is_given_back() {
    let mut rig = Rig::new(&[("flush.size", "4"), ("s3.part.size", "5242880")]);
    rig.open(&[0]);
    let long: Arc<str> = "x".repeat(3 << 20).into();
    for offset in 0..4 {
        let batch = dynamic(0, vec![offset], vec![Value::String(Arc::clone(&long))]);
        rig.task.put(batch, rig.now).unwrap();
        assert!(rig.task.buffered_bytes() < 9 << 20, "full pieces leave early");
    }
    assert!(rig.in_flight.used_bytes() >= 12 << 20);
    rig.turn().unwrap();
    assert_eq!(rig.durable(), [(0, 4)]);
    assert_eq!(rig.in_flight.used_bytes(), 0);
    let objects = rig.objects();
    assert_eq!(objects.len(), 1);
    assert_eq!(objects[0].1.len(), 4 * ((3 << 20) + 3));
}

#[test]
fn a_dropped_multipart_upload_is_aborted() {
    let mut rig = Rig::new(&[("flush.size", "4"), ("s3.part.size", "5242880")]);
    rig.open(&[0]);
    let long: Arc<str> = "x".repeat(6 << 20).into();
    rig.task.put(dynamic(0, vec![0], vec![Value::String(long)]), rig.now).unwrap();
    rig.turn().unwrap();
    rig.task.close(&topic_partitions(&[0]));
    assert!(!rig.task.is_settled(&topic_partitions(&[0])));
    rig.turn().unwrap();
    assert!(rig.task.is_settled(&topic_partitions(&[0])));
    assert_eq!(*rig.store.aborted_count.lock().unwrap(), 1);
    assert!(rig.objects().is_empty());
    assert_eq!(rig.in_flight.used_bytes(), 0);
}

#[test]
fn memory_pressure_sends_pieces_before_they_are_full() {
    let mut rig = Rig::with_budget(&[("flush.size", "9")], 8 << 20);
    rig.open(&[0]);
    let long: Arc<str> = "x".repeat(6 << 20).into();
    for offset in 0..9 {
        let batch = dynamic(0, vec![offset], vec![Value::String(Arc::clone(&long))]);
        rig.task.put(batch, rig.now).unwrap();
        assert!(rig.task.buffered_bytes() <= 8 << 20, "offset {offset}");
        rig.turn().unwrap();
    }
    assert_eq!(rig.durable(), [(0, 9)]);
    assert_eq!(rig.objects()[0].1.len(), 9 * ((6 << 20) + 3));
}

#[test]
fn null_values_fail_or_are_skipped_with_their_offsets() {
    let mut failing = Rig::new(&[]);
    failing.open(&[0]);
    let nulls = || dynamic(0, vec![0, 1], vec![Value::Null; 2]);
    let err = failing.task.put(nulls(), failing.now).unwrap_err();
    assert_eq!(err.class(), ErrorClass::Record);
    assert!(err.to_string().starts_with("Null valued records are not writeable"));

    let mut skipping = Rig::new(&[("behavior.on.null.values", "IGNORE")]);
    skipping.open(&[0]);
    skipping.task.put(nulls(), skipping.now).unwrap();
    assert_eq!(skipping.durable(), [(0, 2)], "nothing is open, so the skipped range is done");
    let text = |text: &str| Value::String(text.into());
    let mixed = dynamic(0, vec![2, 3, 4], vec![text("2"), Value::Null, text("4")]);
    skipping.task.put(mixed, skipping.now).unwrap();
    skipping.turn().unwrap();
    assert!(skipping.durable().is_empty(), "a part is open below the skipped record");
    let rest = dynamic(0, vec![5, 6], vec![text("5"), Value::Null]);
    skipping.task.put(rest, skipping.now).unwrap();
    skipping.turn().unwrap();
    assert_eq!(skipping.durable(), [(0, 7)]);
    assert_eq!(skipping.objects()[0].1, "\"2\"\n\"4\"\n\"5\"\n");
}

#[test]
fn scheduled_rotation_strikes_in_poll() {
    let mut rig = Rig::new(&[("rotate.schedule.interval.ms", "60000"), ("timezone", "UTC")]);
    rig.open(&[0]);
    rig.put(0, 0..2);
    rig.now.wall_ms = 59_999;
    rig.turn().unwrap();
    rig.turn().unwrap();
    assert!(rig.durable().is_empty());
    rig.now.wall_ms = 60_000;
    rig.turn().unwrap();
    rig.turn().unwrap();
    assert_eq!(rig.durable(), [(0, 2)]);
}

#[test]
fn time_partitions_are_separate_objects_of_one_cut() {
    let mut rig = Rig::new(&[
        ("partitioner.class", "TimeBasedPartitioner"),
        ("path.format", "'minute'=mm"),
        ("partition.duration.ms", "60000"),
        ("timestamp.extractor", "Record"),
        ("locale", "en"),
        ("timezone", "UTC"),
    ]);
    rig.open(&[0]);
    rig.put(0, [58, 60, 119]);
    rig.turn().unwrap();
    assert_eq!(
        rig.objects(),
        [
            ("topics/t/minute=00/t+0+0000000058.json".to_owned(), "\"58\"\n".to_owned()),
            ("topics/t/minute=01/t+0+0000000060.json".to_owned(), "\"60\"\n\"119\"\n".to_owned()),
        ]
    );
    assert_eq!(rig.durable(), [(0, 120)]);
}

#[test]
fn typed_rows_are_gathered_per_field_value_in_every_format() {
    let by_field = [("partitioner.class", "FieldPartitioner"), ("partition.field.name", "city")];
    let mut json = Rig::new(&by_field);
    json.open(&[0]);
    json.task.put(cities(&["Oslo", "Rome", "Oslo"]), json.now).unwrap();
    json.turn().unwrap();
    let object = |city: &str, offset: i64, rows: &str| {
        (format!("topics/t/city={city}/t+0+{offset:010}.json"), rows.to_owned())
    };
    assert_eq!(
        json.objects(),
        [
            object("Oslo", 0, "{\"city\":\"Oslo\",\"n\":0}\n{\"city\":\"Oslo\",\"n\":2}\n"),
            object("Rome", 1, "{\"city\":\"Rome\",\"n\":1}\n"),
        ]
    );
    let mut parquet = Rig::new(&[by_field[0], by_field[1], ("format.class", "ParquetFormat")]);
    parquet.open(&[0]);
    parquet.task.put(cities(&["Oslo", "Rome", "Oslo"]), parquet.now).unwrap();
    parquet.turn().unwrap();
    assert_eq!(parquet.durable(), [(0, 3)]);
    let names: Vec<String> = parquet.objects().into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "topics/t/city=Oslo/t+0+0000000000.snappy.parquet",
            "topics/t/city=Rome/t+0+0000000001.snappy.parquet"
        ]
    );
    assert!(parquet.objects().iter().all(|(_, content)| content.starts_with("PAR1")));
}

#[test]
fn schemaless_records_cannot_be_parquet() {
    let mut rig = Rig::new(&[("format.class", "ParquetFormat")]);
    rig.open(&[0]);
    let err = rig.task.put(texts(0, [0]), rig.now).unwrap_err();
    assert_eq!(err.class(), ErrorClass::Config);
}

#[test]
fn a_local_directory_holds_whole_files_only() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("file://{}", dir.path().display());
    let mut rig = Rig::with_configured_store(&[("store.url", &url)]);
    rig.open(&[0]);
    rig.put(0, 0..4);
    rig.settle(&[0]);
    assert_eq!(rig.durable(), [(0, 3)]);
    let folder = dir.path().join("bucket/topics/t/partition=0");
    let names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names, ["t+0+0000000000.json"]);
    assert_eq!(std::fs::read_to_string(folder.join(&names[0])).unwrap(), "\"0\"\n\"1\"\n\"2\"\n");
}

#[test]
fn records_of_an_unassigned_partition_fail_the_task() {
    let mut rig = Rig::new(&[]);
    rig.open(&[0]);
    let err = rig.task.put(texts(1, [0]), rig.now).unwrap_err();
    assert_eq!(err.to_string(), "No writer found for topic partition t-1");
}

#[test]
fn a_round_of_writes_ends_after_its_time() {
    let mut rig = Rig::new(&[("max.write.duration.ms", "5")]);
    rig.open(&[0]);
    rig.put(0, [0]);
    rig.now.monotonic += std::time::Duration::from_millis(5);
    rig.put(0, [1]);
    assert_eq!(rig.task.no_room(), None);
    rig.now.monotonic += std::time::Duration::from_millis(1);
    rig.put(0, [2]);
    assert_eq!(rig.task.no_room(), Some(NoRoom::Store), "outcomes are looked at first");
    rig.turn().unwrap();
    assert_eq!(rig.task.no_room(), None);
    assert_eq!(rig.durable(), [(0, 3)]);
}
