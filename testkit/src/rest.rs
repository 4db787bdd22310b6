//! A small REST client: one connection per request, the whole answer in memory, no retries.
//!
//! It shows what a client sees: status, headers and body, including answers that are not JSON.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{ACCEPT, HOST};
use hyper::{HeaderMap, Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::block_on;

/// Longer than the 90 s after which the worker itself gives up on a request.
const REQUEST_PATIENCE: Duration = Duration::from_secs(100);

/// Talks to one worker on 127.0.0.1.
#[derive(Clone, Debug)]
pub struct RestClient {
    port: u16,
    /// How to encrypt; plain without.
    tls: Option<Arc<ClientConfig>>,
    patience: Duration,
}

/// An HTTP answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub text: String,
}

impl Answer {
    /// The body as JSON; JSON null when it is not.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The `message` of an error body.
    pub fn message(&self) -> String {
        self.json()["message"].as_str().unwrap_or_default().to_owned()
    }

    /// Itself when the status is `status`.
    ///
    /// # Panics
    /// Otherwise, with the answer.
    pub fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "unexpected answer: {}", self.text);
        self
    }
}

impl RestClient {
    /// A client of the worker that listens on `port`.
    pub fn new(port: u16) -> Self {
        Self { port, tls: None, patience: REQUEST_PATIENCE }
    }

    /// A client of an encrypted listener; `tls` says whom it trusts and which certificate it shows.
    pub fn encrypted(port: u16, tls: Arc<ClientConfig>) -> Self {
        Self { port, tls: Some(tls), patience: REQUEST_PATIENCE }
    }

    /// The same client, which gives a request up after `patience`.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// `127.0.0.1:port`.
    pub fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// GET.
    pub fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.send("GET", path, &[], None)
    }

    /// DELETE.
    pub fn delete(&self, path: &str) -> anyhow::Result<Answer> {
        self.send("DELETE", path, &[], None)
    }

    /// PUT without a body.
    pub fn put_empty(&self, path: &str) -> anyhow::Result<Answer> {
        self.send("PUT", path, &[], None)
    }

    /// POST without a body.
    pub fn post_empty(&self, path: &str) -> anyhow::Result<Answer> {
        self.send("POST", path, &[], None)
    }

    /// POST of JSON.
    pub fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.send("POST", path, &JSON, Some(&body.to_string()))
    }

    /// PUT of JSON.
    pub fn put(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.send("PUT", path, &JSON, Some(&body.to_string()))
    }

    /// PATCH of JSON.
    pub fn patch(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.send("PATCH", path, &JSON, Some(&body.to_string()))
    }

    /// Any request. `Accept: application/json` and `Host` are added unless `headers` has them.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> anyhow::Result<Answer> {
        let method = Method::from_bytes(method.as_bytes()).context("method")?;
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            request = request.header(HOST, self.authority());
        }
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("accept")) {
            request = request.header(ACCEPT, "application/json");
        }
        let body = Full::new(Bytes::from(body.unwrap_or_default().to_owned()));
        let request = request.body(body).context("building the request")?;
        let authority = self.authority();
        block_on(async {
            tokio::time::timeout(self.patience, exchange(&authority, self.tls.clone(), request))
                .await
                .with_context(|| format!("no answer to {path} within {:?}", self.patience))?
        })
    }
}

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

async fn exchange(
    authority: &str,
    tls: Option<Arc<ClientConfig>>,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<Answer> {
    let stream = TcpStream::connect(authority).await.with_context(|| format!("connecting to {authority}"))?;
    let Some(tls) = tls else { return ask(stream, request).await };
    let name = ServerName::try_from("127.0.0.1").context("name of the server")?;
    let stream = TlsConnector::from(tls).connect(name, stream).await.context("TLS handshake")?;
    ask(stream, request).await
}

async fn ask<S>(stream: S, request: Request<Full<Bytes>>) -> anyhow::Result<Answer>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.context("HTTP handshake")?;
    let driver = tokio::spawn(connection);
    let response = sender.send_request(request).await.context("sending the request")?;
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.context("reading the answer")?.to_bytes();
    driver.abort();
    Ok(Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        text: String::from_utf8_lossy(&bytes).into_owned(),
    })
}
