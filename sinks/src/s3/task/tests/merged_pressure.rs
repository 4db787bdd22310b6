//! Files whose schema grows, and too little memory: they are the same as with enough of it.

use std::sync::Arc;

use arrow_array::{ArrayRef, StringArray};
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::rows::ColumnWriter;
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::sink::SinkTask as _;
use lakeward_api::value::Value;
use parquet::file::reader::{FileReader as _, SerializedFileReader};

use super::fixture::{batch, now, orders};
use super::pressure::{PARQUET, Pressed};

const MERGE: (&str, &str) = ("lakeward.schema.evolution", "merge");

/// A fraction of what the rows of a run take: arrays of one or two rows, most of them.
const SOME: u64 = 600_000;

/// What squares by 7 leave behind of 20.
const PLACES: usize = 16;

/// Numbers that widen, fields that come and go, defaults that agree, and then do not.
fn schema(version: i64) -> Arc<Schema> {
    let field = |name: &str, schema: Schema| Field { name: name.into(), schema: Arc::new(schema) };
    let plain = |name: &str, kind| field(name, Schema::new(kind));
    let noted = |default: &str| {
        let schema = Schema { optional: true, ..Schema::new(Kind::String) };
        field("note", Schema { default: Some(Value::String(default.into())), ..schema })
    };
    let text = plain("text", Kind::String);
    let fields = match version {
        0 => vec![text, plain("id", Kind::Int32), noted("none")],
        1 => vec![text, plain("id", Kind::Int64), noted("none"), plain("city", Kind::String)],
        2 => vec![plain("rate", Kind::Int16), text, plain("id", Kind::Int32)],
        _ => vec![text, plain("id", Kind::Int32), noted("other"), plain("rate", Kind::Float32)],
    };
    Arc::new(Schema::new(Kind::Struct(fields)).named("demo.Row"))
}

fn cells(version: i64, id: i64, text: &str) -> Vec<Value> {
    let text = Value::String(text.into());
    let note = if id % 3 == 0 { Value::Null } else { Value::String(format!("note {id}").into()) };
    match version {
        0 => vec![text, Value::Int32(id as i32), note],
        1 => vec![text, Value::Int64(id), note, Value::String("Oslo".into())],
        2 => vec![Value::Int16(id as i16 % 100), text, Value::Int32(id as i32)],
        _ => vec![text, Value::Int32(id as i32), note, Value::Float32(0.5)],
    }
}

/// `ids` in one version of the schema, each with a text.
fn rows(version: i64, ids: std::ops::Range<i64>, text: impl Fn(i64) -> String) -> SinkBatch {
    let schema = schema(version);
    let mut column = ColumnWriter::new(&schema);
    let ids: Vec<i64> = ids.collect();
    for id in &ids {
        column.append(&Value::Struct(cells(version, *id, &text(*id)))).unwrap();
    }
    let keys: ArrayRef = Arc::new(StringArray::from_iter_values(ids.iter().map(|id| format!("key {id}"))));
    let keys = Values::Typed { schema: Arc::new(Schema::new(Kind::String)), array: keys };
    let values = Values::Typed { schema, array: column.finish().unwrap() };
    SinkBatch { keys, ..batch(ids, values) }
}

/// 12,000 records for [`PLACES`]; their schemas take turns. Answers the most that the task held.
fn run(limit_bytes: u64, settings: &[(&str, &str)]) -> (Pressed, u64) {
    let mut pressed = Pressed::new(limit_bytes, settings);
    let (mut from, mut most, mut turn) = (0, 0, 0);
    while from < 12_000 {
        let to = (from + 1 + (from * 7 + turn) % 90).min(12_000);
        let place = |id: i64| format!("place {}", (id * id / 7) % 20);
        pressed.fixture.task.put(rows((turn * turn / 3) % 4, from..to, place), now(0)).unwrap();
        most = most.max(pressed.fixture.task.buffered_bytes());
        if turn % 3 == 0 {
            pressed.disk.answer();
            pressed.fixture.task.poll(now(0)).unwrap();
        }
        (from, turn) = (to, turn + 1);
    }
    pressed.settle();
    (pressed, most)
}

/// Names and columns of all Parquet files.
fn columns(pressed: &Pressed) -> Vec<(String, String)> {
    let columns = |name: &String| {
        let bytes = bytes::Bytes::from(pressed.fixture.bytes(name));
        let reader = SerializedFileReader::new(bytes).unwrap();
        format!("{:?}", reader.metadata().file_metadata().schema())
    };
    pressed.fixture.names().iter().map(|name| (name.clone(), columns(name))).collect()
}

#[test]
fn merged_files_have_the_same_names_and_rows_whatever_the_limit() {
    for format in [
        &[("format.class", PARQUET)][..],
        &[("format.class", "io.confluent.connect.s3.format.json.JsonFormat")],
        &[("format.class", "JsonFormat"), ("s3.compression.type", "gzip")],
    ] {
        let settings: Vec<_> = [MERGE, ("flush.size", "4000")].iter().chain(format).copied().collect();
        let (easy, _) = run(u64::MAX, &settings);
        assert_eq!(easy.disk.counts().0, 0, "nothing goes to disk without need");
        let (pressed, most) = run(SOME, &settings);
        let stores = pressed.disk.counts();
        assert!(stores.0 > 3, "{stores:?}: the limit must be felt, or nothing was tested");
        assert_eq!(stores.0, stores.1, "disk space is given back");
        assert!(most < SOME, "{most}");
        assert_eq!(pressed.files(), easy.files(), "{format:?}");
        assert_eq!(easy.fixture.names().len(), 3 * PLACES, "three cuts, and no other");
        if format[0].1 == PARQUET {
            assert_eq!(columns(&pressed), columns(&easy));
        }
        assert_eq!((pressed.memory.used_bytes(), pressed.fixture.task.buffered_bytes()), (0, 0));
    }
}

#[test]
fn a_file_larger_than_memory_is_encoded_and_sent_in_pieces() {
    const LIMIT: u64 = 4 << 20;
    let settings = [
        MERGE,
        ("flush.size", "30000"),
        ("format.class", "JsonFormat"),
        ("partitioner.class", "DefaultPartitioner"),
        ("s3.part.size", "5242880"),
    ];
    let mut pressed = Pressed::new(LIMIT, &settings);
    let text = |id: i64| format!("{id:0>1000}");
    let mut most = 0;
    for number in 0..300 {
        let ids = number * 100..(number + 1) * 100;
        pressed.fixture.task.put(rows(i64::from(number >= 290), ids, text), now(0)).unwrap();
        most = most.max(pressed.fixture.task.buffered_bytes());
        pressed.fixture.task.poll(now(0)).unwrap();
    }
    assert!(most < LIMIT, "{most}");
    assert!(pressed.fixture.names().is_empty(), "the file has ended and is not stored yet");
    while !pressed.fixture.task.is_settled(&[orders()]) {
        pressed.disk.answer();
        pressed.fixture.task.poll(now(0)).unwrap();
        most = most.max(pressed.fixture.task.buffered_bytes());
        for _ in 0..50 {
            pressed.fixture.run(tokio::task::yield_now());
        }
    }
    // A piece of 5 MiB and one more of rows: nothing of the 30 MB beside those.
    assert!(most < 10 << 20, "{most}");
    let files = pressed.files();
    let [(name, lines)] = files.iter().collect::<Vec<_>>()[..] else { panic!("{:?}", files.keys()) };
    assert!(name.ends_with("orders+0+0000000000.json"), "{name}");
    for (id, line) in lines.lines().enumerate() {
        assert!(line.contains(&format!(r#""id":{id},"#)) && line.contains(r#""city":"#), "{line}");
    }
    assert_eq!((lines.lines().count(), pressed.fixture.durable()), (30_000, vec![30_000]));
}

#[test]
fn a_disk_that_does_not_keep_up_gets_no_more_and_the_rest_when_it_does() {
    const LIMIT: u64 = 200_000;
    let mut pressed = Pressed::new(LIMIT, &[MERGE, ("flush.size", "100000")]);
    let put = |pressed: &mut Pressed, number: i64| {
        let ids = number * 100..(number + 1) * 100;
        pressed.fixture.task.put(rows(number % 2, ids, |id| format!("{}", id % 3)), now(0)).unwrap();
    };
    pressed.disk.writing_bytes.set(u64::MAX);
    (0..100).for_each(|number| put(&mut pressed, number));
    assert!(pressed.disk.counts().0 == 0 && pressed.fixture.task.buffered_bytes() > LIMIT);
    pressed.disk.writing_bytes.set(0);
    pressed.fixture.task.poll(now(0)).unwrap();
    assert!(pressed.disk.counts().0 > 0 && pressed.fixture.task.buffered_bytes() < LIMIT);
}

/// Rows of values wait for the end of their file; what is beside them comes back when it is worth a piece.
#[test]
fn rows_that_wait_for_the_end_of_their_file_are_not_encoded_before() {
    let settings =
        [MERGE, ("flush.size", "4000"), ("store.kafka.keys", "true"), ("keys.format.class", "JsonFormat")];
    let (easy, _) = run(u64::MAX, &settings);
    let (pressed, _) = run(SOME, &settings);
    assert!(pressed.disk.counts().0 > 3);
    assert_eq!(pressed.files(), easy.files());
}
