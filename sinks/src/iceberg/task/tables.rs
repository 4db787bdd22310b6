//! The tables of a task: what they hold, what records need of them, and which are let go.
//!
//! # Memory
//! Tables that records name: [`TABLES_MAX`], those with rows on their way and those of the batch at hand not
//! counted. Idle ones are let go first, and looked at again when records name them again.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::record::TopicPartition;

use super::IcebergSinkTask;
use crate::iceberg::change::{Creation, Wish};
use crate::iceberg::config::PartitionBy;
use crate::iceberg::error::CatalogError;
use crate::iceberg::round::{Answer, Found, Refusal, Tables};
use crate::iceberg::rows;
use crate::iceberg::schema::Draft;
use crate::iceberg::table::{Positions, TargetTable, positions};
use crate::iceberg::target::Target;

/// When records name more tables, idle ones are let go.
pub(super) const TABLES_MAX: usize = 1024;

/// A batch that needs another change after so many never ends: somebody takes its columns away.
const REFUSALS_MAX: u32 = 32;

/// What is needed before a batch can be taken, by the index of the table; `None` where the table was not
/// looked for yet.
pub(super) type Wishes = BTreeMap<usize, Option<Draft>>;

/// Tables that are being made or changed.
pub(super) struct Change {
    pub(super) answer: Answer,
    /// Partitions whose positions the answer says.
    pub(super) partitions: BTreeSet<TopicPartition>,
}

impl IcebergSinkTask {
    /// Whether tables may be missing, or get columns.
    pub(super) fn adapts(&self) -> bool {
        let shaping = &self.config.shaping;
        shaping.creates || shaping.evolves || self.config.dynamic_field.is_some()
    }

    /// Goes on with tables as they are now: after a commit of everything below `committed`, or to learn the
    /// positions of new partitions.
    pub(super) fn adopt(
        &mut self,
        tables: Tables,
        committed: Option<&Positions>,
    ) -> Result<(), ConnectError> {
        for (ident, found) in tables {
            let learned: Vec<TopicPartition> = match committed {
                Some(committed) => committed.keys().cloned().collect(),
                None => self.fresh.iter().cloned().collect(),
            };
            let Some(index) = self.targets.iter().position(|target| target.ident == ident) else { continue };
            self.targets[index].is_in_round &= committed.is_none();
            self.learn(index, found, learned, committed.is_none())?;
        }
        Ok(())
    }

    /// Goes on with tables that were made or changed while the partitions `asked_for` were open.
    pub(super) fn adopt_change(
        &mut self,
        tables: Tables,
        asked_for: &BTreeSet<TopicPartition>,
    ) -> Result<(), ConnectError> {
        for (ident, found) in tables {
            let Some(index) = self.targets.iter().position(|target| target.ident == ident) else { continue };
            let is_known = self.targets[index].loaded.is_some();
            let is_asked = |partition: &&TopicPartition| {
                // Rows may have been taken of what is known already: they count on that.
                !is_known && self.assigned.contains(partition) && !self.fresh.contains(partition)
            };
            let learned = asked_for.iter().filter(is_asked).cloned().collect();
            self.learn(index, found, learned, true)?;
        }
        Ok(())
    }

    /// Goes on with a table and the positions of `learned` that it holds.
    fn learn(
        &mut self,
        index: usize,
        found: Found,
        learned: Vec<TopicPartition>,
        is_told: bool,
    ) -> Result<(), ConnectError> {
        let target = &mut self.targets[index];
        let found = match found {
            Ok(found) => found,
            Err(Refusal(said)) => {
                target.refused = Some(said);
                return Ok(());
            }
        };
        let Some(table) = found else {
            if target.loaded.is_some() {
                let message = format!("The table {} is gone", target.ident);
                return Err(CatalogError::Overtaken { message }.into());
            }
            target.is_missing = true;
            if !self.config.shaping.creates {
                self.tell_missing(index);
            }
            return Ok(());
        };
        check_id_columns(&self.config.per_table.id_columns(&target.name), &target.name, &table)?;
        let group = &self.office.committer.group;
        let held = positions(table.table.metadata(), target.branch.as_deref(), group)?.unwrap_or_default();
        for partition in learned {
            let position = held.get(&partition).copied();
            if let Some(position) = position.filter(|_| is_told) {
                tracing::info!(table = %target.ident, %partition, position, "rows below are in the table");
            }
            target.held.insert(partition, position);
        }
        target.renew(table)
    }

    /// Once per table, as far as is remembered.
    fn tell_missing(&mut self, index: usize) {
        let ident = &self.targets[index].ident;
        if self.told.len() >= TABLES_MAX {
            self.told.clear();
        }
        if self.told.insert(self.targets[index].name.clone()) {
            tracing::warn!(
                table = %ident,
                "there is no such table: records that name it are left out until there is \
                 (iceberg.tables.auto-create-enabled makes tables)"
            );
        }
    }

    /// The table that records call `name`.
    ///
    /// # Errors
    /// Class `Record` when this is no name of a table.
    pub(super) fn index_of(&mut self, name: &str) -> Result<usize, ConnectError> {
        if let Some(index) = self.targets.iter().position(|target| target.name == name) {
            return Ok(index);
        }
        self.targets.push(Target::new(name, self.config.per_table.branch(name))?);
        Ok(self.targets.len() - 1)
    }

    /// Lets idle tables go when there are many.
    pub(super) fn make_room_for_tables(&mut self) {
        if self.targets.len() > TABLES_MAX {
            self.forget_idle(TABLES_MAX / 2);
        }
    }

    /// Lets idle tables that records name go, those first that got no rows for the longest time, until
    /// `count` tables are left.
    pub(super) fn forget_idle(&mut self, count: usize) {
        if self.config.dynamic_field.is_none() || self.change.is_some() {
            return;
        }
        let mut idle: Vec<(u64, &str)> = self
            .targets
            .iter()
            .filter(|target| target.is_idle())
            .map(|target| (target.used, &*target.name))
            .collect();
        idle.sort_unstable_by_key(|(used, _)| Reverse(*used));
        let surplus = self.targets.len().saturating_sub(count).min(idle.len());
        let gone: BTreeSet<String> =
            idle[idle.len() - surplus..].iter().map(|(_, name)| (*name).to_owned()).collect();
        self.targets.retain(|target| !gone.contains(&target.name));
    }

    /// Tables that are missing or cannot be are looked for again when records name them again.
    pub(super) fn forget_missing(&mut self) {
        if self.config.dynamic_field.is_some() {
            // What could not be added to a table says nothing about its rows that are on their way.
            self.targets.retain(|target| !target.is_idle() || !target.is_missing && target.refused.is_none());
            self.targets.iter_mut().for_each(|target| target.refused = None);
        }
    }

    /// Adds to `wishes` what `values` need of the table at `index`.
    ///
    /// # Errors
    /// Class `Record` when that cannot be.
    pub(super) fn wish(
        &mut self,
        index: usize,
        values: &Values,
        wishes: &mut Wishes,
    ) -> Result<(), ConnectError> {
        let (shaping, rules) = (&self.config.shaping, self.rules());
        let target = &mut self.targets[index];
        let Some(sample) = rows::first(values) else { return Ok(()) };
        if let Some(said) = &target.refused {
            return Err(ConnectError::data(format!(
                "The catalog cannot take what the record asks for: {said}"
            )));
        }
        let Some(table) = &target.loaded else {
            if !shaping.creates {
                // Whether it is there; when it is not, its rows are left out.
                if !target.is_missing {
                    wishes.entry(index).or_insert(None);
                }
                return Ok(());
            }
            let mut draft = wishes.remove(&index).flatten().unwrap_or_else(|| Draft::of_new_table(rules));
            let seen = match (draft.has_changes(), shaping.evolves) {
                (_, true) => draft.see(values),
                (false, false) => draft.see(&sample),
                (true, false) => Ok(()),
            };
            let has_columns = draft.has_changes();
            if has_columns {
                wishes.insert(index, Some(draft));
            } else if !target.is_missing {
                wishes.insert(index, None);
            }
            seen?;
            let is_empty = !has_columns && target.is_missing;
            return if is_empty { Err(ConnectError::data(EMPTY)) } else { Ok(()) };
        };
        let schema = values.schema();
        if !shaping.evolves || schema.is_some_and(|schema| target.fits(schema)) {
            return Ok(());
        }
        let known = wishes.remove(&index).flatten();
        let mut draft =
            known.unwrap_or_else(|| Draft::of_table(table.table.metadata().current_schema(), rules));
        let seen = draft.see(values);
        if draft.has_changes() {
            wishes.insert(index, Some(draft));
        } else if seen.is_ok()
            && let Some(schema) = schema
        {
            target.set_fits(schema);
        }
        seen
    }

    /// Has tables made and changed.
    ///
    /// # Errors
    /// `Retriable` until that is done; nothing when there are no wishes.
    pub(super) fn fulfil(&mut self, wishes: Wishes) -> Result<(), ConnectError> {
        if wishes.is_empty() {
            return Ok(());
        }
        self.refusals += 1;
        if self.refusals > REFUSALS_MAX {
            self.refusals = 0;
            return Err(ConnectError::fatal(
                "Tables were changed again and again for the same records, and do not get their columns",
            ));
        }
        let mut asked = Vec::new();
        for (index, draft) in wishes {
            let (ident, name) = (self.targets[index].ident.clone(), &self.targets[index].name);
            let creation = self.config.shaping.creates.then(|| self.creation(name)).transpose()?;
            asked.push(Wish {
                ident,
                draft,
                creation,
                evolves: self.config.shaping.evolves,
                is_of_records: self.config.dynamic_field.is_some(),
            });
        }
        let partitions = self.assigned.difference(&self.fresh).cloned().collect();
        self.change = Some(Change { answer: self.office.change(asked), partitions });
        Err(ConnectError::retriable("Tables are made or changed for these records first"))
    }

    fn creation(&self, name: &str) -> Result<Creation, ConnectError> {
        let partition_by: Vec<PartitionBy> = self.config.per_table.partition_by(name)?;
        Ok(Creation { partition_by, properties: self.config.shaping.properties.clone() })
    }
}

/// As Java says it.
fn check_id_columns(columns: &[String], name: &str, table: &TargetTable) -> Result<(), ConnectError> {
    let schema = table.table.metadata().current_schema();
    match columns.iter().find(|column| schema.field_by_name(column).is_none()) {
        None => Ok(()),
        Some(column) => Err(ConnectError::config(format!(
            "ID column not found: {column} (iceberg.tables.default-id-columns, \
             iceberg.table.{name}.id-columns)"
        ))),
    }
}

/// In Java's words.
const EMPTY: &str = "Unable to create table from empty object";
