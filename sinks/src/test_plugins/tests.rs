//! What the test sinks tell, hold back and fail with.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::Int32Array;
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::config::{ConfigDef, ConfigMap};
use lakeward_api::plugin::SinkConnector;
use lakeward_api::record::Position;
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::sink::{SinkTask, SinkTaskContext};
use lakeward_api::value::Value;

use super::verifiable::VerifiableSinkTask;
use super::{MockSinkConnector, VerifiableSinkConnector};
use crate::lines::{LineWriter, Target};
use crate::rig::{Rig, batch, partition, props};

/// The verifiable sink with a file in the place of the standard output.
struct ToFile;

impl SinkConnector for ToFile {
    fn class(&self) -> &'static str {
        VerifiableSinkConnector.class()
    }

    fn version(&self) -> &str {
        "1"
    }

    fn config_def(&self) -> ConfigDef {
        VerifiableSinkConnector.config_def()
    }

    fn task_configs(&self, props: &ConfigMap, tasks_max: u32) -> Result<Vec<ConfigMap>, ConnectError> {
        VerifiableSinkConnector.task_configs(props, tasks_max)
    }

    fn new_task(&self, context: SinkTaskContext) -> Result<Box<dyn SinkTask>, ConnectError> {
        let writer = LineWriter::new(Target::File(context.config["file"].clone()), &context);
        Ok(Box::new(VerifiableSinkTask::new(&context, writer)?))
    }
}

#[test]
fn records_are_told_and_told_again_before_they_are_durable() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.txt");
    let config = props(&[("name", "sink \"1\""), ("file", file.to_str().unwrap())]);
    let mut rig = Rig::start(&ToFile, &config).unwrap();
    let mut records = batch(4, vec![Value::Int64(10), Value::Null]);
    records.keys = Values::Typed {
        schema: Arc::new(Schema::new(Kind::Int32)),
        array: Arc::new(Int32Array::from(vec![2, 2])),
    };
    rig.put(records).unwrap();
    assert!(!rig.task.is_settled(&[partition()]));
    assert_eq!(rig.durable().unwrap(), [Position { partition: partition(), next_offset: 6 }]);
    let told = fs::read_to_string(&file).unwrap();
    let rest = r#""time_ms":1700000000000,"name":"sink \"1\"","topic":"t","sinkTask":0"#;
    let expected: String =
        [("10", 4, ""), ("null", 5, ""), ("10", 4, ",\"flushed\":true"), ("null", 5, ",\"flushed\":true")]
            .iter()
            .map(|(seqno, offset, end)| {
                format!("{{\"task\":2,\"seqno\":{seqno},\"offset\":{offset},{rest}{end}}}\n")
            })
            .collect();
    assert_eq!(told, expected);
    assert!(rig.task.is_settled(&[partition()]));
}

#[test]
fn a_mock_connector_raises_a_failure_only_in_its_mode() {
    let start = |pairs: &[(&str, &str)]| MockSinkConnector.start(&props(pairs));
    let later = start(&[("mock_mode", "connector-failure"), ("delay_ms", "250")]).unwrap().unwrap();
    assert_eq!(
        (later.after, later.error.java_class()),
        (Duration::from_millis(250), "java.lang.RuntimeException")
    );
    assert!(start(&[("mock_mode", "task-failure")]).unwrap().is_none());
}

#[test]
fn a_mock_task_takes_everything_and_fails_after_its_delay_only_in_its_mode() {
    let config = props(&[("mock_mode", "task-failure"), ("delay_ms", "5000")]);
    let mut rig = Rig::start(&MockSinkConnector, &config).unwrap();
    rig.put(batch(0, vec![Value::Null])).unwrap();
    assert_eq!(rig.durable().unwrap()[0].next_offset, 1);
    rig.ahead += Duration::from_secs(6);
    assert_eq!(rig.poll().unwrap_err().java_class(), "java.lang.RuntimeException");
    let mut calm = Rig::start(&MockSinkConnector, &props(&[])).unwrap();
    calm.poll().unwrap();
    calm.ahead += Duration::from_secs(3600);
    calm.poll().unwrap();
}
