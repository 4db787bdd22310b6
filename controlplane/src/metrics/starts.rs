//! Starts of connectors or tasks: attempts, and how they ended.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use lakeward_api::metrics::{Outcomes, Window, ms_of};

use super::lock;

/// Counters of starts. Starts are rare and end on any thread, hence the lock.
pub(super) struct Starts {
    attempts: AtomicU64,
    successes: AtomicU64,
    failures: AtomicU64,
    recent: Mutex<Outcomes>,
}

impl Starts {
    pub(super) fn new(window: Window) -> Self {
        Self {
            attempts: AtomicU64::new(0),
            successes: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            recent: Mutex::new(Outcomes::new(window)),
        }
    }

    pub(super) fn attempt(&self) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn success(&self) {
        self.successes.fetch_add(1, Ordering::Relaxed);
        lock(&self.recent).success(ms_of(Instant::now()));
    }

    pub(super) fn failure(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        lock(&self.recent).failure(ms_of(Instant::now()));
    }

    /// Name endings and values.
    pub(super) fn read(&self, now_ms: u64) -> [(&'static str, f64); 5] {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64;
        let recent = lock(&self.recent);
        [
            ("attempts-total", count(&self.attempts)),
            ("success-total", count(&self.successes)),
            ("failure-total", count(&self.failures)),
            ("success-percentage", recent.success_share(now_ms)),
            ("failure-percentage", recent.failure_share(now_ms)),
        ]
    }
}
