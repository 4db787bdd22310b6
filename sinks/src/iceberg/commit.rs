//! Commits: data files and the positions of their rows become one snapshot of a table.
//!
//! A commit is a compare-and-set. It counts on the positions that the task knew when it took the rows; when
//! the table holds others, somebody else stored rows meanwhile, and this task's files are left behind. When
//! another snapshot came first, the positions are looked at again; when an answer was lost, the table is
//! searched for the commit's id.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use iceberg::spec::{DataFile, TableMetadata};
use iceberg::table::Table;
use iceberg::transaction::{ApplyTransactionAction as _, Transaction};
use iceberg::{
    Catalog, Error, ErrorKind, Namespace, NamespaceIdent, Result, TableCommit, TableCreation, TableIdent,
};
use lakeward_api::record::TopicPartition;
use uuid::Uuid;

use super::branch::Branch;
use super::catalog::Catalog as TableCatalog;
use super::error::CatalogError;
use super::rest::LoadedTable;
use super::table::{Positions, TargetTable, position_properties, positions};

/// The id of the commit that made a snapshot.
const COMMIT_ID: &str = "kafka.connect.commit-id";
/// Who made it.
const TASK_ID: &str = "kafka.connect.task-id";

/// How often a commit starts over.
pub(super) const TRIES: u32 = 12;
/// The pause after the first conflict; it doubles up to [`PAUSE_MAX`].
pub(super) const PAUSE: Duration = Duration::from_millis(50);
pub(super) const PAUSE_MAX: Duration = Duration::from_secs(5);

/// What one task appends to one table.
pub(super) struct Append {
    pub(super) ident: TableIdent,
    /// The table that the files were made for.
    pub(super) uuid: Uuid,
    /// The branch that gets the snapshot; `None` for the main one.
    pub(super) branch: Option<String>,
    pub(super) files: Vec<DataFile>,
    /// What the table held when the rows were taken, by topic-partition of `positions`.
    pub(super) known: BTreeMap<TopicPartition, Option<i64>>,
    /// What it holds with them.
    pub(super) positions: Positions,
}

/// Who commits.
#[derive(Clone, Debug)]
pub(super) struct Committer {
    pub(super) group: String,
    /// Connector and number of the task.
    pub(super) task: String,
    /// A table that is gone will be made again, or is nobody's loss: the task starts over.
    pub(super) survives_loss: bool,
}

impl Committer {
    /// Makes a snapshot of `append`; answers the table with it.
    ///
    /// # Errors
    /// `Overtaken` when the table holds other positions than were counted on.
    pub(super) async fn commit(
        &self,
        catalog: &TableCatalog,
        append: &Append,
    ) -> std::result::Result<TargetTable, CatalogError> {
        let id = Uuid::new_v4();
        let mut pause = PAUSE;
        let mut last = None;
        for _ in 0..TRIES {
            if last.is_some() {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
            let base = TargetTable::load(catalog, &append.ident).await.map_err(|err| match err {
                err if err.is_missing() && self.survives_loss => overtaken(append, "is gone"),
                err => err,
            })?;
            if has_commit(base.table.metadata(), id) {
                return Ok(base);
            }
            match self.try_commit(catalog, append, &base, id).await {
                Err(err @ (CatalogError::Conflict { .. } | CatalogError::Unknown { .. })) => {
                    tracing::info!(table = %append.ident, error = %err, "a commit starts over");
                    last = Some(err);
                }
                outcome => return outcome,
            }
        }
        Err(last.expect("only a failure leads to another try"))
    }

    async fn try_commit(
        &self,
        catalog: &TableCatalog,
        append: &Append,
        base: &TargetTable,
        id: Uuid,
    ) -> std::result::Result<TargetTable, CatalogError> {
        if base.uuid() != append.uuid {
            return Err(overtaken(append, "was made anew"));
        }
        let mut held = positions(base.table.metadata(), append.branch.as_deref(), &self.group)?;
        if let Some(held) = &held {
            self.check(append, held)?;
        }
        let mut all = held.take().unwrap_or_default();
        all.extend(append.positions.clone());
        let mut properties: HashMap<String, String> =
            position_properties(&all, &self.group).into_iter().collect();
        properties.insert(COMMIT_ID.to_owned(), id.to_string());
        properties.insert(TASK_ID.to_owned(), self.task.clone());
        let branch = append.branch.as_deref().map(|name| Branch::of(base, name)).transpose()?;
        let table = branch.as_ref().map_or_else(|| Ok(base.table.clone()), |branch| branch.as_main(base))?;
        let transaction = Transaction::new(&table);
        let action = transaction
            .fast_append()
            .with_check_duplicate(false)
            .set_snapshot_properties(properties)
            .add_data_files(append.files.clone());
        let request =
            OneCommit { catalog, base: &base.table, shown: &table, branch, outcome: Mutex::default() };
        let made = action.apply(transaction)?.commit(&request).await;
        match request.outcome.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(outcome) => TargetTable::new(catalog.properties().await?, &append.ident, outcome?),
            None => Err(made.err().map_or_else(
                || CatalogError::Setting { message: "A commit ended without a request".to_owned() },
                CatalogError::from,
            )),
        }
    }

    fn check(&self, append: &Append, held: &Positions) -> std::result::Result<(), CatalogError> {
        for (partition, known) in &append.known {
            let found = held.get(partition).copied();
            if found != *known {
                let text =
                    |position: Option<i64>| position.map_or("nothing".to_owned(), |next| next.to_string());
                return Err(CatalogError::Overtaken {
                    message: format!(
                        "Another task of the group {} stored rows of {partition} in {}: it holds {}, this \
                         task counted on {}",
                        self.group,
                        append.ident,
                        text(found),
                        text(*known)
                    ),
                });
            }
        }
        Ok(())
    }
}

fn overtaken(append: &Append, what: &str) -> CatalogError {
    CatalogError::Overtaken {
        message: format!("The table {} {what} since rows were taken for it", append.ident),
    }
}

fn has_commit(metadata: &TableMetadata, id: Uuid) -> bool {
    let id = id.to_string();
    metadata.snapshots().any(|snapshot| snapshot.summary().additional_properties.get(COMMIT_ID) == Some(&id))
}

/// The catalog as a transaction sees it: the table as it was looked at, and one change of it.
struct OneCommit<'a> {
    catalog: &'a TableCatalog,
    base: &'a Table,
    /// The same as the library is to see it: it appends to main only.
    shown: &'a Table,
    branch: Option<Branch>,
    outcome: Mutex<Option<std::result::Result<LoadedTable, CatalogError>>>,
}

impl std::fmt::Debug for OneCommit<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OneCommit")
    }
}

fn unused<T>() -> Result<T> {
    Err(Error::new(ErrorKind::FeatureUnsupported, "A commit asks for nothing else"))
}

#[async_trait]
impl Catalog for OneCommit<'_> {
    async fn load_table(&self, _table: &TableIdent) -> Result<Table> {
        Ok(self.shown.clone())
    }

    /// The failure is kept; the error that is answered is never one to repeat.
    async fn update_table(&self, mut commit: TableCommit) -> Result<Table> {
        let (mut requirements, mut updates) = (commit.take_requirements(), commit.take_updates());
        if let Some(branch) = &self.branch {
            branch.put_right(&mut requirements, &mut updates);
        }
        let outcome = self.catalog.commit(self.base, &requirements, &updates).await;
        let answer = match &outcome {
            Ok(_) => Ok(self.shown.clone()),
            Err(err) => Err(Error::new(ErrorKind::Unexpected, err.to_string())),
        };
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        answer
    }

    async fn list_namespaces(&self, _parent: Option<&NamespaceIdent>) -> Result<Vec<NamespaceIdent>> {
        unused()
    }

    async fn create_namespace(
        &self,
        _namespace: &NamespaceIdent,
        _properties: HashMap<String, String>,
    ) -> Result<Namespace> {
        unused()
    }

    async fn get_namespace(&self, _namespace: &NamespaceIdent) -> Result<Namespace> {
        unused()
    }

    async fn namespace_exists(&self, _namespace: &NamespaceIdent) -> Result<bool> {
        unused()
    }

    async fn update_namespace(
        &self,
        _namespace: &NamespaceIdent,
        _properties: HashMap<String, String>,
    ) -> Result<()> {
        unused()
    }

    async fn drop_namespace(&self, _namespace: &NamespaceIdent) -> Result<()> {
        unused()
    }

    async fn list_tables(&self, _namespace: &NamespaceIdent) -> Result<Vec<TableIdent>> {
        unused()
    }

    async fn create_table(&self, _namespace: &NamespaceIdent, _creation: TableCreation) -> Result<Table> {
        unused()
    }

    async fn drop_table(&self, _table: &TableIdent) -> Result<()> {
        unused()
    }

    async fn purge_table(&self, _table: &TableIdent) -> Result<()> {
        unused()
    }

    async fn table_exists(&self, _table: &TableIdent) -> Result<bool> {
        unused()
    }

    async fn rename_table(&self, _from: &TableIdent, _to: &TableIdent) -> Result<()> {
        unused()
    }

    async fn register_table(&self, _table: &TableIdent, _metadata_location: String) -> Result<Table> {
        unused()
    }
}
