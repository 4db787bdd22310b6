//! Where the leader of the worker group can be reached: told by the leader, asked by the others.
//!
//! The leader commits an offset for the config topic's partition to the group `group.id`, with its address as
//! the metadata. The broker fences that commit by the generation, keeps it as long as the group lives, and
//! shows it to every member. Nobody reads from the offset itself.

use std::sync::Weak;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::{Offset, TopicPartitionList};

use crate::KafkaError;
use crate::admin::{blocking, client_error};

/// Tells the group that this member leads and is reached at `url`; the outcome goes to the consumer's
/// context.
pub(crate) fn announce<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
    url: &str,
) -> Result<(), KafkaError> {
    let action = || "telling the worker group who leads it".to_owned();
    let mut partitions = TopicPartitionList::new();
    partitions
        .add_partition_offset(topic, 0, Offset::Offset(0))
        .map_err(|source| client_error(action(), source))?;
    if let Some(mut partition) = partitions.find_partition(topic, 0) {
        partition.set_metadata(url);
    }
    consumer.commit(&partitions, CommitMode::Async).map_err(|source| client_error(action(), source))
}

/// Asks who leads.
pub struct LeaderFinder<C: ConsumerContext + 'static> {
    pub(crate) consumer: Weak<BaseConsumer<C>>,
    pub(crate) topic: String,
}

impl<C: ConsumerContext + 'static> Clone for LeaderFinder<C> {
    fn clone(&self) -> Self {
        Self { consumer: Weak::clone(&self.consumer), topic: self.topic.clone() }
    }
}

impl<C: ConsumerContext + 'static> LeaderFinder<C> {
    /// The generation of the group, if this member is in one. May wait a moment for the client's own thread.
    pub fn generation(&self) -> Option<i64> {
        let consumer = self.consumer.upgrade()?;
        Some(crate::sys::group_generation(consumer.client())).filter(|generation| *generation >= 0)
    }

    /// The address that the latest leader told; `None` when none did, or this member left the group.
    ///
    /// # Errors
    /// `Retriable` when the broker does not answer within `limit`.
    pub async fn url(&self, limit: Duration) -> Result<Option<String>, KafkaError> {
        let Some(consumer) = self.consumer.upgrade() else { return Ok(None) };
        let topic = self.topic.clone();
        let asked = blocking(move || {
            let mut partitions = TopicPartitionList::new();
            partitions.add_partition(&topic, 0);
            let found = consumer.committed_offsets(partitions, limit)?;
            let url = found.find_partition(&topic, 0).map(|found| found.metadata().to_owned());
            Ok(url.filter(|url| !url.is_empty()))
        });
        asked.await?.map_err(|source| client_error("asking who leads the worker group".to_owned(), source))
    }
}
