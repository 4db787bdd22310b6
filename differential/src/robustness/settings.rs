//! Settings of transforms that are little languages of their own, each with a value that they look into:
//! JSON paths, paths of fields, lists of fields. And the JSON text in an event of an outbox.

use std::sync::Arc;

use lakeward_api::batch::Values;
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::Converter;
use lakeward_api::plugin::{ConverterContext, ConverterRole, PluginRegistry};

use super::languages::{CUT, apply, batch, transform};
use super::{Decoder, assert_bounded, size};

/// A value to look into where the input has none.
const VALUE: &str = r#"{"a":{"b":[1,"x",{"c":null}],"c":2.5},"b":["x","y"],"c":true,"d.e":"f"}"#;
/// An event of an outbox as an envelope of JSON; the payload's text goes where `PAYLOAD` stands.
const EVENT: &str = r#"{"schema":{"type":"struct","name":"s.d.o.Envelope","fields":[
    {"field":"before","type":"struct","name":"O","optional":true,"fields":[]},
    {"field":"after","type":"struct","name":"O","optional":true,"fields":[
    {"field":"id","type":"string"},{"field":"aggregatetype","type":"string"},
    {"field":"aggregateid","type":"string"},{"field":"type","type":"string"},
    {"field":"payload","type":"string","optional":true}]},{"field":"op","type":"string"}]},
    "payload":{"before":null,"after":{"id":"1","aggregatetype":"user","aggregateid":"7","type":"t",
    "payload":PAYLOAD},"op":"c"}}"#;

/// One decoder per language.
pub(super) fn decoders() -> Vec<Decoder> {
    let mut registry = PluginRegistry::default();
    lakeward_formats::register(&mut registry);
    lakeward_transforms::register(&mut registry);
    let registry = Arc::new(registry);
    vec![json_path(&registry), field_path(&registry), field_lists(&registry), outbox(&registry)]
}

fn json_path(registry: &Arc<PluginRegistry>) -> Decoder {
    let (registry, mut json) = (Arc::clone(registry), json(registry, "false"));
    Decoder::new("json path", move |input| {
        let text = String::from_utf8_lossy(input);
        let (path, value) = text.split_once(CUT).unwrap_or((&text, VALUE));
        let Some(values) = read(&mut *json, value) else { return };
        let settings =
            [("filter.condition", path), ("filter.type", "include"), ("missing.or.null.behavior", "exclude")];
        let class = "io.confluent.connect.transforms.Filter$Value";
        if let Some(mut one) = transform(&registry, class, &settings) {
            let transformed = one.apply(batch("t", values.clone())).expect("no record fails the task");
            assert!(transformed.batches.len() + transformed.errors.len() <= 1, "one record became two");
        }
        let settings = [("field", path), ("field.format", "JSON_PATH"), ("skip.missing.or.null", "true")];
        let class = "io.confluent.connect.transforms.ExtractTopic$Value";
        if let Some(mut one) = transform(&registry, class, &settings) {
            apply(&mut *one, batch("t", values));
        }
    })
}

fn field_path(registry: &Arc<PluginRegistry>) -> Decoder {
    let (registry, mut json) = (Arc::clone(registry), json(registry, "false"));
    Decoder::new("field path", move |input| {
        let text = String::from_utf8_lossy(input);
        let (path, value) = text.split_once(CUT).unwrap_or((&text, VALUE));
        let Some(values) = read(&mut *json, value) else { return };
        let settings = [("field", path), ("field.syntax.version", "V2")];
        let class = "org.apache.kafka.connect.transforms.ExtractField$Value";
        if let Some(mut one) = transform(&registry, class, &settings) {
            for batch in &apply(&mut *one, batch("t", values)).batches {
                assert_bounded(input.len(), size::of_values(&batch.values));
            }
        }
    })
}

fn field_lists(registry: &Arc<PluginRegistry>) -> Decoder {
    let (registry, mut json) = (Arc::clone(registry), json(registry, "false"));
    Decoder::new("field list", move |input| {
        let text = String::from_utf8_lossy(input);
        let (list, value) = text.split_once(CUT).unwrap_or((&text, VALUE));
        let Some(values) = read(&mut *json, value) else { return };
        let kafka: [(&str, &[(&str, &str)]); 4] = [
            ("Cast$Value", &[("spec", list)]),
            ("ReplaceField$Value", &[("renames", list)]),
            ("ReplaceField$Value", &[("include", list)]),
            ("MaskField$Value", &[("fields", list), ("replacement", "0")]),
        ];
        for (class, settings) in kafka {
            let class = format!("org.apache.kafka.connect.transforms.{class}");
            let Some(mut one) = transform(&registry, &class, settings) else { continue };
            for batch in &apply(&mut *one, batch("t", values.clone())).batches {
                assert_bounded(input.len(), size::of_values(&batch.values));
            }
        }
    })
}

fn outbox(registry: &Arc<PluginRegistry>) -> Decoder {
    let (registry, mut json) = (Arc::clone(registry), json(registry, "true"));
    Decoder::new("outbox payload", move |input| {
        let text = serde_json::Value::from(String::from_utf8_lossy(input)).to_string();
        let values = read(&mut *json, &EVENT.replace("PAYLOAD", &text)).expect("an envelope");
        let settings = [("table.expand.json.payload", "true")];
        let class = "io.debezium.transforms.outbox.EventRouter";
        let mut one = transform(&registry, class, &settings).expect("the settings are right");
        for batch in &apply(&mut *one, batch("t", values)).batches {
            assert_bounded(input.len(), size::of_values(&batch.values));
        }
    })
}

/// The converter that reads what a transform gets.
fn json(registry: &PluginRegistry, envelopes: &str) -> Box<dyn Converter> {
    let settings = ConfigMap::from([("schemas.enable".to_owned(), envelopes.to_owned())]);
    let connector = ConfigMap::new();
    let context = ConverterContext {
        role: ConverterRole::Value,
        settings: &settings,
        connector: &connector,
        network: None,
    };
    let plugin = registry.converter("org.apache.kafka.connect.json.JsonConverter");
    plugin.expect("a registered class").new_converter(&context).expect("the settings are right")
}

/// The value of `text`, if it is one.
fn read(json: &mut dyn Converter, text: &str) -> Option<Values> {
    let mut decoded = json.decode("t", &[Some(text.as_bytes())]).ok()?;
    decoded.runs.pop().map(|run| run.values)
}
