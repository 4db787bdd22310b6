//! Rows that are null under a schema, apart from those that hold a value.

use arrow_array::Array;
use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::transform::Transformed;

use crate::columns::{self, by_nulls, copy_of};
use crate::merge;
use crate::side::Side;

/// Applies `transform` to the rows whose key or value is not null and, with true, to the others, and brings
/// both back into order. Values without a schema count as not null.
pub(crate) fn apart(
    side: Side,
    mut batch: SinkBatch,
    mut transform: impl FnMut(SinkBatch, bool) -> Result<Transformed, ConnectError>,
) -> Result<Transformed, ConnectError> {
    let Values::Typed { array, .. } = side.of(&batch) else { return transform(batch, false) };
    if array.null_count() == 0 {
        return transform(batch, false);
    }
    if array.null_count() == array.len() {
        return transform(batch, true);
    }
    let (values, nulls) = by_nulls(array);
    let mut done = transform(merge::move_rows(&mut batch, &nulls)?, true)?;
    let rest = transform(merge::move_rows(&mut batch, &values)?, false)?;
    done.errors.extend(rest.errors);
    done.errors.sort_by_key(|(offset, _)| *offset);
    let mut all = done.batches;
    all.extend(rest.batches);
    let mut batches = Vec::new();
    if !all.is_empty() {
        merge::in_order(all.remove(0), all, &mut batches)?;
    }
    Ok(Transformed { batches, errors: done.errors })
}

/// Fails the rows whose key or value is null with `err` and applies `transform` to the others.
pub(crate) fn fail(
    side: Side,
    batch: SinkBatch,
    err: &ConnectError,
    transform: impl FnOnce(SinkBatch) -> Result<Transformed, ConnectError>,
) -> Result<Transformed, ConnectError> {
    let nulls = match side.of(&batch) {
        Values::Shaped(array) | Values::Typed { array, .. } => by_nulls(array).1,
        Values::Dynamic(_) | Values::Null { .. } => Vec::new(),
    };
    let failed = nulls.into_iter().map(|row| (row as usize, copy_of(err))).collect();
    let mut outcome = columns::without(batch, failed)?;
    if let Some(batch) = outcome.batches.pop() {
        let rest = transform(batch)?;
        outcome.batches = rest.batches;
        outcome.errors.extend(rest.errors);
        outcome.errors.sort_by_key(|(offset, _)| *offset);
    }
    Ok(outcome)
}

/// Leaves a batch as it is.
pub(crate) fn keep(batch: SinkBatch) -> Result<Transformed, ConnectError> {
    Ok(Transformed::one(batch))
}

/// The first failure of each row.
#[derive(Default)]
pub(crate) struct Failures(std::collections::BTreeMap<usize, ConnectError>);

impl Failures {
    /// Adds a failure of `row` unless it failed before.
    pub(crate) fn add(&mut self, row: usize, err: impl FnOnce() -> ConnectError) {
        self.0.entry(row).or_insert_with(err);
    }

    /// The same failure for every row that `array` has a value in.
    pub(crate) fn add_valid(&mut self, array: &dyn Array, err: impl Fn() -> ConnectError) {
        for row in (0..array.len()).filter(|row| array.is_valid(*row)) {
            self.add(row, &err);
        }
    }

    /// Rows in ascending order.
    pub(crate) fn into_rows(self) -> Vec<(usize, ConnectError)> {
        self.0.into_iter().collect()
    }
}
