//! `lakeward.handover.ms`: rebalances under load leave open files as they are, whatever store and sink. Names
//! and rows are those of a sink that nobody disturbed, and next to nothing is read again.

use std::collections::BTreeMap;
use std::time::Duration;

use lakeward_conformance::scenario::Scenario;
use lakeward_conformance::sink_config::{JSON_CONVERTER, SinkConfig};
use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::member::GroupMember;
use lakeward_testkit::oracle::{Guarantee, Oracle};
use lakeward_testkit::records::Record;
use lakeward_testkit::store::Versitygw;
use lakeward_testkit::wait::wait_for;
use serde_json::{Value, json};

use crate::aiven_sink;
use crate::object_stores::Kind;
use crate::writer::Writer;

const PARTITIONS: i32 = 4;
const FLUSH_SIZE: u64 = 400;
const BATCH: u64 = 20;
const PATIENCE: Duration = Duration::from_secs(120);
/// So that a file is uploaded in several parts: the first has 5 MiB.
const PADDING_BYTES: usize = 20_000;

/// A sink whose topic is being written, and how many records its tasks read.
struct Rig {
    scenario: Scenario,
    sink: Sink,
    config: SinkConfig,
    tasks: usize,
    writer: Writer,
    read: BTreeMap<String, (f64, f64)>,
    assignor: Assignor,
}

/// Whose sink it is, and where its objects are.
#[derive(Clone, Copy, Debug)]
enum Sink {
    AivenAzure,
    AivenGcs,
    AivenS3,
    Cloud(Kind),
    S3,
}

/// What moves partitions.
#[derive(Clone, Copy)]
enum Move {
    /// Another process owns some of them for a while, and commits nothing.
    Join,
    /// The second task leaves and joins.
    Restart,
    /// There are more tasks, or fewer.
    Tasks(usize),
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

impl Sink {
    /// Lines of JSON; `scenario` gets a bucket of the store.
    fn config(self, scenario: &mut Scenario) -> SinkConfig {
        let flush_size = usize::try_from(FLUSH_SIZE).expect("it is small");
        match self {
            Self::AivenAzure => aiven_lines(&aiven_sink::azure(scenario)),
            Self::AivenGcs => aiven_lines(&aiven_sink::gcs(scenario)),
            Self::AivenS3 => aiven_lines(&aiven_sink::config(scenario)),
            Self::Cloud(kind) => {
                scenario.objects = kind.objects();
                let format = kind.format("json.JsonFormat");
                kind.config(scenario, flush_size).schemaless().with(&[("format.class", &format)])
            }
            Self::S3 => scenario.config(flush_size).json_lines(),
        }
    }

    fn object(self, scenario: &Scenario, partition: i32, start: i64) -> String {
        let name = scenario.object(&format!("partition={partition}"), partition, start, "json");
        match self {
            Self::AivenAzure | Self::AivenGcs | Self::AivenS3 => {
                format!("{}-{partition}-{start}", scenario.topic)
            }
            Self::Cloud(Kind::Lake) => name["topics/".len()..].to_owned(),
            Self::Cloud(_) | Self::S3 => name,
        }
    }
}

/// Files of as many records as those of the others.
fn aiven_lines(config: &SinkConfig) -> SinkConfig {
    config.clone().with(&[
        ("file.max.records", &FLUSH_SIZE.to_string()),
        ("format.output.type", "jsonl"),
        ("format.output.fields", "value"),
        ("value.converter", JSON_CONVERTER),
        ("value.converter.schemas.enable", "false"),
    ])
}

/// So that files are sent in parts; each sink reads its own.
const SMALL_PARTS: [(&str, &str); 5] = [
    ("s3.part.size", "5242880"),
    ("aws.s3.part.size.bytes", "5242880"),
    ("gcs.part.size", "5242880"),
    ("azblob.block.size", "1048576"),
    ("azure.datalake.gen2.block.size", "1048576"),
];

impl Rig {
    fn start(sink: Sink, assignor: Assignor, settings: &[(&str, &str)]) -> Self {
        let (broker, store) = (KafkaBroker::shared(), Versitygw::shared());
        // A shard for each task; files of Aiven's sinks end with every flush, too.
        let worker = [("lakeward.shards", "2"), ("offset.flush.interval.ms", "3600000")];
        let mut scenario = Scenario::start_on(broker, store, PARTITIONS, &worker);
        let config = sink.config(&mut scenario).with(&SMALL_PARTS).with(&[
            ("tasks.max", "2"),
            ("consumer.override.heartbeat.interval.ms", "500"),
            ("consumer.override.partition.assignment.strategy", assignor.names().0),
        ]);
        let config = config.with(settings);
        scenario.create(&config);
        let writer = Writer::start(&scenario.topic, 1, BATCH, record);
        Self { scenario, sink, config, tasks: 2, writer, read: BTreeMap::new(), assignor }
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
            let owned = counts.iter().filter_map(|count| count.parse::<i32>().ok()).sum::<i32>();
            let is_spread = counts.len() == self.tasks && !counts.contains(&"0") && owned == PARTITIONS;
            let written = self.writer.count();
            if is_spread && written >= wanted { Ok(()) } else { Err(format!("{counts:?}, {written}")) }
        });
    }

    fn make(&mut self, step: Move) {
        match step {
            Move::Join => self.be_joined(),
            Move::Restart => self.restart_task(),
            Move::Tasks(count) => self.set_tasks(count),
        }
    }

    fn set_tasks(&mut self, count: usize) {
        self.read();
        self.tasks = count;
        let config = self.config.clone().with(&[("tasks.max", &count.to_string())]);
        let path = format!("/connectors/{}/config", self.scenario.connector);
        let answer = self.scenario.worker.rest.put(&path, &config.json());
        answer.expect("the worker answers").expect_status(200);
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
                expected.push(self.sink.object(&self.scenario, partition, start));
            }
        }
        expected.sort();
        assert_eq!(names, expected);
        let mut oracle = Oracle::new();
        while oracle.count() < count {
            oracle.next_id();
        }
        let ids = names.iter().flat_map(|name| ids(&objects.read(name).expect("objects can be read")));
        oracle.assert(Guarantee::ExactlyOnce, ids);
    }
}

/// Of lines; Aiven's sinks put values into an object, and no line end behind the last one.
fn ids(file: &[u8]) -> Vec<u64> {
    let id = |line: &[u8]| {
        let row: Value = serde_json::from_slice(line).expect("lines are JSON");
        let id = row["id"].as_u64().or_else(|| row["value"]["id"].as_u64());
        id.expect("ids are numbers")
    };
    file.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(id).collect()
}

fn record(id: u64) -> Record {
    let partition = i32::try_from(id % PARTITIONS as u64).expect("few partitions");
    let padding = "x".repeat(PADDING_BYTES);
    Record::json(&json!({"id": id, "padding": padding})).in_partition(partition)
}

/// What tasks read for each record that was written, with rebalances all the time.
fn read_per_record(sink: Sink, assignor: Assignor, moves: &[Move], settings: &[(&str, &str)]) -> f64 {
    let mut rig = Rig::start(sink, assignor, settings);
    rig.work_for_a_while();
    for step in moves {
        rig.make(*step);
        rig.work_for_a_while();
    }
    let written = rig.finish();
    rig.assert_undisturbed();
    // Others keep what was given up, and nobody sees it.
    if matches!(sink, Sink::AivenS3 | Sink::S3) {
        let (store, bucket) = (rig.scenario.store, rig.scenario.objects.bucket());
        // They are given up while others go on, and what nobody takes over when its time has passed.
        wait_for("uploads that are given up", PATIENCE, || match store.unfinished_uploads(bucket) {
            Ok(0) => Ok(()),
            other => Err(format!("{other:?} are left")),
        });
    }
    let read = rig.read();
    read / written as f64
}

const ON: &[(&str, &str)] = &[("lakeward.handover.ms", "60000")];
const USUAL: [Move; 6] = [Move::Restart, Move::Join, Move::Restart, Move::Join, Move::Restart, Move::Join];
/// Without a member that is no worker.
const SHORT: [Move; 3] = [Move::Restart, Move::Tasks(4), Move::Tasks(2)];

#[test]
fn partitions_that_move_take_their_open_files_along() {
    let with = read_per_record(Sink::S3, Assignor::Cooperative, &USUAL, ON);
    assert!((0.9..1.1).contains(&with), "{with} records were read for each one written");
}

#[test]
fn partitions_that_come_back_find_their_open_files() {
    let with = read_per_record(Sink::S3, Assignor::Range, &USUAL, ON);
    let without = read_per_record(Sink::S3, Assignor::Range, &USUAL, &[]);
    assert!((0.9..1.1).contains(&with), "{with} records were read for each one written");
    assert!(without > 1.4, "{without}: no rebalance met an open file, nothing was tested");
}

#[test]
fn more_and_fewer_tasks_go_on_with_open_files() {
    let moves = [4, 1, 3, 2, 4].map(Move::Tasks);
    let with = read_per_record(Sink::S3, Assignor::Cooperative, &moves, ON);
    assert!((0.9..1.1).contains(&with), "{with} records were read for each one written");
}

#[test]
fn open_files_of_every_other_store_move() {
    for kind in Kind::ALL {
        let with = read_per_record(Sink::Cloud(kind), Assignor::Cooperative, &SHORT, ON);
        assert!((0.9..1.1).contains(&with), "{kind:?}: {with} records were read for each one written");
    }
}

#[test]
fn open_files_of_aivens_sinks_move() {
    for sink in [Sink::AivenS3, Sink::AivenGcs, Sink::AivenAzure] {
        let with = read_per_record(sink, Assignor::Cooperative, &SHORT, ON);
        assert!((0.9..1.1).contains(&with), "{sink:?}: {with} records were read for each one written");
    }
}
