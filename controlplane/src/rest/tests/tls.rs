//! Encrypted listeners, and the way to a leader that has one. The certificate is self-signed, for `localhost`
//! and `127.0.0.1`, and its own authority.

use std::sync::Arc;

use lakeward_kafka::membership::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::rig::Rig;
use crate::rest::FindLeader;
use crate::rest::tls::TlsSettings;
use crate::worker_config::WorkerMode;

pub(crate) const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\n\
    MIIBmTCCAT6gAwIBAgIUSx9QUrhbqx4YMJxgTysvYIA/OSUwCgYIKoZIzj0EAwIw\n\
    FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTEyMTEyOFoYDzIxMjYxMDI4\n\
    MTIxMTI4WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO\n\
    PQMBBwNCAAQprSdgVkSklBvZYE5LC5TDRHfwS/lBmi1P4A7KA5WA9+Fw5WSjT6IV\n\
    IPneupfHVZPQlaEkz2TkBmeihtjrv5NGo2wwajAdBgNVHQ4EFgQUlaNgDYzQKP55\n\
    gSFdLaxWikZCNCowHwYDVR0jBBgwFoAUlaNgDYzQKP55gSFdLaxWikZCNCowDAYD\n\
    VR0TAQH/BAIwADAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZIzj0E\n\
    AwIDSQAwRgIhAJghQJYjiqVWK5enQKhzVLBCUI7Nup8fh9CfmlBg96btAiEA6u+I\n\
    ych7eM8WO+B+bf0SZmx+KcXOcSXfzIqqVEqjwdI=\n\
    -----END CERTIFICATE-----";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgLebpdhrxU9uoFoWR\n\
    7RjszCxxajY1nmRlzPqeq3rWEyChRANCAAQprSdgVkSklBvZYE5LC5TDRHfwS/lB\n\
    mi1P4A7KA5WA9+Fw5WSjT6IVIPneupfHVZPQlaEkz2TkBmeihtjrv5NG\n\
    -----END PRIVATE KEY-----";
/// The key, by `openssl pkcs8 -topk8`; the password is `secret-pw`.
const ENCRYPTED_KEY: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n\
    MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhy8UKhkM99hwICCAAw\n\
    DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEKeV0I+OSKsUEgmWOSVQRdoEgZBk\n\
    ttF/sPnWSsi6l/d+q4V1qRCQMIpeUN38XXCzlSd/0Fw7XHomo2NER5j1/sCuidk4\n\
    8NDxEzTafU1NgbyZVDo6QYS2y9OWE/d//3MyXndLse69RxKCNq/nvKa8ODVgfzUb\n\
    74JLDSoZJUkid6oX0GfeMuYywYrckViKdyGF7EktKZJ9RjpaI6+1j9cvpzq3A5c=\n\
    -----END ENCRYPTED PRIVATE KEY-----";

/// Settings of a worker with one encrypted listener; `auth` is what it asks of clients.
fn settings(auth: &'static str) -> Vec<(&'static str, &'static str)> {
    vec![
        ("listeners", "https://127.0.0.1:0"),
        ("listeners.https.ssl.keystore.certificate.chain", CERTIFICATE),
        ("listeners.https.ssl.keystore.key", KEY),
        ("listeners.https.ssl.truststore.certificates", CERTIFICATE),
        ("listeners.https.ssl.client.auth", auth),
    ]
}

/// GET `/connectors` as a client that has a certificate or none; the status, or how the connection failed.
async fn get(rig: &Rig, has_certificate: bool) -> Result<String, String> {
    let request = "GET /connectors HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = exchange(rig, has_certificate, request).await?;
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}

async fn exchange(rig: &Rig, has_certificate: bool, request: &str) -> Result<String, String> {
    let mut props = rig.herder.config().props().clone();
    if !has_certificate {
        props.retain(|name, _| !name.contains("keystore"));
    }
    let tls = TlsSettings::new(&props, "listeners.https.").client()?;
    let stream = TcpStream::connect(rig.address).await.map_err(|err| err.to_string())?;
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(tls).connect(name, stream).await.map_err(|err| err.to_string())?;
    stream.write_all(request.as_bytes()).await.map_err(|err| err.to_string())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.map_err(|err| err.to_string())?;
    Ok(answer)
}

#[tokio::test]
async fn what_was_made_is_at_an_encrypted_address() {
    let rig = Rig::new(WorkerMode::Distributed, &settings("none")).await;
    let body = r#"{"name":"a","config":{"connector.class":"ProbeSink","topics":"t","flush.size":"3"}}"#;
    let request = format!(
        "POST /connectors HTTP/1.1\r\nHost: localhost:8443\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = exchange(&rig, false, &request).await.unwrap().to_ascii_lowercase();
    assert!(answer.contains("\r\nlocation: https://localhost:8443/connectors/a\r\n"), "{answer}");
}

#[tokio::test]
async fn clients_show_certificates_where_they_must() {
    for (auth, without, with) in [("none", true, true), ("requested", true, true), ("required", false, true)]
    {
        let rig = Rig::new(WorkerMode::Distributed, &settings(auth)).await;
        for (has_certificate, is_served) in [(false, without), (true, with)] {
            let answer = get(&rig, has_certificate).await;
            let served = answer.as_ref().is_ok_and(|line| line == "HTTP/1.1 200 OK");
            assert_eq!(served, is_served, "{auth} {has_certificate}: {answer:?}");
        }
        assert_eq!(rig.blurt(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await, 0, "plain text is no TLS");
    }
}

#[tokio::test]
async fn an_encrypted_leader_is_reached_by_those_who_trust_it() {
    let leader = Rig::new(WorkerMode::Distributed, &settings("required")).await;
    let url = format!("https://{}/", leader.address);
    let find: FindLeader = Arc::new(move || Box::pin(std::future::ready(Some(url.clone()))));
    let mut own = settings("required");
    own.retain(|(name, _)| *name != "listeners");
    for (own, status) in [(own.as_slice(), 404), (&[], 500)] {
        let follower = Rig::starting(WorkerMode::Distributed, own).await;
        follower.role.send_replace(Role::Follower);
        follower.open_with(Arc::clone(&find));
        let reply = follower.send("DELETE", "/connectors/absent", "", "").await;
        assert_eq!(reply.status, status, "{reply:?}");
    }
}

#[tokio::test]
async fn the_key_of_a_listener_may_be_encrypted() {
    let inline = [
        ("listeners", "https://127.0.0.1:0"),
        ("listeners.https.ssl.keystore.certificate.chain", CERTIFICATE),
        ("listeners.https.ssl.keystore.key", ENCRYPTED_KEY),
        ("listeners.https.ssl.key.password", "secret-pw"),
        ("listeners.https.ssl.truststore.certificates", CERTIFICATE),
    ];
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{ENCRYPTED_KEY}\n{CERTIFICATE}\n")).unwrap();
    let path = file.path().display().to_string();
    let from_file = [
        ("listeners", "https://127.0.0.1:0"),
        ("listeners.https.ssl.keystore.type", "PEM"),
        ("listeners.https.ssl.keystore.location", &path),
        ("listeners.https.ssl.key.password", "secret-pw"),
        ("listeners.https.ssl.truststore.certificates", CERTIFICATE),
    ];
    for settings in [inline, from_file] {
        let rig = Rig::new(WorkerMode::Distributed, &settings).await;
        assert_eq!(get(&rig, false).await.as_deref(), Ok("HTTP/1.1 200 OK"), "{settings:?}");
    }
}

#[tokio::test]
async fn problems_name_the_setting() {
    let problem = |settings: &[(&str, &str)]| {
        let props = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        TlsSettings::new(&props.collect(), "listeners.https.").server().unwrap_err()
    };
    let chain = ("ssl.keystore.certificate.chain", CERTIFICATE);
    let key = ("ssl.keystore.key", KEY);
    for (settings, part) in [
        (&[][..], "ssl.keystore.location is missing"),
        (&[chain], "must be set together"),
        (&[("ssl.keystore.location", "/absent.jks")], "ssl.keystore.location=/absent.jks: "),
        (&[chain, key, ("ssl.client.auth", "required")], "ssl.truststore.location is missing"),
        (&[chain, key, ("ssl.client.auth", "perhaps")], "use none, requested or required"),
        (&[chain, key, ("ssl.enabled.protocols", "SSLv3")], "use TLSv1.2 or TLSv1.3"),
        (&[("ssl.keystore.key", "-----"), chain], "holds no private key"),
        (&[("ssl.keystore.key", ENCRYPTED_KEY), chain], "ssl.key.password: the private key is encrypted"),
        (
            &[("ssl.keystore.key", ENCRYPTED_KEY), chain, ("ssl.key.password", "not-that")],
            "ssl.key.password: the password is wrong or the private key is damaged",
        ),
    ] {
        let text = problem(settings);
        assert!(text.contains(part), "{text}");
    }
}
