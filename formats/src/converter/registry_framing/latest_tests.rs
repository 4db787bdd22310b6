//! Payloads that are read as the latest version of their subject.

use std::sync::{Arc, Mutex};
use std::task::Poll;

use lakeward_api::batch::Values;
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::{Converter, Decoded};
use lakeward_api::plugin::ConverterRole;
use lakeward_api::rows;
use lakeward_registry::{
    CompatibilityLevel, Reading, Registry, SchemaText, SchemaType, Store, Writing, local_reading,
};

use super::super::avro::AvroConverter;
use super::super::json_schema::JsonSchemaConverter;
use super::super::protobuf::ProtobufConverter;
use super::dump;

type Shared = Arc<Mutex<Store>>;

fn settings() -> ConfigMap {
    let pairs = [("schema.registry.url", "http://registry"), ("use.latest.version", "true")];
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

fn registry(store: &Shared) -> Box<dyn Registry> {
    local_reading(Arc::clone(store), Writing::default(), Reading::Latest)
}

fn register(store: &Shared, kind: SchemaType, text: &str) -> i32 {
    let schema = SchemaText { kind, text: text.into(), references: Vec::new() };
    let mut store = store.lock().unwrap();
    store.set_level(None, CompatibilityLevel::None);
    store.register("t-value", schema.into(), false, None).unwrap().id
}

fn payload(id: i32, value: &[u8]) -> Vec<u8> {
    [&[0], id.to_be_bytes().as_slice(), value].concat()
}

fn decode(converter: &mut dyn Converter, payloads: &[&[u8]]) -> Decoded {
    let payloads: Vec<Option<&[u8]>> = payloads.iter().map(|payload| Some(*payload)).collect();
    assert_eq!(converter.poll_decode_ready("t", &payloads).unwrap(), Poll::Ready(()));
    converter.decode("t", &payloads).unwrap()
}

/// The messages of the one error and its causes.
fn texts(decoded: &Decoded) -> Vec<String> {
    let [(_, error)] = decoded.errors.as_slice() else { panic!("{decoded:?}") };
    let mut texts = vec![error.to_string()];
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        texts.push(cause.to_string());
        source = cause.source();
    }
    texts
}

/// Version and values of the one run.
fn run(decoded: &Decoded) -> (Option<i32>, Vec<String>) {
    assert!(decoded.errors.is_empty(), "{:?}", decoded.errors);
    let [run] = decoded.runs.as_slice() else { panic!("{} runs", decoded.runs.len()) };
    let Values::Typed { schema, array } = &run.values else { panic!("a schema was registered") };
    let values = (0..array.len()).map(|row| dump::value(&rows::value_at(schema, array, row))).collect();
    (schema.version, values)
}

#[test]
fn avro_is_resolved_to_the_latest_version_whenever_there_is_a_new_one() {
    let store = Shared::default();
    let record = |fields: &str| format!(r#"{{"type":"record","name":"R","fields":[{fields}]}}"#);
    let old = record(r#"{"name":"a","type":"int"},{"name":"b","type":"string"}"#);
    let first = register(&store, SchemaType::Avro, &old);
    let mut converter = AvroConverter::over(registry(&store), ConverterRole::Value, &settings()).unwrap();
    let written = payload(first, &[6, 2, b'x']);
    assert_eq!(run(&decode(&mut converter, &[&written])), (Some(1), vec![r#"(3i,"x",)"#.to_owned()]));

    let new = concat!(
        r#"{"name":"c","type":"string","default":"none"},"#,
        r#"{"name":"b","type":"string"},{"name":"a","type":"long"}"#
    );
    let new = record(new);
    let second = register(&store, SchemaType::Avro, &new);
    // As in Java, the version is that of the schema the payload was written with.
    assert_eq!(run(&decode(&mut converter, &[&written])), (Some(1), vec![r#"("none","x",3l,)"#.to_owned()]));
    let others = payload(second, &[2, b'c', 2, b'b', 8]);
    assert_eq!(run(&decode(&mut converter, &[&others])), (Some(2), vec![r#"("c","b",4l,)"#.to_owned()]));

    let narrow = record(r#"{"name":"b","type":"int"}"#);
    register(&store, SchemaType::Avro, &narrow);
    let decoded = decode(&mut converter, &[&written]);
    assert_eq!(
        texts(&decoded),
        [
            "Failed to deserialize data for topic t to Avro:",
            "Error deserializing Avro message for id 1",
            "Found string, expecting int"
        ]
    );
}

#[test]
fn json_is_read_with_the_latest_version() {
    let store = Shared::default();
    let object = |members: &str| format!(r#"{{"type":"object","properties":{{{members}}}}}"#);
    let first = register(&store, SchemaType::Json, &object(r#""a":{"type":"integer"}"#));
    let second = register(&store, SchemaType::Json, &object(r#""a":{"type":"number"}"#));
    assert_ne!(first, second);
    let mut converter =
        JsonSchemaConverter::over(registry(&store), ConverterRole::Value, &settings()).unwrap();
    let decoded = decode(&mut converter, &[&payload(first, br#"{"a":3}"#)]);
    assert_eq!(run(&decoded), (Some(2), vec!["(d:4008000000000000,)".to_owned()]));
}

#[test]
fn protobuf_is_read_as_the_message_of_that_name_in_the_latest_version() {
    let store = Shared::default();
    let file = |messages: &str| format!("syntax = \"proto3\"; package p; {messages}");
    let first = register(&store, SchemaType::Protobuf, &file("message A { int32 x = 1; }"));
    let new = "message B { string y = 2; } message A { int32 x = 1; string y = 2; }";
    register(&store, SchemaType::Protobuf, &file(new));
    let mut converter = ProtobufConverter::over(registry(&store), ConverterRole::Value, &settings()).unwrap();
    let value = [0, 8, 5, 18, 1, b'z'];
    let decoded = decode(&mut converter, &[&payload(first, &value)]);
    assert_eq!(run(&decoded), (Some(2), vec![r#"(5i,"z",)"#.to_owned()]));
    // Where there is no such message any more, the first one counts.
    register(&store, SchemaType::Protobuf, &file("message B { string y = 2; }"));
    let decoded = decode(&mut converter, &[&payload(first, &value)]);
    assert_eq!(run(&decoded), (Some(3), vec![r#"("z",)"#.to_owned()]));
}

#[test]
fn without_a_latest_version_payloads_are_refused() {
    let store = Shared::default();
    let first = register(&store, SchemaType::Avro, "\"int\"");
    let mut converter = AvroConverter::over(registry(&store), ConverterRole::Value, &settings()).unwrap();
    store.lock().unwrap().delete_subject("t-value", false).unwrap();
    let decoded = decode(&mut converter, &[&payload(first, &[2])]);
    let texts = texts(&decoded);
    assert_eq!(texts[1], "Error deserializing Avro message for id 1");
    assert!(texts[2].ends_with("error code: 40401"), "{texts:?}");
}
