//! The profile files of AWS: `~/.aws/config`, then `~/.aws/credentials`.
//!
//! A profile holds a key, or says where one comes from: a role that is assumed with another profile, with
//! what the surroundings give or with the token in a file, or a program. Logins in a browser are refused.
//!
//! Source: AWS SDKs and Tools Reference Guide; `ProfileCredentialsUtils` of the AWS SDK v2, whose order of
//! settings this is. Beyond it a profile may be the source of its own role, as for AWS's command line.

mod file;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsCredential, AwsCredentialProvider};

use super::fixed;
use super::process::Process;
use super::provider::Role;
use super::role::{AssumedRole, Base};
use crate::SettingError;
use file::Profile;

/// Where credentials come from.
#[derive(Debug)]
pub(super) enum Source {
    /// They stand in a file.
    Key(AwsCredential),
    /// A program prints them.
    Process(Process),
    /// A role gives them.
    Role {
        role: Role,
        duration_s: Option<u32>,
        /// It is assumed with these.
        base: Box<Source>,
    },
    /// Something around the worker gives them.
    Surroundings(Surroundings),
    /// A role gives them to the bearer of the token in a file.
    WebIdentity { role: Role, duration_s: Option<u32>, token_file: PathBuf },
}

/// What may be around a worker (`credential_source`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Surroundings {
    /// A container with a role of its own.
    Container,
    /// Variables.
    Environment,
    /// A virtual machine with a role of its own.
    Instance,
}

impl Source {
    /// A provider of these credentials, for a store in `store_region`.
    ///
    /// # Errors
    /// What the surroundings lack.
    pub(super) fn open(
        self,
        variable: &dyn Fn(&str) -> Option<String>,
        store_region: &str,
    ) -> Result<AwsCredentialProvider, SettingError> {
        Ok(match self {
            Self::Key(key) => fixed(key),
            Self::Process(process) => Arc::new(process),
            Self::Role { role, duration_s, base } => {
                let base = Base::Credentials(base.open(variable, store_region)?);
                let role = AssumedRole::new(&role, base, store_region, variable)?;
                Arc::new(role.lasting(duration_s))
            }
            Self::Surroundings(surroundings) => surroundings.open(variable, store_region)?,
            Self::WebIdentity { role, duration_s, token_file } => {
                let role = AssumedRole::new(&role, Base::TokenFile(token_file), store_region, variable)?;
                Arc::new(role.lasting(duration_s))
            }
        })
    }
}

impl Surroundings {
    fn open(
        self,
        variable: &dyn Fn(&str) -> Option<String>,
        store_region: &str,
    ) -> Result<AwsCredentialProvider, SettingError> {
        let missing =
            |what: &str| SettingError::new(format!("the AWS profile's credential_source needs {what}"));
        let keys = match self {
            Self::Environment => {
                let need = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment";
                return Ok(fixed(AwsCredential {
                    key_id: variable("AWS_ACCESS_KEY_ID").ok_or_else(|| missing(need))?,
                    secret_key: variable("AWS_SECRET_ACCESS_KEY").ok_or_else(|| missing(need))?,
                    token: variable("AWS_SESSION_TOKEN"),
                }));
            }
            Self::Container => CONTAINER_KEYS.as_slice(),
            Self::Instance => INSTANCE_KEYS.as_slice(),
        };
        let found = keys.iter().filter_map(|(name, key)| Some((*key, variable(name)?)));
        let found: Vec<(AmazonS3ConfigKey, String)> = found.collect();
        let has = |key: AmazonS3ConfigKey| found.iter().any(|(known, _)| *known == key);
        // The client would ask the instance.
        if self == Self::Container
            && !has(AmazonS3ConfigKey::ContainerCredentialsRelativeUri)
            && !(has(AmazonS3ConfigKey::ContainerCredentialsFullUri)
                && has(AmazonS3ConfigKey::ContainerAuthorizationTokenFile))
        {
            return Err(missing(
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI in the environment, or \
                 AWS_CONTAINER_CREDENTIALS_FULL_URI with AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            ));
        }
        let builder = AmazonS3Builder::new().with_bucket_name("any").with_region(store_region);
        let builder =
            found.into_iter().fold(builder, |builder, (key, value)| builder.with_config(key, value));
        let client = builder
            .build()
            .map_err(|err| SettingError::new(format!("the AWS profile's credential_source: {err}")))?;
        Ok(Arc::clone(client.credentials()))
    }
}

/// What the profile that `variable` (of the environment) names says; `None` without one.
///
/// # Errors
/// A profile that cannot be used, or that was named and does not exist.
pub(super) fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<Source>, SettingError> {
    let profiles = file::profiles(variable);
    let chosen = variable("AWS_PROFILE");
    let name = chosen.as_deref().unwrap_or("default");
    match profiles.get(name) {
        Some(profile) => Reader { profiles: &profiles, passed: Vec::new() }.source(name, profile),
        None if chosen.is_some() => Err(SettingError::new(format!(
            "AWS_PROFILE names the profile {name}, which no file of AWS profiles has"
        ))),
        None => Ok(None),
    }
}

/// Follows profiles to their sources.
struct Reader<'a> {
    profiles: &'a BTreeMap<String, Profile>,
    /// Those whose roles are assumed with what is looked at.
    passed: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    fn source(mut self, name: &'a str, profile: &'a Profile) -> Result<Option<Source>, SettingError> {
        let problem = |what: String| SettingError::new(format!("the AWS profile {name} {what}"));
        let role_arn = profile.get("role_arn");
        if let Some(token_file) = profile.get("web_identity_token_file") {
            let arn = role_arn.ok_or_else(|| {
                problem("has web_identity_token_file, which needs role_arn, too".to_owned())
            })?;
            let (role, duration_s) = role(arn, profile).map_err(problem)?;
            return Ok(Some(Source::WebIdentity { role, duration_s, token_file: token_file.into() }));
        }
        if let Some(login) = profile.keys().find(|setting| setting.starts_with("sso_")) {
            return Err(problem(format!(
                "uses {login}, which Lakeward does not support: it would need a login (aws sso login); use a \
                 role, credential_process or a key"
            )));
        }
        if let Some(arn) = role_arn {
            let (role, duration_s) = role(arn, profile).map_err(problem)?;
            let base = match (profile.get("source_profile"), profile.get("credential_source")) {
                (Some(_), Some(_)) => {
                    return Err(problem(
                        "has both source_profile and credential_source; keep one".to_owned(),
                    ));
                }
                (Some(source), None) => {
                    self.passed.push(name);
                    self.base(source).map_err(|err| problem(format!("has source_profile {source}: {err}")))?
                }
                (None, Some(source)) => Source::Surroundings(surroundings(source).map_err(problem)?),
                (None, None) => {
                    let missing = "has role_arn, which needs source_profile or credential_source, too";
                    return Err(problem(missing.to_owned()));
                }
            };
            return Ok(Some(Source::Role { role, duration_s, base: Box::new(base) }));
        }
        if let Some(command) = profile.get("credential_process") {
            let process = Process::parse(command).map_err(|what| {
                problem(format!("has a credential_process that cannot be started: {what}"))
            })?;
            return Ok(Some(Source::Process(process)));
        }
        key(profile).map_err(problem)
    }

    /// What the profile `name` gives for a role.
    fn base(self, name: &str) -> Result<Source, SettingError> {
        let Some((name, profile)) = self.profiles.get_key_value(name) else {
            return Err(SettingError::new("no file of AWS profiles has it".to_owned()));
        };
        let nothing = || SettingError::new(format!("the AWS profile {name} has no credentials"));
        if self.passed.last() == Some(&name.as_str()) {
            return key(profile).map_err(SettingError::new)?.ok_or_else(nothing);
        }
        if self.passed.contains(&name.as_str()) {
            return Err(SettingError::new("the profiles name each other in a circle".to_owned()));
        }
        self.source(name, profile)?.ok_or_else(nothing)
    }
}

/// The key that stands in a profile.
fn key(profile: &Profile) -> Result<Option<Source>, String> {
    let token = profile.get("aws_session_token").cloned();
    match (profile.get("aws_access_key_id"), profile.get("aws_secret_access_key")) {
        (Some(key_id), Some(secret_key)) => Ok(Some(Source::Key(AwsCredential {
            key_id: key_id.clone(),
            secret_key: secret_key.clone(),
            token,
        }))),
        (None, None) => Ok(None),
        _ => Err("has one of aws_access_key_id and aws_secret_access_key; it needs both".to_owned()),
    }
}

/// The role of a profile, and how many seconds its credentials live.
fn role(arn: &str, profile: &Profile) -> Result<(Role, Option<u32>), String> {
    if profile.contains_key("mfa_serial") {
        return Err("has mfa_serial: nobody is there to enter a code; use a role without one".to_owned());
    }
    let duration_s = match profile.get("duration_seconds").map(|text| text.parse()) {
        None => None,
        Some(Ok(seconds)) if (900..=43_200).contains(&seconds) => Some(seconds),
        Some(_) => return Err("has a duration_seconds that is no number from 900 to 43200".to_owned()),
    };
    let text = |name: &str| profile.get(name).cloned();
    let role = Role {
        arn: arn.to_owned(),
        session_name: text("role_session_name").unwrap_or_else(session_name),
        external_id: text("external_id").unwrap_or_default(),
        region: text("region"),
    };
    Ok((role, duration_s))
}

/// The name of a session that has none, which AWS writes into its logs.
fn session_name() -> String {
    format!("lakeward-{}", std::process::id())
}

fn surroundings(name: &str) -> Result<Surroundings, String> {
    Ok(match name {
        "Ec2InstanceMetadata" => Surroundings::Instance,
        "EcsContainer" => Surroundings::Container,
        "Environment" => Surroundings::Environment,
        other => {
            return Err(format!(
                "has credential_source {other}; use Ec2InstanceMetadata, EcsContainer or Environment"
            ));
        }
    })
}

const CONTAINER_KEYS: [(&str, AmazonS3ConfigKey); 3] = [
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", AmazonS3ConfigKey::ContainerCredentialsRelativeUri),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI", AmazonS3ConfigKey::ContainerCredentialsFullUri),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", AmazonS3ConfigKey::ContainerAuthorizationTokenFile),
];

const INSTANCE_KEYS: [(&str, AmazonS3ConfigKey); 1] =
    [("AWS_METADATA_ENDPOINT", AmazonS3ConfigKey::MetadataEndpoint)];

#[cfg(test)]
mod tests;
