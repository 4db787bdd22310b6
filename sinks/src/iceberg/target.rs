//! A table that a task writes to: one open file per partition of it, and files that wait for a commit.
//!
//! All open files have the columns that the table had when it was looked at last; they end when it changes.
//!
//! # Memory
//! Open files count what they hold, and those that wait for a commit what is said of them. There are at most
//! [`OPEN_FILES_MAX`] open ones of a table, and a task has no room when [`FINISHED_FILES_MAX`] wait.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow_array::ArrayRef;
use iceberg::TableIdent;
use iceberg::spec::DataFile;
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::record::TopicPartition;
use lakeward_api::schema::Schema;
use uuid::Uuid;

use super::columns::Names;
use super::data_file::{OpenFile, Stored, Uploads};
use super::error::CatalogError;
use super::partition::{Group, Partition};
use super::rows;
use super::table::TargetTable;

/// When there are more, the larger half of them ends.
const OPEN_FILES_MAX: usize = 1024;
/// More are committed at once.
pub(super) const FINISHED_FILES_MAX: usize = 4096;

/// Longer names of tables are none.
const NAME_BYTES_MAX: usize = 1024;

/// What metadata says of a file that waits for a commit, and of each column there, roughly.
const DESCRIPTION_BYTES: u64 = 1 << 10;
const COLUMN_BYTES: u64 = 512;

/// One table.
pub(super) struct Target {
    pub(super) ident: TableIdent,
    /// As in the configuration, or as records name it.
    pub(super) name: String,
    /// The branch that gets its snapshots; `None` for the main one.
    pub(super) branch: Option<String>,
    /// As it was looked at last.
    pub(super) loaded: Option<TargetTable>,
    /// It was looked for, and was not there.
    pub(super) is_missing: bool,
    /// Why the catalog cannot take what records ask for.
    pub(super) refused: Option<String>,
    /// Its files are in a commit that is under way.
    pub(super) is_in_round: bool,
    /// When rows came for it last, in batches of the task.
    pub(super) used: u64,
    /// A schema of records that needs nothing new of the table, and the table's own schema then.
    fitting: Option<(Arc<Schema>, i32)>,
    /// Of open partitions: what the table holds.
    pub(super) held: BTreeMap<TopicPartition, Option<i64>>,
    /// As it was when the first of the open files began; all of them have its columns.
    begun: Option<TargetTable>,
    open: HashMap<Partition, OpenFile>,
    finished: Vec<(DataFile, Stored)>,
}

/// Names of new data files.
pub(super) struct FileNames {
    run: Uuid,
    made: u64,
}

impl FileNames {
    pub(super) fn new() -> Self {
        Self { run: Uuid::new_v4(), made: 0 }
    }

    fn next(&mut self) -> String {
        self.made += 1;
        format!("{}-{:05}.parquet", self.run, self.made)
    }
}

impl Target {
    /// A table that was not looked at yet.
    ///
    /// # Errors
    /// Class `Record` when `name` is not a namespace, a dot and a name.
    pub(super) fn new(name: &str, branch: Option<String>) -> Result<Self, ConnectError> {
        let is_odd = |part: &str| part.is_empty() || part.contains(char::is_control);
        let ident = Some(name).filter(|name| name.len() <= NAME_BYTES_MAX && !name.split('.').any(is_odd));
        let ident = ident.and_then(|name| TableIdent::from_strs(name.split('.')).ok());
        let problem = || ConnectError::data("The name of a table must be a namespace, a dot and a name");
        let ident = ident.ok_or_else(problem)?;
        Ok(Self {
            ident,
            name: name.to_owned(),
            branch,
            loaded: None,
            is_missing: false,
            refused: None,
            is_in_round: false,
            used: 0,
            fitting: None,
            held: BTreeMap::new(),
            begun: None,
            open: HashMap::new(),
            finished: Vec::new(),
        })
    }

    /// Goes on with the table as it is now.
    ///
    /// # Errors
    /// `Retriable` when it was made anew and there are files for the former one; `Fatal` when the encoder
    /// broke.
    pub(super) fn renew(&mut self, table: TargetTable) -> Result<(), ConnectError> {
        self.is_missing = false;
        if let Some(before) = &self.loaded {
            let is_same = before.uuid() == table.uuid();
            if !is_same && self.has_files() {
                let message = format!("The table {} was made anew", self.ident);
                return Err(CatalogError::Overtaken { message }.into());
            }
            let updated = |table: &TargetTable| table.table.metadata().last_updated_ms();
            if is_same && updated(before) > updated(&table) {
                return Ok(());
            }
        }
        self.loaded = Some(table);
        if self.begun.as_ref().map(TargetTable::schema_id) != self.loaded.as_ref().map(TargetTable::schema_id)
        {
            self.end_all()?;
        }
        Ok(())
    }

    /// Whether records of `schema` need nothing new of the table, as was found out before.
    pub(super) fn fits(&self, schema: &Arc<Schema>) -> bool {
        let own = self.loaded.as_ref().map(TargetTable::schema_id);
        self.fitting.as_ref().is_some_and(|(known, of)| Arc::ptr_eq(known, schema) && Some(*of) == own)
    }

    /// Remembers that they need nothing new.
    pub(super) fn set_fits(&mut self, schema: &Arc<Schema>) {
        self.fitting = self.loaded.as_ref().map(|table| (Arc::clone(schema), table.schema_id()));
    }

    /// Files that no commit has yet.
    pub(super) fn has_files(&self) -> bool {
        !self.open.is_empty() || !self.finished.is_empty()
    }

    /// Nothing of it is open or on its way.
    pub(super) fn is_idle(&self) -> bool {
        !self.has_files() && !self.is_in_round
    }

    fn end_all(&mut self) -> Result<(), ConnectError> {
        self.begun = None;
        for (_, open) in self.open.drain() {
            self.finished.push(open.finish()?);
        }
        Ok(())
    }

    /// Rows below are in the table.
    pub(super) fn held(&self, partition: &TopicPartition) -> Option<i64> {
        self.held.get(partition).copied().flatten()
    }

    /// The rows of `values` as columns of the table, by partition.
    ///
    /// # Errors
    /// Class `Record`.
    pub(super) fn groups(&self, values: &Values, names: Names) -> Result<Vec<Group>, ConnectError> {
        let table = self.begun.as_ref().or(self.loaded.as_ref());
        let table = table.ok_or_else(|| ConnectError::fatal("Rows were put before tables were loaded"))?;
        match rows::columns(table.fields(), values, names)? {
            Some(columns) => table.partitioning.split(columns),
            None => Ok(Vec::new()),
        }
    }

    /// Appends rows to the file of their partition.
    ///
    /// # Errors
    /// `Config` when an address cannot be used, `Fatal` when the encoder broke.
    pub(super) fn write(
        &mut self,
        partition: Partition,
        columns: Vec<ArrayRef>,
        names: &mut FileNames,
        uploads: &Uploads,
    ) -> Result<(), ConnectError> {
        if self.begun.is_none() {
            self.begun.clone_from(&self.loaded);
        }
        let table = self.begun.as_ref().expect("rows were made for a table that was loaded");
        let file_bytes_max = table.file_bytes_target();
        if !self.open.contains_key(&partition) {
            let open = OpenFile::create(table, partition.clone(), &names.next(), uploads)?;
            if self.open.len() >= OPEN_FILES_MAX {
                self.end_large(OPEN_FILES_MAX / 2, 0, u64::MAX)?;
            }
            self.open.insert(partition.clone(), open);
        }
        let open = self.open.get_mut(&partition).expect("it was there or was just made");
        open.used = self.used;
        open.write(columns)?;
        if open.bytes() >= file_bytes_max {
            self.end(&partition)?;
        }
        Ok(())
    }

    fn end(&mut self, partition: &Partition) -> Result<(), ConnectError> {
        if let Some(open) = self.open.remove(partition) {
            self.finished.push(open.finish()?);
        }
        Ok(())
    }

    /// Ends at most `count` files that hold `bytes_min` or more, idle ones first, the largest first, until
    /// `surplus` bytes are given back; answers how many were.
    ///
    /// # Errors
    /// `Fatal` when the encoder broke.
    pub(super) fn end_large(
        &mut self,
        count: usize,
        bytes_min: u64,
        surplus: u64,
    ) -> Result<u64, ConnectError> {
        let used = self.used;
        let sized =
            self.open.iter().map(|(partition, open)| (open.used == used, open.buffered_bytes(), partition));
        let mut sized: Vec<_> = sized
            .filter(|(_, bytes, _)| *bytes >= bytes_min)
            .map(|(is_busy, bytes, partition)| (is_busy, bytes, partition.clone()))
            .collect();
        sized.sort_unstable_by_key(|(is_busy, bytes, _)| (*is_busy, Reverse(*bytes)));
        let mut given_back = 0;
        for (_, bytes, partition) in sized.into_iter().take(count) {
            if given_back >= surplus {
                break;
            }
            self.end(&partition)?;
            given_back += bytes;
        }
        Ok(given_back)
    }

    /// Closes row groups that hold `bytes_min` or more, idle ones first, the largest first, until `surplus`
    /// bytes are given back; answers how many were.
    ///
    /// # Errors
    /// `Fatal` when the encoder broke.
    pub(super) fn flush_large(&mut self, bytes_min: u64, surplus: u64) -> Result<u64, ConnectError> {
        let used = self.used;
        let mut open: Vec<_> = self.open.values_mut().filter(|open| open.row_bytes() >= bytes_min).collect();
        open.sort_unstable_by_key(|open| (open.used == used, Reverse(open.row_bytes())));
        let mut given_back = 0;
        for open in open {
            if given_back >= surplus {
                break;
            }
            let before = open.buffered_bytes();
            open.flush_early()?;
            given_back += before.saturating_sub(open.buffered_bytes());
        }
        Ok(given_back)
    }

    /// Ends all files; answers those that no commit has yet.
    ///
    /// # Errors
    /// `Fatal` when the encoder broke.
    pub(super) fn take_files(&mut self) -> Result<(Vec<DataFile>, Vec<Stored>), ConnectError> {
        self.end_all()?;
        Ok(self.finished.drain(..).unzip())
    }

    /// Files that wait for a commit.
    pub(super) fn finished_files(&self) -> usize {
        self.finished.len()
    }

    /// Memory held.
    pub(super) fn buffered_bytes(&self) -> u64 {
        let open: u64 = self.open.values().map(OpenFile::buffered_bytes).sum();
        open + self.described_bytes(self.finished.len())
    }

    /// Memory that the descriptions of `files` files take, roughly.
    pub(super) fn described_bytes(&self, files: usize) -> u64 {
        let columns = self.loaded.as_ref().map_or(0, |table| table.fields().len() as u64);
        files as u64 * (DESCRIPTION_BYTES + columns * COLUMN_BYTES)
    }
}

#[cfg(test)]
mod tests;
