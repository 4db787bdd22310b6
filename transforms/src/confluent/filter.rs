//! `Filter`: records whose key or value fits a JSONPath condition stay or go.
//!
//! A condition holds when its path leads somewhere. A definite path that leads nowhere, or to null, is
//! "missing" and falls under `missing.or.null.behavior`, as does a null key or value; a `[?()]` that no item
//! fits is not.
//!
//! Source: the reference of `io.confluent.connect.transforms.Filter`.

use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Validator};
use lakeward_api::transform::{Transform, Transformed};

use super::VERSION;
use super::json_path::{Found, JsonPath, Node, TOO_FAR, readable};
use crate::merge;
use crate::plugin::TransformClass;
use crate::settings::{Settings, required, with_default};
use crate::side::Side;

const CONDITION: &str = "filter.condition";
const MISSING: &str = "missing.or.null.behavior";
const TYPE: &str = "filter.type";

/// The classes of this file.
pub(super) fn classes() -> Vec<TransformClass> {
    vec![
        TransformClass {
            class: "io.confluent.connect.transforms.Filter$Key",
            version: VERSION,
            config_def,
            new: |given| Ok(Box::new(Filter::new(Side::Key, given)?)),
        },
        TransformClass {
            class: "io.confluent.connect.transforms.Filter$Value",
            version: VERSION,
            config_def,
            new: |given| Ok(Box::new(Filter::new(Side::Value, given)?)),
        },
    ]
}

fn config_def() -> ConfigDef {
    ConfigDef::new(vec![
        ConfigKey {
            validator: Validator::Custom(|_, text| JsonPath::new(text).map(drop)),
            ..required(
                CONDITION,
                ConfigType::String,
                Importance::High,
                "The JSONPath that the key or value is tested with.",
            )
        },
        ConfigKey {
            validator: Validator::OneOfIgnoreCase(&["include", "exclude"]),
            ..required(
                TYPE,
                ConfigType::String,
                Importance::High,
                "Whether records that fit are the only ones to stay (include) or go (exclude).",
            )
        },
        ConfigKey {
            validator: Validator::OneOfIgnoreCase(&["fail", "include", "exclude"]),
            ..with_default(
                MISSING,
                ConfigType::String,
                Some("fail"),
                Importance::Medium,
                "What happens to a record without the field: it fails, stays (include) or goes (exclude).",
            )
        },
    ])
}

struct Filter {
    side: Side,
    path: JsonPath,
    keeps_matches: bool,
    /// Whether a record without the field stays; `None` when it fails.
    keeps_missing: Option<bool>,
}

impl Filter {
    fn new(side: Side, given: &ConfigMap) -> Result<Self, ConnectError> {
        let settings = Settings::read(&config_def(), given)?;
        let path = JsonPath::new(settings.text(CONDITION)).map_err(|problem| {
            ConnectError::config(format!(
                "Invalid value {} for configuration {CONDITION}: {problem}",
                settings.text(CONDITION)
            ))
        })?;
        Ok(Self {
            side,
            path,
            keeps_matches: settings.text(TYPE).eq_ignore_ascii_case("include"),
            keeps_missing: match settings.text(MISSING).to_ascii_lowercase().as_str() {
                "include" => Some(true),
                "exclude" => Some(false),
                _ => None,
            },
        })
    }

    /// Whether a row stays, or why it fails.
    fn keeps(&self, node: Option<Node<'_>>) -> Result<bool, &'static str> {
        let missing = self.keeps_missing.ok_or("The record has no value at the path of filter.condition");
        let Some(node) = node.filter(|node| !node.is_null()) else { return missing };
        match self.path.find(node) {
            Found::Missing => missing,
            Found::Nodes(nodes) if self.path.is_definite() && nodes.iter().all(|node| node.is_null()) => {
                missing
            }
            Found::Nodes(nodes) => Ok(nodes.is_empty() != self.keeps_matches),
            Found::TooFar => Err(TOO_FAR),
        }
    }
}

impl Transform for Filter {
    fn apply(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let (mut there, mut outcome) = (Vec::new(), Transformed::default());
        let values = readable(self.side.of(&batch));
        for (row, at) in (0..batch.rows()).zip(0u32..) {
            let node = match &*values {
                Values::Null { .. } => None,
                Values::Dynamic(values) => Some(Node::Dynamic(&values[row])),
                Values::Shaped(_) => unreachable!("taken apart"),
                Values::Typed { schema, array } => Some(Node::Cell(schema, array, row)),
            };
            match self.keeps(node) {
                Ok(true) => there.push(at),
                Ok(false) => {}
                Err(problem) => outcome.errors.push((batch.offsets[row], ConnectError::data(problem))),
            }
        }
        drop(values);
        if there.len() == batch.rows() {
            outcome.batches.push(batch);
        } else if !there.is_empty() {
            outcome.batches.push(merge::move_rows(&mut batch, &there)?);
        }
        Ok(outcome)
    }
}
