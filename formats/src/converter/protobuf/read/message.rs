//! The columns of a message and which field goes where.

use std::collections::HashMap;
use std::ops::Range;

use arrow_schema::Fields;
use lakeward_api::schema::Schema;

use super::super::fault::{Converted, Fault, MISSING, malformed};
use super::cursor::{Cursor, Tag};
use super::{Absent, Cells, Column};

/// The columns of a message.
pub(in super::super) struct MessageCells {
    pub(super) columns: Vec<Column>,
    pub(super) fields: Fields,
    /// Targets of small field numbers; 0 is none, others are one more than the index.
    small: Vec<u16>,
    large: HashMap<u32, u16>,
    targets: Vec<Target>,
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
        for (number, target) in found {
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
        Self { columns, fields: schema.arrow_fields(), small, large, targets, width }
    }

    /// Reads fields into row `row`, which is open in every column.
    ///
    /// # Errors
    /// Bytes that are no fields; the end of a group that never began is one of them.
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
        let Some(target) = self.target(tag.number) else { return Ok(false) };
        let (column, member, rivals) = (target.column, target.member, target.rivals.clone());
        if let Some(member) = member {
            return self.columns[column].choose(member, tag.wire, cursor, row);
        }
        let Some(rivals) = rivals else {
            return self.columns[column].field(tag.wire, cursor, row);
        };
        if !self.columns[column].field(tag.wire, cursor, row)? {
            return Ok(false);
        }
        if self.columns[column].rows == row {
            return Ok(true);
        }
        for rival in rivals.filter(|rival| *rival != column) {
            self.columns[rival].truncate(row);
        }
        Ok(true)
    }

    /// Where the field of that number goes.
    #[inline]
    pub(super) fn target(&self, number: u32) -> Option<&Target> {
        let entry = match self.small.get(number as usize) {
            Some(entry) => *entry,
            None => self.large.get(&number).copied().unwrap_or(0),
        };
        self.targets.get(usize::from(entry.checked_sub(1)?))
    }

    /// Fills in what row `row` does not have.
    pub(super) fn close(&mut self, row: usize, closing: Closing, cursor: &mut Cursor<'_>) -> Converted<()> {
        for (column, at) in self.columns.iter_mut().zip(0..) {
            if column.rows > row {
                match &mut column.cells {
                    Cells::Map(map) => map.close(),
                    Cells::Union { members, .. } => {
                        members.iter_mut().filter(|member| member.rows == row).for_each(Column::push_hole);
                    }
                    _ => {}
                }
                continue;
            }
            if column.is_required && closing == Closing::Read {
                return Err(missing(&self.fields, at));
            }
            match &column.absent {
                Absent::Default => column.push_default(cursor)?,
                Absent::Null => {
                    if column.width > 1 {
                        cursor.spend(column.width)?;
                    }
                    column.push_hole();
                }
                Absent::Refused(message) => return Err(super::super::fault::data(message.clone())),
            }
        }
        Ok(())
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
