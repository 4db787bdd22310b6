//! Names of subjects, and where schema ids are written.

use std::borrow::Cow;

use lakeward_api::ConnectError;
use lakeward_api::error::ErrorClass;

use super::setting;
use crate::RegistryError;

pub(super) const TOPIC: &str = "io.confluent.kafka.serializers.subject.TopicNameStrategy";
const RECORD: &str = "io.confluent.kafka.serializers.subject.RecordNameStrategy";
const TOPIC_RECORD: &str = "io.confluent.kafka.serializers.subject.TopicRecordNameStrategy";

/// How the subject of a schema is named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SubjectNameStrategy {
    /// `<topic>-key` or `<topic>-value`; the default.
    #[default]
    Topic,
    /// The record's full name.
    Record,
    /// `<topic>-<record's full name>`.
    TopicRecord,
}

impl SubjectNameStrategy {
    /// The Java class.
    pub fn class(self) -> &'static str {
        match self {
            Self::Topic => TOPIC,
            Self::Record => RECORD,
            Self::TopicRecord => TOPIC_RECORD,
        }
    }

    pub(super) fn parse(class: &str) -> Result<Self, RegistryError> {
        match class {
            "" | TOPIC => Ok(Self::Topic),
            RECORD => Ok(Self::Record),
            TOPIC_RECORD => Ok(Self::TopicRecord),
            other => Err(setting(format!(
                "Invalid value {other} for a subject name strategy: supported are {TOPIC}, {RECORD} and \
                 {TOPIC_RECORD}"
            ))),
        }
    }

    /// True when a subject cannot be named before the schema is known.
    pub fn needs_record_name(self) -> bool {
        self != Self::Topic
    }

    /// The subject of a schema of `topic` whose record is called `record` (`None` when it is no record).
    ///
    /// # Errors
    /// `Record` when the strategy needs a record's name and there is none.
    pub fn subject<'a>(
        self,
        topic: &str,
        is_key: bool,
        record: Option<&'a str>,
    ) -> Result<Cow<'a, str>, ConnectError> {
        let side = if is_key { "key" } else { "value" };
        match (self, record) {
            (Self::Topic, _) => Ok(Cow::Owned(format!("{topic}-{side}"))),
            (Self::Record, Some(record)) => Ok(Cow::Borrowed(record)),
            (Self::TopicRecord, Some(record)) => Ok(Cow::Owned(format!("{topic}-{record}"))),
            (Self::Record | Self::TopicRecord, None) => Err(ConnectError::new(
                ErrorClass::Record,
                "org.apache.kafka.common.errors.SerializationException",
                format!(
                    "In configuration {side}.subject.name.strategy = {}, the message {side} must only be a \
                     record schema",
                    self.class()
                ),
            )),
        }
    }
}

/// Where the schema id of what is written goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SchemaIdSerializer {
    /// Into the first five bytes of the payload; the default.
    #[default]
    Prefix,
    /// Into a header, as a GUID.
    Header,
}

impl SchemaIdSerializer {
    pub(super) fn parse(class: &str) -> Result<Self, RegistryError> {
        match class.strip_prefix("io.confluent.kafka.serializers.schema.id.") {
            None if class.is_empty() => Ok(Self::Prefix),
            Some("PrefixSchemaIdSerializer") => Ok(Self::Prefix),
            Some("HeaderSchemaIdSerializer") => Ok(Self::Header),
            _ => Err(setting(format!(
                "Invalid value {class} for a schema id serializer: supported are \
                 PrefixSchemaIdSerializer and HeaderSchemaIdSerializer of \
                 io.confluent.kafka.serializers.schema.id"
            ))),
        }
    }
}
