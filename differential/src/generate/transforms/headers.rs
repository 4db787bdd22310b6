//! Transforms of headers.

use super::super::records::field;
use super::super::text;
use super::{list, on_part, on_record, usual};
use crate::case::Case;
use crate::random::Random;

/// Headers that settings name: those of records but the empty one, and one that none has.
const NAMED: [&str; 6] = ["h", "a", "trace", "id", "é", "none"];

/// Texts that the parser of literals makes something of.
const LITERALS: [&str; 66] = [
    "",
    " ",
    "null",
    " null ",
    "true",
    " false ",
    "TRUE",
    "true}",
    "abc",
    " abc ",
    "\"abc\"",
    "1",
    "+1",
    " 1 ",
    "007",
    "1.0",
    "0.0",
    "-0",
    "128",
    "32768",
    "2147483648",
    "1E3",
    "9223372036854775808",
    "1.5",
    "0.1",
    "1e-5",
    "1e19",
    "1e40",
    "3.4e39",
    "1.5e308",
    "1.5e400",
    "1L",
    "0x10",
    "1_000",
    "1d",
    "12ab",
    "1 2",
    "1.2.3",
    "NaN",
    "-",
    "2024-01-02",
    "2024-13-45",
    "03:04:05.678Z",
    "03\\:04\\:05.678Z",
    "2024-01-02T03:04:05.678Z",
    "2024-01-02T03:04:05Z",
    "123,abc",
    "10:30",
    "1:2",
    "[]",
    "[1,2]",
    "[1, 2 ,]",
    "[1,300]",
    "[1,1.5]",
    "[1,\"a\"]",
    "[true,1]",
    "[null]",
    "[1,null]",
    "[\"a\"]",
    "[\"a\\\"b\"]",
    "[a,b]",
    "[1,,2]",
    "{}",
    "{\"a\":1}",
    "{\"a\":1,\"b\":\"x\"}",
    "{1:2}",
];

const PIECES: [&str; 24] = [
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "\"",
    "\\",
    " ",
    "1",
    "300",
    "1.5",
    "a",
    "true",
    "null",
    "\"x\"",
    "-",
    "\t",
    "é",
    "\"2024-01-02\"",
    "1e5",
    ".",
    "\n",
    "70000",
];

/// A text for the parser of literals.
pub(in super::super) fn literal(random: &mut Random) -> String {
    match random.below(5) {
        0 => text::text(random),
        1 => (0..random.below(10)).map(|_| random.pick(&PIECES)).collect(),
        2 => {
            let items: Vec<&str> = (0..random.below(4)).map(|_| random.pick(&LITERALS)).collect();
            format!("[{}]", items.join(","))
        }
        3 => {
            let items: Vec<String> = (0..random.below(4))
                .map(|_| format!("{}:{}", random.pick(&["\"k\"", "\"l\"", "1", "m"]), random.pick(&LITERALS)))
                .collect();
            format!("{{{}}}", items.join(","))
        }
        _ => random.pick(&LITERALS).to_owned(),
    }
}

/// `DropHeaders`.
pub(crate) fn drop_headers(random: &mut Random) -> Case {
    on_record(random, "DropHeaders", |random, settings| {
        let names: Vec<&str> = (0..1 + random.below(3)).map(|_| random.pick(&NAMED)).collect();
        settings.set("headers", if random.once_in(60) { String::new() } else { names.join(",") });
    })
}

/// `InsertHeader`.
pub(crate) fn insert_header(random: &mut Random) -> Case {
    on_record(random, "InsertHeader", |random, settings| {
        settings.set("header", usual(random, &NAMED, &["", " "]));
        let literal = literal(random);
        settings.set("value.literal", literal);
    })
}

/// `HeaderFrom`.
pub(crate) fn header_from(random: &mut Random) -> Case {
    on_part(random, "HeaderFrom", |random, shape, settings| {
        let count = 1 + random.below(6) / 4;
        let fields: Vec<String> = (0..count).map(|_| field(random, shape)).collect();
        let more = usize::from(random.once_in(40));
        let headers: Vec<&str> = (0..count + more).map(|_| random.pick(&NAMED)).collect();
        let fields = list(random, &fields);
        settings.set("fields", fields);
        settings.set("headers", headers.join(","));
        settings.set("operation", usual(random, &["move", "copy"], &["swap", "MOVE", ""]));
        settings.null_rule(random);
    })
}
