//! What Java's own classes make of schemas and values: `schemas.txt` and `values.txt`.
//!
//! `settings|schema`, then `= Connect schema` and `< the schema it is written as`, or `! exception`. Payloads
//! stand below their schema: `> payload`, then `= value` and `< the payload it is written as`, or `!
//! exception`.

use std::sync::Arc;

use lakeward_api::batch::Values;
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::Converter;
use lakeward_api::plugin::ConverterRole;
use lakeward_api::rows::value_at;
use lakeward_registry::{RegisteredSchema, RegistrySettings, SchemaText, SchemaType, Store, Writing, local};

use super::super::super::registry_framing::{dump, rules};
use super::super::JsonSchemaConverter;
use super::super::config::Mapping;
use super::super::convert::{JsonSchema, connect_schema};
use super::super::fault::READING;
use super::super::from_connect::from_connect;
use super::super::members::print;

const SCHEMAS: &str = include_str!("schemas.txt");
const VALUES: &str = include_str!("values.txt");

fn settings(text: &str) -> ConfigMap {
    let given = text.split(',').filter_map(|pair| pair.split_once('='));
    let given = given.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let url = ("schema.registry.url".to_owned(), "http://registry".to_owned());
    given.chain([url]).collect()
}

fn mapping_of(text: &str) -> Mapping {
    let settings = settings(text);
    let of_registry = RegistrySettings::parse(&settings, false).unwrap();
    rules::<JsonSchema>(ConverterRole::Value, &settings, &of_registry).unwrap().mapping
}

fn registered(text: &str) -> RegisteredSchema {
    let schema = SchemaText { kind: SchemaType::Json, text: text.into(), references: Vec::new() };
    RegisteredSchema { id: 1, guid: None, version: Some(7), schema, dependencies: Vec::new() }
}

#[test]
fn schemas_are_mapped_as_java_maps_them() {
    let mut differences = Vec::new();
    for case in SCHEMAS.split("\n\n") {
        let lines: Vec<&str> = case.lines().collect();
        let (settings, text) = lines[0].split_once('|').unwrap();
        let mapping = mapping_of(settings);
        let mapped = connect_schema(&registered(text), mapping);
        let found: Vec<String> = match &mapped {
            Ok(schema) => {
                let mut written = String::from("< ");
                print(&from_connect(schema, mapping).unwrap(), &mut written);
                vec![format!("= {}", dump::schema(schema)), written]
            }
            Err(fault) => vec![format!("! {}", fault.while_reading(READING, "t", Some("1")).java_class())],
        };
        if found != lines[1..] {
            differences.push(format!("{case}\nour answer:\n{}\n", found.join("\n")));
        }
    }
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn values_are_read_and_written_as_java_does() {
    let mut differences = Vec::new();
    for case in VALUES.split("\n\n") {
        let (head, _) = case.split_once('\n').unwrap();
        let (given, text) = head.split_once('|').unwrap();
        let store = Arc::new(std::sync::Mutex::new(Store::new()));
        let schema: lakeward_registry::SchemaText = registered(text).schema;
        let id = store.lock().unwrap().register("t-value", schema.into(), false, None).unwrap().id;
        store.lock().unwrap().set_level(None, lakeward_registry::CompatibilityLevel::None);
        let registry = local(store, Writing::default());
        let mut converter =
            JsonSchemaConverter::over(registry, ConverterRole::Value, &settings(given)).unwrap();
        for block in case.split("\n> ").skip(1) {
            let lines: Vec<&str> = block.lines().collect();
            let found = there_and_back(&mut converter, id, lines[0]);
            let expected: Vec<&str> = lines[1..].to_vec();
            if found != expected {
                differences.push(format!("{head}\n> {block}\nour answer:\n{}\n", found.join("\n")));
            }
        }
    }
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}

fn there_and_back(converter: &mut JsonSchemaConverter, id: i32, json: &str) -> Vec<String> {
    let payload = [&[0], id.to_be_bytes().as_slice(), json.as_bytes()].concat();
    let payloads = [Some(payload.as_slice())];
    assert!(converter.poll_decode_ready("t", &payloads).unwrap().is_ready());
    let decoded = converter.decode("t", &payloads).unwrap();
    if let [(0, error)] = decoded.errors.as_slice() {
        return vec![format!("! {}: {error}", error.java_class())];
    }
    let values = &decoded.runs[0].values;
    let Values::Typed { schema, array } = values else { panic!("typed values") };
    assert_eq!(array.data_type(), &schema.arrow_type());
    let value = dump::value(&value_at(schema, array, 0));
    assert!(converter.poll_encode_ready("t", values).unwrap().is_ready());
    let encoded = converter.encode("t", values).unwrap();
    if let [(0, error)] = encoded.errors.as_slice() {
        return vec![format!("= {value}"), format!("< ! {}: {error}", error.trace())];
    }
    let payload = encoded.payload(0).unwrap();
    assert_eq!(payload[0], 0);
    vec![format!("= {value}"), format!("< {}", std::str::from_utf8(&payload[5..]).unwrap())]
}
