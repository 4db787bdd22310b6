//! Time zones in texts.

use super::number::{Unit, starts_with};

const MINUTE_MS: i32 = 60_000;
/// Names that `z` reads, with their offsets in minutes; of two that match, the first wins.
const ZONES: [(&str, i32); 16] = [
    ("Coordinated Universal Time", 0),
    ("UTC", 0),
    ("Greenwich Mean Time", 0),
    ("AKDT", -480),
    ("AKST", -540),
    ("CDT", -300),
    ("CEST", 120),
    ("CET", 60),
    ("CST", -360),
    ("EDT", -240),
    ("EST", -300),
    ("HST", -600),
    ("JST", 540),
    ("MDT", -360),
    ("PDT", -420),
    ("PST", -480),
];

/// Reads what `z` and `Z` accept at `at`: offset in ms and end. `start` is where the field began, blanks
/// included: Java looks for `GMT` only there. A name of UTC leaves an offset alone that was read before.
pub(super) fn general<U: Unit>(text: &[U], start: usize, at: usize) -> Option<(Option<i32>, usize)> {
    let set = |(offset, end)| (Some(offset), end);
    if let Some(sign) = sign(text, at) {
        return numeric(text, at + 1, sign, 0, false).map(set);
    }
    let first = text.get(at)?.code();
    if (first == 0x47 || first == 0x67) && matches_ignoring_case(text, start, "GMT") {
        let at = start + 3;
        return match sign(text, at) {
            Some(sign) => numeric(text, at + 1, sign, 0, true).map(set),
            None => Some((Some(0), at)),
        };
    }
    let (name, minutes) = ZONES.iter().find(|(name, _)| matches_ignoring_case(text, at, name))?;
    Some((Some(minutes * MINUTE_MS).filter(|offset| *offset != 0), at + name.len()))
}

/// Reads what `X` with `count` letters accepts at `at`.
pub(super) fn iso<U: Unit>(text: &[U], at: usize, count: u32) -> Option<(i32, usize)> {
    if starts_with(text, at, "Z") {
        return Some((0, at + 1));
    }
    numeric(text, at + 1, sign(text, at)?, count, count == 3)
}

fn sign<U: Unit>(text: &[U], at: usize) -> Option<i32> {
    match text.get(at)?.code() {
        0x2b => Some(1),
        0x2d => Some(-1),
        _ => None,
    }
}

/// `hh`, `hhmm` or `hh:mm`; with a colon and no count also `h:mm`.
fn numeric<U: Unit>(text: &[U], start: usize, sign: i32, count: u32, colon: bool) -> Option<(i32, usize)> {
    let digit = |at: usize| {
        let code = text.get(at)?.code();
        code.checked_sub(0x30).filter(|digit| *digit < 10).map(|digit| digit as i32)
    };
    let mut at = start + 1;
    let mut hours = digit(start)?;
    text.get(at)?;
    match digit(at) {
        Some(second) => {
            hours = hours * 10 + second;
            at += 1;
        }
        None if count > 0 || !colon => return None,
        None => {}
    }
    if hours > 23 {
        return None;
    }
    let mut minutes = 0;
    if count != 1 {
        if colon {
            starts_with(text, at, ":").then_some(())?;
            at += 1;
        }
        minutes = digit(at)? * 10 + digit(at + 1)?;
        at += 2;
        if minutes > 59 {
            return None;
        }
    }
    Some((sign * (hours * 60 + minutes) * MINUTE_MS, at))
}

/// `String#regionMatches` without case, for an ASCII word.
pub(super) fn matches_ignoring_case<U: Unit>(text: &[U], at: usize, word: &str) -> bool {
    let rest = text.get(at..).unwrap_or_default();
    let lower = |code: u32| if (0x41..=0x5a).contains(&code) { code + 0x20 } else { code };
    rest.len() >= word.len()
        && rest.iter().zip(word.bytes()).all(|(unit, byte)| lower(unit.code()) == lower(u32::from(byte)))
}
