//! `InsertField`: adds topic, partition, offset, timestamp or a fixed text to the key or value.
//!
//! Typed values and schemaless ones of one shape share their columns with the input; the new columns are
//! constants and the batch's own offsets and timestamps. Null keys and values stay as they are.
//!
//! Source: `org.apache.kafka.connect.transforms.InsertField`, Kafka 4.1.

mod column;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, Int32Array, Int64Array};
use arrow_schema::{DataType, Fields};
use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigType, Importance};
use lakeward_api::schema::{Kind, Logical, Schema};
use lakeward_api::transform::{Transform, Transformed};
use lakeward_api::value::Value;

use self::column::Constant;
use crate::columns::{self, Plans, fail_all, put, require_map};
use crate::layout::{self, Layout, ShapePlans, Source};
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
    is_source: bool,
    plans: Plans<Result<Arc<Schema>, ConnectError>>,
    layouts: ShapePlans<Layout>,
}

/// A field to add.
struct Insert {
    name: Arc<str>,
    what: What,
    schema: Arc<Schema>,
    constant: Constant,
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
        Ok(Self {
            side,
            inserts,
            replace_null,
            is_source: false,
            plans: Plans::default(),
            layouts: ShapePlans::default(),
        })
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
        if self.wants_missing_offset() {
            return Ok(fail_all(&batch, &no_offset()));
        }
        if self.is_source && batch.partition.partition < 0 && self.requires_partition() {
            return Ok(fail_all(&batch, &no_partition()));
        }
        if self.requires_timestamp() && batch.timestamps_ms.contains(&None) {
            return self.without_timestamps(batch);
        }
        let mut all = array.as_struct().columns().to_vec();
        if self.replace_null {
            for (field, column) in schema.fields().iter().zip(&mut all) {
                *column = columns::with_default(&field.schema, column)?;
            }
        }
        for insert in &mut self.inserts {
            all.push(insert.typed_column(&batch)?);
        }
        let array = columns::struct_column(&updated, all, batch.rows())?;
        *self.side.of_mut(&mut batch) = Values::Typed { schema: updated, array };
        Ok(Transformed::one(batch))
    }

    /// Records of a source have no offset.
    fn wants_missing_offset(&self) -> bool {
        self.is_source && self.inserts.iter().any(|insert| matches!(insert.what, What::Offset))
    }

    fn requires_partition(&self) -> bool {
        self.inserts.iter().any(|insert| matches!(insert.what, What::Partition) && !insert.schema.optional)
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

    fn shaped(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let Some(maps) = layout::maps(self.side.of(&batch)) else { return Ok(Transformed::one(batch)) };
        let mut new = Vec::with_capacity(self.inserts.len());
        for insert in &mut self.inserts {
            new.push(insert.shaped_column(&batch)?);
        }
        let layout = self.layouts.get(maps.data_type(), || laid_out(maps.fields(), &self.inserts));
        let array = layout.apply(maps, &new)?;
        *self.side.of_mut(&mut batch) = Values::Shaped(array);
        Ok(Transformed::one(batch))
    }

    /// Whether maps of one shape still have one shape afterwards: a timestamp that is missing is no member.
    fn keeps_shape(&self, batch: &SinkBatch) -> bool {
        let wants_time = self.inserts.iter().any(|insert| matches!(insert.what, What::Timestamp));
        let wants_partition = self.inserts.iter().any(|insert| matches!(insert.what, What::Partition));
        let lacks_partition = wants_partition && self.is_source && batch.partition.partition < 0;
        if lacks_partition || self.wants_missing_offset() {
            return false;
        }
        layout::maps(self.side.of(batch)).is_some() && !(wants_time && batch.timestamps_ms.contains(&None))
    }

    fn dynamic(&self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let Some(values) = columns::dynamic_rows(self.side.of_mut(&mut batch)) else {
            return Ok(Transformed::one(batch));
        };
        let mut values = std::mem::take(values);
        let mut failed = Vec::new();
        for (row, value) in values.iter_mut().enumerate() {
            let origin = Origin {
                topic: &batch.topic,
                partition: batch.partition.partition,
                offset: batch.offsets[row],
                timestamp_ms: batch.timestamps_ms[row],
            };
            if let Err(err) = self.row(value, &origin) {
                failed.push((row, err));
            }
        }
        *self.side.of_mut(&mut batch) = Values::Dynamic(values);
        columns::without(batch, failed)
    }

    fn row(&self, value: &mut Value, origin: &Origin<'_>) -> Result<(), ConnectError> {
        if value.is_null() {
            return Ok(());
        }
        let members = require_map(value, PURPOSE)?;
        for insert in &self.inserts {
            let value = match &insert.what {
                What::Offset if self.is_source => return Err(no_offset()),
                What::Offset => Value::Int64(origin.offset),
                What::Partition if self.is_source && origin.partition < 0 => continue,
                What::Partition => Value::Int32(origin.partition),
                What::Static(text) => Value::String(Arc::clone(text)),
                What::Timestamp => match origin.timestamp_ms {
                    Some(timestamp) => Value::Int64(timestamp),
                    None => continue,
                },
                What::Topic => Value::String(Arc::clone(origin.topic)),
            };
            put(members, &insert.name, value);
        }
        Ok(())
    }
}

fn no_offset() -> ConnectError {
    ConnectError::data(
        "Only SinkRecord supported for [field insertion], found: \
         org.apache.kafka.connect.source.SourceRecord",
    )
}

/// Java would hand on a struct that is not valid.
fn no_partition() -> ConnectError {
    ConnectError::data("Invalid value: null used for required field of the record's partition")
}

/// Where a schemaless row came from.
struct Origin<'a> {
    topic: &'a Arc<str>,
    partition: i32,
    offset: i64,
    timestamp_ms: Option<i64>,
}

impl Transform for InsertField {
    fn apply(&mut self, batch: SinkBatch) -> Result<Transformed, ConnectError> {
        match self.side.of(&batch) {
            Values::Null { .. } => Ok(Transformed::one(batch)),
            Values::Typed { .. } => self.typed(batch),
            Values::Shaped(_) if self.keeps_shape(&batch) => self.shaped(batch),
            Values::Dynamic(_) | Values::Shaped(_) => self.dynamic(batch),
        }
    }

    fn expect_source_records(&mut self) {
        self.is_source = true;
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
        let schema = Arc::new(Schema { optional, ..schema });
        Self { name: name.into(), what, schema, constant: Constant::default() }
    }

    /// The column under the schema of this field.
    fn typed_column(&mut self, batch: &SinkBatch) -> Result<ArrayRef, ConnectError> {
        match self.what {
            What::Timestamp => Ok(Arc::new(column::timestamps(batch))),
            What::Partition if batch.partition.partition < 0 => {
                Ok(Arc::new(Int32Array::new_null(batch.rows())))
            }
            _ => self.shaped_column(batch),
        }
    }

    /// The column without a schema.
    fn shaped_column(&mut self, batch: &SinkBatch) -> Result<ArrayRef, ConnectError> {
        let rows = batch.rows();
        match &self.what {
            What::Offset => Ok(Arc::new(Int64Array::from(batch.offsets.clone()))),
            What::Partition => Ok(self.constant.number(batch.partition.partition, rows)),
            What::Static(text) => self.constant.text(text, rows),
            What::Timestamp => Ok(Arc::new(column::times(batch))),
            What::Topic => self.constant.text(&batch.topic, rows),
        }
    }

    /// The type of the column without a schema.
    fn shape(&self) -> DataType {
        match self.what {
            What::Offset | What::Timestamp => DataType::Int64,
            What::Partition => DataType::Int32,
            What::Static(_) | What::Topic => DataType::Utf8,
        }
    }
}

fn updated(schema: &Arc<Schema>, array: &ArrayRef, inserts: &[Insert]) -> Result<Arc<Schema>, ConnectError> {
    require_struct(schema, array, PURPOSE)?;
    let mut fields = schema.fields().to_vec();
    for insert in inserts {
        columns::add_field(&mut fields, &insert.name, Arc::clone(&insert.schema))?;
    }
    Ok(Arc::new(columns::struct_like(schema, fields)))
}

/// Maps after [`put`] of every field.
fn laid_out(old: &Fields, inserts: &[Insert]) -> Layout {
    let mut entries = Layout::entries(old);
    for (at, insert) in inserts.iter().enumerate() {
        let entry = (layout::key(&insert.name, insert.shape()), Source::New(at));
        match entries.iter_mut().find(|(known, _)| **known.name() == *insert.name) {
            Some(known) => *known = entry,
            None => entries.push(entry),
        }
    }
    Layout::new(entries)
}
