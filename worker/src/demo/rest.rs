//! The few REST calls a demo makes.
//!
//! Owns: one connection per request to 127.0.0.1. Must not: retry; its callers know what a failure means.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// The REST API of a worker on this machine.
pub(super) struct Rest {
    port: u16,
}

impl Rest {
    /// The API on `port`; nothing is sent yet.
    pub(super) fn new(port: u16) -> Self {
        Self { port }
    }

    /// Where the API is.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port of the API.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// What `GET <path>` answers; `None` when nothing is there.
    pub(super) async fn get(&self, path: &str) -> Result<Option<Value>> {
        match self.call("GET", path, None).await? {
            (StatusCode::OK, body) => {
                Ok(Some(serde_json::from_slice(&body).context("an answer is no JSON")?))
            }
            (StatusCode::NOT_FOUND, _) => Ok(None),
            (status, body) => {
                bail!("the worker answered {status} to {path}: {}", String::from_utf8_lossy(&body))
            }
        }
    }

    /// Whether `GET /` answers.
    pub(super) async fn answers(&self) -> bool {
        matches!(self.call("GET", "/", None).await, Ok((StatusCode::OK, _)))
    }

    /// Creates a connector.
    pub(super) async fn create(&self, connector: &Value) -> Result<()> {
        let (status, body) = self.call("POST", "/connectors", Some(connector)).await?;
        if status != StatusCode::CREATED {
            bail!("the worker answered {status} to the new connector: {}", String::from_utf8_lossy(&body));
        }
        Ok(())
    }

    /// Deletes a connector.
    pub(super) async fn delete(&self, connector: &str) -> Result<()> {
        let (status, body) = self.call("DELETE", &format!("/connectors/{connector}"), None).await?;
        if status != StatusCode::NO_CONTENT {
            bail!("the worker answered {status} to a deletion: {}", String::from_utf8_lossy(&body));
        }
        Ok(())
    }

    /// Fails with the trace when the connector or one of its tasks failed.
    pub(super) async fn check_running(&self, connector: &str) -> Result<()> {
        let (status, body) = self.call("GET", &format!("/connectors/{connector}/status"), None).await?;
        if status != StatusCode::OK {
            // The status of a new connector appears a moment after its creation.
            return Ok(());
        }
        let answer: Value = serde_json::from_slice(&body).context("the connector status is no JSON")?;
        let tasks = answer["tasks"].as_array().into_iter().flatten();
        for part in tasks.chain([&answer["connector"]]) {
            if part["state"] == "FAILED" {
                bail!("the connector failed:\n{}", part["trace"].as_str().unwrap_or("(without a trace)"));
            }
        }
        Ok(())
    }

    async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<(StatusCode, Bytes)> {
        let call = async {
            let socket = TcpStream::connect(("127.0.0.1", self.port)).await?;
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(socket)).await?;
            let connection = tokio::spawn(connection);
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header("host", format!("127.0.0.1:{}", self.port))
                .header("content-type", "application/json")
                .body(Full::new(Bytes::from(body.map(Value::to_string).unwrap_or_default())))?;
            let answer = sender.send_request(request).await?;
            let status = answer.status();
            let bytes = answer.into_body().collect().await?.to_bytes();
            connection.abort();
            anyhow::Ok((status, bytes))
        };
        let answer = timeout(ANSWER_TIMEOUT, call).await;
        answer.with_context(|| format!("no answer to {method} {path} in {} s", ANSWER_TIMEOUT.as_secs()))?
    }
}
