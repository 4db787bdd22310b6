//! The client credentials with which a token for the registry is fetched.
//!
//! Source: `OauthCredentialProvider`, Confluent 8.

use std::time::Duration;

use lakeward_api::config::Password;
use lakeward_oauth::ClientCredentials;
use url::Url;

use super::{Values, setting};
use crate::RegistryError;

/// Who asks whom for a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuth {
    /// `bearer.auth.issuer.endpoint.url`, `bearer.auth.client.id`, `bearer.auth.client.secret` and
    /// `bearer.auth.scope`.
    pub asked: ClientCredentials,
    /// `bearer.auth.sub.claim.name`: the claim that names the client; a token must have it.
    pub subject_claim: String,
    /// `bearer.auth.cache.expiry.buffer.seconds`: a token is not used that long before it expires.
    pub expiry_buffer: Duration,
}

impl OAuth {
    pub(super) fn parse(values: &Values<'_>) -> Result<Self, RegistryError> {
        let required = |name: &str| {
            let text = values.given.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
            text.ok_or_else(|| {
                setting(format!(
                    "The OAuth configuration option {name} value is required: set it, or choose another \
                     bearer.auth.credentials.source"
                ))
            })
        };
        let name = "bearer.auth.issuer.endpoint.url";
        let endpoint = Url::parse(required(name)?).ok();
        let endpoint = endpoint.filter(|url| matches!(url.scheme(), "http" | "https")).ok_or_else(|| {
            // The text may hold a password.
            setting(format!("Invalid value for configuration {name}: not an http or https URL"))
        })?;
        let scope = values.text("bearer.auth.scope").trim();
        let claim = values.text("bearer.auth.sub.claim.name").trim();
        Ok(Self {
            asked: ClientCredentials {
                endpoint,
                client_id: required("bearer.auth.client.id")?.to_owned(),
                client_secret: Password::new(required("bearer.auth.client.secret")?),
                scope: (!scope.is_empty()).then(|| scope.to_owned()),
                urlencode_header: false,
            },
            subject_claim: if claim.is_empty() { "sub".to_owned() } else { claim.to_owned() },
            expiry_buffer: Duration::from_secs(
                u64::try_from(values.number("bearer.auth.cache.expiry.buffer.seconds")).unwrap_or_default(),
            ),
        })
    }
}

/// The headers that say which registry and which pool of identities a token is for.
pub(super) fn targets(values: &Values<'_>) -> Vec<(String, Password)> {
    let keys = [
        ("bearer.auth.identity.pool.id", "Confluent-Identity-Pool-Id"),
        ("bearer.auth.logical.cluster", "target-sr-cluster"),
    ];
    let given = keys.into_iter().filter(|(key, _)| !values.text(key).is_empty());
    given.map(|(key, header)| (header.to_owned(), Password::new(values.text(key)))).collect()
}
