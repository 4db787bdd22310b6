//! Who asks the registry.
//!
//! Source: the credential providers of Confluent's client.

use lakeward_api::config::Password;
use percent_encoding::percent_decode_str;
use url::Url;

use super::oauth::OAuth;
use super::{Values, setting};
use crate::RegistryError;

/// What goes into the `Authorization` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// No header.
    Anonymous,
    /// `user:password`.
    Basic(Password),
    /// A token.
    Bearer(Password),
    /// A token that an issuer gives for client credentials.
    OAuth(Box<OAuth>),
}

/// The credentials towards each of `urls`.
///
/// # Errors
/// [`RegistryError::Setting`] when a source is unknown, two are given, or a secret is missing.
pub(super) fn credentials(values: &Values<'_>, urls: &[Url]) -> Result<Vec<Credentials>, RegistryError> {
    let given = |name: &str| values.given.get(name).is_some_and(|text| !text.trim().is_empty());
    let (basic, bearer) = ("basic.auth.credentials.source", "bearer.auth.credentials.source");
    if given(basic) && given(bearer) {
        return Err(setting(format!("Only one of '{basic}' and '{bearer}' may be specified")));
    }
    let everywhere = |credentials: Credentials| vec![credentials; urls.len()];
    if given(bearer) {
        return bearer_token(values).map(everywhere);
    }
    match values.text(basic) {
        "USER_INFO" => {
            let given = values.secret("basic.auth.user.info");
            let user = given.or_else(|| values.secret("schema.registry.basic.auth.user.info"));
            let user = user.ok_or_else(|| {
                setting(
                    "basic.auth.user.info must be provided when basic.auth.credentials.source is USER_INFO",
                )
            })?;
            Ok(everywhere(Credentials::Basic(user)))
        }
        "SASL_INHERIT" => inherited(values).map(everywhere),
        _ => Ok(urls.iter().map(from_url).collect()),
    }
}

fn bearer_token(values: &Values<'_>) -> Result<Credentials, RegistryError> {
    match values.text("bearer.auth.credentials.source") {
        "STATIC_TOKEN" => values.secret("bearer.auth.token").map(Credentials::Bearer).ok_or_else(|| {
            setting("bearer.auth.token must be provided when bearer.auth.credentials.source is STATIC_TOKEN")
        }),
        "OAUTHBEARER" => Ok(Credentials::OAuth(Box::new(OAuth::parse(values)?))),
        other => Err(setting(format!(
            "Invalid value {other} for configuration bearer.auth.credentials.source: supported are \
             STATIC_TOKEN and OAUTHBEARER. Use OAUTHBEARER with bearer.auth.issuer.endpoint.url, \
             bearer.auth.client.id and bearer.auth.client.secret, or set bearer.auth.token."
        ))),
    }
}

/// User and password of the Kafka client's login module.
fn inherited(values: &Values<'_>) -> Result<Credentials, RegistryError> {
    let jaas = values.given.get("sasl.jaas.config").map(String::as_str).unwrap_or_default();
    match (option(jaas, "username"), option(jaas, "password")) {
        (Some(user), Some(password)) => Ok(Credentials::Basic(Password::new(format!("{user}:{password}")))),
        _ => Err(setting(
            "basic.auth.credentials.source is SASL_INHERIT, but sasl.jaas.config of the converter has no \
             username and password",
        )),
    }
}

/// The value of `name="value"` or `name=value` in a JAAS text.
fn option(jaas: &str, name: &str) -> Option<String> {
    let mut rest = jaas;
    loop {
        let at = rest.find(name)?;
        let before = rest[..at].chars().next_back();
        rest = &rest[at + name.len()..];
        let value = rest.trim_start().strip_prefix('=');
        let (Some(value), true) = (value, before.is_none_or(char::is_whitespace)) else { continue };
        let value = value.trim_start();
        let Some(quoted) = value.strip_prefix('"') else {
            let end = value.find(|found: char| found.is_whitespace() || found == ';').unwrap_or(value.len());
            return Some(value[..end].to_owned());
        };
        let mut text = String::new();
        let mut chars = quoted.chars();
        while let Some(found) = chars.next() {
            match found {
                '"' => return Some(text),
                '\\' => text.extend(chars.next()),
                other => text.push(other),
            }
        }
        return None;
    }
}

fn from_url(url: &Url) -> Credentials {
    if url.username().is_empty() && url.password().is_none() {
        return Credentials::Anonymous;
    }
    let text = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    let user = text(url.username());
    let password = text(url.password().unwrap_or_default());
    Credentials::Basic(Password::new(format!("{user}:{password}")))
}

/// `url` without user information.
pub(super) fn without_user(mut url: Url) -> Url {
    // Both can only fail for URLs without a host, which http and https URLs have.
    let _cleared = url.set_username("").and_then(|()| url.set_password(None));
    url
}
