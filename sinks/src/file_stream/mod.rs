//! `FileStreamSinkConnector`: one line per record, appended to a file or written to the standard output.
//!
//! A line is the text that Java's `toString` gives the value (`Struct{a=1}`, `{a=1}`, `null`). Positions
//! become durable when the lines were written and, for files, synced to the disk: Java commits what the
//! operating system may still lose, and takes a full disk for success.
//!
//! Source: `FileStreamSinkConnector` and `FileStreamSinkTask`, Kafka 4.1.

mod task;
#[cfg(test)]
mod tests;

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigMap};
use lakeward_api::plugin::SinkConnector;
use lakeward_api::record::TopicPartition;
use lakeward_api::sink::{SinkTask, SinkTaskContext};
use lakeward_api::source::OffsetsAltered;

use crate::KAFKA_VERSION;

/// The connector's keys, with Java's description: REST answers show it.
#[derive(ConfigDef, Debug)]
struct Keys {
    /// Destination filename. If not specified, the standard output will be used
    #[config(name = "file", kind = "string", default = null, importance = "high")]
    file: Option<String>,
}

/// `org.apache.kafka.connect.file.FileStreamSinkConnector`.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileStreamSinkConnector;

impl SinkConnector for FileStreamSinkConnector {
    fn class(&self) -> &'static str {
        "org.apache.kafka.connect.file.FileStreamSinkConnector"
    }

    fn version(&self) -> &str {
        KAFKA_VERSION
    }

    fn config_def(&self) -> ConfigDef {
        Keys::config_def()
    }

    fn task_configs(&self, props: &ConfigMap, tasks_max: u32) -> Result<Vec<ConfigMap>, ConnectError> {
        Ok((0..tasks_max).map(|_| props.clone()).collect())
    }

    fn new_task(&self, context: SinkTaskContext) -> Result<Box<dyn SinkTask>, ConnectError> {
        Ok(Box::new(task::FileStreamSinkTask::new(&context)?))
    }

    /// Nothing but the consumer group knows positions.
    fn alter_offsets(
        &self,
        _props: &ConfigMap,
        _offsets: &[(TopicPartition, Option<i64>)],
    ) -> Result<OffsetsAltered, ConnectError> {
        Ok(OffsetsAltered::Done)
    }
}
