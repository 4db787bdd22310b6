//! What the clients of tasks count about themselves, in the groups and names of Java's clients.
//!
//! The library tells its statistics as JSON every so often; the latest text of each client is kept as it is
//! and read when somebody asks, so that a task pays for one copy. Rates are those between two texts that were
//! asked about. A client that ended is forgotten.
//!
//! Not there: what the library does not count (times of single fetches, time spent waiting for memory).
//!
//! Source: `FetchMetricsRegistry`, `SenderMetricsRegistry`, `ConsumerCoordinatorMetrics`, `KafkaAdminClient`,
//! `Selector`, Kafka 4.1; `STATISTICS.md` of librdkafka.

mod groups;
mod statistics;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use statistics::Statistics;

/// Kinds of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Admin,
    Consumer,
    Producer,
}

/// One number of one client.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientSeries {
    /// The group: `consumer-fetch-manager-metrics`, `producer-metrics`, …
    pub group: &'static str,
    /// Java's name of the number.
    pub attribute: &'static str,
    /// `client.id`.
    pub client_id: Arc<str>,
    /// Topic, of numbers by topic.
    pub topic: Option<String>,
    /// Partition, of numbers by partition.
    pub partition: Option<i32>,
    /// The number.
    pub value: f64,
}

/// The statistics of one client. It counts as long as this lives.
pub(crate) struct ClientStatistics {
    kind: Kind,
    client_id: Arc<str>,
    /// The latest text that was not read yet.
    text: Mutex<Option<Box<[u8]>>>,
    read: Mutex<Reading>,
}

/// The texts that were read last.
#[derive(Default)]
struct Reading {
    now: Option<Statistics>,
    before: Option<Statistics>,
}

static CLIENTS: Mutex<Vec<Weak<ClientStatistics>>> = Mutex::new(Vec::new());
static INTERVAL_MS: AtomicU64 = AtomicU64::new(0);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Clients that are made from now on tell their statistics this often; zero for never, which is how a process
/// begins.
pub fn collect_every(interval: Duration) {
    // The library's limit is a day.
    let interval_ms = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX).min(86_400_000);
    INTERVAL_MS.store(interval_ms, Ordering::Relaxed);
}

/// The library's setting for that; `None` when nothing is told.
pub(crate) fn interval() -> Option<(&'static str, String)> {
    let interval_ms = INTERVAL_MS.load(Ordering::Relaxed);
    (interval_ms > 0).then(|| ("statistics.interval.ms", interval_ms.to_string()))
}

/// [`interval`] for clients that tell through their queue, not by a callback.
pub(crate) fn event_interval() -> Option<[(&'static str, String); 2]> {
    interval().map(|interval| [interval, ("enabled_events", crate::sys::STATISTICS_EVENT.to_string())])
}

/// What all clients told last. Reads their texts: not on a shard.
pub fn read() -> Vec<ClientSeries> {
    let clients: Vec<Arc<ClientStatistics>> = lock(&CLIENTS).iter().filter_map(Weak::upgrade).collect();
    let mut series = Vec::new();
    for client in clients {
        client.append(&mut series);
    }
    series
}

impl ClientStatistics {
    /// A client that tells nothing yet.
    pub(crate) fn register(kind: Kind, client_id: &str) -> Arc<Self> {
        let client = Arc::new(Self {
            kind,
            client_id: client_id.into(),
            text: Mutex::default(),
            read: Mutex::default(),
        });
        let mut clients = lock(&CLIENTS);
        clients.retain(|client| client.strong_count() > 0);
        clients.push(Arc::downgrade(&client));
        client
    }

    /// The library told its statistics.
    pub(crate) fn told(&self, text: &[u8]) {
        *lock(&self.text) = Some(text.into());
    }

    fn append(&self, series: &mut Vec<ClientSeries>) {
        let text = lock(&self.text).take();
        let mut read = lock(&self.read);
        if let Some(now) = text.and_then(|text| Statistics::parse(&text)) {
            read.before = read.now.replace(now);
        }
        let Some(now) = &read.now else { return };
        groups::append(self.kind, &self.client_id, now, read.before.as_ref(), series);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_counts_as_long_as_it_lives() {
        let client = ClientStatistics::register(Kind::Producer, "lives-and-ends");
        let shown = || read().iter().any(|series| &*series.client_id == "lives-and-ends");
        assert!(!shown(), "it told nothing");
        client.told(b"no JSON");
        assert!(!shown(), "what is told cannot be read");
        client.told(br#"{"ts": 5, "txmsgs": 3}"#);
        assert!(shown() && shown());
        drop(client);
        assert!(!shown());
    }
}
