//! No record is lost: crashes, drains, restarts, several tasks.

use lakeward_conformance::envelope::numbered;
use lakeward_conformance::scenario::Scenario;
use lakeward_testkit::oracle::{Guarantee, Oracle};
use lakeward_testkit::records::{Record, read_topic};
use lakeward_testkit::worker::property;

const PARTITIONS: i32 = 4;
const FLUSH_SIZE: usize = 250;

/// `count` records per partition, ids in the order of sending.
fn numbered_records(oracle: &mut Oracle, count: usize) -> Vec<Record> {
    let mut records = Vec::new();
    for _ in 0..count {
        for partition in 0..PARTITIONS {
            records.push(Record::json(&numbered(oracle.next_id())).in_partition(partition));
        }
    }
    records
}

fn stored_ids(scenario: &Scenario) -> Vec<u64> {
    let rows = scenario.objects.parquet_rows().expect("stored files are readable");
    rows.iter().map(|row| row["id"].as_u64().expect("ids are numbers")).collect()
}

fn wait_for_commits(scenario: &Scenario, offset: usize) {
    for partition in 0..PARTITIONS {
        scenario.wait_for_commit(partition, i64::try_from(offset).expect("offsets are small"));
    }
}

#[test]
fn several_tasks_share_the_partitions() {
    let scenario = Scenario::start(PARTITIONS);
    scenario.create(&scenario.config(FLUSH_SIZE).with(&[("tasks.max", "2")]));
    let status = scenario.worker.wait_for_state(&scenario.connector, "RUNNING", 2);
    assert_eq!(status["type"], "sink");
    let mut oracle = Oracle::new();
    scenario.produce(&numbered_records(&mut oracle, 2 * FLUSH_SIZE));
    wait_for_commits(&scenario, 2 * FLUSH_SIZE);
    let names = scenario.objects.names().unwrap();
    let mut expected = Vec::new();
    for partition in 0..PARTITIONS {
        for start in [0, i64::try_from(FLUSH_SIZE).unwrap()] {
            let folder = format!("partition={partition}");
            expected.push(scenario.object(&folder, partition, start, "snappy.parquet"));
        }
    }
    assert_eq!(names, expected);
    oracle.assert(Guarantee::ExactlyOnce, stored_ids(&scenario));
}

#[test]
fn a_crash_in_the_middle_loses_nothing_and_repeats_nothing() {
    let mut scenario = Scenario::start(PARTITIONS);
    scenario.create(&scenario.config(FLUSH_SIZE).with(&[("tasks.max", "2")]));
    scenario.worker.wait_for_state(&scenario.connector, "RUNNING", 2);
    let mut oracle = Oracle::new();
    let rounds = 3;
    for round in 1..=rounds {
        // Not a multiple of the flush size: a part is open whenever the worker dies.
        scenario.produce(&numbered_records(&mut oracle, 5 * FLUSH_SIZE - 50));
        scenario.wait_for_objects(4 * round);
        scenario.worker.kill();
        scenario.produce(&numbered_records(&mut oracle, 50));
        scenario.worker.restart().unwrap();
    }
    wait_for_commits(&scenario, rounds * 5 * FLUSH_SIZE);
    // Rotation by count repeats after a crash: same names, same contents.
    let files_per_partition = rounds * 5;
    assert_eq!(scenario.objects.names().unwrap().len(), files_per_partition * 4);
    oracle.assert(Guarantee::ExactlyOnce, stored_ids(&scenario));
}

#[test]
fn a_drain_ends_with_exit_code_0_and_unassigned_tasks() {
    let mut scenario = Scenario::start(PARTITIONS);
    scenario.create(&scenario.config(FLUSH_SIZE));
    let mut oracle = Oracle::new();
    scenario.produce(&numbered_records(&mut oracle, FLUSH_SIZE + 10));
    scenario.wait_for_objects(4);
    scenario.worker.wait_for_state(&scenario.connector, "RUNNING", 1);
    let status = scenario.worker.terminate().unwrap();
    assert_eq!(status.code(), Some(0));

    let topic = property(&scenario.properties, "status.storage.topic");
    let records = read_topic(scenario.broker, topic).unwrap();
    for key in
        [format!("status-connector-{}", scenario.connector), format!("status-task-{}-0", scenario.connector)]
    {
        let last = records.iter().rfind(|record| record.key_text() == key).expect("a status was written");
        assert_eq!(last.value_json().expect("not deleted")["state"], "UNASSIGNED", "{key}");
    }

    scenario.worker.restart().unwrap();
    scenario.produce(&numbered_records(&mut oracle, FLUSH_SIZE - 10));
    wait_for_commits(&scenario, 2 * FLUSH_SIZE);
    oracle.assert(Guarantee::ExactlyOnce, stored_ids(&scenario));
}

#[test]
fn connectors_survive_a_restart_of_the_cluster() {
    let mut scenario = Scenario::start(1);
    let created = scenario.create(&scenario.config(1));
    scenario.worker.wait_for_state(&scenario.connector, "RUNNING", 1);
    scenario.worker.kill();
    scenario.worker.restart().unwrap();
    scenario.worker.wait_for_state(&scenario.connector, "RUNNING", 1);
    let path = format!("/connectors/{}", scenario.connector);
    let found = scenario.worker.rest.get(&path).unwrap().expect_status(200).json();
    assert_eq!(found["config"], created["config"]);
    scenario.produce(&[Record::json(&numbered(0))]);
    scenario.wait_for_objects(1);
}
