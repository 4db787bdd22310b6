//! A mix of REST requests at a fixed rate, from clients that keep their connections.
//!
//! Owns: the mix and the clock. Latency counts from the moment at which a request was due, not from when a
//! busy client came to it, so that a slow answer is not hidden by the pause it causes. Must not: retry.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::cluster::{self, Size};

/// A kind of request and how many of a hundred are of it.
pub(super) type Share = (&'static str, u64);

/// The mix: what dashboards and operators' tools ask of Connect's REST API.
pub(super) const MIX: [Share; 13] = [
    ("GET /connectors", 15),
    ("GET /connectors?expand=status", 2),
    ("GET /connectors?expand=status&expand=info", 1),
    ("GET /connectors/x", 10),
    ("GET /connectors/x/status", 25),
    ("GET /connectors/x/config", 12),
    ("GET /connectors/x/tasks", 10),
    ("GET /connectors/x/tasks/0/status", 8),
    ("PUT /connectors/x/config", 3),
    ("PUT validate", 5),
    ("PUT pause, resume", 3),
    ("GET /", 3),
    ("GET /health", 3),
];

/// What a client of its own asks in turn, as often as [`SCRAPE_INTERVAL`] says. No part of the API: counted
/// apart, but under way during the mix.
pub(super) const SCRAPES: [&str; 2] = ["GET /metrics, gzip", "GET /metrics"];

/// A request: of the mix, or a scrape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Its place in [`MIX`].
    Mixed(usize),
    /// Its place in [`SCRAPES`].
    Scrape(usize),
}

/// Prometheus scrapes four to twelve times a minute.
const SCRAPE_INTERVAL: Duration = Duration::from_secs(5);

/// How hard the worker is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// Requests per second, all clients together.
    pub(super) rate: u32,
    /// For how long.
    pub(super) seconds: u32,
    /// Connections.
    pub(super) clients: u32,
}

/// One request that was answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    /// What was asked.
    pub(super) kind: Kind,
    /// From its due time to the end of its answer.
    pub(super) latency: Duration,
    /// Whether the answer was a success.
    pub(super) is_good: bool,
    /// Bytes of the answer's body.
    pub(super) bytes: usize,
}

/// Asks the worker on `port`, and returns all samples.
pub(super) async fn run(port: u16, size: Size, load: Load) -> Result<Vec<Sample>> {
    // Connections first: the clock starts when all of them are there.
    let mut clients = Vec::new();
    for number in 0..load.clients {
        clients.push(Client::connect(port, size, number).await?);
    }
    let scraper = Client::connect(port, size, load.clients).await?;
    let begin = Instant::now();
    let count = u64::from(load.rate) * u64::from(load.seconds);
    let running = clients.into_iter().enumerate().map(|(number, client)| {
        tokio::spawn(async move {
            let own = (0..count).skip(number).step_by(load.clients as usize);
            client.work(own.map(|turn| begin + Duration::from_secs(turn) / load.rate)).await
        })
    });
    let running: Vec<_> = running.collect();
    let scrapes = u64::from(load.seconds).div_ceil(SCRAPE_INTERVAL.as_secs());
    let due = (0..scrapes).map(|turn| begin + SCRAPE_INTERVAL * turn as u32 + SCRAPE_INTERVAL / 2);
    let mut samples = scraper.scrape(due).await?;
    for client in running {
        samples.extend(client.await.context("a client panicked")??);
    }
    Ok(samples)
}

struct Client {
    port: u16,
    size: Size,
    number: u32,
    sender: SendRequest<Full<Bytes>>,
    /// State of the generator of pseudo-random numbers: the same requests in every run.
    seed: u64,
}

impl Client {
    async fn connect(port: u16, size: Size, number: u32) -> Result<Self> {
        let socket = TcpStream::connect(("127.0.0.1", port)).await?;
        socket.set_nodelay(true)?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket)).await?;
        tokio::spawn(connection);
        Ok(Self { port, size, number, sender, seed: 0x9e37_79b9_7f4a_7c15 ^ (u64::from(number) + 1) })
    }

    async fn work(mut self, due: impl Iterator<Item = Instant>) -> Result<Vec<Sample>> {
        let mut samples = Vec::new();
        for due in due {
            tokio::time::sleep_until(due.into()).await;
            let kind = self.kind();
            samples.push(self.ask(Kind::Mixed(kind), due).await?);
        }
        Ok(samples)
    }

    /// Asks for the metrics only.
    async fn scrape(mut self, due: impl Iterator<Item = Instant>) -> Result<Vec<Sample>> {
        let mut samples = Vec::new();
        for (turn, due) in due.enumerate() {
            tokio::time::sleep_until(due.into()).await;
            samples.push(self.ask(Kind::Scrape(turn % SCRAPES.len()), due).await?);
        }
        Ok(samples)
    }

    async fn ask(&mut self, kind: Kind, due: Instant) -> Result<Sample> {
        let (method, path, body) = match kind {
            Kind::Mixed(kind) => self.request(kind),
            Kind::Scrape(_) => ("GET", "/metrics".to_owned(), None),
        };
        let coding = if kind == Kind::Scrape(0) { "gzip" } else { "identity" };
        let request = Request::builder()
            .header("accept-encoding", coding)
            .method(method)
            .uri(path)
            .header("host", format!("127.0.0.1:{}", self.port))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body.map(|body| body.to_string()).unwrap_or_default())))?;
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await.context("no answer to a request")?;
        let is_good = answer.status().is_success();
        let mut body = answer.into_body();
        // Large answers are counted, not kept: this process shares its cores with the worker.
        let mut bytes = 0;
        while let Some(frame) = body.frame().await {
            bytes += frame?.data_ref().map_or(0, Bytes::len);
        }
        Ok(Sample { kind, latency: due.elapsed(), is_good, bytes })
    }

    /// Xorshift.
    fn random(&mut self, below: u64) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed % below.max(1)
    }

    fn kind(&mut self) -> usize {
        let all = MIX.iter().map(|(_, share)| share).sum();
        let mut at = self.random(all);
        for (kind, (_, share)) in MIX.iter().enumerate() {
            if at < *share {
                return kind;
            }
            at -= share;
        }
        0
    }

    fn connector(&mut self) -> u32 {
        self.random(u64::from(self.size.connectors)) as u32
    }

    /// A paused connector whose configuration only this client writes.
    fn own_connector(&mut self) -> u32 {
        let paused = self.size.connectors - self.size.running;
        let own = (paused / 64).max(1);
        self.size.running + (self.number * own + self.random(u64::from(own)) as u32) % paused.max(1)
    }

    fn request(&mut self, kind: usize) -> (&'static str, String, Option<Value>) {
        let connector = self.connector();
        let name = cluster::name(connector);
        match MIX[kind].0 {
            "GET /connectors/x" => ("GET", format!("/connectors/{name}"), None),
            "GET /connectors/x/status" => ("GET", format!("/connectors/{name}/status"), None),
            "GET /connectors/x/config" => ("GET", format!("/connectors/{name}/config"), None),
            "GET /connectors/x/tasks" => ("GET", format!("/connectors/{name}/tasks"), None),
            "GET /connectors/x/tasks/0/status" => ("GET", format!("/connectors/{name}/tasks/0/status"), None),
            "PUT /connectors/x/config" => {
                let own = self.own_connector();
                let mut config = cluster::config(self.size, own);
                config.insert("errors.retry.delay.max.ms".to_owned(), json!(self.random(60_000).to_string()));
                ("PUT", format!("/connectors/{}/config", cluster::name(own)), Some(Value::Object(config)))
            }
            "PUT validate" => {
                let config = cluster::config(self.size, connector);
                let class = config["connector.class"].as_str().unwrap_or_default().to_owned();
                let path = format!("/connector-plugins/{class}/config/validate");
                ("PUT", path, Some(Value::Object(config)))
            }
            "PUT pause, resume" => {
                // Running connectors: their clients stay, so that this measures the worker, not the broker.
                let name = cluster::name(connector % self.size.running.max(1));
                let action = if self.random(2) == 0 { "pause" } else { "resume" };
                let action = if self.size.running == 0 { "pause" } else { action };
                ("PUT", format!("/connectors/{name}/{action}"), None)
            }
            plain => ("GET", plain.trim_start_matches("GET ").to_owned(), None),
        }
    }
}
