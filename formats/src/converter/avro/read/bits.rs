//! Bitmaps under construction: flags, and which rows are not null.

use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};

/// Bits, appended one by one or up to 64 at once.
#[derive(Debug, Default)]
pub(super) struct Bits {
    /// As many as the bits need; bits behind the last are zero.
    words: Vec<u64>,
    len: usize,
}

impl Bits {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn push(&mut self, bit: bool) {
        self.push_word(u64::from(bit), 1);
    }

    /// Appends the lowest `count` bits of `word`, 1 to 64 of them; its other bits are zero.
    #[inline]
    pub(super) fn push_word(&mut self, word: u64, count: usize) {
        let used = self.len % WORD_BITS;
        match self.words.last_mut() {
            Some(last) if used > 0 => {
                *last |= word << used;
                if used + count > WORD_BITS {
                    self.words.push(word >> (WORD_BITS - used));
                }
            }
            _ => self.words.push(word),
        }
        self.len += count;
    }

    /// Whether the last bit is set; false when there is none.
    pub(super) fn last(&self) -> bool {
        let at = self.len.wrapping_sub(1);
        self.words.get(at / WORD_BITS).is_some_and(|word| word >> (at % WORD_BITS) & 1 == 1)
    }

    /// Drops every bit from `len` on.
    pub(super) fn truncate(&mut self, len: usize) {
        if len >= self.len {
            return;
        }
        self.len = len;
        self.words.truncate(len.div_ceil(WORD_BITS));
        let used = len % WORD_BITS;
        if let Some(last) = self.words.last_mut().filter(|_| used > 0) {
            *last &= (1 << used) - 1;
        }
    }

    /// Takes the bits.
    pub(super) fn finish(&mut self) -> BooleanBuffer {
        let len = std::mem::take(&mut self.len);
        let next = Vec::with_capacity(self.words.len() + 1);
        let mut words = std::mem::replace(&mut self.words, next);
        // Arrow's bitmaps are bytes in ascending order.
        words.iter_mut().for_each(|word| *word = word.to_le());
        BooleanBuffer::new(Buffer::from_vec(words), 0, len)
    }

    /// Takes the bits as those of rows that are not null; `None` when no row is null.
    pub(super) fn finish_nulls(&mut self) -> Option<NullBuffer> {
        Some(NullBuffer::new(self.finish())).filter(|nulls| nulls.null_count() > 0)
    }
}

const WORD_BITS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_kept_at_every_offset() {
        for first in 0..130 {
            for count in 1..=64 {
                let word = 0x5a5a_1234_9876_f00f_u64 & (u64::MAX >> (64 - count));
                let mut bits = Bits::default();
                (0..first).for_each(|at| bits.push(at % 3 == 0));
                bits.push_word(word, count);
                assert_eq!((bits.len(), bits.last()), (first + count, word >> (count - 1) == 1));
                bits.push(true);
                bits.truncate(first + count);
                bits.push(false);
                let mut expected: Vec<bool> = (0..first).map(|at| at % 3 == 0).collect();
                expected.extend((0..count).map(|at| word >> at & 1 == 1));
                expected.push(false);
                assert_eq!(bits.finish().iter().collect::<Vec<_>>(), expected);
                assert_eq!((bits.len(), bits.last()), (0, false));
            }
        }
    }

    #[test]
    fn rows_without_nulls_have_no_null_buffer() {
        let mut bits = Bits::default();
        bits.push_word(u64::MAX, 64);
        bits.push(true);
        assert_eq!(bits.finish_nulls(), None);
        bits.push_word(0b101, 3);
        assert_eq!(bits.finish_nulls().map(|nulls| nulls.null_count()), Some(1));
    }
}
