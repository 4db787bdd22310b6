//! Texts and bytes of a column, one after the other.

use arrow_buffer::{Buffer, OffsetBuffer};

use super::super::fault::{Converted, bare, ended};
use super::block::{BLOCK_ROWS, Block, GivenUp, Lead, chunk};
use super::finish::take_offsets;
use super::{Cursor, shortest};

/// Texts or bytes, one after the other.
///
/// Short ones are stored as chunks of a fixed length, which needs no call; what is behind the end of one is
/// overwritten by the next.
pub(super) struct VarCells {
    /// Starts with 0.
    pub(super) offsets: Vec<i32>,
    /// Longer than what is in use, which the last offset says.
    data: Vec<u8>,
}

impl VarCells {
    pub(super) fn new() -> Self {
        Self { offsets: vec![0], data: Vec::new() }
    }

    pub(super) fn rows(&self) -> usize {
        self.offsets.len() - 1
    }

    #[inline]
    pub(super) fn push(&mut self, bytes: &[u8]) -> Converted<()> {
        let start = last(&self.offsets);
        let end = start + bytes.len();
        self.offsets.push(offset(end)?);
        self.make_room(end);
        copy(&mut self.data[start..], bytes);
        Ok(())
    }

    /// Appends the bytes at the cursor.
    #[inline]
    pub(super) fn push_next(&mut self, cursor: &mut Cursor<'_>) -> Converted<()> {
        let start = last(&self.offsets);
        // A short one, and more behind it.
        if let Some([length, chunk @ ..]) = cursor.rest().first_chunk::<{ CHUNK_BYTES + 1 }>()
            && *length <= SHORT_MAX
            && length % 2 == 0
            && let Some(Ok(space)) = self.data.get_mut(start..start + CHUNK_BYTES).map(<&mut _>::try_from)
        {
            let (space, length): (&mut [u8; CHUNK_BYTES], _) = (space, usize::from(length / 2));
            space.copy_from_slice(chunk);
            cursor.rewind(&cursor.rest()[1 + length..]);
            self.offsets.push(offset(start + length)?);
            return Ok(());
        }
        self.push(cursor.bytes()?)
    }

    /// Appends an unscaled number in its shortest form.
    pub(super) fn push_decimal(&mut self, bytes: &[u8]) -> Converted<()> {
        if bytes.is_empty() {
            return Err(bare("java.lang.NumberFormatException", "Zero length BigInteger".to_owned()));
        }
        self.push(shortest(bytes))
    }

    pub(super) fn push_empty(&mut self) {
        self.offsets.push(self.offsets[self.offsets.len() - 1]);
    }

    /// Appends a cell per row of `block`; answers which rows have one.
    pub(super) fn push_block(&mut self, block: &mut Block<'_>, lead: Lead) -> Result<u64, GivenUp> {
        if lead.is_nullable() {
            self.push_rows::<true, { CHUNK_BYTES + 2 }>(block, lead)
        } else {
            self.push_rows::<false, { CHUNK_BYTES + 1 }>(block, lead)
        }
    }

    /// `HEAD` is the length of what precedes a short value, and of a chunk.
    fn push_rows<const NULLABLE: bool, const HEAD: usize>(
        &mut self,
        block: &mut Block<'_>,
        lead: Lead,
    ) -> Result<u64, GivenUp> {
        let rows = block.rows();
        let mut end = last(&self.offsets);
        self.make_room(end + rows * CHUNK_BYTES);
        let mut ends = [0; BLOCK_ROWS];
        let (mut present, mut wrong) = (0, 0);
        block.each(|space, row, at| {
            let head = chunk::<HEAD>(space, *at);
            let (index, mask) = lead.index::<NULLABLE>(row, head[0]);
            let length = head[usize::from(NULLABLE)] & mask as u8;
            if length <= SHORT_MAX {
                wrong |= index | (length & 1);
                let length = usize::from(length / 2);
                let from = head.last_chunk::<CHUNK_BYTES>().ok_or(GivenUp)?;
                *self.data[end..].first_chunk_mut().ok_or(GivenUp)? = *from;
                end += length;
                *at += lead.taken::<NULLABLE>(row) + ((1 + length) & mask as usize);
                present |= (mask & 1) << row;
            } else if let Some(bytes) = lead.value(space, row, at, Cursor::bytes)? {
                self.make_room(end + bytes.len() + (rows - row) * CHUNK_BYTES);
                copy(&mut self.data[end..], bytes);
                end += bytes.len();
                present |= 1 << row;
            }
            ends[row % BLOCK_ROWS] = end as i32;
            Ok(())
        })?;
        self.offsets.extend_from_slice(&ends[..rows]);
        if wrong != 0 || i32::try_from(end).is_err() {
            return Err(GivenUp);
        }
        Ok(present)
    }

    /// Makes sure that chunks can be stored up to `end`.
    #[inline]
    fn make_room(&mut self, end: usize) {
        if self.data.len() < end + CHUNK_BYTES {
            self.grow(end + CHUNK_BYTES);
        }
    }

    #[cold]
    fn grow(&mut self, len: usize) {
        self.data.resize(len.max(2 * self.data.len()), 0);
    }

    /// Drops every row from `rows` on.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.offsets.truncate(rows + 1);
    }

    /// Takes the rows; the next run will need about as much room.
    pub(super) fn take(&mut self) -> (OffsetBuffer<i32>, Buffer) {
        let used = last(&self.offsets);
        let mut data = std::mem::replace(&mut self.data, vec![0; used + used / 16 + CHUNK_BYTES]);
        data.truncate(used);
        (take_offsets(&mut self.offsets), Buffer::from_vec(data))
    }
}

/// The last offset: rows or bytes of the content.
#[inline]
pub(super) fn last(offsets: &[i32]) -> usize {
    offsets.last().map_or(0, |last| *last as usize)
}

/// A count of rows or bytes as an offset. A run is cut by the byte limits of a batch long before this.
#[inline]
pub(super) fn offset(count: usize) -> Converted<i32> {
    i32::try_from(count).map_err(|_| ended())
}

/// Copies `bytes` to the start of `to`, which is long enough: as chunks that overlap, which need no call.
#[inline]
pub(super) fn copy(to: &mut [u8], bytes: &[u8]) {
    let length = bytes.len();
    let done = match length {
        2..=3 => ends::<2>(to, bytes),
        4..=7 => ends::<4>(to, bytes),
        8..=15 => ends::<8>(to, bytes),
        16..=31 => ends::<16>(to, bytes),
        _ => false,
    };
    if !done {
        to[..length].copy_from_slice(bytes);
    }
}

/// Copies the first `N` bytes and the last; false when there are not as many.
#[inline]
fn ends<const N: usize>(to: &mut [u8], bytes: &[u8]) -> bool {
    let (Some(first), Some(end)) = (bytes.first_chunk::<N>(), bytes.last_chunk::<N>()) else {
        return false;
    };
    to[..N].copy_from_slice(first);
    to[bytes.len() - N..bytes.len()].copy_from_slice(end);
    true
}

/// Bytes that are copied at once.
const CHUNK_BYTES: usize = 32;

/// The encoded length of texts as long as a chunk.
const SHORT_MAX: u8 = 2 * CHUNK_BYTES as u8;
