//! Rows of a row group in the order of chosen columns.
//!
//! Rows are kept as columns until their row group closes; equal ones keep the order in which they came.

use std::cmp::Ordering;

use arrow_array::{RecordBatch, UInt32Array};
use arrow_cmp::make_comparator;
use arrow_schema::{ArrowError, SchemaRef, SortOptions};
use arrow_select::concat::concat_batches;
use arrow_select::take::{take, take_record_batch};
use lakeward_api::schema::{Kind, Logical, Schema};
use parquet::file::metadata::SortingColumn;
use parquet::schema::types::SchemaDescriptor;

use super::options::ParquetSorting;
use crate::FormatError;

/// What the rows of one file are sorted by: fields of the record and their directions.
#[derive(Clone, Debug)]
pub(super) struct Order(Vec<(usize, SortOptions)>);

impl Order {
    /// The order that `sorting` means for records of `schema`.
    pub(super) fn of(schema: &Schema, sorting: &[ParquetSorting]) -> Self {
        let place = |by: &ParquetSorting| {
            let (place, _) = schema.field(&by.column).filter(|(_, field)| can_sort(&field.schema))?;
            Some((place, SortOptions { descending: by.descending, nulls_first: false }))
        };
        Self(sorting.iter().map_while(place).collect())
    }

    /// True when rows stay as they are.
    pub(super) fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// What the metadata of row groups says.
    pub(super) fn columns(&self, file: &SchemaDescriptor) -> Vec<SortingColumn> {
        let column = |(place, options): &(usize, SortOptions)| {
            let leaf = (0..file.num_columns()).find(|leaf| file.get_column_root_idx(*leaf) == *place)?;
            Some(SortingColumn {
                column_idx: i32::try_from(leaf).ok()?,
                descending: options.descending,
                nulls_first: options.nulls_first,
            })
        };
        self.0.iter().filter_map(column).collect()
    }
}

/// Columns of one order that Arrow and Parquet see alike: Decimals are bytes to Arrow and numbers to Parquet.
fn can_sort(schema: &Schema) -> bool {
    let is_nested =
        matches!(schema.kind, Kind::Array(_) | Kind::Map { .. } | Kind::Recursive(_) | Kind::Struct(_));
    !is_nested && !matches!(schema.logical(), Some(Logical::Decimal { .. }))
}

/// The rows of the open row group.
///
/// # Memory
/// A copy of the rows' columns, twice that while they are sorted.
#[derive(Debug)]
pub(super) struct Sorter {
    order: Order,
    batches: Vec<RecordBatch>,
    bytes: usize,
}

impl Sorter {
    pub(super) fn new(order: Order) -> Self {
        Self { order, batches: Vec::new(), bytes: 0 }
    }

    /// Bytes of the rows that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds rows. They are copied: a slice would keep the whole batch that it comes from.
    pub(super) fn push(&mut self, batch: &RecordBatch) -> Result<(), FormatError> {
        let rows = UInt32Array::from_iter_values(0..u32::try_from(batch.num_rows()).unwrap_or(u32::MAX));
        let columns = batch.columns().iter().map(|column| take(column, &rows, None));
        let columns = columns.collect::<Result<Vec<_>, _>>().map_err(broken)?;
        let copy = RecordBatch::try_new(batch.schema(), columns).map_err(broken)?;
        self.bytes += copy.get_array_memory_size();
        self.batches.push(copy);
        Ok(())
    }

    /// All rows, in order; `None` when there are none.
    pub(super) fn take(&mut self, schema: &SchemaRef) -> Result<Option<RecordBatch>, FormatError> {
        if self.batches.is_empty() {
            return Ok(None);
        }
        self.bytes = 0;
        let batches = std::mem::take(&mut self.batches);
        let rows = concat_batches(schema, &batches).map_err(broken)?;
        drop(batches);
        let compare = self.order.0.iter().map(|(place, options)| {
            let column = rows.column(*place);
            make_comparator(column, column, *options)
        });
        let compare = compare.collect::<Result<Vec<_>, _>>().map_err(broken)?;
        let mut numbers: Vec<u32> = (0..u32::try_from(rows.num_rows()).unwrap_or(u32::MAX)).collect();
        numbers.sort_by(|one, other| {
            let (one, other) = (*one as usize, *other as usize);
            compare
                .iter()
                .map(|compare| compare(one, other))
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        });
        take_record_batch(&rows, &UInt32Array::from(numbers)).map(Some).map_err(broken)
    }
}

fn broken(source: ArrowError) -> FormatError {
    FormatError::Encode { source: source.into() }
}
