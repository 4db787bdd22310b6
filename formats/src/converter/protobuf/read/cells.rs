//! Cells whose last one can be replaced.

use arrow_buffer::{BooleanBuffer, Buffer};

use super::super::fault::{Converted, truncated};

/// A bit per row. Rows that are not marked take no room until a later one is, so that they cost nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    words: Vec<u64>,
}

impl Marks {
    /// Marks row `row`, which was not, or leaves it as it is.
    #[inline]
    pub(super) fn mark(&mut self, row: usize, is_marked: bool) {
        let at = row / 64;
        if at >= self.words.len() {
            self.words.resize(at + 1, 0);
        }
        self.words[at] |= u64::from(is_marked) << (row % 64);
    }

    pub(super) fn is_marked(&self, row: usize) -> bool {
        self.words.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Drops every mark from row `rows` on.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.words.truncate(rows.div_ceil(64));
        if let (Some(word), rest @ 1..) = (self.words.get_mut(rows / 64), rows % 64) {
            *word &= (1 << rest) - 1;
        }
    }

    /// Takes the marks of the first `rows` rows, of which no other is marked.
    pub(super) fn take(&mut self, rows: usize) -> BooleanBuffer {
        self.words.resize(rows.div_ceil(64), 0);
        let words = std::mem::replace(&mut self.words, Vec::with_capacity(rows.div_ceil(64)));
        BooleanBuffer::new(Buffer::from_vec(words), 0, rows)
    }

    /// As [`Marks::take`], of the rows that are not marked; `None` when that is all of them.
    pub(super) fn take_others(&mut self, rows: usize) -> Option<BooleanBuffer> {
        if self.words.iter().all(|word| *word == 0) {
            self.words.clear();
            return None;
        }
        self.words.iter_mut().for_each(|word| *word = !*word);
        self.words.resize(rows.div_ceil(64), u64::MAX);
        Some(self.take(rows))
    }
}

/// Texts or bytes, one after the other.
#[derive(Clone)]
pub(super) struct VarCells {
    /// Starts with 0.
    pub(super) offsets: Vec<i32>,
    pub(super) data: Vec<u8>,
}

impl VarCells {
    pub(super) fn new() -> Self {
        Self { offsets: vec![0], data: Vec::new() }
    }

    /// Appends a cell, or puts it in the place of the last one.
    #[inline]
    pub(super) fn put(&mut self, bytes: &[u8], place: Place) -> Converted<()> {
        if place == Place::Last {
            self.truncate(self.offsets.len() - 2);
        }
        self.data.extend_from_slice(bytes);
        self.offsets.push(offset(self.data.len())?);
        Ok(())
    }

    pub(super) fn push_empty(&mut self) {
        self.offsets.push(self.offsets[self.offsets.len() - 1]);
    }

    pub(super) fn cell(&self, row: usize) -> &[u8] {
        &self.data[self.offsets[row] as usize..self.offsets[row + 1] as usize]
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        self.offsets.truncate(rows + 1);
        self.data.truncate(last(&self.offsets));
    }
}

/// Where a value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In place of the last row.
    Last,
    /// Behind the last row.
    New,
}

#[inline]
pub(super) fn put<T>(cells: &mut Vec<T>, value: T, place: Place) {
    match (place, cells.last_mut()) {
        (Place::Last, Some(last)) => *last = value,
        _ => cells.push(value),
    }
}

/// The last offset: rows or bytes of the content.
pub(super) fn last(offsets: &[i32]) -> usize {
    offsets.last().map_or(0, |last| *last as usize)
}

/// A count of rows or bytes as an offset. A run is cut by the byte limits of a batch long before this.
#[inline]
pub(super) fn offset(count: usize) -> Converted<i32> {
    i32::try_from(count).map_err(|_| truncated())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_those_of_rows_that_were_not_dropped() {
        let mut marks = Marks::default();
        for row in [0, 5, 63, 64, 130, 131] {
            marks.mark(row, true);
            marks.mark(row + 200, false);
        }
        marks.truncate(131);
        assert!(marks.is_marked(130) && !marks.is_marked(131) && !marks.is_marked(1000));
        let marked: Vec<usize> = marks.take(140).set_indices().collect();
        assert_eq!(marked, [0, 5, 63, 64, 130]);
        assert_eq!(marks.take(2).set_indices().count(), 0);
        marks.mark(64, true);
        marks.truncate(64);
        assert_eq!(marks.take_others(70), None);
        marks.mark(64, true);
        let others = marks.take_others(70).unwrap();
        assert_eq!((others.len(), others.count_set_bits(), others.value(64)), (70, 69, false));
    }
}
