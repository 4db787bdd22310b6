//! Checks that span several keys, and the table of what is not supported. Errors land on every key involved.
//!
//! Source: `S3SinkConnectorConfig` and `S3SinkConnectorValidator`; the checks of time-based partitioners are
//! those that `TimeBasedPartitioner#configure` and Joda-Time make when a task starts.

use lakeward_api::config::{ConfigMap, ConfigValue};

use super::unsupported::{UNSUPPORTED, Unsupported};
use super::{ExtractorKind, FormatKind, PartitionerKind};
use crate::s3::partitioner::joda::Pattern;

/// Adds the errors that need more than one value, or a value that is fine by itself but not supported.
pub(super) fn apply(values: &mut [ConfigValue], props: &ConfigMap) {
    for (name, unsupported) in UNSUPPORTED {
        if let Some(value) = refused(values, props, name, *unsupported) {
            add(
                values,
                name,
                &format!("Invalid value {value} for configuration {name}: not supported by Lakeward yet"),
            );
        }
    }
    compression(values);
    null_values(values);
    path_style(values);
    credentials(values, props);
    partitioner(values);
    top_directory(values);
    if number(values, "rotate.schedule.interval.ms") > 0 && text(values, "timezone").is_empty() {
        add(values, "timezone", "timezone configuration must be set when using rotate.schedule.interval.ms");
    }
}

/// The value of `name`, as it may be shown, when it cannot be honoured.
fn refused(
    values: &[ConfigValue],
    props: &ConfigMap,
    name: &str,
    unsupported: Unsupported,
) -> Option<String> {
    let value = values.iter().find(|value| value.name == name)?;
    let shown = value.value.as_deref()?;
    let real = props.get(name).map_or(shown, |text| text.trim());
    unsupported.covers(real).then(|| shown.to_owned())
}

fn compression(values: &mut [ConfigValue]) {
    if text(values, "s3.compression.type") != "gzip" {
        return;
    }
    let stored = [
        ("data", "format.class", None),
        ("keys", "keys.format.class", Some("store.kafka.keys")),
        ("headers", "headers.format.class", Some("store.kafka.headers")),
    ];
    for (what, format, switch) in stored {
        let class = text(values, format);
        let compressible =
            matches!(FormatKind::from_class(&class), Some(FormatKind::Json | FormatKind::Bytes) | None);
        if compressible || switch.is_some_and(|switch| text(values, switch) != "true") {
            continue;
        }
        let problem = format!("Compression Type gzip not valid for {what} format class: ( {class} ).");
        for name in [Some(format), Some("s3.compression.type"), switch].into_iter().flatten() {
            add(values, name, &problem);
        }
    }
}

fn null_values(values: &mut [ConfigValue]) {
    let writes = text(values, "behavior.on.null.values").eq_ignore_ascii_case("write");
    if writes && text(values, "store.kafka.keys") == "false" {
        let problem = "behavior.on.null.values=write needs store.kafka.keys=true";
        add(values, "store.kafka.keys", problem);
        add(values, "behavior.on.null.values", problem);
    }
}

fn path_style(values: &mut [ConfigValue]) {
    if text(values, "s3.wan.mode") == "true" && text(values, "s3.path.style.access.enabled") == "true" {
        let problem = "Both accelerate mode and path style access are being enabled; \
                       set s3.path.style.access.enabled to false or s3.wan.mode to false";
        add(values, "s3.wan.mode", problem);
        add(values, "s3.path.style.access.enabled", problem);
    }
}

/// The client has no names with empty segments and drops a leading slash: objects would be somewhere else.
fn top_directory(values: &mut [ConfigValue]) {
    let top = text(values, "topics.dir");
    if !top.is_empty() && top.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        let problem = "topics.dir must not begin or end with / and must not hold empty, . or .. segments";
        add(values, "topics.dir", problem);
    }
}

/// One half of a static credential alone would silently fall back to the default chain.
fn credentials(values: &mut [ConfigValue], props: &ConfigMap) {
    let has_id = !text(values, "aws.access.key.id").is_empty();
    let has_secret = props.get("aws.secret.access.key").is_some_and(|secret| !secret.is_empty());
    let problem = "aws.access.key.id and aws.secret.access.key must be set together";
    match (has_id, has_secret) {
        (true, false) => add(values, "aws.secret.access.key", problem),
        (false, true) => add(values, "aws.access.key.id", problem),
        (true, true) | (false, false) => {}
    }
}

fn partitioner(values: &mut [ConfigValue]) {
    let Some(kind) = PartitionerKind::from_class(&text(values, "partitioner.class")) else { return };
    if kind == PartitionerKind::Field && text(values, "partition.field.name").is_empty() {
        add(values, "partition.field.name", "the FieldPartitioner needs at least one field name");
    }
    if !kind.is_time_based() {
        return;
    }
    for name in ["locale", "timezone"] {
        if text(values, name).is_empty() {
            add(
                values,
                name,
                &format!("{name} configuration property cannot be blank for {kind:?} partitioning"),
            );
        }
    }
    let field = ExtractorKind::from_name(&text(values, "timestamp.extractor"));
    if field == Some(ExtractorKind::RecordField) && text(values, "timestamp.field").is_empty() {
        add(values, "timestamp.field", "the RecordField extractor needs a field name");
    }
    if kind == PartitionerKind::TimeBased {
        time_based(values);
    }
}

fn time_based(values: &mut [ConfigValue]) {
    if number(values, "partition.duration.ms") <= 0 {
        add(values, "partition.duration.ms", "the TimeBasedPartitioner needs a duration greater than 0");
    }
    let path_format = text(values, "path.format");
    if path_format.is_empty() || path_format == text(values, "directory.delim") {
        add(values, "path.format", "Path format configuration cannot be blank or the directory delimiter");
        return;
    }
    match Pattern::parse(&path_format) {
        Err(err) => add(values, "path.format", &err.to_string()),
        Ok(pattern) if pattern.has_words() && !is_english(&text(values, "locale")) => add(
            values,
            "locale",
            "month, day and half-day names in path.format are supported by Lakeward in English only; \
             use numbers or a locale of en",
        ),
        Ok(_) => {}
    }
}

/// True for `en` and everything that starts like it (`en_US`, `en-GB`).
fn is_english(locale: &str) -> bool {
    let language = locale.split(['-', '_']).next().unwrap_or_default();
    language.eq_ignore_ascii_case("en")
}

/// The value in use; empty when there is none.
fn text(values: &[ConfigValue], name: &str) -> String {
    let value = values.iter().find(|value| value.name == name);
    value.and_then(|value| value.value.clone()).unwrap_or_default()
}

/// The number in use; 0 when there is none.
fn number(values: &[ConfigValue], name: &str) -> i64 {
    text(values, name).parse().unwrap_or_default()
}

fn add(values: &mut [ConfigValue], name: &str, problem: &str) {
    let value = values.iter_mut().find(|value| value.name == name);
    value.expect("cross checks name defined keys").errors.push(problem.to_owned());
}
