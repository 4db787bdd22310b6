//! A proxy in front of a server of S3, GCS or Azure that does what networks and stores do to requests:
//! refuse, stall, cut and lose them, or forget what was asked of them.
//!
//! Headers pass unchanged, so signatures stay valid; the address of a session that the server gives out leads
//! back here. What no rule names goes through; each rule tells how often it struck, so that a test sees that
//! it ran.

mod careless;
mod request;
mod session;

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{HOST, LOCATION};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::{block_on, runtime};

pub use request::Request;
use session::{Sessions, Step};

/// What happens to a request.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// The store is not asked; the answer has this status and this error code, in the words of S3.
    Answer(u16, &'static str),
    /// The store does what it is asked for, whatever the condition.
    Careless,
    /// The connection breaks while the request is on its way; the store is not asked.
    CutRequest,
    /// The store does what it is asked for, and the connection breaks before its answer.
    LoseAnswer,
    /// The store is not asked, and nobody answers as long as the client waits.
    Stall,
}

/// Which requests meet a fault.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The kind of request.
    pub on: Request,
    /// The first one, counted from 1 since the rules were set.
    pub first: u32,
    /// How many from there on.
    pub count: u32,
    /// What happens to them.
    pub fault: Fault,
}

/// A running proxy. It serves until the test process ends; without rules it only passes requests on.
#[derive(Debug)]
pub struct StoreProxy {
    port: u16,
    shared: Arc<Shared>,
}

/// What all connections know.
#[derive(Debug)]
struct Shared {
    /// `host:port` of the store.
    target: String,
    rules: Mutex<Rules>,
    sessions: Mutex<Sessions>,
}

#[derive(Debug, Default)]
struct Rules {
    rules: Vec<Rule>,
    /// How often each rule struck.
    struck: Vec<u32>,
    /// Requests by kind since the rules were set.
    seen: Vec<(Request, u32)>,
}

impl StoreProxy {
    /// Starts a proxy in front of the server at `store` (`http://host:port`).
    pub fn start(store: &str) -> anyhow::Result<Self> {
        let uri: Uri = store.parse().context("address of the store")?;
        let target = uri.authority().context("the store has no address")?.to_string();
        let shared = Arc::new(Shared { target, rules: Mutex::default(), sessions: Mutex::default() });
        let listener = block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).context("binding a port")?;
        let port = listener.local_addr()?.port();
        let known = Arc::clone(&shared);
        runtime().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&known)));
            }
        });
        Ok(Self { port, shared })
    }

    /// `http://host:port`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Replaces the rules; counting starts anew.
    pub fn set(&self, rules: &[Rule]) {
        let struck = vec![0; rules.len()];
        *lock(&self.shared.rules) = Rules { rules: rules.to_vec(), struck, seen: Vec::new() };
    }

    /// How often each rule struck since it was set.
    pub fn struck(&self) -> Vec<u32> {
        lock(&self.shared.rules).struck.clone()
    }

    /// How many requests of a kind came since the rules were set.
    pub fn seen(&self, kind: Request) -> u32 {
        lock(&self.shared.rules).seen.iter().find(|(known, _)| *known == kind).map_or(0, |(_, count)| *count)
    }
}

impl Rules {
    /// Counts a request; the fault it meets.
    fn strike(&mut self, kind: Request) -> Option<Fault> {
        let number = match self.seen.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => {
                *count += 1;
                *count
            }
            None => {
                self.seen.push((kind, 1));
                1
            }
        };
        let applies =
            |rule: &Rule| rule.on == kind && (rule.first..rule.first + rule.count).contains(&number);
        let index = self.rules.iter().position(applies)?;
        self.struck[index] += 1;
        Some(self.rules[index].fault)
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves one connection. An error of `answer` breaks it, which is what most faults are.
async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(move |request| answer(request, Arc::clone(&shared)));
    let served = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // A connection that breaks is what the client is to see.
    served.await.ok();
}

async fn answer(
    request: hyper::Request<Incoming>,
    shared: Arc<Shared>,
) -> anyhow::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let fault = lock(&shared.rules).strike(Request::of(&head));
    match fault {
        None => ask(head, collected(body).await?, &shared).await,
        Some(Fault::Careless) => {
            let body = collected(body).await?;
            let head = careless::without_condition(head, &body, &shared.target)?;
            ask(head, body, &shared).await
        }
        Some(Fault::Answer(status, code)) => {
            collected(body).await?;
            refusal(status, code)
        }
        Some(Fault::CutRequest) => {
            // What is left of a large body is never read: the client sees a reset while it sends.
            let mut body = body;
            drop(body.frame().await);
            anyhow::bail!("the request is cut")
        }
        Some(Fault::LoseAnswer) => {
            let answer = ask(head, collected(body).await?, &shared).await?;
            // Sessions of GCS go on with a redirection.
            let is_done = answer.status().is_success() || answer.status() == StatusCode::PERMANENT_REDIRECT;
            anyhow::ensure!(is_done, "the store refused: {}", answer.status());
            anyhow::bail!("the answer is lost")
        }
        Some(Fault::Stall) => std::future::pending().await,
    }
}

/// An error as S3 words them.
fn refusal(status: u16, code: &str) -> anyhow::Result<Response<Full<Bytes>>> {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Error><Code>{code}</Code><Message>a fault of the test</Message><RequestId>1</RequestId></Error>"
    );
    let answer = Response::builder().status(status).header("content-type", "application/xml");
    answer.body(Full::new(Bytes::from(text))).context("building an answer")
}

async fn collected(body: Incoming) -> anyhow::Result<Bytes> {
    Ok(body.collect().await.context("reading the request")?.to_bytes())
}

/// Asks the store, where it can tell.
async fn ask(head: Parts, body: Bytes, shared: &Shared) -> anyhow::Result<Response<Full<Bytes>>> {
    let Some(step) = Step::of(&head) else { return forward(head, body, &shared.target).await };
    if let Some(answer) = lock(&shared.sessions).answer(&step)? {
        return Ok(answer);
    }
    let answer = forward(head, body, &shared.target).await?;
    lock(&shared.sessions).took(step, answer.status());
    Ok(answer)
}

/// Asks the store over a connection of its own.
async fn forward(head: Parts, body: Bytes, target: &str) -> anyhow::Result<Response<Full<Bytes>>> {
    let proxy = head.headers.get(HOST).cloned();
    let stream = TcpStream::connect(target).await.context("connecting to the store")?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let answer = sender.send_request(hyper::Request::from_parts(head, Full::new(body))).await;
    let (mut head, body) = answer.context("asking the store")?.into_parts();
    let body = body.collect().await.context("reading the store's answer")?.to_bytes();
    driver.abort();
    if let (Some(session), Some(proxy)) = (head.headers.get_mut(LOCATION), proxy) {
        let session_url = session.to_str().context("a session's address")?;
        *session = session_url.replacen(target, proxy.to_str().context("a host")?, 1).parse()?;
    }
    Ok(Response::from_parts(head, Full::new(body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_strikes_the_requests_it_names() {
        let rule = Rule { on: Request::Part, first: 2, count: 2, fault: Fault::Stall };
        let mut rules = Rules { rules: vec![rule], struck: vec![0], seen: Vec::new() };
        let struck: Vec<bool> = (0..4).map(|_| rules.strike(Request::Part).is_some()).collect();
        assert_eq!(struck, [false, true, true, false]);
        assert!(rules.strike(Request::Put).is_none());
        assert_eq!(rules.struck, [2]);
    }
}
