//! `Cast`: fields, or whole keys and values, as another type.
//!
//! Source: `org.apache.kafka.connect.transforms.Cast`, Kafka 4.1.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Validator, parse_list};
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::transform::{Transform, Transformed};
use lakeward_api::value::Value;
use lakeward_api::{ConnectError, ErrorClass};

use crate::cast_column::{self, Target};
use crate::columns::{self, Plans, fail_all, put};
use crate::layout::ShapePlans;
use crate::null_rows::{Failures, apart, keep};
use crate::plugin::{KAFKA_VERSION, TransformClass};
use crate::settings::{REPLACE_NULL, Settings, replace_null_key, required};
use crate::shape_fields::FieldChanges;
use crate::side::Side;
use crate::{cast_value, hash_order, schemas};

const PURPOSE: &str = "cast types";

/// The classes of this file.
pub(crate) fn classes() -> Vec<TransformClass> {
    vec![
        TransformClass {
            class: "org.apache.kafka.connect.transforms.Cast$Key",
            version: KAFKA_VERSION,
            config_def,
            new: |given| Ok(Box::new(Cast::new(Side::Key, given)?)),
        },
        TransformClass {
            class: "org.apache.kafka.connect.transforms.Cast$Value",
            version: KAFKA_VERSION,
            config_def,
            new: |given| Ok(Box::new(Cast::new(Side::Value, given)?)),
        },
    ]
}

fn config_def() -> ConfigDef {
    let spec = required(
        "spec",
        ConfigType::List,
        Importance::High,
        "List of fields and the type to cast them to of the form field1:type,field2:type to cast fields of \
         Maps or Structs. A single type to cast the entire value. Valid types are int8, int16, int32, int64, \
         float32, float64, boolean, and string. Note that binary fields can only be cast to string.",
    );
    let validator =
        Validator::CustomWords(|_, text| Spec::parse(text).map(|_| ()).map_err(|err| err.to_string()));
    ConfigDef::new(vec![ConfigKey { validator, ..spec }, replace_null_key()])
}

/// What to cast.
enum Spec {
    /// Fields in the order in which Java's table holds them.
    Fields(Vec<(Arc<str>, Target)>),
    Whole(Target),
}

impl Spec {
    fn parse(text: &str) -> Result<Self, ConnectError> {
        let mappings = parse_list(text);
        if mappings.is_empty() {
            return Err(ConnectError::config("Must specify at least one field to cast."));
        }
        let mut fields: Vec<(Arc<str>, Target)> = Vec::new();
        let mut whole = None;
        for mapping in &mappings {
            match split(mapping)[..] {
                [kind] => whole = Some(target(kind)?),
                [name, kind] => {
                    let target = target(kind)?;
                    match fields.iter_mut().find(|(known, _)| **known == *name.trim()) {
                        Some((_, known)) => *known = target,
                        None => fields.push((name.trim().into(), target)),
                    }
                }
                [] => {
                    let class = "java.lang.ArrayIndexOutOfBoundsException";
                    let text = "Index 1 out of bounds for length 0";
                    return Err(ConnectError::new(ErrorClass::Config, class, text));
                }
                _ => {
                    return Err(ConnectError::config(format!(
                        "Invalid value [{}] for configuration renames: Invalid rename mapping: {mapping}",
                        mappings.join(", ")
                    )));
                }
            }
        }
        match whole {
            Some(_) if mappings.len() > 1 => Err(ConnectError::config(
                "Cast transformations that specify a type to cast the entire value to may only specify a \
                 single cast in their spec",
            )),
            Some(target) => Ok(Self::Whole(target)),
            None => {
                hash_order::sort(&mut fields, 16, |(name, _)| name);
                Ok(Self::Fields(fields))
            }
        }
    }
}

/// `String#split` at colons: empty parts at the end do not count, but the empty text is one part.
pub(crate) fn split(mapping: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = mapping.split(':').collect();
    while parts.len() > 1 && parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    if !mapping.is_empty() && parts == [""] {
        parts.clear();
    }
    parts
}

fn target(name: &str) -> Result<Target, ConnectError> {
    let upper = name.trim().to_uppercase();
    Ok(match upper.as_str() {
        "BOOLEAN" => Target::Boolean,
        "FLOAT32" => Target::Float32,
        "FLOAT64" => Target::Float64,
        "INT16" => Target::Int16,
        "INT32" => Target::Int32,
        "INT64" => Target::Int64,
        "INT8" => Target::Int8,
        "STRING" => Target::String,
        "ARRAY" | "BYTES" | "MAP" | "STRUCT" => {
            return Err(ConnectError::config(format!(
                "Cast transformation does not support casting to {upper}; supported types are [INT8, INT16, \
                 INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING]"
            )));
        }
        _ => {
            return Err(ConnectError::config(format!(
                "Invalid value java.lang.IllegalArgumentException: No enum constant \
                 org.apache.kafka.connect.data.Schema.Type.{upper} for configuration Invalid type found in \
                 casting spec: {}",
                name.trim()
            )));
        }
    })
}

struct Cast {
    side: Side,
    spec: Spec,
    replace_null: bool,
    plans: Plans<Result<Plan, ConnectError>>,
    shapes: ShapePlans<FieldChanges<Target>>,
}

struct Plan {
    schema: Arc<Schema>,
    /// One per field; none when whole values are cast.
    targets: Vec<Option<Target>>,
}

impl Cast {
    fn new(side: Side, given: &ConfigMap) -> Result<Self, ConnectError> {
        // Before the settings are validated: not every failure is a ConfigException.
        let spec = given.get("spec").map(|text| Spec::parse(text)).transpose()?;
        let settings = Settings::read(&config_def(), given)?;
        let spec = match spec {
            Some(spec) => spec,
            None => Spec::parse(settings.text("spec"))?,
        };
        let replace_null = settings.flag(REPLACE_NULL);
        Ok(Self { side, spec, replace_null, plans: Plans::default(), shapes: ShapePlans::default() })
    }

    fn typed(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let Values::Typed { schema, array } = self.side.of(&batch) else { return keep(batch) };
        let plan = match self.plans.get(schema, || Ok(plan(schema, &self.spec)))? {
            Ok(plan) => plan,
            Err(err) => return Ok(fail_all(&batch, err)),
        };
        let mut failures = Failures::default();
        let array = match &self.spec {
            Spec::Whole(target) => {
                let cast = cast_column::cast(schema, array, *target, &mut failures)?;
                cast_column::under_name(&plan.schema, cast)
            }
            Spec::Fields(_) => {
                let mut cast = Vec::with_capacity(plan.targets.len());
                let sources = schema.fields().iter().zip(array.as_struct().columns());
                for ((field, column), target) in sources.zip(&plan.targets) {
                    let column = if self.replace_null {
                        columns::with_default(&field.schema, column)?
                    } else {
                        Arc::clone(column)
                    };
                    cast.push(match target {
                        Some(target) => cast_column::cast(&field.schema, &column, *target, &mut failures)?,
                        None => column,
                    });
                }
                columns::struct_column(&plan.schema, cast, batch.rows())?
            }
        };
        *self.side.of_mut(&mut batch) = Values::Typed { schema: Arc::clone(&plan.schema), array };
        columns::without(batch, failures.into_rows())
    }

    fn shaped(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let Values::Shaped(array) = self.side.of_mut(&mut batch) else { return keep(batch) };
        let mut failures = Failures::default();
        *array = match (&self.spec, array.as_struct_opt()) {
            (Spec::Whole(target), _) => cast_column::cast_shaped(array, *target, &mut failures)?,
            (Spec::Fields(fields), Some(rows)) => {
                let make = || FieldChanges::new(rows, fields, |(name, _)| name, |(_, target), _| *target);
                self.shapes
                    .get(rows.data_type(), make)
                    .apply(rows, |target, column| cast_column::cast_shaped(column, *target, &mut failures))?
            }
            (Spec::Fields(_), None) => {
                self.side.of_mut(&mut batch).unshape();
                return self.schemaless(batch);
            }
        };
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
        match &self.spec {
            Spec::Whole(target) => *value = cast_value::cast(None, value, *target)?,
            Spec::Fields(fields) => {
                let members = columns::require_map(value, PURPOSE)?;
                for (name, target) in fields {
                    match members.iter_mut().find(|(key, _)| key.as_str() == Some(name)) {
                        Some((_, member)) => *member = cast_value::cast(None, member, *target)?,
                        None => put(members, name, Value::Null),
                    }
                }
            }
        }
        Ok(())
    }
}

impl Transform for Cast {
    fn apply(&mut self, batch: SinkBatch) -> Result<Transformed, ConnectError> {
        match self.side.of(&batch) {
            Values::Shaped(_) => self.shaped(batch),
            Values::Null { .. } => keep(batch),
            Values::Dynamic(_) => self.schemaless(batch),
            Values::Typed { .. } => {
                apart(
                    self.side,
                    batch,
                    |batch, is_null| {
                        if is_null { keep(batch) } else { self.typed(batch) }
                    },
                )
            }
        }
    }
}

fn plan(schema: &Schema, spec: &Spec) -> Result<Plan, ConnectError> {
    let mut targets = Vec::new();
    let mut result = match spec {
        Spec::Whole(target) => Schema { kind: target.kind(), ..columns::struct_like(schema, Vec::new()) },
        Spec::Fields(casts) => {
            let Kind::Struct(fields) = &schema.kind else {
                return Err(ConnectError::data("Cannot list fields on non-struct type"));
            };
            let mut cast = Vec::with_capacity(fields.len());
            for field in fields {
                let target = casts.iter().find(|(name, _)| *name == field.name).map(|(_, target)| *target);
                cast.push(cast_field(field, target)?);
                targets.push(target);
            }
            columns::struct_like(schema, cast)
        }
    };
    result.optional = schema.optional;
    if let Some(default) = schema.default.as_ref().filter(|default| !default.is_null()) {
        let Spec::Whole(target) = spec else { return Err(cast_value::unsupported("STRUCT")) };
        result.default = Some(cast_value::cast(Some(schema), default, *target)?);
        if schemas::has_logical_name(&result) {
            return Err(schemas::invalid_default());
        }
    }
    Ok(Plan { schema: Arc::new(result), targets })
}

fn cast_field(field: &Field, target: Option<Target>) -> Result<Field, ConnectError> {
    let Some(target) = target else { return Ok(field.clone()) };
    let default = field.schema.default.as_ref().filter(|default| !default.is_null());
    let default =
        default.map(|default| cast_value::cast(Some(&field.schema), default, target)).transpose()?;
    let schema = Schema { optional: field.schema.optional, default, ..Schema::new(target.kind()) };
    Ok(Field { name: Arc::clone(&field.name), schema: Arc::new(schema) })
}

#[cfg(test)]
mod tests;
