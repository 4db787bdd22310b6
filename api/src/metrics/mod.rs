//! What a worker counts about itself: statistics over a moving window, and the groups of one task.
//!
//! Owns the arithmetic and the storage. One thread writes a statistic, any thread reads it, nothing here
//! waits: every number is a relaxed atomic, so a reader may see a batch half counted. Names and texts of the
//! groups are the control plane's.
//!
//! Source: `Metrics`, `SampledStat`, `Rate`, `Avg`, `Max`, `Min`, `Frequencies`, `CumulativeSum`, Kafka 4.1.

mod conditions;
mod errors;
mod files;
mod states;
mod store;
mod task;
mod window;

use std::sync::OnceLock;
use std::time::Instant;

pub use conditions::{Conditions, StoreConditions};
pub use errors::ErrorCounters;
pub use files::{EndedFiles, FileEnd};
pub use states::{StateTimes, TaskState};
pub use store::{StoreOperation, StoreRequests};
pub use task::{CommitOutcome, SinkMetrics, SourceMetrics, TaskKind, TaskMetrics};
pub use window::{Meter, Outcomes, Window, Windowed};

/// The time of statistics: ms since the first call in this process.
pub fn ms_of(instant: Instant) -> u64 {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    let first = *FIRST.get_or_init(Instant::now);
    u64::try_from(instant.saturating_duration_since(first).as_millis()).unwrap_or(u64::MAX)
}
