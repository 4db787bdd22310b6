//! The REST server: listeners, connections, and the rules every request passes.
//!
//! Owns transport only: size and time limits, routing errors, the wait for start-up. The port opens before
//! Kafka is joined; requests wait until the worker is ready, `/health` says `starting` after a shorter wait.
//!
//! Source: `RestServer`, Jetty and Jersey defaults, Kafka 4.1.

mod answer;
mod bind;
mod bind_offsets;
mod body;
mod connectors;
mod delivery;
mod forward;
mod front;
mod host_names;
mod internal;
mod jackson;
mod listing;
mod lobby;
mod loggers;
mod metrics;
mod offsets;
mod plugins;
mod request_log;
mod root;
mod route;
mod server;
#[cfg(test)]
pub(crate) mod tests;
mod tls;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HOST, IF_MATCH, IF_NONE_MATCH, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use tokio::sync::watch;

pub(crate) use body::initial_state;
pub(crate) use front::Front;
pub(crate) use host_names::HostNames;
pub(crate) use server::{Face, RestServer, bind};

use crate::herder::{Expected, Herder, REQUEST_LIMIT, RequestError, Stage, timeout_text};
use crate::worker_config::Scheme;
use answer::Answer;
use lobby::Seat;
use route::{PathError, Query, Resource};

/// How long things may take. Java's values outside tests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// A whole body.
    pub(crate) body: Duration,
    /// Connections at once. When there are more, those that wait for a request give way (see [`lobby`]).
    /// Together with the limit of a head this bounds memory.
    pub(crate) connections: u16,
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
            connections: 512,
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
    /// Finds the leader's address.
    pub(crate) leader: FindLeader,
    /// The Kafka cluster's id.
    pub(crate) cluster_id: Option<String>,
}

/// Asks the group for the leader's address.
pub(crate) type FindLeader = Arc<dyn Fn() -> BoxFuture<'static, Option<String>> + Send + Sync>;

/// For workers that lead themselves.
pub(crate) fn no_leader() -> FindLeader {
    Arc::new(|| Box::pin(std::future::ready(None)))
}

/// What every connection shares.
#[derive(Clone)]
pub(crate) struct Gate {
    /// The service, as soon as there is one.
    pub(crate) service: watch::Receiver<Option<Arc<Service>>>,
    /// What comes before and after the resources.
    pub(crate) front: Arc<Front>,
    /// Which resources there are.
    pub(crate) face: Face,
    /// How clients reach the listener.
    pub(crate) scheme: Scheme,
    /// What an encrypted listener's certificate names.
    pub(crate) names: Option<Arc<HostNames>>,
    /// What the worker does.
    pub(crate) stage: watch::Receiver<Stage>,
    /// Time limits.
    pub(crate) limits: Limits,
}

impl Gate {
    /// The same gate for a listener with `face` and `scheme`.
    fn facing(&self, face: Face, scheme: Scheme, names: Option<Arc<HostNames>>) -> Self {
        let front = if face == Face::Admin { Arc::default() } else { Arc::clone(&self.front) };
        Self { face, front, scheme, names, ..self.clone() }
    }

    /// The service, when it is there within `limit`.
    async fn service(&self, limit: Duration) -> Option<Arc<Service>> {
        let mut service = self.service.clone();
        let ready = tokio::time::timeout(limit, service.wait_for(Option::is_some)).await;
        ready.ok()?.ok()?.clone()
    }
}

/// Answers one request.
async fn serve<B>(
    gate: Gate,
    seat: Arc<Seat>,
    peer: IpAddr,
    request: Request<B>,
) -> Result<Answer, Infallible>
where
    B: hyper::body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (head, body) = request.into_parts();
    let began = std::time::Instant::now();
    let is_named = gate.names.as_ref().is_none_or(|names| names.allow(&head));
    let checked = if is_named { check(&gate, &head) } else { Err(Box::new(host_names::refusal(&head))) };
    let outcome = match checked {
        Ok(resource) => answer_checked(&gate, &seat, resource, &head, body).await,
        Err(early) => Ok(*early),
    };
    let mut answer = outcome.unwrap_or_else(|err| answer::refused(&err));
    // What the HTTP layer refuses never came as far as the headers.
    if is_named && route::resource(head.uri.path()) != Err(PathError::Refused) {
        gate.front.dress(&head, &mut answer);
    }
    request_log::write(peer, &head, &answer, began.elapsed());
    seat.wait();
    Ok(answer)
}

/// Path, method, media types: in the order in which Java looks at them.
fn check(gate: &Gate, head: &Parts) -> Result<Resource, Box<Answer>> {
    let resource = route::resource(head.uri.path()).map_err(|err| match err {
        PathError::Refused => Box::new(answer::bad_path()),
        // The number is read when the resource was found, so credentials count before it.
        PathError::NoNumber => match admit(gate, head) {
            Ok(()) => Box::new(answer::refused(&RequestError::NotFound("HTTP 404 Not Found".into()))),
            Err(refused) => refused,
        },
        PathError::Unknown => Box::new(answer::routing(StatusCode::NOT_FOUND)),
    })?;
    if !gate.face.has(&resource) {
        return Err(Box::new(answer::routing(StatusCode::NOT_FOUND)));
    }
    if head.method == Method::OPTIONS {
        admit(gate, head)?;
        return Err(Box::new(answer::options(&resource.allow(), option_type(&head.headers).as_ref())));
    }
    let effective = if head.method == Method::HEAD { &Method::GET } else { &head.method };
    if !resource.methods().contains(effective) {
        return Err(Box::new(answer::routing(StatusCode::METHOD_NOT_ALLOWED)));
    }
    if resource.wants_json(&head.method) && has_body(&head.headers) && !is_json(&head.headers) {
        return Err(Box::new(answer::routing(StatusCode::UNSUPPORTED_MEDIA_TYPE)));
    }
    if resource != Resource::Metrics && !accepts_json(&head.headers) {
        return Err(Box::new(answer::routing(StatusCode::NOT_ACCEPTABLE)));
    }
    if !resource.is_internal(&head.method) {
        admit(gate, head)?;
    }
    Ok(resource)
}

/// Credentials count once the request has a resource, as in Java.
fn admit(gate: &Gate, head: &Parts) -> Result<(), Box<Answer>> {
    gate.front.admit(head).map_err(|refused| refused.unwrap_or_else(|err| Box::new(answer::refused(&err))))
}

/// The one type that the client asks for, when it is not the list as text.
fn option_type(headers: &HeaderMap) -> Option<HeaderValue> {
    let accept = headers.get(ACCEPT)?;
    let first = accept.to_str().ok()?.split([',', ';']).next()?.trim();
    let is_text = ["*/*", "*", "text/*", "text/plain"].iter().any(|text| first.eq_ignore_ascii_case(text));
    if is_text { None } else { HeaderValue::from_str(first).ok() }
}

async fn answer_checked<B>(
    gate: &Gate,
    seat: &Seat,
    resource: Resource,
    head: &Parts,
    body: B,
) -> Result<Answer, RequestError>
where
    B: hyper::body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if resource == Resource::Health {
        seat.work();
        return Ok(root::health(gate).await);
    }
    let body = match body::read(body, gate.limits.body).await {
        Ok(body) => body,
        Err(status) => return Ok(answer::routing(status)),
    };
    seat.work();
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
    head: &Parts,
    body: Bytes,
) -> Result<Answer, RequestError> {
    let Some(service) = gate.service(gate.limits.request).await else {
        return Err(RequestError::Internal(timeout_text(&gate.stage.borrow())));
    };
    let herder = &service.herder;
    let query = Query::parse(head.uri.query());
    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let origin = format!("{}://{host}", gate.scheme.as_str());
    let origin = origin.as_str();
    match resource {
        resource if resource.is_internal(&head.method) => {
            internal::serve(&service, resource, head, body, origin).await
        }
        Resource::Logger(name) => loggers::one(herder, name, &head.method, &query, &body).await,
        Resource::Loggers => Ok(loggers::list()),
        Resource::Metrics => metrics::page(herder, &query, &head.headers).await,
        Resource::Root => Ok(root::info(service.cluster_id.as_deref())),
        Resource::Plugins => Ok(plugins::list(herder, &query)),
        Resource::PluginConfig(name) => plugins::config(herder, &name, &query),
        Resource::PluginValidate(name) => plugins::validate(herder, &name, body).await,
        resource => {
            let expected = expected(&head.headers);
            let call = connectors::Call {
                herder,
                method: &head.method,
                query: &query,
                body: body.clone(),
                origin,
                expected,
            };
            match connectors::serve(resource, call).await {
                Err(RequestError::NotLeader) => forward::relay(&service, head, body, origin).await,
                outcome => outcome,
            }
        }
    }
}

/// What the request says about the configuration it changes.
fn expected(headers: &HeaderMap) -> Expected {
    let tags = |name| -> Vec<String> {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).map(|tag| tag.trim().to_owned()).collect()
    };
    let (matching, none) = (tags(IF_MATCH), tags(IF_NONE_MATCH));
    let any = |tags: &[String]| tags.iter().any(|tag| tag == "*");
    if any(&matching) {
        Expected::Something
    } else if headers.contains_key(IF_MATCH) {
        // A condition that cannot be read does not hold.
        Expected::OneOf(matching)
    } else if any(&none) {
        Expected::Nothing
    } else {
        Expected::Anything
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
