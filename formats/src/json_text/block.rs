//! A block of rows while it is written: every row has a slot in one buffer, so that columns can be written
//! one after the other.
//!
//! Slots are large enough for whatever their row can become, and [`SLACK`] bytes more: small things are
//! stored as whole words and chunks, whose end the next thing overwrites.

use arrow_buffer::NullBuffer;

use crate::FormatError;

/// Where the text of a value ends, or why it has none. Boxed, so that the usual answer stays in registers.
pub(super) type Written = Result<usize, Box<FormatError>>;

/// Rows of a block.
pub(super) const BLOCK_ROWS: usize = 64;

/// Bytes behind the end of a slot that may be overwritten.
pub(super) const SLACK: usize = 32;

/// Where the rows of a block stand.
pub(super) struct Block<'b> {
    pub(super) out: &'b mut [u8],
    /// Where each row goes on.
    pub(super) at: [usize; BLOCK_ROWS],
    /// Index of the first row.
    pub(super) first: usize,
    /// Why rows cannot be written: the first reason of each.
    pub(super) failed: Vec<(usize, Box<FormatError>)>,
}

impl Block<'_> {
    /// Writes `lead` and what `write` makes of the index of each row whose bit is set in `rows`.
    #[inline]
    pub(super) fn each(
        &mut self,
        rows: u64,
        lead: &Lead,
        mut write: impl FnMut(&mut [u8], usize, usize) -> Written,
    ) {
        let Self { out, at, first, failed } = self;
        let (out, first): (&mut [u8], usize) = (out, *first);
        let mut left = rows;
        while left != 0 {
            let row = left.trailing_zeros() as usize % BLOCK_ROWS;
            left &= left - 1;
            let start = lead.put(out, at[row]);
            match write(out, start, first + row) {
                Ok(end) => at[row] = end,
                Err(error) => fail(failed, row, error),
            }
        }
    }

    /// Writes the same for each row whose bit is set in `rows`.
    pub(super) fn put(&mut self, rows: u64, text: &Text) {
        for chunk in &text.chunks {
            self.lead(rows, chunk);
        }
    }

    /// The same for one chunk.
    pub(super) fn lead(&mut self, rows: u64, lead: &Lead) {
        if lead.length > 0 {
            self.each(rows, lead, |_, at, _| Ok(at));
        }
    }
}

#[cold]
fn fail(failed: &mut Vec<(usize, Box<FormatError>)>, row: usize, error: Box<FormatError>) {
    if !failed.iter().any(|(known, _)| *known == row) {
        failed.push((row, error));
    }
}

/// A short text that is stored as one chunk.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lead {
    text: [u8; LEAD_BYTES],
    length: usize,
}

impl Lead {
    /// # Panics
    /// When `text` is longer than [`LEAD_BYTES`].
    pub(super) fn new(text: &[u8]) -> Self {
        let mut lead = Self { text: [0; LEAD_BYTES], length: text.len() };
        lead.text[..text.len()].copy_from_slice(text);
        lead
    }

    /// This one and `next` as one, if that is short enough.
    pub(super) fn joined(&self, next: &Self) -> Option<Self> {
        let text = [&self.text[..self.length], &next.text[..next.length]].concat();
        (text.len() <= LEAD_BYTES).then(|| Self::new(&text))
    }

    /// Writes it at `at`; returns where it ends.
    #[inline]
    pub(super) fn put(&self, out: &mut [u8], at: usize) -> usize {
        put(out, at, &self.text);
        at + self.length
    }
}

/// A text as chunks.
#[derive(Clone, Debug, Default)]
pub(super) struct Text {
    chunks: Vec<Lead>,
}

impl Text {
    pub(super) fn new(text: &[u8]) -> Self {
        Self { chunks: text.chunks(LEAD_BYTES).map(Lead::new).collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The last chunk apart from the others.
    pub(super) fn split(text: &[u8]) -> (Self, Lead) {
        let (others, last) = text.split_at(text.len().saturating_sub(LEAD_BYTES));
        (Self::new(others), Lead::new(last))
    }

    /// Writes it at `at`; returns where it ends.
    #[inline]
    pub(super) fn put(&self, out: &mut [u8], at: usize) -> usize {
        self.chunks.iter().fold(at, |at, chunk| chunk.put(out, at))
    }
}

/// Writes `bytes` at `at`.
#[inline]
pub(super) fn put<const N: usize>(out: &mut [u8], at: usize, bytes: &[u8; N]) {
    *space(out, at) = *bytes;
}

/// The bytes from `at` on.
#[inline]
pub(super) fn space<const N: usize>(out: &mut [u8], at: usize) -> &mut [u8; N] {
    out[at..].first_chunk_mut().expect("slots have room and slack")
}

/// The bits of `valid` from `first` on, the first lowest; bits behind the last have no meaning.
pub(super) fn valid_bits(valid: &NullBuffer, first: usize) -> u64 {
    let start = valid.offset() + first;
    let bytes = &valid.validity()[start / 8..];
    let mut words = [0; 16];
    let count = bytes.len().min(9);
    words[..count].copy_from_slice(&bytes[..count]);
    (u128::from_le_bytes(words) >> (start % 8)) as u64
}

const LEAD_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_found_at_every_offset() {
        let bits: Vec<bool> = (0..200).map(|at| at % 3 == 0 || at % 7 == 2).collect();
        let all = NullBuffer::from(bits.clone());
        for offset in [0, 1, 7, 8, 63, 100] {
            let slice = all.slice(offset, 90);
            for first in [0, 5, 64, 89] {
                let word = valid_bits(&slice, first);
                for at in first..slice.len().min(first + BLOCK_ROWS) {
                    assert_eq!(word >> (at - first) & 1 == 1, bits[offset + at], "{offset} {first} {at}");
                }
            }
        }
    }
}
