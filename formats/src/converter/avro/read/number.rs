//! Columns of numbers, a block at a time.

use super::super::super::registry_framing::leading_varint;
use super::super::fault::Converted;
use super::Cursor;
use super::block::{Block, GivenUp, Lead, Space, chunk};
use super::cursor::unzigzag;

/// Appends a number per row of `block`; answers which rows have one. `quick` reads most numbers from a chunk
/// that is long enough and says how long they are, `read` reads any.
pub(super) fn numbers<'b, T: Default>(
    cells: &mut Vec<T>,
    block: &mut Block<'b>,
    lead: Lead,
    quick: impl Fn(&'b Space, usize, u64) -> Option<(T, usize)>,
    read: impl Fn(&mut Cursor<'b>) -> Converted<T>,
) -> Result<u64, GivenUp> {
    if lead.is_nullable() {
        numbers_of::<T, true>(cells, block, lead, quick, read)
    } else {
        numbers_of::<T, false>(cells, block, lead, quick, read)
    }
}

fn numbers_of<'b, T: Default, const NULLABLE: bool>(
    cells: &mut Vec<T>,
    block: &mut Block<'b>,
    lead: Lead,
    quick: impl Fn(&'b Space, usize, u64) -> Option<(T, usize)>,
    read: impl Fn(&mut Cursor<'b>) -> Converted<T>,
) -> Result<u64, GivenUp> {
    let (mut present, mut wrong) = (0, 0);
    cells.reserve(block.rows());
    block.each(|space, row, at| {
        let (index, mask) = lead.index::<NULLABLE>(row, chunk::<1>(space, *at)[0]);
        if let Some((number, length)) = quick(space, *at + usize::from(NULLABLE), mask) {
            wrong |= index;
            present |= (mask & 1) << row;
            *at += lead.taken::<NULLABLE>(row) + (length & mask as usize);
            cells.push(number);
        } else {
            let number = lead.value(space, row, at, &read)?;
            present |= u64::from(number.is_some()) << row;
            cells.push(number.unwrap_or_default());
        }
        Ok(())
    })?;
    if wrong == 0 { Ok(present) } else { Err(GivenUp) }
}

#[inline]
pub(super) fn some_double(space: &Space, at: usize, mask: u64) -> Option<(f64, usize)> {
    Some((f64::from_bits(u64::from_le_bytes(*chunk(space, at)) & mask), 8))
}

#[inline]
pub(super) fn some_float(space: &Space, at: usize, mask: u64) -> Option<(f32, usize)> {
    Some((f32::from_bits(u32::from_le_bytes(*chunk(space, at)) & mask as u32), 4))
}

#[inline]
pub(super) fn some_int(space: &Space, at: usize, mask: u64) -> Option<(i32, usize)> {
    let (number, length) = leading_varint(chunk::<8>(space, at)).filter(|(_, length)| *length <= 5)?;
    Some((unzigzag(number & mask & 0xffff_ffff) as i32, length))
}

#[inline]
pub(super) fn some_long(space: &Space, at: usize, mask: u64) -> Option<(i64, usize)> {
    let (number, length) = leading_varint(chunk::<8>(space, at))?;
    Some((unzigzag(number & mask), length))
}
