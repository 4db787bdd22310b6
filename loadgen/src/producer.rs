//! A producer that knows what the broker acknowledged.
//!
//! Owns: librdkafka's producer and the acknowledged end per partition. Must not: ask the broker for its
//! latest offset (the embedded one's answer can lag), or keep more than the client's queue in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};

/// How long a full client queue may stay full.
const QUEUE_FULL_TIMEOUT: Duration = Duration::from_secs(60);
const QUEUE_FULL_PAUSE: Duration = Duration::from_millis(1);

/// What the broker acknowledged; shared with delivery callbacks.
#[derive(Debug)]
pub struct Acknowledged {
    ends: Vec<AtomicI64>,
    records: AtomicU64,
    failures: AtomicU64,
}

impl Acknowledged {
    fn new(partitions: usize) -> Self {
        Self {
            ends: (0..partitions).map(|_| AtomicI64::new(0)).collect(),
            records: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        }
    }

    /// Next offset after the last acknowledged record, per partition.
    pub fn ends(&self) -> Vec<i64> {
        self.ends.iter().map(|end| end.load(Ordering::Acquire)).collect()
    }

    /// Acknowledged records.
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Acquire)
    }

    /// Records the client gave up on.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Acquire)
    }
}

struct CountDeliveries(Arc<Acknowledged>);

impl ClientContext for CountDeliveries {}

impl ProducerContext for CountDeliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let Ok(message) = result else {
            self.0.failures.fetch_add(1, Ordering::Release);
            return;
        };
        if let Some(end) = usize::try_from(message.partition()).ok().and_then(|at| self.0.ends.get(at)) {
            end.fetch_max(message.offset() + 1, Ordering::AcqRel);
        }
        self.0.records.fetch_add(1, Ordering::Release);
    }
}

/// Sends records to given partitions of one topic.
pub struct CountingProducer {
    producer: ThreadedProducer<CountDeliveries>,
    acknowledged: Arc<Acknowledged>,
    topic: String,
    sent: Vec<i64>,
}

impl CountingProducer {
    /// A producer for `topic`, which has `partitions` partitions. Memory: up to 64 MB of unsent records.
    pub fn new(bootstrap: &str, topic: &str, partitions: i32) -> Result<Self> {
        let count = usize::try_from(partitions).context("a topic has at least one partition")?;
        let acknowledged = Arc::new(Acknowledged::new(count));
        let producer = ClientConfig::new()
            .set("bootstrap.servers", bootstrap)
            .set("acks", "all")
            .set("compression.type", "lz4")
            .set("linger.ms", "20")
            .set("batch.size", "1000000")
            .set("batch.num.messages", "20000")
            .set("queue.buffering.max.messages", "200000")
            .set("queue.buffering.max.kbytes", "65536")
            .set("message.timeout.ms", "120000")
            .create_with_context(CountDeliveries(Arc::clone(&acknowledged)))
            .context("the Kafka producer could not be set up")?;
        Ok(Self { producer, acknowledged, topic: topic.to_owned(), sent: vec![0; count] })
    }

    /// What the broker acknowledged so far.
    pub fn acknowledged(&self) -> &Arc<Acknowledged> {
        &self.acknowledged
    }

    /// Queues one record; blocks while the client's queue is full.
    pub fn send(&mut self, partition: i32, payload: &[u8]) -> Result<()> {
        let mut waited = Duration::ZERO;
        let mut record = BaseRecord::<'_, [u8], [u8]>::to(&self.topic).partition(partition).payload(payload);
        loop {
            match self.producer.send(record) {
                Ok(()) => break,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    ensure!(waited < QUEUE_FULL_TIMEOUT, "the broker took no record for {waited:?}");
                    std::thread::sleep(QUEUE_FULL_PAUSE);
                    waited += QUEUE_FULL_PAUSE;
                    record = back;
                }
                Err((err, _)) => return Err(err).context("a record could not be queued"),
            }
        }
        if let Some(sent) = usize::try_from(partition).ok().and_then(|at| self.sent.get_mut(at)) {
            *sent += 1;
        }
        Ok(())
    }

    /// Waits until everything sent is acknowledged and returns the end offset per partition. Fails when a
    /// record was given up, or when a retry of the client put one into the topic twice (the topic itself
    /// would then be wrong).
    pub fn finish(self) -> Result<Vec<i64>> {
        self.producer.flush(Duration::from_secs(150)).context("not every record was acknowledged")?;
        let failures = self.acknowledged.failures();
        if failures > 0 {
            bail!("the broker refused {failures} records");
        }
        let ends = self.acknowledged.ends();
        ensure!(ends == self.sent, "the topic ends at {ends:?} after sending {:?} records", self.sent);
        Ok(ends)
    }
}
