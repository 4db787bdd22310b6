//! Records, offsets and failures of the test connectors.

use std::time::Duration;

use lakeward_api::schema::Kind;
use lakeward_api::source::{Polled, SourceBatch, SourceConnector, SourceMap};
use lakeward_api::value::Value;

use super::{MockSourceConnector, SchemaSourceConnector, VerifiableSourceConnector};
use crate::position::{long, map};
use crate::rig::{Rig, Stored, props, values};

fn id(task: i32) -> SourceMap {
    map([(&"id".into(), Value::Int32(task))])
}

fn stored(seqno: i64) -> Stored {
    Stored(vec![((*id(0)).clone(), map([(&"seqno".into(), Value::Int64(seqno))]))])
}

fn numbers(batches: &[SourceBatch]) -> Vec<i64> {
    let positions = batches.iter().flat_map(|batch| &batch.positions);
    positions.map(|position| long(&position.offset, "seqno").unwrap()).collect()
}

#[test]
fn verifiable_numbers_go_on_after_a_restart() {
    let config = props(&[("name", "n"), ("topic", "t"), ("throughput", "9")]);
    let mut rig = Rig::start(&VerifiableSourceConnector, &config, stored(41));
    let batches = rig.records().unwrap();
    let first = numbers(&batches);
    assert!(first.iter().copied().eq((42..).take(first.len())));
    assert_eq!(values(&batches[0])[0], Value::Int64(42));
    assert_eq!(batches[0].keys.schema().unwrap().kind, Kind::Int32);
    assert_eq!(batches[0].positions[0].partition, id(0));
    let next = numbers(&rig.records().unwrap());
    assert_eq!(next[0], first.last().unwrap() + 1);
}

#[test]
fn verifiable_records_come_at_their_pace() {
    let config = props(&[("name", "n"), ("topic", "t"), ("throughput", "10")]);
    let mut rig = Rig::start(&VerifiableSourceConnector, &config, Stored::default());
    assert_eq!(numbers(&rig.records().unwrap()), [0]);
    let pause = rig.idle();
    assert!(pause <= Duration::from_millis(100) && !pause.is_zero(), "{pause:?}");
    rig.ahead += pause;
    assert_eq!(numbers(&rig.records().unwrap())[0], 1);
}

#[test]
fn complete_records_hold_what_is_told() {
    let config =
        props(&[("name", "n"), ("topic", "t"), ("throughput", "0"), ("complete.record.data", "TRUE")]);
    let mut rig = Rig::start(&VerifiableSourceConnector, &config, Stored::default());
    let batches = rig.records().unwrap();
    let names: Vec<String> =
        batches[0].values.schema().unwrap().fields().iter().map(|field| field.name.to_string()).collect();
    assert_eq!(names, ["name", "task", "topic", "time_ms", "seqno"]);
    let Value::Struct(fields) = &values(&batches[0])[0] else { panic!("no struct") };
    assert_eq!((&fields[0], &fields[4]), (&Value::String("n".into()), &Value::Int64(0)));
}

#[test]
fn each_task_has_its_number_and_a_wrong_setting_fails_it_in_javas_words() {
    let config = props(&[("topic", "t"), ("throughput", "fast")]);
    let tasks = VerifiableSourceConnector.task_configs(&config, 3).unwrap();
    assert_eq!(tasks.iter().map(|task| task["id"].as_str()).collect::<Vec<_>>(), ["0", "1", "2"]);
    let error = Rig::try_start(&VerifiableSourceConnector, &config, Stored::default()).err().unwrap();
    let trace = error.trace();
    let expected = "org.apache.kafka.connect.errors.ConnectException: Invalid VerifiableSourceTask \
                    configuration\nCaused by: java.lang.NumberFormatException: For input string: \"fast\"";
    assert!(trace.starts_with(expected), "{trace}");
}

#[test]
fn schema_records_alternate_and_end() {
    let config = props(&[
        ("topic", "t"),
        ("throughput", "-1"),
        ("num.messages", "5"),
        ("multiple.schema", "true"),
        ("partition.count", "2"),
    ]);
    let mut rig = Rig::start(&SchemaSourceConnector, &config, Stored::default());
    let batches = rig.records().unwrap();
    assert_eq!(numbers(&batches), [0, 1, 2, 3, 4]);
    let versions: Vec<Option<i32>> =
        batches.iter().map(|batch| batch.values.schema().unwrap().version).collect();
    assert_eq!(versions, [Some(1), Some(2), Some(1), Some(2), Some(1)]);
    assert!(batches.iter().all(|batch| batch.partition == Some(0)));
    let Value::Struct(fields) = &values(&batches[3])[0] else { panic!("no struct") };
    assert_eq!(fields[5..], [Value::Int32(1), Value::String("def".into()), Value::Int32(0), Value::Int64(3)]);
    assert!(matches!(rig.poll().unwrap(), Polled::Idle { .. }));
}

#[test]
fn a_mock_connector_raises_a_failure_only_in_its_mode() {
    let start = |pairs: &[(&str, &str)]| MockSourceConnector.start(&props(pairs));
    let later = start(&[("mock_mode", "connector-failure")]).unwrap().unwrap();
    assert_eq!(
        (later.after, later.error.java_class()),
        (Duration::from_secs(15), "java.lang.RuntimeException")
    );
    assert!(start(&[]).unwrap().is_none());
    let wrong = start(&[("mock_mode", "connector-failure"), ("delay_ms", "soon")]).unwrap_err();
    assert_eq!(wrong.trace(), "java.lang.NumberFormatException: For input string: \"soon\"\n");
}

#[test]
fn a_mock_task_fails_after_its_delay_and_only_in_its_mode() {
    let config = props(&[("mock_mode", "task-failure"), ("delay_ms", "5000")]);
    let mut rig = Rig::start(&MockSourceConnector, &config, Stored::default());
    assert!(matches!(rig.poll().unwrap(), Polled::Idle { until: Some(_) }));
    rig.ahead += Duration::from_secs(4);
    assert!(matches!(rig.poll().unwrap(), Polled::Idle { .. }));
    rig.ahead += Duration::from_secs(2);
    assert_eq!(rig.poll().unwrap_err().java_class(), "java.lang.RuntimeException");
    let mut calm = Rig::start(&MockSourceConnector, &props(&[]), Stored::default());
    calm.poll().unwrap();
    calm.ahead += Duration::from_secs(3600);
    assert!(matches!(calm.poll().unwrap(), Polled::Idle { until: None }));
}
