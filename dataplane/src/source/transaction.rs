//! Exactly-once delivery: records and their offsets in one transaction.
//!
//! Source: KIP-618, `ExactlyOnceWorkerSourceTask`, Kafka 4.1.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lakeward_api::ConnectError;
use lakeward_api::metrics::CommitOutcome;
use lakeward_api::offset_store::OffsetEntry;
use lakeward_api::source::{RecordOutcome, SourcePosition, TransactionRequest};
use lakeward_kafka::source_producer::{NotQueued, OutgoingRecord};
use lakeward_kafka::transactions::Transactions;

use super::pipeline::{Delivery, Pipeline};
use super::send::InFlight;
use super::settings::Boundary;
use crate::task::wake_or_timeout;

const SEND_AGAIN: Duration = Duration::from_millis(100);

/// The transaction of a task.
pub(super) struct Transaction {
    handle: Transactions,
    boundary: Boundary,
    offsets_topic: Arc<str>,
    is_open: bool,
    last_commit: Instant,
    requests: Requests,
    /// What became of the records since the last commit.
    pub(super) outcomes: Vec<(SourcePosition, RecordOutcome)>,
}

/// What the task asked for about the records of one poll.
#[derive(Default)]
struct Requests {
    commit_batch: bool,
    abort_batch: bool,
    commit_after: BTreeSet<usize>,
    abort_after: BTreeSet<usize>,
}

/// What a boundary asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Abort,
    Commit,
    GoOn,
}

impl Transaction {
    pub(super) fn new(handle: Transactions, boundary: Boundary, offsets_topic: &str) -> Self {
        Self {
            handle,
            boundary,
            offsets_topic: offsets_topic.into(),
            is_open: false,
            last_commit: Instant::now(),
            requests: Requests::default(),
            outcomes: Vec::new(),
        }
    }

    /// Opens a transaction for a record of `topic` if none is open.
    ///
    /// # Errors
    /// `Fatal` when the topic is where offsets go.
    pub(super) fn begin_for(&mut self, topic: &str) -> Result<(), ConnectError> {
        if *topic == *self.offsets_topic {
            return Err(ConnectError::fatal(
                "Source tasks may not produce to their own offsets topics when exactly-once support is \
                 enabled",
            ));
        }
        self.begin()
    }

    fn begin(&mut self) -> Result<(), ConnectError> {
        if !self.is_open {
            self.handle.begin()?;
            self.is_open = true;
        }
        Ok(())
    }

    /// What the task asked for about the records of the next batches.
    pub(super) fn ask(&mut self, requests: Vec<TransactionRequest>) {
        self.requests = Requests::default();
        for request in requests {
            match request {
                TransactionRequest::AbortBatch => self.requests.abort_batch = true,
                TransactionRequest::CommitBatch => self.requests.commit_batch = true,
                TransactionRequest::AbortRecord(number) => drop(self.requests.abort_after.insert(number)),
                TransactionRequest::CommitRecord(number) => drop(self.requests.commit_after.insert(number)),
            }
        }
    }

    fn after_record(&mut self, number: usize) -> Turn {
        if self.boundary != Boundary::Connector {
            Turn::GoOn
        } else if self.requests.abort_after.remove(&number) {
            Turn::Abort
        } else if self.requests.commit_after.remove(&number) {
            Turn::Commit
        } else {
            Turn::GoOn
        }
    }

    fn after_batch(&mut self) -> Turn {
        match self.boundary {
            Boundary::Poll => Turn::Commit,
            Boundary::Interval(interval) if self.last_commit.elapsed() >= interval => Turn::Commit,
            Boundary::Interval(_) => Turn::GoOn,
            Boundary::Connector => self.requested_for_batch(),
        }
    }

    /// Before a pause and at the end.
    fn at_the_end(&mut self) -> Turn {
        match self.boundary {
            Boundary::Poll | Boundary::Interval(_) => Turn::Commit,
            Boundary::Connector => self.requested_for_batch(),
        }
    }

    fn requested_for_batch(&mut self) -> Turn {
        if std::mem::take(&mut self.requests.abort_batch) {
            Turn::Abort
        } else if std::mem::take(&mut self.requests.commit_batch) {
            Turn::Commit
        } else {
            Turn::GoOn
        }
    }
}

impl Pipeline {
    pub(super) async fn record_dispatched(&mut self, number: usize) -> Result<(), ConnectError> {
        let Delivery::ExactlyOnce(transaction) = &mut self.delivery else { return Ok(()) };
        let turn = transaction.after_record(number);
        self.take_turn(turn).await
    }

    pub(super) async fn batch_dispatched(&mut self) -> Result<(), ConnectError> {
        let Delivery::ExactlyOnce(transaction) = &mut self.delivery else { return Ok(()) };
        let turn = transaction.after_batch();
        self.take_turn(turn).await
    }

    /// Ends an open transaction before a pause or the end of the task. Half a batch whose boundaries the task
    /// defines is left to be aborted.
    pub(super) async fn final_transaction(&mut self) -> Result<(), ConnectError> {
        let Delivery::ExactlyOnce(transaction) = &mut self.delivery else { return Ok(()) };
        if transaction.boundary == Boundary::Connector && !self.outbox.is_empty() {
            return Ok(());
        }
        let turn = transaction.at_the_end();
        self.take_turn(turn).await
    }

    async fn take_turn(&mut self, turn: Turn) -> Result<(), ConnectError> {
        match turn {
            Turn::GoOn => return Ok(()),
            // The offsets of aborted records are stored all the same: the task must not see them again.
            Turn::Abort => self.abort().await?,
            Turn::Commit => {}
        }
        self.commit_transaction().await
    }

    async fn abort(&mut self) -> Result<(), ConnectError> {
        let Delivery::ExactlyOnce(transaction) = &mut self.delivery else { return Ok(()) };
        if !transaction.is_open {
            return Ok(());
        }
        let handle = transaction.handle.clone();
        transaction.is_open = false;
        self.bridged.run(async move { handle.abort().await }).await?;
        // Records that were thrown away are reported as failed.
        self.take_reports();
        self.failure = None;
        Ok(())
    }

    async fn commit_transaction(&mut self) -> Result<(), ConnectError> {
        let began = Instant::now();
        let outcome = self.commit_open_transaction().await;
        let now = Instant::now();
        let ended = if outcome.is_ok() { CommitOutcome::Stored } else { CommitOutcome::Failed };
        self.metrics.commit_ended(ended, Some(now - began), now);
        outcome
    }

    async fn commit_open_transaction(&mut self) -> Result<(), ConnectError> {
        let entries = self.offsets.begin_flush().map_err(|err| self.not_flushed(err))?;
        let Delivery::ExactlyOnce(transaction) = &mut self.delivery else { return Ok(()) };
        if entries.is_some() || transaction.is_open {
            transaction.begin().map_err(|err| not_flushed(&self.name, err))?;
            let entries = entries.unwrap_or_default();
            if let Err(err) = self.commit_with(&entries).await {
                self.offsets.flush_failed();
                return Err(self.not_flushed(err));
            }
            self.offsets.flushed(|_| true);
        }
        let Delivery::ExactlyOnce(transaction) = &mut self.delivery else { return Ok(()) };
        transaction.last_commit = Instant::now();
        let acknowledged = |(_, outcome): &&(SourcePosition, RecordOutcome)| {
            matches!(outcome, RecordOutcome::Acknowledged { .. })
        };
        let records = transaction.outcomes.iter().filter(acknowledged).count();
        if records > 0 {
            self.metrics.transaction(records, Instant::now());
        }
        for (position, outcome) in std::mem::take(&mut transaction.outcomes) {
            self.record_done(&position, &outcome);
        }
        self.committed();
        Ok(())
    }

    /// Writes offsets into the open transaction and commits it.
    async fn commit_with(&mut self, entries: &[OffsetEntry]) -> Result<(), ConnectError> {
        let (values, tombstones): (Vec<_>, Vec<_>) =
            entries.iter().cloned().partition(|entry| entry.value.is_some());
        if !tombstones.is_empty() {
            let store = Arc::clone(&self.store);
            self.bridged.run(async move { store.mirror(tombstones).await }).await?;
        }
        for entry in entries {
            self.send_offset(entry).await?;
        }
        let Delivery::ExactlyOnce(transaction) = &mut self.delivery else { return Ok(()) };
        let handle = transaction.handle.clone();
        transaction.is_open = false;
        self.bridged.run(async move { handle.commit().await }).await?;
        self.take_reports();
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let (store, id) = (Arc::clone(&self.store), self.id.clone());
        drop(self.bridged.start(async move {
            if let Err(err) = store.mirror(values).await {
                tracing::warn!(task = %id, error = %err, "offsets were not copied to the worker's topic");
            }
            Ok(())
        }));
        Ok(())
    }

    async fn send_offset(&mut self, entry: &OffsetEntry) -> Result<(), ConnectError> {
        loop {
            let Delivery::ExactlyOnce(transaction) = &self.delivery else { return Ok(()) };
            let record = OutgoingRecord {
                topic: &transaction.offsets_topic,
                partition: None,
                timestamp_ms: None,
                key: Some(entry.key.as_bytes()),
                value: entry.value.as_deref().map(str::as_bytes),
                headers: &[],
            };
            match self.producer.send(self.sent.next_number(), &record) {
                Ok(()) => {
                    self.sent.push(InFlight::Offset);
                    return Ok(());
                }
                Err(NotQueued::Refused(error)) => return Err(error),
                Err(NotQueued::Full | NotQueued::NotYet(_)) => {}
            }
            if self.control.is_abandoned() {
                return Err(ConnectError::retriable("the task was stopped while it stored offsets"));
            }
            wake_or_timeout(&self.wakes, SEND_AGAIN).await;
            self.take_reports();
        }
    }

    /// The cause is what the producer said about a record, if it said something.
    fn not_flushed(&mut self, error: ConnectError) -> ConnectError {
        self.take_reports();
        let error = self.failure.take().unwrap_or(error);
        not_flushed(&self.name, error)
    }
}

fn not_flushed(task: &str, error: ConnectError) -> ConnectError {
    if error.java_class().ends_with(".InvalidProducerEpochException") {
        return ConnectError::fatal(format!(
            "The task {task} was unable to finish writing records to Kafka before its producer transaction \
             expired. It may be necessary to reconfigure this connector in order for it to run healthily \
             with exactly-once support. Options for this include: tune the connector's producer \
             configuration for higher throughput, increase the transaction timeout for the connector's \
             producers, decrease the offset commit interval (if using interval-based transaction \
             boundaries), or use the 'poll' transaction boundary (if the connector is not \
             already configured to use it)."
        ))
        .with_source(error);
    }
    ConnectError::fatal(format!("Failed to flush offsets and/or records for task {task}")).with_source(error)
}
