//! The inner loop: one field into its column.

use super::super::super::utf8;
use super::super::fault::{Converted, malformed};
use super::cells::{Place, offset, put};
use super::cursor::Cursor;
use super::message::Closing;
use super::{Cells, Column, Names};

impl Column {
    /// Appends the whole payload as row `row`.
    pub(super) fn append_root(&mut self, cursor: &mut Cursor<'_>, row: usize) -> Converted<()> {
        match &mut self.cells {
            Cells::Message(message) => {
                message.append(cursor, row)?;
                self.did_set(Place::New);
                Ok(())
            }
            _ => self.unwrap(cursor, Place::New).map(drop),
        }
    }

    /// Reads a field into row `row`, which may be there already; false when the wire type is another one.
    /// A number that a closed enum does not have is passed over.
    #[inline]
    pub(super) fn field(&mut self, wire: u8, cursor: &mut Cursor<'_>, row: usize) -> Converted<bool> {
        match &self.cells {
            Cells::List { .. } => self.items(wire, cursor, row),
            Cells::Map(_) if wire == 2 => self.entry(cursor, row),
            _ if wire == self.wire => {
                let place = if self.rows > row { Place::Last } else { Place::New };
                self.value(cursor, place)
            }
            _ => Ok(false),
        }
    }

    /// Reads a value.
    #[inline]
    pub(super) fn value(&mut self, cursor: &mut Cursor<'_>, place: Place) -> Converted<bool> {
        if self.is_wrapper {
            let after = cursor.enter_message()?;
            self.unwrap(cursor, place)?;
            cursor.leave_message(after);
            return Ok(true);
        }
        self.put(cursor, place)
    }

    #[inline]
    fn put(&mut self, cursor: &mut Cursor<'_>, place: Place) -> Converted<bool> {
        match &mut self.cells {
            Cells::Text { cells, strict } => put_text(cells, cursor.bytes()?, *strict, place)?,
            Cells::Int64(cells, form) => put(cells, cursor.number(*form)?, place),
            // Java keeps the low bits, too.
            Cells::Int32(cells, form) => put(cells, cursor.number(*form)? as i32, place),
            Cells::Double(cells) => put(cells, f64::from_le_bytes(cursor.array()?), place),
            Cells::Boolean(cells) => {
                let row = self.rows - usize::from(place == Place::Last);
                let is_true = cursor.varint()? != 0;
                cells.truncate(row);
                cells.mark(row, is_true);
            }
            Cells::Message(_) => return self.merge(cursor, place).map(|()| true),
            Cells::EnumText { cells, names } => {
                let number = cursor.varint()? as i32;
                match names.name(number) {
                    Some(name) => cells.put(name, place)?,
                    None if names.is_closed => return Ok(true),
                    None => cells.put(names.unknown(number).as_bytes(), place)?,
                }
            }
            Cells::EnumNumber { cells, names } => {
                let number = cursor.varint()? as i32;
                if names.is_closed && names.name(number).is_none() {
                    return Ok(true);
                }
                put(cells, number, place);
            }
            Cells::Float(cells) => put(cells, f32::from_le_bytes(cursor.array()?), place),
            Cells::Bytes(cells) => cells.put(cursor.bytes()?, place)?,
            Cells::Date { .. } | Cells::Decimal { .. } | Cells::Time { .. } | Cells::Timestamp { .. } => {
                let after = cursor.enter_message()?;
                self.put_logical(cursor, place)?;
                cursor.leave_message(after);
            }
            Cells::Packed { .. } | Cells::Values { .. } => self.put_nested(cursor, place)?,
            Cells::Int16(cells, form) => put(cells, cursor.number(*form)? as i16, place),
            Cells::Int8(cells, form) => put(cells, cursor.number(*form)? as i8, place),
            Cells::List { .. } | Cells::Map(_) | Cells::Union { .. } => return Ok(false),
        }
        self.did_set(place);
        Ok(true)
    }

    /// Marks the row that was written as one with a value.
    #[inline]
    pub(super) fn did_set(&mut self, place: Place) {
        match place {
            Place::New => self.rows += 1,
            Place::Last if !self.is_set => {
                if let Some(nulls) = &mut self.nulls {
                    nulls.truncate(self.rows - 1);
                }
            }
            Place::Last => {}
        }
        self.is_set = true;
    }

    /// Reads the wrapper message at the cursor, up to its end.
    fn unwrap(&mut self, cursor: &mut Cursor<'_>, place: Place) -> Converted<bool> {
        let mut place = place;
        if place == Place::New || !self.is_set {
            let row = self.rows - usize::from(place == Place::Last);
            self.truncate(row);
            self.push_default(cursor)?;
            self.is_set = true;
            place = Place::Last;
        }
        let wire = self.inner_wire();
        while let Some(tag) = cursor.tag()? {
            if (tag.number, tag.wire) != (1, wire) || !self.put(cursor, place)? {
                cursor.skip(tag)?;
            }
        }
        Ok(true)
    }

    /// Reads a message into a new row or, as Protobuf merges messages, into the last one.
    fn merge(&mut self, cursor: &mut Cursor<'_>, place: Place) -> Converted<()> {
        let mut place = place;
        if place == Place::Last && !self.is_set {
            self.truncate(self.rows - 1);
            place = Place::New;
        }
        let row = self.rows - usize::from(place == Place::Last);
        let Cells::Message(message) = &mut self.cells else { unreachable!("called for messages") };
        let after = cursor.enter_message()?;
        if place == Place::New {
            message.append(cursor, row)?;
        } else {
            message.read(cursor, row)?;
            cursor.spend(message.width)?;
            message.close(row, Closing::Read, cursor)?;
        }
        cursor.leave_message(after);
        self.did_set(place);
        Ok(())
    }

    fn items(&mut self, wire: u8, cursor: &mut Cursor<'_>, row: usize) -> Converted<bool> {
        let is_new = self.rows == row;
        let Cells::List { offsets, item, .. } = &mut self.cells else { unreachable!("called for lists") };
        if wire == item.wire {
            item.value(cursor, Place::New)?;
        } else if wire == 2 && item.wire != 2 {
            let after = cursor.enter()?;
            while !cursor.is_empty() {
                item.value(cursor, Place::New)?;
            }
            cursor.rewind(after);
        } else {
            return Ok(false);
        }
        let end = offset(item.rows)?;
        if is_new {
            offsets.push(end);
            self.did_set(Place::New);
        } else {
            if let Some(last) = offsets.last_mut() {
                *last = end;
            }
            self.did_set(Place::Last);
        }
        Ok(true)
    }

    /// Reads a member of a oneof, which takes the place of the others.
    pub(super) fn choose(
        &mut self,
        member: usize,
        wire: u8,
        cursor: &mut Cursor<'_>,
        row: usize,
    ) -> Converted<bool> {
        let is_new = self.rows == row;
        let Cells::Union { members, chosen, .. } = &mut self.cells else { unreachable!("called for unions") };
        if is_new {
            *chosen = None;
        }
        if wire != members[member].wire {
            return Ok(false);
        }
        if *chosen != Some(member) {
            if !members[member].knows(cursor)? {
                return Ok(true);
            }
            members[member].truncate(row);
        }
        if !members[member].field(wire, cursor, row)? {
            return Ok(false);
        }
        if *chosen != Some(member) {
            for (at, other) in members.iter_mut().enumerate() {
                if at != member {
                    other.truncate(row);
                }
            }
            *chosen = Some(member);
        }
        self.did_set(if is_new { Place::New } else { Place::Last });
        Ok(true)
    }

    /// Whether the value at the cursor is one the field can have; passes over it when not.
    pub(super) fn knows(&self, cursor: &mut Cursor<'_>) -> Converted<bool> {
        let (Cells::EnumNumber { names, .. } | Cells::EnumText { names, .. }) = &self.cells else {
            return Ok(true);
        };
        let before = cursor.rest();
        let number = cursor.varint()? as i32;
        if names.is_closed && names.name(number).is_none() {
            return Ok(false);
        }
        cursor.rewind(before);
        Ok(true)
    }
}

impl Names {
    /// The name of a number.
    #[inline]
    pub(super) fn name(&self, number: i32) -> Option<&[u8]> {
        let at = self.by_number.binary_search_by_key(&number, |(known, _)| *known).ok()?;
        Some(&self.by_number[at].1)
    }

    /// What Java calls a number without a name.
    pub(super) fn unknown(&self, number: i32) -> String {
        format!("UNKNOWN_ENUM_VALUE_{}_{number}", self.enum_name)
    }
}

#[inline]
fn put_text(cells: &mut super::VarCells, bytes: &[u8], strict: bool, place: Place) -> Converted<()> {
    if bytes.is_ascii() || std::str::from_utf8(bytes).is_ok() {
        return cells.put(bytes, place);
    }
    if strict {
        return Err(malformed("Protocol message had invalid UTF-8."));
    }
    cells.put(utf8::text(bytes).as_bytes(), place)
}
