//! Rows that are written side by side into the buffer of a batch, and what stands around each.

use std::ops::Range;

use arrow_buffer::NullBuffer;
use lakeward_api::ConnectError;
use lakeward_api::converter::{Encoded, Span};

/// A batch that is written, aside from its values.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    /// Row count of the batch.
    pub(super) rows: usize,
    /// Which rows are not Kafka's null; none is when absent.
    pub(super) valid: Option<&'a NullBuffer>,
    /// What stands in front of every row.
    pub(super) prefix: Prefix<'a>,
    /// What stands behind every row.
    pub(super) suffix: &'a [u8],
}

impl Around<'_> {
    /// Room for the payloads of the first rows, which tell how long the others are.
    pub(super) fn encoded(&self) -> Encoded {
        let row_bytes = self.prefix.bytes.len() + ROW_BYTES;
        Encoded::with_capacity(self.rows, self.rows.min(GUESS_ROWS) * row_bytes / self.rows.max(1))
    }

    /// Appends row `row`, the next one, with `write` unless it is Kafka's null.
    #[inline]
    pub(super) fn push<E: Into<ConnectError>>(
        &self,
        encoded: &mut Encoded,
        row: usize,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) {
        if self.is_null(row) {
            encoded.push_null();
            return;
        }
        encoded.push(|out| {
            if row == GUESS_ROWS {
                reserve(out, row, self.rows);
            }
            self.prefix.append(out);
            write(out).map_err(Into::into)?;
            out.extend_from_slice(self.suffix);
            Ok(())
        });
    }

    /// Writes the rows `rows`, the next ones, side by side: row number `n` of them has room for `rooms[n]`
    /// bytes between its prefix and its suffix; Kafka's nulls have neither. `write` gets the buffer, in which
    /// [`SPARE_BYTES`] more follow the last row, and where each row starts, which it moves to where each
    /// ends. Where it answers false, nothing is written.
    ///
    /// # Panics
    /// When there are more than [`BLOCK_ROWS`].
    #[inline]
    pub(super) fn push_block(
        &self,
        encoded: &mut Encoded,
        rows: Range<usize>,
        rooms: &[usize],
        write: impl FnOnce(&mut [u8], &mut [usize]) -> bool,
    ) -> bool {
        let mut ends = [0; BLOCK_ROWS];
        let ends = &mut ends[..rows.len()];
        let Self { prefix, suffix, .. } = self;
        encoded.push_block(|out, spans| {
            if rows.start == GUESS_ROWS {
                reserve(out, rows.start, self.rows);
            }
            let base = out.len();
            let around = prefix.bytes.len() + suffix.len();
            let room: usize = rooms.iter().sum::<usize>() + rows.len() * around;
            out.resize(base + room + SPARE_BYTES, 0);
            let buffer = &mut out[base..];
            let mut start = 0;
            for (at, (end, room)) in ends.iter_mut().zip(rooms).enumerate() {
                let is_null = self.is_null(rows.start + at);
                spans.push(if is_null { Span::NULL } else { Span { start: base + start, end: base } });
                if !is_null {
                    prefix.put(&mut buffer[start..]);
                    start += prefix.bytes.len();
                }
                *end = start;
                start += room + suffix.len();
            }
            if !write(buffer, ends) {
                return false;
            }
            let written = spans.len() - rows.len();
            for (span, end) in spans[written..].iter_mut().zip(&*ends) {
                if *span != Span::NULL {
                    let end = base + end;
                    out[end..end + suffix.len()].copy_from_slice(suffix);
                    span.end = end + suffix.len();
                }
            }
            out.truncate(base + start);
            close_gaps(out, base, &mut spans[written..]);
            true
        })
    }

    fn is_null(&self, row: usize) -> bool {
        self.valid.is_some_and(|valid| valid.is_null(row))
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
pub(super) const BLOCK_ROWS: usize = 64;

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

    /// The payloads of four rows, the second of which is null, with `filled` bytes each in a room of eight.
    fn payloads(prefix: &[u8], suffix: &[u8], filled: usize, writes: bool) -> Vec<Option<Vec<u8>>> {
        let valid = vec![true, false, true, true].into();
        let around = Around { rows: 4, valid: Some(&valid), prefix: Prefix::new(prefix), suffix };
        let mut encoded = around.encoded();
        let is_written = around.push_block(&mut encoded, 0..4, &[8, 0, 8, 8], |out, at| {
            for (row, at) in (0_u8..).zip(at).filter(|(row, _)| *row != 1) {
                out[*at..*at + 8].fill(b'-');
                out[*at..*at + filled].fill(b'0' + row);
                *at += filled;
            }
            writes
        });
        assert_eq!(is_written, writes);
        (0..encoded.rows()).map(|row| encoded.payload(row).map(<[u8]>::to_vec)).collect()
    }

    #[test]
    fn rows_of_a_block_have_what_is_around_them_and_no_gaps() {
        for prefix in [&b""[..], b"\0\0\0\0\x07", b"a prefix of many bytes"] {
            for suffix in [&b""[..], b"}"] {
                for filled in [0, 1, 4, 8] {
                    let row = |row: u8| Some([prefix, &vec![b'0' + row; filled], suffix].concat());
                    let expected = [row(0), None, row(2), row(3)];
                    assert_eq!(payloads(prefix, suffix, filled, true), expected, "{filled}");
                }
                assert_eq!(payloads(prefix, suffix, 4, false), []);
            }
        }
    }

    #[test]
    fn rows_one_by_one_have_what_is_around_them() {
        let valid = vec![true, false].into();
        let around = Around { rows: 2, valid: Some(&valid), prefix: Prefix::new(b"{"), suffix: b"}" };
        let mut encoded = around.encoded();
        for row in 0..2 {
            around.push(&mut encoded, row, |out| {
                out.push(b'x');
                Ok::<(), ConnectError>(())
            });
        }
        assert_eq!((encoded.payload(0), encoded.payload(1)), (Some(&b"{x}"[..]), None));
    }
}
