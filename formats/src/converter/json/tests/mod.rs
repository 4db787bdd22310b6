//! Tests of `JsonConverter` through its public face.

mod blocks;
mod declared;
mod dynamic;
mod envelope;
mod grammar;
mod infer;
mod shaped;
mod written;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType,
    TimestampMillisecondType,
};
use arrow_array::{Array, ArrayRef};
use lakeward_api::batch::Values;
use lakeward_api::config::ConfigMap;
use lakeward_api::converter::{Converter, Decoded};
use lakeward_api::plugin::{ConverterContext, ConverterPlugin, ConverterRole};
use lakeward_api::schema::{Kind, Logical, Schema};
use lakeward_api::value::Value;

use super::JsonConverterPlugin;
use crate::random::Random;

/// A value converter with these settings and, unless empty, this `lakeward.schema`.
fn converter(settings: &[(&str, &str)], schema: &str) -> Box<dyn Converter> {
    let settings: ConfigMap =
        settings.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    let connector = ConfigMap::from([("lakeward.schema".to_owned(), schema.to_owned())]);
    JsonConverterPlugin
        .new_converter(&ConverterContext {
            role: ConverterRole::Value,
            settings: &settings,
            connector: &connector,
            network: None,
        })
        .unwrap()
}

fn decode(converter: &mut dyn Converter, records: &[&str]) -> Decoded {
    let payloads: Vec<Option<&[u8]>> = records.iter().map(|record| Some(record.as_bytes())).collect();
    let decoded = converter.decode("t", &payloads).unwrap();
    let mut rows: Vec<usize> = decoded.errors.iter().map(|(row, _)| *row).collect();
    for run in &decoded.runs {
        assert_eq!(run.rows.len(), run.values.rows());
        rows.extend(run.rows.iter().map(|row| *row as usize));
    }
    rows.sort_unstable();
    assert_eq!(rows, (0..records.len()).collect::<Vec<_>>(), "every row ends up in one place");
    decoded
}

/// The value of `row` as a dynamic value; structs become maps.
fn cell(schema: &Schema, array: &ArrayRef, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match (schema.logical(), &schema.kind) {
        (Some(Logical::Date), _) => Value::Int32(array.as_primitive::<Date32Type>().value(row)),
        (Some(Logical::Time), _) => Value::Int32(array.as_primitive::<Time32MillisecondType>().value(row)),
        (Some(Logical::Timestamp), _) => {
            Value::Int64(array.as_primitive::<TimestampMillisecondType>().value(row))
        }
        (_, Kind::Array(item)) => {
            let items = array.as_list::<i32>().value(row);
            Value::Array((0..items.len()).map(|at| cell(item, &items, at)).collect())
        }
        (_, Kind::Boolean) => Value::Boolean(array.as_boolean().value(row)),
        (_, Kind::Bytes) => Value::Bytes(array.as_binary::<i32>().value(row).to_vec().into()),
        (_, Kind::Float32) => Value::Float32(array.as_primitive::<Float32Type>().value(row)),
        (_, Kind::Float64) => Value::Float64(array.as_primitive::<Float64Type>().value(row)),
        (_, Kind::Int16) => Value::Int16(array.as_primitive::<Int16Type>().value(row)),
        (_, Kind::Int32) => Value::Int32(array.as_primitive::<Int32Type>().value(row)),
        (_, Kind::Int64) => Value::Int64(array.as_primitive::<Int64Type>().value(row)),
        (_, Kind::Int8) => Value::Int8(array.as_primitive::<Int8Type>().value(row)),
        (_, Kind::Map { key, value }) => {
            let entries = array.as_map().value(row);
            let (keys, values) = (entries.column(0), entries.column(1));
            let entry = |at| (cell(key, keys, at), cell(value, values, at));
            Value::Map((0..entries.len()).map(entry).collect())
        }
        (_, Kind::Recursive(_)) => unreachable!("envelopes and declared schemas do not contain themselves"),
        (_, Kind::String) => Value::String(array.as_string::<i32>().value(row).into()),
        (_, Kind::Struct(fields)) => {
            let columns = array.as_struct().columns();
            let fields = fields.iter().zip(columns);
            let value = |(field, column): (&lakeward_api::schema::Field, &ArrayRef)| {
                (Value::String(Arc::clone(&field.name)), cell(&field.schema, column, row))
            };
            Value::Map(fields.map(value).collect())
        }
    }
}

/// Every decoded value by input row; `None` for failed rows.
fn values(decoded: &Decoded, rows: usize) -> Vec<Option<Value>> {
    let mut all = vec![None; rows];
    for run in &decoded.runs {
        for (at, row) in run.rows.iter().enumerate() {
            all[*row as usize] = Some(match &run.values {
                Values::Dynamic(values) => values[at].clone(),
                Values::Null { .. } => Value::Null,
                Values::Shaped(array) => lakeward_api::shaped::value_at(array, at),
                Values::Typed { schema, array } => {
                    assert_eq!(*array.data_type(), schema.arrow_type());
                    cell(schema, array, at)
                }
            });
        }
    }
    all
}

/// A map value from names and values.
fn map(entries: Vec<(&str, Value)>) -> Value {
    Value::Map(entries.into_iter().map(|(name, value)| (Value::String(name.into()), value)).collect())
}

fn text(text: &str) -> Value {
    Value::String(text.into())
}
