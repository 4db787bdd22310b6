//! The container: a header, then blocks of rows with a marker behind each.

use bytes::Bytes;

use super::codec::AvroCodec;
use crate::FormatError;
use crate::converter::avro::write_long;

/// A block ends with the row that makes it this long, as Java's do.
const BLOCK_BYTES: usize = 64_000;
const MAGIC: &[u8] = b"Obj\x01";

/// A container being written.
///
/// # Memory
/// The open block and the stored blocks that were not taken.
pub(super) struct Container {
    codec: AvroCodec,
    block: Vec<u8>,
    rows: i64,
    /// The schema's text until the header is written, with the first block.
    schema: Option<Box<str>>,
    marker: [u8; 16],
    ready: Vec<u8>,
}

impl Container {
    /// A container for rows of the Avro schema `schema`.
    pub(super) fn new(schema: &str, codec: AvroCodec) -> Self {
        let schema = Some(schema.into());
        Self { codec, block: Vec::new(), rows: 0, schema, marker: [0; 16], ready: Vec::new() }
    }

    /// Appends an encoded row.
    pub(super) fn append(&mut self, row: &[u8]) -> Result<(), FormatError> {
        self.block.extend_from_slice(row);
        self.rows += 1;
        if self.block.len() >= BLOCK_BYTES { self.end_block() } else { Ok(()) }
    }

    /// Stores the open block, if it has rows.
    pub(super) fn end_block(&mut self) -> Result<(), FormatError> {
        if self.rows == 0 {
            return Ok(());
        }
        self.begin();
        let stored = self.codec.compress(&self.block)?;
        write_long(&mut self.ready, self.rows);
        write_text(&mut self.ready, &stored);
        self.ready.extend_from_slice(&self.marker);
        self.rows = 0;
        self.block.clear();
        Ok(())
    }

    /// Writes the header unless it is written.
    fn begin(&mut self) {
        let Some(schema) = self.schema.take() else { return };
        self.marker = marker(&schema, &self.block);
        self.ready.extend_from_slice(MAGIC);
        write_long(&mut self.ready, 2);
        for (key, value) in [("avro.schema", &*schema), ("avro.codec", self.codec.name())] {
            write_text(&mut self.ready, key.as_bytes());
            write_text(&mut self.ready, value.as_bytes());
        }
        self.ready.push(0);
        self.ready.extend_from_slice(&self.marker);
    }

    pub(super) fn take_ready(&mut self) -> Vec<Bytes> {
        if self.ready.is_empty() { Vec::new() } else { vec![std::mem::take(&mut self.ready).into()] }
    }

    pub(super) fn buffered_bytes(&self) -> u64 {
        (self.block.capacity() + self.ready.capacity()) as u64
    }

    /// Ends the file; one without rows has a header all the same.
    pub(super) fn finish(mut self) -> Result<Vec<Bytes>, FormatError> {
        self.end_block()?;
        self.begin();
        Ok(self.take_ready())
    }
}

fn write_text(out: &mut Vec<u8>, bytes: &[u8]) {
    write_long(out, i64::try_from(bytes.len()).unwrap_or(i64::MAX));
    out.extend_from_slice(bytes);
}

/// Sixteen bytes that differ from file to file and are the same for the same records.
fn marker(schema: &str, block: &[u8]) -> [u8; 16] {
    let mut marker = [0; 16];
    for (seed, half) in [0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f].into_iter().zip(marker.chunks_mut(8)) {
        let hash = schema.bytes().chain(block.iter().copied()).fold(seed, |hash: u64, byte| {
            // FNV-1a, with a rotation that also moves the high bits down.
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(29)
        });
        half.copy_from_slice(&hash.to_le_bytes());
    }
    marker
}
