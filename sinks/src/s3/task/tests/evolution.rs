//! One file over compatible schemas (`lakeward.schema.evolution=merge`, decision 0015).

use std::sync::Arc;

use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::cuts::{Cut, Opening};
use lakeward_api::rows::ColumnWriter;
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::sink::SinkTask as _;
use lakeward_api::value::Value;
use object_store::ObjectStoreExt as _;
use object_store::path::Path;
use parquet::file::reader::{FileReader as _, SerializedFileReader};

use super::rig::{Rig, dynamic, topic_partitions};

const MERGE: (&str, &str) = ("lakeward.schema.evolution", "merge");

fn schema(version: usize) -> Arc<Schema> {
    let field = |name: &str, kind| Field { name: name.into(), schema: Arc::new(Schema::new(kind)) };
    let fields = match version {
        0 => vec![field("id", Kind::Int32)],
        1 => vec![field("id", Kind::Int64), field("city", Kind::String)],
        2 => vec![field("rate", Kind::Int16), field("id", Kind::Int8)],
        _ => vec![field("id", Kind::String)],
    };
    Arc::new(Schema::new(Kind::Struct(fields)).named("demo.Row"))
}

/// Rows of one version from `offset`.
fn rows(version: usize, offset: i64, count: usize) -> SinkBatch {
    let schema = schema(version);
    let mut column = ColumnWriter::new(&schema);
    let offsets: Vec<i64> = (offset..).take(count).collect();
    for offset in &offsets {
        let cells = match version {
            0 => vec![Value::Int32(*offset as i32)],
            1 => vec![Value::Int64(*offset), Value::String("Oslo".into())],
            2 => vec![Value::Int16(7), Value::Int8(*offset as i8)],
            _ => vec![Value::String("text".into())],
        };
        column.append(&Value::Struct(cells)).unwrap();
    }
    let values = Values::Typed { schema, array: column.finish().unwrap() };
    SinkBatch { values, ..dynamic(0, offsets, Vec::new()) }
}

/// What is stored of records of these versions, in runs of at most `run_max`.
fn stored(pairs: &[(&str, &str)], versions: &[usize], run_max: usize) -> (Rig, Vec<(String, String)>) {
    let mut rig = Rig::new(pairs);
    rig.open(&[0]);
    put(&mut rig, versions, run_max);
    rig.turn().unwrap();
    let objects = rig.objects();
    (rig, objects)
}

fn put(rig: &mut Rig, versions: &[usize], run_max: usize) {
    let mut from = 0;
    while from < versions.len() {
        let same = versions[from..].iter().take_while(|version| **version == versions[from]).count();
        let count = same.min(run_max);
        rig.task.put(rows(versions[from], from as i64, count), rig.now).unwrap();
        from += count;
    }
}

fn file(offset: i64, lines: &[&str]) -> (String, String) {
    (format!("topics/t/partition=0/t+0+{offset:010}.json"), format!("{}\n", lines.join("\n")))
}

#[test]
fn one_file_takes_new_fields_and_wider_numbers() {
    let versions = [0, 1, 0, 2];
    let (mut rig, objects) = stored(&[MERGE, ("flush.size", "4")], &versions, 9);
    let lines = [
        r#"{"id":0,"city":null,"rate":null}"#,
        r#"{"id":1,"city":"Oslo","rate":null}"#,
        r#"{"id":2,"city":null,"rate":null}"#,
        r#"{"id":3,"city":null,"rate":7}"#,
    ];
    assert_eq!(objects, [file(0, &lines)]);
    assert_eq!(rig.durable(), [(0, 4)]);
    let (_, without) = stored(&[("flush.size", "4")], &versions, 9);
    assert_eq!(without.len(), 3, "each change ends a file, and the last one is open");
}

#[test]
fn what_no_column_can_hold_ends_the_file() {
    let (_, objects) = stored(&[MERGE, ("flush.size", "2")], &[0, 3, 3, 0, 0], 9);
    let text = r#"{"id":"text"}"#;
    assert_eq!(
        objects,
        [file(0, &[r#"{"id":0}"#]), file(1, &[text, text]), file(3, &[r#"{"id":3}"#, r#"{"id":4}"#])]
    );
}

#[test]
fn parquet_and_avro_files_have_the_merged_schema() {
    let versions = [0, 0, 1, 2];
    let path = "io.confluent.connect.s3.format.parquet.ParquetFormat";
    let (rig, objects) = stored(&[MERGE, ("flush.size", "4"), ("format.class", path)], &versions, 1);
    assert_eq!(objects.len(), 1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let bytes = runtime.block_on(async {
        rig.store.objects.get(&Path::from(&*objects[0].0)).await.unwrap().bytes().await.unwrap()
    });
    let reader = SerializedFileReader::new(bytes).unwrap();
    let found: Vec<String> = reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
    assert_eq!(
        found,
        [
            "{id: 0, city: null, rate: null}",
            "{id: 1, city: null, rate: null}",
            "{id: 2, city: \"Oslo\", rate: null}",
            "{id: 3, city: null, rate: 7}",
        ]
    );
    let (_, objects) = stored(&[MERGE, ("flush.size", "4"), ("format.class", "AvroFormat")], &versions, 1);
    assert_eq!(objects.len(), 1);
    for word in [r#""name":"id","type":{"type":"long""#, r#""name":"city""#, r#""name":"rate""#] {
        let plain = objects[0].1.replace(r#"{"type":"long"}"#, r#""long""#);
        let simple = word.replace(r#"{"type":"long""#, r#""long""#);
        assert!(plain.contains(word) || plain.contains(&simple), "{word}: {plain}");
    }
}

/// Names and contents follow from the records, however they came; an owner that begins in the middle of a
/// decided cut makes the same file.
#[test]
fn files_do_not_depend_on_how_records_came() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |limit: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % limit
    };
    for seed in 0..40 {
        let versions: Vec<usize> = (0..60).map(|_| [0, 0, 1, 2, 1, 3][next(6) as usize]).collect();
        let flush = (2 + next(12)).to_string();
        // The schedule does not strike: it brings decided cuts in.
        let schedule = [("rotate.schedule.interval.ms", "3600000"), ("timezone", "UTC")];
        let pairs = [MERGE, ("flush.size", flush.as_str()), schedule[0], schedule[1]];
        let (_, whole) = stored(&pairs, &versions, 60);
        let (_, single) = stored(&pairs, &versions, 1);
        assert_eq!(whole, single, "seed {seed}: {versions:?}");

        // Decided and acknowledged, then nothing was completed: the next owner repeats.
        let mut died = Rig::new(&pairs);
        died.open(&[0]);
        put(&mut died, &versions, 3);
        let mut decisions = Vec::new();
        died.task.take_decisions(&mut decisions);
        let cuts = decisions.into_iter().map(|decision| decision.cut).collect();
        let mut heir = died.beside(&pairs);
        let partition = topic_partitions(&[0]).remove(0);
        heir.task.open_at(&[Opening { partition, committed: Some(0), cuts }]).unwrap();
        put(&mut heir, &versions, 7);
        heir.turn().unwrap();
        assert_eq!(heir.objects(), whole, "seed {seed}: {versions:?}");
    }
}

/// Cuts that an earlier version recorded, when memory could end such files, are repeated.
#[test]
fn nothing_but_records_and_settings_ends_a_merged_file() {
    let mut rig = Rig::with_budget(&[MERGE, ("flush.size", "40000")], 64 << 10);
    assert_eq!(rig.task.delivery().unwrap(), "exactly once (names and contents follow from the records)");
    let partition = topic_partitions(&[0]).remove(0);
    let cuts = vec![Cut { end: 1500, clock: Vec::new() }];
    rig.task.open_at(&[Opening { partition, committed: Some(0), cuts }]).unwrap();
    for turn in 0..40 {
        rig.task.put(rows(0, turn * 1000, 1000), rig.now).unwrap();
        rig.turn().unwrap();
    }
    let names: Vec<String> = rig.objects().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, [file(0, &[]).0], "the next one has 38,500 records and is open");
    assert_eq!(rig.durable(), [(0, 1500)]);
}
