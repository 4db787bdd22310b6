//! Trouble with connections that does not heal by itself: the library goes on trying, Java's producer gives
//! up.
//!
//! Source: `AuthenticationException` and its kinds, `NetworkClient`, Kafka 4.1.

use lakeward_api::{ConnectError, ErrorClass};
use rdkafka::types::RDKafkaErrorCode as Code;

/// The end of a producer's work, in Java's words, when the library's report says that its connections are
/// refused. `reason` is the library's text.
pub(super) fn permanent(code: Code, reason: &str) -> Option<ConnectError> {
    if let Some((_, why)) = reason.split_once(NO_TOKEN) {
        let java = "org.apache.kafka.common.KafkaException";
        let error = ConnectError::new(ErrorClass::Fatal, java, "Failed to construct kafka producer");
        let login = "javax.security.auth.login.LoginException";
        return Some(error.with_source(ConnectError::new(ErrorClass::Fatal, login, why)));
    }
    // The library reports connections that broke during a handshake under the same codes.
    if ["Disconnected", "transport failure", "Timed out", "timed out"].iter().any(|cut| reason.contains(cut))
    {
        return None;
    }
    let (java, message) = match code {
        Code::UnsupportedSASLMechanism => (UNSUPPORTED_MECHANISM, plain(reason)),
        Code::Authentication if reason.contains("Unsupported SASL mechanism") => {
            (UNSUPPORTED_MECHANISM, plain(reason))
        }
        Code::Authentication | Code::SaslAuthenticationFailed => {
            ("org.apache.kafka.common.errors.SaslAuthenticationException", plain(reason))
        }
        Code::SSL => {
            ("org.apache.kafka.common.errors.SslAuthenticationException", "SSL handshake failed".to_owned())
        }
        _ => return None,
    };
    let error = ConnectError::new(ErrorClass::Fatal, java, message);
    Some(if code == Code::SSL {
        error.with_source(ConnectError::new(
            ErrorClass::Fatal,
            "javax.net.ssl.SSLHandshakeException",
            plain(reason),
        ))
    } else {
        error
    })
}

/// The library's words for a client that was given no token.
const NO_TOKEN: &str = "Failed to acquire SASL OAUTHBEARER token: ";
const UNSUPPORTED_MECHANISM: &str = "org.apache.kafka.common.errors.UnsupportedSaslMechanismException";

/// What the broker said, without the library's address and state around it.
fn plain(reason: &str) -> String {
    let text = match reason.split_once("SASL authentication error: ") {
        Some((_, text)) => text,
        // `sasl_plaintext://host:9092/bootstrap: text`
        None => match reason.split_once(": ") {
            Some((address, text)) if address.contains("://") => text,
            _ => reason,
        },
    };
    text.split(" (after ").next().unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_credentials_are_told_in_javas_words() {
        let reason = "sasl_plaintext://b:9094/bootstrap: SASL authentication error: Authentication failed: \
                      Invalid username or password (after 301ms in state AUTH_REQ, 1 identical error(s) \
                      suppressed)";
        let error = permanent(Code::Authentication, reason).unwrap();
        assert_eq!(
            error.trace(),
            "org.apache.kafka.common.errors.SaslAuthenticationException: Authentication failed: Invalid \
             username or password\n"
        );
        assert_eq!(error.class(), ErrorClass::Fatal);
    }

    #[test]
    fn certificates_that_do_not_fit_are_permanent() {
        let reason = "ssl://b:9093/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate \
                      verify failed: broker certificate could not be verified (after 9ms in state \
                      SSL_HANDSHAKE)";
        let error = permanent(Code::SSL, reason).unwrap();
        assert!(error.trace().starts_with(
            "org.apache.kafka.common.errors.SslAuthenticationException: SSL handshake failed\nCaused by: \
             javax.net.ssl.SSLHandshakeException: SSL handshake failed: error:0A000086"
        ));
    }

    #[test]
    fn a_producer_without_a_token_ends_also_when_its_issuer_timed_out() {
        let reason = "Failed to acquire SASL OAUTHBEARER token: operation timed out; check the URL";
        let error = permanent(Code::Authentication, reason).unwrap();
        assert_eq!(
            error.trace(),
            "org.apache.kafka.common.KafkaException: Failed to construct kafka producer\nCaused by: \
             javax.security.auth.login.LoginException: operation timed out; check the URL\n"
        );
    }

    #[test]
    fn what_may_heal_is_left_to_the_library() {
        for (code, reason) in [
            (
                Code::SSL,
                "ssl://b:9093/bootstrap: SSL handshake failed: Disconnected: connecting to a PLAINTEXT",
            ),
            (
                Code::Authentication,
                "x://b/1: SASL PLAIN mechanism handshake failed: Local: Broker transport failure",
            ),
            (Code::AllBrokersDown, "1/1 brokers are down"),
            (Code::Resolve, "b:9092: Failed to resolve 'b:9092'"),
        ] {
            assert!(permanent(code, reason).is_none(), "{reason}");
        }
    }
}
