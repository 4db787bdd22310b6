//! Credentials of requests: a configured key, what the environment has, or a role assumed with either.
//!
//! Opens nothing but the profile files; tokens are asked for, and programs started, by the first request that
//! needs them.
//!
//! Source: `DefaultCredentialsProvider` of the AWS SDK v2: environment, web identity, profile, container,
//! instance. Java's system properties have no counterpart.

mod process;
mod profile;
mod provider;
mod role;
mod session;

use std::sync::Arc;

use lakeward_api::config::Password;
use object_store::aws::{AmazonS3Builder, AwsCredential, AwsCredentialProvider};
use object_store::client::StaticCredentialProvider;

use crate::SettingError;
pub use provider::{PROVIDER_CLASS, Provider, Role};
use role::Base;

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
            None => {
                let base = Base::Credentials(base);
                Ok(Arc::new(role::AssumedRole::new(role, base, identity.region, &environment)?))
            }
        },
    }
}

fn from_environment(identity: Identity<'_>) -> Result<AwsCredentialProvider, SettingError> {
    let has_key = environment("AWS_ACCESS_KEY_ID").is_some();
    let has_identity =
        environment("AWS_WEB_IDENTITY_TOKEN_FILE").is_some() && environment("AWS_ROLE_ARN").is_some();
    if !has_key
        && !has_identity
        && let Some(provider) = of_profile(&environment, identity.region)?
    {
        return Ok(provider);
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

/// A variable of the environment that is not empty.
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

/// The credentials of the profile that `variable` (of the environment) names, for a store in `store_region`;
/// `None` when there is none.
///
/// # Errors
/// A profile that cannot be used, or that was named and does not exist.
pub fn of_profile(
    variable: &dyn Fn(&str) -> Option<String>,
    store_region: &str,
) -> Result<Option<AwsCredentialProvider>, SettingError> {
    let Some(source) = profile::read(variable)? else { return Ok(None) };
    source.open(variable, store_region).map(Some)
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
    let base = Base::Credentials(base);
    Ok(Arc::new(role::AssumedRole::at(role, base, region.to_owned(), endpoint.to_owned())?))
}

/// The credentials of one key.
pub fn fixed(credential: AwsCredential) -> AwsCredentialProvider {
    Arc::new(StaticCredentialProvider::new(credential))
}
