//! The columns that `InsertField` adds.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, TimestampMillisecondType};
use arrow_array::{Array, ArrayRef, Int32Array, Int64Array, PrimitiveArray, StringArray};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use lakeward_api::ConnectError;
use lakeward_api::batch::SinkBatch;

/// Constant columns of more bytes are not kept for the next batch.
const KEPT_BYTES_MAX: usize = 1 << 20;

/// The longest column of one value so far; shorter ones are slices of it.
#[derive(Default)]
pub(super) struct Constant(Option<ArrayRef>);

impl Constant {
    /// `rows` times the same text.
    ///
    /// # Errors
    /// `Fatal` when they are more than 2^31 bytes.
    pub(super) fn text(&mut self, text: &str, rows: usize) -> Result<ArrayRef, ConnectError> {
        let is_this = |kept: &ArrayRef| kept.as_string_opt::<i32>().is_some_and(|kept| kept.value(0) == text);
        match self.kept(rows, is_this) {
            Some(kept) => Ok(kept),
            None => Ok(self.keep(Arc::new(repeated(text, rows)?))),
        }
    }

    /// `rows` times the same number.
    pub(super) fn number(&mut self, number: i32, rows: usize) -> ArrayRef {
        let is_this = |kept: &ArrayRef| {
            kept.as_primitive_opt::<Int32Type>().is_some_and(|kept| kept.value(0) == number)
        };
        match self.kept(rows, is_this) {
            Some(kept) => kept,
            None => self.keep(Arc::new(Int32Array::from_value(number, rows))),
        }
    }

    fn kept(&self, rows: usize, is_this: impl FnOnce(&ArrayRef) -> bool) -> Option<ArrayRef> {
        let kept = self.0.as_ref().filter(|kept| kept.len() >= rows && is_this(kept))?;
        Some(kept.slice(0, rows))
    }

    fn keep(&mut self, column: ArrayRef) -> ArrayRef {
        let is_kept = !column.is_empty() && column.get_buffer_memory_size() <= KEPT_BYTES_MAX;
        self.0 = is_kept.then(|| Arc::clone(&column));
        column
    }
}

/// The timestamps of a batch as INT64.
pub(super) fn times(batch: &SinkBatch) -> Int64Array {
    let times = &batch.timestamps_ms;
    let cells: Vec<i64> = times.iter().map(|at| at.unwrap_or_default()).collect();
    let nulls = times.contains(&None).then(|| times.iter().map(Option::is_some).collect::<NullBuffer>());
    Int64Array::new(cells.into(), nulls)
}

/// The timestamps of a batch as the column of a Timestamp schema.
pub(super) fn timestamps(batch: &SinkBatch) -> PrimitiveArray<TimestampMillisecondType> {
    times(batch).reinterpret_cast::<TimestampMillisecondType>().with_timezone("UTC")
}

/// `rows` times the same text, copied in one piece.
fn repeated(text: &str, rows: usize) -> Result<StringArray, ConnectError> {
    let too_long = || ConnectError::fatal("an inserted column holds more than 2^31 bytes");
    let step = i32::try_from(text.len()).map_err(|_| too_long())?;
    let count = i32::try_from(rows).map_err(|_| too_long())?;
    step.checked_mul(count).ok_or_else(too_long)?;
    let ends: ScalarBuffer<i32> = (0..=count).map(|row| row * step).collect();
    let bytes = Buffer::from_vec(text.repeat(rows).into_bytes());
    StringArray::try_new(OffsetBuffer::new(ends), bytes, None)
        .map_err(|err| ConnectError::fatal("a column could not be built").with_source(err))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_built_once_and_sliced() {
        let mut constant = Constant::default();
        let start = |column: &ArrayRef| column.as_string::<i32>().values().as_ptr();
        assert_eq!(constant.text("ab", 0).unwrap().len(), 0);
        let long = constant.text("ab", 5).unwrap();
        let short = constant.text("ab", 2).unwrap();
        assert_eq!(start(&long), start(&short));
        assert_eq!(short.as_string::<i32>().iter().collect::<Vec<_>>(), [Some("ab"); 2]);
        assert_eq!(constant.text("c", 2).unwrap().as_string::<i32>().value(1), "c");
        assert_eq!(constant.text("c", 3).unwrap().len(), 3);
        assert_eq!(constant.text("", 3).unwrap().as_string::<i32>().value(2), "");
        let wide = "x".repeat(KEPT_BYTES_MAX);
        assert_eq!(constant.text(&wide, 1).unwrap().as_string::<i32>().value(0), wide);
        assert!(constant.0.is_none());
        assert!(constant.text(&wide, 1 << 11).is_err());
    }

    #[test]
    fn numbers_change_with_the_partition() {
        let mut constant = Constant::default();
        for (number, rows) in [(3, 4), (3, 2), (4, 2), (4, 9)] {
            let column = constant.number(number, rows);
            assert_eq!(column.as_primitive::<Int32Type>().values(), &vec![number; rows][..]);
        }
    }
}
