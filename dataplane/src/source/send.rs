//! Records to the producer, and what its reports mean for offsets and the task.
//!
//! Source: `AbstractWorkerSourceTask#sendRecords`, `WorkerSourceTask#producerSendFailed`, Kafka 4.1.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lakeward_api::batch::SinkBatch;
use lakeward_api::pulse::Waiting;
use lakeward_api::runtime::TaskEvent;
use lakeward_api::source::{RecordOutcome, SourcePosition};
use lakeward_api::{ConnectError, ErrorClass, failpoint};
use lakeward_dataplane_core::source_ledger::Ticket;
use lakeward_kafka::producer::StoredAt;
use lakeward_kafka::source_producer::{NotQueued, OutgoingRecord, Report};

use super::describe::Origin;
use super::outbox::{Next, Step};
use super::pipeline::{Delivery, Pipeline};

/// Records per turn, so that other tasks of the shard get theirs.
const TURN_RECORDS_MAX: usize = 2048;
/// Java's pause before the rest of a batch is sent again.
const SEND_AGAIN: Duration = Duration::from_millis(100);

/// A record between the producer and its report.
pub(super) enum InFlight {
    /// A record of an offsets topic.
    Offset,
    /// A record of the task.
    Record {
        position: SourcePosition,
        topic: Arc<str>,
        ticket: Option<Ticket>,
        /// What was polled with it and its row there, when log lines show records.
        polled: Option<(Rc<SinkBatch>, usize)>,
    },
}

/// Records between the producer and their reports, by number.
#[derive(Default)]
pub(super) struct Sent {
    records: VecDeque<Option<InFlight>>,
    first: u64,
}

impl Sent {
    /// The number of the next record.
    pub(super) fn next_number(&self) -> u64 {
        self.first + self.records.len() as u64
    }

    /// The number of the first record without a report.
    pub(super) fn first_open(&self) -> u64 {
        self.first
    }

    pub(super) fn push(&mut self, record: InFlight) {
        self.records.push_back(Some(record));
    }

    fn take(&mut self, number: u64) -> InFlight {
        let place = number.checked_sub(self.first).and_then(|place| usize::try_from(place).ok());
        let record = place.and_then(|place| self.records.get_mut(place)).and_then(Option::take);
        while self.records.front().is_some_and(Option::is_none) {
            self.records.pop_front();
            self.first += 1;
        }
        record.expect("each record is reported once")
    }
}

impl Pipeline {
    /// Sends what was polled. `Some` says how long there is nothing to do without a wake.
    pub(super) async fn send_some(&mut self) -> Result<Option<Duration>, ConnectError> {
        self.blocked = None;
        let now = Instant::now();
        for _ in 0..TURN_RECORDS_MAX {
            match self.outbox.step(&mut self.converters, &mut self.judge, now)? {
                Step::Finished => {
                    self.batch_dispatched().await?;
                    return Ok(None);
                }
                Step::Waiting => {
                    self.blocked = Some(Waiting::SchemaRegistry);
                    return Ok(Some(super::TURN_INTERVAL));
                }
                Step::Retry(due) => {
                    self.blocked = Some(Waiting::Retry);
                    self.send_again = Some(due);
                    return Ok(Some(due.saturating_duration_since(Instant::now())));
                }
                Step::Skipped(number, position) => self.left_out(number, position).await?,
                Step::Ready => match self.send_next().await? {
                    Sending::Sent => {}
                    Sending::Woken => {
                        let patience = self.producer.patience().unwrap_or(super::TURN_INTERVAL);
                        return Ok(Some(patience.min(super::TURN_INTERVAL)));
                    }
                    Sending::Later(reason) => {
                        tracing::warn!(
                            task = %self.id, reason,
                            "cannot send records yet; backing off before the rest of the batch"
                        );
                        self.send_again = Some(Instant::now() + SEND_AGAIN);
                        return Ok(Some(SEND_AGAIN));
                    }
                },
            }
        }
        Ok(None)
    }

    async fn send_next(&mut self) -> Result<Sending, ConnectError> {
        let next = self.outbox.record();
        check(&next)?;
        let topic = Arc::clone(&next.prepared.topic);
        match self.topics.poll_ready(&topic, self.admin.as_ref(), &self.bridged) {
            Ok(ready) if ready.is_pending() => return Ok(Sending::Woken),
            Ok(_) => {}
            Err(err) if err.class() == ErrorClass::Retriable => return Ok(Sending::Later(err.to_string())),
            Err(err) => return Err(err),
        }
        let (position, number) = (next.position.clone(), next.number);
        let lane = self.offsets.lane(&position);
        let ticket = match &mut self.delivery {
            Delivery::AtLeastOnce(commits) => Some(commits.ledger.submit(lane, Arc::clone(&position.offset))),
            Delivery::ExactlyOnce(transaction) => {
                transaction.begin_for(&topic)?;
                None
            }
        };
        let next = self.outbox.record();
        let headers = next.prepared.headers(next.row);
        failpoint!("source.produce.before_send");
        let queued = self.producer.send(
            self.sent.next_number(),
            &OutgoingRecord {
                topic: &topic,
                partition: next.prepared.partition,
                timestamp_ms: next.row.timestamp_ms.filter(|timestamp| *timestamp >= 0),
                key: next.prepared.key(next.row),
                value: next.prepared.value(next.row),
                headers: &headers,
            },
        );
        if let Err(problem) = queued {
            if let (Delivery::AtLeastOnce(commits), Some(ticket)) = (&mut self.delivery, ticket) {
                commits.ledger.withdraw(ticket);
            }
            return match problem {
                NotQueued::Full => Ok(Sending::Woken),
                NotQueued::NotYet(reason) => Ok(Sending::Later(reason)),
                NotQueued::Refused(error) => {
                    Err(ConnectError::fatal("Unrecoverable exception trying to send").with_source(error))
                }
            };
        }
        failpoint!("source.produce.after_send");
        let polled = if self.judge.needs_records() { next.origin() } else { None };
        self.outbox.sent();
        if self.is_exactly_once() {
            self.offsets.advance(lane, Arc::clone(&position.offset));
        }
        self.sent.push(InFlight::Record { position, topic, ticket, polled });
        self.record_dispatched(number).await?;
        Ok(Sending::Sent)
    }

    /// A transform dropped the record, or its failure is tolerated: its offset does not count.
    async fn left_out(&mut self, number: usize, position: SourcePosition) -> Result<(), ConnectError> {
        self.left_out += 1;
        if let Delivery::ExactlyOnce(transaction) = &mut self.delivery {
            transaction.outcomes.push((position, RecordOutcome::Skipped));
            return self.record_dispatched(number).await;
        }
        self.record_done(&position, &RecordOutcome::Skipped);
        Ok(())
    }

    /// Learns what became of records that were sent.
    pub(super) fn take_reports(&mut self) {
        let mut reports = std::mem::take(&mut self.reports);
        self.producer.take_reports(&mut reports);
        let mut written = 0;
        for Report { number, outcome } in reports.drain(..) {
            match (self.sent.take(number), outcome) {
                (InFlight::Offset, Ok(_)) => {}
                (InFlight::Record { position, topic, ticket, .. }, Ok(at)) => {
                    failpoint!("source.produce.after_ack");
                    written += 1;
                    self.acknowledged(position, topic, ticket, at);
                }
                (InFlight::Record { position, ticket: Some(ticket), polled, .. }, Err(error)) => {
                    self.not_delivered(&position, ticket, polled.as_ref(), error);
                }
                // Within a transaction the commit fails with it.
                (InFlight::Offset | InFlight::Record { .. }, Err(error)) => {
                    self.failure.get_or_insert(error);
                }
            }
        }
        self.metrics.written(written, std::mem::take(&mut self.left_out), Instant::now());
        self.reports = reports;
    }

    fn acknowledged(
        &mut self,
        position: SourcePosition,
        topic: Arc<str>,
        ticket: Option<Ticket>,
        at: StoredAt,
    ) {
        let has_reset = self.topics_used.were_reset();
        if has_reset || !self.last_topic.as_ref().is_some_and(|last| Arc::ptr_eq(last, &topic)) {
            self.last_topic = Some(Arc::clone(&topic));
            if self.topics_used.see(&topic).1 {
                (self.listener)(TaskEvent::TopicUsed { id: self.id.clone(), topic: Arc::clone(&topic) });
            }
        }
        let outcome = RecordOutcome::Acknowledged { topic, partition: at.partition, offset: at.offset };
        match (&mut self.delivery, ticket) {
            (Delivery::AtLeastOnce(commits), Some(ticket)) => {
                commits.ledger.ack(ticket);
                self.record_done(&position, &outcome);
            }
            (Delivery::ExactlyOnce(transaction), _) => transaction.outcomes.push((position, outcome)),
            (Delivery::AtLeastOnce(_), None) => unreachable!("records without transactions have tickets"),
        }
    }

    /// The producer gave a record up.
    fn not_delivered(
        &mut self,
        position: &SourcePosition,
        ticket: Ticket,
        polled: Option<&(Rc<SinkBatch>, usize)>,
        error: ConnectError,
    ) {
        let origin = polled.map(|(batch, row)| Origin { position, batch, row: *row });
        if let Err(error) = self.judge.not_delivered(error, origin.as_ref()) {
            self.failure.get_or_insert(error);
            return;
        }
        self.left_out += 1;
        if let Delivery::AtLeastOnce(commits) = &mut self.delivery {
            commits.ledger.ack(ticket);
        }
        self.record_done(position, &RecordOutcome::Skipped);
    }

    pub(super) fn record_done(&mut self, position: &SourcePosition, outcome: &RecordOutcome) {
        if let Err(err) = self.task.record_done(position, outcome) {
            tracing::error!(task = %self.id, error = err.trace().trim_end(), "commitRecord failed");
        }
    }
}

/// What became of an attempt to send.
enum Sending {
    /// Not now: the pipeline tries again after a pause.
    Later(String),
    /// It is in the producer's queue.
    Sent,
    /// Not now: a wake will come.
    Woken,
}

/// What Java's `ProducerRecord` refuses.
fn check(next: &Next<'_>) -> Result<(), ConnectError> {
    const ILLEGAL: &str = "java.lang.IllegalArgumentException";
    if let Some(timestamp) = next.row.timestamp_ms.filter(|timestamp| *timestamp < -1) {
        return Err(ConnectError::new(
            ErrorClass::Fatal,
            "org.apache.kafka.common.InvalidRecordException",
            format!("Invalid record timestamp {timestamp}"),
        ));
    }
    match next.prepared.partition {
        Some(partition) if partition < 0 => Err(ConnectError::new(
            ErrorClass::Fatal,
            ILLEGAL,
            format!(
                "Invalid partition: {partition}. Partition number should always be non-negative or null."
            ),
        )),
        _ => Ok(()),
    }
}
