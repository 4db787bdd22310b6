//! A token and where it comes from.
//!
//! Source: `ClientCredentialsJwtRetriever`, `FileJwtRetriever`, `ClientJwtValidator`, Kafka 4.1.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use lakeward_api::config::Password;
use lakeward_oauth::transport::{self, Transport};
use lakeward_oauth::{Claims, ClientCredentials, TokenError};

use super::refresh::Retry;
use super::unsecured::Unsecured;

/// Longest file that is read as a token, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A token as clients get it.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) text: Password,
    /// Whom it is for; the broker has the last word.
    pub(crate) principal: String,
    pub(super) issued: Option<SystemTime>,
    pub(crate) expires: SystemTime,
}

/// Where tokens come from.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Source {
    File { path: PathBuf, subject_claim: String },
    Issuer(Box<Issuer>),
    Unsecured(Unsecured),
}

/// A server that gives tokens.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Issuer {
    pub(super) asked: ClientCredentials,
    pub(super) connect: Duration,
    pub(super) read: Duration,
    /// In PEM form.
    pub(super) trusted: Option<String>,
    /// Certificates and key in PEM form.
    pub(super) identity: Option<Password>,
    pub(super) subject_claim: String,
}

impl Source {
    /// A new token, after repeated questions where that may help.
    ///
    /// # Errors
    /// What is wrong and which setting to look at. Holds no secret.
    pub(super) async fn obtain(&self, retry: Retry) -> Result<Token, String> {
        match self {
            Self::File { path, subject_claim } => read_token(path, subject_claim),
            Self::Issuer(issuer) => issuer.obtain(retry).await,
            Self::Unsecured(unsecured) => Ok(unsecured.token(SystemTime::now())),
        }
    }
}

impl Issuer {
    async fn obtain(&self, retry: Retry) -> Result<Token, String> {
        let client = self.client()?;
        let began = Instant::now();
        let mut attempt = 1;
        // The first problem is told, as in Java: later ones may only follow from it.
        let mut problem = None;
        loop {
            let error = match lakeward_oauth::fetch(&client, &self.asked).await {
                Ok(text) => return judged(text, &self.subject_claim),
                Err(error) => error,
            };
            let pause = error.heals().then(|| retry.pause(attempt, began.elapsed())).flatten();
            let first = problem.get_or_insert_with(|| told(&error));
            let Some(pause) = pause else { return Err(first.clone()) };
            tracing::debug!(attempt, %error, "no token yet");
            attempt += 1;
            tokio::time::sleep(pause).await;
        }
    }

    fn client(&self) -> Result<reqwest::Client, String> {
        let builder = transport::builder(Transport {
            connect: self.connect,
            read: self.read,
            trusted: self.trusted.as_deref(),
            identity: self.identity.as_ref().map(Password::expose),
            verify_host: true,
        });
        let builder = builder.map_err(|unusable| unusable.problem)?;
        builder.build().map_err(transport::causes)
    }
}

/// The text about a refused question, with the settings to look at.
fn told(error: &TokenError) -> String {
    let settings = match error {
        TokenError::Refused { status: 400 | 401 | 403, .. } => {
            "sasl.oauthbearer.token.endpoint.url and clientId, clientSecret and scope of sasl.jaas.config"
        }
        _ => "sasl.oauthbearer.token.endpoint.url",
    };
    let text = match error {
        TokenError::Refused { status, error, description } => format!(
            "The response code {status} and error response {{\"{error}\" - \"{description}\"}} was \
             encountered reading the token endpoint response"
        ),
        other => other.to_string(),
    };
    format!("{text}; check {settings}")
}

fn read_token(path: &Path, subject_claim: &str) -> Result<Token, String> {
    let problem = |problem: &str| {
        let path = path.display();
        format!("{path}: {problem}; check sasl.oauthbearer.token.endpoint.url")
    };
    let metadata = fs::metadata(path).map_err(|err| problem(&err.to_string()))?;
    if !metadata.is_file() || metadata.len() > FILE_BYTES_MAX {
        return Err(problem("it is no file of at most 1 MiB"));
    }
    let text = fs::read_to_string(path).map_err(|err| problem(&err.to_string()))?;
    judged(Password::new(text.trim()), subject_claim)
}

/// What Java's client wants of a token before it shows it to a broker.
fn judged(text: Password, subject_claim: &str) -> Result<Token, String> {
    let claims = Claims::read(text.expose()).map_err(|_| {
        "Malformed JWT provided; expected three sections (header, payload, and signature)".to_owned()
    })?;
    let principal = claims.text(subject_claim).ok_or_else(|| {
        format!("the token has no claim {subject_claim}, see sasl.oauthbearer.sub.claim.name")
    })?;
    let expires = claims.moment("exp").ok_or("the token has no claim exp")?;
    if expires <= SystemTime::now() {
        return Err(
            "the token has expired already; check the clocks of this host and of the one that issued it"
                .to_owned(),
        );
    }
    let (principal, issued) = (principal.to_owned(), claims.moment("iat"));
    Ok(Token { principal, issued, expires, text })
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn problem(claims: &str) -> String {
        let token = format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims));
        judged(Password::new(token), "sub").unwrap_err()
    }

    #[test]
    fn tokens_that_no_broker_would_take_are_refused_without_being_shown() {
        assert!(problem(r#"{"sub":"a"}"#).contains("no claim exp"));
        assert!(problem(r#"{"exp":9e9}"#).contains("no claim sub"));
        assert!(problem(r#"{"sub":"a","exp":9}"#).contains("expired already"));
        let opaque = judged(Password::new("open-sesame"), "sub").unwrap_err();
        assert!(opaque.contains("Malformed JWT") && !opaque.contains("sesame"), "{opaque}");
    }

    #[test]
    fn a_file_that_is_no_token_names_the_setting() {
        for path in ["/nowhere/token", "/dev/zero", "/"] {
            let error = read_token(Path::new(path), "sub").unwrap_err();
            assert!(error.contains(path) && error.contains("token.endpoint.url"), "{error}");
        }
    }
}
