//! JSON objects in STRUCT columns: members are found by predicting that the next record names them in the
//! same order.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::ArrayRef;

use super::super::cursor::Cursor;
use super::super::fault::{Fault, Parsed, syntax};
use super::layout::Layout;
use super::{Cells, Column, Reading, Strictness};

/// The fields of a STRUCT column.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) fields: Vec<Member>,
    /// Field index of each member of the last object; [`UNKNOWN`] for names that are no field.
    order: Vec<usize>,
    pub(super) index: HashMap<Box<[u8]>, usize>,
    pub(super) layout: Layout,
    pub(super) rows: usize,
}

#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: Arc<str>,
    /// The name in quotes, as it most likely stands in the text; see [`quoted`].
    quoted: Box<[u8]>,
    pub(super) column: Column,
    /// Scratch space of [`Record::members_in`].
    pub(super) matched: usize,
}

impl Record {
    pub(super) fn new<'a>(fields: impl Iterator<Item = (&'a str, Column)>) -> Self {
        let fields: Vec<Member> = fields
            .map(|(name, column)| Member { name: name.into(), quoted: quoted(name), column, matched: 0 })
            .collect();
        let index = fields.iter().enumerate().map(|(at, field)| (field.name.as_bytes().into(), at)).collect();
        Self { order: (0..fields.len()).collect(), fields, index, layout: Layout::default(), rows: 0 }
    }

    /// Appends the object at the cursor. Of members with the same name the last one counts.
    pub(super) fn append_object(&mut self, cursor: &mut Cursor<'_>, reading: Reading) -> Parsed<()> {
        let mut filled = 0;
        let mut position = 0;
        let mut more = cursor.enter(b'}');
        while more {
            let found = self.find_member(cursor, position)?;
            position += 1;
            match self.fields.get_mut(found) {
                Some(field) => {
                    if field.column.rows() > self.rows {
                        field.column.truncate(self.rows);
                        filled -= 1;
                    }
                    if let Err(fault) = field.column.append_value(cursor, reading) {
                        return Err(fault.inside(&field.name));
                    }
                    filled += 1;
                }
                None if reading.strictness == Strictness::Inferred => return Err(Box::new(Fault::Misfit)),
                None => cursor.skip_value()?,
            }
            more = cursor.has_more(b'}')?;
        }
        if filled < self.fields.len() {
            self.append_missing(reading)?;
        }
        self.rows += 1;
        Ok(())
    }

    /// Passes a member name and its colon and returns the field it names, [`UNKNOWN`] if none.
    #[inline]
    fn find_member(&mut self, cursor: &mut Cursor<'_>, position: usize) -> Parsed<usize> {
        if cursor.token() != b'"' {
            return Err(syntax("expected a member name", cursor.pos));
        }
        if let Some(&predicted) = self.order.get(position)
            && let Some(field) = self.fields.get(predicted)
            && cursor.bytes[cursor.pos..].starts_with(&field.quoted)
        {
            cursor.pos += field.quoted.len();
            cursor.expect(b':', "expected a colon")?;
            return Ok(predicted);
        }
        let name = cursor.member_name()?;
        let found = self.index.get(&*name.resolved()).copied().unwrap_or(UNKNOWN);
        if position < ORDER_MAX {
            if self.order.len() <= position {
                self.order.resize(position + 1, UNKNOWN);
            }
            self.order[position] = found;
        }
        Ok(found)
    }

    /// Gives every field that the object did not name its null or default.
    fn append_missing(&mut self, reading: Reading) -> Parsed<()> {
        for field in &mut self.fields {
            if field.column.rows() == self.rows {
                field.column.append_absent(reading).map_err(|fault| fault.inside(&field.name))?;
            }
        }
        Ok(())
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        self.rows = rows;
        for field in &mut self.fields {
            field.column.truncate(rows);
        }
    }

    /// Appends a row of holes, under a null struct.
    pub(super) fn push_hole(&mut self) {
        self.fields.iter_mut().for_each(|field| field.column.push_hole());
        self.rows += 1;
    }

    /// Appends one row with `append` called for each field in order.
    pub(super) fn append_row(
        &mut self,
        mut append: impl FnMut(usize, &mut Column) -> Parsed<()>,
    ) -> Parsed<()> {
        for (at, field) in self.fields.iter_mut().enumerate() {
            append(at, &mut field.column)?;
        }
        self.rows += 1;
        Ok(())
    }

    /// Takes the rows of the fields that are part of the output.
    pub(super) fn finish(&mut self) -> Vec<ArrayRef> {
        self.rows = 0;
        let mut columns = Vec::with_capacity(self.fields.len());
        for field in &mut self.fields {
            let column = field.column.finish();
            if !matches!(field.column.cells, Cells::Absent) {
                columns.push(column);
            }
        }
        columns
    }
}

/// `name` in quotes. Names that are spelled with escapes are not predicted: a zero byte starts no member.
fn quoted(name: &str) -> Box<[u8]> {
    if name.bytes().any(|byte| byte < 0x20 || matches!(byte, b'"' | b'\\')) {
        return Box::new([0]);
    }
    format!("\"{name}\"").into_bytes().into()
}

/// No field has this index.
const UNKNOWN: usize = usize::MAX;

/// Members whose place is remembered; hostile records may have many more.
const ORDER_MAX: usize = 8192;
