//! `SetSchemaMetadata`: name and version of the schema of keys or values.
//!
//! Source: `org.apache.kafka.connect.transforms.SetSchemaMetadata`, Kafka 4.1.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigType, Importance};
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::transform::{Transform, Transformed};

use crate::columns::{self, Plans, fail_all};
use crate::null_rows::{Failures, apart, keep};
use crate::plugin::{KAFKA_VERSION, TransformClass};
use crate::settings::{REPLACE_NULL, Settings, replace_null_key, with_default};
use crate::side::Side;

/// The classes of this file.
pub(crate) fn classes() -> Vec<TransformClass> {
    vec![
        TransformClass {
            class: "org.apache.kafka.connect.transforms.SetSchemaMetadata$Key",
            version: KAFKA_VERSION,
            config_def,
            new: |given| Ok(Box::new(SetSchemaMetadata::new(Side::Key, given)?)),
        },
        TransformClass {
            class: "org.apache.kafka.connect.transforms.SetSchemaMetadata$Value",
            version: KAFKA_VERSION,
            config_def,
            new: |given| Ok(Box::new(SetSchemaMetadata::new(Side::Value, given)?)),
        },
    ]
}

fn config_def() -> ConfigDef {
    ConfigDef::new(vec![
        with_default("schema.name", ConfigType::String, None, Importance::High, "Schema name to set."),
        with_default("schema.version", ConfigType::Int, None, Importance::High, "Schema version to set."),
        replace_null_key(),
    ])
}

struct SetSchemaMetadata {
    side: Side,
    name: Option<Arc<str>>,
    version: Option<i32>,
    replace_null: bool,
    plans: Plans<Arc<Schema>>,
}

impl SetSchemaMetadata {
    fn new(side: Side, given: &ConfigMap) -> Result<Self, ConnectError> {
        let settings = Settings::read(&config_def(), given)?;
        let name = settings.get("schema.name").map(Arc::from);
        let version = settings.get("schema.version").and_then(|text| text.parse().ok());
        if name.is_none() && version.is_none() {
            return Err(ConnectError::config("Neither schema name nor version configured"));
        }
        Ok(Self { side, name, version, replace_null: settings.flag(REPLACE_NULL), plans: Plans::default() })
    }

    fn typed(&mut self, mut batch: SinkBatch, is_null: bool) -> Result<Transformed, ConnectError> {
        let rows = batch.rows();
        let Values::Typed { schema, array } = self.side.of_mut(&mut batch) else { return keep(batch) };
        if !matches!(schema.kind, Kind::Struct(_)) {
            // Java asks every schema for its fields, too.
            return Ok(fail_all(&batch, &ConnectError::data("Cannot list fields on non-struct type")));
        }
        let updated = self.plans.get(schema, || {
            let mut updated = Schema::clone(schema);
            updated.name = self.name.clone().or(updated.name);
            updated.version = self.version.or(updated.version);
            Ok(Arc::new(updated))
        })?;
        if self.replace_null && !is_null {
            let mut filled = Vec::with_capacity(schema.fields().len());
            for (field, column) in schema.fields().iter().zip(array.as_struct().columns()) {
                filled.push(columns::with_default(&field.schema, column)?);
            }
            *array = columns::struct_column(updated, filled, rows)?;
        }
        *schema = Arc::clone(updated);
        keep(batch)
    }
}

impl Transform for SetSchemaMetadata {
    fn apply(&mut self, batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let no_schema = || ConnectError::data("Schema required for [updating schema metadata]");
        let mut failures = Failures::default();
        match self.side.of(&batch) {
            Values::Null { .. } => {}
            Values::Dynamic(values) => {
                for (row, _) in values.iter().enumerate().filter(|(_, value)| !value.is_null()) {
                    failures.add(row, no_schema);
                }
            }
            Values::Shaped(array) => failures.add_valid(array, no_schema),
            Values::Typed { .. } => {
                return apart(self.side, batch, |batch, is_null| self.typed(batch, is_null));
            }
        }
        columns::without(batch, failures.into_rows())
    }
}

#[cfg(test)]
mod tests;
