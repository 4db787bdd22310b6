//! The HTTP client with its certificates.

use std::path::Path;

use lakeward_api::config::Password;
use lakeward_keystore::{Contents, KeyProblem, Passwords, plain_certificates, plain_key};
use lakeward_oauth::transport::{self, Transport};
use reqwest::Proxy;

use crate::RegistryError;

use crate::settings::{RegistrySettings, TlsStore};

/// Builds the client; reads certificate files.
pub(super) fn client(settings: &RegistrySettings) -> Result<reqwest::Client, RegistryError> {
    let tls = &settings.tls;
    let trusted = tls.trust.as_ref().map(|store| pem(store, TRUSTED, Part::Certificates)).transpose()?;
    let key_password = tls.key_password.as_ref().map(Password::expose);
    let own = Part::Identity { key_password };
    let identity = tls.identity.as_ref().map(|store| pem(store, OWN, own)).transpose()?;
    let mut builder = transport::builder(Transport {
        connect: settings.patience.connect,
        read: settings.patience.read,
        trusted: trusted.as_deref(),
        identity: identity.as_deref(),
        verify_host: tls.verify_host,
    })
    .map_err(|unusable| match unusable.part {
        transport::Part::Trusted => setting(TRUSTED, &unusable.problem),
        transport::Part::Identity => setting(OWN, &unusable.problem),
    })?;
    if let Some((host, port)) = &settings.proxy {
        let url = format!("http://{host}:{port}");
        let proxy = Proxy::all(url).map_err(|err| setting("proxy.host", &err))?;
        builder = builder.proxy(proxy);
    }
    builder.build().map_err(|err| setting("schema.registry.ssl", &err))
}

const TRUSTED: &str = "schema.registry.ssl.truststore";
const OWN: &str = "schema.registry.ssl.keystore";

/// What is wanted of a store.
#[derive(Clone, Copy)]
enum Part<'a> {
    Certificates,
    /// Certificates and the key; one in PEM form may be encrypted.
    Identity {
        key_password: Option<&'a str>,
    },
}

/// A part of a store, in PEM form, its key plain.
fn pem(store: &TlsStore, name: &str, part: Part<'_>) -> Result<String, RegistryError> {
    let read = |path: &Path| {
        std::fs::read(path).map_err(|err| setting(name, &format!("cannot read {}: {err}", path.display())))
    };
    let text = match store {
        TlsStore::Inline(text) => text.expose().to_owned(),
        TlsStore::Pem(path) => String::from_utf8_lossy(&read(path)?).into_owned(),
        TlsStore::KeyStore { path, password, key_password } => {
            let passwords = Passwords { store: password.expose(), key: key_password.expose() };
            let text = Contents::read(&read(path)?, passwords).and_then(|found| match part {
                Part::Certificates => Ok(found.certificates()),
                Part::Identity { .. } => found.identity(),
            });
            return text.map_err(|problem| setting(name, &format!("{}: {problem}", path.display())));
        }
    };
    let Part::Identity { key_password } = part else { return Ok(text) };
    let certificates = plain_certificates(&text).map_err(|problem| setting(name, &problem))?;
    match plain_key(&text, key_password) {
        Ok(key) => Ok(format!("{certificates}{key}")),
        Err(KeyProblem::Key(problem)) => Err(setting(name, &problem)),
        Err(KeyProblem::Password(problem)) => Err(setting("schema.registry.ssl.key.password", &problem)),
    }
}

fn setting(name: &str, problem: &dyn std::fmt::Display) -> RegistryError {
    RegistryError::Setting { message: format!("Invalid value for configuration {name}: {problem}") }
}
