//! The configurations of the sinks of Aiven: definitions, the typed form, and what the machinery of the S3
//! sink is told of it.
//!
//! Each store has a module with its keys; what is written of records is the same for all.
//!
//! Source: `SinkCommonConfig`, `FileNameFragment`, `OutputFormatFragment` of Aiven's cloud storage connectors
//! at 89e55a98.

pub(super) mod azure;
mod connection;
mod file_keys;
pub(super) mod gcs;
mod prefixed;
pub(super) mod s3;
mod store_keys;
#[cfg(test)]
mod tests;
pub(super) mod validators;

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigMap, ConfigValue};
use lakeward_formats::file::{FileCompression, RecordField, ValueEncoding};

use super::template::Template;
use crate::s3::partitioner::zone::Zone;
use crate::s3::settings::{Layout, Output, Settings};
use file_keys::FormatKeys;

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

/// What a sink writes, whatever the store: keys parsed and judged together.
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
    /// Bytes from which a file ends early.
    pub(super) bytes_max: Option<u64>,
    /// What stands before names, as it is.
    pub(super) name_prefix: String,
    /// The old way of naming.
    pub(super) prefix: Option<Template>,
    pub(super) prefix_clock: Clock,
}

/// Keys that were parsed and are to be judged together.
struct Judged {
    format: FormatKeys,
    fields: Option<Vec<String>>,
    /// How many fields `format.output.fields` names.
    fields_known: usize,
    template: Option<String>,
    /// The compression that the usual name and Parquet go by.
    named: Option<FileCompression>,
    used: Option<FileCompression>,
    records_max: u64,
    clock: Clock,
}

impl AivenConfig {
    fn new(keys: Judged) -> Result<Self, ConnectError> {
        if !keys.format.envelope && keys.fields_known != 1 {
            return Err(ConnectError::config(
                "When format.output.envelope is false, format.output.fields must contain only one field",
            ));
        }
        let format = format(&keys.format.format);
        Ok(Self {
            format,
            fields: fields(keys.fields.as_ref()),
            value_encoding: match keys.format.value_encoding.as_str() {
                "none" => ValueEncoding::None,
                _ => ValueEncoding::Base64,
            },
            envelope: keys.format.envelope,
            compression: keys.used.filter(|_| format != Format::Parquet),
            parquet_codec: parquet_codec(keys.named),
            template: file_template(keys.template, format, keys.named, keys.records_max)?,
            clock: keys.clock,
            records_max: (keys.records_max > 0).then_some(keys.records_max),
            bytes_max: None,
            name_prefix: String::new(),
            prefix: None,
            prefix_clock: keys.clock,
        })
    }

    /// The directory that all objects are below; empty for none.
    pub(super) fn home(&self) -> String {
        let template = self.prefix.as_ref().unwrap_or(&self.template).text();
        let fixed = template.split("{{").next().unwrap_or_default();
        let fixed = format!("{}{fixed}", self.name_prefix);
        fixed.rsplit_once('/').map_or_else(String::new, |(home, _)| home.to_owned())
    }
}

/// `props` as they are parsed, when `validate` has nothing against them.
fn checked(
    props: &ConfigMap,
    validate: fn(&ConfigMap) -> Vec<ConfigValue>,
) -> Result<ConfigMap, ConnectError> {
    let props = with_new_years(props);
    let problems: Vec<String> = validate(&props).into_iter().flat_map(|value| value.errors).collect();
    if let Some(first) = problems.into_iter().next() {
        return Err(ConnectError::config(first));
    }
    check_retry_backoff(&props)?;
    Ok(props)
}

/// `props` with units of time that are still known.
fn with_new_years(props: &ConfigMap) -> ConfigMap {
    let mut props = props.clone();
    for name in ["aws.s3.prefix", "file.name.template", "file.prefix.template"] {
        if let Some(text) = props.get_mut(name) {
            *text = Template::without_old_years(text);
        }
    }
    props
}

/// The first problem.
fn first(values: Vec<ConfigValue>) -> ConnectError {
    ConnectError::config(values.into_iter().flat_map(|value| value.errors).next().unwrap_or_default())
}

/// The keys that the machinery of the S3 sink reads, whatever the store.
fn machinery(props: &ConfigMap) -> ConfigMap {
    let own = [
        "lakeward.handover.ms",
        "lakeward.parquet.row.group.bytes",
        "lakeward.probe.conditional.writes",
        "lakeward.request.timeout.ms",
        "lakeward.uploads.in.flight",
    ];
    let own = own.iter().filter_map(|name| Some(((*name).to_owned(), props.get(*name)?.clone())));
    let needed = [("format.class", "JsonFormat"), ("flush.size", "1")];
    own.chain(needed.map(|(name, value)| (name.to_owned(), value.to_owned()))).collect()
}

/// What the machinery is told where the store has no configuration of the Confluent sink.
fn settings(props: &ConfigMap) -> Result<Settings, ConnectError> {
    let layout =
        Layout { topics_dir: String::new(), directory_delim: "/".to_owned(), file_delim: "+".to_owned() };
    Settings::new(&machinery(props), layout, Output::default()).map_err(first)
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
fn parquet_codec(compression: Option<FileCompression>) -> &'static str {
    match compression {
        Some(FileCompression::Gzip) => "gzip",
        Some(FileCompression::Snappy) => "snappy",
        Some(FileCompression::Zstd) => "zstd",
        None => "none",
    }
}

fn clock(source: &str, zone: &str) -> Result<Clock, ConnectError> {
    let source = match source.eq_ignore_ascii_case("EVENT") {
        true => TimeSource::Event,
        false => TimeSource::Wallclock,
    };
    Ok(Clock { source, zone: validators::zone(zone).map_err(ConnectError::config)? })
}

/// The template of names, with the usual one for none.
fn file_template(
    given: Option<String>,
    format: Format,
    compression: Option<FileCompression>,
    records_max: u64,
) -> Result<Template, ConnectError> {
    let avro = if format == Format::Avro { ".avro" } else { "" };
    let extension = extension(compression);
    let usual = || format!("{{{{topic}}}}-{{{{partition}}}}-{{{{start_offset}}}}{avro}{extension}");
    let template = Template::parse(&given.unwrap_or_else(usual))?;
    let grouping = template.grouping()?;
    if grouping.keeps_last() && records_max > 1 {
        return Err(ConnectError::config(format!(
            "When file.name.template is {}, file.max.records must be either 1 or not set",
            template.text()
        )));
    }
    template.check_units("file.name.template")?;
    Ok(template)
}

const DAY_MS: i64 = 86_400_000;
