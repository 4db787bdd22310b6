//! Subjects: under which name a topic's schemas are registered.
//!
//! Source: `io.confluent.kafka.serializers.subject`.

use lakeward_api::plugin::ConverterRole;

use super::fault::{Converted, Fault};

/// `key.subject.name.strategy`, `value.subject.name.strategy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strategy {
    /// The full name of the record.
    RecordName,
    /// `<topic>-key` or `<topic>-value`.
    TopicName,
    /// `<topic>-<full name of the record>`.
    TopicRecordName,
}

/// Names the subjects of one side of a topic.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subjects {
    pub(super) role: ConverterRole,
    pub(super) strategy: Strategy,
}

impl Strategy {
    /// The strategy of a Java class name.
    pub(super) fn from_class(class: &str) -> Option<Self> {
        let simple = class.strip_prefix("io.confluent.kafka.serializers.subject.").unwrap_or(class);
        match simple {
            "RecordNameStrategy" => Some(Self::RecordName),
            "TopicNameStrategy" => Some(Self::TopicName),
            "TopicRecordNameStrategy" => Some(Self::TopicRecordName),
            _ => None,
        }
    }
}

impl Subjects {
    /// `key` or `value`, for messages and subjects.
    pub(super) fn side(self) -> &'static str {
        if self.role == ConverterRole::Key { "key" } else { "value" }
    }

    /// The subject that needs no schema to be known.
    pub(super) fn of_topic(self, topic: &str) -> Option<String> {
        (self.strategy == Strategy::TopicName).then(|| format!("{topic}-{}", self.side()))
    }

    /// The subject of a schema; `name` is that of its record.
    ///
    /// # Errors
    /// A `SerializationException` when the strategy needs a record and there is none.
    pub(super) fn of_schema(self, topic: &str, name: Option<&str>) -> Converted<String> {
        let class = match self.strategy {
            Strategy::TopicName => return Ok(format!("{topic}-{}", self.side())),
            Strategy::RecordName => "RecordNameStrategy",
            Strategy::TopicRecordName => "TopicRecordNameStrategy",
        };
        let Some(name) = name else {
            let side = self.side();
            return Err(Box::new(Fault::Serialization(format!(
                "In configuration {side}.subject.name.strategy = io.confluent.kafka.serializers.subject.{class}, \
                 the message {side} must only be a record schema"
            ))));
        };
        Ok(if self.strategy == Strategy::RecordName { name.to_owned() } else { format!("{topic}-{name}") })
    }
}
