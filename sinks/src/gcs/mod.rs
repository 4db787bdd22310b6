//! The GCS sink: topics to objects of a bucket of Google Cloud Storage, in Kafka Connect's names and layouts.
//!
//! Owns the keys of its configuration and the client. Partitioning, rotation, names, files and delivery are
//! those of the S3 sink (decision 0011).
//!
//! Source: the Confluent GCS sink, its published key table and documentation.

mod bucket;
mod client;
mod config;
mod credentials;
mod resumable;
#[cfg(test)]
mod tests;

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigValue};
use lakeward_api::plugin::SinkConnector;
use lakeward_api::sink::{SinkTask, SinkTaskContext};

use crate::s3::task::S3SinkTask;
#[cfg(feature = "sink-aiven")]
pub(crate) use bucket::{Bucket, Credentials};
#[cfg(feature = "sink-aiven")]
pub(crate) use client::open;

/// `io.confluent.connect.gcs.GcsSinkConnector`.
#[derive(Clone, Copy, Debug, Default)]
pub struct GcsSinkConnector;

impl SinkConnector for GcsSinkConnector {
    fn class(&self) -> &'static str {
        "io.confluent.connect.gcs.GcsSinkConnector"
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
        config::GcsConfig::parse(props)?;
        Ok((0..tasks_max).map(|_| props.clone()).collect())
    }

    fn new_task(&self, context: SinkTaskContext) -> Result<Box<dyn SinkTask>, ConnectError> {
        let config = config::GcsConfig::parse(&context.config)?;
        let store = client::open(&config.bucket(), &context.connector)?;
        Ok(Box::new(S3SinkTask::with_store(context, &config.settings, store)?))
    }
}
