//! Users and passwords of REST requests, from a properties file.
//!
//! The file is read once; an empty one lets everybody in. Passwords are never shown. Source:
//! `JaasBasicAuthFilter`, `PropertyFileLoginModule`, Kafka 4.1.

use std::path::Path;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use lakeward_api::config::ConfigMap;

use super::jaas;
use crate::herder::RequestError;
use crate::rest::answer::{Answer, Body};
use crate::worker_config::{WorkerConfig, properties};

/// The entry of login configurations that is for REST.
const LOGIN_ENTRY: &str = "KafkaConnect";
const MODULE: &str = "org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule";
/// The worker setting that names the login configuration.
const SETTING: &str = "lakeward.login.config";
/// How the JVM is told about it.
const OPTION: &str = "-Djava.security.auth.login.config=";

/// As Java's decoder: padding may be absent.
const DECODER: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Who may ask.
pub(super) struct BasicAuth(ConfigMap);

impl BasicAuth {
    /// Reads the login configuration that the worker file or `KAFKA_OPTS` names.
    pub(super) fn from_config(config: &WorkerConfig) -> Result<Self, String> {
        let options = std::env::var("KAFKA_OPTS").unwrap_or_default();
        let option = options.split_whitespace().find_map(|option| option.strip_prefix(OPTION));
        let given = config.props().get(SETTING).map(|path| path.trim()).filter(|path| !path.is_empty());
        let path = given.or(option).ok_or_else(|| {
            format!(
                "there is no login configuration; name its file with {SETTING}, or with {OPTION} in the \
                 environment variable KAFKA_OPTS"
            )
        })?;
        let text = read(Path::new(path))?;
        let problem = |problem: String| format!("login configuration {path}: {problem}");
        let modules = jaas::entry(&String::from_utf8_lossy(&text), LOGIN_ENTRY).map_err(problem)?;
        let modules = modules.ok_or_else(|| problem(format!("it has no entry {LOGIN_ENTRY}")))?;
        let [module] = modules.as_slice() else {
            return Err(problem(format!("entry {LOGIN_ENTRY} must have exactly one login module")));
        };
        if module.class != MODULE {
            return Err(problem(format!("only the login module {MODULE} is part of this worker")));
        }
        let file = module.options.iter().find(|(name, _)| name == "file").map(|(_, file)| file);
        let file = file.ok_or_else(|| problem("the login module needs the option file".to_owned()))?;
        let users = properties::parse(&read(Path::new(file))?)
            .map_err(|bad| format!("{file}, line {}: malformed \\uxxxx encoding", bad.line))?;
        Ok(Self(users))
    }

    /// Whether these headers are those of a known user; otherwise the answer.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Result<Box<Answer>, RequestError>> {
        let credentials = match credentials(headers) {
            Ok(credentials) => credentials,
            Err(problem) => return Err(Err(RequestError::Internal(problem))),
        };
        let is_known = credentials.is_some_and(|(user, password)| {
            self.0.get(&user).is_some_and(|known| same(known.as_bytes(), password.as_bytes()))
        });
        if is_known || self.0.is_empty() { Ok(()) } else { Err(Ok(Box::new(unauthorized()))) }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|err| format!("cannot read {}: {err}", path.display()))
}

/// User and password of a basic `Authorization`; the error is a body of a 500.
fn credentials(headers: &HeaderMap) -> Result<Option<(String, String)>, String> {
    let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some((scheme, encoded)) = given.and_then(|given| given.split_once(' ')) else { return Ok(None) };
    if !scheme.eq_ignore_ascii_case("Basic") {
        return Ok(None);
    }
    let bytes = DECODER.decode(encoded).map_err(|err| match err {
        base64::DecodeError::InvalidByte(_, byte) => format!("Illegal base64 character {byte:x}"),
        _ => "Last unit does not have enough valid bits".to_owned(),
    })?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned())))
}

/// Takes as long for every text of one length.
fn same(known: &[u8], given: &[u8]) -> bool {
    known.len() == given.len()
        && known.iter().zip(given).fold(0, |differs, (left, right)| differs | (left ^ right)) == 0
}

fn unauthorized() -> Answer {
    let mut answer =
        Response::new(Body::Whole(Full::new(Bytes::from_static(b"User cannot access the resource."))));
    *answer.status_mut() = StatusCode::UNAUTHORIZED;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(auth: &BasicAuth, header: Option<&str>) -> u16 {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert(AUTHORIZATION, HeaderValue::from_str(header).unwrap());
        }
        match auth.check(&headers) {
            Ok(()) => 200,
            Err(Ok(answer)) => answer.status().as_u16(),
            Err(Err(err)) => err.status(),
        }
    }

    #[test]
    fn only_known_users_pass() {
        let auth = BasicAuth(ConfigMap::from([("u".to_owned(), "p:1".to_owned())]));
        let cases = [
            (None, 401),
            (Some("Basic dTpwOjE="), 200),
            (Some("bAsIc dTpwOjE"), 200),
            (Some("Bearer dTpwOjE="), 401),
            (Some("Basic dTpw"), 401),
            (Some("Basic dQ=="), 401),
            (Some("Basic %%%"), 500),
        ];
        for (header, status) in cases {
            assert_eq!(outcome(&auth, header), status, "{header:?}");
        }
        assert_eq!(outcome(&BasicAuth(ConfigMap::new()), None), 200);
    }
}
