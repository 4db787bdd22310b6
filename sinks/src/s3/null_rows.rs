//! Which rows of a column of records are null.

use arrow_array::Array;
use lakeward_api::batch::Values;

/// The rows that are not null, ascending; `None` when all are.
pub(super) fn present_rows(values: &Values) -> Option<Vec<u32>> {
    let row = |row: usize| u32::try_from(row).expect("a batch has fewer rows than u32::MAX");
    match values {
        Values::Null { .. } => Some(Vec::new()),
        Values::Dynamic(values) => values.iter().any(|value| value.is_null()).then(|| {
            values.iter().enumerate().filter(|(_, value)| !value.is_null()).map(|(at, _)| row(at)).collect()
        }),
        Values::Shaped(array) | Values::Typed { array, .. } => (array.null_count() > 0)
            .then(|| (0..array.len()).filter(|at| !array.is_null(*at)).map(row).collect()),
    }
}
