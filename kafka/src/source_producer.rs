//! The producer of a source task: raw records in, acknowledgements out, never blocking its caller.
//!
//! Owns the client, its bounded queue and the reports. Must not convert records or decide about offsets. The
//! library's threads do the network work; reports wait here until the pipeline takes them, at most one per
//! record in the queue.
//!
//! Source: `Worker#baseProducerConfigs`, `AbstractWorkerSourceTask#sendRecords`, Kafka 4.1.

mod check;
mod patience;
mod size;
mod trouble;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lakeward_api::config::ConfigMap;
use lakeward_api::{ConnectError, ErrorClass};
use rdkafka::ClientContext;
use rdkafka::error::KafkaError as LibraryError;
use rdkafka::message::{Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode as Code;
use rdkafka::util::Timeout;

use crate::client_check::number;
use crate::client_metrics::{self, ClientStatistics, Kind};
use crate::producer::StoredAt;
use crate::settings::{ClientKind, translate};
use crate::{KafkaError, secrets};
use patience::{Patience, TopicIs, WaitsFor};
use size::Limits;

/// What the library takes for its own limit of a record; Java's is checked here.
const REQUEST_BYTES: std::ops::RangeInclusive<i64> = 1_000..=1_000_000_000;
/// Java waits for a missing topic as long as `max.block.ms` says, which Connect sets to infinity. The library
/// takes an hour, but counts it in microseconds of 31 bits: with more than these 35 minutes it waits for no
/// topic at all, and a record for one that was just created fails when a broker does not know it yet.
const TOPIC_WAIT_MAX_MS: i64 = 2_147_000;

/// A record to send. The bytes are copied by [`SourceProducer::send`].
#[derive(Clone, Copy, Debug)]
pub struct OutgoingRecord<'a> {
    /// Topic.
    pub topic: &'a str,
    /// Partition; `None` leaves it to the partitioner (murmur2 of the key, as Java's).
    pub partition: Option<i32>,
    /// Timestamp in ms since the epoch; `None` is now.
    pub timestamp_ms: Option<i64>,
    /// Key bytes.
    pub key: Option<&'a [u8]>,
    /// Value bytes.
    pub value: Option<&'a [u8]>,
    /// Headers in order: name and value.
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
}

/// Why a record was not queued.
#[derive(Debug)]
pub enum NotQueued {
    /// The queue is full, or the topic is asked for: send again after a wake, at the latest after
    /// [`SourceProducer::patience`].
    Full,
    /// The topic or its partition is not there yet: send again a little later.
    NotYet(String),
    /// The record or the producer is at fault.
    Refused(ConnectError),
}

/// What became of a queued record.
#[derive(Debug)]
pub struct Report {
    /// The number given to [`SourceProducer::send`].
    pub number: u64,
    /// Where it is, or why it is not. `Fenced` when a newer producer has taken over.
    pub outcome: Result<StoredAt, ConnectError>,
}

/// The producer of one task. Reports arrive on a thread of the library.
pub struct SourceProducer {
    pub(crate) inner: Arc<ThreadedProducer<Reports>>,
    limits: Limits,
    patience: Option<Patience>,
    ignored: Vec<String>,
}

/// Reports on their way to the pipeline.
pub(crate) struct Reports {
    waiting: Mutex<Vec<Report>>,
    /// What the library said last about connections that are refused, until something is acknowledged.
    refused: Mutex<Option<(Code, String)>>,
    is_refused: AtomicBool,
    topic_wait_ms: i64,
    statistics: Arc<ClientStatistics>,
    wake: Box<dyn Fn() + Send + Sync>,
}

impl SourceProducer {
    /// Creates the client from Java settings. Connects in the background; `wake` is called from another
    /// thread when there are reports.
    ///
    /// # Errors
    /// Class `Config` for settings that Java refuses, or that cannot be honoured.
    pub fn new(props: &ConfigMap, wake: impl Fn() + Send + Sync + 'static) -> Result<Self, KafkaError> {
        check::check(props)?;
        let mut props = props.clone();
        let is_transactional = props.contains_key("transactional.id");
        if is_transactional && props.get("delivery.timeout.ms").is_some_and(|ms| ms == "2147483647") {
            // The library bounds it by the transaction's time-out itself and refuses to be told more.
            props.remove("delivery.timeout.ms");
        }
        let mut settings = translate(ClientKind::Producer, &props)?;
        let (request, buffer) = (number(&props, "max.request.size"), number(&props, "buffer.memory"));
        let request_bytes = request.unwrap_or(0).clamp(*REQUEST_BYTES.start(), *REQUEST_BYTES.end());
        // Records without a key or value are smaller to the library than to Java: its limit must not be less.
        settings.set("message.max.bytes", request_bytes.max(1 << 20).to_string());
        let topic_wait_ms = number(&props, "max.block.ms").unwrap_or(i64::MAX);
        let library_wait_ms = topic_wait_ms.min(TOPIC_WAIT_MAX_MS);
        settings.set("topic.metadata.propagation.max.ms", library_wait_ms.to_string());
        if let Some((name, interval)) = client_metrics::interval() {
            settings.set(name, interval);
        }
        let client_id = props.get("client.id").map(String::as_str).unwrap_or_default();
        let context = Reports {
            waiting: Mutex::default(),
            refused: Mutex::default(),
            is_refused: AtomicBool::new(false),
            topic_wait_ms: library_wait_ms,
            statistics: ClientStatistics::register(Kind::Producer, client_id),
            wake: Box::new(wake),
        };
        let inner: ThreadedProducer<Reports> = settings
            .to_rdkafka()
            .create_with_context(context)
            .map_err(|source| KafkaError::construct("producer", secrets::hide(&source.to_string())))?;
        let limits = Limits::new(request, buffer);
        let fixed = ["key.serializer", "value.serializer", "max.block.ms"];
        let ignored = settings.ignored().iter().filter(|name| !fixed.contains(&name.as_str()));
        let patience = Patience::new(number(&props, "max.block.ms"));
        let inner = Arc::new(inner);
        settings.log_in(&inner);
        Ok(Self { inner, limits, patience, ignored: ignored.cloned().collect() })
    }

    /// Java settings that have no effect here.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// Queues a record, in the order of the calls; its report carries `number`. Does not block. A record that
    /// cannot be queued comes again; when that took `max.block.ms`, its report says so.
    ///
    /// # Errors
    /// See [`NotQueued`]; the record is not sent.
    pub fn send(&self, number: u64, record: &OutgoingRecord<'_>) -> Result<(), NotQueued> {
        // Java's producer reports what it refuses through the callback, too.
        let report = |error| {
            self.inner.context().push(Report { number, outcome: Err(error) });
            Ok(())
        };
        if let Err(error) = self.limits.check(record) {
            return report(error);
        }
        let Some(patience) = &self.patience else { return self.queue(number, record) };
        match patience.topic(record.topic, &self.inner) {
            TopicIs::Known => {}
            TopicIs::Asked => return Err(NotQueued::Full),
            TopicIs::Missing(error) => return report(error),
        }
        let queued = self.queue(number, record);
        let what = match &queued {
            Err(NotQueued::Full) => WaitsFor::Room { total_bytes: self.limits.buffer() },
            Err(NotQueued::NotYet(_)) => WaitsFor::Partition,
            Ok(()) | Err(NotQueued::Refused(_)) => {
                patience.is_over();
                return queued;
            }
        };
        patience.waits(record, what).map_or(queued, report)
    }

    /// How long the record that was not queued may come again; `None` when that has no limit.
    pub fn patience(&self) -> Option<Duration> {
        self.patience.as_ref()?.left()
    }

    /// The longest wait of a call, when there is one.
    pub(crate) fn max_block(&self) -> Option<Duration> {
        self.patience.as_ref().map(Patience::limit)
    }

    fn queue(&self, number: u64, record: &OutgoingRecord<'_>) -> Result<(), NotQueued> {
        let opaque = usize::try_from(number).expect("records are counted in a machine word");
        let mut message: BaseRecord<'_, [u8], [u8], usize> = BaseRecord::with_opaque_to(record.topic, opaque);
        message.partition = record.partition;
        message.timestamp = record.timestamp_ms;
        message.key = record.key;
        message.payload = record.value;
        if !record.headers.is_empty() {
            let mut headers = OwnedHeaders::new_with_capacity(record.headers.len());
            for (key, value) in record.headers {
                headers = headers.insert(Header { key, value: *value });
            }
            message.headers = Some(headers);
        }
        let Err((error, _)) = self.inner.send(message) else { return Ok(()) };
        match error.rdkafka_error_code() {
            Some(Code::QueueFull) => Err(NotQueued::Full),
            Some(Code::UnknownPartition | Code::UnknownTopic | Code::UnknownTopicOrPartition) => {
                Err(NotQueued::NotYet(error.to_string()))
            }
            Some(Code::MessageSizeTooLarge | Code::InvalidTopic | Code::TopicAuthorizationFailed) => {
                // Java's producer reports these through the callback, too.
                let outcome = Err(delivery_error(&error, record.topic));
                self.inner.context().push(Report { number, outcome });
                Ok(())
            }
            _ => Err(NotQueued::Refused(delivery_error(&error, record.topic))),
        }
    }

    /// Why nothing can be sent, when the brokers refuse the connections of this client and no retry heals
    /// that: class `Fatal`, in Java's words. What is queued stays queued.
    pub fn refused(&self) -> Option<ConnectError> {
        self.inner.context().refused()
    }

    /// Moves the reports that arrived since the last call to the end of `out`, in their order.
    pub fn take_reports(&self, out: &mut Vec<Report>) {
        out.append(&mut self.inner.context().waiting());
    }

    /// Waits until everything queued is acknowledged or `limit` has passed, then ends the client; what is
    /// still queued is dropped. Blocks: not on a shard.
    pub fn close(self, limit: Duration) {
        if !limit.is_zero() && self.inner.flush(Timeout::After(limit)).is_err() {
            tracing::warn!("a source producer was closed with records that were not acknowledged");
        }
    }
}

impl Reports {
    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Report>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// See [`SourceProducer::refused`].
    pub(crate) fn refused(&self) -> Option<ConnectError> {
        if !self.is_refused.load(Ordering::Acquire) {
            return None;
        }
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.as_ref().and_then(|(code, reason)| trouble::permanent(*code, reason))
    }

    fn set_refused(&self, refused: Option<(Code, String)>) {
        let is_refused = refused.is_some();
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = refused;
        self.is_refused.store(is_refused, Ordering::Release);
    }

    fn push(&self, report: Report) {
        let mut waiting = self.waiting();
        waiting.push(report);
        let is_first = waiting.len() == 1;
        drop(waiting);
        if is_first {
            (self.wake)();
        }
    }
}

impl ClientContext for Reports {
    fn stats_raw(&self, statistics: &[u8]) {
        self.statistics.told(statistics);
    }

    fn error(&self, err: LibraryError, reason: &str) {
        let reason = &*secrets::hide(reason);
        tracing::warn!(error = %err, reason, "source producer");
        if let Some(code) = err.rdkafka_error_code()
            && trouble::permanent(code, reason).is_some()
        {
            self.set_refused(Some((code, reason.to_owned())));
            (self.wake)();
        }
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        let outcome = match result {
            Ok(message) => {
                if self.is_refused.load(Ordering::Acquire) {
                    self.set_refused(None);
                }
                Ok(StoredAt { partition: message.partition(), offset: message.offset() })
            }
            Err((error, message)) if error.rdkafka_error_code() == Some(Code::UnknownTopic) => {
                Err(missing_topic(message.topic(), self.topic_wait_ms))
            }
            Err((error, message)) => Err(delivery_error(error, message.topic())),
        };
        self.push(Report { number: number as u64, outcome });
    }
}

/// The failure of a record under the name Java's producer has for it.
pub(crate) fn delivery_error(error: &LibraryError, topic: &str) -> ConnectError {
    let code = error.rdkafka_error_code().unwrap_or(Code::Fail);
    let (class, java, message) = match code {
        Code::MessageSizeTooLarge => (
            ErrorClass::Record,
            "org.apache.kafka.common.errors.RecordTooLargeException",
            "The request included a message larger than the max message size the server will accept."
                .to_owned(),
        ),
        Code::TopicAuthorizationFailed => (
            ErrorClass::Record,
            "org.apache.kafka.common.errors.TopicAuthorizationException",
            format!("Not authorized to access topics: [{topic}]"),
        ),
        Code::InvalidTopic => (
            ErrorClass::Record,
            "org.apache.kafka.common.errors.InvalidTopicException",
            format!("Invalid topics: [{topic}]"),
        ),
        Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition => (
            ErrorClass::Record,
            "org.apache.kafka.common.errors.UnknownTopicOrPartitionException",
            "This server does not host this topic-partition.".to_owned(),
        ),
        Code::MessageTimedOut => (
            ErrorClass::Record,
            "org.apache.kafka.common.errors.TimeoutException",
            format!("Expiring a record for {topic}: it was not acknowledged within delivery.timeout.ms"),
        ),
        Code::ClusterAuthorizationFailed => (
            ErrorClass::Fatal,
            "org.apache.kafka.common.errors.ClusterAuthorizationException",
            "Cluster authorization failed.".to_owned(),
        ),
        Code::Fenced | Code::ProducerFenced | Code::InvalidProducerEpoch => (
            ErrorClass::Fenced,
            "org.apache.kafka.common.errors.ProducerFencedException",
            "There is a newer producer with the same transactionalId which fences the current one."
                .to_owned(),
        ),
        _ => match broker_answer(code) {
            Some((java, text)) => (ErrorClass::Record, java, text.to_owned()),
            None => (ErrorClass::Record, "org.apache.kafka.common.KafkaException", error.to_string()),
        },
    };
    ConnectError::new(class, java, message)
}

/// What Java's producer makes of a broker's answer to a batch, with its text.
fn broker_answer(code: Code) -> Option<(&'static str, &'static str)> {
    Some(match code {
        Code::InvalidRecord => (
            "org.apache.kafka.common.InvalidRecordException",
            "This record has failed the validation on broker and hence will be rejected.",
        ),
        Code::InvalidRequiredAcks => (
            "org.apache.kafka.common.errors.InvalidRequiredAcksException",
            "Produce request specified an invalid value for required acks.",
        ),
        Code::InvalidTimestamp => (
            "org.apache.kafka.common.errors.InvalidTimestampException",
            "The timestamp of the message is out of acceptable range.",
        ),
        Code::MessageBatchTooLarge => (
            "org.apache.kafka.common.errors.RecordBatchTooLargeException",
            "The request included message batch larger than the configured segment size on the server.",
        ),
        Code::PolicyViolation => (
            "org.apache.kafka.common.errors.PolicyViolationException",
            "Request parameters do not satisfy the configured policy.",
        ),
        Code::TransactionalIdAuthorizationFailed => (
            "org.apache.kafka.common.errors.TransactionalIdAuthorizationException",
            "Transactional Id authorization failed.",
        ),
        Code::UnsupportedCompressionType => (
            "org.apache.kafka.common.errors.UnsupportedCompressionTypeException",
            "The requesting client does not support the compression type of given partition.",
        ),
        Code::UnsupportedForMessageFormat => (
            "org.apache.kafka.common.errors.UnsupportedForMessageFormatException",
            "The message format version on the broker does not support the request.",
        ),
        Code::UnsupportedVersion => (
            "org.apache.kafka.common.errors.UnsupportedVersionException",
            "The version of API is not supported.",
        ),
        _ => return None,
    })
}

/// Java's error for a topic that did not appear within `max.block.ms`.
fn missing_topic(topic: &str, wait_ms: i64) -> ConnectError {
    ConnectError::new(
        ErrorClass::Record,
        "org.apache.kafka.common.errors.TimeoutException",
        format!("Topic {topic} not present in metadata after {wait_ms} ms."),
    )
}

#[cfg(test)]
mod tests;
