//! Checks of single values. Owns the wording; cross checks live in `mod.rs`.

use lakeward_api::config::parse_list;
pub(crate) use lakeward_objectstore::address::parse_store_url;
use url::Url;

use super::super::partitioner::zone::Zone;
use super::parquet_keys;
use super::{CLASSES, ExtractorKind, FormatKind, PartitionerKind};

/// A format class of any connector; each connector asks for its own in addition.
pub(super) fn any_format_class(_name: &str, text: &str) -> Result<(), String> {
    FormatKind::of(text).map(|_| ()).ok_or_else(|| not_found(text))
}

/// A format class of S3.
pub(super) fn format_class(_name: &str, text: &str) -> Result<(), String> {
    format_within(&[CLASSES.formats], text)
}

/// A format class in one of `packages`.
pub(crate) fn format_within(packages: &[&str], text: &str) -> Result<(), String> {
    FormatKind::within(packages, text).map(|_| ()).ok_or_else(|| not_found(text))
}

/// The storage class of S3.
pub(super) fn storage_class(_name: &str, text: &str) -> Result<(), String> {
    is_class(CLASSES.storage, text)
}

/// The class `full` by its full or simple name.
pub(crate) fn is_class(full: &str, text: &str) -> Result<(), String> {
    let is_known = text == full || full.rsplit('.').next() == Some(text);
    is_known.then_some(()).ok_or_else(|| not_found(text))
}

/// A known partitioner class.
pub(super) fn partitioner_class(_name: &str, text: &str) -> Result<(), String> {
    PartitionerKind::from_class(text).map(|_| ()).ok_or_else(|| not_found(text))
}

/// A known timestamp extractor.
pub(super) fn timestamp_extractor(_name: &str, text: &str) -> Result<(), String> {
    if ExtractorKind::from_name(text).is_some() {
        return Ok(());
    }
    Err("use Wallclock, Record or RecordField; other extractor classes are not supported by Lakeward yet"
        .to_owned())
}

/// Field paths without empty segments.
pub(super) fn field_paths(_name: &str, text: &str) -> Result<(), String> {
    for path in parse_list(text) {
        if path.is_empty() {
            return Err("Field name cannot be null or empty".to_owned());
        }
        if path.split('.').any(|segment| segment.trim().is_empty()) {
            return Err("Field name cannot contain an empty or whitespace-only path segment".to_owned());
        }
    }
    Ok(())
}

/// Bytes of a part of an upload. Source: `S3SinkConnectorConfig.PartRange`.
pub(super) fn part_size(_name: &str, text: &str) -> Result<(), String> {
    match text.parse::<u64>() {
        Ok(bytes) if bytes >= PART_BYTES_MIN => Ok(()),
        _ => Err(format!("Part size must be at least: {PART_BYTES_MIN} bytes (5MB)")),
    }
}

/// A compression of lines. Source: `S3SinkConnectorConfig.CompressionTypeValidator`.
pub(super) fn compression_type(_name: &str, text: &str) -> Result<(), String> {
    one_of(&["none", "gzip"], text)
}

/// A codec of Parquet. Source: `S3SinkConnectorConfig.ParquetCodecRecommender`, whose names are in the order
/// of a `HashMap`.
pub(super) fn parquet_codec(_name: &str, text: &str) -> Result<(), String> {
    one_of(&["none", "gzip", "snappy", "lz4", "brotli", "lz4_raw", "zstd", "lzo"], text)
}

/// A canned ACL. Source: `S3SinkConnectorConfig.CannedAclValidator`, `ObjectCannedACL#knownValues`.
pub(super) fn canned_acl(_name: &str, text: &str) -> Result<(), String> {
    const KNOWN: [&str; 7] = [
        "private",
        "public-read",
        "public-read-write",
        "authenticated-read",
        "aws-exec-read",
        "bucket-owner-read",
        "bucket-owner-full-control",
    ];
    one_of(&KNOWN, text)
}

/// Source: `S3SinkConnectorConfig.IgnoreOrFailBehavior`.
pub(super) fn ignore_or_fail(_name: &str, text: &str) -> Result<(), String> {
    one_of_in_any_case(&["ignore", "fail"], text)
}

/// Source: `S3SinkConnectorConfig.OutputWriteBehavior`.
pub(super) fn null_values(_name: &str, text: &str) -> Result<(), String> {
    one_of_in_any_case(&["ignore", "fail", "write"], text)
}

fn one_of(known: &[&str], text: &str) -> Result<(), String> {
    let is_known = known.contains(&text);
    is_known.then_some(()).ok_or_else(|| format!("Value must be one of: [{}]", known.join(", ")))
}

fn one_of_in_any_case(known: &[&str], text: &str) -> Result<(), String> {
    let is_known = known.contains(&text.to_lowercase().as_str());
    is_known.then_some(()).ok_or_else(|| format!("String must be one of: {}", known.join(", ")))
}

/// A time zone, when given.
pub(super) fn time_zone(_name: &str, text: &str) -> Result<(), String> {
    if text.is_empty() || Zone::parse(text).is_some() {
        return Ok(());
    }
    Err(format!("The datetime zone id '{text}' is not recognised"))
}

/// A bucket name that cannot leave its place in a path.
pub(crate) fn bucket_name(_name: &str, text: &str) -> Result<(), String> {
    if text.is_empty() || text.contains(['/', '\\', '\0']) || text == "." || text == ".." {
        return Err("not a bucket name".to_owned());
    }
    Ok(())
}

/// An S3 endpoint or a local directory.
pub(super) fn store_url(_name: &str, text: &str) -> Result<(), String> {
    parse_store_url(text).map(|_| ())
}

/// The URL of an HTTP proxy; empty for none.
pub(crate) fn proxy_url(_name: &str, text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    let url = Url::parse(text).map_err(|err| err.to_string())?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(()),
        _ => Err("use http://host:port or https://host:port".to_owned()),
    }
}

/// Columns with codecs.
pub(super) fn column_codecs(_name: &str, text: &str) -> Result<(), String> {
    parse_list(text).iter().try_for_each(|item| parquet_keys::parse_codec(item).map(|_| ()))
}

/// Fields with directions.
pub(super) fn sorting_columns(_name: &str, text: &str) -> Result<(), String> {
    parse_list(text).iter().try_for_each(|item| parquet_keys::parse_sorting(item).map(|_| ()))
}

/// A number between 0 and 1, without both.
pub(super) fn probability(_name: &str, text: &str) -> Result<(), String> {
    match text.trim().parse::<f64>() {
        Ok(number) if number > 0.0 && number < 1.0 => Ok(()),
        _ => Err("Value must be above 0 and below 1".to_owned()),
    }
}

/// S3 takes no smaller part but the last one.
const PART_BYTES_MIN: u64 = 5 << 20;

fn not_found(class: &str) -> String {
    format!("Class {class} could not be found.")
}
