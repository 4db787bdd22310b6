//! A record of the dead letter queue: the original's bytes, and headers that say what went wrong.
//!
//! Source: `DeadLetterQueueReporter#populateContextHeaders`, Kafka 4.1.

use lakeward_api::record::{RawHeader, RawRecord, TopicPartition};
use lakeward_api::runtime::TaskId;
use lakeward_kafka::source_producer::OutgoingRecord;

use super::Failure;

/// Owns its bytes: it may outlive the fetch that its record came with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Letter {
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    timestamp_ms: Option<i64>,
    headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Letter {
    /// The letter about `failure` of task `id`; `with_context` adds the headers.
    pub(super) fn new(id: &TaskId, failure: Failure<'_>, with_context: bool) -> Self {
        let mut letter = Self::of_record(&failure.record, &failure.run.headers_of(failure.row));
        if with_context {
            let (class, error) = (failure.class, failure.error);
            let exception = (error.java_class(), error.to_string(), error.trace());
            let place = (failure.partition, failure.record.offset);
            letter.add_context(id, place, (failure.stage.as_str(), class), &exception);
        }
        letter
    }

    pub(super) fn of_record(record: &RawRecord<'_>, headers: &[RawHeader<'_>]) -> Self {
        // Names are read as UTF-8 and written again, as Java does.
        let name = |header: &RawHeader<'_>| String::from_utf8_lossy(header.name).into_owned();
        Self {
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
            timestamp_ms: record.timestamp_ms,
            headers: headers.iter().map(|header| (name(header), header.value.map(<[u8]>::to_vec))).collect(),
        }
    }

    pub(super) fn add_context(
        &mut self,
        id: &TaskId,
        (partition, offset): (&TopicPartition, i64),
        (stage, class): (&str, &str),
        (exception, message, trace): &(&str, String, String),
    ) {
        let texts = [
            ("topic", partition.topic.to_string()),
            ("partition", partition.partition.to_string()),
            ("offset", offset.to_string()),
            ("connector.name", id.connector.to_string()),
            ("task.id", id.task.to_string()),
            ("stage", stage.to_owned()),
            ("class.name", class.to_owned()),
            ("exception.class.name", (*exception).to_owned()),
            ("exception.message", message.clone()),
            ("exception.stacktrace", trace.clone()),
        ];
        self.headers
            .extend(texts.map(|(name, text)| (format!("__connect.errors.{name}"), Some(text.into_bytes()))));
    }

    /// The record as it is sent to `topic`.
    pub(super) fn with<T>(&self, topic: &str, send: impl FnOnce(&OutgoingRecord<'_>) -> T) -> T {
        let headers: Vec<(&str, Option<&[u8]>)> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
        send(&OutgoingRecord {
            topic,
            partition: None,
            timestamp_ms: self.timestamp_ms,
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers: &headers,
        })
    }
}
