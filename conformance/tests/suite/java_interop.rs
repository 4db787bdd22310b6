//! Take-over both ways: Java Connect and our worker continue each other's clusters from the internal topics.

use lakeward_conformance::envelope::numbered;
use lakeward_conformance::scenario::Scenario;
use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::java::JavaConnect;
use lakeward_testkit::worker::distributed_properties;
use serde_json::json;

use crate::rest_shapes::assert_refusals;
use crate::validate_keys::assert_common_keys_are_javas;

#[test]
fn refusals_and_common_keys_are_those_of_java_connect() {
    let mut java = JavaConnect::start(&distributed_properties(KafkaBroker::shared())).unwrap();
    assert_refusals(&java.rest);
    let scenario = Scenario::start(1);
    assert_common_keys_are_javas(&java.rest, &scenario.worker.rest);
    java.stop().unwrap();
}

#[test]
fn java_connect_continues_our_cluster_and_we_continue_javas() {
    let mut scenario = Scenario::start(1);
    let ours = scenario.connector.clone();
    let created = scenario.create(&scenario.config(1));
    scenario.worker.wait_for_state(&ours, "RUNNING", 1);
    scenario.produce_json(&[numbered(0)]);
    scenario.wait_for_commit(0, 1);
    assert_eq!(scenario.worker.terminate().unwrap().code(), Some(0));

    let mut java = JavaConnect::start(&scenario.properties).unwrap();
    assert_eq!(java.rest.get("/connectors").unwrap().expect_status(200).json(), json!([ours]));
    let config = java.rest.get(&format!("/connectors/{ours}/config")).unwrap().expect_status(200).json();
    assert_eq!(config, created["config"]);
    let theirs = lakeward_testkit::unique("file-sink");
    let file_sink = json!({"name": theirs, "config": {
        "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
        "topics": scenario.topic, "tasks.max": "1",
    }});
    java.rest.post("/connectors", &file_sink).unwrap().expect_status(201);
    java.stop().unwrap();

    scenario.worker.restart().unwrap();
    let mut listed: Vec<String> =
        serde_json::from_value(scenario.worker.rest.get("/connectors").unwrap().json()).unwrap();
    listed.sort();
    let mut expected = vec![ours.clone(), theirs.clone()];
    expected.sort();
    assert_eq!(listed, expected);
    scenario.worker.wait_for_state(&ours, "RUNNING", 1);
    scenario.produce_json(&[numbered(1)]);
    scenario.wait_for_objects(2);
    scenario.wait_for_commit(0, 2);
}
