//! Random Connect schemas come back from their JSON Schema, and random values from their payloads.

use std::sync::{Arc, Mutex};

use lakeward_api::batch::Values;
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::Converter;
use lakeward_api::plugin::ConverterRole;
use lakeward_api::rows::value_at;
use lakeward_api::schema::{Field, Kind, Logical, Schema};
use lakeward_registry::{
    CompatibilityLevel, RegistrySettings, SchemaText, SchemaType, Store, Writing, local,
};

use super::super::super::registry_framing::dump;
use super::super::super::registry_framing::rules;
use super::super::convert::{JsonSchema, connect_schema};
use super::super::from_connect::from_connect;
use super::super::members::print;
use super::super::{JsonSchemaConverter, union::is_union};
use crate::random::Random;

fn schema(random: &mut Random, depth: usize) -> Schema {
    let mut schema = match random.below(if depth == 0 { 13 } else { 17 }) {
        0 => Schema::new(Kind::Boolean),
        1 => Schema::new(Kind::Bytes),
        2 => Schema::new(Kind::Float32),
        3 => Schema::new(Kind::Float64),
        4 => Schema::new(Kind::Int16),
        5 => Schema::new(Kind::Int32),
        6 => Schema::new(Kind::Int64),
        7 => Schema::new(Kind::Int8),
        8 => Schema::new(Kind::String),
        9 => Schema::logical_of(Logical::Date),
        10 => Schema::logical_of(Logical::Time),
        11 => Schema::logical_of(Logical::Timestamp),
        12 => Schema::logical_of(Logical::Decimal { scale: 2 }),
        13 => Schema::new(Kind::Array(Arc::new(self::schema(random, depth - 1)))),
        14 => {
            let keys = [Kind::String, Kind::Int32, Kind::Boolean];
            let key = Arc::new(Schema::new(keys[random.below(3)].clone()));
            Schema::new(Kind::Map { key, value: Arc::new(self::schema(random, depth - 1)) })
        }
        _ => {
            let names = ["zeta", "a", "b c", "é", "amount", "created_at"];
            let field = |name: &&str| Field {
                name: (*name).into(),
                schema: Arc::new(self::schema(random, depth - 1)),
            };
            Schema::new(Kind::Struct(names.iter().map(field).collect()))
        }
    };
    schema.optional = random.below(3) == 0;
    if schema.name.is_none() && random.below(4) == 0 {
        schema = schema.named("my.Name");
        schema.version = Some(3);
        schema.doc = Some("a \"doc\"".into());
        schema.parameters.insert("zz".to_owned(), "1".to_owned());
        schema.parameters.insert("a".to_owned(), "2".to_owned());
    }
    schema
}

/// A payload of `schema`.
fn payload(random: &mut Random, schema: &Schema) -> String {
    if schema.optional && random.below(4) == 0 {
        return "null".to_owned();
    }
    let integer = |random: &mut Random, bits: u32| (random.next() as i64 >> (64 - bits)).to_string();
    match (schema.logical(), &schema.kind) {
        (Some(Logical::Decimal { .. }), _) => ["1.25", "-0.5", "\"AJY=\""][random.below(3)].to_owned(),
        (Some(Logical::Time), _) => random.below(86_400_000).to_string(),
        (_, Kind::Array(item)) => {
            let items: Vec<String> = (0..random.below(4)).map(|_| payload(random, item)).collect();
            format!("[{}]", items.join(","))
        }
        (_, Kind::Boolean) => ["true", "false"][random.below(2)].to_owned(),
        (_, Kind::Bytes) => ["\"\"", "\"AQI=\""][random.below(2)].to_owned(),
        (_, Kind::Float32 | Kind::Float64) => format!("{}", random.below(100_000) as f64 / 64.0),
        (_, Kind::Int16) => integer(random, 16),
        (_, Kind::Int32) => integer(random, 32),
        (_, Kind::Int64) => integer(random, 64),
        (_, Kind::Int8) => integer(random, 8),
        (_, Kind::Map { key, value }) if matches!(key.kind, Kind::String) => {
            let names = ["k", "zeta", "é😀"];
            let entries = names.iter().map(|name| format!("\"{name}\":{}", payload(random, value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
        (_, Kind::Map { key, value }) => {
            let entry =
                |_| format!("{{\"key\":{},\"value\":{}}}", payload(random, key), payload(random, value));
            format!("[{}]", (0..3).map(entry).collect::<Vec<_>>().join(","))
        }
        (_, Kind::Recursive(recursive)) => payload(random, &recursive.resolve()),
        (_, Kind::String) => ["\"\"", "\"x\\n\"", "\"é😀\""][random.below(3)].to_owned(),
        (_, Kind::Struct(fields)) => {
            let members =
                fields.iter().map(|field| format!("\"{}\":{}", field.name, payload(random, &field.schema)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
    }
}

fn settings() -> ConfigMap {
    ConfigMap::from([("schema.registry.url".to_owned(), "http://registry".to_owned())])
}

fn text_of(schema: &Schema) -> SchemaText {
    let of_registry = RegistrySettings::parse(&settings(), false).unwrap();
    let mapping = rules::<JsonSchema>(ConverterRole::Value, &settings(), &of_registry).unwrap().mapping;
    let mut text = String::new();
    print(&from_connect(schema, mapping).unwrap(), &mut text);
    SchemaText { kind: SchemaType::Json, text: text.into(), references: Vec::new() }
}

#[test]
fn schemas_come_back_from_their_text() {
    let of_registry = RegistrySettings::parse(&settings(), false).unwrap();
    let mapping = rules::<JsonSchema>(ConverterRole::Value, &settings(), &of_registry).unwrap().mapping;
    let mut random = Random(3);
    for _ in 0..300 {
        let schema = schema(&mut random, 2);
        assert!(!is_union(&schema));
        let text = text_of(&schema);
        let registered = lakeward_registry::RegisteredSchema {
            id: 1,
            guid: None,
            version: None,
            schema: text.clone(),
            dependencies: Vec::new(),
        };
        assert_eq!(connect_schema(&registered, mapping).unwrap(), schema, "{}", text.text);
    }
}

#[test]
fn values_come_back_from_their_payloads() {
    let mut random = Random(5);
    for _ in 0..60 {
        let schema = schema(&mut random, 2);
        let store = Arc::new(Mutex::new(Store::new()));
        store.lock().unwrap().set_level(None, CompatibilityLevel::None);
        let id = store.lock().unwrap().register("t-value", text_of(&schema).into(), false, None).unwrap().id;
        let registry = local(store, Writing::default());
        let mut converter = JsonSchemaConverter::over(registry, ConverterRole::Value, &settings()).unwrap();
        let payload = |json: String| [&[0], id.to_be_bytes().as_slice(), json.as_bytes()].concat();
        let records: Vec<_> = (0..20).map(|_| payload(self::payload(&mut random, &schema))).collect();
        let first = decoded(&mut converter, &records);
        assert!(converter.poll_encode_ready("t", &first).unwrap().is_ready());
        let encoded = converter.encode("t", &first).unwrap();
        assert!(encoded.errors.is_empty(), "{:?}", encoded.errors);
        let records: Vec<_> = (0..20).map(|row| encoded.payload(row).unwrap().to_vec()).collect();
        let again = decoded(&mut converter, &records);
        let texts = |values: &Values| match values {
            Values::Typed { schema, array } => {
                (0..array.len()).map(|row| dump::value(&value_at(schema, array, row))).collect::<Vec<_>>()
            }
            _ => panic!("not typed"),
        };
        assert_eq!(texts(&first), texts(&again), "{schema:?}");
    }
}

fn decoded(converter: &mut JsonSchemaConverter, records: &[Vec<u8>]) -> Values {
    let payloads: Vec<Option<&[u8]>> = records.iter().map(|record| Some(record.as_slice())).collect();
    assert!(converter.poll_decode_ready("t", &payloads).unwrap().is_ready());
    let mut decoded = converter.decode("t", &payloads).unwrap();
    assert!(decoded.errors.is_empty(), "{:?}", decoded.errors);
    decoded.runs.remove(0).values
}
