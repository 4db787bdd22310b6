//! The consumer of one sink task: a member of the connector's group that never blocks its shard.
//!
//! Rebalances arrive as events and are confirmed by the pipeline when the work of the partitions is settled,
//! so that no partition moves while its last upload is in flight. Commits are asynchronous and answered by
//! events.

use lakeward_api::record::{Position, TopicPartition};
use rdkafka_sys::rd_kafka_resp_err_t as Code;

use crate::KafkaError;
use crate::settings::ClientSettings;
use crate::sys::{ClientEvent, NativeConsumer, Protocol};
pub use crate::sys::{FetchedBatch, FetchedRun};

/// Something the pipeline must react to.
#[derive(Debug)]
pub enum ConsumerEvent {
    /// Partitions were assigned; confirm with [`SinkConsumer::confirm_assigned`] after opening them.
    Assigned(Vec<TopicPartition>),
    /// A commit finished.
    Committed {
        /// Positions the broker accepted.
        positions: Vec<Position>,
        /// First failure, if any.
        failure: Option<String>,
    },
    /// No broker can be reached at the moment; the client goes on trying.
    Disconnected {
        /// The client's text.
        reason: String,
    },
    /// Partitions were taken away without a chance to commit: drop their work, then confirm.
    Lost(Vec<TopicPartition>),
    /// Partitions are being taken away: settle and commit, then confirm with
    /// [`SinkConsumer::confirm_revoked`].
    Revoked(Vec<TopicPartition>),
    /// The client cannot go on (credentials, authorization, fatal protocol errors).
    Stopped {
        /// The client's text.
        reason: String,
    },
}

/// A group consumer for one task. Cheap calls only; network work happens on the client's own threads.
pub struct SinkConsumer {
    native: NativeConsumer,
    closing: bool,
}

impl SinkConsumer {
    /// Creates the client and joins the group. `topics` are names, or one pattern that starts with `^`.
    /// `wake` is called from other threads when there is something to take.
    ///
    /// # Errors
    /// Class `Config` for refused settings, `Retriable` otherwise.
    pub fn join(
        settings: &ClientSettings,
        topics: &[String],
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, KafkaError> {
        let native = NativeConsumer::new(settings, wake)?;
        native.subscribe(topics)?;
        Ok(Self { native, closing: false })
    }

    /// Takes up to `count_max` messages that are already here, and serves the client. Call it until the batch
    /// is empty before waiting for the next wake: a wake comes only when an empty queue fills.
    pub fn take(&mut self, count_max: usize) -> FetchedBatch {
        self.native.take(count_max)
    }

    /// Events since the last call, in order; `batch` is what the last [`SinkConsumer::take`] answered.
    pub fn events(&mut self, batch: &FetchedBatch) -> Vec<ConsumerEvent> {
        let mut events: Vec<ConsumerEvent> =
            self.native.take_events().into_iter().filter_map(|event| self.translate(event)).collect();
        events.extend(batch.errors().filter_map(|(code, reason)| queue_error(code, reason)));
        events
    }

    fn translate(&self, event: ClientEvent) -> Option<ConsumerEvent> {
        match event {
            ClientEvent::Assigned(partitions) => Some(ConsumerEvent::Assigned(partitions)),
            ClientEvent::Revoked(partitions) if self.native.is_assignment_lost() => {
                Some(ConsumerEvent::Lost(partitions))
            }
            ClientEvent::Revoked(partitions) => Some(ConsumerEvent::Revoked(partitions)),
            ClientEvent::Committed(outcome) => {
                let failure = outcome.iter().find_map(|(_, failure)| failure.clone());
                let accepted = outcome.into_iter().filter(|(_, failure)| failure.is_none());
                Some(ConsumerEvent::Committed {
                    positions: accepted.map(|(position, _)| position).collect(),
                    failure,
                })
            }
            ClientEvent::Error { code, reason } => match code {
                Code::RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN => Some(ConsumerEvent::Disconnected { reason }),
                Code::RD_KAFKA_RESP_ERR__AUTHENTICATION | Code::RD_KAFKA_RESP_ERR__FATAL => {
                    Some(ConsumerEvent::Stopped { reason })
                }
                _ => {
                    tracing::warn!(%reason, "consumer connection trouble");
                    None
                }
            },
        }
    }

    /// Accepts an assignment; fetching starts at the committed positions.
    pub fn confirm_assigned(&self, partitions: &[TopicPartition]) -> Result<(), KafkaError> {
        self.native.confirm_assigned(partitions)
    }

    /// Lets revoked or lost partitions go.
    pub fn confirm_revoked(&self, partitions: &[TopicPartition]) -> Result<(), KafkaError> {
        self.native.confirm_revoked(partitions)
    }

    /// True when a rebalance takes only the partitions that move.
    pub fn is_cooperative(&self) -> bool {
        self.native.protocol() == Protocol::Cooperative
    }

    /// Starts a commit of `positions`; the answer is a [`ConsumerEvent::Committed`].
    pub fn commit(&self, positions: &[Position]) -> Result<(), KafkaError> {
        self.native.commit(positions)
    }

    /// Stops fetching from `partitions` while staying in the group.
    pub fn pause(&self, partitions: &[TopicPartition]) -> Result<(), KafkaError> {
        self.native.pause(partitions)
    }

    /// Fetches from `partitions` again.
    pub fn resume(&self, partitions: &[TopicPartition]) -> Result<(), KafkaError> {
        self.native.resume(partitions)
    }

    /// Starts leaving the group: a last revocation arrives and must be confirmed. Keep calling
    /// [`SinkConsumer::take`] until [`SinkConsumer::is_closed`].
    pub fn begin_close(&mut self) -> Result<(), KafkaError> {
        if !std::mem::replace(&mut self.closing, true) {
            self.native.begin_close()?;
        }
        Ok(())
    }

    /// True when the group was left.
    pub fn is_closed(&self) -> bool {
        self.native.is_closed()
    }
}

/// Errors that travel in the message queue.
fn queue_error(code: Code, reason: String) -> Option<ConsumerEvent> {
    match code {
        Code::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED
        | Code::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED
        | Code::RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET
        | Code::RD_KAFKA_RESP_ERR__BAD_MSG
        | Code::RD_KAFKA_RESP_ERR__FATAL => Some(ConsumerEvent::Stopped { reason }),
        _ => {
            tracing::warn!(%reason, "consumer error");
            None
        }
    }
}
