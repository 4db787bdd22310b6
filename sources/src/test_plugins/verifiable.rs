//! `VerifiableSourceConnector`: numbers that ascend without gaps, over restarts, too.
//!
//! Source partition `{"id": task}`, source offset `{"seqno": last number}`. Keys are the task number (INT32);
//! values the number (INT64), or with `complete.record.data=true` a struct of what is told on the output.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, Int64Array, StringArray, StructArray};
use lakeward_api::ConnectError;
use lakeward_api::batch::Values;
use lakeward_api::config::{ConfigDef, ConfigMap};
use lakeward_api::header::HeaderRows;
use lakeward_api::schema::{Field, Kind, Schema};
use lakeward_api::sink::Now;
use lakeward_api::source::{
    Polled, RecordOutcome, SourceBatch, SourceConnector, SourceMap, SourcePosition, SourceTask,
    SourceTaskContext,
};
use lakeward_api::value::Value;
use serde_json::Value as Json;

use super::throttle::Throttle;
use super::{ROWS_MAX, next_number, number, numbered};
use crate::KAFKA_VERSION;
use crate::console::Console;
use crate::position;

const TASK: &str = "VerifiableSourceTask";

/// `org.apache.kafka.connect.tools.VerifiableSourceConnector`.
#[derive(Clone, Copy, Debug, Default)]
pub struct VerifiableSourceConnector;

impl SourceConnector for VerifiableSourceConnector {
    fn class(&self) -> &'static str {
        "org.apache.kafka.connect.tools.VerifiableSourceConnector"
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
        Ok(Box::new(VerifiableSourceTask::new(&context)?))
    }
}

struct VerifiableSourceTask {
    /// Both as JSON texts.
    name_json: String,
    topic_json: String,
    id: i32,
    name: Arc<str>,
    topic: Arc<str>,
    partition: SourceMap,
    seqno_name: Arc<str>,
    key_schema: Arc<Schema>,
    value_schema: Arc<Schema>,
    is_complete: bool,
    /// Number of the next record.
    next: i64,
    made: u64,
    throttle: Throttle,
    console: Console,
}

impl VerifiableSourceTask {
    fn new(context: &SourceTaskContext) -> Result<Self, ConnectError> {
        let props = &context.config;
        let text = |key: &str| props.get(key).map(String::as_str);
        let id: i32 = number(props, "id", TASK)?;
        let throughput = number(props, "throughput", TASK)?;
        let topic = text("topic").ok_or_else(|| {
            ConnectError::config("Missing required configuration \"topic\" which has no default value.")
        })?;
        let name = text("name").unwrap_or(&context.connector);
        let partition = position::map([(&"id".into(), Value::Int32(id))]);
        let is_complete = text("complete.record.data").is_some_and(|text| text.eq_ignore_ascii_case("true"));
        Ok(Self {
            name_json: Json::from(name).to_string(),
            topic_json: Json::from(topic).to_string(),
            id,
            name: name.into(),
            topic: topic.into(),
            next: next_number(context.offsets.offset(&partition).as_deref())?,
            partition,
            seqno_name: "seqno".into(),
            key_schema: Arc::new(Schema::new(Kind::Int32)),
            value_schema: Arc::new(if is_complete { complete_schema() } else { Schema::new(Kind::Int64) }),
            is_complete,
            made: 0,
            throttle: Throttle::new(throughput),
            console: Console::new(context),
        })
    }

    /// The members are in the order of Java's hash map.
    fn tell(&mut self, first: &str, seqno: i64, wall_ms: i64) {
        let (id, name, topic) = (self.id, &self.name_json, &self.topic_json);
        self.console.line(&format!(
            "{{{first}\"task\":{id},\"seqno\":{seqno},\"time_ms\":{wall_ms},\"name\":{name},\
             \"topic\":{topic}}}"
        ));
    }

    fn batch(&mut self, rows: usize, now: Now) -> SourceBatch {
        let numbers: Vec<i64> = (self.next..).take(rows).collect();
        let mut positions = Vec::with_capacity(rows);
        for &seqno in &numbers {
            self.tell("", seqno, now.wall_ms);
            positions.push(SourcePosition {
                partition: Arc::clone(&self.partition),
                offset: position::map([(&self.seqno_name, Value::Int64(seqno))]),
            });
        }
        self.next += i64::try_from(rows).expect("a batch is small");
        self.made += rows as u64;
        let array = if self.is_complete {
            self.complete_rows(&numbers, now.wall_ms)
        } else {
            Arc::new(Int64Array::from(numbers))
        };
        SourceBatch {
            topic: Arc::clone(&self.topic),
            partition: None,
            timestamps_ms: vec![None; rows],
            keys: Values::Typed {
                schema: Arc::clone(&self.key_schema),
                array: Arc::new(Int32Array::from(vec![self.id; rows])),
            },
            values: Values::Typed { schema: Arc::clone(&self.value_schema), array },
            headers: HeaderRows::default(),
            positions,
        }
    }

    fn complete_rows(&self, numbers: &[i64], wall_ms: i64) -> ArrayRef {
        let rows = numbers.len();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(vec![&*self.name; rows])),
            Arc::new(Int32Array::from(vec![self.id; rows])),
            Arc::new(StringArray::from(vec![&*self.topic; rows])),
            Arc::new(Int64Array::from(vec![wall_ms; rows])),
            Arc::new(Int64Array::from(numbers.to_vec())),
        ];
        Arc::new(StructArray::new(self.value_schema.arrow_fields(), columns, None))
    }
}

impl SourceTask for VerifiableSourceTask {
    fn poll(&mut self, now: Now) -> Result<Polled, ConnectError> {
        if !self.console.turn()? {
            return Ok(Polled::Idle { until: None });
        }
        let batch = match self.throttle.ask(self.made, now.monotonic) {
            Err(until) => return Ok(Polled::Idle { until }),
            Ok(rows) => self.batch(usize::try_from(rows).unwrap_or(ROWS_MAX).min(ROWS_MAX), now),
        };
        self.console.turn()?;
        Ok(Polled::Records(vec![batch]))
    }

    fn record_done(
        &mut self,
        position: &SourcePosition,
        _outcome: &RecordOutcome,
    ) -> Result<(), ConnectError> {
        if let Some(seqno) = position::long(&position.offset, "seqno") {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            let wall_ms = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
            self.tell("\"committed\":true,", seqno, wall_ms);
        }
        Ok(())
    }

    fn committed(&mut self) -> Result<(), ConnectError> {
        self.console.turn().map(drop)
    }

    fn stop(&mut self) {
        self.console.finish();
    }
}

fn complete_schema() -> Schema {
    let fields = [
        ("name", Kind::String),
        ("task", Kind::Int32),
        ("topic", Kind::String),
        ("time_ms", Kind::Int64),
        ("seqno", Kind::Int64),
    ];
    let fields = fields.map(|(name, kind)| Field { name: name.into(), schema: Arc::new(Schema::new(kind)) });
    Schema::new(Kind::Struct(fields.into()))
}
