//! Keys and headers in objects beside those of values.
//!
//! Java writes the value of a record before its key and its headers, and a key or a header that cannot be
//! written leaves a value without them. Here such records are found first, and nothing of them is written.
//!
//! Source: `KeyValueHeaderRecordWriterProvider`, `RecordViews`, the writers of the formats.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::{ArrayRef, StructArray};
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::{ConnectError, ErrorClass};
use lakeward_formats::file::{FileFormat, PartEncoder};

use super::header_column::HeaderColumn;
use super::nulls::select_values;
use super::open_file::OpenFile;
use super::rejects::Rejects;
use crate::s3::config::FormatKind;
use crate::s3::null_rows::present_rows;

/// What is stored beside values.
pub(super) struct Companions {
    pub(super) keys: Option<KeyFormat>,
    pub(super) headers: Option<HeaderFormat>,
}

/// How keys are stored.
pub(super) struct KeyFormat {
    kind: FormatKind,
    format: Box<dyn FileFormat>,
    /// The schema of keys that came last, and that of their envelope.
    envelope: Option<(Arc<Schema>, Arc<Schema>)>,
    /// The schema that the format accepted last.
    accepted: Option<Arc<Schema>>,
}

/// How headers are stored.
pub(super) struct HeaderFormat {
    format: Box<dyn FileFormat>,
    column: HeaderColumn,
}

/// A file `F` of keys.
pub(super) struct KeyFile<F = OpenFile> {
    pub(super) file: F,
    pub(super) kind: FormatKind,
    /// Of the first key.
    pub(super) schema: Option<Arc<Schema>>,
}

impl Companions {
    /// The rows of `batch` whose keys and headers can be stored, keys in the form in which they are, and the
    /// headers of these rows. `None` when nothing is left.
    pub(super) fn admit(
        &mut self,
        batch: SinkBatch,
        rejects: &mut Rejects,
    ) -> Result<Option<(SinkBatch, Option<Values>)>, ConnectError> {
        let batch = match &mut self.keys {
            Some(keys) => keys.admit(batch, rejects)?,
            None => Some(batch),
        };
        let Some(batch) = batch else { return Ok(None) };
        let Some(headers) = &self.headers else { return Ok(Some((batch, None))) };
        let (kept, column) = headers.column.of(&batch, rejects)?;
        if kept.is_empty() {
            return Ok(None);
        }
        let batch = if kept.len() == batch.rows() { batch } else { batch.take(&kept)? };
        Ok(Some((batch, Some(column))))
    }
}

impl KeyFormat {
    /// Keys in `format`, which is of `kind`.
    pub(super) fn new(kind: FormatKind, format: Box<dyn FileFormat>) -> Self {
        Self { kind, format, envelope: None, accepted: None }
    }

    /// The end of names.
    pub(super) fn extension(&self) -> String {
        self.format.extension()
    }

    /// A file for keys as those of `batch`.
    pub(super) fn new_file(
        &self,
        batch: &SinkBatch,
        open: impl FnOnce(Box<dyn PartEncoder>) -> OpenFile,
    ) -> Result<KeyFile, ConnectError> {
        let schema = batch.keys.schema();
        let file = open(self.format.new_part(schema)?);
        Ok(KeyFile { file, kind: self.kind, schema: schema.cloned() })
    }

    fn admit(
        &mut self,
        mut batch: SinkBatch,
        rejects: &mut Rejects,
    ) -> Result<Option<SinkBatch>, ConnectError> {
        if let Some(present) = present_rows(&batch.keys) {
            let mut next = present.iter().peekable();
            for row in 0..batch.rows() {
                if next.next_if(|kept| **kept as usize == row).is_none() {
                    let what = format!("Key cannot be null for SinkRecord: {}", shown(&batch, row));
                    rejects.add_row(&batch, row, ConnectError::data(what))?;
                }
            }
            if present.is_empty() {
                return Ok(None);
            }
            batch = batch.take(&present)?;
        }
        if self.kind == FormatKind::Parquet && !self.wrap(&mut batch) {
            let message = "fieldSchema for field key cannot be null.";
            let class = "org.apache.kafka.connect.errors.SchemaBuilderException";
            rejects.add_batch(&batch, ConnectError::new(ErrorClass::Record, class, message))?;
            return Ok(None);
        }
        if rejects.is_possible() { self.keep_writable(batch, rejects) } else { Ok(Some(batch)) }
    }

    /// Puts keys into the record that Parquet needs; false when they have no schema.
    fn wrap(&mut self, batch: &mut SinkBatch) -> bool {
        let Values::Typed { schema, array } = &batch.keys else { return false };
        let known = self.envelope.take().filter(|(from, _)| Arc::ptr_eq(from, schema) || from == schema);
        let (from, envelope) = known.unwrap_or_else(|| {
            let fields = vec![Field { name: "key".into(), schema: Arc::clone(schema) }];
            (Arc::clone(schema), Arc::new(Schema::new(Kind::Struct(fields)).named("RecordKey")))
        });
        let columns: Vec<ArrayRef> = vec![Arc::clone(array)];
        let array = StructArray::new(envelope.arrow_fields(), columns, None);
        batch.keys = Values::Typed { schema: Arc::clone(&envelope), array: Arc::new(array) };
        self.envelope = Some((from, envelope));
        true
    }

    /// The rows whose keys the format can write: it writes them once to see.
    fn keep_writable(
        &mut self,
        batch: SinkBatch,
        rejects: &mut Rejects,
    ) -> Result<Option<SinkBatch>, ConnectError> {
        let schema = batch.keys.schema();
        let is_accepted = match (schema, &self.accepted) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        };
        if is_accepted && self.kind == FormatKind::Parquet {
            // Envelopes are never null, so nothing else can be wrong with them.
            return Ok(Some(batch));
        }
        let mut trial = match self.format.new_part(schema) {
            Ok(trial) => trial,
            Err(error) => {
                rejects.add_batch(&batch, error.into())?;
                return Ok(None);
            }
        };
        self.accepted = schema.cloned();
        if trial.write(&batch.keys).is_ok() {
            return Ok(Some(batch));
        }
        let mut kept = Vec::new();
        for row in 0..batch.rows() {
            let number = u32::try_from(row).expect("a batch has fewer rows than u32::MAX");
            let one = select_values(&batch.keys, &[number]);
            match self.format.new_part(batch.keys.schema())?.write(&one) {
                Ok(()) => kept.push(number),
                Err(error) => rejects.add_row(&batch, row, error.into())?,
            }
        }
        if kept.is_empty() { Ok(None) } else { batch.take(&kept).map(Some) }
    }
}

impl HeaderFormat {
    /// Headers in `format`, which is of `kind`.
    pub(super) fn new(kind: FormatKind, format: Box<dyn FileFormat>) -> Self {
        let is_enveloped = matches!(kind, FormatKind::Json | FormatKind::Parquet);
        Self { format, column: HeaderColumn::new(is_enveloped) }
    }

    /// The end of names.
    pub(super) fn extension(&self) -> String {
        self.format.extension()
    }

    /// A file for headers.
    pub(super) fn new_file(
        &self,
        open: impl FnOnce(Box<dyn PartEncoder>) -> OpenFile,
    ) -> Result<OpenFile, ConnectError> {
        Ok(open(self.format.new_part(Some(self.column.schema()))?))
    }
}

impl KeyFile {
    /// Keys as this file takes them.
    ///
    /// # Errors
    /// Class `Record` when the first key of this file had another schema and the format cannot mix them.
    pub(super) fn fit<'a>(&self, keys: Cow<'a, Values>) -> Result<Cow<'a, Values>, ConnectError> {
        if matches!(self.kind, FormatKind::Bytes | FormatKind::Json) {
            return Ok(keys);
        }
        match (&self.schema, &*keys) {
            (Some(file), Values::Typed { schema, array }) => {
                if Arc::ptr_eq(file, schema) || file == schema {
                    return Ok(keys);
                }
                // Avro's values do not know their schema unless they are records.
                let is_same_type = file.kind == schema.kind && file.logical() == schema.logical();
                if is_same_type && is_scalar(file) {
                    let (schema, array) = (Arc::clone(file), Arc::clone(array));
                    return Ok(Cow::Owned(Values::Typed { schema, array }));
                }
                Err(mismatch(file, schema))
            }
            (None, found) if found.schema().is_none() => Ok(keys),
            _ => Err(ConnectError::data("Keys with a schema and keys without one cannot be in one file")),
        }
    }
}

fn is_scalar(schema: &Schema) -> bool {
    !matches!(schema.kind, Kind::Array(_) | Kind::Map { .. } | Kind::Recursive(_) | Kind::Struct(_))
}

/// Source: `AvroData#fromConnectData`.
fn mismatch(file: &Schema, key: &Schema) -> ConnectError {
    match (&file.kind, &key.kind) {
        (Kind::Struct(_), Kind::Struct(_)) => ConnectError::data("Mismatching struct schema"),
        _ => ConnectError::data(format!("Invalid type for {}: class {}", file.kind.name(), key.java_class())),
    }
}

/// The record as Java shows it. Source: `Utils#sinkRecordToLoggableString`, blank at its end included.
pub(super) fn shown(batch: &SinkBatch, row: usize) -> String {
    format!(
        "SinkRecord{{kafkaOffset={}, topic='{}', kafkaPartition={}}} ",
        batch.offsets[row], batch.topic, batch.partition.partition
    )
}

/// A key or header that failed behind its value: the record must not be tried again, which would double it.
pub(super) fn misplaced(error: ConnectError) -> ConnectError {
    ConnectError::new(ErrorClass::Fatal, error.java_class(), error.to_string()).with_source(error)
}
