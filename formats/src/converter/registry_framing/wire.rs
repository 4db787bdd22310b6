//! What names the schema of a payload: bytes in front of it, or in a header beside it.
//!
//! Source: `SchemaId`, `PrefixSchemaIdSerializer`, `HeaderSchemaIdSerializer`, `DualSchemaIdDeserializer`.

use std::fmt;

use lakeward_registry::Guid;

use super::fault::{Converted, Fault};
use super::format::Format;

/// What names the type of a payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key<'a> {
    pub(super) schema: SchemaName,
    /// The path of the type within its schema, as it is written.
    pub(super) path: &'a [u8],
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

/// Neighbouring rows that go the same way.
pub(super) enum Stretch<'a> {
    /// One row that names no schema.
    Broken(Box<Fault>),
    /// Values of one type.
    Named(Key<'a>, Payloads<'a>),
    /// Kafka's nulls.
    Nulls(usize),
}

/// The values of one type, one after the other: payloads without what names their schema.
#[derive(Clone, Copy)]
pub(in super::super) struct Payloads<'a> {
    /// None is null.
    rows: &'a [Option<&'a [u8]>],
    /// Bytes in front of each value.
    skip: usize,
}

impl<'a> Payloads<'a> {
    /// How many there are.
    #[inline]
    pub(in super::super) fn len(self) -> usize {
        self.rows.len()
    }

    /// Puts those from number `start` on into `block`, as many as it has room for, and answers how many.
    #[inline]
    pub(in super::super) fn block(self, start: usize, block: &mut [&'a [u8]]) -> usize {
        let rest = Self { rows: self.rows.get(start..).unwrap_or_default(), skip: self.skip };
        let count = rest.rows.len().min(block.len());
        block.iter_mut().zip(rest.iter()).for_each(|(into, payload)| *into = payload);
        count
    }

    /// All of them, in order.
    #[inline]
    pub(in super::super) fn iter(self) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone {
        let skip = self.skip;
        self.rows.iter().map(move |row| row.and_then(|payload| payload.get(skip..)).unwrap_or_default())
    }
}

impl<'a> Frames<'a> {
    /// The row `row` and those after it that go the same way.
    #[inline]
    pub(super) fn stretch<F: Format>(self, row: usize) -> Stretch<'a> {
        let rows = &self.payloads[row..];
        let Some(Some(payload)) = rows.first().copied() else {
            return Stretch::Nulls(rows.iter().take_while(|payload| payload.is_none()).count());
        };
        let headers = self.headers.get(row..).unwrap_or_default();
        match headers.first().copied().flatten() {
            Some(header) => named::<F>(header).map(|(key, _)| {
                let is_same = |(payload, other): &(&Option<&[u8]>, &Option<&[u8]>)| {
                    payload.is_some() && **other == Some(header)
                };
                let count = rows.iter().zip(headers).take_while(is_same).count();
                (key, Payloads { rows: &rows[..count], skip: 0 })
            }),
            None => named::<F>(payload).map(|(key, value)| {
                let skip = payload.len() - value.len();
                let unnamed = headers.iter().take_while(|header| header.is_none()).count();
                let rows = if headers.is_empty() { rows } else { &rows[..unnamed] };
                let lead = Lead::new(&payload[..skip]);
                let is_same = |payload: &&Option<&[u8]>| payload.is_some_and(|payload| lead.leads(payload));
                let count = rows.iter().take_while(is_same).count();
                (key, Payloads { rows: &rows[..count], skip })
            }),
        }
        .map_or_else(Stretch::Broken, |(key, payloads)| Stretch::Named(key, payloads))
    }
}

/// The bytes in front of the values of one type. What names types is such that no name starts another one, so
/// payloads that start with the same name are of the same type.
struct Lead<'a> {
    bytes: &'a [u8],
    /// The first eight of `bytes`, and which of them there are.
    word: u64,
    mask: u64,
}

impl<'a> Lead<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let mut word = [0; 8];
        let mut mask = [0; 8];
        for (at, byte) in bytes.iter().take(8).enumerate() {
            (word[at], mask[at]) = (*byte, u8::MAX);
        }
        Self { bytes, word: u64::from_le_bytes(word), mask: u64::from_le_bytes(mask) }
    }

    /// Whether `payload` starts with these bytes: in most formats one comparison.
    #[inline]
    fn leads(&self, payload: &[u8]) -> bool {
        match payload.first_chunk() {
            Some(chunk) if (u64::from_le_bytes(*chunk) ^ self.word) & self.mask != 0 => false,
            Some(_) if self.bytes.len() <= 8 => true,
            _ => payload.starts_with(self.bytes),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_of_a_type_start_with_its_whole_name() {
        let bytes: Vec<u8> = (1..=20).collect();
        for length in 0..=bytes.len() {
            let lead = Lead::new(&bytes[..length]);
            for end in 0..=bytes.len() {
                assert_eq!(lead.leads(&bytes[..end]), end >= length, "{length} {end}");
            }
            for at in 0..bytes.len() {
                let mut other = bytes.clone();
                other[at] = 0;
                assert_eq!(lead.leads(&other), at >= length, "{length} {at}");
            }
        }
    }
}
