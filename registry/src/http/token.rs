//! Tokens of an OAuth issuer: fetched with the client credentials, kept until they are about to expire.
//!
//! Source: RFC 6749 section 4.4; `HttpJwtRetriever` and `ClientJwtValidator` of Kafka, `OauthTokenCache` of
//! Confluent 8.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lakeward_api::config::Password;
use serde_json::Value;
use tokio::sync::Mutex;

use super::connection::{read, unreachable};
use crate::RegistryError;
use crate::settings::OAuth;

/// The token of one converter.
#[derive(Default)]
pub(super) struct Tokens {
    /// The token in use. Whoever finds none fetches one while the others wait for it.
    current: Mutex<Option<Token>>,
}

struct Token {
    text: Password,
    /// From then on a new one is fetched.
    until: SystemTime,
}

impl Tokens {
    /// A token that is good now.
    pub(super) async fn get(
        &self,
        client: &reqwest::Client,
        oauth: &OAuth,
    ) -> Result<Password, RegistryError> {
        let mut current = self.current.lock().await;
        if let Some(token) = current.as_ref().filter(|token| SystemTime::now() < token.until) {
            return Ok(token.text.clone());
        }
        let text = fetch(client, oauth).await?;
        let until = good_until(text.expose(), oauth, SystemTime::now())?;
        *current = Some(Token { text: text.clone(), until });
        Ok(text)
    }

    /// Forgets `refused`, which the registry did not take.
    pub(super) async fn forget(&self, refused: &Password) {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(|token| token.text == *refused) {
            *current = None;
        }
    }
}

async fn fetch(client: &reqwest::Client, oauth: &OAuth) -> Result<Password, RegistryError> {
    let request = client
        .post(oauth.endpoint.clone())
        .header("Accept", "application/json")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .basic_auth(&oauth.client_id, Some(oauth.client_secret.expose()))
        .body(form(oauth));
    let response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    let body = read(response).await?;
    if !status.is_success() {
        let found: Option<Value> = serde_json::from_slice(&body).ok();
        let why = found.as_ref().and_then(|body| body["error"].as_str()).unwrap_or("no reason given");
        return Err(RegistryError::Token {
            message: format!(
                "the issuer answered HTTP {status} ({}); check bearer.auth.issuer.endpoint.url, \
                 bearer.auth.client.id and bearer.auth.client.secret",
                shortened(why)
            ),
            // Source: the status codes that `HttpJwtRetriever` does not repeat.
            heals: !matches!(status.as_u16(), 400..=407 | 409..=417 | 422 | 423 | 426 | 428 | 431 | 451),
        });
    }
    let answer: Value =
        serde_json::from_slice(&body).map_err(|_| invalid("the issuer's answer is not JSON"))?;
    let token = answer["access_token"].as_str().map(str::trim).filter(|token| !token.is_empty());
    token.map(Password::new).ok_or_else(|| invalid("the issuer's answer has no access_token"))
}

fn form(oauth: &OAuth) -> String {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    if let Some(scope) = &oauth.scope {
        form.append_pair("scope", scope);
    }
    form.finish()
}

/// When the next token has to be fetched: after four fifths of this one's life, and before its last
/// [`OAuth::expiry_buffer`] if it lives longer than that.
fn good_until(token: &str, oauth: &OAuth, now: SystemTime) -> Result<SystemTime, RegistryError> {
    let payload =
        token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok());
    let claims: Value = payload
        .and_then(|payload| serde_json::from_slice(&payload).ok())
        .ok_or_else(|| invalid("the token is no JWT"))?;
    let moment = |name: &str| {
        let seconds = claims[name].as_f64().filter(|seconds| (0.0..=1e11).contains(seconds))?;
        Some(UNIX_EPOCH + Duration::from_secs_f64(seconds))
    };
    let expires = moment("exp").ok_or_else(|| invalid("the token has no claim exp"))?;
    let claim = &oauth.subject_claim;
    if claims[claim].as_str().is_none_or(|subject| subject.trim().is_empty()) {
        return Err(invalid(&format!("the token has no claim {claim}, see bearer.auth.sub.claim.name")));
    }
    let Ok(left) = expires.duration_since(now) else { return Ok(expires) };
    if left < oauth.expiry_buffer {
        return Ok(now + left.mul_f64(USED_SHARE));
    }
    let start = moment("iat").filter(|start| *start <= expires).unwrap_or(now);
    let life = expires.duration_since(start).unwrap_or_default();
    Ok((start + life.mul_f64(USED_SHARE)).min(expires - oauth.expiry_buffer))
}

fn invalid(message: &str) -> RegistryError {
    RegistryError::Token { message: message.to_owned(), heals: false }
}

/// The start of a text from outside.
fn shortened(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(100).collect()
}

/// The share of a token's life in which it is used.
const USED_SHARE: f64 = 0.8;

#[cfg(test)]
mod tests {
    use super::*;

    fn oauth(buffer: u64) -> OAuth {
        OAuth {
            endpoint: "http://issuer/token".parse().unwrap(),
            client_id: "id".to_owned(),
            client_secret: Password::new("secret"),
            scope: None,
            subject_claim: "sub".to_owned(),
            expiry_buffer: Duration::from_secs(buffer),
        }
    }

    fn seconds(claims: &str, buffer: u64, now: u64) -> Result<u64, String> {
        let token = format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims));
        let until = good_until(&token, &oauth(buffer), UNIX_EPOCH + Duration::from_secs(now));
        let until = until.map_err(|error| error.to_string())?;
        Ok(until.duration_since(UNIX_EPOCH).unwrap().as_secs())
    }

    #[test]
    fn a_token_is_used_for_four_fifths_of_its_life_but_not_in_the_buffer_before_its_end() {
        assert_eq!(seconds(r#"{"sub":"a","iat":1000,"exp":2000}"#, 10, 1000), Ok(1800));
        assert_eq!(seconds(r#"{"sub":"a","iat":1000,"exp":2000}"#, 300, 1100), Ok(1700));
        assert_eq!(seconds(r#"{"sub":"a","exp":2000}"#, 10, 1500), Ok(1900));
        // A buffer longer than the life that is left.
        assert_eq!(seconds(r#"{"sub":"a","exp":1100}"#, 300, 1000), Ok(1080));
        assert_eq!(seconds(r#"{"sub":"a","exp":900}"#, 300, 1000), Ok(900));
    }

    #[test]
    fn tokens_that_cannot_be_judged_are_refused_without_being_shown() {
        for claims in
            [r#"{"sub":"a"}"#, r#"{"exp":5}"#, r#"{"sub":" ","exp":5}"#, "x", r#"{"sub":"a","exp":1e300}"#]
        {
            let error = seconds(claims, 0, 0).unwrap_err();
            assert!(!error.contains("e30"), "{error}");
        }
        assert!(good_until("opaque", &oauth(0), UNIX_EPOCH).is_err());
    }
}
