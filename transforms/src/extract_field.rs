//! `ExtractField`: the key or value becomes one of its fields.
//!
//! Typed values and schemaless ones of one shape: the field's column with the nulls of the structs around it.
//! Other schemaless values: the member of the map, moved out of it.
//!
//! Source: `org.apache.kafka.connect.transforms.ExtractField`, Kafka 4.1.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, NullArray};
use arrow_schema::DataType;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Validator};
use lakeward_api::recursion;
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::transform::{Transform, Transformed};
use lakeward_api::value::Value;
use lakeward_api::{ConnectError, ErrorClass};

use crate::columns::{self, Plans, copy_of, fail_all, not_a_map, not_a_struct};
use crate::field_path::FieldPath;
use crate::layout::ShapePlans;
use crate::plugin::{KAFKA_VERSION, TransformClass};
use crate::settings::{REPLACE_NULL, Settings, replace_null_key, required, with_default};
use crate::side::Side;

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
                "Defines the version of the syntax to access fields. If set to `V1`, then the field paths \
                 are limited to access the elements at the root level of the struct or map. If set to `V2`, \
                 the syntax will support accessing nested elements. To access nested elements, dotted \
                 notation is used. If dots are already included in the field name, then backtick pairs can \
                 be used to wrap field names containing dots. E.g. to access the subfield `baz` from a field \
                 named \"foo.bar\" in a struct/map the following format can be used to access its \
                 elements: \"`foo.bar`.baz\".",
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
    places: ShapePlans<Place>,
}

/// Where the field is, or why no record of the schema has it.
type Plan = Result<Found, ConnectError>;

/// Where the field of shaped rows is.
enum Place {
    /// The index of every step.
    Column(Vec<usize>),
    /// No row has it.
    Missing,
    /// Some rows fail.
    RowByRow,
}

struct Found {
    /// Index and schema of every step.
    steps: Vec<(usize, Arc<Schema>)>,
    /// The schema of the field as a whole key or value.
    schema: Arc<Schema>,
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
        let replace_null = settings.flag(REPLACE_NULL);
        let (plans, places) = (Plans::default(), ShapePlans::default());
        Ok(Self { side, field, path, replace_null, plans, places })
    }

    fn typed(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let Values::Typed { schema, array } = self.side.of(&batch) else {
            return Ok(Transformed::one(batch));
        };
        let (field, path) = (&self.field, &self.path);
        let plan = self.plans.get(schema, || Ok(find(schema, field, path)))?;
        let found = match plan {
            Ok(found) => found,
            Err(err) if matches!(schema.kind, Kind::Struct(_)) => return Ok(fail_all(&batch, err)),
            Err(err) => return Ok(fail_by_null(&batch, schema, array, err)),
        };
        let mut column = Arc::clone(array);
        for (at, (index, schema)) in found.steps.iter().enumerate() {
            let parent = column.as_struct();
            let mut child: ArrayRef = Arc::clone(parent.column(*index));
            if self.replace_null || at + 1 < found.steps.len() {
                child = columns::with_default(schema, &child)?;
            }
            column = columns::under_parent(&child, parent.nulls())?;
            if let Kind::Recursive(recursive) = schema.kind {
                column = recursion::open(&column, recursive)?;
            }
        }
        *self.side.of_mut(&mut batch) = Values::Typed { schema: Arc::clone(&found.schema), array: column };
        Ok(Transformed::one(batch))
    }

    fn shaped(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let Values::Shaped(array) = self.side.of(&batch) else { return Ok(Transformed::one(batch)) };
        let mut column = Arc::clone(array);
        match self.places.get(array.data_type(), || place(array.data_type(), self.path.steps())) {
            Place::Column(path) => {
                for index in path {
                    let parent = column.as_struct();
                    column = columns::under_parent(parent.column(*index), parent.nulls())?;
                }
            }
            Place::Missing => column = Arc::new(NullArray::new(column.len())),
            Place::RowByRow => return self.dynamic(batch),
        }
        *self.side.of_mut(&mut batch) = Values::of_shape(column);
        Ok(Transformed::one(batch))
    }

    fn dynamic(&self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let Some(values) = columns::dynamic_rows(self.side.of_mut(&mut batch)) else {
            return Ok(Transformed::one(batch));
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

impl Transform for ExtractField {
    fn apply(&mut self, batch: SinkBatch) -> Result<Transformed, ConnectError> {
        match self.side.of(&batch) {
            Values::Typed { .. } => self.typed(batch),
            Values::Null { .. } => Ok(Transformed::one(batch)),
            Values::Shaped(_) => self.shaped(batch),
            Values::Dynamic(_) => self.dynamic(batch),
        }
    }
}

/// Where the field of shaped rows is: as [`extract`] finds it.
fn place(shape: &DataType, steps: &[String]) -> Place {
    let mut path = Vec::with_capacity(steps.len());
    let mut current = shape;
    for step in steps {
        match current {
            DataType::Struct(fields) => match fields.find(step) {
                Some((index, field)) => {
                    path.push(index);
                    current = field.data_type();
                }
                None => return Place::Missing,
            },
            DataType::Null => return Place::Missing,
            _ => return Place::RowByRow,
        }
    }
    if steps.is_empty() { Place::RowByRow } else { Place::Column(path) }
}

/// Values that are no STRUCT: Java looks at the value first and at the schema for null only.
fn fail_by_null(
    batch: &SinkBatch,
    schema: &Schema,
    array: &dyn Array,
    of_null: &ConnectError,
) -> Transformed {
    let of_value = not_a_struct(schema.java_class(), PURPOSE);
    let errors = batch.offsets.iter().enumerate().map(|(row, offset)| {
        let err = if array.is_null(row) { of_null } else { &of_value };
        (*offset, copy_of(err))
    });
    Transformed { batches: Vec::new(), errors: errors.collect() }
}

fn find(schema: &Arc<Schema>, field: &str, path: &FieldPath) -> Plan {
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
        current = recursion::opened(&found).unwrap_or(found);
    }
    if steps.is_empty() {
        return Err(copy_of(&no_step()));
    }
    Ok(Found { steps, schema: current })
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
    ConnectError::new(ErrorClass::Record, "java.lang.IllegalArgumentException", "fromIndex(0) > toIndex(-1)")
}

fn illegal_argument(message: String) -> ConnectError {
    ConnectError::new(ErrorClass::Record, "java.lang.IllegalArgumentException", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{batch, both_ways, map, only, rows, shaped, structure, text, transform, typed};

    #[test]
    fn nulls_of_parents_hide_and_defaults_fill() {
        let mut leaf = Schema::optional(Kind::Int32);
        leaf.default = Some(Value::Int32(9));
        let mut inner = structure(vec![("leaf", leaf)]);
        inner.optional = true;
        let mut outer = structure(vec![("in.ner", inner)]);
        outer.optional = true;
        let leaf = |value| Value::Struct(vec![Value::Struct(vec![value])]);
        let values =
            [leaf(Value::Int32(1)), leaf(Value::Null), Value::Struct(vec![Value::Null]), Value::Null];
        let input = batch(typed(outer, &values));
        let path = [("field", "`in.ner`.leaf"), ("field.syntax.version", "v2")];
        let found = only(transform("ExtractField$Value", &path).apply(input.clone()).unwrap());
        assert_eq!(rows(&found.values), [Value::Int32(1), Value::Int32(9), Value::Null, Value::Null]);
        assert_eq!(found.values.schema().unwrap().default, Some(Value::Int32(9)));

        let plain = [path[0], path[1], ("replace.null.with.default", "false")];
        let found = only(transform("ExtractField$Value", &plain).apply(input.clone()).unwrap());
        assert_eq!(rows(&found.values)[1], Value::Null);

        let unknown = transform("ExtractField$Value", &[("field", "in")]).apply(input).unwrap();
        assert_eq!((unknown.batches.len(), unknown.errors.len()), (0, 4));
        assert_eq!(unknown.errors[0].1.java_class(), "java.lang.IllegalArgumentException");
        assert_eq!(unknown.errors[0].1.to_string(), "Unknown field: in");
    }

    #[test]
    fn schemaless_members_are_found_and_missing_ones_are_null() {
        let values = vec![map(&[("a", map(&[("b", text("x"))]))]), map(&[]), Value::Null, text("y")];
        let settings = [("field", "a.b"), ("field.syntax.version", "V2")];
        let mut found =
            transform("ExtractField$Value", &settings).apply(batch(Values::Dynamic(values))).unwrap();
        assert_eq!(found.errors.remove(0).0, 13);
        assert_eq!(rows(&only(found).values), [text("x"), Value::Null, Value::Null]);
    }

    #[test]
    fn fields_of_shaped_rows_are_their_columns() {
        let row = |a: Value| map(&[("a", a), ("none", Value::Null), ("list", Value::Array(Vec::new()))]);
        let inner = |b| map(&[("b", b), ("c", map(&[("d", text("x"))]))]);
        let values = [row(inner(Value::Int8(1))), Value::Null, row(Value::Null), row(inner(Value::Null))];
        let input = batch(shaped(&values));
        let extract = |field: &str, version| {
            let settings = [("field", field), ("field.syntax.version", version)];
            both_ways("ExtractField$Value", &settings, &input)
        };
        for field in ["a", "none", "list", "z", "a.b"] {
            let column = only(extract(field, "V1"));
            let values = rows(&column.values);
            assert!(matches!(column.values, Values::Shaped(_)) || values.iter().all(Value::is_null));
        }
        for field in ["a.b", "a.c", "a.c.d", "a.z", "a.z.d", "z.a", "none.a"] {
            only(extract(field, "V2"));
        }
        let found = rows(&only(extract("a.c.d", "V2")).values);
        assert_eq!(found, [text("x"), Value::Null, Value::Null, text("x")]);
        for field in ["list.a", "a.b.c", "a.c.d.e", ""] {
            assert!(!extract(field, "V2").errors.is_empty(), "{field}");
        }
        let texts = batch(shaped(&[text("x"), Value::Null]));
        assert_eq!(both_ways("ExtractField$Value", &[("field", "a")], &texts).errors.len(), 1);
    }
}
