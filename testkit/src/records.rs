//! Producing records and reading topics raw, with a client that is not the worker's.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures::future::try_join_all;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedHeaders, Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer as _};
use rdkafka::{Offset, TopicPartitionList};

use crate::block_on;
use crate::broker::KafkaBroker;

const PATIENCE: Duration = Duration::from_secs(60);

/// A record to send, or one that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Partition.
    pub partition: i32,
    /// Offset; ignored when sending.
    pub offset: i64,
    /// Timestamp in ms since the epoch; `None` when sending means now.
    pub timestamp_ms: Option<i64>,
    /// Key; `None` is null.
    pub key: Option<Vec<u8>>,
    /// Value; `None` is null.
    pub value: Option<Vec<u8>>,
    /// Headers; the value of one that was read is empty when it is null.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Record {
    /// A record without key in partition 0.
    pub fn of(value: impl Into<Vec<u8>>) -> Self {
        Self { value: Some(value.into()), ..Self::default() }
    }

    /// A record without key in partition 0 whose value is `json`.
    pub fn json(json: &serde_json::Value) -> Self {
        Self::of(json.to_string())
    }

    /// The same record in `partition`.
    #[must_use]
    pub fn in_partition(self, partition: i32) -> Self {
        Self { partition, ..self }
    }

    /// The same record at `timestamp_ms`.
    #[must_use]
    pub fn at(self, timestamp_ms: i64) -> Self {
        Self { timestamp_ms: Some(timestamp_ms), ..self }
    }

    /// The same record with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Key as text, empty when null.
    pub fn key_text(&self) -> String {
        String::from_utf8_lossy(self.key.as_deref().unwrap_or_default()).into_owned()
    }

    /// Value as JSON; `None` when the value is null.
    pub fn value_json(&self) -> Option<serde_json::Value> {
        let bytes = self.value.as_deref()?;
        Some(serde_json::from_slice(bytes).expect("the value is JSON"))
    }
}

/// Sends `records` in order per partition and waits until the broker has acknowledged every one.
pub fn produce(broker: &KafkaBroker, topic: &str, records: &[Record]) -> anyhow::Result<()> {
    Sender::new(broker)?.send(topic, records)
}

/// A producer that is kept: to make one takes longer than to send a few records.
pub struct Sender(FutureProducer);

impl Sender {
    /// Makes the client.
    pub fn new(broker: &KafkaBroker) -> anyhow::Result<Self> {
        let mut config = broker.client();
        config.set("acks", "all").set("enable.idempotence", "true").set("linger.ms", "5");
        config.create().context("creating the producer").map(Self)
    }

    /// Sends `records` in order per partition and waits until the broker has acknowledged every one.
    pub fn send(&self, topic: &str, records: &[Record]) -> anyhow::Result<()> {
        block_on(async {
            // The client's own queue holds 100,000 records: sending in slices stays below it.
            for slice in records.chunks(10_000) {
                try_join_all(slice.iter().map(|record| async {
                    let mut message: FutureRecord<'_, [u8], [u8]> =
                        FutureRecord::to(topic).partition(record.partition);
                    message.key = record.key.as_deref();
                    message.payload = record.value.as_deref();
                    message.timestamp = record.timestamp_ms;
                    message.headers = headers_of(record);
                    self.0.send(message, PATIENCE).await.map_err(|(err, _)| err)
                }))
                .await
                .with_context(|| format!("producing to {topic}"))?;
            }
            Ok(())
        })
    }
}

/// Leaves a transaction of `id` open that holds `record`, as a process that ended in its midst does. It is
/// ended by who takes the id next, or by the broker after a quarter of an hour.
pub fn leave_transaction_open(
    broker: &KafkaBroker,
    topic: &str,
    id: &str,
    record: &Record,
) -> anyhow::Result<()> {
    let mut config = broker.client();
    config.set("transactional.id", id).set("transaction.timeout.ms", "900000");
    let sender = Sender(config.create().context("creating the producer")?);
    sender.0.init_transactions(PATIENCE).context("taking the transactional id")?;
    sender.0.begin_transaction().context("beginning the transaction")?;
    sender.send(topic, std::slice::from_ref(record))
}

fn headers_of(record: &Record) -> Option<OwnedHeaders> {
    let insert = |headers: OwnedHeaders, (name, value): &(String, Vec<u8>)| {
        headers.insert(Header { key: name, value: Some(value) })
    };
    (!record.headers.is_empty()).then(|| record.headers.iter().fold(OwnedHeaders::new(), insert))
}

fn read_headers(headers: &BorrowedHeaders) -> Vec<(String, Vec<u8>)> {
    let value = |value: Option<&[u8]>| value.unwrap_or_default().to_vec();
    headers.iter().map(|header| (header.key.to_owned(), value(header.value))).collect()
}

/// Reads everything a topic holds now, all partitions, each in offset order.
pub fn read_topic(broker: &KafkaBroker, topic: &str) -> anyhow::Result<Vec<Record>> {
    let consumer: BaseConsumer = broker
        .client()
        .set("group.id", crate::unique("reader"))
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "false")
        .create()
        .context("creating the consumer")?;
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).context("asking for partitions")?;
    let partitions = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
    let mut assignment = TopicPartitionList::new();
    let mut ends = Vec::new();
    for partition in 0..i32::try_from(partitions).context("partition count")? {
        let (start, end) =
            consumer.fetch_watermarks(topic, partition, PATIENCE).context("asking for offsets")?;
        if start < end {
            assignment.add_partition_offset(topic, partition, Offset::Beginning)?;
            ends.push((partition, end));
        }
    }
    consumer.assign(&assignment).context("assigning partitions")?;
    let deadline = Instant::now() + PATIENCE;
    let (mut records, mut trouble) = (Vec::new(), None);
    while !ends.is_empty() {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => records.push(Record {
                partition: message.partition(),
                offset: message.offset(),
                timestamp_ms: message.timestamp().to_millis(),
                key: message.key().map(<[u8]>::to_vec),
                value: message.payload().map(<[u8]>::to_vec),
                headers: message.headers().map(read_headers).unwrap_or_default(),
            }),
            Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => {
                return Err(error).context("reading the topic");
            }
            // The client tells of connections that broke and makes them again.
            Some(Err(error)) => trouble = Some(error),
            None => {}
        }
        // The position also passes what is never delivered: transaction markers and compacted records.
        let position = consumer.position().context("asking for the position")?;
        ends.retain(|(partition, end)| {
            let at = position.find_partition(topic, *partition).map(|element| element.offset());
            !matches!(at, Some(Offset::Offset(offset)) if offset >= *end)
        });
        if Instant::now() > deadline {
            bail!("{topic} could not be read to its end within {PATIENCE:?}; last trouble: {trouble:?}");
        }
    }
    Ok(records)
}
