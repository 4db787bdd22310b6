//! Columns of texts.

use std::ops::Range;

use arrow_array::StringArray;

use super::block::{SLACK, Written, space};
use super::cells::Cells;
use super::{hash, text};

/// STRING.
pub(super) struct Texts<'a> {
    bytes: &'a [u8],
    offsets: &'a [i32],
    all: &'a StringArray,
    /// What was prepared stands for itself, without escapes.
    is_plain: bool,
}

impl<'a> Texts<'a> {
    pub(super) fn new(all: &'a StringArray) -> Self {
        Self { bytes: all.values(), offsets: all.value_offsets(), all, is_plain: false }
    }

    fn range(&self, range: Range<usize>) -> &'a [u8] {
        &self.bytes[self.offsets[range.start] as usize..self.offsets[range.end] as usize]
    }
}

impl Cells for Texts<'_> {
    fn width(&self) -> usize {
        2
    }

    fn prepare(&mut self, range: Range<usize>) {
        self.is_plain = text::is_plain(self.range(range));
    }

    fn extra(&self, range: Range<usize>) -> usize {
        let bytes = self.range(range);
        if self.is_plain { bytes.len() } else { text::escaped_bytes_max(bytes) }
    }

    fn add_extra(&self, first: usize, rooms: &mut [usize]) {
        if !self.is_plain {
            for (row, room) in rooms.iter_mut().enumerate() {
                *room += self.extra(first + row..first + row + 1);
            }
            return;
        }
        let offsets = &self.offsets[first..=first + rooms.len()];
        for (room, pair) in rooms.iter_mut().zip(offsets.windows(2)) {
            *room += (pair[1] - pair[0]) as usize;
        }
    }

    #[inline(always)]
    fn value(&self, out: &mut [u8], at: usize, index: usize) -> Written {
        let (start, end) = (self.offsets[index] as usize, self.offsets[index + 1] as usize);
        if !self.is_plain {
            return Ok(text::put_escaped(out, at, self.all.value(index)));
        }
        let length = end - start;
        // A chunk is cheaper than a copy of any length.
        match self.bytes[start..].first_chunk::<SLACK>() {
            Some(chunk) if length <= SLACK => {
                let space: &mut [u8; SLACK + 2] = space(out, at);
                space[0] = b'"';
                space[1..=SLACK].copy_from_slice(chunk);
                space[1 + length] = b'"';
            }
            _ => {
                let space = &mut out[at..at + length + 2];
                space[0] = b'"';
                space[1..=length].copy_from_slice(&self.bytes[start..end]);
                space[1 + length] = b'"';
            }
        }
        Ok(at + length + 2)
    }

    fn hash(&self, index: usize) -> u32 {
        hash::of_text(self.all.value(index))
    }

    fn is_same(&self, one: usize, other: usize, count: usize) -> bool {
        let (ones, others) = (&self.offsets[one..=one + count], &self.offsets[other..=other + count]);
        let (first, second) = (ones[0], others[0]);
        let mut ends = ones.iter().zip(others);
        ends.all(|(one, other)| one - first == other - second)
            && self.range(one..one + count) == self.range(other..other + count)
    }
}
