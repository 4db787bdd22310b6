//! TLS of the listeners and of requests to other workers.
//!
//! Owns reading `ssl.*`: PEM text, PEM files, JKS and PKCS12 stores; keys in PEM form may be encrypted. Files
//! are read when the worker starts.
//!
//! Source: `SSLUtils`, `RestServerConfig`, Kafka 4.1.

use std::sync::Arc;

use lakeward_api::config::{ConfigMap, parse_list};
use lakeward_keystore::{Contents, KeyProblem, Passwords, plain_key};
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, ServerConfig,
    SignatureScheme, SupportedProtocolVersion, version,
};

use super::HostNames;

/// The `ssl.*` settings of one side, prefix cut off.
pub(super) struct TlsSettings(ConfigMap);

impl TlsSettings {
    /// Settings that begin with `prefix` if there are any, else those without: all or nothing, as in Java.
    pub(super) fn new(props: &ConfigMap, prefix: &str) -> Self {
        let with = |prefix: &str| -> ConfigMap {
            let own = props.iter().filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value)));
            let own = own.filter(|(name, _)| name.starts_with("ssl."));
            own.map(|(name, value)| (name.to_owned(), value.clone())).collect()
        };
        let own = with(prefix);
        Self(if own.is_empty() { with("") } else { own })
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// The server's side.
    ///
    /// # Errors
    /// A sentence that names setting and remedy.
    pub(super) fn server(&self) -> Result<Arc<ServerConfig>, String> {
        let identity =
            self.identity()?.ok_or("ssl.keystore.location is missing; https listeners need a certificate")?;
        let (chain, key) = identity;
        let builder = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&self.versions()?)
            .map_err(|err| format!("ssl.enabled.protocols: {err}"))?;
        let builder = match self.text("ssl.client.auth").unwrap_or("none").to_ascii_lowercase().as_str() {
            "none" => builder.with_no_client_auth(),
            wish @ ("requested" | "required") => {
                let roots =
                    self.trust()?.ok_or("ssl.truststore.location is missing; ssl.client.auth needs it")?;
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
                let verifier = if wish == "requested" { verifier.allow_unauthenticated() } else { verifier };
                let verifier = verifier.build().map_err(|err| format!("ssl.truststore: {err}"))?;
                builder.with_client_cert_verifier(verifier)
            }
            other => return Err(format!("ssl.client.auth={other}; use none, requested or required")),
        };
        let config = builder.with_single_cert(chain, key);
        config.map(Arc::new).map_err(|err| format!("ssl.keystore: {err}"))
    }

    /// What the server's certificate names.
    ///
    /// # Errors
    /// A sentence that names setting and remedy.
    pub(super) fn names(&self) -> Result<HostNames, String> {
        let own = self.identity()?.and_then(|(chain, _)| chain.into_iter().next());
        own.map(HostNames::of).ok_or_else(|| "ssl.keystore.location is missing".to_owned())
    }

    /// The client's side. The server must be in the trust store, and named by its certificate unless
    /// `ssl.endpoint.identification.algorithm` is empty.
    ///
    /// # Errors
    /// A sentence that names setting and remedy.
    pub(super) fn client(&self) -> Result<Arc<ClientConfig>, String> {
        let roots = self.trust()?.ok_or("ssl.truststore.location is missing")?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider());
        let verifier = verifier.build().map_err(|err| format!("ssl.truststore: {err}"))?;
        let algorithm = self.0.get("ssl.endpoint.identification.algorithm");
        let any_name = algorithm.is_some_and(|algorithm| algorithm.trim().is_empty());
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&self.versions()?)
            .map_err(|err| format!("ssl.enabled.protocols: {err}"))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Named { verifier, any_name }));
        let config = match self.identity()? {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                builder.with_client_auth_cert(chain, key).map_err(|err| format!("ssl.keystore: {err}"))?
            }
        };
        Ok(Arc::new(config))
    }

    fn versions(&self) -> Result<Vec<&'static SupportedProtocolVersion>, String> {
        let given = self.text("ssl.enabled.protocols").unwrap_or("TLSv1.2,TLSv1.3");
        let known = parse_list(given).into_iter().filter_map(|name| match name.as_str() {
            "TLSv1.2" => Some(&version::TLS12),
            "TLSv1.3" => Some(&version::TLS13),
            _ => None,
        });
        let known: Vec<_> = known.collect();
        if known.is_empty() {
            return Err(format!("ssl.enabled.protocols={given}; use TLSv1.2 or TLSv1.3"));
        }
        Ok(known)
    }

    fn identity(&self) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>, String> {
        let inline = (self.text("ssl.keystore.certificate.chain"), self.text("ssl.keystore.key"));
        let pem = match inline {
            (Some(chain), Some(key)) => Some(format!("{chain}\n{key}\n")),
            (None, None) => self.store("ssl.keystore", Contents::identity)?,
            _ => {
                let both = "ssl.keystore.key and ssl.keystore.certificate.chain must be set together";
                return Err(both.to_owned());
            }
        };
        let Some(pem) = pem else { return Ok(None) };
        let chain = certificates(&pem, "ssl.keystore")?;
        let key = plain_key(&pem, self.text("ssl.key.password")).map_err(|problem| match problem {
            KeyProblem::Key(problem) => format!("ssl.keystore: {problem}"),
            KeyProblem::Password(problem) => format!("ssl.key.password: {problem}"),
        })?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
            .map_err(|_| "ssl.keystore holds a private key of an unknown form; write it anew as PKCS#8")?;
        Ok(Some((chain, key)))
    }

    fn trust(&self) -> Result<Option<RootCertStore>, String> {
        let pem = match self.text("ssl.truststore.certificates") {
            Some(pem) => Some(pem.to_owned()),
            None => self.store("ssl.truststore", |contents| Ok(contents.certificates()))?,
        };
        let Some(pem) = pem else { return Ok(None) };
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&pem, "ssl.truststore")? {
            roots.add(certificate).map_err(|err| format!("ssl.truststore: {err}"))?;
        }
        Ok(Some(roots))
    }

    /// What `take` finds in the file of a store, in PEM form.
    fn store(
        &self,
        name: &str,
        take: impl FnOnce(&Contents) -> Result<String, String>,
    ) -> Result<Option<String>, String> {
        let Some(path) = self.text(&format!("{name}.location")) else { return Ok(None) };
        let problem = |problem: &dyn std::fmt::Display| format!("{name}.location={path}: {problem}");
        let bytes = std::fs::read(path).map_err(|err| problem(&err))?;
        let kind = self.text(&format!("{name}.type")).unwrap_or("JKS").to_ascii_uppercase();
        if kind == "PEM" {
            return String::from_utf8(bytes).map(Some).map_err(|_| problem(&"it is not text in PEM form"));
        }
        let password = self.0.get(&format!("{name}.password")).map_or("", String::as_str);
        let key = self.0.get("ssl.key.password").map_or(password, String::as_str);
        let contents = Contents::read(&bytes, Passwords { store: password, key });
        contents.and_then(|contents| take(&contents)).map(Some).map_err(|err| problem(&err))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn certificates(pem: &str, name: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(format!("{name} holds no certificate")),
        Err(err) => Err(format!("{name} holds a certificate that cannot be read: {err}")),
    }
}

/// Trust in a chain; the name in the certificate counts unless it is switched off.
#[derive(Debug)]
struct Named {
    verifier: Arc<WebPkiServerVerifier>,
    any_name: bool,
}

impl ServerCertVerifier for Named {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified =
            self.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // Names are looked at last: everything else was fine.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.any_name => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
