//! Starting again what failed, and finding what is stuck. Both beyond Kafka Connect; the first is off unless
//! `lakeward.auto.restart.enabled` is set.
//!
//! Owns the clock and the settings of both; the decisions are in the core. Statuses are those a restart by
//! hand would write, so REST shows nothing new.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lakeward_api::pulse::TaskPulse;
use lakeward_api::runtime::{TaskId, TaskTarget};
use lakeward_controlplane_core::Properties;
use lakeward_controlplane_core::auto_restart::{AutoRestarts, RestartPolicy, Verdict};
use lakeward_controlplane_core::config_log::TargetState;
use lakeward_controlplane_core::status::Subject;
use lakeward_controlplane_core::watchdog::{Stuck, Turns, Watchdog};
use tokio::time::Instant;

use super::actor::Actor;
use crate::worker_config::healing;

/// What is known about failures and pulses.
pub(super) struct Healing {
    began: Instant,
    restarts: AutoRestarts<Subject>,
    watchdog: Watchdog,
    pulses: BTreeMap<TaskId, Arc<TaskPulse>>,
    next_look: Option<Instant>,
}

impl Healing {
    /// Nothing failed yet; tasks are stuck after `stuck_after_ms` (0: never).
    pub(super) fn new(stuck_after_ms: u64) -> Self {
        Self {
            began: Instant::now(),
            restarts: AutoRestarts::default(),
            watchdog: Watchdog::new(stuck_after_ms),
            pulses: BTreeMap::new(),
            next_look: None,
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// When there is something to do next.
    pub(super) fn due(&self) -> Option<Instant> {
        let restart = self.restarts.next_due_ms().map(|due_ms| self.began + Duration::from_millis(due_ms));
        restart.into_iter().chain(self.next_look).min()
    }

    /// A task starts; its pulse is watched from now on.
    pub(super) fn watch(&mut self, id: &TaskId, pulse: Arc<TaskPulse>) {
        self.watchdog.forget(id);
        self.pulses.insert(id.clone(), pulse);
        if self.next_look.is_none() {
            self.next_look = self.look_after_interval();
        }
    }

    /// A task was stopped.
    pub(super) fn unwatch(&mut self, id: &TaskId) {
        self.watchdog.forget(id);
        self.pulses.remove(id);
    }

    /// Somebody acted on what failed.
    pub(super) fn forget(&mut self, subject: &Subject) {
        self.restarts.forget(subject);
    }

    /// All work was given up.
    pub(super) fn clear(&mut self) {
        self.restarts.clear();
        self.watchdog.clear();
        self.pulses.clear();
    }

    fn look_after_interval(&self) -> Option<Instant> {
        let interval_ms = self.watchdog.interval_ms()?;
        (!self.pulses.is_empty()).then(|| Instant::now() + Duration::from_millis(interval_ms))
    }
}

fn connector_of(subject: &Subject) -> &Arc<str> {
    match subject {
        Subject::Connector(name) => name,
        Subject::Task(id) => &id.connector,
    }
}

/// `task a-0`, for log lines.
fn text_of(subject: &Subject) -> String {
    match subject {
        Subject::Connector(name) => format!("connector {name}"),
        Subject::Task(id) => format!("task {id}"),
    }
}

impl Actor {
    /// What a connector's configuration, or else the worker's, says about automatic restarts.
    fn restart_policy(&self, connector: &str) -> Option<RestartPolicy> {
        let worker = &self.parts.config;
        let policy = |config: Option<&Properties>| {
            healing::restart_policy(|name| config?.get(name).or_else(|| worker.text(name)))
        };
        match self.resolved.get(connector) {
            Some(resolved) => policy(Some(resolved.properties())),
            None => self.view().config(|state| policy(state.config(connector))),
        }
    }

    /// Something gave up; it is started again later if that is wanted.
    pub(super) fn plan_restart(&mut self, subject: Subject) {
        let Some(policy) = self.restart_policy(connector_of(&subject)) else { return };
        let what = text_of(&subject);
        let now_ms = self.healing.now_ms();
        match self.healing.restarts.failed(subject, &policy, now_ms) {
            Verdict::GiveUp { attempts } => {
                tracing::error!(
                    what,
                    attempts,
                    "failed again after all automatic restarts; restart it by hand"
                );
            }
            Verdict::Restart { attempt, after_ms } => {
                tracing::warn!(what, attempt, after_ms, "failed; it is restarted automatically");
            }
        }
    }

    /// Looks at the pulses and restarts what is due.
    pub(super) async fn heal(&mut self) {
        if self.healing.next_look.is_some_and(|look| look <= Instant::now()) {
            self.look_at_pulses();
            self.healing.next_look = self.healing.look_after_interval();
        }
        let now_ms = self.healing.now_ms();
        for subject in self.healing.restarts.take_due(now_ms) {
            let name = Arc::clone(connector_of(&subject));
            let target = self.view().config(|state| state.target_state(&name));
            let policy = self.restart_policy(&name);
            match (target, policy) {
                (Some(TargetState::Started), Some(_)) => self.restart_failed(&subject).await,
                // What is paused may stay failed until it is resumed.
                (Some(TargetState::Paused), Some(policy)) => {
                    self.healing.restarts.postpone(&subject, &policy, now_ms);
                }
                _ => self.healing.restarts.forget(&subject),
            }
        }
    }

    async fn restart_failed(&mut self, subject: &Subject) {
        tracing::info!(what = text_of(subject), "restarting automatically");
        match subject {
            Subject::Connector(name) if self.running.connectors.contains_key(name) => {
                self.stop_connector(name);
                self.start_connector(name).await;
            }
            Subject::Task(id) if self.running.tasks.contains_key(id) => {
                self.stop_tasks(std::slice::from_ref(id)).await;
                self.start_task(id).await;
            }
            _ => self.healing.restarts.forget(subject),
        }
    }

    /// A stuck task says RUNNING for ever: the log says what it waits for, and automatic restarts, where they
    /// are wanted, count it as failed.
    fn look_at_pulses(&mut self) {
        let now_ms = self.healing.now_ms();
        let pulses: Vec<_> =
            self.healing.pulses.iter().map(|(id, pulse)| (id.clone(), pulse.read())).collect();
        for (id, reading) in pulses {
            let runs = |task: &lakeward_controlplane_core::reconcile::RunningTask| {
                task.target == TaskTarget::Running
            };
            if self.failed_tasks.contains(&id) || !self.running.tasks.get(&id).is_some_and(runs) {
                self.healing.watchdog.forget(&id);
            } else if let Some(stuck) = self.healing.watchdog.observe(&id, reading, now_ms) {
                self.report_stuck(&id, stuck);
            }
        }
    }

    fn report_stuck(&mut self, id: &TaskId, stuck: Stuck) {
        let Stuck { waiting, turns, for_ms } = stuck;
        let problem = match turns {
            Turns::Blocked => "a task takes no turn: its own code or another task of its shard blocks it",
            Turns::Taken => "a task holds work that does not move",
        };
        tracing::error!(task = %id, for_ms, waits_for = waiting.as_str(), "{problem}");
        self.plan_restart(Subject::Task(id.clone()));
    }
}
