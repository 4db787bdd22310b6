//! Decimals as other numbers, with the conversions of Java's `BigDecimal`.

use lakeward_api::decimal::Decimal;
use num_bigint::BigInt;

/// An unscaled value of 16 bytes at most.
fn small(unscaled: &[u8]) -> Option<i128> {
    if unscaled.len() > 16 {
        return None;
    }
    let fill = if unscaled.first().is_some_and(|byte| *byte >= 0x80) { 0xff } else { 0 };
    let mut bytes = [fill; 16];
    bytes[16 - unscaled.len()..].copy_from_slice(unscaled);
    Some(i128::from_be_bytes(bytes))
}

/// `BigDecimal#longValue`: the fraction is cut off, of the rest the low 64 bits count.
pub(crate) fn to_i64(unscaled: &[u8], scale: i32) -> i64 {
    if scale <= -64 {
        return 0;
    }
    if let Some(value) = small(unscaled) {
        return match u32::try_from(scale) {
            Ok(scale) => 10_i128.checked_pow(scale).map_or(0, |power| (value / power) as i64),
            Err(_) => value.wrapping_mul(10_i128.wrapping_pow(scale.unsigned_abs())) as i64,
        };
    }
    let value = BigInt::from_signed_bytes_be(unscaled);
    let whole = match u32::try_from(scale) {
        // A byte holds less than three digits.
        Ok(scale) if scale as usize > unscaled.len() * 3 => return 0,
        Ok(scale) => value / BigInt::from(10).pow(scale),
        Err(_) => value * BigInt::from(10).pow(scale.unsigned_abs()),
    };
    let bytes = whole.to_signed_bytes_be();
    small(&bytes[bytes.len().saturating_sub(16)..]).map_or(0, |low| low as i64)
}

/// `BigDecimal#doubleValue`.
pub(crate) fn to_f64(unscaled: &[u8], scale: i32) -> f64 {
    match (small(unscaled), usize::try_from(scale)) {
        (Some(value), Ok(scale)) if value.unsigned_abs() < 1 << 53 && scale <= 22 => {
            value as f64 / 10_f64.powi(scale as i32)
        }
        _ => text(unscaled, scale).parse().expect("a decimal's text is a number"),
    }
}

/// `BigDecimal#floatValue`.
pub(crate) fn to_f32(unscaled: &[u8], scale: i32) -> f32 {
    match (small(unscaled), usize::try_from(scale)) {
        (Some(value), Ok(scale)) if value.unsigned_abs() < 1 << 24 && scale <= 10 => {
            value as f32 / 10_f32.powi(scale as i32)
        }
        _ => text(unscaled, scale).parse().expect("a decimal's text is a number"),
    }
}

/// `BigDecimal#toString`.
pub(crate) fn text(unscaled: &[u8], scale: i32) -> String {
    Decimal { unscaled: bytes::Bytes::copy_from_slice(unscaled), scale }.to_java_text()
}

/// Appends `BigDecimal#toString`.
pub(crate) fn append(out: &mut Vec<u8>, unscaled: &[u8], scale: i32) {
    let plain =
        small(unscaled).and_then(|value| i64::try_from(value).ok()).filter(|value| *value != i64::MIN);
    let (Some(value), 0..=18) = (plain, scale) else {
        return out.extend_from_slice(text(unscaled, scale).as_bytes());
    };
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    let mut rest = value.unsigned_abs();
    while rest > 0 || digits.len() - start <= scale as usize {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let significant =
        digits[start..].iter().position(|digit| *digit != b'0').unwrap_or(digits.len() - start - 1);
    let significant = digits.len() - start - significant;
    // Java changes to an exponent when the first digit is behind the sixth place.
    if scale as usize + 1 > significant + 6 {
        return out.extend_from_slice(text(unscaled, scale).as_bytes());
    }
    if value < 0 {
        out.push(b'-');
    }
    let point = digits.len() - scale as usize;
    out.extend_from_slice(&digits[start..point]);
    if scale > 0 {
        out.push(b'.');
        out.extend_from_slice(&digits[point..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appended_texts_are_those_of_the_slow_path() {
        let numbers = [0_i64, 1, -1, 9, 10, 123, -4_567, 1_000_000, i64::MAX, i64::MIN, 99_999_999_999];
        for number in numbers {
            for scale in -3..25 {
                let unscaled = BigInt::from(number).to_signed_bytes_be();
                let mut fast = Vec::new();
                append(&mut fast, &unscaled, scale);
                assert_eq!(String::from_utf8(fast).unwrap(), text(&unscaled, scale));
            }
        }
    }

    #[test]
    fn numbers_are_those_of_big_decimal() {
        // Printed by Java 17.
        let bytes = |text: &str| text.parse::<BigInt>().unwrap().to_signed_bytes_be();
        assert_eq!(to_i64(&bytes("-1999"), 2), -19);
        assert_eq!(to_i64(&bytes("12345678901234567890"), 0), -6_101_065_172_474_983_726);
        assert_eq!(to_i64(&bytes("1"), -19), -8_446_744_073_709_551_616);
        assert_eq!(to_i64(&bytes("7"), -63), i64::MIN);
        assert_eq!(to_i64(&bytes("7"), i32::MIN), 0);
        assert_eq!(to_i64(&bytes("7"), i32::MAX), 0);
        assert_eq!(
            to_i64(&bytes("123456789012345678901234567890123456789012345678901234567890"), 50),
            1_234_567_890
        );
        assert!((to_f64(&bytes("150"), 2) - 1.5).abs() < f64::EPSILON);
        assert_eq!(to_f64(&bytes("1"), -400), f64::INFINITY);
        assert_eq!(to_f32(&bytes("167772175"), 1), 16_777_218.0);
    }
}
