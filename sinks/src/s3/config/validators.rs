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
    let paths = parse_list(text);
    if paths.iter().any(|path| path.split('.').any(str::is_empty)) {
        return Err("a field path must not have empty segments".to_owned());
    }
    Ok(())
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

fn not_found(class: &str) -> String {
    format!("Class {class} could not be found.")
}
