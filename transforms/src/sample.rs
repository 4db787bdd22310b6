//! Batches for the tests of this crate.

use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::ConfigMap;
use lakeward_api::header::HeaderRows;
use lakeward_api::plugin::PluginRegistry;
use lakeward_api::record::TopicPartition;
use lakeward_api::rows::{ColumnWriter, value_at};
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::shaped;
use lakeward_api::transform::{Transform, Transformed};
use lakeward_api::value::Value;

/// Every class of this crate.
pub(crate) fn registry() -> PluginRegistry {
    let mut registry = PluginRegistry::default();
    crate::register(&mut registry);
    registry
}

pub(crate) fn config(pairs: &[(&str, &str)]) -> ConfigMap {
    pairs.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect()
}

/// A transform of `org.apache.kafka.connect.transforms`.
pub(crate) fn transform(simple: &str, pairs: &[(&str, &str)]) -> Box<dyn Transform> {
    let class = format!("org.apache.kafka.connect.transforms.{simple}");
    let registry = registry();
    let plugin = registry.transform(&class).expect("the class is registered");
    plugin.new_transform(&config(pairs)).expect("the settings are right")
}

/// Rows of topic `t`, partition 3, from offset 10 on, at 1 s, 2 s, …; without keys and headers.
pub(crate) fn batch(values: Values) -> SinkBatch {
    let rows = i64::try_from(values.rows()).expect("a small batch");
    SinkBatch {
        partition: TopicPartition::new("t", 3),
        topic: "t".into(),
        offsets: (10..10 + rows).collect(),
        timestamps_ms: (1..=rows).map(|row| Some(row * 1000)).collect(),
        keys: Values::Null { rows: values.rows() },
        values,
        headers: HeaderRows::default(),
    }
}

pub(crate) fn typed(schema: Schema, rows: &[Value]) -> Values {
    let mut column = ColumnWriter::new(&schema);
    for row in rows {
        column.append(row).expect("the value has its schema");
    }
    Values::Typed { schema: Arc::new(schema), array: column.finish().expect("a small column") }
}

pub(crate) fn structure(fields: Vec<(&str, Schema)>) -> Schema {
    let field = |(name, schema): (&str, Schema)| Field { name: name.into(), schema: Arc::new(schema) };
    Schema::new(Kind::Struct(fields.into_iter().map(field).collect()))
}

pub(crate) fn text(text: &str) -> Value {
    Value::String(text.into())
}

pub(crate) fn map(members: &[(&str, Value)]) -> Value {
    Value::Map(members.iter().map(|(name, value)| (text(name), value.clone())).collect())
}

/// All values of a column of keys or values.
pub(crate) fn rows(values: &Values) -> Vec<Value> {
    match values {
        Values::Dynamic(values) => values.clone(),
        Values::Null { rows } => vec![Value::Null; *rows],
        Values::Shaped(array) => shaped::values(array),
        Values::Typed { schema, array } => (0..array.len()).map(|row| value_at(schema, array, row)).collect(),
    }
}

/// The only batch of an outcome without errors.
pub(crate) fn only(outcome: Transformed) -> SinkBatch {
    let Transformed { mut batches, errors } = outcome;
    assert!(errors.is_empty() && batches.len() == 1, "{errors:?} {}", batches.len());
    let batch = batches.remove(0);
    batch.assert_consistent();
    batch
}

/// Schemaless rows as columns.
pub(crate) fn shaped(rows: &[Value]) -> Values {
    let values = Values::schemaless(rows.to_vec());
    assert!(matches!(values, Values::Shaped(_)), "the rows have one shape: {rows:?}");
    values
}

/// Applies a transform to `batch` as it is, to parts of it, and to all these with their schemaless rows taken
/// apart, and checks that every record ends the same way. The outcome for the whole batch.
pub(crate) fn both_ways(simple: &str, pairs: &[(&str, &str)], batch: &SinkBatch) -> Transformed {
    let mut shaped = transform(simple, pairs);
    let mut dynamic = transform(simple, pairs);
    let last = u32::try_from(batch.rows()).expect("a small batch");
    for rows in [0..last, 1..last, 0..last - 1] {
        let part = batch.take(&rows.collect::<Vec<_>>()).expect("a small batch");
        let mut apart = part.clone();
        apart.keys.unshape();
        apart.values.unshape();
        let (one, other) = (shaped.apply(part).expect("it runs"), dynamic.apply(apart).expect("it runs"));
        assert_eq!(records(&one), records(&other), "{simple} {pairs:?}");
    }
    shaped.apply(batch.clone()).expect("it runs")
}

/// How every record ended, by offset.
fn records(outcome: &Transformed) -> Vec<(i64, String)> {
    let mut all = Vec::new();
    for batch in &outcome.batches {
        batch.assert_consistent();
        let (keys, values) = (rows(&batch.keys), rows(&batch.values));
        let schemas = (batch.keys.schema(), batch.values.schema());
        for (row, offset) in batch.offsets.iter().enumerate() {
            let (at, headers) = (batch.timestamps_ms[row], batch.headers.row(row));
            let (topic, key, value) = (&batch.topic, &keys[row], &values[row]);
            all.push((*offset, format!("{topic} {at:?} {schemas:?} {key:?} {value:?} {headers:?}")));
        }
    }
    assert!(all.is_sorted_by_key(|(offset, _)| *offset), "records change places");
    let failed = |(offset, err): &(i64, ConnectError)| (*offset, format!("{} {err}", err.java_class()));
    all.extend(outcome.errors.iter().map(failed));
    all.sort();
    all
}
