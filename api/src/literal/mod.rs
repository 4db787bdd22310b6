//! Literals: the text form of values, and values from text.
//!
//! [`parse`] finds a type for a text (headers, `value.literal` of InsertHeader), [`to_text`] writes a value
//! so that people can read it (headers, casts to string). Neither is for hot loops over columns.
//!
//! Differences from Java: times are in UTC (Java: in the time zone of the JVM, although it writes `Z`), and
//! collections nest at most [`DEPTH_MAX`] deep (Java: until its stack overflows).
//!
//! Source: `org.apache.kafka.connect.data.Values`, Kafka 4.1.

mod elements;
mod number;
mod parse;
mod temporal;
#[cfg(test)]
mod tests;
mod text;
mod tokens;

use std::sync::Arc;

use crate::ConnectError;
use crate::schema::Schema;
use crate::value::Value;

/// The value that `text` stands for, with its schema: `Values#parseString`.
///
/// Schemas have no attributes but those of their type. `None` is a null (`null`), or a collection whose
/// elements have no schema in common (`[]`, `[1,"a"]`; Java has an ARRAY without element schema). Values are
/// logical ([`Value::Date`], [`Value::Decimal`]). As in Java, values of nested collections need not have the
/// exact type of the schema (`[[1],[300]]` is an ARRAY of ARRAY of INT16 that holds an INT8).
///
/// # Errors
/// `Record` when collections nest deeper than [`DEPTH_MAX`]; every other text is at least a STRING.
pub fn parse(text: &str) -> Result<(Option<Arc<Schema>>, Value), ConnectError> {
    parse::parse(text)
}

/// The text of a value: `Values#convertToString`; `null` for null.
///
/// Strings are bare at the top and quoted inside of collections; bytes are base64. STRUCTs need their schema;
/// other values are written by what they are, whatever `schema` says.
///
/// # Errors
/// `Record` when a STRUCT has no schema or does not fit it.
pub fn to_text(schema: Option<&Schema>, value: &Value) -> Result<String, ConnectError> {
    text::to_text(schema, value)
}

/// How deep collections may nest in a literal.
pub const DEPTH_MAX: usize = 256;
