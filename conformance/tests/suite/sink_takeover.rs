//! Take-over and roll-back of a sink while its topic is being written: whenever one kind of worker ends, and
//! however, the other kind goes on from the internal topics and the consumer group.
//!
//! The instants come from a seed. The sink is the one that both kinds have: lines in a file.

use std::fs;
use std::path::PathBuf;

use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::java::JavaConnect;
use lakeward_testkit::oracle::{Guarantee, Oracle};
use lakeward_testkit::records::Record;
use lakeward_testkit::rest::RestClient;
use lakeward_testkit::unique;
use lakeward_testkit::wait::wait_for;
use lakeward_testkit::worker::{LakewardWorker, Properties, distributed_properties, property};
use serde_json::{Value, json};

use crate::source_rig::{PATIENCE, wait_until_running};
use crate::writer::Writer;

const PARTITIONS: u64 = 3;
/// Lines that are acknowledged together.
const BATCH: u64 = 10;

/// How a worker ends.
#[derive(Clone, Copy)]
enum End {
    /// SIGKILL.
    Killed,
    /// SIGTERM.
    Told,
}

/// A cluster with one file sink, and its topic under load.
struct Rig {
    properties: Properties,
    connector: String,
    topic: String,
    folder: PathBuf,
    writer: Writer,
}

impl Drop for Rig {
    fn drop(&mut self) {
        // What is left behind is found and removed by hand; a test does not fail for it.
        drop(fs::remove_dir_all(&self.folder));
    }
}

impl Rig {
    fn start(seed: u64) -> Self {
        let broker = KafkaBroker::shared();
        let connector = unique("takeover");
        let folder = std::env::temp_dir().join(&connector);
        fs::create_dir_all(&folder).expect("temporary folders can be made");
        let topic = broker.create_topic("takeover", PARTITIONS as i32).expect("the broker creates topics");
        let writer = Writer::start(&topic, seed, BATCH, |id| {
            Record::of(format!("line-{id:08}")).in_partition((id % PARTITIONS) as i32)
        });
        Self { properties: distributed_properties(broker), connector, topic, folder, writer }
    }

    fn file(&self) -> PathBuf {
        self.folder.join("lines.txt")
    }

    fn create(&self, worker: &LakewardWorker) {
        let config = json!({
            "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
            "tasks.max": "1",
            "topics": self.topic,
            "file": self.file().display().to_string(),
            "value.converter": "org.apache.kafka.connect.storage.StringConverter",
            // A killed worker leaves its consumers in the group until their session ends.
            "consumer.override.session.timeout.ms": "6000",
            "consumer.override.heartbeat.interval.ms": "2000",
        });
        worker.create(&self.connector, &config);
    }

    /// The numbers of the whole lines in the file. A killed worker may leave a piece of a line at the end,
    /// which the next one writes on.
    fn ids(&self) -> Vec<u64> {
        let text = fs::read_to_string(self.file()).unwrap_or_default();
        let digits = text.split("line-").filter_map(|piece| piece.get(..8));
        digits.filter_map(|digits| digits.parse().ok()).collect()
    }

    /// Waits until lines that nobody had written before are in the file, then for a random while longer.
    fn work_for_a_while(&mut self) {
        let before = self.writer.count();
        wait_for("lines of the new worker", PATIENCE, || {
            let newest = self.ids().into_iter().max().unwrap_or_default();
            if newest > before { Ok(()) } else { Err((newest, before)) }
        });
        self.writer.wait_for_some(400);
    }

    /// Waits until the sessions of killed workers have ended: Java's worker refuses to start in a group that
    /// has members of ours.
    fn wait_for_empty_group(&self) {
        let group = property(&self.properties, "group.id");
        wait_for("the end of the dead worker's session", PATIENCE, || {
            match KafkaBroker::shared().member_count(group) {
                Ok(0) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        });
    }

    /// Waits until everything is committed, and compares the file, the offsets and the status.
    fn assert_complete(&mut self, guarantee: Guarantee, rest: &RestClient) {
        let count = self.writer.finish();
        let group = format!("connect-{}", self.connector);
        let ends: Vec<u64> = (0..PARTITIONS).map(|p| (count + PARTITIONS - 1 - p) / PARTITIONS).collect();
        for (partition, end) in (0..).zip(&ends) {
            wait_for(&format!("offset {end} of partition {partition}"), PATIENCE, || {
                match KafkaBroker::shared().committed_offset(&group, &self.topic, partition) {
                    Ok(Some(found)) if found == *end as i64 => Ok(()),
                    other => Err(format!("{other:?}")),
                }
            });
        }
        let mut oracle = Oracle::new();
        for id in 0..count {
            assert_eq!(oracle.next_id(), id);
        }
        oracle.assert(guarantee, self.ids());
        let path = format!("/connectors/{}/offsets", self.connector);
        let mut shown = answer_of(rest, &path)["offsets"].as_array().cloned().unwrap_or_default();
        shown.sort_by_key(|item| item["partition"]["kafka_partition"].as_u64());
        let expected: Vec<_> = (0..PARTITIONS)
            .zip(&ends)
            .map(|(partition, end)| {
                let at = json!({"kafka_topic": self.topic, "kafka_partition": partition});
                json!({"partition": at, "offset": {"kafka_offset": end}})
            })
            .collect();
        assert_eq!(shown, expected);
        let path = format!("/connectors/{}/status", self.connector);
        let status = answer_of(rest, &path);
        for part in [&status["connector"], &status["tasks"][0]] {
            assert_eq!(part["state"], "RUNNING", "{status}");
            assert_eq!(part["worker_id"], rest.authority(), "{status}");
        }
    }
}

fn answer_of(rest: &RestClient, path: &str) -> Value {
    rest.get(path).expect("the worker answers").expect_status(200).json()
}

/// Ours, Java's, ours again: each of the first two ends in the midst of the work.
fn back_and_forth(end: End, guarantee: Guarantee, seed: u64) {
    let mut rig = Rig::start(seed);
    let mut ours = LakewardWorker::start_distributed(&rig.properties).expect("the worker starts");
    rig.create(&ours);
    ours.wait_for_state(&rig.connector, "RUNNING", 1);
    rig.work_for_a_while();
    end_ours(&mut ours, end);

    rig.wait_for_empty_group();
    let mut java = JavaConnect::start(&rig.properties).expect("Java's worker starts");
    wait_until_running(&java.rest, &rig.connector);
    rig.work_for_a_while();
    match end {
        End::Killed => java.kill(),
        End::Told => java.stop().expect("Java's worker stops"),
    }

    // At once: ours waits for the end of a dead member's session by itself.
    ours.restart().expect("the worker starts again");
    ours.wait_for_state(&rig.connector, "RUNNING", 1);
    rig.work_for_a_while();
    rig.assert_complete(guarantee, &ours.rest);
}

fn end_ours(ours: &mut LakewardWorker, end: End) {
    match end {
        End::Killed => ours.kill(),
        End::Told => assert_eq!(ours.terminate().expect("the worker stops").code(), Some(0)),
    }
}

#[test]
fn workers_that_are_told_to_stop_hand_a_busy_sink_over_without_a_loss_or_a_copy() {
    back_and_forth(End::Told, Guarantee::ExactlyOnce, 11);
}

#[test]
fn workers_that_are_killed_leave_a_busy_sink_to_the_other_kind_without_a_loss() {
    back_and_forth(End::Killed, Guarantee::AtLeastOnce, 12);
}
