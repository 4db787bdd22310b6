//! Parquet rows rebuilt as JSON values.
//!
//! Owns: the way back from columns to records, including columns that hold JSON text. Must not: guess; a text
//! column is read as JSON text only where the file says that it is.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use parquet::basic::LogicalType;
use parquet::schema::types::Type;
use serde_json::{Map, Number, Value};

use crate::canonical::enter;

/// Row `row` of `batch` as a JSON object; null columns are left out.
pub fn rebuild(batch: &RecordBatch, row: usize, places: &JsonTextPlaces) -> Result<Value> {
    let mut members = Map::new();
    let mut place = String::new();
    for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        place.clear();
        enter(&mut place, field.name());
        let value = cell(column.as_ref(), row, &mut place, places)?;
        if !value.is_null() {
            members.insert(field.name().clone(), value);
        }
    }
    Ok(Value::Object(members))
}

/// The places of a file (`a.b[]`) whose texts hold JSON: columns that Parquet annotates as JSON.
#[derive(Clone, Debug, Default)]
pub struct JsonTextPlaces {
    places: BTreeSet<String>,
}

impl JsonTextPlaces {
    /// The places of the file schema `root`.
    pub fn of(root: &Type) -> Self {
        let mut found = Self::default();
        for field in root.get_fields() {
            found.collect(field, &mut field.name().to_owned());
        }
        found
    }

    /// The places, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.places.iter().map(String::as_str)
    }

    fn collect(&mut self, kind: &Type, place: &mut String) {
        let length = place.len();
        let annotation = kind.get_basic_info().logical_type_ref();
        match (kind, annotation) {
            (Type::PrimitiveType { .. }, Some(LogicalType::Json)) => {
                self.places.insert(place.clone());
            }
            (Type::PrimitiveType { .. }, _) | (_, Some(LogicalType::Map)) => {}
            (Type::GroupType { fields, .. }, Some(LogicalType::List)) => {
                place.push_str("[]");
                for repeated in fields {
                    // Three levels: the repeated group `list` holds the element. Two: it is the element.
                    let element = match repeated.as_ref() {
                        Type::GroupType { fields, .. } if repeated.name() == "list" => fields.first(),
                        _ => Some(repeated),
                    };
                    if let Some(element) = element {
                        self.collect(element, place);
                    }
                }
            }
            (Type::GroupType { fields, .. }, _) => {
                for field in fields {
                    enter(place, field.name());
                    self.collect(field, place);
                    place.truncate(length);
                }
            }
        }
        place.truncate(length);
    }
}

fn cell(array: &dyn Array, row: usize, place: &mut String, places: &JsonTextPlaces) -> Result<Value> {
    if array.is_null(row) {
        return Ok(Value::Null);
    }
    Ok(match array.data_type() {
        DataType::Boolean => Value::Bool(array.as_boolean().value(row)),
        DataType::Int8 => array.as_primitive::<Int8Type>().value(row).into(),
        DataType::Int16 => array.as_primitive::<Int16Type>().value(row).into(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).into(),
        DataType::Date32 => array.as_primitive::<Date32Type>().value(row).into(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            array.as_primitive::<TimestampMillisecondType>().value(row).into()
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            array.as_primitive::<TimestampMicrosecondType>().value(row).into()
        }
        DataType::Float32 => float(f64::from(array.as_primitive::<Float32Type>().value(row))),
        DataType::Float64 => float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => text(array.as_string::<i32>().value(row), place, places)?,
        DataType::LargeUtf8 => text(array.as_string::<i64>().value(row), place, places)?,
        DataType::Struct(fields) => {
            let columns = array.as_struct();
            let length = place.len();
            let mut members = Map::new();
            for (field, column) in fields.iter().zip(columns.columns()) {
                enter(place, field.name());
                let value = cell(column.as_ref(), row, place, places)?;
                place.truncate(length);
                if !value.is_null() {
                    members.insert(field.name().clone(), value);
                }
            }
            Value::Object(members)
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            let length = place.len();
            place.push_str("[]");
            let values: Result<Vec<_>> =
                (0..items.len()).map(|item| cell(items.as_ref(), item, place, places)).collect();
            place.truncate(length);
            Value::Array(values?)
        }
        DataType::Map(_, _) => map_entries(array, row, place, places)?,
        other => bail!("column {place} has type {other}, which the verifier does not know"),
    })
}

fn map_entries(array: &dyn Array, row: usize, place: &mut String, places: &JsonTextPlaces) -> Result<Value> {
    let entries = array.as_map().value(row);
    let keys = entries.column(0).as_string_opt::<i32>().context("a map whose keys are not text")?;
    let length = place.len();
    let mut members = Map::new();
    for entry in 0..entries.len() {
        let key = keys.value(entry);
        enter(place, key);
        members.insert(key.to_owned(), cell(entries.column(1).as_ref(), entry, place, places)?);
        place.truncate(length);
    }
    Ok(Value::Object(members))
}

/// JSON has no NaN or infinity; they can never equal an input and are shown as null.
fn float(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

fn text(text: &str, place: &str, places: &JsonTextPlaces) -> Result<Value> {
    if places.places.contains(place) {
        return serde_json::from_str(text).with_context(|| format!("column {place} holds no JSON text"));
    }
    Ok(Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::builder::{ListBuilder, StringBuilder};
    use arrow_array::{ArrayRef, Float64Array, Int64Array, StringArray, StructArray};
    use arrow_schema::{Field, Schema};

    use super::*;
    use crate::canonical::fingerprint;

    fn batch() -> RecordBatch {
        let mut tags = ListBuilder::new(StringBuilder::new());
        tags.values().append_value("x");
        tags.append(true);
        let inner = StructArray::from(vec![(
            Arc::new(Field::new("v", DataType::Float64, true)),
            Arc::new(Float64Array::from(vec![Some(2.0)])) as ArrayRef,
        )]);
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("n", Arc::new(Int64Array::from(vec![Some(1)]))),
            ("mixed", Arc::new(StringArray::from(vec![Some("{\"a\":[1,\"b\"]}")]))),
            ("text", Arc::new(StringArray::from(vec![Some("[1]")]))),
            ("gone", Arc::new(StringArray::from(vec![None::<&str>]))),
            ("tags", Arc::new(tags.finish())),
            ("o", Arc::new(inner)),
        ];
        let fields: Vec<_> = columns
            .iter()
            .map(|(name, column)| Field::new(*name, column.data_type().clone(), true))
            .collect();
        let arrays = columns.into_iter().map(|(_, column)| column).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("columns fit the schema")
    }

    #[test]
    fn a_row_has_the_fingerprint_of_its_record() {
        let source = r#"{"o":{"v":2},"n":1,"mixed":{"a":[1,"b"]},"text":"[1]","tags":["x"],"gone":null}"#;
        let record: Value = serde_json::from_str(source).expect("valid JSON");
        let places = JsonTextPlaces { places: ["mixed".to_owned()].into() };
        let row = rebuild(&batch(), 0, &places).expect("known types");
        assert_eq!(fingerprint(&row), fingerprint(&record), "{row}");
    }

    #[test]
    fn text_stays_text_where_the_file_does_not_call_it_json() {
        let row = rebuild(&batch(), 0, &JsonTextPlaces::default()).expect("known types");
        assert!(row["mixed"].is_string());
    }

    #[test]
    fn the_annotations_of_a_file_name_its_json_text() {
        let schema = "message record { optional binary a (STRING); optional binary b (JSON); \
                      optional group c { optional group d (LIST) { repeated group list { \
                      optional group element { optional binary e (JSON); } } } } }";
        let root = parquet::schema::parser::parse_message_type(schema).expect("a Parquet schema");
        let places = JsonTextPlaces::of(&root);
        assert_eq!(places.iter().collect::<Vec<_>>(), ["b", "c.d[].e"]);
    }
}
