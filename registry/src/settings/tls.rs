//! TLS towards the registry, as the settings say; files are read when the client is made.

use std::path::PathBuf;

use lakeward_api::config::Password;

use super::def::TLS_PREFIX;
use super::{Values, setting};
use crate::RegistryError;

/// TLS settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Trusted certificates; the system's when `None`.
    pub trust: Option<Store>,
    /// The client's certificates and key.
    pub identity: Option<Store>,
    /// The password of an identity's key in PEM form, when it is encrypted.
    pub key_password: Option<Password>,
    /// Whether the certificate must name the host.
    pub verify_host: bool,
}

/// Where certificates or a key come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Store {
    /// PEM text in the settings.
    Inline(Password),
    /// A PEM file.
    Pem(PathBuf),
    /// A JKS or PKCS12 file.
    KeyStore {
        /// Where it is.
        path: PathBuf,
        /// The password of the store; empty when none is given.
        password: Password,
        /// The password of the key.
        key_password: Password,
    },
}

impl Tls {
    pub(super) fn parse(values: &Values<'_>) -> Result<Self, RegistryError> {
        let secret = |name: &str| values.secret(&format!("{TLS_PREFIX}{name}"));
        let trust = match secret("truststore.certificates") {
            Some(certificates) => Some(Store::Inline(certificates)),
            None => file(values, "truststore")?,
        };
        let identity = match (secret("keystore.certificate.chain"), secret("keystore.key")) {
            (Some(chain), Some(key)) => {
                let both = format!("{}\n{}", chain.expose(), key.expose());
                Some(Store::Inline(Password::new(both)))
            }
            (None, None) => file(values, "keystore")?,
            _ => {
                return Err(setting(format!(
                    "{TLS_PREFIX}keystore.key and {TLS_PREFIX}keystore.certificate.chain must be set together"
                )));
            }
        };
        let verify = values.text(&format!("{TLS_PREFIX}endpoint.identification.algorithm"));
        Ok(Self { trust, identity, key_password: secret("key.password"), verify_host: !verify.is_empty() })
    }
}

/// The file of a store that has a location.
fn file(values: &Values<'_>, store: &str) -> Result<Option<Store>, RegistryError> {
    let location = values.text(&format!("{TLS_PREFIX}{store}.location"));
    if location.is_empty() {
        return Ok(None);
    }
    let key = format!("{TLS_PREFIX}{store}.type");
    match values.text(&key).to_ascii_uppercase().as_str() {
        "PEM" => Ok(Some(Store::Pem(location.into()))),
        // Java reads either kind by either name.
        "JKS" | "PKCS12" => {
            let password = values.secret(&format!("{TLS_PREFIX}{store}.password"));
            let password = password.unwrap_or_else(|| Password::new(""));
            let key_password = values.secret(&format!("{TLS_PREFIX}key.password"));
            let key_password = key_password.unwrap_or_else(|| password.clone());
            Ok(Some(Store::KeyStore { path: location.into(), password, key_password }))
        }
        other => Err(setting(format!(
            "Invalid value {other} for configuration {key}: the store must be PEM, JKS or PKCS12. Convert it \
             with \"keytool -importkeystore -srckeystore old -destkeystore store.p12 -deststoretype \
             PKCS12\" and set {key}=PKCS12."
        ))),
    }
}
