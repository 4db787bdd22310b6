//! What binary formats read by the word instead of by the byte.

/// The varint at the start of `bytes`, up to eight bytes long, and its length; `None` when it is longer, or
/// when it stands so close to the end that it must be read by the byte.
#[inline]
pub(in super::super) fn leading_varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let word = u64::from_le_bytes(*bytes.first_chunk()?);
    // The highest bit of the last byte is not set.
    let last = !word & 0x8080_8080_8080_8080;
    if last == 0 {
        return None;
    }
    let bits = last.trailing_zeros() + 1;
    let groups = word & (u64::MAX >> (64 - bits)) & 0x7f7f_7f7f_7f7f_7f7f;
    // Seven bits of each byte move together: pairs of groups, pairs of pairs, both halves.
    let groups = (groups & 0x007f_007f_007f_007f) | ((groups & 0x7f00_7f00_7f00_7f00) >> 1);
    let groups = (groups & 0x0000_3fff_0000_3fff) | ((groups & 0x3fff_0000_3fff_0000) >> 2);
    let groups = (groups & 0x0fff_ffff) | ((groups & 0x0fff_ffff_0000_0000) >> 4);
    Some((groups, bits as usize / 8))
}

/// Appends the first `length` of `bytes` to `out` and answers the others; `None` when there are not as many.
#[inline]
pub(in super::super) fn append_leading<'a>(
    out: &mut Vec<u8>,
    bytes: &'a [u8],
    length: usize,
) -> Option<&'a [u8]> {
    // A chunk of a fixed length needs no call.
    if length <= CHUNK_BYTES
        && let Some(chunk) = bytes.first_chunk::<CHUNK_BYTES>()
    {
        let end = out.len() + length;
        out.extend_from_slice(chunk);
        out.truncate(end);
        return Some(&bytes[length..]);
    }
    let (found, rest) = bytes.split_at_checked(length)?;
    out.extend_from_slice(found);
    Some(rest)
}

const CHUNK_BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn varint(number: u64) -> Vec<u8> {
        let mut rest = number;
        let mut out = Vec::new();
        while rest >= 0x80 {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
        out
    }

    #[test]
    fn varints_of_every_length_are_read() {
        for shift in 0..64 {
            for number in [1_u64 << shift, (1 << shift) - 1, 0x5555_5555_5555_5555 >> shift] {
                let mut bytes = varint(number);
                let length = bytes.len();
                bytes.extend([0xff; 8]);
                let expected = (length <= 8).then_some((number, length));
                assert_eq!(leading_varint(&bytes), expected, "{number}");
                assert_eq!(leading_varint(&bytes[..7]), None);
            }
        }
    }

    #[test]
    fn exactly_the_leading_bytes_are_appended() {
        let bytes: Vec<u8> = (0..100).collect();
        for from in 0..bytes.len() {
            for length in 0..=bytes.len() - from {
                let mut out = b"x".to_vec();
                assert_eq!(append_leading(&mut out, &bytes[from..], length), Some(&bytes[from + length..]));
                assert_eq!(out[1..], bytes[from..from + length]);
            }
            assert_eq!(append_leading(&mut Vec::new(), &bytes[from..], bytes.len() - from + 1), None);
        }
    }
}
