//! `ValueToKey`: the key becomes a struct or map of some fields of the value.
//!
//! Source: `org.apache.kafka.connect.transforms.ValueToKey`, Kafka 4.1.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::{ConfigDef, ConfigMap};
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::transform::{Transform, Transformed};
use lakeward_api::value::Value;

use crate::columns::{self, Plans, copy_of, fail_all, not_a_map, not_a_struct, put};
use crate::plugin::{KAFKA_VERSION, TransformClass};
use crate::settings::{REPLACE_NULL, Settings, non_empty_list, replace_null_key};
use crate::side::require_struct;

const PURPOSE: &str = "copying fields from value to key";

/// The classes of this file.
pub(crate) fn classes() -> Vec<TransformClass> {
    vec![TransformClass {
        class: "org.apache.kafka.connect.transforms.ValueToKey",
        version: KAFKA_VERSION,
        config_def,
        new: |given| Ok(Box::new(ValueToKey::new(given)?)),
    }]
}

fn config_def() -> ConfigDef {
    ConfigDef::new(vec![
        non_empty_list("fields", "Field names on the record value to extract as the record key."),
        replace_null_key(),
    ])
}

struct ValueToKey {
    fields: Vec<Arc<str>>,
    replace_null: bool,
    plans: Plans<Result<Plan, ConnectError>>,
}

struct Plan {
    key: Arc<Schema>,
    columns: Vec<usize>,
}

impl ValueToKey {
    fn new(given: &ConfigMap) -> Result<Self, ConnectError> {
        let settings = Settings::read(&config_def(), given)?;
        let fields = settings.list("fields").iter().map(|field| field.as_str().into()).collect();
        Ok(Self { fields, replace_null: settings.flag(REPLACE_NULL), plans: Plans::default() })
    }

    fn typed(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let Values::Typed { schema, array } = &batch.values else { return Ok(Transformed::one(batch)) };
        if array.null_count() > 0 {
            let (_, nulls) = columns::by_nulls(array);
            let err = not_a_struct("null", PURPOSE);
            let failed = nulls.into_iter().map(|row| (row as usize, copy_of(&err))).collect();
            let mut outcome = columns::without(batch, failed)?;
            if let Some(batch) = outcome.batches.pop() {
                let rest = self.typed(batch)?;
                outcome.batches = rest.batches;
                outcome.errors.extend(rest.errors);
            }
            return Ok(outcome);
        }
        let plan = match self.plans.get(schema, || Ok(plan(schema, array, &self.fields)))? {
            Ok(plan) => plan,
            Err(err) => return Ok(fail_all(&batch, err)),
        };
        let value = array.as_struct();
        let mut key = Vec::with_capacity(plan.columns.len());
        for index in &plan.columns {
            let column = value.column(*index);
            let schema = &schema.fields()[*index].schema;
            key.push(if self.replace_null {
                columns::with_default(schema, column)?
            } else {
                Arc::clone(column)
            });
        }
        let array = columns::struct_column(&plan.key, key, batch.rows())?;
        batch.keys = Values::Typed { schema: Arc::clone(&plan.key), array };
        Ok(Transformed::one(batch))
    }
}

impl Transform for ValueToKey {
    fn apply(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let values = match &*batch.values.unshape() {
            Values::Shaped(_) => unreachable!("just taken apart"),
            Values::Typed { .. } => return self.typed(batch),
            Values::Null { .. } => return Ok(fail_all(&batch, &not_a_map(&Value::Null, PURPOSE))),
            Values::Dynamic(values) => values,
        };
        let mut keys = Vec::with_capacity(values.len());
        let mut failed = Vec::new();
        for (row, value) in values.iter().enumerate() {
            if !matches!(value, Value::Map(_)) {
                failed.push((row, not_a_map(value, PURPOSE)));
                keys.push(Value::Null);
                continue;
            }
            let mut key = Vec::with_capacity(self.fields.len());
            for field in &self.fields {
                put(&mut key, field, value.get(field).cloned().unwrap_or(Value::Null));
            }
            keys.push(Value::Map(key));
        }
        batch.keys = Values::Dynamic(keys);
        columns::without(batch, failed)
    }
}

fn plan(schema: &Arc<Schema>, array: &ArrayRef, names: &[Arc<str>]) -> Result<Plan, ConnectError> {
    require_struct(schema, array, PURPOSE)?;
    let mut fields = Vec::new();
    let mut indices = Vec::new();
    for name in names {
        let Some((index, field)) = schema.field(name) else {
            return Err(ConnectError::data(format!("Field does not exist: {name}")));
        };
        columns::add_field(&mut fields, name, Arc::clone(&field.schema))?;
        indices.push(index);
    }
    Ok(Plan { key: Arc::new(Schema::new(Kind::Struct(fields))), columns: indices })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{batch, map, only, rows, structure, text, transform, typed};

    #[test]
    fn keys_share_the_columns_of_values() {
        let schema = structure(vec![("a", Schema::new(Kind::Int8)), ("b", Schema::new(Kind::String))]);
        let values = typed(schema, &[Value::Struct(vec![Value::Int8(1), text("x")])]);
        let keyed = only(transform("ValueToKey", &[("fields", "b,a")]).apply(batch(values)).unwrap());
        assert_eq!(rows(&keyed.keys), [Value::Struct(vec![text("x"), Value::Int8(1)])]);
        let (_, key) = keyed.keys.as_struct().unwrap();
        let (_, value) = keyed.values.as_struct().unwrap();
        assert!(Arc::ptr_eq(key.column(1), value.column(0)));
    }

    #[test]
    fn null_values_and_unknown_fields_fail() {
        let mut schema = structure(vec![("a", Schema::new(Kind::Int8))]);
        schema.optional = true;
        let values = typed(schema, &[Value::Null, Value::Struct(vec![Value::Int8(1)])]);
        let outcome = transform("ValueToKey", &[("fields", "z")]).apply(batch(values)).unwrap();
        let texts: Vec<_> = outcome.errors.iter().map(|(_, err)| err.to_string()).collect();
        assert_eq!(
            texts,
            [
                "Only Struct objects supported for [copying fields from value to key], found: null",
                "Field does not exist: z"
            ]
        );
        let tombstones = batch(Values::Null { rows: 2 });
        let outcome = transform("ValueToKey", &[("fields", "z")]).apply(tombstones).unwrap();
        assert!(outcome.errors[1].1.to_string().ends_with("found: null"));
    }

    #[test]
    fn absent_members_are_null() {
        let values = Values::Dynamic(vec![map(&[("a", Value::Int8(1))])]);
        let keyed = only(transform("ValueToKey", &[("fields", "a,b")]).apply(batch(values)).unwrap());
        assert_eq!(rows(&keyed.keys), [map(&[("a", Value::Int8(1)), ("b", Value::Null)])]);
    }
}
