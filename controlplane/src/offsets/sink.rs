//! Offsets of sink connectors: what their consumer group committed.
//!
//! Source: `SinkUtils#parseSinkConnectorOffsets`, `Worker#modifySinkConnectorOffsets`, Kafka 4.1.

use lakeward_api::config::ConfigMap;
use lakeward_api::plugin::SinkConnector;
use lakeward_api::record::{Position, TopicPartition};
use lakeward_api::source::OffsetsAltered;
use lakeward_kafka::admin::Admin;
use lakeward_kafka::group_offsets::GroupError;
use lakeward_kafka::settings::with_prefix;
use serde_json::{Value, json};

use super::{BROKER_LIMIT, OffsetChange, OffsetItem, OffsetsOf, RawMap, failed};
use crate::herder::RequestError;
use crate::java_text;

const TOPIC: &str = "kafka_topic";
const PARTITION: &str = "kafka_partition";
const OFFSET: &str = "kafka_offset";

/// A partition and the offset to commit there; `None` forgets.
pub(crate) type SinkOffset = (TopicPartition, Option<i64>);

pub(super) async fn list(of: &OffsetsOf<'_>) -> Result<Vec<Value>, RequestError> {
    let problem = || format!("Failed to retrieve consumer group offsets for sink connector {}", of.name);
    let positions = async { admin(of)?.group_positions(&group(of), BROKER_LIMIT).await };
    let positions = positions.await.map_err(|err| failed(problem(), &err))?;
    let shown = positions.into_iter().map(|Position { partition, next_offset }| {
        json!({
            "partition": { PARTITION: partition.partition, TOPIC: &*partition.topic },
            "offset": { OFFSET: next_offset },
        })
    });
    Ok(shown.collect())
}

pub(super) async fn change(
    of: &OffsetsOf<'_>,
    sink: &dyn SinkConnector,
    change: OffsetChange,
) -> Result<OffsetsAltered, RequestError> {
    let offsets = match &change {
        OffsetChange::Alter(items) => parse(items)?,
        OffsetChange::Reset => Vec::new(),
    };
    let general = || format!("Failed to modify offsets for sink connector {}", of.name);
    let admin = admin(of).map_err(|err| failed(general(), &err))?;
    let group = group(of);
    match change {
        OffsetChange::Alter(_) => {
            let altered = ask(of, sink, &offsets)?;
            if offsets.iter().any(|(_, offset)| offset.is_some_and(|offset| offset < 0)) {
                return Err(failed(general(), &"Invalid negative offset"));
            }
            alter(of, &admin, &group, offsets).await?;
            Ok(altered)
        }
        OffsetChange::Reset => {
            let problem = || {
                format!("Failed to list offsets prior to resetting offsets for sink connector {}", of.name)
            };
            let known = admin.group_positions(&group, BROKER_LIMIT).await;
            let known = known.map_err(|err| failed(problem(), &err))?;
            let forgotten: Vec<SinkOffset> = known.into_iter().map(|one| (one.partition, None)).collect();
            let altered = ask(of, sink, &forgotten)?;
            let deleted = admin.delete_group(&group, BROKER_LIMIT).await;
            deleted.map_err(|err| match err {
                GroupError::Active { .. } => failed(active(of.name, "reset"), &err),
                err => failed(
                    format!("Failed to reset consumer group offsets for sink connector {}", of.name),
                    &err,
                ),
            })?;
            Ok(altered)
        }
    }
}

/// What the connector says. Its refusal is the answer.
fn ask(
    of: &OffsetsOf<'_>,
    sink: &dyn SinkConnector,
    offsets: &[SinkOffset],
) -> Result<OffsetsAltered, RequestError> {
    sink.alter_offsets(of.config, offsets).map_err(|err| RequestError::Internal(err.to_string()))
}

async fn alter(
    of: &OffsetsOf<'_>,
    admin: &Admin,
    group: &str,
    offsets: Vec<SinkOffset>,
) -> Result<(), RequestError> {
    let (mut positions, mut forgotten) = (Vec::new(), Vec::new());
    for (partition, offset) in offsets {
        match offset {
            Some(next_offset) => positions.push(Position { partition, next_offset }),
            None => forgotten.push(partition),
        }
    }
    let changed = async {
        if !positions.is_empty() {
            admin.alter_group_positions(group, positions, BROKER_LIMIT).await?;
        }
        if !forgotten.is_empty() {
            admin.forget_group_positions(group, forgotten, BROKER_LIMIT).await?;
        }
        Ok(())
    };
    changed.await.map_err(|err| match err {
        GroupError::Active { .. } => failed(active(of.name, "alter"), &err),
        err => failed(format!("Failed to alter consumer group offsets for connector {}", of.name), &err),
    })
}

fn active(name: &str, verb: &str) -> String {
    format!(
        "Failed to {verb} consumer group offsets for connector {name} either because its tasks haven't \
         stopped completely yet or the connector was resumed before the request to {verb} its offsets could \
         be successfully completed. If the connector is in a stopped state, this operation can be safely \
         retried. If it doesn't eventually succeed, the Connect cluster may need to be restarted to get rid \
         of the zombie sink tasks."
    )
}

/// `connect-<name>` unless the worker or the connector names another.
fn group(of: &OffsetsOf<'_>) -> String {
    let overridden = of.config.get("consumer.override.group.id");
    let given = overridden.or_else(|| of.parts.config.props().get("consumer.group.id"));
    given.map_or_else(|| format!("connect-{}", of.name), |group| group.trim().to_owned())
}

/// The worker's own settings, then its `admin.*`, then the connector's `admin.override.*`.
fn admin(of: &OffsetsOf<'_>) -> Result<Admin, lakeward_kafka::KafkaError> {
    let worker = of.parts.config.props();
    let clients = ["admin.", "consumer.", "producer."];
    let own = worker.iter().filter(|(name, _)| !clients.iter().any(|client| name.starts_with(client)));
    let mut props: ConfigMap = own.map(|(name, value)| (name.clone(), value.clone())).collect();
    let id = format!("connector-adminclient-{}", of.name);
    props.insert("client.id".to_owned(), id.clone());
    props.extend(with_prefix(worker, "admin."));
    props.extend(with_prefix(of.config, "admin.override."));
    let id = props.get("client.id").cloned().unwrap_or(id);
    Admin::new(&props, &id)
}

/// Reads sink offsets as sent; of equal partitions the last counts.
fn parse(items: &[OffsetItem]) -> Result<Vec<SinkOffset>, RequestError> {
    let mut offsets: Vec<SinkOffset> = Vec::with_capacity(items.len());
    for item in items {
        let (partition, offset) = (parse_partition(item.partition.as_ref())?, parse_offset(item)?);
        match offsets.iter_mut().find(|(known, _)| *known == partition) {
            Some(known) => known.1 = offset,
            None => offsets.push((partition, offset)),
        }
    }
    Ok(offsets)
}

fn parse_partition(partition: Option<&RawMap>) -> Result<TopicPartition, RequestError> {
    let refused = |text: String| Err(RequestError::BadRequest(text));
    let Some(partition) = partition else {
        return refused("The partition for a sink connector offset cannot be null or missing".to_owned());
    };
    let (Some(topic), Some(number)) = (partition.get(TOPIC), partition.get(PARTITION)) else {
        return refused(format!(
            "The partition for a sink connector offset must contain the keys '{TOPIC}' and '{PARTITION}'"
        ));
    };
    if topic.is_null() {
        return refused("Kafka topic names must be valid strings and may not be null".to_owned());
    }
    if number.is_null() {
        return refused("Kafka partitions must be valid numbers and may not be null".to_owned());
    }
    let text = java_text::of_json(number);
    match java_integer::<i32>(&text) {
        Some(number) => Ok(TopicPartition::new(java_text::of_json(topic), number)),
        None => refused(format!(
            "Failed to parse the following Kafka partition value in the provided offsets: '{text}'. \
             Partition values for sink connectors need to be integers."
        )),
    }
}

fn parse_offset(item: &OffsetItem) -> Result<Option<i64>, RequestError> {
    let Some(offset) = &item.offset else { return Ok(None) };
    let Some(value) = offset.get(OFFSET) else {
        return Err(RequestError::BadRequest(format!(
            "The offset for a sink connector should either be null or contain the key '{OFFSET}'"
        )));
    };
    let text = java_text::of_json(value);
    java_integer::<i64>(&text).map(Some).ok_or_else(|| {
        RequestError::BadRequest(format!(
            "Failed to parse the following Kafka offset value in the provided offsets: '{text}'. Offset \
             values for sink connectors need to be integers."
        ))
    })
}

/// A sign and digits, as `Integer#parseInt` reads them.
fn java_integer<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(text: &str) -> OffsetItem {
        let value: Value = serde_json::from_str(text).unwrap();
        let map = |name: &str| value.get(name).and_then(Value::as_object).cloned();
        OffsetItem { partition: map("partition"), offset: map("offset") }
    }

    #[test]
    fn numbers_are_read_from_numbers_and_from_text() {
        let items = [
            item(r#"{"partition":{"kafka_topic":"t","kafka_partition":"+1"},"offset":{"kafka_offset":"7"}}"#),
            item(r#"{"partition":{"kafka_topic":5,"kafka_partition":0}}"#),
            item(r#"{"partition":{"kafka_topic":"t","kafka_partition":1},"offset":{"kafka_offset":8}}"#),
        ];
        let expected = vec![(TopicPartition::new("t", 1), Some(8)), (TopicPartition::new("5", 0), None)];
        assert_eq!(parse(&items).unwrap(), expected);
    }

    #[test]
    fn what_is_no_sink_offset_is_refused_in_javas_words() {
        let cases = [
            ("{}", "The partition for a sink connector offset cannot be null or missing"),
            (
                r#"{"partition":{"kafka_topic":"t","kafka_partition":1e2}}"#,
                "Failed to parse the following Kafka partition value in the provided offsets: '100.0'. \
                 Partition values for sink connectors need to be integers.",
            ),
            (
                r#"{"partition":{"kafka_topic":"t","kafka_partition":1},"offset":{"kafka_offset":null}}"#,
                "Failed to parse the following Kafka offset value in the provided offsets: 'null'. Offset \
                 values for sink connectors need to be integers.",
            ),
        ];
        for (text, message) in cases {
            assert_eq!(parse(&[item(text)]), Err(RequestError::BadRequest(message.to_owned())), "{text}");
        }
    }
}
