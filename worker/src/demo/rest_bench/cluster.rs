//! The config topic of a large cluster, record by record as workers write it.
//!
//! Owns which connectors there are. Two kinds alternate: S3 sinks, whose task configurations are the largest
//! that connectors here have, and counting sources. Most are paused, as a client of Kafka per running task is
//! the broker's cost, not the control plane's; the first ones run.
//!
//! Source of the records: `KafkaConfigBackingStore`, Kafka 4.1.

use anyhow::{Context, Result};
use lakeward_api::config::ConfigMap;
use lakeward_kafka::producer::AckProducer;
use serde_json::{Map, Value, json};

/// Records that wait for their acknowledgement together.
const WINDOW: usize = 1000;

/// How large the cluster is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    /// Connectors.
    pub(super) connectors: u32,
    /// Tasks of each.
    pub(super) tasks: u32,
    /// How many of the connectors run; the others are paused.
    pub(super) running: u32,
}

/// The name of a connector.
pub(super) fn name(connector: u32) -> String {
    format!("bench-connector-{connector:05}")
}

/// Whether a connector runs: those are sources.
pub(super) fn runs(size: Size, connector: u32) -> bool {
    connector < size.running
}

/// A connector's configuration.
pub(super) fn config(size: Size, connector: u32) -> Map<String, Value> {
    let own = if runs(size, connector) || connector % 2 == 1 {
        json!({
            "connector.class": "org.apache.kafka.connect.tools.VerifiableSourceConnector",
            "topic": "bench-numbers",
            "throughput": "1",
        })
    } else {
        json!({
            "connector.class": "io.confluent.connect.s3.S3SinkConnector",
            "topics": format!("bench-topic-{connector:05}"),
            "s3.bucket.name": "bench-bucket",
            "store.url": "http://127.0.0.1:9000",
            "aws.access.key.id": "bench",
            "aws.secret.access.key": "bench-bench",
            "s3.region": "us-east-1",
            "storage.class": "io.confluent.connect.s3.storage.S3Storage",
            "format.class": "io.confluent.connect.s3.format.parquet.ParquetFormat",
            "partitioner.class": "io.confluent.connect.storage.partitioner.TimeBasedPartitioner",
            "partition.duration.ms": "3600000",
            "path.format": "'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH",
            "locale": "en-US",
            "timezone": "UTC",
            "flush.size": "100000",
            "rotate.interval.ms": "600000",
            "errors.tolerance": "all",
            "errors.log.enable": "true",
        })
    };
    let mut config = Map::new();
    config.insert("name".to_owned(), json!(name(connector)));
    config.insert("tasks.max".to_owned(), json!(size.tasks.to_string()));
    config.extend(own.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
    for (key, value) in [
        ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("value.converter.schemas.enable", "false"),
    ] {
        config.insert(key.to_owned(), json!(value));
    }
    config
}

/// The configuration of one of its tasks, as the connector makes it.
fn task_config(config: &Map<String, Value>, task: u32) -> Map<String, Value> {
    let mut config = config.clone();
    let class = config["connector.class"].as_str().unwrap_or_default();
    let stem = class.strip_suffix("Connector").unwrap_or(class);
    config.insert("task.class".to_owned(), json!(format!("{stem}Task")));
    if config.contains_key("throughput") {
        config.insert("id".to_owned(), json!(task.to_string()));
    }
    config
}

/// All records of one connector, in the order in which a worker writes them.
fn records(size: Size, connector: u32) -> Vec<(String, Value)> {
    let name = name(connector);
    let config = config(size, connector);
    let state = if runs(size, connector) { "STARTED" } else { "PAUSED" };
    let target = json!({ "state": state, "state.v2": state });
    let mut records = vec![
        (format!("target-state-{name}"), target),
        (format!("connector-{name}"), json!({ "properties": config })),
    ];
    for task in 0..size.tasks {
        records.push((format!("task-{name}-{task}"), json!({ "properties": task_config(&config, task) })));
    }
    records.push((format!("commit-{name}"), json!({ "tasks": size.tasks })));
    records
}

/// Writes the whole cluster to the config topic `topic` and returns how many bytes its records have.
pub(super) async fn fill(bootstrap: &str, topic: &str, size: Size) -> Result<usize> {
    let props: ConfigMap = [("bootstrap.servers".to_owned(), bootstrap.to_owned())].into_iter().collect();
    let producer = AckProducer::new(&props, "bench-filler")?;
    let mut bytes = 0;
    let mut pending = Vec::new();
    for connector in 0..size.connectors {
        for (key, value) in records(size, connector) {
            let value = value.to_string();
            bytes += key.len() + value.len();
            pending.push(producer.send(topic, &key, Some(&value)));
        }
        if pending.len() >= WINDOW {
            acknowledged(std::mem::take(&mut pending)).await?;
        }
    }
    acknowledged(pending).await?;
    Ok(bytes)
}

async fn acknowledged<T, E>(pending: Vec<impl Future<Output = Result<T, E>>>) -> Result<()>
where
    E: std::error::Error + Send + Sync + 'static,
{
    for stored in pending {
        stored.await.context("the config topic could not be filled")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { connectors: 4, tasks: 2, running: 1 };

    #[test]
    fn every_connector_has_its_tasks_before_their_commit() {
        let keys: Vec<String> = records(SIZE, 2).into_iter().map(|(key, _)| key).collect();
        let expected = ["target-state-", "connector-", "task-", "task-", "commit-"];
        assert_eq!(keys.len(), expected.len());
        assert!(keys.iter().zip(expected).all(|(key, prefix)| key.starts_with(prefix)), "{keys:?}");
    }

    #[test]
    fn the_first_connectors_run_and_the_others_are_paused() {
        assert_eq!(records(SIZE, 0)[0].1["state"], "STARTED");
        assert_eq!(records(SIZE, 1)[0].1["state"], "PAUSED");
        assert_eq!(task_config(&config(SIZE, 1), 1)["id"], "1");
        assert_eq!(task_config(&config(SIZE, 2), 1)["task.class"], "io.confluent.connect.s3.S3SinkTask");
    }
}
