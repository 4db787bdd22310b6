//! Certificates and keys of a client: everything Java reads, handed to the library as PEM in memory.
//!
//! Owns the settings `ssl.keystore.*`, `ssl.truststore.*` and `ssl.key.password`, and what Java refuses about
//! them. They count only where TLS is in use, as in Java. Keys leave no trace outside this process' memory.
//! Files are read when a client is made, as the library does with the files that it reads itself.
//!
//! Source: `DefaultSslEngineFactory`, Kafka 4.1.

use lakeward_api::config::ConfigMap;
use lakeward_keystore::{Contents, KeyProblem, Passwords, plain_certificates, plain_key};

use super::{ClientSettings, setting_error};
use crate::KafkaError;

const CHAIN: &str = "ssl.keystore.certificate.chain";
const KEY: &str = "ssl.keystore.key";
const KEY_PASSWORD: &str = "ssl.key.password";
const KEYSTORE: &str = "ssl.keystore";
const TRUSTSTORE: &str = "ssl.truststore";
const TRUSTED: &str = "ssl.truststore.certificates";

/// Reads the stores that `props` names.
///
/// # Errors
/// Class `Config`, naming the setting: settings that exclude each other, a file that cannot be read, a wrong
/// password. Never holds a secret.
pub(super) fn apply(props: &ConfigMap, settings: &mut ClientSettings) -> Result<(), KafkaError> {
    let protocol = props.get("security.protocol").map_or("", |protocol| protocol.trim());
    if !protocol.to_ascii_uppercase().ends_with("SSL") {
        return Ok(());
    }
    if let Some(trusted) = trust(props)? {
        settings.set("ssl.ca.pem", trusted);
    }
    if let Some((chain, key)) = identity(props)? {
        settings.set("ssl.certificate.pem", chain);
        settings.set("ssl.key.pem", key);
    }
    Ok(())
}

/// Certificates that are trusted, in PEM form; `None` leaves it to the system's.
pub(crate) fn trust(props: &ConfigMap) -> Result<Option<String>, KafkaError> {
    let store = Store::new(props, TRUSTSTORE);
    if let Some(inline) = text(props, TRUSTED) {
        store.is_inline("trust certificates", "trust store certs")?;
        return plain_certificates(inline).map(Some).map_err(|problem| setting_error(TRUSTED, problem));
    }
    let Some(path) = store.location else {
        return if store.password.is_some() { Err(store.no_location()) } else { Ok(None) };
    };
    let certificates = if store.is_pem() {
        store.forbid_password()?;
        plain_certificates(&store.text(path, store.read(path)?)?)
    } else {
        let bytes = store.read(path)?;
        // Without a password the checksum is not looked at, as in Java.
        let password = store.password.unwrap_or_default();
        Contents::read(&bytes, Passwords { store: password, key: password })
            .map(|contents| contents.certificates())
            .and_then(
                |found| if found.is_empty() { Err("it holds no certificate".to_owned()) } else { Ok(found) },
            )
    };
    certificates.map(Some).map_err(|problem| store.problem(path, &problem))
}

/// The certificates of this client and its key, in PEM form.
pub(crate) fn identity(props: &ConfigMap) -> Result<Option<(String, String)>, KafkaError> {
    let store = Store::new(props, KEYSTORE);
    let key_password = text(props, KEY_PASSWORD);
    match (text(props, KEY), text(props, CHAIN)) {
        (Some(key), Some(chain)) => {
            store.is_inline("private key", "private key")?;
            let chain = plain_certificates(chain).map_err(|problem| setting_error(CHAIN, problem))?;
            let key = plain_key(key, key_password).map_err(|problem| key_error(KEY, None, problem))?;
            return Ok(Some((chain, key)));
        }
        (Some(_), None) => {
            return Err(setting_error(
                CHAIN,
                "SSL private key is specified, but certificate chain is not specified.",
            ));
        }
        (None, Some(_)) => {
            return Err(setting_error(
                KEY,
                "SSL certificate chain is specified, but private key is not specified",
            ));
        }
        (None, None) => {}
    }
    let Some(path) = store.location else {
        return if store.password.is_some() { Err(store.no_location()) } else { Ok(None) };
    };
    if store.is_pem() {
        store.forbid_password()?;
        let pem = store.text(path, store.read(path)?)?;
        let chain = plain_certificates(&pem).map_err(|problem| store.problem(path, &problem))?;
        let name = store.setting("location");
        let key = plain_key(&pem, key_password).map_err(|problem| key_error(&name, Some(path), problem))?;
        return Ok(Some((chain, key)));
    }
    let Some(password) = store.password else {
        let problem = "SSL key store is specified, but key store password is not specified.";
        return Err(setting_error(&store.setting("password"), problem));
    };
    let passwords = Passwords { store: password, key: key_password.unwrap_or(password) };
    let contents =
        Contents::read(&store.read(path)?, passwords).map_err(|problem| store.problem(path, &problem))?;
    let key = contents.key().map_err(|problem| store.problem(path, &problem))?;
    Ok(Some((contents.chain(), key)))
}

fn key_error(name: &str, path: Option<&str>, problem: KeyProblem) -> KafkaError {
    match (problem, path) {
        (KeyProblem::Password(problem), _) => setting_error(KEY_PASSWORD, problem),
        (KeyProblem::Key(problem), Some(path)) => setting_error(name, format!("{path}: {problem}")),
        (KeyProblem::Key(problem), None) => setting_error(name, problem),
    }
}

/// What the settings say about one store.
struct Store<'a> {
    name: &'static str,
    location: Option<&'a str>,
    kind: String,
    password: Option<&'a str>,
}

impl<'a> Store<'a> {
    fn new(props: &'a ConfigMap, name: &'static str) -> Self {
        let setting = |key: &str| format!("{name}.{key}");
        Self {
            name,
            location: text(props, &setting("location")),
            kind: text(props, &setting("type")).unwrap_or("JKS").to_owned(),
            password: text(props, &setting("password")),
        }
    }

    fn setting(&self, key: &str) -> String {
        format!("{}.{key}", self.name)
    }

    fn is_pem(&self) -> bool {
        self.kind == "PEM"
    }

    /// Java's word for it.
    fn word(&self) -> &'static str {
        if self.name == KEYSTORE { "key store" } else { "trust store" }
    }

    /// The store is in the settings themselves, as `what`: Java wants nothing else to be told about it.
    fn is_inline(&self, what: &str, short: &str) -> Result<(), KafkaError> {
        let word = self.word();
        if !self.is_pem() {
            let problem =
                format!("SSL {short} can be specified only for PEM, but {word} type is {}.", self.kind);
            return Err(setting_error(&self.setting("type"), problem));
        }
        if self.location.is_some() {
            let problem = format!("Both SSL {word} location and separate {what} are specified.");
            return Err(setting_error(&self.setting("location"), problem));
        }
        self.forbid_password()
    }

    fn forbid_password(&self) -> Result<(), KafkaError> {
        let problem = match self.password {
            None => return Ok(()),
            Some(_) if self.name == KEYSTORE => {
                "SSL key store password cannot be specified with PEM format, only key password may be \
                 specified."
            }
            Some(_) => "SSL trust store password cannot be specified for PEM format.",
        };
        Err(setting_error(&self.setting("password"), problem))
    }

    fn no_location(&self) -> KafkaError {
        let word = self.word();
        let problem = format!("SSL {word} is not specified, but {word} password is specified.");
        setting_error(&self.setting("location"), problem)
    }

    /// The bytes of the file, if its type is one that can be read.
    fn read(&self, path: &str) -> Result<Vec<u8>, KafkaError> {
        let kind = self.kind.to_ascii_uppercase();
        if !self.is_pem() && !["JKS", "PKCS12"].contains(&kind.as_str()) {
            let problem = format!("{} stores cannot be read; use JKS, PKCS12 or PEM", self.kind);
            return Err(setting_error(&self.setting("type"), problem));
        }
        // Whoever writes a connector may name any file: one that has no end is none.
        let metadata = std::fs::metadata(path).map_err(|err| self.problem(path, &err.to_string()))?;
        if !metadata.is_file() || metadata.len() > BYTES_MAX {
            return Err(self.problem(path, &format!("it is no file of at most {BYTES_MAX} bytes")));
        }
        std::fs::read(path).map_err(|err| self.problem(path, &err.to_string()))
    }

    fn text(&self, path: &str, bytes: Vec<u8>) -> Result<String, KafkaError> {
        String::from_utf8(bytes).map_err(|_| self.problem(path, "it is not text in PEM form"))
    }

    fn problem(&self, path: &str, problem: &str) -> KafkaError {
        setting_error(&self.setting("location"), format!("{path}: {problem}"))
    }
}

/// All authorities that browsers trust take a tenth of it.
const BYTES_MAX: u64 = 16 << 20;

fn text<'a>(props: &'a ConfigMap, name: &str) -> Option<&'a str> {
    props.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests;
