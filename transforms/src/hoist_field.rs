//! `HoistField`: wraps the key or value into a map or struct with one field.
//!
//! Source: `org.apache.kafka.connect.transforms.HoistField`, Kafka 4.1.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, NullArray, StructArray};
use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigType, Importance};
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::transform::{Transform, Transformed};
use lakeward_api::value::Value;

use crate::columns::{self, Plans, fail_all};
use crate::layout::{self, Layout, ShapePlans, Source};
use crate::null_rows;
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
    layouts: ShapePlans<Layout>,
}

impl HoistField {
    fn new(side: Side, given: &ConfigMap) -> Result<Self, ConnectError> {
        let settings = Settings::read(&config_def(), given)?;
        let field = settings.text("field").into();
        Ok(Self { side, field, plans: Plans::default(), layouts: ShapePlans::default() })
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
            return null_rows::fail(self.side, batch, &err, |batch| self.typed(batch));
        }
        let column = Arc::clone(array);
        let array = columns::struct_column(&hoisted, vec![column], batch.rows())?;
        *self.side.of_mut(&mut batch) = Values::Typed { schema: hoisted, array };
        Ok(Transformed::one(batch))
    }

    /// Rows of one shape, nothing but nulls included.
    fn shaped(&mut self, column: ArrayRef) -> Result<Values, ConnectError> {
        let make =
            || Layout::new(vec![(layout::key(&self.field, column.data_type().clone()), Source::New(0))]);
        let layout = self.layouts.get(column.data_type(), make);
        let rows = StructArray::new_empty_fields(column.len(), None);
        Ok(Values::Shaped(layout.apply(&rows, &[column])?))
    }
}

impl Transform for HoistField {
    fn apply(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let values = self.side.of_mut(&mut batch);
        match std::mem::replace(values, Values::Null { rows: values.rows() }) {
            Values::Typed { schema, array } => {
                *values = Values::Typed { schema, array };
                return self.typed(batch);
            }
            Values::Null { rows } => *values = self.shaped(Arc::new(NullArray::new(rows)))?,
            Values::Shaped(array) => *values = self.shaped(array)?,
            Values::Dynamic(mut rows) => {
                let name = Value::String(Arc::clone(&self.field));
                for value in &mut rows {
                    let inner = std::mem::replace(value, Value::Null);
                    *value = Value::Map(vec![(name.clone(), inner)]);
                }
                *values = Values::Dynamic(rows);
            }
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
    use crate::sample::{batch, both_ways, map, only, rows, shaped, text, transform, typed};

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

    #[test]
    fn shaped_rows_are_wrapped_as_they_are() {
        let maps = [
            map(&[("a", Value::Null), ("b", text("x"))]),
            Value::Null,
            map(&[("a", Value::Null), ("b", Value::Null)]),
        ];
        let lists = [Value::Array(Vec::new()), Value::Array(vec![text("y")]), Value::Null];
        let empty = [map(&[]), map(&[]), Value::Null];
        for values in [&maps[..], &lists, &empty, &[text("x"), Value::Null]] {
            let output = only(both_ways("HoistField$Value", &[("field", "f")], &batch(shaped(values))));
            assert!(matches!(output.values, Values::Shaped(_)));
            let expected: Vec<_> = values.iter().map(|value| map(&[("f", value.clone())])).collect();
            assert_eq!(rows(&output.values), expected);
        }
    }
}
