//! `lakeward.handover.ms`: rebalances under load leave open files as they are. Names and rows are those of a
//! sink that nobody disturbed, and next to nothing is read again.

use std::collections::BTreeMap;
use std::time::Duration;

use lakeward_conformance::scenario::Scenario;
use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::member::GroupMember;
use lakeward_testkit::oracle::{Guarantee, Oracle};
use lakeward_testkit::records::Record;
use lakeward_testkit::store::Versitygw;
use lakeward_testkit::wait::wait_for;
use serde_json::json;

use crate::writer::Writer;

const PARTITIONS: i32 = 4;
const FLUSH_SIZE: u64 = 400;
const BATCH: u64 = 20;
const ROUNDS: u64 = 6;
const PATIENCE: Duration = Duration::from_secs(120);
/// So that a file is uploaded in several parts: the first has 5 MiB.
const PADDING_BYTES: usize = 20_000;

/// A sink of two tasks whose topic is being written, and how many records its tasks read.
struct Rig {
    scenario: Scenario,
    writer: Writer,
    read: BTreeMap<String, (f64, f64)>,
    assignor: Assignor,
}

/// How partitions move.
#[derive(Clone, Copy)]
enum Assignor {
    /// A rebalance takes those that move.
    Cooperative,
    /// A rebalance takes all of them, and gives most back.
    Range,
}

impl Assignor {
    /// For the connector, and for a member that librdkafka makes.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Cooperative => {
                ("org.apache.kafka.clients.consumer.CooperativeStickyAssignor", "cooperative-sticky")
            }
            Self::Range => ("org.apache.kafka.clients.consumer.RangeAssignor", "range"),
        }
    }
}

impl Rig {
    fn start(assignor: Assignor, settings: &[(&str, &str)]) -> Self {
        let (broker, store) = (KafkaBroker::shared(), Versitygw::shared());
        // A shard for each task.
        let scenario = Scenario::start_on(broker, store, PARTITIONS, &[("lakeward.shards", "2")]);
        let flush_size = usize::try_from(FLUSH_SIZE).expect("it is small");
        let config = scenario.config(flush_size).json_lines().with(&[
            ("tasks.max", "2"),
            ("s3.part.size", "5242880"),
            ("consumer.override.heartbeat.interval.ms", "500"),
            ("consumer.override.partition.assignment.strategy", assignor.names().0),
        ]);
        scenario.create(&config.with(settings));
        let writer = Writer::start(&scenario.topic, 1, BATCH, record);
        Self { scenario, writer, read: BTreeMap::new(), assignor }
    }

    /// Records that tasks read so far, over all runs of each. What a run reads between a look and its end is
    /// not seen.
    fn read(&mut self) -> f64 {
        const NAME: &str = "kafka_connect_sink_task_metrics_sink_record_read_total{";
        let page = self.scenario.worker.rest.get("/metrics").expect("the worker answers").text;
        for line in page.lines().filter(|line| line.starts_with(NAME)) {
            let (task, count) = line.rsplit_once(' ').expect("a series has a value");
            let count: f64 = count.parse().expect("values are numbers");
            let (before, last) = self.read.entry(task.to_owned()).or_default();
            if count < *last {
                *before += *last;
            }
            *last = count;
        }
        self.read.values().map(|(before, last)| before + last).sum()
    }

    /// Waits for new records, and until the tasks together have all partitions.
    fn work_for_a_while(&mut self) {
        let wanted = self.writer.count() + 300;
        wait_for("records and partitions", PATIENCE, || {
            self.read();
            let page = self.scenario.worker.rest.get("/metrics").map_err(|err| format!("{err:#}"))?.text;
            let name = "kafka_connect_sink_task_metrics_partition_count{";
            let counts = page.lines().filter(|line| line.starts_with(name));
            let counts: Vec<&str> = counts.filter_map(|line| Some(line.rsplit_once(' ')?.1)).collect();
            let is_spread = counts.len() == 2 && counts.iter().all(|count| *count == "2");
            let written = self.writer.count();
            if is_spread && written >= wanted { Ok(()) } else { Err(format!("{counts:?}, {written}")) }
        });
    }

    /// The second task leaves and joins.
    fn restart_task(&mut self) {
        self.read();
        let path = format!("/connectors/{}/tasks/1/restart", self.scenario.connector);
        self.scenario.worker.rest.post_empty(&path).expect("the worker answers").expect_status(204);
    }

    /// Another process owns some of the partitions for a while, and commits nothing.
    fn be_joined(&self) {
        let group = format!("connect-{}", self.scenario.connector);
        let broker = KafkaBroker::shared();
        let member =
            GroupMember::join(broker, &group, &self.scenario.topic, self.assignor.names().1, PATIENCE);
        let enough = self.writer.count() + 100;
        member.expect("the group takes another member").stay(|| self.writer.count() >= enough);
    }

    /// Fills the last files and waits until all are stored. Answers how many records there are.
    fn finish(&mut self) -> u64 {
        let count = self.writer.finish();
        let own = count / PARTITIONS as u64;
        let missing = (FLUSH_SIZE - own % FLUSH_SIZE) % FLUSH_SIZE;
        let first = self.writer.leave(missing * PARTITIONS as u64);
        let rest: Vec<Record> = (first..self.writer.count()).map(record).collect();
        rest.chunks(200).for_each(|records| self.scenario.produce(records));
        let end = i64::try_from(own + missing).expect("few records");
        for partition in 0..PARTITIONS {
            self.scenario.wait_for_commit(partition, end);
        }
        self.writer.count()
    }

    /// Every record is in one object, and objects are called as if there had been no rebalance.
    fn assert_undisturbed(&self) {
        let objects = &self.scenario.objects;
        let count = self.writer.count();
        let names = objects.names().expect("the bucket is listed");
        let mut expected = Vec::new();
        for partition in 0..PARTITIONS {
            for file in 0..count / PARTITIONS as u64 / FLUSH_SIZE {
                let start = i64::try_from(file * FLUSH_SIZE).expect("few records");
                let path = format!("partition={partition}");
                expected.push(self.scenario.object(&path, partition, start, "json"));
            }
        }
        expected.sort();
        assert_eq!(names, expected);
        let mut oracle = Oracle::new();
        while oracle.count() < count {
            oracle.next_id();
        }
        let rows = names.iter().flat_map(|name| objects.json_rows(name).expect("objects are JSON lines"));
        oracle.assert(Guarantee::ExactlyOnce, rows.map(|row| row["id"].as_u64().expect("ids are numbers")));
    }
}

fn record(id: u64) -> Record {
    let partition = i32::try_from(id % PARTITIONS as u64).expect("few partitions");
    let padding = "x".repeat(PADDING_BYTES);
    Record::json(&json!({"id": id, "padding": padding})).in_partition(partition)
}

/// What tasks read for each record that was written, with rebalances all the time.
fn read_per_record(assignor: Assignor, settings: &[(&str, &str)]) -> f64 {
    let mut rig = Rig::start(assignor, settings);
    rig.work_for_a_while();
    for round in 0..ROUNDS {
        if round % 2 == 0 {
            rig.restart_task();
        } else {
            rig.be_joined();
        }
        rig.work_for_a_while();
    }
    let written = rig.finish();
    rig.assert_undisturbed();
    let unfinished = rig.scenario.store.unfinished_uploads(rig.scenario.objects.bucket());
    assert_eq!(unfinished.expect("the store's folder can be read"), 0, "uploads are left");
    let read = rig.read();
    read / written as f64
}

const ON: &[(&str, &str)] = &[("lakeward.handover.ms", "60000")];

#[test]
fn partitions_that_move_take_their_open_files_along() {
    let with = read_per_record(Assignor::Cooperative, ON);
    assert!((0.9..1.1).contains(&with), "{with} records were read for each one written");
}

#[test]
fn partitions_that_come_back_find_their_open_files() {
    let with = read_per_record(Assignor::Range, ON);
    let without = read_per_record(Assignor::Range, &[]);
    assert!((0.9..1.1).contains(&with), "{with} records were read for each one written");
    assert!(without > 1.4, "{without}: no rebalance met an open file, nothing was tested");
}
