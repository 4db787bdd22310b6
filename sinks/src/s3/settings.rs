//! What a sink needs to know of its configuration, whatever the store: the keys that all Confluent storage
//! sinks share, and what each of them names differently.
//!
//! The configuration of each store is turned into this once; partitioners, rotation, names and files see
//! nothing else.
//!
//! Source: `StorageSinkConnectorConfig`, `StorageCommonConfig`, `PartitionerConfig`; the key tables of the
//! S3, GCS and Azure sinks.

use std::time::Duration;

use lakeward_api::config::{ConfigMap, ConfigValue};

use super::config::{
    ConnectorKeys, ExtractorKind, FormatKind, LakewardKeys, ParquetKeys, PartitionerKeys, PartitionerKind,
};

/// The settings of a task.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) connector: ConnectorKeys,
    pub(crate) partitioner: PartitionerKeys,
    pub(crate) lakeward: LakewardKeys,
    pub(crate) parquet: ParquetKeys,
    pub(crate) layout: Layout,
    pub(crate) output: Output,
}

/// Where objects are within their bucket.
#[derive(Debug)]
pub(crate) struct Layout {
    /// Empty for none.
    pub(crate) topics_dir: String,
    pub(crate) directory_delim: String,
    pub(crate) file_delim: String,
}

/// What objects hold. [`Output::default`] is what sinks do that have no key for it.
#[derive(Debug)]
pub(crate) struct Output {
    /// Lines are compressed with gzip.
    pub(crate) is_gzip: bool,
    /// Level of gzip; -1 is the library's default.
    pub(crate) gzip_level: i32,
    /// JSON shows decimals as numbers.
    pub(crate) numeric_decimals: bool,
    /// Bytes of the first part of a large object.
    pub(crate) part_bytes: usize,
    /// File name extension of ByteArrayFormat, with its dot.
    pub(crate) bytes_extension: String,
    /// What follows each record of ByteArrayFormat, untrimmed.
    pub(crate) bytes_separator: Vec<u8>,
    /// `fail`, `ignore` or `write`, in lower case.
    pub(crate) null_values: String,
    /// Ignored records with null values are reported when anything is.
    pub(crate) report_nulls: bool,
    pub(crate) rotate_on_partition_change: bool,
    /// Directory of tombstones when they are written.
    pub(crate) tombstone_partition: String,
    /// `NONE`, `PREFIX` or `SUFFIX`.
    pub(crate) schema_affix: String,
    /// Most open files of a topic-partition; not positive for no limit.
    pub(crate) open_files_max: i64,
    /// `None`: keys are not stored.
    pub(crate) keys_format: Option<FormatKind>,
    /// `None`: headers are not stored.
    pub(crate) headers_format: Option<FormatKind>,
    /// Age in milliseconds from which unfinished uploads are given up; negative for never.
    pub(crate) orphan_age_ms: i64,
    /// How long one round of writes may take.
    pub(crate) write_duration_max: Duration,
}

impl Default for Output {
    fn default() -> Self {
        Self {
            is_gzip: false,
            gzip_level: -1,
            numeric_decimals: false,
            part_bytes: 25 << 20,
            bytes_extension: ".bin".to_owned(),
            bytes_separator: b"\n".to_vec(),
            null_values: "fail".to_owned(),
            report_nulls: true,
            rotate_on_partition_change: true,
            tombstone_partition: String::new(),
            schema_affix: "NONE".to_owned(),
            open_files_max: -1,
            keys_format: None,
            headers_format: None,
            orphan_age_ms: -1,
            write_duration_max: Duration::MAX,
        }
    }
}

impl Settings {
    /// The shared keys of `props`, with what the store's own keys say.
    ///
    /// # Errors
    /// The entries with problems.
    pub(crate) fn new(props: &ConfigMap, layout: Layout, output: Output) -> Result<Self, Vec<ConfigValue>> {
        Ok(Self {
            connector: ConnectorKeys::parse(props)?,
            partitioner: PartitionerKeys::parse(props)?,
            lakeward: LakewardKeys::parse(props)?,
            parquet: ParquetKeys::parse(props)?,
            layout,
            output,
        })
    }

    /// Whether one file takes records of several schemas.
    pub(crate) fn merges_schemas(&self) -> bool {
        self.lakeward.schema_evolution == "merge"
    }

    /// The output format.
    pub(crate) fn format(&self) -> FormatKind {
        FormatKind::of(&self.connector.format_class).expect("validated by format_class")
    }

    /// The encoded partition of records with null values; `None`: they are not stored.
    pub(crate) fn tombstone_partition(&self) -> Option<&str> {
        let writes = self.output.null_values == "write";
        writes.then_some(self.output.tombstone_partition.as_str())
    }

    /// The partitioner.
    pub(crate) fn partitioner_kind(&self) -> PartitionerKind {
        PartitionerKind::from_class(&self.partitioner.partitioner_class)
            .expect("validated by partitioner_class")
    }

    /// The timestamp extractor.
    pub(crate) fn extractor(&self) -> ExtractorKind {
        ExtractorKind::from_name(&self.partitioner.timestamp_extractor)
            .expect("validated by timestamp_extractor")
    }
}

/// The duration of a setting in milliseconds; below 0 it is none.
pub(crate) fn write_duration(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or_default())
}

/// What follows each record of ByteArrayFormat: the value of its key as it stands, blanks included.
pub(crate) fn bytes_separator(props: &ConfigMap) -> Vec<u8> {
    props.get("format.bytearray.separator").map_or_else(|| b"\n".to_vec(), |text| text.clone().into_bytes())
}
