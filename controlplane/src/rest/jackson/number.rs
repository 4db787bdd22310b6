//! Numbers: kept as written.

use super::tokens::Tokens;
use super::{Malformed, NUMBER_LENGTH_MAX, Token, described};

impl Tokens<'_> {
    /// Reads the number that begins with `first`.
    pub(super) fn read_number(&mut self, first: u8) -> Result<Token, Malformed> {
        let start = self.at - 1;
        let mut digit = first;
        if first == b'-' {
            digit = self.byte().ok_or_else(|| self.ended_after_current())?;
            match digit {
                b'0'..=b'9' => {}
                b'.' => return Err(self.no_value(b'.')),
                other => return Err(self.bad_number_start(other, '-')),
            }
        }
        if digit == b'0' && self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            let problem = "Invalid numeric value: Leading zeroes not allowed";
            return Err(Malformed::at(self.here(), problem));
        }
        let mut length = 1 + self.digits();
        let kind = match self.bytes.get(self.at) {
            Some(b'.' | b'e' | b'E') => {
                length += self.fraction()?;
                Token::Float
            }
            _ => Token::Int,
        };
        self.number = (start, self.at);
        if self.at_root() {
            self.require_blank()?;
        }
        if length > NUMBER_LENGTH_MAX {
            return Err(Malformed::limit(format!(
                "Number value length ({length}) exceeds the maximum allowed ({NUMBER_LENGTH_MAX}, from \
                 `StreamReadConstraints.getMaxNumberLength()`)"
            )));
        }
        Ok(kind)
    }

    /// Skips digits and returns how many there were.
    fn digits(&mut self) -> usize {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    /// Reads what follows the digits before the point, and returns how many digits that has.
    fn fraction(&mut self) -> Result<usize, Malformed> {
        let mut length = 0;
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            length = self.digits();
            if length == 0 {
                let found = self.byte().unwrap_or(b'.');
                return Err(self.bad_number(found, "Decimal point not followed by a digit"));
            }
        }
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            let sign = self.bytes.get(self.at).ok_or_else(|| self.ended_after_current())?;
            if matches!(sign, b'+' | b'-') {
                self.at += 1;
            }
            let digits = self.digits();
            if digits == 0 {
                let found = self.byte().ok_or_else(|| self.ended_after_current())?;
                return Err(self.bad_number(found, "Exponent indicator not followed by a digit"));
            }
            length += digits;
        }
        Ok(length)
    }

    /// Outside of arrays and objects a blank must follow.
    fn require_blank(&mut self) -> Result<(), Malformed> {
        match self.bytes.get(self.at).copied() {
            None | Some(b'\r' | b'\n' | b' ' | b'\t') => Ok(()),
            Some(other) => {
                self.at += 1;
                Err(self.unexpected(other.into(), "Expected space separating root-level values"))
            }
        }
    }

    /// What is wrong with a number whose sign is followed by `found`.
    pub(super) fn bad_number_start(&mut self, found: u8, sign: char) -> Malformed {
        if found == b'I' {
            match self.byte() {
                None => return self.ended(" in a Number value"),
                Some(b'N') => return self.not_a_number(&format!("{sign}INF"), 3),
                Some(b'n') => return self.not_a_number(&format!("{sign}Infinity"), 3),
                Some(other) => return self.bad_number_sign(other, sign),
            }
        }
        self.bad_number_sign(found, sign)
    }

    fn bad_number_sign(&self, found: u8, sign: char) -> Malformed {
        match sign {
            '+' => self.bad_number(
                b'+',
                "JSON spec does not allow numbers to have plus signs: enable \
                 `JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to allow",
            ),
            _ => self.bad_number(found, "expected digit (0-9) to follow minus sign, for valid numeric value"),
        }
    }

    fn bad_number(&self, found: u8, problem: &str) -> Malformed {
        let found = described(found.into());
        Malformed::at(self.before(), &format!("Unexpected character ({found}) in numeric value: {problem}"))
    }
}
