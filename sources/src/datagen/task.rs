//! The task: pace, seeds, positions and headers; columns come from the generator.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::{Array as _, ArrayRef, Int64Array, StructArray, new_null_array};
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::config::ConfigMap;
use lakeward_api::header::{HeaderColumn, HeaderRows, HeaderValues};
use lakeward_api::schema::{Kind, Schema};
use lakeward_api::sink::Now;
use lakeward_api::source::{Polled, SourceBatch, SourceMap, SourcePosition, SourceTask, SourceTaskContext};
use lakeward_api::value::Value;

use super::avro_types::Type;
use super::generate::Node;
use super::keys::Keys;
use super::random::{STEP, below, mix};
use super::recipe::Cook;
use crate::blocking::{self, Pending};
use crate::position;

/// Where the connector puts the number of a task.
pub(super) const TASK_ID: &str = "task.id";
const GENERATION: &str = "task.generation";
const ITERATION: &str = "current.iteration";
const SEED: &str = "random.seed";
/// Records of one poll at most, without pauses.
const ROWS_MAX: usize = 2048;

/// One task.
pub(super) struct DatagenTask {
    topic: Arc<str>,
    max_interval_ms: u64,
    /// Records of this task in all its lives; `None` without end.
    limit: Option<u64>,
    due: Option<Instant>,
    stage: Stage,
    /// Records that were made, in this life and before.
    made: u64,
    /// Seed of the next record.
    state: u64,
    task: i64,
    generation: i64,
    partition: SourceMap,
    names: [Arc<str>; 3],
    key_field: String,
    header_schema: Arc<Schema>,
}

/// Schemas in files are read on a blocking thread first.
enum Stage {
    Reading(Pending<Result<Type, ConnectError>>),
    Ready { root: Node, key: Option<usize> },
}

impl Stage {
    /// The generator of `schema`, which goes on after `made` records.
    fn ready(schema: &Type, key_field: &str, made: u64) -> Result<Self, ConnectError> {
        if !matches!(schema.schema.kind, Kind::Struct(_)) || schema.schema.optional {
            return Err(ConnectError::new(
                lakeward_api::ErrorClass::Config,
                "java.lang.RuntimeException",
                "Expected Avro Random Generator to return instance of GenericRecord; make it a record",
            ));
        }
        let key = match key_field {
            "" => None,
            name => Some(schema.schema.field(name).map(|(at, _)| at).ok_or_else(|| {
                ConnectError::config("The schema does not contain the field provided in 'schema.keyfield'")
            })?),
        };
        Ok(Self::Ready { root: Cook::new(made).cook(schema)?, key })
    }
}

impl DatagenTask {
    /// # Errors
    /// `Config` when keys or the schema are wrong, `Fatal` when the stored offset is not one of this
    /// connector.
    pub(super) fn new(context: SourceTaskContext) -> Result<Self, ConnectError> {
        let keys = parse(&context.config)?;
        let task: i32 = context.config.get(TASK_ID).and_then(|text| text.parse().ok()).unwrap_or(0);
        let partition = position::map([(&TASK_ID.into(), Value::Int32(task))]);
        let mut state = keys.random_seed.map_or_else(
            || RandomState::new().hash_one(task),
            |seed| (0..task).fold(seed as u64, |seed, _| mix(seed)),
        );
        let (mut generation, mut made) = (0, 0);
        if let Some(offset) = context.offsets.offset(&partition) {
            let number = |name: &str| {
                position::long(&offset, name).ok_or_else(|| {
                    ConnectError::fatal(format!(
                        "The stored offset has no whole number under '{name}'; reset it"
                    ))
                })
            };
            generation = number(GENERATION)?;
            made = u64::try_from(number(ITERATION)?).unwrap_or(0);
            state = number(SEED)? as u64;
        }
        let key_field = keys.key_field().to_owned();
        let (topic, max_interval_ms, iterations) =
            (keys.topic.as_str().into(), keys.max_interval_ms, keys.iterations);
        let stage = match keys.schema_filename.is_empty() {
            true => Stage::ready(&keys.schema()?, &key_field, made)?,
            false => Stage::Reading(blocking::start(&*context.bridge, &context.waker, move || keys.schema())),
        };
        Ok(Self {
            topic,
            max_interval_ms: u64::try_from(max_interval_ms).unwrap_or(0),
            limit: u64::try_from(iterations).ok().filter(|limit| *limit > 0),
            due: None,
            stage,
            made,
            state,
            task: i64::from(task),
            generation,
            partition,
            names: [GENERATION.into(), SEED.into(), ITERATION.into()],
            key_field,
            header_schema: Arc::new(Schema::new(Kind::Int64)),
        })
    }

    /// How many records are to be made now; or when there is one.
    fn due(&mut self, now: Now) -> Result<usize, Instant> {
        if self.max_interval_ms == 0 {
            return Ok(ROWS_MAX);
        }
        let pause = below(mix(!self.state), self.max_interval_ms);
        let due = *self.due.get_or_insert(now.monotonic + Duration::from_millis(pause));
        if now.monotonic < due {
            return Err(due);
        }
        self.due = None;
        Ok(1)
    }

    fn batch(&mut self, rows: usize, now: Now) -> Result<SourceBatch, ConnectError> {
        let Stage::Ready { root, key } = &mut self.stage else {
            return Err(ConnectError::fatal("The schema was not read yet"));
        };
        let first = self.state;
        let seed = |row: usize| first.wrapping_add(STEP.wrapping_mul(row as u64));
        let seeds: Vec<u64> = (0..rows).map(|row| mix(seed(row))).collect();
        let array = root.column(&seeds)?;
        let keys = key_column(&root.schema, &array, *key);
        let values = Values::Typed { schema: Arc::clone(&root.schema), array };
        let made = i64::try_from(self.made).unwrap_or(i64::MAX);
        let [generation, seed_name, iteration] = &self.names;
        let position = |row: usize| SourcePosition {
            partition: Arc::clone(&self.partition),
            offset: position::map([
                (generation, Value::Int64(self.generation + 1)),
                (seed_name, Value::Int64(seed(row + 1) as i64)),
                (iteration, Value::Int64(made + row as i64 + 1)),
            ]),
        };
        let positions = (0..rows).map(position).collect();
        let numbers = Int64Array::from_iter_values((made..).take(rows));
        let headers = self.headers(Arc::new(numbers));
        self.state = seed(rows);
        self.made += rows as u64;
        Ok(SourceBatch {
            topic: Arc::clone(&self.topic),
            partition: None,
            timestamps_ms: vec![Some(now.wall_ms); rows],
            keys,
            values,
            headers,
            positions,
        })
    }

    fn headers(&self, iterations: ArrayRef) -> HeaderRows {
        let constant = |number: i64| HeaderValues::Constant {
            schema: Some(Arc::clone(&self.header_schema)),
            value: Value::Int64(number),
        };
        let column = |key: &str, values: HeaderValues| HeaderColumn { key: key.into(), values };
        HeaderRows::of_columns(vec![
            column(GENERATION, constant(self.generation)),
            column(TASK_ID, constant(self.task)),
            column(
                ITERATION,
                HeaderValues::Rows(Values::Typed {
                    schema: Arc::clone(&self.header_schema),
                    array: iterations,
                }),
            ),
        ])
    }
}

impl SourceTask for DatagenTask {
    fn has_started(&self) -> bool {
        matches!(self.stage, Stage::Ready { .. })
    }

    fn poll(&mut self, now: Now) -> Result<Polled, ConnectError> {
        if let Stage::Reading(pending) = &self.stage {
            let Some(schema) = pending.take()? else { return Ok(Polled::Idle { until: None }) };
            self.stage = Stage::ready(&schema?, &self.key_field, self.made)?;
        }
        let due = match self.due(now) {
            Err(until) => return Ok(Polled::Idle { until: Some(until) }),
            Ok(due) => due as u64,
        };
        let left = self.limit.map_or(due, |limit| limit.saturating_sub(self.made));
        if left == 0 {
            return Err(ConnectError::fatal(format!(
                "Stopping connector: generated the configured {} number of messages",
                self.made
            )));
        }
        let rows = usize::try_from(due.min(left)).expect("batches are small");
        Ok(Polled::Records(vec![self.batch(rows, now)?]))
    }

    fn stop(&mut self) {}
}

/// Keys of a task: the schema may still have to be read.
fn parse(props: &ConfigMap) -> Result<Keys, ConnectError> {
    Keys::parse(props).map_err(|values| {
        let problems: Vec<String> = values.into_iter().flat_map(|value| value.errors).collect();
        ConnectError::config(problems.join("; "))
    })
}

/// The key field of each row; without one, null under an optional STRING.
fn key_column(schema: &Schema, rows: &ArrayRef, key: Option<usize>) -> Values {
    match key {
        Some(at) => {
            let structs = rows.as_any().downcast_ref::<StructArray>().expect("records are structs");
            let schema = Arc::clone(&schema.fields()[at].schema);
            Values::Typed { schema, array: Arc::clone(structs.column(at)) }
        }
        None => {
            let schema = Schema::optional(Kind::String);
            let array = new_null_array(&schema.arrow_type(), rows.len());
            Values::Typed { schema: Arc::new(schema), array }
        }
    }
}
