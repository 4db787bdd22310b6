//! Columns to payloads: the design of a message, bound to the columns of a batch. Fields are written by
//! number; lengths of messages are put in front of them when they are known.
//!
//! Source: Protobuf's encoding; `DynamicMessage`, `CodedOutputStream` of protobuf-java.

mod bind;
mod logical;
mod row;

use arrow_array::Array;

use super::fault::Converted;
use super::mapping::Form;

pub(super) use bind::Bound;

/// A writer and the columns of a batch.
pub(super) struct Writer<'a> {
    root: Root<'a>,
}

enum Root<'a> {
    Message(Vec<Bound<'a>>),
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
    pub(super) fn new(form: &'a Form, array: &'a dyn Array) -> Converted<Self> {
        let root = match form {
            Form::Message(message) => Root::Message(bind::message(message, array)?),
            form => Root::Value(Bound::of_value(form, array)?),
        };
        Ok(Self { root })
    }

    /// Appends row `row`, which is not null.
    #[inline]
    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>) -> Converted<()> {
        match &self.root {
            Root::Message(fields) => row::write_fields(fields, row, out),
            Root::Value(value) => value.write_root(row, out),
        }
    }
}
