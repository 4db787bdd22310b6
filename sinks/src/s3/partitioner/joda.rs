//! Joda-Time patterns: parsing and printing. Letters mean what Joda means by them (`YYYY` is year of era, not
//! a week year as in Java's own formatter). Words are English.
//!
//! Source: `DateTimeFormat#parsePatternTo`, Joda-Time 2.13.

use std::fmt::Write as _;

use chrono::{DateTime, Datelike, NaiveDateTime, Timelike};
use thiserror::Error;

/// A pattern that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum PatternError {
    /// The letter means nothing in Joda-Time.
    #[error("Illegal pattern component: {0}")]
    Illegal(String),
    /// The letter is Joda-Time's, but its text depends on Java's time zone names.
    #[error("pattern letter {0} (time zone text) is not supported by Lakeward yet")]
    ZoneText(char),
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

    /// True when the text depends on a language.
    pub(crate) fn has_words(&self) -> bool {
        self.tokens.iter().any(|token| match token {
            Token::Letter { letter: b'M', count } => *count >= 3,
            Token::Letter { letter, .. } => matches!(letter, b'E' | b'G' | b'a'),
            Token::Literal(_) => false,
        })
    }

    /// Appends `utc_ms`, shown `offset_ms` east of UTC. `None` when the year is beyond ±262 000.
    pub(crate) fn print(&self, utc_ms: i64, offset_ms: i64, out: &mut String) -> Option<()> {
        let local = DateTime::from_timestamp_millis(utc_ms.checked_add(offset_ms)?)?.naive_utc();
        for token in &self.tokens {
            match token {
                Token::Letter { letter, count } => print_letter(*letter, *count, local, offset_ms, out),
                Token::Literal(text) => out.push_str(text),
            }
        }
        Some(())
    }
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
        | 'm' | 's' | 'S' => Ok(Token::Letter { letter: letter as u8, count }),
        'Z' if count < 3 => Ok(Token::Letter { letter: b'Z', count }),
        'z' | 'Z' => Err(PatternError::ZoneText(letter)),
        other => Err(PatternError::Illegal(other.to_string().repeat(count))),
    }
}

fn print_letter(letter: u8, count: usize, local: NaiveDateTime, offset_ms: i64, out: &mut String) {
    let hour = i64::from(local.hour());
    let number = match letter {
        b'C' => i64::from(year_of_era(local.year())) / 100,
        b'D' => i64::from(local.ordinal()),
        b'E' => return push_word(DAYS[local.weekday().num_days_from_monday() as usize], count >= 4, out),
        b'G' => return out.push_str(if local.year() > 0 { "AD" } else { "BC" }),
        b'H' => hour,
        b'K' => hour % 12,
        b'M' if count >= 3 => return push_word(MONTHS[local.month0() as usize], count >= 4, out),
        b'M' => i64::from(local.month()),
        b'S' => return push_fraction(local.and_utc().timestamp_subsec_millis(), count, out),
        b'Y' => return push_year(i64::from(year_of_era(local.year())), count, out),
        b'Z' => return push_offset(offset_ms, count, out),
        b'a' => return out.push_str(if hour < 12 { "AM" } else { "PM" }),
        b'd' => i64::from(local.day()),
        b'e' => i64::from(local.weekday().number_from_monday()),
        b'h' => (hour + 11) % 12 + 1,
        b'k' => (hour + 23) % 24 + 1,
        b'm' => i64::from(local.minute()),
        b's' => i64::from(local.second()),
        b'w' => i64::from(local.iso_week().week()),
        b'x' => return push_year(i64::from(local.iso_week().year()), count, out),
        b'y' => return push_year(i64::from(local.year()), count, out),
        _ => unreachable!("the parser makes no other letters"),
    };
    push_padded(number, count, out);
}

fn year_of_era(year: i32) -> i32 {
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

fn push_word(word: &str, full: bool, out: &mut String) {
    out.push_str(if full { word } else { &word[..3] });
}

/// The first `count` digits of the fraction of the second.
fn push_fraction(millis: u32, count: usize, out: &mut String) {
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

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn show(pattern: &str, utc: &str, offset_ms: i64) -> String {
        let utc_ms = DateTime::parse_from_rfc3339(utc).unwrap().timestamp_millis();
        let mut out = String::new();
        Pattern::parse(pattern).unwrap().print(utc_ms, offset_ms, &mut out).unwrap();
        out
    }

    #[test]
    fn letters_mean_what_joda_means() {
        let at = "2024-12-30T15:04:05.067Z";
        let cases = [
            ("'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH", "year=2024/month=12/day=30/hour=15"),
            ("yyyy-MM-dd", "2024-12-30"),
            ("xxxx-'W'ww-e", "2025-W01-1"),
            ("yy YY xx", "24 24 25"),
            ("D DDDD", "365 0365"),
            ("E EEE EEEE", "Mon Mon Monday"),
            ("M MM MMM MMMM", "12 12 Dec December"),
            ("h hh K k a", "3 03 3 15 PM"),
            ("m:ss.SSSSS", "4:05.06700"),
            ("S", "0"),
            ("Z ZZ", "+0000 +00:00"),
            ("C G", "20 AD"),
            ("''yyyy'o''clock'", "'2024o'clock"),
        ];
        for (pattern, expected) in cases {
            assert_eq!(show(pattern, at, 0), expected, "{pattern}");
        }
        assert_eq!(show("kk hh a", "2024-01-01T00:00:00Z", 0), "24 12 AM");
        assert_eq!(show("HH ZZ", "2024-01-01T00:00:00Z", -12_600_000), "20 -03:30");
    }

    #[test]
    fn unknown_letters_are_named() {
        assert_eq!(Pattern::parse("yyyy-jj"), Err(PatternError::Illegal("jj".to_owned())));
        assert_eq!(Pattern::parse("zzz"), Err(PatternError::ZoneText('z')));
        assert!(Pattern::parse("MMM").unwrap().has_words());
        assert!(!Pattern::parse("'E'MM").unwrap().has_words());
    }
}
