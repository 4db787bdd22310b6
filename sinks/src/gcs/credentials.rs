//! Credentials of GCS: a key in the configuration, in a file, or what the machine has.
//!
//! Opens nothing but the file; tokens are asked for by the first request that needs them. Texts of keys never
//! appear in errors.
//!
//! Source: the key table of the Confluent GCS sink; Google Cloud, "How Application Default Credentials
//! works".

use std::sync::Arc;

use object_store::gcp::{GcpCredentialProvider, GoogleCloudStorageBuilder};
use serde_json::Value;

use super::bucket::Credentials;
use crate::s3::error::S3SinkError;

/// What signs requests; `None` for nothing.
///
/// # Errors
/// Class `Config`, with the key.
pub(super) fn open(credentials: &Credentials) -> Result<Option<GcpCredentialProvider>, S3SinkError> {
    let builder = match credentials {
        Credentials::Default => match std::env::var(VARIABLE).ok().filter(|path| !path.is_empty()) {
            Some(path) => from_file(VARIABLE, &path)?,
            None => GoogleCloudStorageBuilder::new(),
        },
        Credentials::File(path) => from_file("gcs.credentials.path", path)?,
        Credentials::Json(json) => from_text("gcs.credentials.json", json.expose().trim())?,
        Credentials::None => return Ok(None),
    };
    provider(builder).map(Some).map_err(|_| {
        setting(
            "gcs.credentials.path: the default credentials of this machine cannot be used; set \
             gcs.credentials.json or gcs.credentials.path"
                .to_owned(),
        )
    })
}

/// Whether `json` is the key of a service account; what is wrong with it otherwise.
pub(super) fn check_json(json: &str) -> Result<(), String> {
    const WHAT: &str = "Invalid value [hidden] for configuration gcs.credentials.json: ";
    let value: Value = serde_json::from_str(json).map_err(|_| format!("{WHAT}not a JSON object"))?;
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    if text("type") != Some("service_account") {
        return Err(format!("{WHAT}not the key of a service account (\"type\": \"service_account\")"));
    }
    if let Some(name) =
        ["private_key", "private_key_id", "client_email"].into_iter().find(|one| text(one).is_none())
    {
        return Err(format!("{WHAT}\"{name}\" is missing"));
    }
    let builder = GoogleCloudStorageBuilder::new().with_service_account_key(json);
    provider(builder).map(|_| ()).map_err(|_| format!("{WHAT}\"private_key\" is not an RSA key in PEM"))
}

fn from_text(source: &str, json: &str) -> Result<GoogleCloudStorageBuilder, S3SinkError> {
    check_json(json).map_err(|problem| setting(problem.replace("gcs.credentials.json", source)))?;
    Ok(GoogleCloudStorageBuilder::new().with_service_account_key(json))
}

/// `source` names who named the file.
fn from_file(source: &str, path: &str) -> Result<GoogleCloudStorageBuilder, S3SinkError> {
    let problem = |what: &str| setting(format!("{source}: the credentials file {path} {what}"));
    let text = std::fs::read_to_string(path).map_err(|err| problem(&format!("cannot be read: {err}")))?;
    let value: Value = serde_json::from_str(&text).map_err(|_| problem("is not JSON"))?;
    match value.get("type").and_then(Value::as_str) {
        Some("service_account") => from_text(source, &text),
        Some("authorized_user") => {
            let builder = GoogleCloudStorageBuilder::new().with_application_credentials(path);
            provider(builder.clone()).map_err(|_| problem("is not that of a user"))?;
            Ok(builder)
        }
        _ => Err(problem(
            "is neither the key of a service account nor the credentials of a user (\"type\": \
             \"service_account\" or \"authorized_user\"); other types are not supported by Lakeward",
        )),
    }
}

/// What a builder knows of credentials; it is asked for nothing else.
fn provider(builder: GoogleCloudStorageBuilder) -> object_store::Result<GcpCredentialProvider> {
    builder.with_bucket_name("bucket").build().map(|client| Arc::clone(client.credentials()))
}

fn setting(message: String) -> S3SinkError {
    S3SinkError::Setting { message }
}

/// Names a file of credentials.
const VARIABLE: &str = "GOOGLE_APPLICATION_CREDENTIALS";
