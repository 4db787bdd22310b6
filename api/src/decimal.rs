//! Decimals of any precision, with Java's text forms.
//!
//! Source: `java.math.BigDecimal`, `org.apache.kafka.connect.data.Decimal`.

use std::fmt::Write as _;

use bytes::Bytes;
use num_bigint::{BigInt, Sign};

/// The longest number that is read.
const DIGITS_MAX: usize = 100_000;

/// `unscaled × 10^-scale`. Two decimals are equal when both parts are, as Java's `BigDecimal#equals`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// Unscaled value: big-endian two's complement, shortest form.
    pub unscaled: Bytes,
    /// Digits after the point; may be negative.
    pub scale: i32,
}

impl Decimal {
    /// A decimal of an unscaled integer.
    pub fn of(unscaled: &BigInt, scale: i32) -> Self {
        Self { unscaled: unscaled.to_signed_bytes_be().into(), scale }
    }

    /// The unscaled integer.
    pub fn unscaled(&self) -> BigInt {
        BigInt::from_signed_bytes_be(&self.unscaled)
    }

    /// Reads Java's `new BigDecimal(text)`: digits with an optional point and exponent, no blanks. `None`
    /// when it is anything else, has an exponent beyond 32 bits, or more than 100,000 digits: the time to
    /// read them grows with their square.
    pub fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], parse_exponent(&text[at + 1..])?),
            None => (text, 0),
        };
        let (sign, digits) = match mantissa.as_bytes().first()? {
            b'-' => ("-", &mantissa[1..]),
            b'+' => ("", &mantissa[1..]),
            _ => ("", mantissa),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let digits_count = whole.len() + fraction.len();
        if digits_count == 0 || digits_count > DIGITS_MAX || !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let unscaled: BigInt = format!("{sign}{whole}{fraction}").parse().ok()?;
        let scale = i64::try_from(fraction.len()).ok()? - exponent;
        Some(Self::of(&unscaled, i32::try_from(scale).ok()?))
    }

    /// Java's `BigDecimal#toString`: scientific notation for a negative scale or very small numbers.
    pub fn to_java_text(&self) -> String {
        let unscaled = self.unscaled();
        if self.scale == 0 {
            return unscaled.to_string();
        }
        let digits = unscaled.magnitude().to_string();
        let mut text = String::new();
        if unscaled.sign() == Sign::Minus {
            text.push('-');
        }
        let count = i64::try_from(digits.len()).expect("a text in memory");
        let adjusted = -i64::from(self.scale) + (count - 1);
        if self.scale >= 0 && adjusted >= -6 {
            append_plain(&mut text, &digits, i64::from(self.scale));
            return text;
        }
        text.push_str(&digits[..1]);
        if digits.len() > 1 {
            text.push('.');
            text.push_str(&digits[1..]);
        }
        if adjusted != 0 {
            write!(text, "E{adjusted:+}").expect("writing to a String cannot fail");
        }
        text
    }
}

/// Digits with a point before the last `scale` of them (`scale` ≥ 0).
fn append_plain(text: &mut String, digits: &str, scale: i64) {
    let scale = usize::try_from(scale).expect("not negative");
    if scale == 0 {
        text.push_str(digits);
    } else if digits.len() > scale {
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        text.push_str(whole);
        text.push('.');
        text.push_str(fraction);
    } else {
        text.push_str("0.");
        text.extend(std::iter::repeat_n('0', scale - digits.len()));
        text.push_str(digits);
    }
}

fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    i32::try_from(text.strip_prefix('+').unwrap_or(text).parse::<i64>().ok()?).ok().map(i64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_big_decimal() {
        // Printed by Java 17: new BigDecimal(text).toString().
        let cases = [
            ("0", "0"),
            ("-1.50", "-1.50"),
            ("1E+3", "1E+3"),
            ("1e-10", "1E-10"),
            ("0.0000001", "1E-7"),
            ("0.000001", "0.000001"),
            ("12345e-2", "123.45"),
            ("+.5", "0.5"),
            ("5.", "5"),
            ("-0.00", "0.00"),
            ("123456789012345678901234567890.5", "123456789012345678901234567890.5"),
            ("1.5e400", "1.5E+400"),
        ];
        for (text, expected) in cases {
            assert_eq!(Decimal::parse(text).expect(text).to_java_text(), expected, "{text}");
        }
        assert!(Decimal::parse(&"9".repeat(DIGITS_MAX)).is_some());
        assert_eq!(Decimal::parse(&"9".repeat(DIGITS_MAX + 1)), None);
        for text in ["", ".", "-", "1e", "1x", " 1", "1e99999999999", "e5", "1.2.3"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }
}
