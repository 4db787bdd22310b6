//! Joda-Time patterns: parsing and printing. Letters mean what Joda means by them (`YYYY` is year of era, not
//! a week year as in Java's own formatter).
//!
//! Source: `DateTimeFormat#parsePatternTo` and `DateTimeFormatterBuilder`, Joda-Time 2.13.

mod calendar;
mod locality;
#[cfg(test)]
mod tests;
mod words;

use std::fmt::Write as _;

use thiserror::Error;

use words::Length;

pub(super) use calendar::{Day, first_of_year};
pub(crate) use locality::Locality;

/// A pattern that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum PatternError {
    /// It is empty.
    #[error("Invalid pattern specification")]
    Empty,
    /// The letter means nothing in Joda-Time.
    #[error("Illegal pattern component: {0}")]
    Illegal(String),
}

/// A parsed pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    tokens: Vec<Token>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Letter { letter: u8, count: usize },
    Literal(String),
}

impl Pattern {
    /// Parses `text`.
    pub(crate) fn parse(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        let mut tokens = Vec::new();
        let mut rest = text.char_indices().peekable();
        while let Some((_, first)) = rest.next() {
            if first.is_ascii_alphabetic() {
                let mut count = 1;
                while rest.next_if(|(_, next)| *next == first).is_some() {
                    count += 1;
                }
                tokens.push(letter(first, count)?);
                continue;
            }
            let mut literal = String::new();
            if first == '\'' {
                quoted(&mut rest, &mut literal);
            } else {
                literal.push(first);
            }
            match tokens.last_mut() {
                Some(Token::Literal(before)) => before.push_str(&literal),
                _ => tokens.push(Token::Literal(literal)),
            }
        }
        Ok(Self { tokens })
    }

    /// True when the text has words in it.
    pub(crate) fn has_words(&self) -> bool {
        self.tokens.iter().any(|token| match token {
            Token::Letter { letter: b'M' | b'Z', count } => *count >= 3,
            Token::Letter { letter, .. } => matches!(letter, b'E' | b'G' | b'a' | b'z'),
            Token::Literal(_) => false,
        })
    }

    /// Appends `utc_ms` as people of `locality` see it. `None` when their clock is beyond 64 bits.
    pub(crate) fn print(&self, utc_ms: i64, locality: &Locality, out: &mut String) -> Option<()> {
        let offset_ms = locality.zone.offset_ms(utc_ms);
        let local_ms = utc_ms.checked_add(offset_ms)?;
        let day = Day::after_epoch(local_ms.div_euclid(DAY_MS));
        let moment = Moment { utc_ms, offset_ms, day, of_day_ms: local_ms.rem_euclid(DAY_MS), locality };
        for token in &self.tokens {
            match token {
                Token::Letter { letter, count } => moment.print(*letter, *count, out),
                Token::Literal(text) => out.push_str(text),
            }
        }
        Some(())
    }
}

/// A time that is being printed.
struct Moment<'a> {
    utc_ms: i64,
    offset_ms: i64,
    day: Day,
    of_day_ms: i64,
    locality: &'a Locality,
}

/// Reads a quoted literal up to its closing quote; two quotes stand for one.
fn quoted(rest: &mut std::iter::Peekable<std::str::CharIndices<'_>>, out: &mut String) {
    if rest.next_if(|(_, next)| *next == '\'').is_some() {
        out.push('\'');
        return;
    }
    while let Some((_, next)) = rest.next() {
        if next != '\'' {
            out.push(next);
        } else if rest.next_if(|(_, after)| *after == '\'').is_some() {
            out.push('\'');
        } else {
            return;
        }
    }
}

fn letter(letter: char, count: usize) -> Result<Token, PatternError> {
    match letter {
        'G' | 'C' | 'x' | 'w' | 'e' | 'E' | 'y' | 'Y' | 'D' | 'M' | 'd' | 'a' | 'K' | 'h' | 'H' | 'k'
        | 'm' | 's' | 'S' | 'z' | 'Z' => Ok(Token::Letter { letter: letter as u8, count }),
        other => Err(PatternError::Illegal(other.to_string().repeat(count))),
    }
}

impl Moment<'_> {
    fn print(&self, letter: u8, count: usize, out: &mut String) {
        let Self { day, of_day_ms, locality, .. } = self;
        let words = &locality.words;
        let hour = of_day_ms / HOUR_MS;
        let length = if count >= 4 { Length::Full } else { Length::Short };
        let number = match letter {
            // That of ISO counts from year 0 in both directions.
            b'C' => day.year.abs() / 100,
            b'D' => day.ordinal,
            b'E' => return out.push_str(words.day(index(day.weekday - 1), length)),
            b'G' => return out.push_str(words.era(usize::from(day.year > 0))),
            b'H' => hour,
            b'K' => hour % 12,
            b'M' if count >= 3 => return out.push_str(words.month(day.month - 1, length)),
            b'M' => day.month as i64,
            b'S' => return push_fraction(of_day_ms % 1000, count, out),
            // Two digits are those of the year, not of the year of era.
            b'Y' if count != 2 => year_of_era(day.year),
            b'Y' | b'y' => return push_year(day.year, count, out),
            b'Z' if count >= 3 => return out.push_str(locality.id()),
            b'Z' => return push_offset(self.offset_ms, count, out),
            b'a' => return out.push_str(words.half_day(index(hour / 12))),
            b'd' => day.day,
            b'e' => day.weekday,
            b'h' => (hour + 11) % 12 + 1,
            b'k' => (hour + 23) % 24 + 1,
            b'm' => of_day_ms / 60_000 % 60,
            b's' => of_day_ms / 1000 % 60,
            b'w' => day.week().1,
            b'x' => return push_year(day.week().0, count, out),
            b'z' => return out.push_str(&locality.zone_name(self.utc_ms, length)),
            _ => unreachable!("the parser makes no other letters"),
        };
        push_padded(number, count, out);
    }
}

fn index(number: i64) -> usize {
    usize::try_from(number).expect("what words are for is counted from 0")
}

fn year_of_era(year: i64) -> i64 {
    if year > 0 { year } else { 1 - year }
}

/// Two letters mean the last two digits of the year; any other count is a minimum width.
fn push_year(year: i64, count: usize, out: &mut String) {
    if count == 2 { push_padded(year.abs() % 100, 2, out) } else { push_padded(year, count, out) }
}

fn push_padded(number: i64, width: usize, out: &mut String) {
    if number < 0 {
        out.push('-');
    }
    write!(out, "{:0width$}", number.unsigned_abs()).expect("writing to a String cannot fail");
}

/// The first `count` digits of the fraction of the second. Joda computes with 64 bits, so more than
/// [`FRACTION_DIGITS_MAX`] are zeros that are only there when all are.
fn push_fraction(millis: i64, count: usize, out: &mut String) {
    let count = if millis == 0 { count } else { count.min(FRACTION_DIGITS_MAX) };
    let digits = format!("{millis:03}");
    out.push_str(&digits[..count.min(3)]);
    out.extend(std::iter::repeat_n('0', count.saturating_sub(3)));
}

fn push_offset(offset_ms: i64, count: usize, out: &mut String) {
    let minutes = offset_ms.abs() / 60_000;
    out.push(if offset_ms < 0 { '-' } else { '+' });
    push_padded(minutes / 60, 2, out);
    if count == 2 {
        out.push(':');
    }
    push_padded(minutes % 60, 2, out);
}

const FRACTION_DIGITS_MAX: usize = 15;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
