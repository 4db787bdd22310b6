//! Whether bytes are a message at all, whatever its values: asked when a value was refused, since broken
//! bytes behind it are the greater problem.
//!
//! Source: `MessageReflection`, `DynamicMessage#isInitialized` of protobuf-java.

use super::super::fault::{Converted, malformed};
use super::cursor::{Cursor, Tag};
use super::message::missing;
use super::nested::Types;
use super::{Cells, Column, MessageCells};

/// What is checked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whole {
    /// A message with all its fields.
    Message,
    /// What another piece may add to.
    Piece,
}

impl MessageCells {
    /// Passes over a message; a piece of one may lack required fields. Recursion is bounded by the limit of
    /// the cursor.
    ///
    /// # Errors
    /// Those of reading, but for values.
    pub(super) fn check(&self, whole: Whole, cursor: &mut Cursor<'_>) -> Converted<()> {
        let mut is_there = vec![false; self.columns.len()];
        while let Some(tag) = cursor.tag()? {
            match self.target(tag.number) {
                Some(target) => is_there[target.column] |= self.column(target).check(whole, tag, cursor)?,
                None => cursor.skip(tag)?,
            }
        }
        let is_missing = |at: &usize| self.columns[*at].is_required && !is_there[*at];
        let absent = (0..self.columns.len()).filter(|_| whole == Whole::Message).find(is_missing);
        absent.map_or(Ok(()), |at| Err(missing(&self.fields, at)))
    }
}

impl Column {
    /// Passes over a field; false when it is of another wire type.
    pub(super) fn check(&self, whole: Whole, tag: Tag, cursor: &mut Cursor<'_>) -> Converted<bool> {
        let (item, is_list) = match &self.cells {
            Cells::List { item, .. } => (&**item, true),
            _ => (self, false),
        };
        if tag.wire == item.wire && !item.knows(cursor)? {
            return Ok(false);
        }
        if tag.wire == item.wire {
            item.check_value(whole, tag, cursor)?;
        } else if is_list && tag.wire == 2 && item.wire != 2 {
            let after = cursor.enter()?;
            while !cursor.is_empty() {
                cursor.skip(Tag { wire: item.wire, ..tag })?;
            }
            cursor.rewind(after);
        } else {
            cursor.skip(tag)?;
            return Ok(false);
        }
        Ok(true)
    }

    /// Whether an empty message may stand for a value that is not there, as in the entries of maps.
    pub(super) fn check_empty(&self, types: &Types) -> Converted<()> {
        let message = match &self.cells {
            Cells::Message(message) => message,
            Cells::Packed { target, .. } | Cells::Values { target, .. } => types.message(*target),
            _ => return Ok(()),
        };
        let required = message.columns.iter().position(|column| column.is_required);
        required.map_or(Ok(()), |at| Err(missing(&message.fields, at)))
    }

    fn check_value(&self, whole: Whole, tag: Tag, cursor: &mut Cursor<'_>) -> Converted<()> {
        if !self.is_wrapper {
            return self.check_bare(whole, tag, cursor);
        }
        let wire = self.inner_wire();
        inside(cursor, |cursor| {
            while let Some(tag) = cursor.tag()? {
                if (tag.number, tag.wire) == (1, wire) {
                    self.check_bare(whole, tag, cursor)?;
                } else {
                    cursor.skip(tag)?;
                }
            }
            Ok(())
        })
    }

    fn check_bare(&self, whole: Whole, tag: Tag, cursor: &mut Cursor<'_>) -> Converted<()> {
        match &self.cells {
            Cells::Text { strict: true, .. } => {
                let text = std::str::from_utf8(cursor.bytes()?);
                text.map(drop).map_err(|_| malformed("Protocol message had invalid UTF-8."))
            }
            Cells::Message(message) => inside(cursor, |cursor| message.check(whole, cursor)),
            Cells::Packed { target, .. } | Cells::Values { target, .. } => {
                let message = cursor.types().message(*target);
                inside(cursor, |cursor| message.check(whole, cursor))
            }
            Cells::Map(map) => inside(cursor, |cursor| map.check(whole, cursor)),
            Cells::Date { .. } | Cells::Decimal { .. } | Cells::Time { .. } | Cells::Timestamp { .. } => {
                inside(cursor, |cursor| {
                    while let Some(tag) = cursor.tag()? {
                        cursor.skip(tag)?;
                    }
                    Ok(())
                })
            }
            _ => cursor.skip(tag),
        }
    }
}

/// Reads what is inside of a message.
fn inside<'a>(cursor: &mut Cursor<'a>, read: impl FnOnce(&mut Cursor<'a>) -> Converted<()>) -> Converted<()> {
    let after = cursor.enter_message()?;
    read(cursor)?;
    cursor.leave_message(after);
    Ok(())
}
