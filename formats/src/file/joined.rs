//! Records as texts that were made before, with something between them and around all of them.
//!
//! Source: `OutputWriter` of the Aiven sinks: csv and jsonl end without a line feed, json is an array.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use bytes::Bytes;
use lakeward_api::batch::Values;
use lakeward_api::schema::Schema;

use super::{FileFormat, PartEncoder};
use crate::FormatError;

/// What stands around records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JoinedFormat {
    /// Before the first record.
    pub start: &'static str,
    /// Between two records.
    pub separator: &'static str,
    /// Behind the last record.
    pub end: &'static str,
}

impl JoinedFormat {
    /// One record per line.
    pub const LINES: Self = Self { start: "", separator: "\n", end: "" };
    /// A JSON array.
    pub const ARRAY: Self = Self { start: "[\n", separator: ",\n", end: "\n]" };
}

impl FileFormat for JoinedFormat {
    fn extension(&self) -> String {
        String::new()
    }

    fn new_part(&self, _schema: Option<&Arc<Schema>>) -> Result<Box<dyn PartEncoder>, FormatError> {
        Ok(Box::new(JoinedPart { format: *self, is_empty: true, ready: Vec::new() }))
    }
}

struct JoinedPart {
    format: JoinedFormat,
    is_empty: bool,
    ready: Vec<u8>,
}

impl PartEncoder for JoinedPart {
    fn write(&mut self, values: &Values) -> Result<(), FormatError> {
        let texts = match values {
            Values::Typed { array, .. } => array.as_binary_opt::<i32>(),
            Values::Dynamic(_) | Values::Null { .. } | Values::Shaped(_) => None,
        };
        let texts = texts.ok_or_else(|| FormatError::data("Records are joined as texts only."))?;
        for text in texts.iter().flatten() {
            let before = if self.is_empty { self.format.start } else { self.format.separator };
            self.ready.extend_from_slice(before.as_bytes());
            self.ready.extend_from_slice(text);
            self.is_empty = false;
        }
        Ok(())
    }

    fn take_ready(&mut self) -> Vec<Bytes> {
        if self.ready.is_empty() { Vec::new() } else { vec![std::mem::take(&mut self.ready).into()] }
    }

    fn buffered_bytes(&self) -> u64 {
        (self.ready.capacity() + FILE_BYTES) as u64
    }

    fn flush_early(&mut self) -> Result<(), FormatError> {
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<Bytes>, FormatError> {
        self.ready.extend_from_slice(self.format.end.as_bytes());
        Ok(self.take_ready())
    }
}

/// Many small files may be open: what each costs besides its bytes, its name included.
const FILE_BYTES: usize = 512;

#[cfg(test)]
mod tests {
    use arrow_array::BinaryArray;
    use lakeward_api::schema::Kind;

    use super::*;

    fn joined(format: JoinedFormat, batches: &[&[&[u8]]]) -> String {
        let schema = Arc::new(Schema::new(Kind::Bytes));
        let mut part = format.new_part(Some(&schema)).unwrap();
        let mut out = Vec::new();
        for batch in batches {
            let array = Arc::new(BinaryArray::from_vec(batch.to_vec()));
            part.write(&Values::Typed { schema: Arc::clone(&schema), array }).unwrap();
            out.extend(part.take_ready().concat());
        }
        out.extend(part.finish().unwrap().concat());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_separator_stands_between_records_of_all_batches() {
        assert_eq!(joined(JoinedFormat::LINES, &[&[b"a", b""], &[b"c"]]), "a\n\nc");
        assert_eq!(joined(JoinedFormat::ARRAY, &[&[b"1"], &[b"2", b"3"]]), "[\n1,\n2,\n3\n]");
    }
}
