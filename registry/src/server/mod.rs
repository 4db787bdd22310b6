//! A registry over HTTP for development and tests: Confluent's REST interface over a [`Store`] in memory.
//!
//! It keeps nothing on disk, knows no TLS and no roles beyond one optional user: do not put it where others
//! depend on it. Source: Confluent's REST interface reference.

mod handlers;
mod issuer;
mod request;

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use lakeward_api::config::Password;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

pub use issuer::{Issuer, TOKEN_PATH};
pub use request::{Answer, answer};

use crate::Store;

/// Longest request body.
const MAX_BODY: usize = 4 << 20;
/// Connections at the same time; more wait in the listener's queue.
const MAX_CONNECTIONS: usize = 256;
/// How long a client may take for the head and for the body of a request.
const PATIENCE: Duration = Duration::from_secs(30);
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// What a server asks of its clients.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `user:password` that every request must bring.
    pub basic_auth: Option<Password>,
    /// Gives the tokens that every other request must bring.
    pub oauth: Option<Arc<Issuer>>,
}

/// Who may ask.
struct Gate {
    /// The whole header.
    basic: Option<String>,
    oauth: Option<Arc<Issuer>>,
}

impl Gate {
    /// The scheme that a request lacks.
    fn refuses(&self, given: Option<&[u8]>) -> Option<&'static str> {
        if self.basic.as_ref().is_some_and(|expected| given != Some(expected.as_bytes())) {
            return Some("Basic");
        }
        self.oauth.as_ref().filter(|issuer| !issuer.accepts(given)).map(|_| "Bearer")
    }
}

/// Serves `store` on `listener` to everybody until the future is dropped; connections end with the runtime.
pub async fn serve(listener: TcpListener, store: Arc<Mutex<Store>>) {
    serve_with(listener, store, Options::default()).await;
}

/// As [`serve`], with options.
pub async fn serve_with(listener: TcpListener, store: Arc<Mutex<Store>>, options: Options) {
    let expected = options.basic_auth.map(|user| format!("Basic {}", STANDARD.encode(user.expose())));
    let gate = Arc::new(Gate { basic: expected, oauth: options.oauth });
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let socket = match listener.accept().await {
            Ok((socket, _)) => socket,
            Err(_) => {
                // Out of descriptors, most likely: the next attempt may find one.
                tokio::time::sleep(ACCEPT_RETRY).await;
                continue;
            }
        };
        let (store, gate) = (Arc::clone(&store), Arc::clone(&gate));
        tokio::spawn(async move {
            let service = service_fn(|request| respond(&store, &gate, request));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(PATIENCE)
                .serve_connection(TokioIo::new(socket), service);
            // A connection that breaks is the client's affair; it asks again.
            let _ended = connection.await;
            drop(slot);
        });
    }
}

async fn respond(
    store: &Mutex<Store>,
    gate: &Gate,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let given = head.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
    let issuer = gate.oauth.as_ref().filter(|_| head.uri.path() == TOKEN_PATH);
    if let (None, Some(scheme)) = (issuer, gate.refuses(given)) {
        let mut response = response(Answer::error(401, 401, "Unauthorized"));
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
        return Ok(response);
    }
    let body = tokio::time::timeout(PATIENCE, Limited::new(body, MAX_BODY).collect()).await;
    let answer = match body {
        Ok(Ok(body)) => match issuer {
            Some(issuer) => issuer.answer(given, &body.to_bytes()),
            None => answer(store, &head.method, &head.uri, &body.to_bytes()),
        },
        Ok(Err(_)) => Answer::error(413, 413, "The request body is broken or too long"),
        Err(_) => Answer::error(408, 408, "The request body did not arrive"),
    };
    Ok(response(answer))
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    *response.status_mut() = answer.status;
    let kind = HeaderValue::from_static("application/vnd.schemaregistry.v1+json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
