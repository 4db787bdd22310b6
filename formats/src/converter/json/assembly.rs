//! Runs: rows in order, cut where the schema changes.

use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::converter::{Decoded, Run};
use lakeward_api::schema::Schema;
use lakeward_api::value::Value;

use super::column::Column;
use super::fault::{Fault, Parsed};
use crate::FormatError;

/// The columns of the open typed run and their schema.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) schema: Arc<Schema>,
    pub(super) root: Column,
}

impl Table {
    /// An empty table for values of `schema`.
    pub(super) fn new(schema: Arc<Schema>) -> Self {
        Self { root: Column::new(&schema), schema }
    }

    /// Appends one row with `append`; when it fails, the row leaves no trace.
    #[inline]
    pub(super) fn append_row(&mut self, append: impl FnOnce(&mut Column) -> Parsed<()>) -> Parsed<()> {
        let rows = self.root.rows();
        let appended = append(&mut self.root);
        if appended.is_err() {
            self.root.truncate(rows);
        }
        appended
    }
}

/// Collects the outcome of one decode call.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    decoded: Decoded,
    open: Open,
}

#[derive(Debug, Default)]
enum Open {
    Dynamic(Vec<u32>, Vec<Value>),
    #[default]
    Nothing,
    Null(Vec<u32>),
    Typed(Vec<u32>),
}

impl Assembly {
    /// A row without value and schema.
    pub(super) fn null(&mut self, row: usize, table: Option<&mut Table>) {
        if !matches!(self.open, Open::Null(_)) {
            self.close(table);
            self.open = Open::Null(Vec::new());
        }
        if let Open::Null(rows) = &mut self.open {
            rows.push(row_number(row));
        }
    }

    /// A row without schema.
    pub(super) fn dynamic(&mut self, row: usize, value: Value, table: Option<&mut Table>) {
        if !matches!(self.open, Open::Dynamic(..)) {
            self.close(table);
            self.open = Open::Dynamic(Vec::new(), Vec::new());
        }
        if let Open::Dynamic(rows, values) = &mut self.open {
            rows.push(row_number(row));
            values.push(value);
        }
    }

    /// A row that was appended to the current table. The table must have been closed before it was replaced.
    #[inline]
    pub(super) fn typed(&mut self, row: usize) {
        if let Open::Typed(rows) = &mut self.open {
            rows.push(row_number(row));
            return;
        }
        // Runs without columns are complete here; they need no table.
        self.close(None);
        self.open = Open::Typed(vec![row_number(row)]);
    }

    /// A run that was collected elsewhere; all of its rows come after those of the open run, which ends.
    pub(super) fn complete(&mut self, rows: Vec<u32>, values: Values) {
        assert_eq!(values.rows(), rows.len(), "values do not match the rows of the run");
        self.close(None);
        self.decoded.runs.push(Run { rows, values });
    }

    /// A row that failed.
    pub(super) fn failed(&mut self, row: usize, fault: Box<Fault>) {
        self.decoded.errors.push((row, ConnectError::from(FormatError::from(fault))));
    }

    /// Ends the open run; a typed one takes its columns out of `table`.
    pub(super) fn close(&mut self, table: Option<&mut Table>) {
        let (rows, values) = match (std::mem::take(&mut self.open), table) {
            (Open::Nothing, _) => return,
            (Open::Dynamic(rows, values), _) => (rows, Values::Dynamic(values)),
            (Open::Null(rows), _) => {
                let count = rows.len();
                (rows, Values::Null { rows: count })
            }
            (Open::Typed(rows), Some(table)) => {
                let array = table.root.finish();
                assert_eq!(array.len(), rows.len(), "columns do not match the rows of the run");
                (rows, Values::Typed { schema: Arc::clone(&table.schema), array })
            }
            (Open::Typed(_), None) => unreachable!("a typed run has a table"),
        };
        self.decoded.runs.push(Run { rows, values });
    }

    /// The outcome, with the last run ended.
    pub(super) fn finish(mut self, table: Option<&mut Table>) -> Decoded {
        self.close(table);
        self.decoded
    }
}

pub(super) fn row_number(row: usize) -> u32 {
    u32::try_from(row).expect("a batch has fewer than 2^32 rows")
}
