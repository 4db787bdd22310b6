//! The S3 sink: topics to objects of an S3 bucket or a local directory, in Kafka Connect's names and layouts.
//!
//! Owns configuration, partitioning, rotation, naming and uploads. It must not decode records or encode files
//! (`lakeward-formats` does) and never waits: network work runs on the bridge.
//!
//! # Delivery
//! A position becomes durable when every file up to its cut is stored, in order. A retriable failure that
//! outlasts the client's own retries fails the task with class `Retriable`; the pipeline then starts it again
//! from the committed offsets, and files written again have the same names and contents: they follow from the
//! records, and where the clock has a part (scheduled rotation, wall-clock directories) from cuts that were
//! decided before (decision 0009). What that does not cover stands there, too.
//!
//! Source: Confluent S3 sink 12.x on storage-common 12.0.

#![cfg_attr(
    not(feature = "sink-aiven"),
    allow(dead_code, unused_imports, reason = "connectors with layouts of their own use the rest")
)]

pub(crate) mod compatibility;
pub(crate) mod config;
pub(crate) mod error;
mod ledger;
pub(crate) mod naming;
mod null_rows;
pub(crate) mod partitioner;
pub(crate) mod rotation;
pub(crate) mod settings;
pub(crate) mod store;
pub(crate) mod task;
mod upload;

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigValue};
use lakeward_api::plugin::SinkConnector;
use lakeward_api::sink::{SinkTask, SinkTaskContext};

pub use error::{S3SinkError, StoreWords};

/// `io.confluent.connect.s3.S3SinkConnector`.
#[derive(Clone, Copy, Debug, Default)]
pub struct S3SinkConnector;

impl SinkConnector for S3SinkConnector {
    fn class(&self) -> &'static str {
        "io.confluent.connect.s3.S3SinkConnector"
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    fn config_def(&self) -> ConfigDef {
        config::config_def()
    }

    fn validate(&self, props: &ConfigMap) -> Vec<ConfigValue> {
        config::validate(props)
    }

    fn task_configs(&self, props: &ConfigMap, tasks_max: u32) -> Result<Vec<ConfigMap>, ConnectError> {
        config::S3Config::parse(props)?;
        Ok((0..tasks_max).map(|_| props.clone()).collect())
    }

    /// When they are stored.
    fn uses_headers(&self, props: &ConfigMap) -> bool {
        let stores = props.get("store.kafka.headers");
        stores.is_some_and(|text| text.trim().eq_ignore_ascii_case("true"))
    }

    fn new_task(&self, context: SinkTaskContext) -> Result<Box<dyn SinkTask>, ConnectError> {
        Ok(Box::new(task::S3SinkTask::new(context)?))
    }
}
