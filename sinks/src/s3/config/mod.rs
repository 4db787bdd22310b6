//! The configuration of the S3 sink: definition, validation with cross checks, and the typed form the task
//! uses.
//!
//! Beyond the Java sink, mistakes that would fail a task at its start (time zone, locale, path format,
//! duration, extractor) are found by validation. Keys that change memory or speed only are accepted and have
//! no effect where their documentation says so.

mod connector_keys;
mod cross_checks;
mod parquet_keys;
pub(crate) mod store_checks;
mod store_keys;
#[cfg(test)]
mod tests;
pub(crate) mod validators;

use std::collections::HashMap;

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigValue};

use connector_keys::{ConnectorKeys, LakewardKeys, PartitionerKeys, StorageKeys};
use lakeward_objectstore::credentials::Provider;
use parquet_keys::ParquetKeys;
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
    /// The format of a full or simple class name.
    pub(crate) fn from_class(class: &str) -> Option<Self> {
        let known = [
            ("io.confluent.connect.s3.format.avro.AvroFormat", Self::Avro),
            ("io.confluent.connect.s3.format.bytearray.ByteArrayFormat", Self::Bytes),
            ("io.confluent.connect.s3.format.json.JsonFormat", Self::Json),
            ("io.confluent.connect.s3.format.parquet.ParquetFormat", Self::Parquet),
        ];
        by_class(&known, class)
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
    pub(crate) connector: ConnectorKeys,
    pub(crate) bucket: BucketKeys,
    pub(crate) request: RequestKeys,
    pub(crate) companion: CompanionKeys,
    pub(crate) storage: StorageKeys,
    pub(crate) partitioner: PartitionerKeys,
    pub(crate) lakeward: LakewardKeys,
    pub(crate) parquet: ParquetKeys,
    pub(crate) provider: Provider,
    /// Conditional writes are on, and not only because that is the default.
    pub(crate) asks_for_conditions: bool,
    /// What follows each record of ByteArrayFormat, untrimmed.
    pub(crate) bytes_separator: Vec<u8>,
}

impl S3Config {
    /// Parses `props`. All problems, cross checks included, become one error of class `Config`.
    pub(crate) fn parse(props: &ConfigMap) -> Result<Self, ConnectError> {
        let problems: Vec<String> = validate(props).into_iter().flat_map(|value| value.errors).collect();
        if !problems.is_empty() {
            return Err(ConnectError::config(problems.join("; ")));
        }
        Self::parse_keys(props).map_err(|values| {
            let problems: Vec<String> = values.into_iter().flat_map(|value| value.errors).collect();
            ConnectError::config(problems.join("; "))
        })
    }

    fn parse_keys(props: &ConfigMap) -> Result<Self, Vec<ConfigValue>> {
        Ok(Self {
            connector: ConnectorKeys::parse(props)?,
            bucket: BucketKeys::parse(props)?,
            request: RequestKeys::parse(props)?,
            companion: CompanionKeys::parse(props)?,
            storage: StorageKeys::parse(props)?,
            partitioner: PartitionerKeys::parse(props)?,
            lakeward: LakewardKeys::parse(props)?,
            parquet: ParquetKeys::parse(props)?,
            asks_for_conditions: props
                .get("enable.conditional.writes")
                .is_some_and(|text| text.trim().eq_ignore_ascii_case("true")),
            provider: Provider::parse(props).expect("validated by store_checks"),
            bytes_separator: props
                .get("format.bytearray.separator")
                .map_or_else(|| b"\n".to_vec(), |text| text.clone().into_bytes()),
        })
    }

    /// The output format.
    pub(crate) fn format(&self) -> FormatKind {
        FormatKind::from_class(&self.connector.format_class).expect("validated by format_class")
    }

    /// The format of key objects; `None`: keys are not stored.
    pub(crate) fn keys_format(&self) -> Option<FormatKind> {
        let kind = FormatKind::from_class(&self.companion.keys_format_class);
        self.companion.store_keys.then(|| kind.expect("validated by format_class"))
    }

    /// The format of header objects; `None`: headers are not stored.
    pub(crate) fn headers_format(&self) -> Option<FormatKind> {
        let kind = FormatKind::from_class(&self.companion.headers_format_class);
        self.companion.store_headers.then(|| kind.expect("validated by format_class"))
    }

    /// The encoded partition of records with null values; `None`: they are not stored.
    pub(crate) fn tombstone_partition(&self) -> Option<&str> {
        let writes = self.request.null_values.eq_ignore_ascii_case("write");
        writes.then_some(self.request.tombstone_partition.as_str())
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

/// The definition of every key, in the Java sink's order, `lakeward.*` last.
pub(crate) fn config_def() -> ConfigDef {
    let parts = [
        ConnectorKeys::config_def(),
        BucketKeys::config_def(),
        RequestKeys::config_def(),
        CompanionKeys::config_def(),
        StorageKeys::config_def(),
        PartitionerKeys::config_def(),
        LakewardKeys::config_def(),
        ParquetKeys::config_def(),
    ];
    let mut order_by_group: HashMap<String, i32> = HashMap::new();
    let mut def = ConfigDef::default();
    for key in parts.iter().flat_map(ConfigDef::keys) {
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
