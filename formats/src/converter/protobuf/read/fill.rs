//! Rows that no payload had, and rows that go away.

use lakeward_api::value::Value;

use super::super::fault::Converted;
use super::cells::{Place, last};
use super::cursor::Cursor;
use super::message::Closing;
use super::{Cells, Column, Number};

impl Column {
    /// Appends null, or a cell without meaning under a null parent.
    pub(super) fn push_hole(&mut self) {
        match &mut self.cells {
            Cells::Boolean(_) => {}
            Cells::Bytes(cells)
            | Cells::Decimal { cells, .. }
            | Cells::EnumText { cells, .. }
            | Cells::Packed { cells, .. }
            | Cells::Text { cells, .. } => cells.push_empty(),
            Cells::Date { cells, .. }
            | Cells::EnumNumber { cells, .. }
            | Cells::Int32(cells, _)
            | Cells::Time { cells, .. } => cells.push(0),
            Cells::Double(cells) => cells.push(0.0),
            Cells::Float(cells) => cells.push(0.0),
            Cells::Int16(cells, _) => cells.push(0),
            Cells::Int64(cells, _) | Cells::Timestamp { cells, .. } => cells.push(0),
            Cells::Int8(cells, _) => cells.push(0),
            Cells::List { offsets, .. } => offsets.push(offsets[offsets.len() - 1]),
            Cells::Map(map) => map.offsets.push(map.offsets[map.offsets.len() - 1]),
            Cells::Message(message) => message.columns.iter_mut().for_each(Self::push_hole),
            Cells::Union { members, .. } => members.iter_mut().for_each(Self::push_hole),
            Cells::Values { values, .. } => values.push(Value::Null),
        }
        if let Some(nulls) = &mut self.nulls {
            nulls.mark(self.rows, true);
        }
        self.rows += 1;
        self.is_set = false;
    }

    /// Appends what an absent field stands for: of a message one without any field.
    ///
    /// # Errors
    /// Dates and decimals have no such value.
    pub(super) fn push_default(&mut self, cursor: &mut Cursor<'_>) -> Converted<()> {
        let row = self.rows;
        let constant = &self.constant;
        match &mut self.cells {
            Cells::Boolean(cells) => cells.mark(row, constant.number != 0),
            Cells::Bytes(cells) | Cells::Text { cells, .. } => cells.put(&constant.bytes, Place::New)?,
            Cells::EnumText { cells, names } => {
                let number = constant.number as i32;
                match names.name(number) {
                    Some(name) => cells.put(name, Place::New)?,
                    None => cells.put(names.unknown(number).as_bytes(), Place::New)?,
                }
            }
            Cells::EnumNumber { cells, .. } | Cells::Int32(cells, _) => cells.push(constant.number as i32),
            Cells::Double(cells) => cells.push(constant.double),
            Cells::Float(cells) => cells.push(constant.double as f32),
            Cells::Int16(cells, _) => cells.push(constant.number as i16),
            Cells::Int64(cells, _) => cells.push(constant.number),
            Cells::Int8(cells, _) => cells.push(constant.number as i8),
            Cells::List { offsets, .. } => offsets.push(offsets[offsets.len() - 1]),
            Cells::Map(map) => map.offsets.push(map.offsets[map.offsets.len() - 1]),
            Cells::Message(message) => {
                cursor.spend(message.width)?;
                message.close(row, Closing::Default, cursor)?;
            }
            Cells::Packed { .. } | Cells::Values { .. } => self.append_nested_default(cursor)?,
            Cells::Union { .. } => {
                self.push_hole();
                return Ok(());
            }
            Cells::Date { .. } | Cells::Decimal { .. } | Cells::Time { .. } | Cells::Timestamp { .. } => {
                self.put_logical(&mut Cursor::new(&[], cursor.types()), Place::New)?;
            }
        }
        self.did_set(Place::New);
        self.is_set = false;
        Ok(())
    }

    /// Drops every row from `rows` on, also rows that were not completed.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.truncate_cells(rows);
        if let Some(nulls) = &mut self.nulls {
            nulls.truncate(rows);
        }
        self.rows = rows.min(self.rows);
    }

    /// As [`Column::truncate`], but for what is counted and what is null.
    pub(super) fn truncate_cells(&mut self, rows: usize) {
        match &mut self.cells {
            Cells::Boolean(cells) => cells.truncate(rows),
            Cells::Bytes(cells)
            | Cells::Decimal { cells, .. }
            | Cells::EnumText { cells, .. }
            | Cells::Packed { cells, .. }
            | Cells::Text { cells, .. } => cells.truncate(rows),
            Cells::Date { cells, .. }
            | Cells::EnumNumber { cells, .. }
            | Cells::Int32(cells, _)
            | Cells::Time { cells, .. } => cells.truncate(rows),
            Cells::Double(cells) => cells.truncate(rows),
            Cells::Float(cells) => cells.truncate(rows),
            Cells::Int16(cells, _) => cells.truncate(rows),
            Cells::Int64(cells, _) | Cells::Timestamp { cells, .. } => cells.truncate(rows),
            Cells::Int8(cells, _) => cells.truncate(rows),
            Cells::List { offsets, item, .. } => {
                offsets.truncate(rows + 1);
                item.truncate(last(offsets));
            }
            Cells::Map(map) => map.truncate(rows),
            Cells::Message(message) => message.columns.iter_mut().for_each(|column| column.truncate(rows)),
            Cells::Union { members, chosen, .. } => {
                members.iter_mut().for_each(|member| member.truncate(rows));
                *chosen = None;
            }
            Cells::Values { values, .. } => values.truncate(rows),
        }
    }

    /// The wire type of the value inside a wrapper.
    pub(super) fn inner_wire(&self) -> u8 {
        match &self.cells {
            Cells::Boolean(_) | Cells::EnumNumber { .. } | Cells::EnumText { .. } => 0,
            Cells::Double(_) => 1,
            Cells::Float(_) => 5,
            Cells::Int16(_, form) | Cells::Int32(_, form) | Cells::Int64(_, form) | Cells::Int8(_, form) => {
                match form {
                    Number::Fixed32 | Number::Sfixed32 => 5,
                    Number::Fixed64 => 1,
                    Number::Uint32 | Number::Varint | Number::Zigzag32 | Number::Zigzag64 => 0,
                }
            }
            _ => 2,
        }
    }
}
