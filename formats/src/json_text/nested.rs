//! Columns of structs, lists and maps.

use std::cell::RefCell;
use std::ops::Range;

use super::block::{Block, Lead, SLACK, Text, Written};
use super::cells::{AnyColumn, Cells};
use super::{MapForm, hash, text};
use crate::FormatError;

/// STRUCT. Structs inside that are never null are taken apart: their fields stand among its own.
pub(super) struct Struct<'a> {
    fields: Vec<Field<'a>>,
    /// What stands behind the last field, or everything when there is none.
    close: Text,
    /// Width of everything.
    width: usize,
}

struct Field<'a> {
    /// What stands before the value: braces, comma, name and colon; the last chunk apart.
    before: (Text, Lead),
    column: Box<dyn AnyColumn + 'a>,
}

/// Puts the fields of a [`Struct`] together.
#[derive(Default)]
pub(super) struct StructParts<'a> {
    fields: Vec<Field<'a>>,
    /// What was added since the last field.
    pending: Vec<u8>,
    width: usize,
}

impl<'a> StructParts<'a> {
    /// Adds text between fields.
    pub(super) fn push(&mut self, mark: u8) {
        self.pending.push(mark);
    }

    /// Adds the name of the field `position`.
    pub(super) fn name(&mut self, position: usize, name: &str) {
        if position > 0 {
            self.pending.push(b',');
        }
        text::append_quoted(&mut self.pending, name);
        self.pending.push(b':');
    }

    /// Adds a value.
    pub(super) fn column(&mut self, column: Box<dyn AnyColumn + 'a>) {
        self.width += self.pending.len() + column.width();
        self.fields.push(Field { before: Text::split(&self.pending), column });
        self.pending.clear();
    }

    pub(super) fn finish(self) -> Struct<'a> {
        let width = self.width + self.pending.len();
        Struct { fields: self.fields, close: Text::new(&self.pending), width }
    }
}

impl Cells for Struct<'_> {
    fn width(&self) -> usize {
        self.width
    }

    fn prepare(&mut self, range: Range<usize>) {
        for field in &mut self.fields {
            field.column.prepare(range.clone());
        }
    }

    fn extra(&self, range: Range<usize>) -> usize {
        self.fields.iter().map(|field| field.column.extra(range.clone())).sum()
    }

    fn add_extra(&self, first: usize, rooms: &mut [usize]) {
        for field in &self.fields {
            field.column.add_extra(first, rooms);
        }
    }

    fn value(&self, out: &mut [u8], mut at: usize, index: usize) -> Written {
        for Field { before: (chunks, lead), column } in &self.fields {
            at = chunks.put(out, at);
            at = lead.put(out, at);
            at = column.value(out, at, index)?;
        }
        Ok(self.close.put(out, at))
    }

    fn values(&self, block: &mut Block<'_>, rows: u64, lead: &Lead) {
        let mut outer = Some(*lead);
        for Field { before: (chunks, lead), column } in &self.fields {
            // What stands before the struct goes with what stands before its first field.
            if let Some(outer) = outer.take() {
                if let Some(lead) = outer.joined(lead).filter(|_| chunks.is_empty()) {
                    column.values(block, rows, &lead);
                    continue;
                }
                block.lead(rows, &outer);
            }
            block.put(rows, chunks);
            column.values(block, rows, lead);
        }
        if let Some(outer) = outer {
            block.lead(rows, &outer);
        }
        block.put(rows, &self.close);
    }
}

/// Fields of which one is written; a null when all are null.
pub(super) struct Union<'a> {
    pub(super) fields: Vec<Box<dyn AnyColumn + 'a>>,
    /// Whether it may be null.
    pub(super) is_optional: bool,
}

impl Union<'_> {
    fn chosen(&self, index: usize) -> Option<&dyn AnyColumn> {
        self.fields.iter().find(|field| field.has_value(index)).map(|field| &**field)
    }
}

impl Cells for Union<'_> {
    fn width(&self) -> usize {
        self.fields.iter().map(|field| field.width()).fold(4, usize::max)
    }

    fn prepare(&mut self, range: Range<usize>) {
        for field in &mut self.fields {
            field.prepare(range.clone());
        }
    }

    fn extra(&self, range: Range<usize>) -> usize {
        self.fields.iter().map(|field| field.extra(range.clone())).sum()
    }

    fn value(&self, out: &mut [u8], at: usize, index: usize) -> Written {
        match self.chosen(index) {
            Some(field) => field.value(out, at, index),
            None => Ok(Lead::new(b"null").put(out, at)),
        }
    }

    fn is_absent(&self, index: usize) -> bool {
        self.chosen(index).map_or(!self.is_optional, |field| field.is_absent(index))
    }
}

/// ARRAY.
pub(super) struct List<'a, C> {
    pub(super) offsets: &'a [i32],
    pub(super) items: C,
}

impl<C: Cells> Cells for List<'_, C> {
    fn width(&self) -> usize {
        2
    }

    fn prepare(&mut self, range: Range<usize>) {
        self.items.prepare(inner(self.offsets, range));
    }

    fn extra(&self, range: Range<usize>) -> usize {
        let range = inner(self.offsets, range);
        range.len() * (self.items.width() + 1) + self.items.extra(range)
    }

    #[inline]
    fn value(&self, out: &mut [u8], at: usize, index: usize) -> Written {
        out[at] = b'[';
        let mut at = at + 1;
        let items = inner(self.offsets, index..index + 1);
        let first = items.start;
        for item in items {
            if item > first {
                out[at] = b',';
                at += 1;
            }
            at = self.items.value(out, at, item)?;
        }
        out[at] = b']';
        Ok(at + 1)
    }

    fn hash(&self, index: usize) -> u32 {
        inner(self.offsets, index..index + 1)
            .fold(1, |hash: u32, at| hash.wrapping_mul(31).wrapping_add(self.items.hash(at)))
    }
}

/// MAP. The entries are in the order of Java's `HashMap`.
pub(super) struct Map<'a, K, V> {
    offsets: &'a [i32],
    keys: K,
    values: V,
    /// What stands around the map, before a key, between key and value, and behind the value.
    marks: [Lead; 5],
    /// Bytes of the marks around an entry and the comma.
    entry_bytes: usize,
    known: RefCell<Known>,
}

/// The map that was written last: maps of a column mostly have the same keys.
#[derive(Default)]
struct Known {
    /// Index of the first entry.
    first: usize,
    count: usize,
    /// The order of the entries.
    indices: [u8; ORDERED_MAX],
    /// What stands before the value of each entry, in their order; empty until the keys come again.
    leads: Vec<Text>,
}

impl<'a, K: Cells, V: Cells> Map<'a, K, V> {
    pub(super) fn new(form: MapForm, offsets: &'a [i32], keys: K, values: V) -> Self {
        let [open, before, between, after, close] = form.marks();
        let entry_bytes = before.len() + between.len() + after.len() + 1;
        let marks = [open, before, between, after, close].map(Lead::new);
        Self { offsets, keys, values, marks, entry_bytes, known: RefCell::default() }
    }

    /// Makes `known` that of up to [`ORDERED_MAX`] entries from `first` on.
    fn learn(&self, known: &mut Known, first: usize, count: usize) {
        if known.count == count && self.keys.is_same(known.first, first, count) {
            if known.leads.is_empty() && count > 0 {
                known.leads = self.leads(known, first);
            }
            return;
        }
        known.leads.clear();
        (known.first, known.count) = (first, count);
        let sorted: Result<(), ()> = hash::in_order(
            count,
            |index| self.keys.hash(first + index),
            |position, index| {
                known.indices[position] = index as u8;
                Ok(())
            },
        );
        debug_assert_eq!(sorted, Ok(()), "nothing fails here");
    }

    /// What stands before the values of a map; nothing when a key cannot be written.
    #[cold]
    fn leads(&self, known: &Known, first: usize) -> Vec<Text> {
        let entries = first..first + known.count;
        let room = self.entry_bytes + self.keys.width() + self.keys.extra(entries);
        let mut out = vec![0; room + SLACK];
        let indices = known.indices[..known.count].iter().enumerate();
        let mut text = |(position, index): (usize, &u8)| {
            let end = self.lead(&mut out, 0, position, first + usize::from(*index)).ok()?;
            Some(Text::new(&out[..end]))
        };
        indices.map(&mut text).collect::<Option<_>>().unwrap_or_default()
    }

    /// Writes everything before the value of an entry.
    #[inline]
    fn lead(&self, out: &mut [u8], mut at: usize, position: usize, entry: usize) -> Written {
        let [_, before, between, ..] = &self.marks;
        if position > 0 {
            out[at] = b',';
            at += 1;
        }
        at = before.put(out, at);
        at = self.keys.value(out, at, entry)?;
        Ok(between.put(out, at))
    }

    /// Writes a value and what stands behind it.
    #[inline]
    fn entry_value(&self, out: &mut [u8], at: usize, entry: usize) -> Written {
        let at = self.values.value(out, at, entry)?;
        Ok(self.marks[3].put(out, at))
    }
}

impl<K: Cells, V: Cells> Cells for Map<'_, K, V> {
    fn width(&self) -> usize {
        2
    }

    fn prepare(&mut self, range: Range<usize>) {
        let range = inner(self.offsets, range);
        self.keys.prepare(range.clone());
        self.values.prepare(range);
    }

    fn extra(&self, range: Range<usize>) -> usize {
        let range = inner(self.offsets, range);
        let width = self.keys.width() + self.values.width() + self.entry_bytes;
        range.len() * width + self.keys.extra(range.clone()) + self.values.extra(range)
    }

    fn value(&self, out: &mut [u8], at: usize, index: usize) -> Written {
        let entries = inner(self.offsets, index..index + 1);
        let (first, count) = (entries.start, entries.len());
        let mut at = self.marks[0].put(out, at);
        if count <= ORDERED_MAX {
            let mut known = self.known.borrow_mut();
            self.learn(&mut known, first, count);
            for (position, index) in known.indices[..count].iter().enumerate() {
                let entry = first + usize::from(*index);
                at = match known.leads.get(position) {
                    Some(lead) => lead.put(out, at),
                    None => self.lead(out, at, position, entry)?,
                };
                at = self.entry_value(out, at, entry)?;
            }
        } else {
            hash::in_order(
                count,
                |index| self.keys.hash(first + index),
                |position, index| {
                    at = self.lead(out, at, position, first + index)?;
                    at = self.entry_value(out, at, first + index)?;
                    Ok::<(), Box<FormatError>>(())
                },
            )?;
        }
        Ok(self.marks[4].put(out, at))
    }

    fn hash(&self, index: usize) -> u32 {
        inner(self.offsets, index..index + 1)
            .fold(0, |hash: u32, at| hash.wrapping_add(self.keys.hash(at) ^ self.values.hash(at)))
    }
}

/// The items of the lists in `range`.
fn inner(offsets: &[i32], range: Range<usize>) -> Range<usize> {
    offsets[range.start] as usize..offsets[range.end] as usize
}

/// Entries whose order is kept.
const ORDERED_MAX: usize = 12;
