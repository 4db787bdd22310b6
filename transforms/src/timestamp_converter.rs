//! `TimestampConverter`: a field, or whole keys and values, from one form of timestamps to another.
//!
//! Source: `org.apache.kafka.connect.transforms.TimestampConverter`, Kafka 4.1.

mod convert;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Validator};
use lakeward_api::schema::{Field, Kind, Logical, Schema};
use lakeward_api::transform::{Transform, Transformed};
use lakeward_api::value::Value;
use lakeward_api::{ConnectError, ErrorClass};

use crate::columns::{self, Plans, fail_all, put};
use crate::layout::ShapePlans;
use crate::null_rows::{Failures, apart, keep};
use crate::plugin::{KAFKA_VERSION, TransformClass};
use crate::schemas;
use crate::settings::{REPLACE_NULL, Settings, replace_null_key, required, with_default};
use crate::shape_fields::FieldChanges;
use crate::side::{Side, require_struct};
use crate::simple_date_format::SimpleDateFormat;
use convert::{Converter, Form, Precision};

const PURPOSE: &str = "converting timestamp formats";
const TARGETS: &[&str] = &["string", "unix", "Date", "Time", "Timestamp"];
const PRECISIONS: &[&str] = &["nanoseconds", "microseconds", "milliseconds", "seconds"];

/// The classes of this file.
pub(crate) fn classes() -> Vec<TransformClass> {
    vec![
        TransformClass {
            class: "org.apache.kafka.connect.transforms.TimestampConverter$Key",
            version: KAFKA_VERSION,
            config_def,
            new: |given| Ok(Box::new(TimestampConverter::new(Side::Key, given)?)),
        },
        TransformClass {
            class: "org.apache.kafka.connect.transforms.TimestampConverter$Value",
            version: KAFKA_VERSION,
            config_def,
            new: |given| Ok(Box::new(TimestampConverter::new(Side::Value, given)?)),
        },
    ]
}

fn config_def() -> ConfigDef {
    let text = |name, default, importance, doc| {
        with_default(name, ConfigType::String, Some(default), importance, doc)
    };
    let target = required(
        "target.type",
        ConfigType::String,
        Importance::High,
        "The desired timestamp representation: string, unix, Date, Time, or Timestamp",
    );
    let precision = text(
        "unix.precision",
        "milliseconds",
        Importance::Low,
        "The desired Unix precision for the timestamp: seconds, milliseconds, microseconds, or \
         nanoseconds. Used to generate the output when type=unix or used to parse the input if the input is \
         a Long.Note: This SMT will cause precision loss during conversions from, and to, values with \
         sub-millisecond components.",
    );
    ConfigDef::new(vec![
        text(
            "field",
            "",
            Importance::High,
            "The field containing the timestamp, or empty if the entire value is a timestamp",
        ),
        ConfigKey { validator: Validator::OneOf(TARGETS), ..target },
        text(
            "format",
            "",
            Importance::Medium,
            "A SimpleDateFormat-compatible format for the timestamp. Used to generate the output when \
             type=string or used to parse the input if the input is a string.",
        ),
        ConfigKey { validator: Validator::OneOf(PRECISIONS), ..precision },
        replace_null_key(),
    ])
}

struct TimestampConverter {
    side: Side,
    /// `None` when the whole value is a timestamp.
    field: Option<Arc<str>>,
    converter: Converter,
    replace_null: bool,
    plans: Plans<Result<Plan, ConnectError>>,
    shapes: ShapePlans<FieldChanges<()>>,
}

struct Plan {
    schema: Arc<Schema>,
    /// What the timestamp is now; `Err` when its schema is none of timestamps. `None` without such a field.
    source: Option<(usize, Result<Form, ConnectError>)>,
}

impl TimestampConverter {
    fn new(side: Side, given: &ConfigMap) -> Result<Self, ConnectError> {
        let settings = Settings::read(&config_def(), given)?;
        let pattern = settings.text("format");
        let target = match settings.text("target.type") {
            "string" => Form::Text,
            "unix" => Form::Unix,
            "Date" => Form::Date,
            "Time" => Form::Time,
            _ => Form::Timestamp,
        };
        if target == Form::Text && pattern.is_empty() {
            return Err(ConnectError::config(
                "TimestampConverter requires format option to be specified when using string timestamps",
            ));
        }
        let format = match pattern {
            "" => None,
            pattern => Some(SimpleDateFormat::compile(pattern).map_err(|problem| {
                ConnectError::config(format!(
                    "Invalid value java.lang.IllegalArgumentException: {problem} for configuration \
                     TimestampConverter requires a SimpleDateFormat-compatible pattern for string \
                     timestamps: {pattern}"
                ))
            })?),
        };
        let precision = match settings.text("unix.precision") {
            "seconds" => Precision::Seconds,
            "microseconds" => Precision::Microseconds,
            "nanoseconds" => Precision::Nanoseconds,
            _ => Precision::Milliseconds,
        };
        let field = settings.text("field");
        Ok(Self {
            side,
            field: (!field.is_empty()).then(|| field.into()),
            converter: Converter { target, precision, format },
            replace_null: settings.flag(REPLACE_NULL),
            plans: Plans::default(),
            shapes: ShapePlans::default(),
        })
    }

    fn typed(&mut self, mut batch: SinkBatch, is_null: bool) -> Result<Transformed, ConnectError> {
        let rows = batch.rows();
        let Values::Typed { schema, array } = self.side.of_mut(&mut batch) else { return keep(batch) };
        if let (Some(_), false) = (&self.field, is_null)
            && let Err(err) = require_struct(schema, array, PURPOSE)
        {
            return Ok(fail_all(&batch, &err));
        }
        let (field, converter) = (self.field.as_deref(), &self.converter);
        let replace_null = self.replace_null;
        let plan = match self.plans.get(schema, || Ok(plan(schema, field, converter, replace_null)))? {
            Ok(plan) => plan,
            Err(err) => return Ok(fail_all(&batch, err)),
        };
        let mut failures = Failures::default();
        *array = match (&plan.source, is_null, &self.field) {
            (Some((_, Err(err))), _, None) => return Ok(fail_all(&batch, err)),
            (_, true, _) => arrow_array::new_null_array(&plan.schema.arrow_type(), rows),
            (Some((_, Ok(form))), false, None) => converter.column(*form, schema, array, &mut failures)?,
            (Some((_, Err(err))), false, Some(_)) => return Ok(fail_all(&batch, err)),
            (source, false, _) => {
                let place = source.as_ref().and_then(|(at, form)| Some((*at, *form.as_ref().ok()?)));
                let sources = Sources { schema, array, replace_null };
                let converted = sources.converted(converter, place, &mut failures)?;
                columns::struct_column(&plan.schema, converted, rows)?
            }
        };
        *schema = Arc::clone(&plan.schema);
        columns::without(batch, failures.into_rows())
    }

    fn shaped(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let Values::Shaped(array) = self.side.of_mut(&mut batch) else { return keep(batch) };
        let (converter, mut failures) = (&self.converter, Failures::default());
        *array = match (&self.field, array.as_struct_opt()) {
            (None, _) => converter.shaped(array, &mut failures)?,
            (Some(name), Some(rows)) => {
                let make = || FieldChanges::new(rows, std::slice::from_ref(name), |name| name, |_, _| ());
                let change = |(): &(), column: &ArrayRef| converter.shaped(column, &mut failures);
                self.shapes.get(rows.data_type(), make).apply(rows, change)?
            }
            (Some(_), None) => {
                self.side.of_mut(&mut batch).unshape();
                return self.schemaless(batch);
            }
        };
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
        let Some(name) = self.field.as_ref().filter(|_| !value.is_null()) else {
            *value = self.converter.dynamic(value)?;
            return Ok(());
        };
        let members = columns::require_map(value, PURPOSE)?;
        match members.iter_mut().find(|(key, _)| key.as_str() == Some(name)) {
            Some((_, member)) => *member = self.converter.dynamic(member)?,
            None => put(members, name, Value::Null),
        }
        Ok(())
    }
}

/// Columns of structs.
struct Sources<'a> {
    schema: &'a Schema,
    array: &'a ArrayRef,
    replace_null: bool,
}

impl Sources<'_> {
    /// All columns, the one at `place` converted.
    fn converted(
        &self,
        converter: &Converter,
        place: Option<(usize, Form)>,
        failures: &mut Failures,
    ) -> Result<Vec<ArrayRef>, ConnectError> {
        let mut converted = Vec::with_capacity(self.schema.fields().len());
        let sources = self.schema.fields().iter().zip(self.array.as_struct().columns());
        for (index, (field, column)) in sources.enumerate() {
            let column = match self.replace_null {
                true => columns::with_default(&field.schema, column)?,
                false => Arc::clone(column),
            };
            converted.push(match place {
                Some((at, form)) if at == index => {
                    converter.column(form, &field.schema, &column, failures)?
                }
                _ => column,
            });
        }
        Ok(converted)
    }
}

impl Transform for TimestampConverter {
    fn apply(&mut self, batch: SinkBatch) -> Result<Transformed, ConnectError> {
        match self.side.of(&batch) {
            Values::Shaped(_) => self.shaped(batch),
            Values::Null { .. } => keep(batch),
            Values::Typed { .. } => apart(self.side, batch, |batch, is_null| self.typed(batch, is_null)),
            Values::Dynamic(_) => self.schemaless(batch),
        }
    }
}

fn plan(
    schema: &Schema,
    name: Option<&str>,
    converter: &Converter,
    replace_null: bool,
) -> Result<Plan, ConnectError> {
    let Some(name) = name else {
        let updated = Arc::new(target_schema(converter.target, schema.optional));
        return Ok(Plan { schema: updated, source: Some((0, source_form(schema))) });
    };
    let mut fields = Vec::new();
    let mut source = None;
    for (index, field) in schemas::fields(schema)?.iter().enumerate() {
        if &*field.name == name {
            let updated = target_schema(converter.target, field.schema.optional);
            fields.push(Field { name: Arc::clone(&field.name), schema: Arc::new(updated) });
            source = Some((index, source_form(&field.schema)));
        } else {
            fields.push(field.clone());
        }
    }
    let mut updated = columns::struct_like(schema, fields);
    updated.optional = schema.optional;
    if let Some(Value::Struct(values)) = &schema.default {
        let mut default = values.clone();
        for (field, value) in schema.fields().iter().zip(&mut default) {
            if let (true, true, Some(default)) = (replace_null, value.is_null(), &field.schema.default) {
                *value = default.clone();
            }
        }
        if let Some((at, form)) = &source {
            let form = form.as_ref().map_err(columns::copy_of)?;
            default[*at] = converter.value(*form, &default[*at])?;
        }
        updated.default = Some(Value::Struct(default));
    }
    Ok(Plan { schema: Arc::new(updated), source })
}

/// What the values of a schema are: by the name of a logical type, else by the base type.
fn source_form(schema: &Schema) -> Result<Form, ConnectError> {
    let name = schema.name.as_deref().and_then(|name| name.strip_prefix("org.apache.kafka.connect.data."));
    match (name, &schema.kind) {
        (Some("Timestamp"), _) => Ok(Form::Timestamp),
        (Some("Date"), _) => Ok(Form::Date),
        (Some("Time"), _) => Ok(Form::Time),
        (_, Kind::String) => Ok(Form::Text),
        (_, Kind::Int64) => Ok(Form::Unix),
        _ => Err(ConnectError::new(
            ErrorClass::Record,
            "org.apache.kafka.connect.errors.ConnectException",
            format!(
                "Schema {} does not correspond to a known timestamp type format",
                schemas::printed(schema)
            ),
        )),
    }
}

fn target_schema(target: Form, optional: bool) -> Schema {
    match target {
        Form::Date => schemas::logical(Logical::Date, optional),
        Form::Text => Schema { optional, ..Schema::new(Kind::String) },
        Form::Time => schemas::logical(Logical::Time, optional),
        Form::Timestamp => schemas::logical(Logical::Timestamp, optional),
        Form::Unix => Schema { optional, ..Schema::new(Kind::Int64) },
    }
}
