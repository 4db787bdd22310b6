//! What a token says about itself, unverified: only brokers and registries can judge that.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// The claims of a JWT.
#[derive(Debug)]
pub struct Claims(Value);

/// The text is no JWT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token is no JWT")]
pub struct NoClaims;

impl Claims {
    /// Reads the claims of `token`.
    ///
    /// # Errors
    /// When it does not consist of three sections, or the second one is not JSON in base64.
    pub fn read(token: &str) -> Result<Self, NoClaims> {
        let mut sections = token.split('.');
        let (Some(_), Some(claims), Some(_), None) =
            (sections.next(), sections.next(), sections.next(), sections.next())
        else {
            return Err(NoClaims);
        };
        let bytes = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).map_err(|_| NoClaims)?;
        serde_json::from_slice(&bytes).map(Self).map_err(|_| NoClaims)
    }

    /// A claim that is seconds since 1970: `exp`, `iat`.
    pub fn moment(&self, name: &str) -> Option<SystemTime> {
        let seconds = self.0[name].as_f64().filter(|seconds| (0.0..=1e11).contains(seconds))?;
        Some(UNIX_EPOCH + Duration::from_secs_f64(seconds))
    }

    /// A claim that is a text with more than white space.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0[name].as_str().filter(|text| !text.trim().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_jwt_has_no_claims() {
        for token in ["", "opaque", "e30.e30", "e30.e30.x.y", "e30.?.x", "e30.eA.x"] {
            assert_eq!(Claims::read(token).err(), Some(NoClaims), "{token}");
        }
        let claims = Claims::read("e30.eyJzdWIiOiAiYSIsICJleHAiOiAxLjV9.").unwrap();
        assert_eq!(claims.text("sub"), Some("a"));
        assert_eq!(claims.moment("exp"), Some(UNIX_EPOCH + Duration::from_millis(1500)));
        assert_eq!(claims.moment("iat"), None);
    }
}
