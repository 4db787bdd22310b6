//! Requests that only the leader can carry out, sent on to it with their credentials and conditions.
//!
//! At most two hops: the worker that the client asked sends on with `forward=true`, a worker that got this
//! and does not lead either with `forward=false`, and then it ends with a 409. Redirects are not followed.
//!
//! Source: `HerderRequestHandler#completeOrForwardRequest`, `RestClient`, Kafka 4.1.

use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, HOST, IF_MATCH, IF_NONE_MATCH, LOCATION, USER_AGENT,
};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use url::Url;

use super::answer::{self, Answer};
use super::route::Query;
use super::tls::TlsSettings;
use super::{Service, internal};
use crate::herder::{REQUEST_LIMIT, RequestError};
use crate::worker_config::WorkerConfig;

/// The largest answer of a leader, bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
const CONNECT_LIMIT: Duration = Duration::from_secs(30);

/// Sends a request on and gives the leader's answer. `origin` is what the client called this worker.
pub(super) async fn relay(
    service: &Service,
    head: &Parts,
    body: Bytes,
    origin: &str,
) -> Result<Answer, RequestError> {
    let query = Query::parse(head.uri.query());
    let hop = query.all("forward").next().map(|flag| flag.eq_ignore_ascii_case("true"));
    if hop == Some(false) {
        return Err(RequestError::Conflict(
            "Cannot complete request because of a conflicting operation (e.g. worker rebalance)".to_owned(),
        ));
    }
    let herder = &service.herder;
    // What a former term of this worker told is as good as nothing.
    let leader = (service.leader)().await.filter(|url| *url != herder.url());
    let leader = leader.and_then(|url| Url::parse(&url).ok()).ok_or(RequestError::NotLeader)?;
    let target = target(head, &query, hop.is_none());
    let path = head.uri.path();
    tracing::debug!(%leader, method = %head.method, path, "forwarding a request to the leader");
    let asked = tokio::time::timeout(REQUEST_LIMIT, ask(herder.config(), &leader, &target, head, body));
    let response = asked.await.unwrap_or_else(|_| Err("Total timeout elapsed".to_owned()));
    let response = response.map_err(|problem| {
        tracing::warn!(%leader, problem, "the leader cannot be asked");
        RequestError::Internal(format!("IO Error trying to forward REST request: {problem}"))
    })?;
    translate(&response, origin)
}

/// Path and query of the next hop.
fn target(head: &Parts, query: &Query, is_first: bool) -> String {
    let mut target = url::form_urlencoded::Serializer::new(format!("{}?", head.uri.path()));
    target.append_pair("forward", if is_first { "true" } else { "false" });
    for name in ["includeTasks", "onlyFailed"] {
        for value in query.all(name) {
            target.append_pair(name, value);
        }
    }
    target.finish()
}

type Outcome = Result<Response<Bytes>, String>;

async fn ask(config: &WorkerConfig, leader: &Url, target: &str, head: &Parts, body: Bytes) -> Outcome {
    let host = leader.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = leader.port_or_known_default().unwrap_or(8083);
    let authority = leader.authority().to_owned();
    let mut request = Request::builder()
        .method(&head.method)
        .uri(target)
        .header(HOST, authority)
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, "kafka-connect")
        .header(CONTENT_TYPE, "application/json");
    for name in [AUTHORIZATION, IF_MATCH, IF_NONE_MATCH, internal::SIGNATURE, internal::ALGORITHM] {
        for value in head.headers.get_all(&name) {
            request = request.header(&name, value);
        }
    }
    let request = request.body(Full::new(body)).map_err(|err| err.to_string())?;
    let stream = tokio::time::timeout(CONNECT_LIMIT, TcpStream::connect((host.as_str(), port))).await;
    let stream = stream.map_err(|_| "Connect Timeout".to_owned())?.map_err(|err| err.to_string())?;
    if leader.scheme() != "https" {
        return exchange(stream, request).await;
    }
    let tls = TlsSettings::new(config.props(), "listeners.https.").client()?;
    let name = ServerName::try_from(host).map_err(|err| err.to_string())?;
    let stream = TlsConnector::from(tls).connect(name, stream).await.map_err(|err| err.to_string())?;
    exchange(stream, request).await
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Full<Bytes>>,
) -> Outcome {
    let shaken = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(|err| err.to_string())?;
    let driver = tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(|err| err.to_string())?;
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(|err| err.to_string())?;
    driver.abort();
    Ok(Response::from_parts(parts, body.to_bytes()))
}

/// The leader's answer as this worker's: only statuses and JSON pass.
fn translate(response: &Response<Bytes>, origin: &str) -> Result<Answer, RequestError> {
    let status = response.status();
    let parsed: Option<Value> = serde_json::from_slice(response.body()).ok();
    let is_error_body =
        parsed.as_ref().is_some_and(|body| body["error_code"].is_u64() && body.get("message").is_some());
    if status.is_client_error() || status.is_server_error() {
        return match parsed {
            Some(body) if is_error_body => Ok(answer::json(status, &body)),
            _ => Err(RequestError::Internal(format!(
                "IO Error trying to forward REST request: the leader answered {status} without an error body"
            ))),
        };
    }
    if status == StatusCode::NO_CONTENT || (status.is_success() && response.body().is_empty()) {
        return Ok(answer::empty(status));
    }
    let (true, Some(body)) = (status.is_success(), parsed) else {
        return Err(RequestError::Internal(format!(
            "Unexpected status code when handling forwarded request: {status}"
        )));
    };
    let mut answer = answer::json(status, &body);
    if let Some(tag) = response.headers().get(ETAG) {
        answer.headers_mut().insert(ETAG, tag.clone());
    }
    if status == StatusCode::CREATED
        && let Some(location) = response.headers().get(LOCATION)
        && let Some(location) = called(location, origin)
    {
        answer.headers_mut().insert(LOCATION, location);
    }
    Ok(answer)
}

/// The address of what was made, under the name that the client called this worker.
fn called(location: &HeaderValue, origin: &str) -> Option<HeaderValue> {
    let made = Url::parse(location.to_str().ok()?).ok()?;
    HeaderValue::from_str(&format!("{origin}{}", made.path())).ok()
}
