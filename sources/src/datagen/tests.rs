//! What tasks make: pace, seeds, resumption, every ready-made schema, and the speed.

use std::collections::HashSet;
use std::fs;
use std::time::{Duration, Instant};

use lakeward_api::ErrorClass;
use lakeward_api::batch::Values;
use lakeward_api::config::ConfigMap;
use lakeward_api::rows::value_at;
use lakeward_api::schema::Kind;
use lakeward_api::source::{Polled, SourceBatch, SourceConnector as _};
use lakeward_api::value::Value;

use super::{DatagenConnector, quickstart};
use crate::position::long;
use crate::rig::{Rig, Stored, props, values};

const CONNECTOR: DatagenConnector = DatagenConnector;

fn quick(name: &str) -> ConfigMap {
    props(&[("kafka.topic", "t"), ("quickstart", name), ("max.interval", "0"), ("random.seed", "7")])
}

fn of_schema(fields: &str) -> ConfigMap {
    let schema = format!(r#"{{"type":"record","name":"r","namespace":"n","fields":[{fields}]}}"#);
    props(&[("kafka.topic", "t"), ("schema.string", &schema), ("max.interval", "0"), ("random.seed", "7")])
}

fn with(mut config: ConfigMap, key: &str, value: &str) -> ConfigMap {
    config.insert(key.to_owned(), value.to_owned());
    config
}

fn first_batch(config: &ConfigMap, stored: Stored) -> SourceBatch {
    Rig::start(&CONNECTOR, config, stored).records().unwrap().remove(0)
}

/// One field of each row.
fn column(batch: &SourceBatch, at: usize) -> Vec<Value> {
    let field = |value: Value| match value {
        Value::Struct(mut fields) => fields.swap_remove(at),
        other => panic!("{other:?}"),
    };
    values(batch).into_iter().map(field).collect()
}

fn errors(config: &ConfigMap) -> Vec<(String, String)> {
    let entry = |value: lakeward_api::config::ConfigValue| {
        value.errors.into_iter().map(move |error| (value.name.clone(), error)).collect::<Vec<_>>()
    };
    CONNECTOR.validate(config).into_iter().flat_map(entry).collect()
}

#[test]
fn every_ready_made_schema_makes_records_with_its_key() {
    for name in quickstart::names() {
        let batch = first_batch(&quick(name), Stored::default());
        assert!(batch.rows() > 1000, "{name}");
        let key_field = quickstart::named(name).unwrap().key_field;
        let Values::Typed { schema, array } = &batch.keys else { panic!("{name} has no keys") };
        let (at, field) = batch.values.schema().unwrap().field(key_field).unwrap();
        assert_eq!(schema, &field.schema, "{name}");
        assert_eq!(value_at(schema, array, 5), column(&batch, at)[5], "{name}");
    }
}

#[test]
fn names_are_found_in_any_case_and_unknown_ones_are_refused() {
    assert_eq!(errors(&quick("USERS")), []);
    let [(key, error)] = &errors(&quick("nope"))[..] else { panic!("one error") };
    assert!(key == "quickstart" && error.starts_with("quickstart must be one out of clickstream_codes,"));
}

#[test]
fn values_keep_to_their_annotations() {
    let config = of_schema(
        r#"{"name":"i","type":{"type":"int","arg.properties":{"range":{"min":3,"max":6}}}},
           {"name":"s","type":{"type":"string","arg.properties":
             {"regex":"U_[1-9]","prefix":"<","suffix":">"}}},
           {"name":"o","type":["null",{"type":"long","arg.properties":{"iteration":{"start":10,"step":5}}}]},
           {"name":"l","type":{"type":"array","items":"boolean","arg.properties":
             {"length":{"min":1,"max":3}}}},
           {"name":"m","type":{"type":"map","values":"double","arg.properties":
             {"length":2,"keys":{"options":["a","b"]}}}},
           {"name":"e","type":{"type":"enum","name":"e","symbols":["X","Y"]}},
           {"name":"p","type":{"type":"bytes","logicalType":"decimal","precision":6,"scale":2,
             "arg.properties":{"range":{"min":10,"max":11}}}}"#,
    );
    let batch = first_batch(&config, Stored::default());
    let ints: HashSet<String> = column(&batch, 0).iter().map(|value| format!("{value:?}")).collect();
    assert_eq!(ints, ["Int32(3)", "Int32(4)", "Int32(5)"].map(str::to_owned).into());
    for value in column(&batch, 1) {
        let text = value.as_str().unwrap().to_owned();
        assert!(text.len() == 5 && text.starts_with("<U_") && text.ends_with('>'), "{text}");
    }
    let counted: Vec<Value> = column(&batch, 2).into_iter().filter(|value| !value.is_null()).collect();
    assert!(counted.len() > batch.rows() / 3 && counted.len() < batch.rows() * 2 / 3);
    assert!(
        (0..).map(|at| Value::Int64(10 + 5 * at)).zip(&counted).all(|(expected, value)| expected == *value)
    );
    for value in column(&batch, 3) {
        assert!(matches!(&value, Value::Array(items) if (1..=2).contains(&items.len())), "{value:?}");
    }
    for value in column(&batch, 4) {
        assert!(matches!(&value, Value::Map(entries) if (1..=2).contains(&entries.len())), "{value:?}");
    }
    assert!(column(&batch, 5).iter().all(|value| matches!(value.as_str(), Some("X" | "Y"))));
    for value in column(&batch, 6) {
        let Value::Decimal(decimal) = &value else { panic!("{value:?}") };
        let text = decimal.to_java_text();
        assert!(text.starts_with("10.") && text.len() == 5, "{text}");
    }
}

#[test]
fn a_task_goes_on_where_the_one_before_it_ended() {
    let config = quick("orders");
    let whole = first_batch(&config, Stored::default());
    let cut = 700;
    let position = &whole.positions[cut - 1];
    let stored = Stored(vec![((*position.partition).clone(), std::sync::Arc::clone(&position.offset))]);
    let rest = first_batch(&config, stored);
    let rows = whole.rows() - cut;
    assert_eq!(values(&whole)[cut..], values(&rest)[..rows]);
    assert_eq!(long(&rest.positions[0].offset, "current.iteration"), Some(701));
    assert_eq!(long(&rest.positions[0].offset, "task.generation"), Some(2));
    let header = |batch: &SourceBatch, name: &str| batch.headers.first(0, name).unwrap().1;
    assert_eq!(header(&rest, "task.generation"), Value::Int64(1));
    assert_eq!(header(&rest, "current.iteration"), Value::Int64(700));
    assert_eq!(header(&whole, "task.id"), Value::Int64(0));
}

#[test]
fn seeds_decide_what_is_made() {
    let same = first_batch(&quick("users"), Stored::default());
    assert_eq!(values(&same), values(&first_batch(&quick("users"), Stored::default())));
    let other = with(quick("users"), "random.seed", "8");
    assert_ne!(values(&same), values(&first_batch(&other, Stored::default())));
    let mut unseeded = quick("users");
    unseeded.remove("random.seed");
    let first = values(&first_batch(&unseeded, Stored::default()));
    assert_ne!(first, values(&first_batch(&unseeded, Stored::default())));
}

#[test]
fn a_task_ends_with_javas_words_after_its_iterations() {
    let mut rig = Rig::start(&CONNECTOR, &with(quick("users"), "iterations", "5"), Stored::default());
    assert_eq!(rig.records().unwrap()[0].rows(), 5);
    let error = rig.poll().unwrap_err();
    assert_eq!(error.class(), ErrorClass::Fatal);
    assert_eq!(error.to_string(), "Stopping connector: generated the configured 5 number of messages");
}

#[test]
fn pauses_come_before_each_record_and_are_no_longer_than_allowed() {
    let mut rig = Rig::start(&CONNECTOR, &with(quick("users"), "max.interval", "1000"), Stored::default());
    for _ in 0..5 {
        match rig.poll().unwrap() {
            Polled::Idle { until: Some(until) } => {
                let pause = until.saturating_duration_since(rig.now().monotonic);
                assert!(pause < Duration::from_secs(1));
                rig.ahead += pause;
            }
            Polled::Idle { until: None } => panic!("the task must say when it goes on"),
            // A pause of less than a millisecond.
            Polled::Records(batches) => assert_eq!(batches[0].rows(), 1),
        }
    }
}

#[test]
fn without_key_field_keys_are_null_texts() {
    let batch = first_batch(&of_schema(r#"{"name":"a","type":"int"}"#), Stored::default());
    let Values::Typed { schema, array } = &batch.keys else { panic!("untyped keys") };
    assert!(schema.optional && schema.kind == Kind::String && array.null_count() == array.len());
    let config = with(of_schema(r#"{"name":"a","type":"int"}"#), "schema.keyfield", "a");
    assert_eq!(first_batch(&config, Stored::default()).keys.schema().unwrap().kind, Kind::Int32);
}

#[test]
fn a_schema_in_a_file_is_read_and_ready_made_ones_are_found_by_file_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.avsc");
    fs::write(&file, r#"{"type":"record","name":"r","fields":[{"name":"a","type":"int"}]}"#).unwrap();
    let config =
        |path: &str| props(&[("kafka.topic", "t"), ("schema.filename", path), ("max.interval", "0")]);
    let batch = first_batch(&config(file.to_str().unwrap()), Stored::default());
    assert_eq!(batch.values.schema().unwrap().fields().len(), 1);
    let batch = first_batch(&config("pageviews_schema.avro"), Stored::default());
    assert!(batch.values.schema().unwrap().field("pageid").is_some());
    let wrong = errors(&config("/nowhere.avsc"));
    assert_eq!(wrong, [("schema.filename".to_owned(), "Unable to find the schema file".to_owned())]);
}

#[test]
fn exactly_one_schema_must_be_given() {
    let one_of = "Must set exactly one of schema.string, schema.filename, quickstart";
    let keys = |config: &ConfigMap| -> Vec<String> {
        let wrong = errors(config).into_iter().filter(|(_, error)| error == one_of);
        wrong.map(|(key, _)| key).collect()
    };
    let none = props(&[("kafka.topic", "t")]);
    assert_eq!(keys(&none), ["schema.string", "schema.filename", "quickstart"]);
    let both = with(of_schema(r#"{"name":"a","type":"int"}"#), "quickstart", "users");
    assert_eq!(keys(&both), ["schema.string", "quickstart"]);
    let key = with(quick("users"), "schema.keyfield", "nope");
    let expected = "The schema does not contain the field provided in 'schema.keyfield'";
    assert_eq!(errors(&key), [("schema.keyfield".to_owned(), expected.to_owned())]);
    let broken = with(none, "schema.string", "{");
    assert!(errors(&broken)[0].1.starts_with("Unable to parse the provided schema"));
}

#[test]
fn each_task_makes_data_of_its_own() {
    let tasks = CONNECTOR.task_configs(&quick("users"), 2).unwrap();
    assert_eq!(tasks.iter().map(|task| task["task.id"].as_str()).collect::<Vec<_>>(), ["0", "1"]);
}

/// A floor far below what a release build reaches; it catches quadratic work, not percents.
#[test]
fn records_come_in_columns() {
    let mut rig = Rig::start(&CONNECTOR, &quick("users"), Stored::default());
    let start = Instant::now();
    let mut rows = 0;
    while rows < 50_000 {
        rows += rig.records().unwrap()[0].rows();
    }
    assert!(start.elapsed() < Duration::from_secs(20), "{rows} rows took {:?}", start.elapsed());
}
