//! The topic under load: creating it, and how far a consumer group committed it.
//!
//! Owns: one admin client and one group reader. Must not: join the group it watches.

use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// Creates `topic` with `partitions` partitions and one replica.
pub async fn create(bootstrap: &str, topic: &str, partitions: i32) -> Result<()> {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .create()
        .context("the Kafka admin client could not be set up")?;
    let wanted = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
    let options = AdminOptions::new().operation_timeout(Some(REQUEST_TIMEOUT));
    let outcome = admin.create_topics([&wanted], &options).await.context("the topic could not be created")?;
    for created in outcome {
        created.map_err(|(name, code)| anyhow!("topic {name} could not be created: {code}"))?;
    }
    Ok(())
}

/// Reads the committed offsets of a consumer group without being a member.
pub struct CommittedOffsets {
    consumer: BaseConsumer,
    partitions: TopicPartitionList,
    count: usize,
}

impl CommittedOffsets {
    /// A reader of `group`'s offsets for every partition of `topic`.
    pub fn new(bootstrap: &str, group: &str, topic: &str, partitions: i32) -> Result<Self> {
        let consumer = ClientConfig::new()
            .set("bootstrap.servers", bootstrap)
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .create()
            .context("the Kafka client for committed offsets could not be set up")?;
        let mut list = TopicPartitionList::new();
        list.add_partition_range(topic, 0, partitions - 1);
        Ok(Self { consumer, partitions: list, count: usize::try_from(partitions)? })
    }

    /// The committed offset per partition, 0 where nothing is committed. Blocks for a round trip.
    pub fn read(&self) -> Result<Vec<i64>> {
        let answer = self
            .consumer
            .committed_offsets(self.partitions.clone(), REQUEST_TIMEOUT)
            .context("the committed offsets could not be read")?;
        let mut offsets = vec![0; self.count];
        for element in answer.elements() {
            element.error().context("the committed offset of a partition could not be read")?;
            let slot = usize::try_from(element.partition()).ok().and_then(|at| offsets.get_mut(at));
            if let (Offset::Offset(offset), Some(slot)) = (element.offset(), slot) {
                *slot = offset;
            }
        }
        Ok(offsets)
    }
}
