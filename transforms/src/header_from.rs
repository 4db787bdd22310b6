//! `HeaderFrom`: copies or moves fields of the key or value into headers.
//!
//! Source: `org.apache.kafka.connect.transforms.HeaderFrom`, Kafka 4.1.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, FieldRef, Fields};
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Validator};
use lakeward_api::header::{HeaderColumn, HeaderValues};
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::transform::{Transform, Transformed};
use lakeward_api::value::Value;
use lakeward_api::{ConnectError, ErrorClass};

use crate::columns::{self, Plans, copy_of, fail_all, not_a_map, not_a_struct};
use crate::layout::{self, Layout, ShapePlans};
use crate::null_rows;
use crate::plugin::{KAFKA_VERSION, TransformClass};
use crate::schemas;
use crate::settings::{REPLACE_NULL, Settings, non_empty_list, replace_null_key, required};
use crate::side::{Side, require_struct};

/// The classes of this file.
pub(crate) fn classes() -> Vec<TransformClass> {
    vec![
        TransformClass {
            class: "org.apache.kafka.connect.transforms.HeaderFrom$Key",
            version: KAFKA_VERSION,
            config_def,
            new: |given| Ok(Box::new(HeaderFrom::new(Side::Key, given)?)),
        },
        TransformClass {
            class: "org.apache.kafka.connect.transforms.HeaderFrom$Value",
            version: KAFKA_VERSION,
            config_def,
            new: |given| Ok(Box::new(HeaderFrom::new(Side::Value, given)?)),
        },
    ]
}

fn config_def() -> ConfigDef {
    ConfigDef::new(vec![
        non_empty_list(
            "fields",
            "Field names in the record whose values are to be copied or moved to headers.",
        ),
        non_empty_list(
            "headers",
            "Header names, in the same order as the field names listed in the fields configuration property.",
        ),
        ConfigKey {
            validator: Validator::OneOf(&["move", "copy"]),
            ..required(
                "operation",
                ConfigType::String,
                Importance::High,
                "Either <code>move</code> if the fields are to be moved to the headers (removed from the \
                 key/value), or <code>copy</code> if the fields are to be copied to the headers (retained in \
                 the key/value).",
            )
        },
        replace_null_key(),
    ])
}

struct HeaderFrom {
    side: Side,
    /// Field and header names.
    pairs: Vec<(Arc<str>, Arc<str>)>,
    operation: Operation,
    replace_null: bool,
    plans: Plans<Result<Plan, ConnectError>>,
    layouts: ShapePlans<ShapePlan>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Copy,
    Move,
}

struct Plan {
    /// Column of each pair, up to the first that has none.
    sources: Vec<usize>,
    /// Why a pair has none: rows that cannot be a header of an earlier pair fail for that reason.
    missing: Option<ConnectError>,
    /// The schema and columns of what stays, when fields move.
    rest: Option<(Arc<Schema>, Vec<usize>)>,
}

/// What happens to schemaless rows of one shape.
struct ShapePlan {
    /// Column of each pair, if there is one.
    sources: Vec<Option<usize>>,
    /// What stays, when fields move.
    rest: Option<Layout>,
}

impl HeaderFrom {
    fn new(side: Side, given: &ConfigMap) -> Result<Self, ConnectError> {
        let settings = Settings::read(&config_def(), given)?;
        let (fields, headers) = (settings.list("fields"), settings.list("headers"));
        if fields.len() != headers.len() {
            return Err(ConnectError::config(
                "'fields' config must have the same number of elements as 'headers' config.",
            ));
        }
        let pair = |(field, header): (&String, &String)| (field.as_str().into(), header.as_str().into());
        let operation = if settings.text("operation") == "move" { Operation::Move } else { Operation::Copy };
        Ok(Self {
            side,
            pairs: fields.iter().zip(&headers).map(pair).collect(),
            operation,
            replace_null: settings.flag(REPLACE_NULL),
            plans: Plans::default(),
            layouts: ShapePlans::default(),
        })
    }

    fn purpose(&self) -> &'static str {
        match self.operation {
            Operation::Copy => "header copy",
            Operation::Move => "header move",
        }
    }

    fn typed(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let Values::Typed { schema, array } = self.side.of(&batch) else {
            return Ok(Transformed::one(batch));
        };
        if array.null_count() > 0 {
            let err = not_a_struct("null", self.purpose());
            return null_rows::fail(self.side, batch, &err, |batch| self.typed(batch));
        }
        let (schema, array, purpose) = (Arc::clone(schema), Arc::clone(array), self.purpose());
        let (pairs, operation) = (&self.pairs, self.operation);
        let plan = match self.plans.get(&schema, || Ok(plan(&schema, &array, pairs, operation, purpose)))? {
            Ok(plan) => plan,
            Err(err) => return Ok(fail_all(&batch, err)),
        };
        let fill = |index: usize| {
            let column = array.as_struct().column(index);
            match self.replace_null {
                true => columns::with_default(&schema.fields()[index].schema, column),
                false => Ok(Arc::clone(column)),
            }
        };
        let rows = batch.rows();
        let mut failed = BTreeMap::new();
        for (index, (_, key)) in plan.sources.iter().zip(&self.pairs) {
            let (place, column) = (&schema.fields()[*index].schema, fill(*index)?);
            refuse_nulls(place, &column, &mut failed);
            let values = Values::of_field(place, column)?;
            let values = HeaderValues::Rows(values);
            batch.headers.push(rows, HeaderColumn { key: Arc::clone(key), values });
        }
        if let Some(missing) = &plan.missing {
            for row in 0..rows {
                failed.entry(row).or_insert_with(|| copy_of(missing));
            }
        }
        if let Some((rest, indices)) = &plan.rest {
            let kept = indices.iter().map(|index| fill(*index)).collect::<Result<Vec<_>, _>>()?;
            let array = columns::struct_column(rest, kept, rows)?;
            *self.side.of_mut(&mut batch) = Values::Typed { schema: Arc::clone(rest), array };
        }
        columns::without(batch, failed.into_iter().collect())
    }

    fn shaped(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let Some(maps) = layout::maps(self.side.of(&batch)) else { return Ok(Transformed::one(batch)) };
        if maps.null_count() > 0 {
            let err = not_a_map(&Value::Null, self.purpose());
            return null_rows::fail(self.side, batch, &err, |batch| self.shaped(batch));
        }
        let (pairs, operation) = (&self.pairs, self.operation);
        let plan = self.layouts.get(maps.data_type(), || laid_out(maps.fields(), pairs, operation));
        let rest = plan.rest.as_ref().map(|rest| rest.apply(maps, &[])).transpose()?;
        let column = |source: &Option<usize>| match source.map(|at| maps.column(at)) {
            Some(column) if *column.data_type() != DataType::Null => {
                HeaderValues::Rows(Values::of_shape(Arc::clone(column)))
            }
            _ => HeaderValues::Constant { schema: None, value: Value::Null },
        };
        let all: Vec<_> = plan.sources.iter().map(column).collect();
        for (values, (_, key)) in all.into_iter().zip(pairs) {
            batch.headers.push(batch.offsets.len(), HeaderColumn { key: Arc::clone(key), values });
        }
        if let Some(rest) = rest {
            *self.side.of_mut(&mut batch) = Values::Shaped(rest);
        }
        Ok(Transformed::one(batch))
    }

    fn dynamic(&self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let Some(values) = columns::dynamic_rows(self.side.of_mut(&mut batch)) else {
            return Ok(Transformed::one(batch));
        };
        let rows = values.len();
        let mut all: Vec<Vec<Value>> = self.pairs.iter().map(|_| Vec::with_capacity(rows)).collect();
        let mut failed = Vec::new();
        for (row, value) in values.iter_mut().enumerate() {
            let Value::Map(members) = value else {
                failed.push((row, not_a_map(value, self.purpose())));
                all.iter_mut().for_each(|column| column.push(Value::Null));
                continue;
            };
            for ((field, _), column) in self.pairs.iter().zip(&mut all) {
                let found = members.iter().find(|(name, _)| name.as_str() == Some(field));
                column.push(found.map_or(Value::Null, |(_, member)| member.clone()));
            }
            if self.operation == Operation::Move {
                let moves = |name: &Value| self.pairs.iter().any(|(field, _)| name.as_str() == Some(field));
                members.retain(|(name, _)| !moves(name));
            }
        }
        for (column, (_, key)) in all.into_iter().zip(&self.pairs) {
            let values = HeaderValues::Rows(Values::Dynamic(column));
            batch.headers.push(rows, HeaderColumn { key: Arc::clone(key), values });
        }
        columns::without(batch, failed)
    }
}

impl Transform for HeaderFrom {
    fn apply(&mut self, batch: SinkBatch) -> Result<Transformed, ConnectError> {
        match self.side.of(&batch) {
            Values::Null { .. } => Ok(fail_all(&batch, &not_a_map(&Value::Null, self.purpose()))),
            Values::Typed { .. } => self.typed(batch),
            values if layout::maps(values).is_some() => self.shaped(batch),
            Values::Dynamic(_) | Values::Shaped(_) => self.dynamic(batch),
        }
    }
}

/// For a null at a place of recursion, Java looks at the schema that the place stands for, not at the place's
/// own "or null". Source: `ConnectHeaders#checkSchemaMatches`.
fn refuse_nulls(place: &Schema, column: &ArrayRef, failed: &mut BTreeMap<usize, ConnectError>) {
    let Kind::Recursive(recursive) = &place.kind else { return };
    let schema = recursive.resolve();
    if schema.optional {
        return;
    }
    for row in (0..column.len()).filter(|row| column.is_null(*row)) {
        failed.entry(row).or_insert_with(|| {
            let schema = schemas::printed(&schema);
            ConnectError::data(format!("A null value requires an optional schema but was {schema}"))
        });
    }
}

fn laid_out(old: &Fields, pairs: &[(Arc<str>, Arc<str>)], operation: Operation) -> ShapePlan {
    let sources = pairs.iter().map(|(name, _)| old.find(name).map(|(at, _)| at)).collect();
    let stays = |field: &FieldRef| !pairs.iter().any(|(name, _)| **name == **field.name());
    let rest = (operation == Operation::Move).then(|| {
        let mut entries = Layout::entries(old);
        entries.retain(|(field, _)| stays(field));
        Layout::new(entries)
    });
    ShapePlan { sources, rest }
}

fn plan(
    schema: &Arc<Schema>,
    array: &ArrayRef,
    pairs: &[(Arc<str>, Arc<str>)],
    operation: Operation,
    purpose: &str,
) -> Result<Plan, ConnectError> {
    require_struct(schema, array, purpose)?;
    let mut sources = Vec::with_capacity(pairs.len());
    let mut missing = None;
    for (name, _) in pairs {
        let Some((index, _)) = schema.field(name) else {
            missing = Some(ConnectError::new(
                ErrorClass::Record,
                "java.lang.NullPointerException",
                format!("The record has no field '{name}' to {}", purpose.trim_start_matches("header ")),
            ));
            break;
        };
        sources.push(index);
    }
    let rest = (operation == Operation::Move).then(|| {
        let stays = |index: &usize| !sources.contains(index);
        let indices: Vec<usize> = (0..schema.fields().len()).filter(stays).collect();
        let fields = indices.iter().map(|index| schema.fields()[*index].clone()).collect();
        (Arc::new(columns::struct_like(schema, fields)), indices)
    });
    Ok(Plan { sources, missing, rest })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{batch, both_ways, map, only, rows, shaped, structure, text, transform, typed};
    use lakeward_api::header::Header;

    fn settings(operation: &str) -> [(&'static str, &str); 3] {
        [("fields", "a,a"), ("headers", "h,i"), ("operation", operation)]
    }

    #[test]
    fn moved_fields_leave_the_struct() {
        let schema =
            structure(vec![("a", Schema::optional(Kind::Int8)), ("b", Schema::new(Kind::String))]).named("n");
        let values = typed(schema, &[Value::Struct(vec![Value::Int8(1), text("x")])]);
        let moved = only(transform("HeaderFrom$Value", &settings("move")).apply(batch(values)).unwrap());
        assert_eq!(rows(&moved.values), [Value::Struct(vec![text("x")])]);
        assert_eq!(moved.values.schema().unwrap().name.as_deref(), Some("n"));
        let headers = moved.headers.row(0);
        assert_eq!((&*headers[0].key, &*headers[1].key), ("h", "i"));
        assert_eq!(headers[1].value, Value::Int8(1));
        assert!(headers[0].schema.as_ref().unwrap().optional);
    }

    #[test]
    fn schemaless_members_move_once_and_copy_twice() {
        let values = Values::Dynamic(vec![map(&[("a", Value::Int8(1))]), Value::Null]);
        let outcome = transform("HeaderFrom$Value", &settings("move")).apply(batch(values.clone())).unwrap();
        assert_eq!(outcome.errors[0].0, 11);
        assert_eq!(rows(&outcome.batches[0].values), [map(&[])]);
        assert_eq!(outcome.batches[0].headers.row(0).len(), 2);
        let outcome = transform("HeaderFrom$Value", &settings("copy")).apply(batch(values)).unwrap();
        assert_eq!(rows(&outcome.batches[0].values), [map(&[("a", Value::Int8(1))])]);
        assert_eq!(
            outcome.errors[0].1.to_string(),
            "Only Map objects supported in absence of schema for [header copy], found: null"
        );
    }

    #[test]
    fn columns_of_shaped_rows_become_headers() {
        let row = |a| map(&[("a", a), ("b", text("x")), ("none", Value::Null)]);
        let input = batch(shaped(&[row(Value::Int8(1)), Value::Null, row(Value::Null)]));
        let mut with_lists = input.clone();
        with_lists.headers.lists_mut(3)[1].push(Header { key: "h".into(), schema: None, value: text("y") });
        let fields = [("fields", "a,z,none,a"), ("headers", "h,i,j,h")];
        for operation in ["move", "copy"] {
            let settings = [fields[0], fields[1], ("operation", operation)];
            let outcome = both_ways("HeaderFrom$Value", &settings, &input);
            assert_eq!(outcome.errors[0].0, 11);
            let found = &outcome.batches[0];
            assert!(matches!(found.values, Values::Shaped(_)) && found.headers.columns().is_some());
            both_ways("HeaderFrom$Value", &settings, &with_lists);
            let empty = shaped(&[map(&[]), map(&[])]);
            only(both_ways("HeaderFrom$Key", &settings, &SinkBatch { keys: empty.clone(), ..batch(empty) }));
        }
        let moves = [fields[0], fields[1], ("operation", "move")];
        let mut outcome = both_ways("HeaderFrom$Value", &moves, &input);
        outcome.errors.clear();
        let found = only(outcome);
        assert_eq!(rows(&found.values)[0], map(&[("b", text("x"))]));
        let headers: Vec<_> = found.headers.row(0).iter().map(|header| header.value.clone()).collect();
        assert_eq!(headers, [Value::Int8(1), Value::Null, Value::Null, Value::Int8(1)]);
        let all = [("fields", "a,b,none"), ("headers", "a,b,c"), ("operation", "move")];
        let outcome = both_ways("HeaderFrom$Value", &all, &input);
        assert_eq!(rows(&outcome.batches[0].values), [map(&[]), map(&[])]);
        assert_eq!(
            both_ways("HeaderFrom$Value", &moves, &batch(shaped(&[text("x"), Value::Null]))).errors.len(),
            2
        );
    }
}
