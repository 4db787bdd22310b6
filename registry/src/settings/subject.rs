//! Names of subjects, and where schema ids are written.

use std::borrow::Cow;
use std::time::Duration;

use lakeward_api::ConnectError;
use lakeward_api::error::ErrorClass;

use super::{Values, setting};
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

/// What `AssociatedNameStrategy` adds: the registry itself is asked for the subject of a topic first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Associations {
    /// `subject.name.strategy.kafka.cluster.id`: where topics are; `-` for anywhere.
    pub cluster: String,
    /// `subject.name.strategy.fallback.type` is not NONE: a topic without an association has the subject that
    /// [`super::RegistrySettings::subject_names`] gives it.
    pub falls_back: bool,
    /// `subject.name.strategy.cache.size`, at least 1.
    pub cache_size: usize,
    /// `subject.name.strategy.cache.expiry.secs`; `None` remembers for ever.
    pub cache_ttl: Option<Duration>,
}

/// The strategy of the key `key`, which may ask for associations first.
pub(super) fn strategy(
    values: &Values<'_>,
    key: &str,
) -> Result<(SubjectNameStrategy, Option<Associations>), RegistryError> {
    let class = values.text(key);
    if class != ASSOCIATED {
        return Ok((SubjectNameStrategy::parse(key, class)?, None));
    }
    let name = format!("{PREFIX}fallback.type");
    let fallback = match values.text(&name).to_ascii_uppercase().as_str() {
        "" | "TOPIC" => Some(SubjectNameStrategy::Topic),
        "RECORD" => Some(SubjectNameStrategy::Record),
        "TOPIC_RECORD" => Some(SubjectNameStrategy::TopicRecord),
        "NONE" => None,
        other => {
            return Err(setting(format!(
                "Invalid value {other} for configuration {name}: use TOPIC, RECORD, TOPIC_RECORD or NONE"
            )));
        }
    };
    let cluster = values.text(&format!("{PREFIX}kafka.cluster.id"));
    let associations = Associations {
        cluster: if cluster.is_empty() { "-".to_owned() } else { cluster.to_owned() },
        falls_back: fallback.is_some(),
        cache_size: values.count(&format!("{PREFIX}cache.size")),
        cache_ttl: u64::try_from(values.number(&format!("{PREFIX}cache.expiry.secs")))
            .ok()
            .map(Duration::from_secs),
    };
    Ok((fallback.unwrap_or_default(), Some(associations)))
}

const ASSOCIATED: &str = "io.confluent.kafka.serializers.subject.AssociatedNameStrategy";
const PREFIX: &str = "subject.name.strategy.";

impl SubjectNameStrategy {
    /// The Java class.
    pub fn class(self) -> &'static str {
        match self {
            Self::Topic => TOPIC,
            Self::Record => RECORD,
            Self::TopicRecord => TOPIC_RECORD,
        }
    }

    pub(super) fn parse(key: &str, class: &str) -> Result<Self, RegistryError> {
        match class {
            "" | TOPIC => Ok(Self::Topic),
            RECORD => Ok(Self::Record),
            TOPIC_RECORD => Ok(Self::TopicRecord),
            other => Err(setting(format!(
                "Invalid value {other} for configuration {key}: supported are {TOPIC}, {RECORD}, \
                 {TOPIC_RECORD} and {ASSOCIATED}"
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

/// Where the schema id of what is read stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SchemaIdDeserializer {
    /// In a header when there is one, else in front of the payload; the default.
    #[default]
    Dual,
    /// In front of the payload.
    Prefix,
}

impl SchemaIdDeserializer {
    pub(super) fn parse(key: &str, class: &str) -> Result<Self, RegistryError> {
        match class.strip_prefix(IDS) {
            None if class.is_empty() => Ok(Self::Dual),
            Some("DualSchemaIdDeserializer") => Ok(Self::Dual),
            Some("PrefixSchemaIdDeserializer") => Ok(Self::Prefix),
            _ => Err(setting(format!(
                "Invalid value {class} for configuration {key}: supported are DualSchemaIdDeserializer \
                 and PrefixSchemaIdDeserializer of io.confluent.kafka.serializers.schema.id. Use one of \
                 them, or remove the key."
            ))),
        }
    }
}

const IDS: &str = "io.confluent.kafka.serializers.schema.id.";

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
    pub(super) fn parse(key: &str, class: &str) -> Result<Self, RegistryError> {
        match class.strip_prefix(IDS) {
            None if class.is_empty() => Ok(Self::Prefix),
            Some("PrefixSchemaIdSerializer") => Ok(Self::Prefix),
            Some("HeaderSchemaIdSerializer") => Ok(Self::Header),
            _ => Err(setting(format!(
                "Invalid value {class} for configuration {key}: supported are \
                 PrefixSchemaIdSerializer and HeaderSchemaIdSerializer of \
                 io.confluent.kafka.serializers.schema.id"
            ))),
        }
    }
}
