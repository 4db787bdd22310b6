//! Checks of values that both Azure sinks have. Owns the wording.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::HeaderValue;
use lakeward_api::config::{ConfigMap, ConfigValue};

use crate::s3::config::cross_checks::{add, text};

/// The name of a storage account.
pub(super) fn account_name(_name: &str, text: &str) -> Result<(), String> {
    let is_fine = (3..=24).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_fine.then_some(()).ok_or_else(|| "Must be between 3-24 alphanumeric characters".to_owned())
}

/// The name of a container or a file system.
pub(super) fn container_name(_name: &str, text: &str) -> Result<(), String> {
    let is_fine = (3..=63).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_fine.then_some(()).ok_or_else(|| "Must be between 3-63 alphanumeric and '-' characters".to_owned())
}

/// No provider class.
pub(super) fn no_provider(_name: &str, class: &str) -> Result<(), String> {
    if class.is_empty() {
        return Ok(());
    }
    Err("not supported by Lakeward; remove it and set the keys of the account or of an application"
        .to_owned())
}

/// What a header can hold.
pub(super) fn user_agent(_name: &str, text: &str) -> Result<(), String> {
    HeaderValue::from_str(text).map(|_| ()).map_err(|_| "Must hold visible characters only".to_owned())
}

/// Adds a problem to a key of an account that is none.
pub(super) fn key(values: &mut [ConfigValue], props: &ConfigMap, name: &str) {
    let Some(key) = props.get(name).map(|key| key.trim()).filter(|key| !key.is_empty()) else { return };
    if BASE64_STANDARD.decode(key).is_err() {
        add(values, name, &format!("Invalid value [hidden] for configuration {name}: not a key in base64"));
    }
}

/// Adds a problem to an address that only S3 understands.
pub(super) fn store_url(values: &mut [ConfigValue]) {
    if text(values, "store.url").starts_with("file:") {
        add(values, "store.url", "use https://<account>.blob.core.windows.net or another address of HTTP");
    }
}
