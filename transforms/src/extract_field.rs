//! `ExtractField`: the key or value becomes one of its fields.
//!
//! Typed values: the field's column with the nulls of the structs around it. Schemaless values: the member
//! of the map, moved out of it.
//!
//! Source: `org.apache.kafka.connect.transforms.ExtractField`, Kafka 4.1.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Validator};
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::transform::{Transform, Transformed};
use lakeward_api::value::Value;
use lakeward_api::{ConnectError, ErrorClass};

use crate::columns::{self, Plans, copy_of, fail_all, not_a_map};
use crate::field_path::FieldPath;
use crate::plugin::{KAFKA_VERSION, TransformClass};
use crate::settings::{REPLACE_NULL, Settings, replace_null_key, required, with_default};
use crate::side::{Side, require_struct};

const PURPOSE: &str = "field extraction";
const NESTED_PURPOSE: &str = "nested field access";

/// The classes of this file.
pub(crate) fn classes() -> Vec<TransformClass> {
    vec![
        TransformClass {
            class: "org.apache.kafka.connect.transforms.ExtractField$Key",
            version: KAFKA_VERSION,
            config_def,
            new: |given| Ok(Box::new(ExtractField::new(Side::Key, given)?)),
        },
        TransformClass {
            class: "org.apache.kafka.connect.transforms.ExtractField$Value",
            version: KAFKA_VERSION,
            config_def,
            new: |given| Ok(Box::new(ExtractField::new(Side::Value, given)?)),
        },
    ]
}

fn config_def() -> ConfigDef {
    ConfigDef::new(vec![
        required("field", ConfigType::String, Importance::Medium, "Field name to extract."),
        replace_null_key(),
        ConfigKey {
            validator: Validator::OneOfIgnoreCase(&["V1", "V2"]),
            ..with_default(
                "field.syntax.version",
                ConfigType::String,
                Some("V1"),
                Importance::High,
                "Defines the version of the syntax to access fields. If set to `V1`, then the field paths are \
                 limited to access the elements at the root level of the struct or map. If set to `V2`, the \
                 syntax will support accessing nested elements. To access nested elements, dotted notation is \
                 used. If dots are already included in the field name, then backtick pairs can be used to wrap \
                 field names containing dots. E.g. to access the subfield `baz` from a field named \"foo.bar\" \
                 in a struct/map the following format can be used to access its elements: \"`foo.bar`.baz\".",
            )
        },
    ])
}

struct ExtractField {
    side: Side,
    field: String,
    path: FieldPath,
    replace_null: bool,
    plans: Plans<Plan>,
}

/// Where the field is, or why no record of the schema has it.
type Plan = Result<Found, ConnectError>;

struct Found {
    /// Index and schema of every step.
    steps: Vec<(usize, Arc<Schema>)>,
}

impl ExtractField {
    fn new(side: Side, given: &ConfigMap) -> Result<Self, ConnectError> {
        let settings = Settings::read(&config_def(), given)?;
        let field = settings.text("field").to_owned();
        let path = if settings.text("field.syntax.version").eq_ignore_ascii_case("v2") {
            FieldPath::v2(&field)?
        } else {
            FieldPath::v1(&field)
        };
        Ok(Self { side, field, path, replace_null: settings.flag(REPLACE_NULL), plans: Plans::default() })
    }

    fn typed(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let Values::Typed { schema, array } = self.side.of(&batch) else { return Ok(Transformed::one(batch)) };
        let (field, path) = (&self.field, &self.path);
        let plan = self.plans.get(schema, || Ok(find(schema, array, field, path)))?;
        let found = match plan {
            Ok(found) => found,
            Err(err) => return Ok(fail_all(&batch, err)),
        };
        let mut column = Arc::clone(array);
        for (at, (index, schema)) in found.steps.iter().enumerate() {
            let parent = column.as_struct();
            let mut child: ArrayRef = Arc::clone(parent.column(*index));
            if self.replace_null || at + 1 < found.steps.len() {
                child = columns::with_default(schema, &child)?;
            }
            column = columns::under_parent(&child, parent.nulls())?;
        }
        let Some((_, schema)) = found.steps.last() else { return Ok(Transformed::one(batch)) };
        *self.side.of_mut(&mut batch) = Values::Typed { schema: Arc::clone(schema), array: column };
        Ok(Transformed::one(batch))
    }
}

impl Transform for ExtractField {
    fn apply(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let values = match self.side.of_mut(&mut batch) {
            Values::Typed { .. } => return self.typed(batch),
            Values::Null { .. } => return Ok(Transformed::one(batch)),
            Values::Dynamic(values) => values,
        };
        let mut failed = Vec::new();
        for (row, value) in values.iter_mut().enumerate() {
            match extract(std::mem::replace(value, Value::Null), self.path.steps()) {
                Ok(field) => *value = field,
                Err(err) => failed.push((row, err)),
            }
        }
        columns::without(batch, failed)
    }
}

fn find(schema: &Arc<Schema>, array: &ArrayRef, field: &str, path: &FieldPath) -> Plan {
    require_struct(schema, array, PURPOSE)?;
    let mut current = Arc::clone(schema);
    let mut steps = Vec::with_capacity(path.steps().len());
    for step in path.steps() {
        if !matches!(current.kind, Kind::Struct(_)) {
            return Err(ConnectError::data("Cannot look up fields on non-struct type"));
        }
        let Some((index, found)) = current.field(step) else {
            return Err(illegal_argument(format!("Unknown field: {field}")));
        };
        let found = Arc::clone(&found.schema);
        steps.push((index, Arc::clone(&found)));
        current = found;
    }
    if steps.is_empty() {
        return Err(copy_of(&no_step()));
    }
    Ok(Found { steps })
}

fn extract(value: Value, steps: &[String]) -> Result<Value, ConnectError> {
    if value.is_null() {
        return Ok(value);
    }
    let mut current = value;
    for (at, step) in steps.iter().enumerate() {
        let purpose = if at == 0 { PURPOSE } else { NESTED_PURPOSE };
        let Value::Map(members) = current else { return Err(not_a_map(&current, purpose)) };
        let found = members.into_iter().find(|(name, _)| name.as_str() == Some(step));
        current = found.map_or(Value::Null, |(_, member)| member);
        if current.is_null() {
            return Ok(Value::Null);
        }
    }
    if steps.is_empty() {
        return Err(match current {
            Value::Map(_) => no_step(),
            other => not_a_map(&other, PURPOSE),
        });
    }
    Ok(current)
}

fn no_step() -> ConnectError {
    ConnectError::new(
        ErrorClass::Record,
        "java.lang.ArrayIndexOutOfBoundsException",
        "The field path is empty",
    )
}

fn illegal_argument(message: String) -> ConnectError {
    ConnectError::new(ErrorClass::Record, "java.lang.IllegalArgumentException", message)
}
