//! Fields in the order in which writers put them: by number, each once. Such a message is read along its
//! columns, each compared with the next tag; what does not fit is left to the loop that looks tags up.

use super::super::super::registry_framing::leading_varint;
use super::super::fault::Converted;
use super::cells::{Place, offset};
use super::cursor::Cursor;
use super::message::Target;
use super::{Cells, Column, MessageCells, Number, VarCells};

/// A field that may come next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// The tag as it is written, and the bits of two bytes that it takes.
    tag: u16,
    mask: u16,
    tag_bytes: u8,
    /// Index of its target.
    target: u16,
    column: u16,
    /// Whether the value is the column's own, not one of many or of a oneof.
    is_plain: bool,
}

/// The steps of fields, ascending, without those of long tags.
pub(super) fn steps(columns: &[Column], found: &[(u32, Target)]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut by_number: Vec<(usize, &(u32, Target))> = found.iter().enumerate().collect();
    by_number.sort_by_key(|(_, (number, _))| *number);
    for (index, (number, target)) in by_number {
        let column = target.column_of(columns);
        let mut add = |wire: u8| steps.extend(Step::new(*number, wire, index, target));
        match &column.cells {
            Cells::List { item, .. } => {
                add(item.wire);
                if item.wire != 2 {
                    add(2);
                }
            }
            _ => add(column.wire),
        }
    }
    steps
}

impl Step {
    fn new(number: u32, wire: u8, index: usize, target: &Target) -> Option<Self> {
        let tag = u16::try_from(number).ok().filter(|number| *number < 1 << 11)? << 3 | u16::from(wire);
        let is_short = tag < 0x80;
        Some(Self {
            tag: if is_short { tag } else { (tag & 0x7f) | 0x80 | (tag >> 7) << 8 },
            mask: if is_short { 0xff } else { 0xffff },
            tag_bytes: if is_short { 1 } else { 2 },
            target: u16::try_from(index).ok()?,
            column: u16::try_from(target.column).ok()?,
            is_plain: target.is_alone(),
        })
    }

    /// What follows the tag, if it is this one.
    #[inline]
    fn value_of<'a>(&self, fields: &'a [u8]) -> Option<&'a [u8]> {
        let head = u16::from_le_bytes(*fields.first_chunk()?);
        if head & self.mask == self.tag { fields.get(usize::from(self.tag_bytes)..) } else { None }
    }
}

impl MessageCells {
    /// Reads fields into row `row`, which is new in every column, as long as they come in order; answers the
    /// columns that have it, a bit each as far as there are bits.
    #[inline]
    pub(super) fn read_in_order(&mut self, cursor: &mut Cursor<'_>, row: usize) -> Converted<u64> {
        let mut fields = cursor.rest();
        let mut present = 0;
        for at in 0..self.steps.len() {
            let step = self.steps[at];
            let Some(value) = step.value_of(fields) else { continue };
            let column = &mut self.columns[usize::from(step.column)];
            if step.is_plain
                && let Some(after) = column.append_plain(value)
            {
                fields = after;
            } else {
                cursor.rewind(value);
                if !self.append_any(step, cursor, row)? {
                    break;
                }
                fields = cursor.rest();
            }
            let is_present = self.columns[usize::from(step.column)].rows > row;
            present |= u64::from(is_present) << (step.column % 64);
        }
        cursor.rewind(fields);
        Ok(present)
    }

    /// Reads the field at the cursor, and those of the same tag behind it when it is one of many.
    fn append_any(&mut self, step: Step, cursor: &mut Cursor<'_>, row: usize) -> Converted<bool> {
        let wire = (step.tag & 7) as u8;
        let column = &mut self.columns[usize::from(step.column)];
        match &column.cells {
            Cells::List { item, .. } if step.is_plain && wire == item.wire && column.rows == row => {
                column.append_items(step, cursor)?;
            }
            Cells::Map(_) if step.is_plain => column.append_entries(step, cursor, row)?,
            _ => return self.field_of(usize::from(step.target), wire, cursor, row),
        }
        Ok(true)
    }
}

impl Column {
    /// Appends the value of a scalar at the start of `bytes` as a new row, and answers what follows it;
    /// `None` leaves everything as it was: other columns, and values that are long, odd or broken.
    #[inline]
    pub(super) fn append_plain<'a>(&mut self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        if self.is_wrapper {
            return None;
        }
        let rest = match &mut self.cells {
            Cells::Text { cells, .. } => cells.append_ascii(bytes)?,
            Cells::Int64(cells, form) => {
                let (number, rest) = number(*form, bytes)?;
                cells.push(number);
                rest
            }
            Cells::Int32(cells, form) => {
                let (number, rest) = number(*form, bytes)?;
                cells.push(number as i32);
                rest
            }
            Cells::Double(cells) => {
                let (number, rest) = bytes.split_first_chunk()?;
                cells.push(f64::from_le_bytes(*number));
                rest
            }
            Cells::Boolean(cells) => {
                let (number, rest) = short_varint(bytes)?;
                cells.mark(self.rows, number != 0);
                rest
            }
            Cells::Float(cells) => {
                let (number, rest) = bytes.split_first_chunk()?;
                cells.push(f32::from_le_bytes(*number));
                rest
            }
            _ => return None,
        };
        self.rows += 1;
        self.is_set = true;
        Some(rest)
    }

    /// Appends the list whose first item is at the cursor.
    fn append_items(&mut self, step: Step, cursor: &mut Cursor<'_>) -> Converted<()> {
        let Cells::List { offsets, item, .. } = &mut self.cells else { unreachable!("called for lists") };
        loop {
            match item.append_plain(cursor.rest()) {
                Some(after) => cursor.rewind(after),
                None => drop(item.value(cursor, Place::New)?),
            }
            let Some(next) = step.value_of(cursor.rest()) else { break };
            cursor.rewind(next);
        }
        offsets.push(offset(item.rows)?);
        self.did_set(Place::New);
        Ok(())
    }

    /// Appends the map whose first entry is at the cursor.
    fn append_entries(&mut self, step: Step, cursor: &mut Cursor<'_>, row: usize) -> Converted<()> {
        loop {
            self.entry(cursor, row)?;
            let Some(next) = step.value_of(cursor.rest()) else { return Ok(()) };
            cursor.rewind(next);
        }
    }
}

impl VarCells {
    /// Appends a short text at the start of `bytes`, behind its length, that is ASCII; answers what follows.
    #[inline]
    fn append_ascii<'a>(&mut self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let (length, rest) = bytes.split_first()?;
        let length = usize::from(*length);
        let high = HIGH_BITS.get(length)?;
        let Some(chunk) = rest.first_chunk::<CHUNK_BYTES>() else {
            return self.append_last_ascii(rest, length);
        };
        if chunk.iter().zip(high).fold(0, |all, (byte, high)| all | (byte & high)) != 0 {
            return None;
        }
        let end = self.data.len() + length;
        let until = i32::try_from(end).ok()?;
        // A chunk of a fixed length needs no call.
        self.data.extend_from_slice(chunk);
        self.data.truncate(end);
        self.offsets.push(until);
        Some(&rest[length..])
    }

    /// As [`VarCells::append_ascii`], of a text close to the end of a payload.
    fn append_last_ascii<'a>(&mut self, bytes: &'a [u8], length: usize) -> Option<&'a [u8]> {
        let (text, rest) = bytes.split_at_checked(length).filter(|(text, _)| text.is_ascii())?;
        let until = i32::try_from(self.data.len() + length).ok()?;
        self.data.extend_from_slice(text);
        self.offsets.push(until);
        Some(rest)
    }
}

/// A whole number that is written as `form`, as [`Cursor::number`] reads it.
#[inline]
fn number(form: Number, bytes: &[u8]) -> Option<(i64, &[u8])> {
    Some(match form {
        Number::Varint => {
            let (number, rest) = short_varint(bytes)?;
            (number.cast_signed(), rest)
        }
        _ => return None,
    })
}

#[inline]
fn short_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    if *first < 0x80 {
        return Some((u64::from(*first), rest));
    }
    let (number, length) = leading_varint(bytes)?;
    Some((number, bytes.get(length..)?))
}

/// Texts up to this length are appended without a call.
const CHUNK_BYTES: usize = 32;

/// The bits that a byte beyond ASCII has, in as many bytes as a text is long.
const HIGH_BITS: [[u8; CHUNK_BYTES]; CHUNK_BYTES + 1] = {
    let mut all = [[0; CHUNK_BYTES]; CHUNK_BYTES + 1];
    let mut length = 0;
    while length <= CHUNK_BYTES {
        let mut at = 0;
        while at < length {
            all[length][at] = 0x80;
            at += 1;
        }
        length += 1;
    }
    all
};
