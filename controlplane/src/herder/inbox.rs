//! Task events on their way to the herder: one slot per task, so that no flood of events can fill memory.
//!
//! The newest state of a task wins; topics are kept once each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use lakeward_api::runtime::{TaskEvent, TaskId, TaskListener};
use tokio::sync::Notify;

/// The state a task reported last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reported {
    /// It gave up with this trace.
    Failed(String),
    /// It is paused.
    Paused,
    /// It moves records.
    Running,
}

/// What a task reported since the last look.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    /// Its newest state.
    pub(crate) state: Option<Reported>,
    /// Topics it used; they may be known.
    pub(crate) topics: BTreeSet<Arc<str>>,
}

#[derive(Default)]
struct Slots {
    /// The instance of each task whose events count.
    instances: BTreeMap<TaskId, u64>,
    reports: BTreeMap<TaskId, Report>,
    next_instance: u64,
}

/// The inbox.
#[derive(Default)]
pub(crate) struct Inbox {
    slots: Mutex<Slots>,
    arrived: Notify,
}

impl Inbox {
    fn slots<R>(&self, look: impl FnOnce(&mut Slots) -> R) -> R {
        look(&mut self.slots.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The listener of a new instance of `id`; events of earlier instances are ignored from now on.
    pub(crate) fn listener(self: &Arc<Self>, id: &TaskId) -> TaskListener {
        let instance = self.slots(|slots| {
            slots.next_instance += 1;
            slots.instances.insert(id.clone(), slots.next_instance);
            slots.reports.remove(id);
            slots.next_instance
        });
        let inbox = Arc::clone(self);
        Arc::new(move |event| inbox.receive(instance, event))
    }

    fn receive(&self, instance: u64, event: TaskEvent) {
        let (id, change) = match event {
            TaskEvent::Failed { id, trace } => (id, Ok(Reported::Failed(trace))),
            TaskEvent::Paused { id } => (id, Ok(Reported::Paused)),
            TaskEvent::Running { id } => (id, Ok(Reported::Running)),
            TaskEvent::TopicUsed { id, topic } => (id, Err(topic)),
        };
        let counts = self.slots(|slots| {
            if slots.instances.get(&id) != Some(&instance) {
                return false;
            }
            let report = slots.reports.entry(id).or_default();
            match change {
                Ok(state) => report.state = Some(state),
                Err(topic) => {
                    report.topics.insert(topic);
                }
            }
            true
        });
        if counts {
            self.arrived.notify_one();
        }
    }

    /// Ignores further events of `id`.
    pub(crate) fn forget(&self, id: &TaskId) {
        self.slots(|slots| {
            slots.instances.remove(id);
            slots.reports.remove(id);
        });
    }

    /// Takes everything that arrived.
    pub(crate) fn take(&self) -> BTreeMap<TaskId, Report> {
        self.slots(|slots| std::mem::take(&mut slots.reports))
    }

    /// Resolves when something arrived since the last call. Cancel safe.
    pub(crate) async fn arrived(&self) {
        self.arrived.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_a_replaced_instance_do_not_count() {
        let inbox = Arc::new(Inbox::default());
        let id = TaskId { connector: "a".into(), task: 0 };
        let old = inbox.listener(&id);
        let new = inbox.listener(&id);
        old(TaskEvent::Failed { id: id.clone(), trace: "late".into() });
        assert!(inbox.take().is_empty());
        new(TaskEvent::Paused { id: id.clone() });
        new(TaskEvent::Running { id: id.clone() });
        new(TaskEvent::TopicUsed { id: id.clone(), topic: "t".into() });
        let reports = inbox.take();
        assert_eq!(reports[&id].state, Some(Reported::Running));
        assert_eq!(reports[&id].topics.len(), 1);
        inbox.forget(&id);
        new(TaskEvent::Running { id });
        assert!(inbox.take().is_empty());
    }
}
