//! `Flatten`: nested structs and maps as one level of fields.
//!
//! Source: `org.apache.kafka.connect.transforms.Flatten`, Kafka 4.1.

mod shaped;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigType, Importance};
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::transform::{Transform, Transformed};
use lakeward_api::value::Value;
use lakeward_api::{ConnectError, ErrorClass};

use crate::columns::{self, Plans, fail_all, under_parent};
use crate::layout::ShapePlans;
use crate::null_rows::{Failures, apart, keep};
use crate::plugin::{KAFKA_VERSION, TransformClass};
use crate::settings::{Settings, with_default};
use crate::side::{Side, require_struct};
use crate::{hash_order, layout, schemas};

const PURPOSE: &str = "flattening";
/// Deeper nesting than this fails: Java's stack ends somewhere, too.
const LEVELS: usize = 1_000;

/// The classes of this file.
pub(crate) fn classes() -> Vec<TransformClass> {
    vec![
        TransformClass {
            class: "org.apache.kafka.connect.transforms.Flatten$Key",
            version: KAFKA_VERSION,
            config_def,
            new: |given| Ok(Box::new(Flatten::new(Side::Key, given)?)),
        },
        TransformClass {
            class: "org.apache.kafka.connect.transforms.Flatten$Value",
            version: KAFKA_VERSION,
            config_def,
            new: |given| Ok(Box::new(Flatten::new(Side::Value, given)?)),
        },
    ]
}

fn config_def() -> ConfigDef {
    ConfigDef::new(vec![with_default(
        "delimiter",
        ConfigType::String,
        Some("."),
        Importance::Medium,
        "Delimiter to insert between field names from the input record when generating field names for the \
         output record",
    )])
}

struct Flatten {
    side: Side,
    delimiter: String,
    plans: Plans<Result<Arc<Schema>, ConnectError>>,
    shapes: ShapePlans<shaped::Plan>,
}

impl Flatten {
    fn new(side: Side, given: &ConfigMap) -> Result<Self, ConnectError> {
        let settings = Settings::read(&config_def(), given)?;
        let delimiter = settings.text("delimiter").to_owned();
        Ok(Self { side, delimiter, plans: Plans::default(), shapes: ShapePlans::default() })
    }

    fn typed(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let Values::Typed { schema, array } = self.side.of(&batch) else { return keep(batch) };
        let plan = self.plans.get(schema, || {
            let structs = require_struct(schema, array, PURPOSE);
            Ok(structs.and_then(|_| plan(schema, &self.delimiter)))
        })?;
        let flat = match plan {
            Ok(flat) => flat,
            Err(err) => return Ok(fail_all(&batch, err)),
        };
        let mut leaves = Vec::with_capacity(flat.fields().len());
        collect(schema, array, None, &mut leaves)?;
        let array = columns::struct_column(flat, leaves, batch.rows())?;
        *self.side.of_mut(&mut batch) = Values::Typed { schema: Arc::clone(flat), array };
        keep(batch)
    }

    fn shaped(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let values = self.side.of_mut(&mut batch);
        let Some(rows) = layout::maps(values) else {
            values.unshape();
            return self.schemaless(batch);
        };
        let make = || shaped::Plan::new(rows.fields(), &self.delimiter);
        let plan = self.shapes.get(rows.data_type(), make);
        let mut failures = Failures::default();
        if let Some(flat) = plan.apply(rows, &mut failures)? {
            *values = Values::Shaped(flat);
        } else if let Some(flat) = plan.rows(rows) {
            *values = Values::Dynamic(flat);
        } else {
            values.unshape();
            return self.schemaless(batch);
        }
        columns::without(batch, failures.into_rows())
    }

    fn schemaless(&self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let mut failures = Failures::default();
        if let Values::Dynamic(values) = self.side.of_mut(&mut batch) {
            for (row, value) in values.iter_mut().enumerate().filter(|(_, value)| !value.is_null()) {
                if let Err(err) = self.value(value) {
                    failures.add(row, || err);
                }
            }
        }
        columns::without(batch, failures.into_rows())
    }

    fn value(&self, value: &mut Value) -> Result<(), ConnectError> {
        let members = std::mem::take(columns::require_map(value, PURPOSE)?);
        let mut flat = FlatMap::default();
        self.members(members, Some(""), 0, &mut flat)?;
        *value = Value::Map(flat.members);
        Ok(())
    }

    /// Moves the leaves of a map into `flat`, in Java's order: it decides which of two leaves of one name
    /// stays. The prefix is empty at the top and `None` when it is a null key.
    fn members(
        &self,
        mut members: Vec<(Value, Value)>,
        prefix: Option<&str>,
        level: usize,
        flat: &mut FlatMap,
    ) -> Result<(), ConnectError> {
        if level > LEVELS {
            return Err(too_deep());
        }
        hash_order::sort_members(&mut members);
        for (key, member) in members {
            let name = match (prefix, key) {
                (_, key) if !matches!(key, Value::String(_) | Value::Null) => {
                    return Err(schemas::not_a_string(key.java_class()));
                }
                (None, _) => return Err(null_prefix()),
                (Some(""), key) => key,
                (Some(prefix), key) => self.joined(prefix, key.as_str().unwrap_or("null")),
            };
            match member {
                Value::Map(inner) => {
                    self.members(inner, name.as_str(), level + 1, flat)?;
                }
                Value::Date(_) | Value::Decimal(_) => {
                    return Err(no_data(&member));
                }
                member => flat.put(name, member),
            }
        }
        Ok(())
    }

    fn joined(&self, prefix: &str, name: &str) -> Value {
        Value::String(format!("{prefix}{}{name}", self.delimiter).into())
    }
}

/// Members under unique keys; a later one replaces an earlier one in its place.
#[derive(Default)]
struct FlatMap {
    members: Vec<(Value, Value)>,
    /// Places by key, once there are many.
    places: std::collections::HashMap<Arc<str>, usize>,
}

/// Up to here looking at every key is faster than a table.
const FEW: usize = 16;

impl FlatMap {
    fn put(&mut self, key: Value, member: Value) {
        if let Some(place) = self.place(&key) {
            self.members[place].1 = member;
            return;
        }
        if self.members.len() >= FEW {
            if self.places.is_empty() {
                let texts = self.members.iter().enumerate();
                self.places = texts
                    .filter_map(|(place, (key, _))| match key {
                        Value::String(text) => Some((Arc::clone(text), place)),
                        _ => None,
                    })
                    .collect();
            }
            if let Value::String(text) = &key {
                self.places.insert(Arc::clone(text), self.members.len());
            }
        }
        self.members.push((key, member));
    }

    fn place(&self, key: &Value) -> Option<usize> {
        match key {
            Value::String(text) if self.members.len() > FEW => self.places.get(&**text).copied(),
            _ => self.members.iter().position(|(known, _)| known == key),
        }
    }
}

impl Transform for Flatten {
    fn apply(&mut self, batch: SinkBatch) -> Result<Transformed, ConnectError> {
        match self.side.of(&batch) {
            Values::Shaped(_) => self.shaped(batch),
            Values::Null { .. } => keep(batch),
            Values::Typed { .. } => {
                apart(
                    self.side,
                    batch,
                    |batch, is_null| {
                        if is_null { keep(batch) } else { self.typed(batch) }
                    },
                )
            }
            Values::Dynamic(_) => self.schemaless(batch),
        }
    }
}

fn no_data(member: &Value) -> ConnectError {
    ConnectError::data(format!(
        "Flatten transformation was passed a value of type class {} which is not supported by Connect's data \
         API",
        member.java_class()
    ))
}

/// Java trips over a map under a null key.
fn null_prefix() -> ConnectError {
    let class = "java.lang.NullPointerException";
    let text = "Cannot invoke \"String.isEmpty()\" because \"prefix\" is null";
    ConnectError::new(ErrorClass::Record, class, text)
}

fn too_deep() -> ConnectError {
    ConnectError::data(format!("Flatten transformation does not support more than {LEVELS} levels"))
}

/// Java's stack overflows here, which ends the task.
fn endless(name: &str) -> ConnectError {
    ConnectError::data(format!(
        "Flatten transformation does not support a STRUCT that contains itself (for field {name})."
    ))
}

fn plan(schema: &Schema, delimiter: &str) -> Result<Arc<Schema>, ConnectError> {
    let mut flat = Flat { fields: Vec::new(), delimiter };
    flat.add(schema, "", schema.optional, schema.default.as_ref(), 0)?;
    Ok(Arc::new(columns::struct_like(schema, flat.fields)))
}

struct Flat<'a> {
    fields: Vec<Field>,
    delimiter: &'a str,
}

impl Flat<'_> {
    /// Adds the leaves of a struct. `optional` is true when it or anything around it may be null, `default`
    /// is the struct that stands in for it.
    fn add(
        &mut self,
        schema: &Schema,
        prefix: &str,
        optional: bool,
        default: Option<&Value>,
        level: usize,
    ) -> Result<(), ConnectError> {
        if level > LEVELS {
            return Err(too_deep());
        }
        for (index, field) in schema.fields().iter().enumerate() {
            let name = match prefix {
                "" => field.name.to_string(),
                prefix => format!("{prefix}{}{}", self.delimiter, field.name),
            };
            let optional = optional || field.schema.optional;
            let inherited = match default {
                Some(Value::Struct(values)) => values.get(index),
                _ => None,
            };
            let given = |value: &&Value| !value.is_null();
            let default = field.schema.default.as_ref().filter(given).or(inherited.filter(given));
            match &field.schema.kind {
                Kind::Struct(_) => self.add(&field.schema, &name, optional, default, level + 1)?,
                Kind::Recursive(_) => return Err(endless(&name)),
                Kind::Map { .. } => {
                    return Err(ConnectError::data(format!(
                        "Flatten transformation does not support {} for record with schemas (for \
                         field {name}).",
                        field.schema.kind.name()
                    )));
                }
                kind => {
                    let schema = Schema {
                        kind: kind.clone(),
                        optional,
                        default: default.cloned(),
                        ..columns::struct_like(&field.schema, Vec::new())
                    };
                    columns::add_field(&mut self.fields, &name, Arc::new(schema))?;
                }
            }
        }
        Ok(())
    }
}

/// Appends the leaves of a struct column, null where anything around them is null.
fn collect(
    schema: &Schema,
    array: &ArrayRef,
    around: Option<&NullBuffer>,
    leaves: &mut Vec<ArrayRef>,
) -> Result<(), ConnectError> {
    let nulls = NullBuffer::union(around, array.nulls());
    for (field, column) in schema.fields().iter().zip(array.as_struct().columns()) {
        if matches!(field.schema.kind, Kind::Struct(_)) {
            collect(&field.schema, column, nulls.as_ref(), leaves)?;
        } else {
            let filled = columns::with_default(&field.schema, column)?;
            leaves.push(under_parent(&filled, nulls.as_ref())?);
        }
    }
    Ok(())
}
