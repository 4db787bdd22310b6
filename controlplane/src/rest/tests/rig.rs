//! A worker without Kafka: real HTTP over loopback, the real herder, memory for the topics, and tasks that
//! only report.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lakeward_api::ConnectError;
use lakeward_api::config::{
    ConfigDef, ConfigKey, ConfigMap, ConfigType, DefaultValue, Importance, Validator,
};
use lakeward_api::converter::Converter;
use lakeward_api::plugin::{ConverterContext, ConverterPlugin, PluginRegistry, SinkConnector};
use lakeward_api::runtime::{
    RuntimeFuture, TaskEvent, TaskId, TaskListener, TaskRuntime, TaskSpec, TaskTarget,
};
use lakeward_api::sink::{SinkTask, SinkTaskContext};
use lakeward_kafka::membership::Role;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::herder::{Herder, Stage, WorkerParts};
use crate::metrics::Metrics;
use crate::rest::{Face, FindLeader, Front, Gate, Limits, RestServer, Service, bind, no_leader};
use crate::store::{MemoryStore, Store};
use crate::worker_config::{Scheme, WorkerConfig, WorkerMode};

pub(super) const SINK: &str = "com.example.ProbeSinkConnector";

/// Reports RUNNING or PAUSED as soon as it is asked to; fails tasks whose connector says so.
#[derive(Default)]
pub(super) struct FakeRuntime {
    calls: Mutex<Vec<String>>,
    listeners: Mutex<Vec<(TaskId, TaskListener)>>,
}

impl FakeRuntime {
    pub(super) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    fn note(&self, call: String) {
        self.calls.lock().unwrap().push(call);
    }

    fn report(listener: &TaskListener, id: TaskId, target: TaskTarget) {
        listener(match target {
            TaskTarget::Paused => TaskEvent::Paused { id },
            TaskTarget::Running => TaskEvent::Running { id },
        });
    }

    pub(super) fn emit(&self, event: TaskEvent) {
        let (TaskEvent::Failed { id, .. }
        | TaskEvent::Paused { id }
        | TaskEvent::Running { id }
        | TaskEvent::TopicUsed { id, .. }) = &event;
        let listener = self.listeners.lock().unwrap().iter().rev().find(|(known, _)| known == id).cloned();
        listener.unwrap().1(event);
    }
}

impl TaskRuntime for FakeRuntime {
    fn start(&self, spec: TaskSpec, listener: TaskListener) {
        self.note(format!("start {} {:?}", spec.id, spec.target));
        self.listeners.lock().unwrap().push((spec.id.clone(), Arc::clone(&listener)));
        Self::report(&listener, spec.id, spec.target);
    }

    fn set_target(&self, id: &TaskId, target: TaskTarget) {
        self.note(format!("target {id} {target:?}"));
        let listener = self.listeners.lock().unwrap().iter().rev().find(|(known, _)| known == id).cloned();
        Self::report(&listener.unwrap().1, id.clone(), target);
    }

    fn stop<'a>(&'a self, id: &'a TaskId) -> RuntimeFuture<'a> {
        self.note(format!("stop {id}"));
        Box::pin(std::future::ready(()))
    }

    fn stop_all(&self) -> RuntimeFuture<'_> {
        self.note("stop all".to_owned());
        Box::pin(std::future::ready(()))
    }
}

struct ProbeSink;

impl SinkConnector for ProbeSink {
    fn class(&self) -> &'static str {
        SINK
    }

    fn version(&self) -> &str {
        "1.2.0"
    }

    fn config_def(&self) -> ConfigDef {
        ConfigDef::new(vec![ConfigKey {
            validator: Validator::AtLeast(1),
            documentation: "Records per file.".to_owned(),
            group: Some("Connector".to_owned()),
            order: 1,
            ..ConfigKey::new("flush.size", ConfigType::Int, DefaultValue::Required, Importance::High)
        }])
    }

    fn task_configs(&self, props: &ConfigMap, tasks_max: u32) -> Result<Vec<ConfigMap>, ConnectError> {
        match props.get("break").map(String::as_str) {
            Some("tasks") => Err(ConnectError::config("no such bucket")),
            Some("count") => Ok(vec![props.clone(); tasks_max as usize + 1]),
            _ => Ok(vec![
                ConfigMap::from([("flush.size".to_owned(), props["flush.size"].clone())]);
                tasks_max as usize
            ]),
        }
    }

    fn new_task(&self, _: SinkTaskContext) -> Result<Box<dyn SinkTask>, ConnectError> {
        Err(ConnectError::fatal("the probe has no tasks"))
    }
}

struct ProbeConverter;

impl ConverterPlugin for ProbeConverter {
    fn class(&self) -> &'static str {
        "org.apache.kafka.connect.json.JsonConverter"
    }

    fn version(&self) -> &str {
        "4.1.0"
    }

    fn config_def(&self) -> ConfigDef {
        let default = DefaultValue::Text("true".to_owned());
        ConfigDef::new(vec![ConfigKey::new("schemas.enable", ConfigType::Boolean, default, Importance::High)])
    }

    fn new_converter(&self, _: &ConverterContext<'_>) -> Result<Box<dyn Converter>, ConnectError> {
        Err(ConnectError::fatal("the probe does not convert"))
    }
}

pub(crate) fn registry() -> PluginRegistry {
    let mut registry = PluginRegistry::default();
    registry.add_sink(Arc::new(ProbeSink));
    registry.add_converter(Arc::new(ProbeConverter));
    registry
}

pub(crate) fn worker(mode: WorkerMode, extra: &[(&str, &str)]) -> WorkerConfig {
    let base = [
        ("bootstrap.servers", "localhost:1"),
        ("key.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("listeners", "http://127.0.0.1:0"),
        ("rest.advertised.host.name", "w"),
        ("rest.advertised.port", "8083"),
        ("group.id", "g"),
        ("config.storage.topic", "c"),
        ("offset.storage.topic", "o"),
        ("status.storage.topic", "s"),
        ("offset.storage.file.filename", "/nowhere"),
    ];
    let props =
        base.iter().chain(extra).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    WorkerConfig::from_props(props, mode).unwrap()
}

/// A running worker.
pub(super) struct Rig {
    pub(super) address: SocketAddr,
    pub(super) runtime: Arc<FakeRuntime>,
    pub(super) store: Arc<MemoryStore>,
    pub(super) role: watch::Sender<Role>,
    pub(super) service: watch::Sender<Option<Arc<Service>>>,
    pub(super) herder: Herder,
    stop: watch::Sender<bool>,
    rest: RestServer,
    actor: tokio::task::JoinHandle<()>,
    stage: Arc<watch::Sender<Stage>>,
}

/// An HTTP answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Reply {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Rig {
    pub(super) async fn new(mode: WorkerMode, extra: &[(&str, &str)]) -> Self {
        let rig = Self::starting(mode, extra).await;
        rig.open();
        rig
    }

    /// Ends start-up.
    pub(super) fn open(&self) {
        self.open_with(no_leader());
    }

    /// Where `/admin` is served, when it has a listener of its own.
    pub(super) fn admin_address(&self) -> SocketAddr {
        self.rest.addresses()[1]
    }

    /// Sends what may be refused before it was read; the status of the answer, 0 without one.
    pub(super) async fn blurt(&self, bytes: &[u8]) -> u16 {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // The server may have closed the connection before everything was sent.
        let _sent = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ended = stream.read_to_end(&mut answer).await;
        let text = String::from_utf8_lossy(&answer).into_owned();
        text.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    /// Ends start-up of a worker that finds the leader so.
    pub(super) fn open_with(&self, leader: FindLeader) {
        let (herder, cluster_id) = (self.herder.clone(), Some("cluster-1".to_owned()));
        let service = Service { herder, cluster_id, leader };
        self.stage.send_replace(Stage::Ready);
        self.service.send_replace(Some(Arc::new(service)));
    }

    /// Ends start-up of a worker whose group does not let it in.
    pub(super) fn open_outside(&self) {
        let (herder, leader) = (self.herder.clone(), no_leader());
        let service = Service { herder, cluster_id: None, leader };
        self.stage.send_replace(Stage::outside_its_group());
        self.service.send_replace(Some(Arc::new(service)));
    }

    pub(super) async fn distributed() -> Self {
        Self::new(WorkerMode::Distributed, &[]).await
    }

    /// A worker whose start-up does not end until its service is given.
    pub(super) async fn starting(mode: WorkerMode, extra: &[(&str, &str)]) -> Self {
        Self::limited(mode, extra, Duration::from_secs(20)).await
    }

    /// As `starting`, with a limit of its own for requests.
    pub(super) async fn limited(mode: WorkerMode, extra: &[(&str, &str)], request: Duration) -> Self {
        let limits = Limits {
            body: Duration::from_millis(200),
            connections: 512,
            head: Duration::from_millis(200),
            health: Duration::from_millis(20),
            request,
            shutdown: Duration::from_secs(2),
        };
        Self::with_limits(mode, extra, limits).await
    }

    /// As `starting`, with limits of its own.
    pub(super) async fn with_limits(mode: WorkerMode, extra: &[(&str, &str)], limits: Limits) -> Self {
        let config = worker(mode, extra);
        let runtime = Arc::new(FakeRuntime::default());
        let (stage, stage_seen) = watch::channel(Stage::Starting { doing: "awaiting startup", since_ms: 0 });
        let (service, service_seen) = watch::channel(None);
        let listeners = bind(&config).await.unwrap();
        let front = Arc::new(Front::from_config(&config).unwrap());
        let stage = Arc::new(stage);
        let gate = Gate {
            service: service_seen,
            front,
            face: Face::All,
            scheme: Scheme::Http,
            names: None,
            stage: stage_seen,
            limits,
        };
        let rest = RestServer::start(listeners, &gate);
        let store = Arc::new(MemoryStore::default());
        let (role, role_seen) = watch::channel(Role::Leader { generation: 7 });
        let parts = WorkerParts {
            worker_id: config.worker_id(8083),
            metrics: Arc::new(Metrics::new(&config)),
            url: config.advertised_url(8083),
            config: Arc::new(config),
            registry: Arc::new(registry()),
            offsets: crate::store::unopened_offsets(),
            fence: Arc::new(|_, _| Box::pin(std::future::ready(Ok(())))),
            runtime: Arc::clone(&runtime) as Arc<dyn TaskRuntime>,
        };
        let as_store: Arc<dyn Store> = Arc::clone(&store) as Arc<dyn Store>;
        let (herder, actor) = Herder::new(parts, as_store, role_seen, Arc::clone(&stage));
        let (stop, stop_seen) = watch::channel(false);
        let actor = tokio::spawn(actor.run(stop_seen));
        let address = rest.addresses()[0];
        Self { address, runtime, store, role, service, herder, stop, rest, actor, stage }
    }

    pub(super) async fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> Reply {
        let text = format!(
            "{method} {path} HTTP/1.1\r\nHost: w:8083\r\nConnection: close\r\n{headers}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.exchange(text.as_bytes()).await
    }

    /// Sends raw bytes and reads until the server closes.
    pub(super) async fn exchange(&self, bytes: &[u8]) -> Reply {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut raw = Vec::new();
        stream.read_to_end(&mut raw).await.unwrap();
        let text = String::from_utf8(raw).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text.as_str(), ""));
        let mut lines = head.lines();
        let status =
            lines.next().and_then(|line| line.split(' ').nth(1)).map_or(0, |code| code.parse().unwrap());
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Reply { status, headers, body: body.to_owned() }
    }

    pub(super) async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, "", "").await
    }

    pub(super) async fn with_json(&self, method: &str, path: &str, body: &str) -> Reply {
        self.send(method, path, "Content-Type: application/json\r\n", body).await
    }

    /// Creates connector `name` with two tasks and waits until they run.
    pub(super) async fn create(&self, name: &str) -> Reply {
        let body = format!(
            r#"{{"name":"{name}","config":{{"connector.class":"ProbeSink","tasks.max":2,
                "topics":"t","flush.size":"3"}}}}"#
        );
        let reply = self.with_json("POST", "/connectors", &body).await;
        self.wait_for(&format!("/connectors/{name}/status"), |reply| {
            reply.body.matches("RUNNING").count() == 3
        })
        .await;
        reply
    }

    /// Asks until the answer fits; the herder works between requests.
    pub(super) async fn wait_for(&self, path: &str, fits: impl Fn(&Reply) -> bool) -> Reply {
        for _ in 0..500 {
            let reply = self.get(path).await;
            if fits(&reply) {
                return reply;
            }
        }
        panic!("{path} never fits: {:?}", self.get(path).await)
    }

    pub(super) async fn shutdown(self) -> Arc<MemoryStore> {
        self.stop.send_replace(true);
        self.actor.await.unwrap();
        self.rest.shutdown().await;
        self.store
    }
}
