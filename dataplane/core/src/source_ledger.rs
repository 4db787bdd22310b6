//! Which source offsets may be committed: per source partition that of the last record such that it and every
//! earlier one of that partition were acknowledged.
//!
//! Records are numbered per source partition in the order they were sent. Source: `SubmittedRecords`, Kafka
//! 4.1.

use std::collections::VecDeque;

/// A record that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    lane: usize,
    number: u64,
}

#[derive(Debug)]
struct Entry<O> {
    offset: O,
    is_acked: bool,
}

/// The records of one source partition from the first that is not acknowledged on.
#[derive(Debug)]
struct Lane<O> {
    entries: VecDeque<Entry<O>>,
    /// Number of the first entry.
    first: u64,
    /// Became committable since the last collection.
    committable: Option<O>,
}

impl<O> Default for Lane<O> {
    fn default() -> Self {
        Self { entries: VecDeque::new(), first: 0, committable: None }
    }
}

/// The records of a task that were sent and are not acknowledged, and what became committable.
///
/// Memory: one entry per record between the first of its partition that is not acknowledged and its last one,
/// which who sends bounds; one offset per partition that was not collected; a few words per lane ever used.
/// Who numbers the lanes uses those again that [`SourceLedger::is_idle`] lets go.
#[derive(Debug)]
pub struct SourceLedger<O> {
    lanes: Vec<Lane<O>>,
    /// Lanes with a committable offset.
    moved: Vec<usize>,
    unacked: usize,
}

impl<O> Default for SourceLedger<O> {
    fn default() -> Self {
        Self { lanes: Vec::new(), moved: Vec::new(), unacked: 0 }
    }
}

impl<O> SourceLedger<O> {
    /// A record of source partition `lane` (numbers without gaps from 0) is about to be sent.
    pub fn submit(&mut self, lane: usize, offset: O) -> Ticket {
        while self.lanes.len() <= lane {
            self.lanes.push(Lane::default());
        }
        let records = &mut self.lanes[lane];
        let number = records.first + records.entries.len() as u64;
        records.entries.push_back(Entry { offset, is_acked: false });
        self.unacked += 1;
        Ticket { lane, number }
    }

    /// The latest record of its partition was not sent after all.
    ///
    /// # Panics
    /// When it is not the latest: offsets would be counted for records that are not there.
    pub fn withdraw(&mut self, ticket: Ticket) {
        let lane = &mut self.lanes[ticket.lane];
        let is_latest = lane.first + lane.entries.len() as u64 == ticket.number + 1;
        assert!(is_latest, "only the latest record of a source partition can be withdrawn");
        let entry = lane.entries.pop_back().expect("the latest record is there");
        assert!(!entry.is_acked, "a record was acknowledged and withdrawn");
        self.unacked -= 1;
    }

    /// The broker has the record, or its loss is tolerated.
    ///
    /// # Panics
    /// When it was acknowledged before.
    pub fn ack(&mut self, ticket: Ticket) {
        let lane = &mut self.lanes[ticket.lane];
        let place = ticket.number.checked_sub(lane.first).and_then(|place| usize::try_from(place).ok());
        let entry = place.and_then(|place| lane.entries.get_mut(place));
        let entry = entry.expect("a record was acknowledged after its offset became committable");
        assert!(!entry.is_acked, "a record was acknowledged twice");
        entry.is_acked = true;
        self.unacked -= 1;
        // What is committable is let go at once: intervals between commits are long.
        let mut last = None;
        while lane.entries.front().is_some_and(|entry| entry.is_acked) {
            last = lane.entries.pop_front();
            lane.first += 1;
        }
        if let Some(entry) = last
            && lane.committable.replace(entry.offset).is_none()
        {
            self.moved.push(ticket.lane);
        }
    }

    /// Records that were sent and not acknowledged.
    pub fn unacked(&self) -> usize {
        self.unacked
    }

    /// True when nothing of the lane is unacknowledged or waits for its collection; room it had is given
    /// back. Its number may stand for another source partition from now on.
    pub fn is_idle(&mut self, lane: usize) -> bool {
        let Some(records) = self.lanes.get_mut(lane) else { return true };
        let is_idle = records.entries.is_empty() && records.committable.is_none();
        if is_idle {
            records.entries = VecDeque::new();
        }
        is_idle
    }

    /// The offsets that became committable since the last call, at most one per source partition, by lane.
    pub fn collect(&mut self) -> Vec<(usize, O)> {
        let mut moved = std::mem::take(&mut self.moved);
        moved.sort_unstable();
        let offset = |lane: usize| Some((lane, self.lanes[lane].committable.take()?));
        moved.into_iter().filter_map(offset).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// A small generator: tests name their seed.
    struct Random(u64);

    impl Random {
        fn below(&mut self, end: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(self.0 >> 33).unwrap() % end
        }
    }

    #[test]
    fn only_offsets_below_the_first_missing_acknowledgement_are_committable() {
        let mut ledger = SourceLedger::default();
        let tickets: Vec<Ticket> = (0..4).map(|offset| ledger.submit(0, offset)).collect();
        let other = ledger.submit(1, 10);
        ledger.ack(tickets[1]);
        assert_eq!(ledger.collect(), []);
        ledger.ack(tickets[0]);
        ledger.ack(tickets[3]);
        assert_eq!(ledger.collect(), [(0, 1)]);
        ledger.ack(other);
        ledger.ack(tickets[2]);
        assert_eq!(ledger.collect(), [(0, 3), (1, 10)]);
        assert_eq!((ledger.collect(), ledger.unacked()), (vec![], 0));
    }

    #[test]
    fn a_withdrawn_record_holds_nothing_back() {
        let mut ledger = SourceLedger::default();
        let first = ledger.submit(0, 0);
        let second = ledger.submit(0, 1);
        ledger.withdraw(second);
        ledger.ack(first);
        assert_eq!((ledger.collect(), ledger.unacked()), (vec![(0, 0)], 0));
        let again = ledger.submit(0, 1);
        ledger.ack(again);
        assert_eq!(ledger.collect(), [(0, 1)]);
    }

    #[test]
    fn acknowledged_records_take_no_room_before_they_are_collected() {
        let mut ledger = SourceLedger::default();
        for offset in 0..10_000 {
            let ticket = ledger.submit(0, offset);
            ledger.ack(ticket);
        }
        assert!(ledger.lanes[0].entries.is_empty());
        assert!(!ledger.is_idle(0), "its offset was not collected");
        assert_eq!(ledger.collect(), [(0, 9_999)]);
    }

    #[test]
    fn a_lane_is_idle_when_its_offset_was_collected_and_may_be_used_again() {
        let mut ledger = SourceLedger::default();
        let (first, second) = (ledger.submit(0, 7), ledger.submit(0, 8));
        ledger.ack(first);
        assert_eq!(ledger.collect(), [(0, 7)]);
        assert!(!ledger.is_idle(0), "a record is not acknowledged");
        ledger.ack(second);
        assert_eq!(ledger.collect(), [(0, 8)]);
        assert!(ledger.is_idle(0) && ledger.is_idle(5));
        let other = ledger.submit(0, 100);
        ledger.ack(other);
        assert_eq!(ledger.collect(), [(0, 100)]);
    }

    /// Whatever the order of acknowledgements, the committed offset of a partition never passes a record
    /// that is not acknowledged, and reaches the last one in the end.
    #[test]
    fn random_orders_of_acknowledgements_never_commit_too_much() {
        for seed in 1..200_u64 {
            let mut random = Random(seed);
            let mut ledger = SourceLedger::default();
            let mut sent: [u64; 3] = [0; 3];
            let mut waiting: Vec<(usize, u64, Ticket)> = Vec::new();
            let mut committed: BTreeMap<usize, u64> = BTreeMap::new();
            let mut steps = 0;
            while steps < 400 || !waiting.is_empty() {
                steps += 1;
                match random.below(5) {
                    0 | 1 if steps < 400 => {
                        let lane = random.below(3);
                        let ticket = ledger.submit(lane, sent[lane]);
                        waiting.push((lane, sent[lane], ticket));
                        sent[lane] += 1;
                    }
                    2 => {
                        for (lane, offset) in ledger.collect() {
                            let before = committed.insert(lane, offset);
                            assert!(before.is_none_or(|before| before < offset), "seed {seed}");
                        }
                        for (lane, offset, _) in &waiting {
                            let done = committed.get(lane);
                            assert!(done.is_none_or(|done| done < offset), "seed {seed}");
                        }
                    }
                    _ if !waiting.is_empty() => {
                        let (_, _, ticket) = waiting.swap_remove(random.below(waiting.len()));
                        ledger.ack(ticket);
                    }
                    _ => {}
                }
            }
            committed.extend(ledger.collect());
            for (lane, sent) in sent.iter().enumerate().filter(|(_, sent)| **sent > 0) {
                assert_eq!(committed.get(&lane), Some(&(sent - 1)), "seed {seed}");
            }
        }
    }
}
