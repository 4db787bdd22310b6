//! `JsonConverter`: envelopes, plain JSON under a declared or inferred schema, and plain JSON without one.
//!
//! Text goes to Arrow columns in one pass (`column`, and `template` for schemaless records that look
//! alike); a tree of values is built only of schemaless records that do not. Nothing here may log or keep
//! record contents.
//!
//! | settings | reader |
//! |---|---|
//! | `schemas.enable=true` | `envelope` |
//! | `lakeward.schema=infer` | `infer` |
//! | `lakeward.schema=<schema>` | `declared` |
//! | neither | `schemaless` |
//!
//! Differences from Java: lone surrogate escapes become U+FFFD, values nest at most 256 deep (Java: 1000),
//! a Decimal given as a number is brought to its schema's scale when that loses nothing and refused
//! otherwise.
//!
//! Source: `org.apache.kafka.connect.json.JsonConverter`, Kafka 4.1.

mod assembly;
mod blocks;
mod column;
mod config;
mod connect_schema;
mod cursor;
mod declared;
mod dynamic;
mod encode;
mod envelope;
mod fault;
mod infer;
mod lead;
mod number;
mod registered;
mod scan;
mod schema_json;
mod schema_text;
mod schemaless;
mod template;
#[cfg(test)]
mod tests;
mod text;
mod tree;

pub use config::JsonConverterPlugin;
pub(in crate::converter) use registered::{RegisteredReader, registered_constant};

use lakeward_api::ConnectError;
use lakeward_api::converter::Decoded;

use cursor::Cursor;
use fault::{Parsed, syntax};

/// The reading half of the converter, chosen by its settings. Contracts are those of
/// [`lakeward_api::converter::Converter`].
trait Reader {
    fn decode(&mut self, topic: &str, payloads: &[Option<&[u8]>]) -> Result<Decoded, ConnectError>;

    fn json_text_columns(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A cursor over a record, after checking that it is UTF-8.
#[inline]
fn checked(payload: &[u8]) -> Parsed<Cursor<'_>> {
    match simdutf8::basic::from_utf8(payload) {
        Ok(_) => Ok(Cursor::new(payload)),
        Err(_) => Err(syntax("text that is not UTF-8", 0)),
    }
}

/// Whether a payload holds nothing but white space, which `JsonConverter` without envelopes reads as null. A
/// byte order mark before it is none of the text; alone it is no JSON.
fn is_blank(payload: &[u8]) -> bool {
    let text = payload.strip_prefix(b"\xef\xbb\xbf").filter(|text| !text.is_empty());
    are_blanks(text.unwrap_or(payload))
}

fn are_blanks(text: &[u8]) -> bool {
    text.iter().all(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t'))
}
