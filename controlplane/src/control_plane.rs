//! The control plane of one worker: REST first, then Kafka, then work; and all of it back again.
//!
//! Owns the order of starting and stopping. Source: `Connect`, `ConnectDistributed`, `ConnectStandalone`,
//! Kafka 4.1.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lakeward_api::offset_store::OffsetStores;
use lakeward_api::plugin::PluginRegistry;
use lakeward_api::runtime::TaskRuntime;
use lakeward_kafka::membership::{Membership, Role};
use lakeward_kafka::transactions::fence_producers;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::error::ControlPlaneError;
use crate::herder::{Command, Existing, Herder, PutConnector, Stage, WorkerParts};
use crate::metrics::Metrics;
use crate::rest::{Face, FindLeader, Front, Gate, Limits, RestServer, Service, bind, no_leader};
use crate::standalone_files::{self, ConnectorFile};
use crate::start_up;
use crate::store::{MemoryStore, Store};
use crate::worker_config::{Scheme, WorkerConfig, WorkerMode};

/// How long looking up the leader's address may take.
const FIND_LEADER_LIMIT: Duration = Duration::from_secs(10);

/// How start-up went, for everybody who waits for it.
#[derive(Clone, Debug)]
enum Outcome {
    Failed(Arc<ControlPlaneError>),
    Pending,
    Ready,
}

/// A running control plane.
///
/// REST is bound when a constructor returns; everything else goes on in the background: wait for it with
/// [`ControlPlane::ready`], and end the process when [`ControlPlane::failed`] resolves.
pub struct ControlPlane {
    rest: RestServer,
    outcome: watch::Receiver<Outcome>,
    stage: Arc<watch::Sender<Stage>>,
    stop: watch::Sender<bool>,
    main: JoinHandle<()>,
}

/// The ends of the channels that the background task serves.
struct Signals {
    outcome: watch::Sender<Outcome>,
    stage: Arc<watch::Sender<Stage>>,
    service: watch::Sender<Option<Arc<Service>>>,
    stop: watch::Receiver<bool>,
}

impl ControlPlane {
    /// Starts a worker of a group. Returns when REST is bound, within milliseconds.
    ///
    /// # Errors
    /// Class `Config` when a listener cannot be opened.
    pub async fn start_distributed(
        config: WorkerConfig,
        registry: PluginRegistry,
        runtime: Arc<dyn TaskRuntime>,
        offsets: Arc<dyn OffsetStores>,
    ) -> Result<Self, ControlPlaneError> {
        assert_eq!(config.mode(), WorkerMode::Distributed, "the worker file was read for another mode");
        Self::start(config, registry, (runtime, offsets), Limits::default(), |parts, signals| {
            Box::pin(run_distributed(parts, signals))
        })
        .await
    }

    /// Starts a worker alone and creates the connectors of `connector_files`. Returns when REST is bound.
    ///
    /// # Errors
    /// Class `Config` when a listener cannot be opened or a connector file cannot be read.
    pub async fn start_standalone(
        config: WorkerConfig,
        connector_files: &[PathBuf],
        registry: PluginRegistry,
        runtime: Arc<dyn TaskRuntime>,
        offsets: Arc<dyn OffsetStores>,
    ) -> Result<Self, ControlPlaneError> {
        assert_eq!(config.mode(), WorkerMode::Standalone, "the worker file was read for another mode");
        let files = connector_files
            .iter()
            .map(|path| Ok((path.display().to_string(), standalone_files::load(path)?)))
            .collect::<Result<Vec<_>, ControlPlaneError>>()?;
        Self::start(config, registry, (runtime, offsets), Limits::default(), |parts, signals| {
            Box::pin(async move {
                match start_up::cluster_id(&parts.config).await {
                    Ok(id) => run_standalone(parts, signals, files, Some(id)).await,
                    Err(err) => signals.fail(err),
                }
            })
        })
        .await
    }

    async fn start(
        config: WorkerConfig,
        registry: PluginRegistry,
        (runtime, offsets): (Arc<dyn TaskRuntime>, Arc<dyn OffsetStores>),
        limits: Limits,
        run: impl FnOnce(WorkerParts, Signals) -> futures::future::BoxFuture<'static, ()>,
    ) -> Result<Self, ControlPlaneError> {
        let front = Arc::new(Front::from_config(&config)?);
        let listeners = bind(&config).await?;
        let (stage, stage_seen) = watch::channel(Stage::starting("awaiting startup"));
        let stage = Arc::new(stage);
        let (service, service_seen) = watch::channel(None);
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
        let port = rest.addresses().get(config.advertised_listener()).map_or(0, SocketAddr::port);
        let parts = WorkerParts {
            url: config.advertised_url(port),
            worker_id: config.worker_id(port),
            metrics: Arc::new(Metrics::new(&config)),
            config: Arc::new(config),
            registry: Arc::new(registry),
            runtime,
            offsets,
            fence: Arc::new(|admin, ids| Box::pin(async move { fence_producers(&admin, &ids).await })),
        };
        let (outcome, outcome_seen) = watch::channel(Outcome::Pending);
        let (stop, stop_seen) = watch::channel(false);
        let signals = Signals { outcome, stage: Arc::clone(&stage), service, stop: stop_seen };
        let main = tokio::spawn(run(parts, signals));
        Ok(Self { rest, outcome: outcome_seen, stage, stop, main })
    }

    /// Where REST listens, in the order of the `listeners` setting.
    pub fn rest_addresses(&self) -> &[SocketAddr] {
        self.rest.addresses()
    }

    /// Waits until requests are answered. Cancel safe.
    ///
    /// # Errors
    /// The failure that ended start-up.
    pub async fn ready(&self) -> Result<(), Arc<ControlPlaneError>> {
        let mut outcome = self.outcome.clone();
        loop {
            match outcome.borrow_and_update().clone() {
                Outcome::Ready => return Ok(()),
                Outcome::Failed(err) => return Err(err),
                Outcome::Pending => {}
            }
            if outcome.changed().await.is_err() {
                return Err(stopped());
            }
        }
    }

    /// Resolves when the control plane cannot go on; never before. Cancel safe.
    pub async fn failed(&self) -> Arc<ControlPlaneError> {
        let mut outcome = self.outcome.clone();
        loop {
            if let Outcome::Failed(err) = outcome.borrow_and_update().clone() {
                return err;
            }
            if outcome.changed().await.is_err() {
                return stopped();
            }
        }
    }

    /// Stops all tasks, writes their last statuses, leaves the group and closes REST.
    pub async fn shutdown(self) {
        self.stage.send_replace(Stage::Stopping);
        self.stop.send_replace(true);
        if let Err(err) = self.main.await {
            tracing::error!(error = %err, "the herder ended badly");
        }
        self.rest.shutdown().await;
    }
}

fn stopped() -> Arc<ControlPlaneError> {
    Arc::new(ControlPlaneError::Stopped { reason: "the herder ended".to_owned() })
}

impl Signals {
    fn fail(&self, err: ControlPlaneError) {
        tracing::error!(error = err.with_causes(), "the worker cannot start");
        self.outcome.send_replace(Outcome::Failed(Arc::new(err)));
    }

    fn ready(&self, service: Service, is_member: bool) {
        self.in_group(is_member);
        self.service.send_replace(Some(Arc::new(service)));
        self.outcome.send_replace(Outcome::Ready);
    }

    /// What a started worker does depends on its group.
    fn in_group(&self, is_member: bool) {
        self.stage.send_if_modified(|stage| match (&*stage, is_member) {
            (Stage::Stopping, _)
            | (Stage::Busy { .. } | Stage::Ready, true)
            | (Stage::Waiting { .. }, false) => false,
            (_, is_member) => {
                *stage = if is_member { Stage::Ready } else { Stage::outside_its_group() };
                true
            }
        });
    }

    /// Resolves when the worker is to stop.
    async fn stopping(&self) {
        let mut stop = self.stop.clone();
        drop(stop.wait_for(|stop| *stop).await);
    }
}

async fn run_distributed(parts: WorkerParts, signals: Signals) {
    let joined = tokio::select! {
        joined = start_up::join(&parts.config, &parts.url, &signals.stage) => joined,
        () = signals.stopping() => return,
    };
    let joined = match joined {
        Ok(joined) => joined,
        Err(err) => return signals.fail(err),
    };
    let role = joined.membership.role();
    let config = Arc::clone(&parts.config);
    let metrics = Arc::clone(&parts.metrics);
    let (herder, actor) = Herder::new(parts, joined.store, role, Arc::clone(&signals.stage));
    let running = actor.run(signals.stop.clone());
    let finder = joined.membership.leader();
    let member = finder.clone();
    let leader: FindLeader = Arc::new(move || {
        let finder = finder.clone();
        Box::pin(async move {
            finder.url(FIND_LEADER_LIMIT).await.unwrap_or_else(|err| {
                tracing::warn!(error = %err, "the leader's address is not known");
                None
            })
        })
    });
    metrics.joined(Arc::clone(&leader), move || member.generation());
    let mut present = joined.membership.present();
    let is_member = *present.borrow_and_update();
    signals.ready(Service { herder, cluster_id: Some(joined.cluster_id), leader }, is_member);
    let mut running = std::pin::pin!(running);
    loop {
        tokio::select! {
            () = running.as_mut() => break,
            Ok(()) = present.changed() => signals.in_group(*present.borrow_and_update()),
            refusal = joined.membership.refused() => {
                // Whoever watches for failures stops the worker now, in order.
                signals.fail(start_up::refused(&config, refusal));
                running.await;
                break;
            }
        }
    }
    leave(joined.membership).await;
}

/// Leaving waits for the broker: away from the async threads.
async fn leave(membership: Membership) {
    if let Err(err) = tokio::task::spawn_blocking(move || drop(membership)).await {
        tracing::warn!(error = %err, "leaving the group was aborted");
    }
}

/// Ready only after the connectors of the command line were created, as in Java.
async fn run_standalone(
    parts: WorkerParts,
    signals: Signals,
    files: Vec<(String, ConnectorFile)>,
    cluster_id: Option<String>,
) {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let (leads, role) = watch::channel(Role::Leader { generation: 0 });
    let (herder, actor) = Herder::new(parts, store, role, Arc::clone(&signals.stage));
    let actor = tokio::spawn(actor.run(signals.stop.clone()));
    let mut failed = None;
    for (path, file) in files {
        if let Err(problem) = create(&herder, file).await {
            failed = Some(ControlPlaneError::ConnectorFile { path, problem });
            break;
        }
    }
    match failed {
        Some(err) => signals.fail(err),
        None => signals.ready(Service { herder, cluster_id, leader: no_leader() }, true),
    }
    if let Err(err) = actor.await {
        tracing::error!(error = %err, "the herder ended badly");
    }
    drop(leads);
}

async fn create(herder: &Herder, file: ConnectorFile) -> Result<(), String> {
    let ConnectorFile { name, config, initial_state } = file;
    let validated = herder.validate(config.clone()).await.map_err(|err| err.to_string())?;
    if let Some(refusal) = validated.refusal() {
        return Err(refusal);
    }
    let put = PutConnector { name, config, initial_state, existing: Existing::Refuse };
    herder.request(Command::Put(put)).await.map(drop).map_err(|err| err.to_string())
}
