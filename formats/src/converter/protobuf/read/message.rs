//! The columns of a message and which field goes where.

use std::collections::HashMap;
use std::ops::Range;

use arrow_schema::Fields;
use lakeward_api::schema::Schema;

use super::super::fault::{Converted, Fault, MISSING, malformed};
use super::cursor::{Cursor, Tag};
use super::in_order::{Step, steps};
use super::{Absent, Cells, Column};

/// The columns of a message.
#[derive(Clone)]
pub(in super::super) struct MessageCells {
    pub(super) columns: Vec<Column>,
    pub(super) fields: Fields,
    /// Targets of small field numbers; 0 is none, others are one more than the index.
    small: Vec<u16>,
    large: HashMap<u32, u16>,
    targets: Vec<Target>,
    /// The fields that may come next.
    pub(super) steps: Vec<Step>,
    /// Columns that are looked at when a row ends although they have it, a bit each.
    ends: u64,
    /// Cells of a row without values.
    pub(super) width: usize,
}

/// Where the value of a field goes.
#[derive(Clone, Debug)]
pub(in super::super) struct Target {
    pub(in super::super) column: usize,
    /// The member of a union.
    pub(in super::super) member: Option<usize>,
    /// The columns of a oneof, this one included: they hold nothing beside this field.
    pub(in super::super) rivals: Option<Range<usize>>,
}

/// What becomes of fields that are absent at the end of a message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Closing {
    /// The message never was in the payload: required fields have their default, too.
    Default,
    /// The message was read.
    Read,
}

impl MessageCells {
    pub(in super::super) fn new(columns: Vec<Column>, schema: &Schema, found: Vec<(u32, Target)>) -> Self {
        let mut small = Vec::new();
        let mut large = HashMap::new();
        let mut targets = Vec::new();
        let steps = steps(&columns, &found);
        let mut ends = 0;
        for (number, target) in found {
            if !target.is_alone() || matches!(columns[target.column].cells, Cells::Map(_)) {
                ends |= 1 << (target.column % 64);
            }
            targets.push(target);
            let entry = u16::try_from(targets.len()).expect("a schema has fewer fields");
            match usize::try_from(number) {
                Ok(number) if number < SMALL_MAX => {
                    small.resize(small.len().max(number + 1), 0);
                    small[number] = entry;
                }
                _ => drop(large.insert(number, entry)),
            }
        }
        let width = 1 + columns.iter().map(|column| column.width).sum::<usize>();
        Self { columns, fields: schema.arrow_fields(), small, large, targets, steps, ends, width }
    }

    /// Reads the message at the cursor, up to its end, as the new row `row`.
    ///
    /// # Errors
    /// Bytes that are no fields; the end of a group that never began is one of them. Fields that are missing.
    pub(super) fn append(&mut self, cursor: &mut Cursor<'_>, row: usize) -> Converted<()> {
        let present = self.read_in_order(cursor, row)?;
        let is_whole = cursor.is_empty() && self.columns.len() <= 64;
        if !is_whole {
            self.read(cursor, row)?;
        }
        cursor.spend(self.width)?;
        if !is_whole {
            return self.close(row, Closing::Read, cursor);
        }
        let all = u64::MAX.checked_shr(64 - self.columns.len() as u32).unwrap_or(0);
        let mut open = all & (!present | self.ends);
        while open != 0 {
            self.close_column(open.trailing_zeros() as usize, row, Closing::Read, cursor)?;
            open &= open - 1;
        }
        Ok(())
    }

    /// Reads fields into row `row`, which is open in every column.
    ///
    /// # Errors
    /// Bytes that are no fields.
    pub(super) fn read(&mut self, cursor: &mut Cursor<'_>, row: usize) -> Converted<()> {
        while let Some(tag) = cursor.tag()? {
            if !self.field(tag, cursor, row)? {
                cursor.skip(tag)?;
            }
        }
        Ok(())
    }

    /// Reads one field; false when it is unknown.
    #[inline]
    fn field(&mut self, tag: Tag, cursor: &mut Cursor<'_>, row: usize) -> Converted<bool> {
        match self.index(tag.number) {
            Some(target) => self.field_of(target, tag.wire, cursor, row),
            None => Ok(false),
        }
    }

    /// Reads a field of a target; false when its wire type is another one.
    #[inline]
    pub(super) fn field_of(
        &mut self,
        target: usize,
        wire: u8,
        cursor: &mut Cursor<'_>,
        row: usize,
    ) -> Converted<bool> {
        let target = &self.targets[target];
        let (column, member, rivals) = (target.column, target.member, target.rivals.clone());
        if let Some(member) = member {
            return self.columns[column].choose(member, wire, cursor, row);
        }
        let Some(rivals) = rivals else {
            return self.columns[column].field(wire, cursor, row);
        };
        // What the field cannot have leaves the others as they are.
        if wire == self.columns[column].wire && !self.columns[column].knows(cursor)? {
            return Ok(true);
        }
        if !self.columns[column].field(wire, cursor, row)? {
            return Ok(false);
        }
        for rival in rivals.filter(|rival| *rival != column) {
            self.columns[rival].truncate(row);
        }
        Ok(true)
    }

    /// Where the field of that number goes.
    pub(super) fn target(&self, number: u32) -> Option<&Target> {
        self.targets.get(self.index(number)?)
    }

    #[inline]
    fn index(&self, number: u32) -> Option<usize> {
        let entry = match self.small.get(number as usize) {
            Some(entry) => *entry,
            None => self.large.get(&number).copied().unwrap_or(0),
        };
        Some(usize::from(entry.checked_sub(1)?))
    }

    /// Fills in what row `row` does not have.
    pub(super) fn close(&mut self, row: usize, closing: Closing, cursor: &mut Cursor<'_>) -> Converted<()> {
        (0..self.columns.len()).try_for_each(|at| self.close_column(at, row, closing, cursor))
    }

    fn close_column(
        &mut self,
        at: usize,
        row: usize,
        closing: Closing,
        cursor: &mut Cursor<'_>,
    ) -> Converted<()> {
        let column = &mut self.columns[at];
        if column.rows > row {
            match &mut column.cells {
                Cells::Map(map) => map.close(),
                Cells::Union { members, .. } => {
                    members.iter_mut().filter(|member| member.rows == row).for_each(Column::push_hole);
                }
                _ => {}
            }
            return Ok(());
        }
        if column.is_required && closing == Closing::Read {
            return Err(missing(&self.fields, at));
        }
        match &column.absent {
            Absent::Default => column.push_default(cursor),
            Absent::Null => {
                if column.width > 1 {
                    cursor.spend(column.width)?;
                }
                column.push_hole();
                Ok(())
            }
            Absent::Refused(message) => Err(super::super::fault::data(message.clone())),
        }
    }
}

impl Target {
    /// The column of the field, which may be a member of another one.
    pub(super) fn column_of<'a>(&self, columns: &'a [Column]) -> &'a Column {
        let column = &columns[self.column];
        match (&column.cells, self.member) {
            (Cells::Union { members, .. }, Some(member)) => &members[member],
            _ => column,
        }
    }

    /// Whether no other field changes the column.
    pub(super) fn is_alone(&self) -> bool {
        self.member.is_none() && self.rivals.is_none()
    }
}

/// The fault of a message without the required field of column `at`.
#[cold]
pub(super) fn missing(fields: &Fields, at: usize) -> Box<Fault> {
    let name = fields.get(at).map_or("", |field| field.name().as_str());
    malformed(format!("{MISSING}{name}"))
}

/// Field numbers up to this are found in a table.
const SMALL_MAX: usize = 512;
