//! Dates, times, timestamps and decimals, each a message of its parts.
//!
//! Source: the logical converters of `ProtobufData`; `GregorianCalendar`, `LocalTime`, `Timestamps`,
//! `BigDecimal`.

use lakeward_api::decimal::Decimal;

use super::super::fault::{Converted, Fault, argument, data};
use super::cells::{Place, put};
use super::cursor::Cursor;
use super::{Cells, Column, Number};

/// The parts of the last row, by field number, so that later messages can add to it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Parts([i64; 4]);

impl Parts {
    fn read(&mut self, cursor: &mut Cursor<'_>, bytes: Option<&mut Vec<u8>>) -> Converted<()> {
        let mut bytes = bytes;
        while let Some(tag) = cursor.tag()? {
            match (tag.number, tag.wire, &mut bytes) {
                (1, 2, Some(bytes)) => {
                    bytes.clear();
                    bytes.extend_from_slice(cursor.bytes()?);
                }
                (1, _, Some(_)) => cursor.skip(tag)?,
                (1..=4, 0, _) => self.0[tag.number as usize - 1] = cursor.number(Number::Varint)?,
                _ => cursor.skip(tag)?,
            }
        }
        Ok(())
    }
}

impl Column {
    /// Reads the message at the cursor up to its end into a new row, or adds it to the last one. The row is
    /// not counted here.
    pub(super) fn put_logical(&mut self, cursor: &mut Cursor<'_>, place: Place) -> Converted<()> {
        let is_fresh = place == Place::New || !self.is_set;
        match &mut self.cells {
            Cells::Date { cells, parts } => {
                *parts = if is_fresh { Parts::default() } else { *parts };
                parts.read(cursor, None)?;
                let [year, month, day, _] = parts.0.map(|part| part as i32);
                put(cells, epoch_day(year, month, day)?, place);
            }
            Cells::Time { cells, parts } => {
                *parts = if is_fresh { Parts::default() } else { *parts };
                parts.read(cursor, None)?;
                put(cells, time_of_day(parts.0.map(|part| part as i32))?, place);
            }
            Cells::Timestamp { cells, parts } => {
                *parts = if is_fresh { Parts::default() } else { *parts };
                parts.read(cursor, None)?;
                put(cells, timestamp(parts.0[0], parts.0[1] as i32)?, place);
            }
            Cells::Decimal { cells, scale, parts, unscaled } => {
                if is_fresh {
                    *parts = Parts::default();
                    unscaled.clear();
                }
                parts.read(cursor, Some(unscaled))?;
                let (precision, given) = (parts.0[1] as i32, parts.0[2] as i32);
                put_decimal(cells, unscaled, (precision, given), *scale, place)?;
            }
            _ => unreachable!("called for logical types"),
        }
        Ok(())
    }
}

fn put_decimal(
    cells: &mut super::VarCells,
    unscaled: &[u8],
    (precision, given): (i32, i32),
    scale: i32,
    place: Place,
) -> Converted<()> {
    if unscaled.is_empty() {
        return Err(bare("java.lang.NumberFormatException", "Zero length BigInteger"));
    }
    if precision < 0 {
        return Err(argument("Digits < 0"));
    }
    let shortest = shortest(unscaled);
    // A byte has fewer than 2.5 digits.
    let is_rounded = precision > 0 && shortest.len() * 5 / 2 >= usize::try_from(precision).unwrap_or(0);
    let rounded = if is_rounded { round(shortest, given, precision)? } else { None };
    let given = rounded.as_ref().map_or(given, |rounded| rounded.scale);
    if given != scale {
        return Err(data(format!(
            "Decimal value has mismatching scale for given Decimal schema. Schema has scale {scale}, \
             value has scale {given}."
        )));
    }
    cells.put(rounded.as_ref().map_or(shortest, |rounded| &rounded.unscaled), place)
}

/// Half up to `precision` digits; `None` when there are no more.
fn round(unscaled: &[u8], scale: i32, precision: i32) -> Converted<Option<Decimal>> {
    let digits = digits_of(unscaled);
    let magnitude = digits.trim_start_matches('-');
    let most = usize::try_from(precision).unwrap_or(0);
    if magnitude.len() <= most {
        return Ok(None);
    }
    let (kept, dropped) = magnitude.split_at(most);
    let mut scale = i64::from(scale) - dropped.len() as i64;
    let mut kept = kept.as_bytes().to_vec();
    if dropped.as_bytes()[0] >= b'5' {
        let carried = kept.iter().rposition(|digit| *digit != b'9');
        let nines = carried.map_or(0, |at| at + 1);
        kept[nines..].fill(b'0');
        if let Some(at) = carried {
            kept[at] += 1;
        } else {
            // 99.9 becomes 10 × 10.
            kept[0] = b'1';
            scale -= 1;
        }
    }
    let sign = if digits.starts_with('-') { "-" } else { "" };
    let text = format!("{sign}{}", String::from_utf8_lossy(&kept));
    let number = Decimal::parse(&text).ok_or_else(|| data("A decimal cannot be rounded"))?;
    let scale = i32::try_from(scale).map_err(|_| bare("java.lang.ArithmeticException", "Overflow"))?;
    Ok(Some(Decimal { unscaled: number.unscaled, scale }))
}

/// The digits of a number in two's complement, with its sign.
pub(in super::super) fn digits_of(unscaled: &[u8]) -> String {
    let number = Decimal { unscaled: bytes::Bytes::copy_from_slice(unscaled), scale: 0 };
    number.unscaled().to_string()
}

fn shortest(bytes: &[u8]) -> &[u8] {
    let mut bytes = bytes;
    while let [sign, next, ..] = bytes
        && ((*sign == 0 && *next < 0x80) || (*sign == 0xff && *next >= 0x80))
    {
        bytes = &bytes[1..];
    }
    bytes
}

/// Days since the epoch of a date in Java's default calendar: Gregorian from 15 October 1582, Julian before.
fn epoch_day(year: i32, month: i32, day: i32) -> Converted<i32> {
    if !(1..=292_278_994).contains(&year) {
        return Err(argument("YEAR"));
    }
    if !(1..=12).contains(&month) {
        return Err(argument("MONTH"));
    }
    let is_gregorian = (year, month, day) >= (1582, 10, 15);
    let is_leap = year % 4 == 0 && (!is_gregorian || year % 100 != 0 || year % 400 == 0);
    let most = match month {
        2 => 28 + i32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let is_skipped = (year, month) == (1582, 10) && (5..15).contains(&day);
    if !(1..=most).contains(&day) || is_skipped {
        return Err(argument("DAY_OF_MONTH"));
    }
    // Years start in March, so that the day that leap years add is their last.
    let (years, months) =
        if month > 2 { (i64::from(year), month - 3) } else { (i64::from(year) - 1, month + 9) };
    let day_of_year = i64::from((153 * months + 2) / 5 + day - 1);
    let leaps = if is_gregorian { years / 4 - years / 100 + years / 400 } else { years / 4 };
    let shift = if is_gregorian { 719_468 } else { 719_470 };
    let days = years * 365 + leaps + day_of_year - shift;
    i32::try_from(days).map_err(|_| data("Date is out of range"))
}

fn time_of_day([hours, minutes, seconds, nanos]: [i32; 4]) -> Converted<i32> {
    let check = |value: i32, name: &str, most: i32| {
        if (0..=most).contains(&value) {
            return Ok(());
        }
        let message = format!("Invalid value for {name} (valid values 0 - {most}): {value}");
        Err(bare("java.time.DateTimeException", &message))
    };
    check(hours, "HourOfDay", 23)?;
    check(minutes, "MinuteOfHour", 59)?;
    check(seconds, "SecondOfMinute", 59)?;
    check(nanos, "NanoOfSecond", 999_999_999)?;
    Ok(((hours * 60 + minutes) * 60 + seconds) * 1000 + nanos / 1_000_000)
}

fn timestamp(seconds: i64, nanos: i32) -> Converted<i64> {
    if !(-62_135_596_800..=253_402_300_799).contains(&seconds) || !(0..=999_999_999).contains(&nanos) {
        return Err(argument(format!(
            "Timestamp is not valid. See proto definition for valid values. Seconds ({seconds}) must be in \
             range [-62,135,596,800, +253,402,300,799]. Nanos ({nanos}) must be in range [0, +999,999,999]."
        )));
    }
    Ok(seconds * 1000 + i64::from(nanos / 1_000_000))
}

#[cold]
fn bare(class: &'static str, message: &str) -> Box<Fault> {
    Box::new(Fault::Bare { class, message: message.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_javas_calendar() {
        // Printed by Java 17: a GregorianCalendar of UTC, not lenient.
        for ((year, month, day), expected) in [
            ((1970, 1, 1), 0),
            ((2024, 2, 29), 19_782),
            ((1582, 10, 15), -141_427),
            ((1582, 10, 4), -141_428),
            ((1500, 2, 29), -171_596),
            ((1, 1, 1), -719_164),
        ] {
            assert_eq!(epoch_day(year, month, day), Ok(expected), "{year}-{month}-{day}");
        }
        for (year, month, day) in [(0, 1, 1), (2023, 2, 29), (2024, 0, 1), (2024, 13, 1), (1582, 10, 10)] {
            assert!(epoch_day(year, month, day).is_err(), "{year}-{month}-{day}");
        }
    }

    #[test]
    fn decimals_are_rounded_half_up_to_their_precision() {
        let rounded = |number: i64, precision| {
            let rounded = round(shortest(&number.to_be_bytes()), 3, precision).unwrap();
            rounded.map(|number| number.to_java_text())
        };
        assert_eq!(rounded(12_345, 5), None);
        assert_eq!(rounded(12_345, 4).unwrap(), "12.35");
        assert_eq!(rounded(-12_344, 4).unwrap(), "-12.34");
        assert_eq!(rounded(99_996, 4).unwrap(), "100.0");
        assert_eq!(rounded(5, 1), None);
    }
}
