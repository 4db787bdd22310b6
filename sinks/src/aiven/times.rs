//! The variable `timestamp`: the texts of its units at a time.
//!
//! Source: `StableTimeFormatter`, `TimestampSource` of the Aiven connectors.

use chrono::{DateTime, Datelike, Timelike};

use super::template::Unit;
use crate::s3::partitioner::zone::Zone;

/// Between the texts of units.
pub(super) const UNIT_MARK: char = '/';

/// The texts of `units` at `utc_ms`, joined.
pub(super) fn text(units: &[Unit], zone: Zone, utc_ms: i64) -> String {
    let local = DateTime::from_timestamp_millis(utc_ms.saturating_add(zone.offset_ms(utc_ms)));
    // Beyond the calendar of 260 000 years.
    let local = local.unwrap_or_default();
    let unit = |unit: &Unit| match unit {
        Unit::Day => format!("{:02}", local.day()),
        Unit::Hour => format!("{:02}", local.hour()),
        Unit::Month => format!("{:02}", local.month()),
        // The year of the era.
        Unit::Year => format!("{:04}", local.year_ce().1),
    };
    units.iter().map(unit).collect::<Vec<String>>().join(&UNIT_MARK.to_string())
}

/// The day at `utc_ms` as `2024-02-29`.
pub(super) fn day(utc_ms: i64) -> String {
    DateTime::from_timestamp_millis(utc_ms).unwrap_or_default().format("%Y-%m-%d").to_string()
}

/// From `utc_ms` on, until when every unit stays the same at least: the end of the quarter of an hour, at
/// which all zones change.
pub(super) fn stretch(utc_ms: i64) -> std::ops::Range<i64> {
    const QUARTER_MS: i64 = 900_000;
    let start = utc_ms.div_euclid(QUARTER_MS) * QUARTER_MS;
    start..start.saturating_add(QUARTER_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aiven::config::validators::zone;

    #[test]
    fn units_are_those_of_the_zone() {
        let all = [Unit::Year, Unit::Month, Unit::Day, Unit::Hour];
        let at = |id: &str| text(&all, zone(id).unwrap(), 1_709_164_799_999);
        assert_eq!(at("Z"), "2024/02/28/23");
        assert_eq!(at("UTC+1"), "2024/02/29/00");
        assert_eq!(at("Asia/Kolkata"), "2024/02/29/05");
        assert_eq!(text(&[Unit::Hour, Unit::Hour], zone("-02:30").unwrap(), 0), "21/21");
        assert_eq!(day(1_709_164_799_999), "2024-02-28");
    }
}
