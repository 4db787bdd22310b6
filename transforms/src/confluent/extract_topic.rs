//! `ExtractTopic`: the topic becomes the text of the key, the value, a field in them, or a header.
//!
//! Source: the reference of `io.confluent.connect.transforms.ExtractTopic`.

use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Validator};
use lakeward_api::transform::{Transform, Transformed};
use lakeward_api::value::Value;

use super::VERSION;
use super::json_path::{Found, JsonPath, Node, TOO_FAR, readable};
use crate::plugin::TransformClass;
use crate::routing::TopicRuns;
use crate::settings::{Settings, with_default};
use crate::side::Side;

const FIELD: &str = "field";
const FORMAT: &str = "field.format";
const SKIP: &str = "skip.missing.or.null";

/// The classes of this file.
pub(super) fn classes() -> Vec<TransformClass> {
    vec![
        TransformClass {
            class: "io.confluent.connect.transforms.ExtractTopic$Header",
            version: VERSION,
            config_def,
            new: |given| Ok(Box::new(ExtractTopic::new(None, given)?)),
        },
        TransformClass {
            class: "io.confluent.connect.transforms.ExtractTopic$Key",
            version: VERSION,
            config_def,
            new: |given| Ok(Box::new(ExtractTopic::new(Some(Side::Key), given)?)),
        },
        TransformClass {
            class: "io.confluent.connect.transforms.ExtractTopic$Value",
            version: VERSION,
            config_def,
            new: |given| Ok(Box::new(ExtractTopic::new(Some(Side::Value), given)?)),
        },
    ]
}

fn config_def() -> ConfigDef {
    let text = ConfigType::String;
    ConfigDef::new(vec![
        with_default(
            FIELD,
            text,
            Some(""),
            Importance::Medium,
            "The field, or the header, that becomes the topic. Empty: the whole key or value.",
        ),
        ConfigKey {
            validator: Validator::OneOfIgnoreCase(&["JSON_PATH", "PLAIN"]),
            ..with_default(
                FORMAT,
                text,
                Some("PLAIN"),
                Importance::Medium,
                "Whether field is the name of a field (PLAIN) or a path to one (JSON_PATH).",
            )
        },
        with_default(
            SKIP,
            ConfigType::Boolean,
            Some("false"),
            Importance::Low,
            "Whether a record without the field keeps its topic instead of failing.",
        ),
    ])
}

struct ExtractTopic {
    place: Place,
    skip: bool,
}

enum Place {
    Field(Side, String),
    Header(String),
    Path(Side, JsonPath),
    Whole(Side),
}

impl ExtractTopic {
    fn new(side: Option<Side>, given: &ConfigMap) -> Result<Self, ConnectError> {
        let settings = Settings::read(&config_def(), given)?;
        let field = settings.text(FIELD);
        let is_path = settings.text(FORMAT).eq_ignore_ascii_case("json_path");
        let place = match side {
            None if field.is_empty() => {
                return Err(ConnectError::config(format!(
                    "Invalid value {field} for configuration {FIELD}: the name of the header is required"
                )));
            }
            None => Place::Header(field.to_owned()),
            Some(side) if field.is_empty() => Place::Whole(side),
            Some(side) if is_path => {
                let path = JsonPath::new(field).and_then(|path| match path.is_definite() {
                    true => Ok(path),
                    false => Err("the path leads to more than one value".to_owned()),
                });
                Place::Path(
                    side,
                    path.map_err(|problem| {
                        ConnectError::config(format!(
                            "Invalid value {field} for configuration {FIELD}: {problem}"
                        ))
                    })?,
                )
            }
            Some(side) => Place::Field(side, field.to_owned()),
        };
        Ok(Self { place, skip: settings.flag(SKIP) })
    }

    /// What is looked at.
    fn side(&self) -> Option<Side> {
        match &self.place {
            Place::Header(_) => None,
            Place::Field(side, _) | Place::Path(side, _) | Place::Whole(side) => Some(*side),
        }
    }

    /// The text at the place; `None` when there is none. `values` are those of [`ExtractTopic::side`].
    fn text(&self, batch: &SinkBatch, values: &Values, row: usize) -> Result<Option<Value>, ConnectError> {
        let what = match &self.place {
            Place::Header(name) => {
                return Ok(batch.headers.last(row, name).map(|(_, value)| value));
            }
            Place::Field(_, name) => Some(name),
            Place::Path(..) | Place::Whole(_) => None,
        };
        let node = match values {
            Values::Null { .. } => return Ok(None),
            Values::Dynamic(values) => Node::Dynamic(&values[row]),
            Values::Shaped(_) => unreachable!("taken apart"),
            Values::Typed { schema, array } => Node::Cell(schema, array, row),
        };
        if node.is_null() {
            return Ok(None);
        }
        let found = match (&self.place, what) {
            (Place::Path(_, path), _) => match path.find(node) {
                Found::Missing => None,
                Found::Nodes(nodes) => nodes.first().copied(),
                Found::TooFar => return Err(ConnectError::data(TOO_FAR)),
            },
            (_, Some(name)) if node.is_object() => node.member(name),
            (_, Some(_)) => {
                return Err(ConnectError::data(
                    "Only Map or Struct objects have a field to extract the topic from",
                ));
            }
            (_, None) => Some(node),
        };
        Ok(found.map(Node::value))
    }
}

impl Transform for ExtractTopic {
    fn apply(&mut self, batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let values = readable(self.side().unwrap_or(Side::Value).of(&batch));
        let mut topics = TopicRuns::default();
        let mut failed = Vec::new();
        for row in 0..batch.rows() {
            let problem = match self.text(&batch, &values, row) {
                Ok(Some(Value::String(text))) if !text.is_empty() => {
                    topics.push(&text);
                    continue;
                }
                Ok(None | Some(Value::Null | Value::String(_))) if self.skip => {
                    topics.push(&batch.topic);
                    continue;
                }
                Ok(None | Some(Value::Null | Value::String(_))) => {
                    ConnectError::data("The topic to extract is missing, null or empty")
                }
                Ok(Some(_)) => ConnectError::data("The topic to extract must be a string"),
                Err(err) => err,
            };
            failed.push((row, problem));
        }
        drop(values);
        topics.finish(batch, failed)
    }
}
