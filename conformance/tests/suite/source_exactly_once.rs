//! Source tasks exactly once (KIP-618): whatever is killed and whenever, committed records are the lines of
//! the file.

use std::time::Duration;

use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::java::JavaConnect;
use lakeward_testkit::records;
use lakeward_testkit::wait::wait_for;
use lakeward_testkit::worker::property;

use crate::source_rig::{PATIENCE, SourceRig, wait_until_running};

const ENABLED: (&str, &str) = ("exactly.once.source.support", "enabled");

fn kill_and_go_on(rig: &mut SourceRig, more: &[(&str, &str)]) {
    rig.create(more);
    for _ in 0..4 {
        rig.append_and_wait_for(2_000, 500);
        rig.worker.kill();
        rig.worker.restart().expect("the worker starts again");
    }
    rig.append(500);
    assert_eq!(rig.wait_for_last(), rig.written());
}

#[test]
fn a_killed_worker_repeats_nothing() {
    let mut rig = SourceRig::start(&[ENABLED]);
    kill_and_go_on(&mut rig, &[]);
    rig.wait_for_offset();
}

#[test]
fn transactions_by_time_repeat_nothing_either() {
    let mut rig = SourceRig::start(&[ENABLED]);
    let boundary = [("transaction.boundary", "interval"), ("transaction.boundary.interval.ms", "300")];
    kill_and_go_on(&mut rig, &boundary);
}

#[test]
fn an_offsets_topic_of_its_own_holds_the_offsets() {
    let mut rig = SourceRig::start(&[ENABLED]);
    let own = lakeward_testkit::unique("own-offsets");
    kill_and_go_on(&mut rig, &[("offsets.storage.topic", &own)]);
    let stored = records::read_topic(KafkaBroker::shared(), &own).unwrap();
    let newest = stored.last().unwrap().value.clone().unwrap();
    assert_eq!(String::from_utf8(newest).unwrap(), format!("{{\"position\":{}}}", rig.length()));
}

#[test]
fn the_leader_says_in_the_config_topic_that_earlier_tasks_are_fenced() {
    let rig = SourceRig::start(&[ENABLED]);
    rig.create(&[("exactly.once.support", "required")]);
    let topic = property(&rig.properties, "config.storage.topic");
    let records = records::read_topic(KafkaBroker::shared(), topic).unwrap();
    let key = format!("tasks-fencing-{}", rig.connector);
    let fencing: Vec<_> = records.iter().filter(|record| record.key_text() == key).collect();
    assert_eq!(fencing.len(), 1);
    assert_eq!(fencing[0].value_json().unwrap(), serde_json::json!({"task-count": 1}));
}

/// A worker that ended while it wrote to the config topic leaves a transaction behind which nothing is read.
#[test]
fn what_a_dead_leader_left_open_does_not_hold_up_the_next_one() {
    let mut rig = SourceRig::start(&[ENABLED]);
    rig.create(&[]);
    rig.append_and_wait_for(100, 100);
    rig.worker.kill();
    let id = format!("connect-cluster-{}", property(&rig.properties, "group.id"));
    let topic = property(&rig.properties, "config.storage.topic");
    let record = records::Record {
        key: Some(b"connector-half-written".to_vec()),
        ..records::Record::json(&serde_json::json!({ "properties": rig.config(&[]) }))
    };
    records::leave_transaction_open(KafkaBroker::shared(), topic, &id, &record).unwrap();
    rig.worker.restart().unwrap();
    rig.append(100);
    assert_eq!(rig.wait_for_last(), rig.written());
    let names = rig.worker.rest.get("/connectors").unwrap().json();
    assert_eq!(names, serde_json::json!([rig.connector]), "what was not committed does not count");
}

#[test]
fn a_frozen_predecessor_cannot_write_any_more() {
    let mut rig = SourceRig::start(&[ENABLED]);
    rig.create(&[]);
    rig.append(1_000);
    rig.wait_for_last();
    // A second process takes the same group while the first one only seems dead.
    let mut zombie = std::mem::replace(
        &mut rig.worker,
        lakeward_testkit::worker::LakewardWorker::start_distributed(&rig.properties).unwrap(),
    );
    zombie.freeze().unwrap();
    wait_for("the second worker to run the task", Duration::from_secs(90), || {
        let answer = rig.worker.rest.get(&format!("/connectors/{}/status", rig.connector)).unwrap();
        let status = answer.json();
        let here = rig.worker.rest.authority();
        let is_here = status["tasks"][0]["worker_id"] == *here && status["tasks"][0]["state"] == "RUNNING";
        if is_here { Ok(()) } else { Err(answer.text) }
    });
    rig.append(1_000);
    zombie.thaw().unwrap();
    assert_eq!(rig.wait_for_last(), rig.written());
    rig.append(1_000);
    assert_eq!(rig.wait_for_last(), rig.written());
    zombie.kill();
}

#[test]
fn java_and_we_continue_each_others_transactions() {
    let mut rig = SourceRig::start(&[ENABLED]);
    rig.create(&[]);
    rig.append(300);
    assert_eq!(rig.wait_for_last(), rig.written());
    // A killed worker stays in the group for its session time-out, with a protocol Java does not speak.
    assert_eq!(rig.worker.terminate().unwrap().code(), Some(0));
    let mut java = JavaConnect::start(&rig.properties).unwrap();
    wait_until_running(&java.rest, &rig.connector);
    rig.append(300);
    let expected = rig.written();
    wait_for("Java's lines", PATIENCE, || {
        let ids = rig.ids();
        if ids == expected { Ok(()) } else { Err(ids.len()) }
    });
    java.stop().unwrap();
    rig.worker.restart().unwrap();
    rig.worker.wait_for_state(&rig.connector, "RUNNING", 1);
    rig.append(300);
    assert_eq!(rig.wait_for_last(), rig.written());
}
