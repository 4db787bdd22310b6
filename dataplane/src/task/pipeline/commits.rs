//! Positions and decided cuts on their way to the group's coordinator, and its answers.
//!
//! Order of the durable steps of a decided cut (decision 0009): the sink decides; the old position is
//! committed again with the cut; the coordinator acknowledges; the sink completes the files; their end is
//! durable; it is committed.

use std::time::Instant;

use lakeward_api::metrics::CommitOutcome;
use lakeward_api::record::{CommittedPosition, Position};
use lakeward_api::{ConnectError, failpoint};
use lakeward_dataplane_core::ledger::FailedCommit;
use lakeward_dataplane_core::tolerance::unrecoverable;
use lakeward_kafka::consumer::CommitFailure;

use super::Pipeline;

impl Pipeline {
    /// Takes the cuts that the sink decided: the next commit tells them.
    pub(super) fn take_decisions(&mut self) -> Result<(), ConnectError> {
        let mut decisions = std::mem::take(&mut self.decisions);
        self.task.take_decisions(&mut decisions);
        for decision in decisions.drain(..) {
            if !self.ledger.decide(decision) {
                return Err(rejoin());
            }
            failpoint!("sink.decision.before_send");
        }
        self.decisions = decisions;
        Ok(())
    }

    pub(super) fn collect_durable(&mut self, now: Instant) -> bool {
        self.task.take_durable(&mut self.durable);
        for position in &self.durable {
            self.ledger.durable(position, now);
        }
        let has_progress = !self.durable.is_empty();
        self.durable.clear();
        has_progress
    }

    /// Sends what is due.
    pub(super) fn commit_due(&mut self, now: Instant) -> Result<(), ConnectError> {
        let commits = self.ledger.take_due(now);
        if commits.is_empty() {
            return Ok(());
        }
        self.meter.commit_began(now);
        Ok(self.consumer.commit(&commits)?)
    }

    /// A commit was answered: tells the sink which cuts it may complete.
    pub(super) fn commit_answered(
        &mut self,
        accepted: &[CommittedPosition],
        failure: Option<CommitFailure>,
        now: Instant,
    ) -> Result<(), ConnectError> {
        let outcome = if failure.is_some() { CommitOutcome::Failed } else { CommitOutcome::Stored };
        let positions: Vec<Position> = accepted.iter().map(|commit| commit.position.clone()).collect();
        self.meter.commit_ended(&positions, outcome, now);
        for commit in accepted {
            if let Some(end) = self.ledger.committed(commit, now) {
                failpoint!("sink.decision.after_ack");
                self.task.decided(&commit.position.partition, end).map_err(unrecoverable)?;
            }
        }
        let Some(failure) = failure else { return Ok(()) };
        if failure.is_final {
            return Err(ConnectError::config(format!(
                "Offsets cannot be committed: {}. Decided cuts are metadata of offsets, up to 3 KiB: set \
                 offset.metadata.max.bytes of the brokers to 4096 or more",
                failure.reason
            )));
        }
        tracing::warn!(task = %self.id, reason = %failure.reason, "commit of offsets failed; it is repeated");
        if self.ledger.commit_failed(outcome_of(&failure), now) { Ok(()) } else { Err(rejoin()) }
    }
}

/// What a failure means to the ledger.
pub(super) fn outcome_of(failure: &CommitFailure) -> FailedCommit {
    if failure.is_unknown { FailedCommit::Unknown } else { FailedCommit::Refused }
}

fn rejoin() -> ConnectError {
    ConnectError::retriable(
        "The outcome of a commit of offsets is unknown: the group is joined again before further cuts are \
         decided",
    )
}
