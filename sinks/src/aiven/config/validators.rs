//! Checks of single values, in Java's words.
//!
//! Source: `BucketUtils` of the AWS SDK 2.29; the validators of the Aiven connectors; `ZoneId#of`.

use lakeward_api::config::parse_list;
use lakeward_formats::file::RecordField;

use crate::s3::config::REGIONS;
use crate::s3::config::validators::parse_store_url;
use crate::s3::partitioner::zone::Zone;

/// Classes that stand for the default chain.
const DEFAULT_PROVIDERS: [&str; 2] = [
    "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider",
    "com.amazonaws.auth.DefaultAWSCredentialsProviderChain",
];

/// The provider that Lakeward has, too.
pub(super) fn credentials_provider(_name: &str, text: &str) -> Result<(), String> {
    match DEFAULT_PROVIDERS.contains(&text) {
        true => Ok(()),
        false => Err(format!("Class {text} could not be found.")),
    }
}

/// A bucket name that can be part of a host name. Words the whole error.
pub(super) fn bucket(_name: &str, text: &str) -> Result<(), String> {
    let problem = bucket_problem(text);
    problem.map_or(Ok(()), |problem| Err(format!("Illegal bucket name: Bucket name {problem}")))
}

fn bucket_problem(text: &str) -> Option<&'static str> {
    if !(3..=63).contains(&text.encode_utf16().count()) {
        return Some("should be between 3 and 63 characters long");
    }
    if is_address(text) {
        return Some("must not be formatted as an IP Address");
    }
    let mut previous = '\0';
    for next in text.chars() {
        let problem = match next {
            'A'..='Z' => Some("should not contain uppercase characters"),
            ' ' | '\t' | '\r' | '\n' => Some("should not contain white space"),
            '.' => match previous {
                '\0' => Some("should not begin with a period"),
                '.' => Some("should not contain two adjacent periods"),
                '-' => Some("should not contain dashes next to periods"),
                _ => None,
            },
            '-' => match previous {
                '.' => Some("should not contain dashes next to periods"),
                '\0' => Some("should not begin with a '-'"),
                _ => None,
            },
            'a'..='z' | '0'..='9' => None,
            _ => Some(NOT_ALLOWED),
        };
        if problem == Some(NOT_ALLOWED) && next == '_' {
            return Some("should not contain '_'");
        }
        if problem.is_some() {
            return problem;
        }
        previous = next;
    }
    matches!(previous, '.' | '-').then_some("should not end with '-' or '.'")
}

const NOT_ALLOWED: &str = "should contain lower-case letters, digits, '-' and '.' only";

fn is_address(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.len() == 4 && parts.iter().all(is_number)
}

/// A secret that is not blank. Words the whole error.
pub(super) fn password(name: &str, text: &str) -> Result<(), String> {
    match text.trim().is_empty() {
        true => Err(format!("Invalid value [hidden] for configuration {name}: Password must be non-empty")),
        false => Ok(()),
    }
}

/// An address; https is assumed without a scheme.
pub(super) fn url(_name: &str, text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("String must be non-empty".to_owned());
    }
    parse_store_url(text).map(|_| ()).map_err(|_| "should be valid URL".to_owned())
}

/// A region that the SDK knows.
pub(super) fn region(_name: &str, text: &str) -> Result<(), String> {
    match REGIONS.split(", ").any(|region| region == text) {
        true => Ok(()),
        false => Err(format!("Supported values are: {REGIONS}")),
    }
}

/// Parts of records.
pub(super) fn output_fields(_name: &str, text: &str) -> Result<(), String> {
    let names = parse_list(text);
    if names.is_empty() {
        return Err("cannot be empty".to_owned());
    }
    match names.iter().all(|name| RecordField::named(name).is_some()) {
        true => Ok(()),
        false => Err("supported values are: 'key', 'value', 'offset', 'timestamp', 'headers'".to_owned()),
    }
}

/// Unlike most of these, not in any case.
pub(super) fn value_encoding(_name: &str, text: &str) -> Result<(), String> {
    match text {
        "none" | "base64" => Ok(()),
        _ => Err("supported values are: 'none', 'base64'".to_owned()),
    }
}

/// Words the whole error.
pub(super) fn format(name: &str, text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err(format!("Invalid value must not be empty or not set for configuration {name}"));
    }
    let known = ["avro", "csv", "json", "jsonl", "parquet"];
    match known.iter().any(|known| known.eq_ignore_ascii_case(text)) {
        true => Ok(()),
        false => Err(format!(
            "Invalid value {text} for configuration {name}: Supported values are: 'avro', 'csv', 'json', \
             'jsonl', 'parquet'"
        )),
    }
}

/// Words the whole error.
pub(super) fn compression(name: &str, text: &str) -> Result<(), String> {
    let text = text.to_lowercase();
    match text.as_str() {
        "none" | "gzip" | "snappy" | "zstd" => Ok(()),
        _ => Err(format!("Invalid value {text} for configuration {name}: 'none', 'gzip', 'snappy', 'zstd'")),
    }
}

/// Sees a missing value, too.
pub(super) fn part_size(_name: &str, text: Option<&str>) -> Result<(), String> {
    const BYTES_MAX: i64 = 2_000_000_000;
    match text.and_then(|text| text.parse::<i64>().ok()) {
        None => Err("Part size must be non-null".to_owned()),
        Some(bytes) if bytes <= 0 => Err("Part size must be greater than 0".to_owned()),
        Some(bytes) if bytes > BYTES_MAX => {
            Err(format!("Part size must be no more: {BYTES_MAX} bytes (2GB)"))
        }
        Some(_) => Ok(()),
    }
}

/// The clock or the record.
pub(super) fn time_source(_name: &str, text: &str) -> Result<(), String> {
    match text.eq_ignore_ascii_case("WALLCLOCK") || text.eq_ignore_ascii_case("EVENT") {
        true => Ok(()),
        false => Err(format!("Unknown timestamp source: {text}")),
    }
}

/// A time zone by Java's ids.
pub(super) fn time_zone(_name: &str, text: &str) -> Result<(), String> {
    zone(text).map(|_| ())
}

/// The time zone of an id: `Z`, an offset, `UTC`, `GMT` or `UT` with or without one, or a region.
///
/// # Errors
/// Java's words.
pub(crate) fn zone(id: &str) -> Result<Zone, String> {
    if id.len() <= 1 || id.starts_with(['+', '-']) {
        return offset(id);
    }
    for prefix in ["UTC", "GMT", "UT"] {
        match id.strip_prefix(prefix) {
            Some("") => return Ok(Zone::Fixed { offset_ms: 0 }),
            Some(rest) if rest.starts_with(['+', '-']) => return offset(rest),
            _ => {}
        }
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "~/._+-".contains(c);
    if !id.starts_with(|c: char| c.is_ascii_alphabetic()) || !id.chars().all(is_plain) {
        return Err(format!("Invalid ID for region-based ZoneId, invalid format: {id}"));
    }
    match id.parse::<chrono_tz::Tz>() {
        // Java tells upper from lower case, and does not know these by themselves.
        Ok(tz) if tz.name() == id && !["EST", "HST", "MST"].contains(&id) => Ok(Zone::Region(tz)),
        _ => Err(format!("Unknown time-zone ID: {id}")),
    }
}

fn offset(id: &str) -> Result<Zone, String> {
    const HOURS_MAX: i64 = 18;
    if id == "Z" {
        return Ok(Zone::Fixed { offset_ms: 0 });
    }
    let invalid = || format!("Invalid ID for ZoneOffset, invalid format: {id}");
    // One digit stands for hours.
    let padded = match id.len() {
        2 => format!("{}0{}", &id[..1], &id[1..]),
        _ => id.to_owned(),
    };
    let hours = padded.get(1..3).and_then(|hours| hours.parse::<i64>().ok()).ok_or_else(invalid)?;
    if hours > HOURS_MAX {
        let hours = if id.starts_with('-') { -hours } else { hours };
        return Err(format!(
            "Zone offset hours not in valid range: value {hours} is not in the range -18 to 18"
        ));
    }
    if !id.starts_with(['+', '-']) {
        return Err(invalid());
    }
    Zone::parse(&padded).filter(|_| id.len() > 1).ok_or_else(invalid)
}
