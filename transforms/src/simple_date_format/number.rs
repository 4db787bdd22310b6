//! Numbers in texts: what an integer `NumberFormat` without grouping reads.
//!
//! Source: `DecimalFormat#parse`.

/// A UTF-16 unit, or a byte of an ASCII text.
pub(super) trait Unit: Copy {
    fn code(self) -> u32;
}

impl Unit for u8 {
    fn code(self) -> u32 {
        u32::from(self)
    }
}

impl Unit for u16 {
    fn code(self) -> u32 {
        u32::from(self)
    }
}

/// Zeros of the scripts that have decimal digits in the first plane; nine more digits follow each.
const ZEROS: [u16; 36] = [
    0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0de6,
    0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0,
    0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
];

/// `Character.digit(unit, 10)`.
pub(crate) fn digit(code: u32) -> Option<u32> {
    if code < 0x80 {
        return code.checked_sub(0x30).filter(|digit| *digit < 10);
    }
    ZEROS.iter().find_map(|zero| code.checked_sub(u32::from(*zero)).filter(|digit| *digit < 10))
}

/// Reads a number at `at`: its `intValue` and where it ends.
pub(super) fn parse<U: Unit>(text: &[U], at: usize) -> Option<(i32, usize)> {
    let unit = |at: usize| text.get(at).map(|unit| unit.code());
    if starts_with(text, at, "NaN") {
        return Some((0, at + 3));
    }
    let negative = unit(at) == Some(0x2d);
    let first = at + usize::from(negative);
    if let Some(short) = short(text, first) {
        return Some((if negative { -short.0 } else { short.0 }, short.1));
    }
    if unit(first) == Some(0x221e) {
        return Some((if negative { i32::MIN } else { i32::MAX }, first + 1));
    }
    let mut end = first;
    let mut digits = Digits::default();
    while let Some(digit) = unit(end).and_then(digit) {
        digits.push(digit);
        end += 1;
    }
    if end == first {
        return None;
    }
    let mut exponent = 0;
    if unit(end) == Some(0x45) {
        let minus = unit(end + 1) == Some(0x2d);
        let start = end + 1 + usize::from(minus);
        let mut stop = start;
        let mut number = 0_i64;
        while let Some(digit) = unit(stop).and_then(digit) {
            number = number.saturating_mul(10).saturating_add(i64::from(digit));
            stop += 1;
        }
        if stop > start && number < i64::MAX {
            exponent = if minus { -number } else { number };
            end = stop;
        }
    }
    Some((digits.int_value(negative, exponent), end))
}

/// Reads the numbers that there are in practice: up to nine ASCII digits and no exponent.
fn short<U: Unit>(text: &[U], first: usize) -> Option<(i32, usize)> {
    let digits = text.get(first..)?.iter().map(|unit| unit.code().wrapping_sub(0x30));
    let mut number = 0;
    let mut count = 0;
    for digit in digits.take(10).take_while(|digit| *digit < 10) {
        number = number * 10 + i64::from(digit);
        count += 1;
    }
    let end = first + count;
    let goes_on = text.get(end).is_some_and(|unit| unit.code() == 0x45 || unit.code() >= 0x80);
    (1..10).contains(&count).then_some(number).filter(|_| !goes_on).map(|number| (number as i32, end))
}

/// Whether `text` has `word` at `at`.
pub(super) fn starts_with<U: Unit>(text: &[U], at: usize, word: &str) -> bool {
    let rest = text.get(at..).unwrap_or_default();
    rest.len() >= word.len()
        && rest.iter().zip(word.bytes()).all(|(unit, byte)| unit.code() == u32::from(byte))
}

/// The first significant digits of a number and how many follow.
#[derive(Default)]
struct Digits {
    value: u128,
    count: u32,
    more: u32,
}

impl Digits {
    fn push(&mut self, digit: u32) {
        if self.count < 30 {
            self.value = self.value * 10 + u128::from(digit);
            self.count += u32::from(self.value > 0);
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    /// `intValue` of the `Long` (low bits) or else `Double` (nearest) that Java makes of it.
    fn int_value(&self, negative: bool, exponent: i64) -> i32 {
        let mut value = self.value;
        let mut exponent = (exponent as i32).saturating_add(self.more as i32);
        while exponent < 0 && value.is_multiple_of(10) && value > 0 {
            value /= 10;
            exponent += 1;
        }
        while exponent > 0 && value < 1 << 64 && value > 0 {
            value *= 10;
            exponent -= 1;
        }
        let limit = (1_u128 << 63) - u128::from(!negative);
        if value == 0 {
            0
        } else if exponent == 0 && value <= limit {
            let low = value as u64 as i32;
            if negative { low.wrapping_neg() } else { low }
        } else {
            let number = value as f64 * 10_f64.powi(exponent.clamp(-400, 400));
            (if negative { -number } else { number }) as i32
        }
    }
}
