//! The source contract.
//!
//! A [`SourceTask`] is a state machine that never blocks and never waits: [`SourceTask::poll`] hands over
//! what is there, network work runs over the [`Bridge`], files are read in bounded pieces, and the task's
//! [`Waker`] makes the pipeline poll again. It lives on one shard and needs no `Send`.
//!
//! Source: `SourceConnector`, `SourceTask`, `TransactionContext`, `OffsetStorageReader`, Kafka 4.1.

use std::sync::Arc;
use std::time::Instant;

use crate::ConnectError;
use crate::batch::Values;
use crate::bridge::{Bridge, Waker};
use crate::config::{ConfigDef, ConfigMap, ConfigValue};
use crate::header::HeaderRows;
use crate::plugin::LaterFailure;
use crate::sink::Now;
use crate::value::Value;

/// A source partition or source offset: a [`Value::Map`] with STRING keys and plain values, or null. It is
/// what the offsets topic holds as JSON.
pub type SourceMap = Arc<Value>;

/// Where one record came from.
#[derive(Clone, Debug, PartialEq)]
pub struct SourcePosition {
    /// What is read: a file, a table, a stream of the source. Null is allowed.
    pub partition: SourceMap,
    /// How far it was read, the record included. Null forgets what was stored for the partition.
    pub offset: SourceMap,
}

/// Records for one topic, in the order in which they are to be sent.
#[derive(Clone, Debug)]
pub struct SourceBatch {
    /// The topic they go to.
    pub topic: Arc<str>,
    /// The partition they go to; `None` leaves it to the producer.
    pub partition: Option<i32>,
    /// Record timestamp per row in ms since the epoch; `None` leaves it to the producer.
    pub timestamps_ms: Vec<Option<i64>>,
    /// Keys, one per row.
    pub keys: Values,
    /// Values, one per row.
    pub values: Values,
    /// Headers per row.
    pub headers: HeaderRows,
    /// Where each row came from.
    pub positions: Vec<SourcePosition>,
}

impl SourceBatch {
    /// Row count.
    pub fn rows(&self) -> usize {
        self.positions.len()
    }

    /// Panics when the columns disagree about the row count: a batch like that would lose records.
    pub fn assert_consistent(&self) {
        let rows = self.rows();
        assert_eq!(rows, self.timestamps_ms.len(), "timestamps do not match positions");
        assert_eq!(rows, self.keys.rows(), "keys do not match positions");
        assert_eq!(rows, self.values.rows(), "values do not match positions");
        assert!(self.headers.fits(rows), "headers do not match positions");
    }
}

/// What a poll brought.
#[derive(Debug)]
pub enum Polled {
    /// Nothing now. The pipeline polls again after a wake, at `until`, or within a second.
    Idle {
        /// When something is expected.
        until: Option<Instant>,
    },
    /// Records. Poll again when they were sent.
    Records(Vec<SourceBatch>),
}

/// What became of a record that a poll returned.
#[derive(Clone, Debug, PartialEq)]
pub enum RecordOutcome {
    /// The broker has it.
    Acknowledged {
        /// Topic after transforms.
        topic: Arc<str>,
        /// Partition.
        partition: i32,
        /// Offset.
        offset: i64,
    },
    /// A transform dropped it, or it failed and was tolerated.
    Skipped,
}

/// What the task wants to happen with the transaction its records are in, when it defines the boundaries
/// itself (`transaction.boundary=connector`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionRequest {
    /// Abort after the batches of this poll.
    AbortBatch,
    /// Abort after the record of this number, counted over the batches of this poll.
    AbortRecord(usize),
    /// Commit after the batches of this poll.
    CommitBatch,
    /// Commit after the record of this number, counted over the batches of this poll.
    CommitRecord(usize),
}

/// Offsets that were stored before, read to the end of the offsets topic when the task was started.
pub trait StoredOffsets: Send + Sync {
    /// The latest offset of `partition`; `None` when there is none.
    fn offset(&self, partition: &Value) -> Option<SourceMap>;
}

/// What a source task is given when it is created.
#[derive(Clone)]
pub struct SourceTaskContext {
    /// Connector name.
    pub connector: Arc<str>,
    /// Task number, from 0.
    pub task: u32,
    /// Task configuration, variables resolved.
    pub config: Arc<ConfigMap>,
    /// Offsets of earlier runs.
    pub offsets: Arc<dyn StoredOffsets>,
    /// Where network work runs.
    pub bridge: Arc<dyn Bridge>,
    /// Wakes the pipeline so that it calls [`SourceTask::poll`].
    pub waker: Waker,
    /// True when the task's records go through transactions whose boundaries it defines.
    pub defines_transactions: bool,
}

/// One task of a source connector. All calls come from one shard, one at a time.
///
/// Order over life: (`poll` | `transaction_requests` | `record_done` | `committed`)*, `stop`. A task that
/// answered an error gets no further call but `stop`.
pub trait SourceTask {
    /// Whether the start is over. A task that must open or ask for something first does that in
    /// [`SourceTask::poll`], wakes the pipeline when it is done, and says so here. Until then it brings no
    /// records and is not reported as running. Never turns back.
    fn has_started(&self) -> bool {
        true
    }

    /// Hands over the next records.
    ///
    /// # Errors
    /// `Retriable` means nothing now, try again; every other class fails the task.
    fn poll(&mut self, now: Now) -> Result<Polled, ConnectError>;

    /// Requests about the batches of the last poll, in order. Asked after each poll when the task defines
    /// transaction boundaries.
    fn transaction_requests(&mut self) -> Vec<TransactionRequest> {
        Vec::new()
    }

    /// A record was sent or left out. Records are told in the order of their acknowledgements; errors are
    /// logged only, as in Java.
    fn record_done(
        &mut self,
        _position: &SourcePosition,
        _outcome: &RecordOutcome,
    ) -> Result<(), ConnectError> {
        Ok(())
    }

    /// Offsets were stored, or there was nothing to store. Errors are logged only.
    fn committed(&mut self) -> Result<(), ConnectError> {
        Ok(())
    }

    /// Last call; must not block.
    fn stop(&mut self);
}

/// Whether a connector can deliver exactly once with some configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExactlyOnceSupport {
    /// It can.
    Supported,
    /// It does not say.
    Unknown,
    /// It cannot.
    Unsupported,
}

/// What a connector says about offsets that a person wants to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetsAltered {
    /// It took note.
    Done,
    /// It has no opinion: offsets are changed, and whether that helps is not known.
    NotSupported,
}

/// A source connector: stateless; one value serves every connector of its class.
pub trait SourceConnector: Send + Sync {
    /// Java class name.
    fn class(&self) -> &'static str;

    /// Version, as REST answers show it.
    fn version(&self) -> &str;

    /// The connector's own keys.
    fn config_def(&self) -> ConfigDef;

    /// Validates the connector's own keys, with checks that span several of them. Reports all problems.
    fn validate(&self, props: &ConfigMap) -> Vec<ConfigValue> {
        self.config_def().validate(props)
    }

    /// Called when the connector starts or is resumed, before its task configurations are asked for. An
    /// answer is a failure that the connector raises later, as if out of a thread of its own; its tasks go
    /// on.
    ///
    /// # Errors
    /// Leave the connector FAILED without new tasks.
    fn start(&self, _props: &ConfigMap) -> Result<Option<LaterFailure>, ConnectError> {
        Ok(None)
    }

    /// One configuration per task, at most `tasks_max`. An error leaves the connector FAILED without tasks.
    fn task_configs(&self, props: &ConfigMap, tasks_max: u32) -> Result<Vec<ConfigMap>, ConnectError>;

    /// Creates a task. Called on the shard the task will live on; must not block.
    fn new_task(&self, context: SourceTaskContext) -> Result<Box<dyn SourceTask>, ConnectError>;

    /// Whether records are delivered exactly once with `props`.
    fn exactly_once_support(&self, _props: &ConfigMap) -> ExactlyOnceSupport {
        ExactlyOnceSupport::Unknown
    }

    /// Whether tasks can define transaction boundaries with `props`.
    fn can_define_transactions(&self, _props: &ConfigMap) -> bool {
        false
    }

    /// Checks offsets that a person wants to store for the stopped connector: pairs of partition and offset
    /// (`None` to forget).
    ///
    /// # Errors
    /// What the REST answer says, when the offsets make no sense for this connector.
    fn alter_offsets(
        &self,
        _props: &ConfigMap,
        _offsets: &[(SourceMap, Option<SourceMap>)],
    ) -> Result<OffsetsAltered, ConnectError> {
        Ok(OffsetsAltered::NotSupported)
    }
}
