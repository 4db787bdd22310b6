//! The HTTP client with its time limits and certificates.

use std::fmt;
use std::time::Duration;

use reqwest::{Certificate, ClientBuilder, Identity};

/// What "no limit" (0) means: nothing waits for ever.
const LONGEST: Duration = Duration::from_secs(3600);

/// How a server is reached. Certificates and keys are texts in PEM form.
#[derive(Clone, Copy, Debug)]
pub struct Transport<'a> {
    /// Limit of connecting; zero for none.
    pub connect: Duration,
    /// Limit of each wait for an answer; zero for none.
    pub read: Duration,
    /// Certificates that are trusted; the system's when `None`.
    pub trusted: Option<&'a str>,
    /// Certificates and plain key of this client.
    pub identity: Option<&'a str>,
    /// Whether a certificate must name the host.
    pub verify_host: bool,
}

/// A part of a [`Transport`] that cannot be used; the text holds no secret.
#[derive(Debug)]
pub struct Unusable {
    /// Which part.
    pub part: Part,
    /// What is wrong with it.
    pub problem: String,
}

/// Parts of a [`Transport`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The trusted certificates.
    Trusted,
    /// The client's own.
    Identity,
}

/// A client without proxies; `build` it.
///
/// # Errors
/// See [`Unusable`].
pub fn builder(transport: Transport<'_>) -> Result<ClientBuilder, Unusable> {
    let limit = |time: Duration| if time.is_zero() { LONGEST } else { time };
    let (connect, read) = (limit(transport.connect), limit(transport.read));
    let mut builder = ClientBuilder::new()
        .connect_timeout(connect)
        .read_timeout(read)
        .timeout(connect.saturating_add(read))
        .no_proxy();
    if let Some(text) = transport.trusted {
        let found =
            Certificate::from_pem_bundle(text.as_bytes()).map_err(|err| unusable(Part::Trusted, &err))?;
        if found.is_empty() {
            return Err(unusable(Part::Trusted, &"no certificate in PEM form"));
        }
        builder = builder.tls_certs_only(found);
    }
    if let Some(text) = transport.identity {
        let identity = Identity::from_pem(text.as_bytes()).map_err(|err| unusable(Part::Identity, &err))?;
        builder = builder.identity(identity);
    }
    if !transport.verify_host {
        builder = builder.tls_danger_accept_invalid_hostnames(true);
    }
    Ok(builder)
}

fn unusable(part: Part, problem: &dyn fmt::Display) -> Unusable {
    Unusable { part, problem: problem.to_string() }
}

/// The causes of a failed exchange, without the URL, whose query may be private.
pub fn causes(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        message.push_str(": ");
        message.push_str(&inner.to_string());
        cause = inner.source();
    }
    message
}
