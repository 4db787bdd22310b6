//! Between the model of this crate and the types of `lakeward-api`.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::decimal::Decimal;
use lakeward_api::rows::{ColumnWriter, value_at};
use lakeward_api::schema::Schema as ApiSchema;
use lakeward_api::value::Value as ApiValue;

use super::schemas;
use crate::model::{Schema, Typed, Value};

/// Translates schemas once each, so that rows that share a schema share it on our side, too.
#[derive(Default)]
pub(super) struct Schemas {
    to_api: HashMap<*const Schema, (Arc<Schema>, Arc<ApiSchema>)>,
    from_api: HashMap<*const ApiSchema, (Arc<ApiSchema>, Arc<Schema>)>,
}

impl Schemas {
    /// Our form of `schema`.
    pub(super) fn api(&mut self, schema: &Arc<Schema>) -> Arc<ApiSchema> {
        let entry = self.to_api.entry(Arc::as_ptr(schema));
        Arc::clone(&entry.or_insert_with(|| (Arc::clone(schema), Arc::new(schemas::api_schema(schema)))).1)
    }

    /// The model's form of `schema`.
    pub(super) fn model(&mut self, schema: &Arc<ApiSchema>) -> Arc<Schema> {
        let entry = self.from_api.entry(Arc::as_ptr(schema));
        Arc::clone(&entry.or_insert_with(|| (Arc::clone(schema), Arc::new(schemas::model_schema(schema)))).1)
    }

    /// Row `row` of `values`.
    pub(super) fn row(&mut self, values: &Values, row: usize) -> Typed {
        match values {
            Values::Dynamic(all) => Typed { schema: None, value: model_value(&all[row]) },
            Values::Null { .. } => Typed::null(),
            Values::Shaped(array) => {
                Typed { schema: None, value: model_value(&lakeward_api::shaped::value_at(array, row)) }
            }
            Values::Typed { schema, array } => {
                assert_eq!(*array.data_type(), schema.arrow_type(), "a column is not of its schema's type");
                let value = model_value(&value_at(schema, array, row));
                Typed { schema: Some(self.model(schema)), value }
            }
        }
    }

    /// Rows that share one schema as a batch column.
    pub(super) fn column(
        &mut self,
        schema: Option<&Arc<Schema>>,
        rows: &[&Value],
    ) -> Result<Values, ConnectError> {
        let Some(schema) = schema else {
            if rows.iter().all(|row| **row == Value::Null) {
                return Ok(Values::Null { rows: rows.len() });
            }
            return Ok(Values::schemaless(rows.iter().map(|row| api_value(row)).collect()));
        };
        let schema = self.api(schema);
        let mut column = ColumnWriter::new(&schema);
        for row in rows {
            column.append(&api_value(row))?;
        }
        Ok(Values::Typed { array: column.finish()?, schema })
    }
}

/// Our form of a value.
pub(super) fn api_value(value: &Value) -> ApiValue {
    match value {
        Value::Null => ApiValue::Null,
        Value::Boolean(truth) => ApiValue::Boolean(*truth),
        Value::Int8(number) => ApiValue::Int8(*number),
        Value::Int16(number) => ApiValue::Int16(*number),
        Value::Int32(number) => ApiValue::Int32(*number),
        Value::Int64(number) => ApiValue::Int64(*number),
        Value::Float32(number) => ApiValue::Float32(*number),
        Value::Float64(number) => ApiValue::Float64(*number),
        Value::String(text) => ApiValue::String(text.as_str().into()),
        Value::Bytes(bytes) => ApiValue::Bytes(Bytes::copy_from_slice(bytes)),
        Value::List(items) => ApiValue::Array(items.iter().map(api_value).collect()),
        Value::Map(entries) => {
            ApiValue::Map(entries.iter().map(|(key, value)| (api_value(key), api_value(value))).collect())
        }
        Value::Struct(items) => ApiValue::Struct(items.iter().map(api_value).collect()),
        Value::Date(ms) => ApiValue::Date(*ms),
        Value::Decimal { unscaled, scale } => {
            ApiValue::Decimal(Decimal { unscaled: Bytes::copy_from_slice(unscaled), scale: *scale })
        }
        Value::Other(class) => panic!("an object of {class} is never an input"),
    }
}

/// The model's form of a value.
pub(super) fn model_value(value: &ApiValue) -> Value {
    match value {
        ApiValue::Null => Value::Null,
        ApiValue::Boolean(truth) => Value::Boolean(*truth),
        ApiValue::Int8(number) => Value::Int8(*number),
        ApiValue::Int16(number) => Value::Int16(*number),
        ApiValue::Int32(number) => Value::Int32(*number),
        ApiValue::Int64(number) => Value::Int64(*number),
        ApiValue::Float32(number) => Value::Float32(*number),
        ApiValue::Float64(number) => Value::Float64(*number),
        ApiValue::String(text) => Value::String(text.to_string()),
        ApiValue::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
        ApiValue::Array(items) => Value::List(items.iter().map(model_value).collect()),
        ApiValue::Map(entries) => {
            Value::Map(entries.iter().map(|(key, value)| (model_value(key), model_value(value))).collect())
        }
        ApiValue::Struct(items) => Value::Struct(items.iter().map(model_value).collect()),
        ApiValue::Date(ms) => Value::Date(*ms),
        ApiValue::Decimal(decimal) => {
            Value::Decimal { unscaled: decimal.unscaled.to_vec(), scale: decimal.scale }
        }
    }
}
