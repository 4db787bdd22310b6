//! Texts to instants.
//!
//! Source: `SimpleDateFormat#parse`, `#subParse`.

use super::number::{self, Unit, digit};
use super::resolve::{Field, Fields, iso_to_calendar};
use super::zone::{self, matches_ignoring_case};
use super::{Century, Letter, Token, names};

pub(super) fn parse(tokens: &[Token], century: Century, text: &str) -> Option<i64> {
    if text.is_ascii() {
        return parse_units(tokens, century, text.as_bytes());
    }
    let units: Vec<u16> = text.encode_utf16().collect();
    parse_units(tokens, century, &units)
}

fn parse_units<U: Unit>(tokens: &[Token], century: Century, text: &[U]) -> Option<i64> {
    let mut input = Input { text, century, fields: Fields::default(), ambiguous: false };
    let mut at = 0;
    for (index, token) in tokens.iter().enumerate() {
        at = match token {
            Token::Literal(literal) => skip_literal(text, at, literal)?,
            Token::Field(letter, count) => {
                let bounded = matches!(tokens.get(index + 1), Some(Token::Field(next, count))
                    if is_numeric(*next, *count));
                input.field(at, *letter, *count, bounded)?
            }
        };
    }
    if at == 0 {
        return None;
    }
    let ms = input.fields.instant();
    if input.ambiguous && ms < century.start_ms {
        input.fields.add_century();
        return Some(input.fields.instant());
    }
    Some(ms)
}

/// Whether a field before this one must keep to its count of letters.
fn is_numeric(letter: Letter, count: u32) -> bool {
    match letter {
        Letter::Month | Letter::MonthAlone => count <= 2,
        Letter::AmPm
        | Letter::DayName
        | Letter::Era
        | Letter::IsoZone
        | Letter::ZoneName
        | Letter::ZoneOffset => false,
        _ => true,
    }
}

fn skip_literal<U: Unit>(text: &[U], at: usize, literal: &str) -> Option<usize> {
    let mut end = at;
    for unit in literal.encode_utf16() {
        if text.get(end)?.code() != u32::from(unit) {
            return None;
        }
        end += 1;
    }
    Some(end)
}

struct Input<'a, U> {
    text: &'a [U],
    century: Century,
    fields: Fields,
    ambiguous: bool,
}

impl<U: Unit> Input<'_, U> {
    /// Reads a field that begins at `start`; returns where it ends.
    fn field(&mut self, start: usize, letter: Letter, count: u32, bounded: bool) -> Option<usize> {
        let blank = |unit: &U| matches!(unit.code(), 0x20 | 0x09);
        let at = start + self.text.get(start..)?.iter().take_while(|unit| blank(unit)).count();
        self.text.get(at)?;
        match letter {
            Letter::Era => self.name(start, Field::Era, &[&names::ERAS, &names::LONG_ERAS], 0),
            Letter::AmPm => self.name(start, Field::AmPm, &[&names::HALVES], 0),
            Letter::DayName => self.name(start, Field::DayOfWeek, &[&names::SHORT_DAYS, &names::DAYS], 1),
            Letter::Month | Letter::MonthAlone if count > 2 => {
                self.name(start, Field::Month, &[&names::SHORT_MONTHS, &names::MONTHS], 0)
            }
            Letter::ZoneName | Letter::ZoneOffset => {
                let (offset, end) = zone::general(self.text, start, at)?;
                if let Some(offset) = offset {
                    self.fields.set(Field::ZoneOffset, offset);
                }
                Some(end)
            }
            Letter::IsoZone => {
                let (offset, end) = zone::iso(self.text, at, count)?;
                self.fields.set(Field::ZoneOffset, offset);
                Some(end)
            }
            _ => {
                let end = if bounded { start.checked_add(count as usize)? } else { self.text.len() };
                let (value, end) = number::parse(self.text.get(..end)?, at)?;
                self.number(letter, count, value, at, end);
                Some(end)
            }
        }
    }

    fn number(&mut self, letter: Letter, count: u32, value: i32, at: usize, end: usize) {
        let (field, value) = match letter {
            Letter::Year => (Field::Year, self.year(count, value, at, end)),
            Letter::WeekYear => (Field::WeekYear, self.year(count, value, at, end)),
            Letter::Month | Letter::MonthAlone => (Field::Month, value.wrapping_sub(1)),
            Letter::Hour1To24 => (Field::HourOfDay, if value == 24 { 0 } else { value }),
            Letter::Hour1To12 => (Field::Hour, if value == 12 { 0 } else { value }),
            Letter::IsoDayOfWeek => (Field::DayOfWeek, iso_to_calendar(value)),
            Letter::DayOfWeekInMonth => (Field::DayOfWeekInMonth, value),
            Letter::DayOfYear => (Field::DayOfYear, value),
            Letter::Hour0To11 => (Field::Hour, value),
            Letter::Hour0To23 => (Field::HourOfDay, value),
            Letter::Minute => (Field::Minute, value),
            Letter::Second => (Field::Second, value),
            Letter::Millisecond => (Field::Millisecond, value),
            Letter::WeekOfMonth => (Field::WeekOfMonth, value),
            Letter::WeekOfYear => (Field::WeekOfYear, value),
            _ => (Field::DayOfMonth, value),
        };
        self.fields.set(field, value);
    }

    /// Two digits under a pattern of at most two letters mean a year of the last 80 or the next 20.
    fn year(&mut self, count: u32, value: i32, at: usize, end: usize) -> i32 {
        let is_digit = |at: usize| self.text.get(at).is_some_and(|unit| digit(unit.code()).is_some());
        if count > 2 || end - at != 2 || !is_digit(at) || !is_digit(at + 1) {
            return value;
        }
        let pivot = self.century.start_year % 100;
        self.ambiguous = value == pivot;
        value + self.century.start_year / 100 * 100 + if value < pivot { 100 } else { 0 }
    }

    /// The longest name that the text has at `start`, whatever its case.
    fn name(&mut self, start: usize, field: Field, lists: &[&[&str]], first: i32) -> Option<usize> {
        let mut best: Option<(usize, i32)> = None;
        for list in lists {
            for (value, name) in (first..).zip(*list) {
                let longer = best.is_none_or(|(length, _)| name.len() > length);
                if longer && matches_ignoring_case(self.text, start, name) {
                    best = Some((name.len(), value));
                }
            }
        }
        let (length, value) = best?;
        self.fields.set(field, value);
        Some(start + length)
    }
}
