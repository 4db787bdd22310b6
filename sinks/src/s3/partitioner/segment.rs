//! Keeps field values from leaving their directory.
//!
//! The Java sink writes values verbatim, and so does this one, except for the few texts that are not object
//! names everywhere or that climb out of their directory: control characters, the empty segment (`a//b`, a
//! leading or a trailing `/`), and the segments `.` and `..`. Those bytes become `%XX`. A value that already
//! holds one of these escapes has its `%` escaped, so that two different values never share a directory.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text of `topic`, which a transform may have taken from a record, where a name or a directory begins.
pub(crate) fn confine_topic(topic: &str) -> Cow<'_, str> {
    let rest = topic.trim_start_matches('/');
    let slashes = topic.len() - rest.len();
    let dots = rest.split('/').next().filter(|first| matches!(*first, "." | "..")).map_or(0, str::len);
    if slashes == 0 && dots == 0 {
        return confine(topic);
    }
    // Behind escaped slashes dots are no segment of their own.
    let dots = if slashes == 0 { dots } else { 0 };
    Cow::Owned("%2F".repeat(slashes) + &"%2E".repeat(dots) + &confine(&rest[dots..]))
}

/// The text of `value` in an object name. Borrows unless something had to be escaped.
pub(crate) fn confine(value: &str) -> Cow<'_, str> {
    let has_control = value.bytes().any(|byte| byte.is_ascii_control());
    let has_slash = value.contains('/');
    if !has_control && !has_slash && !holds_escape(value) {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len() + 8);
    let mut segments = value.split('/').peekable();
    let mut first = true;
    while let Some(segment) = segments.next() {
        // The first segment follows `name=`, so it is never a dot segment and may be empty.
        match segment {
            "." | ".." if !first => out.extend(segment.chars().map(|_| "%2E")),
            _ => push_escaped(segment, &mut out),
        }
        let next_is_empty = segments.peek().is_some_and(|next| next.is_empty());
        if segments.peek().is_some() {
            out.push_str(if next_is_empty { "%2F" } else { "/" });
        }
        first = false;
    }
    // Reversible only if the result can be told from a verbatim value.
    debug_assert!(out == value || holds_escape(&out), "an escaped value holds no escape");
    Cow::Owned(out)
}

fn push_escaped(segment: &str, out: &mut String) {
    let escape_percent = holds_escape(segment);
    for c in segment.chars() {
        if c.is_ascii_control() || (c == '%' && escape_percent) {
            write!(out, "%{:02X}", c as u32).expect("writing to a String cannot fail");
        } else {
            out.push(c);
        }
    }
}

/// True when `text` holds an escape that [`confine`] can make.
fn holds_escape(text: &str) -> bool {
    text.match_indices('%').any(|(at, _)| match text.as_bytes().get(at + 1..at + 3) {
        Some(b"25" | b"2E" | b"2F" | b"7F") => true,
        Some([b'0' | b'1', low]) => low.is_ascii_digit() || (b'A'..=b'F').contains(low),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::confine;

    #[test]
    fn ordinary_values_are_verbatim() {
        for value in ["", "a", "a b=c", "..", "../x", "a/b", "%", "100%", "%zz", "é", "a.b/..c"] {
            assert_eq!(confine(value), value);
        }
    }

    #[test]
    fn dangerous_values_are_escaped_and_distinct() {
        let cases = [
            ("a/../../etc", "a/%2E%2E/%2E%2E/etc"),
            ("a/.", "a/%2E"),
            ("a//b", "a%2F/b"),
            ("/", "%2F"),
            ("a/", "a%2F"),
            ("a\0b", "a%00b"),
            ("a\nb", "a%0Ab"),
            ("a%2Fb", "a%252Fb"),
            ("%2E", "%252E"),
        ];
        let mut seen = std::collections::HashSet::new();
        for (value, expected) in cases {
            assert_eq!(confine(value), expected);
            assert!(seen.insert(expected));
        }
    }
}
