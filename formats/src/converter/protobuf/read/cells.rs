//! Cells whose last one can be replaced.

use super::super::fault::{Converted, truncated};

/// Texts or bytes, one after the other.
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
