//! Whole records as texts: chosen parts of each record (key, value, offset, timestamp, headers) as one line
//! of CSV or one JSON object.
//!
//! Owns the text of one record; what stands between records is [`super::joined`]'s.
//!
//! Source: `PlainOutputWriter` and `JsonLinesOutputWriter` of the Aiven sinks.

mod csv;
mod json;
#[cfg(test)]
mod tests;

use arrow_array::builder::BinaryBuilder;
use arrow_array::{Array, BinaryArray};
use lakeward_api::ConnectError;
use lakeward_api::batch::SinkBatch;

/// A part of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordField {
    /// The headers.
    Headers,
    /// The key.
    Key,
    /// The offset.
    Offset,
    /// The timestamp.
    Timestamp,
    /// The value.
    Value,
}

impl RecordField {
    /// Every field, in the order in which `OutputFieldType` lists them.
    pub const ALL: [Self; 5] = [Self::Key, Self::Value, Self::Offset, Self::Timestamp, Self::Headers];

    /// Its name in configurations and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Headers => "headers",
            Self::Key => "key",
            Self::Offset => "offset",
            Self::Timestamp => "timestamp",
            Self::Value => "value",
        }
    }

    /// The field of a name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name().eq_ignore_ascii_case(name))
    }
}

/// How the bytes of values stand in CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueEncoding {
    /// As base64.
    Base64,
    /// As they are.
    None,
}

/// The text of a record.
#[derive(Clone, Debug)]
pub enum RecordText {
    /// Fields joined by commas, in this order; keys and headers as base64.
    Csv {
        /// Fields.
        fields: Vec<RecordField>,
        /// Form of values.
        values: ValueEncoding,
    },
    /// An object with these fields. Like Java's, it has them in the order of a `HashMap`.
    Json {
        /// Fields.
        fields: Vec<RecordField>,
    },
    /// The one field without an object around it.
    JsonBare {
        /// The field.
        field: RecordField,
    },
}

impl RecordText {
    /// The texts of the rows of `batch`, null where a row has none; why is in the second half, by row.
    ///
    /// # Errors
    /// `Fatal` when the texts exceed Arrow's limits. Those of rows are of class `Record`.
    ///
    /// # Memory
    /// The texts of the batch, up to twice.
    pub fn of(&self, batch: &SinkBatch) -> Result<(BinaryArray, Vec<(usize, ConnectError)>), ConnectError> {
        let mut texts = Texts::default();
        match self {
            Self::Csv { fields, values } => csv::append(&mut texts, fields, *values, batch),
            Self::Json { fields } => json::append_objects(&mut texts, fields, batch)?,
            Self::JsonBare { field } => json::append_bare(&mut texts, *field, batch)?,
        }
        let Texts { column, failed } = texts;
        let column = column.expect("every form finishes its column");
        debug_assert_eq!(column.len(), batch.rows());
        Ok((column, failed))
    }
}

/// What is made of a batch.
#[derive(Default)]
struct Texts {
    column: Option<BinaryArray>,
    failed: Vec<(usize, ConnectError)>,
}

impl Texts {
    /// Makes the column of what `text` appends for each row; a row that fails is null.
    fn rows(&mut self, rows: usize, mut text: impl FnMut(&mut Vec<u8>, usize) -> Result<(), ConnectError>) {
        let (mut column, mut line) = (BinaryBuilder::new(), Vec::new());
        for row in 0..rows {
            line.clear();
            match text(&mut line, row) {
                Ok(()) => column.append_value(&line),
                Err(error) => {
                    column.append_null();
                    self.failed.push((row, error));
                }
            }
        }
        self.column = Some(column.finish());
    }
}
