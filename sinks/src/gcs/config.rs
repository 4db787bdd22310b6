//! The configuration of the GCS sink: its own keys, and their translation into what all storage sinks share.
//!
//! Source: the key table of the Confluent GCS sink.

use std::time::Duration;

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigValue, Password};
use lakeward_objectstore::http::{Growth, Patience};

use super::bucket::{Bucket, Credentials, WORDS};
use crate::s3::config::cross_checks::{add, apply_shared, text};
use crate::s3::config::validators::{bucket_name, format_within, is_class};
use crate::s3::config::{
    Classes, ConnectorKeys, LakewardKeys, ParquetKeys, PartitionerKeys, StorageKeys, joined, name_classes,
    parsed,
};
use crate::s3::settings::{Layout, Output, Settings, bytes_separator, write_duration};

/// Group "GCS".
#[derive(ConfigDef, Debug)]
#[expect(dead_code, reason = "keys that are only accepted or refused are parsed, not used")]
pub(super) struct GcsKeys {
    /// The bucket; it must exist.
    #[config(name = "gcs.bucket.name", kind = "string", default = required, importance = "high",
             group = "GCS", width = "long", display = "GCS Bucket", validate = custom(bucket_name))]
    pub(super) bucket: String,
    /// Bytes of one part of a large object. Files that fit into one part are stored in a single request.
    #[config(name = "gcs.part.size", kind = "int", default = "26214400", importance = "high", group = "GCS",
             width = "long", display = "GCS Part Size", validate = between(5_242_880, 2_147_483_647))]
    pub(super) part_bytes: usize,
    /// How often one request is repeated before the task gives up and starts again from its committed
    /// offsets; 0 repeats nothing.
    #[config(name = "gcs.part.retries", kind = "int", default = "3", importance = "medium", group = "GCS",
             width = "long", display = "GCS Part Upload Retries", validate = at_least(0))]
    pub(super) retries: usize,
    /// Deprecated: uploads have no parts of their own in the bucket. Accepted for compatibility.
    #[config(
        name = "gcs.parts.prefix",
        kind = "string",
        default = "parts",
        importance = "low",
        group = "GCS",
        width = "long",
        display = "GCS Parts Prefix"
    )]
    pub(super) parts_prefix: String,
    /// Bound of the first pause in milliseconds between tries of one request; it doubles, and the pause is
    /// random below it. When the store asks for fewer requests, all tasks that write to the bucket wait.
    #[config(name = "gcs.retry.backoff.ms", kind = "long", default = "200", importance = "low",
             group = "GCS", display = "GCS Retry Backoff (ms)", validate = at_least(0))]
    pub(super) retry_backoff_ms: u64,
    /// File name extension of ByteArrayFormat, with its dot.
    #[config(
        name = "format.bytearray.extension",
        kind = "string",
        default = ".bin",
        importance = "low",
        group = "GCS",
        width = "long",
        display = "Output Extension for ByteArrayFormat"
    )]
    pub(super) bytes_extension: String,
    /// What follows each record of ByteArrayFormat; null is a line feed.
    #[config(name = "format.bytearray.separator", kind = "string", default = null, importance = "low",
             group = "GCS", width = "long", display = "Line separator ByteArrayFormat")]
    pub(super) bytes_separator: Option<String>,
    /// File with the key of a service account, or with the credentials of a user. When empty, the environment
    /// variable GOOGLE_APPLICATION_CREDENTIALS names it; without that, the credentials that gcloud left in
    /// the home directory count, then those of the machine.
    #[config(
        name = "gcs.credentials.path",
        kind = "string",
        default = "",
        importance = "low",
        group = "GCS",
        width = "long",
        display = "GCS Credentials Path"
    )]
    pub(super) credentials_path: String,
    /// The key of a service account: the content of its JSON file. It wins over gcs.credentials.path.
    #[config(name = "gcs.credentials.json", kind = "password", default = null, importance = "high",
             group = "GCS", width = "long", display = "GCS Credentials JSON")]
    pub(super) credentials_json: Option<Password>,
    /// Credentials provider: only the default one, which reads the keys above.
    #[config(name = "gcs.credentials.provider.class", kind = "class",
             default = "io.confluent.connect.gcs.auth.DefaultSinkCredentialsProvider", importance = "low",
             group = "GCS", width = "long", display = "GCS Credentials Provider Class",
             validate = custom(provider_class))]
    pub(super) provider: String,
    /// Compression of JSON and bytes output.
    #[config(name = "gcs.compression.type", kind = "string", default = "none", importance = "low",
             group = "GCS", width = "long", display = "Compression type", validate = one_of("none", "gzip"),
             recommended("none", "gzip"))]
    pub(super) compression_type: String,
    /// What happens to records with null values: fail or ignore.
    #[config(name = "behavior.on.null.values", kind = "string", default = "fail", importance = "low",
             group = "GCS", display = "Behavior for null-valued records",
             validate = one_of_ignore_case("ignore", "fail"), recommended("ignore", "fail"))]
    pub(super) null_values: String,
    /// Longest time in milliseconds of one round of writes: after it, no further batch is written before the
    /// outcomes of uploads were looked at. Nothing waits for the store in a round, and
    /// files do not depend on it.
    #[config(
        name = "max.write.duration.ms",
        kind = "long",
        default = "9223372036854775807",
        importance = "low",
        group = "GCS",
        width = "long",
        display = "Max Write Duration (ms)"
    )]
    pub(super) write_duration_ms_max: i64,
    /// With rotate.schedule.interval.ms: look whether an object is there before one is written, take it over
    /// when it has the same content, and replace nothing else than what was seen.
    #[config(
        name = "enable.conditional.writes",
        kind = "boolean",
        default = "true",
        importance = "low",
        group = "GCS",
        width = "short",
        display = "Enable Conditional Writes"
    )]
    pub(super) conditional_writes: bool,
    /// Internal: how many names are tried after a conditional write failed. Accepted for compatibility.
    #[config(name = "max.files.scan.limit", kind = "int", default = "100", importance = "low")]
    pub(super) files_scan_limit: i32,
    /// Internal: most open files per topic-partition; -1 is no limit.
    #[config(name = "partitioner.max.open.files", kind = "int", default = "-1", importance = "low")]
    pub(super) open_files_max: i64,
}

/// All keys, parsed.
#[derive(Debug)]
pub(super) struct GcsConfig {
    /// What is not about GCS.
    pub(super) settings: Settings,
    pub(super) keys: GcsKeys,
    /// `store.url`.
    pub(super) store_url: Option<String>,
}

impl GcsConfig {
    /// Parses `props`. All problems, cross checks included, become one error of class `Config`.
    pub(super) fn parse(props: &ConfigMap) -> Result<Self, ConnectError> {
        parsed(validate(props), || Self::parse_keys(props))
    }

    fn parse_keys(props: &ConfigMap) -> Result<Self, Vec<ConfigValue>> {
        let (keys, storage) = (GcsKeys::parse(props)?, StorageKeys::parse(props)?);
        let output = Output {
            write_duration_max: write_duration(keys.write_duration_ms_max),
            is_gzip: keys.compression_type == "gzip",
            part_bytes: keys.part_bytes,
            bytes_extension: keys.bytes_extension.clone(),
            bytes_separator: bytes_separator(props),
            null_values: keys.null_values.to_ascii_lowercase(),
            open_files_max: keys.open_files_max,
            ..Output::default()
        };
        let layout = Layout {
            topics_dir: storage.topics_dir,
            directory_delim: storage.directory_delim,
            file_delim: storage.file_delim,
        };
        Ok(Self { settings: Settings::new(props, layout, output)?, keys, store_url: storage.store_url })
    }

    /// The bucket.
    pub(super) fn bucket(&self) -> Bucket {
        let keys = &self.keys;
        let is_set = |json: &&Password| !json.expose().trim().is_empty();
        Bucket {
            name: keys.bucket.clone(),
            url: self.store_url.clone(),
            credentials: match keys.credentials_json.as_ref().filter(is_set) {
                Some(json) => Credentials::Json(json.clone()),
                None if !keys.credentials_path.is_empty() => Credentials::File(keys.credentials_path.clone()),
                None => Credentials::Default,
            },
            patience: Patience {
                tries_max: keys.retries.saturating_add(1),
                pause: Duration::from_millis(keys.retry_backoff_ms),
                growth: Growth::USUAL,
            },
            try_time: Duration::from_millis(self.settings.lakeward.request_timeout_ms),
            user_agent: None,
            content_encoding: None,
            // Where the Java sink makes conditions.
            is_conditional: keys.conditional_writes
                && self.settings.connector.rotate_schedule_interval_ms > 0,
            words: &WORDS,
        }
    }
}

/// The definition of every key, in the Java sink's order, `lakeward.*` last.
pub(super) fn config_def() -> ConfigDef {
    let mut def = joined(&[
        ConnectorKeys::config_def(),
        GcsKeys::config_def(),
        StorageKeys::config_def(),
        PartitionerKeys::config_def(),
        LakewardKeys::config_def(),
        ParquetKeys::config_def(),
    ]);
    name_classes(&mut def, &CLASSES);
    def
}

/// Validates every key, then what keys mean together. One entry per key, in definition order.
pub(super) fn validate(props: &ConfigMap) -> Vec<ConfigValue> {
    let mut values = config_def().validate(props);
    apply_shared(&mut values, "gcs.compression.type");
    if let Some(json) = props.get("gcs.credentials.json").filter(|json| !json.trim().is_empty())
        && let Err(problem) = super::credentials::check_json(json)
    {
        add(&mut values, "gcs.credentials.json", &problem);
    }
    if text(&values, "store.url").starts_with("file:") {
        add(&mut values, "store.url", "use http://host:port or https://host:port");
    }
    values
}

const CLASSES: Classes = Classes {
    formats: "io.confluent.connect.gcs.format",
    is_format: |_, class| format_within(&[CLASSES.formats], class),
    storage: "io.confluent.connect.gcs.storage.GcsStorage",
    is_storage: |_, class| is_class(CLASSES.storage, class),
};

fn provider_class(_name: &str, class: &str) -> Result<(), String> {
    const DEFAULT: &str = "io.confluent.connect.gcs.auth.DefaultSinkCredentialsProvider";
    is_class(DEFAULT, class).map_err(|_| {
        format!(
            "not supported by Lakeward; use {DEFAULT} with gcs.credentials.json, gcs.credentials.path or \
             GOOGLE_APPLICATION_CREDENTIALS"
        )
    })
}
