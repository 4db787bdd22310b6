//! Tokens of an OAuth issuer: fetched with the client credentials, kept until they are about to expire.
//!
//! Source: `OauthTokenCache`, Confluent 8.

use std::time::SystemTime;

use lakeward_api::config::Password;
use lakeward_oauth::{Claims, TokenError};
use tokio::sync::Mutex;

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
    lakeward_oauth::fetch(client, &oauth.asked).await.map_err(|error| match error {
        TokenError::Unreachable { message } => RegistryError::Unreachable { message },
        TokenError::Refused { .. } => RegistryError::Token {
            message: format!(
                "{error}; check bearer.auth.issuer.endpoint.url, bearer.auth.client.id and \
                 bearer.auth.client.secret"
            ),
            heals: error.heals(),
        },
        other => invalid(&other.to_string()),
    })
}

/// When the next token has to be fetched: after four fifths of this one's life, and before its last
/// [`OAuth::expiry_buffer`] if it lives longer than that.
fn good_until(token: &str, oauth: &OAuth, now: SystemTime) -> Result<SystemTime, RegistryError> {
    let claims = Claims::read(token).map_err(|error| invalid(&error.to_string()))?;
    let expires = claims.moment("exp").ok_or_else(|| invalid("the token has no claim exp"))?;
    let claim = &oauth.subject_claim;
    if claims.text(claim).is_none() {
        return Err(invalid(&format!("the token has no claim {claim}, see bearer.auth.sub.claim.name")));
    }
    let Ok(left) = expires.duration_since(now) else { return Ok(expires) };
    if left < oauth.expiry_buffer {
        return Ok(now + left.mul_f64(USED_SHARE));
    }
    let start = claims.moment("iat").filter(|start| *start <= expires).unwrap_or(now);
    let life = expires.duration_since(start).unwrap_or_default();
    Ok((start + life.mul_f64(USED_SHARE)).min(expires - oauth.expiry_buffer))
}

fn invalid(message: &str) -> RegistryError {
    RegistryError::Token { message: message.to_owned(), heals: false }
}

/// The share of a token's life in which it is used.
const USED_SHARE: f64 = 0.8;

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use lakeward_oauth::ClientCredentials;

    use super::*;

    fn oauth(buffer: u64) -> OAuth {
        OAuth {
            asked: ClientCredentials {
                endpoint: "http://issuer/token".parse().unwrap(),
                client_id: "id".to_owned(),
                client_secret: Password::new("secret"),
                scope: None,
                urlencode_header: false,
            },
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
