//! Users and passwords of REST requests, from a properties file.
//!
//! The file is read once; an empty one lets everybody in, one that cannot be read nobody. Passwords are never
//! shown. Source: `JaasBasicAuthFilter`, `PropertyFileLoginModule`, `LoginContext`, Kafka 4.1 and Java 17.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use lakeward_api::config::ConfigMap;

use super::jaas;
use crate::herder::RequestError;
use crate::java_base64;
use crate::rest::answer::{Answer, Body};
use crate::worker_config::{WorkerConfig, properties};

/// The entry of login configurations that is for REST, and the one for whatever has none of its own.
const LOGIN_ENTRIES: [&str; 2] = ["KafkaConnect", "other"];
const MODULE: &str = "org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule";
/// The worker setting that names the login configuration.
const SETTING: &str = "lakeward.login.config";
/// How the JVM is told about it.
const OPTION: &str = "-Djava.security.auth.login.config=";

/// Who may ask.
pub(super) struct BasicAuth(Option<UserFile>);

/// Users and passwords. While the file cannot be read it is tried again with every request, as Java does.
struct UserFile {
    path: PathBuf,
    users: OnceLock<ConfigMap>,
}

impl UserFile {
    fn users(&self) -> Result<&ConfigMap, String> {
        if let Some(users) = self.users.get() {
            return Ok(users);
        }
        let users = properties::parse(&read(&self.path)?).map_err(|bad| {
            format!("{}, line {}: malformed \\uxxxx encoding", self.path.display(), bad.line)
        })?;
        Ok(self.users.get_or_init(|| users))
    }
}

impl BasicAuth {
    /// Reads the login configuration that the worker file or `KAFKA_OPTS` names.
    ///
    /// # Errors
    /// A sentence: the login configuration cannot be read, or it asks for what is not part of this worker.
    pub(super) fn from_config(config: &WorkerConfig) -> Result<Self, String> {
        Self::from_login(config.props())
    }

    fn from_login(props: &ConfigMap) -> Result<Self, String> {
        let options = std::env::var("KAFKA_OPTS").unwrap_or_default();
        let option = options.split_whitespace().find_map(|option| option.strip_prefix(OPTION));
        let given = props.get(SETTING).map(|path| path.trim()).filter(|path| !path.is_empty());
        let path = given.or(option).ok_or_else(|| {
            format!(
                "there is no login configuration; name its file with {SETTING}, or with {OPTION} in the \
                 environment variable KAFKA_OPTS"
            )
        })?;
        let text = read(Path::new(path))?;
        let problem = |problem: String| format!("login configuration {path}: {problem}");
        let text = String::from_utf8_lossy(&text);
        let mut modules = Vec::new();
        for entry in LOGIN_ENTRIES {
            if modules.is_empty() {
                modules = jaas::entry(&text, entry).map_err(problem)?.unwrap_or_default();
            }
        }
        let module = match modules.as_slice() {
            [] => return Ok(Self::nobody(&format!("{path} has no login module for {}", LOGIN_ENTRIES[0]))),
            [module] => module,
            _ => {
                let [entry, _] = LOGIN_ENTRIES;
                return Err(problem(format!("entry {entry} must have exactly one login module")));
            }
        };
        if module.class != MODULE {
            return Err(problem(format!("only the login module {MODULE} is part of this worker")));
        }
        let file = module.options.iter().find(|(name, _)| name == "file").map(|(_, file)| file.as_str());
        let Some(file) = file.filter(|file| !file.trim().is_empty()) else {
            return Ok(Self::nobody(&format!("the login module in {path} has no option file")));
        };
        let file = UserFile { path: file.into(), users: OnceLock::new() };
        if let Err(problem) = file.users() {
            tracing::error!(%problem, "nobody can log in: the file of users cannot be read");
        }
        Ok(Self(Some(file)))
    }

    fn nobody(problem: &str) -> Self {
        tracing::error!(%problem, "nobody can log in");
        Self(None)
    }

    /// Whether these headers are those of a known user; otherwise the answer.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Result<Box<Answer>, RequestError>> {
        let credentials = match credentials(headers) {
            Ok(credentials) => credentials,
            Err(problem) => return Err(Err(RequestError::Internal(problem))),
        };
        let users = self.0.as_ref().and_then(|file| file.users().ok());
        let may_pass = users.is_some_and(|users| {
            let is_known = credentials.is_some_and(|(user, password)| {
                users.get(&user).is_some_and(|known| same(known.as_bytes(), password.as_bytes()))
            });
            is_known || users.is_empty()
        });
        if may_pass { Ok(()) } else { Err(Ok(Box::new(unauthorized()))) }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|err| format!("cannot read {}: {err}", path.display()))
}

/// User and password of a basic `Authorization`; the error is a body of a 500. Java joins several headers.
fn credentials(headers: &HeaderMap) -> Result<Option<(String, String)>, String> {
    let given: Vec<&[u8]> = headers.get_all(AUTHORIZATION).iter().map(HeaderValue::as_bytes).collect();
    let given = given.join(&b","[..]);
    let Some(space) = given.iter().position(|byte| *byte == b' ') else { return Ok(None) };
    let (scheme, encoded) = (&given[..space], &given[space + 1..]);
    if !scheme.eq_ignore_ascii_case(b"Basic") {
        return Ok(None);
    }
    let bytes = java_base64::decode(encoded)?;
    let text = String::from_utf8_lossy(&bytes);
    let credentials = text.split_once(':').filter(|(user, _)| !user.is_empty());
    Ok(credentials.map(|(user, password)| (user.to_owned(), password.to_owned())))
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

    fn of(users: ConfigMap) -> BasicAuth {
        BasicAuth(Some(UserFile { path: PathBuf::new(), users: users.into() }))
    }

    /// The guard of a worker with this login configuration; `@` stands for the folder.
    fn configured(folder: &Path, login: &str) -> Result<BasicAuth, String> {
        let file = folder.join("login.conf");
        let login = login.replace('@', folder.to_str().unwrap()).replace("MODULE", MODULE);
        std::fs::write(&file, login).unwrap();
        let props = ConfigMap::from([(SETTING.to_owned(), file.to_str().unwrap().to_owned())]);
        BasicAuth::from_login(&props)
    }

    #[test]
    fn only_known_users_pass() {
        let auth = of(ConfigMap::from([("u".to_owned(), "p:1".to_owned())]));
        let cases = [
            (None, 401),
            (Some("Basic dTpwOjE="), 200),
            (Some("bAsIc dTpwOjE"), 200),
            (Some("Bearer dTpwOjE="), 401),
            (Some("Basic dTpw"), 401),
            (Some("Basic dQ=="), 401),
            (Some("Basic OnA="), 401),
            (Some("Basic %%%"), 500),
        ];
        for (header, status) in cases {
            assert_eq!(outcome(&auth, header), status, "{header:?}");
        }
        assert_eq!(outcome(&of(ConfigMap::new()), None), 200);
    }

    #[test]
    fn users_that_cannot_be_read_are_nobody() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("bad"), "u=\\u12x").unwrap();
        for login in [
            r#"KafkaConnect { MODULE required file="@/absent"; };"#,
            r#"KafkaConnect { MODULE required file="@"; };"#,
            r#"KafkaConnect { MODULE required file="@/bad"; };"#,
            r#"KafkaConnect { MODULE required file=" "; };"#,
            "KafkaConnect { MODULE required; };",
            "KafkaConnect { };",
            r#"Other { MODULE required file="@/bad"; };"#,
            "",
        ] {
            let auth = configured(folder.path(), login).unwrap();
            assert_eq!(outcome(&auth, None), 401, "{login}");
            assert_eq!(outcome(&auth, Some("Basic dTpw")), 401, "{login}");
            assert_eq!(outcome(&auth, Some("Basic %%%")), 500, "{login}");
        }
        for login in ["KafkaConnect {", "KafkaConnect { no.Such required; };"] {
            assert!(configured(folder.path(), login).is_err(), "{login}");
        }
    }

    #[test]
    fn users_may_come_later_and_stay() {
        let folder = tempfile::tempdir().unwrap();
        let auth = configured(folder.path(), r#"other { MODULE required file="@/users"; };"#).unwrap();
        assert_eq!(outcome(&auth, Some("Basic dTpw")), 401);
        std::fs::write(folder.path().join("users"), "u=p").unwrap();
        assert_eq!(outcome(&auth, Some("Basic dTpw")), 200);
        std::fs::write(folder.path().join("users"), "u=other").unwrap();
        assert_eq!(outcome(&auth, Some("Basic dTpw")), 200);
    }
}
