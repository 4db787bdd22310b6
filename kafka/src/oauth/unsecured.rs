//! Tokens that nobody signed, made from the options of the login module: for trying things out.
//!
//! Source: `OAuthBearerUnsecuredLoginCallbackHandler`, Kafka 4.1.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lakeward_api::config::{ConfigMap, Password};
use serde_json::{Map, Value, json};

use super::Token;
use crate::settings::with_prefix;

const OPTIONS: &str = "unsecuredLogin";
/// Java's default.
const LIFETIME_SECONDS: u64 = 3_600;

/// What the claims of each token are.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Unsecured {
    claims: Map<String, Value>,
    principal: String,
    lifetime: Duration,
}

impl Unsecured {
    /// Reads the options of the module.
    ///
    /// # Errors
    /// What Java logs when it makes no token of them.
    pub(super) fn parse(options: &ConfigMap) -> Result<Self, String> {
        let own = with_prefix(options, OPTIONS);
        let mut claims = Map::new();
        for (name, value) in with_prefix(&own, "StringClaim_") {
            claims.insert(name, Value::String(value));
        }
        for (name, value) in with_prefix(&own, "NumberClaim_") {
            let number: f64 = value.trim().parse().map_err(|_| format!("For input string: \"{value}\""))?;
            claims.insert(name, json!(number));
        }
        for (name, value) in with_prefix(&own, "ListClaim_") {
            claims.insert(name, list(&value));
        }
        if let Some(name) = ["iat", "exp"].into_iter().find(|name| claims.contains_key(*name)) {
            return Err(format!("Cannot explicitly set the '{name}' claim"));
        }
        let claim = own.get("PrincipalClaimName").map(|name| name.trim()).filter(|name| !name.is_empty());
        let claim = claim.unwrap_or("sub");
        let principal = claims.get(claim).and_then(Value::as_str).filter(|name| !name.trim().is_empty());
        let principal =
            principal.ok_or_else(|| format!("No principal name in JWT claim: {claim}"))?.to_owned();
        let lifetime =
            match own.get("LifetimeSeconds").map(|text| text.trim()).filter(|text| !text.is_empty()) {
                None => LIFETIME_SECONDS,
                Some(text) => {
                    let seconds =
                        text.parse().ok().filter(|seconds| (1..=u64::from(u32::MAX)).contains(seconds));
                    seconds.ok_or_else(|| format!("{OPTIONS}LifetimeSeconds must be positive: {text}"))?
                }
            };
        Ok(Self { claims, principal, lifetime: Duration::from_secs(lifetime) })
    }

    /// The SASL extensions among the options.
    pub(super) fn extensions(options: &ConfigMap) -> ConfigMap {
        with_prefix(options, "unsecuredLoginExtension_")
    }

    /// A token that begins now.
    pub(super) fn token(&self, now: SystemTime) -> Token {
        let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let mut claims = self.claims.clone();
        let expires = now + self.lifetime;
        claims.insert("iat".to_owned(), json!(seconds(now)));
        claims.insert("exp".to_owned(), json!(seconds(expires)));
        let section = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}.", section(json!({"alg": "none"})), section(Value::Object(claims)));
        Token { text: Password::new(text), principal: self.principal.clone(), issued: Some(now), expires }
    }
}

/// The first letter of a list parts its values.
fn list(text: &str) -> Value {
    let mut letters = text.chars();
    let Some(parts) = letters.next() else { return json!([]) };
    let values: Vec<&str> = letters.as_str().split(parts).collect();
    json!(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(options: &[(&str, &str)]) -> Result<Unsecured, String> {
        let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Unsecured::parse(&options.collect())
    }

    #[test]
    fn options_become_claims() {
        let made = parsed(&[
            ("unsecuredLoginStringClaim_user", "al"),
            ("unsecuredLoginPrincipalClaimName", "user"),
            ("unsecuredLoginNumberClaim_n", "1.5"),
            ("unsecuredLoginListClaim_scope", "|a|b"),
            ("unsecuredLoginLifetimeSeconds", "60"),
        ]);
        let token = made.unwrap().token(UNIX_EPOCH + Duration::from_secs(100));
        let sections: Vec<_> = token.text.expose().split('.').collect();
        let text = |section: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(section).unwrap()).unwrap();
        assert_eq!(text(sections[0]), r#"{"alg":"none"}"#);
        let claims: Value = serde_json::from_str(&text(sections[1])).unwrap();
        assert_eq!(claims, json!({"user": "al", "n": 1.5, "scope": ["a", "b"], "iat": 100.0, "exp": 160.0}));
        assert_eq!((sections.len(), sections[2], &*token.principal), (3, "", "al"));
    }

    /// Texts of Kafka 4.1.
    #[test]
    fn options_that_make_no_token_are_refused() {
        let sub = ("unsecuredLoginStringClaim_sub", "al");
        for (given, text) in [
            (&[][..], "No principal name in JWT claim: sub"),
            (&[sub, ("unsecuredLoginStringClaim_iat", "1")], "Cannot explicitly set the 'iat' claim"),
            (&[sub, ("unsecuredLoginNumberClaim_a", "y")], "For input string: \"y\""),
            (&[sub, ("unsecuredLoginLifetimeSeconds", "0")], "LifetimeSeconds must be positive: 0"),
        ] {
            let error = parsed(given).unwrap_err();
            assert!(error.contains(text), "{error}");
        }
    }
}
