//! Tokens of an OAuth issuer, fetched with client credentials, and what they say about themselves.
//!
//! Owns one exchange with an issuer. Must not know who uses the token, when to fetch the next one, or how
//! often to repeat: registries and Kafka's clients have rules of their own.
//!
//! Source: RFC 6749 section 4.4; `HttpJwtRetriever` and `ClientJwtValidator`, Kafka 4.1.

mod claims;
pub mod transport;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lakeward_api::config::Password;
use serde_json::Value;
use url::Url;

pub use claims::{Claims, NoClaims};

/// Longest answer of an issuer that is read, in bytes; Java's limit.
const ANSWER_BYTES_MAX: usize = 1_000_000;

/// Who asks whom for a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCredentials {
    /// An http or https URL.
    pub endpoint: Url,
    /// The client.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Password,
    /// What the token is for.
    pub scope: Option<String>,
    /// Whether client and secret are URL-encoded before they go into the header, as RFC 6749 section 2.3.1
    /// wants and few issuers do.
    pub urlencode_header: bool,
}

/// A token that was not given. No text holds a secret or the URL, whose query may be private; what an issuer
/// said is shortened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The answer cannot be used: asking again does not help.
    #[error("{message}")]
    Answer {
        /// What is wrong with it.
        message: &'static str,
    },
    /// The issuer refused.
    #[error("the issuer answered HTTP {status} ({error})")]
    Refused {
        /// HTTP status.
        status: u16,
        /// `error` of the body.
        error: String,
        /// `error_description` of the body, empty when there is none.
        description: String,
    },
    /// The exchange failed.
    #[error("{message}")]
    Unreachable {
        /// What was met.
        message: String,
    },
}

impl TokenError {
    /// Whether the same question may be answered better later.
    pub fn heals(&self) -> bool {
        match self {
            Self::Answer { .. } => false,
            // Source: the status codes that `HttpJwtRetriever` does not repeat.
            Self::Refused { status, .. } => {
                !matches!(status, 400..=407 | 409..=417 | 422 | 423 | 426 | 428 | 431 | 451)
            }
            Self::Unreachable { .. } => true,
        }
    }
}

/// Asks once for a token.
///
/// # Errors
/// See [`TokenError`]. Dropping the future ends the exchange.
pub async fn fetch(client: &reqwest::Client, asked: &ClientCredentials) -> Result<Password, TokenError> {
    let request = client
        .post(asked.endpoint.clone())
        .header("Accept", "application/json")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Authorization", authorization(asked))
        .body(form(asked));
    let unreachable = |error| TokenError::Unreachable { message: transport::causes(error) };
    let mut response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(TokenError::Answer { message: "the issuer's answer is longer than 1 MB" });
        }
        body.extend_from_slice(&chunk);
    }
    let answer: Option<Value> = serde_json::from_slice(&body).ok();
    if !status.is_success() {
        let text = |name: &str| answer.as_ref().and_then(|answer| answer[name].as_str()).map(shortened);
        return Err(TokenError::Refused {
            status: status.as_u16(),
            error: text("error").unwrap_or_else(|| "no reason given".to_owned()),
            description: text("error_description").unwrap_or_default(),
        });
    }
    let answer = answer.ok_or(TokenError::Answer { message: "the issuer's answer is not JSON" })?;
    let token = answer["access_token"].as_str().map(str::trim).filter(|token| !token.is_empty());
    token.map(Password::new).ok_or(TokenError::Answer { message: "the issuer's answer has no access_token" })
}

/// The value of the `Authorization` header.
fn authorization(asked: &ClientCredentials) -> String {
    let part = |text: &str| match asked.urlencode_header {
        true => url::form_urlencoded::byte_serialize(text.as_bytes()).collect(),
        false => text.to_owned(),
    };
    let both = format!("{}:{}", part(&asked.client_id), part(asked.client_secret.expose()));
    format!("Basic {}", STANDARD.encode(both))
}

fn form(asked: &ClientCredentials) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    if let Some(scope) = &asked.scope {
        form.append_pair("scope", scope);
    }
    form.finish()
}

/// The start of a text from outside.
fn shortened(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(urlencode_header: bool) -> ClientCredentials {
        ClientCredentials {
            endpoint: "http://issuer/token".parse().unwrap(),
            client_id: "a:ä".to_owned(),
            client_secret: Password::new("b c"),
            scope: Some("s t".to_owned()),
            urlencode_header,
        }
    }

    /// What Kafka 4.1 sends.
    #[test]
    fn requests_are_those_of_java() {
        assert_eq!(authorization(&asked(true)), "Basic YSUzQSVDMyVBNDpiK2M=");
        assert_eq!(authorization(&asked(false)), "Basic YTrDpDpiIGM=");
        assert_eq!(form(&asked(false)), "grant_type=client_credentials&scope=s+t");
    }

    #[test]
    fn what_java_does_not_repeat_does_not_heal() {
        let refused =
            |status| TokenError::Refused { status, error: String::new(), description: String::new() };
        assert!(!refused(401).heals() && !refused(404).heals());
        assert!(refused(408).heals() && refused(429).heals() && refused(503).heals());
    }
}
