//! `VerifiableSinkConnector`: says what it got, and what is about to be committed.

use std::collections::BTreeMap;
use std::sync::Arc;

use lakeward_api::ConnectError;
use lakeward_api::batch::{SinkBatch, Values};
use lakeward_api::config::{ConfigDef, ConfigMap};
use lakeward_api::plugin::SinkConnector;
use lakeward_api::record::{Position, TopicPartition};
use lakeward_api::rows::value_at;
use lakeward_api::shaped;
use lakeward_api::sink::{Now, SinkTask, SinkTaskContext};
use lakeward_api::value::Value;
use serde_json::{Number, Value as Json};

use super::number;
use crate::KAFKA_VERSION;
use crate::lines::{LineWriter, Target};
use crate::texts::Texts;

/// `org.apache.kafka.connect.tools.VerifiableSinkConnector`.
#[derive(Clone, Copy, Debug, Default)]
pub struct VerifiableSinkConnector;

impl SinkConnector for VerifiableSinkConnector {
    fn class(&self) -> &'static str {
        "org.apache.kafka.connect.tools.VerifiableSinkConnector"
    }

    fn version(&self) -> &str {
        KAFKA_VERSION
    }

    fn config_def(&self) -> ConfigDef {
        ConfigDef::default()
    }

    fn task_configs(&self, props: &ConfigMap, tasks_max: u32) -> Result<Vec<ConfigMap>, ConnectError> {
        let numbered = |task: u32| {
            let mut props = props.clone();
            props.insert("id".to_owned(), task.to_string());
            props
        };
        Ok((0..tasks_max).map(numbered).collect())
    }

    fn new_task(&self, context: SinkTaskContext) -> Result<Box<dyn SinkTask>, ConnectError> {
        let writer = LineWriter::new(Target::StandardOutput, &context);
        Ok(Box::new(VerifiableSinkTask::new(&context, writer)?))
    }
}

/// A record that was told and not flushed: its line around the time.
struct Told {
    before: String,
    after: Arc<str>,
}

pub(super) struct VerifiableSinkTask {
    name_json: String,
    id: i32,
    texts: Texts,
    writer: LineWriter,
    told: Vec<Told>,
    reached: BTreeMap<TopicPartition, i64>,
}

impl VerifiableSinkTask {
    /// # Errors
    /// `Config` when the task has no number.
    pub(super) fn new(context: &SinkTaskContext, writer: LineWriter) -> Result<Self, ConnectError> {
        let id = number(&context.config, "id", "Invalid VerifiableSourceTask configuration")?;
        let name = context.config.get("name").map_or(&*context.connector, String::as_str);
        Ok(Self {
            name_json: Json::from(name).to_string(),
            id,
            texts: Texts::new()?,
            writer,
            told: Vec::new(),
            reached: BTreeMap::new(),
        })
    }

    /// Tells the records once more when all lines so far were written.
    fn flush(&mut self, now: Now) {
        if !self.writer.is_idle() || self.reached.is_empty() {
            return;
        }
        let time = now.wall_ms.to_string();
        for Told { before, after } in self.told.drain(..) {
            let parts =
                [before.as_bytes(), time.as_bytes(), after.as_bytes(), b",\"flushed\":true}".as_slice()];
            self.writer.line(&parts);
        }
        for (partition, next_offset) in std::mem::take(&mut self.reached) {
            self.writer.cover(Position { partition, next_offset });
        }
    }
}

impl SinkTask for VerifiableSinkTask {
    fn has_started(&self) -> bool {
        self.writer.is_open()
    }

    fn open(&mut self, _partitions: &[TopicPartition]) -> Result<(), ConnectError> {
        Ok(())
    }

    /// The members are in the order of Java's hash map.
    fn put(&mut self, batch: SinkBatch, now: Now) -> Result<(), ConnectError> {
        let Some(last) = batch.offsets.last() else { return Ok(()) };
        let keys = json_texts(&mut self.texts, &batch.topic, &batch.keys)?;
        let values = json_texts(&mut self.texts, &batch.topic, &batch.values)?;
        let topic = Json::from(&*batch.topic);
        let after: Arc<str> =
            format!(",\"name\":{},\"topic\":{topic},\"sinkTask\":{}", self.name_json, self.id).into();
        let time = now.wall_ms.to_string();
        for ((key, value), offset) in keys.iter().zip(&values).zip(&batch.offsets) {
            let before = format!("{{\"task\":{key},\"seqno\":{value},\"offset\":{offset},\"time_ms\":");
            self.writer.line(&[before.as_bytes(), time.as_bytes(), after.as_bytes(), b"}"]);
            self.told.push(Told { before, after: Arc::clone(&after) });
        }
        self.reached.insert(batch.partition, last + 1);
        Ok(())
    }

    fn passed(&mut self, position: &Position) {
        self.reached.insert(position.partition.clone(), position.next_offset);
    }

    fn poll(&mut self, now: Now) -> Result<(), ConnectError> {
        self.writer.turn()?;
        self.flush(now);
        self.writer.turn()
    }

    fn take_durable(&mut self, out: &mut Vec<Position>) {
        self.writer.take_durable(out);
    }

    fn close(&mut self, _partitions: &[TopicPartition]) {}

    fn is_settled(&self, partitions: &[TopicPartition]) -> bool {
        let waits = |partition: &TopicPartition| self.reached.contains_key(partition);
        !partitions.iter().any(waits) && !self.writer.covers(partitions)
    }

    fn buffered_bytes(&self) -> u64 {
        let told: usize = self.told.iter().map(|told| told.before.len()).sum();
        self.writer.waiting_bytes() + told as u64
    }

    fn stop(&mut self) {
        self.writer.stop();
    }
}

/// One JSON text per row. Values that are neither texts, numbers nor booleans are told as Java's text of
/// them.
fn json_texts(texts: &mut Texts, topic: &str, values: &Values) -> Result<Vec<String>, ConnectError> {
    let plain = |row: usize| match values {
        Values::Null { .. } => Value::Null,
        Values::Dynamic(values) => values[row].clone(),
        Values::Shaped(array) => shaped::value_at(array, row),
        Values::Typed { schema, array } => value_at(schema, array, row),
    };
    let encoded = texts.of(topic, values)?;
    let json = |row: usize| match plain(row) {
        Value::Null => Json::Null,
        Value::Boolean(flag) => flag.into(),
        Value::Int8(number) => number.into(),
        Value::Int16(number) => number.into(),
        Value::Int32(number) => number.into(),
        Value::Int64(number) => number.into(),
        Value::Float32(number) => Number::from_f64(f64::from(number)).map_or(Json::Null, Json::Number),
        Value::Float64(number) => Number::from_f64(number).map_or(Json::Null, Json::Number),
        _ => String::from_utf8_lossy(encoded.payload(row).unwrap_or_default()).into(),
    };
    Ok((0..values.rows()).map(|row| json(row).to_string()).collect())
}
