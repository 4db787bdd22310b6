//! From fields that a text gave to an instant: which fields count, and what they mean when out of range.
//!
//! Source: `GregorianCalendar#computeTime` (lenient), `Calendar#selectFields`, `CalendarBuilder#establish`.

use super::calendar::{
    CUTOVER_DAY, CUTOVER_YEAR, DAY_MS, EPOCH_DAY, Moment, day_on_or_before, gregorian_day, julian_day,
};

/// Calendar fields that texts can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Era,
    Year,
    Month,
    WeekOfYear,
    WeekOfMonth,
    DayOfMonth,
    DayOfYear,
    DayOfWeek,
    DayOfWeekInMonth,
    AmPm,
    Hour,
    HourOfDay,
    Minute,
    Second,
    Millisecond,
    ZoneOffset,
    WeekYear,
}

const FIELDS: usize = 17;

/// Field values with the order in which they were set: a later field wins over an earlier one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fields {
    values: [i32; FIELDS],
    /// 0 is unset.
    stamps: [u8; FIELDS],
    next: u8,
}

/// Which fields make the date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DateBy {
    DayOfMonth,
    DayOfWeekInMonth,
    DayOfYear,
    WeekOfMonth,
    WeekOfYear,
}

impl Fields {
    pub(super) fn set(&mut self, field: Field, value: i32) {
        self.values[field as usize] = value;
        self.next = self.next.saturating_add(1);
        self.stamps[field as usize] = self.next;
    }

    /// Moves both kinds of year by a century.
    pub(super) fn add_century(&mut self) {
        for field in [Field::Year, Field::WeekYear] {
            self.values[field as usize] = self.value(field).wrapping_add(100);
        }
    }

    fn value(&self, field: Field) -> i32 {
        self.values[field as usize]
    }

    fn stamp(&self, field: Field) -> u8 {
        self.stamps[field as usize]
    }

    fn is_set(&self, field: Field) -> bool {
        self.stamp(field) > 0
    }

    /// The later stamp; unset when one of both is.
    fn both(&self, one: Field, two: Field) -> u8 {
        let (one, two) = (self.stamp(one), self.stamp(two));
        if one == 0 || two == 0 { 0 } else { one.max(two) }
    }

    /// Milliseconds since the epoch.
    pub(super) fn instant(mut self) -> i64 {
        if self.is_set(Field::WeekYear) && self.stamp(Field::WeekYear) > self.stamp(Field::Year) {
            self.settle_week_date();
        }
        self.instant_of_date()
    }

    /// As [`Fields::instant`], with no regard to a week year.
    fn instant_of_date(&self) -> i64 {
        let ms = self.ms_of_day();
        let day = self.day(ms.div_euclid(DAY_MS));
        let local = day.wrapping_sub(EPOCH_DAY).wrapping_mul(DAY_MS).wrapping_add(ms.rem_euclid(DAY_MS));
        local.wrapping_sub(i64::from(self.value(Field::ZoneOffset)))
    }

    fn ms_of_day(&self) -> i64 {
        let mut half = self.both(Field::Hour, Field::AmPm);
        let whole = self.stamp(Field::HourOfDay);
        if half.max(whole) == 0 {
            half = self.stamp(Field::Hour).max(self.stamp(Field::AmPm));
        }
        let number = |field| i64::from(self.value(field));
        let hours = if whole > 0 && whole >= half {
            number(Field::HourOfDay)
        } else {
            number(Field::Hour) + 12 * number(Field::AmPm)
        };
        let seconds = (hours * 60 + number(Field::Minute)) * 60 + number(Field::Second);
        seconds * 1_000 + number(Field::Millisecond)
    }

    /// Replaces a date by week year, week and day of the week by the day it means.
    fn settle_week_date(&mut self) {
        let mut week = if self.is_set(Field::WeekOfYear) { self.value(Field::WeekOfYear) } else { 1 };
        let mut day = if self.is_set(Field::DayOfWeek) { self.value(Field::DayOfWeek) } else { 1 };
        if day >= 8 {
            day -= 1;
            week = week.wrapping_add(day / 7);
            day = iso_to_calendar(day % 7 + 1);
        } else if day <= 0 {
            let weeks = (7 - i64::from(day)) / 7;
            week = week.wrapping_sub(weeks as i32);
            day = iso_to_calendar((i64::from(day) + 7 * weeks) as i32);
        }
        let mut first = Self::default();
        // The week year counts in the era of the date that the other fields make.
        if Moment::of(self.instant_of_date()).is_bc() {
            first.set(Field::Era, 0);
        }
        first.set(Field::Year, self.value(Field::WeekYear));
        first.set(Field::WeekOfYear, 1);
        first.set(Field::DayOfWeek, 1);
        let days = day.wrapping_sub(1).wrapping_add(week.wrapping_sub(1).wrapping_mul(7));
        let date = first.day(0).wrapping_add(i64::from(days));
        for field in [Field::Era, Field::WeekOfMonth, Field::DayOfWeekInMonth, Field::DayOfYear] {
            self.stamps[field as usize] = 0;
        }
        let moment = Moment::of((date - EPOCH_DAY).wrapping_mul(DAY_MS));
        self.set(Field::Year, moment.proleptic_year());
        self.set(Field::Month, moment.month);
        self.set(Field::DayOfMonth, moment.day);
        self.stamps[Field::WeekOfYear as usize] = 0;
    }

    fn date_by(&self) -> DateBy {
        let in_year = self.stamp(Field::WeekOfYear);
        let mut week_of_month = self.both(Field::WeekOfMonth, Field::DayOfWeek);
        let mut in_month = self.both(Field::DayOfWeekInMonth, Field::DayOfWeek);
        let mut week_of_year = self.both(Field::WeekOfYear, Field::DayOfWeek);
        let day_of_year = self.stamp(Field::DayOfYear);
        let mut day_of_month = self.stamp(Field::DayOfMonth);
        let mut best = day_of_month.max(week_of_month).max(in_month).max(day_of_year).max(week_of_year);
        if best == 0 {
            // No complete combination: a lone week or day of the week counts.
            week_of_month = self.stamp(Field::WeekOfMonth);
            in_month = self.stamp(Field::DayOfWeekInMonth).max(self.stamp(Field::DayOfWeek));
            week_of_year = in_year;
            best = week_of_month.max(in_month).max(week_of_year);
            if best == 0 {
                day_of_month = self.stamp(Field::Month);
                best = day_of_month;
            }
        }
        if best == day_of_month {
            DateBy::DayOfMonth
        } else if (best == week_of_month && self.stamp(Field::WeekOfMonth) >= in_year)
            || (best == in_month && self.stamp(Field::DayOfWeekInMonth) >= in_year)
        {
            let by_week = if week_of_month == in_month {
                self.stamp(Field::WeekOfMonth) >= self.stamp(Field::DayOfWeekInMonth)
            } else {
                best == week_of_month
            };
            if by_week { DateBy::WeekOfMonth } else { DateBy::DayOfWeekInMonth }
        } else if best == day_of_year {
            DateBy::DayOfYear
        } else {
            DateBy::WeekOfYear
        }
    }

    /// The day number of the date, `plus` days on. Days from 1582-10-15 on are Gregorian.
    fn day(&self, plus: i64) -> i64 {
        let mut year = if self.is_set(Field::Year) { i64::from(self.value(Field::Year)) } else { 1970 };
        if self.is_set(Field::Era) && self.value(Field::Era) == 0 {
            year = 1 - year;
        }
        let by = self.date_by();
        let gregorian = plus + self.day_in(year, by, gregorian_day);
        if year > CUTOVER_YEAR && gregorian >= CUTOVER_DAY {
            return gregorian;
        }
        let julian = plus + self.day_in(year, by, julian_day);
        if year < CUTOVER_YEAR && julian < CUTOVER_DAY {
            return julian;
        }
        if matches!(by, DateBy::DayOfYear | DateBy::WeekOfYear) && year == CUTOVER_YEAR {
            return julian;
        }
        let gregorian = if year < CUTOVER_YEAR { julian } else { gregorian };
        if gregorian >= CUTOVER_DAY { gregorian } else { julian }
    }

    /// The day number by one calendar's rules.
    fn day_in(&self, year: i64, by: DateBy, number: fn(i64, i32, i64) -> i64) -> i64 {
        let value = |field| i64::from(self.value(field));
        let has_day = self.is_set(Field::DayOfWeek);
        let day_of_week = if has_day { self.value(Field::DayOfWeek) } else { 1 };
        if matches!(by, DateBy::DayOfYear | DateBy::WeekOfYear) {
            let first = number(year, 0, 1);
            return match by {
                DateBy::DayOfYear => first + value(Field::DayOfYear) - 1,
                _ => first_week(first, has_day, day_of_week) + 7 * (value(Field::WeekOfYear) - 1),
            };
        }
        let month = self.value(Field::Month);
        let years = (year as i32).wrapping_add(month.div_euclid(12));
        let (year, month) = (i64::from(years), month.rem_euclid(12));
        let first = number(year, month, 1);
        match by {
            DateBy::WeekOfMonth => {
                let weeks = self.value(Field::WeekOfMonth).wrapping_sub(1);
                first_week(first, has_day, day_of_week) + i64::from(weeks.wrapping_mul(7))
            }
            DateBy::DayOfWeekInMonth => {
                let which = if self.is_set(Field::DayOfWeekInMonth) {
                    self.value(Field::DayOfWeekInMonth)
                } else {
                    1
                };
                let days = |weeks: i32| i64::from(weeks.wrapping_mul(7));
                if which >= 0 {
                    return day_on_or_before(first + days(which) - 1, day_of_week);
                }
                let next = if month == 11 { number(year + 1, 0, 1) } else { number(year, month + 1, 1) };
                day_on_or_before(next - 1 + days(which + 1), day_of_week)
            }
            _ if self.is_set(Field::DayOfMonth) => first + value(Field::DayOfMonth) - 1,
            _ => first,
        }
    }
}

/// The given day (Sunday by default) of the week that holds day `first`.
fn first_week(first: i64, has_day: bool, day_of_week: i32) -> i64 {
    let mut sunday = day_on_or_before(first + 6, 1);
    if sunday > first {
        sunday -= 7;
    }
    if has_day { day_on_or_before(sunday + 6, day_of_week) } else { sunday }
}

/// A day of the week counted from Monday as 1 in the calendar's count from Sunday as 1.
pub(super) fn iso_to_calendar(day: i32) -> i32 {
    match day {
        7 => 1,
        1..=6 => day + 1,
        _ => day,
    }
}
