//! Numbers in texts, as Java's `parseInt` and `parseDouble` families read them.

use crate::simple_date_format::digit;

/// `Long.parseLong(text)` for numbers between `min` and `max`; `None` where Java throws.
pub(crate) fn parse_integer(text: &str, min: i64, max: i64) -> Option<i64> {
    let bytes = text.as_bytes();
    let (negative, digits) = match bytes.first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    let mut number = 0_i64;
    for digit in digits.chars().map(|digit| self::digit(u32::from(digit))) {
        // Negative numbers reach further.
        number = number.checked_mul(10)?.checked_sub(i64::from(digit?))?;
    }
    let number = if negative { number } else { number.checked_neg()? };
    (min..=max).contains(&number).then_some(number)
}

/// `Double.parseDouble(text)`; `None` where Java throws.
pub(crate) fn parse_double(text: &str) -> Option<f64> {
    match Float::of(text)? {
        Float::Decimal(text) => text.parse().ok(),
        Float::Hex { negative, mantissa, sticky, exponent } => {
            Some(signed(negative, round(mantissa, sticky, exponent, 53, -1074)))
        }
        Float::Special(value) => Some(value),
    }
}

/// `Float.parseFloat(text)`; `None` where Java throws.
pub(crate) fn parse_float(text: &str) -> Option<f32> {
    match Float::of(text)? {
        Float::Decimal(text) => text.parse().ok(),
        Float::Hex { negative, mantissa, sticky, exponent } => {
            Some(signed(negative, round(mantissa, sticky, exponent, 24, -149)) as f32)
        }
        Float::Special(value) => Some(value as f32),
    }
}

enum Float<'a> {
    Decimal(&'a str),
    /// `mantissa × 2^exponent`, and a bit more when `sticky`.
    Hex {
        negative: bool,
        mantissa: u64,
        sticky: bool,
        exponent: i64,
    },
    Special(f64),
}

impl<'a> Float<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let text = text.trim_matches(|char| char <= ' ');
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        match rest {
            "NaN" => return Some(Self::Special(f64::NAN)),
            "Infinity" => return Some(Self::Special(signed(negative, f64::INFINITY))),
            _ => {}
        }
        if rest.starts_with("0x") || rest.starts_with("0X") {
            return Self::hex(negative, rest[2..].trim_end_matches_one(['f', 'F', 'd', 'D']));
        }
        let number = text.trim_end_matches_one(['f', 'F', 'd', 'D']);
        let plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-');
        number.bytes().all(plain).then_some(Self::Decimal(number))
    }

    fn hex(negative: bool, text: &str) -> Option<Self> {
        let (digits, power) = text.split_once(['p', 'P'])?;
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let unsigned = power.strip_prefix(['+', '-']).unwrap_or(power);
        if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let mut exponent: i64 = unsigned.parse().unwrap_or(i64::from(i32::MAX)).min(i64::from(i32::MAX));
        if power.starts_with('-') {
            exponent = -exponent;
        }
        exponent -= 4 * i64::try_from(fraction.len()).ok()?;
        let (mut mantissa, mut sticky) = (0_u64, false);
        for digit in whole.chars().chain(fraction.chars()) {
            let digit = digit.to_digit(16)?;
            if mantissa >> 60 == 0 {
                mantissa = mantissa << 4 | u64::from(digit);
            } else {
                sticky |= digit != 0;
                exponent += 4;
            }
        }
        Some(Self::Hex { negative, mantissa, sticky, exponent })
    }
}

trait TrimOne {
    fn trim_end_matches_one(&self, ends: [char; 4]) -> &str;
}

impl TrimOne for str {
    fn trim_end_matches_one(&self, ends: [char; 4]) -> &str {
        self.strip_suffix(ends).unwrap_or(self)
    }
}

fn signed(negative: bool, value: f64) -> f64 {
    if negative { -value } else { value }
}

/// `mantissa × 2^exponent` with `precision` bits, the last of them at least 2^`min`; half to even.
fn round(mantissa: u64, sticky: bool, exponent: i64, precision: i64, min: i64) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    let bits = 64 - i64::from(mantissa.leading_zeros());
    let cut = (bits - precision).max(min - exponent);
    if cut <= 0 {
        return power(mantissa as f64, exponent);
    }
    if cut > 64 {
        return 0.0;
    }
    let wide = u128::from(mantissa);
    let kept = (wide >> cut) as u64;
    let rest = wide & ((1 << cut) - 1);
    let half = 1_u128 << (cut - 1);
    let up = rest > half || (rest == half && (sticky || kept & 1 == 1));
    let value = power((kept + u64::from(up)) as f64, exponent + cut);
    if precision == 24 && value > f64::from(f32::MAX) { f64::INFINITY } else { value }
}

/// `value × 2^exponent`, where the result is exact or infinite.
fn power(mut value: f64, exponent: i64) -> f64 {
    let mut exponent = exponent.clamp(-4_000, 4_000) as i32;
    while exponent != 0 {
        let step = exponent.clamp(-1_000, 1_000);
        value *= 2_f64.powi(step);
        exponent -= step;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_those_of_parse_int() {
        for (text, expected) in [
            ("12", Some(12)),
            ("+5", Some(5)),
            ("-128", Some(-128)),
            ("128", None),
            ("-129", None),
            ("", None),
            ("-", None),
            ("+", None),
            ("1.5", None),
            (" 1", None),
            ("0000000000000000000000001", Some(1)),
            ("\u{661}", Some(1)),
        ] {
            assert_eq!(parse_integer(text, -128, 127), expected, "{text}");
        }
        assert_eq!(parse_integer("-9223372036854775808", i64::MIN, i64::MAX), Some(i64::MIN));
        assert_eq!(parse_integer("9223372036854775808", i64::MIN, i64::MAX), None);
    }

    #[test]
    fn floats_are_those_of_parse_double() {
        // Printed by Java 17.
        for (text, expected) in [
            (" 1.5 ", Some(1.5)),
            ("1e3", Some(1000.0)),
            ("1f", Some(1.0)),
            ("-.5D", Some(-0.5)),
            ("-Infinity", Some(f64::NEG_INFINITY)),
            ("0x1.8p1", Some(3.0)),
            ("0x.8p0f", Some(0.5)),
            ("0x1p-1074", Some(f64::from_bits(1))),
            ("0x1p-1075", Some(0.0)),
            ("0x1p5000", Some(f64::INFINITY)),
            ("inf", None),
            ("nan", None),
            ("", None),
            ("1e", None),
            (".", None),
            ("0x1", None),
            ("1ff", None),
            ("1_0", None),
        ] {
            assert_eq!(parse_double(text), expected, "{text}");
        }
        assert!(parse_double("+NaN").is_some_and(f64::is_nan));
        assert_eq!(parse_float("16777217"), Some(16_777_216.0));
        assert_eq!(parse_float("0x1.000001p0"), Some(1.0));
        assert_eq!(parse_float("0x1.ffffffp127"), Some(f32::INFINITY));
    }
}
