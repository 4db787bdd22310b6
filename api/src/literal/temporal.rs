//! Dates and times as ISO texts, read as leniently as Java reads them.
//!
//! Source: `SimpleDateFormat` with `yyyy-MM-dd` and `HH:mm:ss.SSS'Z'` in UTC, `GregorianCalendar` (Julian
//! before 15 October 1582), JDK 17.

use crate::rows::DAY_MS;

/// Reads `yyyy-MM-dd` from the beginning of `text`, as ms since the epoch. Fields may have any number of
/// digits and roll over; what follows them is ignored.
pub(super) fn date(text: &str) -> Option<i64> {
    let mut rest = text;
    let fields = date_fields(&mut rest)?;
    Some(fields.ms(0))
}

/// Reads `HH:mm:ss.SSS'Z'`.
pub(super) fn time(text: &str) -> Option<i64> {
    let mut rest = text;
    let ms = time_of_day(&mut rest)?;
    Some(Date { year: 1970, month: 1, day: 1 }.ms(ms))
}

/// Reads `yyyy-MM-dd'T'HH:mm:ss.SSS'Z'`.
pub(super) fn timestamp(text: &str) -> Option<i64> {
    let mut rest = text;
    let fields = date_fields(&mut rest)?;
    literal(&mut rest, 'T')?;
    Some(fields.ms(time_of_day(&mut rest)?))
}

/// The text form of a date value.
///
/// Source: `Values#dateFormatFor`: the first day and everything before it are times of day.
pub(super) fn to_text(ms: i64) -> String {
    let time = ms.rem_euclid(DAY_MS);
    let clock = || {
        let (seconds, fraction) = (time / 1000, time % 1000);
        format!("{:02}:{:02}:{:02}.{fraction:03}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
    };
    if ms < DAY_MS {
        return clock();
    }
    let (year, month, day) = civil(ms.div_euclid(DAY_MS));
    let date = format!("{year:04}-{month:02}-{day:02}");
    if time == 0 { date } else { format!("{date}T{}", clock()) }
}

/// A lenient date: every field of any size.
#[derive(Clone, Copy)]
struct Date {
    year: i32,
    month: i32,
    day: i32,
}

impl Date {
    /// Milliseconds since the epoch of this date plus `time` ms.
    fn ms(self, time: i64) -> i64 {
        // Days that the time of day rolls over to decide the calendar, too.
        let extra = time.div_euclid(DAY_MS);
        let month = i64::from(self.month) - 1;
        let (year, month) = (i64::from(self.year) + month.div_euclid(12), month.rem_euclid(12));
        let rest = i64::from(self.day) - 1 + extra;
        let gregorian = gregorian_days(year, month) + rest;
        let julian = julian_days(year, month) + rest;
        // Java looks at the year before months rolled over.
        let days = if self.year > CUTOVER_YEAR {
            if gregorian >= CUTOVER_DAYS { gregorian } else { by_both(gregorian, julian) }
        } else if self.year < CUTOVER_YEAR {
            if julian < CUTOVER_DAYS { julian } else { by_both(julian, julian) }
        } else {
            by_both(gregorian, julian)
        };
        days.wrapping_mul(DAY_MS).wrapping_add(time.rem_euclid(DAY_MS))
    }
}

fn by_both(gregorian: i64, julian: i64) -> i64 {
    if gregorian >= CUTOVER_DAYS { gregorian } else { julian }
}

/// Days from the epoch to the first of `month` (from 0) in the Gregorian calendar.
fn gregorian_days(year: i64, month: i64) -> i64 {
    let (year, month) = from_march(year, month);
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + month - MARCH_OF_YEAR_0
}

/// The same in the Julian calendar, which is two days behind in year 0.
fn julian_days(year: i64, month: i64) -> i64 {
    let (year, month) = from_march(year, month);
    365 * year + year.div_euclid(4) + month - MARCH_OF_YEAR_0 - 2
}

/// The year that begins in March, and the days from there to the first of the month.
fn from_march(year: i64, month: i64) -> (i64, i64) {
    let shifted = (month + 10) % 12;
    (if month < 2 { year - 1 } else { year }, (153 * shifted + 2) / 5)
}

/// Gregorian year, month and day of a day since the epoch, which is not before 1970.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + MARCH_OF_YEAR_0;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

fn date_fields(rest: &mut &str) -> Option<Date> {
    let year = number(rest)?;
    literal(rest, '-')?;
    let month = number(rest)?;
    literal(rest, '-')?;
    // The month is counted from 0 in 32 bits before it rolls over.
    Some(Date { year, month: month.wrapping_sub(1).saturating_add(1), day: number(rest)? })
}

fn time_of_day(rest: &mut &str) -> Option<i64> {
    let hour = i64::from(number(rest)?);
    literal(rest, ':')?;
    let minute = i64::from(number(rest)?);
    literal(rest, ':')?;
    let second = i64::from(number(rest)?);
    literal(rest, '.')?;
    let ms = i64::from(number(rest)?);
    literal(rest, 'Z')?;
    Some(((hour * 60 + minute) * 60 + second) * 1000 + ms)
}

fn literal(rest: &mut &str, expected: char) -> Option<()> {
    *rest = rest.strip_prefix(expected)?;
    Some(())
}

/// Reads an integer as `DecimalFormat` does: blanks before it, a minus, an exponent (`1E3`), no limit of
/// digits; cut to 32 bits.
fn number(rest: &mut &str) -> Option<i32> {
    let text = rest.trim_start_matches([' ', '\t']);
    if let Some(after) = text.strip_prefix("NaN") {
        *rest = after;
        return Some(0);
    }
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |unsigned| (true, unsigned));
    if let Some(after) = text.strip_prefix('\u{221e}') {
        *rest = after;
        return Some(if negative { i32::MIN } else { i32::MAX });
    }
    let digits = text.len() - text.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
    if digits == 0 {
        return None;
    }
    let (mantissa, mut after) = text.split_at(digits);
    let mut exponent = 0;
    if let Some(tail) = after.strip_prefix('E') {
        let (minus, unsigned) = match tail.strip_prefix('-') {
            Some(unsigned) => (true, unsigned),
            None => (false, tail),
        };
        let end = unsigned.len() - unsigned.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
        if end > 0 {
            // Texts are at most 24 units long, so a long exponent is beyond any number anyway.
            let size = unsigned[..end].parse::<i64>().unwrap_or(i64::MAX).min(100_000);
            exponent = if minus { -size } else { size };
            after = &unsigned[end..];
        }
    }
    *rest = after;
    let value = scaled(mantissa, exponent);
    Some((if negative { value.wrapping_neg() } else { value }) as i32)
}

/// `mantissa` × 10^`exponent`, truncated; saturates at 64 bits.
fn scaled(mantissa: &str, exponent: i64) -> i64 {
    let digits = mantissa.trim_start_matches('0');
    if digits.is_empty() {
        return 0;
    }
    let whole = digits.len() as i64 + exponent;
    if whole <= 0 {
        return 0;
    }
    if whole > 19 {
        return i64::MAX;
    }
    let mut text = String::from(&digits[..digits.len().min(whole as usize)]);
    text.extend(std::iter::repeat_n('0', (whole as usize).saturating_sub(digits.len())));
    text.parse().unwrap_or(i64::MAX)
}

/// Days from 1 March of year 0 to the epoch.
const MARCH_OF_YEAR_0: i64 = 719_468;
/// 15 October 1582.
const CUTOVER_DAYS: i64 = -141_427;
const CUTOVER_YEAR: i32 = 1582;
