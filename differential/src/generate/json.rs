//! JSON texts: every form of the grammar, as writers other than Java's may produce it.

use std::fmt::Write as _;

use super::text;
use crate::random::Random;

const NUMBERS: [&str; 34] = [
    "0",
    "-0",
    "1",
    "-1",
    "127",
    "128",
    "32768",
    "2147483647",
    "2147483648",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "12345678901234567890",
    "123456789012345678901234567890",
    "0.0",
    "-0.0",
    "0.1",
    "1.5",
    "1.0",
    "1e3",
    "1E+3",
    "1e-3",
    "1e23",
    "2e-5",
    "1e400",
    "-1e400",
    "1e-400",
    "4.9E-324",
    "1.7976931348623157e308",
    "3.4028236e38",
    "0.30000000000000004",
    "1.100000000000000000000000001",
    "123456789.123456789e-5",
];

/// A text nested at most `depth` deep.
pub(super) fn value(random: &mut Random, depth: usize) -> String {
    match random.below(if depth == 0 { 8 } else { 13 }) {
        0 => "null".to_owned(),
        1 => ["true", "false"][random.below(2)].to_owned(),
        2 | 3 => number(random),
        4..7 => string(random),
        7 => ["{}", "[]", "[null]", "[[]]", "{\"a\":null}", "{\"\":1}"][random.below(6)].to_owned(),
        8..10 => {
            let items: Vec<String> = (0..random.below(5)).map(|_| value(random, depth - 1)).collect();
            list(random, '[', ']', &items)
        }
        _ => object(random, depth - 1),
    }
}

/// An object whose members are nested at most `depth` deep; a name may be there twice.
pub(super) fn object(random: &mut Random, depth: usize) -> String {
    let mut count = random.below(7);
    if random.once_in(40) {
        count = 30;
    }
    let member = |random: &mut Random| {
        let name = if count < 10 { text::name(random) } else { text::text(random) };
        (quoted(random, &name), value(random, depth))
    };
    let members: Vec<(String, String)> = (0..count).map(|_| member(random)).collect();
    members_text(random, &members)
}

/// An object of ready members.
pub(super) fn members_text(random: &mut Random, members: &[(String, String)]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("{name}{}:{}{value}", blank(random), blank(random)))
        .collect();
    list(random, '{', '}', &members)
}

/// Ready parts with commas and maybe blanks between them.
pub(super) fn list(random: &mut Random, open: char, close: char, parts: &[String]) -> String {
    let mut text = String::from(open);
    for (at, part) in parts.iter().enumerate() {
        text.push_str(if at == 0 { "" } else { "," });
        text.push_str(blank(random));
        text.push_str(part);
        text.push_str(blank(random));
    }
    text.push(close);
    text
}

fn blank(random: &mut Random) -> &'static str {
    if random.once_in(8) { random.pick(&[" ", "\n", "\t", "\r\n", "  "]) } else { "" }
}

/// A number.
pub(super) fn number(random: &mut Random) -> String {
    match random.below(4) {
        0 => random.integer().to_string(),
        1 => format!("{}.{}", random.integer() % 1000, random.below(100_000)),
        _ => random.pick(&NUMBERS).to_owned(),
    }
}

fn string(random: &mut Random) -> String {
    if random.once_in(20) {
        let odd =
            ["\"\\ud800\"", "\"\\udc00x\"", "\"\\ud83d\\ud83d\\ude00\"", "\"\\u0000\"", "\"\\/\\b\\f\""];
        return random.pick(&odd).to_owned();
    }
    let text = text::text(random);
    quoted(random, &text)
}

/// `text` in quotes; characters that need no escape have one sometimes.
pub(super) fn quoted(random: &mut Random, text: &str) -> String {
    let mut out = String::from('"');
    let escape_all = random.once_in(12);
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' if !escape_all => out.push_str("\\n"),
            '\u{0}'..'\u{20}' => put_units(&mut out, c),
            _ if escape_all && random.once_in(2) => put_units(&mut out, c),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

fn put_units(out: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        write!(out, "\\u{unit:04x}").expect("writing to a String cannot fail");
    }
}
