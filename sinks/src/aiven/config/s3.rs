//! The configuration of the S3 sink: definition, checks, and the store in the words of the Confluent sink.
//!
//! As in Java, what keys mean together is judged when a task starts, not by validation.
//!
//! Source: `S3SinkConfig`, Aiven's cloud storage connectors at 89e55a98.

use std::collections::HashMap;

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigValue, Validator};
use lakeward_formats::file::FileCompression;

use super::file_keys::{FileKeys, FormatKeys, OldClockKeys};
use super::store_keys::StoreKeys;
use super::{AivenConfig, Format, Judged, clock, extension, file_compression, first, validators};
use crate::aiven::template::Template;
use crate::s3::config::S3Config;

/// The definition of every key, in Java's order.
pub(in crate::aiven) fn config_def() -> ConfigDef {
    let mut def = ConfigDef::default();
    let parts = [
        StoreKeys::config_def(),
        FileKeys::config_def(),
        FormatKeys::definition(),
        OldClockKeys::config_def(),
    ];
    for key in parts.iter().flat_map(ConfigDef::keys) {
        let mut key = key.clone();
        if key.group.as_deref() != Some("Format") {
            key.order = ORDERS.iter().find(|(name, _)| *name == key.name).map_or(-1, |(_, order)| *order);
        }
        key.validator = match key.name.as_str() {
            "aws.access.key.id" | "aws.secret.access.key" | "aws_access_key_id" | "aws_secret_access_key" => {
                Validator::CustomWords(validators::password)
            }
            "aws.s3.bucket.name" | "aws_s3_bucket" => Validator::CustomWords(validators::bucket),
            "aws.s3.part.size.bytes" => Validator::CustomOrNull(validators::part_size),
            "file.compression.type" | "output_compression" => Validator::CustomWords(validators::compression),
            _ => key.validator,
        };
        def.define(key);
    }
    def
}

/// Validates every key by itself.
pub(in crate::aiven) fn validate(props: &ConfigMap) -> Vec<ConfigValue> {
    config_def().validate(props)
}

/// Parses `props`: what is written, and where.
///
/// # Errors
/// Class `Config`, with Java's exception and words where Java refuses, too.
pub(in crate::aiven) fn parse(props: &ConfigMap) -> Result<(AivenConfig, S3Config), ConnectError> {
    let props = super::checked(props, validate)?;
    let store = StoreKeys::parse(&props).map_err(first)?;
    let files = FileKeys::parse(&props).map_err(first)?;
    let old = OldClockKeys::parse(&props).map_err(first)?;
    let compression = files.compression.as_deref().map(str::to_lowercase);
    let used = compression.clone().or_else(|| store.old_compression.as_deref().map(str::to_lowercase));
    let used = file_compression(used.as_deref().unwrap_or("gzip"));
    let format = FormatKeys::parse(&props).map_err(first)?;
    let fields_known = format.output_fields.as_ref().map_or(0, Vec::len);
    let mut config = AivenConfig::new(Judged {
        fields: format.output_fields.clone().or_else(|| store.old_output_fields.clone()),
        fields_known,
        format,
        template: files.name_template,
        // The usual name says which compression was asked for, not which one is used.
        named: compression.as_deref().and_then(file_compression),
        used,
        records_max: files.records_max,
        clock: clock(&files.time_source, &files.time_zone)?,
    })?;
    let bucket = store.bucket.as_ref().or(store.old_bucket.as_ref()).ok_or_else(|| {
        ConnectError::config("Neither aws.s3.bucket.name nor aws_s3_bucket properties have been set")
    })?;
    let prefix = store.prefix.as_ref().or(store.old_prefix.as_ref());
    config.prefix = prefix.map(|prefix| old_template(prefix, config.format, used)).transpose()?;
    config.prefix_clock = clock(&old.time_source, &old.time_zone)?;
    let s3 = S3Config::parse(&confluent(&store, bucket, &props)?)?;
    Ok((config, s3))
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
    let own = super::machinery(props);
    Ok(keys.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(own).collect())
}

/// Smaller parts are refused by S3.
const PART_BYTES_MIN: u64 = 5_242_880;
const STS_GLOBAL: &str = "https://sts.amazonaws.com";
const ROLE_CLASS: &str = "io.confluent.connect.s3.auth.AwsAssumeRoleCredentialsProvider";

/// Positions in groups, which are not always those of the definition.
const ORDERS: [(&str, i32); 27] = [
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
    ("timestamp.source", 1),
    ("timestamp.timezone", 0),
];
