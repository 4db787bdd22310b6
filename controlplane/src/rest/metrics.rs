//! `/metrics`: what Prometheus scrapes. Beyond Kafka Connect, which has JMX for it.
//!
//! The style of the names is `lakeward.metrics.style`; `?style=` asks for another one.

use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};

use super::answer::{self, Answer};
use super::route::Query;
use crate::herder::{Herder, RequestError};
use crate::metrics::page::{STYLE, STYLES, Style};
use crate::metrics::render;

/// Text format 0.0.4.
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// All groups of this worker.
///
/// # Errors
/// 400 for an unknown style.
pub(super) async fn page(herder: &Herder, query: &Query) -> Result<Answer, RequestError> {
    let style = query.all("style").next().unwrap_or_else(|| herder.config().required(STYLE));
    let styles = Style::parse(style).ok_or_else(|| {
        RequestError::BadRequest(format!("There is no style '{style}'; use one of {}.", STYLES.join(", ")))
    })?;
    // Pages of many tasks are large: one at a time, away from the async threads.
    let _turn = herder.parts().metrics.turn().await;
    let herder = herder.clone();
    let text = tokio::task::spawn_blocking(move || render(herder.parts(), herder.view(), styles)).await;
    let text = text.map_err(|_| RequestError::Internal("The metrics cannot be shown.".to_owned()))?;
    let mut answer = answer::text(StatusCode::OK, text);
    answer.headers_mut().insert(CONTENT_TYPE, TEXT);
    Ok(answer)
}
