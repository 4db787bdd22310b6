//! Names and texts: UTF-8 with escapes.
//!
//! As in Java, encodings longer than needed and halves of surrogate pairs that meet are understood.

use super::tokens::Tokens;
use super::{Malformed, NAME_BYTES_MAX, described};

/// How many bytes follow `first`, and its own bits; `None` when no character begins with it.
fn lead(first: u8) -> Option<(usize, u32)> {
    let bits = u32::from(first);
    match first {
        0..0x80 => Some((0, bits)),
        0xc0..0xe0 => Some((1, bits & 0x1f)),
        0xe0..0xf0 => Some((2, bits & 0x0f)),
        0xf0..0xf8 => Some((3, bits & 0x07)),
        _ => None,
    }
}

fn push(units: &mut Vec<u16>, code: u32) {
    match code {
        0..0x1_0000 => units.push((code & 0xffff) as u16),
        _ => {
            let rest = (code - 0x1_0000) & 0xf_ffff;
            units.push(0xd800 | (rest >> 10) as u16);
            units.push(0xdc00 | (rest & 0x3ff) as u16);
        }
    }
}

impl Tokens<'_> {
    /// The text whose quote is the newest token.
    pub(in crate::rest) fn text(&mut self) -> Result<String, Malformed> {
        const PLACE: &str = " in VALUE_STRING";
        let mut units = Vec::new();
        loop {
            let byte = self.byte().ok_or_else(|| self.ended(PLACE))?;
            match byte {
                b'"' => return self.whole(&units),
                b'\\' => units.push(self.escape()?),
                0..b' ' => return Err(self.unquoted(byte, "string value")),
                _ => {
                    let (more, mut code) = lead(byte).ok_or_else(|| self.bad_start(byte))?;
                    for _ in 0..more {
                        let next = self.byte().ok_or_else(|| self.ended(PLACE))?;
                        code = (code << 6) | self.middle(next)?;
                    }
                    push(&mut units, code);
                }
            }
        }
    }

    /// The name that begins with `first`. What is wrong with its encoding is met at its end.
    pub(super) fn read_name(&mut self, first: u8) -> Result<String, Malformed> {
        const PLACE: &str = " in field name";
        if first != b'"' {
            let found = self.character(first)?;
            return Err(self.unexpected(found, "was expecting double-quote to start field name"));
        }
        let mut units = Vec::new();
        let mut raw = Vec::new();
        loop {
            match self.byte().ok_or_else(|| self.ended(PLACE))? {
                b'"' => break,
                b'\\' => raw.push(Err(self.escape()?)),
                byte @ 0..b' ' => return Err(self.unquoted(byte, "name")),
                byte => raw.push(Ok(byte)),
            }
        }
        if raw.len() > NAME_BYTES_MAX {
            let length = raw.len();
            return Err(Malformed::limit(format!(
                "Name length ({length}) exceeds the maximum allowed ({NAME_BYTES_MAX}, from \
                 `StreamReadConstraints.getMaxNameLength()`)"
            )));
        }
        let mut rest = raw.into_iter();
        while let Some(part) = rest.next() {
            let byte = match part {
                Ok(byte) => byte,
                Err(unit) => {
                    units.push(unit);
                    continue;
                }
            };
            let (more, mut code) = lead(byte).ok_or_else(|| self.bad_start(byte))?;
            for _ in 0..more {
                let next = rest.next().ok_or_else(|| self.ended(PLACE))?;
                code = (code << 6) | self.middle(next.unwrap_or_default())?;
            }
            push(&mut units, code);
        }
        self.whole(&units)
    }

    /// Half a surrogate pair cannot be stored, and must not become something else.
    fn whole(&self, units: &[u16]) -> Result<String, Malformed> {
        String::from_utf16(units).map_err(|_| {
            Malformed::at(self.here(), "A text holds half of a surrogate pair, which is not supported")
        })
    }

    fn escape(&mut self) -> Result<u16, Malformed> {
        const PLACE: &str = " in character escape sequence";
        let byte = self.byte().ok_or_else(|| self.ended(PLACE))?;
        let unit = match byte {
            b'b' => 8,
            b't' => 9,
            b'n' => 10,
            b'f' => 12,
            b'r' => 13,
            b'"' | b'/' | b'\\' => byte.into(),
            b'u' => {
                let mut unit = 0;
                for _ in 0..4 {
                    let digit = self.byte().ok_or_else(|| self.ended(PLACE))?;
                    let value = char::from(digit).to_digit(16).ok_or_else(|| {
                        let expected = "expected a hex-digit for character escape sequence";
                        self.unexpected(digit.into(), expected)
                    })?;
                    unit = (unit << 4) | value as u16;
                }
                unit
            }
            other => {
                let found = described(self.character(other)?);
                let problem = format!("Unrecognized character escape {found}");
                return Err(Malformed::at(self.before(), &problem));
            }
        };
        Ok(unit)
    }

    /// The character that begins with `first`, for error texts: one UTF-16 unit.
    pub(super) fn character(&mut self, first: u8) -> Result<u32, Malformed> {
        let (more, mut code) = lead(first).ok_or_else(|| self.bad_start(first))?;
        for _ in 0..more {
            let next = self.byte().ok_or_else(|| self.ended_after_current())?;
            code = (code << 6) | self.middle(next)?;
        }
        Ok(code & 0xffff)
    }

    fn middle(&self, byte: u8) -> Result<u32, Malformed> {
        if byte & 0xc0 == 0x80 {
            return Ok(u32::from(byte & 0x3f));
        }
        Err(Malformed::at(self.here(), &format!("Invalid UTF-8 middle byte 0x{byte:x}")))
    }

    fn bad_start(&self, byte: u8) -> Malformed {
        Malformed::at(self.here(), &format!("Invalid UTF-8 start byte 0x{byte:x}"))
    }

    fn unquoted(&self, byte: u8, place: &str) -> Malformed {
        let found = described(byte.into());
        let problem = format!(
            "Illegal unquoted character ({found}): has to be escaped using backslash to be included in \
             {place}"
        );
        Malformed::at(self.before(), &problem)
    }
}
