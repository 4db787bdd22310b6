//! A bridge, a registry server with a script in front of it, and a client whose answers are waited for.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use lakeward_api::ConnectError;
use lakeward_api::bridge::{Bridge, BridgeFuture, Waker};
use lakeward_api::config::ConfigMap;
use lakeward_api::plugin::Network;
use lakeward_registry::{
    RegisteredSchema, Registry, RegistrySettings, SchemaText, SchemaType, Store, http, server,
};
use tokio::net::TcpListener;
use tokio::runtime::{Handle, Runtime};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

/// Longest wait for an answer; every test ends far earlier.
const PATIENCE: Duration = Duration::from_secs(20);

/// What stands in front of the server: `None` passes the request on.
pub(crate) type Script = dyn Fn(&Request<Incoming>) -> Option<(u16, Vec<u8>)> + Send + Sync;

pub(crate) struct Rig {
    pub(crate) runtime: Runtime,
    pub(crate) store: Arc<Mutex<Store>>,
    /// Requests by path and query.
    pub(crate) seen: Arc<Mutex<HashMap<String, usize>>>,
}

struct OnRuntime(Handle);

impl Bridge for OnRuntime {
    fn spawn(&self, future: BridgeFuture) {
        drop(self.0.spawn(future));
    }
}

impl Rig {
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("tests may make a runtime");
        Self { runtime, store: Arc::default(), seen: Arc::default() }
    }

    /// A port nobody listens on, as a URL.
    pub(crate) fn nobody(&self) -> String {
        url(&self.listener())
    }

    /// The development server as it is.
    pub(crate) fn server(&self, options: server::Options) -> String {
        let listener = self.listener();
        let url = url(&listener);
        self.runtime.spawn(server::serve_with(listener, Arc::clone(&self.store), options));
        url
    }

    /// The development server's answers behind `script`; requests are counted.
    pub(crate) fn scripted(&self, script: Arc<Script>) -> String {
        let listener = self.listener();
        let url = url(&listener);
        let (store, seen) = (Arc::clone(&self.store), Arc::clone(&self.seen));
        self.runtime.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (script, store, seen) = (Arc::clone(&script), Arc::clone(&store), Arc::clone(&seen));
                tokio::spawn(async move {
                    let service = service_fn(|request| respond(&*script, &store, &seen, request));
                    let http = hyper::server::conn::http1::Builder::new();
                    // The client may leave at any time.
                    let _ended = http.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        url
    }

    /// The development server's answers over TLS.
    pub(crate) fn tls_server(&self, config: Arc<ServerConfig>) -> String {
        let listener = self.listener();
        let url = url(&listener).replace("http://", "https://");
        let store = Arc::clone(&self.store);
        let acceptor = TlsAcceptor::from(config);
        self.runtime.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (acceptor, store) = (acceptor.clone(), Arc::clone(&store));
                tokio::spawn(async move {
                    // A client that does not trust the server ends here.
                    let Ok(socket) = acceptor.accept(socket).await else { return };
                    let seen = Mutex::default();
                    let service = service_fn(|request| respond(&|_| None, &store, &seen, request));
                    let http = hyper::server::conn::http1::Builder::new();
                    let _ended = http.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        url
    }

    fn listener(&self) -> TcpListener {
        self.runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port")
    }

    pub(crate) fn client(&self, url: &str, more: &[(&str, &str)]) -> Client {
        self.client_on(Arc::new(OnRuntime(self.runtime.handle().clone())), url, more)
    }

    pub(crate) fn client_on(&self, bridge: Arc<dyn Bridge>, url: &str, more: &[(&str, &str)]) -> Client {
        made(bridge, url, more).expect("valid certificates")
    }

    pub(crate) fn try_client(&self, url: &str, more: &[(&str, &str)]) -> Result<Client, ConnectError> {
        made(Arc::new(OnRuntime(self.runtime.handle().clone())), url, more)
    }

    pub(crate) fn register(&self, subject: &str, schema: SchemaText) -> i32 {
        let mut store = self.store.lock().expect("no test panicked with it");
        store.register(subject, schema.into(), false, None).expect("a valid schema").id
    }

    pub(crate) fn count(&self, path: &str) -> usize {
        self.seen.lock().expect("no test panicked with it").get(path).copied().unwrap_or(0)
    }
}

fn made(bridge: Arc<dyn Bridge>, url: &str, more: &[(&str, &str)]) -> Result<Client, ConnectError> {
    let mut settings = ConfigMap::new();
    for (key, value) in [("schema.registry.url", url), ("max.retries", "0"), ("retries.wait.ms", "1")] {
        settings.insert(key.to_owned(), value.to_owned());
    }
    settings.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    let settings = RegistrySettings::parse(&settings, false).expect("valid settings");
    let (sender, woken) = channel();
    // The receiver may be gone when a late answer wakes.
    let waker = Waker::new(move || {
        let _woken = sender.send(());
    });
    let registry = http::client(&settings, &Network { bridge, waker })?;
    Ok(Client { registry, woken })
}

async fn respond(
    script: &Script,
    store: &Mutex<Store>,
    seen: &Mutex<HashMap<String, usize>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().to_string();
    *seen.lock().expect("no test panicked with it").entry(path).or_default() += 1;
    let (status, body) = match tokio::task::block_in_place(|| script(&request)) {
        Some(answer) => answer,
        None => {
            let (head, body) = request.into_parts();
            let body = body.collect().await.expect("clients send whole bodies").to_bytes();
            let answer = server::answer(store, &head.method, &head.uri, &body);
            (answer.status.as_u16(), answer.body.into_bytes())
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status.try_into().expect("scripts name valid statuses");
    Ok(response)
}

pub(crate) struct Client {
    pub(crate) registry: Box<dyn Registry>,
    woken: Receiver<()>,
}

type Answer = Result<Arc<RegisteredSchema>, ConnectError>;

impl Client {
    pub(crate) fn by_id(&mut self, subject: &str, id: i32) -> Answer {
        self.wait(|registry| registry.by_id(subject, id))
    }

    pub(crate) fn forget_failures(&mut self) {
        self.registry.forget_failures();
    }

    pub(crate) fn associated(&mut self, topic: &str, is_key: bool) -> Option<Arc<str>> {
        self.wait(|registry| registry.associated(topic, is_key)).expect("the registry answers")
    }

    pub(crate) fn for_writing(&mut self, subject: &str, schema: &SchemaText) -> Answer {
        self.wait(|registry| registry.for_writing(subject, schema))
    }

    /// Asks, and asks again whenever the task is woken.
    pub(crate) fn wait<T>(&mut self, mut ask: impl FnMut(&mut dyn Registry) -> Poll<T>) -> T {
        loop {
            if let Poll::Ready(answer) = ask(&mut *self.registry) {
                return answer;
            }
            self.woken.recv_timeout(PATIENCE).expect("the task is woken when the answer is there");
        }
    }
}

pub(crate) fn avro(text: &str) -> SchemaText {
    SchemaText { kind: SchemaType::Avro, text: text.into(), references: Vec::new() }
}

fn url(listener: &TcpListener) -> String {
    format!("http://{}", listener.local_addr().expect("a bound socket has an address"))
}
