//! Escapes of JSON strings.

use std::borrow::Cow;

use super::cursor::{RawText, TextForm};

impl<'a> RawText<'a> {
    /// The text with escapes resolved, as UTF-8.
    pub(super) fn resolved(self) -> Cow<'a, [u8]> {
        match self.form {
            TextForm::Plain => Cow::Borrowed(self.bytes),
            TextForm::Escaped => {
                let mut out = Vec::with_capacity(self.bytes.len());
                unescape(self.bytes, &mut out);
                Cow::Owned(out)
            }
        }
    }

    /// Appends the text with escapes resolved.
    #[inline]
    pub(super) fn append_to(self, out: &mut Vec<u8>) {
        match self.form {
            TextForm::Plain => out.extend_from_slice(self.bytes),
            TextForm::Escaped => unescape(self.bytes, out),
        }
    }
}

/// Resolves the escapes of `raw`, which the cursor has checked. A surrogate without its partner has no UTF-8
/// form and becomes U+FFFD.
fn unescape(raw: &[u8], out: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let Some(&kind) = rest.get(at + 1) else { return };
        let mut passed = at + 2;
        match kind {
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => {
                let (character, escape_bytes) = unicode_escape(&rest[at..]);
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                passed = at + escape_bytes;
            }
            other => out.push(other),
        }
        rest = &rest[passed..];
    }
    out.extend_from_slice(rest);
}

/// The character of the `\uXXXX` at the start of `rest` (or of a surrogate pair) and the bytes it takes.
fn unicode_escape(rest: &[u8]) -> (char, usize) {
    let first = code_unit(rest).unwrap_or(0xfffd);
    if (0xd800..0xdc00).contains(&first)
        && let Some(second) = code_unit(&rest[6..])
        && (0xdc00..0xe000).contains(&second)
    {
        let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 6)
}

/// The value of the `\uXXXX` at the start of `rest`.
fn code_unit(rest: &[u8]) -> Option<u32> {
    let hex = rest.strip_prefix(b"\\u")?.get(..4)?;
    hex.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::super::cursor::Cursor;

    #[test]
    fn escapes_are_resolved_and_lone_surrogates_replaced() {
        let cases = [
            (r#""plain""#, "plain"),
            (r#""a\"\\\/\b\f\n\r\tz""#, "a\"\\/\u{8}\u{c}\n\r\tz"),
            (r#""\u00e9\uD83D\uDE00""#, "é😀"),
            (r#""\ud83dx""#, "\u{fffd}x"),
            (r#""\ude00\ud83d""#, "\u{fffd}\u{fffd}"),
        ];
        for (source, expected) in cases {
            let text = Cursor::new(source.as_bytes()).string().unwrap();
            assert_eq!(&*text.resolved(), expected.as_bytes(), "{source}");
        }
        for bad in [r#""\x""#, r#""\u12g4""#, r#""\u12"#, "\"a\nb\"", "\"abc", r#""\"#] {
            assert!(Cursor::new(bad.as_bytes()).string().is_err(), "{bad}");
        }
    }
}
