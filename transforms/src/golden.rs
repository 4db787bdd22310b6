//! Compares transforms with the answers that the Java classes gave, recorded as lines of JSON.
//!
//! A line is a schema with its number, or a case: class, settings, records in and what became of each. Every
//! case runs twice: record by record, and with all neighbours of the same schemas in one batch.

mod read;

use std::sync::Arc;

use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::ConfigMap;
use lakeward_api::header::{Header, HeaderRows};
use lakeward_api::plugin::PluginRegistry;
use lakeward_api::record::TopicPartition;
use lakeward_api::rows::{ColumnWriter, value_at};
use lakeward_api::schema::Schema;
use lakeward_api::shaped;
use lakeward_api::transform::Transform;
use lakeward_api::value::Value;
use serde_json::Value as Json;

use read::Schemas;

pub(crate) use read::dynamic;

/// A record as both sides show it.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    topic: String,
    key: Cell,
    value: Cell,
    timestamp_ms: Option<i64>,
    headers: Vec<(String, Cell)>,
}

/// A schema and a value.
pub(crate) type Cell = (Option<Arc<Schema>>, Value);

/// What became of a record.
#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    Dropped,
    /// Java class of the failure.
    Failed(String),
    Row(Row),
    /// A record whose value contradicts its schema.
    Unreadable,
}

/// Runs every case of `lines`; panics at the end with all that differs.
pub(crate) fn check(lines: &str) {
    let mut registry = PluginRegistry::default();
    crate::register(&mut registry);
    let mut schemas = Schemas::default();
    let (mut cases, mut wrong) = (0, Vec::new());
    for line in lines.lines() {
        let line: Json = serde_json::from_str(line).expect("a line of JSON");
        if line.get("schema").is_some() {
            schemas.add(&line);
            continue;
        }
        cases += 1;
        let class = line["class"].as_str().expect("a class");
        let given: ConfigMap = line["config"].as_object().expect("settings").iter().map(setting).collect();
        let plugin = registry.transform(class).unwrap_or_else(|| panic!("no class {class}"));
        let new = || plugin.new_transform(&given);
        if let Some(refused) = line["refused"].as_str() {
            match new() {
                Ok(_) => wrong.push(format!("{class} {given:?}: Java refuses: {refused} {}", line["text"])),
                Err(err) if err.java_class() != refused => wrong.push(format!("{given:?}: {}", err.trace())),
                Err(_) => {}
            }
            continue;
        }
        let records: Vec<Row> = array(&line["records"]).map(|row| schemas.row(row)).collect();
        let expected: Vec<Outcome> = array(&line["results"]).map(|row| schemas.outcome(row)).collect();
        for grouped in [false, true] {
            let mut transform = new().unwrap_or_else(|err| panic!("{class} {given:?}: {}", err.trace()));
            for (at, (got, expected)) in
                run(&mut *transform, &records, grouped).into_iter().zip(&expected).enumerate()
            {
                if got != *expected && *expected != Outcome::Unreadable {
                    let text = &line["results"][at]["text"];
                    let Row { key, value, headers, .. } = &records[at];
                    wrong.push(format!(
                        "{class} {given:?} grouped {grouped}\n key {:?} value {:?} headers {:?}\n{} {text}",
                        key.1,
                        value.1,
                        headers.iter().map(|(name, cell)| (name, &cell.1)).collect::<Vec<_>>(),
                        difference(expected, &got),
                    ));
                }
            }
        }
    }
    assert!(cases > 0, "no case");
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong[..wrong.len().min(8)].join("\n"));
}

/// The parts of two outcomes that differ.
fn difference(java: &Outcome, ours: &Outcome) -> String {
    let (Outcome::Row(java), Outcome::Row(ours)) = (java, ours) else {
        return format!("   Java {java:?}\n   ours {ours:?}");
    };
    let mut text = String::new();
    let mut part = |name: &str, java: String, ours: String| {
        if java != ours {
            text.push_str(&format!("   Java {name} {java}\n   ours {name} {ours}\n"));
        }
    };
    part("topic", java.topic.clone(), ours.topic.clone());
    part("time", format!("{:?}", java.timestamp_ms), format!("{:?}", ours.timestamp_ms));
    part("headers", format!("{:?}", java.headers), format!("{:?}", ours.headers));
    for (name, java, ours) in [("key", &java.key, &ours.key), ("value", &java.value, &ours.value)] {
        part(name, format!("{:?}", java.1), format!("{:?}", ours.1));
        part(name, format!("{:?}", java.0), format!("{:?}", ours.0));
    }
    text
}

fn setting((key, value): (&String, &Json)) -> (String, String) {
    (key.clone(), value.as_str().expect("a text").to_owned())
}

fn array(json: &Json) -> impl Iterator<Item = &Json> {
    json.as_array().expect("an array").iter()
}

/// What becomes of each record.
fn run(transform: &mut dyn Transform, records: &[Row], grouped: bool) -> Vec<Outcome> {
    let mut outcomes = vec![Outcome::Dropped; records.len()];
    let mut start = 0;
    while start < records.len() {
        let alike = |row: &&Row| grouped && is_alike(&records[start], row);
        let rows = 1 + records[start + 1..].iter().take_while(alike).count();
        let offsets = start..start + rows;
        let done = transform.apply(batch(start, &records[offsets.clone()])).expect("an outcome");
        let mut last = None;
        for batch in &done.batches {
            batch.assert_consistent();
            for row in 0..batch.rows() {
                let offset = batch.offsets[row];
                assert!(last < Some(offset), "rows out of order");
                last = Some(offset);
                outcomes[usize::try_from(offset).unwrap()] = Outcome::Row(row_of(batch, row));
            }
        }
        for (offset, err) in done.errors {
            let at = usize::try_from(offset).unwrap();
            assert_eq!(outcomes[at], Outcome::Dropped, "one outcome per record");
            outcomes[at] = Outcome::Failed(err.java_class().to_owned());
        }
        start += rows;
    }
    outcomes
}

fn is_alike(a: &Row, b: &Row) -> bool {
    let kind = |cell: &Cell| (cell.0.clone(), cell.0.is_none() && cell.1.is_null());
    a.topic == b.topic && kind(&a.key) == kind(&b.key) && kind(&a.value) == kind(&b.value)
}

fn batch(offset: usize, records: &[Row]) -> SinkBatch {
    let topic: Arc<str> = records[0].topic.as_str().into();
    let header = |(key, (schema, value)): &(String, Cell)| Header {
        key: key.as_str().into(),
        schema: schema.clone(),
        value: value.clone(),
    };
    let headers = records.iter().map(|row| row.headers.iter().map(header).collect()).collect();
    SinkBatch {
        partition: TopicPartition { topic: Arc::clone(&topic), partition: 0 },
        topic,
        offsets: (offset..offset + records.len()).map(|at| i64::try_from(at).unwrap()).collect(),
        timestamps_ms: records.iter().map(|row| row.timestamp_ms).collect(),
        keys: column(records.iter().map(|row| &row.key)),
        values: column(records.iter().map(|row| &row.value)),
        headers: HeaderRows::new(headers),
    }
}

fn column<'a>(cells: impl Iterator<Item = &'a Cell>) -> Values {
    let cells: Vec<&Cell> = cells.collect();
    match &cells[0] {
        (None, Value::Null) => Values::Null { rows: cells.len() },
        (None, _) => Values::Dynamic(cells.iter().map(|cell| cell.1.clone()).collect()),
        (Some(schema), _) => {
            let mut writer = ColumnWriter::new(schema);
            for (_, value) in cells {
                writer.append(value).expect("a value of its schema");
            }
            Values::Typed { schema: Arc::clone(schema), array: writer.finish().expect("a column") }
        }
    }
}

fn row_of(batch: &SinkBatch, row: usize) -> Row {
    let cell = |values: &Values| match values {
        Values::Null { .. } => (None, Value::Null),
        Values::Dynamic(values) => (None, values[row].clone()),
        Values::Shaped(array) => (None, shaped::value_at(array, row)),
        Values::Typed { schema, array } => {
            assert_eq!(array.data_type(), &schema.arrow_type(), "the column is of its schema");
            (Some(Arc::clone(schema)), value_at(schema, array, row))
        }
    };
    let header = |header: &Header| (header.key.to_string(), (header.schema.clone(), header.value.clone()));
    Row {
        topic: batch.topic.to_string(),
        key: read::sorted(cell(&batch.keys)),
        value: read::sorted(cell(&batch.values)),
        timestamp_ms: batch.timestamps_ms[row],
        headers: batch.headers.row(row).iter().map(header).collect(),
    }
}
