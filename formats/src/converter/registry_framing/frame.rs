//! What stands around the rows of a batch that is written.

use arrow_buffer::NullBuffer;
use lakeward_api::converter::Encoded;

use super::fault::{Converted, Words};

/// A batch while it is written.
pub(in super::super) struct Frame<'a> {
    /// Row count of the batch.
    pub(super) rows: usize,
    /// Which rows are not Kafka's null; none is when absent.
    pub(super) valid: Option<NullBuffer>,
    /// What stands in front of every row.
    pub(super) prefix: &'a [u8],
    pub(super) words: Words,
    pub(super) topic: &'a str,
    /// The rows so far.
    pub(super) encoded: Encoded,
}

impl Frame<'_> {
    /// Room for the payloads of the first of `rows`, which tell how long the others are.
    pub(super) fn encoded(rows: usize) -> Encoded {
        Encoded::with_capacity(rows, rows.min(GUESS_ROWS) * ROW_BYTES / rows.max(1))
    }

    /// Writes every row that is not Kafka's null with `write`.
    #[inline]
    pub(in super::super) fn each(&mut self, write: impl Fn(usize, &mut Vec<u8>) -> Converted<()>) {
        for row in 0..self.rows {
            self.push(row, |out| write(row, out));
        }
    }

    /// Writes row `row`, the next one, with `write` unless it is Kafka's null.
    #[inline]
    pub(in super::super) fn push(&mut self, row: usize, write: impl FnOnce(&mut Vec<u8>) -> Converted<()>) {
        if self.valid.as_ref().is_some_and(|valid| valid.is_null(row)) {
            self.encoded.push_null();
            return;
        }
        let (rows, prefix, words, topic) = (self.rows, self.prefix, self.words, self.topic);
        self.encoded.push(|out| {
            if row == GUESS_ROWS {
                let bytes = (rows - row) * (out.len() / row + SPARE_BYTES);
                out.reserve(bytes.min(RESERVE_BYTES_MAX));
            }
            out.extend_from_slice(prefix);
            write(out).map_err(|fault| fault.while_writing(words, topic))
        });
    }
}

/// About the bytes of a payload.
const ROW_BYTES: usize = 128;

/// Rows that tell how long the others are, each with a few bytes to spare.
const GUESS_ROWS: usize = 64;
const SPARE_BYTES: usize = 16;

/// Longer batches grow as they go.
const RESERVE_BYTES_MAX: usize = 64 << 20;
