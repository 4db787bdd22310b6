//! A table as a task sees it: its columns, where its files go, and the positions that its snapshots hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_schema::{Schema as ArrowSchema, SchemaRef};
use iceberg::spec::{NestedFieldRef, TableMetadata};
use iceberg::table::Table;
use iceberg::{Runtime, TableIdent};
use lakeward_api::record::TopicPartition;
use lakeward_formats::file::parquet::{ParquetCodec, ParquetOptions};
use uuid::Uuid;

use super::branch;
use super::catalog::Catalog;
use super::columns;
use super::error::CatalogError;
use super::files::Files;
use super::partition::Partitioning;
use super::rest::LoadedTable;

/// Before the topic and the group; the value is a JSON map from partitions to positions.
const OFFSETS: &str = "kafka.connect.offsets.";
/// Says whose positions a snapshot holds: from its key alone, topic and group cannot be told apart.
pub(super) const GROUP: &str = "lakeward.connect.group-id";

/// What a snapshot and a column take in memory, with their properties and indexes; rough.
const SNAPSHOT_BYTES: usize = 2048;
const COLUMN_BYTES: usize = 512;

/// Positions by topic-partition: rows below are in the table.
pub(super) type Positions = BTreeMap<TopicPartition, i64>;

/// A table that was loaded.
#[derive(Clone, Debug)]
pub(super) struct TargetTable {
    pub(super) table: Table,
    pub(super) files: Files,
    pub(super) arrow_schema: SchemaRef,
    pub(super) partitioning: Partitioning,
}

impl TargetTable {
    /// The table `ident` as `loaded` says. Called on the bridge.
    ///
    /// # Errors
    /// When it cannot be written to.
    pub(super) fn new(
        catalog: &BTreeMap<String, String>,
        ident: &TableIdent,
        loaded: LoadedTable,
    ) -> Result<Self, CatalogError> {
        let mut properties = catalog.clone();
        properties.extend(loaded.config);
        let files = Files::new(properties);
        let mut builder = Table::builder()
            .file_io(files.file_io())
            .identifier(ident.clone())
            .metadata(loaded.metadata)
            .runtime(Runtime::try_current()?)
            .disable_cache();
        if let Some(location) = loaded.metadata_location {
            builder = builder.metadata_location(location);
        }
        let table = builder.build()?;
        check(&table)?;
        let fields = columns::arrow_fields(table.metadata().current_schema().as_struct().fields());
        let partitioning = Partitioning::of(table.metadata())?;
        Ok(Self { table, files, arrow_schema: Arc::new(ArrowSchema::new(fields)), partitioning })
    }

    /// Asks `catalog` for the table.
    ///
    /// # Errors
    /// When there is none, or it cannot be written to.
    pub(super) async fn load(catalog: &Catalog, ident: &TableIdent) -> Result<Self, CatalogError> {
        let loaded = catalog.load(ident).await?;
        Self::new(catalog.properties().await?, ident, loaded)
    }

    /// The same; `None` when there is no such table.
    ///
    /// # Errors
    /// When it cannot be written to.
    pub(super) async fn find(catalog: &Catalog, ident: &TableIdent) -> Result<Option<Self>, CatalogError> {
        match Self::load(catalog, ident).await {
            Err(err) if err.is_missing() => Ok(None),
            found => found.map(Some),
        }
    }

    /// What it is known by, whatever its name.
    pub(super) fn uuid(&self) -> Uuid {
        self.table.metadata().uuid()
    }

    /// The number of its columns' schema.
    pub(super) fn schema_id(&self) -> i32 {
        self.table.metadata().current_schema_id()
    }

    /// Memory that its metadata takes, roughly.
    pub(super) fn metadata_bytes(&self) -> u64 {
        let metadata = self.table.metadata();
        let columns: usize = metadata.schemas_iter().map(|schema| schema.field_id_to_fields().len()).sum();
        (metadata.snapshots().len() * SNAPSHOT_BYTES + columns * COLUMN_BYTES) as u64
    }

    /// Its columns.
    pub(super) fn fields(&self) -> &[NestedFieldRef] {
        self.table.metadata().current_schema().as_struct().fields()
    }

    /// The address of a new data file.
    pub(super) fn data_address(&self, name: &str) -> String {
        let metadata = self.table.metadata();
        match metadata.properties().get("write.data.path") {
            Some(path) => format!("{}/{name}", path.trim_end_matches('/')),
            None => format!("{}/data/{name}", metadata.location().trim_end_matches('/')),
        }
    }

    /// Data files end when they have this many bytes.
    pub(super) fn file_bytes_target(&self) -> u64 {
        let text = self.table.metadata().properties().get("write.target-file-size-bytes");
        text.and_then(|text| text.parse().ok()).unwrap_or(512 << 20)
    }

    /// How data files are written.
    pub(super) fn parquet_options(&self) -> ParquetOptions {
        let codec = self.table.metadata().properties().get("write.parquet.compression-codec");
        let codec = match codec.map(|codec| codec.to_ascii_lowercase()).as_deref() {
            Some("brotli") => ParquetCodec::Brotli,
            Some("gzip") => ParquetCodec::Gzip,
            Some("lz4") => ParquetCodec::Lz4,
            Some("snappy") => ParquetCodec::Snappy,
            Some("uncompressed") => ParquetCodec::None,
            _ => ParquetCodec::Zstd,
        };
        ParquetOptions { codec, ..ParquetOptions::default() }
    }
}

fn check(table: &Table) -> Result<(), CatalogError> {
    let metadata = table.metadata();
    let refused = |problem: &str| {
        Err(CatalogError::Setting {
            message: format!("The table {} {problem}: Lakeward cannot write to it yet", table.identifier()),
        })
    };
    match metadata.properties().get("write.format.default").map(String::as_str) {
        None | Some("parquet") => Ok(()),
        Some(_) => refused("wants other files than Parquet (write.format.default)"),
    }
}

/// The positions of `group` that the snapshots of the branch hold, of the main one without a name; `None`
/// when no snapshot is of that group.
///
/// # Errors
/// When the last snapshot of the group has positions that cannot be read.
pub(super) fn positions(
    metadata: &TableMetadata,
    branch: Option<&str>,
    group: &str,
) -> Result<Option<Positions>, CatalogError> {
    let mut next = branch::head(metadata, branch);
    while let Some(snapshot) = next {
        let summary = &snapshot.summary().additional_properties;
        if summary.get(GROUP).is_some_and(|of| of == group) {
            let mut positions = Positions::new();
            for (name, text) in summary {
                let topic =
                    name.strip_prefix(OFFSETS).and_then(|name| name.strip_suffix(group)?.strip_suffix('.'));
                let Some(topic) = topic else { continue };
                let map: BTreeMap<i32, i64> =
                    serde_json::from_str(text).map_err(|source| CatalogError::Unreadable { source })?;
                let topic: Arc<str> = topic.into();
                let position = |(partition, next)| (TopicPartition::new(Arc::clone(&topic), partition), next);
                positions.extend(map.into_iter().map(position));
            }
            return Ok(Some(positions));
        }
        next = snapshot.parent_snapshot_id().and_then(|parent| metadata.snapshot_by_id(parent));
    }
    Ok(None)
}

/// The properties of a snapshot that say `positions` of `group`.
pub(super) fn position_properties(positions: &Positions, group: &str) -> Vec<(String, String)> {
    let mut topics: BTreeMap<&str, BTreeMap<String, i64>> = BTreeMap::new();
    for (partition, next) in positions {
        topics.entry(&partition.topic).or_default().insert(partition.partition.to_string(), *next);
    }
    let text = |map: &BTreeMap<String, i64>| serde_json::to_string(map).expect("numbers have a JSON form");
    let mut properties: Vec<_> =
        topics.iter().map(|(topic, map)| (format!("{OFFSETS}{topic}.{group}"), text(map))).collect();
    properties.push((GROUP.to_owned(), group.to_owned()));
    properties
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn metadata(summaries: &[Value]) -> TableMetadata {
        let snapshot = |(index, summary): (usize, &Value)| {
            json!({"snapshot-id": index + 1, "parent-snapshot-id": (index > 0).then_some(index),
                   "sequence-number": index + 1, "timestamp-ms": 1_700_000_000_000_u64, "schema-id": 0,
                   "manifest-list": "s3://b/m.avro", "summary": summary})
        };
        let snapshots: Vec<Value> = summaries.iter().enumerate().map(snapshot).collect();
        let text = json!({
            "format-version": 2, "table-uuid": "9c12d441-03fe-4693-9a96-a0705ddf69c1",
            "location": "s3://b/t", "last-sequence-number": snapshots.len(),
            "last-updated-ms": 1_700_000_000_000_u64, "last-column-id": 1, "current-schema-id": 0,
            "schemas": [{"type": "struct", "schema-id": 0, "fields": [
                {"id": 1, "name": "id", "required": false, "type": "long"}]}],
            "partition-specs": [{"spec-id": 0, "fields": []}], "default-spec-id": 0,
            "last-partition-id": 999, "sort-orders": [{"order-id": 0, "fields": []}],
            "default-sort-order-id": 0, "current-snapshot-id": snapshots.len(), "snapshots": snapshots,
            "refs": {"main": {"snapshot-id": snapshots.len(), "type": "branch"}},
        });
        serde_json::from_str(&text.to_string()).unwrap()
    }

    fn summary(positions: &[(&str, i32, i64)], group: &str) -> Value {
        let positions: Positions = positions
            .iter()
            .map(|(topic, partition, next)| (TopicPartition::new(*topic, *partition), *next))
            .collect();
        let mut summary = json!({"operation": "append"});
        for (name, value) in position_properties(&positions, group) {
            summary[name] = value.into();
        }
        summary
    }

    #[test]
    fn the_last_snapshot_of_the_group_says_all_positions() {
        let foreign = json!({"operation": "append"});
        let table = metadata(&[
            summary(&[("t", 0, 4), ("t", 1, 2)], "g"),
            summary(&[("t", 0, 9), ("t", 1, 2), ("u.v", 0, 1)], "g"),
            summary(&[("t", 0, 100)], "other"),
            foreign.clone(),
        ]);
        let found = positions(&table, None, "g").unwrap().unwrap();
        let found: Vec<String> = found.iter().map(|(of, next)| format!("{of}: {next}")).collect();
        assert_eq!(found, ["t-0: 9", "t-1: 2", "u.v-0: 1"]);
        assert_eq!(positions(&metadata(&[foreign]), None, "g").unwrap(), None);
    }

    #[test]
    fn topics_and_groups_with_dots_are_told_apart() {
        let table = metadata(&[summary(&[("a", 0, 5)], "b.c")]);
        assert_eq!(positions(&table, None, "c").unwrap(), None);
    }

    #[test]
    fn positions_that_cannot_be_read_stop_everything() {
        let mut broken = summary(&[("t", 0, 5)], "g");
        broken["kafka.connect.offsets.t.g"] = "{".into();
        assert!(positions(&metadata(&[broken]), None, "g").is_err());
    }
}
