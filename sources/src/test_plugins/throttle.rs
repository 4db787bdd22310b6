//! At most so many records per second, counted from the first poll.
//!
//! Source: `ThroughputThrottler`, Kafka 4.1: below 0 there is no limit, 0 lets one record through.

use std::time::{Duration, Instant};

/// The pace of one task.
#[derive(Debug)]
pub(super) struct Throttle {
    per_second: i64,
    start: Option<Instant>,
}

impl Throttle {
    pub(super) fn new(per_second: i64) -> Self {
        Self { per_second, start: None }
    }

    /// How many records may be made at `now` when `made` were made before; or when to ask again, if ever.
    pub(super) fn ask(&mut self, made: u64, now: Instant) -> Result<u64, Option<Instant>> {
        let start = *self.start.get_or_insert(now);
        let Ok(per_second) = u64::try_from(self.per_second) else { return Ok(u64::MAX) };
        if per_second == 0 {
            return if made == 0 { Ok(1) } else { Err(None) };
        }
        let micros = now.saturating_duration_since(start).as_micros();
        let due = micros.saturating_mul(u128::from(per_second)) / 1_000_000 + 1;
        let due = u64::try_from(due).unwrap_or(u64::MAX);
        if due > made {
            return Ok(due - made);
        }
        let micros = (u128::from(made) * 1_000_000).div_ceil(u128::from(per_second));
        let next =
            u64::try_from(micros).ok().and_then(|micros| start.checked_add(Duration::from_micros(micros)));
        Err(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_kept_and_asked_for_again_when_the_next_record_is_due() {
        let start = Instant::now();
        let mut throttle = Throttle::new(10);
        assert_eq!(throttle.ask(0, start), Ok(1));
        assert_eq!(throttle.ask(1, start), Err(Some(start + Duration::from_millis(100))));
        assert_eq!(throttle.ask(1, start + Duration::from_millis(100)), Ok(1));
        assert_eq!(throttle.ask(1, start + Duration::from_secs(1)), Ok(10));
    }

    #[test]
    fn zero_lets_one_record_through_and_less_has_no_limit() {
        let start = Instant::now();
        let mut closed = Throttle::new(0);
        assert_eq!(closed.ask(0, start), Ok(1));
        assert_eq!(closed.ask(1, start + Duration::from_secs(3600)), Err(None));
        assert_eq!(Throttle::new(-1).ask(5, start), Ok(u64::MAX));
    }
}
