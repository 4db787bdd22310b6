//! Which cuts of a topic-partition are durable. Cuts become durable in order: a later one that finishes first
//! waits.
//!
//! Owns counting only; knows nothing of stores or parts.

use std::collections::VecDeque;

/// The cuts of one topic-partition that are not durable yet.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    cuts: VecDeque<Cut>,
    first_cut: u64,
    forgotten: bool,
}

#[derive(Debug)]
struct Cut {
    next_offset: i64,
    pending_count: usize,
    is_decided: bool,
}

impl Cut {
    fn is_over(&self) -> bool {
        self.pending_count == 0 && self.is_decided
    }
}

/// Identifies a cut within its ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CutId(u64);

impl Ledger {
    /// Records a cut at `next_offset` that waits for `pending_count` uploads (0: everything below was
    /// skipped), and for its decision unless it `is_decided`.
    pub(crate) fn cut(&mut self, next_offset: i64, pending_count: usize, is_decided: bool) -> CutId {
        if let Some(last) = self.cuts.back() {
            assert!(last.next_offset <= next_offset, "cuts of a topic-partition ascend");
        }
        self.cuts.push_back(Cut { next_offset, pending_count, is_decided });
        CutId(self.first_cut + self.cuts.len() as u64 - 1)
    }

    /// The decision of `cut` was acknowledged.
    pub(crate) fn decided(&mut self, cut: CutId) {
        self.get(cut).is_decided = true;
    }

    /// Panics when `cut` is not decided: its files must not be completed.
    pub(crate) fn assert_decided(&mut self, cut: CutId) {
        assert!(self.get(cut).is_decided, "files were completed before their cut was decided");
    }

    /// One upload of `cut` is stored.
    pub(crate) fn stored(&mut self, cut: CutId) {
        self.assert_decided(cut);
        let cut = self.get(cut);
        assert!(cut.pending_count > 0, "more uploads were stored than the cut has");
        cut.pending_count -= 1;
    }

    fn get(&mut self, cut: CutId) -> &mut Cut {
        let index =
            usize::try_from(cut.0 - self.first_cut).expect("a cut waits until its uploads are stored");
        &mut self.cuts[index]
    }

    /// Forgets every position: another owner has the topic-partition. Uploads may still be reported.
    pub(crate) fn forget(&mut self) {
        self.forgotten = true;
    }

    /// True when [`Ledger::take_durable`] would answer a position.
    pub(crate) fn has_durable(&self) -> bool {
        !self.forgotten && self.cuts.front().is_some_and(Cut::is_over)
    }

    /// The position that became durable since the last call.
    pub(crate) fn take_durable(&mut self) -> Option<i64> {
        let mut durable = None;
        while let Some(cut) = self.cuts.pop_front_if(|cut| cut.is_over()) {
            self.first_cut += 1;
            durable = Some(cut.next_offset);
        }
        durable.filter(|_| !self.forgotten)
    }
}

#[cfg(test)]
mod tests {
    use super::Ledger;

    #[test]
    fn a_later_cut_waits_for_an_earlier_one() {
        let mut ledger = Ledger::default();
        let first = ledger.cut(10, 2, true);
        let second = ledger.cut(20, 1, true);
        ledger.cut(25, 0, true);
        ledger.stored(second);
        assert_eq!(ledger.take_durable(), None);
        ledger.stored(first);
        assert_eq!(ledger.take_durable(), None);
        ledger.stored(first);
        assert_eq!(ledger.take_durable(), Some(25));
        assert_eq!(ledger.take_durable(), None);
    }

    #[test]
    fn a_cut_waits_for_its_decision_even_without_files() {
        let mut ledger = Ledger::default();
        let cut = ledger.cut(10, 0, false);
        assert_eq!(ledger.take_durable(), None);
        ledger.decided(cut);
        assert_eq!(ledger.take_durable(), Some(10));
    }

    #[test]
    #[should_panic(expected = "before their cut was decided")]
    fn nothing_is_stored_before_its_cut_is_decided() {
        let mut ledger = Ledger::default();
        let cut = ledger.cut(10, 1, false);
        ledger.stored(cut);
    }
}
