//! Texts and numbers. Source: Jackson's `UTF8JsonGenerator`.

use std::io::Write;

use lakeward_api::java_text;

/// Appends `text` in quotes: control characters escaped, characters beyond U+FFFF as two upper-case escapes.
#[inline]
pub(crate) fn append_quoted(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let end = special(bytes, 0);
    if end == bytes.len() {
        out.extend_from_slice(bytes);
    } else {
        append_with_escapes(out, text, end);
    }
    out.push(b'"');
}

#[cold]
fn append_with_escapes(out: &mut Vec<u8>, text: &str, mut at: usize) {
    let bytes = text.as_bytes();
    let mut done = 0;
    while at < bytes.len() {
        out.extend_from_slice(&bytes[done..at]);
        done = at + append_escaped(out, &text[at..]);
        at = special(bytes, done);
    }
    out.extend_from_slice(&bytes[done..]);
}

/// Index of the first byte at or after `at` that cannot stand for itself; the length if there is none.
///
/// Eight bytes at a time: a lane's high bit is set when the lane matches. Borrows can set false bits only
/// above a true match, so the lowest set bit is exact. Bytes from 0xF0 start characters beyond U+FFFF.
fn special(bytes: &[u8], mut at: usize) -> usize {
    while let Some(lanes) = bytes.get(at..at + 8) {
        let word = u64::from_le_bytes(lanes.try_into().expect("the slice has eight bytes"));
        let quote = word ^ (LANES * b'"' as u64);
        let backslash = word ^ (LANES * b'\\' as u64);
        let found = (quote.wrapping_sub(LANES) & !quote)
            | (backslash.wrapping_sub(LANES) & !backslash)
            | (word.wrapping_sub(LANES * 0x20) & !word)
            | (word & (word << 1) & (word << 2) & (word << 3));
        let found = found & (LANES * 0x80);
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(&byte) = bytes.get(at) {
        if byte == b'"' || byte == b'\\' || !(0x20..0xf0).contains(&byte) {
            return at;
        }
        at += 1;
    }
    at
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
                write!(out, "\\u{unit:04X}").expect("writing to memory cannot fail");
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

#[inline]
pub(crate) fn append_integer(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends a FLOAT64; NaN and infinities in quotes.
pub(super) fn append_double(out: &mut Vec<u8>, number: f64) {
    let quotes: &[u8] = if number.is_finite() { b"" } else { b"\"" };
    out.extend_from_slice(quotes);
    java_text::append_f64(out, number);
    out.extend_from_slice(quotes);
}

/// Appends a FLOAT32; NaN and infinities in quotes.
pub(super) fn append_float(out: &mut Vec<u8>, number: f32) {
    let quotes: &[u8] = if number.is_finite() { b"" } else { b"\"" };
    out.extend_from_slice(quotes);
    java_text::append_f32(out, number);
    out.extend_from_slice(quotes);
}

const LANES: u64 = 0x0101_0101_0101_0101;
