//! What a poll brought, step by step on its way to the producer, in the order of the records.
//!
//! Records that a transform dropped, or whose failure is tolerated, come up in their turn as left out. A
//! failure that is not tolerated ends the task when everything before it was sent, as in Java. A record whose
//! failure may heal is tried again after a pause, with the records behind it; those before it are sent.

mod current;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Instant;

use lakeward_api::ConnectError;
use lakeward_api::batch::SinkBatch;
use lakeward_api::config::ConfigMap;
use lakeward_api::source::{SourceBatch, SourcePosition};
use lakeward_dataplane_core::retry::{RetryPolicy, RetryTracker};

use super::judge::Judge;
use super::prepare::{Prepared, PreparedRow};
use crate::task::Converters;
use current::Current;

/// The batches of one poll that are not sent yet.
pub(super) struct Outbox {
    polled: VecDeque<SourceBatch>,
    current: Option<Current>,
    /// Records of this poll in batches before the current one.
    before: usize,
    retries: Option<RetryTracker>,
}

/// What comes next.
pub(super) enum Step {
    /// Everything of this poll was sent or left out.
    Finished,
    /// [`Outbox::record`] is to be sent.
    Ready,
    /// The next record is tried again at this time.
    Retry(Instant),
    /// A record was left out; its number within this poll.
    Skipped(usize, SourcePosition),
    /// A converter waits for its network.
    Waiting,
}

/// A record that is to be sent.
pub(super) struct Next<'a> {
    pub(super) prepared: &'a Prepared,
    pub(super) row: &'a PreparedRow,
    pub(super) position: &'a SourcePosition,
    /// Number within this poll.
    pub(super) number: usize,
    polled: Option<&'a Rc<SinkBatch>>,
}

impl Next<'_> {
    /// What was polled with it, when that is kept, and its row there.
    pub(super) fn origin(&self) -> Option<(Rc<SinkBatch>, usize)> {
        self.polled.map(|polled| (Rc::clone(polled), self.row.row))
    }
}

impl Outbox {
    /// Nothing to send yet; retries are those of `config`.
    pub(super) fn new(config: &ConfigMap) -> Self {
        let policy = RetryPolicy::from_config(config);
        Self {
            polled: VecDeque::new(),
            current: None,
            before: 0,
            retries: (!policy.is_never()).then(|| RetryTracker::new(policy)),
        }
    }

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
    /// A failed record that is not tolerated, after everything before it; what fails every record.
    pub(super) fn step(
        &mut self,
        converters: &mut Converters,
        judge: &mut Judge,
        now: Instant,
    ) -> Result<Step, ConnectError> {
        loop {
            if self.current.is_none() {
                let Some(batch) = self.polled.pop_front() else { return Ok(Step::Finished) };
                let keep = self.retries.is_some() || judge.needs_records();
                self.current = Some(Current::new(batch, keep, &mut self.retries, now));
            }
            let current = self.current.as_mut().expect("it was just made");
            match current.step(converters, &mut self.retries, judge, now)? {
                Some(Step::Skipped(row, position)) => return Ok(Step::Skipped(self.before + row, position)),
                Some(step) => return Ok(step),
                None => {
                    self.before += current.rows();
                    self.current = None;
                }
            }
        }
    }

    /// The record that [`Step::Ready`] is about.
    pub(super) fn record(&self) -> Next<'_> {
        let current = self.current.as_ref().expect("a record is ready");
        current.record(self.before).expect("a record is ready")
    }

    /// The record that was ready is sent.
    pub(super) fn sent(&mut self) {
        self.current.as_mut().expect("a record was ready").sent();
    }
}
