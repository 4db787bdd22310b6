//! Damage to texts: what broken producers and wrong settings lead to.

use crate::random::Random;

const PIECES: [&[u8]; 22] = [
    b",",
    b"}",
    b"]",
    b"{",
    b"[",
    b"\"",
    b":",
    b"\\",
    b"0",
    b"-",
    b"+",
    b".",
    b"e",
    b"\x00",
    b"\xff",
    b"\xc3",
    b"//x\n",
    b"/*x*/",
    b"NaN",
    b"'",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
];

/// Changes one to three places of `text`.
pub(crate) fn damage(random: &mut Random, mut text: Vec<u8>) -> Vec<u8> {
    for _ in 0..=random.below(3) {
        let at = random.below(text.len() + 1);
        match random.below(8) {
            0 => text.truncate(at),
            1 if at < text.len() => {
                text.remove(at);
            }
            2 if at < text.len() => text[at] = random.bits().to_be_bytes()[0],
            3 => {
                let end = (at + random.below(6)).min(text.len());
                text.drain(at..end);
            }
            4 => text.extend_from_slice(random.pick(&PIECES)),
            5 => text.splice(0..0, random.pick(&PIECES).iter().copied()).for_each(drop),
            _ => text.splice(at..at, random.pick(&PIECES).iter().copied()).for_each(drop),
        }
    }
    text
}

/// A payload that is no JSON of the expected kind at all, or hardly.
pub(super) fn odd_payload(random: &mut Random) -> Vec<u8> {
    const ODD: [&[u8]; 22] = [
        b"",
        b" ",
        b"\n\t ",
        b"null",
        b"true",
        b"1 2",
        b"007",
        b"1]",
        b"{} {}",
        b"\"a\"\"b\"",
        b"nul",
        b"{",
        b"[1,",
        b"{\"a\":1,}",
        b"[1,]",
        b"{a:1}",
        b"{\"a\" 1}",
        b"\"\x01\"",
        b"-",
        b"1.",
        b".5",
        b"+1",
    ];
    match random.below(20) {
        0 => (0..random.below(9)).map(|_| random.bits().to_be_bytes()[0]).collect(),
        1 => "{\"a\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect(),
        2 => nested(random.pick(&[90, 250, 300, 999, 1000, 1001, 1500])),
        3 => format!("{}1", "0".repeat(random.below(5))).into_bytes(),
        4 => format!("1{}", "0".repeat(random.pick(&[20, 300, 999, 1000, 1001, 2000]))).into_bytes(),
        _ => random.pick(&ODD).to_vec(),
    }
}

fn nested(depth: usize) -> Vec<u8> {
    [b"[".repeat(depth), b"]".repeat(depth)].concat()
}
