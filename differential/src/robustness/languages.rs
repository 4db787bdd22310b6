//! Small languages: literals, date patterns with texts, regular expressions with texts. The latter two are
//! reached as users reach them, through the settings of a transform.

use std::sync::Arc;

use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::ConfigMap;
use lakeward_api::header::HeaderRows;
use lakeward_api::plugin::PluginRegistry;
use lakeward_api::record::TopicPartition;
use lakeward_api::transform::{Transform, Transformed};
use lakeward_api::value::Value;

use super::{Decoder, assert_bounded, size};

/// Parts of an input that stand for several texts are cut here.
pub(super) const CUT: char = '\n';

const REGEX_ROUTER: &str = "org.apache.kafka.connect.transforms.RegexRouter";
const TIMESTAMP_CONVERTER: &str = "org.apache.kafka.connect.transforms.TimestampConverter$Value";

/// One decoder per language.
pub(super) fn decoders() -> Vec<Decoder> {
    let mut registry = PluginRegistry::default();
    lakeward_transforms::register(&mut registry);
    let registry = Arc::new(registry);
    let literal = Decoder::new("literal", |input| {
        let text = String::from_utf8_lossy(input);
        let Ok((schema, value)) = lakeward_api::literal::parse(&text) else { return };
        assert_bounded(input.len(), size::of_value(&value));
        lakeward_api::literal::to_text(schema.as_deref(), &value).ok();
    });
    let dates = Arc::clone(&registry);
    let date = Decoder::new("date pattern", move |input| {
        let text = String::from_utf8_lossy(input);
        let (pattern, value) = text.split_once(CUT).unwrap_or((&text, "2024-01-02"));
        for (target, value) in
            [("unix", Value::String(value.into())), ("string", Value::Date(1_700_000_000_000))]
        {
            let settings = [("target.type", target), ("format", pattern)];
            let Some(mut one) = transform(&dates, TIMESTAMP_CONVERTER, &settings) else { continue };
            let transformed = apply(&mut *one, batch("t", Values::Dynamic(vec![value])));
            for batch in &transformed.batches {
                assert_bounded(input.len(), size::of_values(&batch.values));
            }
        }
    });
    let regex = Decoder::new("regular expression", move |input| {
        let text = String::from_utf8_lossy(input);
        let (pattern, rest) = text.split_once(CUT).unwrap_or((&text, "orders-eu"));
        let (topic, replacement) = rest.split_once(CUT).unwrap_or((rest, "$0-$1"));
        let settings = [("regex", pattern), ("replacement", replacement)];
        let Some(mut one) = transform(&registry, REGEX_ROUTER, &settings) else { return };
        let transformed = apply(&mut *one, batch(topic, Values::Null { rows: 1 }));
        for batch in &transformed.batches {
            // Every `$n` of the replacement may stand for the whole topic.
            let groups = 1 + replacement.matches('$').count();
            assert!(
                batch.topic.len() <= (topic.len() + replacement.len()) * groups,
                "a topic out of nothing"
            );
        }
    });
    vec![literal, date, regex]
}

/// The transform, unless its settings are refused.
pub(super) fn transform(
    registry: &PluginRegistry,
    class: &str,
    settings: &[(&str, &str)],
) -> Option<Box<dyn Transform>> {
    let settings: ConfigMap =
        settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let plugin = registry.transform(class).expect("a registered class");
    plugin.new_transform(&settings).ok()
}

/// Transforms one record.
pub(super) fn apply(transform: &mut dyn Transform, batch: SinkBatch) -> Transformed {
    let transformed = transform.apply(batch).expect("no record fails the task");
    let kept: usize = transformed.batches.iter().map(SinkBatch::rows).sum();
    assert_eq!(kept + transformed.errors.len(), 1, "one answer per record");
    transformed
}

/// A record.
pub(super) fn batch(topic: &str, values: Values) -> SinkBatch {
    SinkBatch {
        partition: TopicPartition::new(topic, 0),
        topic: topic.into(),
        offsets: vec![7],
        timestamps_ms: vec![Some(0)],
        keys: Values::Null { rows: 1 },
        values,
        headers: HeaderRows::new(vec![Vec::new()]),
    }
}
