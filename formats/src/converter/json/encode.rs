//! Values to JSON, in an envelope or bare.
//!
//! The schema member is built once per schema and copied; payloads are written straight from the columns.
//!
//! Source: `JsonConverter#fromConnectData`, Kafka 4.1.

use std::convert::Infallible;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::converter::{Converter, Decoded, Encoded};
use lakeward_api::schema::Schema;
use lakeward_api::value::Value;

use super::super::around::{Around, Prefix};
use super::Reader;
use super::schema_json::append_schema;
use crate::FormatError;
use crate::json_text::{ColumnText, Form, Untyped, append_schemaless};

/// `JsonConverter`: a reader chosen by the settings, and the one writer.
pub(super) struct JsonConverter {
    pub(super) reader: Box<dyn Reader>,
    pub(super) writer: JsonWriter,
}

impl Converter for JsonConverter {
    fn decode(&mut self, topic: &str, payloads: &[Option<&[u8]>]) -> Result<Decoded, ConnectError> {
        self.reader.decode(topic, payloads)
    }

    fn encode(&mut self, _topic: &str, values: &Values) -> Result<Encoded, ConnectError> {
        Ok(self.writer.encode(values))
    }

    fn json_text_columns(&self) -> Vec<String> {
        self.reader.json_text_columns()
    }
}

/// Whether payloads are written with their schema (`schemas.enable`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrapping {
    Bare,
    Envelope,
}

/// Writes JSON.
///
/// # Memory
/// Keeps the last [`PREFIXES_MAX`] schemas with their texts.
#[derive(Debug)]
pub(super) struct JsonWriter {
    wrapping: Wrapping,
    form: Form,
    /// What stands before the payload of each schema, the latest last.
    prefixes: Vec<(Arc<Schema>, Arc<[u8]>)>,
}

impl JsonWriter {
    pub(super) fn new(wrapping: Wrapping, form: Form) -> Self {
        Self { wrapping, form, prefixes: Vec::new() }
    }

    fn encode(&mut self, values: &Values) -> Encoded {
        match values {
            Values::Null { rows } => {
                let mut encoded = Encoded::with_capacity(*rows, 0);
                (0..*rows).for_each(|_| encoded.push_null());
                encoded
            }
            Values::Dynamic(values) => self.encode_dynamic(values),
            Values::Shaped(array) => self.encode_shaped(array),
            Values::Typed { schema, array } => match self.encode_typed(schema, array) {
                Ok(encoded) => encoded,
                Err(error) => all_failed(array.len(), error),
            },
        }
    }

    fn encode_dynamic(&self, values: &[Value]) -> Encoded {
        let mut encoded = Encoded::with_capacity(values.len(), ROW_BYTES_GUESS);
        for value in values {
            if value.is_null() {
                encoded.push_null();
                continue;
            }
            encoded.push(|out| {
                if self.wrapping == Wrapping::Envelope {
                    out.extend_from_slice(NO_SCHEMA);
                }
                append_schemaless(out, value)?;
                if self.wrapping == Wrapping::Envelope {
                    out.push(b'}');
                }
                Ok(())
            });
        }
        encoded
    }

    fn encode_shaped(&self, array: &ArrayRef) -> Encoded {
        let column = ColumnText::of_shape(array, Untyped::Refuse);
        let valid = array.nulls();
        match self.wrapping {
            Wrapping::Bare => append_rows(column, array.len(), None, valid),
            Wrapping::Envelope => append_rows(column, array.len(), Some(NO_SCHEMA), valid),
        }
    }

    fn encode_typed(&mut self, schema: &Arc<Schema>, array: &ArrayRef) -> Result<Encoded, FormatError> {
        let column = ColumnText::new(schema, array, self.form)?;
        Ok(match self.wrapping {
            Wrapping::Bare => append_rows(column, array.len(), None, None),
            Wrapping::Envelope => append_rows(column, array.len(), Some(&self.prefix(schema)?), None),
        })
    }

    fn prefix(&mut self, schema: &Arc<Schema>) -> Result<Arc<[u8]>, FormatError> {
        let same = |(known, _): &(Arc<Schema>, Arc<[u8]>)| Arc::ptr_eq(known, schema);
        let found = self.prefixes.iter().rposition(same);
        let found = found.or_else(|| self.prefixes.iter().rposition(|(known, _)| known == schema));
        if let Some(at) = found {
            return Ok(Arc::clone(&self.prefixes[at].1));
        }
        let mut text = b"{\"schema\":".to_vec();
        append_schema(&mut text, schema, self.form)?;
        text.extend_from_slice(b",\"payload\":");
        let text: Arc<[u8]> = text.into();
        if self.prefixes.len() == PREFIXES_MAX {
            self.prefixes.remove(0);
        }
        self.prefixes.push((Arc::clone(schema), Arc::clone(&text)));
        Ok(text)
    }
}

/// The rows of `column`, in an envelope that begins with `prefix`; Kafka's null where `valid` says so.
fn append_rows(
    mut column: ColumnText<'_>,
    rows: usize,
    prefix: Option<&[u8]>,
    valid: Option<&NullBuffer>,
) -> Encoded {
    let suffix: &[u8] = if prefix.is_some() { b"}" } else { b"" };
    let around = Around { rows, valid, prefix: Prefix::new(prefix.unwrap_or_default()), suffix };
    let mut encoded = around.encoded();
    let (mut first, mut space) = (0, Vec::new());
    while let Some(slots) = column.slots(first) {
        first = slots.rows().end;
        let put = |out: &mut [u8], at: &mut [usize]| column.put(&slots, valid, out, at);
        if around.push_block(&mut encoded, slots.rows(), slots.rooms(), put) {
            continue;
        }
        let mut row = slots.rows().start;
        let written = column.each_of(&slots, &mut space, |text| {
            around.push(&mut encoded, row, |out| text.map(|text| text.append_to(out)));
            row += 1;
            Ok(())
        });
        let Ok::<(), Infallible>(()) = written;
    }
    encoded
}

/// The columns do not fit their schema, or the schema has no JSON form: no row can be written.
fn all_failed(rows: usize, error: FormatError) -> Encoded {
    let mut encoded = Encoded::with_capacity(rows, 0);
    let message = error.to_string();
    let mut first = Some(ConnectError::from(error));
    for _ in 0..rows {
        let error = first.take().unwrap_or_else(|| ConnectError::data(message.clone()));
        encoded.push(|_| Err(error));
    }
    encoded
}

/// What stands before a schemaless payload.
const NO_SCHEMA: &[u8] = b"{\"schema\":null,\"payload\":";

/// Topics have one or two schemas at a time; building a text again is cheap.
const PREFIXES_MAX: usize = 16;

const ROW_BYTES_GUESS: usize = 128;
