//! Clients of Kafka that log in with SASL/OAUTHBEARER: tokens that nobody signed, and those of an issuer that
//! the broker checks with the issuer's keys.
//!
//! The issuer is a small HTTP server of the test; its tokens live for twelve seconds and the broker wants a
//! fresh one of each connection before that.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use lakeward_testkit::broker::KafkaBroker;
use lakeward_testkit::unique;
use lakeward_testkit::wait::wait_for;
use lakeward_testkit::worker::{LakewardWorker, Properties, distributed_properties};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(90);
const MODULE: &str = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required";
const HANDLER: &str = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler";
const VALIDATOR: &str = "org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler";
const CHECKER: &str = "org.apache.kafka.common.security.oauthbearer.BrokerJwtValidator";
const LIFETIME_SECONDS: u64 = 12;

/// A server that gives tokens for client credentials.
struct Issuer {
    port: u16,
    given: Arc<Mutex<HashMap<String, Vec<String>>>>,
    /// What the broker checks tokens with.
    keys: Value,
}

impl Issuer {
    fn start() -> Self {
        let new = || EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("keys can be made");
        let (own, other) = (new(), new());
        let point = own.public_key().as_ref()[1..].to_vec();
        let half = |half: &[u8]| URL_SAFE_NO_PAD.encode(half);
        let keys = json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "k", "use": "sig", "alg": "ES256",
            "x": half(&point[..32]), "y": half(&point[32..])}]});
        let listener = TcpListener::bind("127.0.0.1:0").expect("ports are free");
        let port = listener.local_addr().expect("it is bound").port();
        let given = Arc::new(Mutex::new(HashMap::<String, Vec<String>>::new()));
        let told = Arc::clone(&given);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(client) = authorized(&stream) else {
                    answer(stream, "401 Unauthorized", &json!({"error": "invalid_client"}));
                    continue;
                };
                let token = token(if client == "stranger" { &other } else { &own }, &client);
                told.lock().expect("no test panics here").entry(client).or_default().push(token.clone());
                answer(stream, "200 OK", &json!({"access_token": token, "expires_in": LIFETIME_SECONDS}));
            }
        });
        Self { port, given, keys }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/token", self.port)
    }

    fn tokens(&self, client: &str) -> Vec<String> {
        self.given.lock().expect("no test panics here").get(client).cloned().unwrap_or_default()
    }
}

/// The client of a request whose secret is right.
fn authorized(stream: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let (mut client, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(": ").unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "authorization" => {
                let pair = STANDARD.decode(value.strip_prefix("Basic ")?).ok()?;
                let pair = String::from_utf8(pair).ok()?;
                client = pair.strip_suffix(":open-sesame").map(str::to_owned);
            }
            "content-length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    client.filter(|_| body == b"grant_type=client_credentials&scope=kafka")
}

fn answer(mut stream: TcpStream, status: &str, body: &Value) {
    let body = body.to_string();
    let length = body.len();
    // A client that went away needs no answer.
    drop(write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"));
}

fn token(key: &EcdsaKeyPair, client: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs();
    let claims = json!({"sub": client, "aud": "kafka", "iat": now, "exp": now + LIFETIME_SECONDS});
    let header = json!({"alg": "ES256", "kid": "k"});
    let section = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", section(&header), section(&claims));
    let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).expect("texts can be signed");
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn secured(client: &str, secret: &str, url: &str) -> Vec<(&'static str, String)> {
    let jaas = format!("{MODULE} clientId=\"{client}\" clientSecret=\"{secret}\" scope=\"kafka\";");
    vec![
        ("security.protocol", "SASL_PLAINTEXT".to_owned()),
        ("sasl.mechanism", "OAUTHBEARER".to_owned()),
        ("sasl.jaas.config", jaas),
        ("sasl.login.callback.handler.class", HANDLER.to_owned()),
        ("sasl.oauthbearer.token.endpoint.url", url.to_owned()),
        ("sasl.login.refresh.window.factor", "0.5".to_owned()),
        ("sasl.login.refresh.min.period.seconds", "0".to_owned()),
        ("sasl.login.refresh.buffer.seconds", "0".to_owned()),
        ("sasl.login.retry.backoff.max.ms", "500".to_owned()),
    ]
}

/// A worker whose own clients and those of its connectors log in like this.
fn worker(broker: &KafkaBroker, login: &[(&str, String)]) -> LakewardWorker {
    let mut properties: Properties = distributed_properties(broker);
    properties.push(("bootstrap.servers".to_owned(), broker.second().to_owned()));
    for prefix in ["", "producer.", "consumer.", "admin."] {
        properties.extend(login.iter().map(|(name, value)| (format!("{prefix}{name}"), value.clone())));
    }
    LakewardWorker::start_distributed(&properties).expect("the worker starts")
}

/// Lines that a source reads, a topic, and what a sink made of it.
struct Copied {
    folder: PathBuf,
    topic: String,
    names: [String; 2],
}

impl Drop for Copied {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

impl Copied {
    fn start(broker: &KafkaBroker, worker: &LakewardWorker) -> Self {
        let folder = std::env::temp_dir().join(unique("client-oauth"));
        fs::create_dir_all(&folder).expect("temporary folders can be made");
        let topic = broker.create_topic("lines", 1).expect("the broker creates topics");
        let copied = Self { folder, topic, names: [unique("from"), unique("to")] };
        copied.append("first");
        worker.create(&copied.names[0], &copied.source(&[]));
        let sink = copied.config("org.apache.kafka.connect.file.FileStreamSinkConnector", "to", "topics");
        worker.create(&copied.names[1], &sink);
        copied.wait_for("first");
        copied
    }

    fn config(&self, class: &str, file: &str, topic: &str) -> Value {
        json!({
            "connector.class": class, "tasks.max": "1", "file": self.file(file), topic: self.topic,
            "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        })
    }

    fn source(&self, producer: &[(&str, String)]) -> Value {
        let class = "org.apache.kafka.connect.file.FileStreamSourceConnector";
        let mut config = self.config(class, "from", "topic");
        for (name, value) in producer {
            config[format!("producer.override.{name}")] = json!(value);
        }
        config
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn append(&self, line: &str) {
        let file = OpenOptions::new().create(true).append(true).open(self.file("from"));
        writeln!(file.expect("the file opens"), "{line}").expect("the file grows");
    }

    fn wait_for(&self, line: &str) {
        wait_for(&format!("{line} in the sink's file"), PATIENCE, || {
            let text = fs::read_to_string(self.file("to")).unwrap_or_default();
            if text.lines().any(|found| found == line) { Ok(()) } else { Err(text) }
        });
    }
}

#[test]
fn clients_log_in_with_tokens_that_nobody_signed() {
    let jaas = format!("{MODULE} unsecuredLoginStringClaim_sub=\"broker\";");
    let broker = KafkaBroker::start_with(
        "SASL_PLAINTEXT",
        &[
            ("sasl.enabled.mechanisms", "OAUTHBEARER"),
            ("listener.name.sasl_plaintext.oauthbearer.sasl.jaas.config", &jaas),
        ],
    );
    let broker = broker.expect("Apache Kafka starts");
    let login = [
        ("security.protocol", "SASL_PLAINTEXT".to_owned()),
        ("sasl.mechanism", "OAUTHBEARER".to_owned()),
        ("sasl.jaas.config", format!("{MODULE} unsecuredLoginStringClaim_sub=\"worker\";")),
    ];
    let worker = worker(&broker, &login);
    let copied = Copied::start(&broker, &worker);

    let refused = unique("no-principal");
    let jaas = ("sasl.jaas.config", format!("{MODULE} unsecuredLoginStringClaim_user=\"worker\";"));
    worker.create(&refused, &copied.source(&[jaas]));
    let trace = worker.wait_for_failure(&refused);
    assert!(trace.contains("Failed to construct kafka producer"), "{trace}");
    assert!(trace.contains("No principal name in JWT claim: sub"), "{trace}");
}

fn broker_of(issuer: &Issuer, folder: &Path) -> KafkaBroker {
    let keys = folder.join("keys.json");
    fs::write(&keys, issuer.keys.to_string()).expect("temporary files can be written");
    let url = format!("file://{}", keys.display());
    let settings = [
        ("sasl.enabled.mechanisms", "OAUTHBEARER"),
        ("listener.name.sasl_plaintext.oauthbearer.sasl.jaas.config", &format!("{MODULE};")),
        ("listener.name.sasl_plaintext.oauthbearer.sasl.server.callback.handler.class", VALIDATOR),
        // The default looks at no signature.
        ("sasl.oauthbearer.jwt.validator.class", CHECKER),
        ("listener.name.sasl_plaintext.oauthbearer.connections.max.reauth.ms", "60000"),
        ("sasl.oauthbearer.jwks.endpoint.url", &url),
        ("sasl.oauthbearer.expected.audience", "kafka"),
    ];
    let options = format!("-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={url}");
    KafkaBroker::start_with_options("SASL_PLAINTEXT", &settings, &options).expect("Apache Kafka starts")
}

#[test]
fn clients_log_in_with_tokens_of_an_issuer_and_replace_them_before_they_end() {
    let issuer = Issuer::start();
    let folder = tempfile::tempdir().expect("temporary folders can be made");
    let broker = broker_of(&issuer, folder.path());
    let worker = worker(&broker, &secured("worker", "open-sesame", &issuer.url()));
    let copied = Copied::start(&broker, &worker);

    // What is refused, and why; the URL that is not allowed is not asked.
    let fails = |name: &str, login: &[(&str, String)], expected: &str| {
        let name = unique(name);
        worker.create(&name, &copied.source(login));
        let trace = worker.wait_for_failure(&name);
        assert!(trace.contains(expected), "{name}: {trace}");
    };
    let url = issuer.url();
    fails("wrong-secret", &secured("other", "wrong-one", &url), "The response code 401");
    fails("wrong-key", &secured("stranger", "open-sesame", &url), "invalid_token");
    let elsewhere = format!("{url}/elsewhere");
    fails(
        "elsewhere",
        &secured("stray", "open-sesame", &elsewhere),
        "cannot be accessed due to restrictions",
    );
    assert!(!issuer.tokens("stranger").is_empty() && issuer.tokens("stray").is_empty());

    // The third token is fetched when the first one has ended: connections that go on have replaced it.
    let (seen, wanted) = (issuer.tokens("worker").len(), 3);
    wait_for("new tokens", PATIENCE, || {
        let count = issuer.tokens("worker").len() - seen;
        if count >= wanted { Ok(()) } else { Err(format!("{count} of {wanted}")) }
    });
    copied.append("later");
    copied.wait_for("later");
    for name in &copied.names {
        worker.wait_for_state(name, "RUNNING", 1);
    }
    let log = worker.log();
    let tokens = issuer.tokens("worker");
    assert!(!log.contains("open-sesame") && !log.contains("wrong-one"), "a secret is in the log");
    assert!(tokens.iter().all(|token| !log.contains(token)), "a token is in the log");
}
