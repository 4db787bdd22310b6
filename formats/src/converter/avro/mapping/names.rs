//! Names: splitting at the last point, and what `scrub.invalid.names` makes of invalid ones.
//!
//! Source: `AvroData#splitName`, `#doScrubName`.

use std::fmt::Write as _;

/// Namespace and simple name of a dotted name, each part scrubbed if asked.
pub(in super::super) fn split(name: &str, scrub: bool) -> (Option<String>, String) {
    // Java's `String#split` drops empty parts at the end.
    let parts: Vec<String> =
        name.trim_end_matches('.').split('.').map(|part| scrub_field(part, scrub)).collect();
    match parts.split_last() {
        Some((last, rest)) if !rest.is_empty() => (Some(rest.join(".")), last.clone()),
        Some((last, _)) => (None, last.clone()),
        None => (None, name.to_owned()),
    }
}

/// A full name, each part scrubbed if asked; otherwise as it is.
pub(in super::super) fn scrub_full(name: &str, scrub: bool) -> String {
    if !scrub {
        return name.to_owned();
    }
    match split(name, true) {
        (Some(namespace), simple) => format!("{namespace}.{simple}"),
        (None, simple) => simple,
    }
}

/// A name without points, scrubbed if asked.
pub(in super::super) fn scrub_field(name: &str, scrub: bool) -> String {
    if !scrub || name.is_empty() {
        return name.to_owned();
    }
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.bytes().all(is_valid) && !name.starts_with(|first: char| first.is_ascii_digit()) {
        return name.to_owned();
    }
    // `URLEncoder` first, then underscores for everything that is still invalid.
    let mut scrubbed = String::new();
    for byte in name.bytes() {
        match byte {
            byte if is_valid(byte) => scrubbed.push(char::from(byte)),
            b'.' | b'-' | b'*' | b' ' => scrubbed.push('_'),
            byte => write!(scrubbed, "_{byte:02X}").expect("writing to a String cannot fail"),
        }
    }
    if scrubbed.starts_with(|first: char| first.is_ascii_digit()) {
        scrubbed.insert(0, 'x');
    }
    scrubbed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_at_the_last_point() {
        assert_eq!(split("a.b.C", false), (Some("a.b".to_owned()), "C".to_owned()));
        assert_eq!(split("C", false), (None, "C".to_owned()));
    }

    #[test]
    fn invalid_names_are_url_encoded_with_underscores() {
        let cases = [("a", "a"), ("a-b c", "a_b_c"), ("1", "x1"), ("é", "_C3_A9"), ("a$", "a_24")];
        for (name, expected) in cases {
            assert_eq!(scrub_field(name, true), expected);
            assert_eq!(scrub_field(name, false), name);
        }
        assert_eq!(scrub_full("a-b.c d", true), "a_b.c_d");
    }
}
