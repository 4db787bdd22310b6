//! The end of a failed task: what is durable is committed and the group is left, so that other members go on
//! at once instead of waiting for the session's end.
//!
//! Source: `WorkerSinkTask#execute` (`finally closeAllPartitions`), Kafka 4.1. The sink gets no further call.

use std::time::Instant;

use lakeward_api::ConnectError;
use lakeward_kafka::consumer::ConsumerEvent;

use super::commits::outcome_of;
use super::{Pipeline, TURN_INTERVAL, TURN_MESSAGES_MAX, wake_or_timeout};
use crate::task::rebalance::Revocation;

impl Pipeline {
    /// Leaves the group, within `task.shutdown.graceful.timeout.ms`. A failure here is only worth a line: the
    /// task has failed already.
    pub(in crate::task) async fn leave(&mut self) {
        self.backlog.clear();
        if !self.was_assigned {
            return;
        }
        if let Err(err) = self.try_leave().await {
            tracing::warn!(task = %self.id, error = %err, "the group of a failed task was not left");
        }
    }

    async fn try_leave(&mut self) -> Result<(), ConnectError> {
        let deadline = Instant::now() + self.revoke_wait;
        self.consumer.begin_close()?;
        self.give_openings_back()?;
        // Revocations that had begun go on without the sink.
        self.revocations.iter_mut().for_each(Revocation::drop_open);
        while !self.consumer.is_closed() && !self.control.is_abandoned() {
            let now = Instant::now();
            if now >= deadline {
                tracing::warn!(task = %self.id, "the group of a failed task was not left in time");
                return Ok(());
            }
            let batch = self.consumer.take(TURN_MESSAGES_MAX);
            for event in self.consumer.events(&batch) {
                self.react_while_leaving(event, deadline)?;
            }
            self.reporter.turn(&mut self.ledger, now);
            let mut index = 0;
            while index < self.revocations.len() {
                if self.revocations[index].advance(None, &mut self.ledger, &self.consumer, None, now)? {
                    self.revocations.swap_remove(index);
                } else {
                    index += 1;
                }
            }
            if batch.is_empty() && !self.consumer.is_closed() {
                wake_or_timeout(&self.wakes, TURN_INTERVAL.min(deadline - now)).await;
            }
        }
        Ok(())
    }

    fn react_while_leaving(&mut self, event: ConsumerEvent, deadline: Instant) -> Result<(), ConnectError> {
        match event {
            // Nobody works on it: it goes back with the rest.
            ConsumerEvent::Assigned(partitions) => {
                self.ledger.open(&partitions);
                self.consumer.confirm_assigned(&partitions)?;
            }
            ConsumerEvent::Committed { accepted, failure } => {
                let now = Instant::now();
                for commit in &accepted {
                    self.ledger.committed(commit, now);
                }
                if let Some(failure) = failure {
                    let reason = &failure.reason;
                    tracing::warn!(task = %self.id, %reason, "the last commit of a failed task failed");
                    self.ledger.commit_failed(outcome_of(&failure), now);
                }
            }
            ConsumerEvent::Disconnected { .. }
            | ConsumerEvent::OutOfRange { .. }
            | ConsumerEvent::Stopped { .. } => {}
            ConsumerEvent::Lost(partitions) => {
                self.ledger.close(&partitions);
                self.reporter.forget(&partitions);
                self.revocations
                    .retain(|revocation| !partitions.iter().any(|lost| revocation.includes(lost)));
                self.consumer.confirm_revoked(&partitions)?;
            }
            ConsumerEvent::Revoked(partitions) => {
                self.ledger.withdraw(&partitions);
                self.revocations.push(Revocation::after_failure(partitions, deadline));
            }
        }
        Ok(())
    }
}
