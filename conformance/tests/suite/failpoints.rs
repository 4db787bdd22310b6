//! Failpoints: every named place around a durable step is passed by real work, and the usual build has none.
//!
//! What happens when a worker ends there is shown by the kill test (`cargo xtask kill-test`) for deliveries
//! exactly once, and here for sources at least once.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};

use lakeward_conformance::sink_config::{JSON_CONVERTER, SinkConfig};
use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::child::RunFolder;
use lakeward_testkit::iceberg::IcebergCatalog;
use lakeward_testkit::records::{Record, produce};
use lakeward_testkit::store::{ACCESS_KEY, REGION, SECRET_KEY, Versitygw};
use lakeward_testkit::wait::wait_for;
use lakeward_testkit::worker::{LakewardWorker, distributed_properties};
use lakeward_testkit::{install, unique};
use serde_json::json;

use crate::source_rig::{FILE_SOURCE, PATIENCE, SourceRig};

/// Records of 16 KiB that make a file larger than one part.
const LARGE_COUNT: usize = 400;
const LARGE_BYTES: usize = 16 * 1024;

/// All names, as the worker tells them.
fn names() -> BTreeSet<String> {
    let worker = install::worker_with_failpoints().expect("the worker with failpoints is built");
    let output = Command::new(worker).arg("failpoints").stdin(Stdio::null()).output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("names are text");
    text.lines().map(str::to_owned).collect()
}

/// A sink whose cuts are decided by the clock, with a record that cannot be read.
fn small_sink(worker: &LakewardWorker) {
    let broker = KafkaBroker::shared();
    let topic = broker.create_topic("small", 1).expect("the broker creates topics");
    let objects = Versitygw::shared().create_bucket("small").expect("the store creates buckets");
    let dead_letters = unique("dead-letters");
    let config = SinkConfig::new(&topic, &objects, 1_000_000).json_lines().with(&[
        ("rotate.schedule.interval.ms", "500"),
        ("timezone", "UTC"),
        ("errors.tolerance", "all"),
        ("errors.deadletterqueue.topic.name", &dead_letters),
        ("errors.deadletterqueue.topic.replication.factor", "1"),
    ]);
    let mut records: Vec<Record> = (0..10).map(|id| Record::json(&json!({ "id": id }))).collect();
    records.push(Record::of("{broken"));
    produce(broker, &topic, &records).expect("the broker takes records");
    worker.create(&unique("small"), &config.json());
}

/// Records that fill a file, and begin the next one with more than one part.
const OPEN_COUNT: usize = LARGE_COUNT + 350;

/// A sink that stores a file in parts, and has another open whose upload has begun.
struct LargeSink {
    name: String,
    topic: String,
    config: SinkConfig,
    bucket: String,
}

impl LargeSink {
    /// Its open file goes to the next owner of the partition, and is given up for one with other settings.
    fn hand_over(&self, worker: &LakewardWorker) {
        let is_open = || match Versitygw::shared().unfinished_uploads(&self.bucket) {
            Ok(count) if count > 0 => Ok(()),
            other => Err(format!("{other:?}")),
        };
        let broker = KafkaBroker::shared();
        let group = format!("connect-{}", self.name);
        wait_for("the first file", PATIENCE, || match broker.committed_offset(&group, &self.topic, 0) {
            Ok(Some(found)) if found == LARGE_COUNT as i64 => Ok(()),
            other => Err(format!("{other:?}")),
        });
        wait_for("an upload that has begun", PATIENCE, is_open);
        let path = format!("/connectors/{}", self.name);
        let answer = worker.rest.post_empty(&format!("{path}/tasks/0/restart"));
        answer.expect("the worker answers").expect_status(204);
        wait_for("the hand-over", PATIENCE, || {
            let log = worker.log();
            if log.contains("open files of the owners before are gone on with") { Ok(()) } else { Err(()) }
        });
        let other = self.config.clone().with(&[("flush.size", "1000")]);
        let answer = worker.rest.put(&format!("{path}/config"), &other.json());
        answer.expect("the worker answers").expect_status(200);
    }
}

fn large_sink(worker: &LakewardWorker) -> LargeSink {
    let broker = KafkaBroker::shared();
    let topic = broker.create_topic("large", 1).expect("the broker creates topics");
    let objects = Versitygw::shared().create_bucket("large").expect("the store creates buckets");
    let config = SinkConfig::new(&topic, &objects, LARGE_COUNT)
        .json_lines()
        .with(&[("s3.part.size", "5242880"), ("lakeward.handover.ms", "60000")]);
    let filler = "x".repeat(LARGE_BYTES);
    let value = |id| Record::json(&json!({"id": id, "filler": filler}));
    let records: Vec<Record> = (0..OPEN_COUNT).map(value).collect();
    produce(broker, &topic, &records).expect("the broker takes records");
    let name = unique("large");
    worker.create(&name, &config.json());
    LargeSink { name, topic, config, bucket: objects.bucket().to_owned() }
}

/// A sink of a table that is missing: files of one piece or two make no difference to the places that are
/// passed.
fn table_sink(worker: &LakewardWorker) {
    let (broker, store) = (KafkaBroker::shared(), Versitygw::shared());
    let topic = broker.create_topic("table", 1).expect("the broker creates topics");
    let catalog = IcebergCatalog::shared();
    let table = format!("{}.events", unique("failpoints").replace('-', "_"));
    let config = SinkConfig::of(&[
        ("connector.class", "org.apache.iceberg.connect.IcebergSinkConnector"),
        ("tasks.max", "1"),
        ("topics", &topic),
        ("value.converter", JSON_CONVERTER),
        ("value.converter.schemas.enable", "false"),
        ("iceberg.tables", &table),
        ("iceberg.tables.auto-create-enabled", "true"),
        ("iceberg.control.commit.interval-ms", "300"),
        ("iceberg.catalog.type", "rest"),
        ("iceberg.catalog.uri", &catalog.endpoint()),
        ("iceberg.catalog.s3.endpoint", &store.endpoint()),
        ("iceberg.catalog.s3.path-style-access", "true"),
        ("iceberg.catalog.s3.access-key-id", ACCESS_KEY),
        ("iceberg.catalog.s3.secret-access-key", SECRET_KEY),
        ("iceberg.catalog.client.region", REGION),
    ]);
    produce(broker, &topic, &[Record::json(&json!({"id": 1}))]).expect("the broker takes records");
    worker.create(&unique("table"), &config.json());
}

/// A source whose offsets are in a topic of its own, with copies in the worker's.
fn source(worker: &LakewardWorker, folder: &RunFolder) {
    let file = folder.file("lines.txt");
    fs::write(&file, "one\ntwo\n").expect("files can be written");
    let config = json!({
        "connector.class": FILE_SOURCE,
        "tasks.max": "1",
        "file": file.display().to_string(),
        "topic": KafkaBroker::shared().create_topic("lines", 1).expect("a topic"),
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        "offsets.storage.topic": unique("own-offsets"),
    });
    worker.create(&unique("source"), &config);
}

#[test]
fn every_failpoint_is_passed() {
    let folder = RunFolder::new("failpoints").unwrap();
    let log = folder.file("passed.txt");
    let mut properties = distributed_properties(KafkaBroker::shared());
    properties.push(("exactly.once.source.support".to_owned(), "enabled".to_owned()));
    let environment = [("LAKEWARD_FAILPOINT_LOG", log.to_str().unwrap())];
    let mut worker = LakewardWorker::spawn_with_failpoints(&properties, &environment).unwrap();
    worker.wait_until_ready().unwrap();
    small_sink(&worker);
    let large = large_sink(&worker);
    table_sink(&worker);
    source(&worker, &folder);
    large.hand_over(&worker);
    let names = names();
    wait_for("all failpoints", PATIENCE, || {
        let text = fs::read_to_string(&log).map_err(|err| vec![err.to_string()])?;
        let missing: Vec<String> =
            names.iter().filter(|name| !text.lines().any(|line| line == *name)).cloned().collect();
        if missing.is_empty() { Ok(()) } else { Err(missing) }
    });
}

#[test]
fn the_usual_build_has_no_failpoints() {
    let worker = install::worker().unwrap();
    let output = Command::new(&worker).arg("failpoints").stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let usual = fs::read(worker).unwrap();
    let with_failpoints = fs::read(install::worker_with_failpoints().unwrap()).unwrap();
    let holds = |binary: &[u8], text: &str| String::from_utf8_lossy(binary).contains(text);
    for text in ["LAKEWARD_FAILPOINT", "sink.upload.before_put"] {
        assert!(!holds(&usual, text), "{text} is in the usual build");
        assert!(holds(&with_failpoints, text), "{text} is in neither build");
    }
}

#[test]
fn a_source_that_ends_around_its_offsets_loses_no_line() {
    let sessions = [("session.timeout.ms", "6000"), ("heartbeat.interval.ms", "2000")];
    let mut rig = SourceRig::start(&[&sessions[..], &[("offset.flush.interval.ms", "100")]].concat());
    rig.create(&[]);
    rig.append(500);
    rig.wait_for_last();
    for place in
        ["source.produce.after_ack:300", "source.offsets.before_write:2", "source.offsets.after_write:2"]
    {
        rig.worker.kill();
        let environment = [("LAKEWARD_FAILPOINT", place)];
        rig.worker = LakewardWorker::spawn_with_failpoints(&rig.properties, &environment).unwrap();
        // Until it ends, which two flushes of offsets may bring about.
        let end = wait_for(place, PATIENCE, || {
            rig.append(200);
            rig.worker.ended().ok().flatten().ok_or("it runs")
        });
        assert_eq!(end.code(), None, "a signal ended it");
    }
    rig.worker = LakewardWorker::start_distributed(&rig.properties).unwrap();
    rig.append(100);
    let ids: BTreeSet<u64> = rig.wait_for_last().into_iter().collect();
    assert_eq!(ids.into_iter().collect::<Vec<_>>(), rig.written(), "lines were lost");
    rig.wait_for_offset();
}
