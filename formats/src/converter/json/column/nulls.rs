//! Which rows of a column are null.

use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};

/// The rows that are null, ascending. Mostly there are few: rows that are not cost nothing.
#[derive(Debug, Default)]
pub(super) struct Nulls {
    rows: Vec<usize>,
}

impl Nulls {
    /// Notes `row`, which comes after all those before.
    #[inline]
    pub(super) fn push(&mut self, row: usize) {
        self.rows.push(row);
    }

    /// How many rows are null.
    pub(super) fn count(&self) -> usize {
        self.rows.len()
    }

    /// Whether `row` has a value.
    pub(super) fn is_valid(&self, row: usize) -> bool {
        self.rows.binary_search(&row).is_err()
    }

    /// Forgets the rows from `rows` on.
    #[inline]
    pub(super) fn truncate(&mut self, rows: usize) {
        while self.rows.last().is_some_and(|row| *row >= rows) {
            self.rows.pop();
        }
    }

    /// The bits of `rows` rows; none is null afterwards.
    pub(super) fn finish(&mut self, rows: usize) -> Option<NullBuffer> {
        if self.rows.is_empty() {
            return None;
        }
        let mut bits = vec![0xff_u8; rows.div_ceil(8)];
        for row in self.rows.drain(..) {
            bits[row / 8] &= !(1 << (row % 8));
        }
        Some(NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(bits), 0, rows)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_are_null_have_no_bit() {
        let mut nulls = Nulls::default();
        [1, 8, 9, 20, 22].into_iter().for_each(|row| nulls.push(row));
        nulls.truncate(21);
        assert!(nulls.is_valid(0) && !nulls.is_valid(8) && nulls.is_valid(22));
        assert_eq!(nulls.count(), 4);
        let found = nulls.finish(21).unwrap();
        assert_eq!((0..21).filter(|row| found.is_null(*row)).collect::<Vec<_>>(), [1, 8, 9, 20]);
        assert!(nulls.finish(21).is_none());
    }
}
