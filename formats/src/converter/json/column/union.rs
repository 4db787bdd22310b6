//! Unions: a STRUCT with a field per alternative, of which the first that fits the JSON value takes it.
//!
//! Source: `JsonSchemaData.TO_CONNECT_CONVERTERS`, STRUCT: scalars, arrays and maps are chosen by their JSON
//! type; among STRUCTs the one wins that knows most members, counted through all levels.

use super::super::cursor::Cursor;
use super::super::fault::{Parsed, data, syntax};
use super::super::number::Number;
use super::append::json_type;
use super::record::Record;
use super::{Cells, Column, Reading};

impl Record {
    /// Appends the value at the cursor, whose first byte is `token`, to the field that fits it.
    pub(super) fn append_branch(
        &mut self,
        cursor: &mut Cursor<'_>,
        token: u8,
        reading: Reading,
    ) -> Parsed<()> {
        json_type(token).ok_or_else(|| syntax("unexpected character", cursor.pos))?;
        let chosen = self.branch(cursor, token)?;
        for (at, field) in self.fields.iter_mut().enumerate() {
            if at == chosen {
                field.column.append_value(cursor, reading).map_err(|fault| fault.inside(&field.name))?;
            } else {
                field.column.push_hole();
            }
        }
        self.rows += 1;
        Ok(())
    }

    fn branch(&mut self, cursor: &Cursor<'_>, token: u8) -> Parsed<usize> {
        let mut best = (0, None);
        for (at, field) in self.fields.iter_mut().enumerate() {
            if field.column.takes(cursor, token)? {
                return Ok(at);
            }
            if token == b'{'
                && let Some(record) = field.column.record()?
            {
                let members = record.members_in(&mut cursor.clone())?;
                if members > best.0 {
                    best = (members, Some(at));
                }
            }
        }
        best.1.ok_or_else(|| data("Did not find matching oneof field for data"))
    }

    /// How many fields of this STRUCT the object at the cursor names, also in the STRUCTs below. Passes the
    /// object. Recursion is bounded by the depth of the schema.
    fn members_in(&mut self, cursor: &mut Cursor<'_>) -> Parsed<usize> {
        self.fields.iter_mut().for_each(|field| field.matched = 0);
        let mut more = cursor.enter(b'}');
        while more {
            let name = cursor.member_name()?.resolved();
            let at = self.index.get(&*name).copied();
            let token = cursor.token();
            match at.and_then(|at| self.fields.get_mut(at)) {
                Some(field) => {
                    // Of members with the same name the last one counts.
                    field.matched = 1;
                    match field.column.record()? {
                        Some(record) if token == b'{' => field.matched += record.members_in(cursor)?,
                        _ => cursor.skip_value()?,
                    }
                }
                None => cursor.skip_value()?,
            }
            more = cursor.has_more(b'}')?;
        }
        Ok(self.fields.iter().map(|field| field.matched).sum())
    }
}

impl Column {
    /// The fields of a STRUCT, also at a place where it contains itself.
    fn record(&mut self) -> Parsed<Option<&mut Record>> {
        Ok(match &mut self.cells {
            Cells::Recursive(recursion) => recursion.column()?.record()?,
            Cells::Struct(record) | Cells::Union(record) => Some(record),
            _ => None,
        })
    }

    /// Whether a value whose first byte is `token` fits by its JSON type alone.
    fn takes(&mut self, cursor: &Cursor<'_>, token: u8) -> Parsed<bool> {
        let is_number = matches!(token, b'-' | b'0'..=b'9');
        let is_fraction = || -> Parsed<bool> { Ok(matches!(cursor.clone().number()?, Number::Fraction(_))) };
        Ok(match &mut self.cells {
            Cells::Boolean(_) => matches!(token, b't' | b'f'),
            Cells::Bytes(_) | Cells::Decimal { .. } => is_number && is_fraction()?,
            Cells::Date(_)
            | Cells::Int16(_)
            | Cells::Int32(_)
            | Cells::Int64(_)
            | Cells::Int8(_)
            | Cells::Time(_)
            | Cells::Timestamp(_) => is_number && !is_fraction()?,
            Cells::Float32(_) | Cells::Float64(_) => is_number,
            Cells::List { .. } => token == b'[',
            Cells::Map { .. } => matches!(token, b'{' | b'['),
            Cells::Recursive(recursion) => recursion.column()?.takes(cursor, token)?,
            Cells::String(_) => token == b'"',
            Cells::Absent | Cells::JsonText { .. } | Cells::Struct(_) | Cells::Union(_) => false,
        })
    }
}
