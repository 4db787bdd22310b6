//! Values of Avro files as Connect's: one value after the other, without a registry and without frames.
//!
//! Source: `AvroData#toConnectSchema`, `#toConnectData` with an `AvroDataConfig` as sinks have it.

use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::schema::Schema;
use lakeward_api::value::Value;

use super::anything::{self, is_anything};
use super::datum::DatumOptions;
use super::fault::{Converted, READING};
use super::mapping::ToConnect;
use super::read::{Cursor, Reader};
use super::schema::parse;

/// The Connect schema of an Avro schema's JSON text; `None` is schemaless.
///
/// # Errors
/// `Record` when it is no Avro schema or Connect has no such types.
pub(crate) fn connect_schema(text: &str, options: DatumOptions) -> Result<Option<Arc<Schema>>, ConnectError> {
    let read = || {
        let avro = parse(text, std::iter::empty())?;
        if is_anything(&avro) {
            return Ok(None);
        }
        Ok(Some(Arc::new(ToConnect::new(&avro, options.into(), &mut 0).schema(None)?)))
    };
    read().map_err(|fault: Box<super::fault::Fault>| fault.while_reading(READING, NO_TOPIC, None))
}

/// Reads values of one Avro schema.
///
/// # Memory
/// The rows that were read and not taken.
pub(crate) struct DatumReader {
    rows: Rows,
}

enum Rows {
    Anything(Vec<Value>),
    Typed(Box<Reader>),
}

impl DatumReader {
    /// A reader of values of the Avro schema `text`.
    ///
    /// # Errors
    /// As [`connect_schema`].
    pub(crate) fn new(text: &str, options: DatumOptions) -> Result<Self, ConnectError> {
        let Some(schema) = connect_schema(text, options)? else {
            return Ok(Self { rows: Rows::Anything(Vec::new()) });
        };
        let make = || Reader::new(&parse(text, std::iter::empty())?, schema, options.into());
        let reader = make().map_err(|fault| fault.while_reading(READING, NO_TOPIC, None))?;
        Ok(Self { rows: Rows::Typed(Box::new(reader)) })
    }

    /// Reads the value that `bytes` begin with and answers how many bytes it takes. On an error no row is
    /// left behind.
    ///
    /// # Errors
    /// `Record` when the bytes do not follow the schema.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Result<usize, ConnectError> {
        let read: Converted<usize> = match &mut self.rows {
            Rows::Anything(values) => {
                let mut cursor = Cursor::new(bytes);
                anything::read(&mut cursor).map(|value| {
                    values.push(value);
                    cursor.rest().len()
                })
            }
            Rows::Typed(reader) => reader.read_next(bytes),
        };
        match read {
            Ok(rest) => Ok(bytes.len() - rest),
            Err(fault) => Err(fault.while_reading(READING, NO_TOPIC, None)),
        }
    }

    /// Takes the rows read so far.
    pub(crate) fn finish(&mut self) -> Values {
        match &mut self.rows {
            Rows::Anything(values) => Values::schemaless(std::mem::take(values)),
            Rows::Typed(reader) => {
                Values::Typed { schema: Arc::clone(&reader.schema), array: reader.finish() }
            }
        }
    }
}

/// Files know no topic.
const NO_TOPIC: &str = "";
