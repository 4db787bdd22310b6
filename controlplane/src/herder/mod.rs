//! The herder: decides what this worker runs and answers requests about it.
//!
//! One actor owns all decisions; requests reach it through a bounded queue, reads are answered from what the
//! store has read. The same herder serves both modes over a [`Store`](crate::store::Store).
//!
//! **Several workers with one `group.id`:** in this milestone only the leader runs connectors and tasks.
//! Followers stand by with REST up: reads are answered from the logs, pause and resume are written by any
//! worker, every other write goes on to the leader over REST. When the leader goes, the group coordinator
//! gives the role to a follower, which reads the config topic to its end and starts everything.
//!
//! Source: `DistributedHerder`, `StandaloneHerder`, Kafka 4.1.

mod actor;
pub(crate) mod answers;
mod expected;
mod fencing;
pub(crate) mod fragments;
mod healing;
mod inbox;
mod lifecycle;
mod offsets;
mod raised;
#[cfg(test)]
mod recorder;
mod request_error;
mod requests;
mod resolve;
mod restart;
mod session_keys;
mod source;
mod stage;
#[cfg(test)]
mod tests;
mod told;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use lakeward_api::ConnectError;
use lakeward_api::config::ConfigMap;
use lakeward_api::offset_store::OffsetStores;
use lakeward_api::plugin::PluginRegistry;
use lakeward_api::runtime::{TaskId, TaskRuntime};
use lakeward_controlplane_core::Properties;
use lakeward_controlplane_core::config_log::{RestartRequest, TargetState};
use lakeward_kafka::membership::Role;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};

pub(crate) use expected::{Expected, tag};
use fragments::Fragments;
pub(crate) use request_error::RequestError;
pub(crate) use stage::{Stage, now_ms};

use crate::loggers::LogLevel;
use crate::metrics::Metrics;
use crate::offsets::OffsetChange;
use crate::store::{ClusterView, Store};
use crate::validation::ConfigInfos;
use crate::worker_config::{WorkerConfig, WorkerMode};

/// Every request that waits for the herder.
pub(crate) const REQUEST_LIMIT: Duration = Duration::from_secs(90);
/// Requests that may wait; more are refused.
const QUEUE_LIMIT: usize = 256;

/// Fences producers: settings of a client, and their transactional ids.
pub(crate) type FenceProducers =
    Arc<dyn Fn(ConfigMap, Vec<String>) -> BoxFuture<'static, Result<(), ConnectError>> + Send + Sync>;

/// What a worker is made of.
#[derive(Clone)]
pub(crate) struct WorkerParts {
    /// The worker file.
    pub(crate) config: Arc<WorkerConfig>,
    /// Plugins of this binary.
    pub(crate) registry: Arc<PluginRegistry>,
    /// Runs tasks.
    pub(crate) runtime: Arc<dyn TaskRuntime>,
    /// Where source offsets are kept.
    pub(crate) offsets: Arc<dyn OffsetStores>,
    /// Ends what earlier producers may still do.
    pub(crate) fence: FenceProducers,
    /// What this worker counts about itself.
    pub(crate) metrics: Arc<Metrics>,
    /// Where other workers reach this one.
    pub(crate) url: String,
    /// `host:port` of this worker.
    pub(crate) worker_id: String,
}

/// What a command asks for.
#[derive(Debug)]
pub(crate) enum Command {
    /// Forget a connector.
    Delete {
        /// Its name.
        name: String,
        /// Which configuration may go.
        expected: Expected,
    },
    /// Make sure that earlier tasks of a source connector write no more: another worker starts new ones.
    Fence {
        /// Connector.
        name: String,
    },
    /// Merge into a configuration.
    Patch {
        /// Connector.
        name: String,
        /// Nulls remove.
        patch: Properties,
        /// Which configuration it may change.
        expected: Expected,
    },
    /// Prove that the herder answers.
    Ping,
    /// Write a configuration that passed validation.
    Put(PutConnector),
    /// Write a task set that another worker generated.
    PutTasks {
        /// Connector.
        name: String,
        /// Configurations, from task 0 on.
        tasks: Vec<Properties>,
    },
    /// Change the offsets of a stopped connector.
    ModifyOffsets {
        /// Connector.
        name: String,
        /// How.
        change: OffsetChange,
    },
    /// Restart the connector instance.
    RestartConnector {
        /// Connector.
        name: String,
    },
    /// Restart what the request selects.
    RestartPlan {
        /// Connector.
        name: String,
        /// What to restart.
        request: RestartRequest,
    },
    /// Restart one task.
    RestartTask {
        /// Which.
        id: TaskId,
    },
    /// What any worker may write.
    Shared(SharedWrite),
    /// Stop a connector.
    Stop {
        /// Its name.
        name: String,
    },
}

/// What any worker may write, whether it is in its group or not.
#[derive(Debug)]
pub(crate) enum SharedWrite {
    /// Forget which topics a connector used.
    ResetTopics {
        /// Connector.
        name: String,
    },
    /// Set a log level on every worker.
    SetLogLevel {
        /// Java logger name.
        name: String,
        /// The level.
        level: LogLevel,
    },
    /// Pause or resume.
    SetTarget {
        /// Connector.
        name: String,
        /// What it should do.
        target: TargetState,
    },
}

/// A configuration to write.
#[derive(Debug)]
pub(crate) struct PutConnector {
    /// Connector name.
    pub(crate) name: String,
    /// Its configuration, `name` included.
    pub(crate) config: Properties,
    /// Target state to write before it.
    pub(crate) initial_state: Option<TargetState>,
    /// What to do when the name is taken.
    pub(crate) existing: Existing,
}

/// What to do with an existing connector of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    /// Answer 409.
    Refuse,
    /// Take its place when it is what the client expects.
    Replace(Expected),
}

/// A successful outcome.
#[derive(Debug)]
pub(crate) enum Answer {
    /// There was no connector of this name before.
    Created(Value),
    /// Done; nothing to tell.
    Done,
    /// Done, and what to say about it.
    Message(String),
    /// StateInfo of what is being restarted.
    State(Value),
    /// An existing connector changed.
    Updated(Value),
}

type Reply = oneshot::Sender<Result<Answer, RequestError>>;

/// The way to the herder. Clones share it.
#[derive(Clone)]
pub(crate) struct Herder {
    parts: WorkerParts,
    store: Arc<dyn Store>,
    fragments: Arc<Fragments>,
    commands: mpsc::Sender<(Command, Reply)>,
    stage: watch::Receiver<Stage>,
}

/// The herder's own task, to be spawned.
pub(crate) use actor::Actor;

impl Herder {
    /// A herder over `store`; the actor must be run for it to answer.
    pub(crate) fn new(
        parts: WorkerParts,
        store: Arc<dyn Store>,
        role: watch::Receiver<Role>,
        stage: Arc<watch::Sender<Stage>>,
    ) -> (Self, Actor) {
        let (commands, queue) = mpsc::channel(QUEUE_LIMIT);
        let seen = stage.subscribe();
        let actor = Actor::new(parts.clone(), Arc::clone(&store), role, stage, queue);
        (Self { parts, store, fragments: Arc::default(), commands, stage: seen }, actor)
    }

    /// What was read so far.
    pub(crate) fn view(&self) -> &ClusterView {
        self.store.view()
    }

    /// What lists of all connectors are made of.
    pub(crate) fn fragments(&self) -> &Fragments {
        &self.fragments
    }

    /// Plugins of this binary.
    pub(crate) fn registry(&self) -> &PluginRegistry {
        &self.parts.registry
    }

    /// Where other workers reach this one.
    pub(crate) fn url(&self) -> &str {
        &self.parts.url
    }

    /// What the worker is made of.
    pub(crate) fn parts(&self) -> &WorkerParts {
        &self.parts
    }

    /// The worker file.
    pub(crate) fn config(&self) -> &WorkerConfig {
        &self.parts.config
    }

    /// Sends a command and waits for its outcome, at most 90 s.
    ///
    /// # Errors
    /// What the herder answers; 500 when it does not answer in time.
    pub(crate) async fn request(&self, command: Command) -> Result<Answer, RequestError> {
        let (reply, outcome) = oneshot::channel();
        let exchange = async {
            let gone = || RequestError::Internal("The worker is shutting down.".to_owned());
            self.commands.send((command, reply)).await.map_err(|_| gone())?;
            outcome.await.map_err(|_| gone())?
        };
        match tokio::time::timeout(REQUEST_LIMIT, exchange).await {
            Ok(outcome) => outcome,
            Err(_) => Err(RequestError::Internal(timeout_text(&self.stage.borrow()))),
        }
    }

    /// Writes what any worker may write. In a group that needs no turn of the herder, so it goes on where the
    /// herder waits; a worker alone answers when its tasks follow.
    ///
    /// # Errors
    /// 404 without the connector; 500 when it was not stored in time.
    pub(crate) async fn write(&self, write: SharedWrite) -> Result<Answer, RequestError> {
        match self.parts.config.mode() {
            WorkerMode::Distributed => write.perform(&*self.store).await,
            WorkerMode::Standalone => self.request(Command::Shared(write)).await,
        }
    }

    /// Validates away from the async threads: providers and checks of connectors may take long.
    ///
    /// # Errors
    /// 400 without a known class; 500 when a provider fails or a connector panics.
    pub(crate) async fn validate(&self, props: Properties) -> Result<ConfigInfos, RequestError> {
        self.parts.validate(props).await
    }
}

/// Java's message for a request that took too long.
pub(crate) fn timeout_text(stage: &Stage) -> String {
    match stage.summary().as_str() {
        "" => "Request timed out".to_owned(),
        summary => format!("Request timed out. {summary}"),
    }
}
