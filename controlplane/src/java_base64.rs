//! Base64 as Java's basic decoder takes it: padding may be missing, and spare bits are not looked at.
//!
//! Source: `java.util.Base64.Decoder#decode0`, JDK 17.

/// Decodes a text.
///
/// # Errors
/// Java's words.
pub(crate) fn decode(text: &[u8]) -> Result<Vec<u8>, String> {
    if text.len() == 1 {
        return Err("Input byte[] should at least have 2 bytes for base64 bytes".to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut bits, mut digits) = (0_u32, 0);
    // How far the text was looked at.
    let mut at = 0;
    while at < text.len() {
        let byte = text[at];
        at += 1;
        let Some(digit) = digit(byte) else {
            if byte != b'=' {
                // Java's bytes have a sign.
                let byte = i16::from(byte.cast_signed());
                let sign = if byte < 0 { "-" } else { "" };
                return Err(format!("Illegal base64 character {sign}{:x}", byte.unsigned_abs()));
            }
            let has_second = digits != 2 || text.get(at) == Some(&b'=');
            if digits == 2 && has_second {
                at += 1;
            }
            if digits == 0 || !has_second {
                return Err("Input byte array has wrong 4-byte ending unit".to_owned());
            }
            break;
        };
        bits = bits << 6 | digit;
        digits += 1;
        if digits == 4 {
            bytes.extend_from_slice(&bits.to_be_bytes()[1..]);
            (bits, digits) = (0, 0);
        }
    }
    match digits {
        1 => return Err("Last unit does not have enough valid bits".to_owned()),
        2 => bytes.extend_from_slice(&(bits << 12).to_be_bytes()[1..2]),
        3 => bytes.extend_from_slice(&(bits << 6).to_be_bytes()[1..3]),
        _ => {}
    }
    if at < text.len() {
        return Err(format!("Input byte array has incorrect ending byte at {at}"));
    }
    Ok(bytes)
}

fn digit(byte: u8) -> Option<u32> {
    let digit = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(digit.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with Java's decoder.
    #[test]
    fn texts_are_read_and_refused_as_java_does() {
        let ok = |text: &str, bytes: &[u8]| assert_eq!(decode(text.as_bytes()), Ok(bytes.to_vec()), "{text}");
        ok("", b"");
        ok("AB", &[0]);
        ok("AB==", &[0]);
        ok("AAAA", &[0; 3]);
        ok("YWxpY2U6eA==", b"alice:x");
        ok("YWxpY2U", b"alice");
        ok("//+/", &[0xff, 0xff, 0xbf]);
        let no = |text: &str, problem: &str| {
            assert_eq!(decode(text.as_bytes()), Err(problem.to_owned()), "{text}")
        };
        no("A", "Input byte[] should at least have 2 bytes for base64 bytes");
        no("AAAA-", "Illegal base64 character 2d");
        no("AA AA", "Illegal base64 character 20");
        no("AAAAü", "Illegal base64 character -3d");
        no("AAAAA", "Last unit does not have enough valid bits");
        no("AAAAA===", "Last unit does not have enough valid bits");
        no("AA=", "Input byte array has wrong 4-byte ending unit");
        no("AA=A", "Input byte array has wrong 4-byte ending unit");
        no("====", "Input byte array has wrong 4-byte ending unit");
        no("AAA=x", "Input byte array has incorrect ending byte at 4");
        no("AA===", "Input byte array has incorrect ending byte at 4");
    }
}
