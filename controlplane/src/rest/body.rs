//! Request bodies: bounded reading, and JSON read the way Java's mapper reads it.
//!
//! Every malformed body is a 500 whose message is that of Java's mapper.
//!
//! Source: `CreateConnectorRequest`, `ConnectorsResource`, and answers of a live worker, Kafka 4.1.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use lakeward_controlplane_core::Properties;
use lakeward_controlplane_core::config_log::TargetState;

use super::bind;
use super::bind_offsets::{self, RawOffsets};
use super::jackson::{Malformed, Tokens};
use crate::herder::RequestError;

/// The largest body, bytes. Configurations are kilobytes.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Reads a body within `limit`; the error is the status to answer.
pub(super) async fn read<B>(body: B, limit: Duration) -> Result<Bytes, StatusCode>
where
    B: hyper::body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    // A length that is declared is refused before its bytes are awaited.
    if body.size_hint().lower() > BODY_BYTES_MAX as u64 {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    match tokio::time::timeout(limit, Limited::new(body, BODY_BYTES_MAX).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(err)) if err.is::<LengthLimitError>() => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

/// A checked POST /connectors.
#[derive(Debug)]
pub(super) struct CreateRequest {
    /// Trimmed; empty when absent.
    pub(super) name: String,
    /// As sent, without an added `name`.
    pub(super) config: Properties,
    /// Target state to begin with.
    pub(super) initial_state: Option<TargetState>,
}

/// Reads POST /connectors.
pub(super) fn create_request(body: &[u8]) -> Result<CreateRequest, RequestError> {
    let absent = |method: &str, variable: &str| {
        RequestError::Internal(format!("Cannot invoke \"{method}\" because \"{variable}\" is null"))
    };
    let raw = whole(body, bind::CREATE_REQUEST, bind::create_request)?
        .ok_or_else(|| absent(&format!("{}.name()", bind::CREATE_REQUEST), "createRequest"))?;
    let config = raw.config.ok_or_else(|| absent(MAP_GET, "connectorConfig"))?;
    let name = raw.name.unwrap_or_default().trim().to_owned();
    Ok(CreateRequest { name, config, initial_state: raw.initial_state })
}

/// Reads a flat configuration map.
pub(super) fn config_map(body: &[u8]) -> Result<Properties, RequestError> {
    patch_map(body)?.ok_or_else(|| {
        let message = format!("Cannot invoke \"{MAP_GET}\" because \"connectorConfig\" is null");
        RequestError::Internal(message)
    })
}

/// Reads a flat configuration map that may be absent: Java looks at the connector first.
pub(super) fn patch_map(body: &[u8]) -> Result<Option<Properties>, RequestError> {
    whole(body, "java.util.Map", bind::config)
}

/// Reads the task configurations that a worker generated; `None` when they are null. What follows them is not
/// looked at, as in Java.
pub(super) fn task_configs(body: &[u8]) -> Result<Option<Vec<Properties>>, RequestError> {
    let mut tokens = Tokens::new(body);
    match tokens.next() {
        Ok(None) => {
            return Err(RequestError::Internal(
                "No content to map due to end-of-input\n at [Source: REDACTED \
                 (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1]"
                    .to_owned(),
            ));
        }
        Ok(Some(_)) => bind::task_configs(&mut tokens),
        Err(malformed) => Err(malformed),
    }
    .map_err(|malformed| RequestError::Internal(malformed.text()))
}

/// Reads offsets; the inner list is `None` when the member is absent.
pub(super) fn offsets(body: &[u8]) -> Result<Option<Option<RawOffsets>>, RequestError> {
    whole(body, bind_offsets::OFFSETS, bind_offsets::offsets)
}

/// Reads the map with a log level.
pub(super) fn level_map(body: &[u8]) -> Result<Properties, RequestError> {
    patch_map(body)?.ok_or_else(|| {
        let message = format!("Cannot invoke \"{MAP_GET}\" because \"levelMap\" is null");
        RequestError::Internal(message)
    })
}

const MAP_GET: &str = "java.util.Map.get(Object)";

/// Reads the one value of a body as a `class`; `None` when it is null or there is none.
fn whole<T>(
    body: &[u8],
    class: &str,
    bind: fn(&mut Tokens<'_>) -> Result<Option<T>, Malformed>,
) -> Result<Option<T>, RequestError> {
    let mut tokens = Tokens::new(body);
    let mut value = || {
        if tokens.next()?.is_none() {
            return Ok(None);
        }
        let value = bind(&mut tokens)?;
        tokens.clear();
        match tokens.next()? {
            None => Ok(value),
            Some(token) => {
                let problem = format!(
                    "Trailing token (of type {}) found after value (bound as `{class}`): not allowed as per \
                     `DeserializationFeature.FAIL_ON_TRAILING_TOKENS`",
                    token.as_str()
                );
                Err(Malformed::at(tokens.start(), &problem))
            }
        }
    };
    value().map_err(|malformed| RequestError::Internal(malformed.text()))
}

/// The state of that name, in any case.
pub(crate) fn initial_state(text: &str) -> Result<TargetState, RequestError> {
    bind::state(text).ok_or_else(|| {
        RequestError::Internal(
            "initial_state is none of the accepted values: [RUNNING, PAUSED, STOPPED]".to_owned(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_become_text_as_written() {
        let config = config_map(br#" {"a":1.50,"b":1e3,"c":true,"d":"x","e":null,"d":"y"} "#).unwrap();
        let entries: Vec<_> = config.iter().collect();
        assert_eq!(
            entries,
            [("a", Some("1.50")), ("b", Some("1e3")), ("c", Some("true")), ("d", Some("y")), ("e", None)]
        );
    }

    #[test]
    fn malformed_bodies_are_our_failure_as_in_java() {
        for junk in ["", "  ", "{", "[1]", "3", r#"{"a":{}}"#, r#"{"a":[1]}"#, "\u{0}", r#"{"a":"\ud800"}"#] {
            let err = config_map(junk.as_bytes()).unwrap_err();
            assert_eq!(err.status(), 500, "{junk}");
        }
        for junk in [
            "{}",
            r#"{"name":"a"}"#,
            r#"{"name":"a","config":{},"x":1}"#,
            r#"{"config":{},"initial_state":"UP"}"#,
        ] {
            assert_eq!(create_request(junk.as_bytes()).unwrap_err().status(), 500, "{junk}");
        }
    }

    #[test]
    fn malformed_bodies_are_refused_in_javas_words() {
        const AT: &str = "\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` \
                          disabled); \
                          line: 1, column: ";
        let cases = [
            (
                "{not json",
                "Unexpected character ('n' (code 110)): was expecting double-quote to start field name",
                "2]",
            ),
            (
                "tru",
                "Unrecognized token 'tru': was expecting (JSON String, Number, Array, Object or token \
                 'null', 'true' or 'false')",
                "4]",
            ),
            (r#"{"a":"b","#, "Unexpected end-of-input within/between Object entries", "10]"),
            (r#"{"a":01}"#, "Invalid numeric value: Leading zeroes not allowed", "7]"),
            (
                "{} 1",
                "Trailing token (of type VALUE_NUMBER_INT) found after value (bound as `java.util.Map`): not \
                 allowed as per `DeserializationFeature.FAIL_ON_TRAILING_TOKENS`",
                "4]",
            ),
            (
                r#"{"a":[1]}"#,
                "Cannot deserialize value of type `java.lang.String` from Array value (token \
                 `JsonToken.START_ARRAY`)",
                "6] (through reference chain: java.util.LinkedHashMap[\"a\"])",
            ),
        ];
        for (body, problem, place) in cases {
            let err = config_map(body.as_bytes()).unwrap_err();
            assert_eq!(err.to_string(), format!("{problem}{AT}{place}"), "{body}");
        }
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_a_crash() {
        let deep = "[".repeat(200_000);
        assert_eq!(config_map(format!("{{\"a\":{deep}").as_bytes()).unwrap_err().status(), 500);
    }

    #[test]
    fn names_are_trimmed_and_states_are_read_in_any_case() {
        let request = create_request(br#"{"name":" a b ","config":{},"initial_state":"stopped"}"#).unwrap();
        assert_eq!((request.name.as_str(), request.initial_state), ("a b", Some(TargetState::Stopped)));
    }
}
