//! A batch that is written in a registry's format.

use std::ops::Range;

use arrow_buffer::NullBuffer;
use lakeward_api::ConnectError;
use lakeward_api::converter::Encoded;

use super::super::around::Around;
use super::fault::{Converted, Words};

/// A batch while it is written.
pub(in super::super) struct Frame<'a> {
    pub(super) around: Around<'a>,
    pub(super) words: Words,
    pub(super) topic: &'a str,
    /// The rows so far.
    pub(super) encoded: Encoded,
}

impl<'a> Frame<'a> {
    /// Row count of the batch.
    pub(in super::super) fn rows(&self) -> usize {
        self.around.rows
    }

    /// Which rows are not Kafka's null; none is when absent.
    pub(in super::super) fn valid(&self) -> Option<&'a NullBuffer> {
        self.around.valid
    }

    /// Has `write` write the rows, of which those that are not `present` are Kafka's null, too.
    pub(in super::super) fn only(&mut self, present: &NullBuffer, write: impl FnOnce(&mut Frame<'_>)) {
        let valid = NullBuffer::union(self.valid(), Some(present));
        let around = Around { valid: valid.as_ref(), ..self.around };
        let encoded = std::mem::take(&mut self.encoded);
        let mut frame = Frame { around, words: self.words, topic: self.topic, encoded };
        write(&mut frame);
        self.encoded = frame.encoded;
    }

    /// Writes every row that is not Kafka's null with `write`.
    #[inline]
    pub(in super::super) fn each(&mut self, write: impl Fn(usize, &mut Vec<u8>) -> Converted<()>) {
        for row in 0..self.rows() {
            self.push(row, |out| write(row, out));
        }
    }

    /// Writes row `row`, the next one, with `write` unless it is Kafka's null.
    #[inline]
    pub(in super::super) fn push(&mut self, row: usize, write: impl FnOnce(&mut Vec<u8>) -> Converted<()>) {
        let Self { around, words, topic, encoded } = self;
        let write = |out: &mut Vec<u8>| -> Result<(), ConnectError> {
            write(out).map_err(|fault| fault.while_writing(*words, topic))
        };
        around.push(encoded, row, write);
    }

    /// [`Around::push_block`] of the rows `rows`, the next ones.
    #[inline]
    pub(in super::super) fn block(
        &mut self,
        rows: Range<usize>,
        rooms: &[usize],
        write: impl FnOnce(&mut [u8], &mut [usize]) -> bool,
    ) -> bool {
        self.around.push_block(&mut self.encoded, rows, rooms, write)
    }
}
