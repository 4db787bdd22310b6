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
}

/// Identifies a cut within its ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CutId(u64);

impl Ledger {
    /// Records a cut at `next_offset` that waits for `pending_count` uploads (0: everything below was
    /// skipped).
    pub(crate) fn cut(&mut self, next_offset: i64, pending_count: usize) -> CutId {
        if let Some(last) = self.cuts.back() {
            assert!(last.next_offset <= next_offset, "cuts of a topic-partition ascend");
        }
        self.cuts.push_back(Cut { next_offset, pending_count });
        CutId(self.first_cut + self.cuts.len() as u64 - 1)
    }

    /// One upload of `cut` is stored.
    pub(crate) fn stored(&mut self, cut: CutId) {
        let index =
            usize::try_from(cut.0 - self.first_cut).expect("a cut waits until its uploads are stored");
        let cut = &mut self.cuts[index];
        assert!(cut.pending_count > 0, "more uploads were stored than the cut has");
        cut.pending_count -= 1;
    }

    /// Forgets every position: another owner has the topic-partition. Uploads may still be reported.
    pub(crate) fn forget(&mut self) {
        self.forgotten = true;
    }

    /// True when [`Ledger::take_durable`] would answer a position.
    pub(crate) fn has_durable(&self) -> bool {
        !self.forgotten && self.cuts.front().is_some_and(|cut| cut.pending_count == 0)
    }

    /// The position that became durable since the last call.
    pub(crate) fn take_durable(&mut self) -> Option<i64> {
        let mut durable = None;
        while let Some(cut) = self.cuts.pop_front_if(|cut| cut.pending_count == 0) {
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
        let first = ledger.cut(10, 2);
        let second = ledger.cut(20, 1);
        ledger.cut(25, 0);
        ledger.stored(second);
        assert_eq!(ledger.take_durable(), None);
        ledger.stored(first);
        assert_eq!(ledger.take_durable(), None);
        ledger.stored(first);
        assert_eq!(ledger.take_durable(), Some(25));
        assert_eq!(ledger.take_durable(), None);
    }
}
