//! The configuration of the S3 sink of Aiven: definition, the typed form, and what the machinery of the S3
//! sink is told of it.
//!
//! As in Java, what keys mean together is judged when a task starts, not by validation.
//!
//! Source: `S3SinkConfig`, `SinkCommonConfig`, Aiven's cloud storage connectors at 89e55a98.

mod file_keys;
mod store_keys;
#[cfg(test)]
mod tests;
pub(super) mod validators;

use std::collections::HashMap;

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigValue, Validator};
use lakeward_formats::file::{FileCompression, RecordField, ValueEncoding};

use super::template::Template;
use crate::s3::config::S3Config;
use crate::s3::partitioner::zone::Zone;
use file_keys::FileKeys;
use store_keys::StoreKeys;

/// The definition of every key, in Java's order.
pub(super) fn config_def() -> ConfigDef {
    let mut def = ConfigDef::default();
    let parts = [StoreKeys::config_def(), FileKeys::config_def()];
    for key in parts.iter().flat_map(ConfigDef::keys) {
        let mut key = key.clone();
        key.order = ORDERS.iter().find(|(name, _)| *name == key.name).map_or(-1, |(_, order)| *order);
        key.validator = match key.name.as_str() {
            "aws.access.key.id" | "aws.secret.access.key" | "aws_access_key_id" | "aws_secret_access_key" => {
                Validator::CustomWords(validators::password)
            }
            "aws.s3.bucket.name" | "aws_s3_bucket" => Validator::CustomWords(validators::bucket),
            "aws.s3.part.size.bytes" => Validator::CustomOrNull(validators::part_size),
            "file.compression.type" | "output_compression" => Validator::CustomWords(validators::compression),
            "format.output.type" => Validator::CustomWords(validators::format),
            _ => key.validator,
        };
        def.define(key);
    }
    def
}

/// Validates every key by itself.
pub(super) fn validate(props: &ConfigMap) -> Vec<ConfigValue> {
    config_def().validate(props)
}

/// The format of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Avro,
    Csv,
    Json,
    JsonLines,
    Parquet,
}

/// Where the variable `timestamp` comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeSource {
    Event,
    Wallclock,
}

/// A clock for names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    pub(super) source: TimeSource,
    pub(super) zone: Zone,
}

/// All keys, parsed and judged together.
#[derive(Debug)]
pub(super) struct AivenConfig {
    pub(super) format: Format,
    pub(super) fields: Vec<RecordField>,
    pub(super) value_encoding: ValueEncoding,
    pub(super) envelope: bool,
    /// `None`: files are stored as they are.
    pub(super) compression: Option<FileCompression>,
    /// Codec of Parquet pages, in Confluent's words.
    pub(super) parquet_codec: &'static str,
    pub(super) template: Template,
    pub(super) clock: Clock,
    pub(super) records_max: Option<u64>,
    /// The old way of naming.
    pub(super) prefix: Option<Template>,
    pub(super) prefix_clock: Clock,
    /// The store, in the words of the Confluent sink.
    pub(super) store: ConfigMap,
}

impl AivenConfig {
    /// Parses `props`.
    ///
    /// # Errors
    /// Class `Config`, with Java's exception and words where Java refuses, too.
    pub(super) fn parse(props: &ConfigMap) -> Result<Self, ConnectError> {
        let mut props = props.clone();
        for name in ["aws.s3.prefix", "file.name.template", "file.prefix.template"] {
            if let Some(text) = props.get_mut(name) {
                *text = Template::without_old_years(text);
            }
        }
        let problems: Vec<String> = validate(&props).into_iter().flat_map(|value| value.errors).collect();
        if let Some(first) = problems.into_iter().next() {
            return Err(ConnectError::config(first));
        }
        check_retry_backoff(&props)?;
        let first = |values: Vec<ConfigValue>| {
            ConnectError::config(values.into_iter().flat_map(|value| value.errors).next().unwrap_or_default())
        };
        let store = StoreKeys::parse(&props).map_err(first)?;
        let files = FileKeys::parse(&props).map_err(first)?;
        if !files.envelope && files.output_fields.as_ref().map_or(0, Vec::len) != 1 {
            return Err(ConnectError::config(
                "When format.output.envelope is false, format.output.fields must contain only one field",
            ));
        }
        let format = format(&files.format);
        let compression = files.compression.as_deref().map(str::to_lowercase);
        let template = file_template(&files, format, compression.as_deref())?;
        let bucket = store.bucket.as_ref().or(store.old_bucket.as_ref()).ok_or_else(|| {
            ConnectError::config("Neither aws.s3.bucket.name nor aws_s3_bucket properties have been set")
        })?;
        let used = compression.clone().or_else(|| store.old_compression.as_deref().map(str::to_lowercase));
        let used = file_compression(used.as_deref().unwrap_or("gzip"));
        let prefix = store.prefix.as_ref().or(store.old_prefix.as_ref());
        let prefix = prefix.map(|prefix| old_template(prefix, format, used)).transpose()?;
        Ok(Self {
            format,
            fields: fields(files.output_fields.as_ref().or(store.old_output_fields.as_ref())),
            value_encoding: match files.value_encoding.as_str() {
                "none" => ValueEncoding::None,
                _ => ValueEncoding::Base64,
            },
            envelope: files.envelope,
            compression: used.filter(|_| format != Format::Parquet),
            parquet_codec: parquet_codec(compression.as_deref()),
            template,
            clock: clock(&files.time_source, &files.time_zone)?,
            records_max: (files.records_max > 0).then_some(files.records_max),
            prefix,
            prefix_clock: clock(&files.old_time_source, &files.old_time_zone)?,
            store: confluent(&store, bucket, &props)?,
        })
    }

    /// What the machinery of the S3 sink reads.
    pub(super) fn s3(&self) -> Result<S3Config, ConnectError> {
        S3Config::parse(&self.store)
    }
}

/// Not part of the definition, and judged all the same.
fn check_retry_backoff(props: &ConfigMap) -> Result<(), ConnectError> {
    let name = "kafka.retry.backoff.ms";
    let Some(text) = props.get(name).map(|text| text.trim()) else { return Ok(()) };
    let problem = match text.parse::<i64>() {
        Err(_) => "Not a number of type LONG".to_owned(),
        Ok(ms) if ms < 0 => "Value must be at least 0".to_owned(),
        Ok(ms) if ms > DAY_MS => format!("Value must be no more than {DAY_MS} (24 hours)"),
        Ok(_) => return Ok(()),
    };
    Err(ConnectError::config(format!("Invalid value {text} for configuration {name}: {problem}")))
}

fn format(text: &str) -> Format {
    match text.to_lowercase().as_str() {
        "avro" => Format::Avro,
        "json" => Format::Json,
        "jsonl" => Format::JsonLines,
        "parquet" => Format::Parquet,
        _ => Format::Csv,
    }
}

fn fields(names: Option<&Vec<String>>) -> Vec<RecordField> {
    let names = names.map(|names| names.iter().filter_map(|name| RecordField::named(name)).collect());
    names.unwrap_or_else(|| vec![RecordField::Value])
}

fn file_compression(name: &str) -> Option<FileCompression> {
    match name {
        "gzip" => Some(FileCompression::Gzip),
        "snappy" => Some(FileCompression::Snappy),
        "zstd" => Some(FileCompression::Zstd),
        _ => None,
    }
}

/// What compression adds to names.
fn extension(compression: Option<FileCompression>) -> &'static str {
    match compression {
        Some(FileCompression::Gzip) => ".gz",
        Some(FileCompression::Snappy) => ".snappy",
        Some(FileCompression::Zstd) => ".zst",
        None => "",
    }
}

/// Parquet looks at the new key alone.
fn parquet_codec(compression: Option<&str>) -> &'static str {
    match compression {
        Some("gzip") => "gzip",
        Some("snappy") => "snappy",
        Some("zstd") => "zstd",
        _ => "none",
    }
}

fn clock(source: &str, zone: &str) -> Result<Clock, ConnectError> {
    let source = match source.eq_ignore_ascii_case("EVENT") {
        true => TimeSource::Event,
        false => TimeSource::Wallclock,
    };
    Ok(Clock { source, zone: validators::zone(zone).map_err(ConnectError::config)? })
}

/// The template of names. The usual one says which compression was asked for, not which one is used: without
/// `file.compression.type` files are gzip and are not called so.
fn file_template(
    files: &FileKeys,
    format: Format,
    compression: Option<&str>,
) -> Result<Template, ConnectError> {
    let avro = if format == Format::Avro { ".avro" } else { "" };
    let extension = extension(compression.and_then(file_compression));
    let usual = || format!("{{{{topic}}}}-{{{{partition}}}}-{{{{start_offset}}}}{avro}{extension}");
    let template = Template::parse(&files.name_template.clone().unwrap_or_else(usual))?;
    let grouping = template.grouping()?;
    if grouping.keeps_last() && files.records_max > 1 {
        return Err(ConnectError::config(format!(
            "When file.name.template is {}, file.max.records must be either 1 or not set",
            template.text()
        )));
    }
    template.check_units("file.name.template")?;
    Ok(template)
}

/// The whole old name.
fn old_template(
    prefix: &str,
    format: Format,
    compression: Option<FileCompression>,
) -> Result<Template, ConnectError> {
    let avro = if format == Format::Avro { ".avro" } else { "" };
    let name = "{{topic}}-{{partition}}-{{start_offset:padding=true}}";
    // In the prefix, partitions are never padded.
    Template::parse(prefix)?.check_units("aws.s3.prefix")?;
    Template::parse(&format!("{prefix}{name}{avro}{}", extension(compression)))
}

/// The store in the words of the Confluent sink, whose client is used.
fn confluent(store: &StoreKeys, bucket: &str, props: &ConfigMap) -> Result<ConfigMap, ConnectError> {
    let endpoint = store.endpoint.as_ref().or(store.old_endpoint.as_ref());
    let region = store.region.as_ref().or(store.old_region.as_ref());
    let mut keys = HashMap::from([
        ("format.class", "JsonFormat".to_owned()),
        ("flush.size", "1".to_owned()),
        ("storage.class", "S3Storage".to_owned()),
        ("s3.bucket.name", bucket.to_owned()),
        ("s3.region", region.map_or("us-east-1", String::as_str).to_owned()),
        ("s3.part.size", store.part_bytes.max(PART_BYTES_MIN).to_string()),
        ("s3.part.retries", store.tries_max.to_string()),
        ("s3.retry.backoff.ms", store.backoff_delay_ms.to_string()),
        ("s3.path.style.access.enabled", endpoint.is_some().to_string()),
    ]);
    keys.extend(endpoint.map(|endpoint| ("store.url", endpoint.clone())));
    keys.extend(store.sse.clone().map(|sse| ("s3.ssea.name", sse)));
    if let (Some(arn), Some(session)) = (&store.role_arn, &store.role_session_name) {
        if store.region.is_none() && store.sts_endpoint != STS_GLOBAL {
            return Err(ConnectError::config(
                "aws.s3.region should be specified together with aws.sts.config.endpoint",
            ));
        }
        keys.extend([
            ("s3.credentials.provider.class", ROLE_CLASS.to_owned()),
            ("s3.credentials.provider.sts.role.arn", arn.clone()),
            ("s3.credentials.provider.sts.role.session.name", session.clone()),
            (
                "s3.credentials.provider.sts.role.external.id",
                store.role_external_id.clone().unwrap_or_default(),
            ),
        ]);
        keys.extend(region.map(|region| ("s3.credentials.provider.sts.region", region.clone())));
    } else if let (Some(id), Some(secret)) = (&store.access_key_id, &store.secret_access_key) {
        keys.extend([
            ("aws.access.key.id", id.expose().to_owned()),
            ("aws.secret.access.key", secret.expose().to_owned()),
        ]);
    }
    let own =
        ["lakeward.parquet.row.group.bytes", "lakeward.request.timeout.ms", "lakeward.uploads.in.flight"];
    keys.extend(own.iter().filter_map(|name| Some((*name, props.get(*name)?.clone()))));
    Ok(keys.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Smaller parts are refused by S3.
const PART_BYTES_MIN: u64 = 5_242_880;
const DAY_MS: i64 = 86_400_000;
const STS_GLOBAL: &str = "https://sts.amazonaws.com";
const ROLE_CLASS: &str = "io.confluent.connect.s3.auth.AwsAssumeRoleCredentialsProvider";

/// Positions in groups, which are not always those of the definition.
const ORDERS: [(&str, i32); 31] = [
    ("aws.access.key.id", 1),
    ("aws.credentials.provider", 3),
    ("aws.s3.backoff.delay.ms", 1),
    ("aws.s3.backoff.max.delay.ms", 2),
    ("aws.s3.backoff.max.retries", 3),
    ("aws.s3.bucket.name", 4),
    ("aws.s3.endpoint", 6),
    ("aws.s3.fetch.buffer.size", 10),
    ("aws.s3.fetch.page.size", 9),
    ("aws.s3.part.size.bytes", 0),
    ("aws.s3.prefix", 8),
    ("aws.s3.region", 7),
    ("aws.s3.sse.algorithm", 5),
    ("aws.secret.access.key", 2),
    ("aws.sts.config.endpoint", 5),
    ("aws.sts.role.arn", 1),
    ("aws.sts.role.external.id", 4),
    ("aws.sts.role.session.duration", 3),
    ("aws.sts.role.session.name", 2),
    ("file.compression.type", 2),
    ("file.max.records", 4),
    ("file.name.template", 1),
    ("file.name.timestamp.source", 6),
    ("file.name.timestamp.timezone", 5),
    ("file.prefix.template", 2),
    ("format.output.envelope", 2),
    ("format.output.fields", 0),
    ("format.output.fields.value.encoding", 1),
    ("format.output.type", 0),
    ("timestamp.source", 1),
    ("timestamp.timezone", 0),
];
