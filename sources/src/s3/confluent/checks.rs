//! Checks of single values, and of what several mean together. Owns the wording.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lakeward_api::config::{ConfigMap, ConfigValue, parse_list};
use lakeward_objectstore::address::parse_store_url;
use lakeward_objectstore::credentials::{PROVIDER_CLASS, Provider};
use url::Url;

use super::generic::Topics;
use super::names::{FileKind, Layout, NamePattern};

/// One of Java's modes.
pub(super) fn mode(_name: &str, text: &str) -> Result<(), String> {
    match text.to_ascii_uppercase().as_str() {
        "RESTORE_BACKUP" | "GENERIC" => Ok(()),
        _ => Err("String must be one of: RESTORE_BACKUP, GENERIC".to_owned()),
    }
}

/// A known format class.
pub(super) fn format_class(_name: &str, text: &str) -> Result<(), String> {
    FileKind::of_generic(text).map(|_| ()).ok_or_else(|| not_found(text))
}

/// Pairs of topic and regular expression.
pub(super) fn topic_regexes(_name: &str, text: &str) -> Result<(), String> {
    Topics::parse(&parse_list(text)).map(|_| ())
}

/// Whether the mode is GENERIC.
pub(super) fn is_generic(mode: &str) -> bool {
    mode.eq_ignore_ascii_case("GENERIC")
}

/// A known partitioner class.
pub(super) fn partitioner_class(_name: &str, text: &str) -> Result<(), String> {
    Layout::from_class(text, &[], "").map(|_| ()).ok_or_else(|| not_found(text))
}

/// A regular expression with two groups.
pub(super) fn filename_regex(_name: &str, text: &str) -> Result<(), String> {
    NamePattern::parse(text).map(|_| ())
}

/// A bucket name that cannot leave its place in a path.
pub(super) fn bucket_name(_name: &str, text: &str) -> Result<(), String> {
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
pub(super) fn proxy_url(_name: &str, text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    let url = Url::parse(text).map_err(|err| err.to_string())?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(()),
        _ => Err("use http://host:port or https://host:port".to_owned()),
    }
}

/// Adds the errors that need more than one value.
pub(super) fn apply(values: &mut [ConfigValue], props: &ConfigMap) {
    if text(values, "s3.wan.mode") == "true" && text(values, "s3.path.style.access") == "true" {
        let problem = "Both accelerate mode and path style access are being enabled; \
                       set s3.path.style.access to false or s3.wan.mode to false";
        add(values, "s3.wan.mode", problem);
        add(values, "s3.path.style.access", problem);
    }
    if text(values, "s3.wan.mode") == "true" && !text(values, "store.url").is_empty() {
        let problem = "s3.wan.mode is the accelerated endpoint of AWS and cannot be used with store.url";
        add(values, "s3.wan.mode", problem);
        add(values, "store.url", problem);
    }
    let has_id = !text(values, "aws.access.key.id").is_empty();
    let has_secret = props.get("aws.secret.access.key").is_some_and(|secret| !secret.is_empty());
    let problem = "aws.access.key.id and aws.secret.access.key must be set together";
    match (has_id, has_secret) {
        (true, false) => add(values, "aws.secret.access.key", problem),
        (false, true) => add(values, "aws.access.key.id", problem),
        (true, true) | (false, false) => {}
    }
    if let Err(problem) = Provider::parse(props) {
        add(values, PROVIDER_CLASS, &problem);
    }
    if let Some(key) = props.get("s3.sse.customer.key").map(|key| key.trim()).filter(|key| !key.is_empty())
        && BASE64_STANDARD.decode(key).ok().map(|key| key.len()) != Some(32)
    {
        add(values, "s3.sse.customer.key", "sseCustomerKey must be a valid base64-encoded 32-byte key");
    }
    if props.contains_key(ERROR_TOPIC) && !text(values, "behavior.on.error").eq_ignore_ascii_case("fail") {
        add(
            values,
            ERROR_TOPIC,
            "not supported by Lakeward: what the Java connector writes to this topic is not public; remove \
             the key: with behavior.on.error=log an object that cannot be read is named in the log",
        );
    }
    match is_generic(&text(values, "mode")) {
        true => generic(values),
        false => layout(values),
    }
}

const ERROR_TOPIC: &str = "parse.error.topic.prefix";

/// What GENERIC needs.
fn generic(values: &mut [ConfigValue]) {
    if text(values, "topic.regex.list").trim().is_empty() {
        add(values, "topic.regex.list", "GENERIC needs pairs of topic:regex");
    }
    if FileKind::of_generic(&text(values, "format.class")) == Some(FileKind::Csv) {
        csv_letters(values);
    }
}

/// Characters with a meaning in CSV have one each.
fn csv_letters(values: &mut [ConfigValue]) {
    let is_rfc = text(values, "csv.rfc.4180.parser.enabled") == "true";
    let names = ["csv.separator.char", "csv.quote.char", "csv.escape.char"];
    let names = if is_rfc { &names[..2] } else { &names[..] };
    let codes: Vec<i64> = names.iter().map(|name| text(values, name).parse().unwrap_or(0)).collect();
    for (name, code) in names.iter().zip(&codes) {
        if codes.iter().filter(|other| *other == code).count() > 1 {
            add(values, name, &format!("{} must differ", names.join(", ")));
        } else if !is_rfc && *code > i64::from(u16::MAX) {
            add(values, name, "use a code point below 65536, or csv.rfc.4180.parser.enabled=true");
        }
    }
}

/// What the partitioner of the sink had to be told, has to be told here.
fn layout(values: &mut [ConfigValue]) {
    let format = text(values, "format.class");
    if FileKind::from_class(&format).is_none() && FileKind::of_generic(&format).is_some() {
        add(values, "format.class", "only mode GENERIC has this format");
    }
    let class = text(values, "partitioner.class");
    let fields = parse_list(&text(values, "partition.field.name"));
    match Layout::from_class(&class, &fields, &text(values, "path.format")) {
        Some(Layout::Fields(fields)) if fields.is_empty() => {
            add(values, "partition.field.name", "FieldPartitioner needs the fields that the sink had");
        }
        Some(Layout::Time { directories: 0 }) => {
            add(values, "path.format", "TimeBasedPartitioner needs the path.format that the sink had");
        }
        _ => {}
    }
}

fn text(values: &[ConfigValue], name: &str) -> String {
    let found = values.iter().find(|value| value.name == name);
    found.and_then(|value| value.value.clone()).unwrap_or_default()
}

fn add(values: &mut [ConfigValue], name: &str, problem: &str) {
    if let Some(value) = values.iter_mut().find(|value| value.name == name) {
        value.errors.push(problem.to_owned());
    }
}

fn not_found(class: &str) -> String {
    format!("Class {class} could not be found.")
}
