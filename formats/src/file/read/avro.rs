//! Avro containers: the header, then blocks of rows.
//!
//! Source: Avro 1.12 specification, "Object Container Files"; `DataFileStream`.

use lakeward_api::batch::Values;

use super::input::Input;
use super::sequence::Decoder;
use crate::FormatError;
use crate::converter::avro::{DatumOptions, DatumReader};
use crate::file::{AvroCodec, AvroOptions};

/// An Avro container being read.
///
/// # Memory
/// One block, stored and plain.
#[derive(Default)]
pub(super) struct AvroDecoder {
    opened: Option<Opened>,
    block: Block,
}

struct Opened {
    reader: DatumReader,
    codec: AvroCodec,
    marker: [u8; 16],
}

/// The rows of a block that were not read.
#[derive(Default)]
struct Block {
    plain: Vec<u8>,
    start: usize,
    rows: u64,
}

impl Decoder for AvroDecoder {
    fn rows(&mut self, input: &mut Input, rows_max: usize) -> Result<Vec<Values>, FormatError> {
        let Some(opened) = &mut self.opened else {
            match header(input)? {
                Some(opened) => self.opened = Some(opened),
                None => return Ok(Vec::new()),
            }
            return self.rows(input, rows_max);
        };
        while self.block.rows == 0 {
            match next_block(opened, input)? {
                Some(block) => self.block = block,
                None => return Ok(Vec::new()),
            }
        }
        let block = &mut self.block;
        let wanted = block.rows.min(rows_max as u64);
        for _ in 0..wanted {
            let read = opened.reader.read(&block.plain[block.start..]).map_err(converter)?;
            block.start += read;
            block.rows -= 1;
        }
        if block.rows == 0 && block.start != block.plain.len() {
            return Err(damaged("a block has more bytes than rows"));
        }
        Ok(vec![opened.reader.finish()])
    }
}

/// The header when all of it is here. One that is not here at the end of the object is damage.
fn header(input: &mut Input) -> Result<Option<Opened>, FormatError> {
    let mut bytes = Bytes(input.bytes());
    let Some(magic) = bytes.take(4) else { return cut_short(input) };
    if magic != b"Obj\x01" {
        return Err(damaged("it does not begin as an Avro container"));
    }
    let (mut schema, mut codec) = (None, AvroCodec::Null);
    loop {
        let Some(mut count) = bytes.long()? else { return cut_short(input) };
        if count == 0 {
            break;
        }
        if count < 0 {
            // The bytes of the block of entries follow.
            let Some(_) = bytes.long()? else { return cut_short(input) };
            count = -count;
        }
        for _ in 0..count {
            let Some(key) = bytes.text()? else { return cut_short(input) };
            let Some(value) = bytes.text()? else { return cut_short(input) };
            match key {
                b"avro.schema" => schema = Some(std::str::from_utf8(value).map_err(damaged)?.to_owned()),
                b"avro.codec" => codec = named(value)?,
                _ => {}
            }
        }
    }
    let Some(marker) = bytes.take(16) else { return cut_short(input) };
    let marker = marker.try_into().expect("16 bytes were taken");
    let schema = schema.ok_or_else(|| damaged("it has no schema"))?;
    let AvroOptions { enhanced, meta_data, .. } = AvroOptions::default();
    let options = DatumOptions { enhanced, meta_data, optional_map_keys: false };
    let reader = DatumReader::new(&schema, options).map_err(converter)?;
    let used = input.bytes().len() - bytes.0.len();
    input.consume(used);
    Ok(Some(Opened { reader, codec, marker }))
}

fn named(codec: &[u8]) -> Result<AvroCodec, FormatError> {
    std::str::from_utf8(codec)
        .ok()
        .and_then(AvroCodec::named)
        .ok_or_else(|| damaged(format!("its codec {} is not supported", String::from_utf8_lossy(codec))))
}

/// The next block when all of it is here; `None` also at the end of the object.
fn next_block(opened: &Opened, input: &mut Input) -> Result<Option<Block>, FormatError> {
    if input.bytes().is_empty() {
        return Ok(None);
    }
    let mut bytes = Bytes(input.bytes());
    let Some(rows) = bytes.long()? else { return cut_short(input) };
    let Some(stored) = bytes.text()? else { return cut_short(input) };
    let Some(marker) = bytes.take(16) else { return cut_short(input) };
    if marker != opened.marker {
        return Err(damaged("the marker behind a block is not that of the file"));
    }
    let plain = opened.codec.decompress(stored, BLOCK_BYTES_MAX)?;
    let rows = u64::try_from(rows).map_err(|_| damaged("a block has fewer rows than none"))?;
    if rows > plain.len() as u64 && rows > FREE_ROWS_MAX {
        return Err(damaged("a block has more rows than bytes"));
    }
    let used = input.bytes().len() - bytes.0.len();
    input.consume(used);
    Ok(Some(Block { plain, start: 0, rows }))
}

/// More has to come; damage when nothing does.
fn cut_short<T>(input: &Input) -> Result<Option<T>, FormatError> {
    match input.is_all() && !(input.bytes().is_empty()) {
        true => Err(damaged("it ends within a block")),
        false => Ok(None),
    }
}

/// Bytes that may go on later.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// A zigzag number of up to ten bytes.
    fn long(&mut self) -> Result<Option<i64>, FormatError> {
        let mut zigzag = 0_u64;
        for (place, byte) in self.0.iter().enumerate().take(10) {
            zigzag |= u64::from(byte & 0x7f) << (7 * place).min(63);
            if byte & 0x80 == 0 {
                self.0 = &self.0[place + 1..];
                return Ok(Some((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed()));
            }
        }
        if self.0.len() >= 10 { Err(damaged("a number is longer than ten bytes")) } else { Ok(None) }
    }

    /// Bytes with their length in front.
    fn text(&mut self) -> Result<Option<&'a [u8]>, FormatError> {
        let Some(length) = self.long()? else { return Ok(None) };
        let length = usize::try_from(length).map_err(|_| damaged("a length is below zero"))?;
        if length > BLOCK_BYTES_MAX {
            return Err(damaged("a block is larger than any that is written"));
        }
        Ok(self.take(length))
    }
}

fn damaged(problem: impl std::fmt::Display) -> FormatError {
    FormatError::data(format!("The Avro file cannot be read: {problem}"))
}

fn converter(source: lakeward_api::ConnectError) -> FormatError {
    FormatError::Converter { source }
}

/// Java's writers end a block after 64,000 bytes, unless one row is longer.
const BLOCK_BYTES_MAX: usize = 64 << 20;

/// Rows without bytes that a block may have.
const FREE_ROWS_MAX: u64 = 1 << 20;
