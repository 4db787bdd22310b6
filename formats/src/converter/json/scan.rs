//! Text in blocks of bytes: where a string ends, what a number is.
//!
//! Knows bytes, not JSON: whoever calls decides what may follow.

use wide::i8x16;

/// Bytes that are looked at together.
pub(super) const BLOCK: usize = 16;

/// Index of the first byte of a block that is no plain ASCII text: a quote, a backslash, a control
/// character or a byte beyond ASCII; 16 if there is none.
#[inline(always)]
pub(super) fn ascii_text_bytes(block: &[u8; BLOCK]) -> usize {
    let bytes = i8x16::new(block.map(u8::cast_signed));
    // As signed numbers, control characters and bytes beyond ASCII are all below the blank.
    let ends = bytes.simd_lt(i8x16::splat(b' '.cast_signed()))
        | bytes.simd_eq(i8x16::splat(b'"'.cast_signed()))
        | bytes.simd_eq(i8x16::splat(b'\\'.cast_signed()));
    (ends.to_bitmask() | 1 << BLOCK).trailing_zeros() as usize
}

/// The number that the digits at the start of `text` make, and their count; `None` for no digit, for more
/// than 18 and for text that ends within a block.
#[inline(always)]
pub(super) fn digits(text: &[u8]) -> Option<(u64, usize)> {
    let (low, high) = words(text.first_chunk()?);
    let count = digit_count(low);
    if count < 8 {
        return (count > 0).then(|| (leading_number(low, count), count));
    }
    let more = digit_count(high);
    if more < 8 {
        return Some((leading_number(low, 8) * POWERS[more] + leading_number(high, more), 8 + more));
    }
    let last = u64::from_le_bytes(*text[BLOCK..].first_chunk()?);
    let count = digit_count(last);
    let first = leading_number(low, 8) * POWERS[8] + leading_number(high, 8);
    (count <= 2).then(|| (first * POWERS[count] + leading_number(last, count), BLOCK + count))
}

/// A number with a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    /// Its digits without the point.
    pub(super) mantissa: u64,
    /// How many of them come after the point.
    pub(super) part_digits: usize,
    /// Bytes of the text.
    pub(super) bytes: usize,
}

/// The number at the start of `text` when it is written with a point, without sign and exponent, and has at
/// most 18 digits.
#[inline(always)]
pub(super) fn decimal(text: &[u8]) -> Option<Decimal> {
    let (word, _) = words(text.first_chunk()?);
    match short_decimal(word) {
        Some(decimal) => Some(decimal),
        None => long_decimal(text),
    }
}

/// [`decimal`] that ends within a word. What follows depends on the end, so that is found first and at
/// once.
#[inline(always)]
fn short_decimal(word: u64) -> Option<Decimal> {
    let others = no_digits(word);
    let point = word ^ (LANES * b'.' as u64);
    // A borrow marks a lane after a point falsely when it is a slash, which is found below: it is no digit
    // either.
    let ends = others & !(point.wrapping_sub(LANES) & !point);
    let bytes = (ends.trailing_zeros() / 8) as usize;
    let points = others & (ends & ends.wrapping_neg()).wrapping_sub(1);
    let whole_digits = (points.trailing_zeros() / 8) as usize;
    let is_one = points.is_power_of_two() && whole_digits > 0 && bytes < 8 && bytes > whole_digits + 1;
    if !is_one || is_exponent((word >> (8 * bytes)) as u8) {
        return None;
    }
    let whole = (points >> 7) - 1;
    let without_point = word & whole | word >> 8 & !whole;
    let mantissa = leading_number(without_point, bytes - 1);
    Some(Decimal { mantissa, part_digits: bytes - whole_digits - 1, bytes })
}

#[inline(never)]
fn long_decimal(text: &[u8]) -> Option<Decimal> {
    let (whole, whole_digits) = digits(text)?;
    let part = text[whole_digits..].strip_prefix(b".")?;
    let (part, part_digits) = digits(part)?;
    let bytes = whole_digits + 1 + part_digits;
    let is_ended = whole_digits + part_digits <= 18 && !is_exponent(*text.get(bytes)?);
    is_ended.then(|| Decimal { mantissa: whole * POWERS[part_digits] + part, part_digits, bytes })
}

fn is_exponent(byte: u8) -> bool {
    byte | 0x20 == b'e'
}

#[inline(always)]
fn words(block: &[u8; BLOCK]) -> (u64, u64) {
    let block = u128::from_le_bytes(*block);
    (block as u64, (block >> 64) as u64)
}

/// How many of eight bytes are digits before the first that is none.
#[inline(always)]
fn digit_count(word: u64) -> usize {
    (no_digits(word).trailing_zeros() / 8) as usize
}

/// The high bit of each lane that is no digit. Carries can set false bits only above a lane that is not
/// ASCII, so the lowest set bit is exact.
#[inline(always)]
fn no_digits(word: u64) -> u64 {
    let lanes = word ^ (LANES * b'0' as u64);
    (lanes.wrapping_add(LANES * 0x76) | lanes) & (LANES * 0x80)
}

/// The number that the first `count` of eight bytes make: digits all of them, at most eight.
#[inline(always)]
fn leading_number(word: u64, count: usize) -> u64 {
    // The digits move to the end, zeros before them; in two steps, because none moves by the whole width.
    let shift = 32 - 4 * count as u32;
    let lanes = ((word ^ (LANES * b'0' as u64)) << shift) << shift;
    let pairs = lanes.wrapping_mul(10 << 8 | 1) >> 8;
    let fours = (pairs & 0x00ff_00ff_00ff_00ff).wrapping_mul(100 << 16 | 1) >> 16;
    (fours & 0x0000_ffff_0000_ffff).wrapping_mul(10_000 << 32 | 1) >> 32
}

/// Powers of ten.
const POWERS: [u64; 19] = {
    let mut powers = [1; 19];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// Powers of ten; a FLOAT64 holds these exactly.
pub(super) const FLOAT_POWERS: [f64; 19] = {
    let mut powers = [1.0; 19];
    let mut at = 0;
    while at < powers.len() {
        powers[at] = POWERS[at] as f64;
        at += 1;
    }
    powers
};

const LANES: u64 = 0x0101_0101_0101_0101;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_that_ends_a_text_is_found() {
        for byte in 0..=255u8 {
            for other in [b'a', b'!', b'#', b'[', b']', 0x7f, b' '] {
                for at in 0..BLOCK {
                    let mut bytes = [other; BLOCK];
                    bytes[at] = byte;
                    bytes[at + 1..].iter_mut().for_each(|after| *after = byte.wrapping_sub(1));
                    let is_end = |byte: &u8| matches!(byte, b'"' | b'\\') || !(0x20..0x80).contains(byte);
                    let expected = bytes.iter().position(is_end).unwrap_or(BLOCK);
                    assert_eq!(ascii_text_bytes(&bytes), expected, "{byte:#x} at {at}");
                }
            }
        }
    }

    #[test]
    fn digits_are_a_number_up_to_eighteen_of_them() {
        let all = "123456789012345678901";
        for count in 0..=all.len() {
            for after in ["", ",", ".5", "/", ":", "\u{ff}", " and much more text"] {
                let text = format!("{}{after}{}", &all[..count], "\0".repeat(24));
                let expected = match count {
                    1..=18 => Some((all[..count].parse().unwrap(), count)),
                    _ => None,
                };
                assert_eq!(digits(text.as_bytes()), expected, "{text}");
            }
        }
        assert_eq!(digits(b"000000000000000007,     "), Some((7, 18)));
        assert_eq!(digits(b"999999999999999999,     "), Some((999_999_999_999_999_999, 18)));
        assert_eq!(digits(b"9"), None, "too short to look at");
    }

    #[test]
    fn decimals_have_a_point_and_no_exponent() {
        let all = "98765432109876543210";
        for whole in 0..20 {
            for part in 0..20 {
                for after in [",", "}", "e", "E5", "/", "\u{ff}", ""] {
                    let number = format!("{}.{}", &all[..whole], &all[20 - part..]);
                    let text = format!("{number}{after}{}", "\0".repeat(40));
                    let is_plain =
                        whole > 0 && part > 0 && whole + part <= 18 && !after.starts_with(['e', 'E']);
                    let expected = is_plain.then(|| Decimal {
                        mantissa: number.replace('.', "").parse().unwrap(),
                        part_digits: part,
                        bytes: number.len(),
                    });
                    assert_eq!(decimal(text.as_bytes()), expected, "{text}");
                }
            }
        }
        for none in ["12,45", "1./5", ".5", "1..5", "5.", "-1.5", "1./", "1.\u{8f}", "\u{8f}.1", ""] {
            assert_eq!(decimal(format!("{none}{}", ",".repeat(40)).as_bytes()), None, "{none}");
        }
    }
}
