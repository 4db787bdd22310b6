//! `ExtractNewRecordState`: a change event becomes its row.
//!
//! Rows of one batch are inserts and updates, deletes, truncates (dropped) or tombstones. Each kind becomes
//! columns at once; afterwards they come together again in order. A batch of one kind, as most are, is never
//! taken apart.

mod config;
mod drop;
mod fields;
mod plan;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringArray, StructArray};
use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::ConfigMap;
use lakeward_api::header::{HeaderColumn, HeaderValues};
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::transform::{Transform, Transformed};
use lakeward_api::value::Value;

use self::config::Deletes;
use self::drop::Drop;
use self::fields::{FieldReference, Found};
use self::plan::{Plan, Shape};
use super::{VERSION, open_envelope};
use crate::columns::{self, Plans, copy_of, fail_all};
use crate::plugin::TransformClass;
use crate::routing::{self, TopicRuns};
use crate::{merge, settings};

/// The class of this folder.
pub(super) fn class() -> TransformClass {
    TransformClass {
        class: "io.debezium.transforms.ExtractNewRecordState",
        version: VERSION,
        config_def: config::config_def,
        new: |given| Ok(Box::new(ExtractNewRecordState::new(given)?)),
    }
}

struct ExtractNewRecordState {
    rules: Rules,
    plans: Plans<Arc<Plan>>,
    shared: Shared,
}

/// The settings.
struct Rules {
    deletes: Deletes,
    replace_null: bool,
    route: Option<String>,
    fields: Vec<FieldReference>,
    headers: Vec<FieldReference>,
    drop: Option<Drop>,
}

/// Schemas that were made from records, not from schemas alone.
#[derive(Default)]
struct Shared {
    made: Vec<Arc<Schema>>,
}

/// What a row of a change event's schema is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Delete,
    Tombstone,
    Truncate,
    Upsert,
}

impl ExtractNewRecordState {
    fn new(given: &ConfigMap) -> Result<Self, ConnectError> {
        Ok(Self { rules: Rules::new(given)?, plans: Plans::default(), shared: Shared::default() })
    }

    /// Rows whose value is null: gone, or kept as they are.
    fn tombstones(&self, mut batch: SinkBatch) -> Transformed {
        if self.rules.deletes != Deletes::RewriteWithTombstone {
            return Transformed::default();
        }
        let operations = self.rules.headers.iter().filter(|header| header.field == "op");
        let operations: Vec<_> = operations.map(|header| Arc::clone(&header.name)).collect();
        if !operations.is_empty() {
            let text = Arc::new(Schema::new(Kind::String));
            let rows = batch.rows();
            for key in operations {
                let (schema, value) = (Some(Arc::clone(&text)), Value::String("d".into()));
                let values = HeaderValues::Constant { schema, value };
                batch.headers.push(rows, HeaderColumn { key, values });
            }
        }
        Transformed::one(batch)
    }

    /// Rows of another schema than an envelope's.
    fn others(&self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let (there, null): (Vec<u32>, Vec<u32>) = match &batch.values {
            Values::Null { .. } => return Ok(self.tombstones(batch)),
            Values::Dynamic(values) => {
                let all = (0u32..).zip(values);
                let (null, there): (Vec<_>, Vec<_>) = all.partition(|(_, value)| value.is_null());
                let rows = |pairs: Vec<(u32, &Value)>| pairs.into_iter().map(|(row, _)| row).collect();
                (rows(there), rows(null))
            }
            Values::Shaped(array) | Values::Typed { array, .. } => columns::by_nulls(array),
        };
        if null.is_empty() {
            return Ok(Transformed::one(batch));
        }
        if there.is_empty() {
            return Ok(self.tombstones(batch));
        }
        let tombstones = self.tombstones(merge::move_rows(&mut batch, &null)?);
        let there = Transformed::one(merge::move_rows(&mut batch, &there)?);
        routing::combine(vec![there, tombstones])
    }

    fn envelopes(&mut self, mut batch: SinkBatch, schema: &Arc<Schema>) -> Result<Transformed, ConnectError> {
        let rules = &self.rules;
        let plan = Arc::clone(self.plans.get(schema, || Ok(Arc::new(Plan::new(schema, rules))))?);
        let kinds = match &batch.values {
            Values::Typed { array, .. } => plan.kinds(array.as_struct()),
            Values::Dynamic(_) | Values::Null { .. } | Values::Shaped(_) => Vec::new(),
        };
        if let [(kind, _)] = kinds.as_slice() {
            return self.change(batch, &plan, *kind);
        }
        let mut parts = Vec::with_capacity(kinds.len());
        for (kind, rows) in kinds {
            let part = merge::move_rows(&mut batch, &rows)?;
            parts.push(self.change(part, &plan, kind)?);
        }
        routing::combine(parts)
    }

    /// Rows of one kind.
    fn change(
        &mut self,
        mut batch: SinkBatch,
        plan: &Plan,
        kind: Change,
    ) -> Result<Transformed, ConnectError> {
        if kind == Change::Tombstone {
            return Ok(self.tombstones(batch));
        }
        if let Err(err) = add_headers(&mut batch, plan) {
            return Ok(fail_all(&batch, &err));
        }
        match kind {
            Change::Truncate => {
                let missing = plan.before.as_ref().err();
                return Ok(missing.map(|err| fail_all(&batch, err)).unwrap_or_default());
            }
            Change::Delete if self.rules.deletes == Deletes::Drop => return Ok(Transformed::default()),
            Change::Delete | Change::Tombstone | Change::Upsert => {}
        }
        if let Err(err) = &plan.after {
            return Ok(fail_all(&batch, err));
        }
        if self.rules.drop.is_none() {
            return self.run(batch, plan, kind, None);
        }
        self.dropping(batch, plan, kind)
    }

    /// Rows of one kind whose headers may name fields to drop: runs of rows that name the same.
    fn dropping(
        &mut self,
        mut batch: SinkBatch,
        plan: &Plan,
        kind: Change,
    ) -> Result<Transformed, ConnectError> {
        let Some(rule) = &self.rules.drop else { return self.run(batch, plan, kind, None) };
        let mut runs: Vec<(Option<Vec<Value>>, bool, Vec<u32>)> = Vec::new();
        let mut outcome = Transformed::default();
        let mut bad = Vec::new();
        for (row, at) in (0..batch.rows()).zip(0u32..) {
            let names = match rule.names(&batch, row) {
                Ok(names) => names,
                Err(err) => {
                    bad.push((at, err));
                    continue;
                }
            };
            let is_null = names.is_some() && drop::key_is_null(&batch.keys, row);
            match runs.last_mut() {
                Some((last, null, run)) if *last == names && *null == is_null => run.push(at),
                _ => runs.push((names, is_null, vec![at])),
            }
        }
        for (names, _, run) in runs {
            let part = merge::move_rows(&mut batch, &run)?;
            let done = self.run(part, plan, kind, names.as_deref())?;
            outcome.batches.extend(done.batches);
            outcome.errors.extend(done.errors);
        }
        for (at, err) in bad {
            // Another problem of the record comes first.
            let part = merge::move_rows(&mut batch, &[at])?;
            let done = self.run(part, plan, kind, None)?;
            outcome.errors.extend(done.errors);
            outcome.errors.extend(done.batches.first().map(|batch| (batch.offsets[0], err)));
        }
        Ok(outcome)
    }

    /// Rows of one kind that drop the same fields.
    fn run(
        &mut self,
        mut batch: SinkBatch,
        plan: &Plan,
        kind: Change,
        names: Option<&[Value]>,
    ) -> Result<Transformed, ConnectError> {
        let Values::Typed { array, .. } = &batch.values else { return Ok(Transformed::one(batch)) };
        let array = Arc::clone(array);
        let done = match kind {
            Change::Upsert => self.upserts(array.as_struct(), plan, names),
            _ => self.deletes(array.as_struct(), plan, names),
        };
        let (values, route) = match done {
            Ok(done) => done,
            Err(err) => return Ok(fail_all(&batch, &err)),
        };
        if let (Some(names), Some(rule)) = (names, &self.rules.drop) {
            let is_lost = matches!(values, Values::Null { .. }) && rule.keep_compatible;
            let dropped = match is_lost {
                true => Err(super::null_pointer("Fields cannot be dropped compatibly from no schema")),
                false => rule.keys(&mut batch.keys, names, &mut self.shared),
            };
            if let Err(err) = dropped {
                return Ok(fail_all(&batch, &err));
            }
        }
        batch.values = values;
        match route {
            None => Ok(Transformed::one(batch)),
            Some(topics) => {
                let runs = topic_runs(topics.as_string(), &batch.topic);
                Ok(Transformed { batches: runs.split(batch)?, errors: Vec::new() })
            }
        }
    }

    fn upserts(
        &mut self,
        envelope: &StructArray,
        plan: &Plan,
        names: Option<&[Value]>,
    ) -> Result<(Values, Option<ArrayRef>), ConnectError> {
        let shape = plan.upsert.as_ref().map_err(copy_of)?;
        let rows = envelope.len();
        let after = envelope.column(shape.row);
        let mut all = self.row(after.as_struct(), shape, "false")?;
        let route = shape.route.map(|index| Arc::clone(&all[index]));
        for source in &shape.sources {
            all.push(source.column(envelope)?);
        }
        let mut schema = Arc::clone(&shape.schema);
        if let (Some(names), Some(rule)) = (names, &self.rules.drop)
            && let Some(kept) = rule.kept(&schema, names)
        {
            let (new, reduced) = drop::reduced(&schema, &all, &kept)?;
            (schema, all) = (self.shared.intern(new), reduced);
        }
        let array = columns::struct_column(&schema, all, rows)?;
        Ok((Values::Typed { schema, array }, route))
    }

    fn deletes(
        &mut self,
        envelope: &StructArray,
        plan: &Plan,
        names: Option<&[Value]>,
    ) -> Result<(Values, Option<ArrayRef>), ConnectError> {
        let rows = envelope.len();
        let route = match &plan.delete_route {
            None => None,
            Some(Ok((before, index))) => {
                Some(Arc::clone(envelope.column(*before).as_struct().column(*index)))
            }
            Some(Err(err)) => return Err(copy_of(err)),
        };
        match self.rules.deletes {
            Deletes::Drop | Deletes::DeleteToTombstone => return Ok((Values::Null { rows }, route)),
            Deletes::Tombstone => {
                let (index, schema) = plan.after.as_ref().map_err(copy_of)?;
                let array = Arc::clone(envelope.column(*index));
                return Ok((Values::Typed { schema: Arc::clone(schema), array }, route));
            }
            Deletes::Rewrite | Deletes::RewriteWithTombstone => {}
        }
        let shape = plan.rewrite.as_ref().map_err(copy_of)?;
        let mut all = self.row(envelope.column(shape.row).as_struct(), shape, "true")?;
        let mut schema = Arc::clone(&shape.schema);
        if let (Some(names), Some(rule)) = (names, &self.rules.drop)
            && let Some(kept) = rule.kept(&shape.bare, names)
        {
            let (new, reduced) = drop::reduced(&shape.bare, &all, &kept)?;
            let mut fields = new.fields().to_vec();
            plan::add_sources(&mut fields, &shape.sources)?;
            (schema, all) = (self.shared.intern(columns::struct_like(&new, fields)), reduced);
        }
        for source in &shape.sources {
            all.push(source.column(envelope)?);
        }
        let array = columns::struct_column(&schema, all, rows)?;
        Ok((Values::Typed { schema, array }, route))
    }

    /// The columns of a row's image, with `__deleted` when events are rewritten.
    fn row(&self, image: &StructArray, shape: &Shape, deleted: &str) -> Result<Vec<ArrayRef>, ConnectError> {
        if !self.rules.deletes.is_rewrite() {
            return Ok(image.columns().to_vec());
        }
        let mut all = Vec::with_capacity(image.num_columns() + 1 + shape.sources.len());
        for (field, column) in shape.bare.fields().iter().zip(image.columns()) {
            all.push(match self.rules.replace_null {
                true => columns::with_default(&field.schema, column)?,
                false => Arc::clone(column),
            });
        }
        all.push(Arc::new(StringArray::from_iter_values(std::iter::repeat_n(deleted, image.len()))));
        Ok(all)
    }
}

impl Transform for ExtractNewRecordState {
    fn apply(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        match open_envelope(&mut batch.values)? {
            Some(schema) => self.envelopes(batch, &schema),
            None => self.others(batch),
        }
    }
}

impl Rules {
    fn new(given: &ConfigMap) -> Result<Self, ConnectError> {
        let settings = super::read_settings(&config::all_keys(), given)?;
        let header = settings.get(config::DROP_HEADER).unwrap_or_default().trim();
        let route = settings.text(config::ROUTE);
        Ok(Self {
            deletes: super::parse_option(settings.text(config::DELETES), &config::DELETES_OPTIONS)
                .ok_or_else(|| super::invalid(ConnectError::config("unknown delete handling")))?,
            replace_null: settings.flag(settings::REPLACE_NULL),
            route: (!route.is_empty()).then(|| route.to_owned()),
            fields: fields::parse(settings.text(config::FIELDS_PREFIX), settings.text(config::FIELDS))?,
            headers: fields::parse(settings.text(config::HEADERS_PREFIX), settings.text(config::HEADERS))?,
            drop: (!header.is_empty()).then(|| Drop {
                header: header.to_owned(),
                from_key: settings.flag(config::DROP_FROM_KEY),
                keep_compatible: settings.flag(config::DROP_COMPATIBLY),
            }),
        })
    }
}

/// Adds the headers that `add.headers` asks for.
fn add_headers(batch: &mut SinkBatch, plan: &Plan) -> Result<(), ConnectError> {
    let sources = plan.headers.as_ref().map_err(copy_of)?;
    if sources.is_empty() {
        return Ok(());
    }
    let Values::Typed { array, .. } = &batch.values else { return Ok(()) };
    let mut found: Vec<(&Found, ArrayRef)> = Vec::with_capacity(sources.len());
    for source in sources {
        found.push((source, source.column(array.as_struct())?));
    }
    let rows = batch.rows();
    for (source, array) in found {
        let values = HeaderValues::Rows(Values::of_field(&source.schema, array)?);
        batch.headers.push(rows, HeaderColumn { key: Arc::clone(&source.name), values });
    }
    Ok(())
}

/// The topics that a column of texts names; a blank one leaves the record where it is.
fn topic_runs(texts: &StringArray, topic: &str) -> TopicRuns {
    let mut runs = TopicRuns::default();
    for text in texts {
        runs.push(text.filter(|text| text.bytes().any(|byte| byte > b' ')).unwrap_or(topic));
    }
    runs
}
