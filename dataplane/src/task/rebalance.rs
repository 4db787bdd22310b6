//! Partitions coming and going.
//!
//! revoke = stop taking → let complete files finish, wait for reports → commit what is durable → let go; past
//! the deadline what is not durable is dropped and read again by the next owner. What is open is parked for
//! that owner where tasks hand it over. lost = drop at once, commit nothing.

use std::time::Instant;

use lakeward_api::ConnectError;
use lakeward_api::failpoint;
use lakeward_api::record::{CommittedPosition, TopicPartition};
use lakeward_api::sink::SinkTask;
use lakeward_dataplane_core::ledger::PositionLedger;
use lakeward_kafka::consumer::SinkConsumer;

use super::handover::{Handover, Kept};

/// Partitions on their way out.
pub(super) struct Revocation {
    partitions: Vec<TopicPartition>,
    deadline: Instant,
    /// The last commit: it is not repeated when it failed.
    sent: Vec<CommittedPosition>,
    /// What the next owner may go on with.
    open: Vec<(TopicPartition, Kept)>,
}

impl Revocation {
    /// Stops work on `partitions`; they are let go by [`Revocation::advance`], at `deadline` at the latest.
    pub(super) fn begin(partitions: Vec<TopicPartition>, task: &mut dyn SinkTask, deadline: Instant) -> Self {
        task.close(&partitions);
        Self::after_failure(partitions, deadline)
    }

    /// The same; what is open is parked when `partitions` are let go.
    pub(super) fn begin_handover(
        partitions: Vec<TopicPartition>,
        task: &mut dyn SinkTask,
        ledger: &mut PositionLedger,
        handover: &Handover,
        deadline: Instant,
    ) -> Self {
        let mut open = Vec::new();
        for partition in &partitions {
            if let Some(state) = task.part_with(partition) {
                ledger.anchor(partition);
                open.push((partition.clone(), handover.keep(state)));
            }
        }
        Self { open, ..Self::begin(partitions, task, deadline) }
    }

    /// Lets `partitions` of a failed task go by `deadline`: its sink is not asked for anything any more.
    pub(super) fn after_failure(partitions: Vec<TopicPartition>, deadline: Instant) -> Self {
        Self { partitions, deadline, sent: Vec::new(), open: Vec::new() }
    }

    /// The task failed: nobody goes on with what it had open.
    pub(super) fn drop_open(&mut self) {
        self.open.clear();
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
        handover: Option<&Handover>,
        now: Instant,
    ) -> Result<bool, ConnectError> {
        let is_late = now >= self.deadline;
        let is_settled = task.is_none_or(|task| task.is_settled(&self.partitions));
        if !is_late && (!is_settled || ledger.is_held(&self.partitions) || self.waits_for_reports(ledger)) {
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
        if let Some(handover) = handover {
            self.park(ledger, handover);
        }
        ledger.close(&self.partitions);
        consumer.confirm_revoked(&self.partitions)?;
        Ok(true)
    }

    /// The next owner commits positions beyond records that are being reported here.
    fn waits_for_reports(&self, ledger: &PositionLedger) -> bool {
        self.open.iter().any(|(partition, _)| ledger.is_reporting(std::slice::from_ref(partition)))
    }

    fn park(&mut self, ledger: &PositionLedger, handover: &Handover) {
        for (partition, kept) in self.open.drain(..) {
            let begin = kept.since().or_else(|| ledger.begin(&partition));
            if let Some(from) = begin.filter(|_| !ledger.is_reporting(std::slice::from_ref(&partition))) {
                failpoint!("sink.handover.before_park");
                handover.park(&partition, from, kept);
                failpoint!("sink.handover.after_park");
            }
        }
    }
}
