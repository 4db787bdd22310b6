//! Records as lines of CSV. Nothing is quoted: base64 needs no quotes, and values that are written as they
//! are may hold commas and line feeds, as in Java.
//!
//! Source: the classes of `io.aiven.kafka.connect.common.output.plainwriter`; `ByteArrayConverter` for the
//! values of headers.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::header::Header;
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::value::Value;
use lakeward_api::{ConnectError, ErrorClass};

use super::{RecordField, Texts, ValueEncoding};

/// Makes the lines of `batch`.
pub(super) fn append(texts: &mut Texts, fields: &[RecordField], encoding: ValueEncoding, batch: &SinkBatch) {
    texts.rows(batch.rows(), |line, row| {
        for (position, field) in fields.iter().enumerate() {
            if position > 0 {
                line.push(b',');
            }
            match field {
                RecordField::Headers => append_headers(line, &batch.headers.row(row))?,
                RecordField::Key => append_base64(line, key(&batch.keys, row)?),
                RecordField::Offset => append_number(line, batch.offsets[row]),
                RecordField::Timestamp => {
                    batch.timestamps_ms[row].into_iter().for_each(|ms| append_number(line, ms));
                }
                RecordField::Value => match (encoding, value(&batch.values, row)?) {
                    (ValueEncoding::Base64, bytes) => append_base64(line, bytes),
                    (ValueEncoding::None, bytes) => line.extend_from_slice(bytes.unwrap_or_default()),
                },
            }
        }
        Ok(())
    });
}

/// A key: text or bytes.
fn key(keys: &Values, row: usize) -> Result<Option<&[u8]>, ConnectError> {
    let Values::Typed { schema, array } = keys else { return Err(no_schema("key")) };
    match schema.kind {
        Kind::Bytes => {
            bytes(schema, array, row).ok_or_else(|| ConnectError::data("Key is not byte[] or String"))
        }
        Kind::String => {
            let texts = array.as_string::<i32>();
            Ok(texts.is_valid(row).then(|| texts.value(row).as_bytes()))
        }
        _ => Err(ConnectError::data(format!(
            "Record key schema type must be BYTES or STRING, {} given",
            schema.kind.name()
        ))),
    }
}

/// A value: bytes.
fn value(values: &Values, row: usize) -> Result<Option<&[u8]>, ConnectError> {
    let Values::Typed { schema, array } = values else { return Err(no_schema("value")) };
    if schema.kind != Kind::Bytes {
        let kind = schema.kind.name();
        return Err(ConnectError::data(format!("Record value schema type must be BYTES, {kind} given")));
    }
    bytes(schema, array, row).ok_or_else(|| ConnectError::data("Value is not a byte array"))
}

/// The bytes of a row; the outer `None` for those that stand for a number.
fn bytes<'a>(schema: &Schema, array: &'a ArrayRef, row: usize) -> Option<Option<&'a [u8]>> {
    let cells = array.as_binary::<i32>();
    match cells.is_valid(row) {
        true => schema.logical().is_none().then(|| Some(cells.value(row))),
        false => Some(None),
    }
}

/// Java fails here with its check of arguments.
fn no_schema(what: &str) -> ConnectError {
    let message = format!("{what} schema cannot be null");
    ConnectError::new(ErrorClass::Record, "java.lang.NullPointerException", message)
}

fn append_headers(line: &mut Vec<u8>, headers: &[Header]) -> Result<(), ConnectError> {
    for Header { key, schema, value } in headers {
        if let Some(schema) = schema.as_ref().filter(|schema| schema.kind != Kind::Bytes) {
            let kind = schema.kind.name();
            return Err(ConnectError::data(format!("Invalid schema type for ByteArrayConverter: {kind}")));
        }
        let bytes: Cow<'_, [u8]> = match value {
            Value::Bytes(bytes) => Cow::Borrowed(bytes),
            // Java fails at a null.
            Value::Null => Cow::Borrowed(&[]),
            other => {
                let class = other.java_class();
                return Err(ConnectError::data(format!(
                    "ByteArrayConverter is not compatible with objects of type class {class}"
                )));
            }
        };
        append_base64(line, Some(key.as_bytes()));
        line.push(b':');
        append_base64(line, Some(&bytes));
        line.push(b';');
    }
    Ok(())
}

fn append_base64(line: &mut Vec<u8>, bytes: Option<&[u8]>) {
    let Some(bytes) = bytes else { return };
    let start = line.len();
    line.resize(start + bytes.len().div_ceil(3) * 4, 0);
    let written = BASE64_STANDARD.encode_slice(bytes, &mut line[start..]).expect("there is room");
    line.truncate(start + written);
}

fn append_number(line: &mut Vec<u8>, number: i64) {
    line.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}
