//! Smaller payloads: pieces left out, whole JSON members and elements first.

/// Cuts tried per round.
const CUTS_MAX: usize = 600;

/// Smaller forms of a payload.
pub(super) fn smaller(payload: Option<&[u8]>) -> Vec<Option<Vec<u8>>> {
    let Some(payload) = payload else { return Vec::new() };
    let mut cuts = members(payload);
    let mut length = payload.len();
    while length > 0 && cuts.len() < CUTS_MAX {
        let starts = (0..payload.len()).step_by(length);
        cuts.extend(starts.map(|start| (start, (start + length).min(payload.len()))));
        length /= 2;
    }
    let cut = |(start, end): (usize, usize)| Some([&payload[..start], &payload[end..]].concat());
    let plain = plain(payload);
    let plain = (plain.len() < payload.len()).then_some(Some(plain));
    plain.into_iter().chain(cuts.into_iter().map(cut)).collect()
}

/// The text without blanks between tokens and without escapes of characters that need none.
fn plain(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut in_text = false;
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, rest) {
            (b' ' | b'\t' | b'\r' | b'\n', _) if !in_text => {}
            (b'\\', [b'u', b'0', b'0', high @ b'2'..=b'7', low, ..]) if in_text => {
                let digit =
                    |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                match (digit(*high), digit(*low)) {
                    (Some(high), Some(low)) if !b"\"\\".contains(&(high * 16 + low)) => {
                        plain.push(high * 16 + low);
                        rest = &rest[5..];
                    }
                    _ => plain.push(*first),
                }
            }
            (b'\\', [next, after @ ..]) if in_text => {
                plain.extend([*first, *next]);
                rest = after;
            }
            _ => {
                in_text ^= *first == b'"';
                plain.push(*first);
            }
        }
    }
    plain
}

/// Members and elements with a comma beside them, the longest first.
fn members(text: &[u8]) -> Vec<(usize, usize)> {
    let mut ranges = Vec::new();
    // Where each open container, and the element at hand in it, starts.
    let mut open: Vec<usize> = Vec::new();
    let (mut in_text, mut escaped) = (false, false);
    for (at, byte) in text.iter().enumerate() {
        if in_text {
            in_text = *byte != b'"' || escaped;
            escaped = *byte == b'\\' && !escaped;
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => open.push(at + 1),
            b',' => {
                if let Some(start) = open.last_mut() {
                    ranges.push((*start, at + 1));
                    *start = at + 1;
                }
            }
            b'}' | b']' => {
                if let Some(start) = open.pop() {
                    let comma = start > 0 && text[start - 1] == b',';
                    ranges.push((start - usize::from(comma), at));
                }
            }
            _ => {}
        }
    }
    ranges.retain(|(start, end)| start < end);
    ranges.sort_by_key(|(start, end)| std::cmp::Reverse(end - start));
    ranges.truncate(CUTS_MAX / 2);
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_members_are_left_out_first() {
        let smaller = smaller(Some(br#"{"a":[1,2],"b":"x,}"}"#));
        for text in [r#"{"b":"x,}"}"#, r#"{"a":[1,2]}"#, r#"{"a":[2],"b":"x,}"}"#, r#"{"a":[1],"b":"x,}"}"#] {
            assert!(smaller.contains(&Some(text.as_bytes().to_vec())), "{text}");
        }
        assert!(super::smaller(None).is_empty());
        assert_eq!(plain(br#"{ "\u0061 b":  "\"\u0022\u00e9" }"#), br#"{"a b":"\"\u0022\u00e9"}"#);
    }
}
