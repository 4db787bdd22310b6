//! The predicates of Kafka: `TopicNameMatches`, `HasHeaderKey`, `RecordIsTombstone`.
//!
//! Source: `org.apache.kafka.connect.transforms.predicates`, Kafka 4.1.

use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Validator};
use lakeward_api::transform::{Predicate, Tested};
use lakeward_api::value::Value;

use crate::java_regex::JavaRegex;
use crate::plugin::PredicateClass;
use crate::settings::{Settings, required};

/// The classes of this file.
pub(crate) fn classes() -> Vec<PredicateClass> {
    vec![
        PredicateClass {
            class: "org.apache.kafka.connect.transforms.predicates.HasHeaderKey",
            config_def: header_def,
            new: |given| Ok(Box::new(HasHeaderKey::new(given)?)),
        },
        PredicateClass {
            class: "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone",
            config_def: ConfigDef::default,
            new: |_| Ok(Box::new(RecordIsTombstone)),
        },
        PredicateClass {
            class: "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
            config_def: topic_def,
            new: |given| Ok(Box::new(TopicNameMatches::new(given)?)),
        },
    ]
}

fn header_def() -> ConfigDef {
    ConfigDef::new(vec![ConfigKey {
        validator: Validator::Custom(|_, text| non_empty(text)),
        ..required("name", ConfigType::String, Importance::Medium, "The header name.")
    }])
}

fn topic_def() -> ConfigDef {
    ConfigDef::new(vec![ConfigKey {
        validator: Validator::CustomOrNull(|name, text| {
            text.map_or(Ok(()), non_empty)?;
            JavaRegex::check_setting(name, text)
        }),
        ..required(
            "pattern",
            ConfigType::String,
            Importance::Medium,
            "A Java regular expression for matching against the name of a record's topic.",
        )
    }])
}

fn non_empty(text: &str) -> Result<(), String> {
    if text.is_empty() { Err("String must be non-empty".to_owned()) } else { Ok(()) }
}

struct HasHeaderKey {
    name: String,
}

impl HasHeaderKey {
    fn new(given: &ConfigMap) -> Result<Self, ConnectError> {
        let settings = Settings::read(&header_def(), given)?;
        Ok(Self { name: settings.text("name").to_owned() })
    }
}

impl Predicate for HasHeaderKey {
    fn test(&mut self, batch: &SinkBatch) -> Result<Tested, ConnectError> {
        if let Some(columns) = batch.headers.columns() {
            return Ok(Tested::All(columns.iter().any(|column| *column.key == *self.name)));
        }
        let has = |row| batch.headers.row(row).iter().any(|header| *header.key == *self.name);
        Ok(Tested::Rows((0..batch.rows()).map(has).collect()))
    }
}

struct RecordIsTombstone;

impl Predicate for RecordIsTombstone {
    fn test(&mut self, batch: &SinkBatch) -> Result<Tested, ConnectError> {
        Ok(match &batch.values {
            Values::Null { .. } => Tested::All(true),
            Values::Dynamic(values) => Tested::Rows(values.iter().map(Value::is_null).collect()),
            Values::Shaped(array) | Values::Typed { array, .. } => match array.nulls() {
                Some(nulls) if nulls.null_count() > 0 => {
                    Tested::Rows(nulls.iter().map(|is_valid| !is_valid).collect())
                }
                _ => Tested::All(false),
            },
        })
    }
}

struct TopicNameMatches {
    regex: JavaRegex,
    last: Option<(Arc<str>, bool)>,
}

impl TopicNameMatches {
    fn new(given: &ConfigMap) -> Result<Self, ConnectError> {
        let settings = Settings::read(&topic_def(), given)?;
        let regex = JavaRegex::new(settings.text("pattern"))
            .map_err(|problem| ConnectError::config(format!("Invalid regex: {problem}")))?;
        Ok(Self { regex, last: None })
    }
}

impl Predicate for TopicNameMatches {
    fn test(&mut self, batch: &SinkBatch) -> Result<Tested, ConnectError> {
        if let Some((topic, answer)) = &self.last
            && (Arc::ptr_eq(topic, &batch.topic) || *topic == batch.topic)
        {
            return Ok(Tested::All(*answer));
        }
        let answer = self.regex.matches(&batch.topic)?;
        self.last = Some((Arc::clone(&batch.topic), answer));
        Ok(Tested::All(answer))
    }
}
