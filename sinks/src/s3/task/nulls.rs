//! What happens to records with null values, before anything else sees them.
//!
//! Source: `S3SinkTask#maybeSkipOnNullValue`.

use arrow_array::Array;
use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};

use super::rejects::Rejects;
use crate::s3::config::S3Config;
use crate::s3::error::S3SinkError;

/// `behavior.on.null.values`; `write` is refused by validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NullPolicy {
    /// The task fails.
    Fail,
    /// The records are skipped; their offsets count as done.
    Ignore,
    /// The same, and they are reported when anything is (`report.null.values.to.dlq`).
    Report,
}

impl NullPolicy {
    /// The policy of `config`.
    pub(super) fn new(config: &S3Config) -> Self {
        match (config.request.null_values.eq_ignore_ascii_case("ignore"), config.request.report_nulls) {
            (false, _) => Self::Fail,
            (true, false) => Self::Ignore,
            (true, true) => Self::Report,
        }
    }

    /// The batch without null values; `None` when nothing is left.
    pub(super) fn apply(
        self,
        batch: SinkBatch,
        rejects: &mut Rejects,
    ) -> Result<Option<SinkBatch>, S3SinkError> {
        let kept = kept_rows(&batch.values);
        let null_count = batch.rows() - kept.as_ref().map_or(batch.rows(), Vec::len);
        match (self, kept) {
            (_, None) => Ok(Some(batch)),
            (Self::Fail, Some(_)) => Err(S3SinkError::NullValue),
            (Self::Ignore | Self::Report, Some(kept)) => {
                if self == Self::Report && rejects.is_possible() {
                    report(&batch, &kept, rejects);
                }
                tracing::debug!(partition = %batch.partition, null_count, "skipped records with null values");
                if kept.is_empty() { Ok(None) } else { Ok(Some(select(batch, &kept))) }
            }
        }
    }
}

/// Source: `S3SinkTask#maybeSkipOnNullValue`, the message of its `DataException`.
fn report(batch: &SinkBatch, kept: &[u32], rejects: &mut Rejects) {
    let mut kept = kept.iter().peekable();
    for (row, offset) in (0u32..).zip(&batch.offsets) {
        if kept.next_if_eq(&&row).is_none() {
            rejects.add(&batch.partition, *offset, ConnectError::data("Skipping null value record."));
        }
    }
}

/// The rows that are not null; `None` when all are.
fn kept_rows(values: &Values) -> Option<Vec<u32>> {
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

/// The given rows of a batch.
fn select(batch: SinkBatch, rows: &[u32]) -> SinkBatch {
    SinkBatch {
        offsets: rows.iter().map(|row| batch.offsets[*row as usize]).collect(),
        timestamps_ms: rows.iter().map(|row| batch.timestamps_ms[*row as usize]).collect(),
        keys: select_values(&batch.keys, rows),
        values: select_values(&batch.values, rows),
        headers: batch.headers.take(rows).expect("row numbers are within the batch"),
        partition: batch.partition,
        topic: batch.topic,
    }
}

/// The given rows of `values`, ascending.
pub(super) fn select_values(values: &Values, rows: &[u32]) -> Values {
    values.take(rows).expect("row numbers are within the batch")
}
