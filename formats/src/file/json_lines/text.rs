//! Texts and numbers in Java's spelling.
//!
//! Source: Jackson's `UTF8JsonGenerator` (escapes) and `Double#toString` of JDK 19 and later: the shortest
//! digits. Older JDKs print more digits for a few values (1.0E23 as 9.999999999999999E22); both read back as
//! the same number.

use std::io::Write;

/// Appends `text` in quotes: control characters escaped, characters beyond U+FFFF as two upper-case escapes.
pub(super) fn append_quoted(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut done = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        // Bytes from 0xF0 start characters beyond U+FFFF.
        if byte >= 0x20 && byte != b'"' && byte != b'\\' && byte < 0xf0 {
            continue;
        }
        out.extend_from_slice(&bytes[done..at]);
        done = at + append_escaped(out, &text[at..]);
    }
    out.extend_from_slice(&bytes[done..]);
    out.push(b'"');
}

/// Appends the escape of the first character of `rest`; returns its length in bytes.
fn append_escaped(out: &mut Vec<u8>, rest: &str) -> usize {
    let Some(first) = rest.chars().next() else { return 0 };
    let short = match first {
        '"' => b'"',
        '\\' => b'\\',
        '\u{8}' => b'b',
        '\u{c}' => b'f',
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        _ => {
            let mut units = [0; 2];
            for unit in first.encode_utf16(&mut units) {
                append_formatted(out, format_args!("\\u{unit:04X}"));
            }
            return first.len_utf8();
        }
    };
    out.extend_from_slice(&[b'\\', short]);
    1
}

/// Appends the base64 text of `bytes` in quotes (standard alphabet, padded).
pub(super) fn append_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    use base64::Engine;
    out.push(b'"');
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    base64::engine::general_purpose::STANDARD
        .encode_slice(bytes, &mut out[start..])
        .expect("the space was computed from the same length");
    out.push(b'"');
}

pub(super) fn append_integer(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends a FLOAT64 as `Double#toString` prints it; NaN and infinities in quotes.
pub(super) fn append_double(out: &mut Vec<u8>, number: f64) {
    if !number.is_finite() {
        return append_not_finite(out, number);
    }
    let mut digits = ryu::Buffer::new();
    let shortest = digits.format_finite(number);
    if number.abs() < 1e-300 && number != 0.0 {
        let two = format!("{number:.1e}");
        let same = two.parse::<f64>().is_ok_and(|parsed| parsed.to_bits() == number.to_bits());
        if same && !has_fraction(shortest) {
            return append_java(out, &two);
        }
    }
    append_java(out, shortest);
}

/// Appends a FLOAT32 as `Float#toString` prints it; NaN and infinities in quotes.
pub(super) fn append_float(out: &mut Vec<u8>, number: f32) {
    if !number.is_finite() {
        return append_not_finite(out, f64::from(number));
    }
    let mut digits = ryu::Buffer::new();
    let shortest = digits.format_finite(number);
    if number.abs() < 1e-37 && number != 0.0 {
        let two = format!("{number:.1e}");
        let same = two.parse::<f32>().is_ok_and(|parsed| parsed.to_bits() == number.to_bits());
        if same && !has_fraction(shortest) {
            return append_java(out, &two);
        }
    }
    append_java(out, shortest);
}

fn has_fraction(number: &str) -> bool {
    number.split('e').next().is_some_and(|mantissa| mantissa.contains('.'))
}

fn append_not_finite(out: &mut Vec<u8>, number: f64) {
    let text: &[u8] = if number.is_nan() {
        b"\"NaN\""
    } else if number > 0.0 {
        b"\"Infinity\""
    } else {
        b"\"-Infinity\""
    };
    out.extend_from_slice(text);
}

/// Rewrites a decimal text (`-1.25e-9`, `1e23`, `300000.0`) in Java's notation: plain from 10^-3 up to 10^7,
/// else one digit before the point and an exponent; always at least one digit after the point.
fn append_java(out: &mut Vec<u8>, number: &str) {
    let (sign, magnitude) = match number.strip_prefix('-') {
        Some(rest) => (b"-".as_slice(), rest),
        None => (b"".as_slice(), number),
    };
    out.extend_from_slice(sign);
    let (mantissa, exponent) = magnitude.split_once('e').unwrap_or((magnitude, "0"));
    let exponent: i32 = exponent.parse().expect("float texts have a numeric exponent");
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = [whole.as_bytes(), fraction.as_bytes()].concat();
    // The point stands after `point` digits.
    let mut point = whole.len() as i32 + exponent;
    let leading = digits.iter().take_while(|digit| **digit == b'0').count();
    if leading == digits.len() {
        out.extend_from_slice(b"0.0");
        return;
    }
    digits.drain(..leading);
    point -= leading as i32;
    while digits.len() > 1 && digits.last() == Some(&b'0') {
        digits.pop();
    }
    if (-2..=7).contains(&point) {
        append_plain(out, &digits, point);
    } else {
        out.push(digits[0]);
        out.push(b'.');
        out.extend_from_slice(if digits.len() > 1 { &digits[1..] } else { b"0" });
        append_formatted(out, format_args!("E{}", point - 1));
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

fn append_formatted(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to memory cannot fail");
}
