//! The S3 sink stores every record once where the clock says when files end and what they are called:
//! scheduled rotation and wall-clock directories, with workers that are killed or frozen at instants from a
//! seed.
//!
//! The schedules are far shorter than anybody's, so that a cut is on its way at nearly every instant.

use std::time::Duration;

use lakeward_conformance::scenario::Scenario;
use lakeward_conformance::sink_config::SinkConfig;
use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::objects::Objects;
use lakeward_testkit::oracle::{Guarantee, Oracle};
use lakeward_testkit::records::Record;
use lakeward_testkit::store::Versitygw;
use lakeward_testkit::wait::wait_for;
use lakeward_testkit::worker::LakewardWorker;
use serde_json::{Value, json};

use crate::writer::Writer;

const PARTITIONS: i32 = 2;
/// Records that are acknowledged together.
const BATCH: u64 = 20;
const PATIENCE: Duration = Duration::from_secs(120);
const KILLS: u64 = 5;
/// So many do not all miss what they are to meet.
const KILLS_MAX: u64 = 20;
/// In the log of an owner that begins with decided cuts.
const REPEATED: &str = "cuts that were decided before are repeated";

/// Strikes every 200 ms, and never by count.
const SCHEDULE: &[(&str, &str)] =
    &[("rotate.schedule.interval.ms", "200"), ("timezone", "UTC"), ("flush.size", "100000")];

/// A directory for each 300 ms, files of 37 records.
const WALL_CLOCK: &[(&str, &str)] = &[
    ("partitioner.class", "io.confluent.connect.storage.partitioner.TimeBasedPartitioner"),
    ("path.format", "'at'=HHmmssSSS"),
    ("partition.duration.ms", "300"),
    ("locale", "en"),
    ("timezone", "UTC"),
    ("timestamp.extractor", "Wallclock"),
    ("flush.size", "37"),
];

/// Both clocks at once, a rotation by the time since the first record, and two tasks, between which a
/// partition moves with its open files whenever the second one joins.
const ALL_CLOCKS: &[(&str, &str)] = &[
    ("tasks.max", "2"),
    ("lakeward.handover.ms", "60000"),
    ("partitioner.class", "io.confluent.connect.storage.partitioner.TimeBasedPartitioner"),
    ("path.format", "'at'=HHmmss"),
    ("partition.duration.ms", "1000"),
    ("locale", "en"),
    ("timezone", "UTC"),
    ("timestamp.extractor", "Wallclock"),
    ("rotate.interval.ms", "400"),
    ("rotate.schedule.interval.ms", "700"),
    ("flush.size", "100000"),
];

/// The rows of an object.
pub(crate) type Reader = fn(&Objects, &str) -> Vec<Value>;

/// A sink whose topic is being written.
pub(crate) struct Rig {
    scenario: Scenario,
    writer: Writer,
    rows: Reader,
}

impl Rig {
    fn start(seed: u64, settings: &[(&str, &str)]) -> Self {
        let config = |scenario: &mut Scenario| scenario.config(1).json_lines().with(settings);
        Self::start_with(seed, &[], config, |objects, name| {
            objects.json_rows(name).expect("objects are JSON lines")
        })
    }

    /// The same with a worker of these settings and any connector whose objects `rows` reads. `config` may
    /// bring objects of another store.
    pub(crate) fn start_with(
        seed: u64,
        worker: &[(&str, &str)],
        config: impl FnOnce(&mut Scenario) -> SinkConfig,
        rows: Reader,
    ) -> Self {
        let usual = [("session.timeout.ms", "6000"), ("heartbeat.interval.ms", "1000")];
        let (broker, store) = (KafkaBroker::shared(), Versitygw::shared());
        let mut scenario = Scenario::start_on(broker, store, PARTITIONS, &[&usual, worker].concat());
        let config = config(&mut scenario);
        scenario.create(&config);
        let writer = Writer::start(&scenario.topic, seed, BATCH, |id| {
            let partition = i32::try_from(id % PARTITIONS as u64).expect("few partitions");
            record(id, partition)
        });
        Self { scenario, writer, rows }
    }

    fn ids(&self) -> Vec<u64> {
        let objects = &self.scenario.objects;
        let names = objects.names().expect("the bucket is listed");
        let rows = names.iter().flat_map(|name| (self.rows)(objects, name));
        rows.map(|row| row["id"].as_u64().expect("ids are numbers")).collect()
    }

    fn committed(&self, partition: i32) -> i64 {
        let group = format!("connect-{}", self.scenario.connector);
        let found = KafkaBroker::shared().committed_offset(&group, &self.scenario.topic, partition);
        found.expect("the broker answers").unwrap_or_default()
    }

    /// Waits until records that nobody had written before are committed, then for a random while longer.
    fn work_for_a_while(&mut self) {
        let before = i64::try_from(self.writer.count()).expect("few records") / i64::from(PARTITIONS);
        wait_for("records of the new owner", PATIENCE, || {
            let committed = self.committed(0);
            if committed > before { Ok(()) } else { Err(format!("{committed} of {before}")) }
        });
        self.writer.wait_for_some(1500);
    }

    /// Waits until everything is committed, and judges what is stored.
    fn assert_exactly_once(&mut self, flush_size: u64) {
        let count = self.writer.finish();
        let mut ends = Vec::new();
        for partition in 0..PARTITIONS {
            // What rotates by count only leaves its last file open until it is full.
            let own = count / PARTITIONS as u64;
            ends.push(own + self.fill(partition, (flush_size - own % flush_size) % flush_size));
        }
        wait_for("everything is committed", PATIENCE, || {
            let committed: Vec<u64> = (0..PARTITIONS).map(|p| self.committed(p).unsigned_abs()).collect();
            if committed == ends { Ok(()) } else { Err(format!("{committed:?} of {ends:?}")) }
        });
        let mut oracle = Oracle::new();
        while oracle.count() < self.writer.count() {
            oracle.next_id();
        }
        oracle.assert(Guarantee::ExactlyOnce, self.ids());
    }

    /// Writes `count` more records to `partition`.
    fn fill(&mut self, partition: i32, count: u64) -> u64 {
        let first = self.writer.leave(count);
        let records: Vec<Record> = (first..first + count).map(|id| record(id, partition)).collect();
        self.scenario.produce(&records);
        count
    }
}

fn record(id: u64, partition: i32) -> Record {
    Record::json(&json!({"id": id})).in_partition(partition)
}

/// Kills the worker again and again.
fn survives_kills(seed: u64, settings: &[(&str, &str)], flush_size: u64) {
    survives_kills_of(Rig::start(seed, settings), flush_size);
}

/// The same with a rig that was started.
pub(crate) fn survives_kills_of(mut rig: Rig, flush_size: u64) {
    for round in 0..KILLS_MAX {
        rig.work_for_a_while();
        // A kill between a decision and its cut is what matters: it goes on until one was met.
        if round >= KILLS && rig.scenario.worker.log().contains(REPEATED) {
            break;
        }
        rig.scenario.worker.kill();
        rig.scenario.worker.restart().expect("the worker starts again");
    }
    rig.work_for_a_while();
    rig.assert_exactly_once(flush_size);
    let log = rig.scenario.worker.log();
    assert!(log.contains("exactly once (decided cuts: "), "{log}");
    assert!(log.contains(REPEATED), "no kill met a pending cut: nothing was tested");
    let page = rig
        .scenario
        .worker
        .rest
        .get("/metrics?style=reporter")
        .expect("the worker answers")
        .expect_status(200)
        .text;
    assert!(page.contains("delivery=\"exactly once (decided cuts: "), "{page}");
}

#[test]
fn scheduled_rotation_stores_every_record_once_whenever_the_worker_is_killed() {
    survives_kills(11, SCHEDULE, 1);
}

#[test]
fn wall_clock_directories_store_every_record_once_whenever_the_worker_is_killed() {
    survives_kills(23, WALL_CLOCK, 37);
}

#[test]
fn every_clock_at_once_stores_every_record_once_whenever_the_worker_is_killed() {
    survives_kills(31, ALL_CLOCKS, 1);
}

/// Freezes the worker that has the task until another one took its work over, then lets it go on.
fn survives_zombies(seed: u64, settings: &[(&str, &str)], flush_size: u64) {
    let mut rig = Rig::start(seed, settings);
    rig.work_for_a_while();
    let second = LakewardWorker::start_distributed(&rig.scenario.properties).expect("a second worker starts");
    for round in 0..KILLS_MAX {
        rig.work_for_a_while();
        let logs = rig.scenario.worker.log() + &second.log();
        if round >= 3 && logs.contains(REPEATED) {
            break;
        }
        let frozen = if round % 2 == 0 { &rig.scenario.worker } else { &second };
        frozen.freeze().expect("signals are delivered");
        // The other one has the partitions when new objects appear.
        rig.work_for_a_while();
        let frozen = if round % 2 == 0 { &rig.scenario.worker } else { &second };
        frozen.thaw().expect("signals are delivered");
    }
    rig.work_for_a_while();
    rig.assert_exactly_once(flush_size);
    let logs = rig.scenario.worker.log() + &second.log();
    assert!(logs.contains(REPEATED), "nobody froze with a pending cut: nothing was tested");
}

#[test]
fn a_frozen_worker_that_wakes_up_late_doubles_nothing_under_scheduled_rotation() {
    survives_zombies(47, SCHEDULE, 1);
}

#[test]
fn a_frozen_worker_that_wakes_up_late_doubles_nothing_in_wall_clock_directories() {
    survives_zombies(59, WALL_CLOCK, 37);
}
