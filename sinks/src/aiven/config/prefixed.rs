//! The keys about files of the sinks of GCS and Azure: group "File". They differ from those of S3 in their
//! defaults, in their words, and in that templates are judged by validation.
//!
//! Source: `GcsSinkConfig`, `AzureBlobSinkConfig`, `FilenameTemplateValidator` of the Aiven connectors.

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigMap, Validator};

use super::file_keys::FormatKeys;
use super::{AivenConfig, Judged, clock, file_compression, first, validators};
use crate::aiven::template::Template;

/// Names and contents of objects.
#[derive(ConfigDef, Debug)]
pub(super) struct PrefixedKeys {
    /// What all object names begin with, as it is.
    #[config(
        name = "file.name.prefix",
        kind = "string",
        default = "",
        importance = "medium",
        group = "File",
        display = "file.name.prefix"
    )]
    name_prefix: String,
    /// Object names behind the prefix, with the variables topic, partition, start_offset, timestamp and key.
    /// They also say which records share a file: see decision 0013.
    #[config(name = "file.name.template", kind = "string", default = null, importance = "medium",
             group = "File", width = "long", display = "file.name.template",
             validate = custom(name_template))]
    name_template: Option<String>,
    /// Compression of files: none, gzip, snappy or zstd.
    #[config(name = "file.compression.type", kind = "string", default = "none", importance = "medium",
             group = "File", display = "file.compression.type", validate = custom(compression),
             recommended("none", "gzip", "snappy", "zstd"))]
    compression: String,
    /// Most records of one file; 0 for no limit.
    #[config(name = "file.max.records", kind = "int", default = "0", importance = "medium", group = "File",
             width = "short", display = "file.max.records", validate = custom(records_max))]
    records_max: u64,
    /// Time zone of the variable timestamp.
    #[config(name = "file.name.timestamp.timezone", kind = "string", default = "Z", importance = "low",
             group = "File", width = "short", display = "file.name.timestamp.timezone",
             validate = custom(validators::time_zone))]
    time_zone: String,
    /// Where the variable timestamp comes from: WALLCLOCK or EVENT, the timestamp of the record.
    #[config(name = "file.name.timestamp.source", kind = "string", default = "WALLCLOCK",
             importance = "low", group = "File", width = "short", display = "file.name.timestamp.source",
             validate = custom(validators::time_source))]
    time_source: String,
}

/// The definition of a sink: `store`, files with `prefix` as the check of `file.name.prefix` and `last` in
/// front of their last key, the format, and `rest`.
pub(super) fn config_def(
    store: ConfigDef,
    prefix: fn(&str, &str) -> Result<(), String>,
    last: Option<ConfigDef>,
    rest: &[ConfigDef],
) -> ConfigDef {
    let mut files = PrefixedKeys::config_def().keys().to_vec();
    files[0].validator = Validator::CustomWords(prefix);
    let source = files.pop();
    files.extend(last.iter().flat_map(ConfigDef::keys).cloned());
    files.extend(source);
    let format = FormatKeys::with_usual_fields();
    let mut def = ConfigDef::default();
    let parts = [store, ConfigDef::new(files), format].into_iter().chain(rest.iter().cloned());
    for part in parts {
        for (mut key, order) in part.keys().iter().cloned().zip(0..) {
            match key.group.as_deref() {
                Some("Format") => {}
                Some(_) => key.order = order,
                None => key.order = -1,
            }
            def.define(key);
        }
    }
    def
}

/// What `props` say about files.
///
/// # Errors
/// Class `Config`, with Java's exception and words.
pub(super) fn files(props: &ConfigMap) -> Result<AivenConfig, ConnectError> {
    let keys = PrefixedKeys::parse(props).map_err(first)?;
    let format = FormatKeys::parse(props).map_err(first)?;
    let compression = file_compression(&keys.compression);
    let config = AivenConfig::new(Judged {
        fields: format.output_fields.clone(),
        fields_known: format.output_fields.as_ref().map_or(1, Vec::len),
        format,
        template: keys.name_template,
        named: compression,
        used: compression,
        records_max: keys.records_max,
        clock: clock(&keys.time_source, &keys.time_zone)?,
    })?;
    Ok(AivenConfig { name_prefix: keys.name_prefix, ..config })
}

fn name_template(_name: &str, text: &str) -> Result<(), String> {
    if text.starts_with(RESERVED) {
        return Err(format!("cannot start with '{RESERVED}'"));
    }
    let template = Template::parse(text).map_err(|err| err.to_string())?;
    template.check_parameters()?;
    template.grouping().map(|_| ()).map_err(|err| err.to_string())
}

/// Unlike with S3, not in any case.
fn compression(_name: &str, text: &str) -> Result<(), String> {
    match text {
        "none" | "gzip" | "snappy" | "zstd" => Ok(()),
        _ => Err("supported values are: 'none', 'gzip', 'snappy', 'zstd'".to_owned()),
    }
}

fn records_max(_name: &str, text: &str) -> Result<(), String> {
    match text.parse::<i64>() {
        Ok(records) if records < 0 => Err("must be a non-negative integer number".to_owned()),
        _ => Ok(()),
    }
}

/// A name that is not too long. Words the whole error, which names `key`, as in Java.
pub(super) fn short_prefix(key: &str, text: &str) -> Result<(), String> {
    match text.encode_utf16().count() > NAME_CHARS_MAX {
        true => Err(format!(
            "Invalid value {text} for configuration {key}: cannot be longer than {NAME_CHARS_MAX} characters"
        )),
        false => Ok(()),
    }
}

/// What no object name may begin with on GCS.
pub(super) const RESERVED: &str = ".well-known/acme-challenge";
const NAME_CHARS_MAX: usize = 1024;
