//! Credentials of requests: a configured key, what the environment has, or a role assumed with either.
//!
//! Opens nothing but the profile files; tokens are asked for by the first request that needs them.
//!
//! Source: `DefaultCredentialsProvider` of the AWS SDK v2: environment, web identity, profile, container,
//! instance. Java's system properties have no counterpart.

mod profile;
mod role;

use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AwsCredential, AwsCredentialProvider};
use object_store::client::StaticCredentialProvider;

use crate::s3::config::S3Config;
use crate::s3::config::credentials::Provider;
use crate::s3::error::S3SinkError;

/// The credentials of `config`.
///
/// # Errors
/// Class `Config`.
pub(super) fn open(config: &S3Config) -> Result<AwsCredentialProvider, S3SinkError> {
    let keys = &config.bucket;
    let base = match &keys.secret_access_key {
        Some(secret) if !keys.access_key_id.is_empty() => fixed(AwsCredential {
            key_id: keys.access_key_id.clone(),
            secret_key: secret.expose().to_owned(),
            token: None,
        }),
        _ => from_environment(config)?,
    };
    match &config.provider {
        Provider::Default => Ok(base),
        Provider::Role(role) => Ok(Arc::new(role::AssumedRole::new(role, base, &keys.region)?)),
    }
}

fn from_environment(config: &S3Config) -> Result<AwsCredentialProvider, S3SinkError> {
    let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let has_key = variable("AWS_ACCESS_KEY_ID").is_some();
    let has_identity =
        variable("AWS_WEB_IDENTITY_TOKEN_FILE").is_some() && variable("AWS_ROLE_ARN").is_some();
    if !has_key
        && !has_identity
        && let Some(credential) = profile::read(variable)?
    {
        return Ok(fixed(credential));
    }
    let client = AmazonS3Builder::from_env()
        .with_bucket_name(&config.bucket.bucket)
        .with_region(&config.bucket.region)
        .build()
        .map_err(|err| S3SinkError::Setting {
            message: format!("the credentials of the environment cannot be used: {err}"),
        })?;
    Ok(Arc::clone(client.credentials()))
}

/// The role of a test, assumed at this service.
#[cfg(test)]
pub(super) fn role_at(endpoint: &str) -> AwsCredentialProvider {
    let role = crate::s3::config::credentials::Role {
        arn: "arn:aws:iam::1:role/lake".to_owned(),
        session_name: "lake".to_owned(),
        external_id: "42".to_owned(),
        region: Some("eu-west-1".to_owned()),
    };
    let base =
        fixed(AwsCredential { key_id: "base".to_owned(), secret_key: "secret".to_owned(), token: None });
    let role = role::AssumedRole::at(&role, base, "eu-west-1".to_owned(), endpoint.to_owned());
    Arc::new(role.expect("the address is fine"))
}

fn fixed(credential: AwsCredential) -> AwsCredentialProvider {
    Arc::new(StaticCredentialProvider::new(credential))
}
