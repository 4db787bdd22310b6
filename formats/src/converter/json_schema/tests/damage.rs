//! Damaged payloads and schemas: never a panic, every row answered, and good rows around them intact.

use std::sync::Arc;

use lakeward_api::config::ConfigMap;
use lakeward_api::converter::Converter;
use lakeward_api::plugin::ConverterRole;
use lakeward_registry::{RegisteredSchema, RegistrySettings, SchemaText, SchemaType, Store, Writing, local};

use super::super::super::registry_framing::rules;
use super::super::JsonSchemaConverter;
use super::super::convert::{JsonSchema, connect_schema};
use crate::random::Random;

const SCHEMA: &str = r#"{"type":"object","title":"T","properties":{
    "a":{"type":"integer"},"b":{"type":"string"},
    "c":{"oneOf":[{"type":"null"},{"type":"string"},{"type":"array","items":{"type":"number"}},
        {"type":"object","properties":{"x":{"type":"string"}}}]},
    "d":{"type":"array","connect.type":"map","items":{"type":"object","properties":{
        "key":{"type":"integer"},"value":{"type":"string"}}}},
    "e":{"type":"object","connect.type":"map","additionalProperties":{"type":"boolean"}}}}"#;

const GOOD: &str = r#"{"a":12,"b":"text \u00e9","c":{"x":"y"},
    "d":[{"key":1,"value":"v"},{"key":1,"value":"w"}],
    "e":{"k":true,"k":false}}"#;

fn settings() -> ConfigMap {
    ConfigMap::from([("schema.registry.url".to_owned(), "http://registry".to_owned())])
}

fn text(text: &str) -> SchemaText {
    SchemaText { kind: SchemaType::Json, text: text.into(), references: Vec::new() }
}

/// `good` with a few bytes changed, removed or repeated.
fn damaged(random: &mut Random, good: &[u8]) -> Vec<u8> {
    const TOKENS: &[u8] = b"{}[]\",:0123456789.eE+-\\tfn \xff\x00\xc3";
    let mut bytes = good.to_vec();
    for _ in 0..1 + random.below(3) {
        let at = random.below(bytes.len().max(1)).min(bytes.len() - 1);
        match random.below(4) {
            0 => bytes[at] = random.pick(TOKENS),
            1 if bytes.len() > 1 => drop(bytes.remove(at)),
            2 => bytes.truncate(at.max(1)),
            _ => bytes.insert(at, bytes[at]),
        }
    }
    bytes
}

#[test]
fn damaged_payloads_spoil_only_themselves() {
    let store = Arc::new(std::sync::Mutex::new(Store::new()));
    let id = store.lock().unwrap().register("t-value", text(SCHEMA).into(), false, None).unwrap().id;
    let registry = local(store, Writing::default());
    let mut converter = JsonSchemaConverter::over(registry, ConverterRole::Value, &settings()).unwrap();
    let good = [&[0], id.to_be_bytes().as_slice(), GOOD.as_bytes()].concat();
    let mut random = Random(7);
    let mut failed = 0;
    for _ in 0..400 {
        let records: Vec<Vec<u8>> = (0..16)
            .map(|row| if row % 4 == 0 { good.clone() } else { damaged(&mut random, &good) })
            .collect();
        let payloads: Vec<Option<&[u8]>> = records.iter().map(|record| Some(record.as_slice())).collect();
        assert!(converter.poll_decode_ready("t", &payloads).unwrap().is_ready());
        let decoded = converter.decode("t", &payloads).unwrap();
        let mut rows: Vec<usize> =
            decoded.runs.iter().flat_map(|run| &run.rows).map(|row| *row as usize).collect();
        for run in &decoded.runs {
            assert_eq!(run.rows.len(), run.values.rows());
        }
        assert!([0, 4, 8, 12].iter().all(|row| rows.contains(row)), "a good row was lost");
        failed += decoded.errors.len();
        rows.extend(decoded.errors.iter().map(|(row, _)| *row));
        rows.sort_unstable();
        assert_eq!(rows, (0..16).collect::<Vec<_>>(), "rows were lost or doubled");
    }
    assert!(failed > 1000, "the damage is too mild: {failed}");
}

#[test]
fn damaged_schemas_are_refused_or_mapped() {
    let settings = settings();
    let rules = rules::<JsonSchema>(
        ConverterRole::Value,
        &settings,
        &RegistrySettings::parse(&settings, false).unwrap(),
    );
    let mapping = rules.unwrap().mapping;
    let mut random = Random(11);
    let (mut mapped, mut refused) = (0, 0);
    for _ in 0..4000 {
        let bytes = damaged(&mut random, SCHEMA.as_bytes());
        let schema = text(&String::from_utf8_lossy(&bytes));
        let registered =
            RegisteredSchema { id: 1, guid: None, version: Some(1), schema, dependencies: Vec::new() };
        match connect_schema(&registered, mapping) {
            Ok(_) => mapped += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(mapped > 100 && refused > 1000, "{mapped} mapped, {refused} refused");
}

#[test]
fn schemas_that_grow_without_bounds_are_refused() {
    let settings = settings();
    let rules = rules::<JsonSchema>(
        ConverterRole::Value,
        &settings,
        &RegistrySettings::parse(&settings, false).unwrap(),
    );
    let mapping = rules.unwrap().mapping;
    let doubling = |level: usize| {
        let next = format!(r##"{{"$ref":"#/definitions/d{}"}}"##, level + 1);
        format!(r##""d{level}":{{"oneOf":[{next},{next}]}}"##)
    };
    let levels: Vec<String> = (0..40).map(doubling).collect();
    let levels = levels.join(",");
    let exponential =
        format!(r##"{{"$ref":"#/definitions/d0","definitions":{{{levels},"d40":{{"type":"string"}}}}}}"##);
    let chain: Vec<String> =
        (0..5000).map(|at| format!(r##""d{at}":{{"$ref":"#/definitions/d{}"}}"##, at + 1)).collect();
    let chain = format!(
        r##"{{"$ref":"#/definitions/d0","definitions":{{{},"d5000":{{"type":"string"}}}}}}"##,
        chain.join(",")
    );
    let deep = format!("{}{}", r#"{"type":"array","items":"#.repeat(5000), "}".repeat(5000));
    let objects: Vec<String> = (0..40)
        .map(|level| {
            let next = format!(r##"{{"$ref":"#/definitions/d{}"}}"##, level + 1);
            format!(r##""d{level}":{{"type":"object","properties":{{"a":{next},"b":{next}}}}}"##)
        })
        .collect();
    let objects = format!(
        r##"{{"$ref":"#/definitions/d0","definitions":{{{},"d40":{{"type":"string"}}}}}}"##,
        objects.join(",")
    );
    for schema in [exponential, chain, deep, objects] {
        let registered = RegisteredSchema {
            id: 1,
            guid: None,
            version: Some(1),
            schema: text(&schema),
            dependencies: Vec::new(),
        };
        assert!(connect_schema(&registered, mapping).is_err());
    }
}
