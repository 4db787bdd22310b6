//! The sinks of Azure: topics to blobs of a container (Azure Blob Storage) or to files of a data lake
//! (Azure Data Lake Storage Gen2), in Kafka Connect's names and layouts.
//!
//! Owns the keys of their configurations and the client. Partitioning, rotation, names, files and delivery
//! are those of the S3 sink (decision 0011).
//!
//! Source: the Confluent Azure Blob Storage and Azure Data Lake Storage Gen2 sinks, their published key
//! tables and documentation.

mod account;
mod blob;
mod checks;
mod client;
mod keys;
mod lake;
#[cfg(test)]
mod tests;

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigValue};
use lakeward_api::plugin::SinkConnector;
use lakeward_api::sink::{SinkTask, SinkTaskContext};

use crate::s3::task::S3SinkTask;
#[cfg(feature = "sink-aiven")]
pub(crate) use account::{Account, Identity, Proxy, sas_pairs};
#[cfg(feature = "sink-aiven")]
pub(crate) use client::open;

/// `io.confluent.connect.azure.blob.AzureBlobStorageSinkConnector`.
#[derive(Clone, Copy, Debug, Default)]
pub struct AzureBlobStorageSinkConnector;

/// `io.confluent.connect.azure.datalake.gen2.AzureDataLakeGen2SinkConnector`.
#[derive(Clone, Copy, Debug, Default)]
pub struct AzureDataLakeGen2SinkConnector;

impl SinkConnector for AzureBlobStorageSinkConnector {
    fn class(&self) -> &'static str {
        "io.confluent.connect.azure.blob.AzureBlobStorageSinkConnector"
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    fn config_def(&self) -> ConfigDef {
        blob::config_def()
    }

    fn validate(&self, props: &ConfigMap) -> Vec<ConfigValue> {
        blob::validate(props)
    }

    fn task_configs(&self, props: &ConfigMap, tasks_max: u32) -> Result<Vec<ConfigMap>, ConnectError> {
        blob::BlobConfig::parse(props)?;
        Ok((0..tasks_max).map(|_| props.clone()).collect())
    }

    fn new_task(&self, context: SinkTaskContext) -> Result<Box<dyn SinkTask>, ConnectError> {
        let config = blob::BlobConfig::parse(&context.config)?;
        let store = client::open(&config.account, &context.connector)?;
        Ok(Box::new(S3SinkTask::with_store(context, &config.settings, store)?))
    }
}

impl SinkConnector for AzureDataLakeGen2SinkConnector {
    fn class(&self) -> &'static str {
        "io.confluent.connect.azure.datalake.gen2.AzureDataLakeGen2SinkConnector"
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    fn config_def(&self) -> ConfigDef {
        lake::config_def()
    }

    fn validate(&self, props: &ConfigMap) -> Vec<ConfigValue> {
        lake::validate(props)
    }

    fn task_configs(&self, props: &ConfigMap, tasks_max: u32) -> Result<Vec<ConfigMap>, ConnectError> {
        lake::LakeConfig::parse(props)?;
        Ok((0..tasks_max).map(|_| props.clone()).collect())
    }

    fn new_task(&self, context: SinkTaskContext) -> Result<Box<dyn SinkTask>, ConnectError> {
        let config = lake::LakeConfig::parse(&context.config)?;
        let store = client::open(&config.account, &context.connector)?;
        Ok(Box::new(S3SinkTask::with_store(context, &config.settings, store)?))
    }
}
