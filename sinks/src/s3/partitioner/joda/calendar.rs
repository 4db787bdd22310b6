//! Days to years, months and weeks, for all times that 64 bits of milliseconds can say.
//!
//! Source: the proleptic Gregorian calendar of ISO 8601, as Joda-Time's `ISOChronology` has it.

/// A day.
#[derive(Clone, Copy, Debug)]
pub(in crate::s3::partitioner) struct Day {
    /// Astronomical: year 0 comes before year 1.
    pub(in crate::s3::partitioner) year: i64,
    /// 1 to 12.
    pub(super) month: usize,
    /// 1 to 31.
    pub(super) day: i64,
    /// 1 to 366.
    pub(super) ordinal: i64,
    /// Monday is 1.
    pub(super) weekday: i64,
}

impl Day {
    /// The day `days` after 1970-01-01.
    pub(in crate::s3::partitioner) fn after_epoch(days: i64) -> Self {
        // Years begin with March, so that the leap day is the last one of its year.
        let shifted = days + DAYS_TO_EPOCH;
        let era = shifted.div_euclid(ERA_DAYS);
        let of_era = shifted.rem_euclid(ERA_DAYS);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        Self {
            year,
            month: usize::try_from(month).expect("months are 1 to 12"),
            day,
            ordinal: days - first_of_year(year) + 1,
            weekday: (days + 3).rem_euclid(7) + 1,
        }
    }

    /// The year and the number of its ISO week, which begins on Monday.
    pub(super) fn week(&self) -> (i64, i64) {
        let week = (self.ordinal - self.weekday + 10) / 7;
        if week < 1 {
            return (self.year - 1, weeks_in(self.year - 1));
        }
        if week > weeks_in(self.year) { (self.year + 1, 1) } else { (self.year, week) }
    }
}

/// Days from 1970-01-01 to January 1st of `year`.
pub(in crate::s3::partitioner) fn first_of_year(year: i64) -> i64 {
    let before = year - 1;
    365 * before + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400) - DAYS_FROM_YEAR_1
}

fn weeks_in(year: i64) -> i64 {
    let weekday = (first_of_year(year) + 3).rem_euclid(7) + 1;
    let is_leap = first_of_year(year + 1) - first_of_year(year) == 366;
    if weekday == 4 || (is_leap && weekday == 3) { 53 } else { 52 }
}

const ERA_DAYS: i64 = 146_097;
/// From March 1st of year 0.
const DAYS_TO_EPOCH: i64 = 719_468;
/// From January 1st of year 1.
const DAYS_FROM_YEAR_1: i64 = 719_162;
