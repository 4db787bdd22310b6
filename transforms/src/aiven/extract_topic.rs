//! `ExtractTopic`: the topic becomes the text of the key or value, or of a field in it.
//!
//! Source: `io.aiven.kafka.connect.transforms.ExtractTopic`.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigType, Importance};
use lakeward_api::rows::value_at;
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::transform::{Transform, Transformed};
use lakeward_api::value::Value;
use lakeward_api::{ConnectError, shaped};

use super::{VERSION, text};
use crate::columns::{self, fail_all};
use crate::plugin::TransformClass;
use crate::routing::TopicRuns;
use crate::settings::{Settings, with_default};
use crate::side::Side;

const FIELD: &str = "field.name";
const SKIP: &str = "skip.missing.or.null";

/// The classes of this file.
pub(super) fn classes() -> Vec<TransformClass> {
    vec![
        TransformClass {
            class: "io.aiven.kafka.connect.transforms.ExtractTopic$Key",
            version: VERSION,
            config_def,
            new: |given| Ok(Box::new(ExtractTopic::new(Side::Key, given)?)),
        },
        TransformClass {
            class: "io.aiven.kafka.connect.transforms.ExtractTopic$Value",
            version: VERSION,
            config_def,
            new: |given| Ok(Box::new(ExtractTopic::new(Side::Value, given)?)),
        },
    ]
}

fn config_def() -> ConfigDef {
    ConfigDef::new(vec![
        with_default(
            FIELD,
            ConfigType::String,
            None,
            Importance::High,
            "The field that becomes the topic. Null or empty: the whole key or value.",
        ),
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
    side: Side,
    field: Option<String>,
    skip: bool,
}

/// What a row says: its topic is in the text, or it keeps the one it has.
type Said = Result<bool, ConnectError>;

impl ExtractTopic {
    fn new(side: Side, given: &ConfigMap) -> Result<Self, ConnectError> {
        let settings = Settings::read(&config_def(), given)?;
        let field = settings.get(FIELD).filter(|name| !name.is_empty()).map(str::to_owned);
        Ok(Self { side, field, skip: settings.flag(SKIP) })
    }

    fn missing(&self, problem: impl FnOnce() -> String) -> Said {
        if self.skip { Ok(false) } else { Err(ConnectError::data(problem())) }
    }

    fn dynamic(&self, value: &Value, out: &mut String) -> Said {
        let place = self.side.place();
        let found = match (&self.field, value) {
            (None, Value::Null) => return self.missing(|| format!("{place} can't be null or empty")),
            (None, value) => Some(value),
            (Some(_), Value::Null) => return Err(self.null()),
            (Some(field), Value::Map(_)) => value.get(field).filter(|found| !found.is_null()),
            (Some(_), _) => {
                return Err(ConnectError::data(format!(
                    "{place} type must be Map if field name is specified"
                )));
            }
        };
        let what = self.field.as_deref().map_or(place.to_owned(), |field| format!("{field} in {place}"));
        let Some(found) = found else { return self.missing(|| format!("{what} can't be null or empty")) };
        let is_plain = !matches!(
            found,
            Value::Array(_)
                | Value::Bytes(_)
                | Value::Date(_)
                | Value::Decimal(_)
                | Value::Map(_)
                | Value::Null
                | Value::Struct(_)
        );
        if !is_plain {
            return Err(ConnectError::data(format!("{what} must be a number, boolean or text")));
        }
        text::append(out, None, found);
        if out.chars().all(char::is_whitespace) {
            return self.missing(|| format!("{what} can't be null or empty"));
        }
        Ok(true)
    }

    fn null(&self) -> ConnectError {
        ConnectError::data(format!("{} can't be null if field name is specified", self.side.place()))
    }

    /// The column that names topics; `None` when no record has it. The error is that of every record.
    fn column(&self, schema: &Schema, array: &ArrayRef) -> Result<Option<(ArrayRef, Schema)>, ConnectError> {
        let place = self.side.place();
        let Some(name) = &self.field else {
            if !is_plain(schema) {
                return Err(ConnectError::data(format!(
                    "{place} schema type must be {PLAIN} if field name is not specified"
                )));
            }
            return Ok(Some((ArrayRef::clone(array), schema.clone())));
        };
        let Kind::Struct(_) = schema.kind else {
            return Err(ConnectError::data(format!(
                "{place} schema type must be STRUCT if field name is specified"
            )));
        };
        let Some((index, field)) = schema.field(name) else { return Ok(None) };
        if !is_plain(&field.schema) {
            return Err(ConnectError::data(format!("{name} schema type in {place} must be {PLAIN}")));
        }
        let column = columns::with_default(&field.schema, array.as_struct().column(index))?;
        Ok(Some((column, (*field.schema).clone())))
    }

    fn typed(
        &self,
        array: &ArrayRef,
        found: Option<&(ArrayRef, Schema)>,
        row: usize,
        out: &mut String,
    ) -> Said {
        let place = self.side.place();
        if self.field.is_some() && array.is_null(row) {
            return Err(self.null());
        }
        let name = self.field.as_deref().unwrap_or_default();
        let Some((column, schema)) = found else {
            return self.missing(|| format!("{name} in {place} schema can't be missing"));
        };
        if column.is_valid(row) {
            match &schema.kind {
                Kind::String => out.push_str(column.as_string::<i32>().value(row)),
                _ => text::append(out, Some(schema), &value_at(schema, column, row)),
            }
        }
        if out.is_empty() {
            return self.missing(|| match &self.field {
                Some(name) => format!("{name} in {place} can't be null or empty"),
                None => format!("{place} can't be null or empty"),
            });
        }
        Ok(true)
    }
}

impl Transform for ExtractTopic {
    fn apply(&mut self, batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let mut topics = TopicRuns::default();
        let mut failed = Vec::new();
        let mut topic = String::new();
        let values = self.side.of(&batch);
        let found = match values {
            Values::Typed { schema, array } => match self.column(schema, array) {
                Ok(found) => found,
                Err(err) => return Ok(fail_all(&batch, &err)),
            },
            Values::Dynamic(_) | Values::Null { .. } | Values::Shaped(_) => None,
        };
        for row in 0..batch.rows() {
            topic.clear();
            let said = match values {
                Values::Null { .. } => self.dynamic(&Value::Null, &mut topic),
                Values::Dynamic(values) => self.dynamic(&values[row], &mut topic),
                Values::Shaped(array) => self.dynamic(&shaped::value_at(array, row), &mut topic),
                Values::Typed { array, .. } => self.typed(array, found.as_ref(), row, &mut topic),
            };
            match said {
                Ok(true) => topics.push(&topic),
                Ok(false) => topics.push(&batch.topic),
                Err(err) => failed.push((row, err)),
            }
        }
        topics.finish(batch, failed)
    }
}

const PLAIN: &str = "[INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING]";

fn is_plain(schema: &Schema) -> bool {
    !matches!(
        schema.kind,
        Kind::Array(_) | Kind::Bytes | Kind::Map { .. } | Kind::Recursive(_) | Kind::Struct(_)
    )
}
