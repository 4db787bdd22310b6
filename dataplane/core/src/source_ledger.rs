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

/// The records of one source partition that are not committable yet, or not collected.
#[derive(Debug)]
struct Lane<O> {
    entries: VecDeque<Entry<O>>,
    /// Number of the first entry.
    first: u64,
}

impl<O> Default for Lane<O> {
    fn default() -> Self {
        Self { entries: VecDeque::new(), first: 0 }
    }
}

/// The records of a task that were sent and whose offsets were not collected. Memory: one entry per such
/// record; who sends bounds how many are unacknowledged, and collecting frees the rest.
#[derive(Debug)]
pub struct SourceLedger<O> {
    lanes: Vec<Lane<O>>,
    unacked: usize,
}

impl<O> Default for SourceLedger<O> {
    fn default() -> Self {
        Self { lanes: Vec::new(), unacked: 0 }
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
        let entry = entry.expect("a record was acknowledged after its offset was collected");
        assert!(!entry.is_acked, "a record was acknowledged twice");
        entry.is_acked = true;
        self.unacked -= 1;
    }

    /// Records that were sent and not acknowledged.
    pub fn unacked(&self) -> usize {
        self.unacked
    }

    /// The offsets that became committable since the last call, at most one per source partition.
    pub fn collect(&mut self) -> Vec<(usize, O)> {
        let mut committable = Vec::new();
        for (number, lane) in self.lanes.iter_mut().enumerate() {
            let mut last = None;
            while lane.entries.front().is_some_and(|entry| entry.is_acked) {
                last = lane.entries.pop_front();
                lane.first += 1;
            }
            committable.extend(last.map(|entry| (number, entry.offset)));
        }
        committable
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
