//! What stores become for the library, and what is said about those that cannot be read.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tempfile::NamedTempFile;

use super::super::{ClientKind, translate};
use super::*;

/// Key and certificate, by `keytool -storetype JKS` of JDK 17; the password is `changeit`.
const JKS_KEY: &str = "/u3+7QAAAAIAAAABAAAAAQABawAAAaH9sgeYAAAAfzB9MA4GCisGAQQBKgIRAQEFAARr4eRhX7U3\
    JLO+YUN9bbtF977J2olnM8NTv3LDH2D2rdj2MVfjc6gR541CNgzv4jS+AmheE0MudzPdX7ZjbkbN\
    cP9xmkYFGr3/05Ui4CgAPxml533UBXtRWRmqNRhTgRufc0rXKNCEE5ngCmEAAAABAAVYLjUwOQAA\
    AWEwggFdMIIBA6ADAgECAgga3yMcFvF8gzAKBggqhkjOPQQDAjAUMRIwEAYDVQQDEwlsb2NhbGhv\
    c3QwIBcNMjYxMTIxMTA0MTA1WhgPMjEyNjEwMjgxMDQxMDVaMBQxEjAQBgNVBAMTCWxvY2FsaG9z\
    dDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNBGjOzTJGn7R3TSmOWQEM8oshLJkIeNVzs/IBB4\
    kfEzYaupjZeli41f+f1PZFY2CZivcG5YwKYFDzD6+IEeL7WjPTA7MB0GA1UdDgQWBBRQH0Mz1Fq7\
    2urZ4ipxUgdpFgnnujAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZIzj0EAwIDSAAw\
    RQIgffQNgDlRtTm0tzcZl64ONqCeDNAKqog+y09aP9Gl5ncCIQDRIBDWzH6vBPevec6adZsXVCUy\
    BuQLhl2VsWWWJ3UrK09zX1QCqaNqmDA3i+ZE+E+c8bT3";
/// The certificate as a trusted one, by the same.
const JKS_TRUST: &str = "/u3+7QAAAAIAAAABAAAAAgABdAAAAaH9sgsrAAVYLjUwOQAAAWEwggFdMIIBA6ADAgECAgga3yMc\
    FvF8gzAKBggqhkjOPQQDAjAUMRIwEAYDVQQDEwlsb2NhbGhvc3QwIBcNMjYxMTIxMTA0MTA1WhgP\
    MjEyNjEwMjgxMDQxMDVaMBQxEjAQBgNVBAMTCWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49\
    AwEHA0IABNBGjOzTJGn7R3TSmOWQEM8oshLJkIeNVzs/IBB4kfEzYaupjZeli41f+f1PZFY2CZiv\
    cG5YwKYFDzD6+IEeL7WjPTA7MB0GA1UdDgQWBBRQH0Mz1Fq72urZ4ipxUgdpFgnnujAaBgNVHREE\
    EzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZIzj0EAwIDSAAwRQIgffQNgDlRtTm0tzcZl64ONqCe\
    DNAKqog+y09aP9Gl5ncCIQDRIBDWzH6vBPevec6adZsXVCUyBuQLhl2VsWWWJ3UrK+Ad8bsxOZor\
    AG+cGLvLGY9zHpB8";
/// A key, by `openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES`; the password is `secret-pw`.
const ENCRYPTED_KEY: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n\
    MIGxMBwGCiqGSIb3DQEMAQMwDgQIZhnNzGQVKQcCAggABIGQql7M1SW70gcEuz7c\n\
    T3+xlumVk4A4BDPOW1si53l+Jhwn0VB6F7dgsjPEmMZr55AEcHjzXuwa3NUTm/LK\n\
    AZSrDCcnhJLhsZma8NAuW1H7EDW9PKdMgVOrviW3lgtnZjsZfzX9Gopv06baBaNF\n\
    +DkrdYD5qeJsqLL3HxlPcAX+7A/8jrbV2bosqUoIQ0DVYWmJ\n\
    -----END ENCRYPTED PRIVATE KEY-----\n";
/// Its certificate.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\n\
    MIIBnDCCAUGgAwIBAgIUBGhXQvVMB2ET8ysOvZPKkyOI+r4wCgYIKoZIzj0EAwIw\n\
    FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTE2NTgwMFoYDzIxMjYxMDI4\n\
    MTY1ODAwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO\n\
    PQMBBwNCAARVXa0/6aBzu6j4pGJMzWBx3Q9VJYfTLbeFzmYBdiYs7FCepnvpO8Zm\n\
    y16HSeA6ZWME5GsHdDQS5MY6fsabVM4vo28wbTAdBgNVHQ4EFgQU90hZahi/Zntq\n\
    I5rLaeyH7t88MEwwHwYDVR0jBBgwFoAU90hZahi/ZntqI5rLaeyH7t88MEwwDwYD\n\
    VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI\n\
    zj0EAwIDSQAwRgIhALlRWjWtoETHNppKoBW3DjIC4XF80a2PQusi+t+EuX9EAiEA\n\
    kli+7Rsv2Myf5G9WB29d8toqMRgWecSIDK+iJudpxEs=\n\
    -----END CERTIFICATE-----\n";

/// A file that holds these bytes as long as the value lives, and its name.
fn file(bytes: &[u8]) -> (NamedTempFile, String) {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let name = file.path().display().to_string();
    (file, name)
}

fn translated(props: &[(&str, &str)]) -> Result<ClientSettings, String> {
    let all = [("security.protocol", "SSL")].iter().chain(props);
    let props = all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    translate(ClientKind::Admin, &props).map_err(|err| err.to_string())
}

/// The library makes a client of it, which it does only when key and certificate fit each other.
fn assert_usable(settings: &ClientSettings) {
    let made: Result<rdkafka::producer::BaseProducer, _> = settings.to_rdkafka().create();
    assert!(made.is_ok(), "{:?}", made.err());
}

#[test]
fn stores_of_java_become_pem_in_memory() {
    let (_key, key) = file(&STANDARD.decode(JKS_KEY).unwrap());
    let (_trust, trust) = file(&STANDARD.decode(JKS_TRUST).unwrap());
    let props = [
        ("ssl.keystore.location", key.as_str()),
        ("ssl.keystore.password", "changeit"),
        ("ssl.truststore.location", trust.as_str()),
        ("ssl.truststore.password", "changeit"),
    ];
    let settings = translated(&props).unwrap();
    assert_eq!(settings.entries()["ssl.ca.pem"], settings.entries()["ssl.certificate.pem"]);
    assert!(settings.entries()["ssl.key.pem"].starts_with("-----BEGIN PRIVATE KEY-----"));
    assert!(!settings.entries().keys().any(|name| name.ends_with(".location")));
    assert!(crate::secrets::is_credential("ssl.key.pem"));
    assert_usable(&settings);
    // Java needs no password for what anybody may read.
    assert!(translated(&props[2..3]).is_ok());
}

#[test]
fn keys_in_pem_form_may_be_encrypted() {
    let inline = [
        ("ssl.keystore.type", "PEM"),
        ("ssl.keystore.key", ENCRYPTED_KEY),
        ("ssl.keystore.certificate.chain", CERTIFICATE),
        ("ssl.key.password", "secret-pw"),
    ];
    let settings = translated(&inline).unwrap();
    assert!(settings.entries()["ssl.key.pem"].starts_with("-----BEGIN PRIVATE KEY-----"));
    assert_usable(&settings);
    let (_file, both) = file(format!("{ENCRYPTED_KEY}{CERTIFICATE}").as_bytes());
    let from_file =
        [("ssl.keystore.type", "PEM"), ("ssl.keystore.location", &*both), ("ssl.key.password", "secret-pw")];
    assert_eq!(translated(&from_file).unwrap().entries(), settings.entries());
}

#[test]
fn a_wrong_password_is_named_and_not_shown() {
    let mut props = vec![
        ("ssl.keystore.type", "PEM"),
        ("ssl.keystore.key", ENCRYPTED_KEY),
        ("ssl.keystore.certificate.chain", CERTIFICATE),
    ];
    let expected = "Invalid value for configuration ssl.key.password: the private key is encrypted and needs \
                    its password";
    assert_eq!(translated(&props).unwrap_err(), expected);
    props.push(("ssl.key.password", "not-that-one"));
    let expected = "Invalid value for configuration ssl.key.password: the password is wrong or the private \
                    key is damaged";
    assert_eq!(translated(&props).unwrap_err(), expected);
    let (_key, key) = file(&STANDARD.decode(JKS_KEY).unwrap());
    let store = [("ssl.keystore.location", key.as_str()), ("ssl.keystore.password", "not-that-one")];
    let refused = translated(&store).unwrap_err();
    let expected = format!("configuration ssl.keystore.location: {key}: the password is wrong");
    assert!(refused.contains(&expected) && !refused.contains("not-that"), "{refused}");
}

/// Sentences of Kafka 4.1.
#[test]
fn what_excludes_each_other_is_refused_as_in_java() {
    for (props, sentence) in [
        (
            &[("ssl.keystore.key", "k"), ("ssl.keystore.certificate.chain", "c")][..],
            "SSL private key can be specified only for PEM, but key store type is JKS.",
        ),
        (
            &[("ssl.keystore.key", "k")],
            "SSL private key is specified, but certificate chain is not specified.",
        ),
        (
            &[("ssl.keystore.certificate.chain", "c")],
            "SSL certificate chain is specified, but private key is not specified",
        ),
        (
            &[("ssl.keystore.password", "p")],
            "SSL key store is not specified, but key store password is specified.",
        ),
        (
            &[("ssl.keystore.location", "/k.jks")],
            "SSL key store is specified, but key store password is not specified.",
        ),
        (
            &[
                ("ssl.truststore.type", "PEM"),
                ("ssl.truststore.certificates", "c"),
                ("ssl.truststore.location", "/t"),
            ],
            "Both SSL trust store location and separate trust certificates are specified.",
        ),
        (
            &[
                ("ssl.truststore.type", "PEM"),
                ("ssl.truststore.location", "/t"),
                ("ssl.truststore.password", "p"),
            ],
            "SSL trust store password cannot be specified for PEM format.",
        ),
    ] {
        let refused = translated(props).unwrap_err();
        assert!(refused.ends_with(sentence), "{refused}");
    }
}

#[test]
fn what_is_no_store_is_refused() {
    let refused = |path: &str, kind: &str| {
        translated(&[("ssl.truststore.location", path), ("ssl.truststore.type", kind)]).unwrap_err()
    };
    assert!(refused("/dev/zero", "JKS").contains("it is no file"));
    assert!(refused("/nowhere.jks", "JKS").contains("ssl.truststore.location: /nowhere.jks: No such file"));
    assert!(refused("/a.bcfks", "BCFKS").contains("ssl.truststore.type: BCFKS stores cannot be read"));
    let (_file, path) = file(b"-----BEGIN GARBAGE-----");
    assert!(refused(&path, "PEM").contains("no certificate"));
}

#[test]
fn without_tls_stores_do_not_count() {
    let props = [("security.protocol", "SASL_PLAINTEXT"), ("ssl.truststore.location", "/nowhere.jks")];
    assert!(!translated(&props).unwrap().entries().keys().any(|name| name.ends_with("pem")));
}
