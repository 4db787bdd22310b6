//! Texts as times: millisecond numbers, or ISO-8601 as Joda's `dateTimeParser` reads it.
//!
//! Source: `RecordFieldTimestampExtractor`, `ISODateTimeFormat#dateTimeParser`. No offset means UTC.

use chrono::{Datelike, NaiveDate, Weekday};

/// Milliseconds since the epoch; `None` when `text` is no time.
pub(super) fn parse(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if (1..=19).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    // Joda compares its literals in any case.
    let text = text.to_ascii_uppercase();
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text.as_str(), None),
    };
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).expect("1970-01-01 is a date");
    let day = if date.is_empty() && time.is_some() { epoch } else { parse_date(date)? };
    let days = i64::from(day.num_days_from_ce()) - i64::from(epoch.num_days_from_ce());
    let (of_day_ms, offset_ms) = match time {
        Some(time) => parse_time(time, date)?,
        None => (0, 0),
    };
    Some(days * 86_400_000 + of_day_ms - offset_ms)
}

/// `yyyy`, `yyyy-MM`, `yyyy-MM-dd`, `yyyy-DDD`, `yyyy-Www` or `yyyy-Www-e`.
fn parse_date(text: &str) -> Option<NaiveDate> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut fields = rest.split('-');
    let year = sign * i32::try_from(number(fields.next()?, 1..=6)?).ok()?;
    let second = fields.next();
    let third = fields.next();
    if fields.next().is_some() {
        return None;
    }
    match (second, third) {
        (None, None) => NaiveDate::from_ymd_opt(year, 1, 1),
        (Some(week), day) if week.starts_with('W') => {
            let weekday = day.map_or(Some(1), |day| number(day, 1..=1))?;
            let weekday = Weekday::try_from(u8::try_from(weekday.checked_sub(1)?).ok()?).ok()?;
            NaiveDate::from_isoywd_opt(year, number(&week[1..], 1..=2)?, weekday)
        }
        (Some(ordinal), None) if ordinal.len() == 3 => NaiveDate::from_yo_opt(year, number(ordinal, 3..=3)?),
        (Some(month), day) => {
            let day = day.map_or(Some(1), |day| number(day, 1..=2))?;
            NaiveDate::from_ymd_opt(year, number(month, 1..=2)?, day)
        }
        (None, Some(_)) => None,
    }
}

/// `HH[:mm[:ss]]` with an optional fraction of the last of them and an optional offset: milliseconds of the
/// day and of the offset. Behind a `date` there may be an offset alone, or nothing.
fn parse_time(text: &str, date: &str) -> Option<(i64, i64)> {
    let end = text.find(['Z', '+', '-']).unwrap_or(text.len());
    let (clock, offset) = text.split_at(end);
    let offset_ms = parse_offset(offset)?;
    if clock.is_empty() && !date.is_empty() {
        return Some((0, offset_ms));
    }
    let (whole, fraction) = match clock.split_once(['.', ',']) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (clock, None),
    };
    let mut fields = whole.split(':');
    let (mut total, mut last_ms) = (0, None);
    for (limit, unit_ms) in [(24, 3_600_000), (60, 60_000), (60, 1000)] {
        let Some(field) = fields.next() else { break };
        let value = i64::from(number(field, 1..=2)?);
        if value >= limit {
            return None;
        }
        total += value * unit_ms;
        last_ms = Some(unit_ms);
    }
    if fields.next().is_some() {
        return None;
    }
    if let Some(fraction) = fraction {
        total += parse_fraction(fraction, last_ms?)?;
    }
    Some((total, offset_ms))
}

/// The digits of a fraction of `unit_ms`, in milliseconds, cut and not rounded. Source:
/// `DateTimeFormatterBuilder.Fraction#parseInto`.
fn parse_fraction(digits: &str, unit_ms: i64) -> Option<i64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (mut place, mut tenths) = (unit_ms * 10, 0);
    for digit in digits.bytes() {
        place /= 10;
        tenths += i64::from(digit - b'0') * place;
    }
    Some(tenths / 10)
}

fn parse_offset(text: &str) -> Option<i64> {
    match text {
        "" | "Z" => Some(0),
        _ => match super::zone::Zone::parse(text)? {
            super::zone::Zone::Fixed { offset_ms } => Some(offset_ms),
            super::zone::Zone::Region(_) => None,
        },
    }
}

fn number(text: &str, width: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let plain = width.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn numbers_are_milliseconds() {
        assert_eq!(parse("0"), Some(0));
        assert_eq!(parse("-12"), Some(-12));
        assert_eq!(parse("9223372036854775808"), None);
    }

    #[test]
    fn iso_times_in_all_shapes() {
        let noon = 1_718_452_800_000;
        for text in [
            "2024-06-15T12:00:00Z",
            "2024-06-15T12",
            "2024-06-15T12:00",
            "2024-06-15T14:00:00.000+02:00",
            "2024-06-15T08:30:00,0-0330",
            "2024-167T12:00:00.000000",
            "2024-W24-6T12:00",
            "2024-w24-6t12:00z",
        ] {
            assert_eq!(parse(text), Some(noon), "{text}");
        }
        for text in ["2024-06-15", "2024-06-15T", "2024-06-15TZ", "2024-06-15t02:30+02:30", "2024-06-15T00.0"]
        {
            assert_eq!(parse(text), Some(noon - 12 * 3_600_000), "{text}");
        }
        assert_eq!(parse("2024-06-15T11.25"), Some(noon - 45 * 60_000));
        assert_eq!(parse("2024-06-15T11:30.5"), Some(noon - 30 * 60_000 + 30_000));
        assert_eq!(parse("1970-02"), Some(31 * 86_400_000));
        assert_eq!(parse("T01:00:00.5"), Some(3_600_500));
        assert_eq!(parse("2024-06-15T12:00:00.1239Z"), Some(noon + 123));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "x", "2024-13-01", "2024-06-15 12:00", "2024-06-15T25", "2024-06-15T12:00:00.", "T"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
