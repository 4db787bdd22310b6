//! What workers ask of each other, signed with the session key of the config topic.
//!
//! Workers of this kind need no such requests: the leader runs everything. Requests of others are checked as
//! Java checks them; a rightly signed one comes from a worker that left the group, and is a conflict. A
//! standalone worker refuses them all.
//!
//! Source: `InternalClusterResource`, `InternalRequestSignature`,
//! `DistributedHerder#requestNotSignedProperly`, Kafka 4.1.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use http::request::Parts;

use super::answer::Answer;
use crate::herder::{Herder, RequestError};
use crate::worker_config::WorkerMode;

const SIGNATURE: &str = "X-Connect-Authorization";
const ALGORITHM: &str = "X-Connect-Request-Signature-Algorithm";

pub(super) fn serve(herder: &Herder, head: &Parts, body: &[u8]) -> Result<Answer, RequestError> {
    if herder.config().mode() == WorkerMode::Standalone {
        let unsupported = match head.method {
            Method::PUT => "exactly-once source connectors",
            _ => "externally setting task configurations",
        };
        let message = format!("Kafka Connect in standalone mode does not support {unsupported}.");
        return Err(RequestError::Internal(message));
    }
    let bad = |text: String| RequestError::BadRequest(text);
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(signature), Some(name)) = (header(SIGNATURE), header(ALGORITHM)) else {
        return Err(bad("Internal request missing required signature".to_owned()));
    };
    let algorithm = algorithm(name).ok_or_else(|| bad(format!("Algorithm {name} not available")))?;
    let signature = STANDARD.decode(signature).map_err(|err| {
        bad(match err {
            base64::DecodeError::InvalidByte(_, byte) => format!("Illegal base64 character {byte:x}"),
            _ => "Last unit does not have enough valid bits".to_owned(),
        })
    })?;
    let key = herder.view().config(|state| state.session_key().cloned()).ok_or_else(|| {
        RequestError::Unavailable(
            "The worker is still starting up and has not been able to read a session key from the config \
             topic yet"
                .to_owned(),
        )
    })?;
    let key = STANDARD.decode(&key.key).unwrap_or_default();
    let is_valid = hmac::verify(&hmac::Key::new(algorithm, &key), body, &signature).is_ok();
    Err(if is_valid {
        RequestError::Conflict(
            "Cannot complete request because of a conflicting operation (e.g. worker rebalance)".to_owned(),
        )
    } else {
        RequestError::Forbidden("Internal request contained invalid signature.".to_owned())
    })
}

fn algorithm(name: &str) -> Option<hmac::Algorithm> {
    let known = [
        ("HmacSHA1", hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
        ("HmacSHA224", hmac::HMAC_SHA224),
        ("HmacSHA256", hmac::HMAC_SHA256),
        ("HmacSHA384", hmac::HMAC_SHA384),
        ("HmacSHA512", hmac::HMAC_SHA512),
    ];
    known.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, algorithm)| algorithm)
}
