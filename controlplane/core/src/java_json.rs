//! JSON text as the Java workers write it, byte for byte.
//!
//! Owns the text form only. Compact, members in the order given, control characters as upper-case escapes,
//! characters beyond U+FFFF as two escapes, everything else raw.
//!
//! Source: Jackson's `UTF8JsonGenerator`, as used by Kafka Connect 4.1.

use std::io;

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};

/// The JSON text of `value`.
pub fn to_text(value: &impl Serialize) -> String {
    let mut bytes = Vec::with_capacity(128);
    let mut serializer = Serializer::with_formatter(&mut bytes, JavaFormatter);
    value.serialize(&mut serializer).expect("values with text keys serialise into memory");
    String::from_utf8(bytes).expect("the serializer writes UTF-8")
}

struct JavaFormatter;

impl Formatter for JavaFormatter {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, text: &str) -> io::Result<()> {
        // Lead bytes of four-byte characters are the only ones from here on; nearly no text has any.
        if text.bytes().all(|byte| byte < 0xf0) {
            return writer.write_all(text.as_bytes());
        }
        let mut rest = text;
        while let Some((at, wide)) = rest.char_indices().find(|(_, c)| *c > '\u{ffff}') {
            writer.write_all(&rest.as_bytes()[..at])?;
            let mut units = [0_u16; 2];
            for unit in wide.encode_utf16(&mut units) {
                write!(writer, "\\u{unit:04X}")?;
            }
            rest = &rest[at + wide.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }

    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        let short: &[u8] = match escape {
            CharEscape::AsciiControl(byte) => return write!(writer, "\\u{byte:04X}"),
            CharEscape::Backspace => b"\\b",
            CharEscape::CarriageReturn => b"\\r",
            CharEscape::FormFeed => b"\\f",
            CharEscape::LineFeed => b"\\n",
            CharEscape::Quote => b"\\\"",
            CharEscape::ReverseSolidus => b"\\\\",
            CharEscape::Solidus => b"/",
            CharEscape::Tab => b"\\t",
        };
        writer.write_all(short)
    }
}

#[cfg(test)]
mod tests {
    use super::to_text;

    #[test]
    fn text_is_escaped_as_jackson_does() {
        assert_eq!(to_text(&"a\u{1f}é/\"\\\n"), "\"a\\u001Fé/\\\"\\\\\\n\"");
        assert_eq!(to_text(&"x😀y"), "\"x\\uD83D\\uDE00y\"");
    }
}
