//! Whether a certificate names the host that a request asks for: what an encrypted listener looks at before
//! anything else.
//!
//! A certificate without names says nothing, so every host will do. Source: Jetty's `SecureRequestCustomizer`
//! with its host check, as `RestServer` leaves it on, Kafka 4.1.

use http::header::{CACHE_CONTROL, HOST};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery};
use http::{HeaderValue, StatusCode};
use serde_json::Value;
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{CertificateError, Error};

use super::answer::{self, Answer};

/// The names in a certificate.
pub(crate) struct HostNames(CertificateDer<'static>);

impl HostNames {
    /// Those of the server's own certificate.
    pub(super) fn of(certificate: CertificateDer<'static>) -> Self {
        Self(certificate)
    }

    /// Whether the host that the request names is among them.
    pub(super) fn allow(&self, head: &Parts) -> bool {
        let given = head.headers.get(HOST).and_then(|host| host.to_str().ok());
        let authority = head.uri.authority().map(Authority::as_str).or(given);
        authority.is_none_or(|authority| self.has(host(authority)))
    }

    fn has(&self, host: &str) -> bool {
        let Ok(certificate) = ParsedCertificate::try_from(&self.0) else { return true };
        // A name that none of the names can be is compared with any that is valid: are there names at all?
        let name = ServerName::try_from(host);
        let is_possible = name.is_ok();
        let name = name.unwrap_or(ServerName::IpAddress(std::net::Ipv4Addr::UNSPECIFIED.into()));
        match verify_server_name(&certificate, &name) {
            Ok(()) => is_possible,
            Err(Error::InvalidCertificate(CertificateError::NotValidForNameContext {
                presented, ..
            })) => presented.is_empty(),
            Err(_) => false,
        }
    }
}

/// The answer to a request for another host: what the HTTP layer says, never seen by the resources.
pub(super) fn refusal(head: &Parts) -> Answer {
    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let path = head.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let text = format!(
        "{{\n\"message\":\"Invalid SNI\",\n\"url\":{},\n\"status\":\"400\"\n}}",
        Value::from(format!("https://{host}{path}"))
    );
    let mut answer = answer::json_text(StatusCode::BAD_REQUEST, text);
    let uncached = HeaderValue::from_static("must-revalidate,no-cache,no-store");
    answer.headers_mut().insert(CACHE_CONTROL, uncached);
    answer
}

/// The host of `host[:port]`, without the brackets of an address.
fn host(authority: &str) -> &str {
    match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use tokio_rustls::rustls::pki_types::pem::PemObject;

    use super::*;
    use crate::rest::tests::tls::CERTIFICATE;

    /// It has a common name alone.
    const NAMELESS: &str = "-----BEGIN CERTIFICATE-----\n\
        MIIBcDCCARWgAwIBAgIUT8vArY2mVxP2AGuBIO7u4j3/NgQwCgYIKoZIzj0EAwIw\n\
        DDEKMAgGA1UEAwwBdzAgFw0yNjExMjExNzE4NTVaGA8yMTI2MTAyODE3MTg1NVow\n\
        DDEKMAgGA1UEAwwBdzBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABEkgx0EXq9b1\n\
        d+6gB3HYhahBUwnHQoxgRy0zXkmC8PgVD4eyiYDIo9G0e2CxpSMaA0WJYQ+q+AM6\n\
        UnRyYSWnlNajUzBRMB0GA1UdDgQWBBSCI1XAJVCvTw0B8c6FTQAyr9ivAjAfBgNV\n\
        HSMEGDAWgBSCI1XAJVCvTw0B8c6FTQAyr9ivAjAPBgNVHRMBAf8EBTADAQH/MAoG\n\
        CCqGSM49BAMCA0kAMEYCIQDujF+O7rImIr5wcQa3IEpnVsz6qJT3ZICA7PBFozp3\n\
        /gIhAMbC+dTQbg4GTGSFoStNjV5cKDjAkJnz143HhbvQkVA6\n\
        -----END CERTIFICATE-----";

    #[test]
    fn the_certificate_must_name_the_host() {
        let names = HostNames::of(CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap());
        for (authority, is_named) in [
            ("localhost", true),
            ("LOCALHOST:8443", true),
            ("127.0.0.1:8443", true),
            ("127.0.0.2", false),
            ("[::1]:8443", false),
            ("connect.example", false),
            ("", false),
            ("not a name", false),
        ] {
            assert_eq!(names.has(host(authority)), is_named, "{authority}");
        }
    }

    #[test]
    fn a_certificate_without_names_allows_every_host() {
        let names = HostNames::of(CertificateDer::from_pem_slice(NAMELESS.as_bytes()).unwrap());
        assert!(names.has("connect.example") && names.has("10.0.0.1") && names.has("not a name"));
    }
}
