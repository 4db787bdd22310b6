//! Makes sure that no task of an earlier task set of a source connector writes any more, before tasks start
//! or offsets change.
//!
//! The herder decides and writes down that it was done; asking the brokers in between takes up to 90 s and
//! goes on beside the herder's loop. One round per connector at a time: whoever asks meanwhile joins it. A
//! new task set ends it.
//!
//! Source: KIP-618, `DistributedHerder#doFenceZombieSourceTasks`, `ZombieFencing`, Kafka 4.1.

use std::collections::BTreeMap;
use std::sync::Arc;

use lakeward_api::config::ConfigMap;
use lakeward_api::plugin::PluginKind;
use lakeward_api::runtime::{TaskEvent, TaskId};
use lakeward_api::{ConnectError, ErrorClass};
use lakeward_controlplane_core::config_log::{ClusterState, records};
use lakeward_kafka::settings::connector_admin;
use tokio::sync::mpsc;

use super::actor::Actor;
use super::lifecycle::Launch;
use super::offsets::{OffsetJob, not_found, resolved};
use super::{Answer, QUEUE_LIMIT, Reply, RequestError};
use crate::connector_class::ConnectorClass;
use crate::store::StoreError;

/// Tasks of one connector; a record that names more is not believed.
const TASKS_MAX: i64 = 100_000;

/// Who waits for a round.
pub(super) enum Waiter {
    /// A change of offsets.
    Offsets(OffsetJob),
    /// A worker that is about to start tasks.
    Request(Reply),
    /// A task of this worker.
    Task(Box<Launch>),
}

/// How a round ended, for all who waited.
type Fenced = Result<(), Arc<ConnectError>>;

/// The rounds that are under way.
pub(super) struct Fencings {
    rounds: BTreeMap<Arc<str>, Round>,
    next: u64,
    done: mpsc::UnboundedSender<Done>,
    /// Rounds whose brokers answered; at most one per connector counts.
    pub(super) answers: mpsc::UnboundedReceiver<Done>,
}

struct Round {
    number: u64,
    known: Known,
    waiters: Vec<Waiter>,
}

/// What the brokers said.
pub(super) struct Done {
    name: Arc<str>,
    number: u64,
    outcome: Result<(), ConnectError>,
}

/// What the config topic says about a connector.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Known {
    /// Whether a round is due, and how many tasks there were in the last one.
    pending: Option<(bool, Option<i64>)>,
    /// Tasks of the present set.
    present: usize,
    generation: Option<i64>,
}

impl Known {
    fn look(state: &ClusterState, name: &str) -> Self {
        Self {
            pending: state.pending_fencing(name),
            present: state.task_set(name).map_or(0, |set| set.tasks.len()),
            generation: state.task_generation(name),
        }
    }

    fn is_due(self) -> bool {
        self.pending.is_some_and(|(is_due, _)| is_due)
    }

    /// How many producers must be asked about. One task fences its only predecessor by taking its
    /// transactional id.
    fn before(self) -> Option<i64> {
        let (_, before) = self.pending?;
        before.filter(|before| !(*before == 1 && self.present == 1))
    }
}

impl Default for Fencings {
    fn default() -> Self {
        let (done, answers) = mpsc::unbounded_channel();
        Self { rounds: BTreeMap::new(), next: 0, done, answers }
    }
}

impl Fencings {
    /// A task is not to start any more.
    pub(super) fn forget(&mut self, id: &TaskId) {
        if let Some(round) = self.rounds.get_mut(&id.connector) {
            round.waiters.retain(|waiter| !matches!(waiter, Waiter::Task(launch) if launch.spec.id == *id));
        }
    }

    /// This worker leads no more: tasks do not start, requests go to the new leader.
    pub(super) fn clear(&mut self) {
        for waiter in std::mem::take(&mut self.rounds).into_values().flat_map(|round| round.waiters) {
            match waiter {
                Waiter::Offsets(OffsetJob { reply, .. }) | Waiter::Request(reply) => {
                    drop(reply.send(Err(RequestError::NotLeader)));
                }
                Waiter::Task(_) => {}
            }
        }
    }
}

impl Actor {
    /// Another worker is about to start tasks of a source connector.
    pub(super) async fn fence_for_others(&mut self, name: &str, reply: Reply) {
        match self.source_config(name).await {
            Ok(config) => self.fence(&Arc::from(name), &config, Waiter::Request(reply)).await,
            // The client may have gone.
            Err(err) => drop(reply.send(Err(err))),
        }
    }

    async fn source_config(&self, name: &str) -> Result<ConfigMap, RequestError> {
        if !self.leads() {
            return Err(RequestError::NotLeader);
        }
        let raw = self.view().config(|state| state.config(name).cloned());
        let (config, _) = resolved(&self.parts, raw.ok_or_else(|| not_found(name))?).await?;
        let class = config.get("connector.class").map(String::as_str).unwrap_or_default();
        let class = ConnectorClass::find(&self.parts.registry, class);
        if class.is_none_or(|class| class.kind() != PluginKind::Source) {
            return Err(RequestError::BadRequest(format!("Connector {name} is not a source connector")));
        }
        Ok(config)
    }

    /// Serves a waiter once earlier tasks are fenced, at once if they are. `connector` is the resolved
    /// configuration.
    pub(super) async fn fence(&mut self, name: &Arc<str>, connector: &ConfigMap, waiter: Waiter) {
        match self.begin_round(name, connector).await {
            Ok(Some(round)) if round.waiters.len() < QUEUE_LIMIT || matches!(waiter, Waiter::Task(_)) => {
                round.waiters.push(waiter);
            }
            Ok(Some(_)) => {
                self.serve(
                    waiter,
                    &Err(Arc::new(ConnectError::retriable("Too many requests wait for this"))),
                );
            }
            Ok(None) => self.serve(waiter, &Ok(())),
            Err(err) => self.serve(waiter, &Err(Arc::new(err))),
        }
    }

    /// The round to wait for, if there is anything to do.
    async fn begin_round(
        &mut self,
        name: &Arc<str>,
        connector: &ConfigMap,
    ) -> Result<Option<&mut Round>, ConnectError> {
        self.store.refresh().await.map_err(|err| not_stored(&err))?;
        let known = self.view().config(|state| Known::look(state, name));
        if !known.is_due() {
            return Ok(None);
        }
        let Some(before) = known.before() else {
            self.write_task_count(name, known.present).await?;
            return Ok(None);
        };
        if !(0..=TASKS_MAX).contains(&before) {
            return Err(ConnectError::fatal(format!("{before} is no number of tasks that ran before")));
        }
        if self.fencings.rounds.get(name).is_some_and(|round| round.known != known) {
            self.end_round(name, &Err(Arc::new(replaced())));
        }
        if !self.fencings.rounds.contains_key(name) {
            self.ask_brokers(name, connector, before);
            let round = Round { number: self.fencings.next, known, waiters: Vec::new() };
            self.fencings.rounds.insert(Arc::clone(name), round);
        }
        Ok(self.fencings.rounds.get_mut(name))
    }

    fn ask_brokers(&mut self, name: &Arc<str>, connector: &ConfigMap, before: i64) {
        self.fencings.next += 1;
        let (number, name, done) = (self.fencings.next, Arc::clone(name), self.fencings.done.clone());
        let group = self.parts.config.required("group.id");
        let ids: Vec<String> = (0..before).map(|task| format!("{group}-{name}-{task}")).collect();
        let admin = connector_admin(self.parts.config.props(), connector);
        tracing::info!(connector = %name, count = before, "fencing earlier tasks");
        let fenced = (self.parts.fence)(admin, ids);
        tokio::spawn(async move {
            let outcome = fenced.await;
            // The herder may be gone.
            drop(done.send(Done { name, number, outcome }));
        });
    }

    /// The brokers answered: writes down that it was done, unless another task set came meanwhile.
    pub(super) async fn on_fenced(&mut self, done: Done) {
        let Done { name, number, outcome } = done;
        let Some(round) = self.fencings.rounds.get(&name).filter(|round| round.number == number) else {
            return;
        };
        let known = round.known;
        let outcome = match outcome {
            Ok(()) => self.conclude(&name, known).await,
            Err(err) => Err(err),
        };
        self.end_round(&name, &outcome.map_err(Arc::new));
    }

    async fn conclude(&self, name: &str, before: Known) -> Result<(), ConnectError> {
        self.store.refresh().await.map_err(|err| not_stored(&err))?;
        let now = self.view().config(|state| Known::look(state, name));
        if now.generation != before.generation {
            return Err(replaced());
        }
        self.write_task_count(name, before.present).await
    }

    async fn write_task_count(&self, name: &str, count: usize) -> Result<(), ConnectError> {
        let record = records::task_count(name, count);
        self.write(vec![record]).await.map_err(|err| not_stored(&err))
    }

    fn end_round(&mut self, name: &str, outcome: &Fenced) {
        let round = self.fencings.rounds.remove(name);
        for waiter in round.into_iter().flat_map(|round| round.waiters) {
            self.serve(waiter, outcome);
        }
    }

    fn serve(&mut self, waiter: Waiter, outcome: &Fenced) {
        match (waiter, outcome) {
            (Waiter::Task(launch), Ok(())) => self.launch(*launch),
            (Waiter::Task(launch), Err(err)) => {
                let Launch { spec, listener, .. } = *launch;
                listener(TaskEvent::Failed { id: spec.id, trace: err.trace() });
            }
            (Waiter::Offsets(job), Ok(())) => job.spawn(self.parts.clone()),
            (Waiter::Offsets(job), Err(err)) => {
                let message =
                    "Failed to perform zombie fencing for source connector prior to modifying offsets";
                tracing::error!(connector = job.name, error = err.trace().trim_end(), "{message}");
                drop(job.reply.send(Err(RequestError::Internal(message.to_owned()))));
            }
            (Waiter::Request(reply), outcome) => {
                drop(reply.send(outcome.as_ref().map(|()| Answer::Done).map_err(|err| refusal(err))));
            }
        }
    }
}

fn not_stored(err: &StoreError) -> ConnectError {
    ConnectError::retriable(err.to_string())
}

fn replaced() -> ConnectError {
    ConnectError::new(
        ErrorClass::Fenced,
        "org.apache.kafka.connect.runtime.rest.errors.ConnectRestException",
        "Fencing failed because new task configurations were generated for the connector",
    )
}

fn refusal(err: &ConnectError) -> RequestError {
    if err.class() == ErrorClass::Fenced {
        return RequestError::Conflict(err.to_string());
    }
    tracing::warn!(error = err.trace().trim_end(), "earlier tasks were not fenced");
    RequestError::Internal("Failed to perform zombie fencing".to_owned())
}
