//! At-least-once delivery: acknowledged offsets to the store, every `offset.flush.interval.ms` and at the
//! end.
//!
//! A flush that fails or takes too long is logged, and its offsets are written with the next one; the task
//! does not fail. Source: `WorkerSourceTask#commitOffsets`, `SourceTaskOffsetCommitter`, Kafka 4.1.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lakeward_api::metrics::CommitOutcome;
use lakeward_api::source::SourceMap;
use lakeward_dataplane_core::source_ledger::SourceLedger;

use super::bridged::Answer;
use super::pipeline::{Delivery, Pipeline};
use crate::task::wake_or_timeout;

/// When acknowledged offsets are written.
pub(super) struct Commits {
    pub(super) ledger: SourceLedger<SourceMap>,
    interval: Duration,
    timeout: Duration,
    due: Instant,
    /// The last flush failed: many offsets are no reason to hurry.
    has_failed: bool,
    flush: Option<Flush>,
}

struct Flush {
    answer: Answer<()>,
    began: Instant,
    deadline: Instant,
}

impl Commits {
    /// The first commit is due after one interval.
    pub(super) fn new(interval: Duration, timeout: Duration) -> Self {
        Self {
            ledger: SourceLedger::default(),
            interval,
            timeout,
            due: Instant::now() + interval,
            has_failed: false,
            flush: None,
        }
    }

    /// When the pipeline has to look at commits again, at the latest.
    pub(super) fn next_turn(&self) -> Instant {
        self.flush.as_ref().map_or(self.due, |flush| flush.deadline)
    }
}

impl Pipeline {
    /// Takes the next step of committing, if it is time.
    pub(super) fn commit_due(&mut self, now: Instant) {
        let Delivery::AtLeastOnce(commits) = &mut self.delivery else { return };
        for (lane, offset) in commits.ledger.collect() {
            self.offsets.advance(lane, offset);
        }
        let are_many = !commits.has_failed && self.offsets.are_many();
        if commits.flush.is_some() {
            self.advance_flush(now);
        } else if now >= commits.due || are_many {
            self.begin_flush(now);
        }
    }

    fn begin_flush(&mut self, now: Instant) {
        let Delivery::AtLeastOnce(commits) = &mut self.delivery else { return };
        for (lane, offset) in commits.ledger.collect() {
            self.offsets.advance(lane, offset);
        }
        match self.offsets.begin_flush() {
            Ok(Some(entries)) => {
                let store = Arc::clone(&self.store);
                let answer = self.bridged.start(async move { store.write(entries).await });
                commits.flush = Some(Flush { answer, began: now, deadline: now + commits.timeout });
            }
            Ok(None) => {
                commits.due = now + commits.interval;
                self.metrics.commit_ended(CommitOutcome::Stored, Some(Duration::ZERO), now);
                self.committed();
            }
            Err(err) => {
                commits.due = now + commits.interval;
                commits.has_failed = true;
                let error = err.trace();
                tracing::error!(
                    task = %self.id, error = error.trim_end(),
                    "offsets cannot be stored; repair the connector, or its records come again"
                );
            }
        }
    }

    fn advance_flush(&mut self, now: Instant) {
        let Delivery::AtLeastOnce(commits) = &mut self.delivery else { return };
        let Some(flush) = &mut commits.flush else { return };
        let answer = flush.answer.take();
        if answer.is_none() && now < flush.deadline {
            return;
        }
        let took = now.saturating_duration_since(flush.began);
        let outcome = match answer {
            Some(Ok(())) => CommitOutcome::Stored,
            _ => CommitOutcome::Failed,
        };
        self.metrics.commit_ended(outcome, Some(took), now);
        commits.flush = None;
        commits.has_failed = outcome == CommitOutcome::Failed;
        commits.due = now + commits.interval;
        match answer {
            Some(Ok(())) => {
                self.offsets.flushed(|lane| commits.ledger.is_idle(lane));
                self.committed();
            }
            Some(Err(err)) => {
                self.offsets.flush_failed();
                tracing::error!(
                    task = %self.id, error = err.trace().trim_end(), "offsets were not stored; trying again"
                );
            }
            None => {
                self.offsets.flush_failed();
                let timeout_ms = commits.timeout.as_millis();
                tracing::error!(
                    task = %self.id, timeout_ms, "timed out while storing offsets; they are tried again"
                );
            }
        }
    }

    /// The task hears that offsets were stored, or that there were none.
    pub(super) fn committed(&mut self) {
        if let Err(err) = self.task.committed() {
            tracing::error!(task = %self.id, error = err.trace().trim_end(), "committed of the task failed");
        }
    }

    /// Waits for acknowledgements, then writes what is left; each at most `offset.flush.timeout.ms`. Stops
    /// early when the task is abandoned.
    pub(super) async fn final_commit(&mut self) {
        let Delivery::AtLeastOnce(commits) = &self.delivery else { return };
        let deadline = Instant::now() + commits.timeout;
        loop {
            self.take_reports();
            let Delivery::AtLeastOnce(commits) = &self.delivery else { return };
            let left = deadline.saturating_duration_since(Instant::now());
            // A record that the producer gave up is never acknowledged.
            if commits.ledger.unacked() == 0 || self.failure.is_some() || left.is_zero() {
                break;
            }
            if self.control.is_abandoned() {
                return;
            }
            wake_or_timeout(&self.wakes, left).await;
        }
        if !self.wait_for_flush().await {
            return;
        }
        self.begin_flush(Instant::now());
        self.wait_for_flush().await;
    }

    /// False when the task was abandoned.
    async fn wait_for_flush(&mut self) -> bool {
        loop {
            self.advance_flush(Instant::now());
            if self.control.is_abandoned() {
                return false;
            }
            let Delivery::AtLeastOnce(commits) = &self.delivery else { return true };
            let Some(flush) = &commits.flush else { return true };
            let left = flush.deadline.saturating_duration_since(Instant::now());
            wake_or_timeout(&self.wakes, left.max(Duration::from_millis(1))).await;
        }
    }
}
