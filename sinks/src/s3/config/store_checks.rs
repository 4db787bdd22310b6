//! Checks of the keys that the store client is made of: addresses, encryption, proxy, tags, credentials.
//! Errors land on every key involved.
//!
//! Source: `S3SinkConnectorConfig` and `S3SinkConnectorValidator`; what the AWS SDK says to the first request
//! (acceleration with another endpoint, a key of the wrong length) is said here.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lakeward_api::config::{ConfigMap, ConfigValue};
use lakeward_objectstore::address::is_host_label;
use lakeward_objectstore::credentials::{PROVIDER_CLASS, Provider};

use super::cross_checks::{add, text};

/// Adds the errors.
pub(super) fn apply(values: &mut [ConfigValue], props: &ConfigMap) {
    acceleration(values);
    credentials(values, props);
    if let Err(problem) = Provider::parse(props) {
        add(values, PROVIDER_CLASS, &problem);
    }
    customer_key(values, props);
    tags(values);
}

fn acceleration(values: &mut [ConfigValue]) {
    if text(values, "s3.wan.mode") != "true" {
        return;
    }
    if text(values, "s3.path.style.access.enabled") == "true" {
        let problem = "Both accelerate mode and path style access are being enabled. These options are \
                       mutually exclusive and cannot be enabled together. Please disable one of them";
        add(values, "s3.wan.mode", problem);
        add(values, "s3.path.style.access.enabled", problem);
    }
    if !text(values, "store.url").is_empty() {
        let problem = "s3.wan.mode is the accelerated endpoint of AWS and cannot be used with store.url";
        add(values, "s3.wan.mode", problem);
        add(values, "store.url", problem);
    }
    let bucket = text(values, "s3.bucket.name");
    if bucket.contains('.') || !is_host_label(&bucket) {
        let problem = "s3.wan.mode needs a bucket name of lower-case letters, digits and hyphens";
        add(values, "s3.wan.mode", problem);
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

/// As in Java, the key counts with AES256 only.
fn customer_key(values: &mut [ConfigValue], props: &ConfigMap) {
    let Some(key) = props.get("s3.sse.customer.key").map(|key| key.trim()).filter(|key| !key.is_empty())
    else {
        return;
    };
    if text(values, "s3.ssea.name") == "AES256"
        && BASE64_STANDARD.decode(key).ok().map(|key| key.len()) != Some(32)
    {
        add(values, "s3.sse.customer.key", "sseCustomerKey must be a valid base64-encoded 32-byte key");
    }
}

/// Java's task fails at its start over an item without both halves.
fn tags(values: &mut [ConfigValue]) {
    let name = "s3.object.tagging.key.value.pairs";
    let pairs = lakeward_api::config::parse_list(&text(values, name));
    if let Some(wrong) = pairs.iter().find(|pair| tag(pair).is_none()) {
        add(values, name, &format!("Invalid value {wrong} for configuration {name}: use key:value"));
    }
}

/// The halves of a `key:value` item; further ones do not count.
pub(crate) fn tag(pair: &str) -> Option<(&str, &str)> {
    let mut halves = pair.split(':');
    let (key, value) = (halves.next()?, halves.next()?);
    (!key.is_empty() && !value.is_empty()).then_some((key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_have_two_halves_and_the_rest_does_not_count() {
        assert_eq!(tag("team:lake"), Some(("team", "lake")));
        assert_eq!(tag("a:b:c"), Some(("a", "b")));
        for wrong in ["team", "team:", ":lake", ""] {
            assert_eq!(tag(wrong), None, "{wrong}");
        }
    }
}
