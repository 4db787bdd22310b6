//! What tasks have open of topic-partitions that nobody owns: parked by the owner before, taken by the next
//! one, or given up (decision 0018).
//!
//! Owns places, memory and time. What a state is only its sink knows; whether it fits is decided by
//! `dataplane/core/src/handover.rs`.
//!
//! # Memory
//! Parked states count as open, and are given up first when the worker is short of memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lakeward_api::bridge::Bridge;
use lakeward_api::config::ConfigMap;
use lakeward_api::handover::OpenState;
use lakeward_api::memory::{Memory, MemoryKind, MemoryShare};
use lakeward_api::record::{CommittedPosition, TopicPartition};
use lakeward_dataplane_core::handover::may_go_on;

/// Where states wait; one per worker.
pub(crate) struct Lot {
    memory: Memory,
    bridge: Arc<dyn Bridge>,
    /// Of parked states: looked at with every turn of every task.
    count: AtomicUsize,
    places: Mutex<Places>,
}

struct Places {
    parked: HashMap<Place, Parked>,
    next_ticket: u64,
    is_closed: bool,
    /// Held by everything that is being given up; nothing is sent.
    giving_up: flume::Sender<()>,
    given_up: flume::Receiver<()>,
}

/// Connector and topic-partition.
type Place = (Arc<str>, TopicPartition);

struct Parked {
    kept: Kept,
    /// The committed position that it stands on.
    from: i64,
    config: Arc<ConfigMap>,
    ticket: u64,
}

/// A state, counted.
pub(super) struct Kept {
    state: Box<dyn OpenState>,
    _share: MemoryShare,
}

impl Kept {
    /// See [`OpenState::since`].
    pub(super) fn since(&self) -> Option<i64> {
        self.state.since()
    }
}

impl Lot {
    /// A lot of a worker with `memory`; time passes and states are given up on `bridge`.
    pub(crate) fn new(memory: Memory, bridge: Arc<dyn Bridge>) -> Arc<Self> {
        let (giving_up, given_up) = flume::bounded(0);
        let places = Places { parked: HashMap::new(), next_ticket: 0, is_closed: false, giving_up, given_up };
        Arc::new(Self { memory, bridge, count: AtomicUsize::new(0), places: Mutex::new(places) })
    }

    /// Held for moments only: tasks come here when partitions come and go.
    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives everything up when the worker is short of memory.
    pub(crate) fn relieve(&self) {
        if self.count.load(Ordering::Relaxed) == 0 || !self.memory.wants_relief() {
            return;
        }
        let count = self.clear(&mut self.places());
        tracing::info!(
            count,
            "open files that wait for the next owner of their partition are given up: \
             the worker is short of lakeward.memory.limit; their records are read again"
        );
    }

    /// Takes nothing any more and gives everything up; resolves when stores have nothing of it.
    pub(crate) fn close(&self) -> impl Future<Output = ()> + use<> {
        let mut places = self.places();
        places.is_closed = true;
        self.clear(&mut places);
        let (giving_up, given_up) = flume::bounded(0);
        places.giving_up = giving_up;
        let given_up = std::mem::replace(&mut places.given_up, given_up);
        async move {
            given_up.recv_async().await.ok();
        }
    }

    /// Takes states again.
    pub(crate) fn open(&self) {
        self.places().is_closed = false;
    }

    fn clear(&self, places: &mut Places) -> usize {
        let all: Vec<Parked> = places.parked.drain().map(|(_, parked)| parked).collect();
        self.count.store(0, Ordering::Relaxed);
        let count = all.len();
        all.into_iter().for_each(|parked| self.give_up(places, parked.kept));
        count
    }

    fn give_up(&self, places: &Places, kept: Kept) {
        let (over, giving_up) = (kept.state.give_up(), places.giving_up.clone());
        self.bridge.spawn(Box::pin(async move {
            over.await;
            drop(giving_up);
        }));
    }

    fn remove(&self, places: &mut Places, place: &Place, ticket: Option<u64>) -> Option<Parked> {
        places.parked.get(place).filter(|parked| ticket.is_none_or(|ticket| parked.ticket == ticket))?;
        self.count.fetch_sub(1, Ordering::Relaxed);
        places.parked.remove(place)
    }

    /// Nobody took what was parked with `ticket`.
    fn expire(&self, place: &Place, ticket: u64) {
        let mut places = self.places();
        if let Some(parked) = self.remove(&mut places, place, Some(ticket)) {
            tracing::info!(connector = %place.0, partition = %place.1,
                "open files are given up: their partition had no owner here in lakeward.handover.ms");
            self.give_up(&places, parked.kept);
        }
    }
}

/// The lot as one task sees it.
pub(super) struct Handover {
    lot: Arc<Lot>,
    connector: Arc<str>,
    config: Arc<ConfigMap>,
    wait: Duration,
}

impl Handover {
    /// For a task of `connector` with `config`, whose states wait for `wait`.
    pub(super) fn new(lot: &Arc<Lot>, connector: &Arc<str>, config: &ConfigMap, wait: Duration) -> Self {
        let mut config = config.clone();
        // Says how many owners there are, and nothing about what they do.
        config.remove("tasks.max");
        Self { lot: Arc::clone(lot), connector: Arc::clone(connector), config: Arc::new(config), wait }
    }

    /// Whether states are taken at all: not while the worker stops, or is short of memory.
    pub(super) fn is_open(&self) -> bool {
        !self.lot.memory.wants_relief() && !self.lot.places().is_closed
    }

    /// Counts what a sink parted with.
    pub(super) fn keep(&self, state: Box<dyn OpenState>) -> Kept {
        let share = self.lot.memory.share(MemoryKind::Open);
        share.set(state.bytes());
        Kept { state, _share: share }
    }

    /// Lets what stands on the committed position `from` wait for the next owner of `partition`.
    pub(super) fn park(&self, partition: &TopicPartition, from: i64, kept: Kept) {
        let place = (Arc::clone(&self.connector), partition.clone());
        let mut places = self.lot.places();
        if places.is_closed {
            return self.lot.give_up(&places, kept);
        }
        let ticket = places.next_ticket;
        places.next_ticket += 1;
        let config = Arc::clone(&self.config);
        let parked = Parked { kept, from, config, ticket };
        match places.parked.insert(place.clone(), parked) {
            // Nobody came for it between two owners of ours.
            Some(older) => self.lot.give_up(&places, older.kept),
            None => {
                self.lot.count.fetch_add(1, Ordering::Relaxed);
            }
        }
        drop(places);
        let (lot, wait) = (Arc::clone(&self.lot), self.wait);
        self.lot.bridge.spawn(Box::pin(async move {
            tokio::time::sleep(wait).await;
            lot.expire(&place, ticket);
        }));
    }

    /// What was parked of `partition`, when an owner that reads `committed` goes on with it; otherwise it is
    /// given up.
    pub(super) fn take(
        &self,
        partition: &TopicPartition,
        committed: Option<&CommittedPosition>,
    ) -> Option<Box<dyn OpenState>> {
        let place = (Arc::clone(&self.connector), partition.clone());
        let mut places = self.lot.places();
        let Parked { kept, from, config, .. } = self.lot.remove(&mut places, &place, None)?;
        if config == self.config && may_go_on(from, committed) && kept.state.is_sound() {
            return Some(kept.state);
        }
        tracing::info!(%partition, from, committed = committed.map(|found| found.position.next_offset),
            "open files of an earlier owner are given up: the group, the settings or the store went on \
             without them");
        self.lot.give_up(&places, kept);
        None
    }
}

#[cfg(test)]
mod tests;
