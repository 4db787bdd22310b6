//! The consumer of one sink task: a member of the connector's group that never blocks its shard.
//!
//! Rebalances arrive as events and are confirmed by the pipeline when the work of the partitions is settled,
//! so that no partition moves while its last upload is in flight. Commits are asynchronous and answered by
//! events.

use lakeward_api::failpoint;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lakeward_api::record::{CommittedPosition, Position, TopicPartition};
use rdkafka_sys::rd_kafka_resp_err_t as Code;

use crate::KafkaError;
use crate::settings::ClientSettings;
use crate::sys::{self, ClientEvent, NativeConsumer, Protocol};
pub use crate::sys::{FetchedBatch, FetchedRun};

/// Something the pipeline must react to.
#[derive(Debug)]
pub enum ConsumerEvent {
    /// Partitions were assigned; confirm with [`SinkConsumer::confirm_assigned`] after opening them.
    Assigned(Vec<TopicPartition>),
    /// A commit finished.
    Committed {
        /// What the coordinator accepted.
        accepted: Vec<CommittedPosition>,
        /// First failure, if any.
        failure: Option<CommitFailure>,
    },
    /// No broker can be reached at the moment; the client goes on trying.
    Disconnected {
        /// The client's text.
        reason: String,
    },
    /// Partitions were taken away without a chance to commit: drop their work, then confirm.
    Lost(Vec<TopicPartition>),
    /// The topic has not the position to read from any more, and only [`CommittedReader::starts`] knows
    /// another.
    OutOfRange {
        /// The client's text.
        reason: String,
    },
    /// Partitions are being taken away: settle and commit, then confirm with
    /// [`SinkConsumer::confirm_revoked`].
    Revoked(Vec<TopicPartition>),
    /// The client cannot go on (credentials, authorization, fatal protocol errors).
    Stopped {
        /// The client's text.
        reason: String,
    },
}

/// Why a commit failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitFailure {
    /// The client's text.
    pub reason: String,
    /// Whether the coordinator may have taken the commit, or may still take it.
    pub is_unknown: bool,
    /// Whether the same commit can never be taken.
    pub is_final: bool,
}

impl CommitFailure {
    fn of(code: Code) -> Self {
        Self {
            reason: sys::describe(code),
            is_unknown: !REFUSALS.contains(&code),
            is_final: code == Code::RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE,
        }
    }
}

/// Failures after which a commit was not and will not be taken. `NOT_ENOUGH_REPLICAS`, which brokers tell as
/// `COORDINATOR_NOT_AVAILABLE`, and time-outs leave it open.
const REFUSALS: &[Code] = &[
    Code::RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST,
    Code::RD_KAFKA_RESP_ERR__NO_OFFSET,
    Code::RD_KAFKA_RESP_ERR__WAIT_COORD,
    Code::RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
    Code::RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID,
    Code::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
    Code::RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION,
    Code::RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
    Code::RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE,
    Code::RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS,
    Code::RD_KAFKA_RESP_ERR_STALE_MEMBER_EPOCH,
    Code::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
    Code::RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
];

/// A group consumer for one task. Cheap calls only; network work happens on the client's own threads.
pub struct SinkConsumer {
    native: NativeConsumer,
    start_age: Option<Duration>,
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
        Ok(Self { native, start_age: settings.start_age(), closing: false })
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
        let starts_by_age = self.starts_by_age();
        events.extend(batch.errors().filter_map(|(code, reason)| match queue_error(code, reason) {
            Some(ConsumerEvent::Stopped { reason })
                if starts_by_age && code == Code::RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET =>
            {
                Some(ConsumerEvent::OutOfRange { reason })
            }
            event => event,
        }));
        events
    }

    /// True when `auto.offset.reset` names an age: every partition needs a start from
    /// [`CommittedReader::starts`].
    pub fn starts_by_age(&self) -> bool {
        self.start_age.is_some()
    }

    fn translate(&self, event: ClientEvent) -> Option<ConsumerEvent> {
        match event {
            ClientEvent::Assigned(partitions) => Some(ConsumerEvent::Assigned(partitions)),
            ClientEvent::Revoked(partitions) if self.native.is_assignment_lost() => {
                Some(ConsumerEvent::Lost(partitions))
            }
            ClientEvent::Revoked(partitions) => Some(ConsumerEvent::Revoked(partitions)),
            ClientEvent::Committed { outcome, failure } => {
                failpoint!("sink.commit.after_ack");
                let own = outcome.iter().find_map(|(_, failure)| *failure);
                let accepted = outcome.into_iter().filter(|(_, failure)| failure.is_none());
                Some(ConsumerEvent::Committed {
                    accepted: accepted.map(|(commit, _)| commit).collect(),
                    failure: own.or(failure).map(CommitFailure::of),
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
        let starts: Vec<_> = partitions.iter().map(|partition| (partition.clone(), None)).collect();
        self.native.confirm_assigned(&starts)
    }

    /// Accepts an assignment; fetching starts at the given positions. Where there is none, at the committed
    /// position or where `auto.offset.reset` says.
    pub fn confirm_assigned_at(&self, starts: &[(TopicPartition, Option<i64>)]) -> Result<(), KafkaError> {
        self.native.confirm_assigned(starts)
    }

    /// What reads the group's committed positions on another thread.
    pub fn committed_reader(&self) -> CommittedReader {
        CommittedReader { native: self.native.committed_reader(), start_age: self.start_age }
    }

    /// Lets revoked or lost partitions go.
    pub fn confirm_revoked(&self, partitions: &[TopicPartition]) -> Result<(), KafkaError> {
        self.native.confirm_revoked(partitions)
    }

    /// True when a rebalance takes only the partitions that move.
    pub fn is_cooperative(&self) -> bool {
        self.native.protocol() == Some(Protocol::Cooperative)
    }

    /// Starts a commit; the answer is a [`ConsumerEvent::Committed`]. The coordinator takes it only from a
    /// member of the group's current generation.
    pub fn commit(&self, commits: &[CommittedPosition]) -> Result<(), KafkaError> {
        failpoint!("sink.commit.before_send");
        self.native.commit(commits)?;
        failpoint!("sink.commit.after_send");
        Ok(())
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

/// Reads what a consumer's group committed; keeps its client alive.
pub struct CommittedReader {
    native: sys::CommittedReader,
    start_age: Option<Duration>,
}

impl CommittedReader {
    /// Asks the coordinator, at most `limit`; blocks its thread. Partitions without a position are left out.
    ///
    /// # Errors
    /// `Fatal` when the group may not be read; otherwise `Retriable`.
    pub fn read(
        &self,
        partitions: &[TopicPartition],
        limit: Duration,
    ) -> Result<Vec<CommittedPosition>, KafkaError> {
        self.native.read(partitions, limit)
    }

    /// Where partitions start that must not start at a committed position: those without one and, as Java
    /// resets both alike, those whose position the topic does not have any more. Empty unless
    /// `auto.offset.reset` names an age. Each request takes at most `limit`; blocks its thread.
    ///
    /// # Errors
    /// As [`CommittedReader::read`].
    pub fn starts(
        &self,
        partitions: &[TopicPartition],
        committed: &[CommittedPosition],
        limit: Duration,
    ) -> Result<Vec<Position>, KafkaError> {
        let Some(age) = self.start_age else { return Ok(Vec::new()) };
        let mut ends = Vec::new();
        for partition in partitions {
            let (first, end) = self.native.bounds(partition, limit)?;
            let known = committed.iter().find(|known| known.position.partition == *partition);
            if !known.is_some_and(|known| (first..=end).contains(&known.position.next_offset)) {
                ends.push(Position { partition: partition.clone(), next_offset: end });
            }
        }
        if ends.is_empty() {
            return Ok(ends);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let since_ms = i64::try_from(now.saturating_sub(age).as_millis()).unwrap_or(i64::MAX);
        let unplaced: Vec<TopicPartition> = ends.iter().map(|end| end.partition.clone()).collect();
        let found = self.native.offsets_since(&unplaced, since_ms, limit)?;
        // Without a record that young the next one will be: its place was looked up before.
        for start in &mut ends {
            if let Some(found) = found.iter().find(|found| found.partition == start.partition) {
                start.next_offset = found.next_offset;
            }
        }
        Ok(ends)
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

#[cfg(test)]
mod tests {
    use std::time::Instant;
    use std::{fs, thread};

    use super::*;
    use crate::settings::{ClientKind, translate};

    /// A revocation may be settled only when the group is left already: nothing is to be given up any more.
    #[test]
    fn revoked_partitions_may_be_confirmed_after_the_group_was_left() {
        let props = [("bootstrap.servers", "127.0.0.1:1"), ("group.id", "left")];
        let props = props.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let settings = translate(ClientKind::Consumer, &props).unwrap();
        let mut consumer = SinkConsumer::join(&settings, &["t".to_owned()], || {}).unwrap();
        consumer.begin_close().unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        while !consumer.is_closed() {
            assert!(Instant::now() < deadline, "the consumer does not close");
            consumer.take(1);
        }
        consumer.confirm_revoked(&[TopicPartition::new("t", 0)]).unwrap();
        consumer.confirm_assigned(&[]).unwrap();
        assert!(!consumer.is_cooperative());
    }
    /// The most that any main thread of the library has used, in clock ticks.
    fn ticks_of_main_threads() -> u64 {
        let tasks = fs::read_dir("/proc/self/task").unwrap();
        let stats = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("stat")).ok());
        let ticks = stats.filter_map(|stat| {
            let (name, rest) = stat.split_once('(')?.1.split_once(") ")?;
            let mut times = rest.split(' ').skip(11).filter_map(|field| field.parse::<u64>().ok());
            (name == "rdk:main").then(|| times.next().unwrap() + times.next().unwrap())
        });
        ticks.max().unwrap_or_default()
    }

    /// A commit waits for a coordinator that nobody names. The library's main thread would turn in circles
    /// until the session's end.
    #[test]
    fn a_client_that_waits_for_its_group_when_it_is_dropped_leaves_the_core_to_others() {
        let props =
            [("bootstrap.servers", "127.0.0.1:1"), ("group.id", "left"), ("session.timeout.ms", "4000")];
        let props = props.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let settings = translate(ClientKind::Consumer, &props).unwrap();
        let consumer = SinkConsumer::join(&settings, &["t".to_owned()], || {}).unwrap();
        let position = Position { partition: TopicPartition::new("t", 0), next_offset: 1 };
        consumer.commit(&[CommittedPosition { position, metadata: String::new() }]).unwrap();
        let dropping = thread::spawn(move || drop(consumer));
        let (begin, mut ticks) = (Instant::now(), 0);
        while !dropping.is_finished() {
            ticks = ticks_of_main_threads().max(ticks);
            thread::sleep(Duration::from_millis(10));
        }
        // A tick is 10 ms.
        let (used, took) = (Duration::from_millis(10 * ticks), begin.elapsed());
        assert!(took > Duration::from_secs(1), "the commit did not wait: nothing was tested");
        assert!(used < took / 4, "{used:?} of {took:?}");
    }

    /// Nothing holds these groups: each ends while its client is being dropped. A call that waits for an
    /// answer of the library at that moment never gets one.
    #[test]
    fn clients_whose_groups_end_at_once_are_dropped() {
        let props = [("bootstrap.servers", "127.0.0.1:1"), ("group.id", "ended")];
        let props = props.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let settings = translate(ClientKind::Consumer, &props).unwrap();
        let drop_many = || {
            for _ in 0..CLIENTS {
                drop(SinkConsumer::join(&settings, &["t".to_owned()], || {}).unwrap());
            }
        };
        thread::scope(|scope| {
            (0..4).for_each(|_| drop(scope.spawn(drop_many)));
        });
    }

    const CLIENTS: usize = 50;
}
