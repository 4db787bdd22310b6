//! The bytes in front of a value.
//!
//! Source: `PrefixSchemaIdSerializer`, `DualSchemaIdDeserializer`.

use super::fault::Converted;
use super::format::Format;
use super::readers::Key;

/// The schema of a payload and the value.
///
/// # Errors
/// The message of Java's `SerializationException`.
#[inline]
pub(super) fn split<F: Format>(payload: &[u8]) -> Converted<(Key<'_>, &[u8])> {
    match payload.split_first_chunk::<5>() {
        Some(([MAGIC_ID, a, b, c, d], rest)) => {
            let (path, value) = F::split(rest)?;
            Ok((Key { id: i32::from_be_bytes([*a, *b, *c, *d]), path }, value))
        }
        _ => Err(F::framing(unsplit(payload))),
    }
}

#[cold]
fn unsplit(payload: &[u8]) -> String {
    match payload.first() {
        Some(&MAGIC_ID) => "The payload is shorter than a schema id".to_owned(),
        Some(&MAGIC_GUID) => "Schemas are found by id only: the payload names its schema by GUID".to_owned(),
        _ => "Unknown magic byte!".to_owned(),
    }
}

/// Appends the prefix of a value of schema `id`.
#[inline]
pub(super) fn write(id: i32, out: &mut Vec<u8>) {
    out.push(MAGIC_ID);
    out.extend_from_slice(&id.to_be_bytes());
}

const MAGIC_ID: u8 = 0;
const MAGIC_GUID: u8 = 1;
