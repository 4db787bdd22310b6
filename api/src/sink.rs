//! The sink contract.
//!
//! A [`SinkTask`] is a state machine that never blocks and never waits: it buffers what [`SinkTask::put`]
//! gives it, starts network work over the [`Bridge`], and learns the outcome when its [`Waker`] makes the
//! pipeline call [`SinkTask::poll`]. It lives on one shard and needs no `Send`.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::ConnectError;
use crate::batch::SinkBatch;
use crate::bridge::{Bridge, Waker};
use crate::budget::Budget;
use crate::config::ConfigMap;
use crate::cuts::{Decision, Fingerprint, Opening};
use crate::handover::OpenState;
use crate::memory::Memory;
use crate::metrics::{EndedFiles, StoreConditions};
use crate::record::{Position, TopicPartition};
use crate::spill::SpillDevice;

/// Both clocks, read once per turn of the pipeline.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For timers.
    pub monotonic: Instant,
    /// For record time and object names, ms since the epoch.
    pub wall_ms: i64,
}

/// What a sink task is given when it is created.
#[derive(Clone)]
pub struct SinkTaskContext {
    /// Connector name.
    pub connector: Arc<str>,
    /// Task number, from 0.
    pub task: u32,
    /// Task configuration, variables resolved.
    pub config: Arc<ConfigMap>,
    /// Where network work runs.
    pub bridge: Arc<dyn Bridge>,
    /// Bytes in flight (uploads not yet durable). The pipeline stops feeding the task while it is exhausted.
    pub in_flight: Budget,
    /// The memory of the worker, and disk space for what it cannot hold.
    pub room: Room,
    /// Wakes the pipeline so that it calls [`SinkTask::poll`].
    pub waker: Waker,
    /// `offset.flush.interval.ms` of the worker: how often Java asks a task to flush.
    pub flush_interval: Duration,
    /// Whether records may be rejected one by one (a dead letter queue or `errors.log.enable` is configured):
    /// see [`SinkTask::take_rejected`]. Otherwise a bad record is an error of [`SinkTask::put`].
    pub can_reject: bool,
    /// Where files that end are counted.
    pub files: Arc<EndedFiles>,
}

/// Where a task keeps what it buffers.
#[derive(Clone)]
pub struct Room {
    /// Shared by all tasks of the worker.
    pub memory: Memory,
    /// `None`: nothing is kept on disk.
    pub disk: Option<Rc<dyn SpillDevice>>,
}

impl Default for Room {
    /// As much memory as there is.
    fn default() -> Self {
        Self { memory: Memory::unlimited(), disk: None }
    }
}

/// A record that a sink cannot take.
#[derive(Debug)]
pub struct Rejected {
    /// Where it came from, as the batch said.
    pub partition: TopicPartition,
    /// Its offset there.
    pub offset: i64,
    /// Why; class `Record`.
    pub error: ConnectError,
}

/// Why a sink takes no further batch for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRoom {
    /// It holds decided cuts that the coordinator has not acknowledged.
    Decisions,
    /// It holds what the store has to take first.
    Store,
}

/// One task of a sink connector. All calls come from one shard, one at a time.
///
/// Order over life: `open`, (`put` | `poll` | `take_durable`)*, `close`, `stop`. A task that answered an
/// error gets no further call but `stop`.
pub trait SinkTask {
    /// Whether the start is over. A task that must open or ask for something first does that in
    /// [`SinkTask::poll`], wakes the pipeline when it is done, and says so here. Until then it is given no
    /// records and is not reported as running; a failure of [`SinkTask::poll`] is one of the start. Never
    /// turns back.
    fn has_started(&self) -> bool {
        true
    }

    /// What the configuration guarantees, in words for operators; names settings and none of their values.
    fn delivery(&self) -> Option<String> {
        None
    }

    /// What is known about conditional writes to its store, now and later; `None` for sinks of other places.
    fn store_conditions(&self) -> Option<Arc<StoreConditions>> {
        None
    }

    /// Partitions were assigned. Called with new partitions only.
    fn open(&mut self, partitions: &[TopicPartition]) -> Result<(), ConnectError>;

    /// The settings that shape what this task stores, when it repeats cuts that were decided: then
    /// [`SinkTask::open_at`] is called instead of [`SinkTask::open`].
    fn fingerprint(&self) -> Option<Fingerprint> {
        None
    }

    /// Partitions were assigned, with what is to be repeated: records up to the end of each cut are cut there
    /// and nowhere else, with the clock that the cut names.
    fn open_at(&mut self, openings: &[Opening]) -> Result<(), ConnectError> {
        let partitions: Vec<TopicPartition> =
            openings.iter().map(|opening| opening.partition.clone()).collect();
        self.open(&partitions)
    }

    /// Appends the cuts decided since the last call. None of their files may be completed before
    /// [`SinkTask::decided`] says that the group's coordinator took the decision.
    fn take_decisions(&mut self, _out: &mut Vec<Decision>) {}

    /// Every cut of `partition` up to `end` was acknowledged: whoever owns the partition next will repeat it,
    /// so its files may be completed. May be called for partitions that were closed.
    fn decided(&mut self, _partition: &TopicPartition, _end: i64) -> Result<(), ConnectError> {
        Ok(())
    }

    /// Why the next batch must not be put now. Room comes with a call of another method, which an answer of
    /// the coordinator or of the store brings about.
    fn no_room(&self) -> Option<NoRoom> {
        None
    }

    /// Takes ownership of a batch (Accepted). Nothing in it is durable yet. The offsets of one partition
    /// ascend between `open` and `close`.
    ///
    /// # Errors
    /// `Retriable` from a task that says [`SinkTask::may_refuse`]: nothing of the batch was taken, it is
    /// given again. Every other error ends the task's run.
    fn put(&mut self, batch: SinkBatch, now: Now) -> Result<(), ConnectError>;

    /// Whether [`SinkTask::put`] may answer `Retriable` and get the same batch again. The pipeline then keeps
    /// a copy of each batch. A task that has no room after such an answer gets it as soon as there is room
    /// again; every other refusal is logged as a failure, and followed by a pause.
    fn may_refuse(&self) -> bool {
        false
    }

    /// Appends the records that the last [`SinkTask::put`] left out, in offset order; only when
    /// [`SinkTaskContext::can_reject`]. The pipeline reports them, and fails the task when they are not
    /// tolerated. For the task's own positions they count as done: no position is committed beyond a report
    /// that was not acknowledged.
    fn take_rejected(&mut self, _out: &mut Vec<Rejected>) {}

    /// Every record below `position` was put, or left out on its way here (bad, or dropped by a transform).
    /// Lets positions pass records that never arrive.
    fn passed(&mut self, _position: &Position) {}

    /// Turns the state machine without new records: outcomes of network work, timers. Called after every
    /// wake, after every round of `put`, and at least once a second.
    fn poll(&mut self, now: Now) -> Result<(), ConnectError>;

    /// Appends positions that became durable since the last call: everything below `next_offset` is stored
    /// for good.
    fn take_durable(&mut self, out: &mut Vec<Position>);

    /// How long what is open of a partition that goes away may wait for its next owner; `None`: it is
    /// dropped.
    fn hands_over(&self) -> Option<Duration> {
        None
    }

    /// Takes out what is open of `partition`, right before [`SinkTask::close`]; `None` when there is nothing,
    /// or nothing that another task could go on with.
    fn part_with(&mut self, _partition: &TopicPartition) -> Option<Box<dyn OpenState>> {
        None
    }

    /// A partition was assigned, and is gone on with where another task of the same configuration parted with
    /// it. Stands for [`SinkTask::open_at`]; the next record is that of [`OpenState::next_offset`].
    ///
    /// # Errors
    /// `Fatal` for a state of another kind of task.
    fn adopt(&mut self, opening: &Opening, _state: Box<dyn OpenState>) -> Result<(), ConnectError> {
        Err(ConnectError::fatal(format!(
            "{} was handed to a task that takes nothing over",
            opening.partition
        )))
    }

    /// Partitions go away: drops what is buffered for them (it will be read again), lets uploads that are
    /// complete files finish. Returns at once; see [`SinkTask::is_settled`].
    fn close(&mut self, partitions: &[TopicPartition]);

    /// True when no network work of `partitions` is in flight any more.
    fn is_settled(&self, partitions: &[TopicPartition]) -> bool;

    /// Bytes buffered in open parts, for the memory budget and metrics.
    fn buffered_bytes(&self) -> u64;

    /// Last call. Aborts what is still in flight; must not block.
    fn stop(&mut self);
}
