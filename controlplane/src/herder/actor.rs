//! The herder's loop: roles, requests, task events, and the way to the wanted state.
//!
//! Everything is decided here, one thing at a time. It must not block: slow work is awaited.
//!
//! Source: `DistributedHerder#tick`, Kafka 4.1.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use lakeward_api::config::ConfigMap;
use lakeward_api::runtime::TaskId;
use lakeward_controlplane_core::config_log::TargetState;
use lakeward_controlplane_core::reconcile::{InstanceHealth, Plan, Running, RunningConnector, reconcile};
use lakeward_controlplane_core::status::{RunState, Subject, TopicUse, topic_record, topic_tombstone};
use lakeward_kafka::membership::Role;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::fencing::Fencings;
use super::healing::Healing;
use super::inbox::{Inbox, Report, Reported};
use super::raised::Raised;
use super::told::Told;
use super::{Answer, Command, QUEUE_LIMIT, Reply, RequestError, Stage, WorkerParts, answers, now_ms};
use crate::config_providers::Resolved;
use crate::signing::Signing;
use crate::store::{ClusterView, Store};
use crate::worker_config::WorkerMode;

/// Turns towards the wanted state per wake: each writes at most one task set per connector, so two suffice;
/// more means that a connector answers differently each time.
const TURNS_MAX: usize = 8;
const RETRY_FIRST: Duration = Duration::from_millis(250);
const RETRY_MAX: Duration = Duration::from_secs(60);

/// When to try again what the store refused. Source: `DistributedHerder#startConnector`, exponential back-off
/// of 250 ms to 60 s.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retry {
    pub(super) due: Instant,
    pub(super) pause: Duration,
}

impl Retry {
    /// The attempt after `before`.
    pub(super) fn after(before: Option<Self>) -> Self {
        let pause = before.map_or(RETRY_FIRST, |before| (before.pause * 2).min(RETRY_MAX));
        Self { due: Instant::now() + pause, pause }
    }
}

/// The herder's state and its ends of the queues.
pub(crate) struct Actor {
    pub(super) parts: WorkerParts,
    pub(super) store: Arc<dyn Store>,
    pub(super) running: Running,
    /// Tasks of `running` that gave up.
    pub(super) failed_tasks: BTreeSet<TaskId>,
    /// Configurations of `running` connectors, variables replaced.
    pub(super) resolved: BTreeMap<Arc<str>, Resolved>,
    /// The configurations of a connector and of its task that was started last.
    pub(super) task_base: BTreeMap<Arc<str>, (Arc<ConfigMap>, Arc<ConfigMap>)>,
    /// What connectors with variables published their tasks with.
    pub(super) applied: BTreeMap<Arc<str>, Resolved>,
    /// Why connectors of `running` gave up, for standalone answers.
    pub(super) failures: BTreeMap<Arc<str>, String>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) told: Told,
    pub(super) healing: Healing,
    /// Task sets that could not be written.
    pub(super) retries: BTreeMap<Arc<str>, Retry>,
    /// What connectors will raise by themselves.
    pub(super) raised: Raised,
    /// What is asked of brokers before source tasks start.
    pub(super) fencings: Fencings,
    pub(super) signing: Signing,
    /// Set when no session key could be written.
    pub(super) session_key_retry: Option<Retry>,
    /// The offset of the config topic up to which everything that is wanted runs.
    converged_at: Option<i64>,
    /// Set while this worker should lead but could not read the config topic to its end yet.
    takeover: Option<Retry>,
    pub(super) role: Role,
    role_changes: watch::Receiver<Role>,
    pub(super) stage: Arc<watch::Sender<Stage>>,
    stage_changes: watch::Receiver<Stage>,
    commands: mpsc::Receiver<(Command, Reply)>,
    /// Commands that came while this worker was not in its group; bounded like the queue.
    early: VecDeque<(Command, Reply)>,
}

impl Actor {
    pub(super) fn new(
        parts: WorkerParts,
        store: Arc<dyn Store>,
        role_changes: watch::Receiver<Role>,
        stage: Arc<watch::Sender<Stage>>,
        commands: mpsc::Receiver<(Command, Reply)>,
    ) -> Self {
        let healing = Healing::new(parts.config.stuck_after_ms());
        let signing = Signing::of(&parts.config);
        Self {
            parts,
            store,
            healing,
            running: Running::default(),
            failed_tasks: BTreeSet::new(),
            resolved: BTreeMap::new(),
            task_base: BTreeMap::new(),
            applied: BTreeMap::new(),
            failures: BTreeMap::new(),
            inbox: Arc::new(Inbox::default()),
            told: Told::default(),
            retries: BTreeMap::new(),
            raised: Raised::default(),
            fencings: Fencings::default(),
            signing,
            session_key_retry: None,
            converged_at: None,
            takeover: None,
            role: Role::Undecided,
            role_changes,
            stage_changes: stage.subscribe(),
            stage,
            commands,
            early: VecDeque::new(),
        }
    }

    /// Runs until `stop` is set, then gives up all work.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let view = Arc::clone(self.store.view());
        let inbox = Arc::clone(&self.inbox);
        self.role_changes.mark_changed();
        loop {
            let retry = self.retries.values().map(|retry| retry.due).min();
            let key_due = self.session_key_due();
            tokio::select! {
                biased;
                () = stopped(&mut stop) => break,
                changed = self.role_changes.changed() => match changed {
                    Ok(()) => self.on_role().await,
                    Err(_) => break,
                },
                () = inbox.arrived() => {
                    // Reports change neither what is wanted nor what runs, and there are many.
                    self.on_reports();
                    continue;
                }
                Ok(()) = self.stage_changes.changed() => self.serve_early().await,
                command = self.commands.recv(), if self.early.len() < QUEUE_LIMIT => match command {
                    Some((Command::Ping, reply)) => {
                        drop(reply.send(Ok(Answer::Done)));
                        continue;
                    }
                    Some((command, reply)) => self.on_command(command, reply).await,
                    None => break,
                },
                Some(done) = self.fencings.answers.recv() => self.on_fenced(done).await,
                () = view.changed() => {
                    self.say_again();
                    if self.has_seen_all() {
                        continue;
                    }
                },
                () = until(retry) => self.retry_task_sets().await,
                () = until(self.raised.due()) => self.fail_raised(),
                () = until(self.healing.due()) => self.heal().await,
                () = until(key_due) => self.renew_session_key().await,
                () = until(self.takeover.map(|retry| retry.due)) => self.on_role().await,
            }
            if self.leads() {
                self.process_restarts().await;
                self.converge().await;
            }
        }
        self.release_work().await;
    }

    /// The role as the group sees it.
    pub(super) fn roles(&self) -> watch::Receiver<Role> {
        self.role_changes.clone()
    }

    pub(super) fn leads(&self) -> bool {
        matches!(self.role, Role::Leader { .. })
    }

    pub(super) fn is_standalone(&self) -> bool {
        self.parts.config.mode() == WorkerMode::Standalone
    }

    pub(super) fn view(&self) -> &ClusterView {
        self.store.view()
    }

    pub(super) fn generation(&self) -> i64 {
        match self.role {
            Role::Leader { generation } => generation,
            Role::Follower | Role::Undecided => 0,
        }
    }

    async fn on_role(&mut self) {
        let role = *self.role_changes.borrow_and_update();
        if role == self.role {
            // What could not be taken over in time is somebody else's now.
            if self.takeover.take().is_none() || role == Role::Undecided {
                return;
            }
        } else if self.take_role(role).await {
            self.parts.metrics.role(role);
            tracing::info!(?role, "role in the worker group");
        } else {
            return;
        }
        self.serve_early().await;
    }

    /// Carries out what waited for the group.
    async fn serve_early(&mut self) {
        while !self.is_waiting()
            && let Some((command, reply)) = self.early.pop_front()
        {
            self.on_command(command, reply).await;
        }
    }

    /// True without a role in the group: nobody knows who else leads.
    fn is_waiting(&self) -> bool {
        self.role == Role::Undecided
            || self.takeover.is_some()
            || matches!(*self.stage.borrow(), Stage::Waiting { .. })
    }

    /// False when the role cannot be taken yet: a leader that acted on an old state could start what is
    /// deleted, so it reads to the end first, and commands wait.
    async fn take_role(&mut self, role: Role) -> bool {
        match role {
            Role::Leader { .. } => {
                // Earlier leaders are fenced first: what is read after that cannot be overtaken by them.
                let claimed = self.store.claim().await;
                let read = match claimed {
                    Ok(()) => self.store.refresh().await,
                    Err(err) => Err(err),
                };
                if let Err(err) = read {
                    let retry = Retry::after(self.takeover);
                    self.takeover = Some(retry);
                    let pause_ms = retry.pause.as_millis() as u64;
                    tracing::warn!(error = %err, pause_ms, "cannot lead yet; reading the config topic again");
                    return false;
                }
                self.role = role;
                self.session_key_retry = None;
                self.renew_session_key().await;
                // Requests made before this term were seen by an earlier leader.
                self.view().config(|state| state.take_restarts());
                self.clean_all_statuses();
            }
            Role::Follower | Role::Undecided => {
                if self.leads() {
                    self.release_work().await;
                }
                self.role = role;
            }
        }
        self.takeover = None;
        true
    }

    /// Commands wait for the group, as Java's do, also those of clients that have gone by then; only health
    /// checks need none.
    async fn on_command(&mut self, command: Command, reply: Reply) {
        if self.is_waiting() && !matches!(command, Command::Ping) {
            self.early.push_back((command, reply));
            return;
        }
        let name = match &command {
            Command::Put(put) => Some(put.name.clone()),
            Command::Patch { name, .. } => Some(name.clone()),
            _ => None,
        };
        match command {
            Command::Fence { name } => return self.fence_for_others(&name, reply).await,
            Command::ModifyOffsets { name, change } => return self.modify_offsets(name, change, reply).await,
            _ => {}
        }
        let mut outcome = self.execute(command).await;
        if self.is_standalone() {
            // There the answer waits for the start, and a start that failed is the answer.
            self.converge().await;
            let failure = name.and_then(|name| self.failures.get(name.as_str()).cloned());
            outcome = match (outcome, failure) {
                (Ok(_), Some(failure)) => Err(RequestError::Internal(failure)),
                (outcome, _) => outcome.map(|answer| self.with_tasks(answer)),
            };
        }
        // The client may have gone; the work is done all the same.
        drop(reply.send(outcome));
    }

    /// The answer with the tasks that run by now. Source: `StandaloneHerder#putConnectorConfig`, Kafka 4.1.
    fn with_tasks(&self, answer: Answer) -> Answer {
        let present = |mut info: Value| {
            let name = info["name"].as_str().unwrap_or_default();
            info["tasks"] = self.view().config(|state| answers::task_ids(state, name)).into();
            info
        };
        match answer {
            Answer::Created(info) => Answer::Created(present(info)),
            Answer::Updated(info) => Answer::Updated(present(info)),
            other => other,
        }
    }

    /// Brings what runs here to what is wanted.
    pub(super) async fn converge(&mut self) {
        for _ in 0..TURNS_MAX {
            let (plan, offset) =
                self.store.view().config(|state| (reconcile(state, &self.running), state.next_offset()));
            if plan.is_empty() {
                self.converged_at = Some(offset);
                return self.schedule_missing_sets();
            }
            self.carry_out(&plan).await;
            if !(plan.stop_connectors.is_empty() && plan.stop_tasks.is_empty()) {
                self.clean_statuses_after(&plan);
            }
        }
        tracing::error!(
            "the wanted state was not reached: a connector gives other task configurations every time"
        );
    }

    /// True when the config topic holds nothing that was not looked at: its own writes wake the herder, too.
    fn has_seen_all(&self) -> bool {
        self.view().config(|state| !state.has_restarts() && Some(state.next_offset()) == self.converged_at)
    }

    fn on_reports(&mut self) {
        for (id, report) in self.inbox.take() {
            if self.running.tasks.contains_key(&id) {
                self.on_report(&id, report);
            }
        }
    }

    fn on_report(&mut self, id: &TaskId, report: Report) {
        let version = self.connector_version(&id.connector);
        let subject = Subject::Task(id.clone());
        match report.state {
            Some(Reported::Running) => self.write_status(&subject, RunState::Running, None, version),
            Some(Reported::Paused) => self.write_status(&subject, RunState::Paused, None, version),
            Some(Reported::Failed(trace)) => {
                tracing::error!(task = %id, %trace, "a task failed; restart it when the cause is repaired");
                self.failed_tasks.insert(id.clone());
                self.write_status(&subject, RunState::Failed, Some(trace), version);
                self.plan_restart(subject);
            }
            None => {}
        }
        if !self.parts.config.flag("topic.tracking.enable") {
            return;
        }
        for topic in report.topics {
            let known = self.view().status(|board| board.topics(&id.connector).any(|known| *known == topic));
            if !known {
                let used = TopicUse { topic, task: id.clone(), discovered_ms: now_ms() };
                self.store.write_status(topic_record(&used));
            }
        }
    }

    /// Removes the statuses of what no longer exists, of everything that has one.
    fn clean_all_statuses(&self) {
        let (connectors, tasks) =
            self.view().status(|board| (board.connectors().cloned().collect(), board.all_tasks().collect()));
        self.clean_statuses(connectors, tasks);
    }

    /// The same of the connectors that this plan stopped, wholly or in part. What it stopped is named too:
    /// its last status may not be read back yet.
    fn clean_statuses_after(&self, plan: &Plan) {
        let connectors: BTreeSet<_> = plan.stop_connectors.iter().cloned().collect();
        let touched = connectors.iter().chain(plan.stop_tasks.iter().map(|id| &id.connector));
        let touched: BTreeSet<_> = touched.cloned().collect();
        let mut tasks: BTreeSet<_> = plan.stop_tasks.iter().cloned().collect();
        self.view().status(|board| {
            for name in &touched {
                let id = |task| TaskId { connector: Arc::clone(name), task };
                tasks.extend(board.tasks(name).map(|(task, _)| id(task)));
            }
        });
        self.clean_statuses(connectors, tasks);
    }

    fn clean_statuses(&self, connectors: BTreeSet<Arc<str>>, tasks: BTreeSet<TaskId>) {
        let gone: Vec<Subject> = self.view().config(|state| {
            let exists = |id: &TaskId| {
                state.task_set(&id.connector).is_some_and(|set| set.tasks.contains_key(&id.task))
            };
            let tasks = tasks.into_iter().filter(|id| !exists(id)).map(Subject::Task);
            let connectors = connectors.into_iter().filter(|name| state.config(name).is_none());
            tasks.chain(connectors.map(Subject::Connector)).collect()
        });
        for subject in gone {
            self.told.forget(&subject);
            if let Subject::Connector(name) = &subject {
                let topics: Vec<_> = self.view().status(|board| board.topics(name).cloned().collect());
                for topic in topics {
                    self.store.write_status(topic_tombstone(&topic, name));
                }
            }
            self.store
                .write_status(lakeward_controlplane_core::config_log::LogRecord::tombstone(subject.key()));
        }
    }

    /// Stops everything and says so: on shutdown and when another worker leads.
    async fn release_work(&mut self) {
        self.converged_at = None;
        self.parts.runtime.stop_all().await;
        let running = std::mem::take(&mut self.running);
        for id in running.tasks.into_keys() {
            self.inbox.forget(&id);
            if !self.failed_tasks.contains(&id) {
                self.write_status(&Subject::Task(id), RunState::Unassigned, None, None);
            }
        }
        for name in running.connectors.into_keys() {
            self.write_status(&Subject::Connector(name), RunState::Unassigned, None, None);
        }
        self.told.clear();
        self.failed_tasks.clear();
        self.failures.clear();
        self.resolved.clear();
        self.task_base.clear();
        self.applied.clear();
        self.healing.clear();
        self.parts.metrics.clear();
        self.retries.clear();
        self.raised.clear();
        self.fencings.clear();
        self.store.flush_status().await;
    }

    /// A started connector without a task set (a commit without all of its tasks was read) makes a new one.
    fn schedule_missing_sets(&mut self) {
        let missing: Vec<Arc<str>> = self.store.view().config(|state| {
            let works = |instance: &RunningConnector| {
                instance.health == InstanceHealth::Good && instance.target == TargetState::Started
            };
            let started = self.running.connectors.iter().filter(|(_, instance)| works(instance));
            started.map(|(name, _)| name).filter(|name| state.task_set(name).is_none()).cloned().collect()
        });
        for name in missing {
            self.retries.entry(name).or_insert_with(|| Retry::after(None));
        }
    }
}

/// Resolves when the worker stops (also when its handle is gone).
async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
