//! When the next token is fetched, and how often a fetch is repeated.
//!
//! Source: `ExpiringCredentialRefreshingLogin#refreshMs`, `Retry`, Kafka 4.1.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime};

/// `sasl.login.refresh.*`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Refresh {
    /// Share of a token's life after which the next one is fetched.
    pub(super) factor: f64,
    /// At most so much is added to the share, at random.
    pub(super) jitter: f64,
    /// No sooner than this after the last fetch.
    pub(super) period: Duration,
    /// No later than this before the token's end.
    pub(super) buffer: Duration,
}

impl Refresh {
    /// How long after `now` the next token is fetched; `random` is from 0 to 1.
    pub(super) fn after(
        self,
        now: SystemTime,
        issued: Option<SystemTime>,
        expires: SystemTime,
        random: f64,
    ) -> Duration {
        let share = self.factor + self.jitter * random;
        let part = |from: SystemTime| {
            let life = expires.duration_since(from).unwrap_or_default();
            from + life.mul_f64(share)
        };
        let left = expires.duration_since(now).unwrap_or_default();
        let at = if self.period + self.buffer > left {
            // Both cannot be kept.
            part(now)
        } else {
            part(issued.unwrap_or(now)).min(expires - self.buffer).max(now + self.period)
        };
        at.duration_since(now).unwrap_or_default()
    }
}

/// `sasl.login.retry.backoff.ms` and its `max`, which bounds the whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Retry {
    pub(super) backoff: Duration,
    pub(super) max: Duration,
}

impl Retry {
    /// The pause after the attempt of this number, counted from 1, when `elapsed` has passed since the
    /// first one began; `None` ends it.
    pub(super) fn pause(self, attempt: u32, elapsed: Duration) -> Option<Duration> {
        let factor = 1u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        let pause = self.backoff.saturating_mul(factor).min(self.max.saturating_sub(elapsed));
        (!pause.is_zero()).then_some(pause)
    }
}

/// From 0 to 1.
pub(super) fn random() -> f64 {
    // A fresh hasher is seeded at random.
    f64::from(u16::try_from(RandomState::new().hash_one(0) & 0xffff).unwrap_or_default())
        / f64::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn after(issued: Option<u64>, expires: u64, random: f64) -> u64 {
        let refresh = Refresh {
            factor: 0.8,
            jitter: 0.05,
            period: Duration::from_secs(60),
            buffer: Duration::from_secs(300),
        };
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        refresh.after(at(10_000), issued.map(at), at(expires), random).as_secs()
    }

    #[test]
    fn tokens_are_replaced_within_their_window() {
        assert_eq!(after(None, 20_000, 0.0), 8_000);
        assert_eq!(after(None, 20_000, 1.0), 8_500);
        // Issued a while ago.
        assert_eq!(after(Some(9_000), 19_000, 0.0), 7_000);
        // The share ends within the last five minutes, or within the first one.
        assert_eq!(after(None, 11_000, 0.0), 700);
        assert_eq!(after(Some(1_000), 10_500, 0.0), 60);
        // No room for both: a share of what is left.
        assert_eq!(after(None, 10_100, 0.0), 80);
        assert_eq!(after(None, 9_000, 0.0), 0);
    }

    #[test]
    fn pauses_double_and_end_with_the_whole() {
        let retry = Retry { backoff: Duration::from_millis(100), max: Duration::from_millis(1_000) };
        let pause = |attempt, elapsed| {
            retry.pause(attempt, Duration::from_millis(elapsed)).map(|pause| pause.as_millis())
        };
        assert_eq!(pause(1, 0), Some(100));
        assert_eq!(pause(3, 300), Some(400));
        assert_eq!(pause(4, 700), Some(300));
        assert_eq!(pause(5, 1_000), None);
        assert_eq!(pause(90, 0), Some(1_000));
        let none = Retry { backoff: Duration::ZERO, max: Duration::from_secs(1) };
        assert_eq!(none.pause(1, Duration::ZERO), None);
    }

    #[test]
    fn the_random_share_stays_a_share() {
        assert!((0..100).all(|_| (0.0..=1.0).contains(&random())));
    }
}
