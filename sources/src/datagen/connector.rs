//! The connector: as many tasks as are asked for, each with its number.

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigValue};
use lakeward_api::source::{SourceConnector, SourceTask, SourceTaskContext};

use super::keys::{self, Keys};
use super::task::{DatagenTask, TASK_ID};

/// `io.confluent.kafka.connect.datagen.DatagenConnector`.
#[derive(Clone, Copy, Debug, Default)]
pub struct DatagenConnector;

impl SourceConnector for DatagenConnector {
    fn class(&self) -> &'static str {
        "io.confluent.kafka.connect.datagen.DatagenConnector"
    }

    fn version(&self) -> &str {
        "0.7.1"
    }

    fn config_def(&self) -> ConfigDef {
        keys::config_def()
    }

    fn validate(&self, props: &ConfigMap) -> Vec<ConfigValue> {
        keys::validate(props)
    }

    fn task_configs(&self, props: &ConfigMap, tasks_max: u32) -> Result<Vec<ConfigMap>, ConnectError> {
        Keys::of(props)?;
        let numbered = |task: u32| {
            let mut props = props.clone();
            props.insert(TASK_ID.to_owned(), task.to_string());
            props
        };
        Ok((0..tasks_max).map(numbered).collect())
    }

    fn new_task(&self, context: SourceTaskContext) -> Result<Box<dyn SourceTask>, ConnectError> {
        Ok(Box::new(DatagenTask::new(context)?))
    }
}
