//! Numbers of literals: the smallest integer type, else the smallest floating point type, else a Decimal.
//!
//! Source: `Values$ValueParser#parseAsNumber`, Kafka 4.1.

use std::borrow::Cow;
use std::sync::Arc;

use crate::decimal::Decimal;
use crate::schema::{Kind, Logical, Schema};
use crate::value::Value;

/// Reads `text` as `new BigDecimal(text)` and finds its type; `None` when it is no number.
pub(super) fn parse(text: &str) -> Option<(Arc<Schema>, Value)> {
    let text = ascii_digits(text);
    let parts = Parts::of(&text)?;
    if let Some(integer) = parts.exact_integer() {
        return Some(smallest(integer));
    }
    if parts.scale != 0 {
        // Rust reads every number that Java's BigDecimal reads, and rounds the same way.
        if let Some(float) = text.parse::<f32>().ok().filter(|float| float.is_finite()) {
            return Some(typed(Kind::Float32, Value::Float32(float)));
        }
        if let Some(double) = text.parse::<f64>().ok().filter(|double| double.is_finite()) {
            return Some(typed(Kind::Float64, Value::Float64(double)));
        }
    }
    let decimal = Decimal { scale: parts.scale, ..Decimal::parse(parts.mantissa)? };
    let schema = Schema::logical_of(Logical::Decimal { scale: parts.scale });
    Some((Arc::new(schema), Value::Decimal(decimal)))
}

/// A decimal number taken apart.
struct Parts<'a> {
    negative: bool,
    /// Sign, digits and point.
    mantissa: &'a str,
    /// The digits before and after the point.
    whole: &'a str,
    fraction: &'a str,
    scale: i32,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], exponent(&text[at + 1..])?),
            None => (text, 0),
        };
        let negative = mantissa.starts_with('-');
        let digits = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let are_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !are_digits(whole) || !are_digits(fraction) {
            return None;
        }
        let scale = i64::try_from(fraction.len()).ok()? - exponent;
        Some(Self { negative, mantissa, whole, fraction, scale: i32::try_from(scale).ok()? })
    }

    /// The number if it is whole and fits 64 bits.
    fn exact_integer(&self) -> Option<i64> {
        let mut digits = self.whole.bytes().chain(self.fraction.bytes()).skip_while(|digit| *digit == b'0');
        let total = self.whole.len() + self.fraction.len();
        let leading = total - digits.clone().count();
        if leading == total {
            return Some(0);
        }
        // Digits before the point once the exponent has moved it.
        let whole = (total - leading) as i64 - i64::from(self.scale);
        if !(1..=19).contains(&whole) {
            return None;
        }
        let mut integer: i128 = 0;
        for _ in 0..whole {
            integer = integer * 10 + i128::from(digits.next().unwrap_or(b'0') - b'0');
        }
        let is_whole = digits.all(|digit| digit == b'0');
        is_whole.then_some(if self.negative { -integer } else { integer })?.try_into().ok()
    }
}

/// Exponents fit 32 bits.
fn exponent(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let significant = digits.trim_start_matches('0');
    if significant.len() > 10 {
        return None;
    }
    let size = if significant.is_empty() { 0 } else { significant.parse::<i64>().ok()? };
    Some(if negative { -size } else { size }).filter(|exponent| i32::try_from(*exponent).is_ok())
}

fn smallest(integer: i64) -> (Arc<Schema>, Value) {
    if let Ok(integer) = i8::try_from(integer) {
        typed(Kind::Int8, Value::Int8(integer))
    } else if let Ok(integer) = i16::try_from(integer) {
        typed(Kind::Int16, Value::Int16(integer))
    } else if let Ok(integer) = i32::try_from(integer) {
        typed(Kind::Int32, Value::Int32(integer))
    } else {
        typed(Kind::Int64, Value::Int64(integer))
    }
}

fn typed(kind: Kind, value: Value) -> (Arc<Schema>, Value) {
    (Arc::new(Schema::new(kind)), value)
}

/// Java's `Character#isDigit` for the characters up to U+FFFF.
pub(super) fn is_digit(letter: char) -> bool {
    digit_value(letter).is_some()
}

fn digit_value(letter: char) -> Option<u8> {
    if letter.is_ascii() {
        return letter.is_ascii_digit().then(|| letter as u8 - b'0');
    }
    let zero = ZEROS.iter().rev().find(|zero| **zero <= letter)?;
    u8::try_from(letter as u32 - *zero as u32).ok().filter(|value| *value < 10)
}

/// `text` with the digits of every script replaced by `0` to `9`.
pub(super) fn ascii_digits(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let letters =
        text.chars().map(|letter| digit_value(letter).map_or(letter, |value| (b'0' + value) as char));
    Cow::Owned(letters.collect())
}

/// The zeros of the scripts of Java 17 that have decimal digits, without those beyond U+FFFF.
const ZEROS: [char; 36] = [
    '\u{660}', '\u{6f0}', '\u{7c0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}', '\u{be6}',
    '\u{c66}', '\u{ce6}', '\u{d66}', '\u{de6}', '\u{e50}', '\u{ed0}', '\u{f20}', '\u{1040}', '\u{1090}',
    '\u{17e0}', '\u{1810}', '\u{1946}', '\u{19d0}', '\u{1a80}', '\u{1a90}', '\u{1b50}', '\u{1bb0}',
    '\u{1c40}', '\u{1c50}', '\u{a620}', '\u{a8d0}', '\u{a900}', '\u{a9d0}', '\u{a9f0}', '\u{aa50}',
    '\u{abf0}', '\u{ff10}',
];
