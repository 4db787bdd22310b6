//! Byte budgets: how much memory may be in flight, counted by permits that give back on drop.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::memory::{Memory, MemoryKind};

/// A shared count of bytes against a limit. Clones share the count.
///
/// The budget never blocks: whoever takes batches asks [`Budget::is_exhausted`] first and waits for a wake.
#[derive(Clone, Debug)]
pub struct Budget {
    used_bytes: Arc<AtomicU64>,
    limit_bytes: u64,
    memory: Memory,
}

impl Budget {
    /// A budget of `limit_bytes`.
    pub fn new(limit_bytes: u64) -> Self {
        Self::within(Memory::unlimited(), limit_bytes)
    }

    /// A budget of `limit_bytes` whose bytes count as in flight in `memory`, too.
    pub fn within(memory: Memory, limit_bytes: u64) -> Self {
        Self { used_bytes: Arc::new(AtomicU64::new(0)), limit_bytes, memory }
    }

    /// Counts `bytes` until the permit is dropped.
    pub fn take(&self, bytes: u64) -> Permit {
        self.used_bytes.fetch_add(bytes, Ordering::AcqRel);
        self.memory.add(MemoryKind::InFlight, bytes);
        Permit { used_bytes: Arc::clone(&self.used_bytes), bytes, memory: self.memory.clone() }
    }

    /// Bytes counted now.
    pub fn used_bytes(&self) -> u64 {
        self.used_bytes.load(Ordering::Acquire)
    }

    /// The limit.
    pub fn limit_bytes(&self) -> u64 {
        self.limit_bytes
    }

    /// True when no further work should be taken.
    pub fn is_exhausted(&self) -> bool {
        self.used_bytes() >= self.limit_bytes
    }
}

/// Bytes counted against a [`Budget`]; dropping it gives them back.
#[derive(Debug)]
pub struct Permit {
    used_bytes: Arc<AtomicU64>,
    bytes: u64,
    memory: Memory,
}

impl Permit {
    /// Bytes this permit counts.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let before = self.used_bytes.fetch_sub(self.bytes, Ordering::AcqRel);
        assert!(before >= self.bytes, "a permit gave back more than was taken");
        self.memory.give_back(MemoryKind::InFlight, self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropped_permits_give_their_bytes_back() {
        let budget = Budget::new(100);
        let first = budget.take(60);
        let second = budget.take(60);
        assert!(budget.is_exhausted());
        drop(first);
        assert_eq!(budget.used_bytes(), 60);
        assert!(!budget.is_exhausted());
        drop(second);
        assert_eq!(budget.used_bytes(), 0);
    }
}
