//! Positions per topic-partition: `durable ≥ committed`, each monotone within an assignment.
//!
//! Only durable positions are ever committed, and none beyond a record whose report was not acknowledged. All
//! assertions stay on in release: a position that moves backwards would lose or repeat records.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use lakeward_api::record::{Position, TopicPartition};

/// What is known about one assigned partition.
#[derive(Debug, Default)]
struct Entry {
    durable: Option<i64>,
    committed: Option<i64>,
    in_commit: Option<i64>,
    /// Offsets of records whose reports were not acknowledged yet, and how many reports each has.
    reports: BTreeMap<i64, usize>,
}

impl Entry {
    /// True when a record below `position` waits for its report.
    fn is_held(&self, position: i64) -> bool {
        self.reports.first_key_value().is_some_and(|(offset, _)| *offset < position)
    }
}

/// The positions of a task's assigned partitions, and when they are committed.
#[derive(Debug)]
pub struct PositionLedger {
    entries: HashMap<TopicPartition, Entry>,
    commit_interval: Duration,
    commit_due: Option<Instant>,
}

impl PositionLedger {
    /// A ledger that lets `commit_interval` pass between commits.
    pub fn new(commit_interval: Duration) -> Self {
        Self { entries: HashMap::new(), commit_interval, commit_due: None }
    }

    /// Partitions were assigned: nothing is known about them yet.
    pub fn open(&mut self, partitions: &[TopicPartition]) {
        for partition in partitions {
            let before = self.entries.insert(partition.clone(), Entry::default());
            assert!(before.is_none(), "{partition} was assigned twice");
        }
    }

    /// Partitions are gone; late answers about them are ignored.
    pub fn close(&mut self, partitions: &[TopicPartition]) {
        for partition in partitions {
            self.entries.remove(partition);
        }
    }

    /// Assigned partitions, in no order.
    pub fn assigned(&self) -> Vec<TopicPartition> {
        self.entries.keys().cloned().collect()
    }

    /// How many partitions are assigned.
    pub fn partition_count(&self) -> usize {
        self.entries.len()
    }

    /// True when `partition` is assigned.
    pub fn is_assigned(&self, partition: &TopicPartition) -> bool {
        self.entries.contains_key(partition)
    }

    /// Everything below `position` is stored for good.
    pub fn durable(&mut self, position: &Position, now: Instant) {
        let Some(entry) = self.entries.get_mut(&position.partition) else { return };
        assert!(
            entry.durable.is_none_or(|before| before <= position.next_offset),
            "durable position of {} moved backwards",
            position.partition
        );
        entry.durable = Some(position.next_offset);
        self.commit_due.get_or_insert(now + self.commit_interval);
    }

    /// The record at `offset` is being reported: no position beyond it is committed until
    /// [`PositionLedger::report_ended`].
    pub fn report_began(&mut self, partition: &TopicPartition, offset: i64) {
        let Some(entry) = self.entries.get_mut(partition) else { return };
        *entry.reports.entry(offset).or_default() += 1;
    }

    /// A report was acknowledged, or failed for good.
    pub fn report_ended(&mut self, partition: &TopicPartition, offset: i64, now: Instant) {
        let Some(entry) = self.entries.get_mut(partition) else { return };
        if let Some(count) = entry.reports.get_mut(&offset) {
            *count -= 1;
            if *count == 0 {
                entry.reports.remove(&offset);
            }
        }
        if entry.durable != entry.committed && entry.reports.is_empty() {
            self.commit_due.get_or_insert(now);
        }
    }

    /// True while a durable position of one of `partitions` waits for reports.
    pub fn is_held(&self, partitions: &[TopicPartition]) -> bool {
        let entries = partitions.iter().filter_map(|partition| self.entries.get(partition));
        entries.into_iter().any(|entry| entry.durable.is_some_and(|durable| entry.is_held(durable)))
    }

    /// The positions to commit now, if it is time; they count as in commit until answered.
    pub fn take_due(&mut self, now: Instant) -> Vec<Position> {
        if self.commit_due.is_none_or(|due| due > now) {
            return Vec::new();
        }
        self.commit_due = None;
        self.take_uncommitted(|_| true)
    }

    /// The uncommitted positions of `partitions`, regardless of the interval.
    pub fn take_for(&mut self, partitions: &[TopicPartition]) -> Vec<Position> {
        self.take_uncommitted(|partition| partitions.contains(partition))
    }

    fn take_uncommitted(&mut self, wanted: impl Fn(&TopicPartition) -> bool) -> Vec<Position> {
        let mut positions = Vec::new();
        for (partition, entry) in self.entries.iter_mut().filter(|(partition, _)| wanted(partition)) {
            let Some(durable) = entry.durable else { continue };
            if entry.is_held(durable) {
                continue;
            }
            if entry.committed != Some(durable) && entry.in_commit != Some(durable) {
                entry.in_commit = Some(durable);
                positions.push(Position { partition: partition.clone(), next_offset: durable });
            }
        }
        positions.sort_by(|left, right| left.partition.cmp(&right.partition));
        positions
    }

    /// The broker accepted a position.
    pub fn committed(&mut self, position: &Position) {
        let Some(entry) = self.entries.get_mut(&position.partition) else { return };
        // Nothing was durable since the partition was opened: the answer is about an earlier assignment.
        if entry.durable.is_none() {
            return;
        }
        assert!(
            entry.durable.is_some_and(|durable| durable >= position.next_offset),
            "{} was committed beyond what is durable",
            position.partition
        );
        entry.committed = entry.committed.max(Some(position.next_offset));
        if entry.in_commit == Some(position.next_offset) {
            entry.in_commit = None;
        }
    }

    /// A commit failed: its positions are tried again after the interval.
    pub fn commit_failed(&mut self, now: Instant) {
        for entry in self.entries.values_mut() {
            entry.in_commit = None;
        }
        self.commit_due = Some(now + self.commit_interval);
    }

    /// True while a commit of one of `partitions` waits for its answer.
    pub fn is_committing(&self, partitions: &[TopicPartition]) -> bool {
        partitions
            .iter()
            .any(|partition| self.entries.get(partition).is_some_and(|entry| entry.in_commit.is_some()))
    }

    /// When the next commit is due.
    pub fn commit_due(&self) -> Option<Instant> {
        self.commit_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(partition: i32, next_offset: i64) -> Position {
        Position { partition: TopicPartition::new("t", partition), next_offset }
    }

    fn opened() -> (PositionLedger, Instant) {
        let mut ledger = PositionLedger::new(Duration::from_secs(1));
        ledger.open(&[TopicPartition::new("t", 0), TopicPartition::new("t", 1)]);
        (ledger, Instant::now())
    }

    #[test]
    fn only_durable_positions_are_committed_once_and_after_the_interval() {
        let (mut ledger, now) = opened();
        ledger.durable(&at(0, 10), now);
        assert!(ledger.take_due(now).is_empty());
        let later = now + Duration::from_secs(1);
        assert_eq!(ledger.take_due(later), [at(0, 10)]);
        assert!(ledger.is_committing(&[TopicPartition::new("t", 0)]));
        assert!(ledger.take_for(&[TopicPartition::new("t", 0)]).is_empty());
        ledger.committed(&at(0, 10));
        assert!(!ledger.is_committing(&[TopicPartition::new("t", 0)]));
        assert!(ledger.take_for(&[TopicPartition::new("t", 0)]).is_empty());
    }

    #[test]
    fn a_failed_commit_is_tried_again() {
        let (mut ledger, now) = opened();
        ledger.durable(&at(1, 5), now);
        assert_eq!(ledger.take_for(&[TopicPartition::new("t", 1)]), [at(1, 5)]);
        ledger.commit_failed(now);
        assert_eq!(ledger.take_due(now + Duration::from_secs(1)), [at(1, 5)]);
    }

    #[test]
    fn answers_about_closed_partitions_are_ignored() {
        let (mut ledger, now) = opened();
        ledger.durable(&at(0, 10), now);
        ledger.close(&[TopicPartition::new("t", 0)]);
        ledger.committed(&at(0, 10));
        ledger.durable(&at(0, 3), now);
        assert!(ledger.take_due(now + Duration::from_secs(2)).is_empty());
    }

    #[test]
    fn a_late_answer_about_an_earlier_assignment_is_ignored() {
        let (mut ledger, now) = opened();
        let partition = TopicPartition::new("t", 0);
        ledger.durable(&at(0, 10), now);
        assert_eq!(ledger.take_for(std::slice::from_ref(&partition)), [at(0, 10)]);
        ledger.close(std::slice::from_ref(&partition));
        ledger.open(std::slice::from_ref(&partition));
        ledger.committed(&at(0, 10));
        ledger.durable(&at(0, 12), now);
        assert_eq!(ledger.take_for(&[partition]), [at(0, 12)]);
    }

    #[test]
    fn no_position_beyond_an_unacknowledged_report_is_committed() {
        let (mut ledger, now) = opened();
        let partition = TopicPartition::new("t", 0);
        let only = std::slice::from_ref(&partition);
        for offset in [4, 4, 7] {
            ledger.report_began(&partition, offset);
        }
        ledger.durable(&at(0, 4), now);
        assert_eq!(ledger.take_for(only), [at(0, 4)], "the reports are behind it");
        ledger.committed(&at(0, 4));
        ledger.durable(&at(0, 7), now);
        assert!(ledger.is_held(only));
        let later = now + Duration::from_secs(2);
        assert!(ledger.take_due(later).is_empty());
        ledger.report_ended(&partition, 4, later);
        assert!(ledger.take_for(only).is_empty(), "the record was reported twice");
        ledger.report_ended(&partition, 4, later);
        assert!(!ledger.is_held(only));
        assert_eq!(ledger.take_for(only), [at(0, 7)]);
        ledger.durable(&at(0, 9), later);
        ledger.report_ended(&partition, 7, later);
        assert_eq!(ledger.take_due(later + Duration::from_secs(1)), [at(0, 9)]);
    }

    #[test]
    fn reports_of_an_earlier_assignment_hold_nothing() {
        let (mut ledger, now) = opened();
        let partition = TopicPartition::new("t", 0);
        let only = std::slice::from_ref(&partition);
        ledger.report_began(&partition, 1);
        ledger.close(only);
        ledger.open(only);
        ledger.durable(&at(0, 5), now);
        assert_eq!(ledger.take_for(only), [at(0, 5)]);
    }

    #[test]
    #[should_panic(expected = "moved backwards")]
    fn durable_never_moves_backwards() {
        let (mut ledger, now) = opened();
        ledger.durable(&at(0, 10), now);
        ledger.durable(&at(0, 9), now);
    }

    #[test]
    #[should_panic(expected = "beyond what is durable")]
    fn nothing_is_committed_before_it_is_durable() {
        let (mut ledger, now) = opened();
        ledger.durable(&at(0, 10), now);
        ledger.committed(&at(0, 11));
    }
}
