//! Floating point numbers in Java's spelling.
//!
//! Source: `Double#toString` and `Float#toString` of JDK 19 and later: the shortest digits. Older JDKs print
//! more digits for a few values (1.0E23 as 9.999999999999999E22); both read back as the same number.

/// Appends a FLOAT64 as `Double#toString` prints it (`1.0`, `1.0E10`, `NaN`, `-Infinity`).
pub fn append_f64(out: &mut Vec<u8>, number: f64) {
    if !number.is_finite() {
        return append_not_finite(out, number);
    }
    // Most numbers of real data are decimals of few digits.
    if append_short(out, number) {
        return;
    }
    let mut buffer = ryu::Buffer::new();
    let shortest = buffer.format_finite(number);
    if number.abs() < 1e-300 && number != 0.0 && !has_fraction(shortest) {
        // Java prints two digits at least, and picks the two that are nearest.
        let two = format!("{number:.1e}");
        if two.parse::<f64>().is_ok_and(|parsed| parsed.to_bits() == number.to_bits()) {
            return append_java(out, &two);
        }
    }
    append_java(out, shortest);
}

/// Appends a FLOAT32 as `Float#toString` prints it.
pub fn append_f32(out: &mut Vec<u8>, number: f32) {
    if !number.is_finite() {
        return append_not_finite(out, f64::from(number));
    }
    if number.abs() < 1e7 && number.fract() == 0.0 && number != 0.0 {
        return append_whole(out, number as i32);
    }
    let mut buffer = ryu::Buffer::new();
    let shortest = buffer.format_finite(number);
    if number.abs() < 1e-37 && number != 0.0 && !has_fraction(shortest) {
        let two = format!("{number:.1e}");
        if two.parse::<f32>().is_ok_and(|parsed| parsed.to_bits() == number.to_bits()) {
            return append_java(out, &two);
        }
    }
    append_java(out, shortest);
}

/// `Double#toString`.
pub fn f64_text(number: f64) -> String {
    let mut text = Vec::with_capacity(24);
    append_f64(&mut text, number);
    String::from_utf8(text).expect("digits and ASCII words")
}

/// `Float#toString`.
pub fn f32_text(number: f32) -> String {
    let mut text = Vec::with_capacity(16);
    append_f32(&mut text, number);
    String::from_utf8(text).expect("digits and ASCII words")
}

/// Appends a number from 10^-3 up to 10^7 that is a decimal of at most eight digits after the point, and zero.
/// `false` when it is none.
///
/// Such a decimal has at most 15 digits, and no two decimals of up to 15 digits are the same FLOAT64: what
/// reads back as the number is its shortest text.
fn append_short(out: &mut Vec<u8>, number: f64) -> bool {
    const UNITS: u64 = 100_000_000;
    let magnitude = number.abs();
    if !(1e-3..1e7).contains(&magnitude) && magnitude != 0.0 {
        return false;
    }
    let scaled = (magnitude * UNITS as f64 + 0.5) as u64;
    if scaled as f64 / UNITS as f64 != magnitude {
        return false;
    }
    let (whole, fraction) = (eight_digits(scaled / UNITS), eight_digits(scaled % UNITS));
    let whole_digits = 8 - (whole.trailing_zeros() / 8).min(7);
    let fraction_digits = 8 - (fraction.leading_zeros() / 8).min(7);
    let ascii = u64::from_le_bytes(*b"00000000");
    // 16 bytes are enough: 7 digits, the point, 8 digits.
    let text = u128::from((whole | ascii) >> (64 - 8 * whole_digits))
        | u128::from(b'.') << (8 * whole_digits)
        | u128::from(fraction | ascii) << (8 * whole_digits + 8);
    if number.is_sign_negative() {
        out.push(b'-');
    }
    let end = out.len() + (whole_digits + 1 + fraction_digits) as usize;
    // A copy of fixed length is one store.
    out.extend_from_slice(&text.to_le_bytes());
    out.truncate(end);
    true
}

/// The decimal digits of a number below 10^8, one per byte, the first in the lowest byte.
fn eight_digits(number: u64) -> u64 {
    // Halves, then pairs, then single digits, all of one size at once; the divisions are multiplications that
    // are exact in these ranges.
    let halves = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = ((halves * 10_486) >> 20) & 0x7f_0000_007f;
    let pairs = hundreds | ((halves - 100 * hundreds) << 16);
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | ((pairs - 10 * tens) << 8)
}

fn append_whole(out: &mut Vec<u8>, number: i32) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    out.extend_from_slice(b".0");
}

fn append_not_finite(out: &mut Vec<u8>, number: f64) {
    let text: &[u8] = if number.is_nan() {
        b"NaN"
    } else if number > 0.0 {
        b"Infinity"
    } else {
        b"-Infinity"
    };
    out.extend_from_slice(text);
}

fn has_fraction(number: &str) -> bool {
    number.split('e').next().is_some_and(|mantissa| mantissa.contains('.'))
}

/// Rewrites a decimal text (`-1.25e-9`, `1e23`, `300000.0`) in Java's notation: plain from 10^-3 up to 10^7,
/// else one digit before the point and an exponent; always at least one digit after the point.
fn append_java(out: &mut Vec<u8>, number: &str) {
    let magnitude = match number.strip_prefix('-') {
        Some(rest) => {
            out.push(b'-');
            rest
        }
        None => number,
    };
    let (mantissa, exponent) = magnitude.split_once('e').unwrap_or((magnitude, "0"));
    let exponent: i32 = exponent.parse().expect("float texts have a numeric exponent");
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut all = [0u8; 40];
    all[..whole.len()].copy_from_slice(whole.as_bytes());
    let mut end = whole.len() + fraction.len();
    all[whole.len()..end].copy_from_slice(fraction.as_bytes());
    let leading = all[..end].iter().take_while(|digit| **digit == b'0').count();
    if leading == end {
        out.extend_from_slice(b"0.0");
        return;
    }
    while end > leading + 1 && all[end - 1] == b'0' {
        end -= 1;
    }
    let digits = &all[leading..end];
    // The point stands after `point` digits.
    let point = whole.len() as i32 + exponent - leading as i32;
    if (-2..=7).contains(&point) {
        append_plain(out, digits, point);
    } else {
        out.push(digits[0]);
        out.push(b'.');
        out.extend_from_slice(if digits.len() > 1 { &digits[1..] } else { b"0" });
        out.push(b'E');
        out.extend_from_slice(itoa::Buffer::new().format(point - 1).as_bytes());
    }
}

fn append_plain(out: &mut Vec<u8>, digits: &[u8], point: i32) {
    if point <= 0 {
        out.extend_from_slice(b"0.");
        (point..0).for_each(|_| out.push(b'0'));
        out.extend_from_slice(digits);
        return;
    }
    let whole = point as usize;
    if digits.len() <= whole {
        out.extend_from_slice(digits);
        (digits.len()..whole).for_each(|_| out.push(b'0'));
        out.extend_from_slice(b".0");
    } else {
        out.extend_from_slice(&digits[..whole]);
        out.push(b'.');
        out.extend_from_slice(&digits[whole..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_decimals_print_as_their_shortest_digits() {
        let general = |number: f64| {
            let mut text = Vec::new();
            append_java(&mut text, ryu::Buffer::new().format_finite(number));
            String::from_utf8(text).unwrap()
        };
        let mut state = 1_u64;
        for round in 0..200_000_u32 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let unit = 10_f64.powi((round % 17) as i32);
            let decimal = (state >> (12 + round % 50)).max(1) as f64 / unit;
            for number in [decimal, -decimal, f64::from_bits(decimal.to_bits() + 1)] {
                assert_eq!(f64_text(number), general(number));
            }
        }
    }

    #[test]
    fn eight_digits_are_those_of_the_number() {
        for number in (0..100_000_000).step_by(997).chain([99_999_999, 10_000, 9_999, 100, 99]) {
            let digits = eight_digits(number) | u64::from_le_bytes(*b"00000000");
            assert_eq!(digits.to_le_bytes(), format!("{number:08}").as_bytes());
        }
    }

    #[test]
    fn numbers_print_as_in_java() {
        // Printed by Java 25.
        let doubles = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (5e-324, "4.9E-324"),
            (f64::MAX, "1.7976931348623157E308"),
            (1e23, "1.0E23"),
            (2e23, "2.0E23"),
            (1e7, "1.0E7"),
            (9_999_999.0, "9999999.0"),
            (0.001, "0.001"),
            (0.000_999, "9.99E-4"),
            (123_456.789, "123456.789"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (number, expected) in doubles {
            assert_eq!(f64_text(number), expected);
        }
        let floats = [(1e-45_f32, "1.4E-45"), (f32::MAX, "3.4028235E38"), (0.1, "0.1"), (1.0e10, "1.0E10")];
        for (number, expected) in floats {
            assert_eq!(f32_text(number), expected);
        }
    }
}
