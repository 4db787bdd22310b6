//! Decimals as numbers. Source: `BigDecimal#toString`.

use crate::FormatError;

/// Appends the Decimal `unscaled` × 10^-`scale` as a JSON number that keeps its scale (`10.00`, `1E-10`,
/// `1E+3`).
pub(super) fn append(out: &mut Vec<u8>, unscaled: &[u8], scale: i32) -> Result<(), FormatError> {
    if unscaled.len() > UNSCALED_BYTES_MAX {
        return Err(FormatError::data(format!(
            "A Decimal of more than {UNSCALED_BYTES_MAX} bytes cannot be written as a number."
        )));
    }
    let negative = unscaled.first().is_some_and(|byte| byte & 0x80 != 0);
    let mut small = itoa::Buffer::new();
    let long;
    let digits = match i128_of(unscaled) {
        Some(number) => small.format(number.unsigned_abs()),
        None => {
            long = decimal_digits(magnitude(unscaled, negative));
            &long
        }
    };
    if negative {
        out.push(b'-');
    }
    let scale = i64::from(scale);
    let adjusted = digits.len() as i64 - 1 - scale;
    if scale >= 0 && adjusted >= -6 {
        let scale = scale as usize;
        if scale == 0 {
            out.extend_from_slice(digits.as_bytes());
        } else if digits.len() > scale {
            let (whole, fraction) = digits.split_at(digits.len() - scale);
            out.extend_from_slice(whole.as_bytes());
            out.push(b'.');
            out.extend_from_slice(fraction.as_bytes());
        } else {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + scale - digits.len(), b'0');
            out.extend_from_slice(digits.as_bytes());
        }
        return Ok(());
    }
    let (first, rest) = digits.split_at(1);
    out.extend_from_slice(first.as_bytes());
    if !rest.is_empty() {
        out.push(b'.');
        out.extend_from_slice(rest.as_bytes());
    }
    if adjusted != 0 {
        out.extend_from_slice(format!("E{adjusted:+}").as_bytes());
    }
    Ok(())
}

/// The shortest two's complement of the same number; one zero byte for none at all.
pub(super) fn shortest(unscaled: &[u8]) -> &[u8] {
    let redundant = |pair: &&[u8]| {
        matches!(pair, [0, next] if *next < 0x80) || matches!(pair, [0xff, next] if *next >= 0x80)
    };
    let leading = unscaled.windows(2).take_while(redundant).count();
    if unscaled.is_empty() { &[0] } else { &unscaled[leading..] }
}

fn i128_of(unscaled: &[u8]) -> Option<i128> {
    let fill = if unscaled.first().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
    let mut bytes = [fill; 16];
    bytes[16usize.checked_sub(unscaled.len())?..].copy_from_slice(unscaled);
    Some(i128::from_be_bytes(bytes))
}

/// The absolute value of a two's complement number, big-endian.
fn magnitude(unscaled: &[u8], negative: bool) -> Vec<u8> {
    let mut bytes = unscaled.to_vec();
    if negative {
        let mut carry = true;
        for byte in bytes.iter_mut().rev() {
            let (sum, overflow) = (!*byte).overflowing_add(u8::from(carry));
            *byte = sum;
            carry = overflow;
        }
    }
    bytes
}

/// The decimal digits of an unsigned big-endian number, by repeated division by 10^9.
fn decimal_digits(bytes: Vec<u8>) -> String {
    let mut words: Vec<u32> = bytes
        .rchunks(4)
        .rev()
        .map(|word| word.iter().fold(0, |number, byte| (number << 8) | u32::from(*byte)))
        .collect();
    let mut groups = Vec::new();
    let mut first = 0;
    while first < words.len() {
        let mut rest = 0u64;
        for word in &mut words[first..] {
            let current = (rest << 32) | u64::from(*word);
            *word = (current / 1_000_000_000) as u32;
            rest = current % 1_000_000_000;
        }
        groups.push(rest);
        while first < words.len() && words[first] == 0 {
            first += 1;
        }
    }
    let mut digits = groups.pop().unwrap_or(0).to_string();
    for group in groups.iter().rev() {
        digits.push_str(&format!("{group:09}"));
    }
    digits
}

/// Bytes of a number aside from its digits: sign, point, zeros, exponent, and the digits of a byte or two.
pub(super) const TEXT_BYTES: usize = 40;

/// Bounds the quadratic conversion: about 9 800 digits.
const UNSCALED_BYTES_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_print_as_big_decimal() {
        let cases: [(&[u8], i32, &str); 9] = [
            (&[0x00, 0x9c], 2, "1.56"),
            (&[0x03, 0xe8], 2, "10.00"),
            (&[0x01], 10, "1E-10"),
            (&[0x01], -3, "1E+3"),
            (&[0xff], 2, "-0.01"),
            (&[0x80], 0, "-128"),
            (&[0x0c], 7, "0.0000012"),
            (&[0x0c], 8, "1.2E-7"),
            (&[], 2, "0.00"),
        ];
        for (unscaled, scale, expected) in cases {
            let mut out = Vec::new();
            append(&mut out, unscaled, scale).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
        let mut out = Vec::new();
        append(&mut out, &(-170141183460469231731687303715884105728i128).to_be_bytes(), 0).unwrap();
        assert_eq!(out, b"-170141183460469231731687303715884105728");
        assert!(append(&mut Vec::new(), &vec![1; 5000], 0).is_err());
    }
}
