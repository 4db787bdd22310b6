//! Branches other than the main one: where their history begins, and commits to them.
//!
//! The library appends to the main branch only. It is given the table as if its main branch were the one that
//! is meant; what it wants to change and what it counts on is put right on the way to the catalog.
//!
//! Source: `SnapshotProducer`, `SnapshotUtil#latestSnapshot`, Iceberg 1.10: a branch that is missing begins
//! at the head of the main branch.

use iceberg::spec::{MAIN_BRANCH, SnapshotRef, SnapshotReference, SnapshotRetention, TableMetadata};
use iceberg::table::Table;
use iceberg::{Runtime, TableRequirement, TableUpdate};

use super::error::CatalogError;
use super::table::TargetTable;

/// The last snapshot of the history of `branch`; of the main one without a name.
pub(super) fn head<'a>(metadata: &'a TableMetadata, branch: Option<&str>) -> Option<&'a SnapshotRef> {
    branch.and_then(|branch| metadata.snapshot_for_ref(branch)).or_else(|| metadata.current_snapshot())
}

/// A branch that is committed to.
#[derive(Debug)]
pub(super) struct Branch {
    name: String,
    /// As the table has it.
    found: Option<SnapshotReference>,
}

impl Branch {
    /// The branch `name` of a table.
    ///
    /// # Errors
    /// When this is a tag.
    pub(super) fn of(table: &TargetTable, name: &str) -> Result<Self, CatalogError> {
        let unreadable = |source| CatalogError::Unreadable { source };
        let found = if table.table.metadata().snapshot_for_ref(name).is_some() {
            let mut metadata = serde_json::to_value(table.table.metadata()).map_err(unreadable)?;
            let reference = metadata["refs"][name].take();
            Some(serde_json::from_value::<SnapshotReference>(reference).map_err(unreadable)?)
        } else {
            None
        };
        if found.as_ref().is_some_and(|found| !found.is_branch()) {
            let message = format!(
                "iceberg.tables.default-commit-branch, iceberg.table.{}.commit-branch: {name} is a tag, \
                 not a branch",
                table.table.identifier()
            );
            return Err(CatalogError::Setting { message });
        }
        Ok(Self { name: name.to_owned(), found })
    }

    /// The table as if this branch were the main one.
    ///
    /// # Errors
    /// When its metadata makes no sense.
    pub(super) fn as_main(&self, table: &TargetTable) -> Result<Table, CatalogError> {
        let Some(found) = &self.found else { return Ok(table.table.clone()) };
        let retention = SnapshotRetention::Branch {
            min_snapshots_to_keep: None,
            max_snapshot_age_ms: None,
            max_ref_age_ms: None,
        };
        let main = SnapshotReference::new(found.snapshot_id, retention);
        let metadata = table.table.metadata().clone().into_builder(None).set_ref(MAIN_BRANCH, main)?;
        let built = Table::builder()
            .file_io(table.files.file_io())
            .identifier(table.table.identifier().clone())
            .metadata(metadata.build()?.metadata)
            .runtime(Runtime::try_current()?)
            .disable_cache()
            .build()?;
        Ok(built)
    }

    /// Makes what was meant for the main branch count for this one.
    pub(super) fn put_right(&self, requirements: &mut [TableRequirement], updates: &mut [TableUpdate]) {
        for requirement in requirements {
            if let TableRequirement::RefSnapshotIdMatch { r#ref, snapshot_id } = requirement
                && r#ref == MAIN_BRANCH
            {
                r#ref.clone_from(&self.name);
                *snapshot_id = self.found.as_ref().map(|found| found.snapshot_id);
            }
        }
        for update in updates {
            if let TableUpdate::SetSnapshotRef { ref_name, reference } = update
                && ref_name == MAIN_BRANCH
            {
                ref_name.clone_from(&self.name);
                if let Some(found) = &self.found {
                    reference.retention = found.retention.clone();
                }
            }
        }
    }
}
