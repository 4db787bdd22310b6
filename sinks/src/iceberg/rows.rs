//! The rows of a batch as columns of a table. Tombstones are left out, as in Java.

use arrow_array::{Array as _, ArrayRef};
use iceberg::spec::NestedFieldRef;
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::value::Value;

use super::cells;
use super::columns::{self, Names};

/// The columns `fields` of `values`; `None` when there are no rows.
///
/// # Errors
/// Class `Record`.
pub(super) fn columns(
    fields: &[NestedFieldRef],
    values: &Values,
    names: Names,
) -> Result<Option<Vec<ArrayRef>>, ConnectError> {
    match values {
        Values::Null { .. } => Ok(None),
        Values::Typed { array, .. } => {
            let kept: Vec<u32> =
                (0u32..).take(array.len()).filter(|row| array.is_valid(*row as usize)).collect();
            if kept.is_empty() {
                return Ok(None);
            }
            let values = values.take(&kept)?;
            let (schema, record) = values.as_struct().ok_or_else(not_a_record)?;
            columns::of_records(fields, schema, record, names).map(Some)
        }
        Values::Dynamic(_) | Values::Shaped(_) => {
            let rows = values.dynamic().unwrap_or_default();
            let kept: Vec<&Value> = rows.iter().filter(|value| !value.is_null()).collect();
            if kept.iter().any(|value| !matches!(value, Value::Map(_))) {
                return Err(not_a_record());
            }
            if kept.is_empty() {
                return Ok(None);
            }
            cells::of_records(fields, &kept, names).map(Some)
        }
    }
}

/// The first row that is no tombstone.
pub(super) fn first(values: &Values) -> Option<Values> {
    let row = match values {
        Values::Null { .. } => None,
        Values::Typed { array, .. } => (0..array.len()).find(|row| array.is_valid(*row)),
        Values::Dynamic(_) | Values::Shaped(_) => values.dynamic()?.iter().position(|value| !value.is_null()),
    };
    row.map(|row| values.slice(row, 1))
}

pub(super) fn not_a_record() -> ConnectError {
    ConnectError::data("Cannot convert a value that is neither a STRUCT nor a MAP to a row of a table")
}
