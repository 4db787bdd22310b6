//! Texts of bytes that should be UTF-8.
//!
//! Source: `java.lang.String#String(byte[], Charset)` of JDK 17.

use std::borrow::Cow;

/// The text of `bytes`: U+FFFD stands for each longest part of a character, and, as in Java, for each half of
/// a surrogate pair in three bytes, also for the first two of those.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(repaired(bytes)),
    }
}

fn repaired(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(chunk) = rest.utf8_chunks().next() {
        out.push_str(chunk.valid());
        let broken = &rest[chunk.valid().len()..];
        if !broken.is_empty() {
            out.push(char::REPLACEMENT_CHARACTER);
        }
        let length = match broken {
            [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..] => 3,
            [0xed, 0xa0..=0xbf, ..] => 2,
            _ => chunk.invalid().len(),
        };
        rest = &broken[length..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_characters_are_replaced_as_java_does() {
        let cases: [(&[u8], &str); 12] = [
            (b"a\xc3\xa9", "aé"),
            (b"a\xed\xa0\x80b", "a\u{fffd}b"),
            (b"\xed\xa0\xbd\xed\xb0\x80", "\u{fffd}\u{fffd}"),
            (b"\xed\xa0", "\u{fffd}"),
            (b"\xed\xa0A", "\u{fffd}A"),
            (b"\xed\x80A", "\u{fffd}A"),
            (b"\xed", "\u{fffd}"),
            (b"\xc0\x80", "\u{fffd}\u{fffd}"),
            (b"\xe0\x80\x80", "\u{fffd}\u{fffd}\u{fffd}"),
            (b"\xe2\x82A", "\u{fffd}A"),
            (b"\xf4\x90\x80\x80", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
            (b"\xf0\x9f\x98", "\u{fffd}"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(text(bytes), expected, "{bytes:x?}");
        }
    }
}
