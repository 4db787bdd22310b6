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
    /// A PKCS12 file with its password.
    Pkcs12(PathBuf, Password),
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
        let (own, store) = (secret("key.password"), secret("keystore.password"));
        let encrypted = match &identity {
            Some(Store::Inline(_) | Store::Pem(_)) => own.is_some(),
            // In a PKCS12 store the key has the store's password.
            Some(Store::Pkcs12(..)) => own.is_some() && own != store,
            None => false,
        };
        if encrypted {
            return Err(setting(format!(
                "{TLS_PREFIX}key.password: keys with a password of their own cannot be read. Decrypt the \
                 key with \"openssl pkcs8 -in key.pem -out plain.pem\" and protect the file by its \
                 permissions, or give the key the password of its PKCS12 store."
            )));
        }
        let verify = values.text(&format!("{TLS_PREFIX}endpoint.identification.algorithm"));
        Ok(Self { trust, identity, verify_host: !verify.is_empty() })
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
        "PKCS12" => {
            let password = values.secret(&format!("{TLS_PREFIX}{store}.password"));
            let password = password.unwrap_or_else(|| Password::new(""));
            Ok(Some(Store::Pkcs12(location.into(), password)))
        }
        other => Err(setting(format!(
            "Invalid value {other} for configuration {key}: the store must be PEM or PKCS12. Convert it with \
             \"keytool -importkeystore -srckeystore store.jks -destkeystore store.p12 -deststoretype \
             PKCS12\" and set {key}=PKCS12."
        ))),
    }
}
