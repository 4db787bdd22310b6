//! Date formats of Java's `SimpleDateFormat`: pattern, texts and lenient parsing, in UTC and English.
//!
//! A pattern is compiled once. Formatting appends to a buffer; parsing reads ASCII texts in place. The
//! calendar is Java's: Julian before 1582-10-15, weeks start on Sunday.
//!
//! Differences: of the time zone names that `z` can read, the universal ones and the abbreviations of North
//! America, Central Europe and Japan are known; a zone that was read never changes how later values are
//! written.
//!
//! Source: `java.text.SimpleDateFormat`, `java.util.GregorianCalendar`, JDK 17.

mod calendar;
mod fixed;
mod format;
mod names;
mod number;
mod parse;
mod resolve;
#[cfg(test)]
mod tests;
mod zone;

use std::time::{SystemTime, UNIX_EPOCH};

use calendar::Moment;
pub(crate) use fixed::Writer;
pub(crate) use number::digit;

/// A compiled pattern.
#[derive(Clone, Debug)]
pub(crate) struct SimpleDateFormat {
    pattern: String,
    tokens: Vec<Token>,
    /// When all texts have one width.
    layout: Option<fixed::Layout>,
    /// Two-digit years lie in the century that starts here: 80 years before the pattern was compiled.
    century: Century,
}

#[derive(Clone, Copy, Debug)]
struct Century {
    start_ms: i64,
    start_year: i32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// Text that stands for itself.
    Literal(String),
    /// A pattern letter, so many times.
    Field(Letter, u32),
}

/// Pattern letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Letter {
    AmPm,
    DayName,
    DayOfMonth,
    DayOfWeekInMonth,
    DayOfYear,
    Era,
    Hour0To11,
    Hour0To23,
    Hour1To12,
    Hour1To24,
    IsoDayOfWeek,
    IsoZone,
    Millisecond,
    Minute,
    Month,
    MonthAlone,
    Second,
    WeekOfMonth,
    WeekOfYear,
    WeekYear,
    Year,
    ZoneName,
    ZoneOffset,
}

impl Letter {
    fn of(letter: char) -> Option<Self> {
        Some(match letter {
            'D' => Self::DayOfYear,
            'E' => Self::DayName,
            'F' => Self::DayOfWeekInMonth,
            'G' => Self::Era,
            'H' => Self::Hour0To23,
            'K' => Self::Hour0To11,
            'L' => Self::MonthAlone,
            'M' => Self::Month,
            'S' => Self::Millisecond,
            'W' => Self::WeekOfMonth,
            'X' => Self::IsoZone,
            'Y' => Self::WeekYear,
            'Z' => Self::ZoneOffset,
            'a' => Self::AmPm,
            'd' => Self::DayOfMonth,
            'h' => Self::Hour1To12,
            'k' => Self::Hour1To24,
            'm' => Self::Minute,
            's' => Self::Second,
            'u' => Self::IsoDayOfWeek,
            'w' => Self::WeekOfYear,
            'y' => Self::Year,
            'z' => Self::ZoneName,
            _ => return None,
        })
    }
}

impl SimpleDateFormat {
    /// Compiles `pattern`. The error is the message of Java's `IllegalArgumentException`.
    pub(crate) fn compile(pattern: &str) -> Result<Self, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        Self::compile_at(pattern, i64::try_from(now).unwrap_or(i64::MAX))
    }

    /// As [`SimpleDateFormat::compile`], at a given time.
    fn compile_at(pattern: &str, now_ms: i64) -> Result<Self, String> {
        let century = Century::before(now_ms);
        let tokens = tokens(pattern)?;
        Ok(Self { pattern: pattern.to_owned(), layout: fixed::Layout::of(&tokens), tokens, century })
    }

    /// The pattern as it was given.
    pub(crate) fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Appends the text of an instant in ms since the epoch.
    pub(crate) fn append(&self, out: &mut Vec<u8>, ms: i64) {
        format::append(&self.tokens, out, ms);
    }

    /// Writes many instants faster than one by one.
    pub(crate) fn writer(&self) -> Writer<'_> {
        Writer::new(self)
    }

    /// The text of an instant in ms since the epoch.
    pub(crate) fn text(&self, ms: i64) -> String {
        let mut out = Vec::with_capacity(self.pattern.len() + 8);
        self.append(&mut out, ms);
        String::from_utf8(out).expect("literals and names are UTF-8")
    }

    /// Reads the beginning of `text`: ms since the epoch, or `None` when it does not match.
    pub(crate) fn parse(&self, text: &str) -> Option<i64> {
        parse::parse(&self.tokens, self.century, text)
    }
}

impl Century {
    fn before(now_ms: i64) -> Self {
        let now = Moment::of(now_ms);
        let year = now.proleptic_year() - 80;
        // The last of February exists in leap years only.
        let day = if now.month == 1 && now.day == 29 && !calendar::is_leap(year) { 28 } else { now.day };
        let day = calendar::gregorian_day(i64::from(year), now.month, 0) + i64::from(day);
        let start_ms = (day - calendar::EPOCH_DAY) * calendar::DAY_MS + i64::from(now.ms_of_day);
        Self { start_ms, start_year: Moment::of(start_ms).proleptic_year() }
    }
}

fn tokens(pattern: &str) -> Result<Vec<Token>, String> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut rest = pattern.chars().peekable();
    let mut quoted = false;
    let mut literal = String::new();
    while let Some(next) = rest.next() {
        if next == '\'' {
            if rest.peek() == Some(&'\'') {
                rest.next();
                literal.push('\'');
            } else {
                quoted = !quoted;
            }
        } else if quoted || !next.is_ascii_alphabetic() {
            literal.push(next);
        } else {
            let letter = Letter::of(next).ok_or_else(|| format!("Illegal pattern character '{next}'"))?;
            let mut count = 1;
            while rest.next_if_eq(&next).is_some() {
                count += 1;
            }
            if letter == Letter::IsoZone && count > 3 {
                return Err(format!("invalid ISO 8601 format: length={count}"));
            }
            if !literal.is_empty() {
                tokens.push(Token::Literal(std::mem::take(&mut literal)));
            }
            tokens.push(Token::Field(letter, count));
        }
    }
    if quoted {
        return Err("Unterminated quote".to_owned());
    }
    if !literal.is_empty() {
        tokens.push(Token::Literal(literal));
    }
    Ok(tokens)
}
