//! Texts: names of fields and topics, and contents.

use crate::random::Random;

/// Few names, so that settings often name a field that exists.
const NAMES: [&str; 16] = [
    "a", "b", "c", "id", "ts", "name", "value", "x y", "a.b", "é", "😀", "n0", "schema", "payload", "f`g",
    "B",
];

const TEXTS: [&str; 40] = [
    "",
    " ",
    "a",
    "text",
    "Zürich",
    "😀",
    "日本語",
    "\u{0}",
    "\u{1f}",
    "\t\n\r",
    "\"",
    "\\",
    "/",
    "\u{7f}",
    "\u{2028}",
    "\u{feff}x",
    "null",
    "true",
    "false",
    "TRUE",
    "0",
    "-1",
    "127",
    "128",
    "1.5",
    "1e3",
    "NaN",
    "Infinity",
    "0x10",
    "2024-01-02",
    "2024-01-02T03:04:05.678Z",
    "03:04:05.678Z",
    "{\"a\":1}",
    "[1,2]",
    "AJw=",
    "not base64!",
    "a,b",
    "9223372036854775808",
    "\u{10ffff}",
    "<a href='x'>&amp;</a>",
];

/// A field name.
pub(crate) fn name(random: &mut Random) -> String {
    random.pick(&NAMES).to_owned()
}

/// A different name for each of `count` fields.
pub(crate) fn names(random: &mut Random, count: usize) -> Vec<String> {
    let mut left: Vec<&str> = NAMES.to_vec();
    (0..count.min(left.len())).map(|_| left.swap_remove(random.below(left.len())).to_owned()).collect()
}

/// A text with something odd about it, or a plain one.
pub(crate) fn text(random: &mut Random) -> String {
    match random.below(8) {
        0 => (0..random.below(40)).map(|_| character(random)).collect(),
        1 => "long ".repeat(random.below(60)),
        2 => random.integer().to_string(),
        _ => random.pick(&TEXTS).to_owned(),
    }
}

fn character(random: &mut Random) -> char {
    let limit = random.pick(&[0x20, 0x80, 0x100, 0x800, 0x1_0000, 0x11_0000]);
    let point = u32::try_from(random.below(limit)).expect("a code point");
    char::from_u32(point).unwrap_or('\u{fffd}')
}
