//! Wall-clock rotation, aligned to local midnight.
//!
//! Source: `DateTimeUtils#getNextTimeAdjustedByDay`, storage-common.

use super::super::partitioner::zone::Zone;

/// An interval counted from local midnight; the next midnight always strikes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    /// Interval; above 0.
    pub(crate) interval_ms: i64,
    /// Whose midnight.
    pub(crate) zone: Zone,
}

impl Schedule {
    /// The next strike after `now_ms`.
    pub(crate) fn next_after(self, now_ms: i64) -> i64 {
        let (midnight, next_midnight) = self.zone.day_bounds(now_ms);
        let passed = (now_ms - midnight).div_euclid(self.interval_ms);
        midnight.saturating_add((passed + 1).saturating_mul(self.interval_ms)).min(next_midnight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    #[test]
    fn strikes_are_aligned_and_capped_at_midnight() {
        let utc = Zone::Fixed { offset_ms: 0 };
        let schedule = Schedule { interval_ms: 7 * HOUR_MS, zone: utc };
        assert_eq!(schedule.next_after(0), 7 * HOUR_MS);
        assert_eq!(schedule.next_after(7 * HOUR_MS), 14 * HOUR_MS);
        assert_eq!(schedule.next_after(7 * HOUR_MS - 1), 7 * HOUR_MS);
        assert_eq!(schedule.next_after(22 * HOUR_MS), 24 * HOUR_MS);
        let east = Schedule { interval_ms: 24 * HOUR_MS, zone: Zone::Fixed { offset_ms: 2 * HOUR_MS } };
        assert_eq!(east.next_after(0), 22 * HOUR_MS);
    }

    #[test]
    fn short_and_long_days_end_at_their_own_midnight() {
        let paris = Zone::parse("Europe/Paris").unwrap();
        let schedule = Schedule { interval_ms: 24 * HOUR_MS, zone: paris };
        // 2024-03-31 has 23 hours in Paris, 2024-10-27 has 25.
        let spring = 1_711_839_600_000;
        assert_eq!(schedule.next_after(spring), spring + 23 * HOUR_MS);
        let autumn = 1_729_980_000_000;
        assert_eq!(schedule.next_after(autumn), autumn + 24 * HOUR_MS);
        assert_eq!(schedule.next_after(autumn + 24 * HOUR_MS), autumn + 25 * HOUR_MS);
    }
}
