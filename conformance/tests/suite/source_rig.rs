//! One worker with a cluster of its own, a file to read and a topic for its lines.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::records::{self, Record};
use lakeward_testkit::rest::RestClient;
use lakeward_testkit::unique;
use lakeward_testkit::wait::wait_for;
use lakeward_testkit::worker::{LakewardWorker, Properties, distributed_properties, property};
use serde_json::{Value, json};

/// Until records or offsets are there; a loaded machine needs some of it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Class name of the source.
pub(crate) const FILE_SOURCE: &str = "org.apache.kafka.connect.file.FileStreamSourceConnector";

/// A running worker and what a file source needs.
pub(crate) struct SourceRig {
    pub(crate) worker: LakewardWorker,
    pub(crate) properties: Properties,
    pub(crate) connector: String,
    pub(crate) topic: String,
    pub(crate) file: PathBuf,
    folder: PathBuf,
    next: u64,
}

impl Drop for SourceRig {
    fn drop(&mut self) {
        // What is left behind is found and removed by hand; a test does not fail for it.
        drop(fs::remove_dir_all(&self.folder));
    }
}

impl SourceRig {
    /// Starts a worker with further settings; no connector exists yet. The topic has one partition.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        let broker = KafkaBroker::shared();
        let mut properties = distributed_properties(broker);
        properties.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let connector = unique("source");
        let folder = std::env::temp_dir().join(&connector);
        fs::create_dir_all(&folder).expect("temporary folders can be made");
        let file = folder.join("lines.txt");
        fs::write(&file, "").expect("temporary files can be written");
        let topic = broker.create_topic("lines", 1).expect("the broker creates topics");
        let worker = LakewardWorker::start_distributed(&properties).expect("the worker starts");
        Self { worker, properties, connector, topic, file, folder, next: 0 }
    }

    /// The usual configuration: a line is a string.
    pub(crate) fn config(&self, more: &[(&str, &str)]) -> Value {
        let mut config = json!({
            "connector.class": FILE_SOURCE,
            "tasks.max": "1",
            "file": self.file.display().to_string(),
            "topic": self.topic,
            "batch.size": "100",
            "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        });
        for (name, value) in more {
            config[*name] = json!(value);
        }
        config
    }

    /// Creates the connector and waits until its task runs.
    pub(crate) fn create(&self, more: &[(&str, &str)]) {
        self.worker.create(&self.connector, &self.config(more));
        self.worker.wait_for_state(&self.connector, "RUNNING", 1);
    }

    /// Appends `count` numbered lines to the file in one write.
    pub(crate) fn append(&mut self, count: u64) {
        let lines: String = (self.next..self.next + count).map(|id| format!("line-{id:08}\n")).collect();
        let mut file = OpenOptions::new().append(true).open(&self.file).expect("the file is there");
        file.write_all(lines.as_bytes()).expect("the file can be written");
        self.next += count;
    }

    /// Appends `count` lines and waits until the topic has `more` lines than before.
    pub(crate) fn append_and_wait_for(&mut self, count: u64, more: usize) {
        // Looked up before: a worker that is quick has written them all before anybody counts.
        let enough = self.ids().len() + more;
        self.append(count);
        wait_for(&format!("{enough} lines"), PATIENCE, || {
            let ids = self.ids();
            if ids.len() >= enough { Ok(()) } else { Err(self.seen(&ids)) }
        });
    }

    /// Bytes of the file.
    pub(crate) fn length(&self) -> u64 {
        fs::metadata(&self.file).expect("the file is there").len()
    }

    /// The numbers of the lines in the topic, in order; committed ones when transactions are in use.
    pub(crate) fn ids(&self) -> Vec<u64> {
        let records = records::read_topic(KafkaBroker::shared(), &self.topic).expect("topics are readable");
        records.iter().map(id_of).collect()
    }

    /// Waits until the last line is in the topic, and returns all numbers in their order.
    pub(crate) fn wait_for_last(&self) -> Vec<u64> {
        wait_for(&format!("line {}", self.next - 1), PATIENCE, || {
            let ids = self.ids();
            if ids.last() == Some(&(self.next - 1)) { Ok(ids) } else { Err(self.seen(&ids)) }
        })
    }

    /// The status for failure texts. A failed task does not heal while a test waits: it ends the test.
    fn seen(&self, ids: &[u64]) -> String {
        let answer = self.worker.rest.get(&format!("/connectors/{}/status", self.connector));
        let text = answer.map_or_else(|err| format!("no status: {err:#}"), |answer| answer.text);
        assert!(!text.contains("\"FAILED\""), "a task failed: {text}");
        format!("{} lines, last {:?}; {text}", ids.len(), ids.last())
    }

    /// The numbers of all lines that were written.
    pub(crate) fn written(&self) -> Vec<u64> {
        (0..self.next).collect()
    }

    /// Key and value of the newest record of the offsets topic.
    pub(crate) fn stored_offset(&self) -> Option<(String, Option<String>)> {
        let topic = property(&self.properties, "offset.storage.topic");
        let records =
            records::read_topic(KafkaBroker::shared(), topic).expect("the offsets topic is readable");
        let newest = records.into_iter().max_by_key(|record| (record.timestamp_ms, record.offset))?;
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("offsets are JSON");
        Some((newest.key_text(), newest.value.map(text)))
    }

    /// Waits until the whole file counts as read.
    pub(crate) fn wait_for_offset(&self) {
        let key = format!("[\"{}\",{{\"filename\":\"{}\"}}]", self.connector, self.file.display());
        let expected = Some((key, Some(format!("{{\"position\":{}}}", self.length()))));
        wait_for("the stored offset", PATIENCE, || {
            let found = self.stored_offset();
            if found == expected { Ok(()) } else { Err(found) }
        });
    }
}

fn id_of(record: &Record) -> u64 {
    let text = String::from_utf8_lossy(record.value.as_deref().unwrap_or_default()).into_owned();
    let digits = text.strip_prefix("line-").unwrap_or_else(|| panic!("an unknown line: {text}"));
    digits.parse().unwrap_or_else(|_| panic!("an unknown line: {text}"))
}

/// Waits until a connector and its one task run on any worker.
pub(crate) fn wait_until_running(rest: &RestClient, connector: &str) {
    wait_for(&format!("{connector} to run"), PATIENCE, || {
        let answer =
            rest.get(&format!("/connectors/{connector}/status")).map_err(|err| format!("{err:#}"))?;
        if answer.status != 200 {
            return Err(answer.text);
        }
        let status = answer.json();
        let is_running =
            status["connector"]["state"] == "RUNNING" && status["tasks"][0]["state"] == "RUNNING";
        if is_running { Ok(()) } else { Err(answer.text) }
    });
}
