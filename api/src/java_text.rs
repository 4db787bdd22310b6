//! Floating point numbers in Java's spelling.
//!
//! Source: `Double#toString` and `Float#toString` of JDK 19 and later: the shortest digits. Older JDKs print
//! more digits for a few values (1.0E23 as 9.999999999999999E22); both read back as the same number.

mod digits;

pub use digits::{NUMBER_BYTES, Upper, write_i64, write_next};

/// Appends a FLOAT64 as `Double#toString` prints it (`1.0`, `1.0E10`, `NaN`, `-Infinity`).
pub fn append_f64(out: &mut Vec<u8>, number: f64) {
    let mut text = [0; NUMBER_BYTES];
    let length = write_f64(&mut text, number);
    out.extend_from_slice(&text[..length]);
}

/// Appends a FLOAT32 as `Float#toString` prints it.
pub fn append_f32(out: &mut Vec<u8>, number: f32) {
    let mut text = [0; NUMBER_BYTES];
    let length = write_f32(&mut text, number);
    out.extend_from_slice(&text[..length]);
}

/// Writes a FLOAT64 at the start of `out`, as [`append_f64`] prints it; returns its length. The bytes behind
/// it have no meaning.
#[inline(always)]
pub fn write_f64(out: &mut [u8; NUMBER_BYTES], number: f64) -> usize {
    let magnitude = number.abs();
    // Most numbers of real data.
    if (1e-3..1e7).contains(&magnitude) || magnitude == 0.0 {
        out[0] = b'-';
        let start = usize::from(number.is_sign_negative());
        if let Some(end) = digits::write_plain(out, start, magnitude) {
            return end;
        }
    }
    write_any_f64(out, number)
}

#[inline(never)]
fn write_any_f64(out: &mut [u8; NUMBER_BYTES], number: f64) -> usize {
    if !number.is_finite() {
        return write(out, |text| append_not_finite(text, number));
    }
    let mut buffer = ryu::Buffer::new();
    let shortest = buffer.format_finite(number);
    if number.abs() < 1e-300 && number != 0.0 && !has_fraction(shortest) {
        // Java prints two digits at least, and picks the two that are nearest.
        let two = format!("{number:.1e}");
        if two.parse::<f64>().is_ok_and(|parsed| parsed.to_bits() == number.to_bits()) {
            return write(out, |text| append_java(text, &two));
        }
    }
    write(out, |text| append_java(text, shortest))
}

/// Writes a FLOAT32 at the start of `out`, as [`append_f32`] prints it; returns its length. The bytes behind
/// it have no meaning.
pub fn write_f32(out: &mut [u8; NUMBER_BYTES], number: f32) -> usize {
    let magnitude = number.abs();
    if (1e-3..1e7).contains(&magnitude) && number.fract() == 0.0 {
        return write_f64(out, f64::from(number));
    }
    if !number.is_finite() {
        return write(out, |text| append_not_finite(text, f64::from(number)));
    }
    let mut buffer = ryu::Buffer::new();
    let shortest = buffer.format_finite(number);
    if (1e-3..1e7).contains(&magnitude) {
        // In this range both spell numbers alike.
        out[..shortest.len()].copy_from_slice(shortest.as_bytes());
        return shortest.len();
    }
    if number.abs() < 1e-37 && number != 0.0 && !has_fraction(shortest) {
        let two = format!("{number:.1e}");
        if two.parse::<f32>().is_ok_and(|parsed| parsed.to_bits() == number.to_bits()) {
            return write(out, |text| append_java(text, &two));
        }
    }
    write(out, |text| append_java(text, shortest))
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

/// Space that a number is written to, from the start on.
struct Text<'a> {
    out: &'a mut [u8; NUMBER_BYTES],
    length: usize,
}

impl Text<'_> {
    fn push(&mut self, byte: u8) {
        self.out[self.length] = byte;
        self.length += 1;
    }

    fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.out[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }
}

fn write(out: &mut [u8; NUMBER_BYTES], append: impl FnOnce(&mut Text<'_>)) -> usize {
    let mut text = Text { out, length: 0 };
    append(&mut text);
    text.length
}

fn append_not_finite(out: &mut Text<'_>, number: f64) {
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
fn append_java(out: &mut Text<'_>, number: &str) {
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

fn append_plain(out: &mut Text<'_>, digits: &[u8], point: i32) {
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
            let mut text = [0; NUMBER_BYTES];
            let length = write(&mut text, |out| append_java(out, ryu::Buffer::new().format_finite(number)));
            String::from_utf8(text[..length].to_vec()).unwrap()
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
