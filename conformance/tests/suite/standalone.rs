//! Standalone mode: connectors come from files on the command line and live in memory.

use std::time::Duration;

use lakeward_conformance::envelope::numbered;
use lakeward_conformance::sink_config::SinkConfig;
use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::records::{Record, produce};
use lakeward_testkit::store::Versitygw;
use lakeward_testkit::unique;
use lakeward_testkit::wait::wait_for;
use lakeward_testkit::worker::{LakewardWorker, Properties};
use serde_json::json;

#[test]
fn a_connector_file_of_java_runs_at_once() {
    let broker = KafkaBroker::shared();
    let topic = broker.create_topic("standalone", 1).unwrap();
    let objects = Versitygw::shared().create_bucket("standalone").unwrap();
    let name = unique("file-configured");
    let config = SinkConfig::new(&topic, &objects, 2).with(&[("name", &name)]).json();
    let lines: String = config
        .as_object()
        .unwrap()
        .iter()
        .map(|(key, value)| format!("{key}={}\n", value.as_str().unwrap()))
        .collect();
    let properties: Properties = [
        ("bootstrap.servers", broker.bootstrap()),
        ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
        ("offset.flush.interval.ms", "1000"),
        ("offset.storage.file.filename", "standalone.offsets"),
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into();
    let mut worker = LakewardWorker::start_standalone(&properties, &[("sink.properties", lines)]).unwrap();
    assert_eq!(worker.rest.get("/connectors").unwrap().expect_status(200).json(), json!([name]));
    worker.wait_for_state(&name, "RUNNING", 1);
    produce(broker, &topic, &[0, 1].map(|id| Record::json(&numbered(id)))).unwrap();
    let names = wait_for("the object", Duration::from_secs(60), || match objects.names() {
        Ok(names) if !names.is_empty() => Ok(names),
        other => Err(format!("{other:?}")),
    });
    assert_eq!(names, [format!("topics/{topic}/partition=0/{topic}+0+0000000000.snappy.parquet")]);
    assert_eq!(worker.terminate().unwrap().code(), Some(0));
}
