//! What was taken from the consumer and not yet given to the sink.
//!
//! Usually empty at the end of a turn. It is kept while something is waited for (a schema registry, a retry,
//! a sink that refuses, reports that find no room), so that rebalances and commits go on meanwhile. Bounded:
//! the pipeline takes nothing further, and pauses its partitions when the wait is long.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use lakeward_api::batch::SinkBatch;
use lakeward_api::pulse::Waiting;
use lakeward_api::record::{Position, TopicPartition};
use lakeward_api::sink::NoRoom;
use lakeward_kafka::consumer::FetchedBatch;

/// One take of the consumer, on its way.
pub(super) struct Work {
    pub(super) batch: FetchedBatch,
    /// The first message that was not converted yet.
    pub(super) next: usize,
    /// Converted, for the sink.
    pub(super) ready: VecDeque<SinkBatch>,
    /// What the sink is told when `ready` is with it.
    pub(super) passed: Option<Position>,
    /// Partitions that left after the take; their records are somebody else's.
    pub(super) gone: Vec<TopicPartition>,
}

impl Work {
    pub(super) fn new(batch: FetchedBatch) -> Self {
        Self { batch, next: 0, ready: VecDeque::new(), passed: None, gone: Vec::new() }
    }
}

/// What the next record waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blocked {
    /// An answer of a schema registry.
    Converters,
    /// Room with the sink.
    NoRoom(NoRoom),
    /// Room for reports.
    Reports,
    /// The next attempt at a record, at this time.
    Retry(Instant),
    /// The sink, which is asked again at this time.
    Sink(Instant),
}

impl Blocked {
    /// For the log.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Converters => "the schema registry does not answer",
            Self::NoRoom(NoRoom::Decisions) => "decided cuts are not acknowledged",
            Self::NoRoom(NoRoom::Store) => "the store does not keep up",
            Self::Reports => "the dead letter queue does not keep up",
            Self::Retry(_) => "a record is tried again",
            Self::Sink(_) => "the sink refused a batch",
        }
    }

    /// For the pulse.
    pub(super) fn waiting(self) -> Waiting {
        match self {
            Self::Converters => Waiting::SchemaRegistry,
            Self::NoRoom(NoRoom::Decisions) => Waiting::Broker,
            Self::NoRoom(NoRoom::Store) => Waiting::Store,
            Self::Reports => Waiting::DeadLetters,
            Self::Retry(_) => Waiting::Retry,
            Self::Sink(_) => Waiting::Sink,
        }
    }

    /// How long nothing can be done, at most `wait`.
    pub(super) fn wait(self, wait: Duration, now: Instant) -> Duration {
        match self {
            Self::Converters | Self::NoRoom(_) | Self::Reports => wait,
            Self::Retry(due) | Self::Sink(due) => wait.min(due.saturating_duration_since(now)),
        }
    }
}
