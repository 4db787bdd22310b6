//! The connector: keys, task configuration, offsets that a person may store.

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigMap};
use lakeward_api::source::{
    ExactlyOnceSupport, OffsetsAltered, SourceConnector, SourceMap, SourceTask, SourceTaskContext,
};
use lakeward_api::value::Value;

use super::task::FileStreamSourceTask;
use crate::KAFKA_VERSION;

/// Key of a source partition.
pub(super) const FILENAME: &str = "filename";
/// Key of a source offset.
pub(super) const POSITION: &str = "position";

/// The connector's keys, with Java's descriptions: REST answers show them.
#[derive(ConfigDef, Debug)]
pub(super) struct Keys {
    /// Source filename. If not specified, the standard input will be used
    #[config(name = "file", kind = "string", default = null, importance = "high")]
    pub(super) file: Option<String>,
    /// The topic to publish data to
    #[config(name = "topic", kind = "string", default = required, importance = "high",
             validate = custom(non_empty))]
    pub(super) topic: String,
    /// The maximum number of records the source task can read from the file each time it is polled
    #[config(name = "batch.size", kind = "int", default = "2000", importance = "low")]
    pub(super) batch_size: i32,
}

impl Keys {
    /// Parses `props`; all problems become one error of class `Config`.
    pub(super) fn of(props: &ConfigMap) -> Result<Self, ConnectError> {
        let mut keys = Self::parse(props).map_err(|values| {
            let problems: Vec<String> = values.into_iter().flat_map(|value| value.errors).collect();
            ConnectError::config(problems.join("; "))
        })?;
        keys.file = keys.file.filter(|file| !file.is_empty());
        Ok(keys)
    }
}

/// `org.apache.kafka.connect.file.FileStreamSourceConnector`.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileStreamSourceConnector;

impl SourceConnector for FileStreamSourceConnector {
    fn class(&self) -> &'static str {
        "org.apache.kafka.connect.file.FileStreamSourceConnector"
    }

    fn version(&self) -> &str {
        KAFKA_VERSION
    }

    fn config_def(&self) -> ConfigDef {
        Keys::config_def()
    }

    fn task_configs(&self, props: &ConfigMap, _tasks_max: u32) -> Result<Vec<ConfigMap>, ConnectError> {
        Keys::of(props)?;
        Ok(vec![props.clone()])
    }

    fn new_task(&self, context: SourceTaskContext) -> Result<Box<dyn SourceTask>, ConnectError> {
        Ok(Box::new(FileStreamSourceTask::new(context)?))
    }

    fn exactly_once_support(&self, props: &ConfigMap) -> ExactlyOnceSupport {
        match Keys::of(props) {
            Ok(Keys { file: Some(_), .. }) => ExactlyOnceSupport::Supported,
            _ => ExactlyOnceSupport::Unsupported,
        }
    }

    fn alter_offsets(
        &self,
        props: &ConfigMap,
        offsets: &[(SourceMap, Option<SourceMap>)],
    ) -> Result<OffsetsAltered, ConnectError> {
        if Keys::of(props)?.file.is_none() {
            return Err(ConnectError::fatal(
                "Offsets cannot be modified if the 'file' configuration is unspecified. This is because \
                 stdin is used for input and offsets are not tracked.",
            ));
        }
        for (partition, offset) in offsets {
            let offset = offset.as_deref().filter(|offset| !offset.is_null());
            let Some(offset) = offset else { continue };
            check_offset(offset)?;
            check_partition(partition)?;
        }
        Ok(OffsetsAltered::Done)
    }
}

/// Source: `ConfigDef.NonEmptyString`.
fn non_empty(_name: &str, text: &str) -> Result<(), String> {
    if text.is_empty() { Err("String must be non-empty".to_owned()) } else { Ok(()) }
}

fn check_offset(offset: &Value) -> Result<(), ConnectError> {
    let problem = match offset.get(POSITION) {
        None => "Offset objects should either be null or contain the key 'position'",
        Some(Value::Int64(position)) if *position < 0 => {
            "The value for the 'position' key in the offset should be a non-negative value"
        }
        Some(Value::Int64(_)) => return Ok(()),
        Some(_) => "The value for the 'position' key in the offset is expected to be a Long value",
    };
    Err(ConnectError::fatal(problem))
}

fn check_partition(partition: &Value) -> Result<(), ConnectError> {
    let problem = match partition {
        Value::Null => "Partition objects cannot be null",
        partition if partition.get(FILENAME).is_none() => {
            "Partition objects should contain the key 'filename'"
        }
        _ => return Ok(()),
    };
    Err(ConnectError::fatal(problem))
}
