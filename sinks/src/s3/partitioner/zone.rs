//! Time zones by Joda-Time id, and Joda's conversions between UTC and local time.
//!
//! Source: `DateTimeZone#forID`, `DateTimeZone#convertLocalToUTC(long, strict = false)`, Joda-Time 2.13.

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::{OffsetComponents, Tz};

use super::joda::{Day, first_of_year};

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
    /// The zone of `id`: `UTC`, a region as `Europe/Paris`, or an offset as `+02:00`, `-0330`, `+02`,
    /// `GMT+02`, `UTC-03:30`.
    pub(crate) fn parse(id: &str) -> Option<Self> {
        if matches!(id, "UTC" | "UT" | "Z") {
            return Some(Self::Fixed { offset_ms: 0 });
        }
        if let Ok(region) = id.parse() {
            return Some(Self::Region(region));
        }
        let offset = ["UTC", "GMT", "UT"].iter().find_map(|prefix| id.strip_prefix(prefix)).unwrap_or(id);
        parse_offset(offset).map(|offset_ms| Self::Fixed { offset_ms })
    }

    /// Milliseconds east of UTC at `utc_ms`.
    pub(crate) fn offset_ms(self, utc_ms: i64) -> i64 {
        match self {
            Self::Fixed { offset_ms } => offset_ms,
            Self::Region(tz) => i64::from(offset_at(tz, utc_ms).fix().local_minus_utc()) * 1000,
        }
    }

    /// Whether the clock at `utc_ms` shows standard time.
    pub(super) fn is_standard(self, utc_ms: i64) -> bool {
        match self {
            Self::Fixed { .. } => true,
            Self::Region(tz) => offset_at(tz, utc_ms).dst_offset().is_zero(),
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
        let local = utc_ms + self.offset_ms(utc_ms);
        let midnight = local.div_euclid(DAY_MS) * DAY_MS;
        (self.local_to_utc(midnight), self.local_to_utc(midnight + DAY_MS))
    }
}

fn offset_at(tz: Tz, utc_ms: i64) -> <Tz as TimeZone>::Offset {
    let utc_ms = if utc_ms < TABLE_END_MS { utc_ms } else { like_year(utc_ms) };
    // Before the calendar of chrono nobody had rules.
    let utc = DateTime::from_timestamp_millis(utc_ms).unwrap_or(DateTime::<chrono::Utc>::MIN_UTC);
    tz.offset_from_utc_datetime(&utc.naive_utc())
}

/// A time for which there are rules instead of one behind them. Joda-Time goes on with the last rules for
/// ever; they speak of months and days of the week, so a year is like any other that has as many days and
/// begins with the same one.
fn like_year(utc_ms: i64) -> i64 {
    let year = Day::after_epoch(utc_ms.div_euclid(DAY_MS)).year;
    let (first, length) = (first_of_year(year), first_of_year(year + 1) - first_of_year(year));
    let like = (FIRST_LIKE_YEAR..FIRST_LIKE_YEAR + 28).find(|like| {
        let of_like = first_of_year(*like);
        first_of_year(like + 1) - of_like == length && (first - of_like) % 7 == 0
    });
    let like = like.expect("28 years in a row have all kinds of years");
    utc_ms - (first - first_of_year(like)) * DAY_MS
}

/// Milliseconds of `+hh`, `+hhmm`, `+hhmmss`, `+hhmmssSSS`, or the same with colons and a dot.
///
/// Source: `TimeZoneOffset#parseInto` with one to four fields, Joda-Time 2.13.
fn parse_offset(id: &str) -> Option<i64> {
    let (sign, mut rest) = match id.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let has_separators = rest.get(2..3) == Some(":");
    let mut total_ms = 0;
    for (number, (limit, unit_ms)) in [(24, 3_600_000), (60, 60_000), (60, 1000)].into_iter().enumerate() {
        if number > 0 {
            if rest.is_empty() {
                return Some(sign * total_ms);
            }
            rest = if has_separators { rest.strip_prefix(':')? } else { rest };
        }
        let (field, behind) = rest.split_at_checked(2)?;
        let value = digits(field).filter(|value| *value < limit)?;
        total_ms += value * unit_ms;
        rest = behind;
    }
    if !rest.is_empty() {
        let fraction = if has_separators { rest.strip_prefix(['.', ','])? } else { rest };
        if fraction.len() > 3 {
            return None;
        }
        total_ms += digits(&format!("{fraction:0<3}")).filter(|_| !fraction.is_empty())?;
    }
    Some(sign * total_ms)
}

fn digits(text: &str) -> Option<i64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

const DAY_MS: i64 = 86_400_000;
/// 2099-01-01; the rules of the tables end in 2100.
const TABLE_END_MS: i64 = 4_070_908_800_000;
const FIRST_LIKE_YEAR: i64 = 2071;

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
