//! What is told about records that cannot be processed: log lines and the dead letter queue.
//!
//! Owns the reports on their way and knows which records they are about. Must not decide what a failure does
//! to the task. Never blocks: a report that the producer's queue has no room for waits here, and the pipeline
//! takes no further records until it is gone.
//!
//! Source: `LogReporter`, `DeadLetterQueueReporter`, `ProcessingContext`, Kafka 4.1.

mod letter;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use lakeward_api::ConnectError;
use lakeward_api::config::ConfigMap;
use lakeward_api::failpoint;
use lakeward_api::record::{RawRecord, TopicPartition};
use lakeward_api::runtime::TaskId;
use lakeward_api::secrets::Secrets;
use lakeward_dataplane_core::error_counters::ErrorCounters;
use lakeward_dataplane_core::ledger::PositionLedger;
use lakeward_dataplane_core::tolerance::Stage;
use lakeward_kafka::consumer::FetchedRun;
use lakeward_kafka::source_producer::{NotQueued, Report, SourceProducer};

use super::dead_letters::{self, DeadLetters};
use super::{TaskControl, TaskStart};
use letter::Letter;

/// The class that failed when a sink rejects a record.
pub(super) const SINK_TASK: &str = "org.apache.kafka.connect.sink.SinkTask";

/// Tells about failed records, as the connector's configuration asks for.
pub(super) struct Reporter {
    id: TaskId,
    control: Arc<TaskControl>,
    /// What log lines must not show.
    secrets: Secrets,
    log: LogLines,
    dead_letters: Option<DeadLetters>,
    /// Records whose letters were not acknowledged yet, by the number of the letter.
    outstanding: HashMap<u64, (TopicPartition, i64)>,
    next_number: u64,
    /// Letters that found no room in the producer's queue.
    waiting: VecDeque<(u64, Letter)>,
    reports: Vec<Report>,
}

/// A failed record.
#[derive(Clone, Copy)]
pub(super) struct Failure<'a> {
    pub(super) stage: Stage,
    /// The Java class that failed.
    pub(super) class: &'a str,
    pub(super) error: &'a ConnectError,
    pub(super) partition: &'a TopicPartition,
    pub(super) record: RawRecord<'a>,
    /// The run that the record is in, and its row there.
    pub(super) run: &'a FetchedRun<'a>,
    pub(super) row: usize,
}

/// What is logged about failed records: `errors.log.enable` and `errors.log.include.messages`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogLines {
    Off,
    WithRecord,
    WithoutRecord,
}

impl Reporter {
    /// The reporter of a task, with a dead letter queue when one is configured.
    ///
    /// # Errors
    /// `Config` for client settings that cannot be honoured; `Fatal` when the queue's topic cannot be made.
    pub(super) async fn open(start: &TaskStart) -> Result<Self, ConnectError> {
        Ok(Self {
            id: start.spec.id.clone(),
            control: Arc::clone(&start.control),
            secrets: start.spec.secrets.clone(),
            log: LogLines::from_config(&start.spec.connector_config),
            dead_letters: dead_letters::open(start).await?,
            outstanding: HashMap::new(),
            next_number: 0,
            waiting: VecDeque::new(),
            reports: Vec::new(),
        })
    }

    /// Whether anything is told about failed records.
    pub(super) fn is_active(&self) -> bool {
        self.log != LogLines::Off || self.dead_letters.is_some()
    }

    /// True while reports wait for room: no further record may be taken.
    pub(super) fn is_full(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Tells about a failed record. Its partition is held in `ledger` until the report is acknowledged.
    pub(super) fn report(&mut self, failure: Failure<'_>, ledger: &mut PositionLedger) {
        if self.log != LogLines::Off {
            let line = log_line(&self.id, failure, self.log == LogLines::WithRecord);
            tracing::error!(
                target: "org.apache.kafka.connect.runtime.errors.LogReporter",
                error = %self.secrets.hide(failure.error.trace().trim_end()),
                "{line}"
            );
            ErrorCounters::count(&self.control.errors.errors_logged);
        }
        let Some(dead_letters) = &self.dead_letters else { return };
        ErrorCounters::count(&self.control.errors.dead_letter_requests);
        let letter = Letter::new(&self.id, failure, dead_letters.with_context);
        let number = self.next_number;
        self.next_number += 1;
        ledger.report_began(failure.partition, failure.record.offset);
        self.outstanding.insert(number, (failure.partition.clone(), failure.record.offset));
        self.waiting.push_back((number, letter));
        self.send_waiting();
    }

    /// Takes the answers that arrived and sends what waited for room.
    pub(super) fn turn(&mut self, ledger: &mut PositionLedger, now: Instant) {
        self.send_waiting();
        if let Some(dead_letters) = &self.dead_letters {
            dead_letters.producer.take_reports(&mut self.reports);
        }
        for report in std::mem::take(&mut self.reports) {
            if let Err(error) = report.outcome {
                self.failed(&error);
            }
            failpoint!("sink.dead_letter.after_ack");
            if let Some((partition, offset)) = self.outstanding.remove(&report.number) {
                ledger.report_ended(&partition, offset, now);
            }
        }
    }

    fn send_waiting(&mut self) {
        let Some(DeadLetters { topic, producer, .. }) = &self.dead_letters else { return };
        while let Some((number, letter)) = self.waiting.front() {
            failpoint!("sink.dead_letter.before_send");
            let outcome = letter.with(topic, |record| producer.send(*number, record));
            let error = match outcome {
                Ok(()) => {
                    failpoint!("sink.dead_letter.after_send");
                    None
                }
                Err(NotQueued::Full) => return,
                Err(NotQueued::NotYet(reason)) => Some(ConnectError::fatal(reason)),
                Err(NotQueued::Refused(error)) => Some(error),
            };
            if let (Some((number, _)), Some(error)) = (self.waiting.pop_front(), error) {
                self.reports.push(Report { number, outcome: Err(error) });
            }
        }
    }

    fn failed(&self, error: &ConnectError) {
        let topic = self.dead_letters.as_ref().map_or("", |dead_letters| &dead_letters.topic);
        tracing::error!(
            target: "org.apache.kafka.connect.runtime.errors.DeadLetterQueueReporter",
            error = %self.secrets.hide(error.trace().trim_end()),
            "Could not produce message to dead letter queue. topic={topic}"
        );
        ErrorCounters::count(&self.control.errors.dead_letter_failures);
    }

    /// Nothing of `partitions` is waited for any more: another task has them.
    pub(super) fn forget(&mut self, partitions: &[TopicPartition]) {
        self.outstanding.retain(|_, (partition, _)| !partitions.contains(partition));
    }

    /// The task starts over from its committed positions: what was not acknowledged is reported again.
    pub(super) fn start_over(&mut self) {
        self.outstanding.clear();
        self.waiting.clear();
    }

    /// The producer, to be closed where blocking is allowed.
    pub(super) fn into_producer(self) -> Option<SourceProducer> {
        self.dead_letters.map(|dead_letters| dead_letters.producer)
    }
}

impl LogLines {
    pub(crate) fn from_config(config: &ConfigMap) -> Self {
        let is_true =
            |key: &str| config.get(key).is_some_and(|text| text.trim().eq_ignore_ascii_case("true"));
        match (is_true("errors.log.enable"), is_true("errors.log.include.messages")) {
            (false, _) => Self::Off,
            (true, false) => Self::WithoutRecord,
            (true, true) => Self::WithRecord,
        }
    }
}

/// Java's line about a failed record, in its words.
fn log_line(id: &TaskId, failure: Failure<'_>, with_record: bool) -> String {
    let (stage, class) = (failure.stage.as_str(), failure.class);
    let mut line = format!("Error encountered in task {id}. Executing stage '{stage}' with class '{class}'");
    if with_record {
        let TopicPartition { topic, partition } = failure.partition;
        let timestamp = failure.record.timestamp_ms.zip(failure.run.timestamp_type(failure.row));
        line.push_str(&coordinates(topic, *partition, failure.record.offset, timestamp));
    }
    line.push('.');
    line
}

fn coordinates(topic: &str, partition: i32, offset: i64, timestamp: Option<(i64, &str)>) -> String {
    let timestamp = timestamp.map_or_else(String::new, |(timestamp_ms, kind)| {
        format!(", timestamp={timestamp_ms}, timestampType={kind}")
    });
    format!(
        ", where consumed record is {{topic='{topic}', partition={partition}, offset={offset}{timestamp}}}"
    )
}
