//! The oracle of a kill test: lets everything be stored, then reads all of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::Context;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer};

use super::cluster::Cluster;
use super::load::{Sender, Sent};
use super::mode::{Connector, Mode};
use super::summary::{Found, Summary};
use crate::broker::KafkaBroker;
use crate::ids::{id_of, stored_ids};
use crate::records::read_topic;

/// Sessions of dead members end, the backlog is read, the last files are stored.
const PATIENCE: Duration = Duration::from_secs(600);
const LOOK_INTERVAL: Duration = Duration::from_secs(2);
const REQUEST_PATIENCE: Duration = Duration::from_secs(10);
/// Further in the future than any interval.
const FUTURE_MS: i64 = 3_600_000;

/// Completes the last files, waits until offsets say that all is stored, and judges.
pub(super) fn settle(
    broker: &KafkaBroker,
    cluster: &mut Cluster,
    connectors: &[Connector],
    mut senders: Vec<Sender>,
    summary: &mut Summary,
) -> anyhow::Result<()> {
    let mut waits = Vec::new();
    for (connector, sender) in connectors.iter().zip(&mut senders) {
        sender.fill_up()?;
        waits.push(Wait::new(broker, connector)?);
        if connector.mode == Mode::Interval {
            sender.push_time(Some(now_ms() + FUTURE_MS))?;
        }
    }
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut open = Vec::new();
        for ((connector, sender), wait) in connectors.iter().zip(&mut senders).zip(&waits) {
            if !wait.is_over(broker, connector, &sender.sent)? {
                open.push(connector.mode.name());
                if connector.mode == Mode::Wallclock {
                    sender.push_time(None)?;
                }
            }
        }
        cluster.sample();
        if open.is_empty() {
            break;
        }
        if Instant::now() > deadline {
            let failed = cluster.failed_tasks();
            summary.problem(format!("not stored after {PATIENCE:?}: {}; {failed:?}", open.join(", ")));
            break;
        }
        std::thread::sleep(LOOK_INTERVAL);
    }
    for (connector, sender) in connectors.iter().zip(&senders) {
        let found = judge(broker, connector, &sender.sent)?;
        summary.found(connector.mode.name(), found);
    }
    Ok(())
}

/// The offsets that must be committed.
struct Wait {
    consumer: BaseConsumer,
    partitions: TopicPartitionList,
    /// Per partition.
    ends: Vec<i64>,
}

impl Wait {
    /// Everything that `connector`'s topic holds now.
    fn new(broker: &KafkaBroker, connector: &Connector) -> anyhow::Result<Self> {
        let group = format!("connect-{}", connector.name);
        let consumer: BaseConsumer =
            broker.client().set("group.id", group).create().context("creating a consumer")?;
        let mut partitions = TopicPartitionList::new();
        let mut ends = Vec::new();
        for partition in 0..i32::try_from(connector.mode.partitions())? {
            let (_, end) = consumer.fetch_watermarks(&connector.topic, partition, REQUEST_PATIENCE)?;
            partitions.add_partition(&connector.topic, partition);
            ends.push(end);
        }
        Ok(Self { consumer, partitions, ends })
    }

    fn is_over(&self, broker: &KafkaBroker, connector: &Connector, sent: &Sent) -> anyhow::Result<bool> {
        if connector.mode == Mode::Source {
            let last = sent.count.checked_sub(1);
            return Ok(topic_ids(broker, &connector.topic)?.last().copied() == last);
        }
        let committed = self.consumer.committed_offsets(self.partitions.clone(), REQUEST_PATIENCE);
        // A group between two rebalances may not answer: it is asked again.
        let Ok(committed) = committed else { return Ok(false) };
        Ok(self.ends.iter().zip(committed.elements()).all(|(end, element)| {
            *end == 0 || matches!(element.offset(), rdkafka::Offset::Offset(offset) if offset >= *end)
        }))
    }
}

fn judge(broker: &KafkaBroker, connector: &Connector, sent: &Sent) -> anyhow::Result<Found> {
    let stored = match &connector.lake {
        Some(lake) => lake.ids(sent.count)?,
        None if connector.mode == Mode::Source => topic_ids(broker, &connector.topic)?,
        None => stored_ids(&connector.objects, "/")?,
    };
    let mut found = compare(sent, &stored);
    if connector.mode == Mode::DeadLetters {
        let letters = read_topic(broker, &connector.dead_letters)?;
        let told: BTreeSet<u64> = letters.iter().filter_map(letter_id).collect();
        let broken = (0..sent.count).filter(|id| sent.mode.is_broken(*id) && !sent.excused.contains(id));
        // A letter may come twice: a worker that dies between it and the commit reads the record again.
        found.missing += broken.filter(|id| !told.contains(id)).count() as u64;
    }
    Ok(found)
}

fn compare(sent: &Sent, stored: &[u64]) -> Found {
    let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
    for id in stored {
        *counts.entry(*id).or_default() += 1;
    }
    let wanted = |id: &u64| !sent.excused.contains(id) && !sent.mode.is_broken(*id);
    let missing: Vec<u64> = (0..sent.count).filter(wanted).filter(|id| !counts.contains_key(id)).collect();
    let doubled: Vec<u64> = counts.iter().filter(|(_, count)| **count > 1).map(|(id, _)| *id).collect();
    for (what, ids) in [("missing", &missing), ("doubled", &doubled)] {
        if let (Some(first), Some(last)) = (ids.first(), ids.last()) {
            eprintln!("{}: {} {what}, from id {first} to {last}", sent.mode.name(), ids.len());
        }
    }
    Found {
        records: (0..sent.count).filter(wanted).count() as u64,
        missing: missing.len() as u64,
        duplicates: counts.values().map(|count| count - 1).sum(),
    }
}

/// Ids of the committed records of a topic, in order.
fn topic_ids(broker: &KafkaBroker, topic: &str) -> anyhow::Result<Vec<u64>> {
    let records = read_topic(broker, topic)?;
    let id = |value: &Vec<u8>| id_of(std::str::from_utf8(value).ok()?);
    records
        .iter()
        .map(|record| record.value.as_ref().and_then(id).context("a record of the source has no id"))
        .collect()
}

fn letter_id(letter: &crate::records::Record) -> Option<u64> {
    let (_, value) = letter.headers.iter().find(|(name, _)| name == "id")?;
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn now_ms() -> i64 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_and_what_is_doubled_is_counted() {
        let excused = BTreeSet::from([4]);
        let sent = Sent { mode: Mode::Count, count: 6, excused, good: Vec::new() };
        assert_eq!(
            compare(&sent, &[0, 2, 2, 2, 3]),
            Found { records: 5, missing: 2, duplicates: 2 },
            "1 and 5 are missing, 2 came three times, 4 is excused"
        );
    }
}
