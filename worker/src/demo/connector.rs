//! The worker file and the connector of a demo, exactly as a user would write them.

use serde_json::{Value, json};

use super::Address;

/// Topic the records go to.
pub(super) const TOPIC: &str = "events";

/// The worker file. Offsets are committed every half second, so that progress shows and latency is not
/// hidden. Session timeouts are short because the embedded broker answers a member that joins only after half
/// of its timeout.
pub(super) fn worker_properties(addresses: &Address, rest_port: u16) -> String {
    format!(
        "bootstrap.servers={broker}\n\
         group.id=lakeward-demo\n\
         listeners=http://127.0.0.1:{rest_port}\n\
         config.storage.topic=connect-configs\n\
         config.storage.replication.factor=1\n\
         offset.storage.topic=connect-offsets\n\
         offset.storage.replication.factor=1\n\
         offset.storage.partitions=1\n\
         status.storage.topic=connect-status\n\
         status.storage.replication.factor=1\n\
         status.storage.partitions=1\n\
         offset.flush.interval.ms=500\n\
         session.timeout.ms=4000\n\
         heartbeat.interval.ms=1000\n\
         consumer.session.timeout.ms=4000\n\
         consumer.heartbeat.interval.ms=1000\n\
         key.converter=org.apache.kafka.connect.storage.StringConverter\n\
         value.converter=org.apache.kafka.connect.json.JsonConverter\n\
         value.converter.schemas.enable=false\n",
        broker = addresses.broker,
    )
}

/// What differs between the connectors of demos and benches.
pub(super) struct SinkPlan<'a> {
    /// Connector name.
    pub(super) name: &'a str,
    /// Bucket.
    pub(super) bucket: &'a str,
    /// `tasks.max`.
    pub(super) tasks: u32,
    /// Avro schema of the records, or `infer`.
    pub(super) schema: &'a str,
}

/// The S3 sink: plain JSON to Parquet. The scheduled rotation is there for the tail of the topic.
pub(super) fn s3_sink(addresses: &Address, plan: &SinkPlan<'_>) -> Value {
    json!({
        "name": plan.name,
        "config": {
            "connector.class": "io.confluent.connect.s3.S3SinkConnector",
            "topics": TOPIC,
            "tasks.max": plan.tasks.to_string(),
            "s3.bucket.name": plan.bucket,
            "store.url": format!("http://{}", addresses.store),
            "aws.access.key.id": crate::dev::ACCESS_KEY,
            "aws.secret.access.key": crate::dev::SECRET_KEY,
            "s3.region": "us-east-1",
            "storage.class": "io.confluent.connect.s3.storage.S3Storage",
            "format.class": "io.confluent.connect.s3.format.parquet.ParquetFormat",
            "flush.size": "100000",
            "rotate.schedule.interval.ms": "2000",
            "timezone": "UTC",
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter.schemas.enable": "false",
            "lakeward.schema": plan.schema,
        }
    })
}
