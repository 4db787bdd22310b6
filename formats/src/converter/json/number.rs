//! JSON numbers: the fast path for 64-bit integers, and exact arithmetic on the text for everything unusual.
//!
//! Source: RFC 8259, Jackson's `ALLOW_LEADING_ZEROS_FOR_NUMBERS`, `BigDecimal` (fractions) and `BigInteger`
//! (long integers) for what Java makes of them.

use super::cursor::Cursor;
use super::fault::{Parsed, syntax};

/// A JSON number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number<'a> {
    /// Without fraction and exponent, but beyond 64 bits.
    Big(&'a [u8]),
    /// With a fraction or an exponent.
    Fraction(&'a [u8]),
    /// Without fraction and exponent.
    Integer(i64),
}

impl<'a> Cursor<'a> {
    /// Passes a number; the next byte must be `-` or a digit.
    #[inline]
    pub(super) fn number(&mut self) -> Parsed<Number<'a>> {
        let start = self.pos;
        let negative = self.bytes.get(start) == Some(&b'-');
        let digits_start = start + usize::from(negative);
        let mut at = digits_start;
        let mut magnitude = 0u64;
        while let Some(&byte) = self.bytes.get(at) {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            magnitude = magnitude.wrapping_mul(10).wrapping_add(u64::from(digit));
            at += 1;
        }
        let plain = !matches!(self.bytes.get(at), Some(b'.' | b'e' | b'E'));
        if plain && (1..=18).contains(&(at - digits_start)) {
            self.pos = at;
            let magnitude = magnitude as i64;
            return Ok(Number::Integer(if negative { -magnitude } else { magnitude }));
        }
        self.unusual_number(start, at)
    }

    /// Numbers of more than 18 digits, and those with fraction or exponent. `at` is the end of the whole
    /// digits.
    fn unusual_number(&mut self, start: usize, mut at: usize) -> Parsed<Number<'a>> {
        let digits_end = |from: usize| {
            let digits = self.bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 { Err(syntax("expected a digit", from)) } else { Ok(from + digits) }
        };
        digits_end(start + usize::from(self.bytes[start] == b'-'))?;
        let whole_end = at;
        if self.bytes.get(at) == Some(&b'.') {
            at = digits_end(at + 1)?;
        }
        if matches!(self.bytes.get(at), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.bytes.get(at + 1), Some(b'+' | b'-')));
            at = digits_end((at + 1 + sign).min(self.bytes.len()))?;
        }
        let text = &self.bytes[start..at];
        if text.len() > NUMBER_BYTES_MAX {
            return Err(syntax("number of more than 1000 characters", start));
        }
        self.pos = at;
        if at > whole_end {
            return Ok(Number::Fraction(text));
        }
        let integer = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        Ok(integer.map_or(Number::Big(text), Number::Integer))
    }
}

impl Number<'_> {
    /// The number as Java reads it: a zero has no sign, because it goes through `BigDecimal`.
    #[inline]
    pub(super) fn as_java(self) -> Self {
        match self {
            Number::Fraction(text) if text.first() == Some(&b'-') && is_zero(text) => {
                Number::Fraction(&text[1..])
            }
            other => other,
        }
    }

    /// The nearest FLOAT64; beyond its range an infinity.
    #[inline]
    pub(super) fn to_f64(self) -> f64 {
        match self {
            Number::Integer(number) => number as f64,
            Number::Big(text) | Number::Fraction(text) => fast_float2::parse(text).unwrap_or(f64::NAN),
        }
    }

    /// The nearest FLOAT32; beyond its range an infinity.
    pub(super) fn to_f32(self) -> f32 {
        match self {
            Number::Integer(number) => number as f32,
            Number::Big(text) | Number::Fraction(text) => fast_float2::parse(text).unwrap_or(f32::NAN),
        }
    }

    /// The low 64 bits of the whole part. Source: `BigInteger#longValue`, `BigDecimal#longValue`.
    pub(super) fn low_bits(self) -> i64 {
        let text = match self {
            Number::Integer(number) => return number,
            Number::Big(text) | Number::Fraction(text) => text,
        };
        let parts = DecimalParts::of(text);
        // 10^64 is a multiple of 2^64: further zeros do not change the low bits.
        let zeros = (-parts.scale).clamp(0, 64);
        let kept =
            parts.digits.len().saturating_sub(usize::try_from(parts.scale.max(0)).unwrap_or(usize::MAX));
        let digits = parts.digits[..kept].iter().copied().chain((0..zeros).map(|_| b'0'));
        let magnitude =
            digits.fold(0i64, |number, digit| number.wrapping_mul(10).wrapping_add(i64::from(digit - b'0')));
        if parts.negative { magnitude.wrapping_neg() } else { magnitude }
    }

    /// The number as a 64-bit integer if it is exactly one (`3`, `3.0`, `3e2`).
    pub(super) fn exact_integer(self) -> Option<i64> {
        match self {
            Number::Integer(number) => Some(number),
            Number::Big(_) => None,
            Number::Fraction(text) => {
                let parts = DecimalParts::of(text);
                if parts.digits.is_empty() {
                    return Some(0);
                }
                if parts.scale > 0 || parts.digits.len() as i64 - parts.scale > 19 {
                    return None;
                }
                let mut digits = String::from(if parts.negative { "-" } else { "" });
                digits.extend(parts.digits.iter().map(|digit| char::from(*digit)));
                digits.extend((parts.scale..0).map(|_| '0'));
                digits.parse().ok()
            }
        }
    }
}

/// Whether a number is exactly zero.
fn is_zero(text: &[u8]) -> bool {
    let mantissa = text.iter().take_while(|byte| !matches!(byte, b'e' | b'E'));
    mantissa.filter(|byte| byte.is_ascii_digit()).all(|digit| *digit == b'0')
}

/// A number as digits × 10^-scale: no zeros at either end of the digits, none at all for zero.
pub(super) struct DecimalParts {
    pub(super) negative: bool,
    /// ASCII digits.
    pub(super) digits: Vec<u8>,
    pub(super) scale: i64,
}

impl DecimalParts {
    /// Takes a checked JSON number apart. Exponents beyond ±10^12 count as that.
    pub(super) fn of(text: &[u8]) -> Self {
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            _ => (false, text),
        };
        let exponent_at = text.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(text.len());
        let exponent = exponent(text.get(exponent_at + 1..).unwrap_or_default());
        let mantissa = &text[..exponent_at];
        let whole = mantissa.iter().position(|byte| *byte == b'.').unwrap_or(mantissa.len());
        let fraction = mantissa.get(whole + 1..).unwrap_or_default();
        let mut digits = [&mantissa[..whole], fraction].concat();
        let mut scale = fraction.len() as i64 - exponent;
        while digits.last() == Some(&b'0') {
            digits.pop();
            scale -= 1;
        }
        let leading = digits.iter().take_while(|digit| **digit == b'0').count();
        digits.drain(..leading);
        Self { negative, digits, scale }
    }
}

fn exponent(text: &[u8]) -> i64 {
    let digits = text.iter().filter(|byte| byte.is_ascii_digit());
    let magnitude =
        digits.fold(0i64, |number, digit| (number * 10 + i64::from(digit - b'0')).min(EXPONENT_MAX));
    if text.first() == Some(&b'-') { -magnitude } else { magnitude }
}

/// The unscaled two's complement (big-endian, shortest) of `number` at `scale`; `None` when digits would be
/// lost or the number has more than 1000 digits at that scale.
pub(super) fn unscaled(number: Number<'_>, scale: i32) -> Option<Vec<u8>> {
    let text;
    let parts = match number {
        Number::Integer(integer) => {
            text = integer.to_string();
            DecimalParts::of(text.as_bytes())
        }
        Number::Big(text) | Number::Fraction(text) => DecimalParts::of(text),
    };
    if parts.digits.is_empty() {
        return Some(vec![0]);
    }
    let zeros = usize::try_from(i64::from(scale) - parts.scale).ok()?;
    if parts.digits.len() + zeros > NUMBER_BYTES_MAX {
        return None;
    }
    let digits = parts.digits.iter().map(|digit| u32::from(digit - b'0')).chain((0..zeros).map(|_| 0));
    let mut bytes = vec![0u8];
    for digit in digits {
        let mut carry = digit;
        for byte in bytes.iter_mut().rev() {
            carry += u32::from(*byte) * 10;
            *byte = carry as u8;
            carry >>= 8;
        }
        if carry > 0 {
            bytes.insert(0, carry as u8);
        }
    }
    Some(twos_complement(bytes, parts.negative))
}

fn twos_complement(mut magnitude: Vec<u8>, negative: bool) -> Vec<u8> {
    magnitude.insert(0, 0);
    if negative {
        let mut carry = true;
        for byte in magnitude.iter_mut().rev() {
            let (sum, overflow) = (!*byte).overflowing_add(u8::from(carry));
            *byte = sum;
            carry = overflow;
        }
    }
    let sign = if negative { 0xff } else { 0 };
    let redundant =
        magnitude.windows(2).take_while(|pair| pair[0] == sign && (pair[1] ^ sign) & 0x80 == 0).count();
    magnitude.drain(..redundant);
    magnitude
}

/// Jackson's `StreamReadConstraints#maxNumberLength`.
const NUMBER_BYTES_MAX: usize = 1000;

const EXPONENT_MAX: i64 = 1_000_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number<'_> {
        Cursor::new(text.as_bytes()).number().unwrap()
    }

    #[test]
    fn low_bits_are_javas() {
        let cases = [
            ("12345678901234567890", -6101065172474983726),
            ("1.9", 1),
            ("-1.9", -1),
            ("1e400", 0),
            ("3e9", 3_000_000_000),
            ("1e-999999999999999999999", 0),
            ("9223372036854775808", i64::MIN),
            ("007", 7),
            ("0.00", 0),
        ];
        for (text, expected) in cases {
            assert_eq!(number(text).low_bits(), expected, "{text}");
        }
    }

    #[test]
    fn exact_integers_lose_nothing() {
        let cases = [
            ("3.0", Some(3)),
            ("3e2", Some(300)),
            ("3.5", None),
            ("-1.20e1", Some(-12)),
            ("1e19", None),
            ("9223372036854775807e0", Some(i64::MAX)),
            ("0e99", Some(0)),
            ("9223372036854775808", None),
        ];
        for (text, expected) in cases {
            assert_eq!(number(text).exact_integer(), expected, "{text}");
        }
    }

    #[test]
    fn unscaled_is_shortest_twos_complement() {
        assert_eq!(unscaled(number("1.56"), 2), Some(vec![0x00, 0x9c]));
        assert_eq!(unscaled(number("-1.28"), 2), Some(vec![0x80]));
        assert_eq!(unscaled(number("1.5"), 2), Some(vec![0x00, 0x96]));
        assert_eq!(unscaled(number("-2.56"), 2), Some(vec![0xff, 0x00]));
        assert_eq!(unscaled(number("0.000"), 2), Some(vec![0]));
        assert_eq!(unscaled(number("1.567"), 2), None);
        assert_eq!(unscaled(number("1e99999999"), 2), None);
        assert_eq!(unscaled(number("65536"), 0), Some(vec![1, 0, 0]));
    }

    #[test]
    fn malformed_numbers_are_refused() {
        for bad in ["-", "1.", "1e", "1e+", "-.5", "-e1"] {
            assert!(Cursor::new(bad.as_bytes()).number().is_err(), "{bad}");
        }
        assert!(Cursor::new("1".repeat(1001).as_bytes()).number().is_err());
        assert_eq!(number("-0"), Number::Integer(0));
    }
}
