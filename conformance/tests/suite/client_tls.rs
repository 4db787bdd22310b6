//! Clients of Kafka over TLS with everything that Java reads: JKS stores, and keys in PEM form that are
//! encrypted. The broker asks its clients for certificates.
//!
//! Certificates are self-signed, for `localhost` and `127.0.0.1`, and valid for a hundred years.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::records::read_topic;
use lakeward_testkit::unique;
use lakeward_testkit::wait::wait_for;
use lakeward_testkit::worker::{LakewardWorker, Properties, distributed_properties};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(60);

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
/// A key, by `openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES`, which Java 17 reads; the password is `secret-pw`.
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

/// A broker with TLS, a worker that comes to it with a JKS store, and files for both.
struct Rig {
    broker: KafkaBroker,
    worker: LakewardWorker,
    folder: PathBuf,
    topic: String,
}

impl Drop for Rig {
    fn drop(&mut self) {
        // What is left behind is found and removed by hand; a test does not fail for it.
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn file(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    fs::write(&path, bytes).expect("temporary files can be written");
    path.display().to_string()
}

/// `ssl.*` of a client that trusts the broker, `prefix` in front.
fn trusting(folder: &Path, prefix: &str) -> Properties {
    let store = folder.join("trust.jks").display().to_string();
    let settings = [
        ("security.protocol", "SSL"),
        ("ssl.truststore.location", store.as_str()),
        ("ssl.truststore.password", "changeit"),
    ];
    settings.map(|(name, value)| (format!("{prefix}{name}"), value.to_owned())).into()
}

/// Its own certificate out of a JKS store.
fn own_store(folder: &Path, prefix: &str) -> Properties {
    let store = folder.join("key.jks").display().to_string();
    let settings = [("ssl.keystore.location", store.as_str()), ("ssl.keystore.password", "changeit")];
    settings.map(|(name, value)| (format!("{prefix}{name}"), value.to_owned())).into()
}

impl Rig {
    fn start() -> Self {
        let folder = std::env::temp_dir().join(unique("client-tls"));
        fs::create_dir_all(&folder).expect("temporary folders can be made");
        let store = STANDARD.decode(JKS_KEY).expect("the store is base64");
        let key = file(&folder, "key.jks", &store);
        let trusted = STANDARD.decode(JKS_TRUST).expect("the store is base64");
        file(&folder, "trust.jks", &trusted);
        file(&folder, "own.pem", format!("{ENCRYPTED_KEY}{CERTIFICATE}").as_bytes());
        // The broker trusts the certificate of the JKS store and that of the PEM file.
        let clients = file(&folder, "clients.jks", &both_trusted(&trusted));
        let broker = KafkaBroker::start_with(
            "SSL",
            &[
                ("ssl.keystore.location", &key),
                ("ssl.keystore.password", "changeit"),
                ("ssl.truststore.location", &clients),
                ("ssl.client.auth", "required"),
            ],
        )
        .expect("Apache Kafka starts");
        let topic = broker.create_topic("lines", 1).expect("the broker creates topics");
        let mut properties = distributed_properties(&broker);
        properties.push(("bootstrap.servers".to_owned(), broker.second().to_owned()));
        properties.extend(trusting(&folder, ""));
        properties.extend(own_store(&folder, ""));
        properties.extend(trusting(&folder, "producer."));
        let worker = LakewardWorker::start_distributed(&properties).expect("the worker starts");
        Self { broker, worker, folder, topic }
    }

    /// A source of one line whose producer has these settings besides the worker's.
    fn source(&self, line: &str, producer: &[(String, String)]) -> Value {
        let lines = file(&self.folder, line, format!("{line}\n").as_bytes());
        let mut config = json!({
            "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
            "tasks.max": "1", "file": lines, "topic": self.topic,
            "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        });
        for (name, value) in producer {
            config[format!("producer.override.{name}")] = json!(value);
        }
        config
    }

    fn encrypted(&self, password: &str) -> Properties {
        let own = self.folder.join("own.pem").display().to_string();
        let settings =
            [("ssl.keystore.type", "PEM"), ("ssl.keystore.location", &own), ("ssl.key.password", password)];
        settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    fn wait_for_line(&self, line: &str) {
        wait_for(&format!("{line} in the topic"), PATIENCE, || {
            let records = read_topic(&self.broker, &self.topic).expect("topics are readable");
            let found = records.iter().any(|record| record.value.as_deref() == Some(line.as_bytes()));
            if found { Ok(()) } else { Err(format!("{} others", records.len())) }
        });
    }
}

/// The trusted certificate of a JKS store and [`CERTIFICATE`] in one JKS store without a checksum that
/// counts: the broker opens it without a password.
fn both_trusted(store: &[u8]) -> Vec<u8> {
    let letters: String = CERTIFICATE.lines().filter(|line| !line.starts_with('-')).collect();
    let certificate = STANDARD.decode(letters).expect("the certificate is base64");
    let mut both = store[..store.len() - 20].to_vec();
    both[11] = 2;
    both.extend([0, 0, 0, 2, 0, 1, b'p', 0, 0, 0, 0, 0, 0, 0, 0, 0, 5]);
    both.extend(b"X.509");
    both.extend(u32::try_from(certificate.len()).expect("certificates are small").to_be_bytes());
    both.extend(certificate);
    both.extend([0; 20]);
    both
}

#[test]
fn clients_come_with_the_certificates_that_java_reads() {
    let rig = Rig::start();
    let from_store = unique("from-store");
    rig.worker.create(&from_store, &rig.source("from-store", &own_store(&rig.folder, "")));
    rig.wait_for_line("from-store");
    let from_pem = unique("from-pem");
    rig.worker.create(&from_pem, &rig.source("from-pem", &rig.encrypted("secret-pw")));
    rig.wait_for_line("from-pem");

    let refused = unique("refused");
    rig.worker.create(&refused, &rig.source("refused", &rig.encrypted("not-that-one")));
    let trace = rig.worker.wait_for_failure(&refused);
    let expected = "Invalid value for configuration ssl.key.password: the password is wrong or the private \
                    key is damaged";
    assert!(trace.contains(expected), "{trace}");
    for secret in ["not-that-one", "secret-pw", "changeit", "MIGxMBwGCiqGSIb3DQEMAQMw"] {
        assert!(!trace.contains(secret) && !rig.worker.log().contains(secret), "{secret} is shown");
    }
}
