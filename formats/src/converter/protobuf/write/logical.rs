//! Dates, times, timestamps and decimals as messages of their parts.
//!
//! Source: the logical converters of `ProtobufData`.

use lakeward_api::schema::Logical;

use super::super::fault::{Converted, argument};
use super::super::read::digits_of;
use super::bind::{Bound, Cells};
use super::row::{range, tag, varint};

/// Appends the fields of the message of row `row`.
pub(super) fn write(kind: Logical, bound: &Bound<'_>, row: usize, out: &mut Vec<u8>) -> Converted<()> {
    match (kind, &bound.cells) {
        (Logical::Date, Cells::Int32(cells)) => {
            let (year, month, day) = date_of(i64::from(cells[row]));
            [year, month, day].into_iter().zip(1..).for_each(|(part, number)| put(number, part, out));
        }
        (Logical::Time, Cells::Int32(cells)) => {
            let time = i64::from(cells[row]);
            // Midnight at the end of a day is hour 0, too.
            let parts =
                [time / 3_600_000 % 24, time / 60_000 % 60, time / 1000 % 60, time % 1000 * 1_000_000];
            parts.into_iter().zip(1..).for_each(|(part, number)| put(number, part, out));
        }
        (Logical::Timestamp, Cells::Int64(cells)) => {
            let (seconds, ms) = (cells[row].div_euclid(1000), cells[row].rem_euclid(1000));
            let nanos = ms * 1_000_000;
            if !(-62_135_596_800..=253_402_300_799).contains(&seconds) {
                return Err(argument(format!(
                    "Timestamp is not valid. See proto definition for valid values. Seconds ({seconds}) must \
                     be in range [-62,135,596,800, +253,402,300,799]. Nanos ({nanos}) must be in range [0, \
                     +999,999,999]."
                )));
            }
            put(1, seconds, out);
            put(2, nanos, out);
        }
        (Logical::Decimal { scale }, Cells::Var { offsets, data }) => {
            let unscaled = match &data[range(offsets, row)] {
                [] => &[0],
                bytes => bytes,
            };
            tag(1, 2, out);
            varint(unscaled.len() as u64, out);
            out.extend_from_slice(unscaled);
            let digits = digits_of(unscaled);
            put(2, digits.trim_start_matches('-').len() as i64, out);
            put(3, i64::from(scale), out);
        }
        _ => unreachable!("columns and schemas are made together"),
    }
    Ok(())
}

/// A number, unless it is zero.
fn put(number: u32, value: i64, out: &mut Vec<u8>) {
    if value != 0 {
        tag(number, 0, out);
        varint(value.cast_unsigned(), out);
    }
}

/// Year, month and day in Java's default calendar: Gregorian from 15 October 1582, Julian before; years
/// before the first count on from 1 again, as its `YEAR` does.
fn date_of(epoch_day: i64) -> (i64, i64, i64) {
    let is_gregorian = epoch_day >= -141_427;
    // Days since 1 March of the year 0.
    let (year, day_of_year) = if is_gregorian {
        let days = epoch_day + 719_468;
        let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        (era * 400 + year_of_era, day_of_year)
    } else {
        let days = epoch_day + 719_470;
        let (cycle, day_of_cycle) = (days.div_euclid(1461), days.rem_euclid(1461));
        let year_of_cycle = (day_of_cycle - day_of_cycle / 1460) / 365;
        (cycle * 4 + year_of_cycle, day_of_cycle - 365 * year_of_cycle)
    };
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let (year, month) = if shifted < 10 { (year, shifted + 3) } else { (year + 1, shifted - 9) };
    (if year > 0 { year } else { 1 - year }, month, day)
}

#[cfg(test)]
mod tests {
    use super::date_of;

    #[test]
    fn dates_are_those_of_javas_calendar() {
        for (epoch_day, expected) in [
            (0, (1970, 1, 1)),
            (19_782, (2024, 2, 29)),
            (-141_427, (1582, 10, 15)),
            (-141_428, (1582, 10, 4)),
            (-171_596, (1500, 2, 29)),
            (-719_164, (1, 1, 1)),
            (-719_165, (1, 12, 31)),
        ] {
            assert_eq!(date_of(epoch_day), expected, "{epoch_day}");
        }
    }
}
