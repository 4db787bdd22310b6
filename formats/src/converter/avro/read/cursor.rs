//! A payload and how far it was read.
//!
//! Source: `org.apache.avro.io.BinaryDecoder`.

use super::super::super::registry_framing::leading_varint;
use super::super::fault::{Converted, ended, malformed};
use super::super::mapping::NODES_MAX;

/// The bytes that are left.
pub(in super::super) struct Cursor<'a> {
    rest: &'a [u8],
    budget: Budget,
}

/// What may still be made of few bytes.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    /// Items without bytes that may still be read.
    free_items: usize,
    /// Cells of nulls that may still be appended.
    holes: usize,
}

impl Budget {
    const OF_PAYLOAD: Self = Self { free_items: FREE_ITEMS_MAX, holes: HOLES_MAX };

    /// That of several payloads together, in which the nulls of columns outside of lists do not count: any of
    /// them alone has as much.
    pub(super) const fn of_block() -> Self {
        Self { holes: HOLES_MAX - NODES_MAX, ..Self::OF_PAYLOAD }
    }
}

impl<'a> Cursor<'a> {
    pub(in super::super) fn new(payload: &'a [u8]) -> Self {
        Self::with(payload, Budget::OF_PAYLOAD)
    }

    /// The same with what is left of a budget.
    pub(super) fn with(rest: &'a [u8], budget: Budget) -> Self {
        Self { rest, budget }
    }

    /// What is left of the budget.
    pub(super) fn budget(&self) -> Budget {
        self.budget
    }

    /// The bytes that are left.
    pub(in super::super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Goes back to an earlier [`Cursor::rest`].
    pub(super) fn rewind(&mut self, rest: &'a [u8]) {
        self.rest = rest;
    }

    /// A zigzag number of up to ten bytes.
    #[inline]
    pub(in super::super) fn long(&mut self) -> Converted<i64> {
        if let [first, rest @ ..] = self.rest
            && *first < 0x80
        {
            self.rest = rest;
            return Ok(unzigzag(u64::from(*first)));
        }
        self.long_of_many()
    }

    fn long_of_many(&mut self) -> Converted<i64> {
        if let Some((number, length)) = leading_varint(self.rest) {
            self.rest = &self.rest[length..];
            return Ok(unzigzag(number));
        }
        let mut number = 0_u64;
        for (at, byte) in self.rest.iter().take(10).enumerate() {
            number |= u64::from(byte & 0x7f) << (7 * at);
            if *byte < 0x80 {
                self.rest = &self.rest[at + 1..];
                return Ok(unzigzag(number));
            }
        }
        Err(if self.rest.len() < 10 { ended() } else { malformed("Invalid long encoding") })
    }

    /// A zigzag number of up to five bytes; what does not fit 32 bits is lost, as in Java.
    #[inline]
    pub(in super::super) fn int(&mut self) -> Converted<i32> {
        if let [first, rest @ ..] = self.rest
            && *first < 0x80
        {
            self.rest = rest;
            return Ok(unzigzag(u64::from(*first)) as i32);
        }
        self.int_of_many()
    }

    fn int_of_many(&mut self) -> Converted<i32> {
        if let Some((number, length @ ..=5)) = leading_varint(self.rest) {
            self.rest = &self.rest[length..];
            return Ok(unzigzag(u64::from(number as u32)) as i32);
        }
        let mut number = 0_u32;
        for (at, byte) in self.rest.iter().take(5).enumerate() {
            number |= u32::from(byte & 0x7f) << (7 * at);
            if *byte < 0x80 {
                self.rest = &self.rest[at + 1..];
                return Ok((number >> 1) as i32 ^ -((number & 1) as i32));
            }
        }
        Err(if self.rest.len() < 5 { ended() } else { malformed("Invalid int encoding") })
    }

    /// One byte; anything but 1 is false, as in Java.
    #[inline]
    pub(in super::super) fn boolean(&mut self) -> Converted<bool> {
        Ok(self.array::<1>()? == [1])
    }

    #[inline]
    pub(in super::super) fn double(&mut self) -> Converted<f64> {
        self.array().map(f64::from_le_bytes)
    }

    #[inline]
    pub(in super::super) fn float(&mut self) -> Converted<f32> {
        self.array().map(f32::from_le_bytes)
    }

    /// `N` bytes.
    #[inline]
    fn array<const N: usize>(&mut self) -> Converted<[u8; N]> {
        let Some((bytes, rest)) = self.rest.split_first_chunk::<N>() else { return Err(ended()) };
        self.rest = rest;
        Ok(*bytes)
    }

    /// `count` bytes.
    #[inline]
    pub(in super::super) fn take(&mut self, count: usize) -> Converted<&'a [u8]> {
        let Some((bytes, rest)) = self.rest.split_at_checked(count) else { return Err(ended()) };
        self.rest = rest;
        Ok(bytes)
    }

    /// A length and as many bytes.
    #[inline]
    pub(in super::super) fn bytes(&mut self) -> Converted<&'a [u8]> {
        let length = self.length()?;
        self.take(length)
    }

    #[inline]
    fn length(&mut self) -> Converted<usize> {
        let length = self.long()?;
        usize::try_from(length)
            .map_err(|_| malformed(format!("Malformed data. Length is negative: {length}")))
    }

    /// The index of a union's branch, below `branches`.
    #[inline]
    pub(in super::super) fn branch(&mut self, branches: usize) -> Converted<usize> {
        let index = self.int()?;
        usize::try_from(index)
            .ok()
            .filter(|index| *index < branches)
            .ok_or_else(|| malformed(format!("Union index out of bounds ({index})")))
    }

    /// The item count of the next block of an array or map, 0 at its end. `bytes_min` is what an item takes
    /// at least.
    #[inline]
    pub(in super::super) fn block(&mut self, bytes_min: usize) -> Converted<usize> {
        let mut count = self.long()?;
        if count < 0 {
            // The size of the block in bytes, for readers that skip it.
            self.long()?;
            count = count.checked_neg().ok_or_else(|| malformed("Malformed data. Length is negative"))?;
        }
        let count = usize::try_from(count).map_err(|_| ended())?;
        if bytes_min == 0 {
            let Some(left) = self.budget.free_items.checked_sub(count) else {
                return Err(malformed(format!("More than {FREE_ITEMS_MAX} items without bytes")));
            };
            self.budget.free_items = left;
        } else if count.checked_mul(bytes_min).is_none_or(|bytes| bytes > self.rest.len()) {
            return Err(ended());
        }
        Ok(count)
    }

    /// Accounts for a null that takes `cells` cells: few bytes may stand for many of them.
    #[inline]
    pub(super) fn hole(&mut self, cells: usize) -> Converted<()> {
        match self.budget.holes.checked_sub(cells) {
            Some(left) => {
                self.budget.holes = left;
                Ok(())
            }
            None => Err(malformed(format!("More than {HOLES_MAX} fields of null records"))),
        }
    }
}

#[inline]
pub(super) fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

/// Items of types that take no bytes, in one payload.
const FREE_ITEMS_MAX: usize = 65_536;

/// Cells of nulls in one payload.
const HOLES_MAX: usize = 1 << 22;
