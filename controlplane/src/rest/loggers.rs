//! `/admin/loggers`.
//!
//! Source: `LoggingResource`, Kafka 4.1.

use bytes::Bytes;
use http::{Method, StatusCode};
use lakeward_controlplane_core::Properties;
use serde_json::json;

use super::answer::{self, Answer};
use super::body;
use super::route::Query;
use crate::herder::{Herder, RequestError, SharedWrite};
use crate::loggers::{LogLevel, board};

/// All loggers.
pub(super) fn list() -> Answer {
    answer::json(StatusCode::OK, &board().all())
}

/// One logger, or a new level for it and everything below it.
pub(super) async fn one(
    herder: &Herder,
    name: String,
    method: &Method,
    query: &Query,
    body: &Bytes,
) -> Result<Answer, RequestError> {
    if *method != Method::PUT {
        let level = board().one(&name);
        let level = level.ok_or_else(|| RequestError::NotFound(format!("Logger {name} not found.")))?;
        return Ok(answer::json(StatusCode::OK, &level));
    }
    let level = level(&body::level_map(body)?)?;
    match query.all("scope").next() {
        Some(scope) if scope.eq_ignore_ascii_case("cluster") => {
            herder.write(SharedWrite::SetLogLevel { name, level }).await?;
            Ok(answer::empty(StatusCode::NO_CONTENT))
        }
        Some(scope) if !scope.eq_ignore_ascii_case("worker") => {
            tracing::warn!(scope, "an unknown scope of a log level; taken for worker");
            Ok(answer::json(StatusCode::OK, &json!(board().set(&name, level))))
        }
        _ => Ok(answer::json(StatusCode::OK, &json!(board().set(&name, level)))),
    }
}

fn level(body: &Properties) -> Result<LogLevel, RequestError> {
    let given = body.get("level").ok_or_else(|| {
        RequestError::BadRequest("Desired 'level' parameter was not specified in request.".to_owned())
    })?;
    if given.is_empty() {
        return Err(RequestError::Internal("Illegal null or empty Level name.".to_owned()));
    }
    given.parse().map_err(|()| RequestError::NotFound(format!("invalid log level '{given}'.")))
}
