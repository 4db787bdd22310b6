//! Source tasks at least once: nothing is lost, offsets are Java's bytes, operators can steer.

use std::collections::BTreeSet;

use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::records;
use lakeward_testkit::unique;
use lakeward_testkit::wait::wait_for;
use serde_json::json;

use crate::source_rig::{PATIENCE, SourceRig};

#[test]
fn lines_go_on_where_they_were_after_an_orderly_restart() {
    // Offsets are stored when the worker stops, not before.
    let mut rig = SourceRig::start(&[("offset.flush.interval.ms", "600000")]);
    rig.create(&[]);
    rig.append(1_000);
    assert_eq!(rig.wait_for_last(), rig.written());
    assert_eq!(rig.worker.terminate().unwrap().code(), Some(0));
    rig.wait_for_offset();
    rig.append(500);
    rig.worker.restart().unwrap();
    rig.worker.wait_for_state(&rig.connector, "RUNNING", 1);
    assert_eq!(rig.wait_for_last(), rig.written());
}

#[test]
fn a_killed_worker_repeats_lines_and_loses_none() {
    let mut rig = SourceRig::start(&[("offset.flush.interval.ms", "200")]);
    rig.create(&[]);
    for _ in 0..4 {
        rig.append_and_wait_for(3_000, 1_000);
        rig.worker.kill();
        rig.worker.restart().unwrap();
    }
    rig.append(1_000);
    let ids = rig.wait_for_last();
    let distinct: BTreeSet<u64> = ids.iter().copied().collect();
    assert_eq!(distinct.into_iter().collect::<Vec<_>>(), rig.written(), "lines were lost");
    // What comes again comes in order, from a stored offset on.
    for pair in ids.windows(2) {
        assert!(pair[1] <= pair[0] + 1, "a gap between {} and {}", pair[0], pair[1]);
    }
    rig.wait_for_offset();
}

#[test]
fn a_paused_source_is_not_read_and_a_stopped_one_has_no_tasks() {
    let mut rig = SourceRig::start(&[]);
    rig.create(&[]);
    rig.append(10);
    rig.wait_for_last();
    let path = |rest: &str| format!("/connectors/{}{rest}", rig.connector);
    rig.worker.rest.put_empty(&path("/pause")).unwrap().expect_status(202);
    rig.worker.wait_for_state(&rig.connector, "PAUSED", 1);
    rig.append(10);
    let path = |rest: &str| format!("/connectors/{}{rest}", rig.connector);
    // A restart in this state makes no task that reads.
    rig.worker.rest.post_empty(&path("/tasks/0/restart")).unwrap().expect_status(204);
    rig.worker.wait_for_state(&rig.connector, "PAUSED", 1);
    assert_eq!(rig.ids().len(), 10);
    rig.worker.rest.put_empty(&path("/resume")).unwrap().expect_status(202);
    rig.worker.wait_for_state(&rig.connector, "RUNNING", 1);
    assert_eq!(rig.wait_for_last(), rig.written());
    rig.worker.rest.put_empty(&path("/stop")).unwrap().expect_status(204);
    rig.worker.wait_for_state(&rig.connector, "STOPPED", 0);
    rig.wait_for_offset();
}

#[test]
fn a_source_is_shown_as_one_with_its_topics() {
    let mut rig = SourceRig::start(&[]);
    rig.create(&[]);
    let info = rig.worker.rest.get(&format!("/connectors/{}", rig.connector)).unwrap().json();
    assert_eq!(info["type"], "source");
    let tasks = rig.worker.rest.get(&format!("/connectors/{}/tasks", rig.connector)).unwrap().json();
    let task = &tasks[0]["config"];
    assert_eq!(task["task.class"], "org.apache.kafka.connect.file.FileStreamSourceTask");
    assert!(task.get("topics").is_none(), "{task}");
    rig.append(1);
    let path = format!("/connectors/{}/topics", rig.connector);
    let expected = json!({ rig.connector.clone(): { "topics": [rig.topic] } });
    wait_for("the topic in use", PATIENCE, || {
        let found = rig.worker.rest.get(&path).unwrap().json();
        if found == expected { Ok(()) } else { Err(found) }
    });
}

#[test]
fn topics_are_created_with_their_group() {
    let mut rig = SourceRig::start(&[]);
    rig.topic = unique("created");
    rig.create(&[
        ("topic.creation.default.partitions", "1"),
        ("topic.creation.default.replication.factor", "1"),
        ("topic.creation.groups", "many"),
        ("topic.creation.many.include", "other,created-.*"),
        ("topic.creation.many.partitions", "3"),
    ]);
    rig.append(1);
    wait_for("the topic", PATIENCE, || {
        let found = KafkaBroker::shared().partition_count(&rig.topic);
        if matches!(found, Ok(3)) { Ok(()) } else { Err(format!("{found:?}")) }
    });
    wait_for("the line", PATIENCE, || {
        // A topic that was made a moment ago may not be readable yet.
        let found = records::read_topic(KafkaBroker::shared(), &rig.topic).map(|records| records.len());
        if matches!(found, Ok(1)) { Ok(()) } else { Err(format!("{found:?}")) }
    });
}

#[test]
fn a_source_without_its_default_topic_group_is_created_and_fails() {
    let rig = SourceRig::start(&[]);
    rig.worker.create(&rig.connector, &rig.config(&[("topic.creation.default.partitions", "1")]));
    let status = rig
        .worker
        .wait_for_status(&rig.connector, "FAILED", |status| status["connector"]["state"] == "FAILED");
    let trace = status["connector"]["trace"].as_str().unwrap();
    let expected = "org.apache.kafka.common.config.ConfigException: Missing required configuration \
                    \"topic.creation.default.replication.factor\" which has no default value.";
    assert!(trace.starts_with(expected), "{trace}");
}

/// Lines that a transform refuses: the task fails after the lines before them, or skips them.
#[test]
fn bad_records_fail_the_task_or_are_skipped() {
    let transform = [
        ("transforms", "cast"),
        ("transforms.cast.type", "org.apache.kafka.connect.transforms.Cast$Value"),
        ("transforms.cast.spec", "int32"),
        ("value.converter", "org.apache.kafka.connect.converters.IntegerConverter"),
    ];
    let rig = SourceRig::start(&[]);
    std::fs::write(&rig.file, "1\n2\nx\n3\n").unwrap();
    // Nobody may see the task run: it fails at its first batch.
    rig.worker.create(&rig.connector, &rig.config(&transform));
    let trace = rig.worker.wait_for_failure(&rig.connector);
    assert!(trace.contains("ConnectException: Tolerance exceeded in error handler"), "{trace}");
    let values = |rig: &SourceRig| -> Vec<i32> {
        let records = records::read_topic(KafkaBroker::shared(), &rig.topic).unwrap();
        let number = |value: Vec<u8>| i32::from_be_bytes(value.try_into().unwrap());
        records.into_iter().map(|record| number(record.value.unwrap())).collect()
    };
    assert_eq!(values(&rig), [1, 2]);
    let tolerant = [&transform[..], &[("errors.tolerance", "all")]].concat();
    let path = format!("/connectors/{}/config", rig.connector);
    rig.worker.rest.put(&path, &rig.config(&tolerant)).unwrap().expect_status(200);
    wait_for("the lines around the bad one", PATIENCE, || {
        let found = values(&rig);
        // The first two were stored before the failure or come again.
        if found.ends_with(&[3]) && found.starts_with(&[1, 2]) { Ok(()) } else { Err(found) }
    });
    rig.wait_for_offset();
}
