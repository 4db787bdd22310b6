//! JSON lines parts (`io.confluent.connect.s3.format.json.JsonFormat`).
//!
//! Values are written by `json_text`: STRUCTs as `JsonConverter` without envelope writes them, everything
//! else as Jackson writes the Java object: dates as milliseconds, Decimals as numbers, maps as objects
//! whatever their keys. Jackson has no text for STRUCTs inside of arrays and maps: Java's task fails, here
//! they are written as `JsonConverter` does.
//!
//! Source: `JsonRecordWriterProvider` of the Confluent S3 sink, Jackson's `ObjectMapper`, section "Writing"
//! of JsonConverter.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use lakeward_api::batch::Values;
use lakeward_api::rows::value_at;
use lakeward_api::schema::{Kind, Schema};

use super::lines::{LineCompression, LineOutput};
use super::{FileFormat, PartEncoder};
use crate::FormatError;
pub use crate::json_text::DecimalFormat;
use crate::json_text::{ColumnText, Form, NullForm, Untyped, append_object};

/// Settings of [`JsonLinesFormat`].
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonLinesOptions {
    /// Form of Decimals.
    pub decimals: DecimalFormat,
    /// Compression of the whole part.
    pub compression: LineCompression,
}

/// Makes parts of one JSON text per line.
#[derive(Clone, Copy, Debug)]
pub struct JsonLinesFormat {
    options: JsonLinesOptions,
}

impl JsonLinesFormat {
    /// A format with `options`.
    pub fn new(options: JsonLinesOptions) -> Self {
        Self { options }
    }
}

impl FileFormat for JsonLinesFormat {
    fn extension(&self) -> String {
        format!(".json{}", self.options.compression.extension())
    }

    fn new_part(&self, _schema: Option<&Arc<Schema>>) -> Result<Box<dyn PartEncoder>, FormatError> {
        let output = LineOutput::new(self.options.compression);
        Ok(Box::new(JsonPart { output, decimals: self.options.decimals }))
    }
}

struct JsonPart {
    output: LineOutput,
    decimals: DecimalFormat,
}

impl PartEncoder for JsonPart {
    fn write(&mut self, values: &Values) -> Result<(), FormatError> {
        let before = self.output.lines().len();
        let written = append_lines(self.output.lines(), values, self.decimals);
        if written.is_err() {
            self.output.lines().truncate(before);
        }
        written?;
        self.output.commit()
    }

    fn take_ready(&mut self) -> Vec<Bytes> {
        self.output.take_ready()
    }

    fn buffered_bytes(&self) -> u64 {
        self.output.buffered_bytes()
    }

    fn flush_early(&mut self) -> Result<(), FormatError> {
        self.output.flush_early()
    }

    fn finish(self: Box<Self>) -> Result<Vec<Bytes>, FormatError> {
        self.output.finish()
    }
}

fn append_lines(out: &mut Vec<u8>, values: &Values, decimals: DecimalFormat) -> Result<(), FormatError> {
    match values {
        Values::Null { rows } => (0..*rows).for_each(|_| out.extend_from_slice(b"null\n")),
        Values::Dynamic(values) => {
            for value in values {
                append_object(out, value)?;
                out.push(b'\n');
            }
        }
        Values::Shaped(array) => {
            append_columns(out, ColumnText::of_shape(array, Untyped::Write))?;
        }
        Values::Typed { schema, array } if is_java_object(schema) => {
            for row in 0..array.len() {
                append_object(out, &value_at(schema, array, row))?;
                out.push(b'\n');
            }
        }
        Values::Typed { schema, array } if is_scalar(schema) => {
            let form = Form { nulls: NullForm::Null, ..Form::default() };
            append_columns(out, ColumnText::new(schema, array, form)?)?;
        }
        Values::Typed { schema, array } => {
            let column = ColumnText::new(schema, array, Form { decimals, ..Form::default() })?;
            append_columns(out, column)?;
        }
    }
    Ok(())
}

/// Whether Jackson has a text for values of `schema` and `JsonConverter` another one.
fn is_java_object(schema: &Schema) -> bool {
    match &schema.kind {
        Kind::Array(_) | Kind::Map { .. } => !holds_structs(schema),
        _ => schema.logical().is_some(),
    }
}

/// Recursion is bounded by the depth of the schema.
fn holds_structs(schema: &Schema) -> bool {
    match &schema.kind {
        Kind::Array(item) => holds_structs(item),
        Kind::Map { key, value } => holds_structs(key) || holds_structs(value),
        kind => matches!(kind, Kind::Recursive(_) | Kind::Struct(_)),
    }
}

fn is_scalar(schema: &Schema) -> bool {
    !matches!(schema.kind, Kind::Array(_) | Kind::Map { .. } | Kind::Recursive(_) | Kind::Struct(_))
}

fn append_columns(out: &mut Vec<u8>, column: ColumnText<'_>) -> Result<(), FormatError> {
    column.each(|line| {
        line?.append_to(out);
        out.push(b'\n');
        Ok(())
    })
}
