//! How long a record waits for its topic and for room: `max.block.ms`.
//!
//! Java's producer blocks its caller until the topic is known and its memory has room, both within one limit.
//! Ours never blocks: the record comes again until the limit is over, and fails then as Java's does. The
//! topic is asked for by a thread that ends with the answer. A producer without a limit, as Connect makes
//! them, has none of this: the library keeps records of topics that it does not know yet.
//!
//! Source: `KafkaProducer#waitOnMetadata`, `BufferPool#allocate`, Kafka 4.1.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use lakeward_api::{ConnectError, ErrorClass};
use rdkafka::producer::{Producer, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode as Code;

use super::{OutgoingRecord, Reports, delivery_error};

/// One question to a broker.
const QUESTION: Duration = Duration::from_secs(1);
/// Java's default of `retry.backoff.ms`.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// The limit of one producer, and the record that waits.
pub(super) struct Patience {
    limit: Duration,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Partitions of the topics that were found.
    known: HashMap<String, usize>,
    asked: Option<Asked>,
    /// Since when a record waits for something else than its topic.
    waits_since: Option<Instant>,
}

struct Asked {
    topic: String,
    since: Instant,
    /// `None` while the thread asks.
    answer: Option<Result<usize, ConnectError>>,
}

/// What is known about the topic of a record.
pub(super) enum TopicIs {
    /// Its record may be queued.
    Known,
    /// A wake comes with the answer.
    Asked,
    /// It was not found in time, or nothing can be found: the record fails.
    Missing(ConnectError),
}

/// What a record waits for besides its topic.
#[derive(Clone, Copy)]
pub(super) enum WaitsFor {
    /// Its partition.
    Partition,
    /// Room in the queue of so many bytes.
    Room { total_bytes: usize },
}

impl Patience {
    /// `None` for a limit that is none.
    pub(super) fn new(max_block_ms: Option<i64>) -> Option<Self> {
        let limit_ms = u64::try_from(max_block_ms.filter(|limit| *limit < i64::MAX)?).ok()?;
        Some(Self { limit: Duration::from_millis(limit_ms), state: Arc::default() })
    }

    /// `max.block.ms`.
    pub(super) fn limit(&self) -> Duration {
        self.limit
    }

    /// Looks whether `producer` knows `topic`, and asks for it if not.
    pub(super) fn topic(&self, topic: &str, producer: &Arc<ThreadedProducer<Reports>>) -> TopicIs {
        let mut state = lock(&self.state);
        if state.known.contains_key(topic) {
            return TopicIs::Known;
        }
        match state.asked.take() {
            Some(asked) if asked.answer.is_none() => {
                state.asked = Some(asked);
                return TopicIs::Asked;
            }
            Some(Asked { topic: asked, answer: Some(answer), .. }) if asked == topic => {
                return match answer {
                    Ok(partitions) => {
                        state.known.insert(asked, partitions);
                        TopicIs::Known
                    }
                    Err(error) => TopicIs::Missing(error),
                };
            }
            // The answer about another topic comes again when its record does.
            _ => {}
        }
        let since = Instant::now();
        state.asked = Some(Asked { topic: topic.to_owned(), since, answer: None });
        drop(state);
        let question = Question {
            topic: topic.to_owned(),
            limit: self.limit,
            deadline: since + self.limit,
            producer: Arc::downgrade(producer),
            state: Arc::clone(&self.state),
        };
        let thread = thread::Builder::new().name("kafka-topic".to_owned());
        match thread.spawn(move || question.ask()) {
            Ok(_) => TopicIs::Asked,
            Err(err) => {
                lock(&self.state).asked = None;
                TopicIs::Missing(ConnectError::fatal("no thread to ask for a topic").with_source(err))
            }
        }
    }

    /// The record is queued.
    pub(super) fn is_over(&self) {
        lock(&self.state).waits_since = None;
    }

    /// The record waits for `what`; the end of its patience.
    pub(super) fn waits(&self, record: &OutgoingRecord<'_>, what: WaitsFor) -> Option<ConnectError> {
        let mut state = lock(&self.state);
        let since = *state.waits_since.get_or_insert_with(Instant::now);
        if since.elapsed() < self.limit {
            return None;
        }
        state.waits_since = None;
        let limit_ms = self.limit.as_millis();
        Some(match what {
            WaitsFor::Partition => {
                let partitions = state.known.get(record.topic).copied().unwrap_or_default();
                timed_out(format!(
                    "Partition {} of topic {} with partition count {partitions} is not present in metadata \
                     after {limit_ms} ms.",
                    record.partition.unwrap_or(-1),
                    record.topic
                ))
            }
            WaitsFor::Room { total_bytes } => ConnectError::new(
                ErrorClass::Record,
                "org.apache.kafka.clients.producer.BufferExhaustedException",
                format!(
                    "Failed to allocate memory within the configured max blocking time {limit_ms} ms. Total \
                     memory: {total_bytes} bytes."
                ),
            ),
        })
    }

    /// How long the record that waits may go on; `None` when none does.
    pub(super) fn left(&self) -> Option<Duration> {
        let state = lock(&self.state);
        let asked = state.asked.as_ref().map(|asked| asked.since);
        let since = state.waits_since.or(asked)?;
        Some(self.limit.saturating_sub(since.elapsed()))
    }
}

/// What the thread asks.
struct Question {
    topic: String,
    limit: Duration,
    deadline: Instant,
    producer: Weak<ThreadedProducer<Reports>>,
    state: Arc<Mutex<State>>,
}

impl Question {
    fn ask(self) {
        let mut last = None;
        let answer = loop {
            let Some(producer) = self.producer.upgrade() else { return };
            let left = self.deadline.saturating_duration_since(Instant::now());
            match self.partitions(&producer, left.min(QUESTION)) {
                Ok(partitions) => break Ok(partitions),
                Err(code) => last = code.or(last),
            }
            if let Some(refused) = producer.context().refused() {
                break Err(refused);
            }
            drop(producer);
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break Err(self.missing(last));
            }
            thread::sleep(ASK_AGAIN.min(left));
        };
        if let Some(asked) = &mut lock(&self.state).asked {
            asked.answer = Some(answer);
        }
        if let Some(producer) = self.producer.upgrade() {
            (producer.context().wake)();
        }
    }

    /// How many partitions a broker tells; what is wrong with the topic, if a broker answers at all. A name
    /// or right that will never do counts as found: what becomes of the record shows when it is sent.
    fn partitions(
        &self,
        producer: &ThreadedProducer<Reports>,
        limit: Duration,
    ) -> Result<usize, Option<Code>> {
        let metadata = producer.client().fetch_metadata(Some(&self.topic), limit).map_err(|_| None)?;
        let topic = metadata.topics().iter().find(|found| found.name() == self.topic).ok_or(None)?;
        match topic.error().map(Code::from) {
            None if !topic.partitions().is_empty() => Ok(topic.partitions().len()),
            Some(Code::InvalidTopic | Code::TopicAuthorizationFailed) => Ok(0),
            code => Err(code),
        }
    }

    fn missing(&self, code: Option<Code>) -> ConnectError {
        let (topic, limit_ms) = (&self.topic, self.limit.as_millis());
        let error = timed_out(format!("Topic {topic} not present in metadata after {limit_ms} ms."));
        match code {
            Some(Code::UnknownTopicOrPartition | Code::UnknownTopic) => {
                let code = rdkafka::error::KafkaError::MessageProduction(Code::UnknownTopicOrPartition);
                error.with_source(delivery_error(&code, topic))
            }
            _ => error,
        }
    }
}

fn timed_out(message: String) -> ConnectError {
    ConnectError::new(ErrorClass::Record, "org.apache.kafka.common.errors.TimeoutException", message)
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
