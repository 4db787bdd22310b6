//! `MaskField`: fields whose values give way to a zero or a replacement.
//!
//! Difference: a Decimal whose replacement has another scale than its schema fails here. Java lets it pass
//! and fails as soon as the value is written.
//!
//! Source: `org.apache.kafka.connect.transforms.MaskField`, Kafka 4.1.

use std::cell::RefCell;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use bytes::Bytes;
use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Validator};
use lakeward_api::decimal::Decimal;
use lakeward_api::schema::{Kind, Logical, Schema};
use lakeward_api::transform::{Transform, Transformed};
use lakeward_api::value::Value;
use lakeward_api::{rows, shaped};

use crate::columns::{self, Plans, copy_of, fail_all, not_a_map, not_a_struct, put, under_parent};
use crate::layout::ShapePlans;
use crate::null_rows::{Failures, apart};
use crate::plugin::{KAFKA_VERSION, TransformClass};
use crate::settings::{REPLACE_NULL, Settings, non_empty_list, replace_null_key, with_default};
use crate::shape_fields::{FieldChanges, sample};
use crate::side::{Side, require_struct};
use crate::{cast_decimal, hash_order};

const PURPOSE: &str = "mask fields";

/// The classes of this file.
pub(crate) fn classes() -> Vec<TransformClass> {
    vec![
        TransformClass {
            class: "org.apache.kafka.connect.transforms.MaskField$Key",
            version: KAFKA_VERSION,
            config_def,
            new: |given| Ok(Box::new(MaskField::new(Side::Key, given)?)),
        },
        TransformClass {
            class: "org.apache.kafka.connect.transforms.MaskField$Value",
            version: KAFKA_VERSION,
            config_def,
            new: |given| Ok(Box::new(MaskField::new(Side::Value, given)?)),
        },
    ]
}

fn config_def() -> ConfigDef {
    let replacement = ConfigKey {
        validator: Validator::Custom(|_, text| match text {
            "" => Err("String must be non-empty".to_owned()),
            _ => Ok(()),
        }),
        ..with_default(
            "replacement",
            ConfigType::String,
            None,
            Importance::Low,
            "Custom value replacement, that will be applied to all 'fields' values (numeric or non-empty \
             string values only).",
        )
    };
    ConfigDef::new(vec![
        non_empty_list("fields", "Names of fields to mask."),
        replacement,
        replace_null_key(),
    ])
}

struct MaskField {
    side: Side,
    /// In the order in which Java's table holds them.
    fields: Vec<Arc<str>>,
    replacement: Option<Arc<str>>,
    replace_null: bool,
    plans: Plans<Result<Plan, ConnectError>>,
    shapes: ShapePlans<FieldChanges<Result<Mask, ConnectError>>>,
}

/// A mask per field of the struct; `None` where the value stays.
type Plan = Vec<Option<Result<Mask, ConnectError>>>;

/// The masked value of a field.
struct Mask {
    value: Value,
    /// The value in every row, made for the largest batch so far.
    column: RefCell<Option<ArrayRef>>,
}

impl Mask {
    fn new(value: Value) -> Self {
        Self { value, column: RefCell::new(None) }
    }

    /// The mask wherever `array`, a column of `schema` or else a shaped one, has a value.
    fn over(&self, schema: Option<&Schema>, array: &ArrayRef) -> Result<ArrayRef, ConnectError> {
        let rows = array.len();
        let mut column = self.column.borrow_mut();
        let column = match column.take() {
            Some(known) if known.len() >= rows => column.insert(known),
            _ => column.insert(match schema {
                Some(schema) => rows::constant(schema, &self.value, rows)?,
                // Null in every row without any: the type of the first batch is that of all.
                None => shaped::from_values(&vec![self.value.clone(); rows.max(1)])
                    .ok_or_else(|| ConnectError::fatal("a mask has no shape"))?,
            }),
        };
        under_parent(&column.slice(0, rows), array.nulls())
    }
}

impl MaskField {
    fn new(side: Side, given: &ConfigMap) -> Result<Self, ConnectError> {
        if given.get("fields").is_some_and(|text| text.trim().is_empty()) {
            return Err(ConnectError::config("Invalid value [] for configuration fields: Empty list"));
        }
        let settings = Settings::read(&config_def(), given)?;
        let mut fields: Vec<Arc<str>> =
            settings.list("fields").iter().map(|name| name.as_str().into()).collect();
        let size = hash_order::size_for(fields.len());
        hash_order::sort(&mut fields, size, |name| name);
        Ok(Self {
            side,
            fields,
            replacement: settings.get("replacement").map(Into::into),
            replace_null: settings.flag(REPLACE_NULL),
            plans: Plans::default(),
            shapes: ShapePlans::default(),
        })
    }

    fn typed(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let rows = batch.rows();
        let Values::Typed { schema, array } = self.side.of_mut(&mut batch) else {
            return Ok(Transformed::one(batch));
        };
        let plan = self.plans.get(schema, || {
            let structs = require_struct(schema, array, PURPOSE);
            Ok(structs.map(|_| plan(schema, &self.fields, self.replacement.as_deref())))
        })?;
        let plan = match plan {
            Ok(plan) => plan,
            Err(err) => return Ok(fail_all(&batch, err)),
        };
        let mut failures = Failures::default();
        let mut masked = Vec::with_capacity(plan.len());
        let sources = schema.fields().iter().zip(array.as_struct().columns());
        for ((field, column), mask) in sources.zip(plan) {
            let column = match self.replace_null {
                true => columns::with_default(&field.schema, column)?,
                false => Arc::clone(column),
            };
            masked.push(match mask {
                None => column,
                Some(Ok(mask)) => mask.over(Some(&field.schema), &column)?,
                Some(Err(err)) => {
                    failures.add_valid(&column, || copy_of(err));
                    column
                }
            });
        }
        *array = columns::struct_column(schema, masked, rows)?;
        columns::without(batch, failures.into_rows())
    }

    fn shaped(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let Values::Shaped(array) = self.side.of_mut(&mut batch) else { return self.schemaless(batch) };
        let Some(rows) = array.as_struct_opt() else {
            self.side.of_mut(&mut batch).unshape();
            return self.schemaless(batch);
        };
        let replacement = self.replacement.as_deref();
        let mask = |_: &Arc<str>, shape: &DataType| masked_value(&sample(shape), replacement).map(Mask::new);
        let make = || FieldChanges::new(rows, &self.fields, |name| name, mask);
        let mut failures = Failures::default();
        if let Some(nulls) = rows.nulls() {
            for row in (0..rows.len()).filter(|row| nulls.is_null(*row)) {
                failures.add(row, || not_a_map(&Value::Null, PURPOSE));
            }
        }
        *array = self.shapes.get(rows.data_type(), make).apply(rows, |mask, column| match mask {
            Ok(mask) if mask.value.is_null() => Ok(Arc::clone(column)),
            Ok(mask) => mask.over(None, column),
            Err(err) => {
                failures.add_valid(column, || copy_of(err));
                Ok(Arc::clone(column))
            }
        })?;
        columns::without(batch, failures.into_rows())
    }

    fn schemaless(&self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let mut failures = Failures::default();
        if let Values::Dynamic(values) = self.side.of_mut(&mut batch) {
            for (row, value) in values.iter_mut().enumerate() {
                if let Err(err) = self.value(value) {
                    failures.add(row, || err);
                }
            }
        }
        columns::without(batch, failures.into_rows())
    }

    fn value(&self, value: &mut Value) -> Result<(), ConnectError> {
        let members = columns::require_map(value, PURPOSE)?;
        for name in &self.fields {
            match members.iter_mut().find(|(key, _)| key.as_str() == Some(name)) {
                Some((_, member)) => *member = masked_value(member, self.replacement.as_deref())?,
                None => put(members, name, Value::Null),
            }
        }
        Ok(())
    }
}

impl Transform for MaskField {
    fn apply(&mut self, batch: SinkBatch) -> Result<Transformed, ConnectError> {
        match self.side.of(&batch) {
            Values::Shaped(_) => self.shaped(batch),
            Values::Null { .. } => Ok(fail_all(&batch, &not_a_map(&Value::Null, PURPOSE))),
            Values::Typed { .. } => apart(self.side, batch, |batch, is_null| {
                if is_null { Ok(fail_all(&batch, &not_a_struct("null", PURPOSE))) } else { self.typed(batch) }
            }),
            Values::Dynamic(_) => self.schemaless(batch),
        }
    }
}

fn plan(schema: &Schema, names: &[Arc<str>], replacement: Option<&str>) -> Plan {
    let mask = |field: &lakeward_api::schema::Field| {
        names.contains(&field.name).then(|| masked(&field.schema, replacement).map(Mask::new))
    };
    schema.fields().iter().map(mask).collect()
}

/// What every value of `schema` becomes.
fn masked(schema: &Schema, replacement: Option<&str>) -> Result<Value, ConnectError> {
    let sample = match (schema.logical(), &schema.kind) {
        (Some(Logical::Decimal { scale }), _) => {
            let zero = Value::Decimal(Decimal { unscaled: Bytes::from_static(&[0]), scale: 0 });
            let value = masked_value(&zero, replacement)?;
            return match value {
                Value::Decimal(decimal) if decimal.scale != scale => Err(ConnectError::data(format!(
                    "Decimal value has mismatching scale for given Decimal schema. Schema has scale {scale}, \
                     value has scale {}.",
                    decimal.scale
                ))),
                value => Ok(value),
            };
        }
        (Some(_), _) => Value::Date(0),
        (None, Kind::Array(_)) => Value::Array(Vec::new()),
        (None, Kind::Boolean) => Value::Boolean(false),
        (None, Kind::Float32) => Value::Float32(0.0),
        (None, Kind::Float64) => Value::Float64(0.0),
        (None, Kind::Int16) => Value::Int16(0),
        (None, Kind::Int32) => Value::Int32(0),
        (None, Kind::Int64) => Value::Int64(0),
        (None, Kind::Int8) => Value::Int8(0),
        (None, Kind::Map { .. }) => Value::Map(Vec::new()),
        (None, Kind::String) => Value::String("".into()),
        (None, Kind::Bytes | Kind::Recursive(_) | Kind::Struct(_)) => {
            return Err(cannot_mask(schema.java_class(), replacement));
        }
    };
    masked_value(&sample, replacement)
}

/// The masked form of a value; null stays null.
fn masked_value(value: &Value, replacement: Option<&str>) -> Result<Value, ConnectError> {
    let Some(replacement) = replacement else {
        return Ok(match value {
            Value::Array(_) => Value::Array(Vec::new()),
            Value::Boolean(_) => Value::Boolean(false),
            Value::Date(_) => Value::Date(0),
            Value::Decimal(_) => Value::Decimal(Decimal { unscaled: Bytes::from_static(&[0]), scale: 0 }),
            Value::Float32(_) => Value::Float32(0.0),
            Value::Float64(_) => Value::Float64(0.0),
            Value::Int16(_) => Value::Int16(0),
            Value::Int32(_) => Value::Int32(0),
            Value::Int64(_) => Value::Int64(0),
            Value::Int8(_) => Value::Int8(0),
            Value::Map(_) => Value::Map(Vec::new()),
            Value::Null => Value::Null,
            Value::String(_) => Value::String("".into()),
            Value::Bytes(_) | Value::Struct(_) => return Err(cannot_mask(value.java_class(), None)),
        });
    };
    let number = || {
        Decimal::parse(replacement).ok_or_else(|| {
            ConnectError::data(format!(
                "Unable to convert {replacement} (class java.lang.String) to a number"
            ))
        })
    };
    let integer = || number().map(|number| cast_decimal::to_i64(&number.unscaled, number.scale));
    let double = || number().map(|number| cast_decimal::to_f64(&number.unscaled, number.scale));
    Ok(match value {
        Value::Null => Value::Null,
        Value::String(_) => Value::String(replacement.into()),
        Value::Float32(_) => Value::Float32(double()? as f32),
        Value::Float64(_) => Value::Float64(double()?),
        Value::Int16(_) => Value::Int16(integer()? as i16),
        Value::Int32(_) => Value::Int32(integer()? as i32),
        Value::Int64(_) => Value::Int64(integer()?),
        Value::Int8(_) => Value::Int8(integer()? as i8),
        Value::Decimal(_) => Value::Decimal(Decimal::parse(replacement).ok_or_else(|| {
            ConnectError::data(format!("Unable to convert {replacement} (class java.lang.String) to number"))
        })?),
        _ => return Err(cannot_mask(value.java_class(), Some(replacement))),
    })
}

fn cannot_mask(class: &str, replacement: Option<&str>) -> ConnectError {
    ConnectError::data(match replacement {
        None => format!("Cannot mask value of type: class {class}"),
        Some(_) => format!("Cannot mask value of type class {class} with custom replacement."),
    })
}

#[cfg(test)]
mod tests;
