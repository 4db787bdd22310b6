//! Configurations of the sinks of object stores, as their users write them.
//!
//! Source: the documentation of the Confluent sinks; names and defaults are the connectors'.

use lakeward_testkit::azurite::{ACCOUNT, ACCOUNT_KEY, Azurite};
use lakeward_testkit::gcs::{FakeGcs, service_account};
use lakeward_testkit::objects::Objects;
use lakeward_testkit::store::{ACCESS_KEY, REGION, SECRET_KEY, Versitygw};
use serde_json::{Map, Value};

/// Class name of the sink.
pub const S3_SINK: &str = "io.confluent.connect.s3.S3SinkConnector";
/// Parquet files.
pub const PARQUET: &str = "io.confluent.connect.s3.format.parquet.ParquetFormat";
/// JSON lines.
pub const JSON: &str = "io.confluent.connect.s3.format.json.JsonFormat";
/// The JSON converter.
pub const JSON_CONVERTER: &str = "org.apache.kafka.connect.json.JsonConverter";

/// A connector configuration under construction.
#[derive(Clone, Debug)]
pub struct SinkConfig(Map<String, Value>);

impl SinkConfig {
    /// `topic` to Parquet in `objects`, a file per `flush_size` records, values with schema envelope.
    pub fn new(topic: &str, objects: &Objects, flush_size: usize) -> Self {
        Self::plain(topic, flush_size).with(&[
            ("connector.class", S3_SINK),
            ("s3.bucket.name", objects.bucket()),
            ("s3.region", REGION),
            ("store.url", &Versitygw::shared().endpoint()),
            ("aws.access.key.id", ACCESS_KEY),
            ("aws.secret.access.key", SECRET_KEY),
            ("storage.class", "io.confluent.connect.s3.storage.S3Storage"),
            ("format.class", PARQUET),
        ])
    }

    /// `topic` to Parquet in the GCS bucket `objects`.
    pub fn gcs(topic: &str, objects: &Objects, flush_size: usize) -> Self {
        Self::plain(topic, flush_size).with(&[
            ("connector.class", "io.confluent.connect.gcs.GcsSinkConnector"),
            ("gcs.bucket.name", objects.bucket()),
            ("store.url", &FakeGcs::shared().endpoint()),
            ("gcs.credentials.json", &service_account().to_string()),
            ("storage.class", "io.confluent.connect.gcs.storage.GcsStorage"),
            ("format.class", "io.confluent.connect.gcs.format.parquet.ParquetFormat"),
        ])
    }

    /// `topic` to Parquet in the container `objects` of Azure Blob Storage.
    pub fn azure_blob(topic: &str, objects: &Objects, flush_size: usize) -> Self {
        Self::plain(topic, flush_size).with(&[
            ("connector.class", "io.confluent.connect.azure.blob.AzureBlobStorageSinkConnector"),
            ("azblob.account.name", ACCOUNT),
            ("azblob.account.key", ACCOUNT_KEY),
            ("azblob.container.name", objects.bucket()),
            ("store.url", &Azurite::shared().endpoint()),
            ("format.class", "io.confluent.connect.azure.blob.format.parquet.ParquetFormat"),
        ])
    }

    /// `topic` to Parquet in the file system `objects` of a data lake of Azure.
    pub fn azure_lake(topic: &str, objects: &Objects, flush_size: usize) -> Self {
        Self::plain(topic, flush_size).with(&[
            ("connector.class", "io.confluent.connect.azure.datalake.gen2.AzureDataLakeGen2SinkConnector"),
            ("azure.datalake.gen2.account.name", ACCOUNT),
            ("azure.datalake.gen2.access.key", ACCOUNT_KEY),
            ("topics.dir", objects.bucket()),
            ("store.url", &Azurite::shared().endpoint()),
            ("format.class", "io.confluent.connect.azure.storage.format.parquet.ParquetFormat"),
        ])
    }

    /// What every sink of an object store needs.
    fn plain(topic: &str, flush_size: usize) -> Self {
        Self::of(&[
            ("tasks.max", "1"),
            ("topics", topic),
            ("flush.size", &flush_size.to_string()),
            // A killed worker leaves its consumers in the group until their session ends; the default is 45
            // s.
            ("consumer.override.session.timeout.ms", "6000"),
            ("consumer.override.heartbeat.interval.ms", "2000"),
            ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
            ("value.converter", JSON_CONVERTER),
            ("value.converter.schemas.enable", "true"),
        ])
    }

    /// These keys and no others.
    pub fn of(pairs: &[(&str, &str)]) -> Self {
        Self(Map::new()).with(pairs)
    }

    /// Sets keys, replacing what is there.
    #[must_use]
    pub fn with(mut self, pairs: &[(&str, &str)]) -> Self {
        for (name, value) in pairs {
            self.0.insert((*name).to_owned(), Value::from(*value));
        }
        self
    }

    /// Values without schema envelope.
    #[must_use]
    pub fn schemaless(self) -> Self {
        self.with(&[("value.converter.schemas.enable", "false")])
    }

    /// Files of one JSON text per line.
    #[must_use]
    pub fn json_lines(self) -> Self {
        self.schemaless().with(&[("format.class", JSON)])
    }

    /// Removes a key.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.remove(name);
        self
    }

    /// As a request body has it.
    pub fn json(&self) -> Value {
        Value::Object(self.0.clone())
    }
}
