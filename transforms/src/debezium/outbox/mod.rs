//! `EventRouter`: the rows of an outbox table become the events they hold.
//!
//! Keys, timestamps and payloads are columns of the row as they are. Topics come from the row, so a batch is
//! cut where they change. In a source the placement `partition` says to which partition a record goes;
//! without it the producer chooses one, whatever the connector said. Debezium's class works in sources alone;
//! in a sink, where it fails on every record that no column gives a partition, records here keep theirs.
//!
//! Source: `io.debezium.transforms.outbox.EventRouter`, `EventRouterDelegate`, Debezium 3.6.0.Final.

mod config;
mod json;
mod plan;

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef};
use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::ConfigMap;
use lakeward_api::header::{HeaderColumn, HeaderValues};
use lakeward_api::rows::ColumnWriter;
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::transform::{NO_PARTITION, Transform, Transformed};
use lakeward_api::value::Value;

use self::config::Rules;
use self::plan::Plan;
use super::{VERSION, failed, null_pointer, open_envelope, typed_field};
use crate::columns::{self, Plans, fail_all, not_a_struct};
use crate::merge;
use crate::plugin::TransformClass;
use crate::routing::TopicRuns;

/// The class of this folder.
pub(super) fn class() -> TransformClass {
    TransformClass {
        class: "io.debezium.transforms.outbox.EventRouter",
        version: VERSION,
        config_def: config::config_def,
        new: |given| Ok(Box::new(EventRouter::new(given)?)),
    }
}

/// Topics and value schemas that are kept.
const KEPT: usize = 1_000;

struct EventRouter {
    rules: Rules,
    plans: Plans<Result<Arc<Plan>, ConnectError>>,
    /// What `route.by.field` said, and the topic it stands for.
    topics: HashMap<Box<str>, Arc<str>>,
    /// Value schemas by payload schema and version. As in Debezium, the first event names them.
    values: Vec<(Arc<Schema>, Option<i32>, Arc<Schema>)>,
    /// The latest schema inferred from JSON.
    inferred: Option<Arc<Schema>>,
    is_source: bool,
}

/// An event that goes on.
struct Event {
    topic: Arc<str>,
    timestamp_ms: Option<i64>,
    version: Option<i32>,
    /// Where it goes, in a source.
    partition: i32,
    payload: Payload,
}

/// What becomes of a payload.
enum Payload {
    /// It stays as it is.
    Column,
    /// It was a JSON text.
    Json(Arc<Schema>, Value),
    /// It was empty.
    Tombstone,
}

impl EventRouter {
    fn new(given: &ConfigMap) -> Result<Self, ConnectError> {
        Ok(Self {
            rules: Rules::new(given)?,
            plans: Plans::default(),
            topics: HashMap::new(),
            values: Vec::new(),
            inferred: None,
            is_source: false,
        })
    }

    /// Values that are no change events: null ones go, others pass by.
    fn others(mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        let there: Vec<u32> = match &batch.values {
            Values::Null { .. } => Vec::new(),
            Values::Dynamic(values) => {
                (0u32..).zip(values).filter(|(_, value)| !value.is_null()).map(|(row, _)| row).collect()
            }
            Values::Shaped(array) | Values::Typed { array, .. } => columns::by_nulls(array).0,
        };
        if there.is_empty() {
            return Ok(Transformed::default());
        }
        if there.len() < batch.rows() {
            batch = merge::move_rows(&mut batch, &there)?;
        }
        Ok(Transformed::one(batch))
    }

    fn envelopes(&mut self, mut batch: SinkBatch, schema: &Arc<Schema>) -> Result<Transformed, ConnectError> {
        let op = match typed_field(schema, "op", &Kind::String) {
            Ok(op) => op,
            Err(err) => {
                let there = Self::others(batch)?;
                let batches = there.batches.iter();
                return Ok(batches.map(|batch| fail_all(batch, &err)).next_back().unwrap_or_default());
            }
        };
        let mut outcome = Transformed::default();
        let mut there = Vec::new();
        if let Values::Typed { array, .. } = &batch.values {
            let ops = array.as_struct().column(op).as_string::<i32>();
            for (row, at) in (0..batch.rows()).zip(0u32..) {
                if array.is_null(row) {
                    continue;
                }
                let problem = match ops.is_valid(row).then(|| ops.value(row)) {
                    None => null_pointer("The event says no operation"),
                    Some("d") => continue,
                    Some("u") if self.rules.is_fatal => {
                        failed("java.lang.IllegalStateException", "Unexpected update message received, fail.")
                    }
                    Some("u") => continue,
                    Some(_) => {
                        there.push(at);
                        continue;
                    }
                };
                outcome.errors.push((batch.offsets[row], problem));
            }
        }
        if there.is_empty() {
            return Ok(outcome);
        }
        if there.len() < batch.rows() {
            batch = merge::move_rows(&mut batch, &there)?;
        }
        let events = self.events(batch, schema)?;
        outcome.batches = events.batches;
        outcome.errors.extend(events.errors);
        Ok(outcome)
    }

    /// Rows that were inserted or read.
    fn events(&mut self, batch: SinkBatch, schema: &Arc<Schema>) -> Result<Transformed, ConnectError> {
        let rules = &self.rules;
        let plan = match self.plans.get(schema, || Ok(Plan::new(schema, rules).map(Arc::new)))? {
            Ok(plan) => Arc::clone(plan),
            Err(err) => return Ok(fail_all(&batch, err)),
        };
        let Values::Typed { array, .. } = &batch.values else { return Ok(Transformed::one(batch)) };
        let array = Arc::clone(array);
        let after = array.as_struct().column(plan.after);
        let payloads = plan.column(after.as_struct(), plan.payload)?;
        let mut events = Vec::with_capacity(batch.rows());
        let mut failures = Vec::new();
        for row in 0..batch.rows() {
            match self.event(&plan, &array, &payloads, row) {
                Ok(event) => events.push(event),
                Err(err) => failures.push((row, err)),
            }
        }
        let mut outcome = columns::without(batch, failures)?;
        if let Some(batch) = outcome.batches.pop() {
            let rest = self.emit(batch, &plan, events)?;
            outcome.batches = rest.batches;
            outcome.errors.extend(rest.errors);
        }
        Ok(outcome)
    }

    fn event(
        &mut self,
        plan: &Plan,
        envelope: &ArrayRef,
        payloads: &ArrayRef,
        row: usize,
    ) -> Result<Event, ConnectError> {
        let envelope = envelope.as_struct();
        let after = envelope.column(plan.after);
        if after.is_null(row) {
            return Err(not_a_struct("null", "Read Outbox Event"));
        }
        let timestamp_ms = plan.timestamp_ms(envelope, row)?;
        let number = |index: Option<usize>| {
            let column = after.as_struct().column(index?).as_primitive::<Int32Type>();
            column.is_valid(row).then(|| column.value(row))
        };
        let routes = after.as_struct().column(plan.route).as_string::<i32>();
        if routes.is_null(row) {
            return Err(null_pointer(format!("The event's field {} is null", self.rules.route)));
        }
        let routed = routes.value(row);
        let topic = self.topic(routed)?;
        Ok(Event {
            topic,
            timestamp_ms,
            version: number(plan.version),
            partition: number(plan.partition).unwrap_or(NO_PARTITION),
            payload: self.payload(&plan.event.fields()[plan.payload].schema, payloads, row),
        })
    }

    fn payload(&mut self, schema: &Schema, payloads: &ArrayRef, row: usize) -> Payload {
        let is_text = matches!(schema.kind, Kind::String);
        let text = (is_text && payloads.is_valid(row)).then(|| payloads.as_string::<i32>().value(row));
        if self.rules.expand
            && let Some(text) = text
            && let Some((schema, value)) = json::expand(text, &self.rules.payload, self.rules.nulls_as_bytes)
        {
            let schema = match &self.inferred {
                Some(last) if **last == schema => Arc::clone(last),
                _ => Arc::clone(self.inferred.insert(Arc::new(schema))),
            };
            return Payload::Json(schema, value);
        }
        let is_empty = match text {
            Some(text) => text.bytes().all(|byte| byte <= b' '),
            None => payloads.is_null(row),
        };
        if is_empty && self.rules.tombstones { Payload::Tombstone } else { Payload::Column }
    }

    fn topic(&mut self, routed: &str) -> Result<Arc<str>, ConnectError> {
        if let Some(known) = self.topics.get(routed) {
            return Ok(Arc::clone(known));
        }
        let topic: Arc<str> = match self.rules.regex.matches(routed)? {
            true => self.rules.regex.replace_first(routed, &self.rules.replacement)?.into(),
            false => routed.into(),
        };
        if self.topics.len() == KEPT {
            self.topics.clear();
        }
        self.topics.insert(routed.into(), Arc::clone(&topic));
        Ok(topic)
    }

    /// The records of `events`, one per row.
    fn emit(
        &mut self,
        mut batch: SinkBatch,
        plan: &Plan,
        events: Vec<Event>,
    ) -> Result<Transformed, ConnectError> {
        let rows = batch.rows();
        let Values::Typed { array, .. } = std::mem::replace(&mut batch.values, Values::Null { rows }) else {
            return Ok(Transformed::one(batch));
        };
        let event = array.as_struct().column(plan.after).as_struct();
        let fields = plan.event.fields();
        let mut added = vec![(Arc::<str>::from("id"), plan.id, plan.column(event, plan.id)?)];
        for (index, alias) in &plan.headers {
            added.push((Arc::clone(alias), *index, plan.column(event, *index)?));
        }
        for (key, index, array) in added {
            let values = HeaderValues::Rows(Values::of_field(&fields[index].schema, array)?);
            batch.headers.push(rows, HeaderColumn { key, values });
        }
        batch.timestamps_ms = events.iter().map(|event| event.timestamp_ms).collect();
        batch.keys = Values::of_field(&fields[plan.key].schema, plan.column(event, plan.key)?)?;
        let mut columns = vec![plan.column(event, plan.payload)?];
        for (index, _) in &plan.envelope {
            columns.push(plan.column(event, *index)?);
        }
        let routes = event.column(plan.route).as_string::<i32>();
        let mut outcome = Transformed::default();
        let mut start = 0;
        let is_source = self.is_source;
        for run in events.chunk_by(|a, b| is_alike(a, b) && !(is_source && a.partition != b.partition)) {
            let range: Vec<u32> = (0u32..).skip(start).take(run.len()).collect();
            let mut part = merge::move_rows(&mut batch, &range)?;
            if is_source {
                part.partition.partition = run[0].partition;
            }
            let slices = columns.iter().map(|column| column.slice(start, run.len())).collect();
            let values = self.values(plan, run, slices, routes.value(start));
            start += run.len();
            match values {
                Ok(values) => part.values = values,
                Err(err) => {
                    outcome.errors.extend(fail_all(&part, &err).errors);
                    continue;
                }
            }
            let mut topics = TopicRuns::default();
            run.iter().for_each(|event| topics.push(&event.topic));
            outcome.batches.extend(topics.split(part)?);
        }
        Ok(outcome)
    }

    /// The values of neighbours that are alike. `columns` are their payloads and additional fields, `routed`
    /// is what `route.by.field` says in the first.
    fn values(
        &mut self,
        plan: &Plan,
        run: &[Event],
        mut columns: Vec<ArrayRef>,
        routed: &str,
    ) -> Result<Values, ConnectError> {
        let payload = match &run[0].payload {
            Payload::Column | Payload::Tombstone => Arc::clone(&plan.event.fields()[plan.payload].schema),
            Payload::Json(schema, _) => {
                let mut writer = ColumnWriter::new(schema);
                for event in run {
                    if let Payload::Json(_, value) = &event.payload {
                        writer.append(value)?;
                    }
                }
                columns[0] = writer.finish()?;
                Arc::clone(schema)
            }
        };
        // A tombstone, too, makes the schema of its payload known.
        let envelope = match self.rules.has_envelope() {
            true => Some(self.value_schema(plan, &payload, run[0].version, routed)?),
            false => None,
        };
        if matches!(run[0].payload, Payload::Tombstone) {
            return Ok(Values::Null { rows: run.len() });
        }
        Ok(match envelope {
            None => Values::of_field(&payload, columns.swap_remove(0))?,
            Some(schema) => {
                let array = columns::struct_column(&schema, columns, run.len())?;
                Values::Typed { schema, array }
            }
        })
    }

    fn value_schema(
        &mut self,
        plan: &Plan,
        payload: &Arc<Schema>,
        version: Option<i32>,
        routed: &str,
    ) -> Result<Arc<Schema>, ConnectError> {
        let is_known = |(known, of, _): &&(Arc<Schema>, Option<i32>, Arc<Schema>)| {
            *of == version && (Arc::ptr_eq(known, payload) || known == payload)
        };
        if let Some((_, _, schema)) = self.values.iter().find(is_known) {
            return Ok(Arc::clone(schema));
        }
        let schema = Arc::new(plan.value_schema(payload, routed, version)?);
        if self.values.len() == KEPT {
            self.values.remove(0);
        }
        self.values.push((Arc::clone(payload), version, Arc::clone(&schema)));
        Ok(schema)
    }
}

impl Transform for EventRouter {
    fn apply(&mut self, mut batch: SinkBatch) -> Result<Transformed, ConnectError> {
        match open_envelope(&mut batch.values)? {
            Some(schema) => self.envelopes(batch, &schema),
            None => Self::others(batch),
        }
    }

    fn expect_source_records(&mut self) {
        self.is_source = true;
    }
}

/// Whether two events' values can be rows of one batch.
fn is_alike(a: &Event, b: &Event) -> bool {
    a.version == b.version
        && match (&a.payload, &b.payload) {
            (Payload::Column, Payload::Column) | (Payload::Tombstone, Payload::Tombstone) => true,
            (Payload::Json(a, _), Payload::Json(b, _)) => Arc::ptr_eq(a, b),
            _ => false,
        }
}
