//! An issuer of tokens for one client: what OAuth towards a registry is tried against.
//!
//! Tokens are JWTs signed with a key of the process. Source: RFC 6749 section 4.4, RFC 7515, RFC 7519.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use lakeward_api::config::Password;
use serde_json::{Value, json};

use super::request::Answer;

/// Where [`super::serve_with`] answers requests for tokens.
pub const TOKEN_PATH: &str = "/oauth/token";

/// Gives tokens to one client and knows its own.
#[derive(Debug)]
pub struct Issuer {
    client: Password,
    /// How long ago tokens were issued, as they say.
    age: Duration,
    /// How long tokens are good.
    lifetime: Duration,
    key: Mutex<hmac::Key>,
    issued: AtomicUsize,
}

impl Issuer {
    /// An issuer for `client` (`id:secret`), whose tokens are good for `lifetime` and say that they were
    /// issued `age` ago.
    pub fn new(client: Password, age: Duration, lifetime: Duration) -> Self {
        Self { client, age, lifetime, key: Mutex::new(new_key()), issued: AtomicUsize::new(0) }
    }

    /// How many tokens were given.
    pub fn issued(&self) -> usize {
        self.issued.load(Ordering::SeqCst)
    }

    /// Makes all tokens given so far worthless.
    pub fn revoke(&self) {
        *self.key.lock().unwrap_or_else(PoisonError::into_inner) = new_key();
    }

    /// The answer to a request for a token with the header `Authorization` and a form as its body.
    pub(super) fn answer(&self, authorization: Option<&[u8]>, body: &[u8]) -> Answer {
        let expected = format!("Basic {}", STANDARD.encode(self.client.expose()));
        if authorization != Some(expected.as_bytes()) {
            return failure(401, "invalid_client");
        }
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(body).into_owned().collect();
        let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        if value("grant_type") != Some("client_credentials") {
            return failure(400, "unsupported_grant_type");
        }
        self.issued.fetch_add(1, Ordering::SeqCst);
        let token = self.token(value("scope"));
        let body = json!({
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": self.lifetime.as_secs(),
        });
        Answer { status: hyper::StatusCode::OK, body: body.to_string() }
    }

    fn token(&self, scope: Option<&str>) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (issued, expires) = (now.saturating_sub(self.age), now + self.lifetime);
        let client = self.client.expose().split(':').next().unwrap_or_default();
        let claims =
            json!({"sub": client, "scope": scope, "iat": issued.as_secs(), "exp": expires.as_secs()});
        let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
        let signed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let key = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes())))
    }

    /// Whether the header `Authorization` brings a token of this issuer that has not expired.
    pub(super) fn accepts(&self, authorization: Option<&[u8]>) -> bool {
        let text = authorization.and_then(|header| std::str::from_utf8(header).ok());
        text.and_then(|text| self.expiry(text.strip_prefix("Bearer ")?)).is_some_and(|expires| {
            SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() < expires
        })
    }

    fn expiry(&self, token: &str) -> Option<u64> {
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let key = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        hmac::verify(&key, signed.as_bytes(), &signature).ok()?;
        let claims = URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()?;
        serde_json::from_slice::<Value>(&claims).ok()?["exp"].as_u64()
    }
}

fn new_key() -> hmac::Key {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system has random numbers");
    hmac::Key::new(hmac::HMAC_SHA256, &bytes)
}

fn failure(status: u16, error: &str) -> Answer {
    let status = hyper::StatusCode::from_u16(status).unwrap_or(hyper::StatusCode::BAD_REQUEST);
    Answer { status, body: json!({"error": error}).to_string() }
}
