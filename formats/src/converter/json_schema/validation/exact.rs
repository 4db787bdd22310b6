//! Numbers as they are written, compared without loss.

use std::cmp::Ordering;

use serde_json::Number;

/// A number: digits × 10^-scale, without zeros at either end of the digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exact {
    text: String,
    is_negative: bool,
    digits: Vec<u8>,
    scale: i64,
}

impl Exact {
    pub(super) fn of(number: &Number) -> Self {
        let text = number.to_string();
        let unsigned = text.trim_start_matches('-');
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let is_low = exponent.starts_with('-');
        // Exponents that no number needs are all the same.
        let exponent: i64 = exponent.parse().unwrap_or(if is_low { -EXPONENT_MAX } else { EXPONENT_MAX });
        let exponent = exponent.clamp(-EXPONENT_MAX, EXPONENT_MAX);
        let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits: Vec<u8> = whole.bytes().chain(part.bytes()).map(|digit| digit - b'0').collect();
        let mut scale = part.len() as i64 - exponent;
        while digits.last() == Some(&0) {
            digits.pop();
            scale -= 1;
        }
        let zeros = digits.iter().take_while(|digit| **digit == 0).count();
        digits.drain(..zeros);
        if digits.is_empty() {
            scale = 0;
        }
        let is_negative = text.starts_with('-') && !digits.is_empty();
        Self { text, is_negative, digits, scale }
    }

    /// As it is written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it has no fraction.
    pub(super) fn is_whole(&self) -> bool {
        self.scale <= 0
    }

    /// Whether it is written without fraction and exponent.
    pub(super) fn is_integer_text(&self) -> bool {
        !self.text.contains(['.', 'e', 'E'])
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        match (self.is_negative, other.is_negative) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => self.compare_magnitude(other),
            (true, true) => other.compare_magnitude(self),
        }
    }

    fn compare_magnitude(&self, other: &Self) -> Ordering {
        let size = |number: &Self| {
            if number.digits.is_empty() { i64::MIN } else { number.digits.len() as i64 - number.scale }
        };
        size(self).cmp(&size(other)).then_with(|| self.digits.cmp(&other.digits))
    }

    /// Whether it is a whole number of `divisor`s. Every number is one of zero.
    ///
    /// Time: linear in the digits of both and in the difference of their scales, which is bounded.
    pub(super) fn is_multiple_of(&self, divisor: &Self) -> bool {
        if divisor.digits.is_empty() || self.digits.is_empty() {
            return true;
        }
        let Some(modulus) = divisor.digits.iter().try_fold(0_u64, |number, digit| {
            number.checked_mul(10)?.checked_add(u64::from(*digit)).filter(|number| *number < 1 << 60)
        }) else {
            return self.compare_magnitude(divisor).is_eq();
        };
        // Zeros that bring this number to the scale of the divisor.
        let zeros = divisor.scale - self.scale;
        if zeros < 0 {
            return false;
        }
        let rest =
            |rest: u64, digit: u8| ((u128::from(rest) * 10 + u128::from(digit)) % u128::from(modulus)) as u64;
        let start = self.digits.iter().fold(0, |number, digit| rest(number, *digit));
        (0..zeros.min(ZEROS_MAX)).fold(start, |number, _| rest(number, 0)) == 0
    }
}

const EXPONENT_MAX: i64 = 1_000_000_000;

/// After so many zeros a power of ten is a multiple of whatever it will be a multiple of.
const ZEROS_MAX: i64 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> Exact {
        Exact::of(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn numbers_are_compared_without_loss() {
        let ascending =
            ["-1e9", "-2.5", "-1", "0", "0.1", "1", "1.00000000000000000001", "10", "123e1", "1e400"];
        for (at, one) in ascending.iter().enumerate() {
            for (other_at, other) in ascending.iter().enumerate() {
                assert_eq!(exact(one).compare(&exact(other)), at.cmp(&other_at), "{one} {other}");
            }
        }
        for (one, other) in [("1.0", "1"), ("-0.0", "0"), ("1e2", "100"), ("0.10", "0.1")] {
            assert_eq!(exact(one).compare(&exact(other)), Ordering::Equal, "{one} {other}");
        }
    }

    #[test]
    fn multiples_are_whole() {
        for (number, divisor) in [("0.3", "0.1"), ("9", "3"), ("1e3", "8"), ("0", "7"), ("1.5e400", "0.5")] {
            assert!(exact(number).is_multiple_of(&exact(divisor)), "{number} {divisor}");
        }
        for (number, divisor) in [("4", "3"), ("0.35", "0.1"), ("1", "8"), ("1e400", "7")] {
            assert!(!exact(number).is_multiple_of(&exact(divisor)), "{number} {divisor}");
        }
    }
}
