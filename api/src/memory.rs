//! The memory of one worker: a limit, and how many bytes everything counted holds, by kind.
//!
//! Owns sums; what gives way under pressure is decided by those who hold memory (decision 0010). Any thread
//! counts, any thread reads: every sum is an atomic.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// What holds memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryKind {
    /// Records taken and converted that no sink has yet.
    Decode,
    /// What clients may queue.
    Fetch,
    /// With the store, or on the way to and from the disk.
    InFlight,
    /// Open parts.
    Open,
    /// The process without data.
    Process,
}

impl MemoryKind {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 5] = [Self::Decode, Self::Fetch, Self::InFlight, Self::Open, Self::Process];

    /// Its name on a page.
    pub fn name(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Fetch => "fetch",
            Self::InFlight => "in_flight",
            Self::Open => "open",
            Self::Process => "process",
        }
    }
}

/// The memory of one worker. Clones share the sums.
#[derive(Clone, Debug)]
pub struct Memory(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limit_bytes: u64,
    used_bytes: [AtomicU64; MemoryKind::ALL.len()],
    spilled_bytes: AtomicU64,
    spilled_total_bytes: AtomicU64,
}

impl Memory {
    /// A worker that may hold `limit_bytes`.
    pub fn new(limit_bytes: u64) -> Self {
        Self(Arc::new(Inner {
            limit_bytes,
            used_bytes: Default::default(),
            spilled_bytes: AtomicU64::new(0),
            spilled_total_bytes: AtomicU64::new(0),
        }))
    }

    /// Memory without a limit.
    pub fn unlimited() -> Self {
        Self::new(u64::MAX)
    }

    /// The limit.
    pub fn limit_bytes(&self) -> u64 {
        self.0.limit_bytes
    }

    /// Bytes counted now, over all kinds.
    pub fn used_bytes(&self) -> u64 {
        MemoryKind::ALL.into_iter().map(|kind| self.used_by(kind)).sum()
    }

    /// Bytes of one kind counted now.
    pub fn used_by(&self, kind: MemoryKind) -> u64 {
        self.0.used_bytes[kind as usize].load(Ordering::Relaxed)
    }

    /// Bytes on disk now.
    pub fn spilled_bytes(&self) -> u64 {
        self.0.spilled_bytes.load(Ordering::Relaxed)
    }

    /// Bytes written to disk so far.
    pub fn spilled_total_bytes(&self) -> u64 {
        self.0.spilled_total_bytes.load(Ordering::Relaxed)
    }

    /// Bytes were written to disk.
    pub fn spilled(&self, bytes: u64) {
        self.0.spilled_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.0.spilled_total_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes on disk were forgotten.
    pub fn unspilled(&self, bytes: u64) {
        self.0.spilled_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// True when those who hold memory should give it back.
    pub fn wants_relief(&self) -> bool {
        self.used_bytes() > self.0.limit_bytes / 10 * 7
    }

    /// True until relief has given back enough.
    pub fn is_strained(&self) -> bool {
        self.used_bytes() > self.0.limit_bytes / 2
    }

    /// What relief should give back.
    pub fn surplus_bytes(&self) -> u64 {
        self.used_bytes().saturating_sub(self.0.limit_bytes / 2)
    }

    /// True when nobody who holds memory may take more: what is at hand still has to go somewhere.
    pub fn is_exhausted(&self) -> bool {
        self.used_bytes() >= self.0.limit_bytes / 16 * 15
    }

    /// Counts `bytes` more.
    pub(crate) fn add(&self, kind: MemoryKind, bytes: u64) {
        self.0.used_bytes[kind as usize].fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts `bytes` less.
    pub(crate) fn give_back(&self, kind: MemoryKind, bytes: u64) {
        let before = self.0.used_bytes[kind as usize].fetch_sub(bytes, Ordering::Relaxed);
        assert!(before >= bytes, "more memory was given back than was counted");
    }

    /// A share of one kind, of nothing yet.
    pub fn share(&self, kind: MemoryKind) -> MemoryShare {
        MemoryShare { memory: self.clone(), kind, bytes: AtomicU64::new(0) }
    }

    /// Makes this the memory that `GET /metrics` shows. A process has one.
    pub fn show(&self) {
        SHOWN.set(self.clone()).ok();
    }

    /// The memory that is shown.
    pub fn shown() -> Option<&'static Self> {
        SHOWN.get()
    }
}

static SHOWN: OnceLock<Memory> = OnceLock::new();

/// What one owner holds of one kind; given back on drop.
#[derive(Debug)]
pub struct MemoryShare {
    memory: Memory,
    kind: MemoryKind,
    bytes: AtomicU64,
}

impl MemoryShare {
    /// The owner holds `bytes` now.
    pub fn set(&self, bytes: u64) {
        let before = self.bytes.swap(bytes, Ordering::Relaxed);
        if bytes > before {
            self.memory.add(self.kind, bytes - before);
        } else if bytes < before {
            self.memory.give_back(self.kind, before - bytes);
        }
    }

    /// What the owner holds.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The memory that this is a share of.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }
}

impl Drop for MemoryShare {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relief_begins_before_the_limit_and_ends_well_below_it() {
        let memory = Memory::new(1000);
        let (open, fetch) = (memory.share(MemoryKind::Open), memory.share(MemoryKind::Fetch));
        let state = || (memory.is_strained(), memory.wants_relief(), memory.is_exhausted());
        fetch.set(100);
        open.set(400);
        assert_eq!(state(), (false, false, false));
        open.set(601);
        assert_eq!((state(), memory.surplus_bytes()), ((true, true, false), 201));
        open.set(900);
        assert_eq!(state(), (true, true, true));
        open.set(500);
        assert_eq!(state(), (true, false, false));
        drop(open);
        assert_eq!((memory.used_bytes(), memory.used_by(MemoryKind::Fetch)), (100, 100));
    }
}
