//! Names of schemas that are the same in every registry.

use std::fmt;

/// A schema's GUID, as it stands in a header: 16 bytes, the text form's digits in order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Guid(pub [u8; 16]);

impl Guid {
    /// Reads the text form, 8-4-4-4-12 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let dashes = [8, 13, 18, 23];
        if text.len() != 36
            || !text.bytes().enumerate().all(|(at, byte)| (byte == b'-') == dashes.contains(&at))
        {
            return None;
        }
        let mut digits = text.chars().filter(|letter| *letter != '-').map(|letter| letter.to_digit(16));
        let mut bytes = [0; 16];
        for byte in &mut bytes {
            let (high, low) = (digits.next()??, digits.next()??);
            *byte = u8::try_from(high << 4 | low).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back() {
        let text = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
        let guid = Guid::parse(text).unwrap();
        assert_eq!((guid.to_string().as_str(), guid.0[0], guid.0[15]), (text, 0x0f, 0xf0));
        let long = format!("{text}0");
        for broken in [
            "",
            &text[1..],
            &text.replace('-', "0"),
            &text.replace('f', "g"),
            long.as_str(),
            "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1é",
        ] {
            assert_eq!(Guid::parse(broken), None, "{broken}");
        }
    }
}
