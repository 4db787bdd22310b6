//! What objects look like: which members come in which order, and how they are spelled up to their values.
//!
//! A layout is learned from a record that was read in the general way. A member that is not there is passed
//! over; one that no record had so far, or another order, makes a record go the general way once more.

use std::collections::HashSet;

use super::super::cursor::Cursor;
use super::super::fault::{Parsed, syntax};
use super::super::lead::Lead;
use super::block::{Block, Scan};
use super::record::Record;
use super::{Cells, Column};

/// How the objects of a STRUCT column are spelled.
#[derive(Debug, Default)]
pub(super) struct Layout {
    steps: Vec<Step>,
    /// Fields that no object named.
    absent: Vec<usize>,
    /// The end of an object; `None` as long as nothing is known.
    close: Option<Lead>,
}

/// A member.
#[derive(Clone, Debug)]
struct Step {
    name: Box<[u8]>,
    /// The field; `None` when the schema does not know it.
    field: Option<usize>,
    /// What stands before its value, from the end of the value before.
    lead: Lead,
}

impl Column {
    /// Learns from the value at the cursor, which was read before. Recursion is bounded by the depth of the
    /// schema.
    pub(in super::super) fn learn(&mut self, cursor: &mut Cursor<'_>) -> Parsed<()> {
        match (&mut self.cells, cursor.token()) {
            (Cells::Struct(record), b'{') => record.learn(cursor),
            (Cells::List { item, .. }, b'[') if item.has_layout() => {
                let mut more = cursor.enter(b']');
                let mut items = 0;
                while more {
                    if items < ITEMS_MAX {
                        item.learn(cursor)?
                    } else {
                        cursor.skip_value()?
                    }
                    items += 1;
                    more = cursor.has_more(b']')?;
                }
                Ok(())
            }
            (Cells::Map { entries, .. }, b'{') if entries.1.has_layout() => {
                let mut more = cursor.enter(b'}');
                let mut items = 0;
                while more {
                    cursor.member_name()?;
                    if items < ITEMS_MAX {
                        entries.1.learn(cursor)?
                    } else {
                        cursor.skip_value()?
                    }
                    items += 1;
                    more = cursor.has_more(b'}')?;
                }
                Ok(())
            }
            _ => cursor.skip_value(),
        }
    }

    /// Whether there is a STRUCT in every value.
    fn has_layout(&self) -> bool {
        match &self.cells {
            Cells::List { item, .. } => item.has_layout(),
            Cells::Map { entries, .. } => entries.1.has_layout(),
            Cells::Struct(_) => true,
            _ => false,
        }
    }

    /// [`Column::fill`] of a STRUCT.
    pub(super) fn fill_struct(&mut self, block: &mut Block<'_>, lead: &Lead, live: u64) {
        let stays_null = self.keeps_null(block.reading);
        let Cells::Struct(record) = &mut self.cells else { unreachable!("only called for structs") };
        let mut objects = 0;
        for row in 0..block.rows {
            if live >> row & 1 == 0 {
                self.nulls.push(record.rows + row);
                continue;
            }
            let value = block.value_at(lead, row);
            let text = value.map_or(&b"null"[..], |value| &block.text[value..]);
            match (text.first(), value) {
                (Some(b'{'), Some(value)) => {
                    (block.at[row], block.opened[row]) = (value, value);
                    objects |= 1 << row;
                }
                _ if stays_null && text.starts_with(b"null") => {
                    self.nulls.push(record.rows + row);
                    block.at[row] = value.map_or(block.at[row], |value| value + 4);
                }
                _ => {
                    block.rows = row;
                    break;
                }
            }
        }
        record.fill(block, objects);
    }
}

impl Record {
    /// Appends a row per record of `block`: the object that starts here where `objects` has a bit, else a
    /// hole.
    fn fill(&mut self, block: &mut Block<'_>, mut objects: u64) {
        if self.layout.close.is_none() {
            block.rows = block.rows.min(objects.trailing_zeros() as usize);
            objects = 0;
        }
        let Layout { steps, absent, close } = &self.layout;
        for Step { field, lead, .. } in steps {
            match field {
                Some(field) => self.fields[*field].column.fill(block, lead, objects),
                None => skip(block, lead, objects),
            }
        }
        for &field in absent {
            let column = &mut self.fields[field].column;
            for row in 0..block.rows {
                if objects >> row & 1 == 0 {
                    column.push_hole();
                } else if column.append_absent(block.reading).is_err() {
                    block.rows = row;
                    break;
                }
            }
        }
        if steps.is_empty() && absent.is_empty() {
            // Nothing is known: all rows are holes.
            for field in &mut self.fields {
                (0..block.rows).for_each(|_| field.column.push_hole());
            }
        }
        if let Some(close) = close {
            for row in 0..block.rows {
                if objects >> row & 1 == 0 {
                    continue;
                }
                match end(close, block.text, block.at[row], block.opened[row]) {
                    Some(end) => block.at[row] = end,
                    None => {
                        block.rows = row;
                        break;
                    }
                }
            }
        }
        self.rows += block.rows;
    }

    /// Appends the object at `at`.
    pub(super) fn quick(&mut self, text: &[u8], at: usize, scan: &mut Scan<'_>) -> Option<usize> {
        let Layout { steps, absent, close } = &self.layout;
        let close = close.as_ref()?;
        let mut next = at;
        for Step { field, lead, .. } in steps {
            let value = lead.end(text, next).or_else(|| {
                let (b',', rest) = lead.spelling().split_first()? else { return None };
                (next == at && text[at + 1..].starts_with(rest)).then_some(at + 1 + rest.len())
            });
            match (value, field) {
                (Some(value), Some(field)) => {
                    next = self.fields[*field].column.quick(text, value, scan)?;
                }
                (Some(value), None) => next = scan.general(text, value, |cursor| cursor.skip_value())?,
                (None, Some(field)) => self.fields[*field].column.append_absent(scan.reading).ok()?,
                (None, None) => {}
            }
        }
        for field in absent {
            self.fields[*field].column.append_absent(scan.reading).ok()?;
        }
        let end = end(close, text, next, at)?;
        self.rows += 1;
        Some(end)
    }

    /// Learns from the object at the cursor.
    fn learn(&mut self, cursor: &mut Cursor<'_>) -> Parsed<()> {
        let mut steps: Vec<Step> = Vec::new();
        let mut names = HashSet::new();
        let mut from = cursor.pos;
        let mut more = cursor.enter(b'}');
        while more {
            let name = cursor.member_name()?.resolved();
            let field = self.index.get(&*name).copied();
            cursor.token();
            let lead = Lead::of(&cursor.bytes[from..cursor.pos]);
            let is_repeated = !names.insert(name.clone());
            steps.push(Step { name: name.into(), field, lead });
            match field.and_then(|field| self.fields.get_mut(field)) {
                Some(field) => field.column.learn(cursor)?,
                None => cursor.skip_value()?,
            }
            from = cursor.pos;
            more = cursor.has_more(b'}')?;
            if is_repeated || steps.len() > STEPS_MAX {
                return Err(syntax("an object that is not worth learning", from));
            }
        }
        if !steps.is_empty() {
            self.layout.close = Some(Lead::of(&cursor.bytes[from..cursor.pos]));
            self.layout.merge(steps, self.fields.len());
        }
        Ok(())
    }
}

impl Layout {
    /// Takes over the members of an object; those that it does not have stay behind those that stood before
    /// them.
    fn merge(&mut self, members: Vec<Step>, fields: usize) {
        let is_known = |(known, step): (&Step, &Step)| known.name == step.name;
        if members.len() == self.steps.len() && self.steps.iter().zip(&members).all(is_known) {
            self.steps = members;
            return;
        }
        let mut known = std::mem::replace(&mut self.steps, members);
        if known.len() > STEPS_MAX {
            known.clear();
        }
        let strangers = known.iter().filter(|step| step.field.is_none()).count();
        let mut before = None;
        for step in known {
            if step.field.is_none() && strangers > STRANGERS_MAX {
                continue;
            }
            let place = self.place(&step.name).unwrap_or_else(|| {
                let place = before.map_or(0, |before| before + 1);
                self.steps.insert(place, step);
                place
            });
            before = Some(place);
        }
        // Only the first member stands behind a brace.
        for (at, step) in self.steps.iter_mut().enumerate() {
            if let [b'{' | b',', rest @ ..] = step.lead.spelling() {
                let mark = if at == 0 { b"{" } else { b"," };
                step.lead = Lead::of(&[mark, rest].concat());
            }
        }
        let named: HashSet<usize> = self.steps.iter().filter_map(|step| step.field).collect();
        self.absent = (0..fields).filter(|field| !named.contains(field)).collect();
    }

    fn place(&self, name: &[u8]) -> Option<usize> {
        self.steps.iter().position(|step| *step.name == *name)
    }
}

/// Where the object ends that began at `opened` and goes on at `at`; it may have no member at all.
#[inline]
fn end(close: &Lead, text: &[u8], at: usize, opened: usize) -> Option<usize> {
    let is_empty = || at == opened && text[at + 1] == b'}';
    close.end(text, at).or_else(|| is_empty().then_some(at + 2))
}

/// Passes the member behind `lead`, which is no field.
fn skip(block: &mut Block<'_>, lead: &Lead, objects: u64) {
    for row in 0..block.rows {
        if objects >> row & 1 == 0 {
            continue;
        }
        let Some(value) = block.value_at(lead, row) else { continue };
        let text = block.text;
        match block.scan(row).general(text, value, |cursor| cursor.skip_value()) {
            Some(end) => block.at[row] = end,
            None => {
                block.rows = row;
                return;
            }
        }
    }
}

/// Members whose spelling is kept; hostile records may have many more.
const STEPS_MAX: usize = 512;

/// Members without a field whose spelling is kept although an object does not have them.
const STRANGERS_MAX: usize = 32;

/// Items of a list or map that are learned from.
const ITEMS_MAX: usize = 4;
