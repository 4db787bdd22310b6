//! Lines in files, positions that wait for them, and failures.

use std::fs;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, StringArray, StructArray};
use lakeward_api::ErrorClass;
use lakeward_api::batch::Values;
use lakeward_api::config::{ConfigType, DefaultValue};
use lakeward_api::plugin::SinkConnector as _;
use lakeward_api::record::Position;
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::value::Value;

use super::FileStreamSinkConnector;
use crate::rig::{Rig, batch, partition, props};

const CONNECTOR: FileStreamSinkConnector = FileStreamSinkConnector;

fn text(text: &str) -> Value {
    Value::String(text.into())
}

fn durable(next_offset: i64) -> Vec<Position> {
    vec![Position { partition: partition(), next_offset }]
}

#[test]
fn lines_are_appended_and_then_durable() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.txt");
    fs::write(&file, "before\n").unwrap();
    let mut rig = Rig::start(&CONNECTOR, &props(&[("file", file.to_str().unwrap())])).unwrap();
    rig.put(batch(5, vec![text("a"), Value::Null, Value::Int32(3)])).unwrap();
    assert!(!rig.task.is_settled(&[partition()]));
    assert_eq!(rig.durable().unwrap(), durable(8));
    assert_eq!(fs::read_to_string(&file).unwrap(), "before\na\nnull\n3\n");
    assert!(rig.task.is_settled(&[partition()]) && rig.in_flight.used_bytes() == 0);
    rig.put(batch(8, vec![text("\u{e4}")])).unwrap();
    assert_eq!(rig.durable().unwrap(), durable(9));
    assert_eq!(fs::read_to_string(&file).unwrap(), "before\na\nnull\n3\n\u{e4}\n");
}

#[test]
fn values_have_the_texts_that_java_gives_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.txt");
    let mut rig = Rig::start(&CONNECTOR, &props(&[("file", file.to_str().unwrap())])).unwrap();
    let field =
        |name: &str, kind: Kind| Field { name: name.into(), schema: Arc::new(Schema::optional(kind)) };
    let schema = Schema::new(Kind::Struct(vec![field("id", Kind::Int32), field("name", Kind::String)]));
    let columns: Vec<ArrayRef> =
        vec![Arc::new(Int32Array::from(vec![1, 2])), Arc::new(StringArray::from(vec![Some("x"), None]))];
    let array = Arc::new(StructArray::new(schema.arrow_fields(), columns, None));
    let mut structs = batch(0, vec![Value::Null, Value::Null]);
    structs.values = Values::Typed { schema: Arc::new(schema), array };
    rig.put(structs).unwrap();
    let map = Value::Map(vec![(text("b"), Value::Boolean(true)), (text("a"), Value::Float64(1.0))]);
    rig.put(batch(2, vec![map, Value::Array(vec![text("x"), Value::Null])])).unwrap();
    assert_eq!(rig.durable().unwrap(), durable(4));
    let expected = "Struct{id=1,name=x}\nStruct{id=2}\n{a=1.0, b=true}\n[x, null]\n";
    assert_eq!(fs::read_to_string(&file).unwrap(), expected);
}

#[test]
fn the_file_is_created_without_records_and_left_out_records_pass() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.txt");
    let mut rig = Rig::start(&CONNECTOR, &props(&[("file", file.to_str().unwrap())])).unwrap();
    rig.task.passed(&Position { partition: partition(), next_offset: 7 });
    assert!(!rig.task.has_started());
    assert_eq!(rig.durable().unwrap(), durable(7));
    assert!(rig.task.has_started());
    assert_eq!(fs::read_to_string(&file).unwrap(), "");
}

#[test]
fn a_file_that_cannot_be_created_fails_the_task_in_javas_words() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("missing").join("out.txt");
    let mut rig = Rig::start(&CONNECTOR, &props(&[("file", file.to_str().unwrap())])).unwrap();
    let error = rig.durable().unwrap_err();
    let expected = format!("Couldn't find or create file '{}' for FileStreamSinkTask", file.display());
    assert_eq!((error.class(), error.to_string()), (ErrorClass::Fatal, expected));
    assert!(error.trace().contains("Caused by: java.nio.file.NoSuchFileException"), "{}", error.trace());
    assert!(!rig.task.has_started());
}

#[test]
fn lines_that_wait_count_as_bytes_in_flight() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.txt");
    let mut rig = Rig::start(&CONNECTOR, &props(&[("file", file.to_str().unwrap())])).unwrap();
    rig.put(batch(0, vec![text(&"x".repeat(2000))])).unwrap();
    assert!(rig.in_flight.is_exhausted() && rig.task.buffered_bytes() == 2001);
    rig.durable().unwrap();
    assert!(!rig.in_flight.is_exhausted() && rig.task.buffered_bytes() == 0);
}

#[test]
fn a_full_disk_is_a_failure_that_may_heal() {
    let mut rig = Rig::start(&CONNECTOR, &props(&[("file", "/dev/full")])).unwrap();
    rig.put(batch(0, vec![text("x")])).unwrap();
    assert_eq!(rig.durable().unwrap_err().class(), ErrorClass::Retriable);
}

#[test]
fn keys_are_javas() {
    let definition = CONNECTOR.config_def();
    let [key] = definition.keys() else { panic!("{definition:?}") };
    assert_eq!(
        (key.name.as_str(), key.kind, &key.default),
        ("file", ConfigType::String, &DefaultValue::Null)
    );
}
