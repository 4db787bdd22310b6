//! `SchemaSourceConnector`: structs of fixed content, numbered; with `multiple.schema=true` every other one
//! has a second version of the schema.
//!
//! Source partition `{"id": task}`, source offset `{"seqno": last number}`. Each task writes to the partition
//! of its own number.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, StringArray, StructArray,
};
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::config::{ConfigDef, ConfigMap};
use lakeward_api::header::HeaderRows;
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::sink::Now;
use lakeward_api::source::{
    Polled, SourceBatch, SourceConnector, SourceMap, SourcePosition, SourceTask, SourceTaskContext,
};
use lakeward_api::value::Value;

use super::throttle::Throttle;
use super::{ROWS_MAX, next_number, number, numbered};
use crate::KAFKA_VERSION;
use crate::console::Console;
use crate::position;

const TASK: &str = "SchemaSourceTask";

/// `org.apache.kafka.connect.tools.SchemaSourceConnector`.
#[derive(Clone, Copy, Debug, Default)]
pub struct SchemaSourceConnector;

impl SourceConnector for SchemaSourceConnector {
    fn class(&self) -> &'static str {
        "org.apache.kafka.connect.tools.SchemaSourceConnector"
    }

    fn version(&self) -> &str {
        KAFKA_VERSION
    }

    fn config_def(&self) -> ConfigDef {
        ConfigDef::default()
    }

    fn task_configs(&self, props: &ConfigMap, tasks_max: u32) -> Result<Vec<ConfigMap>, ConnectError> {
        Ok(numbered(props, tasks_max))
    }

    fn new_task(&self, context: SourceTaskContext) -> Result<Box<dyn SourceTask>, ConnectError> {
        Ok(Box::new(SchemaSourceTask::new(&context)?))
    }
}

struct SchemaSourceTask {
    id: i32,
    topic: Arc<str>,
    partition: SourceMap,
    seqno_name: Arc<str>,
    key_schema: Arc<Schema>,
    /// The second one only when records alternate.
    value_schemas: Vec<Arc<Schema>>,
    partition_count: i32,
    /// Number of the next record.
    next: i64,
    made: u64,
    limit: u64,
    throttle: Throttle,
    console: Console,
}

impl SchemaSourceTask {
    fn new(context: &SourceTaskContext) -> Result<Self, ConnectError> {
        let props = &context.config;
        let id: i32 = number(props, "id", TASK)?;
        let limit: i64 = number(props, "num.messages", TASK)?;
        let throughput = number(props, "throughput", TASK)?;
        let partition_count = match props.contains_key("partition.count") {
            true => number(props, "partition.count", TASK)?,
            false => 1,
        };
        if partition_count == 0 {
            return Err(ConnectError::config("Invalid SchemaSourceTask configuration: partition.count is 0"));
        }
        let topic = props.get("topic").ok_or_else(|| {
            ConnectError::config("Missing required configuration \"topic\" which has no default value.")
        })?;
        let alternates = props.get("multiple.schema").is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let partition = position::map([(&"id".into(), Value::Int32(id))]);
        let versions = if alternates { 1..=2 } else { 1..=1 };
        Ok(Self {
            id,
            topic: topic.as_str().into(),
            next: next_number(context.offsets.offset(&partition).as_deref())?,
            partition,
            seqno_name: "seqno".into(),
            key_schema: Arc::new(Schema::new(Kind::String)),
            value_schemas: versions.map(|version| Arc::new(value_schema(version))).collect(),
            partition_count,
            made: 0,
            limit: u64::try_from(limit).unwrap_or(0),
            throttle: Throttle::new(throughput),
            console: Console::new(context),
        })
    }

    /// `rows` records of one schema.
    fn batch(&mut self, rows: usize) -> SourceBatch {
        let turn =
            usize::try_from(self.made % self.value_schemas.len() as u64).expect("there are two at most");
        let schema = Arc::clone(&self.value_schemas[turn]);
        let numbers: Vec<i64> = (self.next..).take(rows).collect();
        let position = |seqno: &i64| SourcePosition {
            partition: Arc::clone(&self.partition),
            offset: position::map([(&self.seqno_name, Value::Int64(*seqno))]),
        };
        let positions = numbers.iter().map(position).collect();
        for seqno in &numbers {
            self.console.line(&format!("{{\"task\": {}, \"seqno\": {seqno}}}", self.id));
        }
        self.next += i64::try_from(rows).expect("a batch is small");
        self.made += rows as u64;
        let array = self.rows(&schema, numbers);
        SourceBatch {
            topic: Arc::clone(&self.topic),
            partition: Some(self.id),
            timestamps_ms: vec![None; rows],
            keys: Values::Typed {
                schema: Arc::clone(&self.key_schema),
                array: Arc::new(StringArray::from(vec!["key"; rows])),
            },
            values: Values::Typed { schema, array },
            headers: HeaderRows::default(),
            positions,
        }
    }

    fn rows(&self, schema: &Schema, numbers: Vec<i64>) -> ArrayRef {
        let rows = numbers.len();
        let modulus = i64::from(self.partition_count);
        let partitioning = |seqno: &i64| i32::try_from(seqno % modulus).expect("below an i32");
        let partitioning: Vec<i32> = numbers.iter().map(partitioning).collect();
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(BooleanArray::from(vec![true; rows])),
            Arc::new(Int32Array::from(vec![12; rows])),
            Arc::new(Int64Array::from(vec![12; rows])),
            Arc::new(Float32Array::from(vec![12.2; rows])),
            Arc::new(Float64Array::from(vec![12.2; rows])),
            Arc::new(Int32Array::from(partitioning)),
        ];
        if schema.field("string").is_some() {
            columns.push(Arc::new(StringArray::from(vec!["def"; rows])));
        }
        columns.push(Arc::new(Int32Array::from(vec![self.id; rows])));
        columns.push(Arc::new(Int64Array::from(numbers)));
        Arc::new(StructArray::new(schema.arrow_fields(), columns, None))
    }
}

impl SourceTask for SchemaSourceTask {
    fn poll(&mut self, now: Now) -> Result<Polled, ConnectError> {
        if !self.console.turn()? || self.made >= self.limit {
            return Ok(Polled::Idle { until: None });
        }
        let due = match self.throttle.ask(self.made, now.monotonic) {
            Err(until) => return Ok(Polled::Idle { until }),
            Ok(due) => due.min(self.limit - self.made),
        };
        let rows = usize::try_from(due).unwrap_or(ROWS_MAX).min(ROWS_MAX);
        let batches = match self.value_schemas.len() {
            1 => vec![self.batch(rows)],
            _ => (0..rows).map(|_| self.batch(1)).collect(),
        };
        self.console.turn()?;
        Ok(Polled::Records(batches))
    }

    fn stop(&mut self) {
        self.console.finish();
    }
}

fn value_schema(version: i32) -> Schema {
    let mut fields = vec![
        ("boolean", Schema::new(Kind::Boolean)),
        ("int", Schema::new(Kind::Int32)),
        ("long", Schema::new(Kind::Int64)),
        ("float", Schema::new(Kind::Float32)),
        ("double", Schema::new(Kind::Float64)),
        ("partitioning", Schema::new(Kind::Int32)),
    ];
    if version == 2 {
        let default = Some(Value::String("abc".into()));
        fields.push(("string", Schema { default, ..Schema::new(Kind::String) }));
    }
    fields.push(("id", Schema::new(Kind::Int32)));
    fields.push(("seqno", Schema::new(Kind::Int64)));
    let field = |(name, schema): (&str, Schema)| Field { name: name.into(), schema: Arc::new(schema) };
    let fields = fields.into_iter().map(field).collect();
    Schema { version: Some(version), ..Schema::new(Kind::Struct(fields)).named("record") }
}
