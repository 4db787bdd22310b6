//! The store of distributed mode: the config and status topics.
//!
//! Owns the wiring of both logs to the view. Source: `KafkaConfigBackingStore`, `KafkaStatusBackingStore`,
//! Kafka 4.1.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use lakeward_api::failpoint;
use lakeward_controlplane_core::config_log::{ConfigChange, LogRecord};
use lakeward_kafka::KafkaError;
use lakeward_kafka::log::{CompactedLog, Isolation, LogSettings};
use lakeward_kafka::producer::AckProducer;

use super::single_writer::SingleWriter;
use super::{Barrier, ClusterView, Store, StoreError, apply_log_level, refusal};
use crate::worker_config::WorkerConfig;

/// One budget for a write and its read back.
const WRITE_LIMIT: Duration = Duration::from_secs(30);
/// How long giving up work waits for its last statuses.
const FLUSH_LIMIT: Duration = Duration::from_secs(5);

/// Both logs and the producer they share.
pub(crate) struct KafkaStore {
    view: Arc<ClusterView>,
    config_log: CompactedLog,
    /// Set when the records that were there at the start were read.
    caught_up: Arc<AtomicBool>,
    status_log: CompactedLog,
    producer: AckProducer,
    /// Writes to the config topic when only one leader may.
    writer: Option<SingleWriter>,
    status_topic: String,
}

/// Partitions of the topics, as found.
pub(crate) struct PartitionCounts {
    /// Of the config topic.
    pub(crate) config: usize,
    /// Of the status topic.
    pub(crate) status: usize,
}

impl KafkaStore {
    /// Starts both readers.
    pub(crate) fn start(config: &WorkerConfig, counts: &PartitionCounts) -> Result<Self, KafkaError> {
        let view = Arc::new(ClusterView::default());
        let client_id = |role: &str| client_id(config, role);
        let producer = AckProducer::new(config.props(), &client_id("shared-producer"))?;
        let is_exact = config
            .text("exactly.once.source.support")
            .is_some_and(|support| support.trim().eq_ignore_ascii_case("enabled"));
        let isolation = if is_exact { Isolation::Committed } else { Isolation::Uncommitted };
        let settings = |role: &str, topic: &str, partition_count: usize| LogSettings {
            props: config.props(),
            client_id: client_id(role),
            topic: config.required(topic).to_owned(),
            partition_count,
            isolation: if role == "configs" { isolation } else { Isolation::Uncommitted },
        };
        let caught_up = Arc::new(AtomicBool::new(false));
        let from_now = Arc::clone(&caught_up);
        let target = Arc::clone(&view);
        let config_log = CompactedLog::start(
            settings("configs", "config.storage.topic", counts.config),
            producer.clone(),
            move |_, record| {
                let change = target.config(|state| state.apply(record.offset, record.key, record.value));
                match change {
                    ConfigChange::Skipped(reason) => {
                        tracing::warn!(
                            offset = record.offset,
                            ?reason,
                            "skipped a record of the config topic"
                        );
                    }
                    ConfigChange::Nothing => {}
                    // Those of the past were for workers of the past.
                    ConfigChange::LogLevel { logger, level } => {
                        if from_now.load(Ordering::Acquire) {
                            apply_log_level(&logger, &level);
                        }
                    }
                    _ => target.notify(),
                }
            },
        )?;
        let target = Arc::clone(&view);
        let status_log = CompactedLog::start(
            settings("statuses", "status.storage.topic", counts.status),
            producer.clone(),
            move |_, record| target.apply_status(record.key, record.value),
        )?;
        let status_topic = config.required("status.storage.topic").to_owned();
        let writer = SingleWriter::of(config);
        Ok(Self { view, config_log, caught_up, status_log, producer, writer, status_topic })
    }

    /// Reads both topics to their ends.
    pub(crate) async fn catch_up(&self, limit: Duration) -> Result<(), KafkaError> {
        futures::try_join!(self.config_log.read_to_end(limit), self.status_log.read_to_end(limit))?;
        self.caught_up.store(true, Ordering::Release);
        Ok(())
    }

    /// The way of records that only the leader may write, where the worker file asks for one.
    fn exclusive_writer(&self, records: &[LogRecord]) -> Option<&SingleWriter> {
        // Target states and log levels are written by any worker: with the plain producer, as in Java.
        let is_shared = |record: &LogRecord| {
            let keys = ["target-state-", "logger-cluster-"];
            keys.iter().any(|key| record.key.starts_with(key)) && record.value.is_some()
        };
        self.writer.as_ref().filter(|_| !records.iter().all(is_shared))
    }

    async fn append(&self, records: &[LogRecord]) -> Result<(), KafkaError> {
        if let Some(writer) = self.exclusive_writer(records) {
            let written = writer.write(records).await;
            let stored =
                written.map_err(|err| KafkaError::Stopped { reason: err.trace().trim_end().to_owned() })?;
            for (at, record) in stored.into_iter().zip(records) {
                self.config_log.appended(at);
                self.config_log.adopt(at, &record.key, record.value.as_deref());
            }
            return Ok(());
        }
        // Queued in order before the first wait: one request in flight keeps that order in the topic.
        let acks: Vec<_> = records
            .iter()
            .map(|record| self.config_log.append(&record.key, record.value.as_deref()))
            .collect();
        let stored = futures::future::try_join_all(acks).await?;
        for (at, record) in stored.into_iter().zip(records) {
            // Acknowledged is durable: what others read from now on may be read here, too.
            self.config_log.adopt(at, &record.key, record.value.as_deref());
        }
        Ok(())
    }

    async fn try_write(&self, records: &[LogRecord], barrier: Barrier) -> Result<(), StoreError> {
        let deadline = Instant::now() + WRITE_LIMIT;
        failpoint!("config.before_write");
        let acked = tokio::time::timeout(WRITE_LIMIT, self.append(records)).await;
        failpoint!("config.after_write");
        let acked = acked.unwrap_or_else(|_| {
            let action = "writing to the config topic".to_owned();
            Err(KafkaError::Timeout { action, timeout_ms: WRITE_LIMIT.as_millis() as u64 })
        });
        acked.map_err(|err| match self.exclusive_writer(records) {
            Some(_) => store_error(refusal::EXCLUSIVE.to_owned(), &err),
            None => store_error(refusal::text(records), &err),
        })?;
        if barrier == Barrier::ReadBack {
            let read = self.config_log.read_back(deadline.saturating_duration_since(Instant::now())).await;
            read.map_err(|err| store_error(refusal::text(records), &err))?;
        }
        Ok(())
    }
}

/// `{group.id}-[{client.id}-]role`.
pub(crate) fn client_id(config: &WorkerConfig, role: &str) -> String {
    let group = config.required("group.id");
    match config.props().get("client.id").filter(|id| !id.is_empty()) {
        Some(id) => format!("{group}-{id}-{role}"),
        None => format!("{group}-{role}"),
    }
}

/// The cause goes to the log, as in Java: the text is for the client.
fn store_error(message: String, err: &KafkaError) -> StoreError {
    let cause = err.source().map(ToString::to_string).unwrap_or_default();
    tracing::warn!(error = %err, cause, "{message}");
    StoreError { message }
}

impl Store for KafkaStore {
    fn view(&self) -> &Arc<ClusterView> {
        &self.view
    }

    fn write_config(
        &self,
        records: Vec<LogRecord>,
        barrier: Barrier,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move { self.try_write(&records, barrier).await })
    }

    fn claim(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let Some(writer) = &self.writer else { return Ok(()) };
            writer.claim().await.map_err(|err| StoreError {
                message: format!("The config topic could not be claimed: {}", err.trace().trim_end()),
            })
        })
    }

    fn refresh(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let read = self.config_log.read_to_end(WRITE_LIMIT).await;
            read.map_err(|err| store_error("Error trying to read to end of config log".to_owned(), &err))
        })
    }

    fn write_status(&self, record: LogRecord) {
        failpoint!("status.before_write");
        let stored = self.producer.send(&self.status_topic, &record.key, record.value.as_deref());
        // The queue of the producer bounds how many of these wait.
        tokio::spawn(async move {
            if let Err(err) = stored.await {
                tracing::warn!(error = %err, key = record.key, "a status was not stored");
            }
            failpoint!("status.after_write");
        });
    }

    fn flush_status(&self) -> BoxFuture<'_, ()> {
        let producer = self.producer.clone();
        Box::pin(async move {
            match tokio::task::spawn_blocking(move || producer.flush(FLUSH_LIMIT)).await {
                Ok(Ok(())) => {}
                Ok(Err(err)) => tracing::warn!(error = %err, "the last statuses may not be stored"),
                Err(err) => tracing::warn!(error = %err, "flushing statuses was aborted"),
            }
        })
    }
}
