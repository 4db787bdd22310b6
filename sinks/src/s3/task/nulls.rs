//! What happens to records with null values, before anything else sees them.
//!
//! Source: `S3SinkTask#maybeSkipOnNullValue`.

use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};

use super::rejects::Rejects;
use crate::s3::error::S3SinkError;
use crate::s3::null_rows::present_rows;
use crate::s3::settings::Output;

/// `behavior.on.null.values`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NullPolicy {
    /// The task fails.
    Fail,
    /// The records are skipped; their offsets count as done.
    Ignore,
    /// The same, and they are reported when anything is (`report.null.values.to.dlq`).
    Report,
    /// They are written: their keys, and their headers if those are stored.
    Write,
}

impl NullPolicy {
    /// The policy of `output`.
    pub(super) fn new(output: &Output) -> Self {
        match (output.null_values.as_str(), output.report_nulls) {
            ("ignore", false) => Self::Ignore,
            ("ignore", true) => Self::Report,
            ("write", _) => Self::Write,
            _ => Self::Fail,
        }
    }

    /// The batch without null values, unless they are written; `None` when nothing is left.
    pub(super) fn apply(
        self,
        batch: SinkBatch,
        rejects: &mut Rejects,
    ) -> Result<Option<SinkBatch>, S3SinkError> {
        if self == Self::Write {
            return Ok(Some(batch));
        }
        let kept = present_rows(&batch.values);
        let null_count = batch.rows() - kept.as_ref().map_or(batch.rows(), Vec::len);
        match (self, kept) {
            (_, None) | (Self::Write, _) => Ok(Some(batch)),
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
