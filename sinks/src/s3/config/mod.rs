//! The configuration of the S3 sink: definition, validation with cross checks, and the typed form the task
//! uses.
//!
//! Beyond the Java sink, mistakes that would fail a task at its start (time zone, locale, path format,
//! duration, extractor) are found by validation. Keys that change memory or speed only are accepted and have
//! no effect where their documentation says so.

mod connector_keys;
pub(crate) mod cross_checks;
mod parquet_keys;
mod recommended;
pub(crate) mod store_checks;
mod store_keys;
#[cfg(test)]
mod tests;
pub(crate) mod validators;

use std::collections::HashMap;

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigValue, Validator};

use super::settings::{Layout, Output, Settings, bytes_separator, write_duration};
use connector_keys::OrphanKeys;
pub(crate) use connector_keys::{ConnectorKeys, LakewardKeys, PartitionerKeys, StorageKeys};
use lakeward_objectstore::credentials::Provider;
pub(crate) use parquet_keys::ParquetKeys;
pub(crate) use recommended::REGIONS;
use store_keys::{BucketKeys, CompanionKeys, RequestKeys};

/// The output formats by class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormatKind {
    Avro,
    Bytes,
    Json,
    Parquet,
}

impl FormatKind {
    /// The format of a full or simple class name, whatever its package.
    pub(crate) fn of(class: &str) -> Option<Self> {
        match class.rsplit('.').next()? {
            "AvroFormat" => Some(Self::Avro),
            "ByteArrayFormat" => Some(Self::Bytes),
            "JsonFormat" => Some(Self::Json),
            "ParquetFormat" => Some(Self::Parquet),
            _ => None,
        }
    }

    /// The format of a class in one of `packages`, or of a simple class name. Each format is in a package of
    /// its own within them.
    pub(crate) fn within(packages: &[&str], class: &str) -> Option<Self> {
        let kind = Self::of(class)?;
        let own = match kind {
            Self::Avro => "avro",
            Self::Bytes => "bytearray",
            Self::Json => "json",
            Self::Parquet => "parquet",
        };
        let is_known = class.rsplit_once('.').is_none_or(|(package, _)| {
            package.rsplit_once('.').is_some_and(|(outer, inner)| inner == own && packages.contains(&outer))
        });
        is_known.then_some(kind)
    }
}

/// The partitioners by class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartitionerKind {
    Daily,
    Default,
    Field,
    Hourly,
    TimeBased,
}

impl PartitionerKind {
    /// The partitioner of a full or simple class name.
    pub(crate) fn from_class(class: &str) -> Option<Self> {
        let known = [
            ("io.confluent.connect.storage.partitioner.DailyPartitioner", Self::Daily),
            ("io.confluent.connect.storage.partitioner.DefaultPartitioner", Self::Default),
            ("io.confluent.connect.storage.partitioner.FieldPartitioner", Self::Field),
            ("io.confluent.connect.storage.partitioner.HourlyPartitioner", Self::Hourly),
            ("io.confluent.connect.storage.partitioner.TimeBasedPartitioner", Self::TimeBased),
        ];
        by_class(&known, class)
    }

    /// True for the partitioners that make directories of time.
    pub(crate) fn is_time_based(self) -> bool {
        matches!(self, Self::Daily | Self::Hourly | Self::TimeBased)
    }
}

/// The timestamp extractors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExtractorKind {
    Record,
    RecordField,
    Wallclock,
}

impl ExtractorKind {
    /// The extractor of a `timestamp.extractor` value, by short name or by its class.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        const PREFIX: &str = "io.confluent.connect.storage.partitioner.TimeBasedPartitioner$";
        let short = name.strip_prefix(PREFIX).and_then(|class| class.strip_suffix("TimestampExtractor"));
        match short.unwrap_or(name) {
            "Record" => Some(Self::Record),
            "RecordField" => Some(Self::RecordField),
            "Wallclock" => Some(Self::Wallclock),
            _ => None,
        }
    }
}

/// All keys, parsed.
#[derive(Debug)]
pub(crate) struct S3Config {
    /// What is not about S3.
    pub(crate) settings: Settings,
    pub(crate) bucket: BucketKeys,
    pub(crate) request: RequestKeys,
    pub(crate) companion: CompanionKeys,
    pub(crate) provider: Provider,
    /// `store.url`.
    pub(crate) store_url: Option<String>,
    /// Conditional writes are on, and not only because that is the default.
    pub(crate) asks_for_conditions: bool,
}

impl S3Config {
    /// Parses `props`. All problems, cross checks included, become one error of class `Config`.
    pub(crate) fn parse(props: &ConfigMap) -> Result<Self, ConnectError> {
        parsed(validate(props), || Self::parse_keys(props))
    }

    fn parse_keys(props: &ConfigMap) -> Result<Self, Vec<ConfigValue>> {
        let (bucket, request) = (BucketKeys::parse(props)?, RequestKeys::parse(props)?);
        let (companion, storage) = (CompanionKeys::parse(props)?, StorageKeys::parse(props)?);
        let layout = Layout {
            topics_dir: storage.topics_dir,
            directory_delim: storage.directory_delim,
            file_delim: storage.file_delim,
        };
        let output = output(&bucket, &request, &companion, props)?;
        Ok(Self {
            settings: Settings::new(props, layout, output)?,
            bucket,
            request,
            companion,
            store_url: storage.store_url,
            asks_for_conditions: props
                .get("enable.conditional.writes")
                .is_some_and(|text| text.trim().eq_ignore_ascii_case("true")),
            provider: Provider::parse(props).expect("validated by store_checks"),
        })
    }
}

/// What the keys of S3 say about objects.
fn output(
    bucket: &BucketKeys,
    request: &RequestKeys,
    companion: &CompanionKeys,
    props: &ConfigMap,
) -> Result<Output, Vec<ConfigValue>> {
    let companion_format = |is_stored: bool, class: &str| {
        is_stored.then(|| FormatKind::of(class).expect("validated by format_class"))
    };
    Ok(Output {
        write_duration_max: write_duration(request.write_duration_ms_max),
        is_gzip: bucket.compression_type == "gzip",
        gzip_level: bucket.compression_level,
        numeric_decimals: bucket.decimal_format.eq_ignore_ascii_case("NUMERIC"),
        part_bytes: bucket.part_bytes,
        bytes_extension: request.bytes_extension.clone(),
        bytes_separator: bytes_separator(props),
        null_values: request.null_values.to_ascii_lowercase(),
        report_nulls: request.report_nulls,
        rotate_on_partition_change: request.rotate_on_partition_change,
        tombstone_partition: request.tombstone_partition.clone(),
        schema_affix: request.schema_affix.clone(),
        open_files_max: companion.open_files_max,
        keys_format: companion_format(companion.store_keys, &companion.keys_format_class),
        headers_format: companion_format(companion.store_headers, &companion.headers_format_class),
        orphan_age_ms: OrphanKeys::parse(props)?.age_ms,
    })
}

/// What `parse` makes of a configuration whose validation answered `values`.
///
/// # Errors
/// Class `Config` with all problems.
pub(crate) fn parsed<T>(
    values: Vec<ConfigValue>,
    parse: impl FnOnce() -> Result<T, Vec<ConfigValue>>,
) -> Result<T, ConnectError> {
    let error = |values: Vec<ConfigValue>| {
        let problems: Vec<String> = values.into_iter().flat_map(|value| value.errors).collect();
        ConnectError::config(problems.join("; "))
    };
    if values.iter().any(|value| !value.errors.is_empty()) {
        return Err(error(values));
    }
    parse().map_err(error)
}

/// The definition of every key, in the Java sink's order, `lakeward.*` last.
pub(crate) fn config_def() -> ConfigDef {
    let mut def = joined(&[
        ConnectorKeys::config_def(),
        BucketKeys::config_def(),
        RequestKeys::config_def(),
        CompanionKeys::config_def(),
        StorageKeys::config_def(),
        PartitionerKeys::config_def(),
        LakewardKeys::config_def(),
        OrphanKeys::config_def(),
        ParquetKeys::config_def(),
    ]);
    name_classes(&mut def, &CLASSES);
    recommended::add(&mut def);
    def
}

/// The keys of `parts`, in order; a later definition of a name replaces an earlier one in its place. Orders
/// count within groups.
pub(crate) fn joined(parts: &[ConfigDef]) -> ConfigDef {
    let mut joined = ConfigDef::default();
    for key in parts.iter().flat_map(ConfigDef::keys) {
        joined.define(key.clone());
    }
    let mut order_by_group: HashMap<String, i32> = HashMap::new();
    let mut def = ConfigDef::default();
    for key in joined.keys() {
        let mut key = key.clone();
        if let Some(group) = &key.group {
            let order = order_by_group.entry(group.clone()).or_insert(0);
            *order += 1;
            key.order = *order;
        }
        def.define(key);
    }
    def
}

/// The classes that a connector knows, checks of values among them.
pub(crate) struct Classes {
    /// The package that holds those of its formats.
    pub(crate) formats: &'static str,
    /// A format class.
    pub(crate) is_format: fn(&str, &str) -> Result<(), String>,
    /// The storage class.
    pub(crate) storage: &'static str,
    /// The storage class and nothing else.
    pub(crate) is_storage: fn(&str, &str) -> Result<(), String>,
}

/// Those of S3.
const CLASSES: Classes = Classes {
    formats: "io.confluent.connect.s3.format",
    is_format: validators::format_class,
    storage: "io.confluent.connect.s3.storage.S3Storage",
    is_storage: validators::storage_class,
};

/// Makes the keys of classes those of one connector.
pub(crate) fn name_classes(def: &mut ConfigDef, classes: &Classes) {
    let patch = |def: &mut ConfigDef, name: &str, check, recommended| {
        let mut key = def.key(name).expect("every storage sink has it").clone();
        key.validator = Validator::Custom(check);
        key.recommended_values = recommended;
        def.define(key);
    };
    let formats =
        ["avro.AvroFormat", "json.JsonFormat", "bytearray.ByteArrayFormat", "parquet.ParquetFormat"];
    let formats = formats.map(|class| format!("{}.{class}", classes.formats)).to_vec();
    patch(def, "format.class", classes.is_format, formats);
    patch(def, "storage.class", classes.is_storage, vec![classes.storage.to_owned()]);
}

/// Validates every key, then what keys mean together. One entry per key, in definition order.
pub(crate) fn validate(props: &ConfigMap) -> Vec<ConfigValue> {
    let mut values = config_def().validate(props);
    cross_checks::apply(&mut values, props);
    values
}

/// The entry whose full or simple class name is `class`.
fn by_class<T: Copy>(known: &[(&str, T)], class: &str) -> Option<T> {
    known
        .iter()
        .find(|(full, _)| *full == class || full.rsplit('.').next() == Some(class))
        .map(|(_, kind)| *kind)
}
