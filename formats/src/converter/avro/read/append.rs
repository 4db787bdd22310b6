//! The inner loop: one value into its column.

use lakeward_api::rows::DAY_MS;

use super::super::fault::{Converted, data, malformed};
use super::var::{last, offset};
use super::{Cells, Column, Cursor, Outcome, Presence};

impl Column {
    /// Appends the next value.
    ///
    /// Recursion is bounded by the depth of the schema. After an error the column has to be truncated.
    pub(super) fn append(&mut self, cursor: &mut Cursor<'_>) -> Converted<()> {
        if self.union != Presence::Plain && !self.is_present(cursor)? {
            cursor.hole(self.width)?;
            self.push_hole();
            return Ok(());
        }
        self.append_present(cursor)
    }

    /// Appends a whole record, unless it is null.
    #[inline]
    pub(super) fn append_root(&mut self, cursor: &mut Cursor<'_>) -> Converted<Outcome> {
        if self.union != Presence::Plain && !self.is_present(cursor)? {
            return Ok(Outcome::Null);
        }
        if let Cells::Union { branches, .. } = &self.cells {
            let rest = cursor.rest();
            if branches[cursor.branch(branches.len())?].is_none() {
                return Ok(Outcome::Null);
            }
            cursor.rewind(rest);
        }
        self.append_present(cursor).map(|()| Outcome::Value)
    }

    /// Appends bytes that are the whole payload.
    pub(super) fn append_raw(&mut self, payload: &[u8]) -> Converted<()> {
        match &mut self.cells {
            Cells::Bytes(cells) => cells.push(payload)?,
            Cells::Decimal(cells) => cells.push_decimal(payload)?,
            _ => return Err(data("Only bytes are payloads without a length")),
        }
        if let Some(nulls) = &mut self.nulls {
            nulls.push(true);
        }
        Ok(())
    }

    #[inline]
    fn is_present(&self, cursor: &mut Cursor<'_>) -> Converted<bool> {
        Ok(match self.union {
            Presence::Plain => true,
            Presence::Nullable { null } => cursor.branch(2)? != usize::from(null),
            Presence::Single => cursor.branch(1)? == 0,
        })
    }

    #[inline]
    fn append_present(&mut self, cursor: &mut Cursor<'_>) -> Converted<()> {
        match &mut self.cells {
            Cells::String(texts) => texts.push_next(cursor)?,
            Cells::Int64(cells) | Cells::Timestamp(cells) => cells.push(cursor.long()?),
            Cells::Int32(cells) | Cells::Date(cells) => cells.push(cursor.int()?),
            Cells::Double(cells) => cells.push(cursor.double()?),
            Cells::Boolean(cells) => cells.push(cursor.boolean()?),
            Cells::Float(cells) => cells.push(cursor.float()?),
            Cells::Struct { columns, rows, .. } => {
                for column in columns {
                    column.append(cursor)?;
                }
                *rows += 1;
            }
            Cells::List { offsets, item, .. } => {
                item.append_items(cursor)?;
                offsets.push(offset(item.rows())?);
            }
            Cells::Bytes(cells) => cells.push_next(cursor)?,
            Cells::Map(map) => map.append(cursor)?,
            Cells::Enum { symbols, texts } => {
                let index = cursor.int()?;
                let symbol = usize::try_from(index).ok().and_then(|index| symbols.get(index));
                let symbol =
                    symbol.ok_or_else(|| malformed(format!("Enum index out of bounds ({index})")))?;
                texts.push(symbol)?;
            }
            Cells::Decimal(cells) => cells.push_decimal(cursor.bytes()?)?,
            Cells::Fixed { size, cells } => cells.push(cursor.take(*size)?)?,
            Cells::FixedDecimal { size, cells } => cells.push_decimal(cursor.take(*size)?)?,
            // Java keeps the low bits, too.
            Cells::Int16(cells) => cells.push(cursor.int()? as i16),
            Cells::Int8(cells) => cells.push(cursor.int()? as i8),
            Cells::Time(cells) => cells.push(time(cursor)?),
            Cells::Recursive { tree, packed, cells } => {
                packed.clear();
                tree.read(cursor, packed)?;
                cells.push(packed)?;
            }
            Cells::Refused { why, .. } => return Err(data(&**why)),
            Cells::Union { .. } => return self.append_branch(cursor),
        }
        if let Some(nulls) = &mut self.nulls {
            nulls.push(true);
        }
        Ok(())
    }

    /// Appends the items of an array.
    pub(super) fn append_items(&mut self, cursor: &mut Cursor<'_>) -> Converted<()> {
        loop {
            let count = cursor.block(self.bytes_min)?;
            if count == 0 {
                return Ok(());
            }
            match (&mut self.cells, &self.nulls, self.union) {
                (Cells::String(texts), None, Presence::Plain) => {
                    (0..count).try_for_each(|_| texts.push_next(cursor))?;
                }
                _ => (0..count).try_for_each(|_| self.append(cursor))?,
            }
        }
    }

    fn append_branch(&mut self, cursor: &mut Cursor<'_>) -> Converted<()> {
        cursor.hole(self.width)?;
        let Cells::Union { branches, columns, rows, .. } = &mut self.cells else {
            unreachable!("called for unions")
        };
        let Some(chosen) = branches[cursor.branch(branches.len())?] else {
            self.push_hole();
            return Ok(());
        };
        for (at, column) in columns.iter_mut().enumerate() {
            if at == chosen {
                column.append(cursor)?;
            } else {
                column.push_hole();
            }
        }
        *rows += 1;
        if let Some(nulls) = &mut self.nulls {
            nulls.push(true);
        }
        Ok(())
    }

    /// Appends null, or a cell without meaning under a null parent.
    pub(super) fn push_hole(&mut self) {
        match &mut self.cells {
            Cells::Boolean(cells) => cells.push(false),
            Cells::Bytes(cells)
            | Cells::Decimal(cells)
            | Cells::Enum { texts: cells, .. }
            | Cells::Fixed { cells, .. }
            | Cells::FixedDecimal { cells, .. }
            | Cells::Recursive { cells, .. }
            | Cells::String(cells) => cells.push_empty(),
            Cells::Date(cells) | Cells::Int32(cells) | Cells::Time(cells) => cells.push(0),
            Cells::Double(cells) => cells.push(0.0),
            Cells::Float(cells) => cells.push(0.0),
            Cells::Int16(cells) => cells.push(0),
            Cells::Int64(cells) | Cells::Timestamp(cells) => cells.push(0),
            Cells::Int8(cells) => cells.push(0),
            Cells::List { offsets, .. } => offsets.push(offsets[offsets.len() - 1]),
            Cells::Map(map) => map.push_hole(),
            Cells::Refused { cells, .. } => cells.push_hole(),
            Cells::Struct { columns, rows, .. } | Cells::Union { columns, rows, .. } => {
                columns.iter_mut().for_each(Self::push_hole);
                *rows += 1;
            }
        }
        if let Some(nulls) = &mut self.nulls {
            nulls.push(false);
        }
    }

    /// Rows so far.
    pub(super) fn rows(&self) -> usize {
        match &self.cells {
            Cells::Boolean(cells) => cells.len(),
            Cells::Bytes(cells)
            | Cells::Decimal(cells)
            | Cells::Enum { texts: cells, .. }
            | Cells::Fixed { cells, .. }
            | Cells::FixedDecimal { cells, .. }
            | Cells::Recursive { cells, .. }
            | Cells::String(cells) => cells.rows(),
            Cells::Date(cells) | Cells::Int32(cells) | Cells::Time(cells) => cells.len(),
            Cells::Double(cells) => cells.len(),
            Cells::Float(cells) => cells.len(),
            Cells::Int16(cells) => cells.len(),
            Cells::Int64(cells) | Cells::Timestamp(cells) => cells.len(),
            Cells::Int8(cells) => cells.len(),
            Cells::List { offsets, .. } => offsets.len() - 1,
            Cells::Map(map) => map.rows(),
            Cells::Refused { cells, .. } => cells.rows(),
            Cells::Struct { rows, .. } | Cells::Union { rows, .. } => *rows,
        }
    }

    /// Drops every row from `rows` on, also rows that were not completed.
    pub(super) fn truncate(&mut self, rows: usize) {
        match &mut self.cells {
            Cells::Boolean(cells) => cells.truncate(rows),
            Cells::Bytes(cells)
            | Cells::Decimal(cells)
            | Cells::Enum { texts: cells, .. }
            | Cells::Fixed { cells, .. }
            | Cells::FixedDecimal { cells, .. }
            | Cells::Recursive { cells, .. }
            | Cells::String(cells) => cells.truncate(rows),
            Cells::Date(cells) | Cells::Int32(cells) | Cells::Time(cells) => cells.truncate(rows),
            Cells::Double(cells) => cells.truncate(rows),
            Cells::Float(cells) => cells.truncate(rows),
            Cells::Int16(cells) => cells.truncate(rows),
            Cells::Int64(cells) | Cells::Timestamp(cells) => cells.truncate(rows),
            Cells::Int8(cells) => cells.truncate(rows),
            Cells::List { offsets, item, .. } => {
                offsets.truncate(rows + 1);
                item.truncate(last(offsets));
            }
            Cells::Map(map) => map.truncate(rows),
            Cells::Refused { cells, .. } => cells.truncate(rows),
            Cells::Struct { columns, rows: count, .. } | Cells::Union { columns, rows: count, .. } => {
                columns.iter_mut().for_each(|column| column.truncate(rows));
                *count = rows.min(*count);
            }
        }
        if let Some(nulls) = &mut self.nulls {
            nulls.truncate(rows);
        }
    }
}

/// The milliseconds of a day that a Time is.
pub(super) fn time(cursor: &mut Cursor<'_>) -> Converted<i32> {
    let time = cursor.int()?;
    if !(0..=DAY_MS).contains(&i64::from(time)) {
        return Err(data(
            "Time values must use number of milliseconds greater than 0 and less than 86400000",
        ));
    }
    Ok(time)
}
