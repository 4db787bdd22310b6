//! Readers that are made of the input, too: payloads read as another schema than the one they were written
//! with, and payloads checked by the rules of their schema.

use std::sync::{Arc, Mutex};

use lakeward_registry::{CompatibilityLevel, Reading, SchemaType, Store, Writing, local, local_reading};

use super::Decoder;
use super::converters::read_between;
use super::languages::CUT;
use super::registered::{converter, with_magic, written};
use super::schemas::PAYLOADS;

/// Two resolutions, a check, and names of schemas.
pub(super) fn decoders() -> Vec<Decoder> {
    vec![resolution(SchemaType::Avro), resolution(SchemaType::Protobuf), check(), name()]
}

/// The schema written in the first line, the schema read in the second, a payload behind them.
fn resolution(kind: SchemaType) -> Decoder {
    Decoder::new(format!("resolution {}", kind.as_str()), move |input| {
        let (first, rest) = cut(input);
        let (second, payload) = cut(rest);
        let mut store = Store::default();
        store.set_level(None, CompatibilityLevel::None);
        for text in [first, second] {
            let text = String::from_utf8_lossy(text);
            if store.register("t-value", written(kind, &text).into(), false, None).is_err() {
                return;
            }
        }
        let registry = local_reading(Arc::new(Mutex::new(store)), Writing::default(), Reading::Latest);
        let settings = [("use.latest.version", "true")];
        let mut converter = converter(kind, registry, &settings).expect("the settings are right");
        for body in PAYLOADS.into_iter().chain([payload]) {
            // Every item of a payload may have all the defaults of the schema read.
            let extra = input.len() + body.len() * second.len();
            read_between(&mut *converter, &with_magic(body.to_vec()), extra);
        }
    })
}

/// A JSON Schema in the first line, a payload behind it; what is written is checked, too.
fn check() -> Decoder {
    Decoder::new("checks JSON", move |input| {
        let (text, payload) = cut(input);
        let text = String::from_utf8_lossy(text);
        let mut store = Store::default();
        if store.register("t-value", written(SchemaType::Json, &text).into(), false, None).is_err() {
            return;
        }
        let registry = local(Arc::new(Mutex::new(store)), Writing::default());
        let settings = [("json.fail.invalid.schema", "true")];
        let converter = converter(SchemaType::Json, registry, &settings);
        let mut converter = converter.expect("the settings are right");
        for body in PAYLOADS.into_iter().chain([payload]) {
            read_between(&mut *converter, &with_magic(body.to_vec()), input.len());
        }
    })
}

/// What names the schema of a payload in the first line, in a header or in front of the payload behind it.
fn name() -> Decoder {
    let mut store = Store::default();
    let schema = written(SchemaType::Avro, r#"["null","string"]"#);
    store.register("t-value", schema.into(), false, None).expect("a valid schema");
    let registry = local(Arc::new(Mutex::new(store)), Writing::default());
    let class = "io.confluent.kafka.serializers.schema.id.DualSchemaIdDeserializer";
    let settings = [("value.schema.id.deserializer", class)];
    let mut converter = converter(SchemaType::Avro, registry, &settings).expect("the settings are right");
    Decoder::new("schema id", move |input| {
        let (name, payload) = cut(input);
        let in_front = [name, payload].concat();
        let payloads = [Some(payload), Some(&in_front), None, Some(payload)];
        let headers = [Some(name), None, Some(name), None];
        converter.poll_decode_ready_with("t", &payloads, &headers).ok();
        let Ok(decoded) = converter.decode_with("t", &payloads, &headers) else { return };
        let rows: usize = decoded.runs.iter().map(|run| run.rows.len()).sum();
        assert_eq!(rows + decoded.errors.len(), payloads.len(), "one answer per record");
    })
}

/// What stands before the first cut, and what stands behind it.
fn cut(input: &[u8]) -> (&[u8], &[u8]) {
    let end = input.iter().position(|byte| char::from(*byte) == CUT).unwrap_or(input.len());
    (&input[..end], input.get(end + 1..).unwrap_or_default())
}
