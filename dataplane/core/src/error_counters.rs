//! What went wrong in a task, counted; the contracts own the counters, so that the control plane can show
//! them.

pub use lakeward_api::metrics::ErrorCounters;
