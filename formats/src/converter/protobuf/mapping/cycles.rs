//! Messages that contain themselves, while a schema is walked.
//!
//! Source: `ToConnectContext` and `SchemaWrapper` of `ProtobufData`.

use std::collections::HashMap;
use std::sync::Arc;

use lakeward_api::recursion::{Definitions, Recursive};
use lakeward_api::schema::Schema;

use super::super::descriptor::Pool;
use super::super::fault::{Converted, data};
use super::super::read::Column;

/// The places of recursion found so far.
pub(super) struct Cycles {
    /// What the schemas depend on, apart from the types.
    settings: String,
    version: Option<i32>,
    definitions: Option<Definitions>,
    /// By message and the messages around it, on which it depends where recursion ends.
    known: HashMap<(usize, Vec<usize>), Cycle>,
}

struct Cycle {
    recursive: Recursive,
    /// Index of the columns.
    target: usize,
    columns: Option<Column>,
}

impl Cycles {
    /// For types that `settings` map; the root has `version`.
    pub(super) fn new(settings: String, version: Option<i32>) -> Self {
        Self { settings, version, definitions: None, known: HashMap::new() }
    }

    /// The place of the message `id` inside of itself, without its name, and the number of its columns.
    ///
    /// # Errors
    /// A `DataException` when there are too many such types.
    pub(super) fn place(&mut self, pool: &Pool, id: usize, around: &[usize]) -> Converted<(Schema, usize)> {
        let target = self.known.len();
        let key = key(id, around);
        let (recursive, target) = match self.known.get(&key) {
            Some(known) => (known.recursive, known.target),
            None => {
                let settings = &self.settings;
                let definitions = self
                    .definitions
                    .get_or_insert_with(|| Definitions::new(&format!("protobuf {settings} {pool:?}")));
                let recursive = definitions.reserve().map_err(|error| data(error.to_string()))?;
                self.known.insert(key, Cycle { recursive, target, columns: None });
                (recursive, target)
            }
        };
        let mut place = recursive.place(true, None);
        // Only the root has a version, and the place has that of what it stands for.
        place.version = self.version.filter(|_| around.is_empty());
        Ok((place, target))
    }

    /// Says what the places of the message `id` stand for. What contains itself is optional, since its places
    /// are and are one with it.
    pub(super) fn complete(&mut self, id: usize, around: &[usize], schema: &mut Schema, column: &Column) {
        if self.known.is_empty() {
            return;
        }
        let Some(cycle) = self.known.get_mut(&key(id, around)) else { return };
        schema.optional = true;
        if cycle.columns.is_none() {
            cycle.columns = Some(column.clone());
            cycle.recursive.define(&Arc::new(schema.clone()));
        }
    }

    /// The columns of all of them, by number.
    pub(super) fn columns(self) -> Vec<Column> {
        let mut all: Vec<Cycle> = self.known.into_values().collect();
        all.sort_by_key(|cycle| cycle.target);
        all.into_iter().filter_map(|cycle| cycle.columns).collect()
    }
}

fn key(id: usize, around: &[usize]) -> (usize, Vec<usize>) {
    let mut around = around.to_vec();
    around.sort_unstable();
    (id, around)
}
