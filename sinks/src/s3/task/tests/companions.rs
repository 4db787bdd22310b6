//! Keys and headers beside values.

use arrow_array::cast::AsArray as _;
use arrow_array::{ArrayRef, Int64Array, StringArray};
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::header::{Header, HeaderRows};
use lakeward_api::schema::{Field, Kind, Schema};

use super::*;

const JSON_KEYS: [(&str, &str); 2] = [("store.kafka.keys", "true"), ("keys.format.class", "JsonFormat")];
const JSON_HEADERS: [(&str, &str); 2] =
    [("store.kafka.headers", "true"), ("headers.format.class", "JsonFormat")];
const DLQ: (&str, &str) = ("errors.deadletterqueue.topic.name", "dlq");

fn settings<'a>(pairs: &[&[(&'a str, &'a str)]]) -> Vec<(&'a str, &'a str)> {
    pairs.concat()
}

/// STRING keys, as StringConverter makes them.
pub(super) fn text_keys(keys: &[Option<&str>]) -> Values {
    let schema = Arc::new(Schema::optional(Kind::String));
    Values::Typed { schema, array: Arc::new(StringArray::from(keys.to_vec())) }
}

fn header(key: &str, value: Value) -> Header {
    Header { key: key.into(), schema: None, value }
}

/// One header `n` per row: its offset.
pub(super) fn numbered(offsets: &[i64]) -> HeaderRows {
    HeaderRows::new(offsets.iter().map(|offset| vec![header("n", Value::Int64(*offset))]).collect())
}

/// Rows of texts with keys `k<offset>` and a header.
fn full(offsets: std::ops::Range<i64>) -> SinkBatch {
    let offsets: Vec<i64> = offsets.collect();
    let keys: Vec<String> = offsets.iter().map(|offset| format!("k{offset}")).collect();
    let keys: Vec<Option<&str>> = keys.iter().map(|key| Some(key.as_str())).collect();
    SinkBatch { keys: text_keys(&keys), headers: numbered(&offsets), ..texts(0, offsets) }
}

fn names(rig: &Rig) -> Vec<String> {
    rig.objects().into_iter().map(|(name, _)| name).collect()
}

const BASE: &str = "topics/t/partition=0/t+0+0000000000";

#[test]
fn all_three_files_hold_the_same_records_in_the_same_order() {
    let mut rig = Rig::new(&settings(&[&JSON_KEYS, &JSON_HEADERS]));
    rig.open(&[0]);
    rig.task.put(full(0..2), rig.now).unwrap();
    rig.task.put(full(2..4), rig.now).unwrap();
    rig.turn().unwrap();
    let header = |n: i64| format!("{{\"headers\":[{{\"key\":\"n\",\"value\":\"{n}\"}}]}}\n");
    assert_eq!(
        rig.objects(),
        [
            (format!("{BASE}.headers.json"), (0..3).map(header).collect::<String>()),
            (format!("{BASE}.json"), "\"0\"\n\"1\"\n\"2\"\n".to_owned()),
            (format!("{BASE}.keys.json"), "\"k0\"\n\"k1\"\n\"k2\"\n".to_owned()),
        ]
    );
    assert_eq!(rig.durable(), [(0, 3)]);
    rig.task.close(&topic_partitions(&[0]));
    assert_eq!((rig.task.buffered_bytes(), rig.in_flight.used_bytes()), (0, 0));
}

#[test]
fn a_position_is_durable_only_when_all_three_files_are_stored() {
    for held in [".keys.", ".headers.", "0000000000.json"] {
        let mut rig = Rig::new(&settings(&[&JSON_KEYS, &JSON_HEADERS]));
        let gate = Arc::new(Semaphore::new(0));
        rig.set_mood(Mood::Holding(held, Arc::clone(&gate)));
        rig.open(&[0]);
        rig.task.put(full(0..3), rig.now).unwrap();
        rig.turn().unwrap();
        assert_eq!(rig.objects().len(), 2, "{held}");
        assert!(rig.durable().is_empty(), "{held}");
        assert!(!rig.task.is_settled(&topic_partitions(&[0])));
        gate.add_permits(1);
        rig.turn().unwrap();
        assert_eq!(rig.durable(), [(0, 3)], "{held}");
    }
}

#[test]
fn every_format_has_its_own_end_of_the_name() {
    let formats = [
        ("AvroFormat", ".avro", "Obj\u{1}"),
        ("ParquetFormat", ".snappy.parquet", "PAR1"),
        ("JsonFormat", ".json", "\"k0\"\n"),
    ];
    for (format, extension, start) in formats {
        let mut rig = Rig::new(&[
            ("store.kafka.keys", "true"),
            ("keys.format.class", format),
            ("store.kafka.headers", "true"),
            ("headers.format.class", format),
        ]);
        rig.open(&[0]);
        rig.task.put(full(0..3), rig.now).unwrap();
        rig.turn().unwrap();
        let objects = rig.objects();
        let content = |name: String| objects.iter().find(|(one, _)| *one == name).unwrap().1.clone();
        assert!(content(format!("{BASE}.keys{extension}")).starts_with(start), "{format}");
        assert!(!content(format!("{BASE}.headers{extension}")).is_empty());
        assert!(!content(format!("{BASE}.json")).is_empty());
    }
}

#[test]
fn bytes_of_keys_are_stored_as_they_are() {
    let mut rig = Rig::new(&[("store.kafka.keys", "true"), ("keys.format.class", "ByteArrayFormat")]);
    rig.open(&[0]);
    let keys = ["a", "b", "c"].map(|key| Value::Bytes(key.as_bytes().into()));
    let batch = SinkBatch { keys: Values::Dynamic(keys.to_vec()), ..texts(0, 0..3) };
    rig.task.put(batch, rig.now).unwrap();
    rig.turn().unwrap();
    assert_eq!(rig.objects()[1], (format!("{BASE}.keys.bin"), "a\nb\nc\n".to_owned()));
    let mut rig = Rig::new(&[("store.kafka.keys", "true"), ("keys.format.class", "ByteArrayFormat"), DLQ]);
    rig.open(&[0]);
    rig.task.put(full(0..1), rig.now).unwrap();
    let problem = "Invalid schema type for ByteArrayConverter: STRING";
    assert_eq!(rig.rejected(), [(0, problem.to_owned())]);
}

#[test]
fn records_without_key_or_headers_fail_the_task_in_javas_words() {
    let record = "SinkRecord{kafkaOffset=1, topic='t', kafkaPartition=0} ";
    let mut rig = Rig::new(&JSON_KEYS);
    rig.open(&[0]);
    let batch = SinkBatch { keys: text_keys(&[Some("a"), None]), ..texts(0, 0..2) };
    let err = rig.task.put(batch, rig.now).unwrap_err();
    assert_eq!(err.java_class(), "org.apache.kafka.connect.errors.DataException");
    assert_eq!(err.to_string(), format!("Key cannot be null for SinkRecord: {record}"));
    let mut rig = Rig::new(&JSON_HEADERS);
    rig.open(&[0]);
    let headers = HeaderRows::new(vec![vec![header("a", Value::Int8(1))], Vec::new()]);
    let err = rig.task.put(SinkBatch { headers, ..texts(0, 0..2) }, rig.now).unwrap_err();
    assert_eq!(err.to_string(), format!("Headers cannot be null for SinkRecord: {record}"));
}

#[test]
fn refused_records_leave_nothing_in_any_file_and_do_not_count() {
    let mut rig = Rig::new(&settings(&[&JSON_KEYS, &JSON_HEADERS, &[DLQ]]));
    rig.open(&[0]);
    let keys = text_keys(&[Some("a"), None, Some("c"), Some("d"), Some("e"), Some("f")]);
    let one = |value: Value| vec![header("h", value)];
    let headers = HeaderRows::new(vec![
        one(Value::String("x".into())),
        one(Value::Boolean(true)),
        Vec::new(),
        one(Value::Null),
        vec![header("h", Value::Int32(5)), header("h", Value::Array(vec![Value::Int64(1)]))],
        one(Value::Float64(1.5)),
    ]);
    rig.task.put(SinkBatch { keys, headers, ..texts(0, 0..6) }, rig.now).unwrap();
    rig.turn().unwrap();
    let record = |offset| format!("SinkRecord{{kafkaOffset={offset}, topic='t', kafkaPartition=0}} ");
    assert_eq!(
        rig.rejected(),
        [
            (1, format!("Key cannot be null for SinkRecord: {}", record(1))),
            (2, format!("Headers cannot be null for SinkRecord: {}", record(2))),
            (3, "Invalid value: null used for required field: \"value\", schema type: STRING".to_owned()),
        ]
    );
    let objects = rig.objects();
    assert_eq!(objects[1], (format!("{BASE}.json"), "\"0\"\n\"4\"\n\"5\"\n".to_owned()));
    assert_eq!(objects[2], (format!("{BASE}.keys.json"), "\"a\"\n\"e\"\n\"f\"\n".to_owned()));
    let lines: Vec<&str> = objects[0].1.lines().collect();
    assert_eq!(lines[1], "{\"headers\":[{\"key\":\"h\",\"value\":\"5\"},{\"key\":\"h\",\"value\":\"[1]\"}]}");
    assert_eq!(lines.len(), 3);
    assert_eq!(rig.durable(), [(0, 6)]);
}

#[test]
fn a_value_that_cannot_be_written_takes_its_key_along() {
    let avro = [("format.class", "AvroFormat"), DLQ];
    let mut rig = Rig::new(&settings(&[&avro, &JSON_KEYS]));
    rig.open(&[0]);
    let values = vec![Value::Int64(1), Value::Date(0), Value::Int64(3), Value::Int64(4)];
    let keys = text_keys(&[Some("a"), Some("b"), Some("c"), Some("d")]);
    rig.task.put(SinkBatch { keys, ..dynamic(0, vec![0, 1, 2, 3], values) }, rig.now).unwrap();
    rig.turn().unwrap();
    assert_eq!(rig.rejected().len(), 1);
    assert_eq!(rig.objects()[1], (format!("{BASE}.keys.json"), "\"a\"\n\"c\"\n\"d\"\n".to_owned()));
}

#[test]
fn keys_that_cannot_be_written_leave_no_values() {
    let mut rig = Rig::new(&[("store.kafka.keys", "true"), DLQ]);
    rig.open(&[0]);
    let keys = vec![Value::Int64(1), Value::Date(0), Value::String("x".into())];
    let batch = SinkBatch { keys: Values::Dynamic(keys), ..texts(0, 0..3) };
    rig.task.put(batch, rig.now).unwrap();
    rig.put_keyed(3, "y");
    rig.task
        .put(SinkBatch { keys: Values::Dynamic(vec![Value::Int64(2)]), ..texts(0, 4..5) }, rig.now)
        .unwrap();
    rig.turn().unwrap();
    assert_eq!(rig.rejected().len(), 2, "a Date, and a key with a schema among keys without");
    assert_eq!(rig.objects()[0], (format!("{BASE}.json"), "\"0\"\n\"2\"\n\"4\"\n".to_owned()));
    assert_eq!(names(&rig)[1], format!("{BASE}.keys.avro"));
}

#[test]
fn parquet_keys_need_a_schema() {
    let mut rig = Rig::new(&[("store.kafka.keys", "true"), ("keys.format.class", "ParquetFormat"), DLQ]);
    rig.open(&[0]);
    let keys = Values::Dynamic(vec![Value::Int64(1)]);
    rig.task.put(SinkBatch { keys, ..texts(0, 0..1) }, rig.now).unwrap();
    assert_eq!(rig.rejected(), [(0, "fieldSchema for field key cannot be null.".to_owned())]);
    assert_eq!(rig.durable(), [(0, 1)]);
}

/// A record key `{id}`, under a schema of `version`.
fn record_keys(version: i32, ids: &[i64]) -> Values {
    let field = Field { name: "id".into(), schema: Arc::new(Schema::new(Kind::Int64)) };
    let schema = Schema { version: Some(version), ..Schema::new(Kind::Struct(vec![field])) };
    let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(ids.to_vec()))];
    let array = arrow_array::StructArray::new(schema.arrow_fields(), columns, None);
    Values::Typed { schema: Arc::new(schema), array: Arc::new(array) }
}

#[test]
fn keys_of_another_schema_than_the_first_are_refused_until_the_file_ends() {
    for format in ["AvroFormat", "ParquetFormat"] {
        let keys = [("store.kafka.keys", "true"), ("keys.format.class", format), ("flush.size", "4"), DLQ];
        let mut rig = Rig::new(&keys);
        rig.open(&[0]);
        let put = |rig: &mut Rig, offset: i64, keys: Values| {
            rig.task.put(SinkBatch { keys, ..texts(0, [offset]) }, rig.now).unwrap();
        };
        put(&mut rig, 0, record_keys(1, &[0]));
        put(&mut rig, 1, record_keys(2, &[1]));
        put(&mut rig, 2, record_keys(1, &[2]));
        assert_eq!(rig.rejected(), [(1, "Mismatching struct schema".to_owned())]);
        put(&mut rig, 3, record_keys(1, &[3]));
        put(&mut rig, 4, record_keys(1, &[4]));
        put(&mut rig, 5, record_keys(2, &[5]));
        assert!(rig.rejected().is_empty());
        rig.turn().unwrap();
        assert_eq!(rig.objects()[0].1, "\"0\"\n\"2\"\n\"3\"\n\"4\"\n", "{format}");
    }
}

#[test]
fn scalar_keys_may_differ_in_what_avro_does_not_keep() {
    let mut rig = Rig::new(&[("store.kafka.keys", "true"), ("flush.size", "2"), DLQ]);
    rig.open(&[0]);
    rig.task.put(SinkBatch { keys: text_keys(&[Some("a")]), ..texts(0, [0]) }, rig.now).unwrap();
    let schema = Arc::new(Schema::new(Kind::String).named("shop.Key"));
    let keys = Values::Typed { schema, array: Arc::new(StringArray::from(vec!["b"])) };
    rig.task.put(SinkBatch { keys, ..texts(0, [1]) }, rig.now).unwrap();
    let keys = record_keys(1, &[2]);
    assert_eq!(
        keys.as_struct().unwrap().1.column(0).as_primitive::<arrow_array::types::Int64Type>().len(),
        1
    );
    rig.task.put(full(2..3), rig.now).unwrap();
    rig.task.put(SinkBatch { keys, ..texts(0, [3]) }, rig.now).unwrap();
    let problem = "Invalid type for STRING: class org.apache.kafka.connect.data.Struct";
    assert_eq!(rig.rejected(), [(3, problem.to_owned())]);
}
