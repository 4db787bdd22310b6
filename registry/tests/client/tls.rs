//! TLS towards the registry, with the stores that `keytool` (JDK 17, `-storetype JKS`) writes: `localhost.*`
//! is a self-signed certificate with its key, `trust.jks` trusts it (password `changeit`), `client.jks` holds
//! both, its key under the password `different`. `client.pem` is the same in PEM form, its key encrypted by
//! `openssl pkcs8 -topk8`.

use std::sync::Arc;

use lakeward_registry::server;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto};

use crate::rig::{Rig, avro};

const CERTIFICATE: &[u8] = include_bytes!("tls/localhost.crt");
const KEY: &[u8] = include_bytes!("tls/localhost.key");
const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/client/tls");

/// A server's side of TLS that wants a certificate of its clients, too, when `mutual`.
fn config(mutual: bool) -> Arc<ServerConfig> {
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let certificate = CertificateDer::from(CERTIFICATE);
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().expect("the provider has the usual ciphers");
    let builder = if mutual {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).expect("a certificate");
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        builder.with_client_cert_verifier(verifier.build().expect("there is a root"))
    } else {
        builder.with_no_client_auth()
    };
    let key = PrivateKeyDer::try_from(KEY).expect("a key in PKCS#8 form");
    Arc::new(
        builder
            .with_single_cert(vec![certificate], key.clone_key())
            .expect("the key is that of the certificate"),
    )
}

fn file(name: &str) -> String {
    format!("{FILES}/{name}")
}

#[test]
fn a_jks_store_says_whom_to_trust() {
    let rig = Rig::new();
    let id = rig.register("t-value", avro("\"int\""));
    let url = rig.tls_server(config(false));
    let error = rig.client(&url, &[]).by_id("t-value", id).unwrap_err();
    assert_eq!(error.java_class(), "org.apache.kafka.common.errors.NetworkException");
    let trust = file("trust.jks");
    let settings = [
        ("schema.registry.ssl.truststore.location", trust.as_str()),
        ("schema.registry.ssl.truststore.password", "changeit"),
    ];
    assert_eq!(rig.client(&url, &settings).by_id("t-value", id).unwrap().version, Some(1));
}

#[test]
fn a_jks_store_says_who_asks() {
    let rig = Rig::new();
    let id = rig.register("t-value", avro("\"int\""));
    let url = rig.tls_server(config(true));
    let (trust, own) = (file("trust.jks"), file("client.jks"));
    let settings = [
        ("schema.registry.ssl.truststore.location", trust.as_str()),
        ("schema.registry.ssl.keystore.location", own.as_str()),
        ("schema.registry.ssl.keystore.password", "changeit"),
        ("schema.registry.ssl.key.password", "different"),
    ];
    assert!(rig.client(&url, &settings[..1]).by_id("t-value", id).is_err());
    assert!(rig.client(&url, &settings).by_id("t-value", id).is_ok());
    let error = rig.try_client(&url, &settings[..3]).err().unwrap().to_string();
    assert!(
        error.contains("schema.registry.ssl.keystore") && error.contains("password of the key"),
        "{error}"
    );
}

#[test]
fn an_encrypted_key_in_pem_form_says_who_asks() {
    let rig = Rig::new();
    let id = rig.register("t-value", avro("\"int\""));
    let url = rig.tls_server(config(true));
    let (trust, own) = (file("trust.jks"), file("client.pem"));
    let pem = std::fs::read_to_string(&own).unwrap();
    let (chain, key) = pem.split_at(pem.find("-----BEGIN ENCRYPTED").unwrap());
    let trusting = ("schema.registry.ssl.truststore.location", trust.as_str());
    let password = ("schema.registry.ssl.key.password", "different");
    let stored = [
        trusting,
        ("schema.registry.ssl.keystore.type", "PEM"),
        ("schema.registry.ssl.keystore.location", own.as_str()),
        password,
    ];
    let inline = [
        trusting,
        ("schema.registry.ssl.keystore.certificate.chain", chain),
        ("schema.registry.ssl.keystore.key", key),
        password,
    ];
    for settings in [stored, inline] {
        assert!(rig.client(&url, &settings).by_id("t-value", id).is_ok());
        let missing = rig.try_client(&url, &settings[..3]).err().unwrap().to_string();
        let expected = "configuration schema.registry.ssl.key.password: the private key is encrypted";
        assert!(missing.contains(expected), "{missing}");
        let wrong = [&settings[..3], &[("schema.registry.ssl.key.password", "not-that")]].concat();
        let wrong = rig.try_client(&url, &wrong).err().unwrap().to_string();
        assert!(wrong.contains("the password is wrong") && !wrong.contains("not-that"), "{wrong}");
    }
}

#[test]
fn tokens_are_fetched_over_the_same_tls() {
    let rig = Rig::new();
    let id = rig.register("t-value", avro("\"int\""));
    let url = rig.tls_server(config(false));
    // A registry that takes no token, and an issuer that is none: what counts is how far the request got.
    let endpoint = format!("{url}{}", server::TOKEN_PATH);
    let trust = file("trust.jks");
    let settings = [
        ("schema.registry.ssl.truststore.location", trust.as_str()),
        ("bearer.auth.credentials.source", "OAUTHBEARER"),
        ("bearer.auth.issuer.endpoint.url", endpoint.as_str()),
        ("bearer.auth.client.id", "lake"),
        ("bearer.auth.client.secret", "s3cret"),
    ];
    let error = rig.client(&url, &settings).by_id("t-value", id).unwrap_err().to_string();
    assert!(error.contains("the issuer answered HTTP 404"), "{error}");
}
