//! Objects of lines: JSON texts, bytes with a separator, and bytes cut into pieces.

use std::sync::Arc;

use arrow_array::BinaryArray;
use lakeward_api::batch::Values;
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::{Converter, Decoded};
use lakeward_api::plugin::{ConverterContext, ConverterPlugin as _, ConverterRole};
use lakeward_api::schema::{Kind, Schema};
use memchr::memmem::Finder;

use super::input::Input;
use super::sequence::Decoder;
use crate::FormatError;
use crate::converter::JsonConverterPlugin;

/// The records in front of separators, and what follows the last of them when nothing else comes.
fn records(input: &Input, separator: &Finder<'_>, rows_max: usize) -> (Vec<(usize, usize)>, usize) {
    let bytes = input.bytes();
    let length = separator.needle().len();
    let (mut found, mut start) = (Vec::new(), 0);
    while found.len() < rows_max {
        match separator.find(&bytes[start..]) {
            Some(place) => {
                found.push((start, start + place));
                start += place + length;
            }
            None if input.is_all() && start < bytes.len() => {
                found.push((start, bytes.len()));
                start = bytes.len();
            }
            None => break,
        }
    }
    (found, start)
}

/// Bytes with a separator.
pub(super) struct BytesDecoder {
    separator: Finder<'static>,
    schema: Arc<Schema>,
}

impl BytesDecoder {
    pub(super) fn new(separator: &[u8]) -> Self {
        Self { separator: Finder::new(separator).into_owned(), schema: bytes_schema() }
    }
}

impl Decoder for BytesDecoder {
    fn rows(&mut self, input: &mut Input, rows_max: usize) -> Result<Vec<Values>, FormatError> {
        let (found, used) = records(input, &self.separator, rows_max);
        let bytes = input.bytes();
        let values = typed(&self.schema, found.iter().map(|(start, end)| &bytes[*start..*end]));
        input.consume(used);
        Ok(values)
    }
}

/// Pieces of a size, the last one shorter.
pub(super) struct ChunkDecoder {
    size: usize,
    schema: Arc<Schema>,
}

impl ChunkDecoder {
    pub(super) fn new(size: usize) -> Self {
        Self { size: size.max(1), schema: bytes_schema() }
    }
}

impl Decoder for ChunkDecoder {
    fn rows(&mut self, input: &mut Input, rows_max: usize) -> Result<Vec<Values>, FormatError> {
        let bytes = input.bytes();
        let whole = bytes.len() / self.size * self.size;
        let usable = if input.is_all() { bytes.len() } else { whole };
        let usable = usable.min(self.size.saturating_mul(rows_max));
        let values = typed(&self.schema, bytes[..usable].chunks(self.size));
        input.consume(usable);
        Ok(values)
    }
}

/// As `ByteArrayConverter` has them.
fn bytes_schema() -> Arc<Schema> {
    Arc::new(Schema::optional(Kind::Bytes))
}

fn typed<'a>(schema: &Arc<Schema>, rows: impl Iterator<Item = &'a [u8]>) -> Vec<Values> {
    let array = BinaryArray::from_iter_values(rows);
    match arrow_array::Array::is_empty(&array) {
        true => Vec::new(),
        false => vec![Values::Typed { schema: Arc::clone(schema), array: Arc::new(array) }],
    }
}

/// JSON texts, one a line.
pub(super) struct JsonDecoder {
    separator: Finder<'static>,
    converter: Box<dyn Converter>,
    /// Of a line behind rows that were given out.
    failure: Option<FormatError>,
}

impl JsonDecoder {
    pub(super) fn new(envelope: bool) -> Result<Self, FormatError> {
        let settings = ConfigMap::from([("schemas.enable".to_owned(), envelope.to_string())]);
        let context = ConverterContext {
            role: ConverterRole::Value,
            settings: &settings,
            connector: &ConfigMap::default(),
            network: None,
        };
        let converter = JsonConverterPlugin.new_converter(&context);
        let converter = converter.map_err(|source| FormatError::Converter { source })?;
        Ok(Self { separator: Finder::new(b"\n").into_owned(), converter, failure: None })
    }
}

impl Decoder for JsonDecoder {
    fn rows(&mut self, input: &mut Input, rows_max: usize) -> Result<Vec<Values>, FormatError> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        loop {
            let (found, used) = records(input, &self.separator, rows_max);
            let bytes = input.bytes();
            let lines: Vec<Option<&[u8]>> = found
                .iter()
                .map(|(start, end)| &bytes[*start..*end])
                .filter(|line| !line.trim_ascii().is_empty())
                .map(Some)
                .collect();
            if lines.is_empty() {
                input.consume(used);
                // Nothing but blank lines: what follows them may be here already.
                if found.is_empty() {
                    return Ok(Vec::new());
                }
                continue;
            }
            let decoded =
                self.converter.decode("", &lines).map_err(|source| FormatError::Converter { source });
            input.consume(used);
            let (rows, failure) = in_order(decoded?);
            self.failure = failure;
            return match self.failure.take_if(|_| rows.is_empty()) {
                Some(failure) => Err(failure),
                None => Ok(rows),
            };
        }
    }
}

/// The rows in their order, up to the first that failed.
fn in_order(decoded: Decoded) -> (Vec<Values>, Option<FormatError>) {
    let mut failure = None;
    for (row, source) in decoded.errors {
        if failure.as_ref().is_none_or(|(first, _)| row < *first) {
            failure = Some((row, source));
        }
    }
    let end = failure.as_ref().map_or(usize::MAX, |(row, _)| *row);
    // Where each run continues; a row is the next one of exactly one of them.
    let mut next = vec![0; decoded.runs.len()];
    let (mut parts, mut row) = (Vec::new(), 0);
    while row < end {
        let is_next =
            |run: &usize| decoded.runs[*run].rows.get(next[*run]).is_some_and(|found| *found as usize == row);
        let Some(run) = (0..decoded.runs.len()).find(is_next) else { break };
        let rows = &decoded.runs[run].rows[next[run]..];
        let neighbours =
            rows.iter().zip(row..end).take_while(|(found, row)| **found as usize == *row).count();
        parts.push(decoded.runs[run].values.slice(next[run], neighbours));
        next[run] += neighbours;
        row += neighbours;
    }
    (parts, failure.map(|(_, source)| FormatError::Converter { source }))
}
