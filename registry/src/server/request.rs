//! From a method and a path to a handler.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use hyper::{Method, StatusCode, Uri};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::handlers;
use crate::store::{Store, StoredSchema};
use crate::{Reference, RegistryError, SchemaText, SchemaType};

/// What the server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// JSON text.
    pub body: String,
}

impl Answer {
    /// An error in Confluent's shape.
    pub fn error(status: u16, code: i32, message: &str) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            body: json!({"error_code": code, "message": message}).to_string(),
        }
    }
}

/// The answer to one request. A pure function of the store, for servers that add their own behaviour.
pub fn answer(store: &Mutex<Store>, method: &Method, uri: &Uri, body: &[u8]) -> Answer {
    let decoded = |part: &str| percent_decode_str(part).decode_utf8().map(std::borrow::Cow::into_owned);
    let path: Result<Vec<_>, _> =
        uri.path().split('/').filter(|part| !part.is_empty()).map(decoded).collect();
    let Ok(path) = path else { return Answer::error(400, 400, "HTTP 400 Bad Request") };
    let pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned();
    let ask = Ask { pairs: pairs.collect(), body };
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
    match handlers::route(&mut store, method, &path, &ask) {
        Ok(Some(Reply::Json(value))) => Answer { status: StatusCode::OK, body: value.to_string() },
        Ok(Some(Reply::Text(body))) => Answer { status: StatusCode::OK, body },
        Ok(None) if handlers::is_path(&path) => Answer::error(405, 405, "HTTP 405 Method Not Allowed"),
        Ok(None) => Answer::error(404, 404, "HTTP 404 Not Found"),
        Err(RegistryError::Refused { status, code, message }) => Answer::error(status, code, &message),
        Err(other) => Answer::error(500, 500, &other.to_string()),
    }
}

/// A successful answer.
pub(super) enum Reply {
    Json(Value),
    /// A schema as it is registered.
    Text(String),
}

/// Query and body of a request.
pub(super) struct Ask<'a> {
    pairs: Vec<(String, String)>,
    body: &'a [u8],
}

impl Ask<'_> {
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        self.pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        self.query(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    pub(super) fn json(&self) -> Result<Value, RegistryError> {
        serde_json::from_slice(self.body)
            .map_err(|err| RegistryError::refused(400, format!("the body is not JSON: {err}")))
    }

    /// The schema of the body.
    pub(super) fn schema(&self) -> Result<StoredSchema, RegistryError> {
        let body = self.json()?;
        let invalid = |message: &str| RegistryError::refused(42201, message);
        let text = body["schema"].as_str().filter(|text| !text.trim().is_empty());
        let text = text.ok_or_else(|| invalid("Empty schema"))?;
        let name = body["schemaType"].as_str();
        let kind = SchemaType::from_name(name).ok_or_else(|| {
            invalid(&format!("Invalid schema: unknown schema type {}", name.unwrap_or_default()))
        })?;
        let references = body["references"].as_array().into_iter().flatten();
        let references = references.map(Reference::from_json).collect::<Option<_>>();
        let references = references.ok_or_else(|| invalid("Invalid schema: incomplete reference"))?;
        let part = |name: &str| body.get(name).filter(|value| !value.is_null()).cloned();
        Ok(StoredSchema {
            schema: SchemaText { kind, text: text.into(), references },
            metadata: part("metadata"),
            rule_set: part("ruleSet"),
        })
    }

    /// The pairs of repeated `key` and `value` parameters.
    pub(super) fn metadata(&self) -> Vec<(String, String)> {
        let pairs = self.all("key").into_iter().zip(self.all("value"));
        let pairs: HashMap<_, _> = pairs.collect();
        pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }
}
