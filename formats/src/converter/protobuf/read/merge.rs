//! Messages that come in pieces. Protobuf merges the occurrences of an embedded message, and a piece alone
//! may lack required fields or be no date. A payload that fails for that is put together and read once more.

use std::collections::HashMap;

use super::super::fault::{Converted, malformed};
use super::cursor::Cursor;
use super::message::Target;
use super::nested::Types;
use super::{Cells, Column, MessageCells};

/// A field of a payload.
struct Part<'a> {
    number: u32,
    /// With its tag; without tag and length when it is an embedded message.
    bytes: Vec<u8>,
    message: Option<&'a Column>,
}

/// The fields of a payload in order. What each field is looked up by keeps the work linear in their number.
#[derive(Default)]
struct Parts<'a> {
    /// `None` after a rival in the same oneof.
    listed: Vec<Option<Part<'a>>>,
    /// The part of an embedded message by its field's number.
    messages: HashMap<u32, usize>,
    /// The field that is set in a oneof, and its parts.
    chosen: HashMap<usize, (u32, Vec<usize>)>,
}

impl<'a> Parts<'a> {
    /// Adds a field; `target` is `None` for what nothing reads.
    fn add(&mut self, number: u32, bytes: &[u8], target: Option<&Target>, message: Option<&'a Column>) {
        if let Some(target) = target {
            self.choose(number, target);
        }
        self.listed.push(Some(Part { number, bytes: bytes.to_vec(), message }));
    }

    /// Drops the parts of the other fields of the oneof that `target` is in; the next part is one of its own.
    fn choose(&mut self, number: u32, target: &Target) {
        let Some(oneof) = target.oneof() else { return };
        let (chosen, parts) = self.chosen.entry(oneof).or_default();
        if *chosen != number {
            self.messages.remove(chosen);
            parts.drain(..).for_each(|at| self.listed[at] = None);
            *chosen = number;
        }
        parts.push(self.listed.len());
    }

    /// Adds an occurrence of an embedded message.
    fn merge(&mut self, number: u32, bytes: &[u8], target: &Target, column: &'a Column) {
        if let Some(part) = self.messages.get(&number).and_then(|at| self.listed[*at].as_mut()) {
            part.bytes.extend_from_slice(bytes);
            return;
        }
        self.messages.insert(number, self.listed.len());
        self.add(number, bytes, Some(target), Some(column));
    }
}

impl MessageCells {
    /// The same payload with one occurrence of each embedded message. Recursion is bounded by the depth of
    /// the payload, which has been checked.
    pub(super) fn merged(&self, payload: &[u8], types: &Types) -> Converted<Vec<u8>> {
        let mut parts = Parts::default();
        let mut cursor = Cursor::new(payload, types);
        loop {
            let before = cursor.rest();
            let Some(tag) = cursor.tag()? else { break };
            if tag.wire == 4 {
                return Err(malformed("Protocol message end-group tag did not match expected tag."));
            }
            let found = self.target(tag.number).map(|target| (target, self.column(target)));
            let found = found.filter(|(_, column)| column.is_merged_from(tag.wire));
            match found {
                Some((_, column)) if !column.knows(&mut cursor)? => {
                    let bytes = &before[..before.len() - cursor.rest().len()];
                    parts.add(tag.number, bytes, None, None);
                }
                Some((target, column)) if column.has_pieces(types) => {
                    let bytes = cursor.bytes()?;
                    if column.is_piece() {
                        parts.merge(tag.number, bytes, target, column);
                    } else {
                        parts.add(tag.number, bytes, Some(target), Some(column));
                    }
                }
                found => {
                    cursor.skip(tag)?;
                    let bytes = &before[..before.len() - cursor.rest().len()];
                    parts.add(tag.number, bytes, found.map(|(target, _)| target), None);
                }
            }
        }
        let mut out = Vec::with_capacity(payload.len());
        for part in parts.listed.into_iter().flatten() {
            let Some(column) = part.message else {
                out.extend_from_slice(&part.bytes);
                continue;
            };
            let bytes = match (column.inner_message(types), &column.cells) {
                (Some(message), _) => message.merged(&part.bytes, types)?,
                (None, Cells::Map(map)) => map.merged(&part.bytes, types)?,
                (None, _) => part.bytes,
            };
            write_sized(part.number, &bytes, &mut out);
        }
        Ok(out)
    }

    /// The column of a field.
    pub(super) fn column(&self, target: &Target) -> &Column {
        target.column_of(&self.columns)
    }
}

impl Target {
    /// What fields of the same oneof have in common: a column of theirs.
    fn oneof(&self) -> Option<usize> {
        match (&self.rivals, self.member) {
            (Some(rivals), _) => Some(rivals.start),
            (None, Some(_)) => Some(self.column),
            (None, None) => None,
        }
    }
}

impl Column {
    /// Whether a field of that wire type is one of this column.
    fn is_merged_from(&self, wire: u8) -> bool {
        match &self.cells {
            Cells::List { item, .. } => wire == 2 && item.wire == 2,
            _ => wire == self.wire,
        }
    }

    /// Whether later occurrences add to this one.
    pub(super) fn is_piece(&self) -> bool {
        let is_message = matches!(
            self.cells,
            Cells::Message(_)
                | Cells::Packed { .. }
                | Cells::Values { .. }
                | Cells::Date { .. }
                | Cells::Decimal { .. }
                | Cells::Time { .. }
                | Cells::Timestamp { .. }
        );
        is_message || self.is_wrapper
    }

    /// Whether occurrences of the field, or what is inside of them, are merged.
    fn has_pieces(&self, types: &Types) -> bool {
        self.is_piece() || self.inner_message(types).is_some() || matches!(self.cells, Cells::Map(_))
    }

    /// The message of the column or of its items.
    pub(super) fn inner_message<'a>(&'a self, types: &'a Types) -> Option<&'a MessageCells> {
        match &self.cells {
            Cells::Message(message) => Some(message),
            Cells::List { item, .. } => item.inner_message(types),
            Cells::Packed { target, .. } | Cells::Values { target, .. } => Some(types.message(*target)),
            _ => None,
        }
    }
}

/// Appends a length-delimited field.
pub(super) fn write_sized(number: u32, bytes: &[u8], out: &mut Vec<u8>) {
    write_varint(u64::from(number) << 3 | 2, out);
    write_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn write_varint(number: u64, out: &mut Vec<u8>) {
    let mut rest = number;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}
