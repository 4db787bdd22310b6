//! Time zones by Joda-Time id, and Joda's conversions between UTC and local time.
//!
//! Source: `DateTimeZone#forID`, `DateTimeZone#convertLocalToUTC(long, strict = false)`, Joda-Time 2.13.

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;

/// A time zone. Times are milliseconds since the epoch; local times are the same count on the zone's wall
/// clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zone {
    /// Always this far from UTC.
    Fixed {
        /// Milliseconds east of UTC.
        offset_ms: i64,
    },
    /// A region with rules.
    Region(Tz),
}

impl Zone {
    /// The zone of `id`: `UTC`, a region as `Europe/Paris`, or an offset as `+02:00`, `-0330`, `+02`.
    pub(crate) fn parse(id: &str) -> Option<Self> {
        if id == "UTC" || id == "Z" {
            return Some(Self::Fixed { offset_ms: 0 });
        }
        if id.starts_with(['+', '-']) {
            return parse_offset(id).map(|offset_ms| Self::Fixed { offset_ms });
        }
        id.parse().ok().map(Self::Region)
    }

    /// Milliseconds east of UTC at `utc_ms`.
    pub(crate) fn offset_ms(self, utc_ms: i64) -> i64 {
        match self {
            Self::Fixed { offset_ms } => offset_ms,
            Self::Region(tz) => DateTime::from_timestamp_millis(utc_ms).map_or(0, |utc| {
                let offset = tz.offset_from_utc_datetime(&utc.naive_utc()).fix();
                i64::from(offset.local_minus_utc()) * 1000
            }),
        }
    }

    /// The UTC time of a local time; times in a gap move forward by its length, as Joda's lenient conversion
    /// does.
    pub(crate) fn local_to_utc(self, local_ms: i64) -> i64 {
        let offset_local = self.offset_ms(local_ms);
        let offset = self.offset_ms(local_ms - offset_local);
        // West of UTC the second look can be on the far side of a transition; Joda then keeps the first
        // offset.
        let in_gap = offset_local < 0
            && offset != offset_local
            && self.offset_ms(local_ms - offset) != self.offset_ms(local_ms - offset_local);
        local_ms - if in_gap { offset_local } else { offset }
    }

    /// Midnight (or the first instant of the local day) at or before `utc_ms`, and that of the next day.
    pub(crate) fn day_bounds(self, utc_ms: i64) -> (i64, i64) {
        const DAY_MS: i64 = 86_400_000;
        let local = utc_ms + self.offset_ms(utc_ms);
        let midnight = local.div_euclid(DAY_MS) * DAY_MS;
        (self.local_to_utc(midnight), self.local_to_utc(midnight + DAY_MS))
    }
}

/// Milliseconds of `+hh`, `+hhmm` or `+hh:mm`, with optional seconds.
fn parse_offset(id: &str) -> Option<i64> {
    let sign = if id.starts_with('-') { -1 } else { 1 };
    let digits: String = id[1..].chars().filter(|c| *c != ':').collect();
    let well_formed = digits.bytes().all(|byte| byte.is_ascii_digit()) && matches!(digits.len(), 2 | 4 | 6);
    let colons = id.matches(':').count();
    if !well_formed || (colons != 0 && colons != digits.len() / 2 - 1) {
        return None;
    }
    let field = |at: usize| digits.get(at..at + 2).map_or(Some(0), |text| text.parse::<i64>().ok());
    let (hours, minutes, seconds) = (field(0)?, field(2)?, field(4)?);
    (hours < 24 && minutes < 60 && seconds < 60)
        .then_some(sign * ((hours * 60 + minutes) * 60 + seconds) * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
    }

    #[test]
    fn ids_are_jodas() {
        assert_eq!(Zone::parse("+02:00"), Some(Zone::Fixed { offset_ms: 7_200_000 }));
        assert_eq!(Zone::parse("-0330"), Some(Zone::Fixed { offset_ms: -12_600_000 }));
        assert_eq!(Zone::parse("+02"), Some(Zone::Fixed { offset_ms: 7_200_000 }));
        assert!(matches!(Zone::parse("Europe/Paris"), Some(Zone::Region(_))));
        for bad in ["", "+2", "+0a:00", "+02:60", "Mars/Base", "+02:0:0"] {
            assert_eq!(Zone::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn local_times_in_gaps_move_forward() {
        let paris = Zone::parse("Europe/Paris").unwrap();
        assert_eq!(paris.local_to_utc(utc("2024-03-31T02:30:00Z")), utc("2024-03-31T01:30:00Z"));
        let new_york = Zone::parse("America/New_York").unwrap();
        assert_eq!(new_york.local_to_utc(utc("2024-03-10T02:30:00Z")), utc("2024-03-10T07:30:00Z"));
        assert_eq!(new_york.local_to_utc(utc("2024-11-03T01:30:00Z")), utc("2024-11-03T05:30:00Z"));
    }

    #[test]
    fn days_have_23_and_25_hours_when_the_clock_changes() {
        let paris = Zone::parse("Europe/Paris").unwrap();
        let (start, end) = paris.day_bounds(utc("2024-03-31T12:00:00Z"));
        assert_eq!((start, end - start), (utc("2024-03-30T23:00:00Z"), 23 * 3_600_000));
        let (start, end) = paris.day_bounds(utc("2024-10-27T12:00:00Z"));
        assert_eq!((start, end - start), (utc("2024-10-26T22:00:00Z"), 25 * 3_600_000));
    }
}
