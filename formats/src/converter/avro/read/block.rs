//! Records side by side: a block of payloads is read column by column.
//!
//! Loops over one column know what they read, and payloads do not wait for each other. The payloads of a
//! block are copied into one space of a fixed size, so that a chunk may be loaded at every place of them.
//! That a payload ended within a value is found at the end, as then its last value ends behind it.
//!
//! A block in which anything is out of the ordinary is given up as a whole and read again payload by payload
//! (`append`), which finds out what is wrong and with which payload.

use super::super::fault::{Converted, Fault};
use super::bits::Bits;
use super::cursor::Budget;
use super::number::{numbers, some_double, some_float, some_int, some_long};
use super::var::{copy, offset};
use super::{Cells, Column, Cursor, Presence};

/// Why a block is not read: any fault, or something that only `append` reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GivenUp;

impl From<Box<Fault>> for GivenUp {
    #[cold]
    fn from(_: Box<Fault>) -> Self {
        Self
    }
}

/// Where payloads are copied to.
pub(in super::super) type Space = [u8; SPACE_BYTES + SPARE_BYTES];

/// A space without payloads.
pub(in super::super) fn space() -> Space {
    [0; SPACE_BYTES + SPARE_BYTES]
}

/// Up to [`BLOCK_ROWS`] payloads that are read side by side.
pub(super) struct Block<'b> {
    space: &'b Space,
    /// Where each row goes on.
    at: [usize; BLOCK_ROWS],
    /// Where the payload of each row ends.
    ends: [usize; BLOCK_ROWS],
    rows: usize,
    /// What all of them together may still take; never more than one of them may.
    budget: Budget,
}

impl<'b> Block<'b> {
    /// A block of as many of `payloads`, which are no more than [`BLOCK_ROWS`], as `space` takes.
    pub(super) fn new(space: &'b mut Space, payloads: &[&[u8]]) -> Self {
        let (mut at, mut ends) = ([0; BLOCK_ROWS], [0; BLOCK_ROWS]);
        let (mut rows, mut start) = (0, 0);
        for payload in payloads {
            let end = start + payload.len();
            if end > SPACE_BYTES {
                break;
            }
            copy(&mut space[start..], payload);
            (at[rows], ends[rows]) = (start, end);
            rows += 1;
            start = end;
        }
        Self { space, at, ends, rows, budget: Budget::of_block() }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// One bit per row.
    pub(super) fn all(&self) -> u64 {
        u64::MAX.checked_shr((BLOCK_ROWS - self.rows) as u32).unwrap_or(0)
    }

    /// Whether no value ended behind its payload.
    pub(super) fn is_sound(&self) -> bool {
        self.at.iter().zip(&self.ends).all(|(at, end)| at <= end)
    }

    /// The rows: where each goes on, which `read` moves on.
    #[inline]
    pub(super) fn each(
        &mut self,
        mut read: impl FnMut(&'b Space, usize, &mut usize) -> Result<(), GivenUp>,
    ) -> Result<(), GivenUp> {
        for (row, at) in self.at[..self.rows].iter_mut().enumerate() {
            read(self.space, row, at)?;
        }
        Ok(())
    }

    /// Reads row `row` on. What follows the payload may be read, too.
    #[inline]
    fn row<T>(
        &mut self,
        row: usize,
        read: impl FnOnce(&mut Cursor<'b>) -> Converted<T>,
    ) -> Result<T, GivenUp> {
        let rest = self.space.get(self.at[row]..).ok_or(GivenUp)?;
        let mut cursor = Cursor::with(rest, self.budget);
        let value = read(&mut cursor)?;
        self.at[row] = self.space.len() - cursor.rest().len();
        self.budget = cursor.budget();
        Ok(value)
    }

    /// Reads what precedes values of one column; answers which rows have one.
    fn presence(&mut self, lead: Lead) -> Result<u64, GivenUp> {
        if !lead.is_nullable() {
            return Ok(lead.live);
        }
        let (mut present, mut wrong) = (0, 0);
        self.each(|space, row, at| {
            let (index, mask) = lead.index::<true>(row, chunk::<1>(space, *at)[0]);
            wrong |= index;
            present |= (mask & 1) << row;
            *at += lead.taken::<true>(row);
            Ok(())
        })?;
        if wrong == 0 { Ok(present) } else { Err(GivenUp) }
    }
}

/// The bytes at `at`; others where it is behind the space, which is found at the end of the block.
#[inline]
pub(super) fn chunk<const N: usize>(space: &Space, at: usize) -> &[u8; N] {
    const { assert!(N <= SPARE_BYTES) };
    space[at % SPACE_BYTES..].first_chunk().expect("the space has spare bytes")
}

/// What precedes the values of a column in the rows of a block.
#[derive(Clone, Copy)]
pub(super) struct Lead {
    /// The rows that have a value or a null; the others are under a null.
    live: u64,
    union: Presence,
    /// The encoded index of the value in a union with null.
    value: u8,
}

impl Lead {
    fn new(union: Presence, live: u64) -> Self {
        Self { live, union, value: if union == (Presence::Nullable { null: 0 }) { 2 } else { 0 } }
    }

    pub(super) fn is_nullable(self) -> bool {
        self.union != Presence::Plain
    }

    #[inline]
    fn is_live(self, row: usize) -> u64 {
        self.live >> row & 1
    }

    /// Bytes that precede the value, or the null, in row `row`.
    #[inline]
    pub(super) fn taken<const NULLABLE: bool>(self, row: usize) -> usize {
        if NULLABLE { self.is_live(row) as usize } else { 0 }
    }

    /// What `index`, the first byte of row `row`, says if the column is nullable: bits that may not be set,
    /// and all bits when there is a value.
    #[inline]
    pub(super) fn index<const NULLABLE: bool>(self, row: usize, index: u8) -> (u8, u64) {
        let live = self.is_live(row);
        if !NULLABLE {
            return (0, live.wrapping_neg());
        }
        let wrong = index & !2 & live.wrapping_neg() as u8;
        (wrong, (u64::from(index == self.value) & live).wrapping_neg())
    }

    /// Reads the value of row `row`, with what precedes it; `None` for a null and under a null.
    pub(super) fn value<'b, T>(
        self,
        space: &'b Space,
        row: usize,
        at: &mut usize,
        read: impl FnOnce(&mut Cursor<'b>) -> Converted<T>,
    ) -> Result<Option<T>, GivenUp> {
        if self.is_live(row) == 0 {
            return Ok(None);
        }
        let mut cursor = Cursor::new(space.get(*at..).ok_or(GivenUp)?);
        let is_null = match self.union {
            Presence::Nullable { null } => cursor.branch(2)? == usize::from(null),
            Presence::Plain | Presence::Single => false,
        };
        let value = if is_null { None } else { Some(read(&mut cursor)?) };
        *at = space.len() - cursor.rest().len();
        Ok(value)
    }
}

impl Column {
    /// Appends the next value of each row of `block` whose bit is set in `live`, and a cell without meaning
    /// for the others. After an error the column has to be truncated.
    pub(super) fn append_block(&mut self, block: &mut Block<'_>, live: u64) -> Result<(), GivenUp> {
        if self.union == Presence::Single {
            return self.append_each(block, live);
        }
        let lead = Lead::new(self.union, live);
        let present = match &mut self.cells {
            Cells::Boolean(cells) => booleans(cells, block, lead)?,
            Cells::Bytes(cells) | Cells::String(cells) => cells.push_block(block, lead)?,
            Cells::Date(cells) | Cells::Int32(cells) => numbers(cells, block, lead, some_int, Cursor::int)?,
            Cells::Double(cells) => numbers(cells, block, lead, some_double, Cursor::double)?,
            Cells::Float(cells) => numbers(cells, block, lead, some_float, Cursor::float)?,
            Cells::Int64(cells) | Cells::Timestamp(cells) => {
                numbers(cells, block, lead, some_long, Cursor::long)?
            }
            Cells::List { offsets, item, .. } => {
                let present = block.presence(lead)?;
                for row in 0..block.rows() {
                    if present >> row & 1 == 1 {
                        block.row(row, |cursor| item.append_items(cursor))?;
                    }
                    offsets.push(offset(item.rows())?);
                }
                present
            }
            Cells::Map(map) => {
                let present = block.presence(lead)?;
                for row in 0..block.rows() {
                    if present >> row & 1 == 1 {
                        block.row(row, |cursor| map.append(cursor))?;
                    } else {
                        map.push_hole();
                    }
                }
                present
            }
            Cells::Struct { columns, rows, .. } => {
                let present = block.presence(lead)?;
                for column in columns {
                    column.append_block(block, present)?;
                }
                *rows += block.rows();
                present
            }
            _ => return self.append_each(block, live),
        };
        if let Some(nulls) = &mut self.nulls {
            nulls.push_word(present, block.rows());
        }
        Ok(())
    }

    /// The same, row by row.
    fn append_each(&mut self, block: &mut Block<'_>, live: u64) -> Result<(), GivenUp> {
        for row in 0..block.rows() {
            if live >> row & 1 == 1 {
                block.row(row, |cursor| self.append(cursor))?;
            } else {
                self.push_hole();
            }
        }
        Ok(())
    }
}

fn booleans(cells: &mut Bits, block: &mut Block<'_>, lead: Lead) -> Result<u64, GivenUp> {
    let (mut present, mut flags, mut wrong) = (0, 0, 0);
    block.each(|space, row, at| {
        let [first, second] = *chunk::<2>(space, *at);
        let (index, mask, flag) = if lead.is_nullable() {
            let (index, mask) = lead.index::<true>(row, first);
            *at += lead.taken::<true>(row);
            (index, mask, second)
        } else {
            (0, lead.is_live(row).wrapping_neg(), first)
        };
        wrong |= index;
        present |= (mask & 1) << row;
        flags |= (u64::from(flag == 1) & mask) << row;
        *at += (mask & 1) as usize;
        Ok(())
    })?;
    cells.push_word(flags, block.rows());
    if wrong == 0 { Ok(present) } else { Err(GivenUp) }
}

/// Payloads that are read side by side.
pub(in super::super) const BLOCK_ROWS: usize = 64;

/// What their bytes may take together; a power of two, so that places are brought into it by a mask.
const SPACE_BYTES: usize = 1 << 15;

/// Bytes behind the space that a chunk may be loaded from.
const SPARE_BYTES: usize = 64;
