//! A compacted topic as a log: everything from the beginning, then its tail for ever, in order, on a thread
//! of its own.
//!
//! Owns reading, the read-to-the-end barrier and acknowledged appends. Must not interpret records. The group
//! of the worker is named in the settings but never joined: partitions are assigned by hand.
//!
//! Source: `KafkaBasedLog`, Kafka 4.1. Unlike there, an acknowledged append whose turn it is need not be
//! fetched to be handed out, see [`CompactedLog::adopt`].

mod delivery;
mod leaders;
mod reader;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use lakeward_api::config::ConfigMap;
use lakeward_api::record::RawRecord;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError as LibraryError;
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::watch;

use self::delivery::{Delivery, Progress};
use self::reader::{Quiet, Reader};
use crate::KafkaError;
use crate::admin::{blocking, client_error, timeout_error};
use crate::producer::{AckProducer, StoredAt};
use crate::settings::{ClientKind, ClientSettings, translate};

/// A gap at the end (transaction markers) shows only as silence: after this long the tail is read again.
const GAP_SUSPICION: Duration = Duration::from_millis(300);

/// A running reader of one compacted topic, and the way to append to it. Dropping it ends the thread.
pub struct CompactedLog {
    topic: Arc<str>,
    consumer: Arc<BaseConsumer<Quiet>>,
    /// Sees the end behind open transactions; a reader of committed records alone does not.
    real_ends: Option<Arc<BaseConsumer<Quiet>>>,
    producer: AckProducer,
    delivery: Arc<Delivery>,
    progress: watch::Receiver<Progress>,
    /// Per partition the offset after our newest acknowledged append. The broker's own answer may lag behind
    /// it.
    own_ends: Mutex<Vec<i64>>,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// What a log needs.
pub struct LogSettings<'a> {
    /// Worker properties, Java names.
    pub props: &'a ConfigMap,
    /// Client id of the reader.
    pub client_id: String,
    /// Topic name.
    pub topic: String,
    /// Number of partitions.
    pub partition_count: usize,
    /// Which records count.
    pub isolation: Isolation,
}

/// Which records a reader sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// Only those of committed transactions, up to the first open one.
    Committed,
    /// All; Java's default.
    Uncommitted,
}

impl Isolation {
    /// Kafka's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Committed => "read_committed",
            Self::Uncommitted => "read_uncommitted",
        }
    }
}

impl CompactedLog {
    /// Starts reading. `on_record` gets every record of every partition once, in offset order per partition,
    /// one at a time: on the log's thread or on that of [`CompactedLog::adopt`]. It must not block for long.
    ///
    /// # Errors
    /// Class `Config` for settings that cannot be honoured, `Retriable` when the client cannot be created.
    pub fn start(
        settings: LogSettings<'_>,
        producer: AckProducer,
        on_record: impl FnMut(i32, RawRecord<'_>) + Send + 'static,
    ) -> Result<Self, KafkaError> {
        let LogSettings { props, client_id, topic, partition_count, isolation } = settings;
        let mut client = translate(ClientKind::Consumer, props)?;
        for (name, value) in [
            ("client.id", client_id.as_str()),
            ("isolation.level", isolation.as_str()),
            ("auto.offset.reset", "earliest"),
            ("enable.auto.commit", "false"),
            ("enable.partition.eof", "true"),
            // Brokers that do not wake a waiting fetch (the embedded one) let a read back wait this long.
            ("fetch.wait.max.ms", "100"),
            // The internal topics are small; the default would let a reader hold 16 MiB.
            ("queued.max.messages.kbytes", "1024"),
        ] {
            client.set(name, value);
        }
        let action = || format!("reading topic {topic}");
        let consumer: BaseConsumer<Quiet> = client
            .to_rdkafka()
            .create_with_context(Quiet)
            .map_err(|source| client_error(action(), source))?;
        let consumer = Arc::new(consumer);
        client.log_in(&consumer);
        let real_ends =
            real_ends(isolation, client, &client_id).map_err(|source| client_error(action(), source))?;
        let mut assignment = TopicPartitionList::new();
        for partition in 0..partition_count {
            assignment
                // A number needs no look-up before the first fetch, which would cost half a second; should
                // the log begin later, the reset to the earliest record applies.
                .add_partition_offset(&topic, partition as i32, Offset::Offset(0))
                .map_err(|source| client_error(action(), source))?;
        }
        consumer.assign(&assignment).map_err(|source| client_error(action(), source))?;

        let stopping = Arc::new(AtomicBool::new(false));
        let (delivery, progress) = Delivery::new(partition_count, on_record);
        let delivery = Arc::new(delivery);
        let reader = Reader::new(Arc::clone(&consumer), Arc::clone(&stopping), Arc::clone(&delivery));
        let thread = std::thread::Builder::new()
            .name(format!("log-{topic}").chars().take(15).collect())
            .spawn(move || reader.run())
            .map_err(|err| KafkaError::Stopped { reason: format!("no thread for a log: {err}") })?;
        Ok(Self {
            topic: topic.into(),
            consumer,
            real_ends,
            producer,
            delivery,
            progress,
            own_ends: Mutex::new(vec![0; partition_count]),
            stopping,
            thread: Some(thread),
        })
    }

    /// Queues a record at once; the future resolves when it is acknowledged. A `value` of `None` is a
    /// tombstone.
    ///
    /// # Errors
    /// `Retriable`: the local queue is full or the broker refused the record.
    pub fn append(
        &self,
        key: &str,
        value: Option<&str>,
    ) -> impl Future<Output = Result<StoredAt, KafkaError>> + Send + '_ {
        let sent = self.producer.send(&self.topic, key, value);
        async move {
            let stored = sent.await?;
            self.appended(stored);
            Ok(stored)
        }
    }

    /// Another producer of this process has stored a record here: [`CompactedLog::read_back`] waits for it,
    /// too.
    pub fn appended(&self, stored: StoredAt) {
        let mut ends = self.own_ends.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(end) = ends.get_mut(stored.partition as usize) {
            *end = (*end).max(stored.offset + 1);
        }
    }

    /// Hands out a record that a producer of this process has stored at `stored` as it would be read, without
    /// waiting until it is fetched: if everything before it was handed out, and nothing otherwise, as it will
    /// be read then. For a record that counts: acknowledged by all in-sync replicas, and no part of an open
    /// transaction. Its timestamp is left out.
    ///
    /// Brokers that answer waiting fetches late (the embedded one) would delay every read back.
    pub fn adopt(&self, stored: StoredAt, key: &str, value: Option<&str>) {
        self.delivery.hand_out_own(
            stored.partition,
            RawRecord {
                offset: stored.offset,
                timestamp_ms: None,
                key: Some(key.as_bytes()),
                value: value.map(str::as_bytes),
            },
        );
    }

    /// Waits until every record that was stored when this was called has been handed to the callback. Cancel
    /// safe.
    ///
    /// # Errors
    /// `Retriable` when that takes longer than `limit`; `Fatal` when the reader cannot go on.
    pub async fn read_to_end(&self, limit: Duration) -> Result<(), KafkaError> {
        let deadline = Instant::now() + limit;
        let count = self.progress.borrow().partitions.len();
        let ends = futures::future::try_join_all((0..count as i32).map(|p| self.end(p, deadline))).await?;
        let mut progress = self.progress.clone();
        for (partition, end) in ends.into_iter().enumerate() {
            self.wait_for(&mut progress, partition, end, deadline)
                .await
                .map_err(|err| err.unwrap_or_else(|| self.late(limit)))?;
        }
        Ok(())
    }

    /// Waits until every append that was acknowledged before this call, and so everything stored before it,
    /// has been handed to the callback. Needs no answer of the broker besides the records. Cancel safe.
    ///
    /// # Errors
    /// `Retriable` when that takes longer than `limit`; `Fatal` when the reader cannot go on.
    pub async fn read_back(&self, limit: Duration) -> Result<(), KafkaError> {
        let deadline = Instant::now() + limit;
        let own = self.own_ends.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut progress = self.progress.clone();
        for (partition, own) in own.into_iter().enumerate() {
            let end = End { told: own, own, empty: false };
            self.wait_for(&mut progress, partition, end, deadline)
                .await
                .map_err(|err| err.unwrap_or_else(|| self.late(limit)))?;
        }
        Ok(())
    }

    fn late(&self, limit: Duration) -> KafkaError {
        timeout_error(&format!("reading topic {} to its end", self.topic), limit)
    }

    /// The end of a partition as the broker tells it, tried again until `deadline` while there is no leader.
    /// Among committed records it is known only once every transaction that is open now has ended: records
    /// behind the first open one are not handed out.
    async fn end(&self, partition: i32, deadline: Instant) -> Result<End, KafkaError> {
        let Some(real_ends) = &self.real_ends else {
            return self.end_of(&self.consumer, partition, deadline).await;
        };
        let real = self.end_of(real_ends, partition, deadline).await?;
        loop {
            let stable = self.end_of(&self.consumer, partition, deadline).await?;
            if stable.told >= real.told {
                return Ok(stable);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let action = format!("waiting for the open transactions of topic {}", self.topic);
                return Err(KafkaError::Timeout { action, timeout_ms: 0 });
            }
            tokio::time::sleep(Duration::from_millis(50).min(left)).await;
        }
    }

    async fn end_of(
        &self,
        consumer: &Arc<BaseConsumer<Quiet>>,
        partition: i32,
        deadline: Instant,
    ) -> Result<End, KafkaError> {
        let (low, high) = leaders::bounds(consumer, &self.topic, partition, deadline).await?;
        let ends = self.own_ends.lock().unwrap_or_else(PoisonError::into_inner);
        let own = ends.get(partition as usize).copied().unwrap_or_default();
        Ok(End { told: high, own, empty: low >= high })
    }

    /// `Err(None)` means the deadline passed.
    async fn wait_for(
        &self,
        progress: &mut watch::Receiver<Progress>,
        partition: usize,
        end: End,
        deadline: Instant,
    ) -> Result<(), Option<KafkaError>> {
        let mut reread_from = None;
        loop {
            let now = progress.borrow_and_update().clone();
            if let Some(reason) = now.failure {
                return Err(Some(KafkaError::Stopped { reason }));
            }
            let here = now.partitions[partition];
            let proven = reread_from.is_some_and(|seen| here.ends_seen > seen);
            if here.next_offset >= end.own && (here.next_offset >= end.told || end.empty || proven) {
                return Ok(());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(None);
            }
            match tokio::time::timeout(left.min(GAP_SUSPICION), progress.changed()).await {
                // Never closed: this log holds its sender, too.
                Ok(_) => {}
                // Our own records are no gap: they will come.
                Err(_) if here.ends_seen > 0 && here.next_offset >= end.own => {
                    // Nothing came although the end is further on: fetch the tail again. The end that is
                    // reported after this belongs to a fetch that is younger than `end`.
                    reread_from.get_or_insert(here.ends_seen);
                    self.reread(partition as i32, here.next_offset).await.map_err(Some)?;
                }
                Err(_) => {}
            }
        }
    }

    async fn reread(&self, partition: i32, next_offset: i64) -> Result<(), KafkaError> {
        let (consumer, topic) = (Arc::clone(&self.consumer), Arc::clone(&self.topic));
        let offset = Offset::Offset(next_offset);
        let sought =
            blocking(move || consumer.seek(&topic, partition, offset, Duration::from_secs(1))).await?;
        if let Err(err) = sought {
            tracing::debug!(topic = %self.topic, error = %err, "cannot fetch the tail again yet");
        }
        Ok(())
    }
}

/// A client that sees the end behind open transactions, for a reader that does not.
fn real_ends(
    isolation: Isolation,
    mut client: ClientSettings,
    client_id: &str,
) -> Result<Option<Arc<BaseConsumer<Quiet>>>, LibraryError> {
    if isolation == Isolation::Uncommitted {
        return Ok(None);
    }
    client.set("isolation.level", Isolation::Uncommitted.as_str());
    client.set("client.id", format!("{client_id}-ends"));
    let consumer = Arc::new(client.to_rdkafka().create_with_context(Quiet)?);
    client.log_in(&consumer);
    Ok(Some(consumer))
}

impl Drop for CompactedLog {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(topic = %self.topic, "the reader of a log panicked");
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct End {
    told: i64,
    own: i64,
    empty: bool,
}
