//! Texts of schemas: those of a registry in its three languages, and the one that a connector's settings
//! declare. What is made of them reads a few payloads, too.

use std::sync::{Arc, Mutex};

use lakeward_api::config::ConfigMap;
use lakeward_api::plugin::{ConverterContext, ConverterRole, PluginRegistry};
use lakeward_registry::store::VersionId;
use lakeward_registry::{CompatibilityLevel, SchemaType, Store};

use super::Decoder;
use super::converters::read_between;
use super::registered::{over, with_magic, written};

/// A schema that comes before the one of the input.
const BEFORE: [(SchemaType, &str); 3] = [
    (
        SchemaType::Avro,
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":"string"},{"name":"next","type":
        ["null","R"]},{"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]},"default":"A"}]}"#,
    ),
    (
        SchemaType::Json,
        r#"{"type":"object","title":"T","properties":{"a":{"type":"integer"},"b":{"oneOf":[{"type":"null"},
        {"type":"string"},{"enum":[1,"x"]}]},"c":{"type":"array","items":{"type":"number"}}}}"#,
    ),
    (
        SchemaType::Protobuf,
        r#"syntax = "proto3"; enum E { A = 0; } message M { string a = 1; E b = 2; N n = 3; map<int32, N>
        m = 4; oneof o { int64 c = 5; bytes d = 6; } } message N { repeated int32 a = 1; }"#,
    ),
];
/// Short payloads of every language.
pub(super) const PAYLOADS: [&[u8]; 9] = [
    b"",
    &[0],
    &[2],
    &[0, 10, 1, b'x', 18, 0, 24, 1],
    &[2, 2, 2, 2, 2, 2, 2, 2],
    b"{}",
    b"[null]",
    b"\"x\"",
    b"{\"a\":1,\"b\":null}",
];

/// One decoder per language.
pub(super) fn decoders() -> Vec<Decoder> {
    let mut all: Vec<Decoder> = BEFORE.iter().map(|(kind, before)| registered(*kind, before)).collect();
    all.push(declared());
    all
}

/// A schema that is registered after another one and after a variant of itself, and then used.
fn registered(kind: SchemaType, before: &'static str) -> Decoder {
    let name = match kind {
        SchemaType::Avro => "schema Avro",
        SchemaType::Json => "schema JSON",
        SchemaType::Protobuf => "schema Protobuf",
    };
    Decoder::new(name, move |input| {
        let text = String::from_utf8_lossy(input);
        let mut store = Store::default();
        store.set_level(None, CompatibilityLevel::Full);
        let schema = || written(kind, &text).into();
        store.register("before", written(kind, before).into(), false, None).expect("a valid schema");
        store.incompatibilities("before", Some(VersionId::Latest), schema(), true).ok();
        let mut store = Store::default();
        store.set_level(None, CompatibilityLevel::Full);
        if store.register("t-value", schema(), false, None).is_err() {
            return;
        }
        let variant = variant(kind, &text);
        store.incompatibilities("t-value", None, written(kind, &variant).into(), false).ok();
        let store = Arc::new(Mutex::new(store));
        let mut converter = over(kind, store).expect("the settings are right");
        for payload in PAYLOADS {
            read_between(&mut *converter, &with_magic(payload.to_vec()), input.len());
        }
    })
}

/// The same schema with something that means little.
fn variant(kind: SchemaType, text: &str) -> String {
    match (kind, text.trim().strip_suffix('}')) {
        (SchemaType::Avro | SchemaType::Json, Some(open)) => format!("{open},\"title\":\"other\"}}"),
        (SchemaType::Avro | SchemaType::Json, None) => format!("[\"null\",{text}]"),
        (SchemaType::Protobuf, _) => format!("{text} message Other {{ }}"),
    }
}

fn declared() -> Decoder {
    let mut registry = PluginRegistry::default();
    lakeward_formats::register(&mut registry);
    Decoder::new("schema declared", move |input| {
        let text = String::from_utf8_lossy(input).into_owned();
        let settings = ConfigMap::from([("schemas.enable".to_owned(), "false".to_owned())]);
        let connector = ConfigMap::from([("lakeward.schema".to_owned(), text)]);
        let context = ConverterContext {
            role: ConverterRole::Value,
            settings: &settings,
            connector: &connector,
            network: None,
        };
        let plugin = registry.converter("org.apache.kafka.connect.json.JsonConverter");
        let Ok(mut converter) = plugin.expect("a registered class").new_converter(&context) else { return };
        for payload in &PAYLOADS[5..] {
            read_between(&mut *converter, payload, input.len());
        }
    })
}
