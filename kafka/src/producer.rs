//! A thin acknowledged producer for the internal topics: every send resolves when all in-sync replicas have
//! it.
//!
//! Must not decide about retries: the library retries until `delivery.timeout.ms`, callers put their own
//! limit on the wait. Source: the producer settings of Kafka Connect's internal topics, Kafka 4.1.

use std::sync::Arc;
use std::time::Duration;

use lakeward_api::config::ConfigMap;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::util::Timeout;

use crate::KafkaError;
use crate::settings::{ClientKind, translate};

/// Where an acknowledged record was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredAt {
    /// Partition number.
    pub partition: i32,
    /// Offset in the partition.
    pub offset: i64,
}

/// A producer with `acks=all`, one request in flight (so order is kept) and Java's partitioner. Clones share
/// it.
#[derive(Clone)]
pub struct AckProducer {
    inner: Arc<FutureProducer>,
}

impl AckProducer {
    /// Creates the client from Java settings. Connects in the background.
    ///
    /// # Errors
    /// Class `Config` for settings that cannot be honoured, `Retriable` when the client cannot be created.
    pub fn new(props: &ConfigMap, client_id: &str) -> Result<Self, KafkaError> {
        let mut settings = translate(ClientKind::Producer, props)?;
        for (name, value) in [
            ("client.id", client_id),
            ("acks", "all"),
            ("enable.idempotence", "false"),
            ("max.in.flight.requests.per.connection", "1"),
            ("message.timeout.ms", "2147483647"),
            // Statuses and configurations are rare and waited for: nothing is gained by lingering.
            ("linger.ms", "0"),
        ] {
            settings.set(name, value);
        }
        let inner: FutureProducer = settings.to_rdkafka().create().map_err(|source| KafkaError::Client {
            action: format!("creating the producer {client_id}"),
            source,
        })?;
        let inner = Arc::new(inner);
        settings.log_in(&inner);
        Ok(Self { inner })
    }

    /// Queues a record at once, in the order of the calls; the future resolves with its acknowledgement.
    /// Dropping the future does not take the record back. A `value` of `None` is a tombstone.
    ///
    /// # Errors
    /// `Retriable`: the local queue is full or the record was refused.
    pub fn send(
        &self,
        topic: &str,
        key: &str,
        value: Option<&str>,
    ) -> impl Future<Output = Result<StoredAt, KafkaError>> + Send + 'static {
        let mut record = FutureRecord::<str, str>::to(topic).key(key);
        if let Some(value) = value {
            record = record.payload(value);
        }
        let queued = self.inner.send_result(record).map_err(|(source, _)| source);
        let action = format!("writing to topic {topic}");
        async move {
            let delivery = match queued {
                Ok(delivery) => delivery.await,
                Err(source) => return Err(KafkaError::Client { action, source }),
            };
            match delivery {
                Ok(Ok(stored)) => Ok(StoredAt { partition: stored.partition, offset: stored.offset }),
                Ok(Err((source, _))) => Err(KafkaError::Client { action, source }),
                Err(_) => Err(KafkaError::Stopped { reason: format!("{action}: the producer was closed") }),
            }
        }
    }

    /// Waits until everything queued is acknowledged. Blocks: call it where blocking is allowed.
    ///
    /// # Errors
    /// `Retriable` when `limit` passes first.
    pub fn flush(&self, limit: Duration) -> Result<(), KafkaError> {
        self.inner.flush(Timeout::After(limit)).map_err(|source| KafkaError::Client {
            action: "flushing the internal topics' producer".to_owned(),
            source,
        })
    }
}
