//! Places where the schema contains itself: each value is read into a column of what the place stands for,
//! and its packed form becomes the cell. There is a column per level of recursion, made when it is reached.

use std::sync::Arc;

use lakeward_api::packed;
use lakeward_api::recursion::{Recursive, fits};
use lakeward_api::rows::value_at;
use lakeward_api::schema::Schema;
use lakeward_api::value::Value;

use super::super::cursor::Cursor;
use super::super::fault::{Parsed, data};
use super::{Column, Reading, Runs};

/// The cells of such a place.
#[derive(Debug)]
pub(super) struct Recursion {
    pub(super) cells: Runs<u8>,
    recursive: Recursive,
    is_union: fn(&Schema) -> bool,
    /// Levels of recursion that may follow.
    levels_left: usize,
    level: Option<Level>,
}

#[derive(Debug)]
struct Level {
    schema: Arc<Schema>,
    column: Column,
}

impl Recursion {
    pub(super) fn new(recursive: Recursive, is_union: fn(&Schema) -> bool, levels_left: usize) -> Self {
        Self { cells: Runs::new(), recursive, is_union, levels_left, level: None }
    }

    /// Appends the value at the cursor, which is not null. Recursion is bounded by [`packed::DEPTH_MAX`].
    pub(super) fn append_value(&mut self, cursor: &mut Cursor<'_>, reading: Reading) -> Parsed<()> {
        let level = self.level()?;
        level.column.truncate(0);
        level.column.append_value(cursor, reading)?;
        let value = value_at(&level.schema, &level.column.finish(), 0);
        self.append_packed(&value)
    }

    /// Appends a default.
    pub(super) fn append_constant(&mut self, value: &Value) -> Parsed<()> {
        if !fits(&self.recursive.resolve(), value) {
            return Err(data("The default of a field does not have the type of its schema."));
        }
        self.append_packed(value)
    }

    fn append_packed(&mut self, value: &Value) -> Parsed<()> {
        packed::pack(value, &mut self.cells.items).map_err(|failure| data(failure.to_string()))?;
        self.cells.end_cell()
    }

    /// The column of what the place stands for.
    pub(super) fn column(&mut self) -> Parsed<&mut Column> {
        self.level().map(|level| &mut level.column)
    }

    /// The Connect name of the type it stands for.
    pub(super) fn type_name(&self) -> &'static str {
        self.recursive.resolve().kind.name()
    }

    fn level(&mut self) -> Parsed<&mut Level> {
        if self.level.is_none() {
            let depth_max = packed::DEPTH_MAX;
            let levels_left = self.levels_left.checked_sub(1).ok_or_else(|| {
                data(format!("A recursive value is nested more than {depth_max} levels deep"))
            })?;
            let schema = self.recursive.resolve();
            let column = Column::nested(&schema, self.is_union, levels_left);
            self.level = Some(Level { schema, column });
        }
        Ok(self.level.as_mut().expect("it was made above"))
    }
}
