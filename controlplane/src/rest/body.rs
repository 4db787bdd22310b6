//! Request bodies: bounded reading, and JSON read the way Java's mapper reads it.
//!
//! Non-text scalars of configuration maps become text with numbers kept as written; text after the JSON value
//! is ignored; every malformed body is a 500, as in Java.
//!
//! Source: Jackson's `Map<String, String>` coercion, `CreateConnectorRequest`, Kafka 4.1.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use lakeward_controlplane_core::Properties;
use lakeward_controlplane_core::config_log::TargetState;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

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

/// The body of POST /connectors.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCreate {
    name: Option<String>,
    config: Option<ConfigBody>,
    initial_state: Option<String>,
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
    let raw: RawCreate = first_value(body)?;
    let config =
        raw.config.ok_or_else(|| RequestError::Internal("the request has no config object".to_owned()))?;
    let initial_state = raw.initial_state.map(|text| initial_state(&text)).transpose()?;
    let name = raw.name.unwrap_or_default().trim().to_owned();
    Ok(CreateRequest { name, config: config.0, initial_state })
}

/// Reads a flat configuration map.
pub(super) fn config_map(body: &[u8]) -> Result<Properties, RequestError> {
    first_value::<ConfigBody>(body).map(|config| config.0)
}

pub(crate) fn initial_state(text: &str) -> Result<TargetState, RequestError> {
    match text.to_ascii_uppercase().as_str() {
        "PAUSED" => Ok(TargetState::Paused),
        "RUNNING" => Ok(TargetState::Started),
        "STOPPED" => Ok(TargetState::Stopped),
        _ => Err(RequestError::Internal(
            "initial_state is none of the accepted values: [RUNNING, PAUSED, STOPPED]".to_owned(),
        )),
    }
}

fn first_value<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, RequestError> {
    if body.trim_ascii().is_empty() {
        return Err(RequestError::Internal("the request has no body".to_owned()));
    }
    // The end is not checked: text after the value is ignored.
    T::deserialize(&mut serde_json::Deserializer::from_slice(body))
        .map_err(|err| RequestError::Internal(err.to_string()))
}

/// A configuration map with its scalars as written.
#[derive(Debug)]
struct ConfigBody(Properties);

impl<'de> Deserialize<'de> for ConfigBody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ConfigVisitor)
    }
}

struct ConfigVisitor;

impl<'de> Visitor<'de> for ConfigVisitor {
    type Value = ConfigBody;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with text values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ConfigBody, A::Error> {
        let mut properties = Properties::default();
        while let Some((name, raw)) = map.next_entry::<String, Box<RawValue>>()? {
            let value = match raw.get().as_bytes().first() {
                Some(b'{' | b'[') => {
                    return Err(A::Error::custom(format!(
                        "the value of {name} is neither text, number nor boolean"
                    )));
                }
                Some(b'"') => Some(serde_json::from_str(raw.get()).map_err(A::Error::custom)?),
                Some(b'n') => None,
                // The text of numbers and booleans, exactly as sent.
                _ => Some(raw.get().to_owned()),
            };
            properties.set(name, value);
        }
        Ok(ConfigBody(properties))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_become_text_as_written() {
        let config =
            config_map(br#" {"a":1.50,"b":1e3,"c":true,"d":"x","e":null,"d":"y"} trailing"#).unwrap();
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
