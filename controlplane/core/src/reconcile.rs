//! The difference between what the cluster state asks for and what runs here.
//!
//! Level-triggered: the plan depends only on both states, never on which record came last, so a lost wake-up
//! or a burst of changes cannot leave anything behind.
//!
//! Source: the effects of `DistributedHerder#tick` on one worker that owns all work, Kafka 4.1.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use lakeward_api::runtime::{TaskId, TaskTarget};

use crate::config_log::{ClusterState, TargetState};

/// A connector instance of this worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunningConnector {
    /// Revision of the configuration it was started with.
    pub config_revision: i64,
    /// The target state it was brought to.
    pub target: TargetState,
    /// Whether it gave up.
    pub health: InstanceHealth,
}

/// Whether an instance works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceHealth {
    /// It gave up and stays so until it is restarted, reconfigured or stopped.
    Failed,
    /// It works.
    Good,
}

/// A task of this worker, also a failed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunningTask {
    /// Revision of the task set it was started from.
    pub set_revision: i64,
    /// What it was asked to do.
    pub target: TaskTarget,
}

/// Everything that runs here.
#[derive(Clone, Debug, Default)]
pub struct Running {
    /// Connector instances.
    pub connectors: BTreeMap<Arc<str>, RunningConnector>,
    /// Tasks.
    pub tasks: BTreeMap<TaskId, RunningTask>,
}

/// What has to be done, in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Connector instances to stop (deleted, or to be started again).
    pub stop_connectors: Vec<Arc<str>>,
    /// Tasks to stop (not wanted any more, or to be started again).
    pub stop_tasks: Vec<TaskId>,
    /// Connector instances to start.
    pub start_connectors: Vec<Arc<str>>,
    /// Connector instances to bring to another target state.
    pub retarget_connectors: Vec<(Arc<str>, TargetState)>,
    /// Tasks to start.
    pub start_tasks: Vec<TaskId>,
    /// Tasks to pause or resume.
    pub retarget_tasks: Vec<(TaskId, TaskTarget)>,
}

impl Plan {
    /// True when there is nothing to do.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a task of a connector with `target` does.
pub fn task_target(target: TargetState) -> TaskTarget {
    match target {
        TargetState::Started => TaskTarget::Running,
        TargetState::Paused | TargetState::Stopped => TaskTarget::Paused,
    }
}

/// The plan that brings `running` to `state`.
pub fn reconcile(state: &ClusterState, running: &Running) -> Plan {
    let mut plan = Plan::default();
    plan_connectors(state, running, &mut plan);
    plan_tasks(state, running, &mut plan);
    plan
}

// Both sides are sorted by connector and number, so one walk over both sees everything once and copies only
// what has to change: this runs after every event, also with ten thousand tasks, while others wait for the
// state.

fn plan_connectors(state: &ClusterState, running: &Running, plan: &mut Plan) {
    let mut running = running.connectors.iter().peekable();
    let mut new = Vec::new();
    for wanted in state.wanted() {
        while let Some((name, _)) = running.next_if(|(name, _)| by_name(name, wanted.name).is_lt()) {
            plan.stop_connectors.push(Arc::clone(name));
        }
        match running.next_if(|(name, _)| by_name(name, wanted.name).is_eq()) {
            Some((name, instance)) if instance.config_revision != wanted.config_revision => {
                plan.stop_connectors.push(Arc::clone(name));
                plan.start_connectors.push(Arc::clone(name));
            }
            Some((name, instance)) => {
                // A failed instance refuses everything but STOPPED.
                let accepts =
                    instance.health == InstanceHealth::Good || wanted.target == TargetState::Stopped;
                if wanted.target != instance.target && accepts {
                    plan.retarget_connectors.push((Arc::clone(name), wanted.target));
                }
            }
            None => new.push(Arc::clone(wanted.name)),
        }
    }
    plan.stop_connectors.extend(running.map(|(name, _)| Arc::clone(name)));
    plan.start_connectors.append(&mut new);
}

fn plan_tasks(state: &ClusterState, running: &Running, plan: &mut Plan) {
    let mut running = running.tasks.iter().peekable();
    for wanted in state.wanted().filter(|wanted| wanted.target != TargetState::Stopped) {
        let Some(set) = wanted.task_set else { continue };
        let name = wanted.name;
        let want = RunningTask { set_revision: set.revision, target: task_target(wanted.target) };
        for number in set.tasks.keys() {
            let place = |id: &TaskId| by_name(&id.connector, name).then(id.task.cmp(number));
            while let Some((id, _)) = running.next_if(|(id, _)| place(id).is_lt()) {
                plan.stop_tasks.push(id.clone());
            }
            let id = || TaskId { connector: Arc::clone(name), task: *number };
            match running.next_if(|(id, _)| place(id).is_eq()) {
                Some((_, task)) if task.set_revision != want.set_revision => {
                    plan.stop_tasks.push(id());
                    plan.start_tasks.push(id());
                }
                Some((_, task)) if task.target != want.target => {
                    plan.retarget_tasks.push((id(), want.target));
                }
                Some(_) => {}
                None => plan.start_tasks.push(id()),
            }
        }
    }
    plan.stop_tasks.extend(running.map(|(id, _)| id.clone()));
}

/// The order of names. Nearly always both are the same allocation, which is seen without reading them.
fn by_name(left: &Arc<str>, right: &Arc<str>) -> Ordering {
    if Arc::ptr_eq(left, right) { Ordering::Equal } else { left.cmp(right) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(records: &[(&str, &str)]) -> ClusterState {
        let mut state = ClusterState::default();
        for (offset, (key, value)) in (0..).zip(records) {
            let value = Some(value.as_bytes()).filter(|value| !value.is_empty());
            state.apply(offset, Some(key.as_bytes()), value);
        }
        state
    }

    const BASE: [(&str, &str); 3] = [
        ("connector-a", r#"{"properties":{"name":"a"}}"#),
        ("task-a-0", r#"{"properties":{}}"#),
        ("commit-a", r#"{"tasks":1}"#),
    ];

    fn id(task: u32) -> TaskId {
        TaskId { connector: "a".into(), task }
    }

    fn settled() -> Running {
        let connector = RunningConnector {
            config_revision: 0,
            target: TargetState::Started,
            health: InstanceHealth::Good,
        };
        let task = RunningTask { set_revision: 2, target: TaskTarget::Running };
        Running { connectors: [("a".into(), connector)].into(), tasks: [(id(0), task)].into() }
    }

    fn with(extra: &[(&str, &str)]) -> ClusterState {
        state(&[&BASE, extra].concat())
    }

    #[test]
    fn a_new_connector_is_started_with_its_tasks() {
        let plan = reconcile(&state(&BASE), &Running::default());
        assert_eq!(plan.start_connectors, ["a".into()]);
        assert_eq!(plan.start_tasks, [id(0)]);
    }

    #[test]
    fn what_already_runs_is_left_alone() {
        assert!(reconcile(&state(&BASE), &settled()).is_empty());
    }

    #[test]
    fn a_new_config_restarts_the_connector_and_a_new_task_set_its_tasks() {
        let plan = reconcile(&with(&[("connector-a", r#"{"properties":{"name":"a","k":"v"}}"#)]), &settled());
        assert_eq!((plan.stop_connectors, plan.start_connectors), (vec!["a".into()], vec!["a".into()]));
        assert_eq!((plan.stop_tasks, plan.start_tasks), (vec![], vec![]), "tasks wait for the new set");
        let plan = reconcile(&with(&[BASE[1], BASE[2]]), &settled());
        assert_eq!((plan.stop_tasks, plan.start_tasks), (vec![id(0)], vec![id(0)]));
    }

    #[test]
    fn a_deleted_connector_goes_with_its_tasks() {
        let plan = reconcile(&with(&[("connector-a", "")]), &settled());
        assert_eq!((plan.stop_connectors, plan.stop_tasks), (vec!["a".into()], vec![id(0)]));
        assert!(plan.start_connectors.is_empty() && plan.start_tasks.is_empty());
    }

    #[test]
    fn tasks_of_several_connectors_are_told_apart() {
        let all = ["a", "a-1", "b"].map(|name| {
            let connector = format!("connector-{name}");
            let tasks = ["0", "1"].map(|number| format!("task-{name}-{number}"));
            (connector, tasks, format!("commit-{name}"))
        });
        let mut records = Vec::new();
        for (connector, tasks, commit) in &all {
            records.push((connector.as_str(), r#"{"properties":{}}"#));
            records.extend(tasks.iter().map(|task| (task.as_str(), r#"{"properties":{}}"#)));
            records.push((commit.as_str(), r#"{"tasks":2}"#));
        }
        let state = state(&records);
        let of = |connector: &str, task| TaskId { connector: connector.into(), task };
        // Offsets of the commits are 3, 7 and 11.
        let kept = |revision| RunningTask { set_revision: revision, target: TaskTarget::Running };
        let tasks = [
            (of("a", 1), kept(3)),
            (of("a", 2), kept(3)),
            (of("a-1", 0), kept(5)),
            (of("aa", 0), kept(1)),
            (of("b", 0), kept(11)),
            (of("b", 1), kept(11)),
            (of("c", 0), kept(12)),
        ];
        let plan = reconcile(&state, &Running { tasks: tasks.into(), ..settled() });
        assert_eq!(plan.stop_tasks, [of("a", 2), of("a-1", 0), of("aa", 0), of("c", 0)]);
        assert_eq!(plan.start_tasks, [of("a", 0), of("a-1", 0), of("a-1", 1)]);
    }

    #[test]
    fn pausing_retargets_and_stopping_takes_the_tasks() {
        let plan = reconcile(&with(&[("target-state-a", r#"{"state":"PAUSED"}"#)]), &settled());
        assert_eq!(plan.retarget_connectors, [("a".into(), TargetState::Paused)]);
        assert_eq!(plan.retarget_tasks, [(id(0), TaskTarget::Paused)]);
        let stopped = ("target-state-a", r#"{"state":"PAUSED","state.v2":"STOPPED"}"#);
        let plan = reconcile(&with(&[stopped]), &settled());
        assert_eq!(plan.stop_tasks, [id(0)]);
    }

    #[test]
    fn a_failed_connector_accepts_only_stopped() {
        let mut running = settled();
        running.connectors.get_mut("a").unwrap().health = InstanceHealth::Failed;
        let plan = reconcile(&with(&[("target-state-a", r#"{"state":"PAUSED"}"#)]), &running);
        assert!(plan.retarget_connectors.is_empty());
        let stopped = ("target-state-a", r#"{"state":"PAUSED","state.v2":"STOPPED"}"#);
        let plan = reconcile(&with(&[stopped]), &running);
        assert_eq!(plan.retarget_connectors, [("a".into(), TargetState::Stopped)]);
    }
}
