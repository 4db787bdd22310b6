//! What this worker said last of its connectors and tasks, said again when a worker of an earlier term spoke
//! over it.
//!
//! A worker that was frozen goes on where it was: it says that a task runs, or restarts, before it learns
//! that others lead. Kafka Connect shows that until the task changes again.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lakeward_controlplane_core::status::{RunState, Status, StatusBoard, Subject, status_record};

use super::actor::Actor;

/// The last statuses of what runs here.
#[derive(Default)]
pub(super) struct Told(Mutex<BTreeMap<Subject, Status>>);

impl Told {
    fn statuses(&self) -> MutexGuard<'_, BTreeMap<Subject, Status>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It is no more.
    pub(super) fn forget(&self, subject: &Subject) {
        self.statuses().remove(subject);
    }

    /// Nothing runs here any more.
    pub(super) fn clear(&self) {
        self.statuses().clear();
    }
}

impl Actor {
    /// Writes a status if nothing newer of another worker is known.
    pub(super) fn write_status(
        &self,
        subject: &Subject,
        state: RunState,
        trace: Option<String>,
        version: Option<String>,
    ) {
        let worker_id = self.parts.worker_id.clone();
        let status = Status { state, trace, worker_id, generation: self.generation(), version };
        if self.view().status(|board| board.allows(subject, &status)) {
            self.store.write_status(status_record(subject, &status));
            if state == RunState::Unassigned {
                self.told.statuses().remove(subject);
            } else {
                self.told.statuses().insert(subject.clone(), status);
            }
        }
    }

    /// Says again what was spoken over.
    pub(super) fn say_again(&self) {
        let overtaken = self.view().status(StatusBoard::take_overtaken);
        let told = self.told.statuses();
        for (subject, status) in overtaken.iter().filter_map(|subject| Some((subject, told.get(subject)?))) {
            let runs = match subject {
                Subject::Connector(name) => self.running.connectors.contains_key(name),
                Subject::Task(id) => self.running.tasks.contains_key(id),
            };
            if runs && status.generation == self.generation() {
                self.store.write_status(status_record(subject, status));
            }
        }
    }
}
