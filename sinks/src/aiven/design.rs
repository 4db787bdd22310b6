//! What makes a task of an Aiven sink of the S3 sink's task: its layout, format, rotation and guarantee.

use std::time::Duration;

use lakeward_api::ConnectError;
use lakeward_api::config::ConfigMap;
use lakeward_api::sink::SinkTaskContext;
use lakeward_formats::file::{
    AvroCodec, AvroFormat, AvroOptions, CompressedFormat, FileFormat, JoinedFormat, ParquetCodec,
    ParquetFormat, ParquetOptions,
};

use super::config::{AivenConfig, Format};
use super::layout::AivenLayout;
use crate::s3::compatibility::Compatibility;
use crate::s3::partitioner::zone::Zone;
use crate::s3::rotation::{Groups, OnFull, RotationSettings, Schedule};
use crate::s3::settings::Settings;
use crate::s3::store::Store;
use crate::s3::task::{Design, Guarantee, S3SinkTask, fingerprint_of};

/// A task of `config` over `store`; `names` are the settings of the store that shape names.
///
/// # Errors
/// Class `Config`.
pub(super) fn task(
    context: SinkTaskContext,
    config: &AivenConfig,
    machinery: &Settings,
    names: &[&'static str],
    store: Store,
) -> Result<S3SinkTask, ConnectError> {
    let layout = AivenLayout::new(config)?;
    let mut causes = vec!["offset.flush.interval.ms"];
    causes.extend(layout.clock_settings());
    let keeps_last = config.template.grouping()?.keeps_last();
    let design = Design {
        format: file_format(config, machinery, &context.config)?,
        guarantee: if keeps_last { Guarantee::Latest(causes) } else { Guarantee::Decided(causes) },
        fingerprint: fingerprint_of(&[&SHAPING[..], names].concat(), &context.config),
        rotation: rotation(config, context.flush_interval)?,
        home: config.home(),
        layout: Some(Box::new(layout)),
    };
    S3SinkTask::with_design(context, machinery, store, design)
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

fn file_format(
    config: &AivenConfig,
    machinery: &Settings,
    props: &ConfigMap,
) -> Result<Box<dyn FileFormat>, ConnectError> {
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
            let number = |name: &str| props.get(name).and_then(|text| text.trim().parse::<usize>().ok());
            Box::new(ParquetFormat::new(ParquetOptions {
                codec: ParquetCodec::from_name(config.parquet_codec)?,
                row_group_bytes_max: machinery.lakeward.row_group_bytes,
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

/// Settings that shape names and contents of files whose cuts are given, whatever the store.
const SHAPING: [&str; 19] = [
    "allow.optional.map.keys",
    "avro.codec",
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
    "transforms",
    "value.converter",
    "value.converter.schemas.enable",
];
