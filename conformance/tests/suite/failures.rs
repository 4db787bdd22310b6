//! What goes wrong is told: the task fails with a trace that names the cause, or the request is refused with
//! every problem.

use std::time::Duration;

use lakeward_conformance::envelope::numbered;
use lakeward_conformance::scenario::Scenario;
use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::records::Record;
use lakeward_testkit::worker::{LakewardWorker, distributed_properties, property};
use serde_json::json;

#[test]
fn a_missing_bucket_fails_the_task_and_names_the_key() {
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(1).with(&[("s3.bucket.name", "there-is-no-such-bucket")]));
    let trace = scenario.worker.wait_for_failure(&scenario.connector);
    assert!(trace.contains("there-is-no-such-bucket"), "{trace}");
    assert!(trace.contains("s3.bucket.name"), "{trace}");
    // The connector itself is fine: only the task failed.
    let path = format!("/connectors/{}/status", scenario.connector);
    let status = scenario.worker.rest.get(&path).unwrap().json();
    assert_eq!(status["connector"]["state"], "RUNNING");
}

#[test]
fn wrong_credentials_fail_the_task_without_showing_the_secret() {
    let scenario = Scenario::start(1);
    let secret = "not-the-secret-of-this-store";
    scenario.create(&scenario.config(1).with(&[("aws.secret.access.key", secret), ("s3.part.retries", "0")]));
    scenario.produce_json(&[numbered(0)]);
    let trace = scenario.worker.wait_for_failure(&scenario.connector);
    assert!(!trace.is_empty());
    assert!(!trace.contains(secret), "the trace shows the secret");
    assert!(!scenario.worker.log().contains(secret), "the log shows the secret");
    assert_eq!(scenario.objects.names().unwrap(), Vec::<String>::new());
}

#[test]
fn an_unreachable_broker_ends_the_start_with_an_error_that_names_it() {
    let mut properties = distributed_properties(KafkaBroker::shared());
    for (name, value) in [
        ("bootstrap.servers", "127.0.0.1:1"),
        ("default.api.timeout.ms", "5000"),
        ("request.timeout.ms", "3000"),
    ] {
        properties.retain(|(known, _)| known != name);
        properties.push((name.to_owned(), value.to_owned()));
    }
    let (status, log) = LakewardWorker::run_to_end(&properties, Duration::from_secs(120)).unwrap();
    assert!(!status.success(), "{log}");
    assert!(log.contains("127.0.0.1:1"), "{log}");
}

#[test]
fn an_internal_topic_that_loses_records_ends_the_start_with_its_setting_and_the_remedy() {
    let broker = KafkaBroker::shared();
    for setting in ["config.storage.topic", "offset.storage.topic", "status.storage.topic"] {
        let properties = distributed_properties(broker);
        let topic = property(&properties, setting);
        broker.create_topic_with(topic, 1, &[("cleanup.policy", "delete")]).unwrap();
        let (status, log) = LakewardWorker::run_to_end(&properties, Duration::from_secs(120)).unwrap();
        assert!(!status.success(), "{log}");
        let remedy = format!("--alter --topic {topic} --add-config cleanup.policy=compact");
        for part in [setting, "cleanup.policy=delete", &remedy] {
            assert!(log.contains(part), "{part:?} is not in {log}");
        }
    }
}

#[test]
fn an_undecodable_record_fails_the_task_and_commits_nothing_behind_it() {
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(1));
    scenario.produce(&[Record::json(&numbered(0)), Record::of("{broken"), Record::json(&numbered(2))]);
    let trace = scenario.worker.wait_for_failure(&scenario.connector);
    assert!(trace.contains("Tolerance exceeded in error handler"), "{trace}");
    assert!(!trace.contains("{broken"), "a trace must not show record contents");
    let names = scenario.objects.names().unwrap();
    let first = scenario.object("partition=0", 0, 0, "snappy.parquet");
    assert!(names.is_empty() || names == [first], "{names:?}");
}

#[test]
fn tolerated_records_are_skipped_and_their_offsets_are_passed() {
    let scenario = Scenario::start(1);
    scenario.create(&scenario.config(2).with(&[("errors.tolerance", "all")]));
    scenario.produce(&[
        Record::of("{broken"),
        Record::json(&numbered(1)),
        Record::of("not json at all"),
        Record::json(&numbered(3)),
    ]);
    let names = scenario.wait_for_objects(1);
    assert_eq!(names, [scenario.object("partition=0", 0, 1, "snappy.parquet")]);
    assert_eq!(scenario.parquet(&names[0]).rows, [json!({"id": 1}), json!({"id": 3})]);
    scenario.wait_for_commit(0, 4);
    scenario.worker.wait_for_state(&scenario.connector, "RUNNING", 1);
}

#[test]
fn an_invalid_configuration_is_refused_with_every_problem() {
    let scenario = Scenario::start(1);
    let config = scenario.config(1).without("s3.bucket.name").with(&[
        ("flush.size", "many"),
        ("tasks.max", "0"),
        ("s3.part.size", "1"),
    ]);
    let body = json!({"name": scenario.connector, "config": config.json()});
    let answer = scenario.worker.rest.post("/connectors", &body).unwrap().expect_status(400);
    let message = answer.message();
    assert_eq!(answer.json()["error_code"], 400);
    for problem in [
        "Connector configuration is invalid and contains the following 4 error(s):",
        "Invalid value many for configuration flush.size: Not a number of type INT",
        "Invalid value 0 for configuration tasks.max: Value must be at least 1",
        "Missing required configuration \"s3.bucket.name\" which has no default value.",
        "Invalid value 1 for configuration s3.part.size: Part size must be at least: 5242880 bytes (5MB)",
        "`/connector-plugins/{connectorType}/config/validate`",
    ] {
        assert!(message.contains(problem), "{problem:?} is not in {message:?}");
    }
    assert_eq!(scenario.worker.rest.get("/connectors").unwrap().json(), json!([]));
}
