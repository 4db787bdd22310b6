//! What stands between the schema id and the message: the path of the message's type in its file.
//!
//! Source: `MessageIndexes`; numbers are zigzag, and the path of the first message is one zero byte.

use super::fault::{Converted, Fault};

/// The longest path, in bytes: no file nests messages deeper than its parser allows.
const PATH_MAX: usize = 1024;

/// The path in front of a message, as it is written, and the message.
#[inline]
pub(super) fn split(value: &[u8]) -> Converted<(&[u8], &[u8])> {
    match value {
        [0, message @ ..] => Ok((&[], message)),
        _ => split_long(value),
    }
}

fn split_long(value: &[u8]) -> Converted<(&[u8], &[u8])> {
    let mut rest = value;
    let count = number(&mut rest)?;
    for _ in 0..count.max(0) {
        number(&mut rest)?;
        if value.len() - rest.len() > PATH_MAX {
            return Err(path("The path of the message type is too long"));
        }
    }
    Ok((&value[..value.len() - rest.len()], rest))
}

/// The indexes of a path that [`split`] found.
pub(super) fn indexes(mut path: &[u8]) -> Converted<Vec<i32>> {
    if path.is_empty() {
        return Ok(vec![0]);
    }
    let count = number(&mut path)?;
    let mut all = Vec::new();
    for _ in 0..count.max(0) {
        all.push(number(&mut path)?);
    }
    Ok(if all.is_empty() { vec![0] } else { all })
}

/// A path as it is written.
pub(super) fn path_of(indexes: &[i32]) -> Vec<u8> {
    if indexes == [0] {
        return vec![0];
    }
    let mut out = Vec::new();
    let mut push = |number: i32| {
        let mut rest = (number.cast_unsigned() << 1) ^ (number >> 31).cast_unsigned();
        while rest >= 0x80 {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    };
    push(i32::try_from(indexes.len()).unwrap_or(i32::MAX));
    indexes.iter().for_each(|index| push(*index));
    out
}

fn number(bytes: &mut &[u8]) -> Converted<i32> {
    let mut number = 0_u32;
    for at in 0..5 {
        let Some((byte, rest)) = bytes.split_first() else {
            return Err(path("The payload ends in its path"));
        };
        *bytes = rest;
        number |= u32::from(byte & 0x7f) << (7 * at);
        if *byte < 0x80 {
            return Ok((number >> 1).cast_signed() ^ -((number & 1).cast_signed()));
        }
    }
    Err(path("Varint is too long, the most significant bit in the 5th byte is set"))
}

#[cold]
fn path(message: &str) -> Box<Fault> {
    Box::new(Fault::Serialization(message.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_come_back_and_the_first_message_takes_one_byte() {
        assert_eq!(path_of(&[0]), [0]);
        assert_eq!(path_of(&[2, 0, 70]), [6, 4, 0, 0x8c, 1]);
        for indexes in [vec![0], vec![1], vec![0, 0], vec![3, 200, 1]] {
            let written = [path_of(&indexes), vec![8, 1]].concat();
            let (path, message) = split(&written).unwrap();
            assert_eq!((self::indexes(path).unwrap(), message), (indexes, &[8, 1][..]));
        }
        // A list without entries, and the first message in the long form.
        assert_eq!(indexes(split(&[2, 0, 9]).unwrap().0).unwrap(), [0]);
        assert_eq!(
            split(&[1, 9]).map(|(path, rest)| (indexes(path).unwrap(), rest)).unwrap(),
            (vec![0], &[9][..])
        );
    }

    #[test]
    fn damaged_paths_are_refused() {
        for bytes in [&[][..], &[4, 2], &[0xff, 0xff, 0xff, 0xff, 0xff, 1], &[0xfe, 0xff, 0x03, 2, 2]] {
            assert!(split(bytes).is_err(), "{bytes:?}");
        }
        assert!(split(&[&[0xfe, 0xff, 0x03][..], &[2; 5000]].concat()).is_err());
    }
}
