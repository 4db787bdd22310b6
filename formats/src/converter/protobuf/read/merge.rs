//! Messages that come in pieces. Protobuf merges the occurrences of an embedded message, and a piece alone
//! may lack required fields or be no date. A payload that fails for that is put together and read once more.

use super::super::fault::{Converted, malformed};
use super::cursor::Cursor;
use super::message::Target;
use super::{Cells, Column, MessageCells};

/// A field of a payload.
struct Part<'a> {
    number: u32,
    target: Option<&'a Target>,
    /// With its tag; without tag and length when it is an embedded message.
    bytes: Vec<u8>,
    message: Option<&'a Column>,
}

impl MessageCells {
    /// The same payload with one occurrence of each embedded message. Recursion is bounded by the depth of
    /// the schema.
    pub(super) fn merged(&self, payload: &[u8]) -> Converted<Vec<u8>> {
        let mut parts: Vec<Part<'_>> = Vec::new();
        let mut cursor = Cursor::new(payload);
        loop {
            let before = cursor.rest();
            let Some(tag) = cursor.tag()? else { break };
            if tag.wire == 4 {
                return Err(malformed("Protocol message end-group tag did not match expected tag."));
            }
            let found = self.target(tag.number).map(|target| (target, self.column(target)));
            let found = found.filter(|(_, column)| column.is_merged_from(tag.wire));
            let Some((target, column)) = found else {
                cursor.skip(tag)?;
                let bytes = before[..before.len() - cursor.rest().len()].to_vec();
                parts.push(Part { number: tag.number, target: None, bytes, message: None });
                continue;
            };
            parts.retain(|part| part.number == tag.number || !target.is_rival_of(part.target));
            if column.inner_message().is_none() && !column.is_piece() {
                cursor.skip(tag)?;
                let bytes = before[..before.len() - cursor.rest().len()].to_vec();
                parts.push(Part { number: tag.number, target: Some(target), bytes, message: None });
                continue;
            }
            let bytes = cursor.bytes()?;
            let known = parts.iter_mut().find(|part| part.number == tag.number && column.is_piece());
            match known {
                Some(part) => part.bytes.extend_from_slice(bytes),
                None => parts.push(Part {
                    number: tag.number,
                    target: Some(target),
                    bytes: bytes.to_vec(),
                    message: Some(column),
                }),
            }
        }
        let mut out = Vec::with_capacity(payload.len());
        for part in parts {
            let Some(column) = part.message else {
                out.extend_from_slice(&part.bytes);
                continue;
            };
            let bytes = match column.inner_message() {
                Some(message) => message.merged(&part.bytes)?,
                None => part.bytes,
            };
            write_varint(u64::from(part.number) << 3 | 2, &mut out);
            write_varint(bytes.len() as u64, &mut out);
            out.extend_from_slice(&bytes);
        }
        Ok(out)
    }

    fn column(&self, target: &Target) -> &Column {
        let column = &self.columns[target.column];
        match (&column.cells, target.member) {
            (Cells::Union { members, .. }, Some(member)) => &members[member],
            _ => column,
        }
    }
}

impl Target {
    /// Whether the other field is in the same oneof.
    fn is_rival_of(&self, other: Option<&Self>) -> bool {
        let Some(other) = other else { return false };
        let in_union = self.member.is_some() && self.column == other.column;
        in_union || self.rivals.as_ref().is_some_and(|rivals| rivals.contains(&other.column))
    }
}

impl Column {
    /// Whether a field of that wire type is one of this column, map entries apart.
    fn is_merged_from(&self, wire: u8) -> bool {
        match &self.cells {
            Cells::List { item, .. } => wire == 2 && item.wire == 2,
            Cells::Map(_) => false,
            _ => wire == self.wire,
        }
    }

    /// Whether later occurrences add to this one.
    fn is_piece(&self) -> bool {
        let is_message = matches!(
            self.cells,
            Cells::Message(_)
                | Cells::Date { .. }
                | Cells::Decimal { .. }
                | Cells::Time { .. }
                | Cells::Timestamp { .. }
        );
        is_message || self.is_wrapper
    }

    /// The message of the column or of its items.
    fn inner_message(&self) -> Option<&MessageCells> {
        match &self.cells {
            Cells::Message(message) => Some(message),
            Cells::List { item, .. } => item.inner_message(),
            _ => None,
        }
    }
}

fn write_varint(number: u64, out: &mut Vec<u8>) {
    let mut rest = number;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}
