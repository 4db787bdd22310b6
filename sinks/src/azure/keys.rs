//! The keys that the sinks of Azure Blob Storage and of its data lakes share, and their translation.
//!
//! Source: the key tables of the Confluent Azure Blob Storage and Azure Data Lake Storage Gen2 sinks.

use lakeward_api::config::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, ConfigValue, DefaultValue, Importance,
};

use crate::s3::config::{
    Classes, ConnectorKeys, LakewardKeys, ParquetKeys, StorageKeys, joined, name_classes,
};
use crate::s3::settings::{Output, bytes_separator};

/// Group "Azure Common", with the internal keys behind it.
#[derive(ConfigDef, Debug)]
#[expect(dead_code, reason = "keys that are only accepted or refused are parsed, not used")]
pub(super) struct OutputKeys {
    /// File name extension of ByteArrayFormat, with its dot.
    #[config(
        name = "format.bytearray.extension",
        kind = "string",
        default = ".bin",
        importance = "low",
        group = "Azure Common",
        width = "long",
        display = "Output Extension for ByteArrayFormat"
    )]
    bytes_extension: String,
    /// What follows each record of ByteArrayFormat; null is a line feed.
    #[config(name = "format.bytearray.separator", kind = "string", default = null, importance = "low",
             group = "Azure Common", width = "long", display = "Line separator ByteArrayFormat")]
    bytes_separator: Option<String>,
    /// Compression of JSON and bytes output.
    #[config(name = "az.compression.type", kind = "string", default = "none", importance = "low",
             group = "Azure Common", width = "long", display = "Compression type",
             validate = one_of("none", "gzip"), recommended("none", "gzip"))]
    compression_type: String,
    /// What happens to records with null values: fail or ignore.
    #[config(name = "behavior.on.null.values", kind = "string", default = "FAIL", importance = "low",
             group = "Azure Common", display = "Behavior for null-valued records",
             validate = one_of_ignore_case("IGNORE", "FAIL"), recommended("IGNORE", "FAIL"))]
    null_values: String,
    /// Internal: most open files per topic-partition; -1 is no limit.
    #[config(name = "partitioner.max.open.files", kind = "int", default = "-1", importance = "low")]
    open_files_max: i64,
    /// Internal: how many names are tried after a conditional write failed. Accepted for compatibility.
    #[config(name = "max.files.scan.limit", kind = "int", default = "100", importance = "low")]
    files_scan_limit: i32,
    /// With rotate.interval.ms and a time-based partitioner: complete files whenever the time bucket changes.
    #[config(
        name = "rotate.file.on.partition.change",
        kind = "boolean",
        default = "true",
        importance = "low"
    )]
    rotate_on_partition_change: bool,
}

impl OutputKeys {
    /// What these keys of `props` say about objects; blocks have `part_bytes`.
    ///
    /// # Errors
    /// The entries with problems.
    pub(super) fn output(props: &ConfigMap, part_bytes: usize) -> Result<Output, Vec<ConfigValue>> {
        let keys = Self::parse(props)?;
        Ok(Output {
            is_gzip: keys.compression_type == "gzip",
            part_bytes,
            bytes_extension: keys.bytes_extension,
            bytes_separator: bytes_separator(props),
            null_values: keys.null_values.to_ascii_lowercase(),
            rotate_on_partition_change: keys.rotate_on_partition_change,
            open_files_max: keys.open_files_max,
            ..Output::default()
        })
    }
}

/// The key of the compression.
pub(super) const COMPRESSION: &str = "az.compression.type";

/// The definition of a sink: what comes before its own keys, `own`, and `lakeward.*` last. The storage class
/// of `classes` is its default.
pub(super) fn config_def(classes: &Classes, own: &[ConfigDef]) -> ConfigDef {
    let common = [directories(classes), connector(), OutputKeys::config_def()];
    let last = [LakewardKeys::config_def(), ParquetKeys::config_def()];
    let parts: Vec<ConfigDef> = common.iter().chain(own).chain(&last).cloned().collect();
    let mut def = joined(&parts);
    name_classes(&mut def, classes);
    def
}

/// Where objects are, as `props` and the defaults say.
///
/// # Errors
/// The entries with problems.
pub(super) fn storage(props: &ConfigMap, classes: &Classes) -> Result<StorageKeys, Vec<ConfigValue>> {
    let mut props = props.clone();
    props.entry("storage.class".to_owned()).or_insert_with(|| classes.storage.to_owned());
    StorageKeys::parse(&props)
}

/// `store.url`, whose place among the others differs.
pub(super) fn store_url() -> ConfigDef {
    let key = key(&StorageKeys::config_def(), "store.url");
    ConfigDef::new(vec![ConfigKey { importance: Importance::Low, ..key }])
}

fn directories(classes: &Classes) -> ConfigDef {
    let def = StorageKeys::config_def();
    let mut keys = ["topics.dir", "directory.delim", "file.delim"].map(|name| key(&def, name)).to_vec();
    keys.push(ConfigKey {
        default: DefaultValue::Text(classes.storage.to_owned()),
        importance: Importance::Low,
        ..key(&def, "storage.class")
    });
    ConfigDef::new(keys)
}

/// Group "Connector", with one key more than S3 shows.
fn connector() -> ConfigDef {
    let shutdown = ConfigKey {
        documentation: "How long a shutdown may take. Accepted for compatibility: \
                        task.shutdown.graceful.timeout.ms of the worker decides."
            .to_owned(),
        group: Some("Connector".to_owned()),
        display_name: "Shutdown Timeout (ms)".to_owned(),
        ..ConfigKey::new(
            "shutdown.timeout.ms",
            ConfigType::Long,
            DefaultValue::Text("3000".to_owned()),
            Importance::Medium,
        )
    };
    let mut keys = ConnectorKeys::config_def().keys().to_vec();
    let place = keys.iter().position(|key| key.name == "retry.backoff.ms").expect("it is one of them");
    keys.insert(place + 1, shutdown);
    ConfigDef::new(keys)
}

fn key(def: &ConfigDef, name: &str) -> ConfigKey {
    def.key(name).expect("storage sinks have it").clone()
}
