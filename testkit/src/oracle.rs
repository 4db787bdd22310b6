//! The oracle: hands out ids and judges what came back.
//!
//! Every id must come back; whether one may come back twice depends on the guarantee under test.

use std::collections::BTreeMap;

/// What the pipeline promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guarantee {
    /// Every record is stored; a crash may store some twice.
    AtLeastOnce,
    /// Every record is stored once.
    ExactlyOnce,
}

/// Hands out consecutive ids from 0.
#[derive(Debug, Default)]
pub struct Oracle {
    next: u64,
}

/// The ids that broke the promise.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Handed out, never seen.
    pub missing: Vec<u64>,
    /// Seen more than once.
    pub repeated: Vec<u64>,
    /// Seen, never handed out.
    pub unknown: Vec<u64>,
}

impl Oracle {
    /// An oracle that has handed out nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// A new id.
    pub fn next_id(&mut self) -> u64 {
        let id = self.next;
        self.next += 1;
        id
    }

    /// Ids handed out so far.
    pub fn count(&self) -> u64 {
        self.next
    }

    /// Compares `seen` with what was handed out.
    pub fn judge(&self, seen: impl IntoIterator<Item = u64>) -> Verdict {
        let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
        for id in seen {
            *counts.entry(id).or_default() += 1;
        }
        Verdict {
            missing: (0..self.next).filter(|id| !counts.contains_key(id)).collect(),
            repeated: counts.iter().filter(|(_, count)| **count > 1).map(|(id, _)| *id).collect(),
            unknown: counts.keys().copied().filter(|id| *id >= self.next).collect(),
        }
    }

    /// Panics when `seen` breaks the promise.
    pub fn assert(&self, guarantee: Guarantee, seen: impl IntoIterator<Item = u64>) {
        let mut verdict = self.judge(seen);
        if guarantee == Guarantee::AtLeastOnce {
            verdict.repeated.clear();
        }
        assert_eq!(verdict, Verdict::default(), "{guarantee:?} does not hold for {} records", self.next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_broken_promise_is_told() {
        let mut oracle = Oracle::new();
        for expected in 0..4 {
            assert_eq!(oracle.next_id(), expected);
        }
        let verdict = oracle.judge([0, 2, 2, 9]);
        assert_eq!(verdict, Verdict { missing: vec![1, 3], repeated: vec![2], unknown: vec![9] });
        oracle.assert(Guarantee::ExactlyOnce, [3, 2, 1, 0]);
        oracle.assert(Guarantee::AtLeastOnce, [3, 2, 1, 0, 0]);
    }

    #[test]
    #[should_panic(expected = "ExactlyOnce does not hold for 1 records")]
    fn repetition_breaks_exactly_once() {
        let mut oracle = Oracle::new();
        oracle.next_id();
        oracle.assert(Guarantee::ExactlyOnce, [0, 0]);
    }
}
