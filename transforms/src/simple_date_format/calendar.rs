//! Instants as calendar fields, in Java's calendar: Julian before 1582-10-15, Gregorian from then on.
//!
//! Days are counted from 1 January of the year 1 (Gregorian), which is day 1 and a Monday.

/// Milliseconds of a day.
pub(super) const DAY_MS: i64 = 86_400_000;
/// Day number of 1970-01-01.
pub(super) const EPOCH_DAY: i64 = 719_163;
/// Day number of 1582-10-15, the first Gregorian day.
pub(super) const CUTOVER_DAY: i64 = 577_736;
/// The year in which the calendar changes.
pub(super) const CUTOVER_YEAR: i64 = 1582;

/// The date fields and the time of day of an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// Day number.
    pub(super) fixed: i64,
    /// 0 is 1 BC.
    year: i64,
    /// 0 to 11.
    pub(super) month: i32,
    /// 1 to 31.
    pub(super) day: i32,
    pub(super) ms_of_day: i32,
}

impl Moment {
    pub(super) fn of(ms: i64) -> Self {
        let fixed = ms.div_euclid(DAY_MS) + EPOCH_DAY;
        let (year, month, day) = if fixed >= CUTOVER_DAY { gregorian(fixed) } else { julian(fixed) };
        Self { fixed, year, month, day, ms_of_day: ms.rem_euclid(DAY_MS) as i32 }
    }

    pub(super) fn proleptic_year(&self) -> i32 {
        self.year as i32
    }

    pub(super) fn is_bc(&self) -> bool {
        self.year <= 0
    }

    pub(super) fn year_of_era(&self) -> i64 {
        if self.year > 0 { self.year } else { 1 - self.year }
    }

    /// 1 is Sunday.
    pub(super) fn day_of_week(&self) -> i32 {
        self.fixed.rem_euclid(7) as i32 + 1
    }

    pub(super) fn day_of_year(&self) -> i32 {
        (self.fixed - self.first_of_year()) as i32 + 1
    }

    pub(super) fn day_of_week_in_month(&self) -> i32 {
        (self.fixed - self.first_of_month()) as i32 / 7 + 1
    }

    pub(super) fn week_of_month(&self) -> i32 {
        week(self.first_of_month(), self.fixed)
    }

    pub(super) fn week_of_year(&self) -> i32 {
        // A week that reaches into the next year is its first; weeks start on Sunday and may be short.
        let week = week(self.first_of_year(), self.fixed);
        if week >= 52 && self.year != CUTOVER_YEAR {
            let next = first_of(self.year + 1);
            let first_sunday = sunday_on_or_before(next + 6);
            if first_sunday > next && self.fixed >= first_sunday - 7 {
                return 1;
            }
        }
        week
    }

    pub(super) fn week_year(&self) -> i64 {
        let is_next = if self.year > 0 { self.week_of_year() == 1 } else { self.is_in_next_bc_year() };
        if self.month == 11 && is_next { self.year + 1 } else { self.year }
    }

    /// Whether the week counts for the next year, before Christ: Java looks at the wrong first of January.
    fn is_in_next_bc_year(&self) -> bool {
        let next = julian_day(-self.year, 0, 1);
        let until_sunday = (sunday_on_or_before(next + 6) - next) as i32;
        let length = if self.year.rem_euclid(4) == 0 { 366 } else { 365 };
        until_sunday > 0 && length - self.day_of_year() < 7 - until_sunday
    }

    fn first_of_year(&self) -> i64 {
        first_of(self.year)
    }

    fn first_of_month(&self) -> i64 {
        let in_cutover = self.year == CUTOVER_YEAR && self.month == 9 && self.fixed >= CUTOVER_DAY;
        // October 1582 had 21 days: after the 4th came the 15th.
        if in_cutover { CUTOVER_DAY - 4 } else { self.fixed - i64::from(self.day) + 1 }
    }
}

/// Day number of the first of January; that of 1582 is Julian.
fn first_of(year: i64) -> i64 {
    if year > CUTOVER_YEAR { gregorian_day(year, 0, 1) } else { julian_day(year, 0, 1) }
}

/// The number of the week of `fixed` in the year or month that starts on day `first`.
fn week(first: i64, fixed: i64) -> i32 {
    let mut sunday = sunday_on_or_before(first + 6);
    if sunday > first {
        sunday -= 7;
    }
    (fixed - sunday).div_euclid(7) as i32 + 1
}

fn sunday_on_or_before(fixed: i64) -> i64 {
    day_on_or_before(fixed, 1)
}

/// The last day up to `fixed` that is the given day of the week (1 is Sunday).
pub(super) fn day_on_or_before(fixed: i64, day_of_week: i32) -> i64 {
    fixed - (fixed - (i64::from(day_of_week) - 1)).rem_euclid(7)
}

pub(super) fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Day number of a Gregorian date; `month` from 0 to 11.
pub(super) fn gregorian_day(year: i64, month: i32, day: i64) -> i64 {
    let prior = year - 1;
    let leaps = prior.div_euclid(4) - prior.div_euclid(100) + prior.div_euclid(400);
    let leap = year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0);
    prior * 365 + leaps + days_before(month, leap) + day
}

/// Day number of a Julian date; `month` from 0 to 11.
pub(super) fn julian_day(year: i64, month: i32, day: i64) -> i64 {
    let prior = year - 1;
    prior * 365 + prior.div_euclid(4) + days_before(month, year.rem_euclid(4) == 0) + day - 2
}

/// Days of the year before the first of `month`.
fn days_before(month: i32, leap: bool) -> i64 {
    let month = i64::from(month) + 1;
    let days = (367 * month - 362) / 12;
    match (month > 2, leap) {
        (false, _) => days,
        (true, true) => days - 1,
        (true, false) => days - 2,
    }
}

fn gregorian(fixed: i64) -> (i64, i32, i32) {
    // Years from March on, so that the leap day is the last of a year; day 0 is 1 March of the year 0.
    let from_march = fixed + 305;
    let era = from_march.div_euclid(146_097);
    let day = from_march.rem_euclid(146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    from_day_of_march_year(year + era * 400, day - (365 * year + year / 4 - year / 100))
}

fn julian(fixed: i64) -> (i64, i32, i32) {
    let from_march = fixed + 307;
    let era = from_march.div_euclid(1_461);
    let day = from_march.rem_euclid(1_461);
    let year = (day - day / 1_460) / 365;
    from_day_of_march_year(year + era * 4, day - 365 * year)
}

fn from_day_of_march_year(year: i64, day: i64) -> (i64, i32, i32) {
    let march_month = (5 * day + 2) / 153;
    let day = day - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 2 } else { march_month - 10 };
    (if month < 2 { year + 1 } else { year }, month as i32, day as i32)
}
