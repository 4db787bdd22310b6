//! Settings of single tables: `iceberg.table.<table>.<key>`, or what counts for all tables.
//!
//! Source: `IcebergSinkConfig#tableConfig`, iceberg-kafka-connect 1.10.

use std::collections::BTreeMap;

use lakeward_api::ConnectError;

use super::{PARTITION_BY, PartitionBy, TABLE};

/// Settings by table.
#[derive(Clone, Debug, Default)]
pub(in crate::iceberg) struct PerTable {
    /// By the name of a table, a dot and a key.
    pub(super) given: BTreeMap<String, String>,
    pub(super) id_columns: Option<String>,
    pub(super) partition_by: Option<String>,
    pub(super) branch: Option<String>,
}

impl PerTable {
    /// Columns that `table` must have.
    pub(in crate::iceberg) fn id_columns(&self, table: &str) -> Vec<String> {
        let text = self.of(table, "id-columns", self.id_columns.as_ref());
        let columns = text.unwrap_or_default().split(',').map(|column| column.trim().to_owned());
        columns.filter(|column| !column.is_empty()).collect()
    }

    /// What `table` is partitioned by when it is made.
    ///
    /// # Errors
    /// `Config` for an item that is none.
    pub(in crate::iceberg) fn partition_by(&self, table: &str) -> Result<Vec<PartitionBy>, ConnectError> {
        let text = self.of(table, PARTITION_BY, self.partition_by.as_ref()).unwrap_or_default();
        let problem = |problem| ConnectError::config(format!("{TABLE}{table}.{PARTITION_BY}: {problem}"));
        PartitionBy::items(text).map_err(problem)
    }

    /// The branch of `table` that gets snapshots; `None` for the main branch.
    pub(in crate::iceberg) fn branch(&self, table: &str) -> Option<String> {
        let text = self.of(table, "commit-branch", self.branch.as_ref());
        text.filter(|branch| *branch != "main").map(str::to_owned)
    }

    fn of<'a>(&'a self, table: &str, key: &str, default: Option<&'a String>) -> Option<&'a str> {
        self.given.get(&format!("{table}.{key}")).or(default).map(String::as_str)
    }
}
