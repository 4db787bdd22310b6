//! What a poll brought, step by step on its way to the producer, in the order of the records.
//!
//! Records that a transform dropped, or whose failure is tolerated, come up in their turn as left out. A
//! failure that is not tolerated ends the task when everything before it was sent, as in Java.

use std::collections::{BTreeSet, VecDeque};

use lakeward_api::ConnectError;
use lakeward_api::batch::SinkBatch;
use lakeward_api::source::{SourceBatch, SourcePosition};
use lakeward_dataplane_core::error_counters::ErrorCounters;
use lakeward_dataplane_core::tolerance::{Stage, Tolerance, Verdict, exceeded};

use super::prepare::{self, BadRow, Prepared, PreparedRow};
use crate::task::{Converters, read_clocks};

/// The batches of one poll that are not sent yet.
#[derive(Default)]
pub(super) struct Outbox {
    polled: VecDeque<SourceBatch>,
    current: Option<Current>,
    /// Records of this poll in batches before the current one.
    before: usize,
}

/// The batch at hand.
struct Current {
    positions: Vec<SourcePosition>,
    partition: Option<i32>,
    transformed: VecDeque<SinkBatch>,
    prepared: Option<Prepared>,
    /// Next row of `prepared`.
    cursor: usize,
    /// Rows left out that were not told yet.
    skipped: BTreeSet<usize>,
    failed: Option<(usize, ConnectError)>,
}

/// What comes next.
pub(super) enum Step {
    /// Everything of this poll was sent or left out.
    Finished,
    /// [`Outbox::record`] is to be sent.
    Ready,
    /// A record was left out; its number within this poll.
    Skipped(usize, SourcePosition),
    /// A converter waits for its network.
    Waiting,
}

/// A record that is to be sent.
pub(super) struct Next<'a> {
    pub(super) prepared: &'a Prepared,
    pub(super) row: &'a PreparedRow,
    pub(super) partition: Option<i32>,
    pub(super) position: &'a SourcePosition,
    /// Number within this poll.
    pub(super) number: usize,
}

/// How bad records are judged and logged.
pub(super) struct Judge<'a> {
    pub(super) task: &'a str,
    pub(super) tolerance: Tolerance,
    /// `errors.log.enable`.
    pub(super) log: bool,
    pub(super) errors: &'a ErrorCounters,
}

impl Judge<'_> {
    /// The line that Java's reporter writes for a record that failed.
    pub(super) fn report(&self, stage: &str, class: &str, error: &ConnectError) {
        if self.log {
            ErrorCounters::count(&self.errors.errors_logged);
            tracing::error!(
                error = error.trace().trim_end(),
                "Error encountered in task {}. Executing stage '{stage}' with class '{class}'.",
                self.task
            );
        }
    }

    /// A record failed.
    pub(super) fn count(&self, verdict: Verdict) {
        if verdict != Verdict::Broken {
            self.errors.failed(read_clocks().wall_ms);
            ErrorCounters::count(&self.errors.record_errors);
        }
        if verdict == Verdict::Skip {
            ErrorCounters::count(&self.errors.records_skipped);
        }
    }

    /// `Ok` when the record is left out.
    fn judge(&self, stage: Stage, class: &str, error: ConnectError) -> Result<(), ConnectError> {
        let verdict = self.tolerance.judge(&error);
        self.count(verdict);
        match verdict {
            Verdict::Broken => Err(error),
            Verdict::Fail => {
                self.report(stage.as_str(), class, &error);
                Err(exceeded(error))
            }
            Verdict::Skip => {
                self.report(stage.as_str(), class, &error);
                Ok(())
            }
        }
    }
}

impl Outbox {
    /// The batches of a new poll; the ones before must be finished.
    pub(super) fn fill(&mut self, polled: Vec<SourceBatch>) {
        assert!(self.is_empty(), "a task was polled before its records were sent");
        self.polled = polled.into();
        self.before = 0;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.polled.is_empty() && self.current.is_none()
    }

    /// Works towards the next record.
    ///
    /// # Errors
    /// The failure of a record that is not tolerated, when its turn has come.
    pub(super) fn step(
        &mut self,
        converters: &mut Converters,
        judge: &Judge<'_>,
    ) -> Result<Step, ConnectError> {
        loop {
            if self.current.is_none() {
                let Some(batch) = self.polled.pop_front() else { return Ok(Step::Finished) };
                self.current = Some(Current::start(converters, batch, judge)?);
            }
            let current = self.current.as_mut().expect("it was just made");
            match current.step(converters, judge)? {
                Some(Step::Skipped(row, position)) => return Ok(Step::Skipped(self.before + row, position)),
                Some(step) => return Ok(step),
                None => {
                    self.before += current.positions.len();
                    self.current = None;
                }
            }
        }
    }

    /// The record that [`Step::Ready`] is about.
    pub(super) fn record(&self) -> Next<'_> {
        let current = self.current.as_ref().expect("a record is ready");
        let prepared = current.prepared.as_ref().expect("a record is ready");
        let row = &prepared.rows[current.cursor];
        let position = &current.positions[row.row];
        Next { prepared, row, partition: current.partition, position, number: self.before + row.row }
    }

    /// The record that was ready is sent.
    pub(super) fn sent(&mut self) {
        let current = self.current.as_mut().expect("a record was ready");
        current.cursor += 1;
    }
}

impl Current {
    fn start(
        converters: &mut Converters,
        mut batch: SourceBatch,
        judge: &Judge<'_>,
    ) -> Result<Self, ConnectError> {
        batch.assert_consistent();
        // Positions stay here; the transforms see row numbers.
        let (positions, partition) = (std::mem::take(&mut batch.positions), batch.partition);
        let transformed = prepare::transform(converters, batch)?;
        let mut current = Self {
            positions,
            partition,
            transformed: transformed.batches.into(),
            prepared: None,
            cursor: 0,
            skipped: transformed.dropped.into_iter().collect(),
            failed: None,
        };
        current.judge_all(transformed.bad, judge);
        Ok(current)
    }

    fn judge_all(&mut self, bad: Vec<BadRow>, judge: &Judge<'_>) {
        for BadRow { row, stage, class, error } in bad {
            match judge.judge(stage, class, error) {
                Ok(()) => drop(self.skipped.insert(row)),
                Err(error) => {
                    if self.failed.as_ref().is_none_or(|(known, _)| row < *known) {
                        self.failed = Some((row, error));
                    }
                }
            }
        }
    }

    /// `None` when the batch is done.
    fn step(&mut self, converters: &mut Converters, judge: &Judge<'_>) -> Result<Option<Step>, ConnectError> {
        loop {
            let next = self.prepared.as_ref().and_then(|prepared| prepared.rows.get(self.cursor));
            let next = next.map(|row| row.row);
            if next.is_none()
                && let Some(batch) = self.transformed.front()
            {
                if prepare::poll_ready(converters, batch)?.is_pending() {
                    return Ok(Some(Step::Waiting));
                }
                let (prepared, bad) = prepare::encode(converters, batch)?;
                self.transformed.pop_front();
                (self.prepared, self.cursor) = (Some(prepared), 0);
                self.judge_all(bad, judge);
                continue;
            }
            let skipped = self.skipped.first().copied();
            let first = [next, skipped].into_iter().flatten().min();
            if let Some((failed, _)) = &self.failed
                && first.is_none_or(|first| first > *failed)
            {
                let (_, error) = self.failed.take().expect("it was just seen");
                return Err(error);
            }
            return Ok(match (first, skipped) {
                (Some(first), Some(skipped)) if first == skipped => {
                    self.skipped.pop_first();
                    Some(Step::Skipped(skipped, self.positions[skipped].clone()))
                }
                (Some(_), _) => Some(Step::Ready),
                (None, _) => None,
            });
        }
    }
}
