//! What a run tells: a line per case while it runs, the failures again at the end, and the counts.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It held.
    Passed,
    /// It did not; why.
    Failed(String),
    /// It was not run; why.
    Skipped(String),
}

/// A case that was looked at.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Name of the case.
    pub name: String,
    /// Its end.
    pub outcome: Outcome,
    /// How long it took.
    pub duration: Duration,
}

impl Finding {
    /// One line, and the reason of a failure below it.
    pub fn text(&self) -> String {
        match &self.outcome {
            Outcome::Passed => format!("ok      {} ({} ms)", self.name, self.duration.as_millis()),
            Outcome::Failed(why) => {
                format!("FAILED  {}\n        {}", self.name, why.replace('\n', "\n        "))
            }
            Outcome::Skipped(why) => format!("skipped {}: {why}", self.name),
        }
    }
}

/// All cases of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// In the order in which they ran.
    pub findings: Vec<Finding>,
}

impl Report {
    fn count(&self, is_one: impl Fn(&Outcome) -> bool) -> usize {
        self.findings.iter().filter(|finding| is_one(&finding.outcome)).count()
    }

    /// Cases that did not hold.
    pub fn failed(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Failed(_)))
    }

    /// What a gate that knows the `open` cases has against this run: failures that are not among them, and
    /// cases among them that hold by now.
    pub fn surprises(&self, open: &[String]) -> Vec<String> {
        let surprise = |finding: &Finding| match (&finding.outcome, open.contains(&finding.name)) {
            (Outcome::Failed(_), false) => Some(format!("{} failed", finding.name)),
            (Outcome::Passed, true) => Some(format!("{} holds: take its row out of OPEN.md", finding.name)),
            _ => None,
        };
        self.findings.iter().filter_map(surprise).collect()
    }

    /// `N passed, F failed, S skipped`.
    pub fn counts(&self) -> String {
        let passed = self.count(|outcome| *outcome == Outcome::Passed);
        let skipped = self.count(|outcome| matches!(outcome, Outcome::Skipped(_)));
        format!("{passed} passed, {} failed, {skipped} skipped", self.failed())
    }

    /// Names of the failed cases, then the counts.
    pub fn closing(&self) -> String {
        let mut text = String::new();
        for finding in self.findings.iter().filter(|one| matches!(one.outcome, Outcome::Failed(_))) {
            // Writing to a String cannot fail.
            writeln!(text, "failed: {}", finding.name).ok();
        }
        text + &self.counts()
    }

    /// The same for programs: one object.
    pub fn json(&self, target: &str) -> Value {
        let cases: Vec<Value> = self
            .findings
            .iter()
            .map(|finding| {
                let (outcome, reason) = match &finding.outcome {
                    Outcome::Passed => ("passed", Value::Null),
                    Outcome::Failed(why) => ("failed", json!(why)),
                    Outcome::Skipped(why) => ("skipped", json!(why)),
                };
                let duration = u64::try_from(finding.duration.as_millis()).unwrap_or(u64::MAX);
                json!({"name": finding.name, "outcome": outcome, "reason": reason, "duration_ms": duration})
            })
            .collect();
        json!({"target": target, "summary": self.counts(), "cases": cases})
    }
}
