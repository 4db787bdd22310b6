//! Arrow columns as JSON text, a block of rows at a time.
//!
//! A [`ColumnText`] is made once per batch, so that the loops over rows do no downcasts, no schema look-ups
//! and no quoting of field names. Inside of a block columns are written one after the other (`block`); what
//! is inside of lists and maps is written value by value.

use std::ops::Range;

use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;
use lakeward_api::schema::Schema;

use super::bind::{Any, shaped, typed};
use super::block::{BLOCK_ROWS, Block, Lead, SLACK, valid_bits};
use super::cells::all_rows;
use super::{Form, Untyped};
use crate::FormatError;

/// One column, ready to be written.
pub(crate) struct ColumnText<'a> {
    rows: usize,
    column: Any<'a>,
    /// Whether rows may have no text at all.
    may_be_absent: bool,
}

impl<'a> ColumnText<'a> {
    /// Prepares `array`, whose values have `schema`.
    ///
    /// # Errors
    /// Class `Record` when the array does not have the type of the schema.
    pub(crate) fn new(schema: &'a Schema, array: &'a ArrayRef, form: Form) -> Result<Self, FormatError> {
        let may_be_absent = form.dialect.may_be_absent(schema);
        Ok(Self { rows: array.len(), column: typed(schema, array, form)?, may_be_absent })
    }

    /// Prepares the schemaless values of a shape.
    pub(crate) fn of_shape(array: &'a ArrayRef, untyped: Untyped) -> Self {
        Self { rows: array.len(), column: shaped(array, untyped), may_be_absent: false }
    }

    /// Which rows have a text; `None` when all have one. The others are written as null.
    pub(crate) fn present(&self) -> Option<NullBuffer> {
        let present = || (0..self.rows).map(|row| !self.column.is_absent(row)).collect::<NullBuffer>();
        self.may_be_absent.then(present)
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
        while let Some(slots) = self.slots(first) {
            self.each_of(&slots, &mut space, &mut take)?;
            first += slots.count;
        }
        Ok(())
    }

    /// [`ColumnText::each`] of the rows of `slots`, which [`ColumnText::slots`] made last; `space` is room to
    /// write them.
    pub(crate) fn each_of<E>(
        &self,
        slots: &Slots,
        space: &mut Vec<u8>,
        mut take: impl FnMut(Result<RowText<'_>, FormatError>) -> Result<(), E>,
    ) -> Result<(), E> {
        let (mut starts, mut end) = ([0; BLOCK_ROWS], 0);
        for (start, room) in starts.iter_mut().zip(slots.rooms()) {
            *start = end;
            end += room;
        }
        if space.len() < end + COPY_BYTES {
            space.resize(end + COPY_BYTES, 0);
        }
        let mut block = Block { out: space, at: starts, first: slots.first, failed: Vec::new() };
        self.column.values(&mut block, all_rows(slots.count), &Lead::default());
        let Block { at, mut failed, .. } = block;
        for (row, (start, end)) in starts.into_iter().zip(at).enumerate().take(slots.count) {
            let failure =
                if failed.is_empty() { None } else { failed.iter().position(|(failed, _)| *failed == row) };
            take(match failure {
                None => Ok(RowText { text: &space[start..], length: end - start }),
                Some(known) => Err(*failed.swap_remove(known).1),
            })?;
        }
        Ok(())
    }

    /// Writes those rows of `slots`, which [`ColumnText::slots`] made last, that are set in `valid` into
    /// `out`, each where `at` says, and moves that to where it ends. There must be [`SLACK`] bytes more
    /// behind the last room.
    ///
    /// Answers false when a row has no text; [`ColumnText::each_of`] tells why.
    pub(crate) fn put(
        &self,
        slots: &Slots,
        valid: Option<&NullBuffer>,
        out: &mut [u8],
        at: &mut [usize],
    ) -> bool {
        let mut block = Block { out, at: [0; BLOCK_ROWS], first: slots.first, failed: Vec::new() };
        block.at[..slots.count].copy_from_slice(at);
        let live = valid.map_or(u64::MAX, |valid| valid_bits(valid, slots.first));
        self.column.values(&mut block, all_rows(slots.count) & live, &Lead::default());
        at.copy_from_slice(&block.at[..slots.count]);
        block.failed.is_empty()
    }

    /// Looks at the rows from `first` on: how many are written at once, and the room of each. `None` behind
    /// the last row.
    pub(crate) fn slots(&mut self, first: usize) -> Option<Slots> {
        let count = BLOCK_ROWS.min(self.rows - first);
        if count == 0 {
            return None;
        }
        self.column.prepare(first..first + count);
        let mut rooms = [self.column.width() + SLACK; BLOCK_ROWS];
        self.column.add_extra(first, &mut rooms[..count]);
        let mut bytes = 0;
        let fits = |room: &&usize| {
            bytes += **room;
            bytes <= BLOCK_BYTES
        };
        let count = rooms[..count].iter().take_while(fits).count().max(1);
        Some(Slots { first, count, rooms })
    }
}

/// Rows that are written at once.
pub(crate) struct Slots {
    first: usize,
    count: usize,
    rooms: [usize; BLOCK_ROWS],
}

impl Slots {
    /// Which rows.
    pub(crate) fn rows(&self) -> Range<usize> {
        self.first..self.first + self.count
    }

    /// Bytes that each row may take.
    pub(crate) fn rooms(&self) -> &[usize] {
        &self.rooms[..self.count]
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
