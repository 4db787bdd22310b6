//! Rows side by side: a block is written column by column, each row into a slot that is large enough for
//! whatever it can become, and [`SLACK`] bytes more, because short things are stored as whole chunks whose
//! end the next thing overwrites.
//!
//! A block in which anything is out of the ordinary is given up as a whole and written again row by row
//! (`row`), which finds out what is wrong and with which row.

use std::ops::Range;

use super::super::fault::Fault;
use super::bind::{Bound, Cells};
use super::{Branch, Form, write_long};

/// Why a block is not written: a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GivenUp;

impl From<Box<Fault>> for GivenUp {
    #[cold]
    fn from(_: Box<Fault>) -> Self {
        Self
    }
}

/// Up to 64 rows while they are written.
pub(super) struct Block<'b> {
    pub(super) out: &'b mut [u8],
    /// Where each row goes on.
    pub(super) at: &'b mut [usize],
    /// Index of the first row, a multiple of 64.
    pub(super) first: usize,
    /// For what is written as `row` does.
    pub(super) spare: &'b mut Vec<u8>,
}

impl Block<'_> {
    /// Writes one cell of a column per row: of each row whose bit is set in `live` the index of the branch,
    /// if there is a union, and, if it is set in `present`, what `put` writes at a place of the buffer and
    /// says the end of. `put` is called for the others, too.
    #[inline]
    fn cells(
        &mut self,
        union: Option<Branch>,
        (live, present): (u64, u64),
        mut put: impl FnMut(&mut [u8], usize, usize) -> usize,
    ) {
        let Self { out, at, first, .. } = self;
        for (row, at) in at.iter_mut().enumerate() {
            let is_present = present >> row & 1;
            let mut start = *at;
            if let Some(Branch { value, null }) = union {
                out[start] = if is_present == 1 { value } else { null.unwrap_or(value) };
                start += (live >> row & 1) as usize;
            }
            let end = put(out, start, *first + row);
            *at = start + (end - start) * is_present as usize;
        }
    }

    /// Writes the index of the branch alone.
    fn lead(&mut self, union: Option<Branch>, rows: (u64, u64)) {
        if union.is_some() {
            self.cells(union, rows, |_, at, _| at);
        }
    }

    /// Writes the rows whose bits are set in `rows`.
    #[inline]
    fn each(
        &mut self,
        rows: u64,
        mut put: impl FnMut(&mut [u8], &mut Vec<u8>, usize, usize) -> Result<usize, GivenUp>,
    ) -> Result<(), GivenUp> {
        let mut left = rows;
        while left != 0 {
            let row = left.trailing_zeros() as usize;
            left &= left - 1;
            self.at[row] = put(self.out, self.spare, self.at[row], self.first + row)?;
        }
        Ok(())
    }
}

impl Bound<'_> {
    /// Writes the next value of each row whose bit is set in `live`.
    pub(super) fn write_block(&self, block: &mut Block<'_>, live: u64) -> Result<(), GivenUp> {
        let present = live & self.valid.get(block.first / 64).copied().unwrap_or(u64::MAX);
        let union = self.node.union;
        let writes_null = present == live || union.is_some_and(|union| union.null.is_some());
        if !self.is_quick || (present != live && self.node.default.is_some()) {
            return block.each(live, |out, spare, at, index| self.put(out, spare, at, index));
        }
        if !writes_null {
            return Err(GivenUp);
        }
        let rows = (live, present);
        match &self.cells {
            Cells::Boolean(cells) => block.cells(union, rows, |out, at, index| {
                out[at] = u8::from(cells.value(index));
                at + 1
            }),
            Cells::Double(cells) => {
                block.cells(union, rows, |out, at, index| put_chunk(out, at, &cells[index].to_le_bytes()));
            }
            Cells::Float(cells) => {
                block.cells(union, rows, |out, at, index| put_chunk(out, at, &cells[index].to_le_bytes()));
            }
            Cells::Int16(cells) => {
                block.cells(union, rows, |out, at, index| put_int(out, at, cells[index].into()));
            }
            Cells::Int32(cells) => block.cells(union, rows, |out, at, index| put_int(out, at, cells[index])),
            Cells::Int64(cells) => block.cells(union, rows, |out, at, index| put_long(out, at, cells[index])),
            Cells::Int8(cells) => {
                block.cells(union, rows, |out, at, index| put_int(out, at, cells[index].into()));
            }
            Cells::Var { offsets, data } => {
                block.cells(union, rows, |out, at, index| put_bytes(out, at, offsets, data, index));
            }
            Cells::Struct(members) => {
                block.lead(union, rows);
                members.iter().try_for_each(|member| member.write_block(block, present))?;
            }
            Cells::List { .. } | Cells::Map { .. } => {
                block.lead(union, rows);
                block.each(present, |out, spare, at, index| self.put_value(out, spare, at, index))?;
            }
        }
        Ok(())
    }

    /// Writes the cell `index` at `at`; answers where it ends. Recursion is bounded by the depth of the
    /// schema.
    fn put(&self, out: &mut [u8], spare: &mut Vec<u8>, at: usize, index: usize) -> Result<usize, GivenUp> {
        if !self.is_quick || self.is_null(index) {
            spare.clear();
            self.write(index, spare)?;
            out[at..at + spare.len()].copy_from_slice(spare);
            return Ok(at + spare.len());
        }
        match self.node.union {
            None => self.put_value(out, spare, at, index),
            Some(union) => {
                out[at] = union.value;
                self.put_value(out, spare, at + 1, index)
            }
        }
    }

    /// The same of a cell that is not null, without what precedes it.
    fn put_value(
        &self,
        out: &mut [u8],
        spare: &mut Vec<u8>,
        at: usize,
        index: usize,
    ) -> Result<usize, GivenUp> {
        Ok(match &self.cells {
            Cells::Boolean(cells) => put_chunk(out, at, &[u8::from(cells.value(index))]),
            Cells::Double(cells) => put_chunk(out, at, &cells[index].to_le_bytes()),
            Cells::Float(cells) => put_chunk(out, at, &cells[index].to_le_bytes()),
            Cells::Int16(cells) => put_int(out, at, cells[index].into()),
            Cells::Int32(cells) => put_int(out, at, cells[index]),
            Cells::Int64(cells) => put_long(out, at, cells[index]),
            Cells::Int8(cells) => put_int(out, at, cells[index].into()),
            Cells::Var { offsets, data } => put_bytes(out, at, offsets, data, index),
            Cells::Struct(members) => {
                members.iter().try_fold(at, |at, member| member.put(out, spare, at, index))?
            }
            Cells::List { offsets, item } => {
                let items = range(offsets, index);
                let mut at = put_int(out, at, items.len() as i32);
                if items.is_empty() {
                    return Ok(at);
                }
                if let Some((ends, data)) = item.texts() {
                    at = items.fold(at, |at, item| put_bytes(out, at, ends, data, item));
                } else {
                    for index in items {
                        at = item.put(out, spare, at, index)?;
                    }
                }
                put_chunk(out, at, &[0])
            }
            Cells::Map { offsets, key, value } => {
                let entries = range(offsets, index);
                let mut at = put_int(out, at, entries.len() as i32);
                if entries.is_empty() {
                    return Ok(at);
                }
                let keys = key.texts();
                for entry in entries {
                    at = match keys {
                        Some((ends, data)) => put_bytes(out, at, ends, data, entry),
                        None => key.put(out, spare, at, entry)?,
                    };
                    at = match value.texts() {
                        Some((ends, data)) => put_bytes(out, at, ends, data, entry),
                        None => value.put(out, spare, at, entry)?,
                    };
                }
                put_chunk(out, at, &[0])
            }
        })
    }

    /// Offsets and content of texts or bytes without nulls.
    #[inline]
    fn texts(&self) -> Option<(&[i32], &[u8])> {
        match &self.cells {
            Cells::Var { offsets, data } if self.is_quick && self.is_bare() => Some((offsets, data)),
            _ => None,
        }
    }

    fn is_bare(&self) -> bool {
        self.node.union.is_none() && self.nulls.is_none()
    }

    /// Adds to `rooms` the bytes that rows from `first` on take at most, on top of [`Bound::width`].
    pub(super) fn add_rooms(&self, first: usize, rooms: &mut [usize]) {
        match &self.cells {
            Cells::Struct(members) => members.iter().for_each(|member| member.add_rooms(first, rooms)),
            Cells::Var { offsets, .. } => {
                let ends = &offsets[first..=first + rooms.len()];
                for (room, pair) in rooms.iter_mut().zip(ends.windows(2)) {
                    *room += (pair[1] - pair[0]) as usize;
                }
            }
            Cells::List { offsets, item } => item.add_items(&offsets[first..], rooms),
            Cells::Map { offsets, key, value } => {
                key.add_items(&offsets[first..], rooms);
                value.add_items(&offsets[first..], rooms);
            }
            _ => {}
        }
    }

    /// The same of items that rows have by `offsets`.
    fn add_items(&self, offsets: &[i32], rooms: &mut [usize]) {
        let items = offsets.windows(2).map(|pair| pair[0] as usize..pair[1] as usize);
        let rooms = rooms.iter_mut().zip(items);
        match &self.cells {
            Cells::Var { offsets, .. } => rooms.for_each(|(room, items)| {
                *room += self.width * items.len() + (offsets[items.end] - offsets[items.start]) as usize;
            }),
            _ => rooms.for_each(|(room, items)| *room += self.width * items.len() + self.room(items)),
        }
    }

    /// The bytes that the cells in `indices` take at most, on top of the width of each.
    fn room(&self, indices: Range<usize>) -> usize {
        let of_all =
            |column: &Self, indices: Range<usize>| column.width * indices.len() + column.room(indices);
        match &self.cells {
            Cells::Struct(members) => members.iter().map(|member| member.room(indices.clone())).sum(),
            Cells::Var { offsets, .. } => (offsets[indices.end] - offsets[indices.start]) as usize,
            Cells::List { offsets, item } => of_all(item, inside(offsets, &indices)),
            Cells::Map { offsets, key, value } => {
                let entries = inside(offsets, &indices);
                of_all(key, entries.clone()) + of_all(value, entries)
            }
            _ => 0,
        }
    }
}

/// The bytes that a cell takes at most besides those of texts, bytes and items.
pub(super) fn width(form: &Form, cells: &Cells<'_>) -> usize {
    let members = |members: &[Bound<'_>]| members.iter().map(|member| member.width).sum::<usize>();
    match (form, cells) {
        (Form::DecimalFixed { size } | Form::Fixed { size }, _) => *size,
        (_, Cells::Struct(columns)) => VARINT_MAX + members(columns),
        (_, Cells::List { .. } | Cells::Map { .. }) => VARINT_MAX + 1,
        _ => VARINT_MAX,
    }
}

fn range(offsets: &[i32], row: usize) -> Range<usize> {
    inside(offsets, &(row..row + 1))
}

/// The items of the rows `rows`.
fn inside(offsets: &[i32], rows: &Range<usize>) -> Range<usize> {
    // Offsets of an Arrow array ascend from 0 or more.
    offsets[rows.start] as usize..offsets[rows.end] as usize
}

#[inline]
fn put_chunk<const N: usize>(out: &mut [u8], at: usize, bytes: &[u8; N]) -> usize {
    out[at..at + N].copy_from_slice(bytes);
    at + N
}

#[inline]
fn put_int(out: &mut [u8], at: usize, number: i32) -> usize {
    put_varint(out, at, u64::from((number.cast_unsigned() << 1) ^ (number >> 31).cast_unsigned()))
}

#[inline]
fn put_long(out: &mut [u8], at: usize, number: i64) -> usize {
    let zigzag = (number.cast_unsigned() << 1) ^ (number >> 63).cast_unsigned();
    if zigzag < 1 << 56 { put_varint(out, at, zigzag) } else { put_long_of_many(out, at, number) }
}

/// A number below 2^56: eight bytes at once, of which those behind its end are overwritten by what follows.
#[inline]
fn put_varint(out: &mut [u8], at: usize, number: u64) -> usize {
    let length = (70 - (number | 1).leading_zeros() as usize) / 7;
    // Seven bits to each byte: both halves, quarters of these, and their halves.
    let groups = (number & 0x0fff_ffff) | ((number & 0x00ff_ffff_f000_0000) << 4);
    let groups = (groups & 0x0000_3fff_0000_3fff) | ((groups & 0x0fff_c000_0fff_c000) << 2);
    let groups = (groups & 0x007f_007f_007f_007f) | ((groups & 0x3f80_3f80_3f80_3f80) << 1);
    let more = 0x8080_8080_8080_8080 & !(u64::MAX << (8 * (length - 1)));
    put_chunk(out, at, &(groups | more).to_le_bytes());
    at + length
}

#[cold]
fn put_long_of_many(out: &mut [u8], at: usize, number: i64) -> usize {
    let mut bytes = Vec::with_capacity(VARINT_MAX);
    write_long(&mut bytes, number);
    out[at..at + bytes.len()].copy_from_slice(&bytes);
    at + bytes.len()
}

/// A length and as many bytes. Inlined everywhere: a call costs as much as what it does.
#[inline(always)]
fn put_bytes(out: &mut [u8], at: usize, offsets: &[i32], data: &[u8], index: usize) -> usize {
    let (start, end) = (offsets[index] as usize, offsets[index + 1] as usize);
    if end - start <= CHUNK_BYTES
        && let Some(chunk) = data.get(start..).and_then(<[u8]>::first_chunk::<CHUNK_BYTES>)
        && let Some([first, space @ ..]) = out.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<HEAD_BYTES>)
    {
        *first = 2 * (end - start) as u8;
        *space = *chunk;
        return at + 1 + (end - start);
    }
    put_long_bytes(out, at, &data[start..end])
}

#[inline(never)]
fn put_long_bytes(out: &mut [u8], at: usize, bytes: &[u8]) -> usize {
    let at = put_long(out, at, bytes.len() as i64);
    out[at..at + bytes.len()].copy_from_slice(bytes);
    at + bytes.len()
}

/// Bytes of the longest number.
const VARINT_MAX: usize = 10;

/// Bytes that are copied at once.
const CHUNK_BYTES: usize = 32;

/// A chunk with its length in front.
const HEAD_BYTES: usize = CHUNK_BYTES + 1;

/// Bytes behind the end of a slot that may be overwritten.
pub(super) const SLACK: usize = CHUNK_BYTES + 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_length_are_written() {
        for shift in 0..64 {
            for number in [1_i64 << shift, -1 << shift, !(-1 << shift), i64::MIN >> shift, i64::MAX >> shift]
            {
                let mut out = [0xaa; 24];
                let end = put_long(&mut out, 3, number);
                let mut expected = Vec::new();
                write_long(&mut expected, number);
                assert_eq!(out[3..end], expected, "{number}");
                let mut out = [0xaa; 24];
                let end = put_int(&mut out, 3, number as i32);
                let mut expected = Vec::new();
                write_long(&mut expected, i64::from(number as i32));
                assert_eq!(out[3..end], expected, "{number}");
            }
        }
    }
}
