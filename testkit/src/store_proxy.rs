//! A proxy in front of the S3 server that does what networks and stores do to requests: refuse, stall, cut
//! and lose them.
//!
//! It knows S3's requests apart by method and query. Headers pass unchanged, so signatures stay valid. What
//! no rule names goes through; each rule tells how often it struck, so that a test sees that it ran.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::{block_on, runtime};

/// A request as S3 tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Drops a multipart upload.
    Abort,
    /// Begins a multipart upload.
    Begin,
    /// Completes a multipart upload.
    Complete,
    /// Lists objects.
    List,
    /// Reads an object or asks for it.
    Other,
    /// One part of a multipart upload.
    Part,
    /// A whole object.
    Put,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// The store is not asked; the answer has this status and this error code of S3.
    Answer(u16, &'static str),
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
    rules: Arc<Mutex<Rules>>,
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
        let target: Arc<str> = uri.authority().context("the store has no address")?.as_str().into();
        let rules: Arc<Mutex<Rules>> = Arc::default();
        let listener = block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).context("binding a port")?;
        let port = listener.local_addr()?.port();
        let shared = Arc::clone(&rules);
        runtime().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&target), Arc::clone(&shared)));
            }
        });
        Ok(Self { port, rules })
    }

    /// `http://host:port`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Replaces the rules; counting starts anew.
    pub fn set(&self, rules: &[Rule]) {
        let struck = vec![0; rules.len()];
        *lock(&self.rules) = Rules { rules: rules.to_vec(), struck, seen: Vec::new() };
    }

    /// How often each rule struck since it was set.
    pub fn struck(&self) -> Vec<u32> {
        lock(&self.rules).struck.clone()
    }

    /// How many requests of a kind came since the rules were set.
    pub fn seen(&self, kind: Request) -> u32 {
        lock(&self.rules).seen.iter().find(|(known, _)| *known == kind).map_or(0, |(_, count)| *count)
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

impl Request {
    /// What S3 takes a request for.
    fn of(method: &Method, uri: &Uri) -> Self {
        let has = |name: &str| {
            let pairs = uri.query().unwrap_or_default().split('&');
            pairs.into_iter().any(|pair| pair.split('=').next() == Some(name))
        };
        match *method {
            Method::DELETE if has("uploadId") => Self::Abort,
            Method::GET if has("list-type") => Self::List,
            Method::POST if has("uploads") => Self::Begin,
            Method::POST if has("uploadId") => Self::Complete,
            Method::PUT if has("partNumber") => Self::Part,
            Method::PUT => Self::Put,
            _ => Self::Other,
        }
    }
}

fn lock(rules: &Mutex<Rules>) -> MutexGuard<'_, Rules> {
    rules.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves one connection. An error of `answer` breaks it, which is what most faults are.
async fn serve(stream: TcpStream, target: Arc<str>, rules: Arc<Mutex<Rules>>) {
    let service = service_fn(move |request| answer(request, Arc::clone(&target), Arc::clone(&rules)));
    let served = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // A connection that breaks is what the client is to see.
    served.await.ok();
}

async fn answer(
    request: hyper::Request<Incoming>,
    target: Arc<str>,
    rules: Arc<Mutex<Rules>>,
) -> anyhow::Result<Response<Full<Bytes>>> {
    let fault = lock(&rules).strike(Request::of(request.method(), request.uri()));
    match fault {
        None => forward(request, &target).await,
        Some(Fault::Answer(status, code)) => {
            request.into_body().collect().await.context("reading the request")?;
            refusal(status, code)
        }
        Some(Fault::CutRequest) => {
            // What is left of a large body is never read: the client sees a reset while it sends.
            drop(request.into_body().frame().await);
            anyhow::bail!("the request is cut")
        }
        Some(Fault::LoseAnswer) => {
            let answer = forward(request, &target).await?;
            anyhow::ensure!(answer.status().is_success(), "the store refused: {}", answer.status());
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

/// Asks the store over a connection of its own.
async fn forward(request: hyper::Request<Incoming>, target: &str) -> anyhow::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.context("reading the request")?.to_bytes();
    let stream = TcpStream::connect(target).await.context("connecting to the store")?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let answer = sender.send_request(hyper::Request::from_parts(head, Full::new(body))).await;
    let (head, body) = answer.context("asking the store")?.into_parts();
    let body = body.collect().await.context("reading the store's answer")?.to_bytes();
    driver.abort();
    Ok(Response::from_parts(head, Full::new(body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(method: Method, uri: &str) -> Request {
        Request::of(&method, &uri.parse().unwrap())
    }

    #[test]
    fn requests_are_told_apart() {
        assert_eq!(kind(Method::PUT, "/b/a+1.json"), Request::Put);
        assert_eq!(kind(Method::PUT, "/b/a?partNumber=1&uploadId=x"), Request::Part);
        assert_eq!(kind(Method::POST, "/b/a?uploads"), Request::Begin);
        assert_eq!(kind(Method::POST, "/b/a?uploads="), Request::Begin);
        assert_eq!(kind(Method::POST, "/b/a?uploadId=x"), Request::Complete);
        assert_eq!(kind(Method::DELETE, "/b/a?uploadId=x"), Request::Abort);
        assert_eq!(kind(Method::GET, "/b?list-type=2&prefix="), Request::List);
        assert_eq!(kind(Method::GET, "/b/a"), Request::Other);
    }

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
