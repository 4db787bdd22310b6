//! Shaped rows, flattened column by column: names and order are the same for every row.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StructArray};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Fields};
use lakeward_api::ConnectError;
use lakeward_api::shaped::values;
use lakeward_api::value::Value;

use super::no_data;
use crate::hash_order;
use crate::layout::{Layout, Source, key};
use crate::null_rows::Failures;
use crate::shape_fields::sample;

/// What flattening does to one shape.
pub(super) struct Plan {
    /// Maps and leaves at every level in Java's order, each map before its members.
    members: Vec<Member>,
    /// Of two leaves of one name the later one, in the place of the earlier one.
    layout: Layout,
    /// Whether a map that is null instead can be told from every other member.
    has_unique_names: bool,
}

struct Member {
    /// In the flat rows.
    name: Arc<str>,
    /// Its number among the members of the map that it is in.
    at: usize,
    /// The map that it is in, by its place in the plan. `None` at the top.
    within: Option<usize>,
    kind: DataType,
}

impl Member {
    fn is_map(&self) -> bool {
        matches!(self.kind, DataType::Struct(_))
    }

    fn is_date(&self) -> bool {
        matches!(self.kind, DataType::Timestamp(..))
    }
}

impl Plan {
    pub(super) fn new(fields: &Fields, delimiter: &str) -> Self {
        let mut members = Vec::new();
        add(fields, None, delimiter, &mut members);
        let mut entries = Vec::new();
        let mut places = HashMap::new();
        for (number, member) in members.iter().enumerate().filter(|(_, member)| !member.is_map()) {
            let entry = (key(&member.name, member.kind.clone()), Source::New(number));
            match places.get(&member.name) {
                Some(place) => entries[*place] = entry,
                None => {
                    places.insert(Arc::clone(&member.name), entries.len());
                    entries.push(entry);
                }
            }
        }
        let mut names = HashSet::new();
        let has_unique_names = members.iter().all(|member| names.insert(&member.name));
        Self { layout: Layout::new(entries), has_unique_names, members }
    }

    /// The flat rows, or `None` when a map is null in some of them, which leaves them with different keys.
    ///
    /// # Errors
    /// `Fatal` when the columns are not those of the plan.
    pub(super) fn apply(
        &self,
        rows: &StructArray,
        failures: &mut Failures,
    ) -> Result<Option<ArrayRef>, ConnectError> {
        let columns = self.columns(rows);
        let is_hidden = |row: usize| rows.is_null(row);
        let has_null_map = self.members.iter().zip(&columns).any(|(member, column)| {
            let nulls = column.nulls().filter(|nulls| member.is_map() && nulls.null_count() > 0);
            nulls.is_some_and(|nulls| (0..rows.len()).any(|row| nulls.is_null(row) && !is_hidden(row)))
        });
        if has_null_map {
            return Ok(None);
        }
        for (member, column) in self.members.iter().zip(&columns).filter(|(member, _)| member.is_date()) {
            for row in (0..rows.len()).filter(|row| column.is_valid(*row) && !is_hidden(*row)) {
                failures.add(row, || no_data(&sample(&member.kind)));
            }
        }
        self.layout.apply(rows, &columns).map(Some)
    }

    /// The flat rows one by one, where a map that is null stays as a member. `None` when the plan alone does
    /// not say what they are: names are there twice, or rows may fail.
    pub(super) fn rows(&self, rows: &StructArray) -> Option<Vec<Value>> {
        if !self.has_unique_names || self.members.iter().any(Member::is_date) {
            return None;
        }
        let names: Vec<Value> =
            self.members.iter().map(|member| Value::String(Arc::clone(&member.name))).collect();
        let columns = self.columns(rows);
        let mut cells: Vec<Cells> = columns.iter().zip(&self.members).map(Cells::of).collect();
        let mut is_gone = vec![false; self.members.len()];
        let mut flat = Vec::with_capacity(rows.len());
        for row in 0..rows.len() {
            let mut members = Vec::with_capacity(self.members.len());
            for (number, member) in self.members.iter().enumerate() {
                let is_around_gone = member.within.is_some_and(|within| is_gone[within]);
                let value = match &mut cells[number] {
                    Cells::Leaves(values) => values.next(),
                    Cells::Maps(nulls) => {
                        let is_null = nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
                        is_gone[number] = is_null || is_around_gone;
                        is_null.then_some(Value::Null)
                    }
                };
                members.extend(value.filter(|_| !is_around_gone).map(|value| (names[number].clone(), value)));
            }
            flat.push(if rows.is_null(row) { Value::Null } else { Value::Map(members) });
        }
        Some(flat)
    }

    /// The columns of all members.
    fn columns(&self, rows: &StructArray) -> Vec<ArrayRef> {
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.members.len());
        for member in &self.members {
            let within = member.within.map_or(rows, |within| columns[within].as_struct());
            columns.push(Arc::clone(within.column(member.at)));
        }
        columns
    }
}

/// The cells of a column, row by row.
enum Cells {
    Leaves(std::vec::IntoIter<Value>),
    /// Which maps are null.
    Maps(Option<NullBuffer>),
}

impl Cells {
    fn of((column, member): (&ArrayRef, &Member)) -> Self {
        match member.is_map() {
            true => Self::Maps(column.nulls().cloned()),
            false => Self::Leaves(values(column).into_iter()),
        }
    }
}

/// Adds the members of the map at `within`.
fn add(fields: &Fields, within: Option<usize>, delimiter: &str, members: &mut Vec<Member>) {
    let mut sorted: Vec<_> = fields.iter().enumerate().collect();
    hash_order::sort(&mut sorted, 16, |(_, field)| field.name());
    for (at, field) in sorted {
        let name = match within.map(|within| &*members[within].name) {
            None | Some("") => field.name().as_str().into(),
            Some(prefix) => format!("{prefix}{delimiter}{}", field.name()).into(),
        };
        members.push(Member { name, at, within, kind: field.data_type().clone() });
        if let DataType::Struct(inner) = field.data_type() {
            add(inner, Some(members.len() - 1), delimiter, members);
        }
    }
}
