//! The sinks of Aiven for S3, GCS and Azure Blob Storage: other names, other files, and files that end with
//! the interval of flushes; the machinery is that of the S3 sink (decision 0013), clients are those of the
//! other sinks (decision 0011).
//!
//! Owns configuration, templates of names and what is written of records. Cuts, uploads and positions are
//! [`crate::s3`]'s.
//!
//! # Delivery
//! Java's sinks say at least once: they end files when the worker happens to flush. Here such ends are
//! decided first (decision 0009), so that each record is in one object; where names are keys of records, an
//! object holds the last record of its key.
//!
//! Source: Aiven's cloud storage connectors for Apache Kafka at 89e55a98.

mod config;
mod design;
mod layout;
mod rows;
mod template;
#[cfg(test)]
mod tests;
mod times;

use lakeward_api::ConnectError;
use lakeward_api::config::{ConfigDef, ConfigMap, ConfigValue, parse_list};
use lakeward_api::plugin::SinkConnector;
use lakeward_api::sink::{SinkTask, SinkTaskContext};

use crate::s3::store::Store;

/// `io.aiven.kafka.connect.s3.AivenKafkaConnectS3SinkConnector`.
#[derive(Clone, Copy, Debug, Default)]
pub struct AivenS3SinkConnector;

/// `io.aiven.kafka.connect.gcs.GcsSinkConnector`.
#[derive(Clone, Copy, Debug, Default)]
pub struct AivenGcsSinkConnector;

/// `io.aiven.kafka.connect.azure.sink.AzureBlobSinkConnector`.
#[derive(Clone, Copy, Debug, Default)]
pub struct AivenAzureBlobSinkConnector;

impl SinkConnector for AivenS3SinkConnector {
    fn class(&self) -> &'static str {
        "io.aiven.kafka.connect.s3.AivenKafkaConnectS3SinkConnector"
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    fn config_def(&self) -> ConfigDef {
        config::s3::config_def()
    }

    fn validate(&self, props: &ConfigMap) -> Vec<ConfigValue> {
        config::s3::validate(props)
    }

    /// As Java's, the connector starts with every configuration; its tasks may not.
    fn task_configs(&self, props: &ConfigMap, tasks_max: u32) -> Result<Vec<ConfigMap>, ConnectError> {
        Ok(same(props, tasks_max))
    }

    fn uses_headers(&self, props: &ConfigMap) -> bool {
        stores_headers(props)
    }

    fn new_task(&self, context: SinkTaskContext) -> Result<Box<dyn SinkTask>, ConnectError> {
        let (config, s3) = config::s3::parse(&context.config)?;
        let store = Store::open(&s3, &context.connector)?;
        Ok(Box::new(design::task(context, &config, &s3.settings, &S3_NAMES, store)?))
    }
}

impl SinkConnector for AivenGcsSinkConnector {
    fn class(&self) -> &'static str {
        "io.aiven.kafka.connect.gcs.GcsSinkConnector"
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    fn config_def(&self) -> ConfigDef {
        config::gcs::config_def()
    }

    fn validate(&self, props: &ConfigMap) -> Vec<ConfigValue> {
        config::gcs::validate(props)
    }

    fn task_configs(&self, props: &ConfigMap, tasks_max: u32) -> Result<Vec<ConfigMap>, ConnectError> {
        config::gcs::parse(props)?;
        Ok(same(props, tasks_max))
    }

    fn uses_headers(&self, props: &ConfigMap) -> bool {
        stores_headers(props)
    }

    fn new_task(&self, context: SinkTaskContext) -> Result<Box<dyn SinkTask>, ConnectError> {
        let (config, machinery, bucket) = config::gcs::parse(&context.config)?;
        let store = crate::gcs::open(&bucket, &context.connector)?;
        Ok(Box::new(design::task(context, &config, &machinery, &GCS_NAMES, store)?))
    }
}

impl SinkConnector for AivenAzureBlobSinkConnector {
    fn class(&self) -> &'static str {
        "io.aiven.kafka.connect.azure.sink.AzureBlobSinkConnector"
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    fn config_def(&self) -> ConfigDef {
        config::azure::config_def()
    }

    fn validate(&self, props: &ConfigMap) -> Vec<ConfigValue> {
        config::azure::validate(props)
    }

    fn task_configs(&self, props: &ConfigMap, tasks_max: u32) -> Result<Vec<ConfigMap>, ConnectError> {
        config::azure::parse(props)?;
        Ok(same(props, tasks_max))
    }

    fn uses_headers(&self, props: &ConfigMap) -> bool {
        stores_headers(props)
    }

    fn new_task(&self, context: SinkTaskContext) -> Result<Box<dyn SinkTask>, ConnectError> {
        let (config, machinery, account) = config::azure::parse(&context.config)?;
        let store = crate::azure::open(&account, &context.connector)?;
        Ok(Box::new(design::task(context, &config, &machinery, &AZURE_NAMES, store)?))
    }
}

fn same(props: &ConfigMap, tasks_max: u32) -> Vec<ConfigMap> {
    (0..tasks_max).map(|_| props.clone()).collect()
}

/// Headers are asked for when they are stored.
fn stores_headers(props: &ConfigMap) -> bool {
    let fields = props.get("format.output.fields").or_else(|| props.get("output_fields"));
    let is_headers = |name: &String| name.eq_ignore_ascii_case("headers");
    fields.is_some_and(|fields| parse_list(fields).iter().any(is_headers))
}

/// Settings of S3 that shape names and contents of files whose cuts are given.
const S3_NAMES: [&str; 12] = [
    "aws.s3.bucket.name",
    "aws.s3.endpoint",
    "aws.s3.prefix",
    "aws.s3.region",
    "aws_s3_bucket",
    "aws_s3_endpoint",
    "aws_s3_prefix",
    "aws_s3_region",
    "output_compression",
    "output_fields",
    "timestamp.source",
    "timestamp.timezone",
];

/// The same of GCS.
const GCS_NAMES: [&str; 4] =
    ["file.name.prefix", "gcs.bucket.name", "gcs.endpoint", "gcs.object.content.encoding"];

/// The same of Azure. The account may change its key, so the connection string is none of them.
const AZURE_NAMES: [&str; 2] = ["azure.storage.container.name", "file.name.prefix"];
