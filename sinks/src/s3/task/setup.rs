//! What a configuration makes of a task: its file format and its rotation.

use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_formats::file::{
    AvroCodec, AvroFormat, AvroOptions, ByteLinesFormat, ByteLinesOptions, DecimalFormat, FileFormat,
    JsonLinesFormat, JsonLinesOptions, LineCompression, ParquetCodec, ParquetFormat, ParquetOptions,
};

use super::companions::{Companions, HeaderFormat, KeyFormat};
use crate::s3::compatibility::Compatibility;
use crate::s3::config::FormatKind;
use crate::s3::partitioner::zone::Zone;
use crate::s3::rotation::{Interval, PartitionChange, RotationSettings, Schedule};
use crate::s3::settings::Settings;

/// What is stored beside values.
pub(super) fn companions(config: &Settings) -> Result<Companions, ConnectError> {
    let keys = match config.output.keys_format {
        Some(kind) => Some(KeyFormat::new(kind, file_format(config, kind)?)),
        None => None,
    };
    let headers = match config.output.headers_format {
        Some(kind) => Some(HeaderFormat::new(kind, file_format(config, kind)?)),
        None => None,
    };
    Ok(Companions { keys, headers })
}

/// A format of files.
pub(super) fn file_format(config: &Settings, kind: FormatKind) -> Result<Box<dyn FileFormat>, ConnectError> {
    let compression = match config.output.is_gzip {
        true => LineCompression::Gzip { level: u32::try_from(config.output.gzip_level).ok() },
        false => LineCompression::None,
    };
    Ok(match kind {
        FormatKind::Avro => {
            let codec = AvroCodec::named(&config.connector.avro_codec);
            Box::new(AvroFormat::new(AvroOptions {
                codec: codec.unwrap_or_default(),
                enhanced: config.connector.enhanced_avro,
                meta_data: config.connector.connect_metadata,
                optional_map_keys: config.connector.allow_optional_map_keys,
            }))
        }
        FormatKind::Bytes => Box::new(ByteLinesFormat::new(ByteLinesOptions {
            extension: config.output.bytes_extension.clone(),
            separator: config.output.bytes_separator.clone(),
            compression,
        })),
        FormatKind::Json => {
            let decimals =
                if config.output.numeric_decimals { DecimalFormat::Numeric } else { DecimalFormat::Base64 };
            Box::new(JsonLinesFormat::new(JsonLinesOptions { decimals, compression }))
        }
        FormatKind::Parquet => Box::new(ParquetFormat::new(parquet_options(config)?)),
    })
}

fn parquet_options(config: &Settings) -> Result<ParquetOptions, ConnectError> {
    Ok(ParquetOptions {
        codec: ParquetCodec::from_name(&config.connector.parquet_codec)?,
        column_codecs: config.parquet.codecs(),
        row_group_bytes_max: config.lakeward.row_group_bytes,
        page_bytes_max: config.parquet.page_bytes,
        page_rows_max: config.parquet.page_rows,
        dictionary_bytes_max: config.parquet.dictionary_bytes_max(),
        statistics: config.parquet.statistics(),
        bloom_columns: config.parquet.bloom_columns.clone(),
        bloom_false_rate: config.parquet.bloom_rate,
        sorting: config.parquet.sorting(),
        two_level_lists: config.parquet.two_level_lists,
        enhanced: config.connector.enhanced_avro,
        meta_data: config.connector.connect_metadata,
        optional_map_keys: config.connector.allow_optional_map_keys,
    })
}

/// When files are closed.
pub(super) fn rotation_settings(config: &Settings) -> RotationSettings {
    let time_based = config.partitioner_kind().is_time_based();
    let interval_ms = config.connector.rotate_interval_ms;
    if interval_ms > 0 && !time_based {
        tracing::warn!("rotate.interval.ms has no effect without a time-based partitioner");
    }
    let on_partition_change = match config.output.rotate_on_partition_change {
        true => PartitionChange::Rotate,
        false => PartitionChange::Keep,
    };
    let schedule_ms = config.connector.rotate_schedule_interval_ms;
    let zone = Zone::parse(&config.partitioner.time_zone);
    RotationSettings {
        // 0 and below rotate after every record, as 1 does.
        flush_records: u64::try_from(config.connector.flush_size).unwrap_or(1).max(1),
        interval: (interval_ms > 0 && time_based).then_some(Interval { interval_ms, on_partition_change }),
        schedule: zone.filter(|_| schedule_ms > 0).map(|zone| Schedule { interval_ms: schedule_ms, zone }),
        compatibility: match config.merges_schemas() {
            true => Compatibility::Merge,
            false => Compatibility::named(&config.connector.schema_compatibility),
        },
        groups: None,
        open_parts_max: usize::try_from(config.output.open_files_max).ok().filter(|max| *max > 0),
        tombstone_partition: config.tombstone_partition().map(Arc::from),
    }
}
