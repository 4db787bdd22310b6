//! The load: numbered records for every connector, at a steady rate, until told to stop.
//!
//! Records of a mode have ids from 0; the record `id` goes to partition `id mod partitions`. The broker
//! acknowledges every one, and the producer is idempotent, so each is in its topic once.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures::future::try_join_all;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use serde_json::json;

use super::mode::{Connector, Lake, Mode};
use crate::block_on;
use crate::broker::KafkaBroker;

/// Records are sent this often.
const TICK: Duration = Duration::from_millis(100);
const TICKS_PER_SECOND: usize = 10;
const SEND_PATIENCE: Duration = Duration::from_secs(60);
/// Makes a file of `Mode::Parts` or `Mode::Handover` larger than one part.
const FILLER_BYTES: usize = 16 * 1024;
/// One record in this many cannot be read.
const BROKEN_EVERY: u64 = 10;

/// What was sent to one connector.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) mode: Mode,
    /// Ids handed out: 0 up to this.
    pub(super) count: u64,
    /// Ids that need not be stored: never sent, or sent to let time pass.
    pub(super) excused: BTreeSet<u64>,
    /// Per partition, records that end up in files.
    pub(super) good: Vec<usize>,
}

/// The thread that sends.
pub(super) struct Load {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<Vec<Sender>>>,
}

/// Sends to one connector.
pub(super) struct Sender {
    producer: FutureProducer,
    topic: String,
    file: PathBuf,
    pub(super) sent: Sent,
}

impl Load {
    /// Starts to send to `connectors`.
    pub(super) fn start(broker: &KafkaBroker, connectors: &[Connector]) -> anyhow::Result<Self> {
        let mut config = broker.client();
        config.set("acks", "all").set("enable.idempotence", "true").set("linger.ms", "5");
        let producer: FutureProducer = config.create().context("creating the producer")?;
        let mut senders: Vec<Sender> =
            connectors.iter().map(|connector| Sender::new(&producer, connector)).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut due = Instant::now();
            while !until.load(Ordering::Acquire) {
                for sender in &mut senders {
                    sender.send(sender.sent.mode.rate() / TICKS_PER_SECOND)?;
                }
                due += TICK;
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            Ok(senders)
        });
        Ok(Self { stop, thread })
    }

    /// Stops; the senders can send what completes the last files.
    pub(super) fn finish(self) -> anyhow::Result<Vec<Sender>> {
        self.stop.store(true, Ordering::Release);
        match self.thread.join() {
            Ok(senders) => senders,
            Err(_) => bail!("the load thread panicked"),
        }
    }
}

impl Sender {
    fn new(producer: &FutureProducer, connector: &Connector) -> Self {
        let mode = connector.mode;
        Self {
            producer: producer.clone(),
            topic: connector.topic.clone(),
            file: connector.file.clone(),
            sent: Sent { mode, count: 0, excused: BTreeSet::new(), good: vec![0; mode.partitions()] },
        }
    }

    /// Sends the next `count` records and waits until the broker has them.
    fn send(&mut self, count: usize) -> anyhow::Result<()> {
        let ids: Vec<u64> = (self.sent.count..).take(count).collect();
        self.sent.count += count as u64;
        if self.sent.mode == Mode::Source {
            return self.append(&ids);
        }
        for id in &ids {
            let partition = self.partition(*id);
            self.sent.good[partition] += usize::from(!self.is_broken(*id));
        }
        self.produce(&ids, None)
    }

    /// Sends records until every partition has a whole number of files.
    pub(super) fn fill_up(&mut self) -> anyhow::Result<()> {
        let Some(flush_size) = self.sent.mode.flush_size() else { return Ok(()) };
        while self.sent.good.iter().any(|good| !good.is_multiple_of(flush_size)) {
            let id = self.sent.count;
            let partition = self.partition(id);
            self.sent.count += 1;
            // Ids of full partitions are used up without a record; a broken one would only leave a letter.
            if self.sent.good[partition].is_multiple_of(flush_size) || self.is_broken(id) {
                self.sent.excused.insert(id);
                continue;
            }
            self.sent.good[partition] += 1;
            self.produce(&[id], None)?;
        }
        Ok(())
    }

    /// Sends one record per partition at `timestamp_ms` (`None`: now), which lets time pass for the records
    /// before it. Its own file need not end.
    pub(super) fn push_time(&mut self, timestamp_ms: Option<i64>) -> anyhow::Result<()> {
        for _ in 0..self.sent.mode.partitions() {
            let id = self.sent.count;
            self.sent.count += 1;
            self.sent.excused.insert(id);
            self.produce(&[id], timestamp_ms)?;
        }
        Ok(())
    }

    fn partition(&self, id: u64) -> usize {
        usize::try_from(id).unwrap_or_default() % self.sent.mode.partitions()
    }

    fn is_broken(&self, id: u64) -> bool {
        self.sent.mode.is_broken(id)
    }

    fn append(&self, ids: &[u64]) -> anyhow::Result<()> {
        let lines: String = ids.iter().map(|id| format!("{{\"id\":{id}}}\n")).collect();
        let mut file = File::options().append(true).open(&self.file).context("opening the file")?;
        file.write_all(lines.as_bytes()).context("writing lines")
    }

    fn produce(&self, ids: &[u64], timestamp_ms: Option<i64>) -> anyhow::Result<()> {
        let values: Vec<String> = ids.iter().map(|id| self.value(*id)).collect();
        block_on(try_join_all(ids.iter().zip(&values).map(|(id, value)| async move {
            let partition = i32::try_from(self.partition(*id)).expect("a handful of partitions");
            let mut record: FutureRecord<'_, [u8], str> =
                FutureRecord::to(&self.topic).partition(partition).payload(value);
            record.timestamp = timestamp_ms;
            record.headers =
                Some(OwnedHeaders::new().insert(Header { key: "id", value: Some(&id.to_string()) }));
            self.producer.send(record, SEND_PATIENCE).await.map_err(|(err, _)| err)
        })))
        .with_context(|| format!("producing to {}", self.topic))?;
        Ok(())
    }

    fn value(&self, id: u64) -> String {
        match self.sent.mode {
            Mode::Count => json!({
                "schema": {"type": "struct", "optional": false, "fields": [
                    {"field": "id", "type": "int64", "optional": false},
                    {"field": "kind", "type": "string", "optional": false},
                ]},
                "payload": {"id": id, "kind": format!("k{}", id / 4 % 3)},
            })
            .to_string(),
            Mode::Handover | Mode::Parts => {
                format!("{{\"id\":{id},\"filler\":\"{}\"}}", "x".repeat(FILLER_BYTES))
            }
            Mode::Iceberg => json!({"id": id, "table": Lake::table_of(id)}).to_string(),
            _ if self.is_broken(id) => "{broken".to_owned(),
            _ => format!("{{\"id\":{id}}}"),
        }
    }
}

impl Mode {
    /// Whether the value of record `id` cannot be read.
    pub(super) fn is_broken(self, id: u64) -> bool {
        self == Self::DeadLetters && id % BROKEN_EVERY == 3
    }
}
