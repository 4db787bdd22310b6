//! `\p{…}` and the predefined classes.

use std::sync::OnceLock;

use regex_syntax::hir::{Class, HirKind};

use super::class::{negated, set};
use super::node::CharSet;
use super::parse::{Flags, Parser, Problem};

impl Parser {
    /// `\p{…}`, `\pL` and their complements. The cursor is at the `p`.
    pub(super) fn property(&mut self, is_complement: bool) -> Result<CharSet, Problem> {
        let name: String;
        if self.next() == '{' {
            self.next();
            let start = self.cursor;
            let rest = self.text.get(start..self.length).unwrap_or_default();
            let Some(end) = rest.iter().position(|letter| *letter == '}') else {
                self.cursor = self.length + 1;
                return Err(self.error("Unclosed character family"));
            };
            self.cursor = start + end + 1;
            if end == 0 {
                return Err(self.error("Empty character family"));
            }
            name = rest[..end].iter().collect();
        } else {
            name = self.peek().to_string();
            self.cursor += 1;
        }
        let found = match name.split_once('=') {
            Some((key, value)) => {
                let key = key.to_lowercase();
                by_key(&key, value).ok_or_else(|| {
                    self.error(&format!("Unknown Unicode property {{name=<{key}>, value=<{value}>}}"))
                })?
            }
            None => by_name(&name, self.flags)
                .ok_or_else(|| self.error(&format!("Unknown character property name {{{name}}}")))?,
        };
        Ok(if is_complement { negated(found) } else { found })
    }
}

/// `\d`, `\h`, `\s`, `\v`, `\w` by their letter.
pub(super) fn predefined(letter: char, unicode: bool) -> CharSet {
    let by_name = |name: &str| unicode_set(name).unwrap_or_else(|| set(&[]));
    match (letter, unicode) {
        ('d', false) => set(&[(0x30, 0x39)]),
        ('d', true) => by_name("Nd"),
        ('h', _) => set(&[
            (0x9, 0x9),
            (0x20, 0x20),
            (0xa0, 0xa0),
            (0x1680, 0x1680),
            (0x180e, 0x180e),
            (0x2000, 0x200a),
            (0x202f, 0x202f),
            (0x205f, 0x205f),
            (0x3000, 0x3000),
        ]),
        ('s', false) => set(&[(0x9, 0xd), (0x20, 0x20)]),
        ('s', true) => by_name("White_Space"),
        ('v', _) => set(&[(0xa, 0xd), (0x85, 0x85), (0x2028, 0x2029)]),
        (_, false) => set(&[(0x30, 0x39), (0x41, 0x5a), (0x5f, 0x5f), (0x61, 0x7a)]),
        (_, true) => joined(&["Alphabetic", "M", "Nd", "Pc", "Join_Control"]),
    }
}

/// Whether `\b` counts a character beyond ASCII as a word's under flag `U`.
pub(super) fn is_unicode_word(letter: char) -> bool {
    static WORD: OnceLock<CharSet> = OnceLock::new();
    let word = WORD.get_or_init(|| predefined('w', true));
    word.ranges().iter().any(|range| (range.start()..=range.end()).contains(&letter))
}

/// `\p{key=value}`.
fn by_key(key: &str, value: &str) -> Option<CharSet> {
    match key {
        "sc" | "script" => script(value),
        "blk" | "block" => block(value),
        "gc" | "general_category" => category(value),
        _ => None,
    }
}

/// `\p{name}`.
fn by_name(name: &str, flags: Flags) -> Option<CharSet> {
    if let Some(all) = any_case(name, flags).filter(|_| flags.has(Flags::CASE)) {
        return Some(all);
    }
    if let Some(block_name) = name.strip_prefix("In") {
        return block(block_name);
    }
    if let Some(short) = name.strip_prefix("Is") {
        return binary(short).or_else(|| category(short)).or_else(|| script(short));
    }
    let posix = if flags.has(Flags::UNICODE_CLASS) { posix_unicode(name) } else { None };
    posix.or_else(|| category(name)).or_else(|| ascii(name))
}

/// Classes of one case stand for all cases under flag `i`.
fn any_case(name: &str, flags: Flags) -> Option<CharSet> {
    let all = || joined(&["Lowercase", "Uppercase", "Lt"]);
    match name {
        "Lower" | "Upper" if flags.has(Flags::UNICODE_CLASS) => Some(all()),
        "Lower" | "Upper" => ascii("Alpha"),
        "Ll" | "Lt" | "Lu" | "IsLl" | "IsLt" | "IsLu" => category("LC"),
        "javaLowerCase" | "javaTitleCase" | "javaUpperCase" => Some(all()),
        _ => match name.strip_prefix("Is")?.to_uppercase().as_str() {
            "LOWERCASE" | "TITLECASE" | "UPPERCASE" => Some(all()),
            _ => None,
        },
    }
}

fn unicode_set(name: &str) -> Option<CharSet> {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "_ =".contains(letter);
    if !name.chars().all(is_name) {
        return None;
    }
    let parsed = regex_syntax::Parser::new().parse(&format!(r"\p{{{name}}}")).ok()?;
    match parsed.into_kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class),
        HirKind::Literal(literal) => {
            let letters = std::str::from_utf8(&literal.0).ok()?;
            Some(set(&letters.chars().map(|one| (one.into(), one.into())).collect::<Vec<_>>()))
        }
        _ => None,
    }
}

fn joined(names: &[&str]) -> CharSet {
    let mut all = set(&[]);
    for name in names {
        if let Some(more) = unicode_set(name) {
            all.union(&more);
        }
    }
    all
}

/// General categories, by Java's names of them.
fn category(name: &str) -> Option<CharSet> {
    const NAMES: [&str; 37] = [
        "Cc", "Cf", "Cn", "Co", "L", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd", "Nl",
        "No", "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp",
        "Zs", "C", "LC",
    ];
    match name {
        "Cs" => Some(set(&[])),
        "LC" => Some(joined(&["Lu", "Ll", "Lt"])),
        "LD" => Some(joined(&["L", "Nd"])),
        "L1" => Some(set(&[(0, 0xff)])),
        "all" => Some(negated(set(&[]))),
        _ => NAMES.contains(&name).then(|| unicode_set(name)).flatten(),
    }
}

/// The POSIX classes of ASCII and the `java…` methods.
fn ascii(name: &str) -> Option<CharSet> {
    let digits = (0x30, 0x39);
    let upper = (0x41, 0x5a);
    let lower = (0x61, 0x7a);
    let punct = [(0x21, 0x2f), (0x3a, 0x40), (0x5b, 0x60), (0x7b, 0x7e)];
    Some(match name {
        "ASCII" => set(&[(0, 0x7f)]),
        "Alnum" => set(&[digits, upper, lower]),
        "Alpha" => set(&[upper, lower]),
        "Blank" => set(&[(0x9, 0x9), (0x20, 0x20)]),
        "Cntrl" => set(&[(0, 0x1f), (0x7f, 0x7f)]),
        "Digit" => set(&[digits]),
        "Graph" => set(&[(0x21, 0x7e)]),
        "Lower" => set(&[lower]),
        "Print" => set(&[(0x20, 0x7e)]),
        "Punct" => set(&punct),
        "Space" => set(&[(0x9, 0xd), (0x20, 0x20)]),
        "Upper" => set(&[upper]),
        "XDigit" => set(&[digits, (0x41, 0x46), (0x61, 0x66)]),
        _ => return java_method(name.strip_prefix("java")?),
    })
}

fn java_method(name: &str) -> Option<CharSet> {
    Some(match name {
        "Alphabetic" => unicode_set("Alphabetic")?,
        "Defined" => negated(unicode_set("Cn")?),
        "Digit" => unicode_set("Nd")?,
        "ISOControl" => set(&[(0, 0x1f), (0x7f, 0x9f)]),
        "Ideographic" => unicode_set("Ideographic")?,
        "Letter" => unicode_set("L")?,
        "LetterOrDigit" => joined(&["L", "Nd"]),
        "LowerCase" => unicode_set("Lowercase")?,
        "SpaceChar" => unicode_set("Z")?,
        "TitleCase" => unicode_set("Lt")?,
        "UpperCase" => unicode_set("Uppercase")?,
        "Whitespace" => {
            let mut all = unicode_set("Z")?;
            all.difference(&set(&[(0xa0, 0xa0), (0x2007, 0x2007), (0x202f, 0x202f)]));
            all.union(&set(&[(0x9, 0xd), (0x1c, 0x1f)]));
            all
        }
        _ => return None,
    })
}

/// Binary properties after `Is`, in any case.
fn binary(name: &str) -> Option<CharSet> {
    let upper = name.to_uppercase();
    match upper.as_str() {
        "ALPHABETIC" => unicode_set("Alphabetic"),
        "ASSIGNED" => unicode_set("Cn").map(negated),
        "CONTROL" => unicode_set("Cc"),
        "DIGIT" => unicode_set("Nd"),
        "HEX_DIGIT" | "HEXDIGIT" => Some(joined(&["Nd", "Hex_Digit"])),
        "IDEOGRAPHIC" => unicode_set("Ideographic"),
        "JOIN_CONTROL" | "JOINCONTROL" => unicode_set("Join_Control"),
        "LETTER" => unicode_set("L"),
        "LOWERCASE" => unicode_set("Lowercase"),
        "NONCHARACTER_CODE_POINT" | "NONCHARACTERCODEPOINT" => unicode_set("Noncharacter_Code_Point"),
        "PUNCTUATION" => unicode_set("P"),
        "TITLECASE" => unicode_set("Lt"),
        "UPPERCASE" => unicode_set("Uppercase"),
        "WHITE_SPACE" | "WHITESPACE" => unicode_set("White_Space"),
        "WORD" => Some(predefined('w', true)),
        _ => None,
    }
}

/// The POSIX classes under flag `U`.
fn posix_unicode(name: &str) -> Option<CharSet> {
    match name.to_uppercase().as_str() {
        "ALNUM" => Some(joined(&["Alphabetic", "Nd"])),
        "ALPHA" => unicode_set("Alphabetic"),
        "BLANK" => {
            let mut all = unicode_set("Zs")?;
            all.union(&set(&[(0x9, 0x9)]));
            Some(all)
        }
        "CNTRL" => unicode_set("Cc"),
        "DIGIT" => unicode_set("Nd"),
        "LOWER" => unicode_set("Lowercase"),
        "PUNCT" => unicode_set("P"),
        "SPACE" => unicode_set("White_Space"),
        "UPPER" => unicode_set("Uppercase"),
        "XDIGIT" => Some(joined(&["Nd", "Hex_Digit"])),
        _ => None,
    }
}

fn script(name: &str) -> Option<CharSet> {
    let is_name = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    is_name.then(|| unicode_set(&format!("sc={name}"))).flatten()
}

/// The blocks that names of data are likely to use.
fn block(name: &str) -> Option<CharSet> {
    let plain: String = name.chars().filter(|letter| !matches!(letter, ' ' | '_' | '-')).collect();
    let range = match plain.to_uppercase().as_str() {
        "BASICLATIN" => (0x0, 0x7f),
        "LATIN1SUPPLEMENT" => (0x80, 0xff),
        "LATINEXTENDEDA" => (0x100, 0x17f),
        "LATINEXTENDEDB" => (0x180, 0x24f),
        "GREEK" | "GREEKANDCOPTIC" => (0x370, 0x3ff),
        "CYRILLIC" => (0x400, 0x4ff),
        "ARMENIAN" => (0x530, 0x58f),
        "HEBREW" => (0x590, 0x5ff),
        "ARABIC" => (0x600, 0x6ff),
        "DEVANAGARI" => (0x900, 0x97f),
        "THAI" => (0xe00, 0xe7f),
        "HANGULJAMO" => (0x1100, 0x11ff),
        "GENERALPUNCTUATION" => (0x2000, 0x206f),
        "CURRENCYSYMBOLS" => (0x20a0, 0x20cf),
        "ARROWS" => (0x2190, 0x21ff),
        "HIRAGANA" => (0x3040, 0x309f),
        "KATAKANA" => (0x30a0, 0x30ff),
        "CJKUNIFIEDIDEOGRAPHS" => (0x4e00, 0x9fff),
        "HANGULSYLLABLES" => (0xac00, 0xd7af),
        _ => return None,
    };
    Some(set(&[range]))
}
