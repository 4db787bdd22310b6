//! Credentials of requests: a configured key, what the environment has, or a role assumed with either.
//!
//! Opens nothing but the profile files; tokens are asked for by the first request that needs them.
//!
//! Source: `DefaultCredentialsProvider` of the AWS SDK v2: environment, web identity, profile, container,
//! instance. Java's system properties have no counterpart.

mod profile;
mod provider;
mod role;

use std::sync::Arc;

use lakeward_api::config::Password;
use object_store::aws::{AmazonS3Builder, AwsCredential, AwsCredentialProvider};
use object_store::client::StaticCredentialProvider;

use crate::SettingError;
pub use provider::{PROVIDER_CLASS, Provider, Role};

/// Whose credentials are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// A configured key; it counts when neither half is missing.
    pub access_key_id: &'a str,
    /// Its secret.
    pub secret_access_key: Option<&'a Password>,
    /// What gives credentials.
    pub provider: &'a Provider,
    /// The bucket that they are for.
    pub bucket: &'a str,
    /// Its region.
    pub region: &'a str,
    /// Where roles are assumed; `None` is the service of their region.
    pub sts_endpoint: Option<&'a str>,
}

/// The credentials of an identity.
///
/// # Errors
/// A profile or an environment that cannot be used.
pub fn open(identity: Identity<'_>) -> Result<AwsCredentialProvider, SettingError> {
    let base = match identity.secret_access_key {
        Some(secret) if !identity.access_key_id.is_empty() => fixed(AwsCredential {
            key_id: identity.access_key_id.to_owned(),
            secret_key: secret.expose().to_owned(),
            token: None,
        }),
        _ => from_environment(identity)?,
    };
    match identity.provider {
        Provider::Default => Ok(base),
        Provider::Role(role) => match identity.sts_endpoint {
            Some(endpoint) => role_at(role, base, identity.region, endpoint),
            None => Ok(Arc::new(role::AssumedRole::new(role, base, identity.region)?)),
        },
    }
}

fn from_environment(identity: Identity<'_>) -> Result<AwsCredentialProvider, SettingError> {
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
        .with_bucket_name(identity.bucket)
        .with_region(identity.region)
        .build()
        .map_err(|err| {
            SettingError::new(format!("the credentials of the environment cannot be used: {err}"))
        })?;
    Ok(Arc::clone(client.credentials()))
}

/// A role assumed with `base` at this address of a token service, instead of that of its region.
///
/// # Errors
/// When it is no address.
pub fn role_at(
    role: &Role,
    base: AwsCredentialProvider,
    region: &str,
    endpoint: &str,
) -> Result<AwsCredentialProvider, SettingError> {
    Ok(Arc::new(role::AssumedRole::at(role, base, region.to_owned(), endpoint.to_owned())?))
}

/// The credentials of one key.
pub fn fixed(credential: AwsCredential) -> AwsCredentialProvider {
    Arc::new(StaticCredentialProvider::new(credential))
}
