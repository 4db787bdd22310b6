//! `TombstoneHandler`: records without value are left out, or fail.
//!
//! `warn` and `ignore` do the same here: nothing is logged per record; dropped records are counted.
//!
//! Source: the reference of `io.confluent.connect.transforms.TombstoneHandler`.

use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Validator};
use lakeward_api::transform::{Transform, Transformed};

use super::VERSION;
use crate::columns;
use crate::merge;
use crate::plugin::TransformClass;
use crate::settings::{Settings, with_default};

const BEHAVIOR: &str = "behavior";

/// The classes of this file.
pub(super) fn classes() -> Vec<TransformClass> {
    vec![TransformClass {
        class: "io.confluent.connect.transforms.TombstoneHandler",
        version: VERSION,
        config_def,
        new: |given| Ok(Box::new(TombstoneHandler::new(given)?)),
    }]
}

fn config_def() -> ConfigDef {
    ConfigDef::new(vec![ConfigKey {
        validator: Validator::OneOfIgnoreCase(&["warn", "fail", "ignore"]),
        ..with_default(
            BEHAVIOR,
            ConfigType::String,
            Some("warn"),
            Importance::Medium,
            "What happens to a record whose value is null: it is left out (ignore, warn) or fails (fail).",
        )
    }])
}

struct TombstoneHandler {
    fails: bool,
}

impl TombstoneHandler {
    fn new(given: &ConfigMap) -> Result<Self, ConnectError> {
        let settings = Settings::read(&config_def(), given)?;
        Ok(Self { fails: settings.text(BEHAVIOR).eq_ignore_ascii_case("fail") })
    }
}

impl Transform for TombstoneHandler {
    fn apply(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let null: Vec<usize> = match &batch.values {
            Values::Null { rows } => (0..*rows).collect(),
            Values::Dynamic(values) => (0..values.len()).filter(|row| values[*row].is_null()).collect(),
            Values::Shaped(array) | Values::Typed { array, .. } => {
                let (_, null) = columns::by_nulls(array);
                null.into_iter().map(|row| row as usize).collect()
            }
        };
        if null.is_empty() {
            return Ok(Transformed::one(batch));
        }
        if self.fails {
            let problem =
                || ConnectError::data("Tombstone record encountered, failing because behavior is fail");
            return columns::without(batch, null.into_iter().map(|row| (row, problem())).collect());
        }
        let is_there = |row: &u32| null.binary_search(&(*row as usize)).is_err();
        let there: Vec<u32> = (0u32..).take(batch.rows()).filter(is_there).collect();
        if there.is_empty() {
            return Ok(Transformed::default());
        }
        Ok(Transformed::one(merge::move_rows(&mut batch, &there)?))
    }
}
