//! `MessageTimestampRouter`: the topic gets a time that a member of the value holds.
//!
//! Source: the reference of `io.confluent.connect.transforms.MessageTimestampRouter`.

use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Validator};
use lakeward_api::schema::Kind;
use lakeward_api::transform::{Transform, Transformed};
use lakeward_api::value::Value;

use super::VERSION;
use super::json_path::Node;
use crate::columns;
use crate::plugin::TransformClass;
use crate::routing::TopicRuns;
use crate::settings::{Settings, with_default};
use crate::simple_date_format::SimpleDateFormat;

const KEYS: &str = "message.timestamp.keys";
const MESSAGE_FORMAT: &str = "message.timestamp.format";
const PURPOSE: &str = "extracting the timestamp of the message";
const TOPIC: &str = "topic.format";
const TOPIC_FORMAT: &str = "topic.timestamp.format";

/// The classes of this file.
pub(super) fn classes() -> Vec<TransformClass> {
    vec![TransformClass {
        class: "io.confluent.connect.transforms.MessageTimestampRouter",
        version: VERSION,
        config_def,
        new: |given| Ok(Box::new(MessageTimestampRouter::new(given)?)),
    }]
}

fn config_def() -> ConfigDef {
    let key = |name, kind, default, doc| with_default(name, kind, Some(default), Importance::High, doc);
    let format = |name, default, doc| ConfigKey {
        validator: Validator::Custom(|_, text| SimpleDateFormat::compile(text).map(drop)),
        ..key(name, ConfigType::String, default, doc)
    };
    ConfigDef::new(vec![
        key(
            TOPIC,
            ConfigType::String,
            "${topic}-${timestamp}",
            "The new topic, with ${topic} and ${timestamp} in it.",
        ),
        format(
            MESSAGE_FORMAT,
            "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
            "The java.text.SimpleDateFormat of the member that holds the time.",
        ),
        format(TOPIC_FORMAT, "yyyyMMdd", "The java.text.SimpleDateFormat of the time in the topic."),
        key(
            KEYS,
            ConfigType::List,
            "",
            "The members that may hold the time; the first that is there is taken.",
        ),
    ])
}

struct MessageTimestampRouter {
    topic: String,
    from: SimpleDateFormat,
    to: SimpleDateFormat,
    keys: Vec<String>,
    /// The latest topic, time and what they became.
    last: Option<(Arc<str>, i64, String)>,
}

impl MessageTimestampRouter {
    fn new(given: &ConfigMap) -> Result<Self, ConnectError> {
        let settings = Settings::read(&config_def(), given)?;
        let format = |key: &str| SimpleDateFormat::compile(settings.text(key)).map_err(ConnectError::config);
        Ok(Self {
            topic: settings.text(TOPIC).to_owned(),
            from: format(MESSAGE_FORMAT)?,
            to: format(TOPIC_FORMAT)?,
            keys: settings.list(KEYS),
            last: None,
        })
    }

    fn time(&self, values: &Values, row: usize) -> Result<i64, ConnectError> {
        let node = match values {
            Values::Null { .. } => return Err(columns::not_a_map(&Value::Null, PURPOSE)),
            Values::Dynamic(values) => match &values[row] {
                Value::Map(_) => Node::Dynamic(&values[row]),
                other => return Err(columns::not_a_map(other, PURPOSE)),
            },
            Values::Shaped(_) => unreachable!("taken apart"),
            Values::Typed { schema, array } => match schema.kind {
                Kind::Map { .. } => Node::Cell(schema, array, row),
                _ => {
                    return Err(ConnectError::data(format!(
                        "Only Map objects supported for [{PURPOSE}], found: {}",
                        schema.java_class()
                    )));
                }
            },
        };
        let mut found = self.keys.iter().filter_map(|key| node.member(key)).filter(|node| !node.is_null());
        match found.next().map(Node::value) {
            Some(Value::Date(ms) | Value::Int64(ms)) => Ok(ms),
            Some(Value::String(text)) => self.from.parse(&text).ok_or_else(|| {
                ConnectError::data(format!(
                    "The timestamp of the message does not match the format {}",
                    self.from.pattern()
                ))
            }),
            Some(_) => Err(ConnectError::data("The timestamp of the message is no text")),
            None => Err(ConnectError::data(format!(
                "The message has none of the members [{}]",
                self.keys.join(", ")
            ))),
        }
    }

    fn route(&mut self, topic: &Arc<str>, ms: i64) -> &str {
        if !matches!(&self.last, Some((last, time, _)) if *time == ms && last == topic) {
            let new = self.topic.replace("${topic}", topic).replace("${timestamp}", &self.to.text(ms));
            self.last = Some((Arc::clone(topic), ms, new));
        }
        self.last.as_ref().map_or("", |(_, _, new)| new)
    }
}

impl Transform for MessageTimestampRouter {
    fn apply(&mut self, batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let mut topics = TopicRuns::default();
        let mut failed = Vec::new();
        let values = batch.values.apart();
        for row in 0..batch.rows() {
            match self.time(&values, row) {
                Ok(ms) => topics.push(self.route(&batch.topic, ms)),
                Err(err) => failed.push((row, err)),
            }
        }
        drop(values);
        topics.finish(batch, failed)
    }
}
