//! `HeaderFrom`: copies or moves fields of the key or value into headers.
//!
//! Source: `org.apache.kafka.connect.transforms.HeaderFrom`, Kafka 4.1.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Validator};
use lakeward_api::header::{Header, HeaderColumn, HeaderRows, HeaderValues};
use lakeward_api::schema::Schema;
use lakeward_api::transform::{Transform, Transformed};
use lakeward_api::value::Value;
use lakeward_api::{ConnectError, ErrorClass};

use crate::columns::{self, Plans, copy_of, fail_all, not_a_map, not_a_struct};
use crate::plugin::{KAFKA_VERSION, TransformClass};
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
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Copy,
    Move,
}

struct Plan {
    /// Column of each pair.
    sources: Vec<usize>,
    /// The schema and columns of what stays, when fields move.
    rest: Option<(Arc<Schema>, Vec<usize>)>,
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
            let (_, nulls) = columns::by_nulls(array);
            let err = not_a_struct("null", self.purpose());
            let failed = nulls.into_iter().map(|row| (row as usize, copy_of(&err))).collect();
            let mut outcome = columns::without(batch, failed)?;
            if let Some(batch) = outcome.batches.pop() {
                let rest = self.typed(batch)?;
                outcome.batches = rest.batches;
                outcome.errors.extend(rest.errors);
            }
            return Ok(outcome);
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
        for (index, (_, key)) in plan.sources.iter().zip(&self.pairs) {
            let schema = Arc::clone(&schema.fields()[*index].schema);
            let values = HeaderValues::Rows(Values::Typed { schema, array: fill(*index)? });
            batch.headers.push(rows, HeaderColumn { key: Arc::clone(key), values });
        }
        if let Some((rest, indices)) = &plan.rest {
            let kept = indices.iter().map(|index| fill(*index)).collect::<Result<Vec<_>, _>>()?;
            let array = columns::struct_column(rest, kept, rows)?;
            *self.side.of_mut(&mut batch) = Values::Typed { schema: Arc::clone(rest), array };
        }
        Ok(Transformed::one(batch))
    }

    /// The headers of a schemaless row.
    fn row(&self, value: &mut Value) -> Result<Vec<Header>, ConnectError> {
        let Value::Map(members) = value else { return Err(not_a_map(value, self.purpose())) };
        let mut headers = Vec::with_capacity(self.pairs.len());
        for (field, key) in &self.pairs {
            let found = members.iter().find(|(name, _)| name.as_str() == Some(field));
            let value = found.map_or(Value::Null, |(_, member)| member.clone());
            headers.push(Header { key: Arc::clone(key), schema: None, value });
        }
        if self.operation == Operation::Move {
            let moves = |name: &Value| self.pairs.iter().any(|(field, _)| name.as_str() == Some(field));
            members.retain(|(name, _)| !moves(name));
        }
        Ok(headers)
    }
}

impl Transform for HeaderFrom {
    fn apply(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let mut values = match self.side.of_mut(&mut batch).unshape() {
            Values::Shaped(_) => unreachable!("just taken apart"),
            Values::Typed { .. } => return self.typed(batch),
            Values::Null { .. } => return Ok(fail_all(&batch, &not_a_map(&Value::Null, self.purpose()))),
            Values::Dynamic(values) => std::mem::take(values),
        };
        let rows = batch.rows();
        let mut lists = std::mem::take(&mut batch.headers).into_lists(rows);
        let mut failed = Vec::new();
        for (row, (value, list)) in values.iter_mut().zip(&mut lists).enumerate() {
            match self.row(value) {
                Ok(headers) => list.extend(headers),
                Err(err) => failed.push((row, err)),
            }
        }
        batch.headers = HeaderRows::new(lists);
        *self.side.of_mut(&mut batch) = Values::Dynamic(values);
        columns::without(batch, failed)
    }
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
    for (name, _) in pairs {
        let Some((index, _)) = schema.field(name) else {
            return Err(ConnectError::new(
                ErrorClass::Record,
                "java.lang.NullPointerException",
                format!("The record has no field '{name}' to {}", purpose.trim_start_matches("header ")),
            ));
        };
        sources.push(index);
    }
    let rest = (operation == Operation::Move).then(|| {
        let stays = |index: &usize| !sources.contains(index);
        let indices: Vec<usize> = (0..schema.fields().len()).filter(stays).collect();
        let fields = indices.iter().map(|index| schema.fields()[*index].clone()).collect();
        (Arc::new(columns::struct_like(schema, fields)), indices)
    });
    Ok(Plan { sources, rest })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{batch, map, only, rows, structure, text, transform, typed};
    use lakeward_api::schema::Kind;

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
}
