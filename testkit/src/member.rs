//! A member of a consumer group that commits nothing: it takes partitions away from a sink and lets them go.

use std::time::{Duration, Instant};

use anyhow::Context;
use rdkafka::consumer::{BaseConsumer, Consumer as _};

use crate::broker::KafkaBroker;

const TURN: Duration = Duration::from_millis(100);

/// A member of a group. Dropping it leaves the group.
pub struct GroupMember(BaseConsumer);

impl GroupMember {
    /// Joins `group` for `topic` with the members' `assignor`, as librdkafka calls it, and waits until it has
    /// a partition.
    pub fn join(
        broker: &KafkaBroker,
        group: &str,
        topic: &str,
        assignor: &str,
        patience: Duration,
    ) -> anyhow::Result<Self> {
        let mut config = broker.client();
        config.set("group.id", group).set("enable.auto.commit", "false");
        config.set("auto.offset.reset", "earliest").set("heartbeat.interval.ms", "500");
        config.set("partition.assignment.strategy", assignor);
        let consumer: BaseConsumer = config.create().context("creating a consumer")?;
        consumer.subscribe(&[topic]).context("subscribing")?;
        let deadline = Instant::now() + patience;
        while consumer.assignment().context("asking for partitions")?.count() == 0 {
            anyhow::ensure!(Instant::now() < deadline, "the group gives no partition");
            consumer.poll(TURN);
        }
        Ok(Self(consumer))
    }

    /// Goes on until `is_enough`.
    pub fn stay(&self, mut is_enough: impl FnMut() -> bool) {
        while !is_enough() {
            self.0.poll(TURN);
        }
    }
}
