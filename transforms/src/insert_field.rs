//! `InsertField`: adds topic, partition, offset, timestamp or a fixed text to the key or value.
//!
//! Typed values share their columns with the input; the new columns are constants and the batch's own
//! offsets and timestamps. Null keys and values stay as they are.
//!
//! Source: `org.apache.kafka.connect.transforms.InsertField`, Kafka 4.1.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMillisecondType;
use arrow_array::{Array, ArrayRef, Int32Array, Int64Array, PrimitiveArray, StringArray};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigType, Importance};
use lakeward_api::schema::{Kind, Logical, Schema};
use lakeward_api::transform::{Transform, Transformed};
use lakeward_api::value::Value;

use crate::columns::{self, Plans, fail_all, put, require_map};
use crate::merge;
use crate::plugin::{KAFKA_VERSION, TransformClass};
use crate::settings::{REPLACE_NULL, Settings, replace_null_key, with_default};
use crate::side::{Side, require_struct};

const PURPOSE: &str = "field insertion";

/// The classes of this file.
pub(crate) fn classes() -> Vec<TransformClass> {
    vec![
        TransformClass {
            class: "org.apache.kafka.connect.transforms.InsertField$Key",
            version: KAFKA_VERSION,
            config_def,
            new: |given| Ok(Box::new(InsertField::new(Side::Key, given)?)),
        },
        TransformClass {
            class: "org.apache.kafka.connect.transforms.InsertField$Value",
            version: KAFKA_VERSION,
            config_def,
            new: |given| Ok(Box::new(InsertField::new(Side::Value, given)?)),
        },
    ]
}

fn config_def() -> ConfigDef {
    let optionality = "Suffix with <code>!</code> to make this a required field, or <code>?</code> to keep \
                       it optional (the default).";
    let key = |name, doc: &str| with_default(name, ConfigType::String, None, Importance::Medium, doc);
    ConfigDef::new(vec![
        key("topic.field", &format!("Field name for Kafka topic. {optionality}")),
        key("partition.field", &format!("Field name for Kafka partition. {optionality}")),
        key(
            "offset.field",
            &format!("Field name for Kafka offset - only applicable to sink connectors.<br/>{optionality}"),
        ),
        key("timestamp.field", &format!("Field name for record timestamp. {optionality}")),
        key("static.field", &format!("Field name for static data field. {optionality}")),
        key("static.value", "Static field value, if field name configured."),
        replace_null_key(),
    ])
}

struct InsertField {
    side: Side,
    inserts: Vec<Insert>,
    replace_null: bool,
    plans: Plans<Result<Arc<Schema>, ConnectError>>,
}

/// A field to add.
struct Insert {
    name: Arc<str>,
    what: What,
    schema: Arc<Schema>,
}

enum What {
    Offset,
    Partition,
    Static(Arc<str>),
    Timestamp,
    Topic,
}

impl InsertField {
    fn new(side: Side, given: &ConfigMap) -> Result<Self, ConnectError> {
        let settings = Settings::read(&config_def(), given)?;
        let mut inserts = Vec::new();
        let mut add = |key: &str, what: What| {
            if let Some(spec) = settings.get(key) {
                inserts.push(Insert::new(spec, what));
            }
        };
        add("topic.field", What::Topic);
        add("partition.field", What::Partition);
        add("offset.field", What::Offset);
        add("timestamp.field", What::Timestamp);
        if let Some(text) = settings.get("static.value") {
            add("static.field", What::Static(text.into()));
        } else if let Some(field) = settings.get("static.field") {
            return Err(ConnectError::config(format!(
                "Invalid value null for configuration static.value: No value specified for static field: \
                 {field}"
            )));
        }
        if inserts.is_empty() {
            return Err(ConnectError::config("No field insertion configured"));
        }
        let replace_null = settings.flag(REPLACE_NULL);
        Ok(Self { side, inserts, replace_null, plans: Plans::default() })
    }

    fn typed(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let Values::Typed { schema, array } = self.side.of(&batch) else {
            return Ok(Transformed::one(batch));
        };
        if array.null_count() == array.len() {
            return Ok(Transformed::one(batch));
        }
        if array.null_count() > 0 {
            let (full, null) = columns::by_nulls(array);
            let full = merge::move_rows(&mut batch, &full)?;
            let null = merge::move_rows(&mut batch, &null)?;
            let Transformed { batches, errors } = self.typed(full)?;
            let mut merged = Vec::new();
            merge::in_order(null, batches, &mut merged)?;
            return Ok(Transformed { batches: merged, errors });
        }
        let inserts = &self.inserts;
        let updated = match self.plans.get(schema, || Ok(updated(schema, array, inserts)))? {
            Ok(updated) => Arc::clone(updated),
            Err(err) => return Ok(fail_all(&batch, err)),
        };
        if self.requires_timestamp() && batch.timestamps_ms.contains(&None) {
            return self.without_timestamps(batch);
        }
        let mut all = array.as_struct().columns().to_vec();
        if self.replace_null {
            for (field, column) in schema.fields().iter().zip(&mut all) {
                *column = columns::with_default(&field.schema, column)?;
            }
        }
        for insert in &self.inserts {
            all.push(insert.column(&batch)?);
        }
        let array = columns::struct_column(&updated, all, batch.rows())?;
        *self.side.of_mut(&mut batch) = Values::Typed { schema: updated, array };
        Ok(Transformed::one(batch))
    }

    fn requires_timestamp(&self) -> bool {
        self.inserts.iter().any(|insert| matches!(insert.what, What::Timestamp) && !insert.schema.optional)
    }

    /// Java would hand on a struct that is not valid; here the record fails where the value is missing.
    fn without_timestamps(&mut self, batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let missing = batch.timestamps_ms.iter().enumerate().filter(|(_, at)| at.is_none());
        let text = "Invalid value: null used for required field of the record's timestamp";
        let failed = missing.map(|(row, _)| (row, ConnectError::data(text))).collect();
        let mut outcome = columns::without(batch, failed)?;
        if let Some(batch) = outcome.batches.pop() {
            outcome.batches = self.typed(batch)?.batches;
        }
        Ok(outcome)
    }

    fn row(&self, value: &mut Value, source: &Source<'_>) -> Result<(), ConnectError> {
        if value.is_null() {
            return Ok(());
        }
        let members = require_map(value, PURPOSE)?;
        for insert in &self.inserts {
            let value = match &insert.what {
                What::Offset => Value::Int64(source.offset),
                What::Partition => Value::Int32(source.partition),
                What::Static(text) => Value::String(Arc::clone(text)),
                What::Timestamp => match source.timestamp_ms {
                    Some(timestamp) => Value::Int64(timestamp),
                    None => continue,
                },
                What::Topic => Value::String(Arc::clone(source.topic)),
            };
            put(members, &insert.name, value);
        }
        Ok(())
    }
}

/// Where a schemaless row came from.
struct Source<'a> {
    topic: &'a Arc<str>,
    partition: i32,
    offset: i64,
    timestamp_ms: Option<i64>,
}

impl Transform for InsertField {
    fn apply(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let mut values = match self.side.of_mut(&mut batch).unshape() {
            Values::Shaped(_) => unreachable!("just taken apart"),
            Values::Typed { .. } => return self.typed(batch),
            Values::Null { .. } => return Ok(Transformed::one(batch)),
            Values::Dynamic(values) => std::mem::take(values),
        };
        let mut failed = Vec::new();
        for (row, value) in values.iter_mut().enumerate() {
            let source = Source {
                topic: &batch.topic,
                partition: batch.partition.partition,
                offset: batch.offsets[row],
                timestamp_ms: batch.timestamps_ms[row],
            };
            if let Err(err) = self.row(value, &source) {
                failed.push((row, err));
            }
        }
        *self.side.of_mut(&mut batch) = Values::Dynamic(values);
        columns::without(batch, failed)
    }
}

impl Insert {
    /// A name may end in `!` (required) or `?` (optional, as without suffix).
    fn new(spec: &str, what: What) -> Self {
        let (name, optional) = match (spec.strip_suffix('?'), spec.strip_suffix('!')) {
            (Some(name), _) => (name, true),
            (None, Some(name)) => (name, false),
            (None, None) => (spec, true),
        };
        let schema = match what {
            What::Offset => Schema::new(Kind::Int64),
            What::Partition => Schema::new(Kind::Int32),
            What::Static(_) | What::Topic => Schema::new(Kind::String),
            What::Timestamp => Schema::logical_of(Logical::Timestamp),
        };
        Self { name: name.into(), what, schema: Arc::new(Schema { optional, ..schema }) }
    }

    fn column(&self, batch: &SinkBatch) -> Result<ArrayRef, ConnectError> {
        let rows = batch.rows();
        Ok(match &self.what {
            What::Offset => Arc::new(Int64Array::from(batch.offsets.clone())),
            What::Partition => Arc::new(Int32Array::from_value(batch.partition.partition, rows)),
            What::Static(text) => Arc::new(repeated(text, rows)?),
            What::Timestamp => {
                let times: PrimitiveArray<TimestampMillisecondType> =
                    batch.timestamps_ms.iter().copied().collect();
                Arc::new(times.with_timezone("UTC"))
            }
            What::Topic => Arc::new(repeated(&batch.topic, rows)?),
        })
    }
}

/// `rows` times the same text, copied in one piece.
fn repeated(text: &str, rows: usize) -> Result<StringArray, ConnectError> {
    let too_long = || ConnectError::fatal("an inserted column holds more than 2^31 bytes");
    let step = i32::try_from(text.len()).map_err(|_| too_long())?;
    let count = i32::try_from(rows).map_err(|_| too_long())?;
    step.checked_mul(count).ok_or_else(too_long)?;
    let ends: ScalarBuffer<i32> = (0..=count).map(|row| row * step).collect();
    let bytes = Buffer::from_vec(text.repeat(rows).into_bytes());
    StringArray::try_new(OffsetBuffer::new(ends), bytes, None)
        .map_err(|err| ConnectError::fatal("a column could not be built").with_source(err))
}

fn updated(schema: &Arc<Schema>, array: &ArrayRef, inserts: &[Insert]) -> Result<Arc<Schema>, ConnectError> {
    require_struct(schema, array, PURPOSE)?;
    let mut fields = schema.fields().to_vec();
    for insert in inserts {
        columns::add_field(&mut fields, &insert.name, Arc::clone(&insert.schema))?;
    }
    Ok(Arc::new(columns::struct_like(schema, fields)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{batch, map, only, rows, structure, text, transform, typed};

    const ALL: [(&str, &str); 6] = [
        ("topic.field", "t!"),
        ("partition.field", "p?"),
        ("offset.field", "o"),
        ("timestamp.field", "at"),
        ("static.field", "s"),
        ("static.value", "x"),
    ];

    #[test]
    fn fields_are_appended_in_order_and_null_rows_stay() {
        let mut schema = structure(vec![("a", Schema::new(Kind::Int8))]);
        schema.optional = true;
        let row = Value::Struct(vec![Value::Int8(1)]);
        let input = batch(typed(schema, &[row.clone(), Value::Null, row]));
        let outcome = transform("InsertField$Value", &ALL).apply(input).unwrap();
        let offsets: Vec<_> = outcome.batches.iter().map(|batch| batch.offsets.clone()).collect();
        assert_eq!(offsets, [[10], [11], [12]]);
        assert_eq!(
            rows(&outcome.batches[2].values),
            [Value::Struct(vec![
                Value::Int8(1),
                text("t"),
                Value::Int32(3),
                Value::Int64(12),
                Value::Date(3000),
                text("x")
            ])]
        );
        let schema = outcome.batches[2].values.schema().unwrap();
        let optional: Vec<_> = schema.fields().iter().map(|field| field.schema.optional).collect();
        assert_eq!(optional, [false, false, true, true, true, true]);
        assert!(!schema.optional);
        assert_eq!(rows(&outcome.batches[1].values), [Value::Null]);
        assert_eq!(outcome.batches[1].values.schema().unwrap().fields().len(), 1);
    }

    #[test]
    fn members_of_maps_are_replaced_and_timestamps_left_out() {
        let mut input = batch(Values::Dynamic(vec![map(&[("o", text("old"))]), Value::Null]));
        input.timestamps_ms[0] = None;
        let output = only(transform("InsertField$Value", &ALL).apply(input).unwrap());
        let expected =
            map(&[("o", Value::Int64(10)), ("t", text("t")), ("p", Value::Int32(3)), ("s", text("x"))]);
        assert_eq!(rows(&output.values), [expected, Value::Null]);
    }

    #[test]
    fn a_required_timestamp_must_be_there() {
        let schema = structure(vec![("a", Schema::new(Kind::Int8))]);
        let row = Value::Struct(vec![Value::Int8(1)]);
        let mut input = batch(typed(schema, &[row.clone(), row]));
        input.timestamps_ms[1] = None;
        let outcome = transform("InsertField$Value", &[("timestamp.field", "at!")]).apply(input).unwrap();
        assert_eq!(outcome.batches[0].offsets, [10]);
        assert_eq!(outcome.errors[0].0, 11);
    }

    #[test]
    fn equal_names_fail_every_record() {
        let schema = structure(vec![("a", Schema::new(Kind::Int8))]);
        let input = batch(typed(schema, &[Value::Struct(vec![Value::Int8(1)])]));
        let outcome = transform("InsertField$Value", &[("offset.field", "a")]).apply(input).unwrap();
        let err = &outcome.errors[0].1;
        assert_eq!(err.java_class(), "org.apache.kafka.connect.errors.SchemaBuilderException");
        assert_eq!(err.to_string(), "Cannot create field because of field name duplication a");
    }
}
