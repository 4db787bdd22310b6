//! Aiven's source over objects in a local directory.

use lakeward_api::schema::{Kind, Schema};

use super::*;
use crate::s3::AivenS3SourceConnector;

const AIVEN: AivenS3SourceConnector = AivenS3SourceConnector;
const TEMPLATE: &str = "{{topic}}-{{partition}}-{{start_offset}}";

fn config(bucket: &Bucket, more: &[(&str, &str)]) -> ConfigMap {
    let endpoint = format!("file://{}", bucket.dir.path().display());
    let mut config = props(&[
        ("aws.s3.endpoint", &endpoint),
        ("aws.s3.bucket.name", "lake"),
        ("input.format", "jsonl"),
        ("max.poll.records", "4"),
        ("file.name.template", TEMPLATE),
    ]);
    config.extend(props(more));
    config
}

fn start(config: &ConfigMap, stored: Stored) -> Rig {
    Rig::start(&AIVEN, config, stored)
}

#[test]
fn records_have_the_shape_of_aivens() {
    let bucket = Bucket::new();
    bucket.lines("a/orders-3-0", 0..2);
    bucket.lines("a/logo", 7..9);
    let mut rig = start(&config(&bucket, &[("aws.s3.prefix", "a/o")]), Stored::default());
    let batches = rig.records_or_idle().unwrap().unwrap();
    let all = rows(&batches);
    assert_eq!(numbers(&all), [0, 1]);
    assert_eq!((all[0].0.as_str(), all[0].1), ("orders", Some(3)));
    assert_eq!(batches[0].keys.dynamic().unwrap()[0], Value::Bytes("a/orders-3-0".as_bytes().into()));
    assert_eq!(
        *all[0].3,
        Value::Map(vec![(text("bucket"), text("lake")), (text("objectKey"), text("a/orders-3-0")),])
    );
    assert_eq!(*all[0].4, Value::Map(vec![(text("recordCount"), Value::Int64(1))]));
    assert_eq!(all[1].4.get("recordCount"), Some(&Value::Int64(2)));
    assert!(rig.records_or_idle().unwrap().is_none());
}

#[test]
fn a_restart_behind_any_record_repeats_and_loses_nothing() {
    let bucket = Bucket::new();
    for (start, end) in [(0, 7), (7, 8), (8, 16)] {
        bucket.lines(&format!("t-0-{start:05}"), start..end);
    }
    let config = config(&bucket, &[]);
    let all = drain(&mut start(&config, Stored::default()));
    assert_eq!(numbers(&all), (0..16).collect::<Vec<_>>());
    for done in 0..=all.len() {
        let rest = drain(&mut start(&config, stored(&all[..done])));
        assert_eq!(numbers(&rest), numbers(&all[done..]), "behind record {done}");
    }
    // What Java stored says how many records, not whether that was all.
    let javas: Vec<Row> = all[..7]
        .iter()
        .map(|row| {
            let count = Value::Map(vec![(text("recordCount"), row.4.get("recordCount").unwrap().clone())]);
            (row.0.clone(), row.1, row.2.clone(), Arc::clone(&row.3), Arc::new(count))
        })
        .collect();
    assert_eq!(numbers(&drain(&mut start(&config, stored(&javas)))), numbers(&all[7..]));
}

#[test]
fn the_ring_decides_how_late_a_name_may_come() {
    let bucket = Bucket::new();
    (1..=5).for_each(|name| bucket.lines(&format!("t-0-{name}0"), name * 10..name * 10 + 1));
    let config = config(&bucket, &[("ring.buffer.size", "2")]);
    let mut rig = start(&config, Stored::default());
    assert_eq!(numbers(&drain(&mut rig)), [10, 20, 30, 40, 50]);
    bucket.lines("t-0-45", 45..46);
    bucket.lines("t-0-25", 25..26);
    rig.ahead += Duration::from_secs(6);
    assert_eq!(numbers(&drain(&mut rig)), [45]);
    let config: ConfigMap = config.into_iter().chain(props(&[("native.start.key", "t-0-40")])).collect();
    assert_eq!(numbers(&drain(&mut start(&config, Stored::default()))), [45, 50]);
}

#[test]
fn tasks_divide_objects_by_hash_or_by_partition() {
    let bucket = Bucket::new();
    for partition in 0..12 {
        bucket.lines(&format!("t-{partition}-0"), partition..partition + 1);
    }
    for distribution in ["object_hash", "PARTITION"] {
        let configs =
            AIVEN.task_configs(&config(&bucket, &[("distribution.type", distribution)]), 3).unwrap();
        let mut found = Vec::new();
        for (task, config) in configs.iter().enumerate() {
            let mut rig = Rig::start_task(&AIVEN, config, u32::try_from(task).unwrap(), Stored::default());
            let numbers = numbers(&drain(&mut rig));
            if distribution == "PARTITION" {
                assert!(numbers.iter().all(|number| number % 3 == task as i64), "{numbers:?}");
            }
            found.extend(numbers);
        }
        found.sort_unstable();
        assert_eq!(found, (0..12).collect::<Vec<_>>(), "{distribution}");
    }
}

#[test]
fn damage_does_what_errors_tolerance_says_and_bytes_come_in_pieces() {
    let bucket = Bucket::new();
    bucket.put("t-0-1", b"1\n{junk\n");
    bucket.lines("t-0-2", 2..3);
    let tolerant = config(&bucket, &[("errors.tolerance", "all")]);
    assert_eq!(numbers(&drain(&mut start(&tolerant, Stored::default()))), [1, 2]);
    let mut strict = start(&config(&bucket, &[]), Stored::default());
    assert_eq!(numbers(&rows(&strict.records().unwrap())), [1]);
    assert!(strict.records().unwrap_err().to_string().contains("t-0-1"));
    let more = [("input.format", "bytes"), ("transformer.max.buffer.size", "3"), ("topic", "all")];
    let pieces = drain(&mut start(&config(&bucket, &more), Stored::default()));
    let values: Vec<&Value> = pieces.iter().map(|row| &row.2).collect();
    let bytes = |text: &'static str| Value::Bytes(text.as_bytes().into());
    assert_eq!(values, [&bytes("1\n{"), &bytes("jun"), &bytes("k\n"), &bytes("2\n")]);
    assert_eq!(pieces[0].0, "all");
}

#[test]
fn problems_stand_at_their_keys() {
    let bucket = Bucket::new();
    let errors = |more: &[(&str, &str)]| -> Vec<String> {
        let values = AIVEN.validate(&config(&bucket, more));
        values.into_iter().filter(|value| !value.errors.is_empty()).map(|value| value.name).collect()
    };
    assert!(errors(&[]).is_empty());
    assert_eq!(errors(&[("file.name.template", ".*")]), ["topic"]);
    assert_eq!(errors(&[("file.name.template", "{{key}}")]), ["file.name.template"]);
    let by_partition = [("file.name.template", ".*"), ("topic", "t"), ("distribution.type", "partition")];
    assert_eq!(errors(&by_partition), ["distribution.type"]);
    assert!(errors(&[("file.compression.type", "zstd")]).is_empty());
    assert_eq!(errors(&[("file.compression.type", "lz4")]), ["file.compression.type"]);
    assert_eq!(errors(&[("aws.access.key.id", "a")]), ["aws.secret.access.key"]);
    assert_eq!(errors(&[("aws.sts.role.arn", "arn")]), ["aws.sts.role.session.name"]);
}

#[test]
fn objects_of_every_compression_of_the_sink_are_read() {
    use lakeward_formats::file::{
        ByteLinesFormat, ByteLinesOptions, CompressedFormat, FileCompression, FileFormat,
    };
    let lines = |numbers: std::ops::Range<i64>| {
        let lines = numbers.map(|number| number.to_string().into_bytes());
        let array = Arc::new(arrow_array::BinaryArray::from_iter_values(lines));
        Values::Typed { schema: Arc::new(Schema::new(Kind::Bytes)), array }
    };
    for (name, compression) in [
        ("gzip", FileCompression::Gzip),
        ("SNAPPY", FileCompression::Snappy),
        ("zstd", FileCompression::Zstd),
    ] {
        let bucket = Bucket::new();
        let format =
            CompressedFormat::new(Box::new(ByteLinesFormat::new(ByteLinesOptions::default())), compression);
        let mut part = format.new_part(lines(0..1).schema()).unwrap();
        part.write(&lines(0..9)).unwrap();
        let bytes = [part.take_ready(), part.finish().unwrap()].concat().concat();
        bucket.put("t-0-0", &bytes);
        let config = config(&bucket, &[("file.compression.type", name)]);
        let all = drain(&mut start(&config, Stored::default()));
        assert_eq!(numbers(&all), (0..9).collect::<Vec<_>>(), "{name}");
        assert_eq!(numbers(&drain(&mut start(&config, stored(&all[..5])))), [5, 6, 7, 8], "{name}");
    }
}
