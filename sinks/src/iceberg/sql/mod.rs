//! A catalog in a SQL database: which metadata file a table has, in the tables of Java's `JdbcCatalog`.
//!
//! Owns the statements and when they are made. A change of a table writes a new metadata file first, then
//! puts its address in the place of the one that was looked at, in one statement: when that is not there any
//! more, no row changes. Nothing is repeated here.
//!
//! Source: `JdbcCatalog`, `JdbcUtil` and `JdbcTableOperations`, iceberg-core 1.10.

mod create;
mod database;
mod postgres;
mod sqlite;
mod tls;

use std::collections::BTreeMap;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use iceberg::io::{FileIO, Storage as _};
use iceberg::spec::TableMetadata;
use iceberg::table::Table;
use iceberg::{TableIdent, TableRequirement, TableUpdate};
use lakeward_api::failpoint;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::error::CatalogError;
use super::files::Files;
use super::rest::LoadedTable;
use database::{Database, Piece};

/// Before the properties of this kind of catalog.
const JDBC: &str = "jdbc.";
/// Those of them that are Iceberg's and not the driver's.
const OWN_KEYS: [&str; 3] = ["init-catalog-tables", "schema-version", "strict-mode"];

/// Views are in the same table since its second form; a table of the first form has no such column.
const ONLY_TABLES: &str = " AND (iceberg_type = 'TABLE' OR iceberg_type IS NULL)";
const LOAD: &str = "SELECT metadata_location FROM iceberg_tables \
                    WHERE catalog_name = $1 AND table_namespace = $2 AND table_name = $3";
const COMMIT: &str = "UPDATE iceberg_tables SET metadata_location = $1, previous_metadata_location = $2 \
                      WHERE catalog_name = $3 AND table_namespace = $4 AND table_name = $5 \
                      AND metadata_location = $2";

/// A catalog in a database. Connects with the first question.
pub(super) struct Sql {
    database: Database,
    name: String,
    properties: BTreeMap<String, String>,
    files: Files,
    file_io: FileIO,
    has_views: OnceCell<bool>,
}

impl Sql {
    /// The catalog `name` in the database that the property `uri` names.
    ///
    /// # Errors
    /// `Setting`.
    pub(super) fn new(name: &str, properties: BTreeMap<String, String>) -> Result<Self, CatalogError> {
        if properties.get("warehouse").is_none_or(String::is_empty) {
            // Java's words.
            return Err(setting(
                "Cannot initialize JDBCCatalog because warehousePath must not be null or empty",
            ));
        }
        let database = Database::new(&properties)?;
        let files = Files::new(properties.clone());
        let file_io = files.file_io();
        let name = name.to_owned();
        Ok(Self { database, name, properties, files, file_io, has_views: OnceCell::new() })
    }

    /// As they were given.
    pub(super) fn properties(&self) -> &BTreeMap<String, String> {
        &self.properties
    }

    /// The table `ident`.
    ///
    /// # Errors
    /// `Missing` when there is none.
    pub(super) async fn load(&self, ident: &TableIdent) -> Result<LoadedTable, CatalogError> {
        let sql = format!("{LOAD}{}", self.only_tables().await?);
        let namespace = ident.namespace().join(".");
        let found = self.database.first(&sql, &[&self.name, &namespace, ident.name()]).await?;
        // Java's words.
        let missing = || CatalogError::Missing { message: format!("Table does not exist: {ident}") };
        let location = found.flatten().ok_or_else(missing)?;
        let metadata = TableMetadata::read_from(&self.file_io, &location).await?;
        Ok(LoadedTable { metadata_location: Some(location), metadata, config: Default::default() })
    }

    /// Changes the table that was `base`: stores the new metadata, then its address.
    ///
    /// # Errors
    /// `Conflict` when the table is not `base` any more; `Unknown` when it may have happened.
    pub(super) async fn commit(
        &self,
        base: &Table,
        requirements: &[TableRequirement],
        updates: &[TableUpdate],
    ) -> Result<LoadedTable, CatalogError> {
        let conflict = |message: String| CatalogError::Conflict { message };
        for requirement in requirements {
            requirement.check(Some(base.metadata())).map_err(|err| conflict(err.to_string()))?;
        }
        let old = base.metadata_location().ok_or_else(|| conflict("it has no metadata file".to_owned()))?;
        let metadata = changed(base, old, updates)?;
        let (location, bytes) = metadata_file(old, &metadata)?;
        self.files.write(&location, bytes.into()).await?;
        let sql = format!("{COMMIT}{}", self.only_tables().await?);
        let namespace = base.identifier().namespace().join(".");
        let values = [&*location, old, &self.name, &namespace, base.identifier().name()];
        failpoint!("table.commit.before_send");
        let outcome = match self.database.change(&sql, &values).await {
            Ok(0) => Err(conflict(format!("{old} is not its metadata any more"))),
            Ok(_) => Ok(()),
            Err(err) => Err(err.of_commit()),
        };
        failpoint!("table.commit.after_answer");
        match outcome {
            Ok(()) => self.remove_expired(base.metadata(), &metadata).await,
            // It may be the table's by now.
            Err(unknown @ CatalogError::Unknown { .. }) => return Err(unknown),
            Err(err) => {
                self.remove(&location).await;
                return Err(err);
            }
        }
        Ok(LoadedTable { metadata_location: Some(location), metadata, config: Default::default() })
    }

    /// Metadata files that the table has forgotten, where it wants them removed.
    async fn remove_expired(&self, base: &TableMetadata, now: &TableMetadata) {
        let wish = now.properties().get("write.metadata.delete-after-commit.enabled");
        if !wish.is_some_and(|wish| wish.eq_ignore_ascii_case("true")) {
            return;
        }
        for old in base.metadata_log() {
            if !now.metadata_log().iter().any(|kept| kept.metadata_file == old.metadata_file) {
                self.remove(&old.metadata_file).await;
            }
        }
    }

    /// A file that stays is a file too many, no more.
    async fn remove(&self, location: &str) {
        if let Err(err) = self.files.delete(location).await {
            tracing::debug!(location, error = %err, "a metadata file could not be removed");
        }
    }

    /// What is behind the condition of a statement on tables.
    async fn only_tables(&self) -> Result<&'static str, CatalogError> {
        let has_views = self.has_views.get_or_try_init(|| self.set_up()).await?;
        Ok(if *has_views { ONLY_TABLES } else { "" })
    }

    /// Makes what is missing in the database; answers whether it has views.
    async fn set_up(&self) -> Result<bool, CatalogError> {
        let property = |name: &str| self.properties.get(&format!("{JDBC}{name}")).map(String::as_str);
        if property("init-catalog-tables").is_none_or(|wish| wish.eq_ignore_ascii_case("true")) {
            self.make(Piece::Tables).await?;
            self.make(Piece::Namespaces).await?;
        }
        if property("schema-version").is_some_and(|version| version.eq_ignore_ascii_case("V1")) {
            self.make(Piece::Types).await?;
            return Ok(true);
        }
        self.database.has(Piece::Types).await
    }

    async fn make(&self, piece: Piece) -> Result<(), CatalogError> {
        if self.database.has(piece).await? {
            return Ok(());
        }
        match self.database.change(piece.statement(), &[]).await {
            // Another task may have been first.
            Err(err) if !self.database.has(piece).await? => Err(err),
            _ => Ok(()),
        }
    }
}

/// Why these properties cannot be used, if so.
pub(super) fn refusal(properties: &BTreeMap<String, String>) -> Option<String> {
    Database::new(properties).err().map(|err| err.to_string())
}

fn changed(base: &Table, old: &str, updates: &[TableUpdate]) -> Result<TableMetadata, CatalogError> {
    let mut builder = base.metadata().clone().into_builder(Some(old.to_owned()));
    for update in updates {
        builder = update.clone().apply(builder)?;
    }
    Ok(builder.build()?.metadata)
}

/// A new file for the metadata after that in `old`, and what it holds. The numbers of files go up; one whose
/// name has none counts as before the first.
///
/// Source: `BaseMetastoreTableOperations#writeNewMetadata`.
fn metadata_file(old: &str, metadata: &TableMetadata) -> Result<(String, Vec<u8>), CatalogError> {
    let property = |name: &str| metadata.properties().get(name).map(String::as_str);
    let folder = match property("write.metadata.path") {
        Some(folder) => folder.trim_end_matches('/').to_owned(),
        None => format!("{}/metadata", metadata.location().trim_end_matches('/')),
    };
    let number = old.rsplit('/').next().and_then(|name| name.split_once('-')?.0.parse::<u32>().ok());
    let number = number.map_or(0, |number| number + 1);
    let text = serde_json::to_vec(metadata).map_err(|source| CatalogError::Unreadable { source })?;
    let is_packed =
        property("write.metadata.compression-codec").is_some_and(|codec| codec.eq_ignore_ascii_case("gzip"));
    let (ending, bytes) = if is_packed {
        let mut packer = GzEncoder::new(Vec::new(), Compression::default());
        let packed = packer.write_all(&text).and_then(|()| packer.finish());
        (".gz", packed.map_err(|source| CatalogError::Store { source })?)
    } else {
        ("", text)
    };
    Ok((format!("{folder}/{number:05}-{}{ending}.metadata.json", Uuid::new_v4()), bytes))
}

fn setting(message: impl Into<String>) -> CatalogError {
    CatalogError::Setting { message: message.into() }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    fn metadata(properties: &[(&str, &str)]) -> TableMetadata {
        let properties: BTreeMap<_, _> = properties.iter().copied().collect();
        from_value(json!({
            "format-version": 2, "table-uuid": "9c12d441-03fe-4693-9a96-a0705ddf69c1", "location": "s3://b/t",
            "last-sequence-number": 0, "last-updated-ms": 1_700_000_000_000_u64, "last-column-id": 1,
            "schemas": [{"type": "struct", "schema-id": 0, "fields": [
                {"id": 1, "name": "id", "required": false, "type": "long"}]}],
            "current-schema-id": 0, "partition-specs": [{"spec-id": 0, "fields": []}], "default-spec-id": 0,
            "last-partition-id": 999, "sort-orders": [{"order-id": 0, "fields": []}],
            "default-sort-order-id": 0, "properties": properties,
        }))
        .unwrap()
    }

    #[tokio::test]
    async fn files_of_metadata_are_named_and_packed_as_the_table_wants() {
        let folder = tempfile::tempdir().unwrap();
        let place = format!("file://{}", folder.path().display());
        let named = |name: &str, old: &str, properties: &[(&str, &str)], ending: &str| {
            let (location, bytes) = metadata_file(old, &metadata(properties)).unwrap();
            assert!(location.starts_with(name) && location.ends_with(ending), "{location}");
            (location, bytes)
        };
        named("s3://b/t/metadata/00008-", "s3://b/t/metadata/00007-x.metadata.json", &[], ".metadata.json");
        named("s3://b/t/metadata/00000-", "s3://b/t/metadata/v7.metadata.json", &[], ".metadata.json");
        let wishes = [("write.metadata.path", &*place), ("write.metadata.compression-codec", "GZIP")];
        let start = format!("{place}/00010-");
        let (location, bytes) = named(&start, "a/00009-y.gz.metadata.json", &wishes, ".gz.metadata.json");
        let files = Files::new(BTreeMap::new());
        files.write(&location, bytes.into()).await.unwrap();
        let read = TableMetadata::read_from(&files.file_io(), &location).await.unwrap();
        assert_eq!(read, metadata(&wishes));
    }
}
