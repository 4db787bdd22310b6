//! The REST server: listeners, connections, and the rules every request passes.
//!
//! Owns transport only: size and time limits, routing errors, the wait for start-up. The port opens before
//! Kafka is joined; requests wait until the worker is ready, `/health` says `starting` after a shorter wait.
//!
//! Source: `RestServer`, Jetty and Jersey defaults, Kafka 4.1.

mod answer;
mod bind;
mod body;
mod connectors;
mod jackson;
mod plugins;
mod root;
mod route;
mod server;
#[cfg(test)]
pub(crate) mod tests;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, Method, Request, StatusCode};
use tokio::sync::watch;

pub(crate) use body::initial_state;
pub(crate) use server::{RestServer, bind};

use crate::herder::{Herder, REQUEST_LIMIT, RequestError, Stage, timeout_text};
use answer::Answer;
use route::{PathError, Query, Resource};

/// How long things may take. Java's values outside tests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// A whole body.
    pub(crate) body: Duration,
    /// The head of a request, and the idle time between requests.
    pub(crate) head: Duration,
    /// A health check.
    pub(crate) health: Duration,
    /// Everything that waits for the worker.
    pub(crate) request: Duration,
    /// Requests in flight at shutdown.
    pub(crate) shutdown: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: Duration::from_secs(30),
            head: Duration::from_secs(90),
            health: Duration::from_secs(10),
            request: REQUEST_LIMIT,
            shutdown: Duration::from_secs(10),
        }
    }
}

/// What answers requests once the worker is ready.
pub(crate) struct Service {
    /// The herder.
    pub(crate) herder: Herder,
    /// The Kafka cluster's id.
    pub(crate) cluster_id: Option<String>,
}

/// What every connection shares.
#[derive(Clone)]
pub(crate) struct Gate {
    /// The service, as soon as there is one.
    pub(crate) service: watch::Receiver<Option<Arc<Service>>>,
    /// What the worker does.
    pub(crate) stage: watch::Receiver<Stage>,
    /// Time limits.
    pub(crate) limits: Limits,
}

impl Gate {
    /// The service, when it is there within `limit`.
    async fn service(&self, limit: Duration) -> Option<Arc<Service>> {
        let mut service = self.service.clone();
        let ready = tokio::time::timeout(limit, service.wait_for(Option::is_some)).await;
        ready.ok()?.ok()?.clone()
    }
}

/// Answers one request.
pub(crate) async fn serve<B>(gate: Gate, request: Request<B>) -> Result<Answer, Infallible>
where
    B: hyper::body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (head, body) = request.into_parts();
    let (method, path) = (head.method.clone(), head.uri.path().to_owned());
    let began = std::time::Instant::now();
    let outcome = match check(&head) {
        Ok(resource) => answer_checked(&gate, resource, &head, body).await,
        Err(early) => Ok(*early),
    };
    let answer = outcome.unwrap_or_else(|err| answer::refused(&err));
    let micros = began.elapsed().as_micros() as u64;
    tracing::debug!(%method, path, status = answer.status().as_u16(), micros, "request");
    Ok(answer)
}

/// Path, method, media types: in the order in which Java looks at them.
fn check(head: &http::request::Parts) -> Result<Resource, Box<Answer>> {
    let resource = route::resource(head.uri.path()).map_err(|err| match err {
        PathError::Refused => Box::new(answer::bad_path()),
        PathError::NoNumber => {
            Box::new(answer::refused(&RequestError::NotFound("HTTP 404 Not Found".into())))
        }
        PathError::Unknown => Box::new(answer::routing(StatusCode::NOT_FOUND)),
    })?;
    if head.method == Method::OPTIONS {
        return Err(Box::new(answer::options(&resource.allow())));
    }
    let effective = if head.method == Method::HEAD { &Method::GET } else { &head.method };
    if !resource.methods().contains(effective) {
        return Err(Box::new(answer::routing(StatusCode::METHOD_NOT_ALLOWED)));
    }
    if resource.wants_json() && has_body(&head.headers) && !is_json(&head.headers) {
        return Err(Box::new(answer::routing(StatusCode::UNSUPPORTED_MEDIA_TYPE)));
    }
    if !accepts_json(&head.headers) {
        return Err(Box::new(answer::routing(StatusCode::NOT_ACCEPTABLE)));
    }
    Ok(resource)
}

async fn answer_checked<B>(
    gate: &Gate,
    resource: Resource,
    head: &http::request::Parts,
    body: B,
) -> Result<Answer, RequestError>
where
    B: hyper::body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if resource == Resource::Health {
        return Ok(root::health(gate).await);
    }
    let body = match body::read(body, gate.limits.body).await {
        Ok(body) => body,
        Err(status) => return Ok(answer::routing(status)),
    };
    // One budget for the wait for start-up, for validation and for the herder.
    let limit = gate.limits.request;
    match tokio::time::timeout(limit, answer_when_ready(gate, resource, head, body)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(RequestError::Internal(timeout_text(&gate.stage.borrow()))),
    }
}

async fn answer_when_ready(
    gate: &Gate,
    resource: Resource,
    head: &http::request::Parts,
    body: Bytes,
) -> Result<Answer, RequestError> {
    let Some(service) = gate.service(gate.limits.request).await else {
        return Err(RequestError::Internal(timeout_text(&gate.stage.borrow())));
    };
    let herder = &service.herder;
    let query = Query::parse(head.uri.query());
    match resource {
        Resource::Root => Ok(root::info(service.cluster_id.as_deref())),
        Resource::Plugins => Ok(plugins::list(herder, &query)),
        Resource::PluginConfig(name) => plugins::config(herder, &name, &query),
        Resource::PluginValidate(name) => plugins::validate(herder, &name, body).await,
        resource => {
            let host = head.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
            let call = connectors::Call { herder, method: &head.method, query: &query, body, host };
            connectors::serve(resource, call).await
        }
    }
}

fn has_body(headers: &HeaderMap) -> bool {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    headers.contains_key(TRANSFER_ENCODING) || length.is_some_and(|length| length.trim() != "0")
}

fn is_json(headers: &HeaderMap) -> bool {
    let media = headers.get(CONTENT_TYPE).and_then(|media| media.to_str().ok()).unwrap_or_default();
    media.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

fn accepts_json(headers: &HeaderMap) -> bool {
    let mut accepts = headers.get_all(ACCEPT).iter().peekable();
    if accepts.peek().is_none() {
        return true;
    }
    let ranges = accepts.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    ranges.map(|range| range.split(';').next().unwrap_or_default().trim()).any(|range| {
        ["*/*", "*", "application/*", "application/json"].iter().any(|ours| range.eq_ignore_ascii_case(ours))
    })
}
