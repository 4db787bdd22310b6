//! What connectors ask of object stores: requests, bytes, repetitions. Stores are billed by the request, so
//! these counts are costs.
//!
//! One set of counters per connector, shared by its tasks on this worker and gone with the last of them. Any
//! thread writes, any thread reads: every number is a relaxed atomic.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Kinds of requests, as stores bill them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreOperation {
    /// Objects deleted, uploads given up.
    Delete,
    /// Contents of objects.
    Get,
    /// Whether objects exist.
    Head,
    /// Names of objects or of unfinished uploads.
    List,
    /// Uploads begun and completed.
    Post,
    /// Objects, parts of uploads, tags.
    Put,
}

impl StoreOperation {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 6] = [Self::Delete, Self::Get, Self::Head, Self::List, Self::Post, Self::Put];

    /// Its name on a page.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Get => "get",
            Self::Head => "head",
            Self::List => "list",
            Self::Post => "post",
            Self::Put => "put",
        }
    }
}

/// Counters of one connector, from its first task on.
#[derive(Debug, Default)]
pub struct StoreRequests {
    requests: [AtomicU64; StoreOperation::ALL.len()],
    sent_bytes: AtomicU64,
    retries: AtomicU64,
    slow_downs: AtomicU64,
}

impl StoreRequests {
    /// The counters of `connector` on this worker.
    pub fn of(connector: &str) -> Arc<Self> {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, counters| counters.strong_count() > 0);
        if let Some(counters) = known.get(connector).and_then(Weak::upgrade) {
            return counters;
        }
        let counters = Arc::<Self>::default();
        known.insert(connector.into(), Arc::downgrade(&counters));
        counters
    }

    /// The counters of every connector that has tasks, by name.
    pub fn all() -> Vec<(Arc<str>, Arc<Self>)> {
        let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().filter_map(|(name, counters)| Some((Arc::clone(name), counters.upgrade()?))).collect()
    }

    /// A request with a body of `bytes` goes out, be it the first or a repeated one.
    pub fn sent(&self, operation: StoreOperation, bytes: u64) {
        self.requests[operation as usize].fetch_add(1, Ordering::Relaxed);
        self.sent_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A request failed and will be repeated.
    pub fn retried(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// The store asked for fewer requests.
    pub fn slowed_down(&self) {
        self.slow_downs.fetch_add(1, Ordering::Relaxed);
    }

    /// Requests of this kind, repeated ones included.
    pub fn requests(&self, operation: StoreOperation) -> u64 {
        self.requests[operation as usize].load(Ordering::Relaxed)
    }

    /// Bytes of request bodies.
    pub fn sent_bytes(&self) -> u64 {
        self.sent_bytes.load(Ordering::Relaxed)
    }

    /// Requests that were repeated.
    pub fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Answers that asked for fewer requests.
    pub fn slow_downs(&self) -> u64 {
        self.slow_downs.load(Ordering::Relaxed)
    }
}

/// Counters by connector. Holds nothing of a connector without tasks but its name, and that until the next
/// one starts.
static KNOWN: Mutex<BTreeMap<Arc<str>, Weak<StoreRequests>>> = Mutex::new(BTreeMap::new());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_of_one_connector_share_their_counters_and_the_last_one_takes_them_along() {
        let first = StoreRequests::of("shared-store-counters");
        let second = StoreRequests::of("shared-store-counters");
        first.sent(StoreOperation::Put, 7);
        second.sent(StoreOperation::List, 0);
        second.retried();
        second.slowed_down();
        let shown = |name: &str| StoreRequests::all().into_iter().find(|(known, _)| &**known == name);
        let (_, counters) = shown("shared-store-counters").unwrap();
        assert_eq!(StoreOperation::ALL.map(|one| counters.requests(one)), [0, 0, 0, 1, 0, 1]);
        assert_eq!((counters.sent_bytes(), counters.retries(), counters.slow_downs()), (7, 1, 1));
        drop((first, second, counters));
        assert!(shown("shared-store-counters").is_none());
        assert_eq!(StoreRequests::of("shared-store-counters").sent_bytes(), 0);
    }

    #[test]
    fn operations_stand_at_their_own_places() {
        for (index, operation) in StoreOperation::ALL.into_iter().enumerate() {
            assert_eq!(operation as usize, index, "{}", operation.name());
        }
    }
}
