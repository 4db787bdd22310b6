//! Converters and header converters.

use std::sync::{Arc, Mutex};

use lakeward_api::config::ConfigMap;
use lakeward_api::converter::{Converter, Decoded};
use lakeward_api::plugin::{ConverterContext, ConverterRole, PluginRegistry};
use lakeward_formats::converter::avro::AvroConverter;
use lakeward_registry::{SchemaText, SchemaType, Store, Writing, local};

use super::{Decoder, assert_bounded, size};

/// Payloads with a registry start with a zero byte and the number of their schema.
const MAGIC: [u8; 5] = [0, 0, 0, 0, 1];
/// Converters that need a registry; those of Avro are made over one of their own.
const WITH_REGISTRY: [&str; 3] = ["AvroConverter", "JsonSchemaConverter", "ProtobufConverter"];

/// Schemas whose payloads can claim more than they hold.
const AVRO: [&str; 4] = [
    r#"{"type":"record","name":"R","fields":[{"name":"a","type":"string"},{"name":"b","type":{"type":"map",
        "values":["null","double"]}},{"name":"c","type":{"type":"fixed","name":"F","size":16}},
        {"name":"d","type":{"type":"array","items":"bytes"}},{"name":"e","type":["null","long","string"]}]}"#,
    r#"{"type":"array","items":{"type":"record","name":"E","fields":[]}}"#,
    r#"{"type":"array","items":{"type":"array","items":{"type":"array","items":"null"}}}"#,
    r#"{"type":"bytes","logicalType":"decimal","precision":60,"scale":10}"#,
];
const DECLARED: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":["null","string"]},
    {"name":"b","type":["null",{"type":"array","items":"long"}]},{"name":"id","type":["null","double"]}]}"#;

/// `payload` behind the head of a registry's payload.
pub(super) fn with_magic(payload: Vec<u8>) -> Vec<u8> {
    [MAGIC.to_vec(), payload].concat()
}

/// Every registered converter with the settings that change how it reads.
pub(super) fn decoders() -> Vec<Decoder> {
    let mut registry = PluginRegistry::default();
    lakeward_formats::register(&mut registry);
    let mut all = Vec::new();
    for plugin in registry.converters() {
        if WITH_REGISTRY.iter().any(|class| plugin.class().ends_with(class)) {
            continue;
        }
        let is_json = plugin.class().ends_with(".JsonConverter");
        let variants: &[(&str, &str)] = match is_json {
            true => &[("true", ""), ("false", ""), ("false", "infer"), ("false", DECLARED)],
            false => &[("", "")],
        };
        for (envelopes, schema) in variants {
            let setting = |name: &str, value: &str| {
                ConfigMap::from_iter((!value.is_empty()).then(|| (name.to_owned(), value.to_owned())))
            };
            let settings = setting("schemas.enable", envelopes);
            let connector = setting("lakeward.schema", schema);
            let context = ConverterContext {
                role: ConverterRole::Value,
                settings: &settings,
                connector: &connector,
                network: None,
            };
            let converter = plugin.new_converter(&context).expect("the settings are right");
            let name =
                format!("{} {envelopes} {}", plugin.class(), schema.split(',').next().unwrap_or(schema));
            all.push(of_converter(name.trim_end().to_owned(), converter));
        }
    }
    all.extend(AVRO.iter().map(|schema| avro(schema)));
    headers(&registry, &mut all);
    all
}

fn avro(text: &str) -> Decoder {
    let store = Arc::new(Mutex::new(Store::default()));
    let schema = SchemaText { kind: SchemaType::Avro, text: text.into(), references: Vec::new() };
    let registered =
        store.lock().expect("nobody else has it").register("t-value", schema.into(), false, None);
    assert_eq!(registered.expect("a valid schema").id, 1, "the head of payloads names schema 1");
    let settings = ConfigMap::from([("schema.registry.url".to_owned(), "http://registry".to_owned())]);
    let converter = AvroConverter::over(local(store, Writing::default()), ConverterRole::Value, &settings)
        .expect("the settings are right");
    let name = format!("AvroConverter {}", text.split(',').next().unwrap_or(text));
    of_converter(name, Box::new(converter))
}

/// Every input stands between two records of its own kind, so that a failure must not take its neighbours
/// along; on top of that it is written back.
fn of_converter(name: String, mut converter: Box<dyn Converter>) -> Decoder {
    Decoder::new(name, move |input| {
        let payloads = [Some(input), None, Some(input)];
        // A registry in memory answers at once, or says that it has no such schema.
        if let Ok(std::task::Poll::Pending) = converter.poll_decode_ready("t", &payloads) {
            panic!("a registry in memory does not keep anyone waiting");
        }
        let Ok(decoded) = converter.decode("t", &payloads) else { return };
        check(input, &decoded);
        for run in &decoded.runs {
            // What cannot be written is an error, not a panic.
            if let Ok(encoded) = converter.encode("t", &run.values) {
                assert_eq!(encoded.rows(), run.rows.len(), "rows were lost on the way back");
            }
        }
    })
}

fn check(input: &[u8], decoded: &Decoded) {
    let mut answers = [0; 3];
    for run in &decoded.runs {
        assert_eq!(run.rows.len(), run.values.rows(), "a run has as many rows as values");
        run.rows.iter().for_each(|row| answers[*row as usize] += 1);
    }
    decoded.errors.iter().for_each(|(row, _)| answers[*row] += 1);
    assert_eq!(answers, [1; 3], "one answer per record");
    let first = decoded.errors.iter().any(|(row, _)| *row == 0);
    let last = decoded.errors.iter().any(|(row, _)| *row == 2);
    assert_eq!(first, last, "the same record twice has two outcomes");
    let bytes = decoded.runs.iter().map(|run| size::of_values(&run.values)).sum();
    assert_bounded(&[input, input].concat(), bytes);
}

fn headers(registry: &PluginRegistry, all: &mut Vec<Decoder>) {
    for plugin in registry.header_converters() {
        let (settings, connector) = (ConfigMap::new(), ConfigMap::new());
        let role = ConverterRole::Header;
        let context = ConverterContext { role, settings: &settings, connector: &connector, network: None };
        let mut converter = plugin.new_converter(&context).expect("there are no settings");
        all.push(Decoder::new(format!("header {}", plugin.class()), move |input| {
            let Ok((schema, value)) = converter.decode("t", "h", Some(input)) else { return };
            assert_bounded(input, size::of_value(&value));
            // What cannot be written is an error, not a panic.
            converter.encode("t", "h", schema.as_deref(), &value).ok();
        }));
    }
}
