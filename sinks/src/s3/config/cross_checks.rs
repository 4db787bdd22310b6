//! Checks that span several keys, and of the one value that Java takes and nobody can honour. Errors land on
//! every key involved.
//!
//! Source: `S3SinkConnectorConfig` and `S3SinkConnectorValidator`; the checks of time-based partitioners are
//! those that `TimeBasedPartitioner#configure` and Joda-Time make when a task starts.

use lakeward_api::config::{ConfigMap, ConfigValue, parse_list};
use object_store::path::Path;

use super::{ExtractorKind, FormatKind, PartitionerKind};
use crate::s3::compatibility::Compatibility;
use crate::s3::partitioner::joda::{Locality, Pattern};

/// Adds the errors that need more than one value, or a value that is in Java's list but cannot be honoured.
pub(super) fn apply(values: &mut [ConfigValue], props: &ConfigMap) {
    apply_shared(values, "s3.compression.type");
    headers(values);
    null_values(values);
    super::store_checks::apply(values, props);
}

/// Those that every storage sink has; `compression_key` names its compression.
pub(crate) fn apply_shared(values: &mut [ConfigValue], compression_key: &str) {
    compression(values, compression_key);
    parquet(values);
    evolution(values);
    partitioner(values);
    names(values);
    top_directory(values);
    if number(values, "rotate.schedule.interval.ms") > 0 && text(values, "timezone").is_empty() {
        add(values, "timezone", "timezone configuration must be set when using rotate.schedule.interval.ms");
    }
}

fn compression(values: &mut [ConfigValue], key: &str) {
    if text(values, key) != "gzip" {
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
            matches!(FormatKind::of(&class), Some(FormatKind::Json | FormatKind::Bytes) | None);
        if compressible || switch.is_some_and(|switch| text(values, switch) != "true") {
            continue;
        }
        let problem = format!("Compression Type gzip not valid for {what} format class: ( {class} ).");
        for name in [Some(format), Some(key), switch].into_iter().flatten() {
            add(values, name, &problem);
        }
    }
}

/// Java takes the name and fails at the first file: the library that it needs is not free and not shipped.
fn parquet(values: &mut [ConfigValue]) {
    if text(values, "parquet.codec") == "lzo" {
        let problem = "LZO cannot be written: its library may not be shipped. Use zstd, snappy or gzip, \
                       which every reader of Parquet has";
        add(values, "parquet.codec", problem);
    }
    let sorted = !text(values, "lakeward.parquet.sorting.columns").is_empty();
    for switch in ["store.kafka.keys", "store.kafka.headers"] {
        if sorted && text(values, switch) == "true" {
            let problem = "rows that are sorted would no longer be at the places of their keys and headers; \
                           set only one of lakeward.parquet.sorting.columns and this";
            add(values, switch, problem);
            add(values, "lakeward.parquet.sorting.columns", problem);
        }
    }
}

/// Both say what a change of the schema does.
fn evolution(values: &mut [ConfigValue]) {
    if text(values, "lakeward.schema.evolution") != "merge" {
        return;
    }
    if Compatibility::named(&text(values, "schema.compatibility")) != Compatibility::None {
        let problem = "lakeward.schema.evolution=merge takes the place of schema.compatibility; set only one";
        add(values, "lakeward.schema.evolution", problem);
        add(values, "schema.compatibility", problem);
    }
}

/// Settings that no object could be called by: a task would find out at its first record. What comes from
/// records is confined to its directory instead (`partitioner/segment.rs`).
fn names(values: &mut [ConfigValue]) {
    let delim = text(values, "directory.delim");
    let fields = text(values, "partition.field.name");
    let mut examples = vec![
        ("directory.delim", format!("a{delim}b")),
        ("file.delim", format!("t{}0", text(values, "file.delim"))),
        ("format.bytearray.extension", format!("t{}", text(values, "format.bytearray.extension"))),
    ];
    let paths = parse_list(&fields);
    examples.extend(paths.iter().map(|path| ("partition.field.name", format!("t{delim}{path}=1"))));
    for (key, example) in examples {
        if let Some(problem) = unnameable(&example) {
            add(values, key, &problem);
        }
    }
}

/// Why no object can have `name`.
fn unnameable(name: &str) -> Option<String> {
    if name.len() > NAME_BYTES_MAX {
        return Some(format!("object names of {} bytes are longer than stores allow", name.len()));
    }
    let problem = Path::parse(name).err()?;
    Some(format!("no object can have such a name: {problem}"))
}

/// The longest name of S3.
const NAME_BYTES_MAX: usize = 1024;

/// Java starts with such a format and then refuses every record.
fn headers(values: &mut [ConfigValue]) {
    let format = FormatKind::of(&text(values, "headers.format.class"));
    if text(values, "store.kafka.headers") == "true" && format == Some(FormatKind::Bytes) {
        let problem = "ByteArrayFormat cannot store headers. Use AvroFormat, JsonFormat or ParquetFormat";
        add(values, "headers.format.class", problem);
        add(values, "store.kafka.headers", problem);
    }
}

fn null_values(values: &mut [ConfigValue]) {
    if !text(values, "behavior.on.null.values").eq_ignore_ascii_case("write") {
        return;
    }
    if text(values, "store.kafka.keys") == "false" {
        let problem = "Writing Kafka record keys to storage is mandatory when tombstone writing is enabled.";
        add(values, "store.kafka.keys", problem);
        add(values, "behavior.on.null.values", problem);
    }
    let directory = text(values, "tombstone.encoded.partition");
    if directory.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        let problem =
            "tombstone.encoded.partition must not be empty and must not hold empty, . or .. segments";
        add(values, "tombstone.encoded.partition", problem);
    } else if let Some(problem) = unnameable(&directory) {
        add(values, "tombstone.encoded.partition", &problem);
    }
}

/// The client has no names with empty segments and drops a leading slash: objects would be somewhere else.
fn top_directory(values: &mut [ConfigValue]) {
    let top = text(values, "topics.dir");
    if !top.is_empty() && top.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        let kept: Vec<&str> = top.split('/').filter(|segment| !matches!(*segment, "" | "." | "..")).collect();
        let problem = format!(
            "topics.dir must not begin or end with / and must not hold empty, . or .. segments: the Java \
             sink names objects {top}/<topic>/… then, and this client has no form for such names. Use '{}'; \
             what Java stored stays under its names",
            kept.join("/")
        );
        add(values, "topics.dir", &problem);
    } else if let Some(problem) = unnameable(&top) {
        add(values, "topics.dir", &problem);
    }
}

fn partitioner(values: &mut [ConfigValue]) {
    let Some(kind) = PartitionerKind::from_class(&text(values, "partitioner.class")) else { return };
    if kind == PartitionerKind::Field && text(values, "partition.field.name").is_empty() {
        let problem = "Partition field name cannot be null or empty when using FieldPartitioner.";
        add(values, "partition.field.name", problem);
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
        Ok(pattern) => {
            let mut printed = String::new();
            let locality = Locality::new("UTC", "en").expect("UTC is a zone");
            pattern.print(0, &locality, &mut printed).expect("1970 is within the calendar");
            let delim = text(values, "directory.delim");
            let stripped = printed.strip_suffix(&*delim).unwrap_or(&printed);
            if let Some(problem) = unnameable(&format!("t{delim}{stripped}{delim}t")) {
                add(values, "path.format", &problem);
            }
        }
    }
}

/// The value in use; empty when there is none.
pub(crate) fn text(values: &[ConfigValue], name: &str) -> String {
    let value = values.iter().find(|value| value.name == name);
    value.and_then(|value| value.value.clone()).unwrap_or_default()
}

/// The number in use; 0 when there is none.
fn number(values: &[ConfigValue], name: &str) -> i64 {
    text(values, name).parse().unwrap_or_default()
}

/// Adds a problem to a key.
pub(crate) fn add(values: &mut [ConfigValue], name: &str, problem: &str) {
    let value = values.iter_mut().find(|value| value.name == name);
    value.expect("cross checks name defined keys").errors.push(problem.to_owned());
}
