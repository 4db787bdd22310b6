//! The decided cuts of one topic-partition: taken, on their way, acknowledged, done with.
//!
//! A cut is decided by committing the old offset again with the cut in its metadata (decision 0009). Nothing
//! is durable up to a cut that was not acknowledged: [`Decisions::assert_acknowledged`] stays on in release,
//! as an object completed earlier could be doubled or replaced by another owner.

use std::collections::VecDeque;

use lakeward_api::cuts::{self, Cut};

/// Cuts that are not committed yet, ascending.
#[derive(Debug, Default)]
pub(crate) struct Decisions {
    cuts: VecDeque<Cut>,
    /// Every cut up to here was acknowledged.
    acknowledged: Option<i64>,
    /// Every cut up to here is in the commit that waits for its answer, or was in one that was answered.
    sent: Option<i64>,
}

impl Decisions {
    /// What an earlier owner decided: acknowledged already.
    pub(crate) fn restored(cuts: Vec<Cut>) -> Self {
        let last = cuts.last().map(|cut| cut.end);
        Self { cuts: cuts.into(), acknowledged: last, sent: last }
    }

    /// Takes a cut that is behind all others.
    pub(crate) fn decide(&mut self, cut: Cut) {
        let last = self.cuts.back().map(|last| last.end);
        assert!(last.max(self.acknowledged) < Some(cut.end), "a cut was decided before an earlier one");
        self.cuts.push_back(cut);
    }

    /// Gives up everything that was to be repeated: what was decided is not where the next cut is.
    pub(crate) fn replace(&mut self) {
        self.cuts.clear();
        self.acknowledged = None;
        self.sent = None;
    }

    /// Forgets cuts that nobody acknowledged: their files will not be stored here.
    pub(crate) fn withdraw(&mut self) {
        let acknowledged = self.acknowledged;
        self.cuts.retain(|cut| Some(cut.end) <= acknowledged);
    }

    /// True when a cut is in no commit yet.
    pub(crate) fn has_unsent(&self) -> bool {
        self.cuts.back().is_some_and(|last| Some(last.end) > self.sent)
    }

    /// The metadata for a commit of `offset`, and the last cut in it. As many cuts as fit; the others wait
    /// for a later commit.
    pub(crate) fn metadata(&self, fingerprint: &str, offset: i64) -> (String, Option<i64>) {
        let beyond = || self.cuts.iter().filter(|cut| cut.end > offset);
        let (text, count) = cuts::write(fingerprint, offset, beyond());
        let through = count.checked_sub(1).and_then(|last| beyond().nth(last)).map(|cut| cut.end);
        let acknowledged = beyond().map(|cut| cut.end).rfind(|end| Some(*end) <= self.acknowledged);
        assert!(through >= acknowledged, "an acknowledged cut does not fit into metadata any more");
        assert!(through.is_some() || beyond().next().is_none(), "a single cut does not fit into metadata");
        (text, through)
    }

    /// True when a commit with every cut up to `through` would tell something new.
    pub(crate) fn is_news(&self, through: Option<i64>) -> bool {
        through > self.acknowledged
    }

    /// A commit with every cut up to `through` is on its way.
    pub(crate) fn sent(&mut self, through: Option<i64>) {
        self.sent = self.sent.max(through);
    }

    /// The commit on its way failed.
    pub(crate) fn failed(&mut self) {
        self.sent = self.acknowledged;
    }

    /// A commit of `offset` with every cut up to `through` was acknowledged; answers the last cut that was
    /// not acknowledged before.
    pub(crate) fn acknowledged(&mut self, offset: i64, through: Option<i64>) -> Option<i64> {
        let through = through.filter(|through| Some(*through) > self.acknowledged);
        // Withdrawn cuts are nobody's.
        let newly = self
            .cuts
            .iter()
            .map(|cut| cut.end)
            .rfind(|end| Some(*end) <= through && Some(*end) > self.acknowledged);
        self.acknowledged = self.acknowledged.max(newly);
        while self.cuts.pop_front_if(|cut| cut.end <= offset).is_some() {}
        newly
    }

    /// Panics when a cut up to `position` was not acknowledged.
    pub(crate) fn assert_acknowledged(&self, position: i64) {
        let unknown = self.cuts.iter().find(|cut| Some(cut.end) > self.acknowledged);
        assert!(
            unknown.is_none_or(|cut| cut.end > position),
            "files were completed before their cut was decided"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(end: i64) -> Cut {
        Cut { end, clock: Vec::new() }
    }

    #[test]
    fn cuts_that_do_not_fit_wait_for_a_later_commit() {
        let mut decisions = Decisions::default();
        for end in 1..=2000 {
            decisions.decide(cut(end));
        }
        let (text, through) = decisions.metadata("AAA", 0);
        assert!(text.len() <= cuts::METADATA_BYTES_MAX && through.unwrap() < 2000);
        decisions.sent(through);
        assert!(decisions.has_unsent());
        assert_eq!(decisions.acknowledged(0, through), through);
        let (again, same) = decisions.metadata("AAA", 0);
        assert_eq!((again, same), (text, through), "nothing more fits before a cut is committed");
        let (_, more) = decisions.metadata("AAA", 700);
        assert!(more > through);
    }

    #[test]
    fn withdrawn_cuts_are_not_acknowledged() {
        let mut decisions = Decisions::restored(vec![cut(5)]);
        decisions.decide(cut(9));
        let (_, through) = decisions.metadata("AAA", 0);
        decisions.sent(through);
        decisions.withdraw();
        assert_eq!(decisions.acknowledged(0, through), None);
        decisions.assert_acknowledged(9);
        assert_eq!(decisions.metadata("AAA", 0).1, Some(5));
    }

    #[test]
    #[should_panic(expected = "before their cut was decided")]
    fn nothing_is_durable_before_its_cut_is_acknowledged() {
        let mut decisions = Decisions::default();
        decisions.decide(cut(9));
        decisions.sent(Some(9));
        decisions.assert_acknowledged(9);
    }

    #[test]
    #[should_panic(expected = "before an earlier one")]
    fn cuts_are_decided_in_order() {
        let mut decisions = Decisions::restored(vec![cut(5)]);
        decisions.decide(cut(5));
    }
}
