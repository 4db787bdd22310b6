//! Rows that wait in the columns of their batches until enough of them are together to be encoded at once.
//!
//! An encoder costs as much for one row as for a hundred, and a batch may have rows for ten thousand files.
//! So a file takes down which rows are its own, and the columns live as long as somebody wants a row of them.
//!
//! # Memory
//! Columns are counted once, by their task; a file counts 8 bytes per row and per batch.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, UInt32Array};
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::schema::Schema;

use crate::s3::rotation::Rows;

/// Rows that are together are encoded from here on.
pub(super) const GATHER_ROWS: usize = 1024;
/// Rows of one batch that need not wait for others.
pub(super) const DIRECT_ROWS: usize = 512;

/// Bytes of all columns that are shared by files of one task.
#[derive(Clone, Debug, Default)]
pub(super) struct SharedBytes(Rc<Cell<u64>>);

impl SharedBytes {
    pub(super) fn get(&self) -> u64 {
        self.0.get()
    }
}

/// Values of a batch that files want rows of.
#[derive(Debug)]
pub(super) struct SharedColumn {
    schema: Arc<Schema>,
    array: ArrayRef,
    bytes: u64,
    /// The rows of the batch that are here, ascending; `None` for all.
    rows: Option<Vec<u32>>,
    total: SharedBytes,
}

impl SharedColumn {
    /// All rows of `array`.
    pub(super) fn new(schema: &Arc<Schema>, array: ArrayRef, total: &SharedBytes) -> Rc<Self> {
        Self::of(schema, array, None, total)
    }

    /// A copy of some rows: the others would be held for nothing.
    ///
    /// # Errors
    /// Class `Fatal` when the columns would exceed Arrow's limits.
    pub(super) fn of_rows(
        schema: &Arc<Schema>,
        array: &ArrayRef,
        rows: Vec<u32>,
        total: &SharedBytes,
    ) -> Result<Rc<Self>, ConnectError> {
        let numbers = UInt32Array::from(rows.clone());
        let copy = arrow_select::take::take(array, &numbers, None).map_err(broken)?;
        Ok(Self::of(schema, copy, Some(rows), total))
    }

    fn of(schema: &Arc<Schema>, array: ArrayRef, rows: Option<Vec<u32>>, total: &SharedBytes) -> Rc<Self> {
        let bytes = array.get_array_memory_size() as u64;
        total.0.set(total.0.get() + bytes);
        Rc::new(Self { schema: Arc::clone(schema), array, bytes, rows, total: total.clone() })
    }

    /// Where row `row` of the batch is.
    fn place(&self, row: u32) -> u32 {
        let Some(rows) = &self.rows else { return row };
        let place = rows.binary_search(&row).expect("rows that wait are among those that were copied");
        u32::try_from(place).expect("a batch has fewer rows than u32::MAX")
    }

    fn row_bytes(&self) -> u64 {
        self.bytes / (self.array.len() as u64).max(1)
    }
}

impl Drop for SharedColumn {
    fn drop(&mut self) {
        self.total.0.set(self.total.0.get() - self.bytes);
    }
}

/// The rows of one file that wait, in order.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    columns: Vec<Rc<SharedColumn>>,
    /// Number of the column and of the row in it.
    rows: Vec<(u32, u32)>,
    bytes: u64,
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn rows(&self) -> usize {
        self.rows.len()
    }

    /// About what the rows hold in their columns.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What is held beside the columns.
    pub(super) fn index_bytes(&self) -> u64 {
        (self.rows.capacity() * size_of::<(u32, u32)>() + self.columns.capacity() * size_of::<usize>()) as u64
    }

    /// Adds `rows` of the batch that `column` is of.
    pub(super) fn push(&mut self, column: &Rc<SharedColumn>, rows: &Rows) {
        if !self.columns.last().is_some_and(|last| Rc::ptr_eq(last, column)) {
            self.columns.push(Rc::clone(column));
        }
        let number = u32::try_from(self.columns.len() - 1).expect("fewer columns than rows wait");
        let before = self.rows.len();
        match rows {
            Rows::Indices(rows) => self.rows.extend(rows.iter().map(|row| (number, column.place(*row)))),
            Rows::Range { start, rows } => {
                let row = |row| u32::try_from(row).expect("a batch has fewer rows than u32::MAX");
                self.rows.extend((*start..start + rows).map(|at| (number, column.place(row(at)))));
            }
        }
        self.bytes += column.row_bytes() * (self.rows.len() - before) as u64;
    }

    /// All rows, together; nothing waits any more.
    ///
    /// # Errors
    /// Class `Fatal` when the columns would exceed Arrow's limits.
    pub(super) fn gather(&mut self) -> Result<Option<Values>, ConnectError> {
        let Self { columns, rows, .. } = std::mem::take(self);
        let Some(first) = columns.first() else { return Ok(None) };
        let arrays: Vec<&dyn Array> = columns.iter().map(|column| &*column.array).collect();
        let rows: Vec<(usize, usize)> =
            rows.into_iter().map(|(column, row)| (column as usize, row as usize)).collect();
        let array = arrow_select::interleave::interleave(&arrays, &rows).map_err(broken)?;
        Ok(Some(Values::Typed { schema: Arc::clone(&first.schema), array }))
    }
}

fn broken(err: arrow_schema::ArrowError) -> ConnectError {
    ConnectError::fatal("rows could not be gathered").with_source(err)
}

#[cfg(test)]
mod tests {
    use arrow_array::Int64Array;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;
    use lakeward_api::schema::Kind;

    use super::*;

    #[test]
    fn rows_come_in_the_order_in_which_they_were_added_and_columns_go_with_their_last_row() {
        let schema = Arc::new(Schema::new(Kind::Int64));
        let numbers = |from: i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(from..from + 10)) };
        let total = SharedBytes::default();
        let whole = SharedColumn::new(&schema, numbers(0), &total);
        let some = SharedColumn::of_rows(&schema, &numbers(10), vec![2, 5, 7], &total).unwrap();
        assert_eq!(total.get(), whole.bytes + some.bytes);
        assert!(some.bytes < whole.bytes);
        let (mut one, mut other) = (Waiting::default(), Waiting::default());
        one.push(&whole, &Rows::Indices(vec![1, 8]));
        one.push(&some, &Rows::Indices(vec![2, 7]));
        other.push(&whole, &Rows::Range { start: 3, rows: 2 });
        drop((whole, some));
        let gathered = |waiting: &mut Waiting| match waiting.gather().unwrap() {
            Some(Values::Typed { array, .. }) => array.as_primitive::<Int64Type>().values().to_vec(),
            other => panic!("{other:?}"),
        };
        assert_eq!(gathered(&mut one), [1, 8, 12, 17]);
        assert!(one.is_empty() && one.gather().unwrap().is_none() && total.get() > 0);
        assert_eq!(gathered(&mut other), [3, 4]);
        assert_eq!(total.get(), 0);
    }
}
