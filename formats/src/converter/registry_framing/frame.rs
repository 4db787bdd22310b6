//! What stands around the rows of a batch that is written.

use std::ops::Range;

use arrow_buffer::NullBuffer;
use lakeward_api::converter::{Encoded, Span};

use super::fault::{Converted, Words};

/// A batch while it is written.
pub(in super::super) struct Frame<'a> {
    /// Row count of the batch.
    pub(super) rows: usize,
    /// Which rows are not Kafka's null; none is when absent.
    pub(super) valid: Option<NullBuffer>,
    /// What stands in front of every row.
    pub(super) prefix: Prefix<'a>,
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

    /// Row count of the batch.
    pub(in super::super) fn rows(&self) -> usize {
        self.rows
    }

    /// Which rows are not Kafka's null; none is when absent.
    pub(in super::super) fn valid(&self) -> Option<&NullBuffer> {
        self.valid.as_ref()
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
        if self.is_null(row) {
            self.encoded.push_null();
            return;
        }
        let (rows, prefix, words, topic) = (self.rows, self.prefix, self.words, self.topic);
        self.encoded.push(|out| {
            if row == GUESS_ROWS {
                reserve(out, row, rows);
            }
            prefix.append(out);
            write(out).map_err(|fault| fault.while_writing(words, topic))
        });
    }

    /// Writes the rows `rows`, the next ones, side by side: row number `n` of them has room for `rooms[n]`
    /// bytes behind its prefix; Kafka's nulls have no prefix. `write` gets the buffer, in which
    /// [`SPARE_BYTES`] more follow the last row, and where each row starts, which it moves to where each
    /// ends. Where it answers false, nothing is written.
    #[inline]
    pub(in super::super) fn block(
        &mut self,
        rows: Range<usize>,
        rooms: &[usize],
        write: impl FnOnce(&mut [u8], &mut [usize]) -> bool,
    ) -> bool {
        let mut ends = [0; BLOCK_ROWS];
        let ends = &mut ends[..rows.len()];
        let (prefix, valid, all) = (self.prefix, self.valid.as_ref(), self.rows);
        let is_null = |row| valid.is_some_and(|valid| valid.is_null(row));
        self.encoded.push_block(|out, spans| {
            if rows.start == GUESS_ROWS {
                reserve(out, rows.start, all);
            }
            let base = out.len();
            let room: usize = rooms.iter().sum::<usize>() + rows.len() * prefix.bytes.len();
            out.resize(base + room + SPARE_BYTES, 0);
            let buffer = &mut out[base..];
            let mut start = 0;
            for (at, (end, room)) in ends.iter_mut().zip(rooms).enumerate() {
                let is_null = is_null(rows.start + at);
                spans.push(if is_null { Span::NULL } else { Span { start: base + start, end: base } });
                if !is_null {
                    prefix.put(&mut buffer[start..]);
                    start += prefix.bytes.len();
                }
                *end = start;
                start += room;
            }
            if !write(buffer, ends) {
                return false;
            }
            let written = spans.len() - rows.len();
            for (span, end) in spans[written..].iter_mut().zip(&*ends) {
                if *span != Span::NULL {
                    span.end = base + end;
                }
            }
            out.truncate(base + start);
            close_gaps(out, base, &mut spans[written..]);
            true
        })
    }

    fn is_null(&self, row: usize) -> bool {
        self.valid.as_ref().is_some_and(|valid| valid.is_null(row))
    }
}

/// The bytes in front of every row.
#[derive(Clone, Copy)]
pub(super) struct Prefix<'a> {
    bytes: &'a [u8],
    /// The first of `bytes`.
    chunk: [u8; CHUNK_BYTES],
}

impl<'a> Prefix<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let mut chunk = [0; CHUNK_BYTES];
        let count = bytes.len().min(CHUNK_BYTES);
        chunk[..count].copy_from_slice(&bytes[..count]);
        Self { bytes, chunk }
    }

    /// Most prefixes are short, and a chunk of a fixed length needs no call.
    #[inline]
    fn append(&self, out: &mut Vec<u8>) {
        if self.bytes.len() <= CHUNK_BYTES {
            let end = out.len() + self.bytes.len();
            out.extend_from_slice(&self.chunk);
            out.truncate(end);
        } else {
            out.extend_from_slice(self.bytes);
        }
    }

    /// Puts the prefix at the start of `out`, which has [`SPARE_BYTES`] more.
    #[inline]
    fn put(&self, out: &mut [u8]) {
        match out.first_chunk_mut() {
            Some(chunk) if self.bytes.len() <= CHUNK_BYTES => *chunk = self.chunk,
            _ => out[..self.bytes.len()].copy_from_slice(self.bytes),
        }
    }
}

/// Moves the payloads in `spans`, which stand behind `base`, together when they fill less than half of their
/// room.
#[inline]
fn close_gaps(out: &mut Vec<u8>, base: usize, spans: &mut [Span]) {
    let filled: usize =
        spans.iter().filter(|span| **span != Span::NULL).map(|span| span.end - span.start).sum();
    if filled >= (out.len() - base) / 2 {
        return;
    }
    let mut end = base;
    for span in spans.iter_mut().filter(|span| **span != Span::NULL) {
        let length = span.end - span.start;
        out.copy_within(span.start..span.end, end);
        *span = Span { start: end, end: end + length };
        end += length;
    }
    out.truncate(end);
}

/// Room for the rows from `row` on, if they are as long as those before.
fn reserve(out: &mut Vec<u8>, row: usize, rows: usize) {
    let bytes = (rows - row) * (out.len() / row + SPARE_BYTES);
    out.reserve(bytes.min(RESERVE_BYTES_MAX));
}

/// Rows of a block at most.
pub(in super::super) const BLOCK_ROWS: usize = 64;

/// Bytes behind the rows of a block that may be written, too.
const SPARE_BYTES: usize = 32;

/// About the bytes of a payload.
const ROW_BYTES: usize = 128;

/// Rows that tell how long the others are.
const GUESS_ROWS: usize = 64;

/// Longer batches grow as they go.
const RESERVE_BYTES_MAX: usize = 64 << 20;

const CHUNK_BYTES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: Words =
        Words { failed: str::to_owned, retry_ends: "", one: "one", during: "during", format: "format" };

    /// The payloads of four rows, the second of which is null, with `filled` bytes each in a room of eight.
    fn payloads(prefix: &[u8], filled: usize, writes: bool) -> Vec<Option<Vec<u8>>> {
        let mut frame = Frame {
            rows: 4,
            valid: Some(vec![true, false, true, true].into()),
            prefix: Prefix::new(prefix),
            words: WORDS,
            topic: "t",
            encoded: Frame::encoded(4),
        };
        let is_written = frame.block(0..4, &[8, 0, 8, 8], |out, at| {
            for (row, at) in (0_u8..).zip(at).filter(|(row, _)| *row != 1) {
                out[*at..*at + 8].fill(b'-');
                out[*at..*at + filled].fill(b'0' + row);
                *at += filled;
            }
            writes
        });
        assert_eq!(is_written, writes);
        (0..frame.encoded.rows()).map(|row| frame.encoded.payload(row).map(<[u8]>::to_vec)).collect()
    }

    #[test]
    fn rows_of_a_block_have_their_prefixes_and_no_gaps() {
        for prefix in [&b""[..], b"\0\0\0\0\x07", b"a prefix of many bytes"] {
            for filled in [0, 1, 4, 8] {
                let row = |row: u8| Some([prefix, &vec![b'0' + row; filled]].concat());
                assert_eq!(payloads(prefix, filled, true), [row(0), None, row(2), row(3)], "{filled}");
            }
            assert_eq!(payloads(prefix, 4, false), []);
        }
    }
}
