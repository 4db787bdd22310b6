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
    /// Otherwise a file per 100,000 records.
    pub(super) spread: Option<Spread>,
}

/// Events go to a directory per hour of their time, and files end at the same number of rows however many
/// directories there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    /// Hours that the events of a topic-partition are spread over.
    pub(super) output_partitions: u32,
    /// Rows of each file.
    pub(super) rows_per_file: u32,
    /// Whether some files have fewer: these are ended by the clock, and it ends others with them.
    pub(super) has_tail: bool,
}

/// The S3 sink: plain JSON to Parquet. The scheduled rotation is there for the tail of the topic. Where all
/// files are whole there is none: what strikes one run in twelve is no cost per record.
pub(super) fn s3_sink(addresses: &Address, plan: &SinkPlan<'_>) -> Value {
    let mut sink = plain_sink(addresses, plan);
    if let Some(spread) = plan.spread {
        let flush_size = u64::from(spread.output_partitions) * u64::from(spread.rows_per_file);
        let schedule_ms = if spread.has_tail { "60000" } else { "-1" };
        for (name, value) in [
            ("partitioner.class", "io.confluent.connect.storage.partitioner.HourlyPartitioner"),
            ("locale", "en-US"),
            ("timestamp.extractor", "RecordField"),
            ("timestamp.field", "time"),
            ("flush.size", &flush_size.to_string()),
            ("rotate.schedule.interval.ms", schedule_ms),
        ] {
            sink["config"][name] = value.into();
        }
    }
    sink
}

fn plain_sink(addresses: &Address, plan: &SinkPlan<'_>) -> Value {
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
