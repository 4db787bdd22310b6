//! A payload and how far it was read.
//!
//! Source: `CodedInputStream` of protobuf-java.

use super::super::super::registry_framing::leading_varint;
use super::super::fault::{Converted, malformed, truncated};
use super::Number;
use super::nested::Types;

/// The bytes that are left, and how many cells may still be made of few bytes.
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    cells_left: usize,
    /// Messages that may still be entered.
    depth_left: usize,
    types: &'a Types,
}

/// A field's number and wire type.
#[derive(Clone, Copy)]
pub(super) struct Tag {
    pub(super) number: u32,
    pub(super) wire: u8,
}

impl<'a> Cursor<'a> {
    /// At the start of a payload, whose recursive messages are of `types`.
    pub(super) fn new(payload: &'a [u8], types: &'a Types) -> Self {
        let cells_left = CELLS_MAX + payload.len().saturating_mul(CELLS_PER_BYTE);
        Self { rest: payload, cells_left, depth_left: DEPTH_MAX, types }
    }

    pub(super) fn types(&self) -> &'a Types {
        self.types
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Goes back, or on, to a place of the same payload.
    pub(super) fn rewind(&mut self, rest: &'a [u8]) {
        self.rest = rest;
    }

    /// Enters a length-delimited field; answers what follows it, for [`Cursor::rewind`].
    #[inline]
    pub(super) fn enter(&mut self) -> Converted<&'a [u8]> {
        let inside = self.bytes()?;
        Ok(std::mem::replace(&mut self.rest, inside))
    }

    /// Enters the message of a field; answers what follows it, for [`Cursor::leave_message`].
    #[inline]
    pub(super) fn enter_message(&mut self) -> Converted<&'a [u8]> {
        self.descend()?;
        self.enter()
    }

    /// Counts a message in a message.
    #[inline]
    pub(super) fn descend(&mut self) -> Converted<()> {
        self.depth_left = self.depth_left.checked_sub(1).ok_or_else(too_deep)?;
        Ok(())
    }

    /// Goes on after a message.
    #[inline]
    pub(super) fn leave_message(&mut self, after: &'a [u8]) {
        self.depth_left += 1;
        self.rest = after;
    }

    /// The next tag; `None` at the end.
    #[inline]
    pub(super) fn tag(&mut self) -> Converted<Option<Tag>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()? as u32;
        if tag >> 3 == 0 {
            return Err(malformed("Protocol message contained an invalid tag (zero)."));
        }
        Ok(Some(Tag { number: tag >> 3, wire: (tag & 7) as u8 }))
    }

    /// A number of up to ten bytes.
    #[inline]
    pub(super) fn varint(&mut self) -> Converted<u64> {
        if let [first, rest @ ..] = self.rest
            && *first < 0x80
        {
            self.rest = rest;
            return Ok(u64::from(*first));
        }
        self.varint_of_many()
    }

    fn varint_of_many(&mut self) -> Converted<u64> {
        if let Some((number, length)) = leading_varint(self.rest) {
            self.rest = &self.rest[length..];
            return Ok(number);
        }
        let mut number = 0_u64;
        for (at, byte) in self.rest.iter().take(10).enumerate() {
            number |= u64::from(byte & 0x7f) << (7 * at);
            if *byte < 0x80 {
                self.rest = &self.rest[at + 1..];
                return Ok(number);
            }
        }
        Err(if self.rest.len() < 10 {
            truncated()
        } else {
            malformed("CodedInputStream encountered a malformed varint.")
        })
    }

    /// A whole number written as `form`; 32 bits without a sign become positive.
    #[inline]
    pub(super) fn number(&mut self, form: Number) -> Converted<i64> {
        Ok(match form {
            Number::Varint => self.varint()?.cast_signed(),
            Number::Uint32 => i64::from(self.varint()? as u32),
            Number::Zigzag32 => {
                let number = self.varint()? as u32;
                i64::from((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
            }
            Number::Zigzag64 => {
                let number = self.varint()?;
                (number >> 1).cast_signed() ^ -((number & 1).cast_signed())
            }
            Number::Fixed32 => i64::from(u32::from_le_bytes(self.array()?)),
            Number::Sfixed32 => i64::from(i32::from_le_bytes(self.array()?)),
            Number::Fixed64 => i64::from_le_bytes(self.array()?),
        })
    }

    /// `N` bytes.
    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Converted<[u8; N]> {
        let Some((bytes, rest)) = self.rest.split_first_chunk::<N>() else { return Err(truncated()) };
        self.rest = rest;
        Ok(*bytes)
    }

    /// A length and as many bytes.
    #[inline]
    pub(super) fn bytes(&mut self) -> Converted<&'a [u8]> {
        let length = self.varint()? as u32;
        if length.cast_signed() < 0 {
            return Err(malformed(
                "CodedInputStream encountered an embedded string or message which claimed to have negative \
                 size.",
            ));
        }
        let Some((bytes, rest)) = self.rest.split_at_checked(length as usize) else {
            return Err(truncated());
        };
        self.rest = rest;
        Ok(bytes)
    }

    /// Passes over the value of a field nobody knows.
    ///
    /// # Errors
    /// A group that does not end, or ends twice.
    pub(super) fn skip(&mut self, tag: Tag) -> Converted<()> {
        self.skip_nested(tag, 0)
    }

    fn skip_nested(&mut self, tag: Tag, depth: usize) -> Converted<()> {
        match tag.wire {
            0 => self.varint().map(drop),
            1 => self.array::<8>().map(drop),
            2 => self.bytes().map(drop),
            3 => {
                if depth == self.depth_left {
                    return Err(too_deep());
                }
                loop {
                    let inner = self.tag()?.ok_or_else(unended)?;
                    if inner.wire == 4 {
                        return if inner.number == tag.number { Ok(()) } else { Err(unended()) };
                    }
                    self.skip_nested(inner, depth + 1)?;
                }
            }
            4 => Err(unended()),
            5 => self.array::<4>().map(drop),
            _ => Err(malformed("Protocol message tag had invalid wire type.")),
        }
    }

    /// Accounts for `cells` cells: few bytes may stand for many of them.
    #[inline]
    pub(super) fn spend(&mut self, cells: usize) -> Converted<()> {
        match self.cells_left.checked_sub(cells) {
            Some(left) => {
                self.cells_left = left;
                Ok(())
            }
            None => Err(malformed("The payload stands for too many fields without a value")),
        }
    }
}

#[cold]
fn unended() -> Box<super::super::fault::Fault> {
    malformed("Protocol message end-group tag did not match expected tag.")
}

#[cold]
fn too_deep() -> Box<super::super::fault::Fault> {
    malformed(
        "Protocol message had too many levels of nesting.  May be malicious.  Use \
         CodedInputStream.setRecursionLimit() to increase the recursion depth limit.",
    )
}

/// Messages and unknown groups inside each other.
const DEPTH_MAX: usize = 100;

/// Cells of one payload, whatever its size.
const CELLS_MAX: usize = 1 << 22;

/// Cells more per byte.
const CELLS_PER_BYTE: usize = 16;
