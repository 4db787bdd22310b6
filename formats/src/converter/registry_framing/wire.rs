//! What names the schema of a payload: bytes in front of it, or in a header beside it.
//!
//! Source: `SchemaId`, `PrefixSchemaIdSerializer`, `HeaderSchemaIdSerializer`, `DualSchemaIdDeserializer`.

use std::fmt;

use lakeward_registry::Guid;

use super::fault::Converted;
use super::format::Format;

/// What names the type of a payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key<'a> {
    pub(super) schema: SchemaName,
    /// The path of the type within its schema, as it is written.
    pub(super) path: &'a [u8],
}

impl PartialEq for Key<'_> {
    /// Without a call for paths, which are empty or short: to compare memory at the address of an empty
    /// slice, where there is none, costs some processors as much as the value behind it.
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.schema == other.schema
            && self.path.len() == other.path.len()
            && self.path.iter().zip(other.path).all(|(one, other)| one == other)
    }
}

/// What names a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum SchemaName {
    Guid(Guid),
    Id(i32),
}

impl fmt::Display for SchemaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guid(guid) => guid.fmt(f),
            Self::Id(id) => id.fmt(f),
        }
    }
}

/// The payloads of a call, and a header beside each of them when any has one.
#[derive(Clone, Copy)]
pub(super) struct Frames<'a> {
    pub(super) payloads: &'a [Option<&'a [u8]>],
    /// Empty or as long as `payloads`.
    pub(super) headers: &'a [Option<&'a [u8]>],
}

impl<'a> Frames<'a> {
    /// The schema and the value of a row; `None` is Kafka's null.
    ///
    /// # Errors
    /// The message of Java's `SerializationException`.
    #[inline]
    pub(super) fn split<F: Format>(&self, row: usize) -> Option<Converted<(Key<'a>, &'a [u8])>> {
        let payload = self.payloads[row]?;
        let header = self.headers.get(row).copied().flatten();
        Some(match header {
            None => named::<F>(payload),
            Some(header) => named::<F>(header).map(|(key, _)| (key, payload)),
        })
    }
}

/// The name at the start of `bytes`, and what follows it.
#[inline]
fn named<F: Format>(bytes: &[u8]) -> Converted<(Key<'_>, &[u8])> {
    let (schema, rest) = match bytes.split_first_chunk::<5>() {
        Some(([MAGIC_ID, a, b, c, d], rest)) => (SchemaName::Id(i32::from_be_bytes([*a, *b, *c, *d])), rest),
        _ => match bytes.split_first_chunk::<17>() {
            Some(([MAGIC_GUID, guid @ ..], rest)) => (SchemaName::Guid(Guid(*guid)), rest),
            _ => return Err(F::framing(unnamed(bytes).to_owned())),
        },
    };
    let (path, value) = F::split(rest)?;
    Ok((Key { schema, path }, value))
}

#[cold]
fn unnamed(bytes: &[u8]) -> &'static str {
    match bytes.first() {
        Some(&MAGIC_ID) => "The payload is shorter than a schema id",
        Some(&MAGIC_GUID) => "The payload is shorter than a schema GUID",
        _ => "Unknown magic byte!",
    }
}

/// The name of the schema with `id`.
pub(super) fn of_id(id: i32) -> Vec<u8> {
    [&[MAGIC_ID], id.to_be_bytes().as_slice()].concat()
}

/// The name of the schema with `guid`.
pub(super) fn of_guid(guid: Guid) -> Vec<u8> {
    [&[MAGIC_GUID], guid.0.as_slice()].concat()
}

const MAGIC_ID: u8 = 0;
const MAGIC_GUID: u8 = 1;
