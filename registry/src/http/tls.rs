//! The HTTP client with its certificates.

use std::path::Path;
use std::time::Duration;

use lakeward_keystore::{Contents, Passwords};
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
        let found =
            Certificate::from_pem_bundle(&pem(store, name, false)?).map_err(|err| setting(name, &err))?;
        if found.is_empty() {
            return Err(setting(name, &"no certificate in PEM form"));
        }
        builder = builder.tls_certs_only(found);
    }
    if let Some(store) = &settings.tls.identity {
        let name = "schema.registry.ssl.keystore";
        let identity = Identity::from_pem(&pem(store, name, true)?).map_err(|err| setting(name, &err))?;
        builder = builder.identity(identity);
    }
    if !settings.tls.verify_host {
        builder = builder.tls_danger_accept_invalid_hostnames(true);
    }
    builder.build().map_err(|err| setting("schema.registry.ssl", &err))
}

/// The certificates of a store, with the key when it is an identity, in PEM form.
fn pem(store: &TlsStore, name: &str, identity: bool) -> Result<Vec<u8>, RegistryError> {
    let read = |path: &Path| {
        std::fs::read(path).map_err(|err| setting(name, &format!("cannot read {}: {err}", path.display())))
    };
    match store {
        TlsStore::Inline(text) => Ok(text.expose().as_bytes().to_vec()),
        TlsStore::Pem(path) => read(path),
        TlsStore::KeyStore { path, password, key_password } => {
            let passwords = Passwords { store: password.expose(), key: key_password.expose() };
            let text = Contents::read(&read(path)?, passwords)
                .and_then(|found| if identity { found.identity() } else { Ok(found.certificates()) });
            text.map(String::into_bytes)
                .map_err(|problem| setting(name, &format!("{}: {problem}", path.display())))
        }
    }
}

fn setting(name: &str, problem: &dyn std::fmt::Display) -> RegistryError {
    RegistryError::Setting { message: format!("Invalid value for configuration {name}: {problem}") }
}
