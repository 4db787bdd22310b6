//! Record headers.

use std::sync::Arc;

use crate::schema::Schema;
use crate::value::Value;

/// A converted header. Headers are ordered and keys may repeat.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// Header name.
    pub key: Arc<str>,
    /// Schema of the value; `None` when schemaless.
    pub schema: Option<Arc<Schema>>,
    /// The value.
    pub value: Value,
}

/// The headers of a batch, one list per row. No record has headers in most topics, which costs nothing here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeaderRows(Option<Vec<Vec<Header>>>);

impl HeaderRows {
    /// Headers of every row; forgets the lists when all are empty.
    pub fn new(rows: Vec<Vec<Header>>) -> Self {
        Self(rows.iter().any(|headers| !headers.is_empty()).then_some(rows))
    }

    /// True when no row has headers.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The headers of row `row`.
    pub fn row(&self, row: usize) -> &[Header] {
        self.0.as_ref().map_or(&[], |rows| &rows[row])
    }

    /// Row lists to change, `rows` of them. Call [`HeaderRows::new`] on the outcome when lists may be empty.
    pub fn rows_mut(&mut self, rows: usize) -> &mut [Vec<Header>] {
        let lists = self.0.get_or_insert_with(|| vec![Vec::new(); rows]);
        debug_assert_eq!(lists.len(), rows, "headers do not match the batch");
        lists
    }

    /// The given rows, in that order.
    #[must_use]
    pub fn take(&self, rows: &[u32]) -> Self {
        match &self.0 {
            Some(all) => Self::new(rows.iter().map(|row| all[*row as usize].clone()).collect()),
            None => Self(None),
        }
    }

    /// True when the lists fit a batch of `rows` rows.
    pub fn fits(&self, rows: usize) -> bool {
        self.0.as_ref().is_none_or(|lists| lists.len() == rows)
    }
}
