//! Numbers as digits, eight at a time, into space that the caller has.
//!
//! A word holds eight digits, the most significant in the lowest byte, so that stored little-endian they
//! stand in reading order. Stores are always of whole words: bytes behind what a function returns have no
//! meaning.

/// Space that every number fits in, with the words behind its end.
pub const NUMBER_BYTES: usize = 32;

/// The digits of a number below 10^8: those before the last eight of the number that was written before.
/// Numbers of a column, instants above all, mostly begin alike.
#[derive(Clone, Copy, Debug)]
pub struct Upper {
    number: u64,
    digits: [u8; 8],
    length: usize,
}

impl Default for Upper {
    fn default() -> Self {
        Self { number: 0, digits: [b'0'; 8], length: 1 }
    }
}

/// Writes a whole number at the start of `out`; returns its length.
#[inline(always)]
pub fn write_i64(out: &mut [u8; NUMBER_BYTES], number: i64) -> usize {
    write_next(out, number, &mut Upper::default())
}

/// The same for one number of many.
#[inline(always)]
pub fn write_next(out: &mut [u8; NUMBER_BYTES], number: i64, upper: &mut Upper) -> usize {
    out[0] = b'-';
    let start = usize::from(number < 0);
    let magnitude = number.unsigned_abs();
    if magnitude < EIGHT {
        return write_short(out, start, magnitude);
    }
    let (above, low) = (magnitude / EIGHT, magnitude % EIGHT);
    if above < EIGHT {
        if above != upper.number {
            let mut digits = [0; NUMBER_BYTES];
            let length = write_short(&mut digits, 0, above);
            *upper = Upper { number: above, digits: *digits.first_chunk().expect("there are more"), length };
        }
        out[start..start + 8].copy_from_slice(&upper.digits);
        let end = start + upper.length.min(8);
        put(out, end, eight(low) | ZEROS);
        return end + 8;
    }
    write_wide(out, start, above, low)
}

/// A number of more than 16 digits, whose last eight are `low`.
#[inline(never)]
fn write_wide(out: &mut [u8; NUMBER_BYTES], start: usize, above: u64, low: u64) -> usize {
    let end = write_short(out, start, above / EIGHT);
    put(out, end, eight(above % EIGHT) | ZEROS);
    put(out, end + 8, eight(low) | ZEROS);
    end + 16
}

/// Writes a number below 10^8 without leading zeros at `start`, which is 0 or 1; returns where it ends.
#[inline(always)]
fn write_short(out: &mut [u8; NUMBER_BYTES], start: usize, number: u64) -> usize {
    if number < SHORT.len() as u64 {
        let [digits @ .., length] = SHORT[number as usize];
        out[start..start + 3].copy_from_slice(&digits);
        return start + usize::from(length);
    }
    let word = eight(number);
    // Of the digits of 0 the last stays.
    let leading = (word | 1 << 63).trailing_zeros() / 8;
    put(out, start, (word | ZEROS) >> (8 * leading));
    start + 8 - leading as usize
}

/// Writes a finite number from 10^-3 up to 10^7, or zero, without its sign at `start`, which is 0 or 1;
/// returns where it ends, or `None` for a number that this does not know.
#[inline(always)]
pub(super) fn write_plain(out: &mut [u8; NUMBER_BYTES], start: usize, magnitude: f64) -> Option<usize> {
    // A decimal of up to 15 digits that reads back as the number is the only one so short. The quotient of
    // two whole numbers below 2^53 is rounded once, as the decimal would be when read.
    // At 2^52 the neighbours of a number are one apart: the sum is rounded to a whole number.
    let shifted = magnitude * 1e8 + TWO_TO_52;
    if (shifted - TWO_TO_52) / 1e8 == magnitude {
        let scaled = shifted.to_bits() & (HIDDEN - 1);
        let point = write_short(out, start, scaled / EIGHT);
        let fraction = eight(scaled % EIGHT);
        out[point] = b'.';
        put(out, point + 1, fraction | ZEROS);
        return Some(point + 1 + significant(fraction));
    }
    write_long(out, start, magnitude)
}

/// Numbers of 16 or 17 digits: the shortest decimal of those that read back as the number, of several the
/// nearest, by exact arithmetic. The products are below 2^117.
#[inline(never)]
fn write_long(out: &mut [u8; NUMBER_BYTES], start: usize, magnitude: f64) -> Option<usize> {
    let bits = magnitude.to_bits();
    let significand = (bits & (HIDDEN - 1)) | HIDDEN;
    // The number is significand / 2^shift; its neighbours are one apart, except below a power of two.
    let shift = 1075 - (bits >> 52);
    let places = *PLACES.get(shift.checked_sub(29)? as usize)?;
    if significand == HIDDEN {
        return None;
    }
    // At `places` decimals the neighbours are 1 to 10 apart; what follows counts in 2^-shift of that.
    let ten_to = TEN_TO[usize::from(places)];
    let product = u128::from(significand) * u128::from(ten_to);
    let floor = (product >> shift) as u64;
    let tens = floor / 10 * 10;
    let above = product - (u128::from(tens) << shift);
    let below = (10 << shift) - above;
    let reads_back = |distance: u128| {
        let limit = u128::from(ten_to);
        distance * 2 < limit || (distance * 2 == limit && significand.is_multiple_of(2))
    };
    let digits = if reads_back(above) {
        tens
    } else if reads_back(below) {
        tens + 10
    } else {
        let rest = product & ((1 << shift) - 1);
        let half = 1 << (shift - 1);
        floor + u64::from(rest > half || (rest == half && floor % 2 == 1))
    };
    let whole = magnitude as u64;
    let fraction = (digits - whole * ten_to) * TEN_TO[19 - usize::from(places)];
    let (first, rest) = (fraction / (EIGHT * EIGHT), fraction % (EIGHT * EIGHT));
    let (first, middle, last) = (eight(first) >> 40, eight(rest / EIGHT), eight(rest % EIGHT));
    let point = write_short(out, start, whole);
    out[point] = b'.';
    let at = point + 1;
    put(out, at, first | ZEROS);
    put(out, at + 3, middle | ZEROS);
    put(out, at + 11, last | ZEROS);
    let count = match (middle, last) {
        (0, 0) => significant(first),
        (_, 0) => 3 + significant(middle),
        _ => 11 + significant(last),
    };
    Some(at + count)
}

/// Eight digits, not yet characters, of a number below 10^8: two look-ups take half the time of computing
/// them.
#[inline(always)]
fn eight(number: u64) -> u64 {
    let number = number as u32;
    let (above, below) = (number / 10_000, number % 10_000);
    u64::from(FOUR[above as usize % FOUR.len()]) | u64::from(FOUR[below as usize]) << 32
}

/// Digits up to the last that is not 0; one when all are.
#[inline(always)]
fn significant(digits: u64) -> usize {
    8 - ((digits | 1).leading_zeros() / 8) as usize
}

#[inline(always)]
fn put(out: &mut [u8; NUMBER_BYTES], at: usize, word: u64) {
    out[at..at + 8].copy_from_slice(&word.to_le_bytes());
}

/// The four digits, not yet characters, of the numbers below 10 000, the first in the lowest byte.
static FOUR: [u32; 10_000] = {
    let mut all = [0; 10_000];
    let mut number = 0;
    while number < all.len() {
        let (above, below) = (number / 100, number % 100);
        let digits = [(above / 10) as u8, (above % 10) as u8, (below / 10) as u8, (below % 10) as u8];
        all[number] = u32::from_le_bytes(digits);
        number += 1;
    }
    all
};

/// The digits of the numbers below 1000 and how many there are: most numbers of real data.
static SHORT: [[u8; 4]; 1000] = {
    let mut all = [[b'0', b'0', b'0', 1]; 1000];
    let mut number = 0;
    while number < all.len() {
        let digits = [(number / 100) as u8, (number / 10 % 10) as u8, (number % 10) as u8];
        let length = if number < 10 {
            1
        } else if number < 100 {
            2
        } else {
            3
        };
        let mut at = 0;
        while at < length {
            all[number][at] += digits[3 - length + at];
            at += 1;
        }
        all[number][3] = length as u8;
        number += 1;
    }
    all
};

const EIGHT: u64 = 100_000_000;
const ZEROS: u64 = 0x3030_3030_3030_3030;
/// The bit of the significand that a FLOAT64 leaves out.
const HIDDEN: u64 = 1 << 52;
const TWO_TO_52: f64 = HIDDEN as f64;

const TEN_TO: [u64; 20] = {
    let mut powers = [1; 20];
    let mut at = 1;
    while at < 20 {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// The least n with 10^n at least 2^s, for s from 29 to 62.
const PLACES: [u8; 34] = {
    let mut places = [0; 34];
    let mut at = 0;
    while at < 34 {
        while TEN_TO[places[at] as usize] < 1 << (at + 29) {
            places[at] += 1;
        }
        at += 1;
    }
    places
};

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut [u8; NUMBER_BYTES]) -> usize) -> String {
        let mut out = [0xff; NUMBER_BYTES];
        let length = write(&mut out);
        String::from_utf8(out[..length].to_vec()).unwrap()
    }

    #[test]
    fn eight_digits_are_those_of_the_number() {
        for number in (0..EIGHT).step_by(997).chain([EIGHT - 1, 10_000, 9_999, 100, 99]) {
            assert_eq!((eight(number) | ZEROS).to_le_bytes(), format!("{number:08}").as_bytes());
        }
    }

    #[test]
    fn whole_numbers_of_every_length_are_written() {
        let mut numbers = vec![0, i64::MIN, i64::MAX];
        let mut power = 1i64;
        for _ in 0..19 {
            numbers.extend([power - 1, power, power + 1, power / 3 * 2]);
            power = power.wrapping_mul(10);
        }
        let mut state = 1u64;
        for step in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            numbers.push(state.cast_signed() >> (step % 64));
        }
        for number in numbers {
            for number in [number, number.wrapping_neg()] {
                assert_eq!(text(|out| write_i64(out, number)), number.to_string());
            }
        }
    }

    #[test]
    fn plain_numbers_have_the_shortest_digits() {
        let check = |number: f64| {
            if !(1e-3..1e7).contains(&number) {
                return;
            }
            let mut out = [0xff; NUMBER_BYTES];
            if let Some(length) = write_plain(&mut out, 0, number) {
                let written = std::str::from_utf8(&out[..length]).unwrap();
                assert_eq!(written, ryu::Buffer::new().format_finite(number));
            }
        };
        let mut state = 7u64;
        for step in 0..200_000u64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let random = state >> 11;
            let exponent = 1013 + step % 34;
            check(f64::from_bits((exponent << 52) | (random & (HIDDEN - 1))));
            // Few bits: what stands exactly between two decimals.
            check(f64::from_bits((exponent << 52) | (random & (HIDDEN - 1) & (u64::MAX << (step % 53)))));
            check((random % 1_000_000_000) as f64 / TEN_TO[(step % 12) as usize] as f64);
            check((random % 100_000) as f64 * 0.37);
            check(f64::from_bits((step as f64 / 64.0).to_bits() + random % 3));
            check(step as f64);
        }
        assert_eq!(text(|out| write_plain(out, 0, 0.0).unwrap()), "0.0");
        assert_eq!(text(|out| write_plain(out, 0, 0.1 + 0.2).unwrap()), "0.30000000000000004");
        assert_eq!(text(|out| write_plain(out, 0, 9_999_999.999_999_998).unwrap()), "9999999.999999998");
    }
}
