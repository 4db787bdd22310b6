//! Texts of one width: the date of a day is written once, and the time of day over a copy of it.

use std::ops::RangeInclusive;

use super::calendar::{CUTOVER_DAY, DAY_MS, EPOCH_DAY};
use super::{Letter, SimpleDateFormat, Token};

/// Days, counted from 1970-01-01, whose years have four digits in the calendar of today: 1582-10-15 up to
/// 9998-12-31 (the last week of 9999 belongs to the year 10000).
const DAYS: RangeInclusive<i64> = CUTOVER_DAY - EPOCH_DAY..=2_932_531;
/// Days whose texts are remembered: instants around midnight change between two. A power of two.
const SLOTS: usize = 4;
/// No day.
const NONE: i64 = i64::MIN;

/// Where the times of day stand in the texts of a pattern.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    width: usize,
    times: Vec<Time>,
}

#[derive(Clone, Copy, Debug)]
struct Time {
    at: usize,
    letter: Letter,
}

impl Layout {
    /// `None` when the texts of the pattern have no fixed width.
    pub(super) fn of(tokens: &[Token]) -> Option<Self> {
        let mut layout = Self { width: 0, times: Vec::new() };
        for token in tokens {
            match token {
                Token::Literal(text) => layout.width += text.len(),
                Token::Field(letter, count) => layout.add(*letter, *count as usize)?,
            }
        }
        Some(layout)
    }

    fn add(&mut self, letter: Letter, count: usize) -> Option<()> {
        let digits = |least: usize| (count >= least).then_some(count);
        let (width, time_digits) = match letter {
            Letter::Era => (2, 0),
            Letter::Year | Letter::WeekYear => (if count == 2 { 2 } else { count.max(4) }, 0),
            Letter::Month | Letter::MonthAlone => ((2..=3).contains(&count).then_some(count)?, 0),
            Letter::DayName => ((count <= 3).then_some(3)?, 0),
            Letter::AmPm => (2, 2),
            Letter::ZoneName => (if count >= 4 { "Coordinated Universal Time".len() } else { 3 }, 0),
            Letter::ZoneOffset => (5, 0),
            Letter::IsoZone => (1, 0),
            Letter::DayOfYear => (digits(3)?, 0),
            Letter::DayOfMonth | Letter::WeekOfYear => (digits(2)?, 0),
            Letter::DayOfWeekInMonth | Letter::IsoDayOfWeek | Letter::WeekOfMonth => (digits(1)?, 0),
            Letter::Millisecond => (digits(3)?, 3),
            Letter::Hour0To11
            | Letter::Hour0To23
            | Letter::Hour1To12
            | Letter::Hour1To24
            | Letter::Minute
            | Letter::Second => (digits(2)?, 2),
        };
        self.width += width;
        if time_digits > 0 {
            self.times.push(Time { at: self.width - time_digits, letter });
        }
        Some(())
    }
}

impl Time {
    fn write(self, text: &mut [u8], ms_of_day: u32) {
        let hour = ms_of_day / 3_600_000;
        let number = match self.letter {
            Letter::AmPm => {
                return text[self.at..self.at + 2].copy_from_slice(if hour < 12 { b"AM" } else { b"PM" });
            }
            Letter::Millisecond => {
                let number = ms_of_day % 1_000;
                text[self.at] = b'0' + (number / 100) as u8;
                return text[self.at + 1..self.at + 3].copy_from_slice(&pair(number % 100));
            }
            Letter::Minute => ms_of_day / 60_000 % 60,
            Letter::Second => ms_of_day / 1_000 % 60,
            Letter::Hour0To11 => hour % 12,
            Letter::Hour1To12 => (hour + 11) % 12 + 1,
            Letter::Hour1To24 => (hour + 23) % 24 + 1,
            _ => hour,
        };
        text[self.at..self.at + 2].copy_from_slice(&pair(number));
    }
}

fn pair(number: u32) -> [u8; 2] {
    [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8]
}

/// Writes many instants in one format.
pub(crate) struct Writer<'a> {
    format: &'a SimpleDateFormat,
    /// The days whose texts are known.
    days: [i64; SLOTS],
    /// Their texts at some time of day, one after the other.
    texts: Vec<u8>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(format: &'a SimpleDateFormat) -> Self {
        let width = format.layout.as_ref().map_or(0, |layout| layout.width);
        Self { format, days: [NONE; SLOTS], texts: vec![0; width * SLOTS] }
    }

    /// Appends the text of an instant in ms since the epoch.
    pub(crate) fn append(&mut self, out: &mut Vec<u8>, ms: i64) {
        let day = ms.div_euclid(DAY_MS);
        let Some(layout) = self.format.layout.as_ref().filter(|_| DAYS.contains(&day)) else {
            return self.format.append(out, ms);
        };
        let slot = day as usize % SLOTS;
        if self.days[slot] != day {
            self.remember(layout, slot, day);
        }
        let start = out.len();
        out.extend_from_slice(&self.texts[slot * layout.width..][..layout.width]);
        let ms_of_day = (ms - day * DAY_MS) as u32;
        for time in &layout.times {
            time.write(&mut out[start..], ms_of_day);
        }
    }

    fn remember(&mut self, layout: &Layout, slot: usize, day: i64) {
        let mut text = Vec::with_capacity(layout.width);
        self.format.append(&mut text, day * DAY_MS);
        self.texts[slot * layout.width..][..layout.width].copy_from_slice(&text);
        self.days[slot] = day;
    }
}
