//! The S3 sink of Aiven: other names, other files, and files that end with the interval of flushes; the
//! machinery is that of the S3 sink (decision 0013).
//!
//! Owns configuration, templates of names and what is written of records. Cuts, uploads and positions are
//! [`crate::s3`]'s.
//!
//! # Delivery
//! Java's sink says at least once: it ends files when the worker happens to flush. Here such ends are decided
//! first (decision 0009), so that each record is in one object; where names are keys of records, an object
//! holds the last record of its key.
//!
//! Source: Aiven's cloud storage connectors for Apache Kafka at 89e55a98.

mod config;
mod layout;
mod rows;
mod template;
#[cfg(test)]
mod tests;
mod times;

use std::time::Duration;

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigValue, parse_list};
use lakeward_api::plugin::SinkConnector;
use lakeward_api::sink::{SinkTask, SinkTaskContext};
use lakeward_formats::file::{
    AvroCodec, AvroFormat, AvroOptions, CompressedFormat, FileFormat, JoinedFormat, ParquetCodec,
    ParquetFormat, ParquetOptions,
};

use crate::s3::compatibility::Compatibility;
use crate::s3::partitioner::zone::Zone;
use crate::s3::rotation::{Groups, OnFull, RotationSettings, Schedule};
use crate::s3::store::Store;
use crate::s3::task::{Design, Guarantee, S3SinkTask, fingerprint_of};
use config::{AivenConfig, Format};
use layout::AivenLayout;

/// `io.aiven.kafka.connect.s3.AivenKafkaConnectS3SinkConnector`.
#[derive(Clone, Copy, Debug, Default)]
pub struct AivenS3SinkConnector;

impl SinkConnector for AivenS3SinkConnector {
    fn class(&self) -> &'static str {
        "io.aiven.kafka.connect.s3.AivenKafkaConnectS3SinkConnector"
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    fn config_def(&self) -> ConfigDef {
        config::config_def()
    }

    fn validate(&self, props: &ConfigMap) -> Vec<ConfigValue> {
        config::validate(props)
    }

    /// As Java's, the connector starts with every configuration; its tasks may not.
    fn task_configs(&self, props: &ConfigMap, tasks_max: u32) -> Result<Vec<ConfigMap>, ConnectError> {
        Ok((0..tasks_max).map(|_| props.clone()).collect())
    }

    /// When they are stored.
    fn uses_headers(&self, props: &ConfigMap) -> bool {
        let fields = props.get("format.output.fields").or_else(|| props.get("output_fields"));
        let is_headers = |name: &String| name.eq_ignore_ascii_case("headers");
        fields.is_some_and(|fields| parse_list(fields).iter().any(is_headers))
    }

    fn new_task(&self, context: SinkTaskContext) -> Result<Box<dyn SinkTask>, ConnectError> {
        let config = AivenConfig::parse(&context.config)?;
        let store = Store::open(&config.s3()?, &context.connector)?;
        Ok(Box::new(task(context, &config, store)?))
    }
}

/// A task of `config` over `store`.
fn task(context: SinkTaskContext, config: &AivenConfig, store: Store) -> Result<S3SinkTask, ConnectError> {
    let layout = AivenLayout::new(config)?;
    let mut causes = vec!["offset.flush.interval.ms"];
    causes.extend(layout.clock_settings());
    let keeps_last = config.template.grouping()?.keeps_last();
    let design = Design {
        format: file_format(config, &context.config)?,
        guarantee: if keeps_last { Guarantee::Latest(causes) } else { Guarantee::Decided(causes) },
        fingerprint: fingerprint_of(&SHAPING, &context.config),
        rotation: rotation(config, context.flush_interval)?,
        layout: Some(Box::new(layout)),
    };
    S3SinkTask::with_design(context, &config.s3()?.settings, store, design)
}

/// When files end: with each flush, when they are full, and where the schema changes.
fn rotation(config: &AivenConfig, flush_interval: Duration) -> Result<RotationSettings, ConnectError> {
    let interval_ms = i64::try_from(flush_interval.as_millis()).unwrap_or(i64::MAX).max(1);
    let grouping = config.template.grouping()?;
    let has_one_file = !grouping.has_keys() && config.template.units().is_empty();
    let records_max = config.records_max.filter(|_| !grouping.keeps_last());
    let groups = Groups {
        records_max: records_max.filter(|_| !has_one_file),
        // Old names say the first record of the file itself.
        shares_head: config.prefix.is_none(),
        on_full: match (grouping.keeps_last(), grouping.has_keys()) {
            (true, _) => OnFull::Replace,
            (false, true) => OnFull::Detach,
            (false, false) => OnFull::Rotate,
        },
    };
    Ok(RotationSettings {
        flush_records: records_max.filter(|_| has_one_file).unwrap_or(u64::MAX),
        interval: None,
        schedule: Some(Schedule { interval_ms, zone: Zone::Fixed { offset_ms: 0 } }),
        groups: Some(groups),
        open_parts_max: None,
        compatibility: Compatibility::None,
        tombstone_partition: None,
    })
}

fn file_format(config: &AivenConfig, props: &ConfigMap) -> Result<Box<dyn FileFormat>, ConnectError> {
    let is_set = |name: &str, default: bool| {
        props.get(name).map_or(default, |text| text.trim().eq_ignore_ascii_case("true"))
    };
    let (enhanced, meta_data) =
        (is_set("enhanced.avro.schema.support", false), is_set("connect.meta.data", true));
    let optional_map_keys = is_set("allow.optional.map.keys", false);
    let plain: Box<dyn FileFormat> = match config.format {
        Format::Avro => {
            let codec = avro_codec(props)?;
            Box::new(AvroFormat::new(AvroOptions { codec, enhanced, meta_data, optional_map_keys }))
        }
        Format::Csv | Format::JsonLines => Box::new(JoinedFormat::LINES),
        Format::Json => Box::new(JoinedFormat::ARRAY),
        Format::Parquet => {
            let usual = ParquetOptions::default();
            let row_groups = config.s3()?.settings.lakeward.row_group_bytes;
            let number = |name: &str| props.get(name).and_then(|text| text.trim().parse::<usize>().ok());
            Box::new(ParquetFormat::new(ParquetOptions {
                codec: ParquetCodec::from_name(config.parquet_codec)?,
                row_group_bytes_max: row_groups,
                page_bytes_max: number("connect.parquet.page.size").unwrap_or(usual.page_bytes_max),
                dictionary_bytes_max: usual
                    .dictionary_bytes_max
                    .filter(|_| is_set("connect.parquet.enable.dictionary", true)),
                two_level_lists: is_set("connect.parquet.avro.write-old-list-structure", true),
                enhanced,
                meta_data,
                optional_map_keys,
                ..usual
            }))
        }
    };
    Ok(match config.compression {
        Some(compression) => Box::new(CompressedFormat::new(plain, compression)),
        None => plain,
    })
}

fn avro_codec(props: &ConfigMap) -> Result<AvroCodec, ConnectError> {
    let Some(name) = props.get("avro.codec").map(|name| name.trim()) else { return Ok(AvroCodec::Null) };
    AvroCodec::named(name).ok_or_else(|| {
        ConnectError::config(format!(
            "Invalid value {name} for configuration avro.codec: Unknown or not supported codec {name}"
        ))
    })
}

/// Settings that shape names and contents of files whose cuts are given.
const SHAPING: [&str; 31] = [
    "allow.optional.map.keys",
    "avro.codec",
    "aws.s3.bucket.name",
    "aws.s3.endpoint",
    "aws.s3.prefix",
    "aws.s3.region",
    "aws_s3_bucket",
    "aws_s3_endpoint",
    "aws_s3_prefix",
    "aws_s3_region",
    "connect.meta.data",
    "enhanced.avro.schema.support",
    "errors.tolerance",
    "file.compression.type",
    "file.max.records",
    "file.name.template",
    "file.name.timestamp.source",
    "file.name.timestamp.timezone",
    "format.output.envelope",
    "format.output.fields",
    "format.output.fields.value.encoding",
    "format.output.type",
    "header.converter",
    "key.converter",
    "output_compression",
    "output_fields",
    "timestamp.source",
    "timestamp.timezone",
    "transforms",
    "value.converter",
    "value.converter.schemas.enable",
];
