//! What went wrong in a task, counted: the attributes of `task-error-metrics`.
//!
//! Source: `ErrorHandlingMetrics`, Kafka 4.1. Written by the task's shard, read by any thread.

use std::sync::atomic::{AtomicU64, Ordering};

/// The counters of one task, from 0. Restarts of a task from its committed positions do not reset them.
#[derive(Debug, Default)]
pub struct ErrorCounters {
    /// `total-record-failures`: attempts that failed, and once more for each record that ended failed.
    pub record_failures: AtomicU64,
    /// `total-record-errors`: records that ended failed.
    pub record_errors: AtomicU64,
    /// `total-records-skipped`.
    pub records_skipped: AtomicU64,
    /// `total-retries`.
    pub retries: AtomicU64,
    /// `total-errors-logged`.
    pub errors_logged: AtomicU64,
    /// `deadletterqueue-produce-requests`.
    pub dead_letter_requests: AtomicU64,
    /// `deadletterqueue-produce-failures`.
    pub dead_letter_failures: AtomicU64,
    /// `last-error-timestamp`: ms since the epoch, 0 for never.
    pub last_error_ms: AtomicU64,
}

impl ErrorCounters {
    /// Adds one to `counter`.
    pub fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// A record ended failed at `wall_ms`.
    pub fn failed(&self, wall_ms: i64) {
        Self::count(&self.record_failures);
        self.last_error_ms.store(u64::try_from(wall_ms).unwrap_or(0), Ordering::Relaxed);
    }
}
