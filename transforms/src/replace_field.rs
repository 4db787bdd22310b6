//! `ReplaceField`: fields left out and renamed.
//!
//! Source: `org.apache.kafka.connect.transforms.ReplaceField`, Kafka 4.1.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_schema::{FieldRef, Fields};
use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Validator, parse_list};
use lakeward_api::recursion;
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::transform::{Transform, Transformed};
use lakeward_api::value::Value;

use crate::cast::split;
use crate::columns::{self, Plans, fail_all};
use crate::layout::{self, Layout, ShapePlans};
use crate::null_rows::{Failures, apart, keep};
use crate::plugin::{KAFKA_VERSION, TransformClass};
use crate::settings::{REPLACE_NULL, Settings, replace_null_key, with_default};
use crate::side::{Side, require_struct};
use crate::{hash_order, schemas};

const PURPOSE: &str = "field replacement";

/// The classes of this file.
pub(crate) fn classes() -> Vec<TransformClass> {
    vec![
        TransformClass {
            class: "org.apache.kafka.connect.transforms.ReplaceField$Key",
            version: KAFKA_VERSION,
            config_def,
            new: |given| Ok(Box::new(ReplaceField::new(Side::Key, given)?)),
        },
        TransformClass {
            class: "org.apache.kafka.connect.transforms.ReplaceField$Value",
            version: KAFKA_VERSION,
            config_def,
            new: |given| Ok(Box::new(ReplaceField::new(Side::Value, given)?)),
        },
    ]
}

fn config_def() -> ConfigDef {
    let list = |name, doc| with_default(name, ConfigType::List, Some(""), Importance::Medium, doc);
    let renames = ConfigKey {
        validator: Validator::CustomWords(|_, text| {
            let mappings = parse_list(text);
            match mappings.iter().find(|mapping| split(mapping).len() != 2) {
                Some(mapping) => Err(format!(
                    "Invalid value [{}] for configuration renames: Invalid rename mapping: {mapping}",
                    mappings.join(", ")
                )),
                None => Ok(()),
            }
        }),
        ..list("renames", "Field rename mappings.")
    };
    ConfigDef::new(vec![
        list("exclude", "Fields to exclude. This takes precedence over the fields to include."),
        list("include", "Fields to include. If specified, only these fields will be used."),
        renames,
        replace_null_key(),
    ])
}

struct ReplaceField {
    side: Side,
    rules: Rules,
    replace_null: bool,
    plans: Plans<Result<Plan, ConnectError>>,
    layouts: ShapePlans<Layout>,
}

struct Rules {
    exclude: HashSet<String>,
    include: HashSet<String>,
    renames: HashMap<String, Arc<str>>,
    /// Old names by new names.
    reverse: HashMap<Arc<str>, String>,
}

struct Plan {
    schema: Arc<Schema>,
    /// Where the column of each field comes from.
    sources: Vec<Result<Source, ConnectError>>,
}

struct Source {
    index: usize,
    /// Set when the column is that of another field than the one whose schema is used: Java looks columns up
    /// by reversing names, which goes wrong when an old name is a field of its own.
    foreign: bool,
}

impl Rules {
    fn passes(&self, name: &str) -> bool {
        !self.exclude.contains(name) && (self.include.is_empty() || self.include.contains(name))
    }

    /// Whether all names are texts and no two members can get the same one: their order does not matter then.
    fn are_apart(&self, members: &[(Value, Value)]) -> bool {
        let has = |name: &str| members.iter().any(|(key, _)| key.as_str() == Some(name));
        // Two names for one are as many new names less.
        self.reverse.len() == self.renames.len()
            && members.iter().all(|(key, _)| key.as_str().is_some())
            && !self.reverse.keys().any(|new| has(new))
    }

    /// Whether the member called `key` stays; gives it its new name.
    fn keep(&self, key: &mut Value) -> bool {
        let Value::String(name) = key else { return false };
        let passes = self.passes(name);
        if let Some(new) = self.renames.get(&**name) {
            *name = Arc::clone(new);
        }
        passes
    }

    /// Changes the members of a schemaless value that is not null.
    fn apply(&self, value: &mut Value) -> Result<(), ConnectError> {
        let members = columns::require_map(value, PURPOSE)?;
        if self.are_apart(members) {
            members.retain_mut(|(key, _)| self.keep(key));
            return Ok(());
        }
        if !self.renames.is_empty() || members.iter().any(|(key, _)| key.as_str().is_none()) {
            // Of two members that get one name the later stays, in Java's order.
            hash_order::sort_members(members);
        }
        let mut kept: Vec<(Value, Value)> = Vec::with_capacity(members.len());
        let mut renamed = false;
        for (key, member) in members.drain(..) {
            let name = match &key {
                Value::String(name) => name,
                Value::Null => {
                    if self.include.is_empty() {
                        kept.push((key, member));
                    }
                    continue;
                }
                _ => return Err(schemas::not_a_string(key.java_class())),
            };
            if !self.passes(name) {
                continue;
            }
            let key = match self.renames.get(&**name) {
                Some(new) => {
                    renamed = true;
                    Value::String(Arc::clone(new))
                }
                None => key,
            };
            // Names are unique until one was changed.
            match kept.iter_mut().find(|(known, _)| renamed && *known == key) {
                Some((_, old)) => *old = member,
                None => kept.push((key, member)),
            }
        }
        *members = kept;
        Ok(())
    }
}

impl ReplaceField {
    fn new(side: Side, given: &ConfigMap) -> Result<Self, ConnectError> {
        let settings = Settings::read(&config_def(), given)?;
        let mut renames: HashMap<String, Arc<str>> = HashMap::new();
        // Names of one bucket stay in the order in which they were put there.
        let mut old: Vec<&str> = Vec::new();
        let mappings = settings.list("renames");
        for mapping in &mappings {
            if let [from, to] = split(mapping)[..]
                && renames.insert(from.to_owned(), to.into()).is_none()
            {
                old.push(from);
            }
        }
        hash_order::sort(&mut old, 16, |name| name);
        let reverse = old.into_iter().map(|old| (Arc::clone(&renames[old]), old.to_owned())).collect();
        let rules = Rules {
            exclude: settings.list("exclude").into_iter().collect(),
            include: settings.list("include").into_iter().collect(),
            reverse,
            renames,
        };
        let replace_null = settings.flag(REPLACE_NULL);
        Ok(Self { side, rules, replace_null, plans: Plans::default(), layouts: ShapePlans::default() })
    }

    fn typed(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let Values::Typed { schema, array } = self.side.of(&batch) else { return keep(batch) };
        let plan = self.plans.get(schema, || {
            Ok(require_struct(schema, array, PURPOSE).and_then(|_| plan(schema, &self.rules)))
        })?;
        let plan = match plan {
            Ok(plan) => plan,
            Err(err) => return Ok(fail_all(&batch, err)),
        };
        let value = array.as_struct();
        let mut failures = Failures::default();
        let mut picked = Vec::with_capacity(plan.sources.len());
        for (source, field) in plan.sources.iter().zip(plan.schema.fields()) {
            let source = match source {
                Ok(source) => source,
                Err(err) => {
                    (0..batch.rows()).for_each(|row| failures.add(row, || columns::copy_of(err)));
                    break;
                }
            };
            let column = value.column(source.index);
            let from = &schema.fields()[source.index].schema;
            let column =
                if self.replace_null { columns::with_default(from, column)? } else { Arc::clone(column) };
            if source.foreign {
                check(from, &column, field, &mut failures);
            }
            let same = !source.foreign || *column.data_type() == field.schema.arrow_type();
            let rows = column.len();
            picked.push(if same {
                column
            } else {
                arrow_array::new_null_array(&field.schema.arrow_type(), rows)
            });
        }
        let failures = failures.into_rows();
        if !failures.is_empty() {
            let mut outcome = columns::without(batch, failures)?;
            for batch in std::mem::take(&mut outcome.batches) {
                outcome.batches.extend(self.typed(batch)?.batches);
            }
            return Ok(outcome);
        }
        let array = columns::struct_column(&plan.schema, picked, batch.rows())?;
        *self.side.of_mut(&mut batch) = Values::Typed { schema: Arc::clone(&plan.schema), array };
        keep(batch)
    }

    fn shaped(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let Some(maps) = layout::maps(self.side.of(&batch)) else { return keep(batch) };
        let layout = self.layouts.get(maps.data_type(), || laid_out(maps.fields(), &self.rules));
        let array = layout.apply(maps, &[])?;
        *self.side.of_mut(&mut batch) = Values::Shaped(array);
        keep(batch)
    }

    fn dynamic(&self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let Some(values) = columns::dynamic_rows(self.side.of_mut(&mut batch)) else { return keep(batch) };
        let mut failures = Failures::default();
        for (row, value) in values.iter_mut().enumerate().filter(|(_, value)| !value.is_null()) {
            if let Err(err) = self.rules.apply(value) {
                failures.add(row, || err);
            }
        }
        columns::without(batch, failures.into_rows())
    }
}

impl Transform for ReplaceField {
    fn apply(&mut self, batch: SinkBatch) -> Result<Transformed, ConnectError> {
        match self.side.of(&batch) {
            Values::Null { .. } => keep(batch),
            values if layout::maps(values).is_some() => self.shaped(batch),
            Values::Dynamic(_) | Values::Shaped(_) => self.dynamic(batch),
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

/// Maps after [`Rules::apply`], found out with a row that says where each member is.
fn laid_out(old: &Fields, rules: &Rules) -> Layout {
    let place =
        |(at, field): (i64, &FieldRef)| (Value::String(field.name().as_str().into()), Value::Int64(at));
    let mut row = Value::Map((0..).zip(old).map(place).collect());
    rules.apply(&mut row).expect("only keys that are no texts fail");
    let Value::Map(members) = row else { unreachable!("a map stays one") };
    let column = |(name, place): (Value, Value)| match (name, place) {
        (Value::String(name), Value::Int64(at)) => {
            let at = usize::try_from(at).expect("it is a place");
            (layout::key(&name, old[at].data_type().clone()), layout::Source::Old(at))
        }
        _ => unreachable!("members are named places"),
    };
    Layout::new(members.into_iter().map(column).collect())
}

fn plan(schema: &Schema, rules: &Rules) -> Result<Plan, ConnectError> {
    let mut fields = Vec::new();
    for field in schema.fields().iter().filter(|field| rules.passes(&field.name)) {
        let name = rules.renames.get(&*field.name).unwrap_or(&field.name);
        columns::add_field(&mut fields, name, Arc::clone(&field.schema))?;
    }
    let mut sources = Vec::with_capacity(fields.len());
    for field in &fields {
        let old = rules.reverse.get(&field.name).map_or(&*field.name, String::as_str);
        let Some((index, source)) = schema.field(old) else {
            // Rows that cannot fill an earlier field fail for that reason.
            sources.push(Err(ConnectError::data(format!("{old} is not a valid field name"))));
            continue;
        };
        sources.push(Ok(Source { index, foreign: !Arc::ptr_eq(&source.schema, &field.schema) }));
    }
    Ok(Plan { schema: Arc::new(columns::struct_like(schema, fields)), sources })
}

/// Adds the rows of another field's column that `field` cannot hold.
fn check(from: &Schema, column: &ArrayRef, field: &Field, failures: &mut Failures) {
    if !field.schema.optional {
        for row in (0..column.len()).filter(|row| column.is_null(*row)) {
            failures.add(row, || {
                ConnectError::data(format!(
                    "Invalid value: null used for required field: \"{}\", schema type: {}",
                    field.name,
                    field.schema.kind.name()
                ))
            });
        }
    }
    let differs = match recursion::is_recursive(from) || recursion::is_recursive(&field.schema) {
        true => from.kind != field.schema.kind,
        false => *column.data_type() != field.schema.arrow_type(),
    };
    if differs {
        let name = field.schema.name.as_ref().map_or(String::new(), |name| format!(" \"{name}\""));
        let are_structs = matches!((&from.kind, &field.schema.kind), (Kind::Struct(_), Kind::Struct(_)));
        failures.add_valid(column, || {
            if are_structs {
                return ConnectError::data("Struct schemas do not match.");
            }
            ConnectError::data(format!(
                "Invalid Java object for schema{name} with type {}: class {} for field: \"{}\"",
                field.schema.kind.name(),
                from.java_class(),
                field.name
            ))
        });
    }
}

#[cfg(test)]
mod tests;
