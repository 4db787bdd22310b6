//! Counting what the test harness reports.
//!
//! Source: the closing line of libtest, `test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; …`.

use std::ops::AddAssign;

/// Sums of test outcomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Tests that ran and held.
    pub(crate) passed: u64,
    /// Tests that ran and did not.
    pub(crate) failed: u64,
    /// Tests that did not run: a rule of the repository forbids them.
    pub(crate) ignored: u64,
}

impl Tally {
    /// Reads the closing line of the contract suite, `N passed, F failed, S skipped`; a skipped case counts
    /// nowhere, its difference is accepted.
    pub(crate) fn of_contract_line(line: &str) -> Option<Self> {
        let mut words = line.split(", ").map(|part| part.split_once(' '));
        let mut number = |word: &str| match words.next() {
            Some(Some((number, found))) if found == word => number.parse::<u64>().ok(),
            _ => None,
        };
        let (passed, failed) = (number("passed")?, number("failed")?);
        number("skipped")?;
        Some(Self { passed, failed, ignored: 0 })
    }

    /// Reads one line of test output; `None` when it is not a closing line.
    pub(crate) fn of_line(line: &str) -> Option<Self> {
        let (_, counts) = line.trim().strip_prefix("test result: ")?.split_once(". ")?;
        let mut tally = Self::default();
        for part in counts.split(';') {
            let Some((number, word)) = part.trim().split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match word {
                "passed" => tally.passed = number,
                "failed" => tally.failed = number,
                "ignored" => tally.ignored = number,
                _ => {}
            }
        }
        Some(tally)
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_summed_and_others_are_not() {
        let mut sum = Tally::default();
        for line in [
            "running 5 tests",
            "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test x ... FAILED",
            "test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 7 filtered out; finished",
        ] {
            if let Some(tally) = Tally::of_line(line) {
                sum += tally;
            }
        }
        assert_eq!(sum, Tally { passed: 7, failed: 3, ignored: 1 });
    }

    #[test]
    fn the_closing_line_of_the_contract_suite_is_read() {
        let found = Tally::of_contract_line("250 passed, 2 failed, 1 skipped");
        assert_eq!(found, Some(Tally { passed: 250, failed: 2, ignored: 0 }));
        assert_eq!(Tally::of_contract_line("ok      rest.root (3 ms)"), None);
    }
}
