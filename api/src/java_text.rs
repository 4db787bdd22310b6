//! Floating point numbers in Java's spelling.
//!
//! Source: `Double#toString` and `Float#toString` of JDK 19 and later: the shortest digits. Older JDKs print
//! more digits for a few values (1.0E23 as 9.999999999999999E22); both read back as the same number.

/// Appends a FLOAT64 as `Double#toString` prints it (`1.0`, `1.0E10`, `NaN`, `-Infinity`).
pub fn append_f64(out: &mut Vec<u8>, number: f64) {
    if !number.is_finite() {
        return append_not_finite(out, number);
    }
    // Most numbers of real data are whole and small.
    if number.abs() < 1e7 && number.fract() == 0.0 && number != 0.0 {
        return append_whole(out, number as i32);
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
