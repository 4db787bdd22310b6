//! Instants to texts.

use super::calendar::Moment;
use super::{Letter, Token, names};

pub(super) fn append(tokens: &[Token], out: &mut Vec<u8>, ms: i64) {
    let moment = Moment::of(ms);
    for token in tokens {
        match token {
            // Mostly one letter: not worth a call that copies memory.
            Token::Literal(text) => match *text.as_bytes() {
                [one] => out.push(one),
                ref several => out.extend_from_slice(several),
            },
            Token::Field(letter, count) => append_field(out, &moment, *letter, *count as usize),
        }
    }
}

fn append_field(out: &mut Vec<u8>, moment: &Moment, letter: Letter, count: usize) {
    let hour = moment.ms_of_day / 3_600_000;
    let number = match letter {
        Letter::Era => return append_name(out, &names::ERAS, i32::from(!moment.is_bc())),
        Letter::Year => return append_year(out, moment.year_of_era(), count),
        Letter::WeekYear => return append_year(out, moment.week_year(), count),
        Letter::Month | Letter::MonthAlone => match count {
            0..=2 => moment.month + 1,
            3 => return append_name(out, &names::SHORT_MONTHS, moment.month),
            _ => return append_name(out, &names::MONTHS, moment.month),
        },
        Letter::DayName => {
            let days = if count >= 4 { &names::DAYS } else { &names::SHORT_DAYS };
            return append_name(out, days, moment.day_of_week() - 1);
        }
        Letter::AmPm => return append_name(out, &names::HALVES, hour / 12),
        Letter::ZoneName => {
            let name: &[u8] = if count >= 4 { b"Coordinated Universal Time" } else { b"UTC" };
            return out.extend_from_slice(name);
        }
        Letter::ZoneOffset => return out.extend_from_slice(b"+0000"),
        Letter::IsoZone => return out.push(b'Z'),
        Letter::WeekOfYear => moment.week_of_year(),
        Letter::WeekOfMonth => moment.week_of_month(),
        Letter::DayOfYear => moment.day_of_year(),
        Letter::DayOfMonth => moment.day,
        Letter::DayOfWeekInMonth => moment.day_of_week_in_month(),
        Letter::IsoDayOfWeek => (moment.day_of_week() + 5) % 7 + 1,
        Letter::Hour0To23 => hour,
        Letter::Hour1To24 => one_based(hour, 24),
        Letter::Hour0To11 => hour % 12,
        Letter::Hour1To12 => one_based(hour % 12, 12),
        Letter::Minute => moment.ms_of_day / 60_000 % 60,
        Letter::Second => moment.ms_of_day / 1_000 % 60,
        Letter::Millisecond => moment.ms_of_day % 1_000,
    };
    append_padded(out, i64::from(number), count);
}

fn one_based(hour: i32, hours: i32) -> i32 {
    if hour == 0 { hours } else { hour }
}

fn append_name(out: &mut Vec<u8>, names: &[&str], index: i32) {
    out.extend_from_slice(names[index as usize].as_bytes());
}

fn append_year(out: &mut Vec<u8>, year: i64, count: usize) {
    if count != 2 {
        return append_padded(out, year, count);
    }
    if year < 0 {
        out.push(b'-');
    }
    append_padded(out, year.abs() % 100, 2);
}

fn append_padded(out: &mut Vec<u8>, number: i64, width: usize) {
    // The usual widths have a fixed length, which compiles to plain stores.
    let digit = |unit: i64| b'0' + (number / unit % 10) as u8;
    match (width, number) {
        (2, 0..100) => return out.extend_from_slice(&[digit(10), digit(1)]),
        (3, 0..1_000) => return out.extend_from_slice(&[digit(100), digit(10), digit(1)]),
        (4, 0..10_000) => return out.extend_from_slice(&[digit(1_000), digit(100), digit(10), digit(1)]),
        _ => {}
    }
    if number < 0 {
        out.push(b'-');
    }
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    let mut rest = number.unsigned_abs();
    while rest > 0 || start == digits.len() {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.extend(std::iter::repeat_n(b'0', width.saturating_sub(digits.len() - start)));
    out.extend_from_slice(&digits[start..]);
}
