//! Columns to payloads: the design of a message, bound to the columns of a batch. Fields are written by
//! number; lengths of messages are put in front of them when they are known.
//!
//! Source: Protobuf's encoding; `DynamicMessage`, `CodedOutputStream` of protobuf-java.

mod bind;
mod logical;
mod open;
mod row;

use arrow_array::ArrayRef;

use super::super::registry_framing::Frame;
use super::fault::Converted;
use super::mapping::{Form, MessageDesign};

pub(super) use bind::Bound;

/// A writer and the columns of a batch.
pub(super) enum Writer<'a> {
    Message(Vec<Bound<'a>>),
    /// Messages that contain themselves: their own columns are bound when they are written.
    Opened(&'a MessageDesign, ArrayRef),
    Value(Bound<'a>),
}

impl<'a> Writer<'a> {
    /// A writer of values in `form`, bound to a column of the schema's Arrow type.
    ///
    /// # Errors
    /// A default that does not fit its schema.
    ///
    /// # Panics
    /// When the column is of another type: columns and schemas are made together.
    pub(super) fn new(form: &'a Form, array: &'a ArrayRef) -> Converted<Self> {
        Ok(match form {
            Form::Message(message) if message.has_cycle => {
                let array = open::open_message(message, array)?;
                bind::message(message, &array)?;
                Self::Opened(message, array)
            }
            Form::Message(message) => Self::Message(bind::message(message, array)?),
            form => Self::Value(Bound::of_value(form, array)?),
        })
    }

    /// Writes all rows.
    pub(super) fn write_all(&self, frame: &mut Frame<'_>) {
        match self {
            Self::Opened(message, array) => {
                let fields = bind::message(message, array).expect("the same columns were bound before");
                Writer::Message(fields).write_all(frame);
            }
            // The loop of its own is what most batches take.
            Self::Message(fields) => frame.each(|row, out| row::write_fields(fields, row, out)),
            Self::Value(_) => frame.each(|row, out| self.write(row, out)),
        }
    }

    /// Appends row `row`, which is not null.
    #[inline]
    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>) -> Converted<()> {
        match self {
            Self::Message(fields) => row::write_fields(fields, row, out),
            Self::Opened(message, array) => row::write_fields(&bind::message(message, array)?, row, out),
            Self::Value(value) => value.write_root(row, out),
        }
    }
}
