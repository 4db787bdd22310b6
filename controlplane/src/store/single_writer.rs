//! Writes to the config topic that only one leader can make: in transactions of one id, so that whoever
//! claims it fences every earlier leader.
//!
//! Source: KIP-618, `KafkaConfigBackingStore#claimWritePrivileges`, Kafka 4.1.

use std::time::Duration;

use lakeward_api::ConnectError;
use lakeward_api::config::ConfigMap;
use lakeward_controlplane_core::config_log::LogRecord;
use lakeward_kafka::producer::StoredAt;
use lakeward_kafka::source_producer::{OutgoingRecord, SourceProducer};
use tokio::sync::Mutex;

use super::client_id;
use crate::worker_config::WorkerConfig;

/// The producer of a leader, made when it claims the topic and dropped when a write fails.
pub(super) struct SingleWriter {
    props: ConfigMap,
    topic: String,
    producer: Mutex<Option<SourceProducer>>,
}

impl SingleWriter {
    /// The writer of this worker's cluster; `None` when `exactly.once.source.support` does not ask for it.
    pub(super) fn of(config: &WorkerConfig) -> Option<Self> {
        let support = config.text("exactly.once.source.support")?.trim().to_ascii_lowercase();
        if !["enabled", "preparing"].contains(&support.as_str()) {
            return None;
        }
        let mut props = config.props().clone();
        let own = [
            ("client.id", client_id(config, "configs-leader")),
            ("transactional.id", format!("connect-cluster-{}", config.required("group.id"))),
            ("enable.idempotence", "true".to_owned()),
            ("acks", "all".to_owned()),
            ("linger.ms", "0".to_owned()),
        ];
        props.extend(own.map(|(name, value)| (name.to_owned(), value)));
        props.remove("delivery.timeout.ms");
        // With a limit the first record would have to come again, which none does here.
        props.remove("max.block.ms");
        let topic = config.required("config.storage.topic").to_owned();
        Some(Self { props, topic, producer: Mutex::new(None) })
    }

    /// Fences every earlier leader.
    ///
    /// # Errors
    /// `Retriable` when the brokers do not answer in time.
    pub(super) async fn claim(&self) -> Result<(), ConnectError> {
        let mut producer = self.producer.lock().await;
        *producer = None;
        *producer = Some(self.claimed().await?);
        Ok(())
    }

    async fn claimed(&self) -> Result<SourceProducer, ConnectError> {
        let producer = SourceProducer::new(&self.props, || {})?;
        producer.transactions().init().await?;
        Ok(producer)
    }

    /// Writes records in one transaction; where they are stored, in their order.
    ///
    /// # Errors
    /// The reason why none of them counts. The claim is given up; the next write makes it again.
    pub(super) async fn write(&self, records: &[LogRecord]) -> Result<Vec<StoredAt>, ConnectError> {
        let mut claimed = self.producer.lock().await;
        let producer = match claimed.take() {
            Some(producer) => producer,
            None => self.claimed().await?,
        };
        match write(&producer, &self.topic, records).await {
            Ok(stored) => {
                *claimed = Some(producer);
                Ok(stored)
            }
            Err(err) => {
                close(producer);
                Err(err)
            }
        }
    }
}

async fn write(
    producer: &SourceProducer,
    topic: &str,
    records: &[LogRecord],
) -> Result<Vec<StoredAt>, ConnectError> {
    let transactions = producer.transactions();
    transactions.begin()?;
    for (number, record) in (0..).zip(records) {
        let outgoing = OutgoingRecord {
            topic,
            partition: Some(0),
            timestamp_ms: None,
            key: Some(record.key.as_bytes()),
            value: record.value.as_deref().map(str::as_bytes),
            headers: &[],
        };
        producer.send(number, &outgoing).map_err(|problem| {
            ConnectError::retriable(format!("a record of the config topic was not queued: {problem:?}"))
        })?;
    }
    transactions.commit().await?;
    let mut reports = Vec::with_capacity(records.len());
    producer.take_reports(&mut reports);
    reports.into_iter().map(|report| report.outcome).collect()
}

/// Ending a client joins its threads: not on an async thread.
fn close(producer: SourceProducer) {
    drop(tokio::task::spawn_blocking(move || producer.close(Duration::ZERO)));
}
