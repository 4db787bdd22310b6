//! The HTTP client with its certificates.

use std::path::Path;
use std::time::Duration;

use lakeward_api::config::Password;
use lakeward_keystore::{Contents, KeyProblem, Passwords, plain_certificates, plain_key};
use reqwest::{Certificate, ClientBuilder, Identity, Proxy};

use crate::RegistryError;

use crate::settings::{Patience, RegistrySettings, TlsStore};

/// What "no limit" (0) means: nothing waits for ever.
const LONGEST: Duration = Duration::from_secs(3600);

/// Builds the client; reads certificate files.
pub(super) fn client(settings: &RegistrySettings) -> Result<reqwest::Client, RegistryError> {
    let Patience { connect, read, .. } = settings.patience;
    let limit = |time: Duration| if time.is_zero() { LONGEST } else { time };
    let mut builder = ClientBuilder::new()
        .connect_timeout(limit(connect))
        .read_timeout(limit(read))
        .timeout(limit(connect).saturating_add(limit(read)))
        .no_proxy();
    if let Some((host, port)) = &settings.proxy {
        let url = format!("http://{host}:{port}");
        let proxy = Proxy::all(url).map_err(|err| setting("proxy.host", &err))?;
        builder = builder.proxy(proxy);
    }
    if let Some(store) = &settings.tls.trust {
        let name = "schema.registry.ssl.truststore";
        let trusted = pem(store, name, Part::Certificates)?;
        let found = Certificate::from_pem_bundle(trusted.as_bytes()).map_err(|err| setting(name, &err))?;
        if found.is_empty() {
            return Err(setting(name, &"no certificate in PEM form"));
        }
        builder = builder.tls_certs_only(found);
    }
    if let Some(store) = &settings.tls.identity {
        let name = "schema.registry.ssl.keystore";
        let key_password = settings.tls.key_password.as_ref().map(Password::expose);
        let own = pem(store, name, Part::Identity { key_password })?;
        let identity = Identity::from_pem(own.as_bytes()).map_err(|err| setting(name, &err))?;
        builder = builder.identity(identity);
    }
    if !settings.tls.verify_host {
        builder = builder.tls_danger_accept_invalid_hostnames(true);
    }
    builder.build().map_err(|err| setting("schema.registry.ssl", &err))
}

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
