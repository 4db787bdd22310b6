//! Words, texts and marks of a Protobuf file.

/// A piece of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A name, a number, or a dotted path.
    Word(&'a str),
    /// A text, quotes and escapes resolved.
    Text(String),
    Mark(char),
}

pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, String> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            byte if byte.is_ascii_whitespace() => at += 1,
            b'/' if bytes[at..].starts_with(b"//") => {
                at = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| at + end);
            }
            b'/' if bytes[at..].starts_with(b"/*") => {
                let end = text[at + 2..].find("*/").ok_or("a comment without end")?;
                at += end + 4;
            }
            b'"' | b'\'' => {
                let (text, end) = quoted(bytes, at)?;
                found.push(Token::Text(text));
                at = end;
            }
            byte if is_word(byte) => {
                let start = at;
                while at < bytes.len() && is_word(bytes[at]) {
                    at += 1;
                }
                found.push(Token::Word(&text[start..at]));
            }
            byte if byte.is_ascii_punctuation() => {
                found.push(Token::Mark(char::from(byte)));
                at += 1;
            }
            byte => return Err(format!("unexpected byte {byte:#x}")),
        }
    }
    Ok(found)
}

/// The text that starts at the quote at `at`, and where it ends.
fn quoted(bytes: &[u8], at: usize) -> Result<(String, usize), String> {
    let quote = bytes[at];
    let mut at = at + 1;
    let mut content = Vec::new();
    loop {
        let byte = *bytes.get(at).ok_or("a text without end")?;
        at += 1;
        if byte == quote {
            return Ok((String::from_utf8_lossy(&content).into_owned(), at));
        }
        if byte != b'\\' {
            content.push(byte);
            continue;
        }
        let escape = *bytes.get(at).ok_or("a text without end")?;
        at += 1;
        let digits = |from: usize, most: usize, radix: u32| {
            let digits = bytes[from..].iter().take(most);
            digits.map_while(|byte| char::from(*byte).to_digit(radix)).collect::<Vec<_>>()
        };
        match escape {
            b'n' => content.push(b'\n'),
            b'r' => content.push(b'\r'),
            b't' => content.push(b'\t'),
            b'a' => content.push(7),
            b'b' => content.push(8),
            b'f' => content.push(12),
            b'v' => content.push(11),
            b'x' | b'X' => {
                let digits = digits(at, 2, 16);
                at += digits.len();
                content.push(digits.iter().fold(0, |value, digit| value * 16 + digit) as u8);
            }
            b'0'..=b'7' => {
                let digits = digits(at - 1, 3, 8);
                at += digits.len() - 1;
                content.push(digits.iter().fold(0, |value, digit| value * 8 + digit) as u8);
            }
            other => content.push(other),
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'+')
}
