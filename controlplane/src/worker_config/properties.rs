//! Java `.properties` files.
//!
//! Owns the text format only. UTF-8 where the bytes are UTF-8, else ISO-8859-1 (what Java reads); `\u`
//! escapes work in both. Source: `java.util.Properties#load`.

use lakeward_api::config::ConfigMap;

/// A malformed escape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadEscape {
    /// Number of the line it starts on, from 1.
    pub(crate) line: usize,
}

/// Reads a properties file; of equal keys the last wins.
pub(crate) fn parse(bytes: &[u8]) -> Result<ConfigMap, BadEscape> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    };
    let mut map = ConfigMap::new();
    for (line, logical) in logical_lines(&text) {
        let (key, value) = split(&logical);
        let bad = |()| BadEscape { line };
        map.insert(unescape(key).map_err(bad)?, unescape(value).map_err(bad)?);
    }
    Ok(map)
}

/// Lines joined at a final odd backslash, without comments and blank lines, each with the number of its first
/// line.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut open: Option<(usize, String)> = None;
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    for (number, raw) in (1..).zip(text.split('\n')) {
        let trimmed = raw.trim_start_matches([' ', '\t', '\u{c}']);
        if open.is_none() && (trimmed.is_empty() || trimmed.starts_with(['#', '!'])) {
            continue;
        }
        let (first, mut logical) = open.take().unwrap_or((number, String::new()));
        let backslashes = trimmed.bytes().rev().take_while(|byte| *byte == b'\\').count();
        if backslashes % 2 == 1 {
            logical.push_str(&trimmed[..trimmed.len() - 1]);
            open = Some((first, logical));
        } else {
            logical.push_str(trimmed);
            lines.push((first, logical));
        }
    }
    lines.extend(open);
    lines
}

/// Cuts at the first unescaped `=`, `:` or blank; blanks around one `=` or `:` belong to it.
fn split(line: &str) -> (&str, &str) {
    let blank = [' ', '\t', '\u{c}'];
    let mut escaped = false;
    let end = line.char_indices().find(|(_, c)| {
        let ends = !escaped && (matches!(c, '=' | ':') || blank.contains(c));
        escaped = *c == '\\' && !escaped;
        ends
    });
    let Some((end, _)) = end else { return (line, "") };
    let rest = line[end..].trim_start_matches(blank);
    let rest = rest.strip_prefix(['=', ':']).map_or(rest, |rest| rest.trim_start_matches(blank));
    (&line[..end], rest)
}

fn unescape(text: &str) -> Result<String, ()> {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            '\\' => match chars.next() {
                Some('u') => {
                    units.push(hex_unit(&mut chars)?);
                    continue;
                }
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('f') => '\u{c}',
                Some(other) => other,
                None => break,
            },
            other => other,
        };
        units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
    }
    Ok(String::from_utf16_lossy(&units))
}

fn hex_unit(chars: &mut std::str::Chars<'_>) -> Result<u16, ()> {
    let mut unit = 0;
    for _ in 0..4 {
        let digit = chars.next().and_then(|c| c.to_digit(16)).ok_or(())?;
        unit = unit * 16 + digit as u16;
    }
    Ok(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_java_does() {
        type Expected = &'static [(&'static str, &'static str)];
        let cases: &[(&[u8], Expected)] = &[
            (b"a=1\nb = 2\nc: 3\nd 4\ne", &[("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"), ("e", "")]),
            (b"# no\n  ! no\n\n \t\na=#yes", &[("a", "#yes")]),
            (b"a=1,\\\n   2,\\\n   3\nb=x", &[("a", "1,2,3"), ("b", "x")]),
            (b"a=x\\\\\nb=y", &[("a", "x\\"), ("b", "y")]),
            (b"a\\ b\\=c\\:d=1", &[("a b=c:d", "1")]),
            (b"a=\\u0041\\t\\q\\uD83D\\uDE00", &[("a", "A\tq\u{1f600}")]),
            (b"a==1\r\nb= : 2\rc=3  ", &[("a", "=1"), ("b", ": 2"), ("c", "3  ")]),
            (b"a=1\na=2", &[("a", "2")]),
            (b"a=caf\xe9", &[("a", "café")]),
            ("a=café".as_bytes(), &[("a", "café")]),
            (b"a=1\\\n# not a comment", &[("a", "1# not a comment")]),
            (b"=x\nb=\\", &[("", "x"), ("b", "")]),
        ];
        for (bytes, expected) in cases {
            let expected: ConfigMap =
                expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            assert_eq!(parse(bytes), Ok(expected), "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn malformed_escapes_name_their_line() {
        assert_eq!(parse(b"a=1\n\nb=\\u12G4"), Err(BadEscape { line: 3 }));
        assert_eq!(parse(b"a=\\u12"), Err(BadEscape { line: 1 }));
    }
}
