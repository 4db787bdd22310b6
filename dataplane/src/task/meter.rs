//! What a sink task did, for its metrics: a few stores per batch, nothing per record.
//!
//! Owns how far each partition is consumed and committed.
//!
//! Source: `WorkerSinkTask.SinkTaskMetricsGroup`, Kafka 4.1.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use lakeward_api::metrics::{CommitOutcome, SinkMetrics, TaskMetrics, ms_of};
use lakeward_api::record::{Position, TopicPartition};
use lakeward_dataplane_core::ledger::PositionLedger;

/// Counts for one pipeline.
pub(super) struct SinkMeter {
    metrics: Arc<TaskMetrics>,
    reach: HashMap<TopicPartition, Reach>,
    /// Records between what is committed and what is consumed, over all partitions.
    active: i64,
    commit_began: Option<Instant>,
}

/// Positions of a partition.
struct Reach {
    committed: i64,
    consumed: i64,
}

impl SinkMeter {
    /// Nothing is assigned yet.
    pub(super) fn new(metrics: &Arc<TaskMetrics>) -> Self {
        let meter =
            Self { metrics: Arc::clone(metrics), reach: HashMap::new(), active: 0, commit_began: None };
        if let Some(sink) = &meter.metrics.sink {
            sink.partitions.store(0, Ordering::Relaxed);
        }
        meter.show_active(Instant::now());
        meter
    }

    fn sink(&self) -> Option<&SinkMetrics> {
        self.metrics.sink.as_ref()
    }

    /// The assignment changed.
    pub(super) fn assigned(&mut self, ledger: &PositionLedger, now: Instant) {
        let active = &mut self.active;
        self.reach.retain(|partition, reach| {
            let stays = ledger.is_assigned(partition);
            if !stays {
                *active -= reach.consumed - reach.committed;
            }
            stays
        });
        if let Some(sink) = self.sink() {
            sink.partitions.store(ledger.partition_count() as u64, Ordering::Relaxed);
        }
        self.show_active(now);
    }

    /// `records` of `partition` were taken, from `first` up to `next`.
    pub(super) fn read(&mut self, partition: &TopicPartition, first: i64, next: i64, records: usize) {
        let now = Instant::now();
        match self.reach.get_mut(partition) {
            Some(reach) => {
                self.active += next - reach.consumed;
                reach.consumed = next;
            }
            None => {
                self.reach.insert(partition.clone(), Reach { committed: first, consumed: next });
                self.active += next - first;
            }
        }
        if let Some(sink) = self.sink() {
            sink.read.add(records as u64, ms_of(now));
        }
        self.show_active(now);
    }

    /// The sink took a batch.
    pub(super) fn put(&self, records: usize, took: Duration, now: Instant) {
        self.metrics.put(records, took, now);
    }

    /// A commit is on its way.
    pub(super) fn commit_began(&mut self, now: Instant) {
        self.commit_began.get_or_insert(now);
        if let Some(sink) = self.sink() {
            sink.commit_seq_no.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A commit was answered.
    pub(super) fn commit_ended(&mut self, positions: &[Position], outcome: CommitOutcome, now: Instant) {
        let took = self.commit_began.take().map(|began| now.saturating_duration_since(began));
        self.metrics.commit_ended(outcome, took, now);
        if outcome == CommitOutcome::Failed {
            return;
        }
        for Position { partition, next_offset } in positions {
            if let Some(reach) = self.reach.get_mut(partition) {
                let committed = (*next_offset).clamp(reach.committed, reach.consumed);
                self.active -= committed - reach.committed;
                reach.committed = committed;
            }
        }
        self.show_active(now);
    }

    fn show_active(&self, now: Instant) {
        if let Some(sink) = self.sink() {
            sink.set_active(u64::try_from(self.active).unwrap_or(0), ms_of(now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn active_records_are_those_consumed_and_not_committed() {
        let metrics = Arc::new(TaskMetrics::default());
        let active = || metrics.sink.as_ref().unwrap().active.load(Ordering::Relaxed);
        let mut meter = SinkMeter::new(&metrics);
        let mut ledger = PositionLedger::new(Duration::from_secs(1));
        let partitions = [TopicPartition::new("t", 0), TopicPartition::new("t", 1)];
        let now = Instant::now();
        ledger.open(&partitions);
        meter.assigned(&ledger, now);
        meter.read(&partitions[0], 100, 110, 10);
        meter.read(&partitions[1], 7, 12, 5);
        meter.read(&partitions[0], 110, 115, 5);
        assert_eq!(active(), 20);
        meter.commit_began(now);
        let committed = Position { partition: partitions[0].clone(), next_offset: 112 };
        meter.commit_ended(&[committed], CommitOutcome::Stored, now + Duration::from_millis(40));
        assert_eq!(active(), 8);
        ledger.close(&partitions[..1]);
        meter.assigned(&ledger, now);
        let sink = metrics.sink.as_ref().unwrap();
        assert_eq!((active(), sink.partitions.load(Ordering::Relaxed), sink.read.total()), (5, 1, 20));
        assert_eq!(sink.commit_seq_no.load(Ordering::Relaxed), 1);
        assert_eq!(metrics.commit_time.max(ms_of(now + Duration::from_millis(40))), 40.0);
    }
}
