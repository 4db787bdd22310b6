//! The task over real files, and what the connector says about configurations and offsets.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lakeward_api::batch::Values;
use lakeward_api::config::{ConfigMap, ConfigType, DefaultValue};
use lakeward_api::source::{
    ExactlyOnceSupport, OffsetsAltered, SourceBatch, SourceConnector as _, SourceMap,
};
use lakeward_api::value::Value;

use super::FileStreamSourceConnector;
use crate::rig::{Rig, Stored, props, values};

const CONNECTOR: FileStreamSourceConnector = FileStreamSourceConnector;

fn config(file: &Path) -> ConfigMap {
    props(&[("file", file.to_str().unwrap()), ("topic", "t")])
}

fn append(file: &Path, text: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(file).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn map(key: &str, value: Value) -> SourceMap {
    Arc::new(Value::Map(vec![(Value::String(key.into()), value)]))
}

fn text(value: &str) -> Value {
    Value::String(value.into())
}

/// Lines and positions of a batch.
fn lines(batches: &[SourceBatch]) -> Vec<(String, i64)> {
    let line = |batch: &SourceBatch| -> Vec<(String, i64)> {
        let texts = values(batch);
        let position = |row: usize| match batch.positions[row].offset.get("position") {
            Some(Value::Int64(position)) => *position,
            other => panic!("{other:?}"),
        };
        texts
            .iter()
            .enumerate()
            .map(|(row, text)| (text.as_str().unwrap().to_owned(), position(row)))
            .collect()
    };
    batches.iter().flat_map(line).collect()
}

fn pairs(expected: &[(&str, i64)]) -> Vec<(String, i64)> {
    expected.iter().map(|(line, position)| ((*line).to_owned(), *position)).collect()
}

#[test]
fn records_have_the_shape_of_javas() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("in.txt");
    append(&file, "one\ntwo\r\nhalf");
    let mut rig = Rig::start(&CONNECTOR, &config(&file), Stored::default());
    let batches = rig.records().unwrap();
    assert_eq!(lines(&batches), pairs(&[("one", 4), ("two", 9)]));
    let batch = &batches[0];
    assert_eq!((&*batch.topic, batch.partition), ("t", None));
    assert!(matches!(batch.keys, Values::Null { rows: 2 }) && batch.headers.is_empty());
    assert_eq!(*batch.positions[0].partition, *map("filename", text(file.to_str().unwrap())));
    assert!(batch.timestamps_ms.iter().all(Option::is_some));
    let schema = batch.values.schema().unwrap();
    assert!(!schema.optional && schema.name.is_none());
}

#[test]
fn an_incomplete_line_waits_until_the_rest_is_appended() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("in.txt");
    append(&file, "half");
    let mut rig = Rig::start(&CONNECTOR, &config(&file), Stored::default());
    assert!(rig.idle() <= Duration::from_secs(1));
    append(&file, " and half\n");
    assert_eq!(lines(&rig.records().unwrap()), pairs(&[("half and half", 14)]));
}

#[test]
fn a_missing_file_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("late.txt");
    let mut rig = Rig::start(&CONNECTOR, &config(&file), Stored::default());
    assert!(rig.idle() > Duration::from_millis(500));
    append(&file, "here\n");
    assert_eq!(lines(&rig.records().unwrap()), pairs(&[("here", 5)]));
}

#[test]
fn a_restart_at_any_position_repeats_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("in.txt");
    append(&file, "a\n\u{e4}\u{1F600}\r\n\nlast\n");
    let config = config(&file);
    let all = lines(&Rig::start(&CONNECTOR, &config, Stored::default()).records().unwrap());
    assert_eq!(all.len(), 4);
    for done in 0..all.len() - 1 {
        let partition = map("filename", text(file.to_str().unwrap()));
        let stored = Stored(vec![((*partition).clone(), map("position", Value::Int64(all[done].1)))]);
        let rest = lines(&Rig::start(&CONNECTOR, &config, stored).records().unwrap());
        assert_eq!(rest, all[done + 1..]);
    }
}

#[test]
fn batches_have_at_most_the_configured_size_and_long_files_come_whole() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("in.txt");
    let all: Vec<String> = (0..100_000).map(|number| format!("line {number}")).collect();
    append(&file, &(all.join("\n") + "\n"));
    let mut config = config(&file);
    config.insert("batch.size".to_owned(), "999".to_owned());
    let mut rig = Rig::start(&CONNECTOR, &config, Stored::default());
    let mut found = Vec::new();
    while found.len() < all.len() {
        let batches = rig.records().unwrap();
        assert!(batches.iter().all(|batch| batch.rows() <= 999));
        found.extend(lines(&batches));
    }
    let size = fs::metadata(&file).unwrap().len();
    assert_eq!(found.last().unwrap().1, i64::try_from(size).unwrap());
    assert!(found.iter().map(|(line, _)| line).eq(all.iter()));
}

#[test]
fn a_batch_size_below_one_means_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("in.txt");
    append(&file, "a\nb\n");
    let mut config = config(&file);
    config.insert("batch.size".to_owned(), "0".to_owned());
    let mut rig = Rig::start(&CONNECTOR, &config, Stored::default());
    assert_eq!(lines(&rig.records().unwrap()), pairs(&[("a", 2)]));
    assert_eq!(lines(&rig.records().unwrap()), pairs(&[("b", 4)]));
}

#[test]
fn bytes_that_are_no_text_become_replacement_characters_and_count_as_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("in.bin");
    fs::write(&file, b"a\xff\xfeb\n").unwrap();
    let mut rig = Rig::start(&CONNECTOR, &config(&file), Stored::default());
    assert_eq!(lines(&rig.records().unwrap()), pairs(&[("a\u{fffd}\u{fffd}b", 5)]));
}

#[test]
fn a_named_pipe_is_read_while_its_writer_lives() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let mut rig = Rig::start(&CONNECTOR, &config(&pipe), Stored::default());
    rig.idle();
    let mut writer = OpenOptions::new().write(true).open(&pipe).unwrap();
    writer.write_all(b"through\n").unwrap();
    assert_eq!(lines(&rig.records().unwrap()), pairs(&[("through", 8)]));
}

#[test]
fn a_folder_fails_the_task_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(&CONNECTOR, &config(folder.path()), Stored::default());
    let error = rig.records().unwrap_err();
    assert!(error.trace().contains(folder.path().to_str().unwrap()), "{}", error.trace());
}

#[test]
fn a_stored_position_that_is_no_number_fails_the_task() {
    let stored = Stored(vec![((*map("filename", text("/f"))).clone(), map("position", text("5")))]);
    let config = props(&[("file", "/f"), ("topic", "t")]);
    let error = Rig::try_start(&CONNECTOR, &config, stored).err().unwrap();
    assert_eq!(error.to_string(), "Offset position is the incorrect type");
}

#[test]
fn keys_are_javas() {
    let definition = CONNECTOR.config_def();
    let keys: Vec<(&str, ConfigType, DefaultValue)> =
        definition.keys().iter().map(|key| (key.name.as_str(), key.kind, key.default.clone())).collect();
    let expected = [
        ("file", ConfigType::String, DefaultValue::Null),
        ("topic", ConfigType::String, DefaultValue::Required),
        ("batch.size", ConfigType::Int, DefaultValue::Text("2000".to_owned())),
    ];
    assert_eq!(keys, expected);
    let errors = |config: &ConfigMap| -> Vec<String> {
        CONNECTOR.validate(config).into_iter().flat_map(|value| value.errors).collect()
    };
    assert_eq!(
        errors(&props(&[("topic", "")])),
        ["Invalid value  for configuration topic: String must be non-empty"]
    );
}

#[test]
fn exactly_once_needs_a_file() {
    let support = |config: &[(&str, &str)]| CONNECTOR.exactly_once_support(&props(config));
    assert_eq!(support(&[("topic", "t"), ("file", "f")]), ExactlyOnceSupport::Supported);
    assert_eq!(support(&[("topic", "t"), ("file", "")]), ExactlyOnceSupport::Unsupported);
    assert_eq!(support(&[("topic", "t")]), ExactlyOnceSupport::Unsupported);
}

#[test]
fn offsets_that_make_no_sense_are_refused_in_javas_words() {
    let file = props(&[("topic", "t"), ("file", "f")]);
    let alter = |partition: &SourceMap, offset: Option<SourceMap>| {
        CONNECTOR
            .alter_offsets(&file, &[(Arc::clone(partition), offset)])
            .map_err(|error| format!("{}: {error}", error.java_class().rsplit('.').next().unwrap()))
    };
    let partition = map("filename", text("f"));
    let other = map("other", text("f"));
    let position = |value: Value| Some(map("position", value));
    let refused = |problem: &str| Err(format!("ConnectException: {problem}"));
    assert_eq!(alter(&partition, position(Value::Int64(0))), Ok(OffsetsAltered::Done));
    // Java looks at the partition only when the offset is not null.
    assert_eq!(alter(&other, None), Ok(OffsetsAltered::Done));
    assert_eq!(
        alter(&partition, Some(map("pos", Value::Int64(1)))),
        refused("Offset objects should either be null or contain the key 'position'")
    );
    assert_eq!(
        alter(&partition, position(text("1"))),
        refused("The value for the 'position' key in the offset is expected to be a Long value")
    );
    assert_eq!(
        alter(&partition, position(Value::Int64(-1))),
        refused("The value for the 'position' key in the offset should be a non-negative value")
    );
    assert_eq!(
        alter(&Arc::new(Value::Null), position(Value::Int64(1))),
        refused("Partition objects cannot be null")
    );
    assert_eq!(
        alter(&other, position(Value::Int64(1))),
        refused("Partition objects should contain the key 'filename'")
    );
    let stdin = CONNECTOR.alter_offsets(&props(&[("topic", "t")]), &[]).unwrap_err().to_string();
    assert!(stdin.starts_with("Offsets cannot be modified if the 'file' configuration is unspecified."));
}
