//! Configurations of the S3 sink, as its users write them.
//!
//! Source: the documentation of the Confluent S3 sink; names and defaults are the connector's.

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
        let endpoint = Versitygw::shared().endpoint();
        let flush_size = flush_size.to_string();
        Self(Map::new()).with(&[
            ("connector.class", S3_SINK),
            ("tasks.max", "1"),
            ("topics", topic),
            ("s3.bucket.name", objects.bucket()),
            ("s3.region", REGION),
            ("store.url", &endpoint),
            ("aws.access.key.id", ACCESS_KEY),
            ("aws.secret.access.key", SECRET_KEY),
            ("storage.class", "io.confluent.connect.s3.storage.S3Storage"),
            ("format.class", PARQUET),
            ("flush.size", &flush_size),
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
