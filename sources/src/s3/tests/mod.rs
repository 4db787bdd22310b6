//! The tasks over objects in a local directory: order, what is stored, restarts, damage, division among
//! tasks.

mod aiven;
mod foreign;
mod generic;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lakeward_api::batch::Values;
use lakeward_api::config::{ConfigMap, ConfigType, DefaultValue};
use lakeward_api::source::{ExactlyOnceSupport, OffsetsAltered, SourceBatch, SourceConnector, SourceMap};
use lakeward_api::value::Value;

use super::S3SourceConnector;
use crate::rig::{Rig, Stored, props};

const CONNECTOR: S3SourceConnector = S3SourceConnector;

/// A bucket that is a directory.
struct Bucket {
    dir: tempfile::TempDir,
}

impl Bucket {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("lake")).unwrap();
        Self { dir }
    }

    fn put(&self, name: &str, content: &[u8]) {
        let path = self.dir.path().join("lake").join(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
        fs::write(path, content).unwrap();
    }

    /// An object of numbers, one a line.
    fn lines(&self, name: &str, numbers: std::ops::Range<i64>) {
        self.put(name, numbers.map(|number| format!("{number}\n")).collect::<String>().as_bytes());
    }

    fn config(&self, more: &[(&str, &str)]) -> ConfigMap {
        let url = format!("file://{}", self.dir.path().display());
        let mut config = props(&[
            ("store.url", &url),
            ("s3.bucket.name", "lake"),
            ("format.class", "io.confluent.connect.s3.format.json.JsonFormat"),
            ("record.batch.max.size", "4"),
        ]);
        config.extend(props(more));
        config
    }
}

/// A record: topic, partition, value, and what is stored with it.
type Row = (String, Option<i32>, Value, SourceMap, SourceMap);

fn rows(batches: &[SourceBatch]) -> Vec<Row> {
    let row = |batch: &SourceBatch| -> Vec<Row> {
        let values = match &batch.values {
            Values::Typed { .. } => crate::rig::values(batch),
            other => other.dynamic().unwrap().into_owned(),
        };
        let place = |(value, position): (Value, &lakeward_api::source::SourcePosition)| {
            let (source, offset) = (Arc::clone(&position.partition), Arc::clone(&position.offset));
            (batch.topic.to_string(), batch.partition, value, source, offset)
        };
        values.into_iter().zip(&batch.positions).map(place).collect()
    };
    batches.iter().flat_map(row).collect()
}

fn numbers(rows: &[Row]) -> Vec<i64> {
    let number = |row: &Row| match &row.2 {
        Value::Int64(number) => *number,
        other => panic!("{other:?}"),
    };
    rows.iter().map(number).collect()
}

/// Everything until the task waits.
fn drain(rig: &mut Rig) -> Vec<Row> {
    let mut all = Vec::new();
    while let Some(batches) = rig.records_or_idle().unwrap() {
        assert!(batches.iter().all(|batch| batch.rows() <= 4), "record.batch.max.size");
        all.extend(rows(&batches));
    }
    all
}

fn start(config: &ConfigMap, stored: Stored) -> Rig {
    Rig::start(&CONNECTOR, config, stored)
}

/// What a broker would have after these records.
fn stored(rows: &[Row]) -> Stored {
    Stored(rows.iter().map(|row| ((*row.3).clone(), Arc::clone(&row.4))).collect())
}

fn text(value: &str) -> Value {
    Value::String(value.into())
}

#[test]
fn records_go_back_to_their_partitions_in_the_order_of_names() {
    let bucket = Bucket::new();
    bucket.lines("topics/t/partition=1/t+1+0000000000.json", 100..103);
    bucket.lines("topics/t/partition=0/t+0+0000000006.json", 6..9);
    bucket.lines("topics/t/partition=0/t+0+0000000000.json", 0..6);
    bucket.put("topics/t/partition=0/t+0+0000000000.keys.avro", b"");
    bucket.put("topics/t/partition=0/t+0+0000000000.keys.json", b"\"k\"\n");
    bucket.put("elsewhere/t/partition=0/t+0+0000000000.json", b"1");
    let all = drain(&mut start(&bucket.config(&[]), Stored::default()));
    assert_eq!(numbers(&all), [0, 1, 2, 3, 4, 5, 6, 7, 8, 100, 101, 102]);
    let partitions: Vec<Option<i32>> = all.iter().map(|row| row.1).collect();
    assert_eq!(partitions[..9], [Some(0); 9]);
    assert_eq!(partitions[9..], [Some(1); 3]);
    let source = [
        ("bucket", text("lake")),
        ("folder", text("topics/t/partition=0")),
        ("topic", text("t")),
        ("partition", Value::Int64(0)),
    ];
    let offset = |rows, complete| {
        let object = text("topics/t/partition=0/t+0+0000000000.json");
        [("object", object), ("rows", Value::Int64(rows)), ("complete", Value::Boolean(complete))]
    };
    let same =
        |map: &Value, pairs: &[(&str, Value)]| pairs.iter().all(|(key, value)| map.get(key) == Some(value));
    assert!(same(&all[0].3, &source), "{:?}", all[0].3);
    for (number, row) in (1..=6).zip(&all) {
        assert!(same(&row.4, &offset(number, number == 6)), "{:?}", row.4);
    }
}

/// Names are ordered by their bytes, offsets are not once they have more digits than they are padded to.
#[test]
fn offsets_that_outgrow_their_padding_come_in_order_and_are_not_left_out() {
    let bucket = Bucket::new();
    let name = |offset: i64| format!("topics/t/partition=0/t+0+{offset:02}.json");
    for offset in [8, 95, 102, 1001, 2000] {
        bucket.lines(&name(offset), offset..offset + 2);
    }
    let config = bucket.config(&[]);
    let all = drain(&mut start(&config, Stored::default()));
    assert_eq!(numbers(&all), [8, 9, 95, 96, 102, 103, 1001, 1002, 2000, 2001]);
    for end in 1..=all.len() {
        let rest = drain(&mut start(&config, stored(&all[..end])));
        assert_eq!(numbers(&rest), numbers(&all)[end..], "behind record {end}");
    }
    // What comes later sorts before what was read.
    bucket.lines(&name(10_000), 10_000..10_001);
    assert_eq!(numbers(&drain(&mut start(&config, stored(&all)))), [10_000]);
    // Nothing says at first how many digits there are at least.
    let bucket = Bucket::new();
    for offset in [95, 102] {
        bucket.lines(&name(offset), offset..offset + 2);
    }
    let all = drain(&mut start(&bucket.config(&[]), Stored::default()));
    assert_eq!(numbers(&all), [95, 96, 102, 103]);
}

#[test]
fn a_restart_behind_any_record_repeats_and_loses_nothing() {
    let bucket = Bucket::new();
    for (offset, end) in [(0, 7), (7, 8), (8, 16)] {
        bucket.lines(&format!("topics/t/partition=0/t+0+{offset:010}.json"), offset..end);
        bucket.lines(&format!("topics/t/partition=1/t+1+{offset:010}.json"), 100 + offset..100 + end);
    }
    let config = bucket.config(&[]);
    let all = drain(&mut start(&config, Stored::default()));
    assert_eq!(all.len(), 32);
    for done in 0..all.len() {
        let rest = drain(&mut start(&config, stored(&all[..done])));
        assert_eq!(numbers(&rest), numbers(&all[done..]), "behind record {done}");
        assert_eq!(rest.last().map(|row| &row.4), all[done..].last().map(|row| &row.4));
    }
    assert!(drain(&mut start(&config, stored(&all))).is_empty());
}

#[test]
fn objects_that_appear_later_are_found_by_the_next_look() {
    let bucket = Bucket::new();
    bucket.lines("topics/t/year=2020/month=01/day=02/t+1+0000000000.json", 10..12);
    let daily = ("partitioner.class", "io.confluent.connect.storage.partitioner.DailyPartitioner");
    let config = bucket.config(&[daily, ("s3.poll.interval.ms", "30000")]);
    let mut rig = start(&config, Stored::default());
    assert_eq!(numbers(&drain(&mut rig)), [10, 11]);
    assert!(rig.idle() > Duration::from_secs(20));
    // Before and behind what was read, in the same directory and in others.
    bucket.lines("topics/t/year=2020/month=01/day=02/t+0+0000000000.json", 0..1);
    bucket.lines("topics/t/year=2020/month=01/day=02/t+1+0000000002.json", 12..13);
    bucket.lines("topics/s/year=2020/month=01/day=02/s+0+0000000000.json", 50..51);
    bucket.lines("topics/t/year=2020/month=01/day=01/t+1+0000000099.json", 99..100);
    rig.ahead += Duration::from_secs(31);
    assert_eq!(numbers(&drain(&mut rig)), [50, 99, 0, 12]);
}

#[test]
fn tasks_divide_the_folders_and_forget_none() {
    let bucket = Bucket::new();
    let mut expected = BTreeMap::new();
    for partition in 0..40_i64 {
        let name = format!("topics/t/partition={partition}/t+{partition}+0000000000.json");
        bucket.lines(&name, partition * 10..partition * 10 + 3);
        expected.extend((partition * 10..partition * 10 + 3).map(|number| (number, 1)));
    }
    let configs = CONNECTOR.task_configs(&bucket.config(&[]), 3).unwrap();
    assert_eq!(configs.len(), 3);
    let mut found = BTreeMap::new();
    for (task, config) in configs.iter().enumerate() {
        let mut rig = Rig::start_task(&CONNECTOR, config, u32::try_from(task).unwrap(), Stored::default());
        let rows = drain(&mut rig);
        assert!(!rows.is_empty(), "task {task} has nothing");
        for number in numbers(&rows) {
            *found.entry(number).or_insert(0) += 1;
        }
    }
    assert_eq!(found, expected);
}

#[test]
fn a_bucket_of_many_pages_is_read_once() {
    let bucket = Bucket::new();
    for offset in 0..2_300_i64 {
        let partition = offset % 2;
        bucket.lines(
            &format!("topics/t/partition={partition}/t+{partition}+{offset:010}.json"),
            offset..offset + 1,
        );
    }
    let config = bucket.config(&[]);
    let mut rig = start(&config, Stored::default());
    let all = drain(&mut rig);
    let expected: Vec<i64> = (0..1150).map(|row| row * 2).chain((0..1150).map(|row| row * 2 + 1)).collect();
    assert_eq!(numbers(&all), expected);
    // The next look leaps over what was read, here and in a later run.
    bucket.lines("topics/t/partition=1/t+1+0000002301.json", 2301..2302);
    rig.ahead += Duration::from_secs(61);
    assert_eq!(numbers(&drain(&mut rig)), [2301]);
    assert_eq!(numbers(&drain(&mut start(&config, stored(&all)))), [2301]);
}

#[test]
fn a_leap_over_a_folder_of_another_task_skips_nothing_below_it() {
    let bucket = Bucket::new();
    for partition in 0..2_i64 {
        let folder = format!("topics/a/partition={partition}");
        for offset in 0..1_100 {
            let number = partition * 10_000 + offset;
            bucket.lines(&format!("{folder}/a+{partition}+{offset:010}.json"), number..number + 1);
        }
        for schema in 0..6 {
            let number = partition * 10_000 + 5_000 + schema;
            let name = format!("{folder}/schema_name=s{schema}/a+{partition}+{:010}.json", 5_000 + schema);
            bucket.lines(&name, number..number + 1);
        }
    }
    let mut found = Vec::new();
    for (task, config) in CONNECTOR.task_configs(&bucket.config(&[]), 2).unwrap().iter().enumerate() {
        let mut rig = Rig::start_task(&CONNECTOR, config, u32::try_from(task).unwrap(), Stored::default());
        found.extend(numbers(&drain(&mut rig)));
    }
    found.sort_unstable();
    let each = |partition: i64| (0..1_100).chain(5_000..5_006).map(move |number| partition * 10_000 + number);
    assert_eq!(found, each(0).chain(each(1)).collect::<Vec<_>>());
}

#[test]
fn damage_does_what_behavior_on_error_says() {
    let bucket = Bucket::new();
    bucket.lines("topics/t/partition=0/t+0+0000000000.json", 0..2);
    bucket.put("topics/t/partition=0/t+0+0000000002.json", b"2\n3\n{junk\n5\n");
    bucket.lines("topics/t/partition=0/t+0+0000000006.json", 6..8);
    bucket.put("topics/t/partition=1/oddly-named.json", b"9\n");
    for behavior in ["ignore", "LOG"] {
        let mut rig = start(&bucket.config(&[("behavior.on.error", behavior)]), Stored::default());
        assert_eq!(numbers(&drain(&mut rig)), [0, 1, 2, 3, 6, 7]);
        rig.ahead += Duration::from_secs(61);
        assert!(drain(&mut rig).is_empty(), "what was left out is not tried again");
    }
    let mut rig = start(&bucket.config(&[]), Stored::default());
    let mut found = Vec::new();
    let error = loop {
        match rig.records() {
            Ok(batches) => found.extend(rows(&batches)),
            Err(error) => break error,
        }
    };
    assert_eq!(numbers(&found), [0, 1, 2, 3], "records before the damage are handed over");
    let text = error.to_string();
    assert!(text.contains("topics/t/partition=0/t+0+0000000002.json") && text.contains("'lake'"), "{text}");
    // A restart comes to the same place without repeating anything.
    let mut rig = start(&bucket.config(&[]), stored(&found));
    assert!(rig.records().unwrap_err().to_string().contains("t+0+0000000002.json"));
}

#[test]
fn a_name_that_is_none_of_a_backup_is_damage() {
    let bucket = Bucket::new();
    bucket.put("topics/t/partition=1/oddly-named.json", b"9\n");
    let error = start(&bucket.config(&[]), Stored::default()).records().unwrap_err();
    assert!(error.to_string().contains("filename.regex"), "{error}");
}

#[test]
fn bytes_and_packed_lines_are_read() {
    let bucket = Bucket::new();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(b"{\"schema\":{\"type\":\"int64\",\"optional\":false},\"payload\":7}\n").unwrap();
    bucket.put("topics/t/partition=0/t+0+0000000000.json.gz", &packer.finish().unwrap());
    let rows_of = |more: &[(&str, &str)]| drain(&mut start(&bucket.config(more), Stored::default()));
    assert_eq!(numbers(&rows_of(&[("format.json.schema.enable", "true")])), [7]);
    bucket.put("topics/t/partition=0/t+0+0000000000.txt", b"a;b;;c");
    let format = ("format.class", "io.confluent.connect.s3.format.bytearray.ByteArrayFormat");
    let more = [format, ("format.bytearray.extension", ".txt"), ("format.bytearray.separator", ";")];
    let values: Vec<Value> = rows_of(&more).into_iter().map(|row| row.2).collect();
    let bytes = |text: &'static str| Value::Bytes(text.as_bytes().into());
    assert_eq!(values, [bytes("a"), bytes("b"), bytes(""), bytes("c")]);
}

#[test]
fn a_missing_bucket_fails_the_start() {
    let bucket = Bucket::new();
    let config = bucket.config(&[("s3.bucket.name", "none")]);
    let error = Rig::try_start(&CONNECTOR, &config, Stored::default()).err().unwrap();
    assert!(error.to_string().contains("store.url"), "{error}");
}

#[test]
fn keys_are_javas() {
    let definition = CONNECTOR.config_def();
    let default = |name: &str| definition.key(name).unwrap().default.clone();
    let text = |text: &str| DefaultValue::Text(text.to_owned());
    assert_eq!(definition.keys().len(), 54);
    let required: Vec<&str> = definition
        .keys()
        .iter()
        .filter(|key| key.default == DefaultValue::Required)
        .map(|key| key.name.as_str())
        .collect();
    assert_eq!(required, ["format.class", "s3.bucket.name"]);
    assert_eq!(default("filename.regex"), text(r"(.+)\+(\d+)\+.+$"));
    assert_eq!(default("s3.poll.interval.ms"), text("60000"));
    assert_eq!(
        default("partitioner.class"),
        text("io.confluent.connect.storage.partitioner.DefaultPartitioner")
    );
    assert_eq!(definition.key("aws.secret.access.key").unwrap().kind, ConfigType::Password);
}

#[test]
fn problems_stand_at_their_keys() {
    let bucket = Bucket::new();
    let errors = |more: &[(&str, &str)]| -> Vec<String> {
        let values = CONNECTOR.validate(&bucket.config(more));
        values.into_iter().filter(|value| !value.errors.is_empty()).map(|value| value.name).collect()
    };
    assert!(errors(&[]).is_empty());
    assert_eq!(errors(&[("mode", "GENERIC")]), ["topic.regex.list"]);
    assert_eq!(errors(&[("mode", "OTHER")]), ["mode"]);
    assert_eq!(errors(&[("behavior.on.error", "retry")]), ["behavior.on.error"]);
    assert_eq!(errors(&[("filename.regex", "(a)")]), ["filename.regex"]);
    assert_eq!(errors(&[("partitioner.class", "FieldPartitioner")]), ["partition.field.name"]);
    assert_eq!(errors(&[("partitioner.class", "TimeBasedPartitioner")]), ["path.format"]);
    assert_eq!(errors(&[("partitioner.class", "com.example.Mine")]), ["partitioner.class"]);
    assert_eq!(errors(&[("format.class", "CsvFormat")]), ["format.class"]);
    assert_eq!(errors(&[("aws.access.key.id", "a")]), ["aws.secret.access.key"]);
    assert_eq!(errors(&[("s3.wan.mode", "true")]), ["store.url", "s3.wan.mode", "s3.path.style.access"]);
}

#[test]
fn offsets_that_make_no_sense_are_refused() {
    let bucket = Bucket::new();
    bucket.lines("topics/t/partition=0/t+0+0000000000.json", 0..2);
    let config = bucket.config(&[]);
    let all = drain(&mut start(&config, Stored::default()));
    let (source, offset) = (&all[1].3, &all[1].4);
    let alter = |source: &SourceMap, offset: Option<SourceMap>| {
        CONNECTOR.alter_offsets(&config, &[(Arc::clone(source), offset)]).map_err(|err| err.to_string())
    };
    assert_eq!(alter(source, Some(Arc::clone(offset))), Ok(OffsetsAltered::Done));
    assert_eq!(alter(source, None), Ok(OffsetsAltered::Done));
    assert!(alter(offset, None).unwrap_err().contains("'folder'"));
    assert!(alter(source, Some(Arc::clone(source))).unwrap_err().contains("'complete'"));
    let wrong = Stored(vec![((**source).clone(), Arc::clone(source))]);
    assert!(start(&config, wrong).records().unwrap_err().to_string().contains("'complete'"));
    assert_eq!(CONNECTOR.exactly_once_support(&config), ExactlyOnceSupport::Supported);
}
