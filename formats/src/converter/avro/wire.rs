//! What surrounds an Avro value in a payload: a magic byte and the id of its schema.
//!
//! Source: `PrefixSchemaIdSerializer`, `DualSchemaIdDeserializer`.

use super::fault::{Converted, Fault};

/// The schema id and the Avro value of a payload.
#[inline]
pub(super) fn split(payload: &[u8]) -> Converted<(i32, &[u8])> {
    match payload.split_first_chunk::<5>() {
        Some(([MAGIC_ID, a, b, c, d], value)) => Ok((i32::from_be_bytes([*a, *b, *c, *d]), value)),
        _ => Err(refused(payload)),
    }
}

#[cold]
fn refused(payload: &[u8]) -> Box<Fault> {
    Box::new(Fault::Serialization(match payload.first() {
        Some(&MAGIC_ID) => "The payload is shorter than a schema id".to_owned(),
        Some(&MAGIC_GUID) => "Schemas are found by id only: the payload names its schema by GUID".to_owned(),
        _ => "Unknown magic byte!".to_owned(),
    }))
}

/// Appends the prefix of a value of schema `id`.
#[inline]
pub(super) fn write(id: i32, out: &mut Vec<u8>) {
    out.push(MAGIC_ID);
    out.extend_from_slice(&id.to_be_bytes());
}

const MAGIC_ID: u8 = 0;
const MAGIC_GUID: u8 = 1;
