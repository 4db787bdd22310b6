//! Messages inside of themselves. Columns cannot contain themselves, so such a message is read into columns
//! aside, and what they hold becomes one packed cell.
//!
//! Source: `SchemaWrapper` of `ProtobufData`; the recursion limit of protobuf-java's `CodedInputStream`.

use std::cell::RefCell;
use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use lakeward_api::decimal::Decimal;
use lakeward_api::packed;
use lakeward_api::rows::DAY_MS;
use lakeward_api::value::Value;

use super::super::fault::{Converted, data};
use super::cells::{Place, VarCells, offset};
use super::cursor::Cursor;
use super::message::Closing;
use super::{Cells, Column, MessageCells};

/// The messages that contain themselves, by number.
#[derive(Default)]
pub(super) struct Types {
    types: Vec<Type>,
}

/// A message that contains itself.
struct Type {
    columns: Column,
    /// Columns that are not in use: as many as it was once nested.
    free: RefCell<Vec<Column>>,
}

impl Types {
    /// Of the columns of each of them.
    pub(super) fn new(columns: Vec<Column>) -> Self {
        let types =
            columns.into_iter().map(|column| Type { columns: column.aside(), free: RefCell::default() });
        Self { types: types.collect() }
    }

    /// The empty columns of a type.
    pub(super) fn message(&self, target: usize) -> &MessageCells {
        match &self.types[target].columns.cells {
            Cells::Message(message) => message,
            _ => unreachable!("only messages contain themselves"),
        }
    }

    /// The value that `read` appends to columns of a type.
    fn value(
        &self,
        target: usize,
        read: impl FnOnce(&mut MessageCells) -> Converted<()>,
    ) -> Converted<Value> {
        let of = &self.types[target];
        let free = of.free.borrow_mut().pop();
        let mut columns = free.unwrap_or_else(|| of.columns.clone());
        let Cells::Message(message) = &mut columns.cells else {
            unreachable!("only messages contain themselves")
        };
        let value = read(message).map(|()| columns.take_value(0));
        columns.truncate(0);
        of.free.borrow_mut().push(columns);
        value
    }
}

impl Column {
    /// Reads a message at a place of recursion. A later piece of it is refused: see [`super::merge`].
    pub(super) fn put_nested(&mut self, cursor: &mut Cursor<'_>, place: Place) -> Converted<()> {
        if place == Place::Last && self.is_set {
            return Err(data("A message that contains itself comes in pieces"));
        }
        if place == Place::Last {
            self.truncate_cells(self.rows - 1);
        }
        let after = cursor.enter_message()?;
        self.append_nested(cursor, |message, cursor| message.append(cursor, 0))?;
        cursor.leave_message(after);
        Ok(())
    }

    /// Appends a message of defaults at a place of recursion.
    pub(super) fn append_nested_default(&mut self, cursor: &mut Cursor<'_>) -> Converted<()> {
        let after = cursor.rest();
        cursor.descend()?;
        self.append_nested(cursor, |message, cursor| message.close(0, Closing::Default, cursor))?;
        cursor.leave_message(after);
        Ok(())
    }

    fn append_nested<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        read: impl FnOnce(&mut MessageCells, &mut Cursor<'a>) -> Converted<()>,
    ) -> Converted<()> {
        let (Cells::Packed { target, .. } | Cells::Values { target, .. }) = &self.cells else {
            unreachable!("called for places of recursion")
        };
        let types = cursor.types();
        let value = types.value(*target, |message| {
            // Values take more room than cells.
            cursor.spend(message.width.saturating_mul(3))?;
            read(message, cursor)
        })?;
        match &mut self.cells {
            Cells::Values { values, .. } => values.push(value),
            Cells::Packed { cells, .. } => {
                packed::pack(&value, &mut cells.data).map_err(|error| data(error.to_string()))?;
                cells.offsets.push(offset(cells.data.len())?);
            }
            _ => {}
        }
        Ok(())
    }

    /// The same columns, empty, for values aside: places of recursion hold values until they are complete.
    fn aside(&self) -> Self {
        let mut column = self.clone();
        column.hold_values();
        column
    }

    fn hold_values(&mut self) {
        match &mut self.cells {
            Cells::List { item, .. } => item.hold_values(),
            Cells::Map(map) => map.columns_mut().into_iter().for_each(Self::hold_values),
            Cells::Message(message) => message.columns.iter_mut().for_each(Self::hold_values),
            Cells::Union { members, .. } => members.iter_mut().for_each(Self::hold_values),
            Cells::Packed { target, .. } => {
                self.cells = Cells::Values { values: Vec::new(), target: *target };
            }
            _ => {}
        }
    }

    /// Row `row` as a value. Recursion is bounded by the depth of the schema.
    pub(super) fn take_value(&mut self, row: usize) -> Value {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_marked(row)) {
            return Value::Null;
        }
        let bytes = |cells: &VarCells| Bytes::copy_from_slice(cells.cell(row));
        match &mut self.cells {
            Cells::Boolean(cells) => Value::Boolean(cells.is_marked(row)),
            Cells::Bytes(cells) => Value::Bytes(bytes(cells)),
            Cells::Date { cells, .. } => Value::Date(i64::from(cells[row]) * DAY_MS),
            Cells::Decimal { cells, scale, .. } => {
                Value::Decimal(Decimal { unscaled: bytes(cells), scale: *scale })
            }
            Cells::Double(cells) => Value::Float64(cells[row]),
            Cells::EnumText { cells, .. } | Cells::Text { cells, .. } => {
                Value::String(Arc::from(&*String::from_utf8_lossy(cells.cell(row))))
            }
            Cells::Float(cells) => Value::Float32(cells[row]),
            Cells::Int16(cells, _) => Value::Int16(cells[row]),
            Cells::EnumNumber { cells, .. } | Cells::Int32(cells, _) => Value::Int32(cells[row]),
            Cells::Int64(cells, _) => Value::Int64(cells[row]),
            Cells::Int8(cells, _) => Value::Int8(cells[row]),
            Cells::List { offsets, item, .. } => {
                let items = offsets[row] as usize..offsets[row + 1] as usize;
                Value::Array(items.map(|item_row| item.take_value(item_row)).collect())
            }
            Cells::Map(map) => Value::Map(map.take_entries(row)),
            Cells::Message(message) => {
                Value::Struct(message.columns.iter_mut().map(|column| column.take_value(row)).collect())
            }
            Cells::Packed { cells, .. } => packed::unpack(cells.cell(row)),
            Cells::Time { cells, .. } => Value::Date(i64::from(cells[row])),
            Cells::Timestamp { cells, .. } => Value::Date(cells[row]),
            Cells::Union { members, .. } => {
                Value::Struct(members.iter_mut().map(|member| member.take_value(row)).collect())
            }
            Cells::Values { values, .. } => mem::replace(&mut values[row], Value::Null),
        }
    }
}
