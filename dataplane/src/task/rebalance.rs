//! Partitions coming and going.
//!
//! revoke = stop taking → let complete files finish, wait for reports → commit what is durable → let go; past
//! the deadline what is not durable is dropped and read again by the next owner. lost = drop at once, commit
//! nothing.

use std::time::{Duration, Instant};

use lakeward_api::ConnectError;
use lakeward_api::record::{CommittedPosition, TopicPartition};
use lakeward_api::sink::SinkTask;
use lakeward_dataplane_core::ledger::PositionLedger;
use lakeward_kafka::consumer::SinkConsumer;

/// Partitions on their way out.
pub(super) struct Revocation {
    partitions: Vec<TopicPartition>,
    deadline: Instant,
    /// The last commit: it is not repeated when it failed.
    sent: Vec<CommittedPosition>,
}

impl Revocation {
    /// Stops work on `partitions`; they are let go by [`Revocation::advance`].
    pub(super) fn begin(
        partitions: Vec<TopicPartition>,
        task: &mut dyn SinkTask,
        now: Instant,
        wait: Duration,
    ) -> Self {
        task.close(&partitions);
        Self::after_failure(partitions, now + wait)
    }

    /// Lets `partitions` of a failed task go by `deadline`: its sink is not asked for anything any more.
    pub(super) fn after_failure(partitions: Vec<TopicPartition>, deadline: Instant) -> Self {
        Self { partitions, deadline, sent: Vec::new() }
    }

    /// True when `partition` is on its way out.
    pub(super) fn includes(&self, partition: &TopicPartition) -> bool {
        self.partitions.contains(partition)
    }

    /// Takes the next step; `true` when the partitions were let go.
    pub(super) fn advance(
        &mut self,
        task: Option<&dyn SinkTask>,
        ledger: &mut PositionLedger,
        consumer: &SinkConsumer,
        now: Instant,
    ) -> Result<bool, ConnectError> {
        let is_late = now >= self.deadline;
        let is_settled = task.is_none_or(|task| task.is_settled(&self.partitions));
        if !is_late && (!is_settled || ledger.is_held(&self.partitions)) {
            return Ok(false);
        }
        let commits = ledger.take_for(&self.partitions);
        if !commits.is_empty() && commits != self.sent {
            consumer.commit(&commits)?;
            self.sent = commits;
        } else if !commits.is_empty() {
            ledger.close(&self.partitions);
        }
        if !is_late && ledger.is_committing(&self.partitions) {
            return Ok(false);
        }
        if is_late {
            tracing::warn!(
                partitions = self.partitions.len(),
                "partitions are given up before their files were complete; the next owner reads them again"
            );
        }
        ledger.close(&self.partitions);
        consumer.confirm_revoked(&self.partitions)?;
        Ok(true)
    }
}
