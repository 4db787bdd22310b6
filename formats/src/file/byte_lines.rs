//! Raw bytes with a separator (`io.confluent.connect.s3.format.bytearray.ByteArrayFormat`).
//!
//! Source: section "Bytes" of the Confluent S3 sink: the separator follows every record, null writes nothing
//! before it.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use bytes::Bytes;
use lakeward_api::batch::Values;
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::value::Value;

use super::lines::{LineCompression, LineOutput};
use super::{FileFormat, PartEncoder};
use crate::FormatError;

/// Settings of [`ByteLinesFormat`].
#[derive(Clone, Debug)]
pub struct ByteLinesOptions {
    /// `format.bytearray.extension`, with its dot.
    pub extension: String,
    /// What follows every record.
    pub separator: Vec<u8>,
    /// Compression of the whole part.
    pub compression: LineCompression,
}

impl Default for ByteLinesOptions {
    fn default() -> Self {
        Self { extension: ".bin".to_owned(), separator: b"\n".to_vec(), compression: LineCompression::None }
    }
}

/// Makes parts of raw records.
#[derive(Clone, Debug)]
pub struct ByteLinesFormat {
    options: ByteLinesOptions,
}

impl ByteLinesFormat {
    /// A format with `options`.
    pub fn new(options: ByteLinesOptions) -> Self {
        Self { options }
    }
}

impl FileFormat for ByteLinesFormat {
    fn extension(&self) -> String {
        format!("{}{}", self.options.extension, self.options.compression.extension())
    }

    fn new_part(&self, schema: Option<&Arc<Schema>>) -> Result<Box<dyn PartEncoder>, FormatError> {
        if let Some(schema) = schema {
            if !matches!(schema.kind, Kind::Bytes) {
                let kind = schema.kind.name();
                return Err(FormatError::data(format!("Invalid schema type for ByteArrayConverter: {kind}")));
            }
            if schema.logical().is_some() {
                return Err(not_bytes(schema.java_class()));
            }
        }
        let output = LineOutput::new(self.options.compression);
        Ok(Box::new(BytePart { output, separator: self.options.separator.clone() }))
    }
}

struct BytePart {
    output: LineOutput,
    separator: Vec<u8>,
}

impl PartEncoder for BytePart {
    fn write(&mut self, values: &Values) -> Result<(), FormatError> {
        let before = self.output.lines().len();
        let written = append_records(self.output.lines(), values, &self.separator);
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

fn append_records(lines: &mut Vec<u8>, values: &Values, separator: &[u8]) -> Result<(), FormatError> {
    match values {
        Values::Null { rows } => (0..*rows).for_each(|_| lines.extend_from_slice(separator)),
        Values::Dynamic(values) => {
            for value in values {
                match value {
                    Value::Bytes(bytes) => lines.extend_from_slice(bytes),
                    Value::Null => {}
                    other => return Err(not_bytes(other.java_class())),
                }
                lines.extend_from_slice(separator);
            }
        }
        Values::Shaped(array) | Values::Typed { array, .. } => {
            let Some(records) = array.as_binary_opt::<i32>() else {
                let first = match values {
                    Values::Typed { schema, .. } => schema.java_class(),
                    _ => lakeward_api::shaped::value_at(array, 0).java_class(),
                };
                return Err(not_bytes(first));
            };
            for row in 0..records.len() {
                if records.is_valid(row) {
                    lines.extend_from_slice(records.value(row));
                }
                lines.extend_from_slice(separator);
            }
        }
    }
    Ok(())
}

/// Source: `ByteArrayConverter#fromConnectData`.
fn not_bytes(class: &str) -> FormatError {
    FormatError::data(format!("ByteArrayConverter is not compatible with objects of type class {class}"))
}

#[cfg(test)]
mod tests {
    use arrow_array::BinaryArray;

    use super::*;

    #[test]
    fn every_record_is_followed_by_the_separator() {
        let format =
            ByteLinesFormat::new(ByteLinesOptions { separator: b"||".to_vec(), ..Default::default() });
        let schema = Arc::new(Schema::optional(Kind::Bytes));
        let mut part = format.new_part(Some(&schema)).unwrap();
        let array = Arc::new(BinaryArray::from_opt_vec(vec![Some(b"a".as_slice()), None, Some(b"")]));
        part.write(&Values::Typed { schema, array }).unwrap();
        assert_eq!(part.finish().unwrap().concat(), b"a||||||");
    }

    #[test]
    fn a_refused_batch_leaves_no_bytes() {
        let mut part = ByteLinesFormat::new(ByteLinesOptions::default()).new_part(None).unwrap();
        let values = vec![Value::Bytes(Bytes::from_static(b"a")), Value::Int64(1)];
        assert!(part.write(&Values::Dynamic(values)).is_err());
        assert!(part.finish().unwrap().is_empty());
    }
}
