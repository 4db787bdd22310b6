//! What is in flight: the uploads of each assignment of a topic-partition, and the positions that wait for
//! them.
//!
//! An assignment is one stretch between `open` and `close`. Its complete files finish after `close`; what
//! they made durable counts until the topic-partition is opened again.

use std::collections::HashMap;

use lakeward_api::ConnectError;
use lakeward_api::record::{Position, TopicPartition};

use crate::s3::ledger::{CutId, Ledger};
use crate::s3::upload::{Ending, Outcome, UploadId};

/// Identifies one stretch between `open` and `close` of a topic-partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct AssignmentId(u64);

/// The assignments of a task and their uploads.
#[derive(Default)]
pub(super) struct Flight {
    /// Assignments by their number, open or closed with uploads in flight.
    assignments: HashMap<AssignmentId, Assignment>,
    next_assignment: u64,
    uploads: HashMap<UploadId, Pending>,
    completing_count: usize,
    /// Assignments of which something may have become durable; any number of times.
    changed: Vec<AssignmentId>,
    /// Some assignments may be over.
    may_sweep: bool,
}

/// What is in flight for one assignment.
struct Assignment {
    partition: TopicPartition,
    ledger: Ledger,
    uploads_count: usize,
    /// Parts that ended and were not sent yet.
    waiting_count: usize,
    state: AssignmentState,
}

impl Assignment {
    fn is_settled(&self) -> bool {
        self.uploads_count == 0 && self.waiting_count == 0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AssignmentState {
    Closed,
    Open,
}

/// An upload in flight; without a cut it was dropped before completion.
#[derive(Clone, Copy)]
struct Pending {
    assignment: AssignmentId,
    cut: Option<CutId>,
}

impl Flight {
    /// Begins an assignment; positions of earlier ones of `partition` are somebody else's by now.
    pub(super) fn open(&mut self, partition: &TopicPartition) -> AssignmentId {
        let id = AssignmentId(self.next_assignment);
        self.next_assignment += 1;
        for old in self.assignments.values_mut().filter(|old| old.partition == *partition) {
            old.ledger.forget();
        }
        let assignment = Assignment {
            partition: partition.clone(),
            ledger: Ledger::default(),
            uploads_count: 0,
            waiting_count: 0,
            state: AssignmentState::Open,
        };
        self.assignments.insert(id, assignment);
        id
    }

    /// Ends an assignment: what was not cut is dropped.
    pub(super) fn close(&mut self, id: AssignmentId) {
        self.assignment(id).state = AssignmentState::Closed;
        self.may_sweep = true;
    }

    /// Records a cut at `next_offset` of `uploads_count` files (0: everything below was skipped). Unless
    /// `is_decided`, they are not completed before [`Flight::decided`].
    pub(super) fn cut(
        &mut self,
        id: AssignmentId,
        next_offset: i64,
        uploads_count: usize,
        is_decided: bool,
    ) -> CutId {
        self.changed.push(id);
        self.assignment(id).ledger.cut(next_offset, uploads_count, is_decided)
    }

    /// The decision of a cut was acknowledged.
    pub(super) fn decided(&mut self, id: AssignmentId, cut: CutId) {
        self.changed.push(id);
        self.assignment(id).ledger.decided(cut);
    }

    /// Panics when the files of `cut` must not be completed yet.
    pub(super) fn assert_decided(&mut self, id: AssignmentId, cut: CutId) {
        self.assignment(id).ledger.assert_decided(cut);
    }

    /// A part of a decided cut will be sent.
    pub(super) fn waits(&mut self, id: AssignmentId) {
        self.assignment(id).waiting_count += 1;
    }

    /// Its files are being sent.
    pub(super) fn waits_no_more(&mut self, id: AssignmentId) {
        self.assignment(id).waiting_count -= 1;
    }

    /// Uploads that have got their last bytes.
    pub(super) fn completing_count(&self) -> usize {
        self.completing_count
    }

    /// An upload was started.
    pub(super) fn track(&mut self, upload: UploadId, id: AssignmentId) {
        self.assignment(id).uploads_count += 1;
        self.uploads.insert(upload, Pending { assignment: id, cut: None });
    }

    /// A tracked upload is another task's from now on.
    pub(super) fn part_with(&mut self, upload: UploadId) {
        let pending = self.uploads.remove(&upload).expect("the upload is tracked");
        assert!(pending.cut.is_none(), "a file that was completed is nobody else's");
        self.assignment(pending.assignment).uploads_count -= 1;
    }

    /// A tracked upload got its last bytes: it is a file of `cut`.
    pub(super) fn completes(&mut self, upload: UploadId, cut: CutId) {
        self.uploads.get_mut(&upload).expect("the upload is tracked").cut = Some(cut);
        self.completing_count += 1;
    }

    /// Whether files of a cut are on their way.
    pub(super) fn is_completing(&self, id: AssignmentId) -> bool {
        let waits = self.assignments.get(&id).is_some_and(|assignment| assignment.waiting_count > 0);
        waits || self.uploads.values().any(|upload| upload.assignment == id && upload.cut.is_some())
    }

    /// Takes an outcome.
    ///
    /// # Errors
    /// That of the upload, unless nobody depends on it.
    pub(super) fn ended(&mut self, outcome: Outcome) -> Result<(), ConnectError> {
        let pending = self.uploads.remove(&outcome.upload).expect("every upload is tracked until it ends");
        self.completing_count -= usize::from(pending.cut.is_some());
        self.changed.push(pending.assignment);
        let assignment = self.assignment(pending.assignment);
        assignment.uploads_count -= 1;
        match (outcome.result, pending.cut) {
            (Ok(Ending::Stored), Some(cut)) => assignment.ledger.stored(cut),
            // Nobody depends on a dropped part, so its failed abort is only worth a line.
            (Ok(_), None) => {}
            (Err(err), None) if assignment.state == AssignmentState::Closed => {
                tracing::debug!(error = %err, "a dropped part failed to upload");
            }
            (Ok(Ending::Dropped), Some(_)) => {
                return Err(ConnectError::fatal("a completed file was dropped before it was stored"));
            }
            (Err(err), _) => return Err(err.into()),
        }
        Ok(())
    }

    /// Forgets assignments that are over.
    pub(super) fn sweep(&mut self) {
        if !self.may_sweep {
            return;
        }
        self.assignments.retain(|_, assignment| {
            assignment.state == AssignmentState::Open
                || !assignment.is_settled()
                || assignment.ledger.has_durable()
        });
        self.may_sweep = self.assignments.values().any(|one| one.state == AssignmentState::Closed);
    }

    /// Appends positions that became durable since the last call.
    pub(super) fn take_durable(&mut self, out: &mut Vec<Position>) {
        for id in self.changed.drain(..) {
            // Those that are over have nothing to tell.
            let Some(assignment) = self.assignments.get_mut(&id) else { continue };
            if let Some(next_offset) = assignment.ledger.take_durable() {
                out.push(Position { partition: assignment.partition.clone(), next_offset });
            }
        }
    }

    /// True when no upload of `partitions` is in flight.
    pub(super) fn is_settled(&self, partitions: &[TopicPartition]) -> bool {
        !self
            .assignments
            .values()
            .any(|assignment| !assignment.is_settled() && partitions.contains(&assignment.partition))
    }

    fn assignment(&mut self, id: AssignmentId) -> &mut Assignment {
        self.assignments.get_mut(&id).expect("assignments outlive their writers and uploads")
    }
}
