//! Maps: entry messages, of which the last one with a key counts, as in a `HashMap`.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::FieldRef;
use lakeward_api::batch::Values;
use lakeward_api::schema::Schema;
use lakeward_api::value::Value;

use super::super::fault::{Converted, malformed};
use super::cells::{Place, last, offset};
use super::check::Whole;
use super::cursor::Cursor;
use super::merge::write_sized;
use super::nested::Types;
use super::{Cells, Column};

/// Keys and values of maps.
#[derive(Clone)]
pub(super) struct MapCells {
    pub(super) offsets: Vec<i32>,
    key: Column,
    value: Column,
    schemas: [Arc<Schema>; 2],
    pub(super) field: FieldRef,
    /// Entries that a later one replaces, ascending; they are left out at the end.
    replaced: Vec<u32>,
}

/// A key, for comparisons.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key<'a> {
    Bytes(&'a [u8]),
    Number(i64),
}

impl MapCells {
    pub(super) fn new(key: Column, value: Column, schemas: [Arc<Schema>; 2], field: FieldRef) -> Self {
        Self { offsets: vec![0], key, value, schemas, field, replaced: Vec::new() }
    }

    /// Appends the entry at the cursor, up to its end.
    fn append(&mut self, cursor: &mut Cursor<'_>) -> Converted<()> {
        let row = self.key.rows;
        // Most entries are a key and a value, in that order.
        for (column, number) in [(&mut self.key, 1), (&mut self.value, 2)] {
            if let [tag, value @ ..] = cursor.rest()
                && *tag == number << 3 | column.wire
                && let Some(after) = column.append_plain(value)
            {
                cursor.rewind(after);
            }
        }
        while let Some(tag) = cursor.tag()? {
            let is_known = match tag.number {
                _ if tag.wire == 4 => {
                    return Err(malformed("Protocol message end-group tag did not match expected tag."));
                }
                1 => self.key.field(tag.wire, cursor, row)?,
                2 => self.value.field(tag.wire, cursor, row)?,
                _ => false,
            };
            if !is_known {
                cursor.skip(tag)?;
            }
        }
        for column in [&mut self.key, &mut self.value] {
            if column.rows == row {
                column.check_empty(cursor.types())?;
                column.push_default(cursor)?;
            }
        }
        cursor.spend(self.value.width)
    }

    /// Passes over an entry up to its end.
    pub(super) fn check(&self, whole: Whole, cursor: &mut Cursor<'_>) -> Converted<()> {
        let mut has_value = false;
        while let Some(tag) = cursor.tag()? {
            match tag.number {
                1 => drop(self.key.check(whole, tag, cursor)?),
                2 => has_value |= self.value.check(whole, tag, cursor)?,
                _ => cursor.skip(tag)?,
            }
        }
        if has_value || whole == Whole::Piece { Ok(()) } else { self.value.check_empty(cursor.types()) }
    }

    /// An entry with one occurrence of its value, when that is a message: see [`super::merge`].
    pub(super) fn merged(&self, entry: &[u8], types: &Types) -> Converted<Vec<u8>> {
        let mut cursor = Cursor::new(entry, types);
        let (mut out, mut value) = (Vec::with_capacity(entry.len()), None::<Vec<u8>>);
        loop {
            let before = cursor.rest();
            let Some(tag) = cursor.tag()? else { break };
            if (tag.number, tag.wire) == (2, 2) && self.value.is_piece() {
                value.get_or_insert_default().extend_from_slice(cursor.bytes()?);
            } else {
                cursor.skip(tag)?;
                out.extend_from_slice(&before[..before.len() - cursor.rest().len()]);
            }
        }
        if let Some(value) = value {
            let value = match self.value.inner_message(types) {
                Some(message) => message.merged(&value, types)?,
                None => value,
            };
            write_sized(2, &value, &mut out);
        }
        Ok(out)
    }

    /// Finds entries of the last map whose keys come again.
    pub(super) fn close(&mut self) {
        let [.., first, end] = self.offsets.as_slice() else { return };
        let (first, end) = (*first as usize, *end as usize);
        if end - first < 2 {
            return;
        }
        // Most maps are small, and need no hashing.
        let mut replaced = Vec::new();
        if end - first <= FEW {
            for at in first..end {
                let key = self.key.key(at);
                if (at + 1..end).any(|later| self.key.key(later) == key) {
                    replaced.push(at as u32);
                }
            }
        } else {
            let mut seen = HashSet::new();
            let keys = (first..end).rev().filter(|at| !seen.insert(self.key.key(*at)));
            replaced.extend(keys.map(|at| at as u32));
            replaced.reverse();
        }
        self.replaced.truncate(self.replaced.partition_point(|at| (*at as usize) < first));
        self.replaced.extend(replaced);
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        self.offsets.truncate(rows + 1);
        let entries = last(&self.offsets);
        self.key.truncate(entries);
        self.value.truncate(entries);
        self.replaced.truncate(self.replaced.partition_point(|at| (*at as usize) < entries));
    }

    /// Keys and values.
    pub(super) fn columns_mut(&mut self) -> [&mut Column; 2] {
        [&mut self.key, &mut self.value]
    }

    /// The entries of row `row`.
    pub(super) fn take_entries(&mut self, row: usize) -> Vec<(Value, Value)> {
        let entries = self.offsets[row] as usize..self.offsets[row + 1] as usize;
        let replaced = &self.replaced;
        let kept = entries.filter(|at| replaced.binary_search(&(*at as u32)).is_err());
        kept.map(|at| (self.key.take_value(at), self.value.take_value(at))).collect()
    }

    /// Takes offsets, keys and values.
    pub(super) fn finish(&mut self) -> (Vec<i32>, ArrayRef, ArrayRef) {
        let entries = self.key.rows;
        let (key, value) = (self.key.finish(), self.value.finish());
        let mut offsets = std::mem::replace(&mut self.offsets, vec![0]);
        let replaced = std::mem::take(&mut self.replaced);
        if replaced.is_empty() {
            return (offsets, key, value);
        }
        let is_kept = |at: &u32| replaced.binary_search(at).is_err();
        let kept: Vec<u32> = (0..u32::try_from(entries).unwrap_or(u32::MAX)).filter(is_kept).collect();
        for offset in &mut offsets {
            *offset -= replaced.partition_point(|at| *at < offset.cast_unsigned()) as i32;
        }
        let take = |schema: &Arc<Schema>, array: ArrayRef| {
            let all = Values::Typed { schema: Arc::clone(schema), array };
            match all.take(&kept) {
                Ok(Values::Typed { array, .. }) => array,
                _ => unreachable!("fewer rows than before fit their columns"),
            }
        };
        (offsets, take(&self.schemas[0], key), take(&self.schemas[1], value))
    }
}

impl Column {
    /// Reads a map entry into row `row`.
    pub(super) fn entry(&mut self, cursor: &mut Cursor<'_>, row: usize) -> Converted<bool> {
        let Cells::Map(map) = &mut self.cells else { unreachable!("called for maps") };
        let after = cursor.enter_message()?;
        map.append(cursor)?;
        cursor.leave_message(after);
        let end = offset(map.key.rows)?;
        if self.rows == row {
            map.offsets.push(end);
            self.did_set(Place::New);
        } else {
            if let Some(last) = map.offsets.last_mut() {
                *last = end;
            }
            self.did_set(Place::Last);
        }
        Ok(true)
    }

    fn key(&self, row: usize) -> Key<'_> {
        match &self.cells {
            Cells::Bytes(cells)
            | Cells::Decimal { cells, .. }
            | Cells::EnumText { cells, .. }
            | Cells::Text { cells, .. } => Key::Bytes(cells.cell(row)),
            Cells::Boolean(cells) => Key::Number(i64::from(cells.is_marked(row))),
            Cells::Date { cells, .. }
            | Cells::EnumNumber { cells, .. }
            | Cells::Int32(cells, _)
            | Cells::Time { cells, .. } => Key::Number(i64::from(cells[row])),
            Cells::Double(cells) => Key::Number(canonical(cells[row])),
            Cells::Float(cells) => Key::Number(canonical(f64::from(cells[row]))),
            Cells::Int16(cells, _) => Key::Number(i64::from(cells[row])),
            Cells::Int64(cells, _) | Cells::Timestamp { cells, .. } => Key::Number(cells[row]),
            Cells::Int8(cells, _) => Key::Number(i64::from(cells[row])),
            _ => unreachable!("keys are scalars"),
        }
    }
}

/// The bits by which Java compares: every NaN is one.
fn canonical(number: f64) -> i64 {
    let number = if number.is_nan() { f64::NAN } else { number };
    number.to_bits().cast_signed()
}

/// Up to this many keys are compared one by one.
const FEW: usize = 12;
