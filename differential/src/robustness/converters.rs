//! Converters and header converters.

use std::sync::Arc;
use std::task::Poll;

use lakeward_api::config::ConfigMap;
use lakeward_api::converter::{Converter, Decoded};
use lakeward_api::plugin::{ConverterContext, ConverterRole, PluginRegistry};

use super::{Decoder, assert_bounded, size};

/// Converters that need a registry: `registered` makes them over one of their own.
const WITH_REGISTRY: [&str; 3] = ["AvroConverter", "JsonSchemaConverter", "ProtobufConverter"];
/// Bytes after which a converter that remembers is made anew.
const REMEMBERED: usize = 64 * 1024;
/// A schema that a connector declares.
const DECLARED: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":["null","string"]},
    {"name":"b","type":["null",{"type":"array","items":"long"}]},{"name":"id","type":["null","double"]}]}"#;

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
            let class = plugin.class();
            let setting = |name: &str, value: &str| {
                ConfigMap::from_iter((!value.is_empty()).then(|| (name.to_owned(), value.to_owned())))
            };
            let settings = setting("schemas.enable", envelopes);
            let connector = setting("lakeward.schema", schema);
            let plugin = Arc::clone(plugin);
            let make = move || {
                let context = ConverterContext {
                    role: ConverterRole::Value,
                    settings: &settings,
                    connector: &connector,
                    network: None,
                };
                plugin.new_converter(&context).expect("the settings are right")
            };
            let name = format!("{} {envelopes} {}", class, schema.split(',').next().unwrap_or(schema));
            all.push(match *schema {
                "infer" => learning(name, make),
                _ => of_converter(name.trim_end().to_owned(), make()),
            });
        }
    }
    headers(&registry, &mut all);
    all
}

/// A decoder that reads with `converter`.
pub(super) fn of_converter(name: String, mut converter: Box<dyn Converter>) -> Decoder {
    Decoder::new(name, move |input| read_between(&mut *converter, input, 0))
}

/// A decoder that reads with a converter which remembers what it read: the answer to an input has a column
/// for everything that came before, so it may be as large as all of that allows.
fn learning(name: String, make: impl Fn() -> Box<dyn Converter> + 'static) -> Decoder {
    let (mut converter, mut seen) = (make(), 0);
    Decoder::new(name, move |input| {
        if seen > REMEMBERED {
            (converter, seen) = (make(), 0);
        }
        read_between(&mut *converter, input, seen);
        seen += input.len();
    })
}

/// Every input stands between two records of its own kind, so that a failure must not take its neighbours
/// along; on top of that it is written back. The answer may be as large as `input` and `extra` bytes allow.
pub(super) fn read_between(converter: &mut dyn Converter, input: &[u8], extra: usize) {
    let payloads = [Some(input), None, Some(input)];
    // A registry in memory answers at once, or says that it has no such schema.
    if let Ok(Poll::Pending) = converter.poll_decode_ready("t", &payloads) {
        panic!("a registry in memory does not keep anyone waiting");
    }
    let Ok(decoded) = converter.decode("t", &payloads) else { return };
    check(2 * input.len() + extra, &decoded);
    for run in &decoded.runs {
        // What cannot be written is an error, not a panic. Another topic has subjects of its own.
        if let Ok(Poll::Ready(())) = converter.poll_encode_ready("written", &run.values)
            && let Ok(encoded) = converter.encode("written", &run.values)
        {
            assert_eq!(encoded.rows(), run.rows.len(), "rows were lost on the way back");
        }
    }
}

fn check(input_bytes: usize, decoded: &Decoded) {
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
    assert_bounded(input_bytes, decoded.runs.iter().map(|run| size::of_values(&run.values)).sum());
}

fn headers(registry: &PluginRegistry, all: &mut Vec<Decoder>) {
    for plugin in registry.header_converters() {
        let (settings, connector) = (ConfigMap::new(), ConfigMap::new());
        let role = ConverterRole::Header;
        let context = ConverterContext { role, settings: &settings, connector: &connector, network: None };
        let mut converter = plugin.new_converter(&context).expect("there are no settings");
        all.push(Decoder::new(format!("header {}", plugin.class()), move |input| {
            let Ok((schema, value)) = converter.decode("t", "h", Some(input)) else { return };
            assert_bounded(input.len(), size::of_value(&value));
            // What cannot be written is an error, not a panic.
            converter.encode("t", "h", schema.as_deref(), &value).ok();
        }));
    }
}
