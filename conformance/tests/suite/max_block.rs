//! `max.block.ms` of a source task's producer while the broker answers nothing: a record waits that long for
//! its topic, or for room in the queue, and fails then as with Java's producer. A task whose producer has no
//! such limit waits, and delivers when the broker is back.
//!
//! Source: `KafkaProducer#doSend`, `WorkerSourceTask#producerSendFailed`, Kafka 4.1.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::records::read_topic;
use lakeward_testkit::unique;
use lakeward_testkit::wait::wait_for;
use lakeward_testkit::worker::{LakewardWorker, distributed_properties};
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(60);
const LIMIT: Duration = Duration::from_secs(3);
/// Between the end of a limit and the line about it in the log of a busy machine.
const LATE: Duration = Duration::from_secs(10);

/// A source of lines on a broker that stops answering.
struct Source {
    name: String,
    topic: String,
    file: PathBuf,
}

impl Drop for Source {
    fn drop(&mut self) {
        // What is left behind is found and removed by hand; a test does not fail for it.
        drop(fs::remove_file(&self.file));
    }
}

impl Source {
    fn create(broker: &KafkaBroker, worker: &LakewardWorker, producer: &[(&str, &str)]) -> Self {
        let name = unique("waits");
        let file = std::env::temp_dir().join(&name);
        fs::write(&file, "").expect("temporary files can be written");
        let topic = broker.create_topic("lines", 1).expect("the broker creates topics");
        let mut config = json!({
            "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
            "tasks.max": "1", "file": file.display().to_string(), "topic": topic,
            "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        });
        for (name, value) in producer {
            config[format!("producer.override.{name}")] = json!(value);
        }
        worker.create(&name, &config);
        worker.wait_for_state(&name, "RUNNING", 1);
        Self { name, topic, file }
    }

    fn append(&self, lines: &str) {
        let mut file = OpenOptions::new().append(true).open(&self.file).expect("the file is there");
        file.write_all(lines.as_bytes()).expect("the file can be written");
    }

    fn wait_for_lines(&self, broker: &KafkaBroker, count: usize) {
        wait_for(&format!("{count} lines"), PATIENCE, || {
            let found = read_topic(broker, &self.topic).expect("topics are readable").len();
            if found == count { Ok(()) } else { Err(found) }
        });
    }
}

fn wait_for_log(worker: &LakewardWorker, text: &str) {
    wait_for(&format!("{text:?} in the log"), PATIENCE, || {
        if worker.log().contains(text) { Ok(()) } else { Err("not there") }
    });
}

#[test]
fn a_record_waits_for_its_topic_and_for_room_as_long_as_the_limit_says() {
    let broker = KafkaBroker::start().expect("Apache Kafka starts");
    let mut properties = distributed_properties(&broker);
    // The worker stays in its group while the broker is frozen; tasks do not wait long for their last commit.
    for (name, value) in [("session.timeout.ms", "60000"), ("offset.flush.timeout.ms", "500")] {
        properties.push((name.to_owned(), value.to_owned()));
    }
    let worker = LakewardWorker::start_distributed(&properties).expect("the worker starts");
    let limited = [("max.block.ms", "3000"), ("linger.ms", "0")];
    let no_topic = Source::create(&broker, &worker, &limited);
    let patient = Source::create(&broker, &worker, &[]);
    let small = [("max.block.ms", "3000"), ("buffer.memory", "40000"), ("batch.size", "100")];
    let no_room = Source::create(&broker, &worker, &small);
    no_room.append("the first\n");
    no_room.wait_for_lines(&broker, 1);

    broker.freeze().expect("the broker can be stopped");
    let began = Instant::now();
    no_topic.append("one\n");
    patient.append("one\n");
    no_room.append(&format!("{}\n", "x".repeat(1_000)).repeat(100));
    let missing = format!("Topic {} not present in metadata after 3000 ms.", no_topic.topic);
    wait_for_log(&worker, &missing);
    let full = "Failed to allocate memory within the configured max blocking time 3000 ms.";
    wait_for_log(&worker, full);
    let took = began.elapsed();
    assert!(took >= LIMIT && took < LIMIT + LATE, "{took:?}");
    broker.thaw().expect("the broker can go on");

    let unrecoverable = "org.apache.kafka.connect.errors.ConnectException: Unrecoverable exception from \
                         producer send callback\nCaused by: ";
    let trace = worker.wait_for_failure(&no_topic.name);
    let cause = "org.apache.kafka.common.errors.TimeoutException: ";
    assert!(trace.starts_with(&format!("{unrecoverable}{cause}{missing}")), "{trace}");
    let trace = worker.wait_for_failure(&no_room.name);
    let cause = "org.apache.kafka.clients.producer.BufferExhaustedException: ";
    assert!(trace.starts_with(&format!("{unrecoverable}{cause}{full}")), "{trace}");
    patient.wait_for_lines(&broker, 1);
    worker.wait_for_state(&patient.name, "RUNNING", 1);
}

#[test]
fn a_topic_that_does_not_come_fails_the_task_after_the_limit() {
    let broker = KafkaBroker::shared();
    let worker = LakewardWorker::start_distributed(&distributed_properties(broker)).expect("it starts");
    let name = unique("no-topic");
    let source = Source { topic: unique("nowhere"), file: std::env::temp_dir().join(&name), name };
    fs::write(&source.file, "one\n").expect("temporary files can be written");
    let config = json!({
        "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
        "tasks.max": "1", "file": source.file.display().to_string(), "topic": source.topic,
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        "producer.override.max.block.ms": "1500",
    });
    worker.create(&source.name, &config);
    let trace = worker.wait_for_failure(&source.name);
    let timeout = format!("TimeoutException: Topic {} not present in metadata after 1500 ms.", source.topic);
    let cause = "\nCaused by: org.apache.kafka.common.errors.UnknownTopicOrPartitionException: This server \
                 does not host this topic-partition.";
    assert!(trace.contains(&format!("{timeout}{cause}")), "{trace}");
}
