//! Replacement texts: `$1`, `${name}`, `\x`.
//!
//! Source: `java.util.regex.Matcher#appendExpandedReplacement`, JDK 17.

use lakeward_api::{ConnectError, ErrorClass};

/// Appends `replacement` for a match whose groups are `slots` of `text`. A group that took no part is empty.
pub(super) fn append(
    out: &mut String,
    replacement: &str,
    names: &[(String, usize)],
    slots: &[Option<usize>],
    text: &[char],
) -> Result<(), ConnectError> {
    let mut letters = replacement.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                let next = letters.next();
                out.push(next.ok_or_else(|| illegal("character to be escaped is missing"))?);
            }
            '$' => {
                let group = match letters.next() {
                    None => return Err(illegal("Illegal group reference: group index is missing")),
                    Some('{') => named(&mut letters, names)?,
                    Some(digit) => {
                        let first = digit.to_digit(10).filter(|_| digit.is_ascii());
                        let mut group = first.ok_or_else(|| illegal("Illegal group reference"))? as usize;
                        if group * 2 >= slots.len() {
                            return Err(no_group(group));
                        }
                        while let Some(digit) = letters.peek().and_then(|letter| letter.to_digit(10)) {
                            let longer = group * 10 + digit as usize;
                            if longer * 2 >= slots.len() {
                                break;
                            }
                            group = longer;
                            letters.next();
                        }
                        group
                    }
                };
                if let (Some(begin), Some(end)) = (slots[group * 2], slots[group * 2 + 1]) {
                    out.extend(&text[begin..end]);
                }
            }
            _ => out.push(letter),
        }
    }
    Ok(())
}

fn named(letters: &mut impl Iterator<Item = char>, names: &[(String, usize)]) -> Result<usize, ConnectError> {
    let mut name = String::new();
    let end = loop {
        match letters.next() {
            Some(letter) if letter.is_ascii_alphanumeric() => name.push(letter),
            other => break other,
        }
    };
    if name.is_empty() {
        return Err(illegal("named capturing group has 0 length name"));
    }
    if end != Some('}') {
        return Err(illegal("named capturing group is missing trailing '}'"));
    }
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(illegal(&format!("capturing group name {{{name}}} starts with digit character")));
    }
    let found = names.iter().find(|(known, _)| *known == name);
    found.map(|(_, group)| *group).ok_or_else(|| illegal(&format!("No group with name {{{name}}}")))
}

fn illegal(message: &str) -> ConnectError {
    ConnectError::new(ErrorClass::Record, "java.lang.IllegalArgumentException", message)
}

fn no_group(group: usize) -> ConnectError {
    ConnectError::new(ErrorClass::Record, "java.lang.IndexOutOfBoundsException", format!("No group {group}"))
}
