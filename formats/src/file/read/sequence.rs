//! Objects that are read from front to back: asks for one piece after the other and leaves out the rows that
//! are skipped.

use std::ops::Range;

use bytes::Bytes;
use lakeward_api::batch::Values;

use super::input::{Input, Packing};
use super::{FileReader, Step};
use crate::FormatError;

/// Rows out of bytes.
pub(super) trait Decoder {
    /// The next rows, at most `rows_max`, consuming their bytes; none when more bytes have to come first, or
    /// at the end when [`Input::is_all`].
    fn rows(&mut self, input: &mut Input, rows_max: usize) -> Result<Vec<Values>, FormatError>;
}

/// An object read from front to back.
///
/// # Memory
/// One piece of the object as stored, and what [`Input`] and the decoder hold.
pub(super) struct Sequence {
    decoder: Box<dyn Decoder>,
    input: Input,
    /// The next byte to ask for.
    position: u64,
    bytes: u64,
    skip: u64,
}

impl Sequence {
    pub(super) fn new(decoder: Box<dyn Decoder>, packing: Packing, bytes: u64, skip: u64) -> Self {
        let mut input = Input::new(packing);
        if bytes == 0 {
            input.end();
        }
        Self { decoder, input, position: 0, bytes, skip }
    }

    fn wanted(&self) -> Range<u64> {
        self.position..self.bytes.min(self.position + PIECE_BYTES)
    }
}

impl FileReader for Sequence {
    fn next(&mut self, rows_max: usize) -> Result<Step, FormatError> {
        loop {
            let rows_max = match usize::try_from(self.skip) {
                Ok(0) => rows_max,
                skip => skip.unwrap_or(usize::MAX).min(SKIPPED_ROWS),
            };
            let rows = self.decoder.rows(&mut self.input, rows_max)?;
            if rows.is_empty() {
                if self.input.is_all() {
                    return Ok(Step::End);
                }
                // An object without bytes is no gzip, and has no rows.
                if self.bytes == 0 {
                    return Ok(Step::End);
                }
                if !self.input.fill()? {
                    return Ok(Step::Need(vec![self.wanted()]));
                }
            } else if self.skip > 0 {
                self.skip -= rows.iter().map(|part| part.rows() as u64).sum::<u64>();
            } else {
                return Ok(Step::Rows(rows));
            }
        }
    }

    fn feed(&mut self, pieces: Vec<Bytes>) -> Result<(), FormatError> {
        let wanted = self.wanted();
        let given: u64 = pieces.iter().map(|piece| piece.len() as u64).sum();
        if given != wanted.end - wanted.start {
            return Err(FormatError::data("The object is shorter than the store said"));
        }
        pieces.into_iter().for_each(|piece| self.input.feed(piece));
        self.position = wanted.end;
        if self.position == self.bytes {
            self.input.end();
        }
        Ok(())
    }
}

/// Bytes of the object asked for at once.
const PIECE_BYTES: u64 = 1 << 20;

/// Rows that are decoded at once to be left out.
const SKIPPED_ROWS: usize = 1024;
