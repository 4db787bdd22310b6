//! Records that this sink leaves out, told one by one.
//!
//! Source: `S3SinkTask#maybeSkipOnNullValue`, `TopicPartitionWriter#executeState`: null values that are
//! skipped, records without an encoded partition, records that the format cannot write.

use std::sync::Arc;

use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::record::TopicPartition;
use lakeward_api::schema::Schema;
use lakeward_api::sink::Rejected;
use lakeward_api::value::Value;
use lakeward_api::{ConnectError, ErrorClass};
use lakeward_formats::file::FileFormat;

use super::nulls::select_values;
use super::open_part::OpenPart;
use super::taken::Taken;
use crate::s3::null_rows::present_rows;
use crate::s3::rotation::Rows;

/// What was rejected since the last call of `take_rejected`.
pub(crate) struct Rejects {
    is_possible: bool,
    list: Vec<Rejected>,
    /// The schema that the format accepted last.
    accepted: Option<Arc<Schema>>,
}

impl Rejects {
    /// `is_possible` as the task's context says.
    pub(crate) fn new(is_possible: bool) -> Self {
        Self { is_possible, list: Vec::new(), accepted: None }
    }

    /// Whether a bad record may be left out.
    pub(super) fn is_possible(&self) -> bool {
        self.is_possible
    }

    /// Moves what was rejected to the end of `out`, in offset order.
    pub(crate) fn take(&mut self, out: &mut Vec<Rejected>) {
        self.list.sort_by_key(|rejected| rejected.offset);
        out.append(&mut self.list);
    }

    /// Leaves out the record at `offset`.
    pub(super) fn add(&mut self, partition: &TopicPartition, offset: i64, error: ConnectError) {
        self.list.push(Rejected { partition: partition.clone(), offset, error });
    }

    /// Leaves out every record of `batch` that has a value, when `error` is about a record and records may be
    /// left out. What is left are records with null values, where those are written.
    ///
    /// # Errors
    /// Otherwise, `error`.
    pub(super) fn add_values(
        &mut self,
        batch: &SinkBatch,
        error: ConnectError,
    ) -> Result<Option<SinkBatch>, ConnectError> {
        let Some(present) = present_rows(&batch.values) else {
            self.add_batch(batch, error)?;
            return Ok(None);
        };
        self.add_rows(batch, &present, error)?;
        let mut present = present.into_iter().peekable();
        let rows = (0u32..).take(batch.rows());
        let nulls: Vec<u32> = rows.filter(|row| present.next_if_eq(row).is_none()).collect();
        if nulls.is_empty() { Ok(None) } else { batch.take(&nulls).map(Some) }
    }

    /// Leaves out one row of `batch` when `error` is about a record and records may be left out.
    ///
    /// # Errors
    /// Otherwise, `error`.
    pub(crate) fn add_row(
        &mut self,
        batch: &SinkBatch,
        row: usize,
        error: ConnectError,
    ) -> Result<(), ConnectError> {
        if !self.is_possible || error.class() != ErrorClass::Record {
            return Err(error);
        }
        self.add(&batch.partition, batch.offsets[row], error);
        Ok(())
    }

    /// Leaves out every record of `batch` when `error` is about a record and records may be left out.
    ///
    /// # Errors
    /// Otherwise, `error`.
    pub(crate) fn add_batch(&mut self, batch: &SinkBatch, error: ConnectError) -> Result<(), ConnectError> {
        if !self.is_possible || error.class() != ErrorClass::Record {
            return Err(error);
        }
        for offset in &batch.offsets {
            self.add(&batch.partition, *offset, again(&error));
        }
        Ok(())
    }

    /// Leaves out `rows` of `batch` when `error` is about a record and records may be left out.
    ///
    /// # Errors
    /// Otherwise, `error`.
    pub(super) fn add_rows(
        &mut self,
        batch: &SinkBatch,
        rows: &[u32],
        error: ConnectError,
    ) -> Result<(), ConnectError> {
        if !self.is_possible || error.class() != ErrorClass::Record {
            return Err(error);
        }
        for row in rows {
            self.add(&batch.partition, batch.offsets[*row as usize], again(&error));
        }
        Ok(())
    }

    /// Leaves out `rows` of `batch`, which ascend, when `error` is about a record and records may be left
    /// out; what is left is the answer.
    ///
    /// # Errors
    /// Otherwise, `error`.
    pub(super) fn keep_others(
        &mut self,
        batch: SinkBatch,
        rows: &[u32],
        error: ConnectError,
    ) -> Result<Option<SinkBatch>, ConnectError> {
        self.add_rows(&batch, rows, error)?;
        let all = (0u32..).take(batch.rows());
        let kept: Vec<u32> = all.filter(|row| rows.binary_search(row).is_err()).collect();
        if kept.is_empty() { Ok(None) } else { batch.take(&kept).map(Some) }
    }

    /// The rows of `batch` that `format` can write as far as that shows before they are written: those of a
    /// schema that it knows, and bytes where it wants bytes. `None` when nothing is left.
    pub(super) fn keep_writable(
        &mut self,
        batch: SinkBatch,
        format: &dyn FileFormat,
        wants_bytes: bool,
    ) -> Result<Option<SinkBatch>, ConnectError> {
        let only_nulls = || present_rows(&batch.values).is_some_and(|present| present.is_empty());
        // What is not written need not be writable.
        if !self.is_possible || only_nulls() {
            return Ok(Some(batch));
        }
        if let Some(schema) = batch.values.schema() {
            if !self.accepted.as_ref().is_some_and(|accepted| Arc::ptr_eq(accepted, schema)) {
                if let Err(error) = format.new_part(Some(schema)) {
                    return self.add_values(&batch, error.into());
                }
                self.accepted = Some(Arc::clone(schema));
            }
            return Ok(Some(batch));
        }
        let Values::Dynamic(values) = &batch.values else { return Ok(Some(batch)) };
        let is_writable = |value: &Value| !wants_bytes || matches!(value, Value::Bytes(_) | Value::Null);
        if values.iter().all(is_writable) {
            return Ok(Some(batch));
        }
        let mut kept = Vec::new();
        for (row, value) in (0u32..).zip(values) {
            if is_writable(value) {
                kept.push(row);
                continue;
            }
            let one = select_values(&batch.values, &[row]);
            let Err(error) = format.new_part(None)?.write(&one) else { continue };
            self.add(&batch.partition, batch.offsets[row as usize], error.into());
        }
        if kept.is_empty() { Ok(None) } else { batch.take(&kept).map(Some) }
    }

    /// Writes rows one by one after `error`, and leaves out those that cannot be written, which it answers.
    ///
    /// # Errors
    /// `error` when it is not about a record, or records may not be left out.
    pub(super) fn write_singly(
        &mut self,
        taken: &Taken,
        rows: &[u32],
        open: &mut OpenPart,
        error: ConnectError,
    ) -> Result<Vec<u32>, ConnectError> {
        if !self.is_possible || error.class() != ErrorClass::Record {
            return Err(error);
        }
        let batch = &taken.batch;
        let mut refused = Vec::new();
        for row in rows {
            let one = Rows::Indices(vec![*row]);
            match open.write(taken, &one) {
                Ok(()) => open.count(&batch.offsets, &one),
                Err(error) if error.class() == ErrorClass::Record => {
                    self.add(&batch.partition, batch.offsets[*row as usize], error);
                    refused.push(*row);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(refused)
    }
}

/// The same error once more: every record has its own.
fn again(error: &ConnectError) -> ConnectError {
    let copy = ConnectError::new(error.class(), error.java_class(), error.to_string());
    match std::error::Error::source(error).and_then(|source| source.downcast_ref::<ConnectError>()) {
        Some(source) => copy.with_source(again(source)),
        None => copy,
    }
}

/// The last of `rows`.
pub(super) fn last(rows: &Rows) -> Rows {
    let last = numbers(rows).pop().expect("rotation writes at least one row");
    Rows::Indices(vec![last])
}

/// The numbers of `rows`.
pub(super) fn numbers(rows: &Rows) -> Vec<u32> {
    match rows {
        Rows::Indices(rows) => rows.clone(),
        Rows::Range { start, rows } => (*start..*start + *rows)
            .map(|row| u32::try_from(row).expect("a batch has fewer rows than u32::MAX"))
            .collect(),
    }
}
