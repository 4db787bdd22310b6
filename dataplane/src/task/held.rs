//! What a task holds of the worker's memory beside its open parts, when it must not take more, and how long
//! what was freed is kept from the kernel.

use std::cell::Cell;
use std::time::{Duration, Instant};

use lakeward_api::budget::Budget;
use lakeward_api::memory::{Memory, MemoryKind, MemoryShare};
use lakeward_api::sink::SinkTask;
use lakeward_kafka::consumer::FetchedBatch;

use crate::sys;

/// The memory of one pipeline.
pub(super) struct Held {
    /// Bytes with the store.
    pub(super) in_flight: Budget,
    decode: MemoryShare,
    fetch: MemoryShare,
    fetch_bytes: u64,
}

impl Held {
    /// Of a pipeline whose consumer may queue `fetch_bytes`.
    pub(super) fn new(memory: &Memory, in_flight: Budget, fetch_bytes: u64) -> Self {
        let (decode, fetch) = (memory.share(MemoryKind::Decode), memory.share(MemoryKind::Fetch));
        Self { in_flight, decode, fetch, fetch_bytes }
    }

    /// Up to `asked` messages were taken; their columns take about as much again. Behind as many as were
    /// asked for there are more: the queue may be full. Fewer emptied it, and while they are worked on it
    /// fills again at the pace at which they came.
    pub(super) fn taken(&self, batch: &FetchedBatch, asked: usize) {
        self.count(batch.bytes(), batch.len() >= asked);
    }

    fn count(&self, bytes: u64, has_more: bool) {
        self.decode.set(self.decode.bytes() + 2 * bytes);
        self.fetch.set(if has_more { self.fetch_bytes } else { self.fetch_bytes.min(2 * bytes) });
    }

    /// Nothing is taken for now: where records came, the queue fills.
    pub(super) fn left(&self) {
        if self.fetch.bytes() > 0 {
            self.fetch.set(self.fetch_bytes);
        }
    }

    /// The sink has everything.
    pub(super) fn delivered(&self) {
        self.decode.set(0);
    }

    /// What was freed stays with the allocator while there is room: it is soon used again, and the kernel
    /// need not clear it anew. While much of the limit is taken it goes back at once.
    pub(super) fn give_freed_back(&self, now: Instant) {
        if LOOKED.get().is_some_and(|last| now - last < LOOK_INTERVAL) {
            return;
        }
        LOOKED.set(Some(now));
        if self.decode.memory().is_strained() {
            sys::keep_freed_memory(Duration::ZERO);
            sys::give_freed_memory_back();
        } else {
            sys::keep_freed_memory(KEPT);
        }
    }

    /// True while nothing may be taken: too much is with the store, or the worker is at its limit. A task
    /// that holds next to nothing is not held up by others: it would never get on.
    pub(super) fn is_full(&self, task: &dyn SinkTask) -> bool {
        self.in_flight.is_exhausted() || (self.is_short() && self.own_bytes(task) >= OWN_BYTES_MIN)
    }

    /// Why, for the log.
    pub(super) fn cause(&self) -> &'static str {
        if self.is_short() { "the worker is at lakeward.memory.limit" } else { "the store does not keep up" }
    }

    /// How soon to look again: memory that others give back wakes nobody.
    pub(super) fn wait(&self) -> Duration {
        if self.is_short() { LOOK_AGAIN } else { Duration::MAX }
    }

    fn is_short(&self) -> bool {
        self.decode.memory().is_exhausted()
    }

    fn own_bytes(&self, task: &dyn SinkTask) -> u64 {
        task.buffered_bytes() + self.in_flight.used_bytes()
    }
}

/// Less is not worth waiting for.
const OWN_BYTES_MIN: u64 = 1 << 20;
const LOOK_AGAIN: Duration = Duration::from_millis(20);

thread_local! {
    /// When this shard looked at what was freed.
    static LOOKED: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Going over a heap and taking the pages anew costs some milliseconds.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);
/// How long what was freed is kept while there is room: longer than it takes from one file to the next.
const KEPT: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use lakeward_api::ConnectError;
    use lakeward_api::batch::SinkBatch;
    use lakeward_api::record::{Position, TopicPartition};
    use lakeward_api::sink::Now;

    use super::*;

    struct Holds(u64);

    impl SinkTask for Holds {
        fn open(&mut self, _: &[TopicPartition]) -> Result<(), ConnectError> {
            Ok(())
        }
        fn put(&mut self, _: SinkBatch, _: Now) -> Result<(), ConnectError> {
            Ok(())
        }
        fn poll(&mut self, _: Now) -> Result<(), ConnectError> {
            Ok(())
        }
        fn take_durable(&mut self, _: &mut Vec<Position>) {}
        fn close(&mut self, _: &[TopicPartition]) {}
        fn is_settled(&self, _: &[TopicPartition]) -> bool {
            true
        }
        fn buffered_bytes(&self) -> u64 {
            self.0
        }
        fn stop(&mut self) {}
    }

    #[test]
    fn what_the_client_fetches_meanwhile_counts_at_the_pace_of_what_came() {
        let memory = Memory::new(100 << 20);
        let held = Held::new(&memory, Budget::within(memory.clone(), 32 << 20), 8 << 20);
        let fetched = || memory.used_by(MemoryKind::Fetch);
        held.left();
        assert_eq!(fetched(), 0, "an idle task has nothing in its queue");
        // A thousand records of several KB are fewer than a turn takes, and all that a queue holds.
        held.count(7 << 20, false);
        assert_eq!(fetched(), 8 << 20);
        held.count(1000, false);
        assert_eq!(fetched(), 2000);
        held.left();
        assert_eq!(fetched(), 8 << 20, "nobody takes what comes");
        held.count(0, false);
        assert_eq!(fetched(), 0);
        held.count(1000, true);
        assert_eq!(fetched(), 8 << 20);
    }

    #[test]
    fn at_the_limit_only_tasks_that_hold_something_wait() {
        let memory = Memory::new(100 << 20);
        let held = Held::new(&memory, Budget::within(memory.clone(), 32 << 20), 8 << 20);
        held.count(0, true);
        let others = memory.share(MemoryKind::Open);
        others.set(85 << 20);
        assert!(!held.is_full(&Holds(50 << 20)));
        others.set(86 << 20);
        assert!(held.is_full(&Holds(50 << 20)) && !held.is_full(&Holds(1000)));
        assert_eq!((held.cause(), held.wait()), ("the worker is at lakeward.memory.limit", LOOK_AGAIN));
        others.set(0);
        let with_the_store = held.in_flight.take(32 << 20);
        assert!(held.is_full(&Holds(0)) && held.wait() == Duration::MAX);
        drop((with_the_store, held));
        assert_eq!(memory.used_bytes(), 0);
    }
}
