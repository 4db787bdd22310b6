//! Texts and numbers. Source: Jackson's `UTF8JsonGenerator`.

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

/// The bytes of `word` that cannot stand for themselves: the lowest bit that is set is the high bit of the
/// first.
///
/// Borrows can set false bits only above a true match. Bytes from 0xF0 start characters beyond U+FFFF.
#[inline]
fn specials(word: u64) -> u64 {
    let quote = word ^ (LANES * b'"' as u64);
    let backslash = word ^ (LANES * b'\\' as u64);
    let found = (quote.wrapping_sub(LANES) & !quote)
        | (backslash.wrapping_sub(LANES) & !backslash)
        | (word.wrapping_sub(LANES * 0x20) & !word)
        | (word & (word << 1) & (word << 2) & (word << 3));
    found & (LANES * 0x80)
}

/// Index of the first byte at or after `at` that cannot stand for itself; the length if there is none.
fn special(bytes: &[u8], mut at: usize) -> usize {
    while let Some(lanes) = bytes.get(at..at + 8) {
        let found = specials(u64::from_le_bytes(lanes.try_into().expect("the slice has eight bytes")));
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
    let mut text = [0; ESCAPE_BYTES];
    let (length, written) = escape(&mut text, rest);
    out.extend_from_slice(&text[..written]);
    length
}

/// Writes the escape of the first character of `rest`; returns the length of the character and of the escape.
fn escape(out: &mut [u8; ESCAPE_BYTES], rest: &str) -> (usize, usize) {
    let Some(first) = rest.chars().next() else { return (0, 0) };
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
            let units = first.encode_utf16(&mut units);
            for (escape, unit) in out.chunks_exact_mut(6).zip(units.iter()) {
                let digit = |shift: u32| b"0123456789ABCDEF"[usize::from(unit >> shift & 0xf)];
                escape.copy_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
            }
            return (first.len_utf8(), units.len() * 6);
        }
    };
    out[..2].copy_from_slice(&[b'\\', short]);
    (1, 2)
}

/// Writes `text` in quotes at `at`; returns where that ends. Words are stored
/// whole: seven bytes behind the end may be overwritten.
pub(super) fn put_escaped(out: &mut [u8], at: usize, text: &str) -> usize {
    let bytes = text.as_bytes();
    out[at] = b'"';
    let (mut at, mut done) = (at + 1, 0);
    while done < bytes.len() {
        let rest = &bytes[done..];
        let (word, count) = match rest.first_chunk() {
            Some(word) => (*word, 8),
            None => {
                let mut word = [b' '; 8];
                word[..rest.len()].copy_from_slice(rest);
                (word, rest.len())
            }
        };
        out[at..at + 8].copy_from_slice(&word);
        let found = specials(u64::from_le_bytes(word));
        if found == 0 {
            (at, done) = (at + count, done + count);
            continue;
        }
        let before = (found.trailing_zeros() / 8) as usize;
        (at, done) = (at + before, done + before);
        let space = out[at..].first_chunk_mut().expect("an escape has room");
        let (length, written) = escape(space, &text[done..]);
        (at, done) = (at + written, done + length);
    }
    out[at] = b'"';
    at + 1
}

/// Whether all of `bytes` stand for themselves.
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    let (chunks, rest) = bytes.as_chunks::<64>();
    let no_escape = |bytes: &[u8]| !bytes.iter().fold(false, |found, byte| found | is_special(*byte));
    chunks.iter().all(|chunk| no_escape(chunk)) && no_escape(rest)
}

/// Bytes of `bytes` with escapes, at most: six for one, and twelve for the four of a character beyond U+FFFF.
pub(super) fn escaped_bytes_max(bytes: &[u8]) -> usize {
    let (chunks, rest) = bytes.as_chunks::<64>();
    let count = |bytes: &[u8]| usize::from(bytes.iter().map(|byte| u8::from(is_special(*byte))).sum::<u8>());
    let escapes = chunks.iter().map(|chunk| count(chunk)).sum::<usize>() + count(rest);
    bytes.len() + escapes * (ESCAPE_BYTES - 4)
}

/// Control characters and bytes from 0xF0 are next to each other behind an addition.
fn is_special(byte: u8) -> bool {
    byte.wrapping_add(0x10) < 0x30 || byte == b'"' || byte == b'\\'
}

/// Appends the base64 text of `bytes` in quotes (standard alphabet, padded).
pub(super) fn append_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4 + 2, 0);
    put_base64(out, start, bytes);
}

/// Writes the same at `at`; returns where it ends.
pub(super) fn put_base64(out: &mut [u8], at: usize, bytes: &[u8]) -> usize {
    use base64::Engine;
    let end = at + 1 + bytes.len().div_ceil(3) * 4;
    out[at] = b'"';
    base64::engine::general_purpose::STANDARD
        .encode_slice(bytes, &mut out[at + 1..end])
        .expect("the space was computed from the same length");
    out[end] = b'"';
    end + 1
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

/// Bytes of two escapes, which a character beyond U+FFFF takes.
const ESCAPE_BYTES: usize = 12;
