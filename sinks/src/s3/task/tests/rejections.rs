//! Records that are left out one by one where a dead letter queue is configured.

use std::sync::Arc;

use arrow_array::{BinaryArray, Float64Array, StructArray};
use lakeward_api::ErrorClass;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::sink::SinkTask as _;
use lakeward_api::value::Value;

use super::rig::{Rig, cities, dynamic, texts};

const DEAD_LETTERS: (&str, &str) = ("errors.deadletterqueue.topic.name", "dlq");

fn text(text: &str) -> Value {
    Value::String(text.into())
}

#[test]
fn skipped_nulls_are_rejected_unless_told_otherwise() {
    let ignore = ("behavior.on.null.values", "ignore");
    let mut rig = Rig::new(&[DEAD_LETTERS, ignore]);
    rig.open(&[0]);
    let mixed = || dynamic(0, vec![2, 3, 4], vec![text("2"), Value::Null, text("4")]);
    rig.task.put(mixed(), rig.now).unwrap();
    assert_eq!(rig.rejected(), [(3, "Skipping null value record.".to_owned())]);
    assert!(rig.rejected().is_empty(), "a record is told once");
    let mut quiet = Rig::new(&[DEAD_LETTERS, ignore, ("report.null.values.to.dlq", "false")]);
    quiet.open(&[0]);
    quiet.task.put(mixed(), quiet.now).unwrap();
    assert!(quiet.rejected().is_empty());
    let mut failing = Rig::new(&[DEAD_LETTERS]);
    failing.open(&[0]);
    assert!(failing.task.put(mixed(), failing.now).is_err(), "null values that fail are not rejected");
}

#[test]
fn records_without_an_encoded_partition_are_rejected_and_passed() {
    let by_field = [("partitioner.class", "FieldPartitioner"), ("partition.field.name", "city")];
    let mut rig = Rig::new(&[by_field[0], by_field[1], DEAD_LETTERS]);
    rig.open(&[0]);
    rig.task.put(texts(0, [0, 1]), rig.now).unwrap();
    let message = "Error encoding partition: the value is not a Struct".to_owned();
    assert_eq!(rig.rejected(), [(0, message.clone()), (1, message)]);
    assert_eq!(rig.durable(), [(0, 2)], "nothing is open, so the rejected range is done");
    let mut without = Rig::new(&by_field);
    without.open(&[0]);
    let err = without.task.put(texts(0, [0]), without.now).unwrap_err();
    assert_eq!(err.class(), ErrorClass::Record);
}

/// Rows with a FLOAT64 `rate`, of which some are null.
fn rates(rates: &[Option<f64>]) -> SinkBatch {
    let rate = Schema { optional: true, ..Schema::new(Kind::Float64) };
    let schema = Schema::new(Kind::Struct(vec![Field { name: "rate".into(), schema: Arc::new(rate) }]));
    let column = Arc::new(Float64Array::from(rates.to_vec()));
    let array = StructArray::new(schema.arrow_fields(), vec![column], None);
    SinkBatch {
        values: Values::Typed { schema: Arc::new(schema), array: Arc::new(array) },
        ..dynamic(0, (0..rates.len() as i64).collect(), Vec::new())
    }
}

#[test]
fn fields_of_a_type_that_makes_no_directory_reject_only_the_records_that_have_a_value_there() {
    let by_field = [("partitioner.class", "FieldPartitioner"), ("partition.field.name", "rate")];
    let batch = || rates(&[Some(0.5), None, Some(1.0), None]);
    let mut rig = Rig::new(&[by_field[0], by_field[1], DEAD_LETTERS, ("flush.size", "2")]);
    rig.open(&[0]);
    rig.task.put(batch(), rig.now).unwrap();
    let message =
        "Error encoding partition: the field 'rate' is not an integer, a string or a boolean".to_owned();
    assert_eq!(rig.rejected(), [(0, message.clone()), (2, message)]);
    rig.turn().unwrap();
    assert_eq!(rig.durable(), [(0, 4)]);
    let names: Vec<String> = rig.objects().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["topics/t/rate=null/t+0+0000000001.json"]);
    let mut without = Rig::new(&by_field);
    without.open(&[0]);
    without.task.put(rates(&[None]), without.now).unwrap();
    let err = without.task.put(batch(), without.now).unwrap_err();
    assert_eq!(err.class(), ErrorClass::Record);
}

#[test]
fn fields_that_records_do_not_have_reject_them_one_by_one() {
    let by_field = [("partitioner.class", "FieldPartitioner"), ("partition.field.name", "city.name")];
    let mut rig = Rig::new(&[by_field[0], by_field[1], DEAD_LETTERS]);
    rig.open(&[0]);
    rig.task.put(cities(&["Oslo", "Rome"]), rig.now).unwrap();
    let message = "the field 'city.name' of partition.field.name does not exist".to_owned();
    assert_eq!(rig.rejected(), [(0, message.clone()), (1, message)]);
    assert_eq!(rig.durable(), [(0, 2)]);
}

#[test]
fn records_that_the_format_cannot_hold_are_rejected_and_their_neighbours_stored() {
    let bytes = ("format.class", "ByteArrayFormat");
    let mut rig = Rig::new(&[bytes, DEAD_LETTERS, ("flush.size", "2")]);
    rig.open(&[0]);
    let raw = |raw: &[u8]| Value::Bytes(raw.to_vec().into());
    let batch = dynamic(0, vec![5, 6, 7], vec![raw(b"a"), text("not bytes"), raw(b"b")]);
    rig.task.put(batch, rig.now).unwrap();
    let rejected = rig.rejected();
    assert_eq!(rejected.len(), 1);
    assert_eq!(rejected[0].0, 6);
    let problem = "ByteArrayConverter is not compatible with objects of type class java.lang.String";
    assert_eq!(rejected[0].1, problem);
    rig.turn().unwrap();
    assert_eq!(rig.durable(), [(0, 8)], "a rejected record does not count to flush.size");
    assert_eq!(rig.objects()[0].1, "a\nb\n");
    // A schema that the format refuses is about every record that has it.
    rig.task.put(cities(&["Oslo", "Rome"]), rig.now).unwrap();
    assert_eq!(rig.rejected().len(), 2);
}

/// Rows of bytes, which a file takes when there are two of them.
fn sized(first: i64, values: &[&[u8]]) -> SinkBatch {
    let mut bytes = Schema::new(Kind::Bytes).named("Code");
    bytes.parameters.insert("connect.fixed.size".to_owned(), "2".to_owned());
    let schema = Schema::new(Kind::Struct(vec![Field { name: "code".into(), schema: Arc::new(bytes) }]));
    let column = Arc::new(BinaryArray::from_iter_values(values));
    let array = StructArray::new(schema.arrow_fields(), vec![column], None);
    SinkBatch {
        values: Values::Typed { schema: Arc::new(schema), array: Arc::new(array) },
        ..dynamic(0, (first..).take(values.len()).collect(), Vec::new())
    }
}

#[test]
fn records_that_a_file_refuses_have_no_part_in_its_name_and_its_end_however_they_were_batched() {
    let values: [&[u8]; 8] = [b"b", b"ok", b"b", b"ok", b"ok", b"b", b"ok", b"b"];
    for batch_rows in 1..=values.len() {
        let parquet = ("format.class", "ParquetFormat");
        let mut rig = Rig::new(&[parquet, DEAD_LETTERS, ("flush.size", "2")]);
        rig.open(&[0]);
        let mut rejected = Vec::new();
        for (place, batch) in (0..).step_by(batch_rows).zip(values.chunks(batch_rows)) {
            rig.task.put(sized(place, batch), rig.now).unwrap();
            rejected.extend(rig.rejected().into_iter().map(|(offset, _)| offset));
        }
        rig.turn().unwrap();
        assert_eq!(rejected, [0, 2, 5, 7], "{batch_rows} at a time");
        let names: Vec<String> = rig.objects().into_iter().map(|(name, _)| name).collect();
        let name = |offset: i64| format!("topics/t/partition=0/t+0+{offset:010}.snappy.parquet");
        assert_eq!(names, [name(1), name(4)], "{batch_rows} at a time");
        let durable = rig.durable().last().copied();
        assert_eq!(durable, Some((0, 8)), "{batch_rows} at a time");
    }
}

#[test]
fn what_is_left_out_before_the_sink_is_passed_when_nothing_is_open() {
    let mut rig = Rig::new(&[]);
    rig.open(&[0]);
    let at = |next_offset| lakeward_api::record::Position {
        partition: lakeward_api::record::TopicPartition::new("t", 0),
        next_offset,
    };
    rig.task.passed(&at(4));
    assert_eq!(rig.durable(), [(0, 4)]);
    rig.put(0, [4]);
    rig.task.passed(&at(9));
    assert!(rig.durable().is_empty(), "a file is open below");
    rig.put(0, [9, 10]);
    rig.turn().unwrap();
    assert_eq!(rig.durable(), [(0, 11)]);
}

#[test]
fn records_whose_names_are_too_long_are_rejected_one_by_one() {
    let by_field = [("partitioner.class", "FieldPartitioner"), ("partition.field.name", "city")];
    let long = "x".repeat(5 << 10);
    let values = ["Oslo", &long, "Rome", &long];
    let mut rig = Rig::new(&[by_field[0], by_field[1], DEAD_LETTERS, ("flush.size", "2")]);
    rig.open(&[0]);
    rig.task.put(cities(&values), rig.now).unwrap();
    let rejected = rig.rejected();
    assert_eq!(rejected.iter().map(|(offset, _)| *offset).collect::<Vec<_>>(), [1, 3]);
    assert!(rejected[0].1.contains("is longer than the 1024 that S3 allows"), "{rejected:?}");
    rig.turn().unwrap();
    assert_eq!(rig.durable(), [(0, 4)], "a rejected record does not count to flush.size");
    let names: Vec<String> = rig.objects().into_iter().map(|(name, _)| name).collect();
    let name = |city: &str, offset: i64| format!("topics/t/city={city}/t+0+{offset:010}.json");
    assert_eq!(names, [name("Oslo", 0), name("Rome", 2)]);
    let mut without = Rig::new(&by_field);
    without.open(&[0]);
    let err = without.task.put(cities(&values), without.now).unwrap_err();
    assert_eq!(err.class(), ErrorClass::Record);
}

#[test]
fn records_without_a_time_are_rejected_one_by_one() {
    let by_time = [
        ("partitioner.class", "DailyPartitioner"),
        ("timestamp.extractor", "Record"),
        ("locale", "en"),
        ("timezone", "UTC"),
    ];
    let batch = || SinkBatch { timestamps_ms: vec![Some(0), None, Some(1), None], ..texts(0, 0..4) };
    let mut rig = Rig::new(&[&by_time[..], &[DEAD_LETTERS, ("flush.size", "2")]].concat());
    rig.open(&[0]);
    rig.task.put(batch(), rig.now).unwrap();
    let message =
        "Unable to determine timestamp using timestamp.extractor Record: the record has no timestamp";
    assert_eq!(rig.rejected(), [(1, message.to_owned()), (3, message.to_owned())]);
    rig.turn().unwrap();
    assert_eq!(rig.durable(), [(0, 4)]);
    let names: Vec<String> = rig.objects().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["topics/t/year=1970/month=01/day=01/t+0+0000000000.json"]);
    let mut without = Rig::new(&by_time);
    without.open(&[0]);
    let err = without.task.put(batch(), without.now).unwrap_err();
    assert_eq!(err.class(), ErrorClass::Record);
    assert_eq!(err.java_class(), "io.confluent.connect.storage.errors.PartitionException");
}
