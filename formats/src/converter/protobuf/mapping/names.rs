//! Names of map entries, and what `scrub.invalid.names` makes of invalid names.
//!
//! Source: `ProtobufSchema#toMapEntry` and `#toMapField`, `ProtobufData#doScrubName`.

use std::fmt::Write as _;

/// The name of the entry message of a map field called `field`.
pub(in super::super) fn map_entry_name(field: &str) -> String {
    if !field.contains('_') {
        return format!("{field}Entry");
    }
    let mut name = String::new();
    for word in field.split('_') {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.extend(letters.map(|letter| letter.to_ascii_lowercase()));
    }
    name + "Entry"
}

/// The name of the map whose entry message is called `entry`; its package stays.
pub(super) fn map_name(entry: &str) -> String {
    let (package, simple) = match entry.rsplit_once('.') {
        Some((package, simple)) => (Some(package), simple),
        None => (None, entry),
    };
    let Some(stem) = simple.strip_suffix("Entry") else { return entry.to_owned() };
    let mut name = package.map(|package| format!("{package}.")).unwrap_or_default();
    for (at, letter) in stem.chars().enumerate() {
        if letter.is_ascii_uppercase() && at > 0 {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// A name without points, made valid if asked.
pub(in super::super) fn scrub(name: &str, is_asked: bool) -> String {
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let starts_well = !name.starts_with(|first: char| first.is_ascii_digit() || first == '_');
    if !is_asked || name.is_empty() || (name.bytes().all(is_valid) && starts_well) {
        return name.to_owned();
    }
    // `URLEncoder` first, then underscores for everything that is still invalid.
    let mut encoded = String::new();
    for byte in name.bytes() {
        match byte {
            byte if is_valid(byte) => encoded.push(char::from(byte)),
            b'.' | b'-' | b'*' | b' ' => encoded.push('_'),
            byte => write!(encoded, "_{byte:02X}").expect("writing to a String cannot fail"),
        }
    }
    // A percent sign or another mark in front is replaced, but does not count as an underscore.
    let first = name.as_bytes()[0];
    if first.is_ascii_digit() || first == b'_' {
        encoded.insert(0, 'x');
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_named_as_in_java() {
        for (field, entry, map) in [
            ("foo", "fooEntry", "foo"),
            ("foo_bar", "FooBarEntry", "foo_bar"),
            ("fooBar", "fooBarEntry", "foo_bar"),
            ("_a__B_cD", "ABCdEntry", "a_b_cd"),
            ("URL", "URLEntry", "u_r_l"),
        ] {
            assert_eq!(map_entry_name(field), entry);
            assert_eq!(map_name(entry), map);
        }
        assert_eq!(map_name("a.B.FooEntry"), "a.B.foo");
    }

    #[test]
    fn invalid_names_are_url_encoded_with_underscores() {
        for (name, expected) in [("a", "a"), ("a-b c", "a_b_c"), ("1", "x1"), ("_a", "x_a"), ("é", "_C3_A9")]
        {
            assert_eq!(scrub(name, true), expected);
            assert_eq!(scrub(name, false), name);
        }
    }
}
