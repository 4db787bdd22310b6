//! A reader of DER: tags and definite lengths.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const OBJECT: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
/// A primitive value under context tag 0.
pub(super) const IMPLICIT_0: u8 = 0x80;

/// The tag of an explicit value under context tag `number`.
pub(super) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// What is left of a value's content.
#[derive(Clone, Debug)]
pub(super) struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tag of the next value.
    pub(super) fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The content of the next value, which must have `tag`.
    pub(super) fn expect(&mut self, tag: u8) -> Result<&'a [u8], String> {
        self.take(tag).ok_or_else(|| "it is no JKS or PKCS12 store, or it is damaged".to_owned())
    }

    /// Opens the next value, which must have `tag`.
    pub(super) fn enter(&mut self, tag: u8) -> Result<Der<'a>, String> {
        self.expect(tag).map(Der)
    }

    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, rest) = self.0.split_first()?;
        let (length, mut rest) = rest.split_first()?;
        let length = match length {
            0..=0x7f => usize::from(*length),
            0x81..=0x84 => {
                let (bytes, after) = rest.split_at_checked(usize::from(length & 0x7f))?;
                rest = after;
                bytes
                    .iter()
                    .try_fold(0usize, |sum, byte| sum.checked_mul(256)?.checked_add((*byte).into()))?
            }
            _ => return None,
        };
        let (content, after) = rest.split_at_checked(length)?;
        if *found != tag {
            return None;
        }
        self.0 = after;
        Some(content)
    }
}

/// A small positive INTEGER.
pub(super) fn number(bytes: &[u8]) -> Option<u32> {
    if bytes.is_empty() || bytes.len() > 5 || bytes[0] & 0x80 != 0 {
        return None;
    }
    let value = bytes.iter().try_fold(0u64, |sum, byte| sum.checked_mul(256)?.checked_add((*byte).into()))?;
    value.try_into().ok()
}
