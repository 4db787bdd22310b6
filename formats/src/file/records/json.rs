//! Records as JSON: keys and values as `JsonConverter` without schemas writes them.
//!
//! Source: the classes of `io.aiven.kafka.connect.common.output.jsonwriter`.

use arrow_array::builder::BinaryBuilder;
use arrow_array::{Array, BinaryArray};
use chrono::{DateTime, SecondsFormat};
use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::header::Header;

use super::{RecordField, Texts};
use crate::FormatError;
use crate::json_text::{
    ColumnText, Form, RowText, Untyped, append_integer, append_quoted, append_schemaless, append_typed,
};

/// The order of an object's fields: that of a Java `HashMap` of their names.
const ORDER: [RecordField; 5] =
    [RecordField::Headers, RecordField::Offset, RecordField::Value, RecordField::Key, RecordField::Timestamp];

/// Makes an object of each row.
pub(super) fn append_objects(
    texts: &mut Texts,
    fields: &[RecordField],
    batch: &SinkBatch,
) -> Result<(), ConnectError> {
    let fields: Vec<RecordField> = ORDER.into_iter().filter(|field| fields.contains(field)).collect();
    let columns = Columns::of(&fields, batch)?;
    texts.rows(batch.rows(), |line, row| {
        line.push(b'{');
        for (position, field) in fields.iter().enumerate() {
            if position > 0 {
                line.push(b',');
            }
            append_quoted(line, field.name());
            line.push(b':');
            columns.append(line, *field, row)?;
        }
        line.push(b'}');
        Ok(())
    });
    Ok(())
}

/// Makes the one field of each row.
pub(super) fn append_bare(
    texts: &mut Texts,
    field: RecordField,
    batch: &SinkBatch,
) -> Result<(), ConnectError> {
    let columns = Columns::of(&[field], batch)?;
    texts.rows(batch.rows(), |line, row| columns.append(line, field, row));
    Ok(())
}

/// The fields of a batch; keys and values as texts.
struct Columns<'a> {
    batch: &'a SinkBatch,
    keys: Column,
    values: Column,
}

/// Texts, null where a row has none.
struct Column {
    texts: Option<BinaryArray>,
    failed: Vec<(usize, String)>,
}

impl<'a> Columns<'a> {
    fn of(fields: &[RecordField], batch: &'a SinkBatch) -> Result<Self, ConnectError> {
        let column = |field, values: &Values| match fields.contains(&field) {
            true => Column::of(values),
            false => Ok(Column { texts: None, failed: Vec::new() }),
        };
        let keys = column(RecordField::Key, &batch.keys)?;
        let values = column(RecordField::Value, &batch.values)?;
        Ok(Self { batch, keys, values })
    }

    fn append(&self, line: &mut Vec<u8>, field: RecordField, row: usize) -> Result<(), ConnectError> {
        match field {
            RecordField::Headers => append_headers(line, &self.batch.headers.row(row))?,
            RecordField::Key => self.keys.append(line, row)?,
            RecordField::Offset => append_integer(line, self.batch.offsets[row]),
            RecordField::Timestamp => append_instant(line, self.batch.timestamps_ms[row]),
            RecordField::Value => self.values.append(line, row)?,
        }
        Ok(())
    }
}

impl Column {
    fn of(values: &Values) -> Result<Self, ConnectError> {
        let (column, nulls) = match values {
            Values::Null { .. } => return Ok(Self { texts: None, failed: Vec::new() }),
            Values::Dynamic(values) => return Ok(Self::of_dynamic(values)),
            Values::Shaped(array) => (ColumnText::of_shape(array, Untyped::Refuse), array.logical_nulls()),
            Values::Typed { schema, array } => {
                (ColumnText::new(schema, array, Form::default())?, array.logical_nulls())
            }
        };
        let (mut texts, mut failed) = (BinaryBuilder::new(), Vec::new());
        let (mut row, mut text) = (0, Vec::new());
        column.each::<ConnectError>(|line: Result<RowText<'_>, FormatError>| {
            // A null record is null, whatever the default of its schema.
            let is_null = nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
            match line {
                _ if is_null => texts.append_null(),
                Ok(line) => {
                    text.clear();
                    line.append_to(&mut text);
                    texts.append_value(&text);
                }
                Err(error) => {
                    texts.append_null();
                    failed.push((row, error.to_string()));
                }
            }
            row += 1;
            Ok(())
        })?;
        Ok(Self { texts: Some(texts.finish()), failed })
    }

    fn of_dynamic(values: &[lakeward_api::value::Value]) -> Self {
        let (mut texts, mut failed) = (BinaryBuilder::new(), Vec::new());
        let mut text = Vec::new();
        for (row, value) in values.iter().enumerate() {
            text.clear();
            match append_schemaless(&mut text, value) {
                Ok(()) => texts.append_value(&text),
                Err(error) => {
                    texts.append_null();
                    failed.push((row, error.to_string()));
                }
            }
        }
        Self { texts: Some(texts.finish()), failed }
    }

    fn append(&self, line: &mut Vec<u8>, row: usize) -> Result<(), ConnectError> {
        if let Some((_, message)) = self.failed.iter().find(|(failed, _)| *failed == row) {
            return Err(ConnectError::data(message.clone()));
        }
        match &self.texts {
            Some(texts) if texts.is_valid(row) => line.extend_from_slice(texts.value(row)),
            _ => line.extend_from_slice(b"null"),
        }
        Ok(())
    }
}

fn append_headers(line: &mut Vec<u8>, headers: &[Header]) -> Result<(), ConnectError> {
    line.push(b'[');
    for (position, Header { key, schema, value }) in headers.iter().enumerate() {
        if position > 0 {
            line.push(b',');
        }
        line.extend_from_slice(b"{\"key\":");
        append_quoted(line, key);
        line.extend_from_slice(b",\"value\":");
        match schema {
            // Java fails at a null.
            _ if value.is_null() => line.extend_from_slice(b"null"),
            Some(schema) => append_typed(line, schema, value, Form::default())?,
            None => append_schemaless(line, value)?,
        }
        line.push(b'}');
    }
    line.push(b']');
    Ok(())
}

/// Source: `DateTimeFormatter.ISO_INSTANT`: no, three, six or nine digits of a second.
fn append_instant(line: &mut Vec<u8>, ms: Option<i64>) {
    let Some(instant) = ms.and_then(DateTime::from_timestamp_millis) else {
        line.extend_from_slice(b"null");
        return;
    };
    append_quoted(line, &instant.to_rfc3339_opts(SecondsFormat::AutoSi, true));
}
