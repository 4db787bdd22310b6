//! One worker with a cluster of its own, one topic and one bucket; broker and store are shared by all tests.

use std::time::Duration;

use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::objects::{Objects, ParquetFile};
use lakeward_testkit::records::{self, Record};
use lakeward_testkit::store::Versitygw;
use lakeward_testkit::unique;
use lakeward_testkit::wait::wait_for;
use lakeward_testkit::worker::{
    BESIDE_LIMIT_BYTES, LakewardWorker, MEMORY_LIMIT_BYTES, Properties, distributed_properties, property,
};
use serde_json::Value;

use crate::sink_config::SinkConfig;

/// Until objects are there or offsets are committed; a loaded machine needs some of it.
const PATIENCE: Duration = Duration::from_secs(60);

const LIMIT: &str = "lakeward.memory.limit";

/// A running worker and what a sink connector needs.
#[derive(Debug)]
pub struct Scenario {
    /// Apache Kafka.
    pub broker: &'static KafkaBroker,
    /// The S3 server.
    pub store: &'static Versitygw,
    /// The worker under test.
    pub worker: LakewardWorker,
    /// What the worker was started with.
    pub properties: Properties,
    /// A topic of its own.
    pub topic: String,
    /// A bucket of its own.
    pub objects: Objects,
    /// A connector name of its own: the consumer group is named after it.
    pub connector: String,
}

impl Scenario {
    /// Starts everything; no connector exists yet.
    pub fn start(partitions: i32) -> Self {
        Self::start_on(KafkaBroker::shared(), Versitygw::shared(), partitions, &[])
    }

    /// The same with servers that the test may freeze and with further worker settings.
    pub fn start_on(
        broker: &'static KafkaBroker,
        store: &'static Versitygw,
        partitions: i32,
        settings: &[(&str, &str)],
    ) -> Self {
        let mut properties = distributed_properties(broker);
        if !settings.iter().any(|(name, _)| *name == LIMIT) {
            properties.push((LIMIT.to_owned(), MEMORY_LIMIT_BYTES.to_string()));
        }
        properties.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let topic = broker.create_topic("events", partitions).expect("the broker creates topics");
        let objects = store.create_bucket("lake").expect("the store creates buckets");
        let worker = LakewardWorker::start_distributed(&properties).expect("the worker starts");
        Self { broker, store, worker, properties, topic, objects, connector: unique("sink") }
    }

    /// The usual configuration for this topic and bucket.
    pub fn config(&self, flush_size: usize) -> SinkConfig {
        SinkConfig::new(&self.topic, &self.objects, flush_size).with(&[("store.url", &self.store.endpoint())])
    }

    /// Creates the connector.
    pub fn create(&self, config: &SinkConfig) -> Value {
        self.worker.create(&self.connector, &config.json())
    }

    /// Sends records and waits for their acknowledgement.
    pub fn produce(&self, records: &[Record]) {
        records::produce(self.broker, &self.topic, records).expect("the broker takes records");
    }

    /// Sends JSON values to partition 0.
    pub fn produce_json(&self, values: &[Value]) {
        let records: Vec<Record> = values.iter().map(Record::json).collect();
        self.produce(&records);
    }

    /// The name of an object: `path` below the topic's folder, then the base name for partition and start
    /// offset.
    pub fn object(&self, path: &str, partition: i32, start_offset: i64, ending: &str) -> String {
        let topic = &self.topic;
        format!("topics/{topic}/{path}/{topic}+{partition}+{start_offset:010}.{ending}")
    }

    /// Waits until the bucket holds `count` objects and returns their names, sorted.
    pub fn wait_for_objects(&self, count: usize) -> Vec<String> {
        wait_for(&format!("{count} objects"), PATIENCE, || {
            let names = self.objects.names().map_err(|err| format!("{err:#}"))?;
            if names.len() >= count { Ok(names) } else { Err(format!("{names:?}; {}", self.status_text())) }
        })
    }

    /// Waits until `count` rows can be read from all Parquet objects, and returns them in name order.
    pub fn wait_for_rows(&self, count: usize) -> Vec<Value> {
        wait_for(&format!("{count} rows"), PATIENCE, || {
            let rows = self.objects.parquet_rows().map_err(|err| format!("{err:#}"))?;
            if rows.len() >= count { Ok(rows) } else { Err(format!("{} rows", rows.len())) }
        })
    }

    /// Waits until the group of the connector has committed `offset` in `partition`. By then the worker never
    /// had more memory than it may.
    pub fn wait_for_commit(&self, partition: i32, offset: i64) {
        self.wait_long_for_commit(partition, offset, PATIENCE);
    }

    /// The same, of a task that fails meanwhile: each time it waits twice as long before it begins again, six
    /// failures take a minute.
    pub fn wait_long_for_commit(&self, partition: i32, offset: i64, patience: Duration) {
        let group = format!("connect-{}", self.connector);
        wait_for(&format!("offset {offset} of partition {partition}"), patience, || {
            match self.broker.committed_offset(&group, &self.topic, partition) {
                Ok(Some(found)) if found == offset => Ok(()),
                other => Err(format!("{other:?}; {}", self.status_text())),
            }
        });
        self.assert_memory();
    }

    /// Asks the kernel whether the worker was ever larger than its limit and what is allowed beside it.
    ///
    /// # Panics
    /// When it was, or does not run.
    pub fn assert_memory(&self) {
        let limit = property(&self.properties, LIMIT).parse::<u64>().expect("the limit is a number");
        let peak_bytes = self.worker.peak_memory_bytes().expect("the worker runs");
        let most_bytes = limit + BESIDE_LIMIT_BYTES;
        assert!(peak_bytes <= most_bytes, "{peak_bytes} bytes were held, {most_bytes} are allowed");
    }

    /// Reads one Parquet object.
    pub fn parquet(&self, name: &str) -> ParquetFile {
        let mut files = self.objects.parquet_files(&[name.to_owned()]).expect("pyarrow reads the file");
        files.pop().expect("one answer per file")
    }

    /// The status for failure texts. A failed task does not heal while a test waits: it ends the test.
    fn status_text(&self) -> String {
        let answer = self.worker.rest.get(&format!("/connectors/{}/status", self.connector));
        let text = answer.map_or_else(|err| format!("no status: {err:#}"), |answer| answer.text);
        assert!(!text.contains("\"FAILED\""), "a task failed: {text}");
        text
    }
}
