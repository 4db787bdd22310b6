//! `HoistField`: wraps the key or value into a map or struct with one field.
//!
//! Source: `org.apache.kafka.connect.transforms.HoistField`, Kafka 4.1.

use std::sync::Arc;

use arrow_array::Array;
use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigType, Importance};
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::transform::{Transform, Transformed};
use lakeward_api::value::Value;

use crate::columns::{self, Plans, fail_all};
use crate::plugin::{KAFKA_VERSION, TransformClass};
use crate::settings::{Settings, required};
use crate::side::Side;

/// The classes of this file.
pub(crate) fn classes() -> Vec<TransformClass> {
    vec![
        TransformClass {
            class: "org.apache.kafka.connect.transforms.HoistField$Key",
            version: KAFKA_VERSION,
            config_def,
            new: |given| Ok(Box::new(HoistField::new(Side::Key, given)?)),
        },
        TransformClass {
            class: "org.apache.kafka.connect.transforms.HoistField$Value",
            version: KAFKA_VERSION,
            config_def,
            new: |given| Ok(Box::new(HoistField::new(Side::Value, given)?)),
        },
    ]
}

fn config_def() -> ConfigDef {
    ConfigDef::new(vec![required(
        "field",
        ConfigType::String,
        Importance::Medium,
        "Field name for the single field that will be created in the resulting Struct or Map.",
    )])
}

struct HoistField {
    side: Side,
    field: Arc<str>,
    plans: Plans<Result<Arc<Schema>, ConnectError>>,
}

impl HoistField {
    fn new(side: Side, given: &ConfigMap) -> Result<Self, ConnectError> {
        let settings = Settings::read(&config_def(), given)?;
        Ok(Self { side, field: settings.text("field").into(), plans: Plans::default() })
    }

    fn typed(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let Values::Typed { schema, array } = self.side.of(&batch) else {
            return Ok(Transformed::one(batch));
        };
        let hoisted = match self.plans.get(schema, || Ok(hoist(schema, &self.field)))? {
            Ok(hoisted) => Arc::clone(hoisted),
            Err(err) => return Ok(fail_all(&batch, err)),
        };
        if !schema.optional && array.null_count() > 0 {
            let err = null_in_required(&self.field, schema);
            let (_, nulls) = columns::by_nulls(array);
            let nulls = nulls.into_iter().map(|row| (row as usize, columns::copy_of(&err))).collect();
            let mut outcome = columns::without(batch, nulls)?;
            if let Some(batch) = outcome.batches.pop() {
                outcome.batches = self.typed(batch)?.batches;
            }
            return Ok(outcome);
        }
        let column = Arc::clone(array);
        let array = columns::struct_column(&hoisted, vec![column], batch.rows())?;
        *self.side.of_mut(&mut batch) = Values::Typed { schema: hoisted, array };
        Ok(Transformed::one(batch))
    }
}

impl Transform for HoistField {
    fn apply(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let Some(values) = columns::dynamic_rows(self.side.of_mut(&mut batch)) else {
            return self.typed(batch);
        };
        let name = Value::String(Arc::clone(&self.field));
        for value in values {
            let inner = std::mem::replace(value, Value::Null);
            *value = Value::Map(vec![(name.clone(), inner)]);
        }
        Ok(Transformed::one(batch))
    }
}

fn hoist(schema: &Arc<Schema>, field: &str) -> Result<Arc<Schema>, ConnectError> {
    let mut fields = Vec::new();
    columns::add_field(&mut fields, field, Arc::clone(schema))?;
    Ok(Arc::new(Schema::new(Kind::Struct(fields))))
}

/// Source: `ConnectSchema#validateValue`.
fn null_in_required(field: &str, schema: &Schema) -> ConnectError {
    ConnectError::data(format!(
        "Invalid value: null used for required field: \"{field}\", schema type: {}",
        schema.kind.name()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{batch, map, only, rows, transform, typed};

    #[test]
    fn tombstones_become_maps_and_values_structs() {
        let hoist = |values| transform("HoistField$Value", &[("field", "f")]).apply(batch(values)).unwrap();
        let tombstones = only(hoist(Values::Null { rows: 2 }));
        assert_eq!(rows(&tombstones.values), vec![map(&[("f", Value::Null)]); 2]);
        let numbers = typed(Schema::optional(Kind::Int8), &[Value::Int8(1), Value::Null]);
        let structs = only(hoist(numbers));
        assert_eq!(
            rows(&structs.values),
            [Value::Struct(vec![Value::Int8(1)]), Value::Struct(vec![Value::Null])]
        );
        assert!(!structs.values.schema().unwrap().optional);
    }

    #[test]
    fn null_under_a_required_schema_fails() {
        let numbers = typed(Schema::new(Kind::Int8), &[Value::Int8(1), Value::Null]);
        let outcome = transform("HoistField$Key", &[("field", "f")])
            .apply(SinkBatch { keys: numbers, ..batch(Values::Null { rows: 2 }) });
        let outcome = outcome.unwrap();
        assert_eq!(outcome.batches[0].offsets, [10]);
        assert_eq!(
            outcome.errors[0].1.to_string(),
            "Invalid value: null used for required field: \"f\", schema type: INT8"
        );
    }
}
