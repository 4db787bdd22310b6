//! Arrow columns as JSON text, a block of rows at a time.
//!
//! A [`ColumnText`] is made once per batch, so that the loops over rows do no downcasts, no schema look-ups
//! and no quoting of field names. Inside of a block columns are written one after the other (`block`); what
//! is inside of lists and maps is written value by value.

use arrow_array::{Array, ArrayRef};
use lakeward_api::schema::Schema;

use super::bind::{Any, shaped, typed};
use super::block::{BLOCK_ROWS, Block, Lead, SLACK};
use super::cells::all_rows;
use super::{Form, Untyped};
use crate::FormatError;

/// One column, ready to be written.
pub(crate) struct ColumnText<'a> {
    rows: usize,
    column: Any<'a>,
}

impl<'a> ColumnText<'a> {
    /// Prepares `array`, whose values have `schema`.
    ///
    /// # Errors
    /// Class `Record` when the array does not have the type of the schema.
    pub(crate) fn new(schema: &'a Schema, array: &'a ArrayRef, form: Form) -> Result<Self, FormatError> {
        Ok(Self { rows: array.len(), column: typed(schema, array, form)? })
    }

    /// Prepares the schemaless values of a shape.
    pub(crate) fn of_shape(array: &'a ArrayRef, untyped: Untyped) -> Self {
        Self { rows: array.len(), column: shaped(array, untyped) }
    }

    /// Calls `take` with every row in order: its text, or why it has none: class `Record` for a null that may
    /// not be written, a number that is too long, or an object that has no type without a schema.
    ///
    /// # Errors
    /// The first that `take` answers.
    ///
    /// # Memory
    /// A block of rows, at most [`BLOCK_BYTES`] unless one row is longer.
    pub(crate) fn each<E>(
        mut self,
        mut take: impl FnMut(Result<RowText<'_>, FormatError>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut space = Vec::new();
        let mut first = 0;
        while first < self.rows {
            let (slots, count) = self.slots(first);
            let end = slots[count];
            if space.len() < end + COPY_BYTES {
                space.resize(end + COPY_BYTES, 0);
            }
            let mut at = [0; BLOCK_ROWS];
            at.copy_from_slice(&slots[..BLOCK_ROWS]);
            let mut block = Block { out: &mut space, at, first, failed: Vec::new() };
            self.column.values(&mut block, all_rows(count), &Lead::default());
            let Block { at, mut failed, .. } = block;
            for row in 0..count {
                let failure = if failed.is_empty() {
                    None
                } else {
                    failed.iter().position(|(failed, _)| *failed == row)
                };
                take(match failure {
                    None => Ok(RowText { text: &space[slots[row]..], length: at[row] - slots[row] }),
                    Some(known) => Err(*failed.swap_remove(known).1),
                })?;
            }
            first += count;
        }
        Ok(())
    }

    /// Looks at the rows from `first` on: where the slots of a block begin and end, and how many there are.
    fn slots(&mut self, first: usize) -> ([usize; BLOCK_ROWS + 1], usize) {
        let count = BLOCK_ROWS.min(self.rows - first);
        self.column.prepare(first..first + count);
        let mut rooms = [self.column.width() + SLACK; BLOCK_ROWS];
        self.column.add_extra(first, &mut rooms[..count]);
        let mut slots = [0; BLOCK_ROWS + 1];
        for row in 0..count {
            slots[row + 1] = slots[row] + rooms[row];
        }
        let fitting = slots[1..=count].partition_point(|end| *end <= BLOCK_BYTES);
        (slots, fitting.max(1))
    }
}

/// The text of a row.
pub(crate) struct RowText<'a> {
    /// The text, and at least [`COPY_BYTES`] more.
    text: &'a [u8],
    length: usize,
}

impl RowText<'_> {
    /// Appends the text to `out`.
    #[inline]
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) {
        if self.length > CHUNKED_MAX {
            return out.extend_from_slice(&self.text[..self.length]);
        }
        // Chunks of a fixed length need no call.
        let end = out.len() + self.length;
        let (chunks, _) = self.text.as_chunks::<COPY_BYTES>();
        for chunk in &chunks[..self.length.div_ceil(COPY_BYTES)] {
            out.extend_from_slice(chunk);
        }
        out.truncate(end);
    }
}

/// Bytes that are copied at once.
const COPY_BYTES: usize = 64;
/// Longer texts are copied as a whole.
const CHUNKED_MAX: usize = 512;

/// What memory the rows of a block may take.
const BLOCK_BYTES: usize = 1 << 20;
