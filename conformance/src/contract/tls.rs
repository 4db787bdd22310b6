//! Who the runner is to encrypted listeners: certificates in `conformance/contract/tls/`.
//!
//! One authority signed `server.p12` and `client.pem`; `stranger.pem` signed itself. `trust.jks` holds the
//! authority. The password of both stores is `contract`, and all of them are valid for a hundred years.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// The certificate that a client shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Identity {
    /// One that the worker trusts.
    #[default]
    Client,
    /// None.
    Nobody,
    /// One that it does not.
    Stranger,
}

impl Identity {
    /// As case files call it.
    ///
    /// # Errors
    /// Nobody is called so.
    pub fn named(name: &str) -> anyhow::Result<Self> {
        Ok(match name {
            "client" => Self::Client,
            "nobody" => Self::Nobody,
            "stranger" => Self::Stranger,
            _ => bail!("a client is `client`, `nobody` or `stranger`"),
        })
    }

    /// The client's side of a connection; it trusts the authority.
    ///
    /// # Errors
    /// A file of `folder` cannot be read.
    pub fn config(self, folder: &Path) -> anyhow::Result<Arc<ClientConfig>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(folder.join("ca.pem")).context("reading ca.pem")?)?;
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let file = match self {
            Self::Nobody => return Ok(Arc::new(builder.with_no_client_auth())),
            Self::Client => folder.join("client.pem"),
            Self::Stranger => folder.join("stranger.pem"),
        };
        let chain = CertificateDer::from_pem_file(&file).context("reading the certificate")?;
        let key = PrivateKeyDer::from_pem_file(&file).context("reading the key")?;
        Ok(Arc::new(builder.with_client_auth_cert(vec![chain], key)?))
    }
}
