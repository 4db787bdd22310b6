//! When failed connectors and tasks are started again without a person.
//!
//! Owns the counting: attempts, growing pauses, giving up, forgetting old failures. No counterpart in Kafka
//! Connect, where FAILED stays until somebody restarts it; off unless it is configured.

use std::collections::BTreeMap;

/// How often and how soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartPolicy {
    /// Attempts before giving up; `None` never gives up.
    pub attempts_max: Option<u32>,
    /// Pause before the first attempt; each further one waits twice as long.
    pub backoff_ms: u64,
    /// The longest pause.
    pub backoff_max_ms: u64,
    /// What ran this long without a failure starts counting anew.
    pub reset_after_ms: u64,
}

impl RestartPolicy {
    /// The pause before attempt `attempt` (from 1).
    pub fn pause_ms(&self, attempt: u32) -> u64 {
        let doublings = attempt.saturating_sub(1).min(63);
        let pause = u128::from(self.backoff_ms) << doublings;
        u64::try_from(pause).unwrap_or(u64::MAX).min(self.backoff_max_ms)
    }
}

/// What follows from a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All attempts were made; a person must act.
    GiveUp {
        /// How many.
        attempts: u32,
    },
    /// It will be started again.
    Restart {
        /// The number of this attempt, from 1.
        attempt: u32,
        /// When, counted from now.
        after_ms: u64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    GivenUp,
    Started { at_ms: u64 },
    Waiting { due_ms: u64 },
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    attempts: u32,
    phase: Phase,
}

/// The failures of everything that runs here, by its key. Holds an entry per failed key until it is
/// forgotten. Times are milliseconds of one monotonic clock.
#[derive(Clone, Debug)]
pub struct AutoRestarts<K> {
    entries: BTreeMap<K, Entry>,
}

impl<K> Default for AutoRestarts<K> {
    fn default() -> Self {
        Self { entries: BTreeMap::new() }
    }
}

impl<K: Ord + Clone> AutoRestarts<K> {
    /// `key` failed. A failure reported twice counts once.
    pub fn failed(&mut self, key: K, policy: &RestartPolicy, now_ms: u64) -> Verdict {
        let fresh = Entry { attempts: 0, phase: Phase::Started { at_ms: now_ms } };
        let entry = self.entries.entry(key).or_insert(fresh);
        match entry.phase {
            Phase::Waiting { due_ms } => {
                let after_ms = due_ms.saturating_sub(now_ms);
                return Verdict::Restart { attempt: entry.attempts, after_ms };
            }
            Phase::Started { at_ms } if now_ms.saturating_sub(at_ms) >= policy.reset_after_ms => {
                entry.attempts = 0;
            }
            Phase::GivenUp | Phase::Started { .. } => {}
        }
        if policy.attempts_max.is_some_and(|max| entry.attempts >= max) {
            entry.phase = Phase::GivenUp;
            return Verdict::GiveUp { attempts: entry.attempts };
        }
        entry.attempts = entry.attempts.saturating_add(1);
        let after_ms = policy.pause_ms(entry.attempts);
        entry.phase = Phase::Waiting { due_ms: now_ms.saturating_add(after_ms) };
        Verdict::Restart { attempt: entry.attempts, after_ms }
    }

    /// Keys whose pause is over, in order; they count as started now.
    pub fn take_due(&mut self, now_ms: u64) -> Vec<K> {
        let mut due = Vec::new();
        for (key, entry) in &mut self.entries {
            if matches!(entry.phase, Phase::Waiting { due_ms } if due_ms <= now_ms) {
                entry.phase = Phase::Started { at_ms: now_ms };
                due.push(key.clone());
            }
        }
        due
    }

    /// `key` was due and cannot be started now (its connector is paused): it waits as long again, without
    /// counting an attempt.
    pub fn postpone(&mut self, key: &K, policy: &RestartPolicy, now_ms: u64) {
        if let Some(entry) = self.entries.get_mut(key) {
            let due_ms = now_ms.saturating_add(policy.pause_ms(entry.attempts).max(1));
            entry.phase = Phase::Waiting { due_ms };
        }
    }

    /// When the next key is due.
    pub fn next_due_ms(&self) -> Option<u64> {
        let due = |entry: &Entry| match entry.phase {
            Phase::Waiting { due_ms } => Some(due_ms),
            Phase::GivenUp | Phase::Started { .. } => None,
        };
        self.entries.values().filter_map(due).min()
    }

    /// Somebody acted on `key` (a restart, another configuration, a deletion): it starts counting anew.
    pub fn forget(&mut self, key: &K) {
        self.entries.remove(key);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds::{self, Random};

    const POLICY: RestartPolicy =
        RestartPolicy { attempts_max: Some(3), backoff_ms: 100, backoff_max_ms: 250, reset_after_ms: 10_000 };

    #[test]
    fn pauses_double_up_to_their_limit_and_attempts_end() {
        let mut restarts = AutoRestarts::default();
        let mut now = 0;
        for (attempt, pause) in [(1, 100), (2, 200), (3, 250)] {
            let verdict = restarts.failed("a", &POLICY, now);
            assert_eq!(verdict, Verdict::Restart { attempt, after_ms: pause });
            assert_eq!(restarts.take_due(now + pause - 1), [""; 0]);
            now += pause;
            assert_eq!(restarts.take_due(now), ["a"]);
        }
        assert_eq!(restarts.failed("a", &POLICY, now), Verdict::GiveUp { attempts: 3 });
        assert_eq!(restarts.next_due_ms(), None);
        restarts.forget(&"a");
        assert_eq!(restarts.failed("a", &POLICY, now), Verdict::Restart { attempt: 1, after_ms: 100 });
    }

    #[test]
    fn what_ran_long_enough_starts_counting_anew() {
        let mut restarts = AutoRestarts::default();
        restarts.failed("a", &POLICY, 0);
        restarts.take_due(100);
        assert_eq!(restarts.failed("a", &POLICY, 10_099), Verdict::Restart { attempt: 2, after_ms: 200 });
        restarts.take_due(10_299);
        assert_eq!(restarts.failed("a", &POLICY, 20_299), Verdict::Restart { attempt: 1, after_ms: 100 });
    }

    #[test]
    fn a_failure_that_is_reported_twice_counts_once() {
        let mut restarts = AutoRestarts::default();
        restarts.failed("a", &POLICY, 0);
        assert_eq!(restarts.failed("a", &POLICY, 40), Verdict::Restart { attempt: 1, after_ms: 60 });
    }

    #[test]
    fn postponing_costs_no_attempt() {
        let mut restarts = AutoRestarts::default();
        restarts.failed("a", &POLICY, 0);
        for now in [100, 200, 300, 400, 500] {
            assert_eq!(restarts.take_due(now), ["a"]);
            restarts.postpone(&"a", &POLICY, now);
        }
        assert_eq!(restarts.take_due(600), ["a"]);
        assert_eq!(restarts.failed("a", &POLICY, 600), Verdict::Restart { attempt: 2, after_ms: 200 });
    }

    /// Whatever fails and when: never more attempts in a row than allowed, never an attempt before its pause,
    /// and nothing that waits is lost.
    #[test]
    fn random_failures_never_restart_too_often_or_too_soon() {
        seeds::each(|random| {
            let policy = RestartPolicy {
                attempts_max: [None, Some(0), Some(1), Some(5)][random.below(4)],
                backoff_ms: random.below(50) as u64,
                backoff_max_ms: 10 + random.below(500) as u64,
                reset_after_ms: 200 + random.below(2_000) as u64,
            };
            simulate(random, &policy);
        });
    }

    fn simulate(random: &mut Random, policy: &RestartPolicy) {
        let mut restarts = AutoRestarts::default();
        // Per key: attempts since the last reset, when it was started, when it may start again.
        let mut model: BTreeMap<usize, (u32, u64, Option<u64>)> = BTreeMap::new();
        let mut now = 0;
        for _ in 0..500 {
            now += random.below(300) as u64;
            for key in restarts.take_due(now) {
                let (_, started, due) = model.get_mut(&key).unwrap();
                assert!(due.take().is_some_and(|due| due <= now), "too soon");
                *started = now;
            }
            assert!(model.values().all(|(.., due)| due.is_none_or(|due| due > now)), "one was lost");
            let key = random.below(4);
            let known = model.entry(key).or_insert((0, now, None));
            if known.2.is_some() {
                continue;
            }
            if now - known.1 >= policy.reset_after_ms {
                known.0 = 0;
            }
            match restarts.failed(key, policy, now) {
                Verdict::GiveUp { attempts } => {
                    assert_eq!((Some(attempts), attempts), (policy.attempts_max, known.0));
                    restarts.forget(&key);
                    model.remove(&key);
                }
                Verdict::Restart { attempt, after_ms } => {
                    known.0 += 1;
                    assert_eq!(attempt, known.0);
                    assert!(after_ms <= policy.backoff_max_ms);
                    known.2 = Some(now + after_ms);
                }
            }
            assert_eq!(restarts.next_due_ms(), model.values().filter_map(|(.., due)| *due).min());
        }
    }
}
