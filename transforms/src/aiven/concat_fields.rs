//! `ConcatFields`: the texts of some fields, joined, become a new field.
//!
//! Source: `io.aiven.kafka.connect.transforms.ConcatFields`.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Validator};
use lakeward_api::rows::value_at;
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::transform::{Transform, Transformed};
use lakeward_api::value::Value;

use super::{VERSION, text};
use crate::columns::{self, Plans, copy_of, fail_all};
use crate::merge;
use crate::plugin::TransformClass;
use crate::settings::{Settings, required, with_default};
use crate::side::Side;

/// The classes of this file.
pub(super) fn classes() -> Vec<TransformClass> {
    vec![
        TransformClass {
            class: "io.aiven.kafka.connect.transforms.ConcatFields$Key",
            version: VERSION,
            config_def,
            new: |given| Ok(Box::new(ConcatFields::new(Side::Key, given)?)),
        },
        TransformClass {
            class: "io.aiven.kafka.connect.transforms.ConcatFields$Value",
            version: VERSION,
            config_def,
            new: |given| Ok(Box::new(ConcatFields::new(Side::Value, given)?)),
        },
    ]
}

fn config_def() -> ConfigDef {
    let (text, high) = (ConfigType::String, Importance::High);
    ConfigDef::new(vec![
        required("field.names", ConfigType::List, high, "The fields to join, in order."),
        ConfigKey {
            validator: Validator::NonEmpty,
            ..required("output.field.name", text, high, "The field that gets the joined text.")
        },
        with_default(
            "field.replace.missing",
            text,
            Some(""),
            high,
            "What stands for a field that is null or not there.",
        ),
        with_default("delimiter", text, Some(""), high, "What stands between two fields."),
    ])
}

struct ConcatFields {
    side: Side,
    fields: Vec<String>,
    output: Arc<str>,
    missing: String,
    delimiter: String,
    plans: Plans<Result<Plan, ConnectError>>,
}

/// What a STRUCT becomes.
struct Plan {
    schema: Arc<Schema>,
    /// Index of each field to join.
    sources: Vec<Option<usize>>,
}

impl ConcatFields {
    fn new(side: Side, given: &ConfigMap) -> Result<Self, ConnectError> {
        let settings = Settings::read(&config_def(), given)?;
        Ok(Self {
            side,
            fields: settings.list("field.names"),
            output: settings.text("output.field.name").into(),
            missing: settings.text("field.replace.missing").to_owned(),
            delimiter: settings.text("delimiter").to_owned(),
            plans: Plans::default(),
        })
    }

    fn null(&self) -> ConnectError {
        ConnectError::data(format!("{} Value can't be null", self.side.place()))
    }

    fn join(&self, value: &mut Value) -> Result<(), ConnectError> {
        if value.is_null() {
            return Err(self.null());
        }
        let mut joined = String::new();
        for (at, field) in self.fields.iter().enumerate() {
            if at > 0 {
                joined.push_str(&self.delimiter);
            }
            match value.get(field) {
                None | Some(Value::Null) => joined.push_str(&self.missing),
                Some(found) => text::append(&mut joined, None, found),
            }
        }
        match value {
            Value::Map(members) => columns::put(members, &self.output, Value::String(joined.into())),
            _ => return Err(unsuitable()),
        }
        Ok(())
    }

    /// Rows of a schema; none of them is null.
    fn typed(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let Values::Typed { schema, array } = self.side.of(&batch) else {
            return Ok(Transformed::one(batch));
        };
        let (fields, output) = (&self.fields, &self.output);
        let plan = match self.plans.get(schema, || Ok(plan(schema, fields, output)))? {
            Ok(plan) => plan,
            Err(err) => return Ok(fail_all(&batch, err)),
        };
        let mut all = Vec::with_capacity(schema.fields().len() + 1);
        for (field, column) in schema.fields().iter().zip(array.as_struct().columns()) {
            all.push(columns::with_default(&field.schema, column)?);
        }
        let mut joined = StringBuilder::with_capacity(array.len(), array.len() * 16);
        let mut line = String::new();
        for row in 0..array.len() {
            line.clear();
            for (at, source) in plan.sources.iter().enumerate() {
                if at > 0 {
                    line.push_str(&self.delimiter);
                }
                let source = source.map(|index| (&schema.fields()[index].schema, &all[index]));
                match source.filter(|(_, column)| column.is_valid(row)) {
                    None => line.push_str(&self.missing),
                    Some((schema, column)) => append(&mut line, schema, column, row),
                }
            }
            joined.append_value(&line);
        }
        all.push(Arc::new(joined.finish()));
        let array = columns::struct_column(&plan.schema, all, batch.rows())?;
        let values = Values::Typed { schema: Arc::clone(&plan.schema), array };
        *self.side.of_mut(&mut batch) = values;
        Ok(Transformed::one(batch))
    }
}

impl Transform for ConcatFields {
    fn apply(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let (there, null) = match &*self.side.of_mut(&mut batch).unshape() {
            Values::Null { .. } => return Ok(fail_all(&batch, &self.null())),
            Values::Dynamic(_) | Values::Shaped(_) => (Vec::new(), Vec::new()),
            Values::Typed { array, .. } if array.null_count() == 0 => return self.typed(batch),
            Values::Typed { array, .. } => columns::by_nulls(array),
        };
        if null.is_empty() {
            let mut failed = Vec::new();
            if let Values::Dynamic(mut values) =
                std::mem::replace(self.side.of_mut(&mut batch), Values::Null { rows: 0 })
            {
                for (row, value) in values.iter_mut().enumerate() {
                    if let Err(err) = self.join(value) {
                        failed.push((row, err));
                    }
                }
                *self.side.of_mut(&mut batch) = Values::Dynamic(values);
            }
            return columns::without(batch, failed);
        }
        let mut outcome = Transformed::default();
        let err = self.null();
        outcome.errors.extend(null.iter().map(|row| (batch.offsets[*row as usize], copy_of(&err))));
        if !there.is_empty() {
            let rest = self.typed(merge::move_rows(&mut batch, &there)?)?;
            outcome.batches = rest.batches;
            outcome.errors.extend(rest.errors);
        }
        Ok(outcome)
    }
}

fn append(line: &mut String, schema: &Schema, column: &ArrayRef, row: usize) {
    match &schema.kind {
        Kind::String => line.push_str(column.as_string::<i32>().value(row)),
        _ => text::append(line, Some(schema), &value_at(schema, column, row)),
    }
}

fn unsuitable() -> ConnectError {
    ConnectError::data("Value type must be STRUCT or MAP")
}

/// The new STRUCT has the fields alone: no name, no version.
fn plan(schema: &Schema, sources: &[String], output: &str) -> Result<Plan, ConnectError> {
    match schema.kind {
        Kind::Struct(_) => {}
        Kind::Map { .. } => return Err(ConnectError::data("Cannot list fields on non-struct type")),
        _ => return Err(unsuitable()),
    }
    let mut fields = schema.fields().to_vec();
    columns::add_field(&mut fields, output, Arc::new(Schema::optional(Kind::String)))?;
    Ok(Plan {
        schema: Arc::new(Schema::new(Kind::Struct(fields))),
        sources: sources.iter().map(|name| schema.field(name).map(|(index, _)| index)).collect(),
    })
}
