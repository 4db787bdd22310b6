//! Rows of a batch on their way to files.

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use arrow_array::Array as _;
use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};

use super::gather::{DIRECT_ROWS, SharedBytes, SharedColumn};
use super::rejects;
use crate::s3::rotation::{Op, Rows};

/// Rows that go to files.
pub(super) struct Taken {
    pub(super) batch: SinkBatch,
    /// Their headers, when these are stored.
    pub(super) headers: Option<Values>,
    /// The clock of these rows.
    pub(super) now_ms: i64,
    /// Whether values may wait for others.
    may_wait: bool,
    /// Those that will, when they are less than half of the batch.
    few: Option<Vec<u32>>,
    column: OnceCell<Rc<SharedColumn>>,
    shared_bytes: SharedBytes,
}

impl Taken {
    pub(super) fn new(
        batch: SinkBatch,
        headers: Option<Values>,
        now_ms: i64,
        may_wait: bool,
        shared_bytes: SharedBytes,
    ) -> Self {
        Self { batch, headers, now_ms, may_wait, few: None, column: OnceCell::new(), shared_bytes }
    }

    /// Looks at what will be done with the rows: a batch of which only a few wait is not held for them.
    pub(super) fn foresee(&mut self, ops: &[Op]) {
        let waiting = ops.iter().filter_map(|op| match op {
            Op::Write { rows, .. } if rows.count() < DIRECT_ROWS => Some(rows),
            _ => None,
        });
        let count: usize = waiting.clone().map(Rows::count).sum();
        if self.may_wait && count > 0 && count * 2 < self.batch.rows() {
            let mut few: Vec<u32> = waiting.flat_map(rejects::numbers).collect();
            few.sort_unstable();
            self.few = Some(few);
        }
    }

    /// Values of this batch for files to wait in, `rows` among them; `None` when they may not wait.
    ///
    /// # Errors
    /// Class `Fatal` when the columns would exceed Arrow's limits.
    pub(super) fn column_with(&self, rows: &Rows) -> Result<Option<Rc<SharedColumn>>, ConnectError> {
        let Values::Typed { schema, array } = &self.batch.values else { return Ok(None) };
        if !self.may_wait || array.is_empty() {
            return Ok(None);
        }
        let copy = |rows| SharedColumn::of_rows(schema, array, rows, &self.shared_bytes);
        // So many were not foreseen to wait: they do behind rows on disk.
        if self.few.is_some() && rows.count() >= DIRECT_ROWS {
            return copy(rejects::numbers(rows)).map(Some);
        }
        if let Some(column) = self.column.get() {
            return Ok(Some(Rc::clone(column)));
        }
        let column = match &self.few {
            Some(few) => copy(few.clone())?,
            None => SharedColumn::new(schema, Arc::clone(array), &self.shared_bytes),
        };
        Ok(Some(Rc::clone(self.column.get_or_init(|| column))))
    }

    /// Bytes of the values of `rows` of the batch's rows, more or less.
    pub(super) fn plain_bytes(&self, rows: usize) -> u64 {
        let Values::Typed { array, .. } = &self.batch.values else { return 0 };
        let bytes = array.to_data().get_slice_memory_size().unwrap_or_default();
        (bytes / array.len().max(1) * rows) as u64
    }

    /// Where columns are counted.
    pub(super) fn shared_bytes(&self) -> &SharedBytes {
        &self.shared_bytes
    }
}
