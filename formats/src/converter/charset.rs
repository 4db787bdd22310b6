//! The character sets that every JVM has, and the one that Windows writes.
//!
//! Source: `java.nio.charset.StandardCharsets` and the replacement rules of its coders, JDK 17;
//! `sun.nio.cs.MS1252`, whose five unassigned bytes are no character.

use super::utf8;

/// A standard character set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    Ascii,
    Latin1,
    /// Big-endian with a byte order mark; read by its mark.
    Utf16,
    Utf16Be,
    Utf16Le,
    Utf8,
    Windows1252,
}

impl Charset {
    /// The set that a name or alias stands for, in any case.
    pub(super) fn named(name: &str) -> Option<Self> {
        let upper = name.to_ascii_uppercase();
        Some(match upper.as_str() {
            "US-ASCII" | "ASCII" | "ISO646-US" => Self::Ascii,
            "ISO-8859-1" | "ISO8859-1" | "ISO8859_1" | "ISO_8859-1" | "8859_1" | "LATIN1" | "L1" => {
                Self::Latin1
            }
            "UTF-16" | "UTF16" | "UTF_16" | "UNICODE" => Self::Utf16,
            "UTF-16BE" | "UTF_16BE" | "X-UTF-16BE" => Self::Utf16Be,
            "UTF-16LE" | "UTF_16LE" | "X-UTF-16LE" => Self::Utf16Le,
            "UTF-8" | "UTF8" => Self::Utf8,
            "WINDOWS-1252" | "CP1252" | "CP5348" | "IBM-1252" | "IBM1252" => Self::Windows1252,
            _ => return None,
        })
    }

    /// The text of `bytes`; what is no character becomes U+FFFD.
    pub(super) fn decode(self, bytes: &[u8]) -> String {
        match self {
            Self::Ascii => {
                let letter =
                    |byte: &u8| if byte.is_ascii() { char::from(*byte) } else { char::REPLACEMENT_CHARACTER };
                bytes.iter().map(letter).collect()
            }
            Self::Latin1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
            Self::Utf16 => match bytes {
                [0xfe, 0xff, rest @ ..] => decode_units(rest, u16::from_be_bytes),
                [0xff, 0xfe, rest @ ..] => decode_units(rest, u16::from_le_bytes),
                _ => decode_units(bytes, u16::from_be_bytes),
            },
            Self::Utf16Be => decode_units(bytes, u16::from_be_bytes),
            Self::Utf16Le => decode_units(bytes, u16::from_le_bytes),
            Self::Utf8 => utf8::text(bytes).into_owned(),
            Self::Windows1252 => bytes.iter().map(|byte| windows_letter(*byte)).collect(),
        }
    }

    /// Appends `text`; characters that the set does not have become `?`.
    pub(super) fn encode(self, text: &str, out: &mut Vec<u8>) {
        match self {
            Self::Ascii => append_up_to(out, text, 0x7f),
            Self::Latin1 => append_up_to(out, text, 0xff),
            Self::Utf16 if text.is_empty() => {}
            Self::Utf16 => {
                out.extend_from_slice(&[0xfe, 0xff]);
                text.encode_utf16().for_each(|unit| out.extend_from_slice(&unit.to_be_bytes()));
            }
            Self::Utf16Be => text.encode_utf16().for_each(|unit| out.extend_from_slice(&unit.to_be_bytes())),
            Self::Utf16Le => text.encode_utf16().for_each(|unit| out.extend_from_slice(&unit.to_le_bytes())),
            Self::Utf8 => out.extend_from_slice(text.as_bytes()),
            Self::Windows1252 => out.extend(text.chars().map(windows_byte)),
        }
    }
}

fn append_up_to(out: &mut Vec<u8>, text: &str, last: u32) {
    out.extend(text.chars().map(|letter| if letter as u32 <= last { letter as u8 } else { b'?' }));
}

/// The letter of a byte of windows-1252.
fn windows_letter(byte: u8) -> char {
    match byte {
        0x80..0xa0 => WINDOWS[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

fn windows_byte(letter: char) -> u8 {
    match u8::try_from(letter) {
        Ok(byte) if !(0x80..0xa0).contains(&byte) => byte,
        _ if letter == char::REPLACEMENT_CHARACTER => b'?',
        _ => {
            let at = WINDOWS.iter().position(|known| *known == letter);
            at.and_then(|at| u8::try_from(0x80 + at).ok()).unwrap_or(b'?')
        }
    }
}

/// What the bytes from 0x80 to 0x9f stand for in windows-1252.
const WINDOWS: [char; 32] = [
    '\u{20ac}', '\u{fffd}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}', '\u{2c6}',
    '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{fffd}', '\u{17d}', '\u{fffd}', '\u{fffd}', '\u{2018}',
    '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}', '\u{2dc}', '\u{2122}', '\u{161}',
    '\u{203a}', '\u{153}', '\u{fffd}', '\u{17e}', '\u{178}',
];

/// A high surrogate without its partner takes the unit after it along, and a byte that is left; so does Java.
fn decode_units(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let mut text = String::with_capacity(bytes.len() / 2);
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut units = pairs.iter().map(|pair| unit(*pair));
    let mut has_rest = !rest.is_empty();
    while let Some(first) = units.next() {
        let letter = match first {
            0xd800..0xdc00 => {
                let pair = units.next().map(|second| [first, second]);
                has_rest &= pair.is_some();
                let decoded = pair.and_then(|pair| char::decode_utf16(pair).next());
                decoded.and_then(Result::ok)
            }
            _ => char::from_u32(u32::from(first)),
        };
        text.push(letter.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    if has_rest {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_written_and_read_as_in_java() {
        // Printed by Java 17: text.getBytes(charset).
        let cases: [(&str, &[u8]); 6] = [
            ("US-ASCII", b"a??"),
            ("iso-8859-1", b"a\xe9?"),
            ("UTF-16", b"\xfe\xff\0a\0\xe9\xd8\x3d\xde\x00"),
            ("UTF-16LE", b"a\0\xe9\0\x3d\xd8\x00\xde"),
            ("utf8", "a\u{e9}\u{1f600}".as_bytes()),
            ("windows-1252", b"a\xe9?"),
        ];
        for (name, expected) in cases {
            let mut out = Vec::new();
            Charset::named(name).unwrap().encode("a\u{e9}\u{1f600}", &mut out);
            assert_eq!(out, expected, "{name}");
        }
        assert_eq!(Charset::Utf16.decode(b"\xff\xfea\0\x3d\xd8\x00\xde"), "a\u{1f600}");
        assert_eq!(Charset::Utf16Be.decode(b"\xd8\x3d\0a\0b\0"), "\u{fffd}b\u{fffd}");
        assert_eq!(Charset::Utf16Be.decode(b"\0a\xd8\xb2\x1d"), "a\u{fffd}");
        assert_eq!(Charset::Ascii.decode(b"a\xe9"), "a\u{fffd}");
        assert_eq!(Charset::named("EBCDIC"), None);
    }

    #[test]
    fn the_letters_of_windows_come_back() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        let text = Charset::Windows1252.decode(&all);
        let letters = "€\u{fffd}‚ƒ„…†‡ˆ‰Š‹Œ\u{fffd}Ž\u{fffd}\u{fffd}‘’“”•–—˜™š›œ\u{fffd}žŸ\u{a0}¡";
        assert!(text.contains(letters), "{text}");
        let mut back = Vec::new();
        Charset::Windows1252.encode(&text, &mut back);
        let expected = |byte: u8| if [0x81, 0x8d, 0x8f, 0x90, 0x9d].contains(&byte) { b'?' } else { byte };
        assert_eq!(back, all.iter().map(|byte| expected(*byte)).collect::<Vec<_>>());
        assert_eq!(windows_byte('\u{81}'), b'?');
    }
}
