//! Maps: Avro's own and arrays of entries. Of entries with one key the last one counts, as in a `HashMap`.

use std::collections::HashSet;

use arrow_schema::FieldRef;

use super::super::fault::{Converted, data};
use super::var::{last, offset};
use super::{Cells, Column, Cursor, Presence};

/// Keys and values of maps.
pub(super) struct MapCells {
    pub(super) offsets: Vec<i32>,
    pub(super) key: Column,
    pub(super) value: Column,
    /// Entries are records whose fields stand in the other order.
    value_first: bool,
    pub(super) field: FieldRef,
    bytes_min: usize,
    /// Keys and values are texts that are never null.
    is_of_texts: bool,
}

impl MapCells {
    pub(super) fn new(key: Column, value: Column, value_first: bool, field: FieldRef) -> Self {
        let bytes_min = key.bytes_min.saturating_add(value.bytes_min);
        let is_text = |column: &Column| {
            let is_bare = column.union == Presence::Plain && column.nulls.is_none();
            is_bare && matches!(column.cells, Cells::String(_))
        };
        let is_of_texts = !value_first && is_text(&key) && is_text(&value);
        Self { offsets: vec![0], key, value, value_first, field, bytes_min, is_of_texts }
    }

    /// Appends the map at the cursor.
    pub(super) fn append(&mut self, cursor: &mut Cursor<'_>) -> Converted<()> {
        let start = cursor.rest();
        let first = self.key.rows();
        let mut keys = KeySet::default();
        let mut unique = true;
        loop {
            let count = cursor.block(self.bytes_min)?;
            if count == 0 {
                break;
            }
            for _ in 0..count {
                let key = self.append_entry(cursor)?;
                unique &= keys.insert(key);
            }
        }
        if !unique {
            cursor.rewind(start);
            self.key.truncate(first);
            self.value.truncate(first);
            self.append_last_of_each(cursor)?;
        }
        self.offsets.push(offset(self.key.rows())?);
        Ok(())
    }

    /// Appends an entry and answers the bytes of its key.
    #[inline]
    fn append_entry<'a>(&mut self, cursor: &mut Cursor<'a>) -> Converted<&'a [u8]> {
        if let (Cells::String(keys), Cells::String(values)) = (&mut self.key.cells, &mut self.value.cells)
            && self.is_of_texts
        {
            let before = cursor.rest();
            keys.push_next(cursor)?;
            let key = &before[..before.len() - cursor.rest().len()];
            values.push_next(cursor)?;
            return Ok(key);
        }
        if self.value_first {
            self.value.append(cursor)?;
        }
        let before = cursor.rest();
        self.key.append(cursor)?;
        let key = &before[..before.len() - cursor.rest().len()];
        if self.key.nulls.as_ref().is_some_and(|nulls| !nulls.last()) {
            return Err(data("A map has null as a key, which columns cannot hold"));
        }
        if !self.value_first {
            self.value.append(cursor)?;
        }
        Ok(key)
    }

    /// Reads a map in which keys repeat: an entry goes when its key comes again.
    #[cold]
    fn append_last_of_each(&mut self, cursor: &mut Cursor<'_>) -> Converted<()> {
        let start = cursor.rest();
        let first = self.key.rows();
        let mut keys = Vec::new();
        self.each_entry(cursor, |map, key| {
            keys.push(key);
            map.key.truncate(first);
            map.value.truncate(first);
        })?;
        let mut seen = HashSet::new();
        let mut kept: Vec<bool> = keys.iter().rev().map(|key| seen.insert(*key)).collect();
        kept.reverse();
        cursor.rewind(start);
        let mut entries = kept.into_iter();
        self.each_entry(cursor, |map, _| {
            if entries.next() == Some(false) {
                let rows = map.key.rows() - 1;
                map.key.truncate(rows);
                map.value.truncate(rows);
            }
        })
    }

    fn each_entry<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        mut then: impl FnMut(&mut Self, &'a [u8]),
    ) -> Converted<()> {
        loop {
            let count = cursor.block(self.bytes_min)?;
            if count == 0 {
                return Ok(());
            }
            for _ in 0..count {
                let key = self.append_entry(cursor)?;
                then(self, key);
            }
        }
    }

    pub(super) fn push_hole(&mut self) {
        self.offsets.push(self.offsets[self.offsets.len() - 1]);
    }

    pub(super) fn rows(&self) -> usize {
        self.offsets.len() - 1
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        self.offsets.truncate(rows + 1);
        let entries = last(&self.offsets);
        self.key.truncate(entries);
        self.value.truncate(entries);
    }
}

/// Keys seen so far: most maps are small, and need neither memory nor hashing.
#[derive(Default)]
struct KeySet<'a> {
    few: [&'a [u8]; FEW],
    count: usize,
    many: Option<HashSet<&'a [u8]>>,
}

impl<'a> KeySet<'a> {
    #[inline]
    fn insert(&mut self, key: &'a [u8]) -> bool {
        let Some((next, others)) = self.few[..=self.count.min(FEW - 1)].split_last_mut() else { return true };
        if self.count < FEW {
            *next = key;
            self.count += 1;
            return !others.contains(&key);
        }
        self.insert_of_many(key)
    }

    #[cold]
    fn insert_of_many(&mut self, key: &'a [u8]) -> bool {
        let few = self.few;
        self.many.get_or_insert_with(|| few.into_iter().collect()).insert(key)
    }
}

/// Up to this many keys are compared one by one.
const FEW: usize = 12;
