//! `ValueToKey`: the key becomes a struct or map of some fields of the value.
//!
//! Source: `org.apache.kafka.connect.transforms.ValueToKey`, Kafka 4.1.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, NullArray, StructArray};
use arrow_schema::{DataType, FieldRef};
use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::{ConfigDef, ConfigMap};
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::transform::{Transform, Transformed};
use lakeward_api::value::Value;

use crate::columns::{self, Plans, fail_all, not_a_map, not_a_struct, put};
use crate::layout::{self, Layout, ShapePlans, Source};
use crate::null_rows;
use crate::plugin::{KAFKA_VERSION, TransformClass};
use crate::settings::{REPLACE_NULL, Settings, non_empty_list, replace_null_key};
use crate::side::{Side, require_struct};

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
    layouts: ShapePlans<Layout>,
}

struct Plan {
    key: Arc<Schema>,
    columns: Vec<usize>,
}

impl ValueToKey {
    fn new(given: &ConfigMap) -> Result<Self, ConnectError> {
        let settings = Settings::read(&config_def(), given)?;
        let fields = settings.list("fields").iter().map(|field| field.as_str().into()).collect();
        let replace_null = settings.flag(REPLACE_NULL);
        Ok(Self { fields, replace_null, plans: Plans::default(), layouts: ShapePlans::default() })
    }

    fn typed(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let Values::Typed { schema, array } = &batch.values else { return Ok(Transformed::one(batch)) };
        if array.null_count() > 0 {
            let err = not_a_struct("null", PURPOSE);
            return null_rows::fail(Side::Value, batch, &err, |batch| self.typed(batch));
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

    fn shaped(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let Some(maps) = layout::maps(&batch.values) else { return Ok(Transformed::one(batch)) };
        if maps.null_count() > 0 {
            let err = not_a_map(&Value::Null, PURPOSE);
            return null_rows::fail(Side::Value, batch, &err, |batch| self.shaped(batch));
        }
        let layout = self.layouts.get(maps.data_type(), || laid_out(maps, &self.fields));
        batch.keys = Values::Shaped(layout.apply(maps, &[Arc::new(NullArray::new(maps.len()))])?);
        Ok(Transformed::one(batch))
    }

    fn dynamic(&self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let Some(values) = columns::dynamic_rows(&mut batch.values) else {
            return Ok(Transformed::one(batch));
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

impl Transform for ValueToKey {
    fn apply(&mut self, batch: SinkBatch) -> Result<Transformed, ConnectError> {
        match &batch.values {
            Values::Null { .. } => Ok(fail_all(&batch, &not_a_map(&Value::Null, PURPOSE))),
            Values::Typed { .. } => self.typed(batch),
            values if layout::maps(values).is_some() => self.shaped(batch),
            Values::Dynamic(_) | Values::Shaped(_) => self.dynamic(batch),
        }
    }
}

/// The keys of shaped rows: the wanted columns, and null where there is none.
fn laid_out(maps: &StructArray, names: &[Arc<str>]) -> Layout {
    let mut entries: Vec<(FieldRef, Source)> = Vec::with_capacity(names.len());
    for name in names {
        if entries.iter().any(|(known, _)| **known.name() == **name) {
            continue;
        }
        entries.push(match maps.fields().find(name) {
            Some((at, field)) => (Arc::clone(field), Source::Old(at)),
            None => (layout::key(name, DataType::Null), Source::New(0)),
        });
    }
    Layout::new(entries)
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
    use crate::sample::{batch, both_ways, map, only, rows, shaped, structure, text, transform, typed};

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

    #[test]
    fn keys_of_shaped_rows_share_columns_and_null_rows_fail() {
        let row = |a, b| map(&[("a", a), ("b", b), ("c", map(&[]))]);
        let values = [row(Value::Int8(1), Value::Null), Value::Null, row(Value::Int8(2), Value::Null)];
        let settings = [("fields", "b,z,a,b,c,z")];
        let outcome = both_ways("ValueToKey", &settings, &batch(shaped(&values)));
        assert_eq!(outcome.errors[0].0, 11);
        assert!(matches!(outcome.batches[0].keys, Values::Shaped(_)));
        let key = |a| map(&[("b", Value::Null), ("z", Value::Null), ("a", Value::Int8(a)), ("c", map(&[]))]);
        assert_eq!(rows(&outcome.batches[0].keys), [key(1), key(2)]);

        let keyed = only(both_ways("ValueToKey", &settings, &batch(shaped(&[map(&[]), map(&[])]))));
        assert_eq!(rows(&keyed.keys)[1].get("c"), Some(&Value::Null));
        let outcome = both_ways("ValueToKey", &settings, &batch(shaped(&[text("x"), Value::Null])));
        assert_eq!(outcome.errors.len(), 2);
    }
}
