//! Base64 as Jackson reads it: white space between groups of four letters is passed over, groups may follow a
//! padded one, and the bits of a padded group that belong to no byte may be any.
//!
//! Source: `Base64Variant#decode` of Jackson 2 with `MIME_NO_LINEFEEDS`.

use ::base64::Engine;
use ::base64::engine::general_purpose::STANDARD;

/// Appends the bytes that `text` stands for. `None` when it is no base64; a part may be left behind then.
pub(super) fn append(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let before = out.len();
    if STANDARD.decode_vec(text, out).is_ok() {
        return Some(());
    }
    out.truncate(before);
    append_groups(text, out)
}

fn append_groups(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut rest = text;
    while let Some(start) = rest.iter().position(|byte| *byte > b' ') {
        let (group, after) = rest[start..].split_first_chunk::<4>()?;
        let count = match group {
            [_, _, b'=', b'='] => 1,
            [_, _, _, b'='] => 2,
            _ => 3,
        };
        let mut letters = group[..=count].iter();
        let bits = letters.try_fold(0, |bits, letter| Some(bits << 6 | sextet(*letter)?))?;
        let bytes = u32::to_be_bytes(bits << (6 * (3 - count)));
        out.extend_from_slice(&bytes[1..=count]);
        rest = after;
    }
    Some(())
}

fn sextet(letter: u8) -> Option<u32> {
    let value = match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Jackson makes of a text.
    const CASES: &[(&str, Option<&[u8]>)] = &[
        ("", Some(b"")),
        ("  \t", Some(b"")),
        ("A3==", Some(b"\x03")),
        ("//8=", Some(b"\xff\xff")),
        ("//9=", Some(b"\xff\xff")),
        ("AQID", Some(b"\x01\x02\x03")),
        (" AQID\r\n BA== ", Some(b"\x01\x02\x03\x04")),
        ("AQ==AQI=AQID", Some(b"\x01\x01\x02\x01\x02\x03")),
        ("AQ I=", None),
        ("AQ= =", None),
        ("AQ=", None),
        ("AQ", None),
        ("A", None),
        ("AQ=I", None),
        ("A===", None),
        ("====", None),
        ("AQI==", None),
        ("AQI-", None),
        ("AQI\u{e9}", None),
        ("AQID\u{a0}", None),
    ];

    #[test]
    fn base64_is_what_java_takes_for_it() {
        for (text, expected) in CASES {
            let mut found = b"before".to_vec();
            let is_base64 = append(text.as_bytes(), &mut found).is_some();
            assert_eq!(is_base64.then(|| &found[6..]), *expected, "{text:?}");
        }
    }

    #[test]
    fn groups_of_canonical_base64_are_read_alike_in_both_ways() {
        for length in 0..200_u8 {
            let bytes: Vec<u8> = (0..length).map(|at| at.wrapping_mul(91).wrapping_add(length)).collect();
            let mut found = Vec::new();
            assert_eq!(append_groups(STANDARD.encode(&bytes).as_bytes(), &mut found), Some(()));
            assert_eq!(found, bytes);
        }
    }
}
