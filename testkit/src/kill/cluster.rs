//! The two workers of a kill test: who leads, who ended, how much memory they took.
//!
//! Every process gets a port of its own, so that a status of a dead one is never taken for its successor's.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::faults::{Fault, Planned};
use super::mode::{Connector, Mode};
use crate::broker::KafkaBroker;
use crate::install;
use crate::rest::RestClient;
use crate::worker::{LakewardWorker, MEMORY_LIMIT_BYTES, Properties, distributed_properties};

/// A worker that does not answer within this is asked again later.
const ANSWER_PATIENCE: Duration = Duration::from_secs(3);
const CREATE_PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(100);
/// Between two moves of partitions: long enough for tasks to start and take some records.
const MOVE_INTERVAL: Duration = Duration::from_millis(1500);
/// Of a connector whose partitions move.
const TASKS_MAX: u32 = 4;

/// The workers and what they run.
pub(super) struct Cluster {
    properties: Properties,
    pub(super) members: [Member; 2],
    connectors: Vec<(String, Value)>,
    /// Those whose partitions go from task to task all the time.
    moving: Vec<(String, Value)>,
    /// Where logs of ended workers are kept.
    logs: PathBuf,
    logs_count: usize,
    changes_count: u32,
    moves_count: u32,
    move_due: Instant,
    pub(super) peak_rss_bytes: u64,
}

/// A worker process and the fault that waits for it.
pub(super) struct Member {
    pub(super) worker: LakewardWorker,
    rest: RestClient,
    pub(super) plan: Planned,
    pub(super) is_frozen: bool,
}

impl Cluster {
    /// Starts two workers without faults.
    pub(super) fn start(broker: &KafkaBroker) -> anyhow::Result<Self> {
        let mut properties = distributed_properties(broker);
        for (name, value) in [
            ("exactly.once.source.support", "enabled"),
            ("session.timeout.ms", "3000"),
            ("heartbeat.interval.ms", "1000"),
            ("lakeward.memory.limit", &MEMORY_LIMIT_BYTES.to_string()),
        ] {
            properties.push((name.to_owned(), value.to_owned()));
        }
        let logs = install::installs()?.join("kill-test");
        fs::remove_dir_all(&logs).ok();
        fs::create_dir_all(&logs).context("making the folder of the logs")?;
        let members =
            [Member::spawn(&properties, Planned::none())?, Member::spawn(&properties, Planned::none())?];
        let mut cluster = Self {
            properties,
            members,
            connectors: Vec::new(),
            moving: Vec::new(),
            logs,
            logs_count: 0,
            changes_count: 0,
            moves_count: 0,
            move_due: Instant::now(),
            peak_rss_bytes: 0,
        };
        for member in &mut cluster.members {
            member.worker.wait_until_ready()?;
        }
        Ok(cluster)
    }

    /// Creates a connector; its tasks need not run yet.
    pub(super) fn create(&mut self, connector: &Connector) -> anyhow::Result<()> {
        let body = json!({"name": connector.name, "config": connector.config});
        let deadline = Instant::now() + CREATE_PATIENCE;
        loop {
            let answer = self.members[0].rest.post("/connectors", &body);
            match answer {
                Ok(answer) if answer.status == 201 || answer.status == 409 => break,
                Ok(answer) if Instant::now() > deadline => {
                    anyhow::bail!("{} was not created: {}", connector.name, answer.text)
                }
                Err(err) if Instant::now() > deadline => return Err(err),
                // Until somebody leads.
                Ok(_) | Err(_) => std::thread::sleep(PAUSE),
            }
        }
        let known = (connector.name.clone(), connector.config.clone());
        if connector.mode == Mode::Handover {
            self.moving.push(known.clone());
        }
        self.connectors.push(known);
        Ok(())
    }

    /// The member whose tasks run, as itself says.
    pub(super) fn leader(&mut self) -> Option<usize> {
        self.sample();
        (0..self.members.len()).find(|index| self.leads(*index))
    }

    /// Whether a member says that it runs tasks of every connector.
    pub(super) fn leads(&self, index: usize) -> bool {
        let member = &self.members[index];
        if member.is_frozen {
            return false;
        }
        let here = member.rest.authority();
        self.connectors.iter().all(|(name, _)| {
            let Ok(answer) = member.rest.get(&format!("/connectors/{name}/status")) else { return false };
            let Ok(known) = member.rest.get(&format!("/connectors/{name}")) else { return false };
            let (status, known) = (answer.json(), known.json());
            // A task that is no more may have a status: its zombie wrote it last.
            let count = known["tasks"].as_array().map_or(0, Vec::len);
            let is_there = |task: &&Value| task["id"].as_u64().is_some_and(|id| id < count as u64);
            let tasks = status["tasks"].as_array().map_or(&[][..], Vec::as_slice);
            let runs = |task: &Value| task["state"] == "RUNNING" && task["worker_id"] == *here;
            count > 0 && tasks.iter().filter(is_there).filter(|task| runs(task)).count() == count
        })
    }

    /// The traces of tasks that failed, as a living member knows them.
    pub(super) fn failed_tasks(&self) -> Vec<String> {
        let mut traces = Vec::new();
        let Some(member) = self.members.iter().find(|member| !member.is_frozen) else { return traces };
        for (name, _) in &self.connectors {
            let Ok(answer) = member.rest.get(&format!("/connectors/{name}/status")) else { continue };
            let status = answer.json();
            for task in status["tasks"].as_array().into_iter().flatten() {
                if task["state"] == "FAILED" {
                    traces.push(format!("{name}: {}", task["trace"].as_str().unwrap_or_default()));
                }
            }
        }
        traces
    }

    /// Changes a harmless setting of a connector: its configuration is written and its tasks start over.
    /// Workers may refuse while nobody leads.
    pub(super) fn change_a_connector(&mut self) {
        let number = self.changes_count;
        self.changes_count += 1;
        let Some((name, config)) = self.connectors.get(number as usize % self.connectors.len()) else {
            return;
        };
        let mut config = config.clone();
        config["errors.retry.delay.max.ms"] = Value::from((60_000 + number).to_string());
        if let Some(member) = self.members.iter().find(|member| !member.is_frozen) {
            member.rest.put(&format!("/connectors/{name}/config"), &config).ok();
        }
    }

    /// Moves partitions from task to task when that is due: a task starts over, all of them do, there are
    /// more or fewer of them, or they get another setting. Workers may refuse while nobody leads.
    pub(super) fn move_partitions(&mut self) {
        if self.moving.is_empty() || Instant::now() < self.move_due {
            return;
        }
        let number = self.moves_count;
        self.moves_count += 1;
        let moving_count = self.moving.len();
        let (name, config) = &mut self.moving[number as usize % moving_count];
        if let Some(member) = self.members.iter().find(|member| !member.is_frozen) {
            let path = format!("/connectors/{name}");
            match number % 4 {
                0 => member.rest.post_empty(&format!("{path}/tasks/0/restart")).ok(),
                1 => member.rest.post_empty(&format!("{path}/restart?includeTasks=true")).ok(),
                _ => {
                    config["tasks.max"] = Value::from((1 + number / 4 % TASKS_MAX).to_string());
                    if number % 8 == 7 {
                        // Of another configuration nothing is gone on with. Uploads begin in between.
                        config["errors.retry.delay.max.ms"] = Value::from((60_000 + number).to_string());
                    }
                    member.rest.put(&format!("{path}/config"), &*config).ok()
                }
            };
        }
        self.move_due = Instant::now() + MOVE_INTERVAL;
    }

    /// Lets `time` pass, in which partitions move.
    pub(super) fn pass(&mut self, time: Duration) {
        let deadline = Instant::now() + time;
        while Instant::now() < deadline {
            self.move_partitions();
            std::thread::sleep(PAUSE.min(deadline.saturating_duration_since(Instant::now())));
        }
    }

    /// Starts a process in the place of one that ended.
    pub(super) fn replace(&mut self, index: usize, plan: Planned) -> anyhow::Result<()> {
        let fresh = Member::spawn(&self.properties, plan)?;
        let ended = std::mem::replace(&mut self.members[index], fresh);
        self.logs_count += 1;
        let file = format!("{:03}-{}.log", self.logs_count, ended.plan.fault.name());
        fs::write(self.logs.join(file), ended.worker.log()).context("keeping a log")
    }

    /// Keeps the logs of the workers that still run.
    pub(super) fn keep_logs(&mut self) {
        for member in &self.members {
            self.logs_count += 1;
            let file = self.logs.join(format!("{:03}-last.log", self.logs_count));
            fs::write(file, member.worker.log()).ok();
        }
    }

    /// Takes the workers' peaks of memory into account.
    pub(super) fn sample(&mut self) {
        for member in &self.members {
            // One that ended a moment ago has none.
            let peak = member.worker.peak_memory_bytes().unwrap_or_default();
            self.peak_rss_bytes = self.peak_rss_bytes.max(peak);
        }
    }

    /// From here on nobody meets a fault.
    pub(super) fn calm_down(&mut self) -> anyhow::Result<()> {
        for index in 0..self.members.len() {
            if matches!(self.members[index].plan.fault, Fault::End { .. }) {
                self.members[index].worker.kill();
                self.replace(index, Planned::none())?;
            }
        }
        Ok(())
    }
}

impl Member {
    fn spawn(properties: &Properties, plan: Planned) -> anyhow::Result<Self> {
        let place = plan.fault.place();
        let environment: Vec<(&str, &str)> =
            place.iter().map(|place| ("LAKEWARD_FAILPOINT", place.as_str())).collect();
        let worker = LakewardWorker::spawn_with_failpoints(properties, &environment)?;
        let rest = worker.rest.clone().with_patience(ANSWER_PATIENCE);
        Ok(Self { worker, rest, plan, is_frozen: false })
    }
}

/// Whether a process ended itself at a failpoint.
pub(super) fn is_abort(status: ExitStatus) -> bool {
    status.signal() == Some(Signal::ABORT.as_raw())
}
