//! Positions per topic-partition: `durable ≥ committed`, each monotone within an assignment.
//!
//! Only durable positions are ever committed, and none beyond a record whose report was not acknowledged.
//! Cuts are decided by committing the old position again with their text (see [`PositionLedger::decide`]).
//! All assertions stay on in release: a position that moves backwards would lose or repeat records.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use lakeward_api::cuts::{Decision, Opening};
use lakeward_api::record::{CommittedPosition, Position, TopicPartition};

use crate::decisions::Decisions;

/// What is known about one assigned partition.
#[derive(Debug, Default)]
struct Entry {
    /// Where this assignment began: the committed position, or the first record that was fetched.
    base: Option<i64>,
    /// Whether the group has a position: `base`, or a later one.
    is_known: bool,
    durable: Option<i64>,
    committed: Option<i64>,
    in_commit: Option<InCommit>,
    decisions: Decisions,
    /// Offsets of records whose reports were not acknowledged yet, and how many reports each has.
    reports: BTreeMap<i64, usize>,
}

/// A commit that waits for its answer.
#[derive(Debug)]
struct InCommit {
    commit: CommittedPosition,
    /// The last decided cut in its metadata.
    through: Option<i64>,
}

impl Entry {
    /// True when a record below `position` waits for its report.
    fn is_held(&self, position: i64) -> bool {
        self.reports.first_key_value().is_some_and(|(offset, _)| *offset < position)
    }

    /// The position that may be committed now: a new one, or the old one again.
    fn position(&self) -> Option<i64> {
        let durable = self.durable.filter(|durable| !self.is_held(*durable));
        durable.or(self.committed).or(self.base)
    }

    /// The next commit, if there is something to tell.
    fn next_commit(&mut self, partition: &TopicPartition, fingerprint: &str) -> Option<CommittedPosition> {
        if self.in_commit.is_some() {
            return None;
        }
        let next_offset = self.position()?;
        let has_moved = self.durable == Some(next_offset) && self.committed != Some(next_offset);
        if !has_moved && !self.decisions.has_unsent() {
            return None;
        }
        let (metadata, through) = self.decisions.metadata(fingerprint, next_offset);
        if !has_moved && !self.decisions.is_news(through) {
            return None;
        }
        self.decisions.sent(through);
        let position = Position { partition: partition.clone(), next_offset };
        let commit = CommittedPosition { position, metadata };
        self.in_commit = Some(InCommit { commit: commit.clone(), through });
        Some(commit)
    }
}

/// The positions of a task's assigned partitions, and when they are committed.
#[derive(Debug)]
pub struct PositionLedger {
    entries: HashMap<TopicPartition, Entry>,
    commit_interval: Duration,
    commit_due: Option<Instant>,
    /// What stands before decided cuts.
    fingerprint: String,
    /// After a failed commit, decisions wait until then.
    decide_from: Option<Instant>,
    /// Some decisions may be in no commit yet: many partitions are not asked in vain with every turn.
    may_have_unsent: bool,
    is_uncertain: bool,
}

impl PositionLedger {
    /// A ledger that lets `commit_interval` pass between commits.
    pub fn new(commit_interval: Duration) -> Self {
        Self {
            entries: HashMap::new(),
            commit_interval,
            commit_due: None,
            fingerprint: String::new(),
            decide_from: None,
            may_have_unsent: false,
            is_uncertain: false,
        }
    }

    /// Decided cuts are recorded with this text before them.
    #[must_use]
    pub fn with_fingerprint(self, fingerprint: String) -> Self {
        Self { fingerprint, ..self }
    }

    /// Partitions were assigned: nothing is known about them yet.
    pub fn open(&mut self, partitions: &[TopicPartition]) {
        for partition in partitions {
            self.insert(partition.clone(), Entry::default());
        }
    }

    /// Partitions were assigned, with what is committed and decided about them.
    pub fn open_at(&mut self, openings: &[Opening]) {
        for Opening { partition, committed, cuts } in openings {
            let entry = Entry {
                base: *committed,
                is_known: committed.is_some(),
                decisions: Decisions::restored(cuts.clone()),
                ..Entry::default()
            };
            self.insert(partition.clone(), entry);
        }
    }

    fn insert(&mut self, partition: TopicPartition, entry: Entry) {
        let name = partition.to_string();
        assert!(self.entries.insert(partition, entry).is_none(), "{name} was assigned twice");
    }

    /// The first record of `partition` that was fetched has `offset`: with nothing committed before,
    /// everything below it is done with.
    pub fn fetched(&mut self, partition: &TopicPartition, offset: i64) {
        if let Some(entry) = self.entries.get_mut(partition) {
            entry.base.get_or_insert(offset);
        }
    }

    /// Where the assignment of `partition` began.
    pub fn begin(&self, partition: &TopicPartition) -> Option<i64> {
        self.entries.get(partition)?.base
    }

    /// The group gets to know where this assignment began, if it knows no position of `partition` yet. That
    /// is no news: nothing below was to be stored.
    pub fn anchor(&mut self, partition: &TopicPartition) {
        if let Some(entry) = self.entries.get_mut(partition)
            && !entry.is_known
            && entry.durable.is_none()
        {
            entry.durable = entry.base;
        }
    }

    /// Takes a cut whose files must not be completed before [`PositionLedger::committed`] answers it: the
    /// next commit tells it, at once. Answers false when no cut may be decided: the outcome of an earlier
    /// commit of this membership is unknown, and it could still replace what is decided now. Rejoin the group
    /// then: its coordinator refuses what an earlier member sent.
    pub fn decide(&mut self, decision: Decision) -> bool {
        let Some(entry) = self.entries.get_mut(&decision.partition) else { return true };
        if self.is_uncertain {
            return false;
        }
        assert!(entry.base.is_some(), "a cut without records was decided");
        if decision.replaces {
            entry.decisions.replace();
            if let Some(sent) = &mut entry.in_commit {
                sent.through = None;
            }
        }
        entry.decisions.decide(decision.cut);
        self.may_have_unsent = true;
        true
    }

    /// Partitions are about to leave: cuts that were not acknowledged are nobody's.
    pub fn withdraw(&mut self, partitions: &[TopicPartition]) {
        for partition in partitions {
            if let Some(entry) = self.entries.get_mut(partition) {
                entry.decisions.withdraw();
            }
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
        entry.decisions.assert_acknowledged(position.next_offset);
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

    /// True while a record of one of `partitions` is being reported.
    pub fn is_reporting(&self, partitions: &[TopicPartition]) -> bool {
        let entries = partitions.iter().filter_map(|partition| self.entries.get(partition));
        entries.into_iter().any(|entry| !entry.reports.is_empty())
    }

    /// What to commit now: positions if it is time, decisions at once. They count as in commit until
    /// answered.
    pub fn take_due(&mut self, now: Instant) -> Vec<CommittedPosition> {
        let is_due = self.commit_due.is_some_and(|due| due <= now);
        if is_due {
            self.commit_due = None;
        }
        let may_decide = self.may_have_unsent && self.decide_from.is_none_or(|from| from <= now);
        if !is_due && !may_decide {
            return Vec::new();
        }
        let commits = self.take_where(|_, entry| is_due || (may_decide && entry.decisions.has_unsent()));
        self.may_have_unsent = self.entries.values().any(|entry| entry.decisions.has_unsent());
        commits
    }

    /// What is uncommitted of `partitions`, regardless of the interval.
    pub fn take_for(&mut self, partitions: &[TopicPartition]) -> Vec<CommittedPosition> {
        self.take_where(|partition, _| partitions.contains(partition))
    }

    fn take_where(&mut self, wanted: impl Fn(&TopicPartition, &Entry) -> bool) -> Vec<CommittedPosition> {
        let mut commits = Vec::new();
        for (partition, entry) in &mut self.entries {
            if wanted(partition, entry) {
                commits.extend(entry.next_commit(partition, &self.fingerprint));
            }
        }
        commits.sort_by(|left, right| left.position.partition.cmp(&right.position.partition));
        commits
    }

    /// The broker accepted a commit. Answers the last cut whose decision it acknowledged.
    pub fn committed(&mut self, accepted: &CommittedPosition, now: Instant) -> Option<i64> {
        let CommittedPosition { position, .. } = accepted;
        let entry = self.entries.get_mut(&position.partition)?;
        // Nothing was durable since the partition was opened: only a decision can be answered.
        let limit = entry.durable.map(|durable| entry.base.map_or(durable, |base| base.max(durable)));
        assert!(
            limit.is_none_or(|limit| limit >= position.next_offset),
            "{} was committed beyond what is durable",
            position.partition
        );
        // Otherwise it is about an earlier assignment, or repeated.
        let sent = entry.in_commit.take_if(|sent| sent.commit == *accepted)?;
        entry.committed = entry.committed.max(Some(position.next_offset));
        let decided = entry.decisions.acknowledged(position.next_offset, sent.through);
        if entry.durable.is_some_and(|durable| entry.committed != Some(durable)) {
            self.commit_due.get_or_insert(now + self.commit_interval);
        }
        decided
    }

    /// A commit failed: everything on its way is tried again after the interval. Answers false when the
    /// group must be joined again first, as [`PositionLedger::decide`] does.
    pub fn commit_failed(&mut self, outcome: FailedCommit, now: Instant) -> bool {
        let mut has_open = false;
        for entry in self.entries.values_mut() {
            entry.in_commit = None;
            entry.decisions.failed();
            has_open |= entry.decisions.has_unsent();
        }
        self.may_have_unsent = has_open;
        self.is_uncertain |= outcome == FailedCommit::Unknown;
        self.commit_due = Some(now + self.commit_interval);
        self.decide_from = self.commit_due;
        !(self.is_uncertain && has_open)
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

/// How a commit failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailedCommit {
    /// The coordinator refused it, or it was never sent.
    Refused,
    /// It may have been taken, or may still be.
    Unknown,
}

#[cfg(test)]
mod tests;
