//! From messages to the sink: convert a run of one topic-partition, report what failed, put the rest.
//!
//! Works through the backlog until it is empty or something must be waited for; it never waits itself.
//!
//! Source: `WorkerSinkTask#convertMessages`, `#deliverMessages`, `RetryWithToleranceOperator`, Kafka 4.1.
//! Unlike Java, the records before one that is tried again go on to the sink, and the wait does not stop the
//! task's rebalances and commits.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Instant;

use lakeward_api::record::{Position, RawRecord, TopicPartition};
use lakeward_api::runtime::TaskEvent;
use lakeward_api::{ConnectError, ErrorClass};
use lakeward_dataplane_core::error_counters::ErrorCounters;
use lakeward_dataplane_core::retry::NextAttempt;
use lakeward_dataplane_core::tolerance::{Stage, Verdict, exceeded, unrecoverable};
use lakeward_kafka::consumer::{FetchedBatch, FetchedRun};

use super::backlog::{Blocked, Work};
use super::{PUT_BYTES_MAX, PUT_RECORDS_MAX, Pipeline, TURN_INTERVAL, read_clocks};
use crate::executor;
use crate::task::convert::{self, BadRecord, Converted, RawRun};
use crate::task::reporter::{Failure, SINK_TASK};

impl Pipeline {
    /// Gives the sink what was taken; answers what the rest waits for.
    pub(super) async fn deliver(&mut self) -> Result<Option<Blocked>, ConnectError> {
        while let Some(mut work) = self.backlog.pop_front() {
            let blocked = self.advance(&mut work).await?;
            if blocked.is_some() {
                self.backlog.push_front(work);
                return Ok(blocked);
            }
        }
        Ok(None)
    }

    async fn advance(&mut self, work: &mut Work) -> Result<Option<Blocked>, ConnectError> {
        loop {
            if self.reporter.is_full() {
                return Ok(Some(Blocked::Reports));
            }
            if let Some(blocked) = self.put_ready(work)? {
                return Ok(Some(blocked));
            }
            if work.next >= work.batch.len() {
                return Ok(None);
            }
            if let Some(blocked) = self.convert_next(work)? {
                return Ok(Some(blocked));
            }
            executor::yield_now().await;
        }
    }

    /// Converts the next run of messages into `work.ready`.
    fn convert_next(&mut self, work: &mut Work) -> Result<Option<Blocked>, ConnectError> {
        let Some(run) = work.batch.run_at(work.next, PUT_RECORDS_MAX, PUT_BYTES_MAX) else {
            work.next = work.batch.len();
            return Ok(None);
        };
        let records: Vec<RawRecord<'_>> = run.records().collect();
        let Some(partition) = self.open_partition(run.topic, run.partition, &work.gone) else {
            work.next = run.start + records.len();
            return Ok(None);
        };
        self.ledger.fetched(&partition, records[0].offset);
        let now = Instant::now();
        if let Some(due) = self.retries.pause_before(&partition, records[0].offset, now) {
            return Ok(Some(Blocked::Retry(due)));
        }
        // Looking for headers costs an allocation per message in the Kafka library.
        let headers = if self.converters.look_for_headers() { run.headers() } else { Vec::new() };
        let raw = RawRun { records: &records, headers: &headers };
        if convert::poll_ready(&mut self.converters, &partition, &raw)?.is_pending() {
            return Ok(Some(Blocked::Converters));
        }
        let mut converted = convert::convert(&mut self.converters, &partition, &raw)?;
        let again = self.try_again(&partition, &mut converted, now)?;
        let end = again.map_or(records.len(), |offset| row_of(&records, offset));
        for bad in converted.bad {
            let row = row_of(&records, bad.offset);
            self.refuse(&partition, bad, (&run, row, records[row]))?;
        }
        work.ready.extend(converted.batches);
        if let Some(last) = end.checked_sub(1) {
            self.meter.read(&partition, records[0].offset, records[last].offset + 1, end);
            work.passed = Some(Position { partition, next_offset: records[last].offset + 1 });
        }
        work.next = run.start + end;
        Ok(None)
    }

    /// Decides about the first record of `converted` that may pass later, and leaves out what must wait for
    /// it. Answers the offset from which to convert once more.
    fn try_again(
        &mut self,
        partition: &TopicPartition,
        converted: &mut Converted,
        now: Instant,
    ) -> Result<Option<i64>, ConnectError> {
        let random = RandomState::new().build_hasher().finish();
        let from = match self.retries.after(partition, converted.first_retriable(), now, random) {
            NextAttempt::Never => return Ok(None),
            NextAttempt::Behind { offset } => offset,
            NextAttempt::Later { offset } => {
                ErrorCounters::count(&self.control.errors.record_failures);
                ErrorCounters::count(&self.control.errors.retries);
                tracing::debug!(task = %self.id, %partition, offset, "a record is tried again after a pause");
                offset
            }
        };
        converted.truncate(from)?;
        Ok(Some(from))
    }

    /// A record failed before the sink: report it, then skip it or fail.
    fn refuse(
        &mut self,
        partition: &TopicPartition,
        bad: BadRecord,
        (run, row, record): (&FetchedRun<'_>, usize, RawRecord<'_>),
    ) -> Result<(), ConnectError> {
        let verdict = self.tolerance.judge(&bad.error);
        let errors = &self.control.errors;
        if verdict != Verdict::Broken {
            if bad.error.class() == ErrorClass::Retriable {
                // The attempt and its end are counted apart.
                ErrorCounters::count(&errors.record_failures);
            }
            errors.failed(read_clocks().wall_ms);
            ErrorCounters::count(&errors.record_errors);
            let failure = Failure {
                stage: bad.stage,
                class: bad.class,
                error: &bad.error,
                partition,
                record,
                run,
                row,
            };
            self.reporter.report(failure, &mut self.ledger);
        }
        match verdict {
            Verdict::Skip => {
                ErrorCounters::count(&self.control.errors.records_skipped);
                Ok(())
            }
            Verdict::Fail => Err(exceeded(bad.error)),
            Verdict::Broken => Err(bad.error),
        }
    }

    /// Puts what is converted, and reports what the sink rejects.
    fn put_ready(&mut self, work: &mut Work) -> Result<Option<Blocked>, ConnectError> {
        if let Some(due) = self.put_due.filter(|due| *due > Instant::now()) {
            return Ok(Some(Blocked::Sink(due)));
        }
        self.put_due = None;
        while !work.ready.is_empty() {
            if let Some(cause) = self.task.no_room() {
                return Ok(Some(Blocked::NoRoom(cause)));
            }
            let Some(batch) = work.ready.pop_front() else { break };
            if !self.is_open(&batch.partition, &work.gone) {
                continue;
            }
            let kept = self.task.may_refuse().then(|| batch.clone());
            let (rows, began) = (batch.rows(), read_clocks());
            self.has_put = true;
            match (self.task.put(batch, began), kept) {
                (Ok(()), _) => {
                    let now = Instant::now();
                    self.meter.put(rows, now - began.monotonic, now);
                    self.report_rejected(&work.batch)?;
                }
                (Err(error), Some(batch)) if error.class() == ErrorClass::Retriable => {
                    if let Some(cause) = self.task.no_room() {
                        // What it waits for wakes it: that is no failure, and needs no pause.
                        work.ready.push_front(batch);
                        return Ok(Some(Blocked::NoRoom(cause)));
                    }
                    tracing::error!(
                        task = %self.id, error = %error.trace().trim_end(),
                        "the sink refused a batch; its partitions are paused and it is given again"
                    );
                    work.ready.push_front(batch);
                    let due = Instant::now() + TURN_INTERVAL;
                    self.put_due = Some(due);
                    return Ok(Some(Blocked::Sink(due)));
                }
                (Err(error), _) => return Err(unrecoverable(error)),
            }
            if self.reporter.is_full() {
                return Ok(Some(Blocked::Reports));
            }
        }
        if let Some(position) = work.passed.take()
            && self.is_open(&position.partition, &work.gone)
        {
            self.task.passed(&position);
        }
        Ok(None)
    }

    /// The records that the last put left out.
    fn report_rejected(&mut self, batch: &FetchedBatch) -> Result<(), ConnectError> {
        let mut rejected = std::mem::take(&mut self.rejected);
        self.task.take_rejected(&mut rejected);
        for rejected in rejected.drain(..) {
            let partition = &rejected.partition;
            let Some(run) = batch.find(&partition.topic, partition.partition, rejected.offset) else {
                return Err(ConnectError::fatal(format!(
                    "The sink rejected offset {} of {partition}, which it was not given",
                    rejected.offset
                )));
            };
            let record = run.records().next().expect("a found run has one record");
            let verdict = self.tolerance.judge(&rejected.error);
            if verdict == Verdict::Broken {
                return Err(unrecoverable(rejected.error));
            }
            self.control.errors.failed(read_clocks().wall_ms);
            let failure = Failure {
                stage: Stage::TaskPut,
                class: SINK_TASK,
                error: &rejected.error,
                partition,
                record,
                run: &run,
                row: 0,
            };
            self.reporter.report(failure, &mut self.ledger);
            if verdict == Verdict::Fail {
                ErrorCounters::count(&self.control.errors.record_errors);
                return Err(unrecoverable(exceeded(rejected.error)));
            }
        }
        self.rejected = rejected;
        Ok(())
    }

    /// The partition if it is assigned and stays. Names are shared between turns.
    fn open_partition(
        &mut self,
        topic: &str,
        partition: i32,
        gone: &[TopicPartition],
    ) -> Option<TopicPartition> {
        let has_reset = self.topics_used.were_reset();
        let current = match self.current.take().filter(|_| !has_reset) {
            Some(current) if current.partition == partition && &*current.topic == topic => current,
            _ => TopicPartition::new(self.shared_name(topic), partition),
        };
        self.current = Some(current.clone());
        self.is_open(&current, gone).then_some(current)
    }

    fn is_open(&self, partition: &TopicPartition, gone: &[TopicPartition]) -> bool {
        let is_leaving = self.revocations.iter().any(|revocation| revocation.includes(partition));
        !is_leaving && !gone.contains(partition) && self.ledger.is_assigned(partition)
    }

    /// The shared name of a topic, which is told when it is new.
    fn shared_name(&mut self, topic: &str) -> Arc<str> {
        let (name, is_new) = self.topics_used.see(topic);
        if is_new {
            (self.listener)(TaskEvent::TopicUsed { id: self.id.clone(), topic: Arc::clone(&name) });
        }
        name
    }
}

/// The row of the first record at `offset` or beyond.
fn row_of(records: &[RawRecord<'_>], offset: i64) -> usize {
    records.partition_point(|record| record.offset < offset)
}
