//! Tables that are made or changed for records that wait.
//!
//! A change is a compare-and-set like a commit: it is made to the table as the catalog has it now, and starts
//! over when somebody else was faster or an answer was lost. What is there already is not made again.
//!
//! Source: `IcebergWriterFactory#autoCreateTable`, `SchemaUtils#applySchemaUpdates`, iceberg-kafka-connect
//! 1.10.

use std::collections::BTreeMap;

use iceberg::spec::{PartitionSpec, PartitionSpecBuilder, Schema, UnboundPartitionSpec};
use iceberg::{Error, ErrorKind, NamespaceIdent, TableIdent, TableRequirement, TableUpdate};

use super::catalog::Catalog;
use super::commit::{PAUSE, PAUSE_MAX, TRIES};
use super::config::PartitionBy;
use super::error::CatalogError;
use super::rest::NewTable;
use super::schema::Draft;
use super::table::TargetTable;

/// What records that wait need of one table.
pub(super) struct Wish {
    pub(super) ident: TableIdent,
    /// Columns that it needs; `None` to look whether it is there.
    pub(super) draft: Option<Draft>,
    /// How it is made when it is missing; without it, it is not.
    pub(super) creation: Option<Creation>,
    /// A table that is there gets the columns of the draft.
    pub(super) evolves: bool,
    /// Records name it.
    pub(super) is_of_records: bool,
}

/// What a new table has beside its columns.
pub(super) struct Creation {
    pub(super) partition_by: Vec<PartitionBy>,
    pub(super) properties: BTreeMap<String, String>,
}

impl Wish {
    /// Makes or changes the table; `None` when it is missing and is not to be made.
    ///
    /// # Errors
    /// What the catalog says, after several tries when that may help.
    pub(super) async fn fulfil(&self, catalog: &Catalog) -> Result<Option<TargetTable>, CatalogError> {
        let mut pause = PAUSE;
        let mut last = None;
        for _ in 0..TRIES {
            if last.is_some() {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
            let done = match (TargetTable::find(catalog, &self.ident).await?, &self.draft, &self.creation) {
                (Some(table), Some(draft), _) if self.evolves => self.change(catalog, table, draft).await,
                (None, Some(draft), Some(creation)) => self.create(catalog, draft, creation).await,
                (found, ..) => return Ok(found),
            };
            match done {
                Err(err @ (CatalogError::Conflict { .. } | CatalogError::Unknown { .. })) => {
                    tracing::info!(table = %self.ident, error = %err, "a change of a table starts over");
                    last = Some(err);
                }
                done => return done.map(Some),
            }
        }
        Err(last.expect("only a failure leads to another try"))
    }

    async fn create(
        &self,
        catalog: &Catalog,
        draft: &Draft,
        creation: &Creation,
    ) -> Result<TargetTable, CatalogError> {
        let levels = self.ident.namespace().clone().inner();
        for depth in 1..=levels.len() {
            let namespace = NamespaceIdent::from_vec(levels[..depth].to_vec())?;
            match catalog.create_namespace(&namespace).await {
                // Who may not make namespaces may find them made.
                Ok(()) | Err(CatalogError::Conflict { .. } | CatalogError::Refused { status: 403, .. }) => {}
                Err(err) => return Err(err),
            }
        }
        let schema = draft.schema(0)?;
        let spec = self.spec(&schema, &creation.partition_by);
        let new = NewTable { schema: &schema, spec: &spec, properties: &creation.properties };
        let loaded = catalog.create_table(&self.ident, &new).await?;
        tracing::info!(table = %self.ident, "a table is made");
        TargetTable::new(catalog.properties().await?, &self.ident, loaded)
    }

    /// As Java has it, a table for which the partitions cannot be is made without them.
    fn spec(&self, schema: &Schema, items: &[PartitionBy]) -> UnboundPartitionSpec {
        let add = |builder: PartitionSpecBuilder, item: &PartitionBy| {
            let id = schema.field_id_by_name(&item.column);
            if id.is_some_and(|id| schema.accessor_by_field_id(id).is_none()) {
                let problem = format!("{} is in a list or a map", item.column);
                return Err(Error::new(ErrorKind::DataInvalid, problem));
            }
            builder.add_partition_field(&item.column, item.name(), item.transform)
        };
        let made = items.iter().try_fold(PartitionSpec::builder(schema.clone()), add);
        match made.and_then(PartitionSpecBuilder::build) {
            Ok(spec) => spec.into_unbound(),
            Err(error) => {
                tracing::error!(
                    table = %self.ident, %error,
                    "the table is made without partitions: its columns do not go with \
                     iceberg.tables.default-partition-by or iceberg.table.<table>.partition-by"
                );
                PartitionSpec::unpartition_spec().into_unbound()
            }
        }
    }

    async fn change(
        &self,
        catalog: &Catalog,
        table: TargetTable,
        wanted: &Draft,
    ) -> Result<TargetTable, CatalogError> {
        let metadata = table.table.metadata();
        let mut draft = wanted.of_same_rules(metadata.current_schema());
        draft.adopt(wanted);
        if !draft.has_changes() {
            return Ok(table);
        }
        let requirements = [
            TableRequirement::UuidMatch { uuid: metadata.uuid() },
            TableRequirement::LastAssignedFieldIdMatch { last_assigned_field_id: metadata.last_column_id() },
            TableRequirement::CurrentSchemaIdMatch { current_schema_id: metadata.current_schema_id() },
        ];
        let schema = draft.schema(metadata.last_column_id())?;
        let updates = [TableUpdate::AddSchema { schema }, TableUpdate::SetCurrentSchema { schema_id: -1 }];
        let loaded = catalog.commit(&table.table, &requirements, &updates).await?;
        tracing::info!(table = %self.ident, "the columns of a table are changed");
        TargetTable::new(catalog.properties().await?, &self.ident, loaded)
    }
}
