//! How long a failed operation on a record is tried again: `errors.retry.timeout` and
//! `errors.retry.delay.max.ms`.
//!
//! Source: `RetryWithToleranceOperator#execAndRetry` and `#backoff`, Kafka 4.1. Java's doubling overflows
//! after some 55 attempts; here it stays at the longest delay.

use std::time::{Duration, Instant};

use lakeward_api::config::ConfigMap;
use lakeward_api::record::TopicPartition;

const DELAY_FIRST: Duration = Duration::from_millis(300);
const DELAY_MAX_DEFAULT: Duration = Duration::from_millis(60_000);

/// The retry settings of a connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Time for all attempts together; `None` is for ever.
    timeout: Option<Duration>,
    delay_max: Duration,
}

/// The attempts of one operation.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    attempts: u32,
    deadline: Option<Instant>,
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryStep {
    /// No further attempt: the record has failed.
    GiveUp,
    /// Try again after this pause.
    Wait(Duration),
}

impl RetryPolicy {
    /// Reads the settings; values out of range were refused before.
    pub fn from_config(config: &ConfigMap) -> Self {
        let number = |key: &str| config.get(key).and_then(|text| text.trim().parse::<i64>().ok());
        let timeout_ms = number("errors.retry.timeout").unwrap_or(0);
        let delay_max_ms = number("errors.retry.delay.max.ms").and_then(|ms| u64::try_from(ms).ok());
        Self {
            // Only -1 is negative.
            timeout: u64::try_from(timeout_ms).ok().map(Duration::from_millis),
            delay_max: delay_max_ms.map_or(DELAY_MAX_DEFAULT, Duration::from_millis),
        }
    }

    /// True when a failure is final at once.
    pub fn is_never(self) -> bool {
        self.timeout == Some(Duration::ZERO)
    }

    /// Starts the clock of an operation whose first attempt just failed or is about to run.
    pub fn begin(self, now: Instant) -> Retry {
        // A deadline that the clock cannot name never comes.
        Retry { attempts: 0, deadline: self.timeout.and_then(|timeout| now.checked_add(timeout)) }
    }

    /// Decides after a failed attempt. `random` is any number; it spreads pauses beyond the longest delay.
    pub fn next(self, retry: &mut Retry, now: Instant, random: u64) -> RetryStep {
        retry.attempts = retry.attempts.saturating_add(1);
        if self.is_never() || retry.deadline.is_some_and(|deadline| now >= deadline) {
            return RetryStep::GiveUp;
        }
        let doubled = 1u32.checked_shl(retry.attempts - 1).and_then(|factor| DELAY_FIRST.checked_mul(factor));
        let delay = match doubled {
            Some(delay) if delay <= self.delay_max => delay,
            _ => {
                let max_ms = u64::try_from(self.delay_max.as_millis()).unwrap_or(u64::MAX);
                Duration::from_millis(random % max_ms.max(1))
            }
        };
        let left = retry.deadline.map_or(delay, |deadline| deadline.saturating_duration_since(now));
        RetryStep::Wait(delay.min(left))
    }
}

/// Which record of a task is tried again, and when. Each record has its own time, as in Java: the records
/// behind it wait until it passes or is given up.
#[derive(Debug)]
pub struct RetryTracker {
    policy: RetryPolicy,
    current: Option<Attempts>,
}

/// A record that failed and is tried again at `due`.
#[derive(Debug)]
struct Attempts {
    partition: TopicPartition,
    offset: i64,
    retry: Retry,
    due: Instant,
}

/// What follows for a run of records in which one failed for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextAttempt {
    /// Every failure is final.
    Never,
    /// This record has failed; those from `offset` on get their first attempt now.
    Behind {
        /// The first record behind it.
        offset: i64,
    },
    /// The record at `offset` and those behind it are tried again after a pause.
    Later {
        /// The record that failed.
        offset: i64,
    },
}

impl RetryTracker {
    /// Nothing is tried again yet.
    pub fn new(policy: RetryPolicy) -> Self {
        Self { policy, current: None }
    }

    /// When the record at `offset`, the next one, may be tried; `None` for now. Attempts at another record
    /// are over: its partition has left.
    pub fn pause_before(&mut self, partition: &TopicPartition, offset: i64, now: Instant) -> Option<Instant> {
        let current = self.current.take_if(|current| current.is_for(partition, offset));
        self.current = current;
        self.current.as_ref().map(|current| current.due).filter(|due| *due > now)
    }

    /// Decides about the first record of a run that may pass later: the one at `failed`, or none.
    pub fn after(
        &mut self,
        partition: &TopicPartition,
        failed: Option<i64>,
        now: Instant,
        random: u64,
    ) -> NextAttempt {
        let before = self.current.take();
        let Some(offset) = failed.filter(|_| !self.policy.is_never()) else { return NextAttempt::Never };
        let same = before.filter(|current| current.is_for(partition, offset));
        let mut retry = same.map_or_else(|| self.policy.begin(now), |current| current.retry);
        match self.policy.next(&mut retry, now, random) {
            RetryStep::GiveUp => NextAttempt::Behind { offset: offset + 1 },
            RetryStep::Wait(pause) => {
                let partition = partition.clone();
                self.current = Some(Attempts { partition, offset, retry, due: now + pause });
                NextAttempt::Later { offset }
            }
        }
    }
}

impl Attempts {
    fn is_for(&self, partition: &TopicPartition, offset: i64) -> bool {
        self.offset == offset && self.partition == *partition
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_has_its_own_time() {
        let partition = TopicPartition::new("t", 0);
        let mut tracker = RetryTracker::new(policy("400", ""));
        let start = Instant::now();
        let ms = |ms| start + Duration::from_millis(ms);
        assert_eq!(tracker.pause_before(&partition, 7, start), None);
        assert_eq!(tracker.after(&partition, Some(7), start, 0), NextAttempt::Later { offset: 7 });
        assert_eq!(tracker.pause_before(&partition, 7, ms(299)), Some(ms(300)));
        assert_eq!(tracker.pause_before(&partition, 7, ms(300)), None);
        assert_eq!(tracker.after(&partition, Some(7), ms(300), 0), NextAttempt::Later { offset: 7 });
        assert_eq!(tracker.after(&partition, Some(7), ms(400), 0), NextAttempt::Behind { offset: 8 });
        assert_eq!(tracker.after(&partition, Some(9), ms(400), 0), NextAttempt::Later { offset: 9 });
        assert_eq!(tracker.pause_before(&partition, 9, ms(500)), Some(ms(700)));
        assert_eq!(tracker.after(&partition, None, ms(700), 0), NextAttempt::Never);
        assert_eq!(tracker.pause_before(&partition, 9, ms(700)), None);
    }

    #[test]
    fn attempts_end_when_another_record_comes_next() {
        let (left, right) = (TopicPartition::new("t", 0), TopicPartition::new("t", 1));
        let mut tracker = RetryTracker::new(policy("-1", ""));
        let now = Instant::now();
        assert_eq!(tracker.after(&left, Some(7), now, 0), NextAttempt::Later { offset: 7 });
        assert_eq!(tracker.pause_before(&right, 7, now), None, "the partition of the record has left");
        assert_eq!(tracker.pause_before(&left, 7, now), None);
    }

    #[test]
    fn without_a_time_every_failure_is_final() {
        let mut tracker = RetryTracker::new(policy("", ""));
        let partition = TopicPartition::new("t", 0);
        assert_eq!(tracker.after(&partition, Some(7), Instant::now(), 0), NextAttempt::Never);
    }

    fn policy(timeout: &str, delay_max: &str) -> RetryPolicy {
        let entries = [("errors.retry.timeout", timeout), ("errors.retry.delay.max.ms", delay_max)];
        let entries = entries.into_iter().filter(|(_, value)| !value.is_empty());
        RetryPolicy::from_config(&entries.map(|(key, value)| (key.into(), value.into())).collect())
    }

    /// The pauses in ms of an operation that never passes and takes no time, until it is given up.
    fn pauses(policy: RetryPolicy, random: u64, count_max: usize) -> Vec<u64> {
        let mut now = Instant::now();
        let mut retry = policy.begin(now);
        let mut pauses = Vec::new();
        while let RetryStep::Wait(pause) = policy.next(&mut retry, now, random) {
            pauses.push(u64::try_from(pause.as_millis()).unwrap());
            now += pause;
            if pauses.len() == count_max {
                break;
            }
        }
        pauses
    }

    #[test]
    fn nothing_is_retried_by_default() {
        assert!(policy("", "").is_never());
        assert_eq!(pauses(policy("0", ""), 0, 9), [] as [u64; 0]);
    }

    #[test]
    fn pauses_double_from_300_ms_and_end_at_the_deadline() {
        assert_eq!(pauses(policy("3000", ""), 0, 9), [300, 600, 1200, 900]);
        assert_eq!(pauses(policy("300", ""), 0, 9), [300]);
        assert_eq!(pauses(policy("100", ""), 0, 9), [100]);
    }

    #[test]
    fn pauses_beyond_the_longest_delay_are_random_below_it() {
        assert_eq!(pauses(policy("60000", "1000"), 1_234_567, 4), [300, 600, 567, 567]);
        assert_eq!(pauses(policy("60000", "100"), 42, 2), [42, 42]);
    }

    #[test]
    fn minus_one_retries_for_ever_without_overflow() {
        let endless = pauses(policy("-1", "5000"), 4_999, 200);
        assert_eq!(endless.len(), 200);
        assert_eq!(endless[..5], [300, 600, 1200, 2400, 4800]);
        assert!(endless[5..].iter().all(|pause| *pause == 4_999));
    }

    #[test]
    fn an_attempt_that_outlives_the_deadline_is_the_last() {
        let policy = policy("1000", "");
        let start = Instant::now();
        let mut retry = policy.begin(start);
        let late = start + Duration::from_secs(5);
        assert_eq!(policy.next(&mut retry, late, 0), RetryStep::GiveUp);
    }
}
